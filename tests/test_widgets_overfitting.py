"""Capacity dial, without a browser: its curves against the learner of the chapter, its goals, its sentences.

What it shows in a browser is tested in test_widgets_overfitting_view.py.
"""

import asyncio
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore.overfitting import RandomFeatures, error_rate
from dlcore.widgets import CapacityDial, capacity
from dlcore.widgets.capacity import POOL, TESTS, Dials, Study, pool, widths
from dlcore.widgets.capacity_dial import KNOTS
from tests.helpers import cpu_with_torch

BARE = Dials(0.2, 0.0, None)


def measured(**settings: Any) -> CapacityDial:
    """Return a dial whose curve is measured."""
    widget = CapacityDial(examples=40, **settings)
    while widget.advance():
        pass
    widget.show()
    return widget


def table(widget: CapacityDial) -> Any:
    return np.frombuffer(widget.curve, "<f4").reshape(-1, 7)


# ---------------------------------------------------------------------------------------------------- the study


@pytest.mark.parametrize("width", [5, 40, 90])
@pytest.mark.parametrize("dials", [BARE, Dials(0.0, 0.3, None), Dials(0.2, 0.1, 50)])
def test_a_point_is_what_the_chapters_learner_gets_wrong(width: int, dials: Dials) -> None:
    study = Study(40, (3, 8))
    found = study.point(width, dials)
    images, labels = pool()
    noisy = study.noisy(dials.label_noise)
    rows = [
        np.random.default_rng(np.random.SeedSequence(k, spawn_key=(2,))).permutation(POOL)[:40]
        for k in range(8)
    ]
    learner = RandomFeatures(width, penalty=dials.price, steps=dials.steps, classes=10)
    predict = learner(images[np.stack(rows)], noisy, range(8))
    outputs = predict(images[POOL:])
    np.testing.assert_allclose(found.test, [error_rate(own, labels[POOL:]) for own in outputs], atol=1e-6)
    known = predict(images[np.stack(rows)])
    wrong = [error_rate(own, t) for own, t in zip(known, noisy, strict=True)]
    np.testing.assert_allclose(found.train, wrong, atol=1e-6)
    ends = predict(np.stack([capacity.tested(3), capacity.tested(8)]))
    np.testing.assert_allclose(found.line[:, [0, -1]], ends, rtol=1e-4, atol=1e-6)


def test_the_share_of_wrong_labels_is_as_said() -> None:
    study = Study(40, (3, 8))
    assert ((study.noisy(0.25) != study.labels).mean(axis=1) == 0.25).all()
    assert len(pool()[0]) == POOL + TESTS


def test_no_test_digit_is_trained_on() -> None:
    images, _ = pool()
    assert len(np.unique(images, axis=0)) == len(images)


@pytest.mark.parametrize("examples", [20, 50, 100])
def test_there_is_a_width_at_the_threshold_and_many_about_it(examples: int) -> None:
    found = widths(examples)
    assert examples in found
    assert (found[0], found[-1]) == (2, 600)
    assert sum(0.8 * examples <= width <= 1.25 * examples for width in found) >= 5


@pytest.mark.parametrize("device", [cpu_with_torch])
def test_another_device_gets_the_same_wrong(device: str) -> None:
    for width in (10, 60):
        here, there = (
            Study(40, (3, 8), where).point(width, Dials(0.2, 0.1, None)) for where in ("numpy", device)
        )
        np.testing.assert_allclose(here.test, there.test, atol=1 / TESTS + 1e-9)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_peak_is_at_as_many_units_as_examples_and_wide_is_best(noise: float) -> None:
    widget = measured(label_noise=noise)
    curve = {round(row[0]): row[5] for row in table(widget)}
    inner = [width for width in curve if width >= 10]  # two units know nothing
    assert max(inner, key=curve.get) == 40  # type: ignore[arg-type]
    assert curve[600] < min(curve[width] for width in curve if width < 40)
    assert all(row[2] == 0 for row in table(widget) if row[0] >= 40)  # all learnt, wrong labels too


# ------------------------------------------------------------------------------------------------------- the dials


def test_a_dial_that_is_turned_measures_the_curve_anew() -> None:
    widget = measured(width=40)
    before = table(widget).copy()
    widget.penalty = -0.5
    assert widget.complete
    peak = widget.places.index(40)
    assert table(widget)[peak, 5] < before[peak, 5] - 10
    widget.penalty = -6
    np.testing.assert_array_equal(table(widget), before)


def test_nothing_is_measured_before_it_is_asked_for() -> None:
    widget = CapacityDial(examples=20)
    widget.penalty = 0
    assert (widget.done, widget.curve) == (0, b"")
    assert "not measured yet" in widget.summary


def test_dropout_is_the_penalty_that_the_chapter_says() -> None:
    by_dropout, by_penalty = measured(dropout=0.5), measured(penalty=0.0)
    np.testing.assert_array_equal(table(by_dropout), table(by_penalty))


def test_other_examples_need_another_curve() -> None:
    widget = measured()
    widget.examples = 30
    assert widget.places == widths(30)
    assert widget.complete
    assert len(table(widget)) == len(widget.places)


def test_stopping_early_leaves_the_noise_alone() -> None:
    late, early = measured(width=40), measured(width=40, stop=2.0)
    assert early.test_wrong < late.test_wrong - 10
    assert early.train_wrong >= late.train_wrong


def test_reset_takes_all_back() -> None:
    widget = measured(penalty=1.0, guess=[50.0] * 7)
    widget.do_reset()
    assert (widget.penalty, widget.examples, widget.guess, widget.done) == (-6, 100, [], 0)
    assert widget.places == widths(100)


def test_it_runs_in_a_loop_and_starts_again_when_a_dial_is_turned() -> None:
    async def go() -> CapacityDial:
        widget = CapacityDial(examples=20)

        async def until_rest() -> None:
            while widget.running:
                if widget._drawn is not None:
                    widget._drawn.set()
                await asyncio.sleep(0)

        widget.running = True
        await until_rest()
        assert widget.complete
        widget.penalty = 1.0
        assert widget.running
        await until_rest()
        return widget

    widget = asyncio.run(go())
    assert widget.complete
    assert table(widget)[:, 5].max() > 0


# ------------------------------------------------------------------------------------------------------- the goals


def test_the_goals_can_be_reached_and_are_not_reached_at_once() -> None:
    assert not CapacityDial(goal="guess").reached
    assert measured(goal="guess", guess=[60.0] * 7).reached
    peak = measured(goal="peak", width=20)
    assert not peak.reached
    peak.width = peak.worst_width
    assert peak.reached
    calm = CapacityDial(width=100, goal="calm")
    assert not calm.reached
    calm.penalty = -0.5
    assert calm.reached
    twin = CapacityDial(dropout=0.5, goal="twin")
    assert not twin.reached
    twin.dropout = 0
    assert not twin.reached
    twin.penalty = 0.0
    assert twin.reached
    much = CapacityDial(width=600, goal="too-much")
    assert not much.reached
    much.penalty = 0.0
    assert not much.reached
    much.penalty = 2.0
    assert much.reached


@pytest.mark.parametrize("how", [{"dropout": 0.5}, {"stop": 2.0}])
def test_the_peak_can_be_brought_down_by_each_remedy(how: dict[str, Any]) -> None:
    assert CapacityDial(width=100, goal="calm", **how).reached


# --------------------------------------------------------------------------------------------- sentences, state


def test_the_summary_says_what_is_to_be_seen() -> None:
    widget = measured(width=40, label_noise=0.2, stop=3.0, guess=[100.0] * 7)
    for words in (
        "40 digits, 20\u00a0% of the labels wrong",
        "no penalty, no dropout, stopped after 1,000 steps",
    ):
        assert words in widget.summary
    assert f"40 units: {widget.train_wrong:.0f}\u00a0% of the 40 answers" in widget.verdict
    off = np.mean(np.abs(100 - table(widget)[:, 5]))
    assert f"{off:.0f} points off" in widget.course


def test_a_stored_state_comes_back_with_its_curve() -> None:
    widget = measured(width=30, penalty=-1.0, guess=[40.0] * 7)
    state = dict(widget.get_state())
    again = CapacityDial.reopened(state)
    for name in ("curve", "done", "summary", "guess", "penalty", "line"):
        assert getattr(again, name) == getattr(widget, name), name


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("width", 1, "a whole number from 2 to 600"),
        ("examples", 200, "a whole number from 20 to 100"),
        ("label_noise", 0.9, "a number from 0 to 0.5"),
        ("penalty", 3, "a number from -6 to 2"),
        ("dropout", 1, "a number from 0 to 0.9"),
        ("guess", [1, 2], "7 numbers from 0 to 100"),
        ("guess", [101] * 7, "7 numbers from 0 to 100"),
        ("guess", "1234567", "7 numbers from 0 to 100"),
    ],
)
def test_what_is_not_allowed_is_refused_and_the_last_state_kept(name: str, value: Any, words: str) -> None:
    widget = CapacityDial(examples=20)
    before = widget.summary
    with pytest.raises(traitlets.TraitError, match=f"CapacityDial.{name}: expected .*{words}"):
        setattr(widget, name, value)
    assert widget.summary == before
    assert len(KNOTS) == 7


def test_the_picture_is_a_png() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    assert measured().picture().startswith(b"\x89PNG")
