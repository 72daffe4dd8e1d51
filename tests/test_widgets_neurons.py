"""The two widgets of the chapter Neurons, without a browser: their numbers against closed forms, their sentences.

What they show in a browser is tested in test_widgets_neurons_view.py.
"""

import asyncio
import itertools
import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from dlcore import neurons
from dlcore.widgets import DragTheNeuron, PerceptronDuel
from dlcore.widgets.drag_the_neuron import (
    REACH,
    SHIFT,
    SIDE,
    STRETCH,
    TARGETS,
    TURN,
    Parameters,
    fewest_wrong_through_origin,
    miss,
    nearest,
    output_map,
    outputs,
    terms,
)
from dlcore.widgets.hulls import crossing, hull, strip, turn
from dlcore.widgets.line import cloud, count, number, pair, wrong
from dlcore.widgets.perceptron_duel import GRID, MOST_MISTAKES, MOST_POINTS, Learner, draw, judge, on_grid
from tests.helpers import cpu_with_torch, why_not

DEVICES = [
    "numpy",
    cpu_with_torch,
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(bool(why_not("cuda")), reason=str(why_not("cuda")))],
    ),
]
SETS = ["separable", "narrow", "chapter", "overlap", "xor"]


def table(points: Any, labels: Any) -> bytes:
    return np.column_stack([points, labels]).astype("<f8").tobytes()


# --------------------------------------------------------------------------------------------- points and words


def test_the_cloud_is_that_of_the_chapter() -> None:
    rng = np.random.default_rng(0)  # as the chapter draws it
    w, b = np.array([1.0, 2.0]), -1.5
    drawn = rng.uniform(-5, 5, size=(300, 2))
    away = neurons.distance(drawn, w, b)
    points, labels = cloud((1, 2), -1.5)
    np.testing.assert_array_equal(points, drawn[abs(away) >= 0.5])
    np.testing.assert_array_equal(labels, np.sign(away[abs(away) >= 0.5]))


def test_a_point_on_the_border_is_wrong_for_both_classes() -> None:
    points, labels = (
        np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]]),
        np.array([1.0, -1.0, 1.0, -1.0]),
    )
    assert wrong(points, labels, (1, 0), -1).tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (-0.004, "0.00"), (-0.006, "−0.01"), (12.345, "12.35")]
)
def test_numbers_have_a_true_minus_and_zero_has_none(value: float, text: str) -> None:
    assert number(value) == text


def test_words_for_pairs_and_counts() -> None:
    assert pair((1.5, -2)) == "(1.50, −2.00)"
    assert [count(n, "pass") for n in (0, 1, 2)] == ["0 passes", "1 pass", "2 passes"]
    assert count(1, "point") == "1 point"


# ------------------------------------------------------------------------------------------------------ hulls

GRID_POINT = st.tuples(st.integers(-4, 4), st.integers(-4, 4))
SOME_POINTS = st.lists(GRID_POINT, min_size=1, max_size=7)


def separable_by_brute_force(positive: list[Any], negative: list[Any]) -> bool:
    """Try, in fractions, all directions at a right angle to a segment between two of the points, or nearly so.

    If any direction separates, one of these does: between two of them the order of the points does not change.
    """
    points = [*positive, *negative]
    ways = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.permutations(points, 2) if a != b] or [(1, 0)]
    tilt = Fraction(1, 10**6)
    directions = [(x + s * tilt * y, y - s * tilt * x) for x, y in ways for s in (-1, 0, 1)]
    directions += [(-y, x) for x, y in directions]
    for u in directions:
        low = min(u[0] * x + u[1] * y for x, y in positive)
        high = max(u[0] * x + u[1] * y for x, y in negative)
        if low > high:
            return True
    return False


@given(SOME_POINTS, SOME_POINTS)
def test_crossing_says_exactly_whether_a_line_separates(positive: list[Any], negative: list[Any]) -> None:
    proof = crossing(positive, negative)
    assert bool(proof) != separable_by_brute_force(positive, negative)


@given(SOME_POINTS, SOME_POINTS)
def test_the_proof_is_one(positive: list[Any], negative: list[Any]) -> None:
    """At most four of the points, and no line separates even those."""
    proof = crossing(positive, negative)
    if not proof:
        return
    corners = [set(line) for line in proof]
    mine = next(side for side in (positive, negative) if corners[0] <= set(side))
    other = negative if mine is positive else positive
    assert corners[1] <= set(other)
    assert len(corners[0]) + len(corners[1]) <= 4
    assert not separable_by_brute_force(sorted(corners[0]), sorted(corners[1]))


@given(st.lists(GRID_POINT, min_size=1, max_size=12))
def test_a_hull_is_convex_and_holds_all_points(points: list[Any]) -> None:
    corners = hull(points)
    assert set(corners) <= set(points)
    if len(corners) > 2:
        for a, b, c in zip(corners, corners[1:] + corners[:1], corners[2:] + corners[:2], strict=True):
            assert turn(a, b, c) > 0
            assert all(turn(a, b, p) >= 0 for p in points)


def test_a_hull_of_points_on_a_line_has_two_corners() -> None:
    assert hull([(0, 0), (1, 1), (2, 2), (1, 1)]) == [(0, 0), (2, 2)]
    assert hull([(3, 3), (3, 3)]) == [(3, 3)]
    assert hull([]) == []


def test_crossing_is_exact_where_floats_would_round() -> None:
    """A point the smallest float above a segment, and one on it."""
    ends = [(0.1, 0.1), (0.7, 0.7)]
    assert crossing(ends, [(0.3, 0.3)])
    assert not crossing(ends, [(0.3, math.nextafter(0.3, 1))])


def test_one_place_with_both_classes_cannot_be_separated() -> None:
    assert crossing([(1, 1)], [(1, 1)]) == [[(1, 1), (1, 1)], [(1, 1), (1, 1)]]


def test_a_point_within_a_triangle_is_the_proof() -> None:
    assert crossing([(0, 0), (4, 0), (0, 4)], [(1, 1)]) == [[(0, 0), (4, 0), (0, 4), (0, 0)], [(1, 1)]]
    assert crossing([(1, 1)], [(0, 0), (4, 0), (0, 4)]) == [[(0, 0), (4, 0), (0, 4), (0, 0)], [(1, 1)]]


@pytest.mark.parametrize(
    ("positive", "negative", "weight", "bias"),
    [
        ([(2, 0)], [(0, 0)], (1, 0), -1),
        ([(3, 4)], [(0, 0), (-3, -4)], (0.24, 0.32), -1),
        ([(0, 2), (4, 2)], [(1, 0)], (0, 1), -1),  # nearest to the middle of a side
        ([(0, 2), (4, 2)], [(-2, 0), (5, 0)], (0, 1), -1),  # between two parallel sides
    ],
)
def test_the_widest_strip_in_cases_known_by_hand(
    positive: Any, negative: Any, weight: Any, bias: float
) -> None:
    found, b = strip(positive, negative)
    np.testing.assert_allclose([*found, b], [*weight, bias], atol=1e-12)
    mirrored, c = strip(negative, positive)
    np.testing.assert_allclose([*mirrored, c], [*(-w for w in weight), -bias], atol=1e-12)


@given(SOME_POINTS, SOME_POINTS)
def test_no_direction_has_a_wider_strip(positive: list[Any], negative: list[Any]) -> None:
    if crossing(positive, negative):
        return
    weight, bias = strip(positive, negative)
    points = np.array([*positive, *negative], float)
    labels = np.repeat([1.0, -1.0], [len(positive), len(negative)])
    half = neurons.margin(points, labels, weight, bias)
    np.testing.assert_allclose(half, 1 / math.hypot(*weight), rtol=1e-9)
    angles = np.linspace(0, 2 * np.pi, 720)
    along = np.stack([np.cos(angles), np.sin(angles)])
    widths = (np.array(positive, float) @ along).min(0) - (np.array(negative, float) @ along).max(0)
    assert widths.max() / 2 <= half + 1e-9


@pytest.mark.parametrize(("positive", "negative"), [([], [(0, 0)]), ([(0, 0)], []), ([(0, 0)], [(0, 0)])])
def test_a_strip_needs_two_classes_that_a_line_separates(positive: Any, negative: Any) -> None:
    with pytest.raises(ValueError, match="strip: expected two classes that a line separates; received"):
        strip(positive, negative)


# ----------------------------------------------------------------------------------------------- Drag the neuron

FORMULAS = {
    "step": lambda z: np.where(z > 0, 1.0, 0.0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "identity": lambda z: z,
}
OURS = Parameters(0.8, -1.2, 0.5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("activation", FORMULAS)
def test_outputs_are_f_of_the_weighted_sum(activation: str, device: str) -> None:
    points = np.random.default_rng(0).uniform(-6, 6, size=(50, 2))
    z, y = outputs(points, OURS, activation, device)
    wanted = points @ [0.8, -1.2] + 0.5
    np.testing.assert_allclose(z, wanted, atol=5e-6)
    np.testing.assert_allclose(y, FORMULAS[activation](wanted), atol=5e-6)


@pytest.mark.parametrize(
    ("activation", "z", "said"),
    [
        ("sigmoid", 6, "σ(6.00) > 0.99"),
        ("sigmoid", -40, "σ(−40.00) < 0.01"),
        ("sigmoid", 5.2, "σ(5.20) = 0.99"),
        ("tanh", 4, "tanh(4.00) > 0.99"),
        ("tanh", -4, "tanh(−4.00) < −0.99"),
        ("tanh", 0, "tanh(0.00) = 0.00"),
        ("step", 4, "step(4.00) = 1.00"),
        ("identity", 1, "1.00) = 1.00"),
    ],
)
def test_no_output_is_told_to_be_the_limit_that_it_never_reaches(
    activation: str, z: float, said: str
) -> None:
    widget = DragTheNeuron(activation=activation, w1=0, w2=0, b=z)
    assert widget.formula[2].endswith(said)


def test_the_formula_of_the_chosen_point_in_numbers() -> None:
    widget = DragTheNeuron(w1=0.8, w2=-1.2, b=0.5, x1=1.5, x2=0.6)
    assert widget.formula == [
        "z = 0.80·x₁ + (−1.20)·x₂ + 0.50",
        "here 0.80·1.50 + (−1.20)·0.60 + 0.50 = 0.98",
        "ŷ = σ(0.98) = 0.73",
    ]
    np.testing.assert_allclose([widget.z, widget.output], [0.98, 1 / (1 + math.exp(-0.98))], atol=1e-6)
    assert terms(Parameters(-1, 0, -0.001), "x₁", "x₂") == "(−1.00)·x₁ + 0.00·x₂ + 0.00"


def test_the_map_has_the_outputs_at_its_pixels_from_the_top() -> None:
    picture = np.frombuffer(output_map(OURS, "tanh"), np.int8).reshape(SIDE, SIDE)
    centre = REACH * ((2 * np.arange(SIDE) + 1) / SIDE - 1)
    x, y = np.meshgrid(centre, centre[::-1])
    wanted = 127 * np.tanh(0.8 * x - 1.2 * y + 0.5)
    assert np.abs(picture - wanted).max() <= 0.51
    assert picture[0, 0] == -127  # top left: x2 = 6, where the sum is far below 0


@pytest.mark.parametrize(
    ("activation", "output", "shade"),
    [
        ("step", 0, -127),
        ("sigmoid", 0.5, 0),
        ("relu", 0, 0),
        ("identity", 5, 127),
        ("identity", 50, 127),
        ("relu", 2.5, 64),
    ],
)
def test_the_ends_of_the_map_stand_for_the_ends_of_the_output(
    activation: str, output: float, shade: int
) -> None:
    bias = {"step": -1, "sigmoid": 0, "relu": output, "identity": output}[activation]
    assert set(np.frombuffer(output_map(Parameters(0, 0, bias), activation), np.int8).tolist()) == {shade}


def test_the_nearest_point_of_the_border_is_on_it_and_along_w() -> None:
    foot = nearest(np.array([3.0, 4.0]), Parameters(3, 4, -5))
    np.testing.assert_allclose(foot, [0.6, 0.8])  # a distance of 4 back along (3, 4) / 5
    assert nearest(np.array([3.0, 4.0]), Parameters(0, 0, 1)) == []


def test_a_neuron_that_is_its_target_hits_and_at_the_limits_too() -> None:
    for target in TARGETS.values():
        found = miss(target.goal, target, 0)
        assert found is not None
        assert found.hit
        assert found.turn == pytest.approx(0, abs=1e-4)
    target = TARGETS["steeper"]
    for factor, hits in (
        (1 - 0.9 * STRETCH, True),
        (1 + 0.9 * STRETCH, True),
        (1 + 1.1 * STRETCH, False),
        (0.5, False),
    ):
        found = miss(Parameters(*(factor * v for v in target.goal)), target, 0)
        assert found is not None
        assert found.hit is hits
        assert found.stretch == pytest.approx(factor)
    w, b = np.array([1.0, 2.0]), -1.5
    for degrees, shift, hits in (
        (0.9 * TURN, 0, True),
        (1.1 * TURN, 0, False),
        (0, 0.9 * SHIFT, True),
        (0, 1.1 * SHIFT, False),
    ):
        a = math.radians(degrees)
        turned = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) @ w
        found = miss(Parameters(*turned, b + shift * math.sqrt(5)), TARGETS["chapter"], 0)
        assert found is not None
        assert found.turn == pytest.approx(degrees, abs=1e-4)
        assert found.shift == pytest.approx(shift, abs=1e-9)
        assert found.hit is hits
        with_one_wrong = miss(Parameters(*turned, b + shift * math.sqrt(5)), TARGETS["chapter"], 1)
        assert with_one_wrong is not None
        assert not with_one_wrong.hit
    assert miss(Parameters(0, 0, 1), TARGETS["chapter"], 0) is None


def test_scaling_w_and_b_keeps_the_border_and_misses_only_where_it_counts() -> None:
    for name, factor in itertools.product(("origin", "chapter", "flipped"), (0.1, 7)):
        found = miss(Parameters(*(factor * v for v in TARGETS[name].goal)), TARGETS[name], 0)
        assert found is not None
        assert found.hit


def test_the_targets_teach_what_they_are_for() -> None:
    """One needs a bias, one only another length of w, one only other signs; none is hit where it starts."""
    for name, target in TARGETS.items():
        widget = DragTheNeuron(target=name)
        assert not widget.hit, name
        assert (widget.w1, widget.w2, widget.b) == target.start
    start, goal = TARGETS["steeper"].start, TARGETS["steeper"].goal
    assert start == Parameters(*(v * start.length / goal.length for v in goal))
    assert tuple(-v for v in TARGETS["flipped"].start) == TARGETS["flipped"].goal
    assert TARGETS["chapter"].goal.b != 0
    assert TARGETS["origin"].goal.b == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_best_border_through_the_origin_against_ten_thousand_tried(seed: int) -> None:
    points, labels = cloud((1, 2), -4.0 + 2 * seed, seed=seed)
    angles = np.linspace(0, 2 * np.pi, 10_000)
    sums = labels[:, None] * (points @ np.stack([np.cos(angles), np.sin(angles)]))
    tried = int((sums <= 0).sum(axis=0).min())
    assert fewest_wrong_through_origin(points, labels) == tried
    assert (tried == 0) is (seed == 2)  # that line goes through the origin


ADVICE = {
    "turn": ({"w1": 1, "w2": 0, "b": 0}, r"must still be turned by 63°"),
    "shift": (
        {"w1": 1, "w2": 2, "b": 0},
        r"must still be moved by 0\.67\. That is for the bias, and only for the bias",
    ),
    "sign": (
        {"w1": -1, "w2": -2, "b": 1.5},
        r"w points to the wrong side: 263 points wrong\. Change the sign",
    ),
    "nothing": ({"w1": 0, "w2": 0, "b": 1}, r"Both weights are 0: there is no border"),
    "hit": ({"w1": 2, "w2": 4, "b": -3}, r"^Hit: every point is on its side, and the borders agree\.$"),
}


@pytest.mark.parametrize("case", ADVICE)
def test_the_advice_names_what_is_still_wrong(case: str) -> None:
    settings, words = ADVICE[case]
    widget = DragTheNeuron(target="chapter", **settings)
    assert re.search(words, widget.advice)
    assert widget.hit is (case == "hit")
    assert widget.advice in widget.summary


def test_bigger_weights_do_not_move_the_line() -> None:
    widget = DragTheNeuron(target="steeper")
    assert "Multiply w1, w2 and b by one number; the border stays." in widget.advice
    widget.activation = "step"
    assert "A step has no degrees" in widget.advice
    widget.activation = "sigmoid"
    with widget.hold_trait_notifications():
        widget.w1, widget.w2, widget.b = 2.0, 4.0, -3.0
    assert widget.advice == "Hit: every point is on its side, and the neuron is as sure as its target."
    assert widget.hits == ["steeper"]


def test_without_a_bias_the_widget_says_why_the_target_cannot_be_hit() -> None:
    widget = DragTheNeuron(target="chapter", no_bias=True)
    points, labels = cloud((1, 2), -1.5)
    least = fewest_wrong_through_origin(points, labels)
    assert least > 0
    assert widget.b == 0
    assert "every border goes through the origin" in widget.advice
    assert "at a distance of 0.67" in widget.advice
    assert f"leaves {least} of {len(points)} points on the wrong side" in widget.advice
    seed = next(
        seed for seed in range(100) if fewest_wrong_through_origin(*cloud((1, 2), -1.5, seed=seed)) == 0
    )
    widget.seed = seed  # points between which another border fits
    assert "The best border through the origin misses it, though no point is wrong." in widget.advice
    widget.target = "origin"
    with widget.hold_trait_notifications():
        widget.w1, widget.w2 = 2.0, -1.0
    assert widget.hit


def test_no_bias_locks_b() -> None:
    widget = DragTheNeuron(b=2)
    widget.no_bias = True
    assert widget.b == 0
    message = r"DragTheNeuron\.b: expected 0 while no_bias is on; received 1\.0\. Set no_bias to False first"
    with pytest.raises(traitlets.TraitError, match=message):
        widget.b = 1
    assert widget.b == 0
    with pytest.raises(traitlets.TraitError, match=message):
        DragTheNeuron(no_bias=True, b=1)
    widget.set_state({"no_bias": False, "b": 1})
    assert (widget.no_bias, widget.b) == (False, 1.0)


def test_weights_whose_squares_vanish_draw_no_border() -> None:
    widget = DragTheNeuron(w1=1e-300, w2=0)
    assert "Both weights are 0, so there is no border." in widget.summary
    duel = PerceptronDuel(data="xor", own_line=True)
    duel.own_w1 = 1e-300
    assert duel.duel.startswith("Your line has")


def test_reset_goes_to_the_start_and_draw_to_other_points() -> None:
    widget = DragTheNeuron(target="chapter", w1=5, w2=5, b=5)
    before = widget.points
    widget.do_reset()
    assert (widget.w1, widget.w2, widget.b) == TARGETS["chapter"].start
    assert widget.points == before
    widget.do_draw()
    assert widget.seed == 1
    assert widget.points != before
    widget.seed = 0
    assert widget.points == before
    widget.seed = 9999
    widget.do_draw()
    assert widget.seed == 0


def test_choosing_a_target_starts_it_and_setting_it_does_not() -> None:
    widget = DragTheNeuron()
    widget.target = "steeper"
    assert (widget.w1, widget.w2, widget.b) == TARGETS["none"].start
    widget.do_choose("flipped")
    assert (widget.w1, widget.w2, widget.b) == TARGETS["flipped"].start
    with pytest.raises(traitlets.TraitError, match=r"DragTheNeuron\.target: expected one of none, origin"):
        widget.do_choose("moon")


def test_a_drag_of_three_numbers_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, said = DragTheNeuron(), []
    monkeypatch.setattr(widget, "_say", lambda *given: said.append(given))
    widget.set_state({"w1": 1.0, "w2": 2.0, "b": -1.0})
    assert len(said) == 1
    widget.set_state({"w1": 1.0, "w2": 2.0, "b": -1.0})
    assert len(said) == 1


def test_what_the_view_draws_belongs_to_the_points() -> None:
    widget = DragTheNeuron(activation="relu")
    points = np.frombuffer(widget.points, "<f4").reshape(-1, 3)
    answers = np.frombuffer(widget.answers, "<f4").reshape(-1, 2)
    sums = points[:, 0] * widget.w1 + points[:, 1] * widget.w2 + widget.b
    np.testing.assert_allclose(answers[:, 0], sums, atol=1e-5)
    np.testing.assert_allclose(answers[:, 1], np.maximum(sums, 0), atol=1e-5)
    right = int(np.sum(points[:, 2] * sums > 0))
    assert widget.score == f"{right} of {len(points)} points are on their side."


def test_the_levels_are_where_the_output_is_what_they_say() -> None:
    for activation, formula in FORMULAS.items():
        levels = DragTheNeuron(activation=activation).levels
        assert bool(levels) is (activation in ("sigmoid", "tanh"))
        for z, words in levels:
            assert formula(np.float64(z)) == pytest.approx(float(words.replace("−", "-")))


def test_a_restored_neuron_is_the_one_that_was_stored() -> None:
    widget = DragTheNeuron(target="steeper", w1=2, w2=4, b=-3)
    widget.do_choose("chapter")
    widget.w1 = 1.25
    twin = DragTheNeuron.restored(widget.get_state())
    assert (twin.w1, twin.w2, twin.b, twin.target, twin.hits) == (1.25, 1.0, 0.0, "chapter", ["steeper"])
    assert twin.summary == widget.summary


# ------------------------------------------------------------------------------------------------ Perceptron duel


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["separable", "narrow", "chapter"])
def test_the_learner_makes_the_mistakes_of_the_perceptron(name: str, device: str) -> None:
    """Stopped after each mistake, it must do what `Perceptron.fit` does in one go."""
    points, labels = draw(name, 0)[:, :2], draw(name, 0)[:, 2]
    learner = Learner(points, labels, device=device)
    while learner.next_mistake():
        pass
    perceptron = neurons.Perceptron(2, dtype="float64")
    record = perceptron.fit(points, labels, max_epochs=1000)
    assert record.converged
    assert learner.converged
    assert tuple(learner.rows) == record.rows
    assert tuple(learner.per_pass) == record.per_epoch
    np.testing.assert_array_equal(learner.states[-1][:2], perceptron.weight)
    assert learner.states[-1].b == float(perceptron.bias)
    assert not learner.next_mistake()


def test_the_duel_on_the_chapter_s_points_ends_as_the_chapter_does() -> None:
    points, labels = cloud((1, 2), -1.5)
    record = neurons.Perceptron(2, dtype="float64").fit(points, labels, max_epochs=100)
    widget = PerceptronDuel(data="chapter", mistakes=MOST_MISTAKES)
    assert (widget.mistakes, widget.over) == (record.total, True)
    assert widget.counts["passes"] == len(record.per_epoch)


def test_each_step_is_the_rule() -> None:
    points, labels = draw("overlap", 0)[:, :2], draw("overlap", 0)[:, 2]
    learner = Learner(points, labels)
    for _ in range(60):
        assert learner.next_mistake()
        row, before, after = learner.rows[-1], learner.states[-2], learner.states[-1]
        assert labels[row] * (points[row] @ before[:2] + before.b) <= 0
        np.testing.assert_array_equal(np.subtract(after[:2], before[:2]), labels[row] * points[row])
        assert after.b - before.b == labels[row]


def test_the_perceptron_goes_round_on_xor_for_ever() -> None:
    widget = PerceptronDuel(data="xor")
    assert widget.proof == [[[0, 1], [1, 0]], [[0, 0], [1, 1]]]
    while widget.step():
        pass
    assert widget.mistakes == 4
    assert "It will go round for ever: w = (0.00, 0.00), b = 0.00" in widget.ending
    assert "were met at the start and again after mistake 4" in widget.ending
    path = np.frombuffer(widget.trail, "<f4").reshape(-1, 5)[:, :3].tolist()
    assert path == [[0, 0, 0], [0, 0, -1], [0, 1, 0], [1, 1, 1], [0, 0, 0]]  # by hand
    widget.mistakes = 40  # nine times more, and it is where it was
    assert np.frombuffer(widget.trail, "<f4").reshape(-1, 5)[::4, :3].tolist() == [[0, 0, 0]] * 11


@pytest.mark.parametrize("seed", range(4))
def test_a_cycle_once_met_repeats(seed: int) -> None:
    data = draw("overlap", seed)
    learner = Learner(data[:, :2], data[:, 2])
    while learner.cycle is None:
        assert learner.next_mistake()
    first, again = learner.cycle
    for _ in range(again - first):
        learner.next_mistake()
    length = again - first
    assert learner.states[first : again + 1] == learner.states[again : again + length + 1]
    assert learner.rows[first:again] == learner.rows[again : again + length]
    assert len(set(learner.states[:again])) == again  # not met earlier


def test_equal_weights_before_another_point_are_no_cycle() -> None:
    """Zeros are met again after two mistakes, but with the other pair of points next."""
    points = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
    learner = Learner(points, np.array([1.0, -1.0, 1.0, -1.0]))
    for _ in range(2):
        learner.next_mistake()
    assert learner.states[2][:3] == learner.states[0][:3] == (0, 0, 0)
    assert learner.cycle is None
    for _ in range(2):
        learner.next_mistake()
    assert learner.cycle == (0, 4)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", range(3))
def test_the_sets_are_what_they_are_called(name: str, seed: int) -> None:
    data = draw(name, seed)
    points, labels = data[:, :2], data[:, 2]
    assert set(labels.tolist()) == {-1.0, 1.0}
    assert np.abs(points).max() <= 6
    assert on_grid(points) is (name != "chapter")
    np.testing.assert_array_equal(data, draw(name, seed))
    verdict = judge(points, labels)
    assert bool(verdict.proof) is (name in ("overlap", "xor"))
    assert bool(verdict.border) is not bool(verdict.proof)


@pytest.mark.parametrize("name", ["separable", "narrow", "chapter"])
@pytest.mark.parametrize("seed", range(3))
def test_the_mistakes_stay_below_novikoff_s_bound(name: str, seed: int) -> None:
    data = draw(name, seed)
    points, labels = data[:, :2], data[:, 2]
    verdict = judge(points, labels)
    made = neurons.Perceptron(2, dtype="float64").fit(points, labels, max_epochs=5000)
    assert made.converged
    assert made.total <= verdict.bound
    assert verdict.bound == pytest.approx((verdict.radius / verdict.gamma) ** 2)
    lengths = np.hypot(np.hypot(*points.T), 1)  # of (x, 1)
    assert verdict.radius == pytest.approx(lengths.max())
    w1, w2, b = verdict.border
    sums = labels * (points @ (w1, w2) + b) / math.sqrt(w1**2 + w2**2 + b**2)
    assert verdict.gamma == pytest.approx(sums.min())


def test_classes_that_are_missing() -> None:
    assert judge(np.empty((0, 2)), np.empty(0)) == ([], [], 0, 0, 0)
    empty = PerceptronDuel(data="own")
    assert "There are no points yet" in empty.summary
    assert not empty.step()
    empty.do_add(1, 1, 1)
    assert "All points are of one class" in empty.summary
    assert empty.step() and not empty.step()  # noqa: PT018 - one mistake, then nothing more
    assert empty.mistakes == 1


def test_the_story_of_a_mistake_in_numbers() -> None:
    widget = PerceptronDuel(data="own", points=table([[2, 1], [1, 1]], [1, -1]))
    assert widget.story.startswith("w = (0, 0) and b = 0: the sum is 0 at every point")
    widget.step()
    widget.step()
    assert widget.story == (
        "Mistake 2, in pass 1: point 2 at (1.00, 1.00), class −1, had y·z = −4.00. "
        "So w ← w − x = (1.00, 0.00) and b ← b − 1 = 0.00. Now y·z = −1.00, larger by |x|² + 1 = 3.00."
    )


def test_the_sentences_at_the_end_and_on_the_way() -> None:
    widget = PerceptronDuel(data="separable", mistakes=MOST_MISTAKES)
    made, passes = widget.counts["mistakes"], widget.counts["passes"]
    assert (
        widget.ending
        == f"It stopped: a whole pass without a mistake, after {made} mistakes and {passes} passes."
    )
    assert f"at most (R/γ)² = {widget.counts['bound']:,} mistakes" in widget.question
    on_the_way = PerceptronDuel(data="overlap", mistakes=5)
    assert "multiples of 0.25, so there are finitely many" in on_the_way.ending
    assert "have not come back yet" in on_the_way.ending
    off_grid = PerceptronDuel(
        data="own", mistakes=3, points=table([[0.1, 0], [0.3, 0], [0.2, 0]], [1, 1, -1])
    )
    assert "perceptron cycling theorem" in off_grid.ending
    assert "finitely many" not in off_grid.ending


def test_points_are_placed_on_the_grid_and_taken_away() -> None:
    widget = PerceptronDuel(data="xor", mistakes=3)
    widget.do_add(0.4, -0.6, 1)
    assert np.frombuffer(widget.points, "<f8").reshape(-1, 3)[-1].tolist() == [0.5, -0.5, 1]
    assert (widget.data, widget.mistakes) == ("own", 0)
    assert widget.limits == [-1.5, 2.5]  # what is shown does not jump
    widget.do_remove(0.45, -0.45)
    np.testing.assert_array_equal(np.frombuffer(widget.points, "<f8").reshape(-1, 3), draw("xor", 0))
    with pytest.raises(
        ValueError, match=r"PerceptronDuel: expected the place of a point; there is none at \(2, 2\)"
    ):
        widget.do_remove(2, 2)
    widget.do_clear()
    assert widget.points == b""
    with pytest.raises(ValueError, match="there is none at"):
        widget.do_remove(0, 0)


@pytest.mark.parametrize("x1", [None, math.nan, "1", [0], 10**400])
def test_no_point_is_taken_away_at_a_place_that_is_none(x1: Any) -> None:
    widget = PerceptronDuel(data="xor")
    with pytest.raises(ValueError, match="expected the place of a point; there is none at"):
        widget.do_remove(x1, 0)
    assert len(widget.points) == 4 * 3 * 8


def test_another_device_makes_the_same_mistakes() -> None:
    if reason := why_not("cpu"):
        pytest.skip(reason)
    widget = PerceptronDuel(data="narrow", mistakes=20)
    before = widget.trail
    widget.device = "cpu"
    assert widget._learner._x.__class__.__module__ == "torch"
    assert widget.trail == before


def test_the_end_of_the_widget_is_said_where_a_line_separates() -> None:
    points = table([[5, 5], [5, 5.0001], [-5, -5], [5.0001, 5]], [1, -1, 1, -1])
    widget = PerceptronDuel(data="own", points=points, mistakes=MOST_MISTAKES)
    assert widget.mistakes == MOST_MISTAKES
    assert widget.question.startswith("A line separates")
    assert widget.ending == f"{MOST_MISTAKES:,} mistakes are as far as this widget goes."


@pytest.mark.parametrize(
    ("x1", "x2", "label"),
    [(7, 0, 1), (0, -6.1, 1), (0, 0, 0), (math.nan, 0, 1), (None, 0, 1), ("1", 0, 1), (0, 10**400, 1)],
)
def test_a_point_outside_the_plane_or_of_no_class_is_refused(x1: Any, x2: Any, label: int) -> None:
    widget = PerceptronDuel()
    before = widget.points
    with pytest.raises(
        ValueError, match=r"PerceptronDuel: expected x1 and x2 from -6 to 6 and a class of -1 or \+1"
    ):
        widget.do_add(x1, x2, label)
    assert widget.points == before


def test_there_is_a_most_of_points() -> None:
    full = table(np.zeros((MOST_POINTS, 2)), np.ones(MOST_POINTS))
    with pytest.raises(ValueError, match=f"expected at most {MOST_POINTS} points. Remove one first"):
        PerceptronDuel(data="own", points=full).do_add(0, 0, 1)


@pytest.mark.parametrize(
    "given",
    [b"1234567", table([[7, 0]], [1]), table([[0, 0]], [2]), table([[math.nan, 0]], [1]), "text", 3, None],
)
def test_points_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(
        traitlets.TraitError, match=r"PerceptronDuel\.points: expected bytes of float64 \(n, 3\)"
    ):
        PerceptronDuel(points=given)


def test_other_points_or_another_set_start_anew() -> None:
    widget = PerceptronDuel(data="separable", mistakes=2)
    before = widget.points
    widget.do_draw()
    assert (widget.seed, widget.mistakes) == (1, 0)
    assert widget.points != before
    widget.seed = 0
    assert widget.points == before
    widget.step()
    widget.data = "xor"
    assert widget.mistakes == 0
    assert widget.limits == [-1.5, 2.5]
    widget.data = "own"  # and the points stay
    assert len(widget.points) == 4 * 24


def test_back_and_reset() -> None:
    widget = PerceptronDuel(data="chapter")
    states = [widget.trail]
    for _ in range(3):
        widget.do_next()
        states.append(widget.trail)
    widget.do_back()
    assert (widget.mistakes, widget.trail) == (2, states[2])
    widget.do_next()
    assert widget.trail == states[3]
    widget.do_reset()
    assert (widget.mistakes, widget.trail) == (0, states[0])
    widget.do_back()
    assert widget.mistakes == 0


def test_more_mistakes_than_there_are_become_those_there_are() -> None:
    widget = PerceptronDuel(data="separable")
    widget.mistakes = 1000
    assert widget.over
    assert widget.mistakes == widget.counts["mistakes"] < 1000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ((1, 0, -1), "Your line has 0 of 2 wrong and keeps 1.00 away from the nearest."),
        ((-1, 0, 1), "Your line has 2 of 2 wrong. The perceptron's has 2 of 2 wrong. The best"),
        ((1, 0, -0.5), "You lead."),
    ],
)
def test_the_duel_counts_both_lines_alike(line: Any, words: str) -> None:
    widget = PerceptronDuel(data="own", points=table([[2, 0], [0, 0]], [1, -1]), own_line=True)
    with widget.hold_trait_notifications():
        widget.own_w1, widget.own_w2, widget.own_b = map(float, line)
    assert words in widget.duel
    assert "The best possible border keeps 1.00 away." in widget.duel
    assert widget.duel in widget.summary


def test_who_leads() -> None:
    widget = PerceptronDuel(
        data="own", points=table([[2, 0], [0, 0]], [1, -1]), own_line=True, own_w1=1, own_b=-1
    )
    assert widget.duel.endswith("You lead.")
    widget.mistakes = MOST_MISTAKES
    w1, w2, b = np.frombuffer(widget.trail, "<f4").reshape(-1, 5)[-1, :3].tolist()
    keeps = min(2 * w1 + b, -b) / math.hypot(w1, w2)
    assert f"The perceptron's has 0 of 2 wrong and keeps {number(keeps)} away" in widget.duel
    assert keeps < 1
    assert widget.duel.endswith("You lead.")  # both have none wrong, and yours is farther away
    with widget.hold_trait_notifications():
        widget.own_w1, widget.own_b = w1, b
    assert widget.duel.endswith("A draw.")
    widget.own_b = 1.0
    assert widget.duel.endswith("The perceptron leads.")
    assert PerceptronDuel(data="xor", own_line=True).duel.count("No line has 0 wrong.") == 1
    widget.own_line = False
    assert widget.duel == ""


def test_run_makes_one_mistake_for_each_picture_and_stops_by_itself() -> None:
    async def run(name: str) -> PerceptronDuel:
        widget = PerceptronDuel(data=name)
        widget.running = True
        for mistakes in range(1, 20):
            for _ in range(10):
                await asyncio.sleep(0)
            if not widget.running:
                break
            assert widget.mistakes == mistakes
            widget._receive(widget, {"type": "drawn"}, [])
        assert not widget.running
        return widget

    assert asyncio.run(run("separable")).over
    assert asyncio.run(run("xor")).mistakes == 4


def test_the_end_of_the_widget_is_said() -> None:
    """Points that need more mistakes than the widget goes, and are off the grid."""
    points = table([[0.1, 0], [0.3, 0], [0.2, 0.0], [0.2, 1e-9], [5.9, 3.3]], [1, 1, -1, 1, -1])
    widget = PerceptronDuel(data="own", points=points, mistakes=MOST_MISTAKES)
    assert widget.mistakes == MOST_MISTAKES
    assert "have not come back yet" in widget.ending
    assert f"{MOST_MISTAKES:,} mistakes are as far as this widget goes" in widget.ending
    assert not widget.step()
    assert widget.mistakes == MOST_MISTAKES


def test_a_restored_duel_is_the_one_that_was_stored() -> None:
    widget = PerceptronDuel(data="chapter", mistakes=4, own_line=True, own_w2=2)
    twin = PerceptronDuel.restored(widget.get_state())
    assert (twin.trail, twin.points, twin.summary) == (widget.trail, widget.points, widget.summary)
    widget.do_add(1, 1, -1)
    widget.step()
    state = {name: memoryview(v) if isinstance(v, bytes) else v for name, v in widget.get_state().items()}
    twin = PerceptronDuel.restored(state)
    assert (twin.trail, twin.points, twin.data) == (widget.trail, widget.points, "own")


def test_the_grid_makes_sums_exact() -> None:
    assert math.log2(GRID).is_integer()
    assert not on_grid(np.array([[0.1, 0.2]]))
