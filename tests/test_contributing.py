"""The ten lines on how to add a chapter, followed: a small one, its quiz, notes and entries, built without a warning.

It is added to a copy of the book that has no other chapter. Its prose is the small chapter of `test_chapters`, its code
runs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests import test_notation
from tests.test_chapters import EXERCISE, NOTES, PROSE, QUESTION, RULES, Chapter
from tools import notebooks
from tools.notebooks import ROOT

NAME, STEM = "convolution", "90_convolution"
STEPS = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## How to add a chapter")[1]
# What the copy takes from the book as it is.
LINKED = ("_config.yml", "_static", "assets", "tools", "references.md", ".pyodide")
START = """import numpy as np

import dlcore as dl
from dlcore.widgets import PerceptronDuel, Predict, Quiz

first = Predict("How many weights has a kernel of $3$ by $3$?", low=0, high=20)
first"""
OURS = """x, w, b = np.arange(16.0).reshape(1, 1, 4, 4), np.ones((1, 1, 3, 3)), np.zeros(1)
ours = dl.convolution.conv2d(x, w, b)
print(ours.shape)"""
THEIRS = """import torch

theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w))
print(tuple(theirs.shape))"""
CODE = [
    (START, "remove-input"),
    ('second = Predict("And a larger picture?", options=["more", "as many"])\nsecond', "remove-input"),
    ("first.reveal(9)\nsecond.reveal('as many')", "hide-output"),
    ('PerceptronDuel(name="duel", data="xor")', ""),
    (OURS, ""),
    (THEIRS, ""),
    ("np.testing.assert_allclose(ours.numpy(), theirs.numpy())", "remove-cell"),
    ("dl.check_gradients(dl.convolution.conv2d, x, w, b)", ""),
]
REPLACED = {
    "(loss)=": f"({NAME})=",
    "loss-": f"{NAME}-",
    "# Loss": "# Convolution",
    "somebody2001": "lecun1989",
    "A table.": "The kernel is $q$.",
    "?w1=2": "?data=chapter",
    "?goal=hit": "?goal=room",
}
QUIZ = "quiz/convolution.toml"


def write_chapter(book: Path) -> Path:
    """Follow lines 1 to 9 in a copy of the book; return the notebook, not yet run."""
    (book / "chapters" / "quiz").mkdir(parents=True)
    (book / "teaching").mkdir()
    for name in LINKED:
        (book / name).symlink_to(ROOT / name)
    prose = PROSE.replace("EXERCISES", "".join(EXERCISE % (i, i) for i in range(6)))
    for old, new in REPLACED.items():
        assert old in prose
        prose = prose.replace(old, new)
    before, after = prose.split("QUIZ\n")
    cells = [nbformat.v4.new_markdown_cell(before)]
    cells += [
        nbformat.v4.new_code_cell(source, metadata={"tags": [tag] if tag else []}) for source, tag in CODE
    ]
    cells.append(nbformat.v4.new_code_cell(f'Quiz("{QUIZ}")', metadata={"tags": ["remove-input"]}))
    cells.append(nbformat.v4.new_markdown_cell(after))
    path = book / "chapters" / f"{STEM}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    quiz = '[[question]]\nask = "How many?"\nkind = "number"\nanswer = 9\ntolerance = 0\nsays = "s"\notherwise = "o"\n'
    option = '  [[question.option]]\n  text = "u"\n  right = true\n  says = "s"\n'
    (book / "chapters" / QUIZ).write_text((QUESTION.format("single") + option) * 5 + quiz, encoding="utf-8")
    (book / "teaching" / f"{STEM}.md").write_text(NOTES, encoding="utf-8")
    (book / "references.bib").write_bytes((ROOT / "references.bib").read_bytes())
    pages = "".join(f"  - file: {page}\n" for page in (f"teaching/{STEM}", "references"))
    (book / "_toc.yml").write_text(
        f"format: jb-book\nroot: chapters/{STEM}\nchapters:\n{pages}", encoding="utf-8"
    )
    (book / "dlcore").mkdir()
    (book / "dlcore" / f"{NAME}.py").write_text(f'"""Convolution (chapters/{STEM})."""\n', encoding="utf-8")
    return path


def test_the_ten_lines_name_what_a_chapter_consists_of() -> None:
    assert len(re.findall(r"^\d+\. ", STEPS, flags=re.MULTILINE)) == 10
    for file in re.findall(
        r"`((?:tests|tools|chapters|teaching|reference)?/?[\w/<>.]+\.(?:py|bib|yml|md))`", STEPS
    ):
        assert "<name>" in file or (ROOT / file).exists(), file


@pytest.mark.slow
def test_a_chapter_added_as_the_ten_lines_say_keeps_every_rule_and_builds_without_a_warning(
    tmp_path: Path,
) -> None:
    pytest.importorskip("jupyter_book", reason="the book is not built: jupyter-book is not installed")
    pytest.importorskip("torch", reason="the chapter compares with torch, which is not installed")
    path = write_chapter(tmp_path)
    text = notebooks.normalize(notebooks.run(path))
    path.write_text(text, encoding="utf-8")
    assert list(notebooks.faults(text)) == []
    chapter = Chapter(path, tmp_path)
    assert [fault for rule in RULES for fault in rule(chapter)] == []
    row = "\n## Convolution\n\n| symbol | in code | meaning | shape |\n|---|---|---|---|\n| $q$ | | a kernel | |\n"
    page = test_notation.PAGE.read_text(encoding="utf-8")
    found = [fault for fault in test_notation.faults(page + row, [path]) if "onvolution" in fault]
    assert found == []
    assert [fault for fault in test_notation.faults(page, [path]) if STEM in fault], (
        "without its row it is missed"
    )
    build(tmp_path)
    built = (tmp_path / "out" / "_build" / "html" / "chapters" / f"{STEM}.html").read_text(encoding="utf-8")
    assert "How many weights" in built


def build(book: Path) -> None:
    """Build the copy, a warning being an error."""
    program = Path(sys.executable).parent / "jupyter-book"
    command = [program, "build", book, "-n", "-W", "--keep-going", "-q", "--path-output", book / "out"]
    built = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
