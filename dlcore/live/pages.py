"""A page with widgets: each output becomes a place with a picture in it, and the state loses what no view reads.

MyST-NB renders every form of an output (view, picture, text) and keeps the widgets' state of the notebook as a script
for Jupyter's own front end. Here the view and the picture become one place, the state a smaller script for ours.
"""

from __future__ import annotations

import base64
import html
import importlib
import json
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from dlcore.widgets.base import IMPORT

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
WIDGETS = Path(__file__).parent.parent / "widgets"
# Traits of Jupyter's own machinery; names that begin with an underscore are left out, too.
MACHINERY = {"layout", "tabbable", "tooltip"}


class Model(NamedTuple):
    """One widget of a notebook: its class, its JavaScript below dlcore/widgets, and what its view reads."""

    name: str
    source: str
    state: dict[str, Any]
    buffers: dict[str, str]  # as hexadecimal digits

    @property
    def style(self) -> str | None:
        """The widget's own style sheet, if it has one."""
        sheet = Path(self.source).with_suffix(".css")
        return sheet.as_posix() if (WIDGETS / sheet).exists() else None


def find_source(name: str) -> str | None:
    """Return the JavaScript of the widget class with this dotted name; None if the class is not one of ours."""
    module, _, cls = name.rpartition(".")
    if not module.startswith("dlcore.widgets."):
        return None
    return getattr(getattr(importlib.import_module(module), cls), "source", None) or None


def read_models(stored: dict[str, Any]) -> dict[str, Model]:
    """Return our widgets among those in a notebook's widget state, by model id."""
    models = {}
    for key, entry in stored["state"].items():
        name = entry["state"].get("_anywidget_id", "")
        if source := find_source(name):
            state = {
                trait: value
                for trait, value in entry["state"].items()
                if not trait.startswith("_") and trait not in MACHINERY
            }
            if "running" in state:
                state["running"] = False  # a page at rest does not train
            # Base64 tears bytes apart, so that a server's gzip finds nothing alike: pictures were half as large again.
            packed = {buffer["path"][0]: buffer["data"] for buffer in entry.get("buffers", [])}
            buffers = {trait: base64.b64decode(data).hex() for trait, data in packed.items()}
            models[key] = Model(name, source, state, buffers)
    return models


@cache
def parse(script: str) -> dict[str, Model]:
    """Return our widgets in a state script of MyST-NB."""
    return read_models(json.loads(script))


def models_of(env: BuildEnvironment, page: str) -> dict[str, Model]:
    """Return our widgets on a page."""
    scripts = getattr(env, "nb_metadata", {}).get(page, {}).get("js_files", {})
    _, script = scripts.get("ipywidgets_state", (None, None))
    return parse(script["body"]) if script else {}


def models_of_book(env: BuildEnvironment) -> dict[str, Model]:
    """Return our widgets on all pages; builders for print make one document of them."""
    return {key: model for page in sorted(env.found_docs) for key, model in models_of(env, page).items()}


class LiveOutputs(SphinxPostTransform):
    """Replace the outputs that show one of our widgets, before MyST-NB chooses a form for this builder."""

    default_priority = 3  # MyST-NB's choice has 4

    def run(self, **options: Any) -> None:
        """Replace each."""
        # Notebooks number their models alike, so a page's own come first.
        models = models_of_book(self.env) | models_of(self.env, self.env.docname)
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") == "mime_bundle" and (key := view_of(bundle)) in models:
                still = picture_and_words(bundle)
                if self.app.builder.format == "html":
                    still = [
                        *place(key, models[key]),
                        *still,
                        nodes.raw("", "</noscript></div>", format="html"),
                    ]
                bundle.replace_self(still)


def view_of(bundle: nodes.container) -> str:
    """Return the id of the model that an output shows, or nothing."""
    for form in bundle.children:
        if isinstance(form, nodes.Element) and form.get("mime_type") == VIEW:
            script = re.search(r">(.*)</script>", form.astext(), flags=re.DOTALL)
            return str(json.loads(script[1])["model_id"]) if script else ""
    return ""


def place(key: str, model: Model) -> list[nodes.Node]:
    """Return the beginning of a widget's place, which host.js fills."""
    attributes = f'data-model="{html.escape(key)}" data-module="widgets/{html.escape(model.source)}"'
    return [nodes.raw("", f'<div class="dlcore-live" {attributes}><noscript>', format="html")]


def picture_and_words(bundle: nodes.container) -> list[nodes.Node]:
    """Return the picture of an output, described, and its summary."""
    words = " ".join(form.astext() for form in bundle.children if _is(form, "text/plain")).strip()
    images: list[nodes.Node] = []
    for form in bundle.children:
        if isinstance(form, nodes.Element) and _is(form, "image/png"):
            for image in form.findall(nodes.image):
                image["alt"] = words
                images.append(image)
    return [*images, nodes.paragraph("", words)] if words else images


def _is(form: nodes.Node, kind: str) -> bool:
    return isinstance(form, nodes.Element) and form.get("mime_type") == kind


def complete_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page with widgets their state, the host and the style sheets; take out Jupyter's state script."""
    if app.builder.format != "html" or doctree is None:
        return
    models = models_of(app.env, page)
    shown = set(re.findall(r'class="dlcore-live" data-model="([^"]+)"', context.get("body", "")))
    models = {key: model for key, model in models.items() if key in shown}
    if not models:
        return
    scripts = context["script_files"]
    scripts[:] = [script for script in scripts if getattr(script, "attributes", {}).get("type") != STATE]
    root = context["pathto"]("live/", True)
    context["metatags"] = context.get("metatags", "") + head(models, root)
    context["body"] += state_script(models)


def head(models: dict[str, Model], root: str) -> str:
    """Return the links and scripts of a page with these widgets; `root` leads from it to the folder `live`."""
    styles = [
        "live.css",
        "widgets/kit.css",
        *(f"widgets/{model.style}" for model in models.values() if model.style),
    ]
    scripts = [f"widgets/{path}" for model in models.values() for path in imported(model.source)]
    modules = ["keep.js", "model.js", "python.js", *scripts]
    lines = [
        *(f'<link rel="stylesheet" href="{root}{path}">' for path in dict.fromkeys(styles)),
        *(f'<link rel="modulepreload" href="{root}{path}">' for path in dict.fromkeys(modules)),
        f'<script type="module" src="{root}host.js"></script>',
        f'<script defer src="{root}picture.js"></script>',
    ]
    return "\n" + "\n".join(lines) + "\n"


def imported(source: str) -> list[str]:
    """Return a widget's module and all that it imports, which the browser would else find one after the other."""
    found = [source]
    for path in found:
        for match in IMPORT.finditer((WIDGETS / path).read_text(encoding="utf-8")):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
            if other not in found:
                found.append(other)  # and the loop comes to it
    return found


def state_script(models: dict[str, Model]) -> str:
    """Return the state of the widgets as a script that only host.js reads."""
    stored = {key: {"class": m.name, "state": m.state, "buffers": m.buffers} for key, m in models.items()}
    text = json.dumps(stored, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f'\n<script type="application/json" id="dlcore-state">{text}</script>\n'
