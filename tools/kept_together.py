"""Sphinx extension: what is read as one stays on one line.

    98 %     a number and its per cent sign, also where the number is inserted from a run
    (x, y),  a short formula and the brackets and points that touch it

MathJax draws a formula as a block, and a browser breaks lines before and after a block, even at a no-break space;
so a formula and what touches it are put into an element of class "stay", which _static/book.css keeps whole. Long
formulas are left alone: on a phone they need the line for themselves.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

STAY = "\N{NO-BREAK SPACE}"
PERCENT = re.compile(r"(?<=\d) (?=%)")
BEFORE = re.compile(r"[(\[“‘]+$")
AFTER = re.compile(r"^(?: %)?[)\].,;:?!”’]*")
SHORT = 40  # letters of TeX
VERBATIM = (nodes.literal, nodes.FixedTextElement, nodes.raw)


class KeptTogether(SphinxPostTransform):
    """Forbid breaks before a per cent sign, and between a short formula and its punctuation."""

    default_priority = 900  # when the results of the run have been inserted

    def run(self, **_: object) -> None:
        """Change the text of the page."""
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, (*VERBATIM, nodes.math)):
                keep_percent(text)
        for formula in list(self.document.findall(nodes.math)):
            if len(formula.astext()) < SHORT:
                keep_formula(formula)


def place_of(node: nodes.Node) -> int:
    """Return where a node stands in its parent: this one, not another of the same words."""
    return next(i for i, child in enumerate(node.parent.children) if child is node)


def neighbour(node: nodes.Node, step: int) -> nodes.Node | None:
    """Return the node beside this one in its parent, or None."""
    place = place_of(node) + step
    return node.parent[place] if 0 <= place < len(node.parent) else None


def put(new: nodes.Node, old: nodes.Node) -> None:
    """Put a node in another's place."""
    old.parent[place_of(old)] = new


def keep_percent(text: nodes.Text) -> None:
    """Put a no-break space before each per cent sign that follows a number."""
    kept = PERCENT.sub(STAY, text)
    before = neighbour(text, -1)
    if kept.startswith(" %") and before is not None and before.astext()[-1:].isdigit():
        kept = STAY + kept[1:]
    if kept != text:
        put(nodes.Text(kept), text)


def keep_formula(formula: nodes.math) -> None:
    """Wrap a formula with the brackets before it and the points after it."""
    before, after = neighbour(formula, -1), neighbour(formula, 1)
    head = BEFORE.search(before) if isinstance(before, nodes.Text) else None
    tail = AFTER.match(after.replace(STAY, " ")) if isinstance(after, nodes.Text) else None
    opening, closing = (found[0] if found else "" for found in (head, tail))
    if not opening and not closing:
        return
    stay = nodes.inline(classes=["stay"])
    put(stay, formula)
    stay += [nodes.Text(opening), formula, nodes.Text(closing.replace(" %", f"{STAY}%"))]
    if isinstance(before, nodes.Text) and opening:
        put(nodes.Text(before[: -len(opening)]), before)
    if isinstance(after, nodes.Text) and closing:
        put(nodes.Text(after[len(closing) :]), after)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(KeptTogether)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
