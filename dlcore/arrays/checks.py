"""Checks of numbers that every floor makes of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_whole(name: str, **numbers: Any) -> None:
    """Refuse numbers that are not whole and at least 1.

    Raises:
        ValueError: naming the caller, the argument and what it received.
    """
    for argument, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(
                f"{name}: expected {argument} to be a whole number of at least 1; received {value!r}"
            )
