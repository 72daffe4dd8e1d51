"""Watch it learn without a browser: what it learns against torch, how a drawing becomes a digit, its sentences.

What it shows in a browser is tested in test_widgets_watch_it_learn_view.py.
"""

import asyncio
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import data
from dlcore.widgets import WatchItLearn, ink, watch_it_learn
from dlcore.widgets.line import chance, percent
from dlcore.widgets.watch_it_learn import EPOCH, MOST, MOST_WHICH, TRAIN, Learner, rows
from tests.helpers import cpu_with_torch, why_not

DEVICES = [
    "numpy",
    cpu_with_torch,
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(bool(why_not("cuda")), reason=str(why_not("cuda")))],
    ),
]
SEVEN = [[300, 200, 700, 200, 450, 500, 450, 850]]
place = st.integers(0, ink.FINE)
drawings = st.lists(
    st.lists(st.tuples(place, place), min_size=1, max_size=12).map(
        lambda points: [v for p in points for v in p]
    ),
    min_size=1,
    max_size=4,
)


# ------------------------------------------------------------------------------------------------ a drawing as a digit


def centre(picture: Any) -> Any:
    middles = np.arange(ink.SIDE) + 0.5
    return np.array([picture.sum(axis=0) @ middles, picture.sum(axis=1) @ middles]) / picture.sum()


def extent(picture: Any) -> tuple[int, int]:
    down, across = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    return int(np.ptp(across)) + 1, int(np.ptp(down)) + 1


@given(drawings)
@settings(deadline=None)
def test_a_drawing_is_centred_by_its_mass_and_fits_the_box(strokes: list[list[int]]) -> None:
    picture = ink.picture(strokes)
    assert picture.shape == (28, 28)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert max(extent(picture)) <= ink.BOX + 2  # the blurred rim is half a pixel on each side
    # A large drawing whose mass lies near its rim is cut by the paper's edge, in MNIST, too.
    if picture[[0, -1]].sum() + picture[:, [0, -1]].sum() == 0:
        np.testing.assert_allclose(centre(picture), 14, atol=0.25)


def test_size_and_place_on_the_pad_do_not_matter() -> None:
    small = [[250 + value // 4 for value in SEVEN[0]]]
    np.testing.assert_allclose(ink.picture(small), ink.picture(SEVEN), atol=0.06)


def test_proportions_are_kept() -> None:
    across, down = extent(ink.picture([[100, 100, 100, 900, 500, 900]]))
    assert down == pytest.approx(2 * across, abs=3)


def test_a_dot_stays_a_dot_and_no_drawing_is_white_paper() -> None:
    assert max(extent(ink.picture([[40, 980]]))) <= 4
    assert ink.picture([]).sum() == 0


def test_the_pen_is_as_broad_as_those_of_the_digits() -> None:
    """A vertical line is compared with the ones among the digits: ink in a row across the middle."""
    images, _ = data.digits("train", classes=(1,))
    digits = np.median(images[:, 12:16].sum(axis=2))
    line = np.median(ink.picture([[500, 100, 500, 900]])[12:16].sum(axis=1))
    assert line == pytest.approx(digits, rel=0.35)


# ------------------------------------------------------------------------------------------------------------ learning


def test_it_learns_from_the_training_digits_and_is_tested_on_the_others() -> None:
    images, labels = rows()
    assert len(images) == 10_000
    for part, chosen in (("train", slice(0, TRAIN)), ("test", slice(TRAIN, None))):
        known, digits = data.digits(part, flat=True)  # type: ignore[arg-type]
        np.testing.assert_array_equal(images[chosen], known)
        np.testing.assert_array_equal(labels[chosen], digits)


def test_each_epoch_looks_once_at_every_training_digit_and_at_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner, seen = Learner(0), []
    _, labels = rows()
    # Each row carries its own number, which the step notes in place of learning.
    numbered = watch_it_learn.Rows(
        np.repeat(np.arange(10_000, dtype=np.float32)[:, None], 784, axis=1), labels
    )
    monkeypatch.setattr(watch_it_learn, "rows", lambda: numbered)
    monkeypatch.setattr(learner, "_step", lambda x, t: seen.append(x[:, 0].astype(int)))
    monkeypatch.setattr(learner, "_test", lambda: None)
    learner.train(2 * EPOCH)
    first, second = np.concatenate(seen[:EPOCH]), np.concatenate(seen[EPOCH:])
    for epoch in (first, second):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(TRAIN))
    assert (first != second).any()


def test_twenty_steps_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="no second opinion: torch is not installed")
    learner = Learner(3)
    state = [torch.tensor(p.numpy().copy(), requires_grad=True) for p in learner.model.parameters()]
    order = np.random.default_rng((3, 0)).permutation(TRAIN)
    images, labels = rows()
    for batch in range(20):
        chosen = order[32 * batch : 32 * (batch + 1)]
        hidden = torch.relu(torch.tensor(images[chosen]) @ state[0] + state[1])
        error = torch.nn.functional.cross_entropy(hidden @ state[2] + state[3], torch.tensor(labels[chosen]))
        gradients = torch.autograd.grad(error, state)
        with torch.no_grad():
            for p, gradient in zip(state, gradients, strict=True):
                p.sub_(watch_it_learn.RATE * gradient)
    learner.train(20)
    for ours, theirs in zip(learner.model.parameters(), state, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), atol=2e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_devices_agree(device: str) -> None:
    widget, reference = WatchItLearn(device=device, steps=30), WatchItLearn(steps=30)
    np.testing.assert_allclose(widget.probabilities, reference.probabilities, atol=1e-3)
    assert widget.accuracy == pytest.approx(reference.accuracy, abs=0.003)


@pytest.mark.parametrize("seed", range(3))
def test_it_begins_as_a_die_and_reads_nine_of_ten_in_the_end(seed: int) -> None:
    widget = WatchItLearn(seed=seed)
    assert 0.03 < widget.accuracy < 0.2
    assert widget.test_loss == pytest.approx(np.log(10), abs=0.25)
    widget.steps = MOST
    assert widget.accuracy > 0.91
    assert widget.test_loss < 0.3


def test_the_number_of_weights_is_the_one_that_the_page_tells() -> None:
    assert sum(p.size for p in Learner(0).model.parameters()) == 25_450


def test_steps_by_hand_and_by_running_are_the_same() -> None:
    running, jumped = WatchItLearn(seed=2), WatchItLearn(seed=2)
    while running.steps < 240:
        running.advance()
        running.show()
    jumped.steps = running.steps
    assert running.get_state(["curve", "probabilities", "verdict"]) == jumped.get_state(
        ["curve", "probabilities", "verdict"]
    )


def test_going_back_is_starting_anew() -> None:
    widget = WatchItLearn(steps=60)
    widget.steps = 20
    assert widget.curve == WatchItLearn(steps=20).curve


def test_strides_grow_and_end_exactly_at_the_last_step() -> None:
    widget, strides = WatchItLearn(), []
    more = True
    while more:
        before = widget.steps
        more = widget.advance()
        widget.show()
        strides.append(widget.steps - before)
    assert widget.steps == MOST
    assert strides[:100] == [1] * 100
    assert max(strides) == watch_it_learn.HURRY
    assert strides[:-1] == sorted(strides[:-1])


def test_run_at_the_end_begins_again() -> None:
    async def run() -> int:
        widget = WatchItLearn(steps=MOST)
        widget.running = True
        before = widget.steps
        widget.running = False
        await asyncio.sleep(0)
        return before

    assert asyncio.run(run()) == 0


# ---------------------------------------------------------------------------------------------- what is shown and told


def test_the_curve_holds_every_tenth_step() -> None:
    widget = WatchItLearn(steps=45)
    curve = np.frombuffer(widget.curve, "<f4").reshape(-1, 3)
    np.testing.assert_array_equal(curve[:, 0], [0, 10, 20, 30, 40])
    assert curve[-1, 1] == pytest.approx(widget.accuracy)
    assert curve[-1, 2] == pytest.approx(widget.test_loss)


def test_the_picture_is_a_test_digit_or_the_drawing() -> None:
    widget = WatchItLearn(digit=7, which=4)
    images, _ = data.digits("test", classes=(7,), flat=True)
    np.testing.assert_array_equal(np.frombuffer(widget.shown, np.uint8), np.round(255 * images[4]))
    widget.strokes = SEVEN
    drawn = np.round(255 * ink.picture(SEVEN).ravel())
    np.testing.assert_array_equal(np.frombuffer(widget.shown, np.uint8), drawn)
    widget.do_clear()
    np.testing.assert_array_equal(np.frombuffer(widget.shown, np.uint8), np.round(255 * images[4]))


@pytest.mark.parametrize("digit", range(10))
def test_there_are_as_many_test_digits_of_each_kind_as_can_be_asked_for(digit: int) -> None:
    assert watch_it_learn.tested(digit, MOST_WHICH).shape == (784,)


def test_what_it_says_follows_from_the_probabilities() -> None:
    widget = WatchItLearn(seed=1, steps=1000, digit=3)
    assert sum(widget.probabilities) == pytest.approx(1, abs=1e-5)
    best = int(np.argmax(widget.probabilities))
    assert widget.verdict.startswith(f"It takes this 3 for {watch_it_learn.a(best)}, with ")
    assert widget.verdict.endswith("It is right." if best == 3 else "It is wrong.")
    assert widget.summary.startswith("After 1,000 steps, 32,000 digits looked at: it reads ")
    assert WatchItLearn(steps=1).summary.startswith("After 1 step, 32 digits looked at: ")
    widget.strokes = SEVEN
    assert widget.verdict.startswith("It takes your drawing for a ")
    assert WatchItLearn().summary.startswith("It has learnt nothing yet: ")


def test_a_trained_network_reads_a_clear_drawing() -> None:
    assert int(np.argmax(WatchItLearn(steps=MOST, strokes=SEVEN).probabilities)) == 7


def test_shares_in_sentences() -> None:
    words = ["less than 0.1\u00a0%", "5.0\u00a0%", "99.9\u00a0%", "more than 99.9\u00a0%"]
    assert [percent(share, 1) for share in (0.0004, 0.05, 0.9994, 0.9996)] == words
    assert [percent(share, 1) for share in (0, 1)] == ["0.0\u00a0%", "100.0\u00a0%"]
    # A softmax is neither, also where its float is.
    assert [chance(p) for p in (0, 0.05, 0.9994, 1)] == words


def test_the_tasks_are_done_when_they_are() -> None:
    widget = WatchItLearn(goal="learn")
    assert not widget.reached
    widget.steps = MOST
    assert widget.reached
    widget = WatchItLearn(goal="draw", steps=MOST)
    assert not widget.reached
    widget.strokes = SEVEN
    assert widget.reached == (max(widget.probabilities) > 0.9)


def test_an_untrained_network_does_no_task_by_luck() -> None:
    assert not WatchItLearn(goal="draw", strokes=SEVEN).reached


def test_little_is_stored_before_it_runs() -> None:
    state = WatchItLearn().get_state()
    stored = sum(
        len(v) if isinstance(v, bytes) else len(str(v)) for k, v in state.items() if not k.startswith("_")
    )
    assert stored < 10_000


# ----------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "strokes",
    [
        "line",
        [[1]],
        [[]],
        [[1, 2, 3]],
        [[0, 1001]],
        [[-1, 0]],
        [[0.5, 1]],
        [[True, 1]],
        [["1", "2"]],
        [[1, 2]] * 601,
        3,
    ],
    ids=lambda strokes: repr(strokes)[:20],
)
def test_what_is_no_drawing_is_refused(strokes: Any) -> None:
    widget = WatchItLearn(strokes=SEVEN)
    with pytest.raises(
        traitlets.TraitError, match=r"WatchItLearn\.strokes: expected a list of strokes.*keeps \[\[300"
    ):
        widget.strokes = strokes
    assert widget.strokes == SEVEN


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", MOST + 1, "a whole number from 0 to 2500"),
        ("digit", 10, "a whole number from 0 to 9"),
        ("which", -1, "a whole number from 0 to 150"),
        ("seed", "1", "a whole number from 0 to 9999"),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, value: Any, expected: str) -> None:
    widget = WatchItLearn(steps=20)
    before = widget.get_state()
    with pytest.raises(
        traitlets.TraitError, match=rf"WatchItLearn\.{name}: expected {expected}; received {value!r}"
    ):
        setattr(widget, name, value)
    assert widget.get_state() == before
