"""Pick a loss, without a browser: its fits against other ways to them, its descent, its goals, its sentences.

What it shows in a browser is tested in test_widgets_loss_view.py.
"""

import asyncio
import re
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from dlcore import loss
from dlcore.widgets import PickALoss
from dlcore.widgets.fits import LOSSES, STEEPEST, Line, Task, best, least_squares, separated
from dlcore.widgets.pick_a_loss import (
    FINE,
    FLAT,
    POINTS,
    REACH,
    about_bars,
    about_fit,
    about_move,
    drawn,
    small,
)
from tests.helpers import cpu_with_torch

PAIRS = [(problem, name) for problem, names in LOSSES.items() for name in names]
every_loss = pytest.mark.parametrize(("problem", "name"), PAIRS)


def task(problem: str, name: str, seed: int = 0, **more: Any) -> Task:
    x, t = np.array(drawn(problem, seed)).T
    return Task(x, t, problem, name, **more)


def floats(data: bytes, columns: int) -> Any:
    return np.frombuffer(data, "<f4").reshape(-1, columns)


# ------------------------------------------------------------------------------------------------ costs and slopes


@every_loss
def test_the_slopes_are_those_of_the_costs(problem: str, name: str) -> None:
    judged = task(problem, name)
    z = Line(0.7, 0.3).at(judged.x) + 0.013  # away from the kinks
    h = 1e-6
    measured = (judged.judge(z + h)[0] - judged.judge(z - h)[0]) / (2 * h)
    np.testing.assert_allclose(judged.judge(z)[1], measured, atol=1e-8)


@pytest.mark.parametrize(("problem", "name"), [pair for pair in PAIRS if pair[1] not in ("mae", "hinge")])
def test_the_bends_are_those_of_the_slopes(problem: str, name: str) -> None:
    judged = task(problem, name, delta=0.2)
    z = Line(0.7, 0.3).at(judged.x) + 0.013
    h = 1e-6
    measured = (judged.judge(z + h)[1] - judged.judge(z - h)[1]) / (2 * h)
    np.testing.assert_allclose(judged.bend(z), measured, atol=1e-8)


@pytest.mark.parametrize("device", [cpu_with_torch])
@every_loss
def test_another_device_gives_the_same_costs(problem: str, name: str, device: str) -> None:
    z = Line(0.7, 0.3).at(task(problem, name).x)
    for here, there in zip(
        task(problem, name).judge(z), task(problem, name, device=device).judge(z), strict=True
    ):
        np.testing.assert_allclose(here, there, rtol=1e-12)


# ------------------------------------------------------------------------------------------------ fits


@every_loss
@given(seed=st.integers(0, 300), delta=st.floats(0.1, 5))
def test_no_line_nearby_costs_less(problem: str, name: str, seed: int, delta: float) -> None:
    judged = task(problem, name, seed, delta=delta)
    line = best(judged)
    least = judged.value(line)
    rng = np.random.default_rng(0)
    for scale in (1e-3, 0.1, 2.0):
        for w, b in line + scale * rng.normal(size=(6, 2)):
            if abs(w) <= STEEPEST:
                assert judged.value(Line(w, b)) >= least - 1e-9, (w, b)


@pytest.mark.parametrize(
    ("problem", "name"), [("regression", "mse"), ("regression", "huber"), ("classification", "cross_entropy")]
)
@given(seed=st.integers(0, 100))
def test_a_smooth_bowl_has_no_slope_at_the_fit(problem: str, name: str, seed: int) -> None:
    judged = task(problem, name, seed)
    line = best(judged)
    if abs(line.w) < STEEPEST:
        assert np.abs(judged.gradient(line)).max() < 1e-8


def test_the_normal_equations_agree_with_numpy() -> None:
    x, t = np.array(POINTS["regression"]).T
    np.testing.assert_allclose(least_squares(x, t), np.polyfit(x, t, 1), rtol=1e-12)


def test_points_above_one_another_have_a_level_line() -> None:
    x, t = np.full(5, 2.0), np.array([0.0, 1.0, 2.0, 3.0, 10.0])
    assert best(Task(x, t, "regression", "mse")) == (0, pytest.approx(3.2))
    assert best(Task(x, t, "regression", "mae")) == (0, 2)


def test_the_absolute_error_goes_through_two_points_and_ignores_an_outlier() -> None:
    points = [[x, 0.5 * x] for x in range(-4, 5)]
    points[-1][1] = -6
    line = best(Task(*np.array(points).T, "regression", "mae"))
    assert line == pytest.approx((0.5, 0), abs=1e-12)


def test_the_hinge_has_the_widest_margin_between_separated_classes() -> None:
    x, t = np.array([-3.0, -1.0, 2.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0])
    line = best(Task(x, t, "classification", "hinge"))
    assert line == pytest.approx((2 / 3, -1 / 3))  # z = -1 at -1 and +1 at 2


@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_between_separated_classes_a_sigmoid_grows_ever_steeper(name: str) -> None:
    x, t = np.array([-0.4, -0.1, 0.1, 0.3]), np.array([0.0, 0.0, 1.0, 1.0])
    assert separated(x, t)
    judged = Task(x, t, "classification", name)
    assert best(judged).w == STEEPEST
    assert judged.value(Line(40, 0)) < judged.value(Line(STEEPEST, 0))


@pytest.mark.parametrize(
    ("x", "t", "answer"),
    [
        ([1, 2, 3], [0, 0, 1], True),
        ([1, 2, 3], [1, 1, 0], True),
        ([1, 3, 2], [0, 0, 1], False),
        ([1, 2, 2], [0, 0, 1], True),
        ([1, 2, 3], [1, 1, 1], True),
    ],
)
def test_separated(x: Any, t: Any, answer: bool) -> None:
    assert separated(np.array(x), np.array(t)) is answer


# ------------------------------------------------------------------------------------------------ the widget


@every_loss
def test_the_traits_are_the_mathematics(problem: str, name: str) -> None:
    picked = PickALoss(problem=problem, loss=name, w=0.8, b=-0.2)
    judged = picked.task_of()
    z = 0.8 * judged.x - 0.2
    cost, slope = judged.judge(z)
    np.testing.assert_allclose(floats(picked.rows, 4)[:, [0, 2, 3]].T, [z, cost, slope], rtol=1e-6, atol=1e-6)
    assert picked.value == pytest.approx(cost.mean())
    assert picked.slope == pytest.approx([np.mean(slope * judged.x), slope.mean()])
    assert not picked.fitted
    assert floats(picked.fit_curves, FINE).shape[0] == len(picked.allowed) == 3


def test_the_line_follows_the_fit_until_it_is_moved() -> None:
    picked = PickALoss()
    first = picked.w
    points = [list(pair) for pair in picked.points]
    points[-1][1] = -REACH
    picked.points = points
    assert picked.w < first - 0.2
    assert (picked.w, picked.b) == picked.line_of("mse")
    picked.w = 1.0
    assert not picked.fitted
    picked.points = points[:5]
    assert picked.w == 1.0
    picked.do_fit()
    assert picked.w == picked.line_of("mse").w


def test_each_problem_has_its_losses_and_its_points() -> None:
    picked = PickALoss()
    picked.problem = "classification"
    assert (picked.loss, picked.points) == ("mse", POINTS["classification"])
    picked.loss = "hinge"
    picked.problem = "regression"
    assert (picked.loss, picked.points, picked.allowed) == (
        "mse",
        POINTS["regression"],
        ["mse", "mae", "huber"],
    )


def test_two_settings_that_go_together_are_set_together() -> None:
    picked = PickALoss()
    picked.set_state(
        {"loss": "cross_entropy", "problem": "classification", "points": [[-1, 0], [0, 1], [1, 0]]}
    )
    assert (picked.problem, picked.loss, len(picked.points)) == ("classification", "cross_entropy", 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"loss": "hinge"},
            r"PickALoss.loss: expected one of mse, mae, huber in a regression; received 'hinge'",
        ),
        (
            {"problem": "classification", "loss": "mae"},
            r"expected one of cross_entropy, mse, hinge in a classification; received 'mae'",
        ),
        (
            {"problem": "classification", "points": [[0, 0], [1, 2], [2, 1]]},
            r"expected each t to be 0 or 1 in a classification; received 2",
        ),
        ({"points": [[0, 0], [1, 1]]}, r"PickALoss.points: expected a list of 3 to 24 pairs"),
        ({"points": [[0, 0], [1, 1], [7, 0]]}, r"x from -6 to 6"),
        ({"points": [[0, 0], [1, 1], [float("nan"), 0]]}, r"received \[\[0, 0\], \[1, 1\], \[nan, 0\]\]"),
        ({"points": "abc"}, r"received 'abc'"),
        ({"delta": 0}, r"PickALoss.delta: expected a number from 0.1 to 5; received 0"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_sentence(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words):
        PickALoss(**settings)


def test_a_refused_loss_leaves_all_as_it_was() -> None:
    picked = PickALoss()
    before = {key: value for key, value in picked.get_state().items() if not key.startswith("_")}
    with pytest.raises(traitlets.TraitError, match="Set problem together with loss"):
        picked.loss = "hinge"
    assert {key: picked.get_state()[key] for key in before} == before


def test_a_step_is_a_step_of_gradient_descent() -> None:
    picked = PickALoss(problem="classification", loss="cross_entropy")
    picked.do_start()
    x, t = np.array(picked.points).T
    gradient = [np.mean((0.5 - t) * x), np.mean(0.5 - t)]
    picked.do_step()
    assert (picked.w, picked.b) == pytest.approx((-0.2 * gradient[0], -0.2 * gradient[1]))
    assert picked.value == pytest.approx(loss.binary_cross_entropy(picked.w * x + picked.b, t).item())
    assert floats(picked.history, 2)[:, 0] == pytest.approx([np.log(2), picked.value])
    assert picked.spent == {"cross_entropy": 1}


@pytest.mark.parametrize(("problem", "name"), [("regression", "mse"), ("regression", "huber"), PAIRS[3]])
def test_descent_ends_at_the_fit(problem: str, name: str) -> None:
    picked = PickALoss(problem=problem, loss=name)
    picked.do_start_wrong()
    for _ in range(3000):
        if not picked.step():
            break
    assert (picked.w, picked.b) == pytest.approx(picked.line_of(name), abs=1e-4)


def test_the_squared_error_is_stuck_where_cross_entropy_gets_away() -> None:
    picked = PickALoss(problem="classification", loss="mse")
    picked.do_start_wrong()
    for _ in range(100):
        picked.step()
    assert (picked.right, round(picked.w, 1)) == (2, -6.0)
    picked.loss = "cross_entropy"
    for _ in range(100):
        picked.step()
    assert picked.right == 10
    assert "100 steps of MSE, then 100 steps of cross-entropy" in picked.story


def test_steps_that_are_too_long_end_with_a_word() -> None:
    picked = PickALoss(loss="mse", learning_rate=1)
    picked.do_start()
    for _ in range(20):
        if not picked.step():
            break
    assert "it is too long. Lower the learning rate." in picked.story
    assert abs(picked.w) <= STEEPEST


def test_it_runs_until_nothing_moves() -> None:
    async def run() -> Any:
        picked = PickALoss(loss="mse")
        picked.do_start()
        picked.running = True
        while picked.running:
            await asyncio.sleep(0)
            picked._receive(None, {"type": "drawn"}, [])
        return picked

    picked = asyncio.run(run())
    assert np.hypot(*picked.slope) < 10 * FLAT
    assert picked.spent["mse"] == len(picked.history) // 8 - 1


# ------------------------------------------------------------------------------------------------ goals


def test_the_outlier_is_a_task_that_one_point_does() -> None:
    picked = PickALoss(goal="outlier")
    assert not picked.reached
    points = [list(pair) for pair in picked.points]
    points[-1][1] = -4.0
    picked.points = points
    assert picked.reached


def test_loss_and_right_points_can_go_apart() -> None:
    picked = PickALoss(problem="classification", loss="cross_entropy", goal="apart")
    with picked.hold_trait_notifications():
        picked.w, picked.b = 8.0, 10.0
    assert (picked.right, picked.reached) == (11, False)
    picked.do_fit()
    assert (picked.right, picked.reached) == (10, True)
    assert re.search(r"the loss fell by .*; the number of right points went from 11 to 10\.", picked.move)


def test_a_small_step_changes_the_loss_alone() -> None:
    picked = PickALoss(problem="classification", loss="cross_entropy", goal="flat", w=0.5, b=0)
    assert not picked.reached
    picked.do_step()
    assert picked.reached


def test_the_escape_needs_the_detour() -> None:
    picked = PickALoss(problem="classification", loss="cross_entropy", goal="escape")
    picked.do_start_wrong()
    for _ in range(60):
        picked.step()
    assert (picked.right, picked.reached) == (10, False)  # not a step with the squared error
    picked.loss = "mse"
    picked.do_start_wrong()
    for _ in range(50):
        picked.step()
    assert not picked.reached
    picked.loss = "cross_entropy"
    for _ in range(60):
        picked.step()
    assert picked.reached


# ------------------------------------------------------------------------------------------------ restored, in words


def test_a_page_in_the_middle_of_a_descent_is_restored() -> None:
    picked = PickALoss(problem="classification", loss="cross_entropy", seed=3)
    picked.do_start_wrong()
    for _ in range(7):
        picked.step()
    state = picked.get_state()
    restored = PickALoss.reopened(state)
    for name in ("summary", "history", "rows", "curve", "fits", "spent", "moved", "began", "points"):
        assert getattr(restored, name) == getattr(picked, name), name
    picked.step()
    restored.step()
    assert restored.history == picked.history


@pytest.mark.parametrize("problem", list(LOSSES))
def test_other_points_come_from_the_next_seed(problem: str) -> None:
    picked = PickALoss(problem=problem)
    picked.do_draw()
    assert (picked.seed, picked.points) == (1, drawn(problem, 1))
    points = [list(pair) for pair in picked.points]
    points[0][0] = 5.5
    picked.points = points
    picked.do_reset()
    assert picked.points == drawn(problem, 1) != drawn(problem, 2)


def test_the_sentences() -> None:
    assert "all 66 pairs were tried" in about_fit(task("regression", "mae"))
    assert "normal equations" in about_fit(task("regression", "mse"))
    assert "no bowl" in about_fit(task("classification", "mse"))
    apart = Task(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]), "classification", "cross_entropy")
    assert "falls as long as w grows" in about_fit(apart)
    assert "No bar is longer than δ = 0.30" in about_bars(task("regression", "huber", delta=0.3), Line(3, 0))
    assert "Every bar is as long" in about_bars(task("regression", "mae"), Line(3, 0.013))
    on_line = Task(np.arange(3.0), np.arange(3.0), "regression", "mse")
    assert about_bars(on_line, Line(1, 0)).startswith("No bar is long enough")
    words = about_bars(task("classification", "mse"), Line(-6, 0))
    assert words.startswith("Point 1 costs most: it is on the wrong side, its own class is given below 0.001")
    assert words.endswith("and its bar is below 0.001.")
    assert about_move({}) == ""
    assert (
        about_move({"loss": [1.0, 1.00001], "right": []})
        == "The last move: the loss rose by less than 0.0001."
    )
    assert about_move({"loss": [1.0, 0.5], "right": [3, 3]}).endswith("the number of right points stayed 3.")
    assert small(-1e-5) == "below 0.001"
