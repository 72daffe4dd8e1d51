"""How a hidden check compares and shows what came back from a student's function."""

from __future__ import annotations

from typing import Any

import numpy as np

NUMBER = (bool, int, float, np.generic)
ROWS = (list, tuple)


def close(found: Any, expected: Any, *, rtol: float = 1e-9, atol: float = 1e-12) -> bool:
    """Return whether `found` has the shape of `expected` and its numbers, up to |error| ≤ atol + rtol |expected|.

    Numbers, arrays, and lists of numbers count alike: 2.0 and a 0-d array, [1, 2] and an array of shape (2,). NaN is
    close to nothing but NaN. Anything else than numbers is not close.
    """
    numbers, wanted = _numbers(found), _numbers(expected)
    if numbers is None or wanted is None or numbers.shape != wanted.shape:
        return False
    with np.errstate(all="ignore"):
        return bool(np.isclose(numbers, wanted, rtol=rtol, atol=atol, equal_nan=True).all())


def same(found: Any, expected: Any) -> bool:
    """Return whether two values are equal in every part: text, None, numbers exactly, lists and tuples, dicts."""
    if isinstance(expected, dict):
        keys = isinstance(found, dict) and found.keys() == expected.keys()
        return keys and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, np.ndarray) or isinstance(found, np.ndarray):
        return close(found, expected, rtol=0, atol=0)
    if isinstance(expected, ROWS):
        rows = isinstance(found, ROWS) and len(found) == len(expected)
        return rows and all(same(one, other) for one, other in zip(found, expected, strict=True))
    if isinstance(expected, NUMBER):
        return close(found, expected, rtol=0, atol=0)
    return type(found) is type(expected) and bool(found == expected)


def shown(value: Any) -> str:
    """Return a value in a few words, for a message: numbers with six digits, an array with its shape.

    >>> shown(0.1 + 0.2)
    '0.3'
    >>> shown(np.zeros((2, 3)))
    'an array of shape (2, 3): [[0, 0, 0], [0, 0, 0]]'
    """
    if isinstance(value, np.ndarray):
        if not value.shape:
            return shown(value[()])
        numbers = np.array2string(value, precision=6, threshold=20, separator=", ", formatter=_FORMS)
        return f"an array of shape {value.shape}: {' '.join(numbers.split())[:160]}"
    if isinstance(value, bool | np.bool_ | str) or value is None:
        return repr(value if not isinstance(value, np.bool_) else bool(value))[:160]
    if isinstance(value, NUMBER):
        return _digits(value)
    if isinstance(value, ROWS):
        inner = ", ".join(shown(one) for one in value[:10]) + (", …" if len(value) > 10 else "")
        return (f"[{inner}]" if isinstance(value, list) else f"({inner})")[:300]
    return repr(value)[:160]


def _digits(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)[:40]


_FORMS: Any = {"float_kind": _digits, "bool": lambda value: str(bool(value))}


def _numbers(value: Any) -> Any:
    """Return an array of the numbers in `value`, or None where it holds something else."""
    if isinstance(value, ROWS) and not _all_numbers(value):
        return None
    if not isinstance(value, (*NUMBER, *ROWS, np.ndarray)):
        return None
    try:
        return np.asarray(value, dtype=None if isinstance(value, np.ndarray) else float)
    except (ValueError, TypeError, OverflowError):  # rows of different lengths, an integer beyond every float
        return None


def _all_numbers(value: Any) -> bool:
    return all(
        _all_numbers(one) if isinstance(one, ROWS) else isinstance(one, (*NUMBER, np.ndarray))
        for one in value
    )
