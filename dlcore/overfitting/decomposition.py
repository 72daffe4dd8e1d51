"""Bias and variance: the error of a learner, taken apart over the training sets that it might have had.

    mean over sets of (f - t)²  =  (mean f - truth)²  +  mean (f - mean f)²  +  noise
           error                        bias²                 variance

Source: Geman, Bienenstock and Doursat, "Neural networks and the bias/variance dilemma", Neural Computation 4, 1992.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.arrays import namespace
from dlcore.training.state import DATA, generator

from .learners import Learner, as_numbers

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Decomposition:
    """The squared error at each place, and its parts; arrays of shape (m, k), noise a number.

    Attributes:
        bias2: the square of how far the mean prediction is from the truth.
        variance: how far predictions are from their mean, squared, on average.
        noise: variance of a new reading about the truth, which nobody can predict.
        mean: the mean prediction.
        predictions: of every member, shape (members, m, k).

    >>> decompose([[1.0], [3.0]], [1.0]).error
    array([2.])
    """

    bias2: Values
    variance: Values
    noise: float
    mean: Values
    predictions: Values

    @property
    def error(self) -> Values:
        """The expected squared error of a new reading at each place, the sum of the three."""
        return self.bias2 + self.variance + self.noise

    def __repr__(self) -> str:
        return (
            f"Decomposition(error {self.error.mean():.4g} = bias² {self.bias2.mean():.4g} + variance "
            f"{self.variance.mean():.4g} + noise {self.noise:.4g})"
        )


def decompose(predictions: Any, truth: Any, *, noise: float = 0.0) -> Decomposition:
    """Take the squared error of an ensemble apart.

    Args:
        predictions: array of shape (members, m, …), one member for each training set.
        truth: the values without noise, array of shape (m, …).
        noise: variance of the noise.

    Raises:
        ValueError: fewer than two members, shapes that do not fit, or a negative noise.

    >>> decompose([[[1.0], [2.0]], [[3.0], [2.0]]], [[1.0], [2.0]])
    Decomposition(error 1 = bias² 0.5 + variance 0.5 + noise 0)
    """
    values, wanted = as_numbers(predictions), as_numbers(truth)
    if values.ndim < 2 or len(values) < 2 or values.shape[1:] != wanted.shape:
        raise ValueError(
            f"decompose: expected predictions of at least 2 members, each of the truth's shape {wanted.shape}; "
            f"received {values.shape}"
        )
    if not noise >= 0:
        raise ValueError(f"decompose: expected a noise (a variance) of at least 0; received {noise!r}")
    mean = values.mean(axis=0)
    return Decomposition((mean - wanted) ** 2, values.var(axis=0), float(noise), mean, values)


def bias_variance(
    learner: Learner,
    draw: Callable[[np.random.Generator], tuple[Any, Any]],
    inputs: Any,
    truth: Any,
    *,
    seeds: Iterable[int] = range(50),
    noise: float = 0.0,
) -> Decomposition:
    """Train a learner on many training sets, and take its squared error apart.

    Each seed draws its own training set and its own initial weights, so that the variance is that of both.

    Args:
        learner: see `learners`.
        draw: function of a generator that draws a training set: inputs (n, …) and targets (n, …), the same n each time.
        inputs: where to predict, array of shape (m, …).
        truth: the values there without noise, array of shape (m, k).
        seeds: one member for each.
        noise: variance of the noise of a reading.

    Raises:
        ValueError: what `decompose` refuses.

    A learner that always answers the mean of its two readings, of variance 1 each, has no bias at 0 and half of the
    variance of a reading:

    >>> def mean(inputs, targets, seeds):
    ...     return lambda rows: targets.mean(axis=1)[:, None]
    >>> found = bias_variance(mean, lambda rng: (np.zeros((2, 1)), rng.normal(size=2)), np.zeros((1, 1)), [0.0],
    ...                       seeds=range(2000), noise=1.0)
    >>> found
    Decomposition(error 1.514 = bias² 1.493e-07 + variance 0.5143 + noise 1)
    """
    seeds = list(seeds)
    drawn = [draw(generator(seed, DATA)) for seed in seeds]
    xp = namespace(drawn[0][0])
    x, t = (xp.stack([pair[i] for pair in drawn]) for i in (0, 1))
    return decompose(learner(x, t, seeds)(inputs), truth, noise=noise)
