"""The task: what the controls say, as data, a network, a loss and an update of its weights.

`Task()` is TensorFlow Playground's own: its 500 points, shuffled once, half of them for training; its 4 and 2 tanh
units with weights ~ U(-½, ½) and biases 0.1; ½(ŷ - y)² of a tanh output; plain gradient descent at 0.03 on minibatches
of 10 in a fixed order.

Source: https://github.com/tensorflow/playground, `src/nn.ts`, `src/playground.ts` and `src/dataset.ts`; Smilkov et al.,
arXiv:1708.03788, 2017.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dlcore import data, init, loss, optim
from dlcore.activations import identity, relu, sigmoid, tanh
from dlcore.backprop import Tensor
from dlcore.layers import Dense, Sequential
from dlcore.training.state import DATA, WEIGHTS, generator

Array = np.ndarray[Any, Any]
Points = tuple[tuple[float, float, float], ...]  # x1, x2, target
TRAIN, TEST, VALIDATION = range(3)


class Feature(NamedTuple):
    """A function of a point that may be an input of the network, with its label and its source."""

    label: str
    source: str
    of: Callable[[Array, Array], Array]


FEATURES = {
    "x1": Feature("x₁", "x1", lambda x1, x2: x1),
    "x2": Feature("x₂", "x2", lambda x1, x2: x2),
    "x1_squared": Feature("x₁²", "x1 * x1", lambda x1, x2: x1 * x1),
    "x2_squared": Feature("x₂²", "x2 * x2", lambda x1, x2: x2 * x2),
    "x1x2": Feature("x₁x₂", "x1 * x2", lambda x1, x2: x1 * x2),
    "sin_x1": Feature("sin x₁", "np.sin(x1)", lambda x1, x2: np.sin(x1)),
    "sin_x2": Feature("sin x₂", "np.sin(x2)", lambda x1, x2: np.sin(x2)),
}
#: The sets that each problem may have, and how many points are drawn; "own" are the reader's.
DATASETS = {
    "classification": ("circle", "xor", "gaussian", "spiral", "own"),
    "regression": ("plane", "multi_gaussian", "own"),
}
COUNTS = {"classification": 500, "regression": 1200}
ACTIVATIONS: dict[str, Any] = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid, "linear": identity}
INITIALIZATIONS: dict[str, tuple[str, str]] = {  # of weights, of biases: functions of dlcore.init
    "playground": ("uniform", "constant"),
    "glorot": ("glorot", "zeros"),
    "he": ("he", "zeros"),
}
OPTIMIZERS: dict[str, tuple[Any, dict[str, float]]] = {
    "sgd": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "rmsprop": (optim.RMSProp, {}),
    "adam": (optim.Adam, {}),
}


def half_squared(predictions: Any, targets: Any, **options: Any) -> Tensor:
    """Return ½(ŷ - y)², whose slope is ŷ - y."""
    return 0.5 * loss.mse(predictions, targets, **options)


def cross_entropy(predictions: Any, targets: Any, **options: Any) -> Tensor:
    """Return the binary cross-entropy of logits; targets are -1 or +1, as everywhere in the playground."""
    return loss.binary_cross_entropy(predictions, (targets + 1) / 2, **options)


LOSSES = {"half_squared": half_squared, "cross_entropy": cross_entropy}


@dataclass(frozen=True, eq=False)
class Data:
    """The points, those for training first, then those for validation, then those for testing.

    Attributes:
        points: array of shape (n, 2), float32.
        targets: array of shape (n,), float32: -1 and +1 in classification.
        parts: array of shape (n,): TRAIN, VALIDATION or TEST.
        clean: what `targets` would be without noise, or None where the noise moves points.
    """

    points: Array
    targets: Array
    parts: Array
    clean: Array | None = None

    def rows(self, part: int) -> slice:
        """Return where the points of a part lie."""
        where = np.flatnonzero(self.parts == part)
        return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 0)

    def count(self, part: int) -> int:
        """Return how many points a part has."""
        return int((self.parts == part).sum())


@dataclass(frozen=True)
class Task:
    """All that decides the numbers of a training. The fields are the widget's settings of the same name.

    Attributes:
        own: the reader's points, for the data set "own".
        validated: whether half of the test part is held back for early stopping.
    """

    problem: str = "classification"
    dataset: str = "circle"
    train_share: int = 50
    noise: int = 0
    batch_size: int = 10
    features: tuple[str, ...] = ("x1", "x2")
    hidden: tuple[int, ...] = (4, 2)
    activation: str = "tanh"
    learning_rate: float = 0.03
    regularization: str = "none"
    regularization_rate: float = 0.0
    loss: str = "half_squared"
    optimizer: str = "sgd"
    initialization: str = "playground"
    seed: int = 0
    data_seed: int = 0
    own: Points = ()
    validated: bool = False

    # -- data

    def draw(self, rng: np.random.Generator, noise: int | None = None) -> tuple[Array, Array]:
        """Return points (n, 2) and targets (n,) as they are drawn, before they are shuffled."""
        share = (self.noise if noise is None else noise) / 100
        points, targets = getattr(data, self.dataset)(COUNTS[self.problem], share, rng=rng)
        return points, targets

    def data(self, rng: np.random.Generator | None = None) -> Data:
        """Return the points, drawn and shuffled by the generator of the data's seed, in their parts."""
        if self.dataset == "own":
            return self._own()
        rng = generator(self.data_seed, DATA) if rng is None else rng
        points, targets = self.draw(rng)
        order = rng.permutation(len(points))
        clean = None
        if self.dataset in ("circle", "xor") and self.noise:
            clean = self.draw(generator(self.data_seed, DATA), noise=0)[1][order]
        train = round(len(points) * self.train_share / 100)
        return Data(points[order], targets[order], self._parts(train, len(points)), clean)

    def _parts(self, train: int, count: int) -> Array:
        validation = (count - train) // 2 if self.validated else 0
        return np.repeat([TRAIN, VALIDATION, TEST], [train, validation, count - train - validation])

    def _own(self) -> Data:
        """Share out the reader's points, those of each sign by themselves; the first of each is for training."""
        rows = np.array(self.own, np.float32).reshape(-1, 3)
        train = np.zeros(len(rows), dtype=bool)
        for of_sign in (rows[:, 2] >= 0, rows[:, 2] < 0):
            until = np.ceil(np.arange(of_sign.sum() + 1) * self.train_share / 100)
            train[of_sign] = np.diff(until) > 0
        order = np.concatenate([np.flatnonzero(train), np.flatnonzero(~train)])
        parts = self._parts(int(train.sum()), len(rows))
        return Data(rows[order, :2], rows[order, 2], parts)

    def inputs(self, points: Array) -> Array:
        """Return the features of points (n, 2): array of shape (n, features), float32."""
        x1, x2 = np.asarray(points, np.float32).T
        return np.stack([FEATURES[name].of(x1, x2) for name in self.features], axis=1)

    # -- network

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of units of every layer, inputs and output included."""
        return (len(self.features), *self.hidden, 1)

    @property
    def output(self) -> Any:
        """What the output goes through: tanh for classes told apart by ½(ŷ - y)², else nothing."""
        return tanh if self.problem == "classification" and self.loss == "half_squared" else identity

    def network(
        self, rng: np.random.Generator | None = None, *, device: str = "numpy", dtype: str = "float32"
    ) -> Sequential:
        """Return the network as its seed draws it; Dense layers stand at even places."""
        weight_init, bias_init = (getattr(init, name) for name in INITIALIZATIONS[self.initialization])
        rng = generator(self.seed, WEIGHTS) if rng is None else rng
        layers: list[Any] = []
        for n_in, n_out in itertools.pairwise(self.sizes):
            dense = Dense(
                n_in, n_out, rng=rng, weight_init=weight_init, bias_init=bias_init, device=device, dtype=dtype
            )
            layers += [dense, ACTIVATIONS[self.activation]]
        return Sequential(*layers[:-1], self.output)

    # -- loss and update

    @property
    def cost(self) -> Callable[..., Tensor]:
        """The loss, without any penalty: a function (predictions, targets) → Tensor."""
        return LOSSES[self.loss]

    def updater(self, parameters: Iterable[Tensor], *, members: int | None = None) -> optim.Optimizer:
        """Return the optimizer, with an empty memory."""
        kind, options = OPTIMIZERS[self.optimizer]
        made: optim.Optimizer = kind(parameters, self.learning_rate, members=members, **options)
        return made

    @property
    def penalty(self) -> str:
        """Which penalty acts: "L1", "L2", or "none" also where its rate is 0."""
        return self.regularization if self.regularization_rate else "none"
