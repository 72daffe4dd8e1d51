"""What the widgets of the chapter Neurons share: the chapter's points, who is on the wrong side, numbers in words.

`line.js` is the other half: a border in the plane that can be taken hold of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore.neurons import distance

Floats = NDArray[np.float64]


def cloud(
    weight: Any, bias: float, *, seed: int = 0, gap: float = 0.5, count: int = 300
) -> tuple[Floats, Floats]:
    """Return points of the square [-5, 5]² and the class that the border gives them.

    Those nearer to the border than `gap` are left out. With w = (1, 2), b = -1.5 and seed 0 they are the points of
    the chapter.

    Returns:
        points of shape (n, 2) and labels of -1 and +1, shape (n,), where n <= count.
    """
    points = np.random.default_rng(seed).uniform(-5, 5, size=(count, 2))
    away = np.asarray(distance(points, weight, bias))
    kept = np.abs(away) >= gap
    return points[kept], np.sign(away[kept])


def wrong(points: Floats, labels: Floats, weight: Any, bias: float) -> NDArray[np.bool_]:
    """Return which points are on the wrong side or on the border itself, y (x·w + b) <= 0: shape (n,)."""
    mistaken: NDArray[np.bool_] = labels * (points @ np.asarray(weight, np.float64) + bias) <= 0
    return mistaken


def percent(share: float, digits: int = 0) -> str:
    r"""Return a share as per cent; no line breaks before the sign. What is some is never rounded to none or all.

    >>> percent(0.934, 1), percent(1, 1)
    ('93.4\xa0%', '100.0\xa0%')
    >>> percent(0.0004, 1), percent(0.996)
    ('less than 0.1\xa0%', 'more than 99\xa0%')
    """
    text, least = f"{100 * share:.{digits}f}", 10.0**-digits
    if share > 0 and float(text) == 0:
        text = f"less than {least:.{digits}f}"
    elif share < 1 and float(text) == 100:
        text = f"more than {100 - least:.{digits}f}"
    return f"{text}\N{NO-BREAK SPACE}%"


def chance(probability: float) -> str:
    r"""Return the probability of a class as per cent: above none and below all, though its float may be 0 or 1.

    >>> chance(0.9312), chance(0.0004), chance(1.0)
    ('93.1\xa0%', 'less than 0.1\xa0%', 'more than 99.9\xa0%')
    """
    return percent(min(max(probability, 1e-9), 1 - 1e-9), 1)


def number(value: float, digits: int = 2) -> str:
    """Return a number as it is printed: a true minus sign, and no minus before zero.

    >>> number(-1.204), number(-0.001)
    ('−1.20', '0.00')
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def pair(values: Any, digits: int = 2) -> str:
    """Return a point or a vector in words.

    >>> pair((1, -2.5))
    '(1.00, −2.50)'
    """
    return f"({', '.join(number(float(v), digits) for v in values)})"


def count(number: int, noun: str) -> str:
    """Return a number and its noun.

    >>> count(1, "mistake"), count(0, "mistake"), count(2, "pass")
    ('1 mistake', '0 mistakes', '2 passes')
    """
    plural = "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{'' if number == 1 else plural}"
