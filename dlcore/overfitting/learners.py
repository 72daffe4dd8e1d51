"""What the curves train: a learner takes data of many members at once, and returns what predicts.

    learner(inputs, targets, seeds) -> predictor         inputs (members, n, …), one seed for each member
    predictor(inputs) -> predictions                     (m, …) or (members, m, …) -> (members, m, outputs)

`RandomFeatures` is a network of two layers whose first stays as chance made it, so that its second is solved exactly.
It shows in seconds what trained networks show in hours. `Trained` is a network trained by gradient descent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dlcore.arrays import Array, asarray, device_of, dtype_name, is_floating, namespace, random, to_numpy
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor
from dlcore.data import one_hot
from dlcore.layers import Module, ensemble
from dlcore.optim import Optimizer
from dlcore.training import sweep
from dlcore.training.rows import Rows
from dlcore.training.state import WEIGHTS, evaluating, generator

Predictor = Callable[[Array], Array]


class Learner(Protocol):
    """Something that learns from rows, for many members at once.

    >>> def mean(inputs, targets, seeds):  # learns the mean of its targets (members, n)
    ...     return lambda rows: np.broadcast_to(targets.mean(axis=1)[:, None], (len(seeds), rows.shape[-2]))
    >>> mean(np.zeros((1, 2, 1)), np.array([[1.0, 3.0]]), [0])(np.zeros((3, 1)))
    array([[2., 2., 2.]])
    """

    def __call__(self, inputs: Array, targets: Array, seeds: Sequence[int]) -> Predictor:
        """Learn; member k from inputs[k] and targets[k], with the generator of seeds[k]."""
        ...


class RandomFeatures:
    """A layer of random cosine units, normalized, and a linear layer above it that is solved, not trained.

        φ_j(x) = cos(a_j · x + b_j) / (its root mean square over the training rows)
        minimize over w:   1/n Σ (φ(x) · w - t)² + (λ + q / (1 - q)) |w|²

    With no penalty there may be many w that are equally good; the shortest is taken, which is where gradient descent
    from w = 0 ends. With `steps` it is where gradient descent is after so many steps with the rate 1 / (greatest
    curvature), the largest that never overshoots. Dropout of the units with probability q costs, on average over all
    masks, what the term with q says: for units of mean square 1 it is a penalty on |w|² and nothing else.

    Args:
        width: number of units.
        penalty: λ, at least 0.
        dropout: q, from 0 to below 1.
        steps: of gradient descent; None goes to the end.
        scale: of the a, which are normal with variance 2 scale² / columns; b is uniform on a whole turn. A greater one
            gives features, and so predictions, that change faster.
        classes: number of classes, if targets are labels; else targets are numbers, (members, n) or (members, n, k).

    Raises:
        ValueError: a number out of range.

    Sources: Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007; Belkin, Hsu, Ma and
    Mandal, PNAS 116, 2019; for dropout Srivastava et al., JMLR 15, 2014, section 9.1.

    >>> x = np.linspace(-1, 1, 8)[None, :, None]                              # one member, 8 rows, 1 column
    >>> predict = RandomFeatures(100)(x, x**2, seeds=[0])
    >>> bool(np.abs(predict(x[0]) - x**2).max() < 1e-6)                       # wide enough: it goes through all
    True
    """

    def __init__(
        self,
        width: int,
        *,
        penalty: float = 0.0,
        dropout: float = 0.0,
        steps: float | None = None,
        scale: float = 3.0,
        classes: int | None = None,
    ) -> None:
        check_whole("RandomFeatures", width=width)
        if not (math.isfinite(penalty) and penalty >= 0):
            raise ValueError(f"RandomFeatures: expected a penalty of at least 0; received {penalty!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"RandomFeatures: expected dropout from 0 to below 1; received {dropout!r}")
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"RandomFeatures: expected a scale above 0; received {scale!r}")
        if steps is not None and not steps >= 0:
            raise ValueError(f"RandomFeatures: expected steps of at least 0, or None; received {steps!r}")
        self.width, self.steps, self.scale, self.classes = int(width), steps, scale, classes
        self.price = penalty + dropout / (1 - dropout)

    def __call__(self, inputs: Array, targets: Array, seeds: Sequence[int]) -> Predictor:
        """Return what predicts after learning from inputs (members, n, …) and targets (members, n[, k])."""
        x = _flat(inputs)
        t = self._numbers(targets, x)
        layers = [self.drawn(seed, x.shape[-1], like=x) for seed in seeds]
        xp = namespace(x)
        a, b = (xp.stack([layer[i] for layer in layers]) for i in (0, 1))
        raw = xp.cos(x @ a + b)
        size = xp.sqrt(xp.mean(raw * raw, axis=1, keepdims=True))  # (members, 1, width)
        w = solved(raw / size, t, self.price, self.steps)

        def predict(rows: Array) -> Array:
            rows = _flat(rows) if rows.ndim == inputs.ndim else _flat(rows[None, ...])
            return xp.cos(rows @ a + b) / size @ w

        return predict

    def drawn(self, seed: int, columns: int, *, like: Array) -> tuple[Array, Array]:
        """Return the layer of one member: a of shape (columns, width), b of shape (1, width).

        Units are drawn one after the other, so that a wider layer begins with the units of a narrower one.
        """
        rng = generator(seed, WEIGHTS)
        values = to_numpy(random.normal(rng, (self.width, columns + 2), dtype="float64"))
        place: dict[str, Any] = {"device": device_of(like), "dtype": dtype_name(like)}
        a = asarray(values[:, 2:].T * (self.scale * math.sqrt(2 / columns)), **place)
        turn = np.arctan2(values[:, 0], values[:, 1])  # of two normal numbers: uniform on the circle
        return a, asarray(turn[None, :], **place)

    def _numbers(self, targets: Array, x: Array) -> Array:
        if self.classes is None:
            if not is_floating(targets):
                raise TypeError(
                    f"RandomFeatures: expected targets in floats; received {targets.dtype}. For labels say how many "
                    "classes there are: RandomFeatures(…, classes=10)"
                )
            return targets if targets.ndim == 3 else targets[..., None]
        xp = namespace(x)
        flat = one_hot(xp.reshape(targets, (-1,)), self.classes)
        rows = xp.reshape(flat, (*targets.shape, self.classes))
        return asarray(rows, device=device_of(x), dtype=dtype_name(x))

    def __repr__(self) -> str:
        return f"RandomFeatures({self.width})"


@dataclass(frozen=True)
class Modes:
    """The directions in which a squared error over features has its curvatures.

    Attributes:
        curvature: of half the mean squared error, array of shape (members, r), r being the less of n and width; 0
            where there is none but for rounding.
        project: from targets to their part in each direction, (members, r, n).
        lift: from directions to weights, (members, width, r).
    """

    curvature: Array
    project: Array
    lift: Array

    def weights(self, targets: Array, price: float = 0.0, steps: float | None = None) -> Array:
        """Return the weights (members, width, k) for targets (members, n, k)."""
        return self.lift @ (self.factors(price, steps) * (self.project @ targets))

    def factors(self, price: float = 0.0, steps: float | None = None) -> Array:
        """Return what each direction's part is multiplied by, (members, r, 1).

        In a direction with the curvature μ it is (1 - (1 - η (μ + price))^steps) / (μ + price), with
        η = 1 / (greatest μ + price); without an end to the steps it is 1 / (μ + price).
        """
        xp = namespace(self.curvature)
        present = self.curvature > 0
        total = xp.where(present, self.curvature, xp.ones_like(self.curvature)) + price
        factor = 1 / total
        if steps is not None:
            greatest = xp.max(self.curvature, axis=-1, keepdims=True) + price
            factor = factor * (1 - xp.clip(1 - total / greatest, 0, 1) ** steps)
        return xp.where(present, factor, xp.zeros_like(factor))[..., None]


def modes(features: Array) -> Modes:
    """Return the directions of curvature of features Φ of shape (members, n, width)."""
    xp = namespace(features)
    n, width = features.shape[1:]
    turned = xp.matrix_transpose(features)  # Φᵀ
    inner = width <= n
    curvature, directions = xp.linalg.eigh((turned @ features if inner else features @ turned) / n)
    greatest = xp.max(curvature, axis=-1, keepdims=True)
    # Rounding leaves curvatures of about this size where there are none.
    least = float(xp.finfo(features.dtype).eps) * max(n, width) * greatest
    curvature = xp.where(curvature > least, curvature, xp.zeros_like(curvature))
    back = xp.matrix_transpose(directions)
    if inner:
        return Modes(curvature, back @ turned / n, directions)
    return Modes(curvature, back / n, turned @ directions)


def solved(features: Array, targets: Array, price: float = 0.0, steps: float | None = None) -> Array:
    """Return w that minimizes 1/n |Φ w - t|² + price |w|², the shortest; or gradient descent's after `steps`.

    Args:
        features: Φ, shape (members, n, width).
        targets: t, shape (members, n, k).
        price: at least 0.
        steps: number of steps, or None for infinitely many.

    Returns:
        array of shape (members, width, k).
    """
    return modes(features).weights(targets, price, steps)


class Trained:
    """Networks trained by gradient descent, all members as one batched step (see `training.sweep`).

    Args:
        build: function (rng) → Module.
        loss: as for `sweep`.
        optimizer: as for `sweep`.
        steps: updates that each member makes, whatever the number of its rows, made up to whole epochs.
        batch_size: rows in a batch; fewer where there are fewer.
        options: further arguments of `sweep`, such as callbacks or clip.

    Raises:
        ValueError: steps or a batch size that are no whole numbers of at least 1.

    >>> from dlcore import layers, loss, optim
    >>> learner = Trained(lambda rng: layers.Dense(1, 1, rng=rng), loss=loss.mse, steps=80, batch_size=10,
    ...                   optimizer=lambda parameters, **how: optim.SGD(parameters, 0.3, **how))
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> two = np.stack([x, x])
    >>> learner(two, 3 * two, seeds=[0, 1])(x[-1:]).round(2).tolist()
    [[[3.0]], [[3.0]]]
    """

    def __init__(
        self,
        build: Callable[..., Module],
        *,
        loss: Callable[..., Tensor],
        optimizer: Callable[..., Optimizer],
        steps: int,
        batch_size: int,
        **options: Any,
    ) -> None:
        check_whole("Trained", steps=steps, batch_size=batch_size)
        self.build, self.steps, self.batch_size = build, int(steps), int(batch_size)
        self.options = {"loss": loss, "optimizer": optimizer, "progress": False, **options}

    def __call__(self, inputs: Array, targets: Array, seeds: Sequence[int]) -> Predictor:
        """Return what predicts after training on inputs (members, n, …) and targets (members, n, …)."""
        own = iter([(inputs[k, ...], targets[k, ...]) for k in range(len(seeds))])
        n = inputs.shape[1]
        in_an_epoch = math.ceil(n / min(self.batch_size, n))
        result = sweep(
            self.build,
            lambda _: next(own),  # each seed's own rows, in the order of the seeds
            seeds=seeds,
            epochs=math.ceil(self.steps / in_an_epoch),
            batch_size=min(self.batch_size, n),
            **self.options,
        )
        together = ensemble(result.models)

        def predict(rows: Array) -> Array:
            own = rows.ndim == inputs.ndim
            held = Rows(rows, len(seeds), own=own)
            with evaluating(together):
                return together(held.slice(0, held.count)).data

        return predict


def _flat(x: Array) -> Array:
    """Return (members, n, …) as (members, n, columns)."""
    return namespace(x).reshape(x, (*x.shape[:2], math.prod(x.shape[2:])))


def as_numbers(x: Any) -> np.ndarray[Any, Any]:
    """Return an array of any library as NumPy's in float64."""
    return to_numpy(asarray(x)).astype(np.float64)
