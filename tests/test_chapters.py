"""What every chapter has: the form in which a learner meets each subject, and a teacher finds what the lesson needs.

Each rule yields what is wrong with a chapter, in a sentence that says what to write. A small chapter without faults
stands at the end, and each rule is shown one with the fault that it is for.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from tools.notebooks import CHAPTERS, ROOT

HEADINGS = ("What this leaves out", "Summary", "Exercises", "Quiz", "References and what to read next")
# Chapters in which nothing is differentiated, and why.
WITHOUT_DERIVATIVE: dict[str, str] = {}
LONGEST = 16  # lines of a code cell
LESSON = 45  # minutes
NO_WIDGETS = {"Predict", "Quiz"}  # questions, which nobody steers
LINK = re.compile(r"\]\(#steer/([\w-]+)\?([^)\s]*)\)")


@dataclass
class Chapter:
    """A chapter's notebook, and the book that it stands in."""

    path: Path
    book: Path

    def __post_init__(self) -> None:
        self.cells: list[Any] = nbformat.read(self.path, as_version=4).cells
        self.name = self.path.stem[3:]
        self.prose = "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")
        self.code = [cell for cell in self.cells if cell.cell_type == "code" and cell.source.strip()]

    def section(self, heading: str) -> str:
        """Return what stands below a heading, up to the next of its kind."""
        found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", self.prose, re.MULTILINE | re.DOTALL)
        return found[1] if found else ""

    def boxes(self, title: str) -> list[str]:
        """Return the admonitions whose title begins like this, whole."""
        return re.findall(rf"^```+\{{admonition\}} {title}.*?^```+$", self.prose, re.MULTILINE | re.DOTALL)

    def calls(self, *names: str) -> Iterator[tuple[Any, ast.Call]]:
        """Yield the calls of functions with these names, by their last part, each with its cell."""
        for cell in self.code:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and called(node) in names:
                    yield cell, node


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


# ---- the rules


def opening(chapter: Chapter) -> Iterator[str]:
    first = chapter.cells[0].source
    if not re.match(rf"\({chapter.name}\)=\n# \S", first):
        yield f"begin with the label ({chapter.name})= and, below it, the title"
    before = chapter.prose.partition("\n## ")[0]
    if not re.search(r"\?(?!\w)", before):
        yield "ask the chapter's question before the first section"


def objectives(chapter: Chapter) -> Iterator[str]:
    boxes = chapter.boxes("What you will be able to do")
    if len(boxes) != 1:
        yield "write one box: {admonition} What you will be able to do"
        return
    goals = re.findall(r"^- .*(?:\n(?!- |\n|```).*)*", boxes[0], re.MULTILINE)
    if not 3 <= len(goals) <= 6:
        yield f"name three to six things a reader will be able to do; there are {len(goals)}"
    for goal in goals:
        if not re.search(r"\*\(\d+[^)\d]*\d+[^)\d]*\)\*$", goal):
            yield f"end each goal with *(minutes to read, minutes to practise)*: {goal[:50]!r}"


def symbols_said(chapter: Chapter) -> Iterator[str]:
    if "What we write" not in chapter.prose:
        yield "say what the new letters mean in a table, What we write"


def predictions(chapter: Chapter) -> Iterator[str]:
    asked = list(chapter.calls("Predict"))
    if len(asked) < 2:
        yield f"ask for at least two predictions (dlcore.widgets.Predict); there are {len(asked)}"
    named = [
        cell
        for cell in chapter.code
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and called(node.value) == "Predict"
    ]
    if len(named) < len(asked):
        yield "give each prediction a name: guess = Predict(…)"
    if any("remove-input" not in tags(cell) for cell in named):
        yield "hide the code of each prediction: tag remove-input"
    revealed = list(chapter.calls("reveal"))
    if len(revealed) < len(asked):
        yield f"reveal each prediction in a cell below it: {len(asked)} are asked for, {len(revealed)} revealed"
    if len(chapter.boxes("Explain")) < len(asked):
        yield "write an Explain below each prediction: {admonition} Explain, :class: dropdown"


def misconception(chapter: Chapter) -> Iterator[str]:
    boxes = chapter.boxes("Misconception: ")
    if not boxes:
        yield 'write a box {admonition} Misconception: "…"'
    for box in boxes:
        if ":class: warning" not in box:
            yield f"give the box :class: warning: {box[:60]!r}"
        if "{cite" not in box:
            yield f"cite where the misconception, or what is true, is shown: {box[:60]!r}"


def three_ways(chapter: Chapter) -> Iterator[str]:
    imports = [
        cell for cell in chapter.code if re.search(r"^(import|from) torch\b", cell.source, re.MULTILINE)
    ]
    if not imports:
        yield "do the chapter's idea in torch as well, about ten lines"
    if not re.search(
        r"^(import|from) dlcore\b", "\n".join(cell.source for cell in chapter.code), re.MULTILINE
    ):
        yield "do the chapter's idea with dlcore"
    if not any("remove-cell" in tags(cell) and ASSERTION.search(cell.source) for cell in chapter.code):
        yield "assert in a cell with the tag remove-cell that the ways agree (np.testing.assert_allclose)"


ASSERTION = re.compile(r"^\s*(assert |np\.testing\.assert_)", re.MULTILINE)


def gradients(chapter: Chapter) -> Iterator[str]:
    if not list(chapter.calls("check_gradients")) and chapter.name not in WITHOUT_DERIVATIVE:
        yield "check the derivative by finite differences, in the end with dl.check_gradients"


def headings(chapter: Chapter) -> Iterator[str]:
    found = re.findall(r"^## (.*)$", chapter.prose, re.MULTILINE)
    for heading in HEADINGS:
        if found.count(heading) != 1:
            yield f"write one section ## {heading}; there are {found.count(heading)}"
    if [each for each in found if each in HEADINGS] != [each for each in HEADINGS if each in found]:
        yield f"put the last sections into this order: {', '.join(HEADINGS)}"


def exercises(chapter: Chapter) -> Iterator[str]:
    labels = re.findall(r"```+\{exercise(?:-start)?\}.*\n:label: ([\w-]+)", chapter.prose)
    solved = re.findall(r"```+\{solution(?:-start)?\} ([\w-]+)\n:class: dropdown", chapter.prose)
    if not 6 <= len(labels) <= 10:
        yield f"set six to ten exercises; there are {len(labels)}"
    for label, count in Counter(labels).items():
        if solved.count(label) != 1 or count != 1:
            yield f"give exercise {label} one solution, folded with :class: dropdown"


def quiz(chapter: Chapter) -> Iterator[str]:
    shown = [(cell, call) for cell, call in chapter.calls("Quiz")]
    file = f"quiz/{chapter.name}.toml"
    if len(shown) != 1 or not shown[0][1].args or ast.literal_eval(shown[0][1].args[0]) != file:
        yield f'show the quiz once: Quiz("{file}")'
    elif "remove-input" not in tags(shown[0][0]):
        yield "hide the code of the quiz: tag remove-input"
    path = chapter.path.parent / file
    if not path.exists():
        yield f"write chapters/{file}"
        return
    questions = tomllib.loads(path.read_text(encoding="utf-8")).get("question", [])
    if len(questions) < 5:
        yield f"ask at least five questions in the quiz; there are {len(questions)}"
    if len({question.get("kind") for question in questions}) < 2:
        yield "ask questions of at least two kinds in the quiz"
    for question in questions:
        answers = [*question.get("option", []), *question.get("wrong", [])]
        yield from (
            f"answer every answer (says) in: {question['ask'][:40]!r}"
            for answer in answers
            if not answer.get("says")
        )


def references(chapter: Chapter) -> Iterator[str]:
    items = re.findall(
        r"^- .*(?:\n(?!- |\n).*)*", chapter.section("References and what to read next"), re.MULTILINE
    )
    if not items:
        yield "list the sources below References and what to read next, each with a line why"
    for item in items:
        if "{cite" not in item:
            yield f"cite each reference with {{cite:t}}: {item[:50]!r}"
        elif len(re.sub(r"\{cite(:\w+)?\}`[^`]*`", "", item).split()) < 4:
            yield f"say in a line why it is worth reading: {item[:50]!r}"


def cells(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        lines = cell.source.strip().splitlines()
        if len(lines) > LONGEST:
            yield f"shorten the cell to {LONGEST} lines ({len(lines)}), or move it into dlcore: {lines[0][:40]!r}"
        if lines[-1].rstrip().endswith(";"):
            yield f"do not end a cell in a semicolon: {lines[-1][-40:]!r}"


def steering(chapter: Chapter) -> Iterator[str]:
    links = LINK.findall(chapter.prose)
    for cls, names in widgets(chapter).items():
        mine = [arguments for target, arguments in links if target in names]
        if len(mine) < 2:
            yield f"steer {cls}(name=…) from the text twice, [words](#steer/name?trait=value); it is {len(mine)} times"
        elif not any(re.search(r"(^|&)goal=", arguments) for arguments in mine):
            yield f"set a task for {cls} from the text, [words](#steer/name?goal=key)"


def widgets(chapter: Chapter) -> dict[str, set[str]]:
    """Return the widgets of the chapter by class, with the names they are given."""
    import dlcore.widgets

    found: dict[str, set[str]] = {}
    for cls in set(dlcore.widgets.__all__) - NO_WIDGETS - {"Widget"}:
        for _, call in chapter.calls(cls):
            given = [each.value for each in call.keywords if each.arg == "name"]
            found.setdefault(cls, set()).update(
                each.value for each in given if isinstance(each, ast.Constant)
            )
    return found


def teaching(chapter: Chapter) -> Iterator[str]:
    page = f"teaching/{chapter.path.stem}"
    if not (chapter.book / f"{page}.md").exists():
        yield f"write the teacher's notes, {page}.md"
    contents = yaml.safe_load((chapter.book / "_toc.yml").read_text(encoding="utf-8"))
    if page not in str(contents):
        yield f"add {page} to _toc.yml, below teaching/index"
    if f"chapters/{chapter.path.stem}" not in str(contents):
        yield f"add chapters/{chapter.path.stem} to _toc.yml"


def lessons(chapter: Chapter) -> Iterator[str]:
    notes = chapter.book / "teaching" / f"{chapter.path.stem}.md"
    text = notes.read_text(encoding="utf-8") if notes.exists() else ""
    plans = re.findall(r"^\| minutes .*\n\|[-| :]+\n((?:\|.*\n?)+)", text, re.MULTILINE)
    for plan in plans:
        total = sum(int(minutes) for minutes in re.findall(r"^\| *(\d+) *\|", plan, re.MULTILINE))
        if total != LESSON:
            yield f"let the minutes of each lesson in {notes.name} add up to {LESSON}; these are {total}"
    if notes.exists() and not plans:
        yield f"plan the lessons in {notes.name}, tables whose first column is headed minutes"


def module(chapter: Chapter) -> Iterator[str]:
    places = [
        chapter.book / "dlcore" / f"{chapter.name}.py",
        chapter.book / "dlcore" / chapter.name / "__init__.py",
    ]
    source = next((path for path in places if path.exists()), None)
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) if source else None
    if chapter.path.stem not in (text or "").partition("\n\n")[0]:
        yield f"name chapters/{chapter.path.stem} in the first paragraph of the docstring of dlcore.{chapter.name}"


RULES: list[Callable[[Chapter], Iterator[str]]] = [
    *(
        opening,
        objectives,
        symbols_said,
        predictions,
        misconception,
        three_ways,
        gradients,
        headings,
        exercises,
        quiz,
    ),
    *(references, cells, steering, teaching, lessons, module),
]


def defined_twice(chapters: list[Chapter]) -> Iterator[str]:
    """Yield the functions and classes that two chapters define: they belong in dlcore."""
    places: dict[str, set[str]] = {}
    for chapter in chapters:
        for cell in chapter.code:
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    places.setdefault(node.name, set()).add(chapter.path.name)
    for name, found in places.items():
        if len(found) > 1:
            yield f"{name} is defined in {' and '.join(sorted(found))}; move it into dlcore"


# ---- the book


def chapters() -> list[Chapter]:
    return [Chapter(path, ROOT) for path in sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))]


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_chapter_keeps_the_form(chapter: Chapter, rule: Callable[[Chapter], Iterator[str]]) -> None:
    assert list(rule(chapter)) == []


def test_no_helper_is_defined_in_two_chapters() -> None:
    assert list(defined_twice(chapters())) == []


# ---- the tester, tested: a chapter without faults, and one for each rule

PROSE = """(loss)=
# Loss

How wrong is wrong?

```{admonition} What you will be able to do
- Say one thing. *(3 minutes to read, 5 to practise)*
- Derive another, over
  two lines. *(4, 10)*
- Check a third. *(1, 2)*
```

**What we write.** A table.

[one](#steer/duel?w1=2) and [two](#steer/duel?goal=hit).

```{admonition} Explain
:class: dropdown
Because.
```

```{admonition} Explain
:class: dropdown
Because of that.
```

```{admonition} Misconception: "It is so"
:class: warning
It is not {cite:p}`somebody2001`.
```

## What this leaves out

## Summary

## Exercises

EXERCISES
## Quiz
QUIZ

## References and what to read next

- {cite:t}`somebody2001`: the first to say it.
"""
EXERCISE = "```{exercise} Title\n:label: loss-%d\nDo.\n```\n\n```{solution} loss-%d\n:class: dropdown\nDone.\n```\n\n"
CODE = [
    (
        'from dlcore.widgets import PerceptronDuel, Predict, Quiz\nfirst = Predict("a?", low=0, high=1)\nfirst',
        "remove-input",
    ),
    ('second = Predict("b?", options=["a", "b"])\nsecond', "remove-input"),
    ("first.reveal(1)\nsecond.reveal('a')", "hide-output"),
    ('PerceptronDuel(name="duel")', ""),
    ("import torch\nour, theirs = 1, 1", ""),
    ("assert our == theirs", "remove-cell"),
    ("dl.check_gradients(f, x)", ""),
    ('Quiz("quiz/loss.toml")', "remove-input"),
]
QUESTION = '[[question]]\nask = "a"\nkind = "{}"\n  [[question.option]]\n  text = "t"\n  says = "s"\n'
NOTES = "# Notes\n\n| minutes | what |\n|---|---|\n| 40 | this |\n| 5 | that |\n\nThe end.\n"
MODULE = '"""Losses (chapter Loss, chapters/04_loss).\n\nMore."""\n'


def a_chapter(folder: Path, old: str = "", new: str = "") -> Chapter:
    """Write a chapter without faults, but for ``old``, which becomes ``new`` wherever it stands."""
    prose = PROSE.replace("EXERCISES", "".join(EXERCISE % (i, i) for i in range(6))).replace("QUIZ\n", "")
    files = {
        "dlcore/loss.py": MODULE,
        "teaching/04_loss.md": NOTES,
        "_toc.yml": "parts: [{chapters: [{file: chapters/04_loss}, {file: teaching/04_loss}]}]",
        "chapters/quiz/loss.toml": QUESTION.format("single") * 4 + QUESTION.format("multiple"),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace(old, new) if old else text, encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell(prose.replace(old, new) if old else prose)]
    for source, tag in CODE:
        written = source.replace(old, new) if old else source
        cells.append(nbformat.v4.new_code_cell(written, metadata={"tags": [tag] if tag else []}))
    path = folder / "chapters" / "04_loss.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return Chapter(path, folder)


def test_a_chapter_without_faults_has_none(tmp_path: Path) -> None:
    chapter = a_chapter(tmp_path)
    assert {rule.__name__: list(rule(chapter)) for rule in RULES} == {rule.__name__: [] for rule in RULES}


@pytest.mark.parametrize(
    ("rule", "old", "new", "fault"),
    [
        (opening, "(loss)=", "(losses)=", "label"),
        (opening, "wrong?", "wrong.", "question"),
        (objectives, "*(4, 10)*", "", "minutes"),
        (objectives, "- Check a third. *(1, 2)*", "", "three to six"),
        (objectives, "What you will be able", "What you may be able", "one box"),
        (symbols_said, "**What we write.**", "", "table"),
        (predictions, "second.reveal('a')", "", "reveal"),
        (predictions, 'second = Predict("b?", options=["a", "b"])\nsecond', "1", "at least two"),
        (predictions, "second = Predict", "Predict", "name"),
        (
            predictions,
            "Explain\n:class: dropdown\nBecause of",
            "Note\n:class: dropdown\nBecause of",
            "Explain",
        ),
        (misconception, "Misconception: ", "Note: ", "Misconception"),
        (misconception, ":class: warning", "", "warning"),
        (misconception, "It is not {cite:p}`somebody2001`", "It is not", "cite"),
        (three_ways, "import torch", "import math", "torch"),
        (three_ways, "assert our == theirs", "our == theirs", "assert"),
        (gradients, "check_gradients", "check", "finite differences"),
        (headings, "## Summary", "## In short", "## Summary"),
        (headings, "## What this leaves out\n\n## Summary", "## Summary\n\n## What this leaves out", "order"),
        (exercises, ":label: loss-5", ":label: loss-4", "one solution"),
        (exercises, "```{solution} loss-3\n:class: dropdown", "```{solution} loss-3", "one solution"),
        (exercises, "```{exercise} Title\n:label: loss-0", "```{note} Title", "six to ten"),
        (quiz, '"quiz/loss.toml"', '"quiz/lost.toml"', "show the quiz once"),
        (quiz, '[[question]]\nask = "a"\nkind = "multiple"', "", "five questions"),
        (quiz, "multiple", "single", "two kinds"),
        (quiz, 'says = "s"', "", "answer every answer"),
        (references, "- {cite:t}`somebody2001`: the", "- Somebody: the", "cite each"),
        (references, ": the first to say it.", "", "why"),
        (cells, "our, theirs = 1, 1", "our, theirs = 1, 1\n" * 16, "shorten"),
        (cells, "our, theirs = 1, 1", "our, theirs = 1, 1;", "semicolon"),
        (steering, "[one](#steer/duel?w1=2)", "one", "from the text twice"),
        (steering, "?goal=hit", "?w2=1", "task"),
        (steering, 'name="duel"', "", "from the text twice"),
        (teaching, "{file: teaching/04_loss}", "", "_toc.yml"),
        (lessons, "| 5 | that |", "| 10 | that |", "these are 50"),
        (lessons, "| minutes |", "| time |", "plan the lessons"),
        (module, "chapters/04_loss).", "chapters/03_loss).", "docstring"),
    ],
)
def test_a_fault_is_seen(
    tmp_path: Path, rule: Callable[[Chapter], Iterator[str]], old: str, new: str, fault: str
) -> None:
    found = list(rule(a_chapter(tmp_path, old, new)))
    assert found
    assert any(fault in each for each in found), found


def test_notes_that_are_not_there_are_missed(tmp_path: Path) -> None:
    chapter = a_chapter(tmp_path)
    (tmp_path / "teaching" / "04_loss.md").unlink()
    assert list(teaching(chapter)) == ["write the teacher's notes, teaching/04_loss.md"]


def test_a_helper_in_two_chapters_is_seen(tmp_path: Path) -> None:
    two = [a_chapter(tmp_path / name, "our, theirs = 1, 1", "def ours():\n    pass") for name in ("a", "b")]
    two[1].path = two[1].path.with_name("05_other.ipynb")
    assert len(list(defined_twice(two))) == 1
    assert list(defined_twice(two[:1])) == []
