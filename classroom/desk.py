"""What answers for the student's code, in the sandbox: it calls the functions and writes down what they return.

The referee trusts nothing here. A student who rewrites this file can only send other data.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classroom import wire

_kept: list[Any] = []


def answer(names: dict[str, Any], request: str) -> str:
    """Carry out a request of the referee and return the answer, both as text (see wire.py).

    A request is {"do": "get" | "call", "of": a name or the number of a kept object, "path": attributes, "args": …,
    "kwargs": …}. The answer is ("returned", value, the arguments afterwards) or ("raised", type, message).
    """
    try:
        asked = wire.read(request)
        with _silence():
            return _done(names, asked)
    except BaseException as error:
        return _raised(error)


def _done(names: dict[str, Any], asked: dict[str, Any]) -> str:
    target = _found(names, asked["of"])
    for part in asked["path"]:
        target = getattr(target, part)
    if asked["do"] == "get":
        return wire.write(("returned", _sent(target), []))
    args = [_received(names, value) for value in asked["args"]]
    value = target(*args, **{key: _received(names, one) for key, one in asked["kwargs"].items()})
    after = [_sent(arg) for arg in args] if asked["after"] else []
    return wire.write(("returned", _sent(value), after))


def _found(names: dict[str, Any], of: str | int) -> Any:
    if isinstance(of, int):
        return _kept[of]
    if of not in names:
        raise NameError(f"the notebook has no {of}: a cell that defines it is missing, or stopped before it")
    return names[of]


def _received(names: dict[str, Any], value: Any) -> Any:
    if isinstance(value, wire.Kept):
        return _found(names, value.of)
    return _evaluated(value.text) if isinstance(value, wire.Source) else value


def _evaluated(source: str) -> Any:
    """Return what an expression gives, or the last function or class that statements define."""
    import numpy as np

    scope: dict[str, Any] = {"np": np}
    try:
        return eval(source, scope)
    except SyntaxError:
        exec(source, scope)
        return list(scope.values())[-1]


def _sent(value: Any) -> Any:
    """Return plain data as it is, and a stand-in for anything else, which is kept here."""
    try:
        if len(wire.write(value)) <= wire.MOST:
            return value
    except (TypeError, ValueError, RecursionError):
        pass
    _kept.append(value)
    return wire.Kept(len(_kept) - 1, type(value).__name__)


def _raised(error: BaseException) -> str:
    kind = type(error).__name__
    try:
        return wire.write(("raised", kind, str(error)[:500]))
    except BaseException:  # an error whose message raises
        return wire.write(("raised", kind, ""))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What a function prints while it is judged goes nowhere, however much it is."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
