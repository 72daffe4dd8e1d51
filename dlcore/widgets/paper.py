"""Paper folding's mathematics: networks on points of the plane, and pictures of the plane inside them (chapter Layers).

    dense    tanh(x W + b), layer after layer, 8 units each: what a hidden layer is. The picture is a projection.
    plane    x + tanh(x W + b) V + c, layer after layer: every layer's values are again two, so nothing is projected.

A layer of the dense network has two pictures, of its sums and of its values: from the one to the other each unit bends
on its own. All points move on straight lines from picture to picture, so a view has only to mix two pictures.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcore import activations, data, init, loss, optim
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import capture
from dlcore.layers import Activation, Dense, Module, Sequential

Floats = NDArray[np.float64]
WIDTH = 8  # units of a hidden layer
REACH = 5.5  # the paper is [-REACH, REACH]², the points lie within 5 of the centre
LINES, ALONG = 11, 25  # lines of the grid each way, and points on one
CELLS = 40  # of the net in which the border is looked for, along each axis
SHRINK = 2.5  # the network is fed x / SHRINK, numbers near 1
RATE = 0.02  # Adam's
# The spirals are each other's mirror image, so at biases of 0 the biases' gradients are rounding alone; Adam would
# make whole steps of it, others on every machine.
BIAS = partial(init.uniform, low=-0.5, high=0.5)
STEPS = 1000  # of a picture's unit, for whole numbers
THIN = 0.5  # of its length: the least height of the cloud of points in a projection
ROOM = 4.0  # a picture's coordinates are kept from -ROOM to ROOM; the points fill [-1, 1]


def draw(name: str) -> tuple[Floats, Floats]:
    """Return 200 points of "spiral" or "circle", shape (200, 2), and their labels of -1 and +1, shape (200,).

    The spiral's arms both begin in the centre: two points of different classes at one place, which no function
    tells apart. They are left out.
    """
    if name == "circle":
        points, labels = data.circle(200, rng=np.random.default_rng(0))
    else:
        points, labels = data.spiral(202, rng=np.random.default_rng(0))
        apart = np.any(points != 0, axis=1)
        points, labels = points[apart], labels[apart]
    return points.astype(np.float64), labels.astype(np.float64)


# ------------------------------------------------------------------------------------------------ the networks


class Fold(Module):
    """A layer that moves the points of the plane: x + f(x W + b) V + c, from two numbers to two.

    Adding what a layer computes to its input is a residual connection (He, Zhang, Ren and Sun, CVPR 2016).
    """

    def __init__(self, activation: Any, *, rng: np.random.Generator, device: str = "numpy") -> None:
        self.inner = Dense(2, WIDTH, rng=rng, bias_init=BIAS, device=device)
        self.outer = Dense(WIDTH, 2, rng=rng, bias_init=BIAS, device=device)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return the points where the layer puts them, shape (n, 2)."""
        return x + self.outer(self.activation(self.inner(x)))


def build(kind: str, layers: int, activation: str, seed: int, device: str = "numpy") -> Sequential:
    """Return an untrained network for points of the plane.

    Args:
        kind: "dense" or "plane".
        layers: hidden layers.
        activation: "tanh" or "relu".
        seed: of its weights.
        device: where it computes.
    """
    rng, function = np.random.default_rng(seed), getattr(activations, activation)
    if kind == "plane":
        folds = [Fold(function, rng=rng, device=device) for _ in range(layers)]
        return Sequential(*folds, Dense(2, 1, rng=rng, device=device))
    sizes = [2] + [WIDTH] * layers
    parts: list[Any] = []
    for before, after in pairwise(sizes):
        parts += [Dense(before, after, rng=rng, bias_init=BIAS, device=device), function]
    return Sequential(*parts, Dense(WIDTH, 1, rng=rng, device=device))


class Trainer:
    """Adam on all points at once; the loss is the cross-entropy of the two classes.

    Attributes:
        steps: updates made so far.
    """

    def __init__(self, model: Sequential, points: Floats, labels: Floats, *, device: str) -> None:
        self.model, self.steps = model, 0
        self._x = asarray((points / SHRINK).astype(np.float32), device=device)
        self._t = asarray(((labels[:, None] + 1) / 2).astype(np.float32), device=device)
        self._optimizer = optim.Adam(model.parameters(), RATE)
        self._step = capture(self._update)

    def _update(self, x: Any, t: Any) -> Any:
        error = loss.binary_cross_entropy(self.model(x), t)
        self._optimizer.zero_grad()
        error.backward()
        self._optimizer.step()
        return error.data

    def train(self, steps: int) -> None:
        """Make so many updates more."""
        for _ in range(steps):
            self._step(self._x, self._t)
        self.steps += steps


@lru_cache(maxsize=32)
def trained(kind: str, layers: int, activation: str, name: str, seed: int, steps: int) -> bytes:
    """Return the parameters of a network after so many steps, computed on NumPy (see `pack`)."""
    trainer = Trainer(build(kind, layers, activation, seed), *draw(name), device="numpy")
    trainer.train(steps)
    return pack(trainer.model)


def pack(model: Sequential) -> bytes:
    """Return all parameters in the order of the layers, as float32."""
    return np.concatenate([p.numpy().ravel() for p in model.parameters()]).astype("<f4").tobytes()


def unpack(model: Sequential, parameters: bytes) -> None:
    """Overwrite the parameters of a model by those that `pack` returned.

    Raises:
        ValueError: of another number of parameters.
    """
    flat = np.frombuffer(parameters, "<f4")
    wanted = sum(p.size for p in model.parameters())
    if flat.size != wanted:
        raise ValueError(f"PaperFolding: expected {wanted} parameters; received {flat.size}")
    state, start = {}, 0
    for name, p in model.named_parameters():
        state[name] = flat[start : start + p.size].reshape(p.shape)
        start += p.size
    model.load_state(state)


# ------------------------------------------------------------------------------------------------ looking inside


def stages(model: Sequential, points: Floats) -> list[Floats]:
    """Return what each stage makes of points (n, 2): the input, then sums and values of each layer in turn.

    A layer of a plane network is one stage, of shape (n, 2); the output neuron is none.
    """
    x = Tensor(asarray((points / SHRINK).astype(np.float32), device=model.parameters()[0].device))
    found = [to_numpy(x.data)]
    with no_grad():
        for layer in model.layers[:-1]:
            x = layer(x)
            found.append(to_numpy(x.data))
    return [values.astype(np.float64) for values in found]


def head(model: Sequential) -> tuple[Floats, float]:
    """Return weights (units,) and bias of the output neuron."""
    neuron: Any = model.layers[-1]
    return neuron.weight.numpy()[:, 0].astype(np.float64), float(neuron.bias.numpy()[0])


def output(model: Sequential, points: Floats) -> Floats:
    """Return the output neuron's sum at points (n, 2): shape (n,). It is positive for class +1."""
    weight, bias = head(model)
    return np.asarray(stages(model, points)[-1] @ weight + bias)


def bends(model: Sequential) -> list[bool]:
    """Return of each stage whether it is made by the bend alone: each unit's sum becoming its value."""
    return [False, *(isinstance(layer, Activation) for layer in model.layers[:-1])]


def separated(values: Floats, labels: Floats) -> int:
    """Return how many points one flat cut has on their sides: a line, or a plane of as many dimensions as it takes.

    Two directions are tried, that of a logistic regression (Newton's method, a weak L2 penalty) and that from the one
    class's middle to the other's, each cut where most points are right. A cut that is a little better may exist.

    Args:
        values: shape (n, units).
        labels: -1 and +1, shape (n,).
    """
    x = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    middles = x[labels > 0].mean(axis=0) - x[labels < 0].mean(axis=0)
    return max(_best_cut(x @ w, labels) for w in (_logistic(x, labels), middles))


def _logistic(x: Floats, labels: Floats) -> Floats:
    x = np.column_stack([x, np.ones(len(x))])
    w = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (p - (labels > 0)) + 1e-2 * w
        w = w - np.linalg.solve((x.T * (p * (1 - p))) @ x + 1e-2 * np.eye(len(w)), slope)
    return np.asarray(w[:-1])


def _best_cut(along: Floats, labels: Floats) -> int:
    """Return how many are right when the points are cut at the best place along a direction, the better way round."""
    order = np.argsort(along, kind="stable")
    # Right with the first k below the cut: those of class -1 below and of class +1 above.
    below = np.concatenate([[0], np.cumsum(labels[order] < 0)])
    right = below + np.concatenate([[0], np.cumsum(labels[order] > 0)])[-1] - (np.arange(len(below)) - below)
    ways = np.concatenate([[True], np.diff(along[order]) > 0, [True]])  # between equal values there is no cut
    return int(max(right[ways].max(), (len(labels) - right[ways]).max()))


class Border(NamedTuple):
    """The border in the input plane: points on it, shape (n, 2), and which of them are joined, shape (m, 2)."""

    points: Floats
    links: NDArray[np.int64]


def border(model: Sequential) -> Border:
    """Return where the output neuron's sum is 0, in straight pieces.

    Marching squares: an edge of the net at whose ends the signs differ is crossed once; within a cell the crossings
    are joined in pairs. Each crossing is then refined by bisection.
    """
    along = np.linspace(-REACH, REACH, CELLS + 1)
    corner = np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1)  # (i, j, 2)
    high = output(model, corner.reshape(-1, 2)).reshape(CELLS + 1, CELLS + 1) >= 0
    numbers = -np.ones((2, CELLS + 1, CELLS + 1), int)  # of the crossing on the edge that leaves a corner
    starts, ends, count = [], [], 0
    for way, (di, dj) in enumerate(((1, 0), (0, 1))):
        i, j = np.nonzero(high[: CELLS + 1 - di, : CELLS + 1 - dj] != high[di:, dj:])
        numbers[way, i, j] = count + np.arange(len(i))
        starts.append(corner[i, j])
        ends.append(corner[i + di, j + dj])
        count += len(i)
    points = _bisected(model, np.concatenate(starts), np.concatenate(ends))
    return Border(points, _joined(numbers))


def _bisected(model: Sequential, low: Floats, high: Floats) -> Floats:
    """Return a place where the sum is 0 between each two ends of different sign."""
    if not len(low):
        return low
    sign = output(model, low) >= 0
    for _ in range(9):
        middle = (low + high) / 2
        same = ((output(model, middle) >= 0) == sign)[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray((low + high) / 2)


def _joined(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of crossings that a cell joins; `numbers` are those of the edges, -1 where there is none."""
    edges = np.stack([numbers[0, :-1, :-1], numbers[1, 1:, :-1], numbers[0, :-1, 1:], numbers[1, :-1, :-1]])
    cells = edges.reshape(4, -1).T  # going round each cell
    crossed = np.sum(cells >= 0, axis=1)
    two = np.sort(cells[crossed == 2])[:, 2:]  # behind the two edges that are not crossed
    four = cells[crossed == 4]
    return np.concatenate([two, four[:, :2], four[:, 2:]])


# ---------------------------------------------------------------------------------------------------- pictures


class View(NamedTuple):
    """How a stage is drawn: (values - middle) @ axes / size.

    Attributes:
        middle: shape (units,).
        axes: two directions, shape (units, 2), at right angles and of length 1 but for the stretch.
        size: what fills the picture.
        share: of the points' variance, how much lies in the plane of the picture, 0 to 1.
        stretch: how many times the narrow direction is drawn longer than the wide one.
    """

    middle: Floats
    axes: Floats
    size: float
    share: float
    stretch: float

    def of(self, values: Floats) -> Floats:
        """Return the pictures of values (n, units): shape (n, 2)."""
        return np.asarray((values - self.middle) @ self.axes / self.size)


def views(found: list[Floats], bend: list[bool], weight: Floats) -> list[View]:
    """Return how each stage is drawn, one turned so that it is as like the one before as can be.

    Of more than two dimensions those two are shown in which the points spread most (principal components); in the
    last layer the first is the output neuron's weight, so that its border is a straight line there. Sums are drawn in
    the plane of their values, so that the bend is seen alone.

    Args:
        found: of each stage, the points' values (n, units).
        bend: of each stage, whether it is the bend of the sums before.
        weight: of the output neuron, shape (units,).
    """
    made: list[View] = []
    for k, values in enumerate(found):
        if bend[k]:
            axes, stretch = made[-1].axes, made[-1].stretch
        else:
            last = k >= len(found) - 1 - bend[-1]
            shown = found[k + 1] if k + 1 < len(found) and bend[k + 1] else values
            axes, stretch = _axes(shown, weight if last else None)
        centred = values - values.mean(axis=0)
        plane = np.linalg.qr(axes)[0]
        share = float(np.sum((centred @ plane) ** 2) / (np.sum(centred**2) or 1))
        if made and not bend[k]:
            axes = axes @ _turn(centred @ axes, made[-1].of(found[k - 1]))
        size = float(np.max(np.linalg.norm(centred @ axes, axis=1))) * 1.1 or 1.0
        made.append(View(values.mean(axis=0), axes, size, share, stretch))
    return made


def _axes(values: Floats, first: Floats | None) -> tuple[Floats, float]:
    """Return two directions at right angles, those of most variance or `first` and the best beside it, and a stretch.

    Where the points would make a thin line, the narrow direction is stretched, or nothing would be seen.
    """
    units = values.shape[1]
    if units == 2:
        return np.eye(2), 1.0
    centred = values - values.mean(axis=0)
    if first is None:
        wide, narrow = np.linalg.svd(centred, full_matrices=False)[2][:2]
    else:
        narrow = first / (np.linalg.norm(first) or 1)
        rest = centred @ (np.eye(units) - np.outer(narrow, narrow))
        wide = np.linalg.svd(rest, full_matrices=False)[2][0]
    thin, length = np.std(centred @ narrow), np.std(centred @ wide)
    stretch = max(1.0, THIN * float(length / thin)) if thin > 0 else 1.0
    return np.column_stack([narrow * stretch, wide]), stretch


def _turn(flat: Floats, before: Floats) -> Floats:
    """Return the turn or reflection, shape (2, 2), that brings points nearest to others (orthogonal Procrustes).

    Source: P. H. Schönemann, Psychometrika 31, 1966.
    """
    u, _, v = np.linalg.svd(flat.T @ before)
    return np.asarray(u @ v)


@cache
def grid() -> Floats:
    """Return the paper's grid: LINES lines along x2, then as many along x1, shape (2 LINES ALONG, 2)."""
    at, along = np.linspace(-REACH, REACH, LINES), np.linspace(-REACH, REACH, ALONG)
    upright = np.stack(np.meshgrid(at, along, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.concatenate([upright, upright[:, ::-1]])


def whole(picture: Floats) -> bytes:
    """Return coordinates from -ROOM to ROOM as int16, STEPS to the unit; what is farther out is brought in."""
    return np.round(np.clip(picture, -ROOM, ROOM) * STEPS).astype("<i2").tobytes()
