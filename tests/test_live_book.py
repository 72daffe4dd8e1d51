"""The widgets of the built book, used as a reader uses them: a static page, and the Python that runs in it."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlcore.widgets import BlameLedger
from tests import browser
from tests.browser import CHANGE, CONTROLS, DESK, Visit

pytestmark = pytest.mark.browser

LIGHT = "localStorage.setItem('mode', 'light'); localStorage.setItem('theme', 'light')"
EPOCH = "Number(document.querySelector('.dlcore-widget output[aria-label=Epoch]').textContent)"
MODEL = "[...(await import('/live/host.js')).places][0].model"
PIXELS = "document.querySelector('.pg-output canvas').toDataURL()"


@pytest.fixture(scope="module")
def context(chromium: Any) -> Iterator[Any]:
    with chromium.new_context(viewport=DESK) as made:
        made.add_init_script(LIGHT)
        yield made


@pytest.fixture(scope="module")
def visit(context: Any, address: str) -> Visit:
    """Open the Playground once: Python stays, as it does for a reader."""
    return Visit(context, f"{address}/playground.html")


@pytest.fixture
def playground(visit: Visit) -> Iterator[Visit]:
    """Bring the Playground to rest, as it was made, and watch."""
    until(visit, "document.querySelector('.dlcore-live[data-state=drawn]')")
    if visit.page.locator(".dlcore-run").inner_text() == "Pause":
        visit.page.locator(".dlcore-run").click()
    press(visit, "TensorFlow Playground’s task")
    press(visit, "Reset")
    until(visit, f"{EPOCH} === 0 && !{MODEL}.get('running')")
    yield visit
    assert visit.complaints == []
    assert [
        url for url in visit.requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))
    ] == []


def until(visit: Visit, condition: str) -> None:
    """Wait until a condition of the page holds, and that is drawn: what is seen follows a frame after what is known.

    A promise alone would count as true, so it is polled here.
    """
    asked = f"(async () => Boolean({condition}))()"
    browser.until(
        visit.page, lambda: visit.evaluate(asked), lambda: f"not within {browser.PATIENCE} s: {condition}"
    )
    browser.drawn(visit.page)


def of(visit: Visit, trait: str) -> Any:
    return visit.evaluate(f"(async () => {MODEL}.get('{trait}'))()")


def press(visit: Visit, name: str) -> None:
    visit.page.get_by_role("button", name=name, exact=True).first.click()


def test_run_trains_and_the_picture_changes(playground: Visit) -> None:
    loss, before = of(playground, "train_loss"), playground.evaluate(PIXELS)
    press(playground, "Run")
    until(playground, f"{MODEL}.get('train_loss') < {loss / 2}")
    press(playground, "Pause")
    until(playground, f"!{MODEL}.get('running')")
    assert playground.evaluate(PIXELS) != before
    assert float(playground.page.locator(".pg-readouts").inner_text().split("\n")[1]) < loss / 2


def test_every_control_can_be_changed_while_training_goes_on(playground: Visit) -> None:
    names = playground.evaluate(
        f"({CONTROLS})(document.querySelector('.dlcore-widget'), ['predict_first', 'problem'])"
    )
    assert {"learning_rate", "activation", "regularization", "optimizer", "noise", "show_test"} <= set(names)
    press(playground, "Run")
    for name in [*names, "problem"]:
        until(playground, f"{MODEL}.get('running')")
        before, steps = visit_value(playground, name), of(playground, "steps")
        playground.page.locator(f"[name={name}]").first.evaluate(CHANGE)
        frame = of(playground, "frame")
        until(playground, f"{MODEL}.get('frame') > {frame} + 2")
        assert visit_value(playground, name) != before
        assert of(playground, "steps") > steps, f"{name}: began anew"
    assert playground.page.locator(".dlcore-refusal").inner_text() == ""


def visit_value(visit: Visit, trait: str) -> str:
    return str(visit.evaluate(f"(async () => JSON.stringify({MODEL}.get('{trait}')))()"))


def test_the_keyboard_is_enough(playground: Visit) -> None:
    keys = playground.page.keyboard
    playground.page.locator(".dlcore-run").focus()
    keys.press("Enter")
    until(playground, f"{MODEL}.get('running') && {EPOCH} > 2")
    keys.press("Space")
    until(playground, f"!{MODEL}.get('running')")
    steps = of(playground, "steps")
    playground.page.get_by_role("button", name="Step", exact=True).focus()
    keys.press("Enter")
    until(playground, f"{MODEL}.get('steps') > {steps}")


def test_reset_repeats_the_same_numbers(playground: Visit) -> None:
    def three_epochs() -> Any:
        for epoch in (1, 2, 3):
            press(playground, "Step")
            until(playground, f"{EPOCH} === {epoch}")
        return of(playground, "train_loss"), of(playground, "test_loss")

    first = three_epochs()
    press(playground, "Reset")
    until(playground, f"{EPOCH} === 0")
    assert three_epochs() == first


def test_a_link_restores_the_same_state_in_another_page(playground: Visit, context: Any) -> None:
    playground.page.locator("[name=optimizer]").select_option("adam")
    for epoch in (1, 2):
        press(playground, "Step")
        until(playground, f"{EPOCH} === {epoch}")
    press(playground, "Copy link")
    until(playground, "location.hash.startsWith('#playground=')")
    other = Visit(context, playground.page.url)
    until(other, f"{MODEL}.get('epoch') === 2")
    for trait in ("optimizer", "train_loss", "test_loss", "steps"):
        assert of(other, trait) == of(playground, trait)
    for visit in (other, playground):
        press(visit, "Step")
        until(visit, f"{EPOCH} === 3")
    assert of(other, "train_loss") == of(playground, "train_loss")
    assert other.complaints == []
    other.page.close()


def test_a_program_of_the_page_prints_the_loss_of_the_page(playground: Visit) -> None:
    press(playground, "Step")
    until(playground, f"{EPOCH} === 1")
    playground.page.locator(".dlcore-widget summary", has_text="Show me the code").click()
    until(playground, "document.querySelector('.dlcore-widget pre')?.textContent.includes('import')")
    program = playground.page.locator(".dlcore-widget pre").first.text_content()
    # In the page's own Python, beside the widget: the very interpreter that trained.
    worker = playground.page.workers[0]
    printed = worker.evaluate(
        """program => {
            self.pyodide.globals.set("program", program);
            return self.pyodide.runPython(
                "import contextlib, io\\nout = io.StringIO()\\n"
                + "with contextlib.redirect_stdout(out):\\n    exec(program, {})\\nout.getvalue()");
        }""",
        program,
    )
    shown = of(playground, "train_loss"), of(playground, "test_loss")
    assert printed.strip() == f"training loss {shown[0]:.3f}, test loss {shown[1]:.3f}"


def named(name: str) -> str:
    """Return the page's expression for the model of the widget of this name."""
    return (
        f"[...(await import('/live/host.js')).places].map(p => p.model).find(m => m.get('name') === '{name}')"
    )


def test_the_chapters_widgets_share_one_python(context: Any, address: str) -> None:
    visit = Visit(context, f"{address}/chapters/01_neurons.html")
    drawn = "document.querySelectorAll('.dlcore-live[data-state=drawn]').length"
    until(visit, f"{drawn} > 4 && {drawn} === document.querySelectorAll('.dlcore-live').length")
    assert visit.page.workers == []
    drag, duel = (visit.page.locator(f".dlcore-widget[data-name={name}]") for name in ("border", "duel"))
    before = visit.evaluate(f"(async () => {named('border')}.get('z'))()")
    drag.locator("input[type=range]").first.focus()
    visit.page.keyboard.press("ArrowRight")
    until(visit, f"{named('border')}.get('z') !== {before}")
    duel.get_by_role("button", name="Next mistake").click()
    until(visit, f"{named('duel')}.get('mistakes') === 1")
    assert len(visit.page.workers) == 1
    assert visit.complaints == []
    assert [
        url for url in visit.requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))
    ] == []
    visit.page.close()


def test_the_text_of_neurons_sets_its_widget_and_says_when_the_task_is_done(
    context: Any, address: str
) -> None:
    visit = Visit(context, f"{address}/chapters/01_neurons.html")
    until(visit, "document.querySelector('.dlcore-widget[data-name=border]')")
    where = visit.page.url
    link = visit.page.locator("a.steer[href*='steer/border'][href*='goal=line']").first
    assert link.get_attribute("title") == "Sets the widget border"
    link.click()
    widget = visit.page.locator(".dlcore-widget[data-name=border]")
    task = widget.locator(".dlcore-task")
    assert task.inner_text() == "Task: Lay the border onto the dashed one."  # before Python has come
    assert visit.page.url == where
    until(visit, "document.querySelector('.dlcore-live-status').textContent === ''")
    for name, value in {"w1": 1, "w2": 2, "b": -1.5}.items():
        field = widget.locator(f"input[type=number][name={name}]")
        field.fill(str(value))
        field.press("Enter")
    until(visit, f"{named('border')}.get('reached')")
    assert task.inner_text() == "Done: Lay the border onto the dashed one."
    visit.page.locator("a.steer[href*='steer/border'][href*='goal=flip']").first.click()
    until(visit, f"{named('border')}.get('w2') === 2 && {named('border')}.get('target') === 'flipped'")
    assert task.inner_text().startswith("Task: Leave the border where it is")
    assert visit.complaints == []
    visit.page.close()


def test_the_playgrounds_text_sets_it_and_begins_anew(playground: Visit) -> None:
    playground.page.locator("a.steer[href*='problem=regression']").click()
    until(playground, f"{MODEL}.get('problem') === 'regression' && {MODEL}.get('learning_rate') === 10")
    playground.page.locator("a.steer[href*='goal=collapse']").click()
    until(playground, f"{MODEL}.get('problem') === 'classification' && {MODEL}.get('learning_rate') === 0.03")
    until(playground, f"{MODEL}.get('regularization') === 'L2' && {EPOCH} === 0")
    playground.page.locator(".dlcore-widget [name=regularization_rate]").select_option("0.3")
    press(playground, "Run")
    until(playground, f"{MODEL}.get('reached')")
    press(playground, "Pause")
    assert playground.page.locator(".dlcore-task").inner_text().startswith("Done: ")


def test_the_layers_widgets_scrub_without_python_and_compute_with_it(context: Any, address: str) -> None:
    visit = Visit(context, f"{address}/chapters/02_layers.html")
    until(visit, "document.querySelector('.dlcore-widget[data-name=folding] canvas')?.width > 300")
    model = "[...(await import('/live/host.js')).places].map(p => p.model).find(m => m.get('name') === '{}')"
    bump, folding = model.format("bump"), model.format("folding")

    sheet = visit.page.locator(".dlcore-widget[data-name=folding]")
    sheet.scroll_into_view_if_needed()
    picture = "document.querySelector('.paper-sheet canvas').toDataURL()"
    before = visit.evaluate(picture)
    sheet.locator("[name=depth]").focus()
    visit.page.keyboard.press("End")
    until(visit, f"{picture} !== '{before}'")
    assert "a straight line here" in sheet.locator(".paper-text").inner_text()
    assert visit.page.workers == []  # no Python yet

    builder = visit.page.locator(".dlcore-widget[data-name=bump]")
    units = visit.evaluate(f"(async () => {bump}.get('joints').length)()")
    builder.get_by_role("button", name="Add a unit").click()
    until(visit, f"{bump}.get('joints').length === {units} + 1")
    until(visit, f"{bump}.get('score')[0] === '{units + 1}'")
    seed = visit.evaluate(f"(async () => {folding}.get('seed'))()")
    sheet.get_by_role("button", name="Train again").click()
    until(visit, f"{folding}.get('seed') === {seed} + 1 && {folding}.get('steps') > 20")
    sheet.get_by_role("button", name="Pause").click()
    until(visit, f"!{folding}.get('running')")
    assert len(visit.page.workers) == 1
    assert visit.complaints == []
    visit.page.close()


def opened(context: Any, url: str) -> Visit:
    """Open a page of the book and wait until all its widgets are drawn."""
    visit = Visit(context, url)
    drawn = "document.querySelectorAll('.dlcore-live[data-state=drawn]').length"
    until(visit, f"{drawn} && {drawn} === document.querySelectorAll('.dlcore-live').length")
    return visit


def closed(visit: Visit, pythons: int = 1) -> None:
    """Close a page that complained about nothing, asked nobody else, and started no more than it had to."""
    assert len(visit.page.workers) == pythons
    assert visit.complaints == []
    assert [
        url for url in visit.requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))
    ] == []
    visit.page.close()


def steer(visit: Visit, part: str) -> None:
    """Follow the first link of the prose whose address has this part."""
    visit.page.locator(f"a.steer[href*='{part}']").first.click()


def ink(visit: Visit, name: str) -> Any:
    """Return what is drawn on the canvases of the widget of this name."""
    frame = visit.page.locator(f".dlcore-widget[data-name={name}]")
    return frame.evaluate("frame => [...frame.querySelectorAll('canvas')].map(one => one.toDataURL())")


def test_the_signal_chain_computes_fifty_layers_in_the_page(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/03_activations.html")
    frame = visit.page.locator(".dlcore-widget[data-name=chain]")
    chain, before = named("chain"), ink(visit, "chain")
    steer(visit, "activation=relu&init=he&depth=50")
    until(visit, f"{chain}.get('shown_depth') === 50 && {chain}.get('verdict').word === 'healthy'")
    assert ink(visit, "chain") != before
    frame.locator("[name=depth]").focus()
    visit.page.keyboard.press("ArrowLeft")
    until(visit, f"{chain}.get('shown_depth') === 49")
    steer(visit, "goal=overflow")
    frame.locator("[name=init]").select_option("normal")
    for name, value in {"scale": 1, "input_scale": 10}.items():
        frame.locator(f"input[type=range][name={name}]").focus()
        visit.page.keyboard.press("End")
        until(visit, f"{chain}.get('{name}') === {value}")
    until(visit, f"{chain}.get('reached')")
    assert frame.locator(".dlcore-task").inner_text().startswith("Done: ")
    closed(visit)


def test_pick_a_loss_fits_steps_and_says_when_the_task_is_done(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/04_loss.html")
    fit, stuck, before = named("fit"), named("stuck"), ink(visit, "fit")
    squares = visit.evaluate(f"(async () => {fit}.get('w'))()")
    steer(visit, "fit?loss=mae")
    until(visit, f"{fit}.get('loss') === 'mae' && {fit}.get('w') > 2 * {squares}")
    until(visit, "document.querySelector('.dlcore-widget[data-name=fit]').innerText.includes('MAE ')")
    assert ink(visit, "fit") != before
    frame = visit.page.locator(".dlcore-widget[data-name=stuck]")
    steer(visit, "goal=flat")
    until(visit, f"{stuck}.get('loss') === 'cross_entropy' && {stuck}.get('w') === 0")
    frame.get_by_role("button", name="Step", exact=True).click()
    until(visit, f"{stuck}.get('w') > 0")
    frame.locator("[name=w]").first.focus()
    visit.page.keyboard.press("ArrowRight")  # six right already with one step: a further move keeps them
    until(visit, f"{stuck}.get('reached')")
    assert frame.locator(".dlcore-task").inner_text().startswith("Done: ")
    closed(visit)


def test_the_capacity_dial_measures_a_whole_curve_in_the_page(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/07_overfitting.html")
    dial, before = named("dial"), ink(visit, "dial")
    frame = visit.page.locator(".dlcore-widget[data-name=dial]")
    frame.get_by_role("button", name="Run", exact=True).click()
    until(visit, f"{dial}.get('done') === {dial}.get('places').length && !{dial}.get('running')")
    assert ink(visit, "dial") != before
    steer(visit, "goal=calm")
    until(visit, f"{dial}.get('width') === 100 && {dial}.get('goal') === 'calm' && !{dial}.get('running')")
    frame.locator("[name=dropout]").focus()
    visit.page.keyboard.press("End")
    until(visit, f"{dial}.get('reached')")
    assert frame.locator(".dlcore-task").inner_text().startswith("Done: ")
    steer(visit, "dropout=0.5")
    until(visit, f"{dial}.get('dropout') === 0.5 && {dial}.get('penalty') === -6")
    steer(visit, "goal=twin")
    until(visit, f"{dial}.get('goal') === 'twin' && !{dial}.get('reached')")
    frame.locator("[name=dropout]").press("Home")
    for _ in range(24):  # from no penalty to λ = 1
        frame.locator("[name=penalty]").press("ArrowRight")
    until(visit, f"{dial}.get('reached') && {dial}.get('penalty') === 0")
    closed(visit)


def test_the_first_page_learns_to_read_and_reads_what_is_drawn(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/intro.html")
    first, before = named("first"), ink(visit, "first")
    frame = visit.page.locator(".dlcore-widget[data-name=first]")
    assert frame.get_by_role("button", name="Run").bounding_box()["y"] < DESK["height"] - 100  # no scrolling
    steer(visit, "goal=learn")
    frame.get_by_role("button", name="Run").click()
    until(visit, f"{first}.get('reached') && {first}.get('accuracy') >= 0.9")
    assert frame.locator(".dlcore-task").inner_text().startswith("Done: ")
    if (pause := frame.get_by_role("button", name="Pause")).count():
        pause.click()
    until(visit, f"!{first}.get('running')")
    assert ink(visit, "first") != before
    box = frame.locator("canvas").first.bounding_box()
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    visit.page.mouse.up()
    until(visit, f"{first}.get('strokes').length && {first}.get('verdict').includes('your drawing')")
    assert "1" in frame.locator("tr[data-best=true] th").inner_text()  # a line from top to bottom
    frame.get_by_role("button", name="Show an 8 of the test digits").click()
    until(visit, f"{first}.get('digit') === 8 && !{first}.get('strokes').length")
    steer(visit, "steps=10")
    until(visit, f"{first}.get('steps') === 10 && {first}.get('accuracy') < 0.9")
    closed(visit)


def test_predictions_and_the_quiz_answer_without_python(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/01_neurons.html")
    guess = visit.page.locator(".dlcore-widget[aria-label^=Predict]").first
    guess.get_by_role("radio").first.check()
    guess.get_by_role("button", name="That is my prediction").click()
    guess.get_by_text("found", exact=True).wait_for()  # beside the option that the run gave
    assert guess.get_by_text("your prediction", exact=True).count() == 1
    quiz = visit.page.locator(".dlcore-widget[aria-label=Quiz]")
    for form in quiz.locator("form").all():
        if form.get_by_role("radio").count():
            form.get_by_role("radio").first.check()
        elif form.get_by_role("checkbox").count():
            form.get_by_role("checkbox").first.check()
        else:
            form.get_by_role("textbox").fill("0.123")
        form.get_by_role("button", name="Check").press("Enter")
        said = form.locator(".quiz-said")
        assert said.locator("strong").inner_text().startswith(("Right", "Not yet"))
        assert said.locator("div").count() or said.inner_text().startswith("Not yet:")
    assert "tries" in quiz.inner_text()
    closed(visit, pythons=0)


def test_of_two_links_that_begin_anew_the_second_sets_all_that_it_says(playground: Visit) -> None:
    steer(playground, "hidden=[4]&activation=relu&do=reset")
    until(playground, f"{MODEL}.get('activation') === 'relu' && {MODEL}.get('hidden').length === 1")
    steer(playground, "activation=relu&do=reset&goal=circle")
    until(playground, f"{MODEL}.get('goal') === 'circle' && {MODEL}.get('activation') === 'relu'")
    press(playground, "Step")  # what Python has, it says with the next picture
    until(playground, f"{EPOCH} === 1 && {MODEL}.get('summary').includes('4 ReLU units')")


def test_the_mark_of_clever_hans_is_moved_and_another_network_is_trained(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/08_interpretability.html")
    hans, before = named("hans"), ink(visit, "hans")
    frame = visit.page.locator(".dlcore-widget[data-name=hans]")
    frame.locator(".hans-tile", has_text="saliency").click()
    assert visit.page.workers == []  # to look at another map needs no Python
    steer(visit, "digit=4&marked=false")
    until(visit, f"!{hans}.get('marked') && {hans}.get('verdict').startsWith('It says 4')")
    frame.get_by_role("button", name="Mark to its corner").click()
    until(visit, f"{hans}.get('verdict').startsWith('It says 9')")
    assert ink(visit, "hans") != before
    assert frame.locator(".hans-tile", has_text="Grad-CAM").inner_text().endswith("not drawn")
    assert "NaN" not in frame.inner_text()  # what Python does not know comes to the page as undefined
    frame.locator("button[aria-label^='The mark']").press("Delete")
    until(visit, f"!{hans}.get('marked') && document.activeElement.name === 'marked'")
    frame.locator("[name=forgotten]").focus()
    visit.page.keyboard.press("ArrowRight")
    until(visit, f"{hans}.get('after').byteLength > 0")
    frame.locator("select[name=percent]").select_option("0")
    until(visit, f"{hans}.get('percent') === 0 && {hans}.get('steps') === 300 && !{hans}.get('running')")
    until(visit, f"{hans}.get('scores').every(right => right > 180)")
    frame.get_by_role("button", name="Reset").click()
    until(visit, f"{hans}.get('steps') === 0 && !{hans}.get('busy')")
    closed(visit)


def fill_by_hand(visit: Visit, here: BlameLedger) -> None:
    """Fill the page's ledger as a reader does; `here` is the same ledger, and knows the answers."""
    frame = visit.page.locator(".dlcore-widget[data-name=ledger]")
    while not here.done:
        until(visit, f"{named('ledger')}.get('at') === {here.at}")
        if here.question:
            right = round(here._ledger.answer(here.entry), 2)
            frame.locator("input[name=answer]").fill(str(right))
            frame.locator("input[name=answer]").press("Enter")
            here.do_answer(right)
        else:
            frame.get_by_role("button", name="Next", exact=True).click()
            here.do_next()


def test_blame_is_carried_back_and_a_bug_is_named_in_the_page(context: Any, address: str) -> None:
    visit = opened(context, f"{address}/chapters/06_backprop.html")
    ledger, broken = named("ledger"), named("broken")
    before = ink(visit, "ledger")
    steer(visit, "seed=0&at=8&goal=name-it")
    until(visit, f"{ledger}.get('at') === 8 && {ledger}.get('question').startsWith('The shares')")
    field = visit.page.locator(".dlcore-widget[data-name=ledger] input[name=answer]")
    field.fill("-6")
    field.press("Enter")
    until(visit, f"{ledger}.get('reached') && {ledger}.get('message').includes('overwritten')")
    assert ink(visit, "ledger") != before
    field.fill("")
    field.press("Enter")
    assert "Expected a number" in visit.page.locator(".dlcore-widget[data-name=ledger]").inner_text()
    steer(visit, "expression=neuron&rule=add&seed=0&at=0&goal=neuron")
    until(visit, f"{ledger}.get('expression') === 'neuron' && !{ledger}.get('reached')")
    fill_by_hand(visit, BlameLedger(expression="neuron"))
    until(visit, f"{ledger}.get('reached') && {ledger}.get('done')")
    frame = visit.page.locator(".dlcore-widget[data-name=broken]")
    frame.get_by_role("button", name="a wrong sign").press("Enter")
    until(visit, f"{broken}.get('feedback').startsWith('No')")
    until(visit, "document.activeElement.value === 'mean'")  # the next guess, for who goes by keyboard
    frame.get_by_role("button", name="Next mystery").click()
    until(visit, f"{broken}.get('seed') === 1 && {broken}.get('feedback') === ''")
    frame.get_by_role("button", name="Tell me").click()  # the source of the pass is there in the page, too
    until(visit, f"{broken}.get('told') && {broken}.get('code').some(line => line[2] && line[0] !== line[1])")
    closed(visit)


def test_a_rate_above_the_limit_diverges_and_a_hundred_networks_are_trained_in_the_page(
    context: Any, address: str
) -> None:
    visit = opened(context, f"{address}/chapters/05_training.html")
    race, seeds = named("race"), named("seeds")
    before = ink(visit, "race")
    steer(visit, "surface=quadratic&condition=50&learning_rate=0.45&batch=all&do=finish")
    until(visit, f"{race}.get('done') === 100 && {race}.get('results')[0].word === 'diverged'")
    verdict = "document.querySelector('.dlcore-widget[data-name=race] .ski-verdict').textContent"
    until(visit, f"{verdict}.includes('above it')")
    assert ink(visit, "race") != before
    steer(visit, "surface=neuron&batch=1&")
    until(visit, f"{race}.get('batch') === '1' && {race}.get('surface') === 'neuron'")
    # A race that is over is run again.
    visit.page.locator(".dlcore-widget[data-name=race] .dlcore-run").click()
    until(visit, f"{race}.get('running') && {race}.get('done') < 100")
    until(visit, f"{race}.get('done') === 100 && !{race}.get('running')")
    steer(visit, "do=reset&goal=luck")
    frame = visit.page.locator(".dlcore-widget[data-name=seeds]")
    frame.get_by_role("button", name="Run").click()
    until(visit, f"{seeds}.get('epoch') === 60 && !{seeds}.get('running')")
    until(visit, f"{seeds}.get('reached')")
    frame.get_by_role("button", name="Keep this result").click()
    until(visit, f"{seeds}.get('compared').startsWith('Kept: xor, width 3')")
    closed(visit)
