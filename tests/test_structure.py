"""The plan of the house, read from the source: who imports whom, which files belong together, the cost."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dlcore"

# A module imports only from floors below its own …
FLOORS = {
    "arrays": 0,
    "backprop": 1,
    "capture": 1,
    "data": 1,
    "activations": 2,
    "loss": 2,
    "optim": 2,
    "neurons": 3,
    "layers": 3,
    "convolution": 3,
    "propagation": 3,
    "recurrence": 3,
    "attention": 3,
    "training": 4,
    "overfitting": 5,
    "interpretability": 5,
    "lights": 0,
    "plots": 6,
    "widgets": 7,
    "live": 8,
}
# … but for these neighbours (importer, imported), which know each other on purpose.
NEIGHBOURS = {
    ("capture", "backprop"),
    ("loss", "activations"),  # a cross-entropy is a softmax and a logarithm, fused
    ("neurons", "layers"),  # a neuron is a Module, the smallest
    ("convolution", "layers"),
    ("propagation", "layers"),
    ("recurrence", "layers"),
    ("attention", "layers"),
}
# Files that are part of a module of another name: its floor, its chapter, its test.
PARTS = {"init": "layers", "pieces": "layers"}
# Who may import what from outside the standard library. NumPy and NumPy's types are everybody's.
OUTSIDE = {
    "array_api_compat": {"arrays"},
    "array_api_strict": {"arrays"},
    "torch": {"arrays"},
    "safetensors": {"training"},
    "tqdm": {"training"},
    "matplotlib": {"plots"},
    "matplotlib_inline": {"plots"},
    "anywidget": {"widgets"},
    "markdown_it": {"widgets"},
    "math_core": {"widgets"},
    "mdit_py_plugins": {"widgets"},
    "traitlets": {"widgets"},
    "js": {"arrays", "live"},  # Pyodide's door to the page's JavaScript
    "pyodide": {"arrays", "live"},
    "docutils": {"live"},
    "sphinx": {"live"},
}
# Optional even for the modules that may import them, so imported inside a function.
ONLY_IN_FUNCTIONS = {
    "array_api_strict",
    "markdown_it",
    "math_core",
    "matplotlib_inline",
    "mdit_py_plugins",
    "safetensors",
    "torch",
    "tqdm",
}


class Import(NamedTuple):
    """One import: the dotted name, the line, and whether it stands inside a function."""

    name: str
    line: int
    in_function: bool


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """Return the name on the floors' table for a file: dlcore/data/planar.py belongs to data."""
    return owner(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))


def owner(name: str) -> str:
    return PARTS.get(name, name)


def modules() -> list[str]:
    return sorted({module_of(path) for path in files()} - {"__init__"})


def imports(source: str, package: tuple[str, ...]) -> Iterator[Import]:
    """Yield every import in ``source``, a file of the package with that path, relative ones resolved."""

    def visit(node: ast.AST, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            if stem in ("", "dlcore"):
                yield from (
                    Import(f"{stem}.{alias.name}".strip("."), node.lineno, in_function)
                    for alias in node.names
                )
            else:
                yield Import(stem, node.lineno, in_function)
        for child in ast.iter_child_nodes(node):
            inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from visit(child, inside)

    yield from visit(ast.parse(source), False)


def faults(source: str, path: Path) -> Iterator[str]:
    """Yield what the imports of the file at ``path`` do against the plan."""
    importer = module_of(path)
    for name, line, in_function in imports(source, path.relative_to(ROOT).parent.parts):
        place = f"{path.relative_to(ROOT)}:{line}"
        top, _, rest = name.partition(".")
        if top == "dlcore":
            imported = owner(rest.partition(".")[0])
            if not imported:
                yield f"{place} imports the package itself; name the module"
            elif imported not in FLOORS:
                yield f"{place} imports dlcore.{imported}, which has no floor"
            elif (
                imported != importer
                and (importer, imported) not in NEIGHBOURS
                and FLOORS[imported] >= FLOORS.get(importer, 0)
            ):
                yield f"{place}: {importer} imports {imported}, which is on floor {FLOORS[imported]}"
        elif top in sys.stdlib_module_names or top == "numpy":
            continue
        elif importer not in OUTSIDE.get(top, set()):
            yield f"{place} imports {top}, which is for {', '.join(OUTSIDE.get(top, ())) or 'nobody'}"
        elif top in ONLY_IN_FUNCTIONS and not in_function:
            yield f"{place} imports {top}, which is optional, outside a function"


def test_every_module_has_a_floor() -> None:
    assert set(modules()) <= FLOORS.keys(), "give each new module its floor, or its owner, in this file"
    assert [part for part in PARTS if not (PACKAGE / f"{part}.py").exists()] == []


BELOW_THE_ROOF = [path for path in files() if path != PACKAGE / "__init__.py"]  # which names what is public


@pytest.mark.parametrize("path", BELOW_THE_ROOF, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"), path)) == []


@pytest.mark.parametrize(
    ("line", "where", "reason"),
    [
        ("from . import layers", "loss.py", "floor 3"),
        ("from .layers import Dense", "loss.py", "floor 3"),
        ("from dlcore.training import fit", "data/planar.py", "floor 4"),
        ("from ..layers import Dense", "data/planar.py", "floor 3"),
        ("import dlcore", "training.py", "the package itself"),
        ("from . import loss", "activations.py", "floor 2"),
        ("from .nowhere import x", "training.py", "no floor"),
        ("import matplotlib.pyplot", "training.py", "matplotlib"),
        ("import requests", "data.py", "nobody"),
        ("import torch", "arrays.py", "outside a function"),
        ("def f():\n    import torch", "loss.py", "torch"),
    ],
)
def test_the_reader_of_imports_sees_a_fault(line: str, where: str, reason: str) -> None:
    found = list(faults(line, PACKAGE / where))
    assert len(found) == 1
    assert re.search(reason, found[0])


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("from .arrays import namespace", "backprop.py"),
        ("from . import arrays, backprop", "loss.py"),
        ("from ..arrays import namespace", "data/planar.py"),
        ("from .checks import check", "data/planar.py"),
        ("from .backprop import Tensor", "capture/recorder.py"),
        ("def f():\n    import torch", "arrays.py"),
        ("import math\nfrom numpy.typing import NDArray", "arrays.py"),
    ],
)
def test_the_reader_of_imports_passes_what_is_right(line: str, where: str) -> None:
    assert list(faults(line, PACKAGE / where)) == []


def test_each_module_has_its_test() -> None:
    assert [name for name in modules() if not (ROOT / "tests" / f"test_{name}.py").exists()] == []


def chapters() -> list[Path]:
    return sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_a_chapter_has_its_module_and_the_module_names_it(chapter: Path) -> None:
    assert re.fullmatch(r"\d\d_[a-z]+", chapter.stem)
    name = chapter.stem[3:]
    source = next(
        (path for path in (PACKAGE / f"{name}.py", PACKAGE / name / "__init__.py") if path.exists()), None
    )
    assert source, f"chapters/{chapter.name} explains dlcore.{name}, which is not there"
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    assert chapter.stem in docstring, f"{source.relative_to(ROOT)} does not name chapters/{chapter.name}"


def test_the_contents_list_every_chapter_and_nothing_else() -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [entry["file"] for part in contents["parts"] for entry in entries(part)]
    assert sorted(name for name in listed if name.startswith("chapters/")) == [
        f"chapters/{path.stem}" for path in chapters()
    ]
    assert [name for name in listed if not list(ROOT.glob(f"{name}.*"))] == []
    assert len(set(listed)) == len(listed) > 1


def entries(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pages of a part of the contents, those below another page too."""
    for entry in [*part.get("chapters", []), *part.get("sections", [])]:
        yield entry
        yield from entries(entry)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_package_raises_and_never_asserts(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []
    assert ast.get_docstring(tree), "a module says what it is for"


def run(program: str) -> str:
    """Run ``program`` in a fresh interpreter and return what it prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def test_import_dlcore_brings_numpy_and_array_api_compat_alone() -> None:
    third_party = run(
        "import sys\n"
        "before = set(sys.modules)\n"
        "import dlcore\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(tops - sys.stdlib_module_names))"
    ).split()
    assert set(third_party) <= {"dlcore", "numpy", "array_api_compat"}
    assert "dlcore" in third_party


def test_import_dlcore_computes_for_less_than_150_ms_beyond_numpy() -> None:
    program = (
        "import time, numpy, numpy.random, numpy.linalg\n"
        "start = time.process_time()\n"  # not by the clock, which runs on while others compute
        "import dlcore\n"
        "print(time.process_time() - start)"
    )
    run(program)  # the first one writes the bytecode
    assert statistics.median(float(run(program)) for _ in range(5)) < 0.15
