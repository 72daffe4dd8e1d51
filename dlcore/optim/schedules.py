"""Schedules: from the number of finished steps (0, 1, 2, …) to a factor of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from dlcore.arrays.checks import check_whole

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """Return the schedule that leaves the rate as it is."""
    return lambda _: 1.0


def step(every: int, factor: float = 0.1) -> Schedule:
    """Return the schedule that multiplies the rate by `factor` after every `every` steps.

    >>> [step(2, 0.5)(i) for i in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    check_whole("step", every=every)
    return lambda i: factor ** (i // every)


def cosine(total: int, final: float = 0.0) -> Schedule:
    """Return half a cosine wave from 1 down to `final` over `total` steps, `final` ever after.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5 (one period).
    """
    check_whole("cosine", total=total)
    return lambda i: final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(i, total) / total))


def warmup(steps: int, after: Schedule | None = None) -> Schedule:
    """Return a line from 1 / steps up to 1 over `steps` steps, then the schedule `after` (constant if None).

    Source: Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2.
    """
    check_whole("warmup", steps=steps)
    following = after or constant()
    return lambda i: (i + 1) / steps if i < steps else following(i - steps)


def one_cycle(total: int, rise: float = 0.3, start: float = 0.04, final: float = 1e-4) -> Schedule:
    """Return half a cosine up from `start` to 1, then one down to start · final, over `total` steps.

    Source: Smith and Topin, "Super-convergence", 2019; the shape and the defaults are torch's OneCycleLR.

    Args:
        total: number of steps of the whole cycle.
        rise: share of the cycle spent rising.
        start: first factor.
        final: last factor, relative to `start`.
    """
    check_whole("one_cycle", total=total)
    if not 0 <= rise <= 1:
        raise ValueError(f"one_cycle: expected rise from 0 to 1; received {rise}")
    top = rise * total - 1

    def between(a: float, b: float, share: float) -> float:
        return b + (a - b) * 0.5 * (1 + math.cos(math.pi * share))

    def factor(i: int) -> float:
        i = min(i, total - 1)
        if i == top:
            return 1.0
        if i < top:
            return between(start, 1.0, i / top)
        return between(1.0, start * final, (i - top) / (total - 1 - top))

    return factor
