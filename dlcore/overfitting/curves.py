"""Curves: the error on the training rows and on others, over the number of examples or over the capacity."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, device_of, namespace, random, to_numpy
from dlcore.data import one_hot
from dlcore.data.checks import count_rows
from dlcore.training import accuracy, noisy_labels
from dlcore.training.host import progress_bar
from dlcore.training.state import DATA, LABEL_NOISE, generator

from .learners import Learner

Values = np.ndarray[Any, Any]
Error = Callable[[Array, Array], float]
Progress = bool | Callable[[int, int], Any]


def error_rate(predictions: Any, targets: Any) -> float:
    """Return the share of rows whose class is predicted wrongly (see `training.accuracy`).

    >>> error_rate([[2.0, 1.0], [0.0, 1.0]], [0, 0])
    0.5
    """
    return 1 - accuracy(predictions, targets)


def squared_error(predictions: Any, targets: Any) -> float:
    """Return the mean squared error; labels (m,) stand for one-hot rows where there is more than one output.

    Raises:
        ValueError: a label out of range.

    >>> squared_error([[1.0, 0.0], [1.0, 0.0]], [0, 1])
    0.5
    """
    p, t = (to_numpy(asarray(x)) for x in (predictions, targets))
    if t.ndim == p.ndim - 1 and t.dtype.kind in "iu" and p.shape[-1] > 1:
        t = one_hot(t, p.shape[-1]).astype(np.float64)
    return float(np.mean((p - t.reshape(p.shape)) ** 2))


@dataclass(frozen=True)
class Curve:
    """An error at several places x, for several seeds, on training rows and on others.

    Attributes:
        x: the places: numbers of examples, or capacities; array of shape (places,).
        train: error on the rows trained on, with their noisy labels; array of shape (places, seeds).
        validation: error on the others, whose labels have no noise added; likewise.
        seconds: wall time.
        what: what x is, in a word.

    >>> curve = Curve(np.array([10]), np.array([[0.1, 0.3]]), np.array([[0.2, 0.4]]), 0.0, "examples")
    >>> curve
     examples  train (median)  validation (lowest, median, highest)
           10          0.2000  0.2000  0.3000  0.4000
    """

    x: Values
    train: Values
    validation: Values
    seconds: float
    what: str

    def spread(self, name: str = "validation") -> tuple[Values, Values, Values]:
        """Return the lowest, the median and the highest over the seeds at each place."""
        values = getattr(self, name)
        return values.min(axis=1), np.median(values, axis=1), values.max(axis=1)

    def __repr__(self) -> str:
        lines = [f"{self.what:>9}  train (median)  validation (lowest, median, highest)"]
        rows = zip(self.x, np.median(self.train, axis=1), *self.spread(), strict=True)
        lines += [f"{x:>9}  {train:14.4f}  {a:.4f}  {b:.4f}  {c:.4f}" for x, train, a, b, c in rows]
        return "\n".join(lines)


def learning_curve(
    learner: Learner,
    data: tuple[Any, Any],
    *,
    sizes: Iterable[int],
    validation: tuple[Any, Any],
    seeds: Iterable[int] = range(5),
    label_noise: float = 0.0,
    error: Error = error_rate,
    progress: Progress = False,
) -> Curve:
    """Train on more and more examples, and measure the error on them and on others.

    Each seed has an order of the rows of its own, and of it the first 10, 20, …: a larger set holds the smaller one.

    Args:
        learner: what learns (see `learners`).
        data: inputs and targets to choose from, rows first.
        sizes: numbers of examples.
        validation: inputs and targets to measure on.
        seeds: each draws its rows, its noisy labels and its initial weights.
        label_noise: share of wrong labels among those trained on (see `training.noisy_labels`).
        error: function (predictions, targets) → number, on plain arrays.
        progress: True shows a bar; a function is called with the numbers of finished and of all places.

    Raises:
        ValueError: no sizes or seeds, a size that is more than there are rows, or other rows of targets than of inputs.

    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> from dlcore.overfitting import RandomFeatures
    >>> curve = learning_curve(RandomFeatures(20, penalty=1e-6), (x, x**2), sizes=[5, 100], validation=(x, x**2),
    ...                        error=squared_error)
    >>> low, middle, high = curve.spread()
    >>> bool(middle[1] < 0.001 < middle[0])
    True
    """
    sizes, seeds = _listed("learning_curve", "sizes", sizes), _listed("learning_curve", "seeds", seeds)
    data, count = _paired("learning_curve", data)
    if max(sizes) > count or min(sizes) < 1:
        raise ValueError(
            f"learning_curve: expected sizes from 1 to {count}, the rows there are; received {sizes}"
        )

    def at(size: int) -> tuple[Learner, Array, Array]:
        return learner, *_chosen(data, size, seeds, label_noise)

    return _measured("examples", sizes, at, validation, seeds, error, progress)


def capacity_curve(
    learner: Callable[[int], Learner],
    data: tuple[Any, Any],
    *,
    capacities: Iterable[int],
    validation: tuple[Any, Any],
    size: int | None = None,
    seeds: Iterable[int] = range(5),
    label_noise: float = 0.0,
    error: Error = error_rate,
    progress: Progress = False,
) -> Curve:
    """Train learners of more and more capacity on the same rows, and measure the error on them and on others.

    Args:
        learner: function from a capacity (a width, say) to a learner.
        data: inputs and targets to choose from, rows first.
        capacities: the numbers to give it.
        validation: inputs and targets to measure on.
        size: how many rows each seed draws; None takes all.
        seeds: each draws its rows, its noisy labels and its initial weights.
        label_noise: share of wrong labels among those trained on.
        error: function (predictions, targets) → number, on plain arrays.
        progress: True shows a bar; a function is called with the numbers of finished and of all places.

    Raises:
        ValueError: no capacities or seeds, a size that is more than there are rows, or other rows of targets than of
            inputs.

    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> from dlcore.overfitting import RandomFeatures
    >>> curve = capacity_curve(RandomFeatures, (x, x**2), capacities=[1, 50], validation=(x, x**2), seeds=range(2),
    ...                        error=squared_error)
    >>> curve.train.shape, bool(curve.train[1].max() < curve.train[0].min())
    ((2, 2), True)
    """
    capacities = _listed("capacity_curve", "capacities", capacities)
    seeds = _listed("capacity_curve", "seeds", seeds)
    data, count = _paired("capacity_curve", data)
    size = count if size is None else size
    if not 1 <= size <= count:
        raise ValueError(
            f"capacity_curve: expected a size from 1 to {count}, the rows there are; received {size}"
        )
    rows = _chosen(data, size, seeds, label_noise)
    return _measured(
        "capacity", capacities, lambda c: (learner(c), *rows), validation, seeds, error, progress
    )


def _listed(name: str, argument: str, values: Iterable[int]) -> list[int]:
    listed = list(values)
    if not listed:
        raise ValueError(f"{name}: expected at least one of {argument}; received none")
    return listed


def _paired(name: str, data: tuple[Any, Any]) -> tuple[tuple[Array, Array], int]:
    """Return inputs and targets as arrays, and the number of rows that they share."""
    inputs, targets = (asarray(part) for part in data)
    return (inputs, targets), count_rows(name, inputs, targets)


def _chosen(data: tuple[Array, Array], size: int, seeds: Sequence[int], noise: float) -> tuple[Array, Array]:
    """Return each seed's rows, (seeds, size, …), their labels made noisy."""
    inputs, targets = data
    xp, place = namespace(inputs), device_of(inputs)
    x, t = [], []
    for seed in seeds:
        rows = random.permutation(generator(seed, DATA), int(inputs.shape[0]), device=place)[:size]
        labels = xp.take(targets, rows, axis=0)
        x.append(xp.take(inputs, rows, axis=0))
        t.append(noisy_labels(labels, noise, rng=generator(seed, LABEL_NOISE)) if noise else labels)
    return xp.stack(x), xp.stack(t)


def _measured(
    what: str,
    places: Sequence[int],
    at: Callable[[int], tuple[Learner, Array, Array]],
    validation: tuple[Any, Any],
    seeds: Sequence[int],
    error: Error,
    progress: Progress,
) -> Curve:
    started = time.perf_counter()
    held = [asarray(part) for part in validation]
    train, other = [], []
    with progress_bar(progress is True) as bar:
        bar.reset(total=len(places))
        for done, place in enumerate(places, start=1):
            learner, x, t = at(place)
            predict = learner(x, t, seeds)
            known, new = predict(x), predict(held[0])
            members = range(len(seeds))
            train.append([error(known[k, ...], t[k, ...]) for k in members])
            other.append([error(new[k, ...], held[1]) for k in members])
            bar.update(1)
            if callable(progress):
                progress(done, len(places))
    seconds = time.perf_counter() - started
    return Curve(np.array(places), np.array(train), np.array(other), seconds, what)
