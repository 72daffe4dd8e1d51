"""Prose that steers: links that act on a widget, and the faults that such a link may have.

The link `[three units](#steer/bump?units=3&do=next&goal=bends)` sets a trait of the widget named "bump" on its page,
calls an action, sets a task. The page's side of it is dlcore/widgets/steer.js; here such a link becomes an ordinary
link, which MyST would take for a cross-reference, and a link that cannot work becomes a warning of the build.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from .pages import models_of

if TYPE_CHECKING:
    from .pages import Model

START = "#steer/"
ADDRESS = re.compile(r"#steer/([a-z][a-z0-9-]*)(?:\?(.*))?")

logger = logging.getLogger(__name__)


class Steering(NamedTuple):
    """What a link asks for; None where it does not.

    Attributes:
        name: of which widget.
        values: the traits to be set.
        first: the action to be called before.
        action: the action to be called after.
        goal: the task to be set.
    """

    name: str
    values: dict[str, Any]
    first: str | None = None
    action: str | None = None
    goal: str | None = None


def parse(address: str) -> Steering | None:
    """Return what an address asks for, read as steer.js reads it; None if it is not of the form that steers.

    >>> parse("#steer/bump?units=3&activation=tanh&hidden=[8,8]&do=next").values
    {'units': 3, 'activation': 'tanh', 'hidden': [8, 8]}
    """
    match = ADDRESS.fullmatch(address)
    if not match:
        return None
    pairs = dict(parse_qsl(match[2] or "", keep_blank_values=True))
    asked = [pairs.pop(key, None) for key in ("first", "do", "goal")]
    return Steering(match[1], {trait: _value(text) for trait, text in pairs.items()}, *asked)


def _value(text: str) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"JSON has no {constant}")

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return text


def fault(address: str, models: Iterable[Model]) -> str:
    """Return why a link cannot work on a page with these widgets; an empty text if it can."""
    asked = parse(address)
    if asked is None:
        return f"expected {START}name?first=action&trait=value&do=action&goal=task; received {address!r}"
    named = {model.state["name"]: model for model in models if model.state.get("name")}
    if asked.name not in named:
        known = ", ".join(sorted(named)) or "none"
        return f"no widget of this page is named {asked.name!r}. Those that are: {known}"
    return _fault_of(asked, named[asked.name])


def _fault_of(asked: Steering, model: Model) -> str:
    for trait in asked.values:
        if trait not in model.state:
            return f"the widget {asked.name!r} has no trait {trait!r}"
    module, _, name = model.name.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    for action in (asked.first, asked.action):
        if action is not None and not hasattr(cls, f"do_{action}"):
            return f"the widget {asked.name!r} has no action {action!r}"
    tasks = model.state.get("choices", {}).get("goal", {}).get("tasks", {})
    if asked.goal and asked.goal not in tasks:
        return (
            f"the widget {asked.name!r} has no goal {asked.goal!r}. Its goals: {', '.join(tasks) or 'none'}"
        )
    return ""


class SteeringLinks(SphinxTransform):
    """Make links that steer ordinary links, before MyST looks for headings of that name."""

    default_priority = 870  # MyST's search has 879

    def apply(self, **options: Any) -> None:
        """Rewrite each, and warn of those that cannot work."""
        models = list(models_of(self.env, self.env.docname).values())
        for link in list(self.document.findall(nodes.reference)):
            address = link.get("refuri", "")
            if not (link.get("id_link") and address.startswith(START)):
                continue
            if found := fault(address, models):
                logger.warning("A link that steers: %s", found, location=link, type="live", subtype="steer")
            del link["id_link"]
            link["internal"] = True
            link["classes"].append("steer")
            link.setdefault("reftitle", f"Sets the widget {address.removeprefix(START).partition('?')[0]}")


class SteeringWords(SphinxPostTransform):
    """Where there are no widgets, as in print, a link that steers is words."""

    default_priority = 5

    def run(self, **options: Any) -> None:
        """Replace each by its text."""
        if self.app.builder.format == "html":
            return
        for link in list(self.document.findall(nodes.reference)):
            if "steer" in link["classes"]:
                link.parent.replace(link, link.children)
