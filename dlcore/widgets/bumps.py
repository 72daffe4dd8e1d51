"""The bump builder's mathematics: curves made of ReLUs, one hidden layer wide or many layers deep (chapter Layers).

    Bumps      ŷ = b + Σ v relu(w x + c): each unit given by its joint -c/w, its change of slope v|w|, and w
    folded     a deep network made by hand: each layer folds what comes in the middle
    Race       networks of one hidden layer and of many, of equal numbers of parameters, trained from many seeds

Pieces are counted by `dlcore.pieces`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcore import init, loss, optim
from dlcore.activations import relu
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import no_grad
from dlcore.capture import capture
from dlcore.layers import Dense, Sequential, ensemble
from dlcore.pieces import breakpoints

Floats = NDArray[np.float64]
LOW, HIGH = 0.0, 4.0  # what is drawn and learnt of the x axis
SAMPLES = 401  # equally spaced points at which errors are measured
KNOTS = 9  # of the reader's own curve
FAR, STEEPEST = 100.0, 100.0  # |joint| and |change of slope| stay below
FLATTEST = 1e-3  # |w| stays above, or the joint would be anywhere
SEEDS = 16  # networks of a kind in a race
RACE_RATE = 0.02

TARGETS = ("bump", "sine", "saw", "step", "own")


def points() -> Floats:
    """Return the places at which errors are measured, shape (SAMPLES,)."""
    return np.linspace(LOW, HIGH, SAMPLES)


def fold(u: Floats, times: int) -> Floats:
    """Fold the interval [0, 1] in the middle so many times: u → min(2u, 2 - 2u)."""
    for _ in range(times):
        u = np.minimum(2 * u, 2 - 2 * u)
    return u


def target(name: str, x: Floats, knots: Floats) -> Floats:
    """Return a curve's values at `x`, of its shape; `knots` are the heights of the reader's own."""
    if name == "bump":
        return np.interp(x, [0.75, 1, 2, 2.25], [0, 1, 1, 0])
    if name == "sine":
        return np.sin(np.pi * x / 2)
    if name == "saw":
        return fold(x / HIGH, 3)
    if name == "step":
        return np.where(x >= 2, 1.0, 0.0)
    return np.interp(x, np.linspace(LOW, HIGH, KNOTS), knots)


class Curve(NamedTuple):
    """A network's output on [LOW, HIGH]: ends and bends, which straight lines join.

    Attributes:
        x, y: shape (pieces + 1,).
    """

    x: Floats
    y: Floats

    @property
    def pieces(self) -> int:
        """The straight pieces."""
        return len(self.x) - 1


def curve(model: Sequential) -> Curve:
    """Return the output of a ReLU network of one input and one output."""
    bends = breakpoints(model, LOW, HIGH)[:, 0]
    x = np.concatenate([[LOW], bends, [HIGH]])
    return Curve(x, values(model, x))


def values(model: Sequential, x: Floats) -> Floats:
    """Return the output at `x`, shape (n,)."""
    weight = model.parameters()[0]
    with no_grad():
        y = model(asarray(x[:, None], device=weight.device, dtype=str(weight.dtype).rsplit(".", 1)[-1]))
    return to_numpy(y.data)[:, 0].astype(np.float64)


# --------------------------------------------------------------------------------------------- one hidden layer


class Bumps(NamedTuple):
    """A network of one hidden layer, by what is seen of it.

    Attributes:
        joints: where each unit bends, -c/w, shape (units,).
        slopes: by how much the slope changes there, v|w|, shape (units,).
        weights: each unit's w, not 0; a unit of negative w is on at the left of its joint. Shape (units,).
        bias: b of the output.
    """

    joints: Floats
    slopes: Floats
    weights: Floats
    bias: float

    def shares(self, x: Floats) -> Floats:
        """Return what each unit adds at `x`, shape (units, n)."""
        away = np.sign(self.weights)[:, None] * (x - self.joints[:, None])
        return self.slopes[:, None] * np.maximum(away, 0)

    def model(self, device: str = "numpy") -> Sequential:
        """Return it as a network; there must be a unit."""
        dtype = "float32" if device == "mps" else "float64"  # Apple's has no other
        rng, units = np.random.default_rng(0), len(self.joints)
        made = Sequential(
            Dense(1, units, rng=rng, device=device, dtype=dtype),
            relu,
            Dense(units, 1, rng=rng, device=device, dtype=dtype),
        )
        made.load_state(
            {
                "layers.0.weight": self.weights[None],
                "layers.0.bias": -self.weights * self.joints,
                "layers.2.weight": (self.slopes / np.abs(self.weights))[:, None],
                "layers.2.bias": np.array([self.bias]),
            }
        )
        return made

    def curve(self) -> Curve:
        """Return the output."""
        if not len(self.joints):
            return Curve(np.array([LOW, HIGH]), np.full(2, self.bias))
        return curve(self.model())


def read(model: Sequential) -> Bumps:
    """Return what is seen of a network of one hidden layer, each number brought into its range."""
    w, c, v, b = (p.numpy().astype(np.float64).ravel() for p in model.parameters())
    w = np.where(np.abs(w) < FLATTEST, np.copysign(FLATTEST, w), np.clip(w, -STEEPEST, STEEPEST))
    joints, slopes = np.clip(-c / w, -FAR, FAR), np.clip(v * np.abs(w), -STEEPEST, STEEPEST)
    return Bumps(joints, slopes, w, float(np.clip(b[0], -STEEPEST, STEEPEST)))


def fitted(bumps: Bumps, wanted: Floats) -> Bumps:
    """Return the network with the changes of slope and the bias that fit best, joints being where they are.

    Least squares over the values `wanted` at `points()`; a weak pull to 0 decides between units that do the same,
    and grows until all numbers are in range.
    """
    on = bumps._replace(slopes=np.ones(len(bumps.joints))).shares(points())
    features = np.vstack([on, np.ones(SAMPLES)]).T
    pull = 1e-9
    while True:
        normal = features.T @ features / SAMPLES + pull * np.eye(features.shape[1])
        found = np.linalg.solve(normal, features.T @ wanted / SAMPLES)
        if np.all(np.abs(found) < STEEPEST):
            return Bumps(bumps.joints, np.asarray(found[:-1], np.float64), bumps.weights, float(found[-1]))
        pull *= 10


class Training:
    """Adam on all numbers of a network of one hidden layer at once: w, c, v and b.

    Attributes:
        steps: updates made so far.
    """

    def __init__(self, bumps: Bumps, wanted: Floats, rate: float, *, device: str) -> None:
        self.model, self.steps = bumps.model(device), 0
        dtype = str(self.model.parameters()[0].dtype).rsplit(".", 1)[-1]
        self._x = asarray(points()[:, None], device=device, dtype=dtype)
        self._t = asarray(wanted[:, None], device=device, dtype=dtype)
        self._optimizer = optim.Adam(self.model.parameters(), rate)
        self._step = capture(self._update)

    def _update(self, x: Any, t: Any) -> Any:
        error = loss.mse(self.model(x), t)
        self._optimizer.zero_grad()
        error.backward()
        self._optimizer.step()
        return error.data

    def train(self, steps: int) -> Bumps:
        """Make so many updates more; return what is seen then."""
        for _ in range(steps):
            self._step(self._x, self._t)
        self.steps += steps
        return read(self.model)


# ---------------------------------------------------------------------------------------------------- many layers


def folded(depth: int) -> Sequential:
    """Return the network of `depth` hidden layers of two ReLUs that folds [LOW, HIGH] in the middle `depth` times.

    A layer computes h = (relu(u), relu(u - ½)) of u = 2 h₁ - 4 h₂ of the layer before, which is min(2u, 2 - 2u).
    Source: M. Telgarsky, "Benefits of depth in neural networks", COLT 2016.
    """
    model = network([1, *[2] * depth, 1], np.random.default_rng(0), dtype="float64")
    turn = np.array([[2.0], [-4.0]])
    state = {"layers.0.weight": np.full((1, 2), 1 / HIGH), "layers.0.bias": np.array([0, -0.5])}
    for k in range(1, depth):
        state |= {
            f"layers.{2 * k}.weight": np.hstack([turn, turn]),
            f"layers.{2 * k}.bias": np.array([0, -0.5]),
        }
    state |= {f"layers.{2 * depth}.weight": turn, f"layers.{2 * depth}.bias": np.zeros(1)}
    model.load_state(state)
    return model


def network(
    sizes: list[int], rng: np.random.Generator, device: str = "numpy", dtype: str = "float32"
) -> Sequential:
    """Return an untrained ReLU network: He's weights, and joints of the first layer all over [-1, 1]."""
    spread = partial(init.uniform, low=-1, high=1)
    parts: list[Any] = []
    for k, (before, after) in enumerate(pairwise(sizes)):
        bias = init.zeros if k else spread
        parts += [
            Dense(before, after, rng=rng, weight_init=init.he, bias_init=bias, device=device, dtype=dtype),
            relu,
        ]
    return Sequential(*parts[:-1])


def sizes(kind: str, depth: int) -> list[int]:
    """Return the widths of the "wide" or the "deep" network: 2·depth units and 6·depth + 1 parameters in both."""
    return [1, 2 * depth, 1] if kind == "wide" else [1, *[2] * depth, 1]


class Race:
    """Networks of one kind from SEEDS seeds, trained side by side on the sawtooth that `folded` makes.

    Args:
        kind: "wide" or "deep".
        depth: folds of the sawtooth, and hidden layers of the deep network.
        seed: of the first network; the others have the seeds after it.
        device: where they are.

    Attributes:
        steps: updates made so far.
    """

    def __init__(self, kind: str, depth: int, seed: int, *, device: str = "numpy") -> None:
        self._sizes, self.steps, self._device = sizes(kind, depth), 0, device
        single = [network(self._sizes, np.random.default_rng(seed + s), device) for s in range(SEEDS)]
        self._all = ensemble(single)
        x = points()
        wanted = fold(x / HIGH, depth)
        # The networks are fed x/2 - 1, from -1 to 1.
        rows = [
            np.broadcast_to(v[:, None].astype(np.float32), (SEEDS, SAMPLES, 1)) for v in (x / 2 - 1, wanted)
        ]
        self._x, self._t = (asarray(np.ascontiguousarray(v), device=device) for v in rows)
        self._optimizer = optim.Adam(self._all.parameters(), RACE_RATE)
        self._step = capture(self._update)

    def _update(self, x: Any, t: Any) -> Any:
        errors = loss.mse(self._all(x), t, members=True)
        self._optimizer.zero_grad()
        errors.sum().backward()
        self._optimizer.step()
        return errors.data

    def train(self, steps: int) -> None:
        """Make so many updates more."""
        for _ in range(steps):
            self._step(self._x, self._t)
        self.steps += steps

    def errors(self) -> Floats:
        """Return each network's mean squared error, shape (SEEDS,)."""
        with no_grad():
            return to_numpy(loss.mse(self._all(self._x), self._t, members=True).data).astype(np.float64)

    def curves(self, members: Iterable[int]) -> list[Curve]:
        """Return the outputs of some of the networks, bend by bend."""
        found = []
        parameters = {name: p.numpy().astype(np.float64) for name, p in self._all.named_parameters()}
        single = network(self._sizes, np.random.default_rng(0), dtype="float64")
        for member in members:
            state = {name: values[member] for name, values in parameters.items()}
            # x/2 - 1 becomes part of the first layer: (x/2 - 1) w + b = x w/2 + (b - w).
            w = state["layers.0.weight"]
            state |= {"layers.0.weight": w / 2, "layers.0.bias": state["layers.0.bias"] - w[0]}
            single.load_state(state)
            found.append(curve(single))
        return found

    def pack(self) -> bytes:
        """Return all parameters as float32."""
        return np.concatenate([p.numpy().ravel() for p in self._all.parameters()]).astype("<f4").tobytes()

    def unpack(self, parameters: bytes, steps: int) -> None:
        """Overwrite all parameters by those that `pack` returned after so many steps.

        Raises:
            ValueError: of another number of parameters.
        """
        flat, state, start = np.frombuffer(parameters, "<f4"), {}, 0
        wanted = sum(p.size for p in self._all.parameters())
        if flat.size != wanted:
            raise ValueError(f"BumpBuilder: expected {wanted} parameters; received {flat.size}")
        for name, p in self._all.named_parameters():
            state[name] = flat[start : start + p.size].reshape(p.shape)
            start += p.size
        self._all.load_state(state)
        self.steps = steps


@lru_cache(maxsize=16)
def raced(kind: str, depth: int, seed: int, steps: int) -> bytes:
    """Return the parameters of a race after so many steps, computed on NumPy (see `Race.pack`)."""
    race = Race(kind, depth, seed)
    race.train(steps)
    return race.pack()
