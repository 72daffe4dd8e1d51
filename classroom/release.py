"""From a source notebook to what students get: nbgrader's generate_assignment, with stubs that say what to return.

Before a release stays on disk it is held against the solutions and the hidden checks: no line of theirs may be in it.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.converters import GenerateAssignment, NbGraderException
from nbgrader.preprocessors import ClearSolutions

from classroom.course import Course, errors_of, reason
from classroom.kept import replace
from classroom.misused import Misused

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"  # nbgrader's words
ANSWER = "*Write your answer here.*"
TELLING = 16  # a shorter line, such as `return x`, gives nothing away


class Stubs(ClearSolutions):  # type: ignore[misc]
    """nbgrader's ClearSolutions, but a function's stub names the function and what it returns."""

    text_stub = ANSWER

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Return the cell with the solution taken out; nbgrader's own checks of regions and metadata stay."""
        if cell.cell_type == "code" and BEGIN in cell.source:
            self.code_stub = {"python": stub(cell.source)}
        return super().preprocess_cell(cell, resources, cell_index)  # type: ignore[no-any-return]


def stub(source: str) -> str:
    r"""Return the statement that stands where the solution of a cell was.

    >>> print(stub('def double(x):\n    "Return twice x."\n    ### BEGIN SOLUTION\n    ### END SOLUTION'))
    raise NotImplementedError("double is not written yet: it returns twice x.")
    """
    at = source[: source.index(BEGIN)].count("\n") + 1
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    around = [f for f in functions if f.lineno < at <= _last_line(f, source)]
    if not around:
        raise Misused(f"a solution in code is the body of a function with a docstring; received:\n{source}")
    function = max(around, key=lambda f: f.lineno)
    first = (ast.get_docstring(function) or "").partition("\n")[0]
    if not first:
        raise Misused(f"expected a docstring in {function.name} that says what it returns; there is none")
    says = f"{function.name} is not written yet: {re.sub('^Returns? ', 'it returns ', first)}"
    return f"raise NotImplementedError({json.dumps(says, ensure_ascii=False)})"


def _last_line(function: ast.FunctionDef, source: str) -> int:
    """Comments that end a body are no part of it to `ast`: a body goes on to the next line that is not indented."""
    lines = source.splitlines()
    inside = function.col_offset * " " + " "
    at = function.end_lineno or function.lineno
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(inside)):
        at += 1
    return at


def release(course: Course, chapter: str) -> Path:
    """Write release/<chapter>/<chapter>.ipynb, enter the assignment in the gradebook, and return the notebook's path.

    Misused where nbgrader refuses, or where a solution or a hidden check would go out with it.
    """
    course.known(chapter)
    with course.alone():
        before = course.release(chapter).read_bytes() if course.release(chapter).is_file() else None
        try:
            _generate(course, chapter)
            found = leaks(course, chapter)
            if found:
                raise Misused(
                    f"the release of {chapter} was taken back, since it gave away: {'; '.join(found)}"
                )
        except Misused:
            shutil.rmtree(course.release(chapter).parent, ignore_errors=True)
            if before:  # what students have is what they are graded against
                replace(course.release(chapter), before)
            raise
    return course.release(chapter)


def _generate(course: Course, chapter: str) -> None:
    app = course.app()
    app.coursedir.assignment_id = chapter
    with errors_of(app) as errors:
        try:
            OneNotebook(coursedir=app.coursedir, parent=app, force=True).start()
        except NbGraderException:
            raise Misused(f"nbgrader made no release of {chapter}: {reason(errors)}") from None


class OneNotebook(GenerateAssignment):  # type: ignore[misc]
    """nbgrader's generate_assignment for exactly one notebook, found by its path: a `[` in a folder is no pattern."""

    def init_notebooks(self) -> None:
        """Name what is to be converted."""
        folder = self._format_source(self.coursedir.assignment_id, ".")
        self.assignments = {folder: [f"{folder}/{self.coursedir.assignment_id}.ipynb"]}


def leaks(course: Course, chapter: str) -> list[str]:
    """Return what a release gives away, one sentence each: solutions, hidden checks, further files."""
    released = course.release(chapter)
    text = "\n".join(cell.source for cell in nbformat.read(released, as_version=4).cells)
    solutions, public = _sides(nbformat.read(course.source(chapter), as_version=4))
    found = [f"a line of a solution: {line}" for line in sorted((solutions - public) & _telling(text))]
    checks = course.hidden / f"{chapter}.py"
    secret = _telling(checks.read_text(encoding="utf-8")) if checks.is_file() else set()
    found += [
        f"a line of the hidden checks: {line}" for line in sorted(secret & _telling(text)) if _decides(line)
    ]
    found += [f"the words {mark!r}" for mark in (BEGIN, END, "classroom.hidden") if mark in text]
    others = {path.name for path in released.parent.rglob("*") if path.is_file()} - {released.name}
    return found + [f"the file {name}" for name in sorted(others)]


def _telling(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= TELLING}


def _decides(line: str) -> bool:
    """An import or an input may stand in both; what is asserted, and what a light looks at, may not."""
    return line.startswith(("assert", "@check", "found", "expected"))


def _sides(notebook: Any) -> tuple[set[str], set[str]]:
    """Return the lines within solutions and those outside."""
    within: list[str] = []
    outside: list[str] = []
    for cell in notebook.cells:
        whole = cell.metadata.get("nbgrader", {}).get("solution") and BEGIN not in cell.source
        inside = bool(whole)
        for line in cell.source.splitlines():
            if BEGIN in line or END in line:
                inside = BEGIN in line
            else:
                (within if inside else outside).append(line)
    return _telling("\n".join(within)), _telling("\n".join(outside))
