"""Who decides the marks: a process that the student's code has never touched, with a NumPy of its own.

A check is an ordinary function with assertions. What it takes by name is the student's: to the check it looks like a
function or a value; behind it stands the sandbox, which receives plain data and returns plain data (see wire.py).

    @check("weighted_sum", "the bias is added once")
    def bias(weighted_sum):
        found = weighted_sum(np.zeros(2), np.ones(2), 2.0)
        assert close(found, 2.0), f"expected the bias, 2.0, for inputs of zero; received {shown(found)}"
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import wire
from .bounded import TooLong, at_most
from .compare import close, same, shown
from .kernel import Lost, SandboxedKernel

__all__ = [
    "Check",
    "Light",
    "Raised",
    "Theirs",
    "changed",
    "check",
    "checks",
    "close",
    "judged",
    "same",
    "shown",
    "there",
]

HIDDEN = Path(__file__).resolve().parent / "hidden"
COMPARING = 20  # seconds that a check may compute, besides waiting for answers
COMPARED = 1_000_000_000  # bytes that it may need
OURS = (NameError, ImportError, SyntaxError)  # no value of a student's can raise these in a check


class Raised(Exception):
    """The student's function raised an error, or answered what is no data."""


class FaultyCheck(Exception):
    """A hidden check of ours does not work."""


class Theirs:
    """A function or object of the student's: call it, or read its attributes. It equals nothing but itself."""

    def __init__(
        self, kernel: SandboxedKernel, of: str | int, path: tuple[str, ...] = (), kind: str = ""
    ) -> None:
        self.__dict__["_theirs"] = (kernel, of, path, kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what it returns; Raised if it raises."""
        return _called(self, args, kwargs, after=False)[0]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        kernel, of, path, _ = self._theirs
        return _value(kernel, of, (*path, name))

    def __bool__(self) -> bool:
        raise TypeError("expected a value; received an object of the student's")

    def __repr__(self) -> str:
        return f"<{self._theirs[3] or 'object'}>"


def there(source: str) -> wire.Source:
    """Return an argument that the student's process makes for itself: a function, a generator, an object.

    `source` is an expression, or statements whose last definition counts; NumPy is there as `np`:
    `there("np.random.default_rng(0)")`, `there("lambda x: (x**2).sum()")`.
    """
    return wire.Source(source)


def changed(function: Any, *args: Any, **kwargs: Any) -> list[int]:
    """Call the student's function and return which of `args` it changed in place, counted from 0."""
    _, after = _called(function, args, kwargs, after=True)
    if len(after) != len(args):
        raise Raised("what your code returned cannot be read: some arguments did not come back")
    return [n for n, (arg, left) in enumerate(zip(args, after, strict=True)) if not _unchanged(arg, left)]


def _unchanged(arg: Any, left: Any) -> bool:
    return isinstance(arg, Theirs | wire.Source) or same(left, arg)


def _called(
    one: Theirs, args: tuple[Any, ...], kwargs: dict[str, Any], *, after: bool
) -> tuple[Any, list[Any]]:
    kernel, of, path, _ = one._theirs
    sent = [_sent(value) for value in args]
    named = {key: _sent(value) for key, value in kwargs.items()}
    found = _asked(kernel, do="call", of=of, path=list(path), args=sent, kwargs=named, after=after)
    kernel.values += 1
    return found


def _value(kernel: SandboxedKernel, of: str | int, path: tuple[str, ...] = ()) -> Any:
    value, _ = _asked(kernel, do="get", of=of, path=list(path))
    if isinstance(value, Theirs):
        return Theirs(kernel, of, path, value._theirs[3])
    kernel.values += 1
    return value


def _asked(kernel: SandboxedKernel, **request: Any) -> tuple[Any, list[Any]]:
    text = wire.write(request)
    try:
        outcome, *rest = wire.read(kernel.ask(text))
        if outcome == "raised":
            kind, said = (" ".join(_plain_text(str(one)).split()) for one in rest)  # one line, as a light is
        else:
            value, after = rest
            if outcome != "returned" or wire.Source in (type(value), *map(type, after)):
                raise ValueError("expected a value; received none")
            return _theirs(kernel, value), [_theirs(kernel, one) for one in after]
    except (ValueError, TypeError) as error:
        raise Raised(f"what your code returned cannot be read: {error}") from None
    if kind in ("NotImplementedError", "NameError") and said:
        raise Raised(said)
    raise Raised(f"your code raised {kind}: {said}" if said else f"your code raised {kind}")


def _theirs(kernel: SandboxedKernel, value: Any) -> Any:
    return Theirs(kernel, value.of, kind=value.kind) if isinstance(value, wire.Kept) else value


def _sent(value: Any) -> Any:
    return wire.Kept(value._theirs[1]) if isinstance(value, Theirs) else value


def _plain_text(text: str) -> str:
    """Return a text of the student's without characters that would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)[:500]


@dataclass(frozen=True)
class Light:
    """What came of a check; `mistake` is empty when the light is on."""

    says: str
    mistake: str = ""

    def __str__(self) -> str:
        return f"✗ {self.says}: {self.mistake}" if self.mistake else f"✓ {self.says}"


@dataclass(frozen=True)
class Check:
    """One small light: its task, what it looks at, and the function that passes or names the mistake."""

    task: str
    says: str
    passes: Callable[..., None]

    @property
    def takes(self) -> list[str]:
        """The names of the notebook that it looks at."""
        return list(inspect.signature(self.passes).parameters)


def check(task: str, says: str) -> Callable[[Callable[..., None]], Check]:
    """Return a decorator that makes a function with assertions a hidden check of a task."""
    return lambda passes: Check(task, says, passes)


def checks(chapter: str) -> list[Check]:
    """Return the hidden checks of a chapter, in the order of classroom/hidden/<chapter>.py."""
    return hidden_checks((HIDDEN / f"{chapter}.py").read_text(encoding="utf-8"))


@functools.cache
def hidden_checks(source: str) -> list[Check]:
    """Return the hidden checks in a module's source, in its order."""
    name = f"hidden_{hashlib.sha256(source.encode()).hexdigest()[:12]}"
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), vars(module))
    return [one for one in vars(module).values() if isinstance(one, Check)]


def judged(kernel: SandboxedKernel, one: Check) -> Light:
    """Carry out a check and return its light.

    Raises:
        Lost: the student's Python is gone, or what it returns is too much to be looked at.
        FaultyCheck: the check failed by its own fault, before anything of the student's came back or whatever came.
    """
    before = kernel.values
    try:
        with np.errstate(all="ignore"), at_most(COMPARING, COMPARED):
            one.passes(*(_value(kernel, name) for name in one.takes))
    except AssertionError as error:
        return Light(one.says, _plain_text(str(error)) or "it is not so")
    except Raised as error:
        return Light(one.says, str(error))
    except TooLong:  # perhaps amid an answer, so that the next would be misread
        raise Lost(f"returned more than can be compared in {COMPARING:g} seconds") from None
    except Lost:
        raise
    except Exception as error:
        if isinstance(error, OURS) or kernel.values == before:
            raise FaultyCheck(
                f"the hidden check {one.says!r} of {one.task} does not work: {error!r}"
            ) from error
        return Light(one.says, f"what your code returned cannot be compared ({type(error).__name__})")
    return Light(one.says)
