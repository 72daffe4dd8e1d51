"""Initial values of weights (chapter Activations).

An initializer is a function `(rng, shape, *, fan_in, fan_out) -> float64 array`. `fan_in` counts the inputs of
one unit, `fan_out` the units that one input feeds. Options are set with `functools.partial`:

    >>> from functools import partial
    >>> small = partial(normal, std=0.01)
    >>> bool(abs(small(np.random.default_rng(0), (2, 3), fan_in=2, fan_out=3)).max() < 0.05)
    True
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays.random import check_rng

__all__ = ["Initializer", "constant", "glorot", "he", "lecun", "normal", "uniform", "zeros"]

Values = np.ndarray[Any, Any]
Initializer = Callable[..., Values]


def zeros(rng: np.random.Generator, shape: tuple[int, ...], **fans: int) -> Values:
    """Return zeros: right for biases, wrong for weights, whose units would all stay alike."""
    return np.zeros(shape)


def constant(rng: np.random.Generator, shape: tuple[int, ...], *, value: float = 0.1, **fans: int) -> Values:
    """Return `value` everywhere."""
    return np.full(shape, float(value))


def normal(rng: np.random.Generator, shape: tuple[int, ...], *, std: float = 0.01, **fans: int) -> Values:
    """Return draws from the normal distribution with mean 0 and standard deviation `std`."""
    return check_rng(rng).standard_normal(shape) * std


def uniform(
    rng: np.random.Generator, shape: tuple[int, ...], *, low: float = -0.5, high: float = 0.5, **fans: int
) -> Values:
    """Return draws from the uniform distribution on [low, high)."""
    return low + (high - low) * check_rng(rng).random(shape)


def glorot(rng: np.random.Generator, shape: tuple[int, ...], *, fan_in: int, fan_out: int) -> Values:
    """Return uniform draws of variance 2 / (fan_in + fan_out), for tanh and sigmoid.

    Source: Glorot and Bengio, AISTATS 2010, equation 16.
    """
    limit = math.sqrt(6 / (fan_in + fan_out))
    return uniform(rng, shape, low=-limit, high=limit)


def he(rng: np.random.Generator, shape: tuple[int, ...], *, fan_in: int, fan_out: int) -> Values:
    """Return normal draws of variance 2 / fan_in, for ReLU, which lets half the signal through.

    Source: He, Zhang, Ren and Sun, ICCV 2015, equation 10.
    """
    return normal(rng, shape, std=math.sqrt(2 / fan_in))


def lecun(rng: np.random.Generator, shape: tuple[int, ...], *, fan_in: int, fan_out: int) -> Values:
    """Return normal draws of variance 1 / fan_in, for linear units and SELU.

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, section 4.6.
    """
    return normal(rng, shape, std=math.sqrt(1 / fan_in))
