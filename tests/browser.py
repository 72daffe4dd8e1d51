"""What tests in a browser share: headless Chromium, a page that is watched, and the book, built once for a run."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tools.serve import server

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What is not tested and costs: the pages behind the address bar take a second of each window that is opened. Chromium
# goes by the last list alone, so this one begins with what Playwright leaves out.
FEATURES_LEFT_OUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"
)
# As root there is no sandbox; the rest keeps Chromium's own requests out of the log.
CHROMIUM_FLAGS = [
    f"--disable-features={FEATURES_LEFT_OUT}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Seconds that a test waits for anything that is to come. A machine may be slow, and a test that passes waits no longer.
PATIENCE = 180.0
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
AXE_RULES = [
    "button-name",
    "color-contrast",
    "document-title",
    "html-has-lang",
    "image-alt",
    "label",
    "link-name",
    "page-has-heading-one",
]

# The names of a widget's controls that can be used, and how a reader changes one.
CONTROLS = """(frame, skipped) => {
  const names = new Set();
  for (const control of frame.querySelectorAll("select, input[type=range], input[type=checkbox]")) {
    if (control.name && !control.disabled && !skipped.includes(control.name)) names.add(control.name);
  }
  return [...names];
}"""
CHANGE = """control => {
  if (control.type === "checkbox") return control.click();
  if (control.type === "range") {
    const step = Number(control.step || 1);
    control.value = Number(control.value) + (Number(control.value) < Number(control.max) ? step : -step);
    control.dispatchEvent(new Event("input", {bubbles: true}));
  } else {
    const usable = [...control.options].filter(option => !option.disabled && !option.selected);
    control.value = usable[0].value;
  }
  control.dispatchEvent(new Event("change", {bubbles: true}));
}"""


def once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Let the first process that asks build the folder; the others wait for it."""
    done, failed = folder.with_suffix(".done"), folder.with_suffix(".failed")
    try:
        folder.mkdir()
    except FileExistsError:
        while not done.exists():
            assert not failed.exists(), failed.read_text(encoding="utf-8")
            time.sleep(0.2)
        return folder
    try:
        build(folder)
    except BaseException as error:
        failed.write_text(str(error), encoding="utf-8")
        raise
    done.touch()
    return folder


def build_book(folder: Path) -> None:
    """Build the book from scratch, warnings being errors."""
    program = Path(sys.executable).parent / "jupyter-book"
    command = [program, "build", ROOT, "-n", "-W", "--keep-going", "--path-output", folder]
    quiet = {**os.environ, "NO_COLOR": "1"}
    built = subprocess.run(command, check=False, capture_output=True, text=True, env=quiet)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site. Leave it as it is: tests in other processes read it, too."""
    pytest.importorskip("jupyter_book", reason="the book is not built: jupyter-book is not installed")
    run = tmp_path_factory.getbasetemp()
    shared = run.parent if "PYTEST_XDIST_WORKER" in os.environ else run
    return once(shared / "book", build_book) / "_build" / "html"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives the address."""
    with server(folder) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture(scope="module")
def address(book: Path) -> Iterator[str]:
    """Serve the book on this machine."""
    with served(book) as url:
        yield url


def sluggish(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a page (or a room of pages) as on a slow machine (see sluggish.js)."""

    def made(**options: Any) -> Any:
        there = make(**options)
        there.add_init_script(path=ROOT / "tests" / "sluggish.js")
        return there

    return made


# Not for the whole run: while Playwright's loop lives in a thread, asyncio.run refuses to work there.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start headless Chromium, or skip saying why; continuous integration has no excuse."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "no browser: install chromium"
        pytest.skip("no browser: neither chromium nor google-chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        if os.environ.get("SLUGGISH"):
            browser.new_context = sluggish(browser.new_context)
            browser.new_page = sluggish(browser.new_page)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(chromium: Any) -> Iterator[Any]:
    """Return the room of a browser that the pages of a module share: what one has loaded, the next has at hand."""
    with chromium.new_context(viewport=DESK) as made:
        yield made


def until(page: Any, holds: Callable[[], Any], otherwise: Callable[[], str]) -> None:
    """Wait until something holds, while the page lives on; `otherwise` gives the words if it never does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, otherwise()
        page.wait_for_timeout(20)


def drawn(page: Any) -> None:
    """Wait until what the page knows is to be seen: a widget draws in the next frame, some what follows in another."""
    page.evaluate(
        "document.hidden || new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def axe(
    page: Any, within: str | None = None, *, rules: list[str] | None = None, contrast_of: str = "*"
) -> tuple[list[Any], set[str]]:
    """Return what axe finds wrong, each rule with the elements that break it, and the names of the rules kept.

    `contrast_of` selects the elements whose contrast is judged.
    """
    source = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
    if not page.evaluate("'axe' in window"):
        page.evaluate(source.AXE_SCRIPT)
    options: dict[str, Any] = {"resultTypes": ["violations"], "selectors": False}
    if rules is not None:
        options |= {"runOnly": rules, "preload": False}
    contrast = {"rules": [{"id": "color-contrast", "selector": contrast_of}]}
    page.evaluate("contrast => axe.configure(contrast)", contrast)
    found = page.evaluate("([within, options]) => axe.run(within ?? document, options)", [within, options])
    wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
    return wrong, {rule["id"] for rule in found["passes"]}


class Visit:
    """A page opened in a browser, with what it asked for and what it complained about."""

    def __init__(self, context: Any, url: str) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"no answer from {request.url}"))
        self.page.goto(url, wait_until="load")
        # Sphinx loads MathJax on pages with formulas only.
        if self.page.locator(".math").count():
            self.page.wait_for_function("window.MathJax?.startup?.promise?.then(() => true)")

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self.page.evaluate(script, *arguments)
