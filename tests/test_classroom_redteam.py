"""Holes that an attacker found, each closed: memory that no limit counts, floods, answers that confuse the referee."""

import re
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from nbconvert.filters import markdown2html

from classroom import desk, referee, sandbox, syscalls
from classroom.course import Course
from classroom.grading import graded
from classroom.harmless import CUT, MOST_CODE, MOST_TEXT, harmless, inert
from classroom.kernel import Lost, SandboxedKernel
from classroom.referee import check, checks, judged
from classroom.submitted import students
from tests.handed_in import ASSIGNMENT, by_name, function, handed_in, notebook, solved

needs_sandbox = pytest.mark.skipif(bool(sandbox.missing()), reason=str(sandbox.missing()))
needs_numbers = pytest.mark.skipif(
    syscalls.program() is None, reason="the numbers of this machine's system calls are not known"
)


@pytest.fixture(scope="module")
def student() -> Iterator[SandboxedKernel]:
    with SandboxedKernel(seconds=600) as kernel:
        kernel.run("import ctypes, mmap\nlibc = ctypes.CDLL(None, use_errno=True)")
        yield kernel


def said(student: SandboxedKernel, source: str) -> str:
    """Return what a cell printed, or the error that ended it."""
    ran = student.run(source)
    return ran.error or "".join(str(output["text"]) for output in ran.outputs).strip()


# ------------------------------------------------------------------------------ memory that no limit counts


@needs_sandbox
@needs_numbers
@pytest.mark.parametrize(
    "call", ["semget(0, 32000, 0o600)", "msgget(0, 0o600)", "mq_open(b'/x', 66, 384, None)"]
)
def test_what_the_kernel_would_keep_for_nobody_is_refused(student: SandboxedKernel, call: str) -> None:
    assert said(student, f"print(libc.{call}, ctypes.get_errno())") == "-1 1"


@needs_sandbox
@needs_numbers
def test_memory_is_shared_by_files_alone(student: SandboxedKernel) -> None:
    assert said(student, "mmap.mmap(-1, 10**6)").startswith("PermissionError")
    private = "print(len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)))"
    assert said(student, private) == "4096"
    counted = "f = open('x', 'wb+'); f.truncate(4096); m = mmap.mmap(f.fileno(), 4096); m[0] = 3; print(m[0])"
    assert said(student, counted) == "3"
    endless = "with open('/dev/zero', 'rb+') as f:\n    print(len(mmap.mmap(f.fileno(), 10**6)))"
    assert "Error" in said(student, endless)


@needs_sandbox
@needs_numbers
def test_buffers_of_sockets_stay_small(student: SandboxedKernel) -> None:
    larger = "import socket\na, b = socket.socketpair()\na.setsockopt(socket.SOL_SOCKET, socket.{}, 10**9)"
    for name in ("SO_SNDBUF", "SO_RCVBUF"):
        assert said(student, larger.format(name)).startswith("PermissionError")
    assert said(student, "a.setsockopt(1, socket.SO_KEEPALIVE, 1); a.send(b'x'); print(b.recv(1))") == "b'x'"


@needs_sandbox
def test_nbgraders_exchange_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    share = "/usr/share"  # there on any machine, and in view otherwise
    monkeypatch.setattr(sandbox, "EXCHANGE", Path(share))
    command = sandbox.command(["ls", "-A", share], uid=sandbox.user())
    seen = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (seen.returncode, seen.stdout) == (0, ""), seen.stderr


# ------------------------------------------------------------------------------------- floods


def test_no_text_takes_hours_to_lay_out() -> None:
    one, release = solved(open="\\begin{a}" * 100_000, double="x = 1\n" * 100_000), notebook()
    harmless(one, release)
    cells = by_name(one)
    assert len(cells["open"].source) < MOST_TEXT + 100
    assert cells["open"].source.endswith(CUT)
    assert len(cells["double"].source) < MOST_CODE + 100
    assert cells["double"].source.endswith(f"# {CUT}")
    assert "return x / 2" not in cells["halve"].source  # all together, not each
    assert cells["double-lights"].source == by_name(release)["double-lights"].source


@check("double", "it is looked at")
def endless(double: Any) -> None:
    rows = list(double(3.0))
    for row in rows:
        for other in rows:
            assert row != other + 1


def test_our_own_work_with_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referee, "COMPARING", 0.3)
    with pytest.raises(Lost, match=r"returned more than can be compared in 0\.3 seconds"):
        judged(at_hand(double=lambda _: np.zeros(1_000_000, np.uint8)), endless)
    assert not judged(at_hand(double=lambda _: np.zeros(3, np.uint8)), endless).mistake


@check("double", "it is looked at")
def broad(double: Any) -> None:
    column = double(3.0)
    assert (column - column.T).sum() == 0


def test_memory_that_a_comparison_takes_is_bounded() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    light = judged(at_hand(double=lambda _: np.zeros((12_000, 1))), broad)
    assert re.fullmatch(r"what your code returned cannot be compared \(.*MemoryError\)", light.mistake)
    assert not judged(at_hand(double=lambda _: np.zeros((12, 1))), broad).mistake
    assert resource.getrlimit(resource.RLIMIT_AS) == before


class AtHand:
    """Answers as a student's process does, without a sandbox: for code that we wrote ourselves."""

    def __init__(self, **names: Any) -> None:
        self.names, self.values = names, 0

    def ask(self, request: str) -> str:
        return desk.answer(self.names, request)


def at_hand(**names: Any) -> SandboxedKernel:
    return cast("SandboxedKernel", AtHand(**names))


# ------------------------------------------------------------------------------------- what is shown while judged

SHOWING = """    import sys
    from IPython.display import clear_output
    import matplotlib.pyplot as plt
    display(x); clear_output(); plt.plot([1, 2]); plt.show()
    print("shown"); sys.stdout.flush()
    return 2 * x"""


@needs_sandbox
def test_a_function_that_shows_pictures_is_judged_by_what_it_returns() -> None:
    found = graded(handed_in(solved(double=function("double", SHOWING))), ASSIGNMENT)
    assert [light.mistake for lights in found.lights.values() for light in lights] == ["", "", ""]


# ------------------------------------------------------------------------------------- what lies in submitted/


def test_a_folder_that_cannot_be_opened_stops_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "eve"):
        (tmp_path / "submitted" / student / "small").mkdir(parents=True)
    is_symlink = Path.is_symlink

    def closed(path: Path) -> bool:  # as in a folder of mode 0, which root could open
        if path.parent.name == "eve":
            raise PermissionError(13, "Permission denied")
        return is_symlink(path)

    monkeypatch.setattr(Path, "is_symlink", closed)
    there, strange = students(Course(tmp_path), "small")
    assert (there, strange) == (["ada"], ["submitted/eve was left out: Permission denied"])


# ------------------------------------------------------------------------------------- an answer that says nothing


@pytest.mark.parametrize("nothing", [np.nan, 0.0])
def test_nothing_is_no_new_weights(nothing: float) -> None:
    (one,) = (each for each in checks("neurons") if each.says.startswith("the w that it was given"))
    assert judged(at_hand(perceptron_update=lambda w, b, x, y: (w * nothing, b)), one).mistake


def test_an_address_in_an_answer_is_no_link() -> None:
    page = markdown2html(inert("Look at https://example.org/x, <http://example.org> and www.example.org."))
    assert "<a" not in page
    assert "example.org" in page
