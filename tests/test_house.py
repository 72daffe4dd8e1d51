"""The house around the package: pins, licences, make targets, and the scripts of ``tools/``."""

import functools
import importlib.metadata
import os
import re
import subprocess
import sysconfig
import textwrap
import threading
import tomllib
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from docutils import nodes
from docutils.utils import new_document
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from classroom import sandbox
from dlcore import arrays, backprop
from tools import draw, kept_together, lock, serve, shipped_files

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@functools.cache
def pins() -> list[Requirement]:
    lines = read("requirements.txt").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def declared() -> Iterator[Requirement]:
    """Yield what pyproject.toml asks for, extras of our own aside."""
    for group in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]:
        yield from (requirement for requirement in map(Requirement, group) if requirement.name != "dlcore")


# ---- pins


@pytest.mark.parametrize("pin", pins(), ids=lambda pin: pin.name)
def test_a_pin_is_exact(pin: Requirement) -> None:
    assert [specifier.operator for specifier in pin.specifier] == ["=="]


@pytest.mark.parametrize("version", ["3.11.7", "3.12.1", "3.13.0"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_package_is_pinned_once_and_everything_declared_is(version: str, platform: str) -> None:
    here = {
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    counts = Counter(
        canonicalize_name(pin.name) for pin in pins() if not pin.marker or pin.marker.evaluate(here)
    )
    assert [name for name, count in counts.items() if count > 1] == []
    assert {canonicalize_name(requirement.name) for requirement in declared()} <= counts.keys()


def test_what_is_installed_is_what_is_pinned() -> None:
    # Not by sys.path: setuptools, once imported, puts packages of its own there.
    there = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    installed = {canonicalize_name(found.name): found.version for found in there}
    assert "numpy" in installed
    for pin in pins():
        name = canonicalize_name(pin.name)
        # setuptools and wheel belong to the environment; a build of torch names its kind: 2.13.0+cpu.
        if (
            name in installed
            and (not pin.marker or pin.marker.evaluate())
            and name not in {"setuptools", "wheel"}
        ):
            assert Version(installed[name]).public in pin.specifier, name


def needed_by(extra: str) -> set[str]:
    """Return the names of all packages that ``pip install dlcore[extra]`` brings."""
    waiting = [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        for line in importlib.metadata.requires(requirement.name) or []:
            child = Requirement(line)
            if any(
                not child.marker or child.marker.evaluate({"extra": extra})
                for extra in {"", *requirement.extras}
            ):
                waiting.append(child)
    return {name for name, _ in seen}


def test_the_book_needs_neither_torch_nor_a_grader() -> None:
    needed = needed_by("book")
    assert {"jupyter-book", "sphinx", "myst-nb"} <= needed
    assert not needed & {"torch", "nbgrader", "jupyterlab", "matplotlib"}


def test_the_package_itself_needs_numpy_and_array_api_compat_alone() -> None:
    assert {Requirement(line).name for line in PROJECT["dependencies"]} == {"numpy", "array-api-compat"}


def test_the_cuda_packages_are_left_to_torch() -> None:
    assert lock.UNPINNED.match("nvidia-cublas==13.1.1.3")
    assert not lock.UNPINNED.match("numpy==2.4.6")
    assert [pin.name for pin in pins() if lock.UNPINNED.match(str(pin))] == []


# ---- documents and settings


def test_the_documents_name_make_targets_that_exist() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".ci/run"):
        # Commands stand at the start of a line of code, or between backticks.
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", read(document), flags=re.MULTILINE))
        assert named <= TARGETS, document
    assert {"serve", "test", "book", "lint", "bench", "lab", "notebooks"} <= TARGETS


def example(document: str) -> str:
    """Return the Python code that ``document`` shows."""
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", read(document), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return textwrap.dedent(blocks[0][1])


def test_the_example_of_the_readme_runs() -> None:
    names: dict[str, Any] = {}
    exec(example("README.md"), names)  # it ends in x.grad, which it says is 2 x
    np.testing.assert_allclose(names["x"].grad, 2 * names["x"].data)


def test_an_operation_is_added_as_contributing_says() -> None:
    names: dict[str, Any] = {"primitive": backprop.primitive, "namespace": arrays.namespace}
    exec(example("CONTRIBUTING.md"), names)
    x = backprop.Tensor(np.linspace(-2, 2, 5), requires_grad=True)
    y = names["tanh"](x)
    np.testing.assert_allclose(y.data, np.tanh(x.data))
    backprop.check_gradients(names["tanh"], x)


def test_make_lists_every_target() -> None:
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in shown.splitlines()} == TARGETS


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.stem
)
def test_a_workflow_calls_make_targets_that_exist(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    called = {command.split()[1] for command in steps if command.startswith("make ")}
    assert called
    assert called <= TARGETS


def test_continuous_integration_calls_lint_book_and_test_and_measures_coverage() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert "set -eo pipefail" in script.read_text(encoding="utf-8")
    wanted = {"make lint", "make book", "export COVERAGE=yes", "make test"}
    assert wanted <= set(script.read_text(encoding="utf-8").splitlines())


@pytest.mark.skipif(not os.environ.get("CI"), reason="no continuous integration: CI is not set")
def test_continuous_integration_grades_in_a_sandbox_and_does_not_skip_it() -> None:
    assert sandbox.missing() is None


def test_the_version_is_the_same_everywhere() -> None:
    assert yaml.safe_load(read("CITATION.cff"))["version"] == PROJECT["version"]
    assert f"## {PROJECT['version']}" in read("CHANGELOG.md")


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    # The sandbox has a /tmp of its own, a class in JupyterHub its teacher and students.
    invented = r"(?!tmp/(?:ipython|matplotlib|was-here)|home/(?:x|teacher|student-))"
    pattern = re.compile(rf"(?<![\w.~}}-])/{invented}(?:home|root|Users|work|tmp)/\w")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    readable = {".py", ".ipynb", ".md", ".yml", ".toml", ".js", ".css", ".txt", ""}
    texts = [name for name in tracked if Path(name).suffix in readable]
    assert "README.md" in texts
    assert [name for name in texts if (ROOT / name).exists() and pattern.search(read(name))] == []


# ---- tools


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve a folder with a page and a WebAssembly file, and return its address."""
    (tmp_path / "index.html").write_text("<h1>a book</h1>")
    (tmp_path / "kernel.wasm").write_bytes(b"\0asm")
    with serve.server(tmp_path) as book:
        threading.Thread(target=book.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{book.server_port}"
        book.shutdown()


def test_the_server_serves_pages_and_webassembly(site: str) -> None:
    with urllib.request.urlopen(f"{site}/") as page:
        assert b"a book" in page.read()
    with urllib.request.urlopen(f"{site}/kernel.wasm") as kernel:
        assert kernel.headers["Content-Type"] == "application/wasm"


def test_the_server_says_what_to_do_when_it_cannot(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = site.rpartition(":")[2]
    monkeypatch.setattr("sys.argv", ["serve.py", str(tmp_path), "--port", port])
    with pytest.raises(SystemExit):
        serve.main()
    assert f"port {port} cannot be used" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["serve.py", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        serve.main()
    assert "make book" in capsys.readouterr().err


def test_the_pictures_are_those_that_the_script_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw, "ASSETS", tmp_path)
    draw.main()
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert [*drawn, "readme.svg"] == sorted(path.name for path in (ROOT / "assets").iterdir())
    for name in drawn:
        assert (tmp_path / name).read_text(encoding="utf-8") == read(f"assets/{name}"), (
            f"run tools/draw.py: {name}"
        )


def test_the_picture_of_the_readme_is_what_the_package_computes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="no picture: matplotlib is not installed")
    from tools import picture

    def lines(svg: str) -> str:
        """Leave out what another processor may round otherwise: decimals, and pictures within."""
        return re.sub(r"base64,[^\"]*", "", re.sub(r"(\.\d)\d+", r"\1", svg))

    picture.draw(tmp_path / "readme.svg")
    drawn = lines((tmp_path / "readme.svg").read_text(encoding="utf-8"))
    assert drawn == lines(read("assets/readme.svg")), "run tools/picture.py"


def test_another_mathjax_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped_files.ship_mathjax(tmp_path)
    mathjax = tmp_path / "vendor" / "mathjax"
    assert (mathjax / "tex-mml-chtml.js").exists()
    assert shipped_files.fingerprint(mathjax, shipped_files.parts(mathjax)) == shipped_files.SHA256
    (mathjax / "tex-mml-chtml.js").write_text("alert()")
    assert shipped_files.fingerprint(mathjax, shipped_files.parts(mathjax)) != shipped_files.SHA256
    monkeypatch.setattr(shipped_files, "SHA256", "0" * 64)
    with pytest.raises(shipped_files.ExtensionError, match=r"with SHA-256 0{12}… was expected"):
        shipped_files.ship_mathjax(tmp_path)


# ---- what stays on one line


def paragraph(*parts: nodes.Node) -> str:
    """Return what becomes of a paragraph; ~ is a no-break space."""
    document = new_document("page")
    document += nodes.paragraph("", "", *parts)
    kept_together.KeptTogether(document).run()
    return str(document[0]).replace("\N{NO-BREAK SPACE}", "~")


def test_a_number_keeps_its_per_cent_sign() -> None:
    strong, text = nodes.strong, nodes.Text
    assert paragraph(text("98 % of 3 % x")) == "<paragraph>98~% of 3~% x</paragraph>"
    assert paragraph(strong("", "4.5"), text(" % of")) == "<paragraph><strong>4.5</strong>~% of</paragraph>"
    assert paragraph(strong("", "all"), text(" % of")) == "<paragraph><strong>all</strong> % of</paragraph>"
    assert paragraph(nodes.literal("", "7 % 2")) == "<paragraph><literal>7 % 2</literal></paragraph>"


def test_a_short_formula_keeps_its_punctuation() -> None:
    text, formula = nodes.Text, functools.partial(nodes.math, "")
    # Of two equal texts the right one is meant.
    assert paragraph(text("a, "), formula("x"), text(", b ("), formula("y"), text(", b (")) == (
        '<paragraph>a, <inline classes="stay"><math>x</math>,</inline> b '
        '<inline classes="stay">(<math>y</math>,</inline> b (</paragraph>'
    )
    assert paragraph(formula("15.3"), text(" % {")) == (
        '<paragraph><inline classes="stay"><math>15.3</math>~%</inline> {</paragraph>'
    )
    assert "stay" not in paragraph(formula("x" * 40), text(", b"))
    assert "stay" not in paragraph(formula("x"), text(" and b"))
