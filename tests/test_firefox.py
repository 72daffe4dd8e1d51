"""The book in Firefox: another engine runs the page's Python, and draws what it computes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import ROOT
from tests.firefox import PROGRAM, Firefox, firefox

pytest.importorskip("websocket", reason="Firefox is not driven: websocket-client is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no second browser: firefox-esr is not installed"),
]

#: Of each page a button that Python answers.
BUTTONS = {
    "intro": "Run",
    "chapters/01_neurons": "Next mistake",
    "chapters/02_layers": "Add a unit",
    "chapters/03_activations": "New draw",
    "chapters/04_loss": "New points",
    "chapters/05_training": "One epoch",
    "chapters/06_backprop": "Other numbers",
    "chapters/07_overfitting": "Run",
    "chapters/08_interpretability": "Another 4",
}
DRAWN = """(() => {
  const widgets = [...document.querySelectorAll(".dlcore-live")];
  return widgets.length > 0 && widgets.every(one => one.dataset.state === "drawn");
})()"""
# Marks the first such button, and its widget.
MARK = """(words => {
  const buttons = [...document.querySelectorAll(".dlcore-widget button")];
  const button = buttons.find(one => one.innerText === words);
  button.id = "pressed";
  button.closest(".dlcore-widget").id = "answering";
})"""
SUMMARY = "document.querySelector('#answering .dlcore-summary').textContent"
RUN = ".dlcore-run"
LOSS = "Number(document.querySelector('.pg-readouts').innerText.match(/\\d+\\.\\d+/)[0])"
PIXELS = "document.querySelector('.pg-output canvas').toDataURL()"
EPOCH = "document.querySelector('.dlcore-widget output[aria-label=Epoch]').textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Start Firefox."""
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        # As test_book has it: without a choice of the reader's the theme complains about itself.
        choice = "localStorage.setItem('mode', 'light'); localStorage.setItem('theme', 'light')"
        started.prepare(f"if (location.protocol === 'http:') {{ {choice} }}")
        yield started


def foreign(browser: Firefox, address: str) -> list[str]:
    ours = (address, "data:", "blob:", "about:", "chrome:", "resource:")
    return [url for url in browser.requests if not url.startswith(ours)]


@pytest.fixture
def watched(browser: Firefox) -> Iterator[Firefox]:
    """Forget what earlier tests asked for and complained about."""
    browser.requests.clear()
    browser.complaints.clear()
    return browser


def test_an_error_and_a_foreign_request_are_seen(watched: Firefox, tmp_path: Path) -> None:
    with socket.socket() as taken:  # a port that nobody listens on
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/x.js"
    page = tmp_path / "broken.html"
    page.write_text(f"<script src='{closed}'></script><script>missing()</script>")
    watched.open(page.as_uri())
    watched.until("document.readyState === 'complete'")
    assert foreign(watched, "file:") == [closed]
    assert any("missing" in words for words in watched.complaints)
    assert any(closed in words for words in watched.complaints)
    with pytest.raises(RuntimeError, match="sorry"):
        watched.evaluate("Promise.reject(new Error('sorry'))")
    with pytest.raises(AssertionError, match="not false"):
        watched.until("false", patience=0.1)


def test_a_widget_of_the_book_trains_in_firefox(book: Path, address: str, watched: Firefox) -> None:
    watched.size(1280, 900)
    watched.open(f"{address}/playground.html")
    watched.until("document.querySelector('.dlcore-live[data-state=drawn]')")
    loss, picture = watched.evaluate(LOSS), watched.evaluate(PIXELS)
    watched.click(RUN)
    watched.until(f"{LOSS} < {loss} / 2", patience=120)
    assert watched.evaluate(PIXELS) != picture
    watched.click(RUN)
    watched.until(f"document.querySelector('{RUN}').textContent === 'Run'")
    epoch = watched.evaluate(f"new Promise(done => setTimeout(() => done({EPOCH}), 300))")
    assert watched.evaluate(f"new Promise(done => setTimeout(() => done({EPOCH}), 500))") == epoch
    assert watched.complaints == []
    assert foreign(watched, address) == []
    assert any("pyodide" in url for url in watched.requests)  # the worker's requests were watched, too


def test_the_keyboard_runs_and_pauses_in_firefox(book: Path, address: str, watched: Firefox) -> None:
    watched.open(f"{address}/playground.html")
    watched.until("document.querySelector('.dlcore-live[data-state=drawn]')")
    before = watched.evaluate(EPOCH)
    watched.evaluate(f"document.querySelector('{RUN}').focus()")
    watched.press(" ")
    watched.until(f"{EPOCH} !== {before!r}", patience=120)
    watched.press("\ue007")  # Enter
    watched.until(f"document.querySelector('{RUN}').textContent === 'Run'")
    assert watched.complaints == []
    assert foreign(watched, address) == []


@pytest.mark.parametrize("page", BUTTONS)
def test_the_widgets_of_every_chapter_are_drawn_and_answer_in_firefox(
    book: Path, address: str, watched: Firefox, page: str
) -> None:
    watched.size(1280, 900)
    watched.open(f"{address}/{page}.html")
    watched.until(DRAWN)
    watched.evaluate(f"{MARK}({BUTTONS[page]!r})")
    before = watched.evaluate(SUMMARY)
    watched.click("#pressed")
    watched.until(f"{SUMMARY} !== {json.dumps(before)}", patience=120)
    assert watched.complaints == []
    assert foreign(watched, address) == []


def test_no_chapter_is_forgotten() -> None:
    assert set(BUTTONS) == {
        "intro",
        *(f"chapters/{path.stem}" for path in (ROOT / "chapters").glob("*.ipynb")),
    }
