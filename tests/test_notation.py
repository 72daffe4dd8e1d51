"""One letter, one meaning: the formulas of every chapter are held against the table on the page Notation.

A symbol is a letter with its decoration: x, \\hat y, \\mathcal L, \\eta. A subscript belongs to it only where the
table has it with one (m_3); else what stands in the subscript is a symbol of its own (the i of x_i).
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from tools.notebooks import CHAPTERS, ROOT

PAGE = ROOT / "notation.md"
CODE_ONLY = "In code only"
GRADIENT = "\\bar v"  # one row for all: a bar is the gradient by whatever letter is under it
GREEK = frozenset(
    re.findall(
        r"\w+",
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
        "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell",
    )
)
DECORATIONS = (
    "hat",
    "widehat",
    "tilde",
    "widetilde",
    "bar",
    "vec",
    "dot",
    "ddot",
    "mathcal",
    "mathbb",
    "mathbf",
    "bm",
)
# What stands between their braces is no formula.
WORDS = (
    "text",
    "textbf",
    "textit",
    "textrm",
    "mathrm",
    "operatorname",
    "label",
    "tag",
    "begin",
    "end",
    "color",
)
FENCE = re.compile(r"^ *(`{3,}|:{3,}) *(\{?[\w-]*\}?)")
CODE = ("{code-block}", "{code-cell}", "{code}", "{literalinclude}", "{image}")
TOKEN = re.compile(r"\\([A-Za-z]+)\*?|([A-Za-z])|([_^{}])|(\\.|\d+|.)", re.DOTALL)


class Row(NamedTuple):
    """A row of the table: its section, its symbols, the names in code, and the chapter that it says comes first."""

    section: str
    symbols: tuple[str, ...]
    code: tuple[str, ...]
    meaning: str
    first: str


# ---- reading formulas


def formulas(text: str) -> Iterator[str]:
    """Yield what stands between dollars, code left out."""
    text = re.sub(r"(?<!`)(`+)(?!`)[^`]*?\1(?!`)", "", "\n".join(prose(text)))
    for match in re.finditer(r"(?<!\\)\$\$(.*?)\$\$|(?<![\\$])\$([^$]+)\$", text, re.DOTALL):
        yield match[1] or match[2]


def prose(text: str) -> Iterator[str]:
    """Yield the lines outside blocks of code; what stands in an admonition is prose."""
    code = ""
    for line in text.split("\n"):
        fence = FENCE.match(line)
        if code:
            code = "" if fence and fence[1] == code else code
        elif fence and fence[2] and (fence[2][0] != "{" or fence[2] in CODE):
            code = fence[1]
        elif not fence:
            yield line


def tokens(formula: str) -> list[str]:
    """Return letters, \\commands, braces, _ and ^; words and what has no meaning of its own are left out."""
    found: list[str] = []
    position = 0
    while match := TOKEN.match(formula, position):
        position = match.end()
        command, letter, mark, other = match.groups()
        if command in WORDS:
            group = re.compile(r"\s*\{[^{}]*\}").match(formula, position)
            position = group.end() if group else position
        elif command:
            found.append("\\" + command)
        elif letter or mark or (other and other.isdigit()):
            found.append(letter or mark or other)
    return found


def group(parts: list[str], start: int) -> tuple[list[str], int]:
    """Return the tokens of the argument at ``start``, and where it ends."""
    if start >= len(parts):
        return [], start
    if parts[start] != "{":
        step = 2 if parts[start].lstrip("\\") in DECORATIONS else 1
        return parts[start : start + step], start + step
    depth, end = 1, start + 1
    while depth and end < len(parts):
        depth += {"{": 1, "}": -1}.get(parts[end], 0)
        end += 1
    return parts[start + 1 : end - 1], end


def symbols(formula: str, named: Iterable[str] = ()) -> list[str]:
    """Return the symbols of a formula. ``named``: those that are written with a subscript in the table."""
    return list(_symbols(tokens(formula), set(named)))


def _symbols(parts: list[str], named: set[str]) -> Iterator[str]:
    position = 0
    while position < len(parts):
        part = parts[position]
        position += 1
        base = ""
        if part.startswith("\\") and part[1:] in DECORATIONS:
            inner, position = group(parts, position)
            letters = [each for each in inner if is_letter(each)]
            if len(letters) == 1:
                base = " ".join([part, *(each for each in inner if each[1:] in DECORATIONS), letters[0]])
            else:
                yield from _symbols(inner, named)
        elif is_letter(part):
            base = part
        if base and position < len(parts) and parts[position] == "_":
            below, end = group(parts, position + 1)
            if (whole := f"{base}_{''.join(below)}") in named:
                base, position = whole, end
        if base:
            yield base


def is_letter(part: str) -> bool:
    return (len(part) == 1 and part.isalpha()) or part[1:] in GREEK


# ---- reading the table and the chapters


def rows(text: str) -> list[Row]:
    """Return all rows of the tables of the page that have a symbol."""
    found, section = [], ""
    for line in text.splitlines():
        section = line[3:].strip() if line.startswith("## ") else section
        masked = re.sub(r"\$[^$]*\$", lambda match: match[0].replace("|", "\0"), line)
        cells = [cell.strip() for cell in masked.strip("|").split("|")] if line.startswith("|") else []
        names = (
            [symbols(each, {re.sub(r"[{}\s]", "", each)})[0] for each in formulas(cells[0])]
            if len(cells) > 3
            else []
        )
        if names:
            first = re.search(r"\{ref\}`(?:[^<`]*<)?(\w+)>?`", cells[4]) if len(cells) > 4 else None
            code = tuple(re.findall(r"`([^`]+)`", cells[1]))
            found.append(Row(section, tuple(names), code, cells[2], first[1] if first else ""))
    return found


def texts(chapter: Path) -> Iterator[str]:
    """Yield all texts with formulas that belong to a chapter: prose, strings in code, the quiz, the teacher's notes."""
    for cell in nbformat.read(chapter, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        elif "$" in cell.source:
            yield from strings(cell.source)
    name = chapter.stem[3:]
    quiz = chapter.parent / "quiz" / f"{name}.toml"
    if quiz.exists():
        yield from words(tomllib.loads(quiz.read_text(encoding="utf-8")))
    notes = chapter.parent.parent / "teaching" / f"{chapter.stem}.md"
    if notes.exists():
        yield notes.read_text(encoding="utf-8")


def strings(source: str) -> Iterator[str]:
    """Yield the strings in a cell of code, labels of axes and questions among them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def words(value: object) -> Iterator[str]:
    """Yield all strings of a TOML file but the code that checks an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (word for key, each in value.items() if key != "check" for word in words(each))
    elif isinstance(value, list):
        yield from (word for each in value for word in words(each))


def used(chapter: Path, table: list[Row]) -> dict[str, str]:
    """Return the symbols of a chapter, each with a formula in which it stands."""
    named = {
        name
        for row in table
        if row.section in ("Everywhere", title(chapter))
        for name in row.symbols
        if "_" in name
    }
    found: dict[str, str] = {}
    for text in texts(chapter):
        for formula in formulas(text):
            for symbol in symbols(formula, named):
                for each in [GRADIENT, symbol[5:]] if symbol.startswith("\\bar ") else [symbol]:
                    found.setdefault(each, " ".join(formula.split()))
    return found


def title(chapter: Path) -> str:
    return chapter.stem[3:].capitalize()


def faults(page: str, chapters: list[Path]) -> Iterator[str]:
    """Yield what is wrong between the page and the chapters, in sentences."""
    table = rows(page)
    uses = {chapter.stem[3:]: used(chapter, table) for chapter in chapters}
    for chapter in chapters:
        section, name = title(chapter), chapter.stem[3:]
        here = [symbol for row in table if row.section in ("Everywhere", section) for symbol in row.symbols]
        for symbol, formula in uses[name].items():
            if symbol not in here:
                yield f"{chapter.name}: ${symbol}$ (in ${formula}$) is not in notation.md; add a row under {section}"
        for symbol, count in Counter(here).items():
            if count > 1:
                yield f"{section}: ${symbol}$ has {count} meanings in notation.md; choose another letter"
    yield from unused(table, uses)


def unused(table: list[Row], uses: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield rows that no chapter uses, and those that name another chapter than the first that does."""
    for row in table:
        for symbol in row.symbols:
            places = [name for name, found in uses.items() if symbol in found]
            mine = (
                places
                if row.section == "Everywhere"
                else [name for name in places if name == row.section.lower()]
            )
            if not mine:
                yield f"{row.section}: no chapter uses ${symbol}$; take its row out"
            elif row.section == "Everywhere" and row.first != mine[0]:
                yield f"Everywhere: ${symbol}$ is first used in {mine[0]}, and the row says {row.first or 'nothing'}"


# ---- the book


def chapters() -> list[Path]:
    return sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))


def test_every_symbol_of_the_book_has_one_meaning_and_every_row_is_used() -> None:
    assert list(faults(PAGE.read_text(encoding="utf-8"), chapters())) == []


def test_the_names_in_code_are_those_of_the_package_or_of_the_chapter() -> None:
    page = PAGE.read_text(encoding="utf-8")
    package = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "dlcore").rglob("*.py"))
    cells = {title(path): code_of(path) for path in chapters()}
    for row in rows(page):
        sources = package + cells.get(row.section, " ".join(cells.values()))
        assert [name for name in row.code if not re.search(rf"\b{re.escape(name)}\b", sources)] == [], row
    alone = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page.split(f"## {CODE_ONLY}")[1], flags=re.MULTILINE)
    assert alone
    for name in re.findall(r"`(\w+)`", " ".join(alone)):
        assert re.search(rf"\b{name}\b", package), name


def code_of(chapter: Path) -> str:
    return "\n".join(
        cell.source for cell in nbformat.read(chapter, as_version=4).cells if cell.cell_type == "code"
    )


# ---- the tester, tested


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"x_1 w_1 + b", "x w b"),
        (r"\hat y = \hat{y}", r"\hat~y \hat~y"),
        (r"\tilde w_{k-1}", r"\tilde~w k"),
        (r"\log \sigma(z)", r"\sigma z"),
        (r"e^{-z} \text{ where it is small}", "e z"),
        (r"\frac{\partial L}{\partial w_i}", "L w i"),
        (r"\mathcal{L}_\text{train}", r"\mathcal~L"),
        (r"\begin{cases} 1 & a \end{cases}", "a"),
        (r"m_3 + m_8 - m_i", "m_3 m_8 m i"),
        (r"W^{(l)} \operatorname{diag}(g)", "W l g"),
        (r"\bar{\hat y}", r"\bar~\hat~y"),
        (r"\widehat{x + y}", "x y"),
    ],
)
def test_the_symbols_of_a_formula(formula: str, expected: str) -> None:
    assert symbols(formula, {"m_3", "m_8"}) == [each.replace("~", " ") for each in expected.split()]


def test_code_is_no_formula() -> None:
    text = (
        "Costs $a$, `$b$`, ``$c$``\n```python\n'$d$'\n```\n```{admonition} A\n$e$\n```\n$$\nf\n$$ and \\$g\\$"
    )
    assert list(map(str.strip, formulas(text))) == ["a", "e", "f"]


TABLE = """
## Everywhere
| symbol | in code | meaning | shape | first in |
|---|---|---|---|---|
| $x$ | `x` | input | `()` | {ref}`neurons` |
## Neurons
| symbol | in code | meaning | shape |
|---|---|---|---|
| $\\hat y$ | | output, $|x|$ | `()` |
"""


@pytest.mark.parametrize(
    ("prose", "page", "fault"),
    [
        ("$x$ and $\\hat{y}$", TABLE, ""),
        ("$x$, $\\hat y$ and $q$", TABLE, "$q$ (in $q$) is not in notation.md"),
        ("$x$, $\\hat y$ and $y$", TABLE, "$y$ (in $y$) is not in notation.md"),
        ("$x$", TABLE, "no chapter uses $\\hat y$"),
        ("$x$, $\\hat y$", TABLE + "| $x$ | | another thing | |\n", "$x$ has 2 meanings"),
        (
            "$x$, $\\hat y$",
            TABLE.replace("{ref}`neurons`", "{ref}`loss`"),
            "first used in neurons, and the row says loss",
        ),
        ("$x$, $\\hat y$, `$q$`", TABLE, ""),
        ("$x$, $\\hat y$, $\\bar x$", TABLE + "| $\\bar v$ | | the gradient | |\n", ""),
        (
            "$x$, $\\hat y$, $\\bar q$",
            TABLE + "| $\\bar v$ | | the gradient | |\n",
            "$q$ (in $\\bar q$) is not in",
        ),
    ],
)
def test_a_fault_is_seen(tmp_path: Path, prose: str, page: str, fault: str) -> None:
    found = list(faults(page, [a_chapter(tmp_path, prose)]))
    assert len(found) == (1 if fault else 0), found
    assert all(fault in each for each in found)


@pytest.mark.parametrize("place", ["quiz/neurons.toml", "../teaching/01_neurons.md"])
def test_quiz_and_notes_are_read_too(tmp_path: Path, place: str) -> None:
    chapter = a_chapter(tmp_path, "$x$, $\\hat y$", code="ax.set(xlabel='$x$')\n'a string with $v$'")
    path = (chapter.parent / place).resolve()
    path.parent.mkdir()
    path.write_text('ask = "what is $q$?"', encoding="utf-8")
    assert {each.split("$")[1] for each in faults(TABLE, [chapter])} == {"q", "v"}


def a_chapter(folder: Path, prose: str, code: str = "1 + 1") -> Path:
    (folder / "chapters").mkdir()
    cells = [nbformat.v4.new_markdown_cell(prose), nbformat.v4.new_code_cell(code)]
    path = folder / "chapters" / "01_neurons.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path
