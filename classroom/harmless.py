"""What a student wrote must do nothing when a teacher looks at it.

The formgrader and the feedback show notebooks as web pages. A script in an answer, or in a cell's output, would run in
the teacher's browser with the right to change marks. And a page must not take hours to make: nbconvert needs four times
as long for twice the text, where that is a megabyte of opened brackets.
"""

from __future__ import annotations

import re
from typing import Any

SHOWN = ("text/plain", "image/png", "image/jpeg")
NOTHING = "\u200c"  # a character without width: what it parts is read as before, and is no tag and no link
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
MOST_TEXT, MOST_CODE = 20_000, 60_000  # characters of a student's that are shown, of all cells together
CUT = "… (the rest is not shown: see the file that was handed in)"
ACTIVE = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\])(?=[(:])|(?<=\\)(?=href|csname)|(?<=:)(?=//)")


def harmless(notebook: Any, release: Any) -> None:
    """Take out of a notebook all that a browser would act on; cells that say what the release says are ours."""
    ours = {cell.source for cell in release.cells}
    names = {name(cell) for cell in release.cells} - {""}
    empty = type(notebook)
    notebook.metadata = empty(
        kernelspec=release.metadata.get("kernelspec", {}), language_info={"name": "python"}
    )
    room = {"code": MOST_CODE, "text": MOST_TEXT}
    for number, cell in enumerate(notebook.cells):
        known = name(cell) in names
        cell.id = name(cell) if known else f"cell-{number}"
        cell.metadata = empty(nbgrader=cell.metadata.nbgrader) if known else empty()
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_plain, cell.outputs) if output]
        if cell.source not in ours:
            _shorten(cell, room)


def _shorten(cell: Any, room: dict[str, int]) -> None:
    """Cut a student's cell to the room that is left, and make its text inert."""
    code = cell.cell_type == "code"
    kind = "code" if code else "text"
    source, room[kind] = cell.source, room[kind] - len(cell.source)
    if room[kind] < 0:
        source = f"{source[: room[kind]]}\n\n{'# ' if code else ''}{CUT}"
        room[kind] = 0
    cell.source = source if code else inert(source)


def name(cell: Any) -> str:
    """Return the name that nbgrader knows a cell by; empty where it has none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def inert(markdown: str) -> str:
    """Return Markdown that reads the same, without HTML tags and links.

    >>> inert("1 < 2, <b>bold</b>").replace(NOTHING, "|")
    '1 < 2, <|b>bold<|/b>'
    """
    return ACTIVE.sub(NOTHING, markdown)


def _plain(output: Any) -> Any:
    """An output with nothing but text and pictures; None where nothing is left."""
    if output.output_type == "stream":
        output.name = "stderr" if output.name == "stderr" else "stdout"
    if output.output_type not in ("display_data", "execute_result"):
        return output
    output.data = {kind: shown for kind, shown in output.data.items() if _fit(kind, shown)}
    output.metadata = {}
    return output if output.data else None


def _fit(kind: str, shown: Any) -> bool:
    if kind not in SHOWN or not isinstance(shown, str):
        return False
    return kind == "text/plain" or BASE64.fullmatch(shown) is not None
