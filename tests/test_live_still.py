"""A page on which nothing computes: Predict and Quiz work there, and no Python is started for them."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sphinx", reason="the book is not built: sphinx is not installed")

from tests.browser import ROOT, Visit, served
from tests.test_live import CONF, python

NOTEBOOK = """
import sys
import nbclient, nbformat
code, words = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
start = "from dlcore.widgets import DragTheNeuron, Predict, Quiz"
number = "Predict('How many $x_1$?', low=0, high=1000)"
choice = "Predict('Which?', options=['one', 'two'])"
still = [f"{start}\\nguess = {number}\\nguess", "guess.reveal(126)", f"choice = {choice}\\nchoice",
         "choice.reveal('two')", f"Quiz({sys.argv[2]!r})"]
pages = {"still": still, "mixed": [*still, "DragTheNeuron()"]}
for name, cells in pages.items():
    notebook = nbformat.v4.new_notebook(cells=[words(f"# Page {name}"), *map(code, cells)])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.write(notebook, f"{sys.argv[1]}/{name}.ipynb")
"""
QUIZ = ROOT / "chapters" / "quiz" / "neurons.toml"
PYTHONS = ("worker", "boot", "manifest", "pyodide", "bytecode")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("still")
    book = folder / "book"
    book.mkdir()
    shutil.copy(ROOT / "assets" / "favicon.svg", book)
    (book / "conf.py").write_text(f"{CONF}live_cache = {str(ROOT / '.pyodide')!r}\n")
    (book / "index.md").write_text("# First page\n\n```{toctree}\nstill\nmixed\n```\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", NOTEBOOK, str(book), str(QUIZ)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    python(ROOT, "-m", "sphinx", "-q", "-n", "-W", "-b", "html", book, folder / "www")
    return folder / "www"


@pytest.fixture(scope="module")
def origin(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture
def context(chromium: Any) -> Iterator[Any]:
    made = chromium.new_context()
    made.add_init_script("localStorage.setItem('mode', 'light'); localStorage.setItem('theme', 'light')")
    yield made
    made.close()


def open_page(context: Any, address: str) -> Visit:
    visit = Visit(context, address)
    visit.page.wait_for_function("!document.querySelector('.dlcore-live:not([data-state=drawn])')")
    return visit


def python_files(visit: Visit) -> list[str]:
    loaded = [url.rpartition("/live/")[2] for url in visit.requests if "/live/" in url]
    assert "host.js" in loaded
    return [name for name in loaded if name.startswith(PYTHONS) or ".whl" in name]


def widget(visit: Visit, place: int) -> Any:
    return visit.page.locator(".dlcore-live").nth(place)


def predict(visit: Visit, value: str) -> None:
    widget(visit, 0).locator("[name=prediction-number]").fill(value)
    widget(visit, 0).get_by_role("button", name="That is my prediction").click()


def status(visit: Visit, place: int = 0) -> str:
    return str(widget(visit, place).locator(".predict-status").inner_text())


@pytest.mark.browser
def test_all_that_a_reader_does_starts_nothing(context: Any, origin: str) -> None:
    visit = open_page(context, f"{origin}/still.html")
    for control in visit.page.locator(".dlcore-live :is(button, input):visible:enabled").all():
        control.hover()
        visit.page.wait_for_timeout(20)
    visit.page.wait_for_timeout(400)  # longer than the hover that wakes Python for other widgets
    predict(visit, "100")
    assert status(visit) == "You predicted 100. Measured: 126. The difference is 26."
    widget(visit, 1).get_by_role("radio", name="two").check()
    widget(visit, 1).get_by_role("button", name="That is my prediction").click()
    assert status(visit, 1) == "As you predicted: two."
    form = widget(visit, 2).locator("form").first
    form.get_by_role("radio").first.check()
    form.get_by_role("button", name="Check").press("Enter")
    assert form.locator(".quiz-said").inner_text().startswith(("Right.", "Not yet."))
    widget(visit, 2).get_by_role("button", name="Start over").click()
    visit.page.wait_for_timeout(300)
    assert visit.page.workers == []
    assert python_files(visit) == []
    assert visit.page.locator("[role=progressbar]").count() == 0
    assert visit.complaints == []


@pytest.mark.browser
def test_beside_a_widget_that_computes_they_stay_out_of_python(context: Any, origin: str) -> None:
    visit = open_page(context, f"{origin}/mixed.html")
    predict(visit, "100")
    assert (visit.page.workers, python_files(visit)) == ([], [])
    widget(visit, 3).get_by_role("button", name="New points").click()
    host = "const {python, models} = await import('/live/host.js');"
    visit.page.wait_for_function(f"(async () => {{ {host} return python.phase === 'ready'; }})()")
    names = visit.evaluate(
        f"(async () => {{ {host} return [...python.models.values()].map(m => m.name); }})()"
    )
    assert names == ["dlcore.widgets.drag_the_neuron.DragTheNeuron"]
    widget(visit, 0).get_by_role("button", name="Predict again").click()
    predict(visit, "126")
    assert status(visit) == "As you predicted: 126."
    visit.page.wait_for_timeout(300)
    names = visit.evaluate(
        f"(async () => {{ {host} return [...python.models.values()].map(m => m.name); }})()"
    )
    assert len(names) == 1
    assert visit.complaints == []


@pytest.mark.browser
def test_a_prediction_is_there_when_the_reader_comes_back(context: Any, origin: str) -> None:
    visit = open_page(context, f"{origin}/still.html")
    predict(visit, "100")
    back = open_page(context, f"{origin}/still.html")
    assert status(back).startswith("You predicted 100.")
    assert (
        widget(back, 1).get_by_role("button", name="That is my prediction").is_visible()
    )  # asked something else
    other = open_page(context, f"{origin}/mixed.html")
    assert widget(other, 0).get_by_role("button", name="That is my prediction").is_visible()  # another page
    widget(back, 0).get_by_role("button", name="Predict again").click()
    assert back.evaluate("Object.keys(localStorage).filter(key => key.startsWith('dlcore'))") == []
    again = open_page(context, f"{origin}/still.html")
    assert widget(again, 0).get_by_role("button", name="That is my prediction").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize(
    "stored", ["no JSON", "null", '{"answer": 99999}', '{"answer": "many"}', '{"result": 3}', "[1]"]
)
def test_what_somebody_else_has_stored_there_does_no_harm(context: Any, origin: str, stored: str) -> None:
    visit = open_page(context, f"{origin}/still.html")
    predict(visit, "100")
    key = visit.evaluate("Object.keys(localStorage).find(key => key.startsWith('dlcore'))")
    visit.evaluate("([key, value]) => localStorage.setItem(key, value)", [key, stored])
    back = open_page(context, f"{origin}/still.html")
    assert widget(back, 0).get_by_role("button", name="That is my prediction").is_visible()
    predict(back, "126")
    assert status(back) == "As you predicted: 126."
    assert back.complaints == []


@pytest.mark.browser
def test_where_storage_is_refused_the_page_works_and_forgets(context: Any, origin: str) -> None:
    context.add_init_script(
        # The theme stores its mode without asking whether it may.
        """const ours = key => { if (String(key).startsWith('dlcore')) throw new Error('refused'); };
        for (const name of ['getItem', 'setItem', 'removeItem']) {
          const real = Storage.prototype[name];
          Storage.prototype[name] = function (...all) { ours(all[0]); return real.apply(this, all); };
        }"""
    )
    visit = open_page(context, f"{origin}/still.html")
    predict(visit, "100")
    assert status(visit).startswith("You predicted 100.")
    assert visit.complaints == []


@pytest.mark.browser
def test_a_quiz_forgets_with_the_page(context: Any, origin: str) -> None:
    visit = open_page(context, f"{origin}/still.html")
    form = widget(visit, 2).locator("form").first
    form.get_by_role("radio").first.check()
    form.get_by_role("button", name="Check").click()
    back = open_page(context, f"{origin}/still.html")
    assert widget(back, 2).locator(".quiz-score").inner_text() == "7 questions."


def test_the_result_is_in_the_stored_state_and_in_no_word_of_the_page(site: Path) -> None:
    page = (site / "still.html").read_text(encoding="utf-8")
    before, state = page.split('id="dlcore-state">')
    shown = before.partition('class="bd-article')[2]
    still = [part.partition("</noscript>")[0] for part in shown.split("<noscript>")[1:]]
    assert len(still) == 3
    assert all("126" not in part for part in still)
    models = json.loads(state.partition("</script>")[0])
    assert sorted(
        model["state"].get("result", "")
        for model in models.values()
        if model["state"].get("kind") == "number"
    ) == [126]
    assert all(model["state"]["still"] for model in models.values())


def test_the_scripts_of_a_still_page_are_few_bytes(site: Path) -> None:
    page = (site / "still.html").read_text(encoding="utf-8")
    named = {part.partition('"')[0] for part in page.split("live/")[1:]}
    files = [site / "live" / name for name in named if (site / "live" / name).is_file()]
    assert {"host.js", "keep.js", "widgets/predict.js", "widgets/quiz.css"} <= {
        str(path.relative_to(site / "live")) for path in files
    }
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 40_000
