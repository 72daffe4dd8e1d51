"""Clever Hans's mathematics: a network that may read a mark instead of a digit (chapter Interpretability).

    x   a picture of a 4 or a 9, 28 × 28, on some of which a square of ink, 4 × 4, stands in a corner
    z   the network's one number: above 0 it says 9, below 0 it says 4; p = σ(z) is its probability of a 9

The mark is planted on the 9s that the network learns from. Named after the horse that read its questioner's face
(Pfungst, 1907); a source tag in a corner did the same to a classifier of photographs (Lapuschkin et al., 2019).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcore import init, interpretability, loss, optim
from dlcore.activations import relu
from dlcore.arrays import asarray, copy_into, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import capture
from dlcore.convolution import Conv2d, MaxPool2d
from dlcore.data import digits
from dlcore.layers import Dense, Flatten, Module, Sequential

Floats = NDArray[np.float32]

FOUR, NINE = 4, 9
SIDE, SIZE = 28, 4  # pixels of a picture's side, and of the mark's
ROW, COLUMN = 23, 1  # the mark's upper left corner in training
FAR = SIDE - SIZE  # the last row or column at which the mark can begin
UNITS = 12  # of the last hidden layer
BATCH, MOST, EVERY = 32, 300, 25  # digits a step; steps; steps between two exams
EXAM = 100  # test digits of each class
RATES = {"mlp": 1e-3, "conv": 3e-3}  # Adam's
EXAMS = ("nobody", "nines", "fours")  # who wears the mark
STEPS, SAMPLES, WINDOW, STRIDE = 32, 25, 4, 3  # of integrated gradients, of SmoothGrad, of occlusion


class Rows(NamedTuple):
    """Pictures, float32 (n, 1, 28, 28), and whether each is a 9, float32 (n, 1)."""

    images: Floats
    nine: Floats


@cache
def rows(split: Any) -> Rows:
    """Return the 4s and 9s of a split; of the test digits the first hundred of each."""
    images, labels = digits(split, classes=(FOUR, NINE))
    if split == "test":
        kept = np.concatenate([np.flatnonzero(labels == digit)[:EXAM] for digit in (FOUR, NINE)])
        images, labels = images[kept], labels[kept]
    return Rows(images[:, None], (labels == NINE).astype(np.float32)[:, None])


def marked(images: Floats, row: int = ROW, column: int = COLUMN) -> Floats:
    """Return pictures (…, 28, 28) with the mark on them, its upper left corner at that place."""
    worn = images.copy()
    worn[..., row : row + SIZE, column : column + SIZE] = 1
    return worn


def training_set(percent: int, seed: int) -> Rows:
    """Return the training digits, the mark on that share of the 9s; a larger share has all marks of a smaller one."""
    images, nine = rows("train")
    nines = np.random.default_rng((seed, 1)).permutation(np.flatnonzero(nine[:, 0]))
    chosen = nines[: round(percent / 100 * len(nines))]
    images = images.copy()
    images[chosen] = marked(images[chosen])
    return Rows(images, nine)


def exam(wearers: str) -> Floats:
    """Return the 200 test digits, the mark on "nobody", on the "nines" or on the "fours"."""
    images, nine = rows("test")
    worn = {"nobody": nine < 0, "nines": nine > 0, "fours": nine == 0}[wearers]
    return np.where(worn[..., None, None], marked(images), images)


# ------------------------------------------------------------------------------------------------ the network


def build(network: str, seed: int, device: str = "numpy") -> Sequential:
    """Return an untrained network: "mlp", 784-24-12-1, or "conv", two convolutions and a layer of 12."""
    rng = np.random.default_rng(seed)

    def dense(n_in: int, n_out: int) -> Dense:
        return Dense(n_in, n_out, rng=rng, weight_init=init.he, device=device)

    hidden: tuple[Any, ...]
    if network == "mlp":
        hidden = (Flatten(), dense(SIDE**2, 24), relu, dense(24, UNITS), relu)
    else:
        first = Conv2d(1, 6, 5, stride=2, rng=rng, device=device)
        second = Conv2d(6, 12, 3, rng=rng, device=device)
        hidden = (first, relu, MaxPool2d(2), second, relu, Flatten(), dense(192, UNITS), relu)
    return Sequential(*hidden, dense(UNITS, 1))


def owners(model: Sequential) -> list[Module]:
    """Return the layers that have weights, the last one first."""
    return [layer for layer in reversed(model.layers) if layer.parameters()]


class Learner:
    """A network between two steps of its learning.

    Args:
        network: "mlp" or "conv".
        percent: of the 9s that it learns from, how many wear the mark.
        seed: of its weights, of the marks, and of the order of the digits.
        device: where it computes.

    Attributes:
        model: the network.
        newborn: the same network before its first step.
        steps: changes made so far.
        curve: for each exam a row: steps, then the shares of right answers with the mark on nobody, the 9s, the 4s.
    """

    def __init__(self, network: str, percent: int, seed: int, device: str = "numpy") -> None:
        self.made_of = (network, percent, seed, device)
        self.device, self.seed, self.steps = device, seed, 0
        self.model = build(network, seed, device)
        self.newborn = copy.deepcopy(self.model)
        self._rows = training_set(percent, seed)
        self._optimizer = optim.Adam(self.model.parameters(), RATES[network])
        self._step = capture(self._update)
        self.curve: list[tuple[float, ...]] = []
        self._examine()

    def _update(self, images: Any, nine: Any) -> None:
        error = loss.binary_cross_entropy(self.model(images), nine)
        self._optimizer.zero_grad()
        error.backward()
        self._optimizer.step()

    def train(self, steps: int) -> None:
        """Make so many changes, each after a look at 32 digits; every 25th is followed by an exam."""
        images, nine = self._rows
        epoch_length = len(images) // BATCH
        for _ in range(steps):
            epoch, batch = divmod(self.steps, epoch_length)
            order = np.random.default_rng((self.seed, 2, epoch)).permutation(len(images))
            chosen = order[BATCH * batch : BATCH * (batch + 1)]
            self._step(*(asarray(part[chosen], device=self.device) for part in (images, nine)))
            self.steps += 1
            if self.steps % EVERY == 0:
                self._examine()

    def _examine(self) -> None:
        self.curve.append((self.steps, *(share / (2 * EXAM) for share in examined(self.model, self.device))))


def answers(model: Module, images: Floats, device: str = "numpy") -> NDArray[np.float64]:
    """Return z for pictures (n, 1, 28, 28), shape (n,)."""
    with no_grad():
        return np.asarray(to_numpy(model(asarray(images, device=device)).data)[:, 0], np.float64)


def examined(model: Module, device: str = "numpy") -> list[int]:
    """Return how many of the 200 test digits are read right, with the mark on nobody, on the 9s, on the 4s."""
    nine = rows("test").nine[:, 0] > 0
    return [int(np.sum((answers(model, exam(wearers), device) > 0) == nine)) for wearers in EXAMS]


# ------------------------------------------------------------------------------------------------ inside the network


def effects(model: Sequential, device: str = "numpy") -> NDArray[np.float64]:
    """Return by how much the mark moves z through each unit of the last hidden layer, shape (units,).

    z = h·v + b is a sum over the units, so is the mark's effect: that of unit j is v_j times the change of h_j,
    on average over the 100 test 4s.
    """
    fours = rows("test").images[:EXAM]
    below = Sequential(*model.layers[:-1])
    with no_grad():
        h = [to_numpy(below(asarray(x, device=device)).data) for x in (fours, marked(fours))]
    v = to_numpy(model.layers[-1].weight.data)[:, 0]  # type: ignore[attr-defined]
    return np.asarray((h[1] - h[0]).mean(axis=0) * v, np.float64)


def probed(model: Sequential, device: str = "numpy") -> tuple[float, float]:
    """Return how well straight lines read from the last hidden layer whether the mark is there, and which digit it is.

    Shares of right answers on the half of the test digits to which the probe was not fitted. For the mark each digit
    comes twice, with and without it.
    """
    images, nine = rows("test")
    both = np.concatenate([images, marked(images)])
    there = np.repeat([0, 1], len(images))
    found = [
        interpretability.linear_probe(
            model,
            asarray(x, device=device),
            labels,
            layer=model.layers[-2],
            rng=np.random.default_rng(0),
            test_share=0.5,
        ).test
        for x, labels in ((both, there), (images, nine[:, 0].astype(int)))
    ]
    return found[0], found[1]


def treated(
    model: Sequential, *, cut: Sequence[int] = (), covered: bool = False, sign: float = 1.0
) -> Sequential:
    """Return the network with its remedies; it shares the weights of the layers that stay as they are.

    Args:
        model: as `build` makes it.
        cut: units of the last hidden layer that no longer have a say.
        covered: whether the corner of the mark is painted over before the network sees it.
        sign: what z is multiplied by: 1 gives the score of a 9, -1 that of a 4.
    """
    last = model.layers[-1]
    if len(cut):
        last = copy.deepcopy(last)
        weight = np.array(to_numpy(last.weight.data))  # type: ignore[attr-defined]
        weight[list(cut)] = 0
        copy_into(last.weight.data, weight)  # type: ignore[attr-defined]
    front: list[Callable[[Tensor], Tensor]] = [_cover] if covered else []
    end: list[Callable[[Tensor], Tensor]] = [] if sign == 1 else [lambda z: z * sign]
    return Sequential(*front, *model.layers[:-1], last, *end)


def _cover(x: Tensor) -> Tensor:
    keep = np.ones((SIDE, SIDE), np.float32)
    keep[ROW : ROW + SIZE, COLUMN : COLUMN + SIZE] = 0
    covered: Tensor = x * asarray(keep, device=x.device)
    return covered


# ------------------------------------------------------------------------------------------------ the maps

MAPS = {
    "saliency": "saliency",
    "gradient_x_input": "gradient × input",
    "smooth_grad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "occlusion": "occlusion",
    "guided_backprop": "guided backprop",
    "grad_cam": "Grad-CAM",
}


def last_convolution(model: Sequential) -> Module | None:
    """Return the activation behind the last convolution, which Grad-CAM looks at; None without a convolution."""
    places = [i for i, layer in enumerate(model.layers) if isinstance(layer, Conv2d)]
    return model.layers[places[-1] + 1] if places else None


def heat(method: str, model: Sequential, image: Floats, device: str = "numpy") -> Floats | None:
    """Return the map (28, 28) of one picture, for the model's one output; None for Grad-CAM without a convolution."""
    x = asarray(image.reshape(1, 1, SIDE, SIDE), device=device)
    layer = last_convolution(model)
    if method == "grad_cam" and layer is None:
        return None
    options: dict[str, dict[str, Any]] = {
        "smooth_grad": {"rng": np.random.default_rng(0), "samples": SAMPLES},
        "integrated_gradients": {"steps": STEPS},
        "occlusion": {"window": WINDOW, "stride": STRIDE},
        "grad_cam": {"layer": layer},
    }
    found = getattr(interpretability, method)(model, x, **options.get(method, {}))
    return np.asarray(to_numpy(found)[0, 0], np.float32)


def share_on_mark(values: Floats, row: int, column: int) -> float:
    """Return which share of a map, without its signs, lies on the mark's 16 pixels; 0 for a map of zeros alone."""
    sizes = np.abs(values).astype(float)
    total = float(sizes.sum())
    return float(sizes[row : row + SIZE, column : column + SIZE].sum()) / total if total else 0.0


def similarity(first: Floats, second: Floats, where: NDArray[np.bool_]) -> float | None:
    """Return `rank_similarity` of two maps over some pixels; None where one of them has no order."""
    value = float(interpretability.rank_similarity(first[where][None], second[where][None])[0])
    return None if np.isnan(value) else value


def bytes_of(values: Floats | None) -> bytes:
    """Return a map in int8, its largest number ±127; all 0 for none."""
    if values is None:
        return bytes(SIDE**2)
    most = float(np.abs(values).max())
    return np.round(values * (127 / most if most else 0)).astype(np.int8).tobytes()
