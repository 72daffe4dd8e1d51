"""Sphinx extension: the pages of ``reference/``, made of dlcore's docstrings and signatures.

    .. modules::                a table of all modules
    .. public:: dlcore.loss     everything public in a module, in the order of its source

The docstrings are written to be read in an editor: code between single backticks, arguments in Google's form, drawings
and formulas indented. `rewritten` makes reStructuredText of that, and links of the names that have an entry.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import mock
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import stringify_signature

import dlcore

ROOT = Path(__file__).resolve().parent.parent
# In the order of the book; arrays, on which all of it stands, and what shows it come last.
MODULES = (
    *("neurons", "layers", "pieces", "init", "activations", "propagation", "loss"),
    *("optim", "training", "backprop", "capture", "overfitting", "interpretability"),
    *("data", "arrays", "convolution", "plots", "widgets"),
)
# Not needed to build the book: a stand-in takes their place.
MISSING = [name for name in ("matplotlib", "matplotlib_inline") if importlib.util.find_spec(name) is None]
# What reStructuredText would take for markup: |w| for a substitution, validation_ for a link, **settings for bold type.
MARKUP = re.compile(r"\||(?<=\w)_(?!\w)|\*\*(?=\w+[),])")
COLUMNS = re.compile(r"(\S+(?: \S+)*) {2,}(\S.*)")
CHAPTER = re.compile(r"\(chapter (\w+)(?:, chapters/\d\d_\w+(?:\.ipynb)?)?\)")
CODE = re.compile(r"(?<![\w`:])(`+)([^`]+)\1(?!`)")


class Public(NamedTuple):
    """A public name: where it is documented, the module that defines it, and what it stands for."""

    name: str
    home: ModuleType
    value: Any

    @property
    def kind(self) -> str:
        """The autodoc directive that documents it."""
        if inspect.ismodule(self.value):
            return "module"
        if inspect.isclass(self.value):
            return "class"
        return "function" if inspect.isroutine(self.value) else "data"

    @property
    def line(self) -> int:
        """Where it stands in its file."""
        text = inspect.getsource(self.home)
        found = re.search(rf"^(?:def|class) {self.name}\b|^(?:\w+, )*{self.name}\b.* = ", text, re.MULTILINE)
        return text.count("\n", 0, found.start()) if found else 0


def imported(name: str) -> ModuleType:
    """Import a module, with stand-ins for what is optional and not installed."""
    with mock(MISSING):
        return importlib.import_module(name)


# ------------------------------------------------------------------------------------------ what is public


@functools.cache
def public(module_name: str) -> tuple[Public, ...]:
    """Return what a module offers, in the order of its source; files in the order of their imports."""
    module = imported(module_name)
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name, value in vars(module).items() if is_own(module, name, value)]
    found = [Public(name, home(module, name), getattr(module, name)) for name in names]
    found = [each for each in found if not inspect.ismodule(each.value)]
    files = list(
        dict.fromkeys(re.findall(r"^\s*from \.(\w+) import", inspect.getsource(module), re.MULTILINE))
    )
    order = {f"{module_name}.{file}": place for place, file in enumerate(files, start=1)}
    return tuple(sorted(found, key=lambda each: (order.get(each.home.__name__, 0), each.line)))


def is_own(module: ModuleType, name: str, value: Any) -> bool:
    """Return whether a module without ``__all__`` offers the name: it is defined there and has no underscore."""
    return not name.startswith("_") and getattr(value, "__module__", None) == module.__name__


def home(module: ModuleType, name: str) -> ModuleType:
    """Return the module in whose source the name is defined: that of a package's file, for what a package gathers."""
    place = getattr(getattr(module, name), "__module__", None) or ""
    if place.startswith(module.__name__):
        return imported(place)
    for match in re.finditer(
        r"^\s*from \.(\w+) import (\([^)]*\)|.*)$", inspect.getsource(module), re.MULTILINE
    ):
        if re.search(rf"\b{name}\b", match[2]):
            return imported(f"{module.__name__}.{match[1]}")
    return module


def without_example() -> list[str]:
    """Return the public functions and classes of all modules whose docstring has no example that runs."""
    return [
        f"{module}.{each.name}"
        for module in MODULES
        for each in public(f"dlcore.{module}")
        if each.kind in ("class", "function") and ">>>" not in (inspect.getdoc(each.value) or "")
    ]


# ------------------------------------------------------------------------------------------------- a page


class PublicNames(SphinxDirective):
    """Document a module and everything public in it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the lines of the page in place."""
        return parsed(self, page(self.arguments[0]))


class Modules(SphinxDirective):
    """List all modules, each with the first sentence of its docstring and its chapter."""

    def run(self) -> list[nodes.Node]:
        """Parse the lines of the table in place."""
        return parsed(self, overview())


def parsed(directive: SphinxDirective, lines: Iterable[str]) -> list[nodes.Node]:
    """Return the nodes that lines of reStructuredText stand for."""
    box = nodes.section()
    box.document = directive.state.document
    directive.state.nested_parse(StringList(list(lines), source="dlcore"), directive.content_offset, box)
    return list(box.children)


def overview() -> Iterator[str]:
    """Yield the lines of the table of modules."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 25 55 20", "")
    yield from ("   * - module", "     - what is in it", "     - chapter")
    for name in MODULES:
        first = headline(imported(f"dlcore.{name}"))
        linked = re.search(r"\(chapter (.*)\)$", chapter_linked(first))
        yield f"   * - :py:mod:`dlcore.{name}`"
        yield f"     - {re.sub(r' *[(].*[)]$', '', first)}"
        yield f"     - {linked[1] if linked else ''}".rstrip()
    yield ""


def page(name: str) -> Iterator[str]:
    """Yield the lines of reStructuredText that document the module with this dotted name."""
    yield from (f".. automodule:: {name}", "   :no-members:", "")
    before = imported(name)
    for each in public(name):
        if each.home is not before:
            yield from ("", f".. rubric:: {headline(each.home)}", "")
            before = each.home
        yield from (f".. auto{each.kind}:: {name}.{each.name}", *options(each), "")
        if table := list(settings(each.value)):
            yield from ("   " + line for line in table)


def options(each: Public) -> Iterator[str]:
    """Yield the options of an entry."""
    if each.kind == "class" and not issubclass(each.value, BaseException):
        yield "   :members:"
        if each.name != "Widget" and hasattr(each.value, "class_traits"):
            yield f"   :exclude-members: {', '.join(vars(resolve('dlcore.widgets.Widget')))}"
    if each.kind == "data" and not isinstance(each.value, str | tuple):
        yield "   :no-value:"


def headline(module: ModuleType) -> str:
    """Return the first sentence of a file's docstring."""
    first = (module.__doc__ or module.__name__).split("\n\n")[0]
    return re.split(r"\.(?:\s|$)", " ".join(first.split()))[0].removesuffix(".")


def settings(value: Any) -> Iterator[str]:
    """Yield a table of a widget's settings: name, what is allowed, what it is at first."""
    if not getattr(value, "source", "") or not hasattr(value, "class_traits"):
        return
    yield from ("", ".. list-table:: Settings", "   :header-rows: 1", "   :class: settings", "")
    rows = [("name", "allowed", "at first")]
    for name, trait in value.class_traits().items():
        if name in value.settings():
            rows.append((f"``{name}``", allowed(trait), f"``{trait.default()!r}``"))
    for row in rows:
        yield from (f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row))
    yield ""


def allowed(trait: Any) -> str:
    """Return in words what a setting may be."""
    if hasattr(trait, "options"):
        return ", ".join(f"``{option!r}``" for option in trait.options)
    if hasattr(trait, "low"):
        return f"{trait.low} to {trait.high}"
    return {"Switch": "``True``, ``False``"}.get(type(trait).__name__, type(trait).__name__.lower())


# -------------------------------------------------------------------------------------------- docstrings

Link = Callable[[str], str]


def rewritten(lines: Sequence[str], link: Link) -> Iterator[str]:
    """Yield a docstring's lines as reStructuredText.

    Args:
        lines: the docstring, its common indentation removed.
        link: from the text between two backticks to its reStructuredText.
    """
    base = 0  # the indentation of the text that a block is set off from
    for block in blocks(lines):
        indent = width(block[0])
        if is_prompt(block[0]):
            yield from (line[max(0, indent - base) :] for line in block)
        elif indent > base:
            yield from (" " * base + line for line in set_off(block, link))
        else:
            base = width(block[-1])
            yield from text(block, link)
        yield ""


def blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the runs of lines between empty ones."""
    for filled, run in itertools.groupby(lines, key=lambda line: bool(line.strip())):
        if filled:
            yield list(run)


def set_off(block: Sequence[str], link: Link) -> Iterator[str]:
    """Yield an indented block: a list of terms if each of its lines has two columns, else as it is drawn."""
    indent = width(block[0])
    rows = [COLUMNS.match(line[indent:]) for line in block if width(line) == indent]
    if not all(rows):
        yield from (".. code-block:: text", "", *("   " + line[indent:] for line in block))
        return
    for line in block:
        row = COLUMNS.match(line[indent:])
        if row and width(line) == indent:
            yield from ("", " ".join(map(link, row[1].split())))
        yield "   " + " ".join(text([row[2] if row else line.strip()], link)).replace("  ", " ")


def text(block: Sequence[str], link: Link) -> Iterator[str]:
    """Yield the lines of a paragraph or of a section such as Args; an example in it stays as it is."""
    words = list(itertools.takewhile(lambda line: not is_prompt(line), block))
    pieces = CODE.split("\n".join(words))  # text, backticks, code, text, …
    plain, code = [MARKUP.sub(r"\\\g<0>", piece) for piece in pieces[::3]], map(link, pieces[2::3])
    marked = itertools.chain.from_iterable(itertools.zip_longest(plain, code, fillvalue=""))
    yield from "".join(marked).split("\n")
    example = block[len(words) :]
    yield from ["", *example] if example else []


def width(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip())


def is_prompt(line: str) -> bool:
    """Return whether the line begins an example that runs."""
    return line.lstrip().startswith(">>>")


@functools.cache
def entries() -> dict[str, str]:
    """Return the names of all entries, with and without their module: loss.mse and dlcore.loss.mse are one."""
    found: dict[str, str] = {}
    for module in MODULES:
        found |= {f"dlcore.{module}": f"dlcore.{module}"}
        for each in public(f"dlcore.{module}"):
            target = f"dlcore.{module}.{each.name}"
            found |= {target: target, f"{module}.{each.name}": target}
    return found


def linker(module: str, own: Container[str]) -> Link:
    """Return the function that turns code in a docstring into a link, where there is something to link to.

    Args:
        module: name of the module in which the docstring stands.
        own: names that mean something else there: arguments, attributes.
    """
    page = ".".join(module.split(".")[:2])

    def link(code: str) -> str:
        name = code.removesuffix("()")
        target = None if name in own else entries().get(f"{page}.{name}") or entries().get(name)
        return f":py:obj:`{code} <{target}>`" if target else f"``{code}``"

    return link


def process_docstring(_: Sphinx, kind: str, name: str, value: Any, __: Any, lines: list[str]) -> None:
    """Rewrite the docstring that autodoc has read, before napoleon does the sections."""
    own: set[str] = set()
    if callable(value):
        with contextlib.suppress(TypeError, ValueError):
            own |= set(inspect.signature(value).parameters)
    if kind in ("method", "attribute", "property"):
        own |= {*vars(resolve(name.rpartition(".")[0]))}
    module = value.__name__ if kind == "module" else getattr(value, "__module__", None) or name
    lines[:] = [chapter_linked(line) for line in rewritten(list(lines), linker(module, own))]


def chapter_linked(line: str) -> str:
    """Make a link of "(chapter Loss)", once that chapter is written."""
    match = CHAPTER.search(line)
    if not match:
        return line
    name = match[1]
    return line.replace(
        match[0], f"(chapter :ref:`{name} <{name.lower()}>`)" if is_written(name) else f"(chapter {name})"
    )


def is_written(chapter: str) -> bool:
    """Return whether the book's contents name the chapter."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    return re.search(rf"chapters/\d\d_{chapter.lower()}$", contents, re.MULTILINE) is not None


def resolve(name: str) -> Any:
    """Return what a dotted name stands for, None if for nothing."""
    first, *rest = name.split(".")
    for stop in range(len(rest), -1, -1):  # a module is not always an attribute of its package
        with contextlib.suppress(ImportError, AttributeError, ValueError):
            return functools.reduce(getattr, rest[stop:], imported(".".join([first, *rest[:stop]])))
    return None


def process_signature(
    _: Sphinx, kind: str, name: str, value: Any, __: Any, arguments: str | None, returned: str | None
) -> tuple[str, str] | None:
    """Show operations, losses and widgets as they are called, not as they are made; and arrays shortly."""
    if kind == "class" and hasattr(value, "class_traits"):
        return "(**settings)", ""
    rule = getattr(value, "__wrapped__", None)
    if kind == "function" and rule is not None and inspect.signature(rule).return_annotation == "Any":
        return stringify_signature(as_called(value, rule)), "Tensor"
    return short(arguments or ""), short(returned or "")


def as_called(value: Any, rule: Any) -> inspect.Signature:
    """Return the signature of an operation or loss that is made from a rule on arrays."""
    outer, inner = inspect.signature(value, follow_wrapped=False), inspect.signature(rule)
    options = [each for each in inner.parameters.values() if each.kind is each.KEYWORD_ONLY]
    called = [each for each in outer.parameters.values() if each.kind is not each.VAR_KEYWORD]
    if called[0].kind is called[0].VAR_POSITIONAL:  # an operation: its rule's arguments, which may be tensors
        called = [each for each in inner.parameters.values() if each not in options]
        called = [each.replace(annotation="Tensor | Array") for each in called]
    aliases = {name: str(meant) for name, meant in rule.__globals__.items() if isinstance(meant, UnionType)}
    options = [each.replace(annotation=aliases.get(each.annotation, each.annotation)) for each in options]
    return inspect.Signature([*called, *options])


def short(annotations: str) -> str:
    """Write ndarray[float32] for NumPy's arrays of any shape, ndarray for any type; functions by their names."""
    annotations = re.sub(r"(ndarray)\[[^()]*?dtype\[([^\[\]]*)\]\]", r"\1[\2]", annotations)
    annotations = re.sub(r"(ndarray)\[(?:[^\[\]]*, )?[\w~.]*\bAny\]", r"\1", annotations)
    return (
        re.sub(r"<function (\w+)>", r"\1", annotations).replace("<factory>", "...").replace("[[...]", "[...")
    )


def find_reference(app: Sphinx, env: Any, node: Any, shown: Any) -> Any:
    """Find what an annotation names shortly (Array, Tensor), and leave as text a type without an entry of its own."""
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"].rpartition(".")[2]
    targets = {target for target in entries().values() if target.endswith(f".{name}")}
    if node["reftarget"] == f"dlcore.{name}" and name in dlcore._NAMES:  # dlcore.grad is dlcore.backprop.grad
        targets = {f"dlcore.{dlcore._NAMES[name]}.{name}"}
    elif node["reftype"] not in ("class", "data", "obj"):
        return None
    if len(targets) == 1:
        domain = env.get_domain("py")
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", targets.pop(), node, shown)
    return shown if inspect.isclass(resolve(node["reftarget"])) else None


def skip(_: Sphinx, __: str, name: str, value: Any, skipped: bool, ___: Any) -> bool | None:
    """Leave out a widget's state, whose settings have a table, and fields of which Python says only their number."""
    trait = hasattr(value, "this_class") and hasattr(value, "default")
    trait |= isinstance(value, property) and (value.fget.__module__ or "").startswith("dlcore.widgets")
    numbered = (getattr(value, "__doc__", None) or "").startswith("Alias for field number")
    return True if trait or numbered else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.config["autodoc_mock_imports"] = MISSING
    app.add_directive("public", PublicNames)
    app.add_directive("modules", Modules)
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", find_reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
