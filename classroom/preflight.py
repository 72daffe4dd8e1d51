"""What was handed in, held against the release: whatever was edited, deleted, copied or renamed is put right.

The release is the authority. Of a submission only the sources of cells are taken, never its outputs, and each repair is
a remark for the teacher.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import nbformat
from nbformat import v4

LARGEST = 20_000_000  # bytes of a notebook, or of all other files together
MOST_FILES = 200
MOST_CELLS = 2000
KINDS = ("code", "markdown", "raw")


class Unreadable(ValueError):
    """The file is no notebook; the message says what it is instead."""


@dataclass(frozen=True)
class Repaired:
    """The notebook to run, without outputs; the other files handed in; what was put right."""

    notebook: Any
    files: dict[str, bytes]
    remarks: list[str]


@dataclass(frozen=True)
class Cell:
    """A cell as it was handed in."""

    kind: str
    source: str
    grade_id: str
    id: str


def repaired(files: dict[str, bytes], chapter: str, release: str) -> Repaired:
    """Return the release with the student's work in it; without a readable notebook, the release as it is."""
    remarks: list[str] = []
    known = {name for cell in nbformat.reads(release, as_version=4).cells if (name := grade_id(cell))}
    name, cells = _notebook(files, chapter, known, remarks)
    kept = _kept({other: content for other, content in files.items() if other != name}, remarks)
    merged = _Merge(nbformat.reads(release, as_version=4), cells)
    return Repaired(merged.notebook(), kept, remarks + merged.remarks if name else remarks)


def grade_id(cell: Any) -> str:
    """Return the name that nbgrader gives a cell, or an empty string."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _notebook(
    files: dict[str, bytes], chapter: str, known: set[str], remarks: list[str]
) -> tuple[str, list[Cell]]:
    """Return the name and the cells of the notebook that counts, or an empty name where there is none."""
    wanted = f"{chapter}.ipynb"
    read: dict[str, list[Cell]] = {}
    for name in sorted(
        (name for name in files if name.lower().endswith(".ipynb")), key=lambda name: name != wanted
    ):
        try:
            read[name] = _cells(files[name])
        except Unreadable as error:
            remarks.append(f"{_shown(name)} could not be read: {error}")
        if name == wanted and name in read:
            return name, read[name]
    if not read:
        what = "could be read" if remarks else "was handed in"
        remarks.append(f"no notebook {what}, so every light is off; expected {wanted}")
        return "", []
    best = max(read, key=lambda name: len({cell.grade_id for cell in read[name]} & known))
    among = f", and of {len(read)} notebooks it has the most of the tasks" if len(read) > 1 else ""
    remarks.append(f"the notebook was called {_shown(best)} rather than {wanted}{among}")
    return best, read[best]


def _shown(name: str) -> str:
    """Return a file's name as a remark may hold it, without characters that would steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in name)[:80]


def _cells(content: bytes) -> list[Cell]:
    """Return the cells of a notebook from the bytes of its file."""
    if len(content) > LARGEST:
        raise Unreadable(
            f"it has {len(content):,} bytes, more than {LARGEST:,}; clear its outputs and hand it in again"
        )
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON, so no notebook; was the file changed by hand or cut off?") from None
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        old = isinstance(found, dict) and "worksheets" in found
        raise Unreadable(
            "it is a notebook of format 3; save it with a newer Jupyter" if old else "it has no cells"
        )
    if found.get("nbformat") != 4:
        raise Unreadable(
            f"expected a notebook of format 4; received format {str(found.get('nbformat'))[:20]}"
        )
    if len(found["cells"]) > MOST_CELLS:
        raise Unreadable(f"it has {len(found['cells']):,} cells, more than {MOST_CELLS:,}")
    return [
        _cell(cell) for cell in found["cells"] if isinstance(cell, dict) and cell.get("cell_type") in KINDS
    ]


def _cell(cell: dict[str, Any]) -> Cell:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(map(str, source))
    source = str(source).encode(errors="replace").decode()  # a lone surrogate can be written nowhere
    metadata = cell.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = ours.get("grade_id") if isinstance(ours, dict) else None
    return Cell(str(cell["cell_type"]), source, str(name or ""), str(cell.get("id", "")))


def _kept(files: dict[str, bytes], remarks: list[str]) -> dict[str, bytes]:
    """Return the files that may lie beside the notebook when it runs."""
    kept: dict[str, bytes] = {}
    room = LARGEST
    for name, content in sorted(files.items()):
        if name.lower().endswith(".ipynb"):
            continue
        if reason := _unfit(name, content, room, len(kept)):
            remarks.append(f"the file {name[:80]!a} was left out: {reason}")
        else:
            kept[name] = content
            room -= len(content)
    return kept


def _unfit(name: str, content: bytes, room: int, so_far: int) -> str:
    path = PurePosixPath(name)
    if (
        not name.isprintable()
        or path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or len(name) > 200
    ):
        return "its name is no plain name of a file"
    if so_far == MOST_FILES:
        return f"at most {MOST_FILES} files are read"
    return f"all files together may have {LARGEST:,} bytes" if len(content) > room else ""


class _Merge:
    """The release and a submission's cells made one notebook, in the submission's order."""

    def __init__(self, release: Any, cells: list[Cell]) -> None:
        self.release, self.cells = release.cells, cells
        self.whole = release
        self.known = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
        self.remarks: list[str] = []
        self.chosen = {name: self._choice(name) for name in self.known}

    def notebook(self) -> Any:
        """Return the merged notebook."""
        merged = [cell for n, handed in enumerate(self.cells) for cell in self._taken(n, handed)]
        self._put_back(merged)
        used: set[str] = set()
        for number, cell in enumerate(merged):
            cell.id = cell.id if cell.id and cell.id not in used else f"added-{number}"
            used.add(cell.id)
        self.whole.cells = merged
        return self.whole

    def _choice(self, name: str) -> int | None:
        """Return which of the cells with this name counts: the last that is not the stub; of ours, the first."""
        ours = self.known[name]
        at = [n for n, cell in enumerate(self.cells) if cell.grade_id == name]
        if not at or ours.metadata.nbgrader.locked:
            return at[0] if at else None
        if len(at) > 1:
            self.remarks.append(
                f"the cell `{name}` was there {len(at)} times; the last one with an answer counts"
            )
        worked = [n for n in at if not _alike(self.cells[n].source, ours.source)]
        return (worked or at)[-1]

    def _taken(self, number: int, handed: Cell) -> Iterator[Any]:
        """Yield what a cell of the submission becomes."""
        ours = self.known.get(handed.grade_id)
        if ours is None:
            yield self._plain(handed)
        elif self.chosen[handed.grade_id] != number:
            if not _alike(
                handed.source, ours.source
            ):  # a copy of ours, or a stub below the answer, would undo it
                yield _new(handed.kind, handed.source)
        elif ours.metadata.nbgrader.locked:
            if not _alike(handed.source, ours.source):
                what = "test cell" if ours.metadata.nbgrader.grade else "cell"
                self.remarks.append(
                    f"the {what} `{handed.grade_id}` was edited; the released one was put back"
                )
            yield ours
        else:
            yield self._answer(ours, handed)

    def _plain(self, handed: Cell) -> Any:
        """Return a cell of the student's own, or one of ours that needs no name."""
        cell = _new(handed.kind, handed.source)
        if handed.id in {ours.id for ours in self._nameless()}:
            cell.id = handed.id
        return cell

    def _answer(self, ours: Any, handed: Cell) -> Any:
        if handed.kind != ours.cell_type:
            self.remarks.append(
                f"the cell `{handed.grade_id}` had become {handed.kind}; it was read as {ours.cell_type}"
            )
        answer = ours.copy()
        answer.source = handed.source
        return answer

    def _nameless(self) -> list[Any]:
        return [cell for cell in self.release if not grade_id(cell)]

    def _put_back(self, merged: list[Any]) -> None:
        """Put in each cell of the release that is missing, behind the one that precedes it there."""
        before = -1
        for ours in self.release:
            at = next((n for n, cell in enumerate(merged) if _stands_for(cell, ours)), None)
            if at is None:
                at = before + 1
                merged.insert(at, ours)
                if ours.cell_type == "code" or (grade_id(ours) and not ours.metadata.nbgrader.locked):
                    self.remarks.append(
                        f"the cell `{grade_id(ours) or ours.id}` was missing; the released one was put in"
                    )
            before = at


def _stands_for(cell: Any, ours: Any) -> bool:
    if grade_id(ours):
        return grade_id(cell) == grade_id(ours)
    return not grade_id(cell) and (cell.id == ours.id or _alike(cell.source, ours.source))


def _alike(source: str, other: str) -> bool:
    """Whether two sources differ in no more than blank lines at the ends and spaces at ends of lines."""
    return [line.rstrip() for line in source.strip().splitlines()] == [
        line.rstrip() for line in other.strip().splitlines()
    ]


def _new(kind: str, source: str) -> Any:
    make: Any = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[kind]
    cell = make(source)
    cell.id = ""  # given once all cells are there; nbformat makes no cell with an empty one
    return cell
