"""Lights: the small tests that a student sees in an assignment, each on or off.

    @light("with inputs of zero only the bias is left")
    def bias():
        found = weighted_sum(np.zeros(2), np.ones(2), 2.0)
        assert found == 2.0, f"expected the bias, 2.0; received {found}"

    every_light()

A light runs at once and prints one line. `every_light` ends a cell of lights: it says how many are on.
The lights help while working. They are not the marks: those are found elsewhere, with other inputs.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["every_light", "light"]

_on: list[bool] = []


def light(says: str) -> Callable[[Callable[[], object]], None]:
    """Return a decorator that runs a function at once and prints whether its light is on.

    On means that it ended without an error. Otherwise the line ends in the error's message, which says what was
    expected and what came. The decorated name becomes None: a light is used once.

    >>> @light("two and two are four")
    ... def sum_of_two():
    ...     assert 2 + 2 == 4
    ✓ two and two are four
    >>> @light("a list may be empty")
    ... def first_of_none():
    ...     [][0]
    ✗ a list may be empty: IndexError: list index out of range
    >>> every_light()
    Traceback (most recent call last):
        ...
    AssertionError: 1 of 2 lights is on. A line that begins with ✗ says what to look at.
    """

    def run(looks: Callable[[], object]) -> None:
        try:
            looks()
        except Exception as error:  # whatever the student's code may raise
            _on.append(False)
            print(f"✗ {says}: {_mistake(error)}")  # noqa: T201
        except BaseException:  # interrupted: the next run of the cell counts from zero
            _on.clear()
            raise
        else:
            _on.append(True)
            print(f"✓ {says}")  # noqa: T201

    return run


def every_light() -> None:
    """Print that all lights since the last call are on, or raise AssertionError with their number.

    Either way the count starts again at zero.
    """
    on, lights = sum(_on), len(_on)
    _on.clear()
    if not lights:
        raise AssertionError("expected a light above every_light(); received none: run the whole cell")
    said = f"{on} of {lights} lights {'is' if on == 1 else 'are'} on."
    if on < lights:
        raise AssertionError(f"{said} A line that begins with ✗ says what to look at.")
    print(said)  # noqa: T201


def _mistake(error: Exception) -> str:
    message = str(error)
    if message and isinstance(error, AssertionError | NotImplementedError):
        return message
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    none_came = isinstance(error, TypeError | AttributeError) and "NoneType" in message
    return f"{said}. Does the function end with `return`?" if none_came else said
