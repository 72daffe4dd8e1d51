"""The figures of the chapters, as they are stored: the colours of the book, readable on white and on near-black.

Their ground is transparent, so whoever draws in black writes on a black page at night.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("matplotlib", reason="the colours of the book are not known: matplotlib is not installed")

from dlcore import plots
from tests.test_plots import DARK, WHITE, contrast
from tools.notebooks import NOTEBOOKS, executed_cells

LEAST = 3.0  # for graphics and large text: WCAG 2.2, 1.4.11 and 1.4.3
HOUSE = {colour.lower() for colour in (*plots.COLOURS, plots.GREY, plots.PAPER)}
EDGE = "#ffffff"  # around a filled marker, so that neighbours can be told apart


def least_contrast(colour: str) -> float:
    return min(contrast(colour, ground) for ground in (WHITE, DARK))


def styles(element: ET.Element) -> dict[str, str]:
    """Return the style of an element: its attribute style, and attributes of the same names."""
    pairs = [part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part]
    given = {name.strip(): value.strip().lower() for name, value in pairs}
    return {name: element.get(name, "").lower() for name in ("fill", "stroke") if element.get(name)} | given


def faults(svg: str) -> Iterator[str]:
    """Yield what is drawn in a colour that is none of the book's, or is not seen on one of the grounds."""
    root = ET.fromstring(svg[svg.index("<svg") :])
    yield from below(root, fill="#000000", stroke="none", text=False)


def below(element: ET.Element, fill: str, stroke: str, text: bool) -> Iterator[str]:
    tag = element.tag.rpartition("}")[2]
    if tag in ("defs", "clipPath", "metadata"):  # drawn where they are used
        return
    style = styles(element)
    fill, stroke = style.get("fill", fill), style.get("stroke", stroke)
    text = text or element.get("id", "").startswith("text_")
    if tag in ("path", "use", "text", "rect", "circle", "line", "polygon"):
        yield from wrong(fill, stroke, text)
    for child in element:
        yield from below(child, fill, stroke, text)


def wrong(fill: str, stroke: str, text: bool) -> Iterator[str]:
    what = "text" if text else "a line or an area"
    for colour in {fill, stroke} - {"none", EDGE}:
        if colour not in HOUSE:
            yield f"{what} in {colour}, which is no colour of dlcore.plots"
    if text and fill != "none" and least_contrast(fill) < LEAST:
        yield f"text in {fill}: contrast {least_contrast(fill):.1f}, {LEAST} is the least"
    if not text and fill == "none" and stroke != "none" and least_contrast(stroke) < LEAST:
        yield f"a line in {stroke}: contrast {least_contrast(stroke):.1f}, {LEAST} is the least"


def figures(notebook: Path) -> list[str]:
    cells = executed_cells(nbformat.read(notebook, as_version=4))
    outputs = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return [data["image/svg+xml"] for data in outputs if "image/svg+xml" in data]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_figures_of_a_chapter_are_readable_by_day_and_by_night(notebook: Path) -> None:
    assert sorted({fault for svg in figures(notebook) for fault in faults(svg)}) == []


def test_the_first_chapter_has_figures() -> None:
    assert figures(NOTEBOOKS[[path.stem for path in NOTEBOOKS].index("01_neurons")])


# ---- the tester, tested

GREY = plots.GREY.lower()


@pytest.mark.parametrize(
    ("drawn", "fault"),
    [
        (f'<path style="fill: none; stroke: {GREY}"/>', ""),
        (f'<g id="text_1"><g style="fill: {GREY}"><use/></g></g>', ""),
        (f'<path style="fill: {plots.BLUE}; stroke: #ffffff"/>', ""),
        ('<defs><path d="M 0 0"/></defs>', ""),
        ('<g id="text_1"><g><use/></g></g>', "text in #000000"),
        ('<path d="M 0 0"/>', "an area in #000000"),
        ('<path style="fill: none; stroke: #000000"/>', "a line or an area in #000000"),
        ('<path style="fill: none; stroke: #ffffff"/>', "a line in #ffffff: contrast 1.0"),
        ('<g id="text_1"><text fill="#ffffff">a</text></g>', "text in #ffffff: contrast 1.0"),
        ('<path style="fill: #ff0000; stroke: none"/>', "#ff0000, which is no colour"),
    ],
)
def test_a_fault_is_seen(drawn: str, fault: str) -> None:
    found = list(faults(f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'))
    assert bool(found) == bool(fault)
    assert not fault or any(fault in each for each in found), found
