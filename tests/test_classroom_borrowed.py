"""A remark on answers that a package gave; none on the assignments' own solutions."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from classroom.borrowed import borrowed, remark

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("relu = dl.activations.relu", {"dlcore.activations.relu"}),
        ("from dlcore.loss import huber as h\nh(1)", {"dlcore.loss.huber"}),
        ("import torch\ndef f(x):\n    return torch.relu(x)", {"torch.relu"}),
        ("%matplotlib inline\nimport scipy.special\nscipy.special.expit(0)", {"scipy.special.expit"}),
        ("rows = dl.data.digits()", set()),
        ("np.dot(dl_.x, w)", set()),
        ("def broken(:", set()),
        ("x" * 60_000, set()),
        ("-" * 40_000 + "1", set()),
        ("(" * 5_000, set()),
    ],
)
def test_what_a_cell_borrows(source: str, names: set[str]) -> None:
    assert borrowed([source]) == names


def test_a_name_imported_in_one_cell_is_known_in_the_next() -> None:
    assert borrowed(["import dlcore.layers as L", "net = L.Dense(2, 3)"]) == {
        "dlcore.layers",
        "dlcore.layers.Dense",
    }


def test_what_the_release_uses_is_not_told_and_many_names_are_counted() -> None:
    release = ["import dlcore as dl", "dl.plots.figure()"]
    assert remark(["dl.plots.figure()"], release) == []
    (line,) = remark([f"dl.layers.a{n}" for n in range(7)], release)
    assert line.endswith("dlcore.layers.a4 and 2 more: does that do what was to be written?")


@pytest.mark.parametrize("path", sorted(ROOT.glob("assignments/*/*.ipynb")), ids=lambda path: path.stem)
def test_no_solution_of_ours_borrows(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    answers = [cell.source for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert answers
    assert borrowed(answers) == set()
