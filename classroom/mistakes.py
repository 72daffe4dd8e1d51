"""Mistakes are known by the numbers that they give: what a hidden check says when its light stays off."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .referee import close, shown

_NONE: Mapping[str, Any] = MappingProxyType({})


def expect(
    found: Any,
    wanted: Any,
    of: str,
    mistakes: Mapping[str, Any] = _NONE,
    *,
    flat: bool = False,
    within: float | None = None,
) -> None:
    """Hold what a student's function returned against what is wanted; return nothing if they agree.

    Args:
        found: what came back.
        wanted: a number or an array.
        of: what it was asked for, such as "x = [1, 2]".
        mistakes: for each mistake, in words, what it would have given.
        flat: let any shape with the same numbers pass; another light looks at the shape.
        within: the error that is allowed, relative and absolute, where nine digits are too many: a measured slope.

    Raises:
        AssertionError: they differ. The message names the first mistake that gives what was found.
    """
    if found is None:
        raise AssertionError(f"for {of} nothing came back (None): does the function end with `return`?")
    if _agree(found, wanted, flat, within):
        return
    said = f"for {of} expected {shown(wanted)}; received {shown(found)}"
    for mistake, value in mistakes.items():
        if _agree(found, value, flat, within):
            raise AssertionError(f"{mistake}: {said}")
    raise AssertionError(said)


def _agree(found: Any, wanted: Any, flat: bool, within: float | None) -> bool:
    how = {} if within is None else {"rtol": within, "atol": within}
    if flat and isinstance(found, np.ndarray | list | tuple):
        return close(np.ravel(found), np.ravel(wanted), **how)
    return close(found, np.ravel(wanted)[0] if flat and np.size(wanted) == 1 else wanted, **how)


def parts(found: Any, *names: str) -> tuple[Any, ...]:
    """Return the values that a function returned together, such as `w, b`.

    Raises:
        AssertionError: it returned something else, or another number of them.
    """
    wanted = ", ".join(names)
    if found is None:
        raise AssertionError(f"nothing came back (None): does the function end with `return {wanted}`?")
    if not isinstance(found, tuple | list) or len(found) != len(names):
        raise AssertionError(f"expected {len(names)} values, {wanted}; received {shown(found)}")
    return tuple(found)


def in_line(found: Any, *ways: Any) -> None:
    """Hold that `found` is one of `ways` up to a factor other than 0; return nothing if so.

    For a light on something besides the numbers, such as that nothing was changed in place: a factor or a sign that
    is wrong costs its own light and not this one as well, while an answer of zeros gains none.

    Raises:
        AssertionError: it is something else.
    """
    for way in ways if np.shape(found) == np.shape(ways[0]) and close(found, found) else ():
        factor = float(np.vdot(way, found) / np.vdot(way, way))
        if factor and np.isfinite(factor) and close(found, factor * np.asarray(way)):
            return
    said = f"expected {shown(ways[0])}; received {shown(found)}"
    raise AssertionError(f"looked at only once the answer is right, up to a factor: {said}")
