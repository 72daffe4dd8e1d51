"""The first phase of grading: one submission in, its lights out; plain data both ways, so that it runs anywhere."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from . import borrowed
from .kernel import Ran
from .preflight import grade_id, repaired
from .referee import Check, Light, hidden_checks
from .sandbox import LIMITS, Limits
from .sitting import PATIENCE, Patience, Sitting

CUT = "\n… the rest was cut off: the cell put out more than a notebook can show.\n"


@dataclass(frozen=True)
class Submission:
    """What a student handed in: the names of the files and what they hold."""

    student: str
    chapter: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Assignment:
    """What a submission is held against: the released notebook as JSON, and the source of the hidden checks."""

    chapter: str
    release: str
    hidden: str


@dataclass(frozen=True)
class Graded:
    """What came of a submission.

    `digest` changes when the submission, the release or the hidden checks do; `notebook` is JSON, repaired and with the
    outputs of the run; `lights` are in the order of the checks, for each task; `remarks` are lines for the teacher.
    """

    student: str
    chapter: str
    digest: str
    notebook: str
    lights: dict[str, list[Light]]
    remarks: list[str]


def digest(submission: Submission, assignment: Assignment) -> str:
    """Return what identifies a grading: it changes when the submission, the release or a hidden check does."""
    files = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in submission.files.items())
    parts = [submission.student, submission.chapter, files, assignment.release, assignment.hidden]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def graded(
    submission: Submission, assignment: Assignment, *, patience: Patience = PATIENCE, limits: Limits = LIMITS
) -> Graded:
    """Run a submission in a sandbox and return its lights. Nothing that a student can hand in makes it raise.

    Raises:
        NoSandbox: this machine cannot make one.
        FaultyCheck: a hidden check failed by its own fault. Neither is turned into marks.
    """
    checks = hidden_checks(assignment.hidden)
    handed = repaired(submission.files, assignment.chapter, assignment.release)
    remarks = list(handed.remarks)
    cells = [cell for cell in handed.notebook.cells if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory(prefix="handed-in-") as folder:
        files = _written(Path(folder), handed.files, remarks)
        with Sitting([cell.source for cell in cells], files, patience, limits) as sitting:
            sitting.run()
            lights = _lights(sitting, checks)
    for number, cell in enumerate(cells):
        _fill(cell, sitting.ran[number])
    remarks += _losses(sitting, cells)
    remarks += borrowed.remark(
        _code(handed.notebook), _code(nbformat.reads(assignment.release, as_version=4))
    )
    found = digest(submission, assignment)
    return Graded(
        submission.student, submission.chapter, found, nbformat.writes(handed.notebook), lights, remarks
    )


def _code(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _written(folder: Path, files: dict[str, bytes], remarks: list[str]) -> Path | None:
    """Write the files that lie beside the notebook; None where there are none."""
    for name, content in files.items():
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        except OSError:  # one file named a, another a/b; or a name that this file system does not take
            remarks.append(f"the file {name[:80]!a} was left out: it cannot be written beside the others")
    return folder if files else None


def _lights(sitting: Sitting, checks: Iterable[Check]) -> dict[str, list[Light]]:
    lights: dict[str, list[Light]] = {}
    for check in checks:
        lights.setdefault(check.task, []).append(sitting.light(check))
    return lights


def _losses(sitting: Sitting, cells: list[Any]) -> list[str]:
    """Return a remark for each cell that was left out, and for whatever ended the grading early."""
    remarks = []
    for number, why in sorted(sitting.lost.items()):
        name = grade_id(cells[number])
        which = f"cell `{name}`" if name else f"code cell {number + 1}"
        remarks.append(f"the {which} {why}; it was left out")
    remarks += [
        f"a hidden check of `{task}`: the code {why}" for task, all_ in sitting.tasks.items() for why in all_
    ]
    return [*remarks, *([f"the grading was ended: {sitting.given_up}"] if sitting.given_up else [])]


def _fill(cell: Any, ran: Ran | None) -> None:
    """Put in a cell what it left, as far as a notebook can hold it."""
    if ran is None:
        return
    cell.outputs = [made for output in ran.outputs if (made := _output(output))]
    if ran.cut:
        cell.outputs.append(v4.new_output("stream", name="stderr", text=CUT))
    if ran.lost:
        cell.outputs.append(
            v4.new_output("error", ename="Lost", evalue=f"This cell {ran.lost}.", traceback=[])
        )


def _output(sent: dict[str, Any]) -> Any:
    """Return an output that was sent, made anew from plain text and pictures; None for anything else."""
    kind, data = sent.get("output_type"), sent.get("data")
    if kind == "stream":
        return v4.new_output(
            "stream", name="stderr" if sent.get("name") == "stderr" else "stdout", text=_text(sent, "text")
        )
    if kind == "error":
        lines = sent.get("traceback")
        traceback = [_clean(line) for line in lines] if isinstance(lines, list) else []
        return v4.new_output(
            "error", ename=_text(sent, "ename"), evalue=_text(sent, "evalue"), traceback=traceback
        )
    if kind in ("display_data", "execute_result") and isinstance(data, dict):
        shown = {
            mime: _clean(value) for mime, value in data.items() if isinstance(value, str) and "/" in mime
        }
        return v4.new_output(kind, data=shown) if shown else None
    return None


def _text(sent: dict[str, Any], key: str) -> str:
    return _clean(sent.get(key, ""))


def _clean(value: Any) -> str:
    return str(value).encode(errors="replace").decode()  # a lone surrogate can be written nowhere
