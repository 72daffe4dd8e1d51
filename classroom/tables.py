"""CSV files of teachers: read leniently, with errors that name the line; written so that a cell is never a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from classroom.misused import Misused

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read(path: Path, needed: Sequence[str], allowed: Sequence[str] = ()) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV file with their line numbers; Misused where columns are missing or unknown.

    Commas or semicolons part the columns, as spreadsheets of different countries write them.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Misused(f"expected {path} in UTF-8; save it as “CSV UTF-8”") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    wrong = [name for name in needed if name not in columns]
    wrong += [name for name in columns if name not in (*needed, *allowed)]
    if wrong:
        expected = ", ".join([*needed, *(f"{name} (may be left out)" for name in allowed)])
        raise Misused(f"{path}: expected the columns {expected}; received {', '.join(columns) or 'none'}")
    rows.fieldnames = columns
    return [(rows.line_num, {key: (row.get(key) or "").strip() for key in columns}) for row in rows]


def write(path: Path, rows: Iterable[Iterable[str | float | None]]) -> None:
    """Write rows as CSV; None is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cell(value) for value in row] for row in rows)


def cell(value: str | float | None) -> str:
    """Return a value as a spreadsheet shows it and never computes it: a text that begins like a formula is quoted.

    >>> cell("=cmd()"), cell(-1.5), cell(2.0), cell(None), cell("Zoë, “Z”")
    ("'=cmd()", '-1.5', '2', '', 'Zoë, “Z”')
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{value:.10g}"
    text = "".join(one if one.isprintable() else " " for one in value)
    return f"'{text}" if value.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text
