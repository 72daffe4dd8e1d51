"""Words for a widget: Markdown with formulas, made into HTML once, in Python.

Formulas become MathML, which browsers draw and screen readers read, without a script and in the colour of the page.

Sources: CommonMark 0.31 (https://spec.commonmark.org/0.31.2/); MathML Core (https://www.w3.org/TR/mathml-core/).
"""

from __future__ import annotations

import re
import textwrap
from functools import cache, partial
from typing import Any

__all__ = ["plain", "rendered", "wrapped"]

# A line may break between a formula and the comma after it, unless one says otherwise.
_FORMULA = re.compile(r"([(\[“‘]*)(<math>.*?</math>)([)\].,;:?!%”’]*)", re.DOTALL)
_STAY = "\N{NO-BREAK SPACE}"
_PERCENT = re.compile(r"(?<=\d) (?=%)")


def rendered(markdown: str, *, inline: bool = False) -> str:
    r"""Return Markdown as HTML.

    Args:
        markdown: text with `code`, *emphasis*, lists and $formulas$. HTML in it is shown as it is written.
        inline: write a single paragraph without the element around it, as a label or a legend needs it.

    Raises:
        ValueError: a formula that cannot be written as MathML, or, with `inline`, more than one paragraph.

    >>> rendered("is $w > 0$ *always*?", inline=True)
    'is <math><mi>w</mi><mo>&gt;</mo><mn>0</mn></math> <em>always</em>?'
    """
    tokens = _parser().parse(_PERCENT.sub(_STAY, markdown.strip()))
    if inline:
        if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
            raise ValueError(
                f"expected a text of one paragraph; received {markdown!r}. Leave out lists, headings and empty lines"
            )
        tokens = tokens[1:2]
    return _FORMULA.sub(_together, _parser().renderer.render(tokens, _parser().options, {}).strip())


def _together(found: re.Match[str]) -> str:
    whole = found[0]
    return whole if whole == found[2] else f'<span style="white-space: nowrap">{whole}</span>'


def plain(markdown: str, *, mark: str = "") -> str:
    r"""Return the words of a Markdown text on one line, formulas as they are typed, each between two `mark`.

    >>> plain("Is `w` *large*, so $w > 0$?")
    'Is w large, so w > 0?'
    """
    said = []
    for token in _parser().parse(markdown.strip()):
        if token.children:
            said.append("".join(_typed(child, mark) for child in token.children))
        elif token.content:
            said.append(token.content)
    return " ".join(" ".join(said).split())


def _typed(token: Any, mark: str) -> str:
    if token.type == "math_inline":
        return f"{mark}{token.content.strip()}{mark}"
    return " " if token.type in ("softbreak", "hardbreak") else str(token.content)


def wrapped(markdown: str, width: int) -> str:
    """Return the words of a Markdown text in lines of about `width` letters, as Matplotlib draws them.

    Formulas stay formulas where Matplotlib's own TeX knows all that is in them, else they are shown as typed.
    """
    from dlcore import plots

    text = plain(markdown, mark="$")
    whole = re.sub(r"\$[^$]*\$", lambda formula: formula[0].replace(" ", _STAY), text)
    lines = [line.replace(_STAY, " ") for line in textwrap.wrap(whole, width)]
    return "\n".join(line if plots.can_write(line) else line.replace("$", "") for line in lines)


@cache
def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ImportError as error:
        raise ImportError(
            f'the words of a widget need {error.name}: pip install "dlcore[widgets]"'
        ) from error
    parser = MarkdownIt("commonmark", {"html": False}).use(dollarmath_plugin, allow_labels=False)
    # The plugin's own rules wrap a formula in class "math", which the book's MathJax takes for its own.
    rules: Any = vars(parser.renderer)["rules"]
    for kind, alone in (("math_inline", False), ("math_inline_double", True), ("math_block", True)):
        rules[kind] = partial(_formula, alone)
    return parser


def _formula(alone: bool, tokens: Any, position: int, *rest: Any) -> str:
    """Return a formula as MathML; `alone` is one on a line of its own."""
    try:
        from math_core import LatexError, LatexToMathML
    except ImportError as error:
        raise ImportError('formulas in a widget need math-core: pip install "dlcore[widgets]"') from error
    typed = tokens[position].content.strip()
    try:
        return LatexToMathML(fancy_error=False).convert_with_local_state(typed, displaystyle=alone)
    except LatexError as error:
        reason = str(error).partition(": ")[2].rstrip(".")
        raise ValueError(
            f"expected a formula that MathML has; received ${typed}$ ({reason}). Write it in simpler TeX"
        ) from None
