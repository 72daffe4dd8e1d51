"""Our own work with an answer ends, and leaves this process as it was."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from classroom.bounded import TooLong, at_most

ROOT = Path(__file__).resolve().parents[1]
GIGABYTE = 10**9
TRACED = """
import sys
from classroom.bounded import at_most
def trace(*_): return trace
sys.settrace(trace)
for _ in range(20):
    with at_most(5, 10**9):
        sum(range(1000))
"""


def for_ever() -> None:
    while True:
        pass


def test_work_that_never_ends_is_ended_and_the_limits_are_as_before() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(TooLong), at_most(0.1, GIGABYTE):
        for_ever()
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_an_error_within_is_the_one_that_is_seen() -> None:
    with pytest.raises(ZeroDivisionError), at_most(5, GIGABYTE):
        1 / 0  # noqa: B018


def test_it_ends_while_python_is_traced() -> None:
    """As for the coverage of tests: taking a raise back by asking for none made Python 3.11 run on for ever."""
    subprocess.run([sys.executable, "-c", TRACED], cwd=ROOT, check=True, timeout=60)
