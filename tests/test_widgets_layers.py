"""The two widgets of the chapter Layers: their mathematics, their sentences, what they refuse."""

import asyncio
import base64
import gzip
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore.arrays import to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.layers import Activation
from dlcore.widgets import BumpBuilder, PaperFolding, bumps, paper
from dlcore.widgets.bump_words import about_pieces, error_words
from dlcore.widgets.bumps import HIGH, LOW, Bumps

CONFIGURATIONS = [
    ("dense", "tanh", "spiral"),
    ("dense", "relu", "circle"),
    ("plane", "tanh", "spiral"),
    ("plane", "relu", "circle"),
]
every_network = pytest.mark.parametrize(("kind", "activation", "name"), CONFIGURATIONS)


def made_of(
    joints: list[float], slopes: list[float], weights: list[float] | None = None, bias: float = 0
) -> Bumps:
    rows = (np.array(v, float) for v in (joints, slopes, weights or [1.0] * len(joints)))
    return Bumps(*rows, bias)  # type: ignore[call-arg, arg-type]


# ---------------------------------------------------------------------------------------------- one hidden layer


def test_a_unit_changes_the_slope_at_its_joint_by_what_its_numbers_say() -> None:
    made = made_of([1.0, 2.5], [3.0, -2.0], [2.0, -0.5], bias=0.25)
    model = made.model()
    for joint, change in zip(made.joints, made.slopes, strict=True):
        h = 1e-3
        left, at, right = bumps.values(model, joint + np.array([-h, 0, h]))
        assert ((right - at) - (at - left)) / h == pytest.approx(change)


def test_the_shares_and_the_bias_are_the_network() -> None:
    made = made_of([1.0, 2.5, 6.0], [3.0, -2.0, 1.0], [2.0, -0.5, -1.0], bias=0.25)
    x = bumps.points()
    np.testing.assert_allclose(made.shares(x).sum(axis=0) + 0.25, bumps.values(made.model(), x), atol=1e-12)


def test_a_unit_of_negative_weight_is_on_at_the_left() -> None:
    made = made_of([2.0], [1.5], [-1.0])
    np.testing.assert_allclose(made.shares(np.array([0.0, 1.0, 3.0])), [[3.0, 1.5, 0.0]])


PIECES = [
    (made_of([], []), 1, "1 straight piece: one more than units"),
    (made_of([1.0], [2.0]), 2, "2 straight pieces: one more than units"),
    (made_of([0.75, 1, 2, 2.25], [4, -4, -4, 4]), 5, "5 straight pieces: one more than units"),
    (made_of([1, 1, 3], [1, 1, 1]), 3, "Fewer than 4, for units 1 and 2 bend at the same place."),
    (made_of([1, 1, 3], [1, -1, 1]), 2, "Fewer than 4, for units 1 and 2 bend at the same place."),
    (made_of([1, 3], [1, 0]), 2, "Fewer than 3, for the slope does not change at unit 2."),
    (made_of([0, 5, 3], [1, 1, 1]), 2, "units 1 and 2 bend at the edge of the picture or outside it."),
    (made_of([2, 2], [1, -1], [1, -1]), 1, "Fewer than 3, for units 1 and 2 bend at the same place."),
]


@pytest.mark.parametrize(("made", "pieces", "words"), PIECES)
def test_pieces_are_those_that_there_are_and_not_units_and_one(made: Bumps, pieces: int, words: str) -> None:
    assert made.curve().pieces == pieces
    assert words in about_pieces(made, pieces)


def test_a_unit_that_is_off_everywhere_is_called_so_and_does_not_move() -> None:
    bump = BumpBuilder(joints=[1, 5, -1, -1], slopes=[1, 1, 1, 1], weights=[1, 1, -1, 1], target="sine")
    assert bump.story.endswith("Units 2 and 3 are off all over the picture: training cannot bring them back.")
    bump.step()
    moved = [after != before for before, after in zip([1, 5, -1, -1], bump.joints, strict=True)]
    assert moved == [True, False, False, True]
    bump.joints = [1]
    assert "training" not in bump.story


def test_the_curve_goes_through_the_network_at_every_point() -> None:
    made = bumps.fitted(
        made_of([0.3, 0.9, 1.7, 3.1], [0] * 4), bumps.target("sine", bumps.points(), np.zeros(9))
    )
    line, x = made.curve(), np.linspace(LOW, HIGH, 1001)
    np.testing.assert_allclose(np.interp(x, *line), bumps.values(made.model(), x), atol=1e-9)


@pytest.mark.parametrize("name", bumps.TARGETS)
def test_no_other_heights_fit_better(name: str) -> None:
    wanted = bumps.target(name, bumps.points(), np.linspace(-1, 1, 9) ** 2)
    found = bumps.fitted(made_of([0.5, 1.5, 3.0], [9, 9, 9], [1, -2, 1]), wanted)

    def error(change: Any) -> float:
        near = Bumps(found.joints, found.slopes + change[:3], found.weights, found.bias + change[3])
        return float(np.mean((near.shares(bumps.points()).sum(axis=0) + near.bias - wanted) ** 2))

    rng = np.random.default_rng(0)
    assert all(error(np.zeros(4)) < error(0.01 * rng.standard_normal(4)) for _ in range(20))


def test_units_that_do_the_same_are_fitted_all_the_same() -> None:
    wanted = bumps.target("bump", bumps.points(), np.zeros(9))
    for joints in ([1.0, 1.0, 1.0], [1.0, 1.0 + 1e-9, 2.0]):
        found = bumps.fitted(made_of(joints, [0, 0, 0]), wanted)
        assert np.all(np.abs(found.slopes) < bumps.STEEPEST)


def test_the_targets_are_what_their_names_say() -> None:
    at = np.array([0.5, 1.0, 1.5, 2.0, 2.5])
    knots = np.arange(9.0)
    np.testing.assert_allclose(bumps.target("bump", at, knots), [0, 1, 1, 1, 0])
    np.testing.assert_allclose(bumps.target("sine", at, knots), np.sin(np.pi * at / 2))
    np.testing.assert_allclose(bumps.target("step", at, knots), [0, 0, 0, 1, 1])
    np.testing.assert_allclose(bumps.target("own", at, knots), [1, 2, 3, 4, 5])
    np.testing.assert_allclose(bumps.target("saw", np.array([0, 0.5, 1, 1.5, 4]), knots), [0, 1, 0, 1, 0])


def test_training_lowers_the_error_and_reads_back_what_the_network_is() -> None:
    wanted = bumps.target("sine", bumps.points(), np.zeros(9))
    start = made_of([0.5, 1.5, 2.5, 3.5], [1, -1, 1, -1], [1, 1, -1, 1])
    training = bumps.Training(start, wanted, 0.02, device="numpy")
    before = np.mean((bumps.values(training.model, bumps.points()) - wanted) ** 2)
    after = training.train(200)
    outputs = bumps.values(training.model, bumps.points())
    assert np.mean((outputs - wanted) ** 2) < before / 3
    np.testing.assert_allclose(after.shares(bumps.points()).sum(axis=0) + after.bias, outputs, atol=1e-9)


# -------------------------------------------------------------------------------------------------- wide and deep


@pytest.mark.parametrize("depth", range(1, 7))
def test_the_folded_network_doubles_its_pieces_with_each_layer(depth: int) -> None:
    model = bumps.folded(depth)
    assert bumps.curve(model).pieces == 2**depth
    np.testing.assert_array_equal(
        bumps.values(model, bumps.points()), bumps.fold(bumps.points() / HIGH, depth)
    )


@pytest.mark.parametrize("depth", range(1, 7))
def test_wide_and_deep_have_equally_many_units_and_parameters(depth: int) -> None:
    rng = np.random.default_rng(0)
    counts = []
    for kind in ("wide", "deep"):
        model = bumps.network(bumps.sizes(kind, depth), rng)
        counts.append((sum(bumps.sizes(kind, depth)[1:-1]), sum(p.size for p in model.parameters())))
    assert counts == [(2 * depth, 6 * depth + 1)] * 2
    assert sum(p.size for p in bumps.folded(depth).parameters()) == 6 * depth + 1


@pytest.mark.parametrize("kind", ["wide", "deep"])
def test_the_curves_of_a_race_are_those_of_its_networks(kind: str) -> None:
    race = bumps.Race(kind, 2, 0)
    race.train(150)
    wanted = bumps.fold(bumps.points() / HIGH, 2)
    found = [np.mean((np.interp(bumps.points(), *c) - wanted) ** 2) for c in race.curves(range(bumps.SEEDS))]
    np.testing.assert_allclose(found, race.errors(), rtol=1e-3, atol=1e-6)
    assert all(c.pieces <= 5 for c in race.curves(range(bumps.SEEDS))) or kind == "deep"


def test_a_race_goes_on_from_its_parameters() -> None:
    race, other = bumps.Race("deep", 2, 0), bumps.Race("deep", 2, 7)
    race.train(20)
    other.unpack(race.pack(), 20)
    np.testing.assert_array_equal(race.errors(), other.errors())
    with pytest.raises(ValueError, match="BumpBuilder: expected 208 parameters; received 3"):
        other.unpack(np.zeros(3, "<f4").tobytes(), 0)


# ------------------------------------------------------------------------------------------------- Bump builder


def test_four_units_make_the_bump_exactly() -> None:
    bump = BumpBuilder(joints=[0.75, 1, 2, 2.25], slopes=[4, -4, -4, 4])
    assert (bump.units, bump.pieces, bump.error) == (4, 5, 0.0)
    assert bump.score == ["4", "13", "5", "0.0000"]
    assert bump.terms[:2] == ["4.00·relu(x − 0.75)", "−4.00·relu(x − 1.00)"]
    assert bump.summary.startswith("Target: the bump. 4 units, 13 parameters, 5 straight pieces")


def test_a_number_of_units_makes_joints_and_joints_make_a_number() -> None:
    bump = BumpBuilder(units=4)
    assert bump.joints == [0, 1, 2, 3]
    bump.joints = [1, 2]
    assert (bump.units, len(bump.slopes), len(bump.weights)) == (2, 2, 2)
    bump.units = 3
    assert bump.joints == [1, 2, 3.0]
    bump.units = 0
    assert (bump.joints, bump.pieces, bump.terms) == ([], 1, [])
    assert bump.summary.startswith("Target: the bump. 0 units, 1 parameter, 1 straight piece")


def test_lists_that_come_together_are_taken_together() -> None:
    bump = BumpBuilder()
    bump.set_state({"joints": [1, 2, 3], "slopes": [1, -2, 1], "weights": [1, 1, -1], "target": "sine"})
    assert (bump.units, bump.slopes, bump.weights, bump.target) == (3, [1, -2, 1], [1, 1, -1], "sine")
    bump.set_state({"units": 2})
    assert (bump.joints, bump.slopes) == ([1, 2], [1, -2])


def test_units_are_added_removed_fitted_scattered_and_cleared() -> None:
    bump = BumpBuilder(joints=[1], target="sine")
    bump.do_add()
    assert bump.joints == [1, 2.5]
    bump.do_add(0.5)
    bump.do_remove(1)
    assert bump.joints == [2.5, 0.5]
    before = bump.error
    bump.do_fit()
    assert bump.error < before
    bump.do_scatter()
    first = bump.joints
    bump.do_scatter()
    assert len(bump.joints) == 2
    assert bump.joints != first
    bump.do_clear()
    assert bump.units == 0
    bump.do_fit()
    assert bump.bias == pytest.approx(0, abs=1e-6)  # a sine's mean


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda b: b.do_add(9), "BumpBuilder: expected a joint from 0 to 4; received 9"),
    (lambda b: b.do_add("x"), "BumpBuilder: expected a joint from 0 to 4; received 'x'"),
    (lambda b: b.do_remove(2), "BumpBuilder: expected a unit from 1 to 1; received 2"),
    (
        lambda b: setattr(b, "joints", [1] * 17),
        "BumpBuilder.joints: expected a list of 0 to 16 numbers from -100 to 100",
    ),
    (lambda b: setattr(b, "slopes", [math.nan]), "BumpBuilder.slopes: expected a list of 0 to 16 numbers"),
    (
        lambda b: setattr(b, "weights", [0.0]),
        "numbers from -100 to 100, none within 0.001 of 0; received [0.0]",
    ),
    (
        lambda b: setattr(b, "knots", [0.0]),
        "BumpBuilder.knots: expected a list of 9 numbers from -1.5 to 1.5",
    ),
    (
        lambda b: setattr(b, "units", 17),
        "BumpBuilder.units: expected a whole number from 0 to 16; received 17",
    ),
    (lambda b: BumpBuilder(units="many"), "BumpBuilder.units: expected a whole number from 0 to 16"),
]


@pytest.mark.parametrize(("act", "words"), REFUSED)
def test_what_cannot_be_is_refused_and_nothing_changes(act: Callable[[Any], Any], words: str) -> None:
    bump = BumpBuilder()
    before = bump.get_state()
    with pytest.raises((ValueError, traitlets.TraitError)) as caught:
        act(bump)
    assert words in str(caught.value)
    after = bump.get_state()
    assert all(before[name] == after[name] for name in ("joints", "slopes", "weights", "units", "summary"))


def test_there_is_a_last_unit() -> None:
    bump = BumpBuilder(units=16)
    with pytest.raises(ValueError, match=r"expected at most 16 units\. Remove one first"):
        bump.do_add()


def test_training_moves_the_joints_and_goes_on_from_what_the_reader_makes_of_it() -> None:
    bump = BumpBuilder(units=5, target="sine")
    bump.do_fit()
    before, joints = bump.error, bump.joints
    for _ in range(30):
        assert bump.step()
    assert bump.error < before
    assert bump.joints != joints
    bump.joints = [0, 1, 2, 3, 3.5]
    bump.step()
    np.testing.assert_allclose(bump.joints, [0, 1, 2, 3, 3.5], atol=0.5)


def test_without_units_there_is_nothing_to_train() -> None:
    bump = BumpBuilder(units=0)
    told: list[Any] = []
    bump.send = lambda content, buffers=None: told.append(content)
    assert not bump.advance()
    assert told == [{"type": "refused", "message": "BumpBuilder: expected a unit to train. Add one first"}]


@cache
def compared() -> Any:
    return BumpBuilder(view="compare", depth=3, steps=300)


def off(race: bumps.Race) -> int:
    """Return of how many networks a hidden layer is off at every place."""
    with no_grad():
        h, some = race._x, np.zeros(bumps.SEEDS, bool)
        for layer in race._all.layers[:-1]:
            h = layer(h)
            some |= isinstance(layer, Activation) & (to_numpy(h.data).max(axis=(1, 2)) == 0)
    return int(some.sum())


def test_the_comparison_says_what_was_found() -> None:
    hand, wide, deep = compared().entrants
    assert (hand["pieces"], hand["error"]) == (8, "0.0000")
    assert wide["pieces"] <= 7
    for part in (
        "6 units and 19 parameters each",
        "2³ = 8 pieces, more than the 7",
        "After 300 updates from 16 seeds",
    ):
        assert part in compared().verdict
    assert f"Pieces of the deep networks over the seeds: {deep['spread']}." in compared().verdict
    assert f"In {off(compared()._races['deep'])} of the 16 a whole layer is off" in compared().verdict
    assert compared().summary == compared().verdict
    points = np.frombuffer(compared().curves, "<f4").reshape(-1, 2)
    assert len(points) == sum(e["points"] for e in compared().entrants)


def test_the_best_of_the_seeds_is_the_best() -> None:
    for entrant, kind in zip(compared().entrants[1:], ("wide", "deep"), strict=True):
        assert entrant["error"] == error_words(compared()._races[kind].errors().min())


def test_other_depths_and_seeds_begin_untrained() -> None:
    bump = BumpBuilder(view="compare", depth=2, steps=20)
    bump.depth = 1
    assert bump.steps == 0
    assert "press Train" in bump.verdict
    assert "no more than the 3 that" in bump.verdict
    assert bump.step()
    assert bump.steps == 20
    bump.do_seeds()
    assert (bump.seed, bump.steps) == (16, 0)
    bump.set_state({"depth": 2, "steps": 20})
    assert (bump.depth, bump.steps) == (2, 20)


def test_the_comparison_is_restored_with_its_weights() -> None:
    again = BumpBuilder.restored(compared().get_state())
    assert again.entrants == compared().entrants
    assert again.curves == compared().curves


def test_while_it_is_trained_only_the_best_is_looked_at() -> None:
    async def run() -> Any:
        bump = BumpBuilder(view="compare", depth=1, running=True)
        await asyncio.sleep(0)
        during = [e["spread"] for e in bump.entrants]
        bump.running = False
        await asyncio.sleep(0.01)
        return during, [e["spread"] for e in bump.entrants]

    during, after = asyncio.run(run())
    assert during == ["", "", ""]
    assert after[0] == ""
    assert all(after[1:])


SOLUTIONS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "bump": ({}, lambda b: b.set_state({"joints": [0.75, 1, 2, 2.25], "slopes": [4, -4, -4, 4]})),
    "sine": (
        {"target": "sine"},
        lambda b: (setattr(b, "joints", [0, 0.7, 1.2, 3]), b.do_fit()),
    ),
    "fewer": ({}, lambda b: b.set_state({"joints": [1, 1], "slopes": [1, 2]})),
    "fold": ({"view": "compare", "depth": 1}, lambda b: setattr(b, "depth", 3)),
}


@pytest.mark.parametrize("goal", BumpBuilder.goals)
def test_every_task_of_the_bump_builder_can_be_done_and_is_not_done_before(goal: str) -> None:
    settings, solve = SOLUTIONS[goal]
    bump = BumpBuilder(**settings)
    bump.goal = goal
    assert not bump.reached
    solve(bump)
    assert bump.reached


def test_an_even_spread_of_four_units_does_not_solve_the_sine() -> None:
    bump = BumpBuilder(units=4, target="sine", goal="sine")
    bump.do_fit()
    assert not bump.reached


# -------------------------------------------------------------------------------------------------- Paper folding


@cache
def network(kind: str, activation: str, name: str, steps: int = 1200) -> Any:
    model = paper.build(kind, 3, activation, 1)
    paper.unpack(model, paper.trained(kind, 3, activation, name, 1, steps))
    return model


@pytest.mark.parametrize("name", ["spiral", "circle"])
def test_no_two_points_of_different_classes_lie_at_one_place(name: str) -> None:
    points, labels = paper.draw(name)
    assert points.shape == (200, 2)
    assert np.sum(labels > 0) == 100
    away = np.linalg.norm(points[labels > 0][:, None] - points[labels < 0], axis=2)
    assert away.min() > 0.05


@every_network
def test_the_stages_are_those_of_the_network(kind: str, activation: str, name: str) -> None:
    model, (points, _) = network(kind, activation, name), paper.draw(name)
    found = paper.stages(model, points)
    assert len(found) == len(paper.bends(model)) == (7 if kind == "dense" else 4)
    whole = model(Tensor((points / paper.SHRINK).astype(np.float32))).numpy()[:, 0]
    np.testing.assert_allclose(paper.output(model, points), whole, rtol=1e-4, atol=1e-4)
    if kind == "dense":
        bend = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation]
        for sums, values in zip(found[1::2], found[2::2], strict=True):
            np.testing.assert_allclose(bend(sums), values, atol=1e-6)


@every_network
def test_the_border_lies_where_the_output_is_nought(kind: str, activation: str, name: str) -> None:
    model = network(kind, activation, name)
    edge = paper.border(model)
    assert len(edge.points) > 20
    scale = np.std(paper.output(model, paper.draw(name)[0]))
    assert np.quantile(np.abs(paper.output(model, edge.points)), 0.99) < 0.01 * scale
    lengths = np.linalg.norm(edge.points[edge.links[:, 0]] - edge.points[edge.links[:, 1]], axis=1)
    assert lengths.max() <= math.sqrt(2) * 2 * paper.REACH / paper.CELLS + 1e-9


@every_network
def test_the_border_is_a_straight_line_in_the_last_picture(kind: str, activation: str, name: str) -> None:
    model, (points, _) = network(kind, activation, name), paper.draw(name)
    found = paper.stages(model, points)
    view = paper.views(found, paper.bends(model), paper.head(model)[0])[-1]
    line = view.of(paper.stages(model, paper.border(model).points)[-1])
    middle = line.mean(axis=0)
    direction = np.linalg.svd(line - middle)[2][0]
    normal = np.array([-direction[1], direction[0]])
    assert np.quantile(np.abs((line - middle) @ normal), 0.99) < 0.01
    # And the points lie on the sides that the network gives them.
    side = (view.of(found[-1]) - middle) @ normal
    given = paper.output(model, points)
    agree = np.mean((side > 0) == (given > 0))
    assert max(agree, 1 - agree) > 0.98


@every_network
def test_pictures_keep_lengths_and_are_turned_to_the_one_before(
    kind: str, activation: str, name: str
) -> None:
    model, (points, _) = network(kind, activation, name), paper.draw(name)
    found, bend = paper.stages(model, points), paper.bends(model)
    views = paper.views(found, bend, paper.head(model)[0])
    for k, view in enumerate(views):
        lengths = np.linalg.svd(view.axes)[1]
        np.testing.assert_allclose(lengths, [view.stretch, 1], atol=1e-9)
        assert view.stretch == 1 or (kind == "dense" and k > 0)
        flat = (found[k] - view.middle) @ np.linalg.qr(view.axes)[0]
        whole = np.sum((found[k] - found[k].mean(axis=0)) ** 2)
        assert view.share == pytest.approx(np.sum(flat**2) / whole)
        assert np.max(np.linalg.norm(view.of(found[k]), axis=1)) == pytest.approx(1 / 1.1)
        if k and not bend[k]:
            before = views[k - 1].of(found[k - 1])
            here = np.sum(view.of(found[k]) * before)
            for angle in np.linspace(0.1, 2 * np.pi, 12):
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                assert np.sum((view.of(found[k]) @ turn) * before) <= here + 1e-9


def test_a_picture_of_two_numbers_shows_all() -> None:
    model, (points, _) = network("plane", "tanh", "spiral"), paper.draw("spiral")
    views = paper.views(paper.stages(model, points), paper.bends(model), paper.head(model)[0])
    assert [view.share for view in views] == pytest.approx([1.0] * 4)


def test_principal_directions_show_most() -> None:
    model, (points, _) = network("dense", "tanh", "spiral"), paper.draw("spiral")
    found, bend = paper.stages(model, points), paper.bends(model)
    view = paper.views(found, bend, paper.head(model)[0])[2]
    rng = np.random.default_rng(0)
    centred = found[2] - found[2].mean(axis=0)
    for _ in range(50):
        axes = np.linalg.qr(rng.standard_normal((8, 2)))[0]
        assert np.sum((centred @ axes) ** 2) / np.sum(centred**2) <= view.share


def test_a_flat_cut_is_counted_as_it_is() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((200, 5))
    labels = np.sign(values @ [1, -2, 0.5, 0, 3] + 0.3)
    assert paper.separated(values, labels) == 200
    labels[:3] *= -1
    assert 195 <= paper.separated(values, labels) <= 199  # 197 by the cut above
    noise = np.sign(rng.standard_normal(200))
    assert paper.separated(np.zeros((200, 2)), noise) == max(np.sum(noise > 0), np.sum(noise < 0))


def test_no_line_separates_four_points_of_xor() -> None:
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    assert paper.separated(corners, np.array([-1.0, 1, 1, -1])) <= 3


def test_parameters_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="PaperFolding: expected 177 parameters; received 2"):
        paper.unpack(paper.build("dense", 3, "tanh", 0), np.zeros(2, "<f4").tobytes())


@cache
def folding() -> Any:
    return PaperFolding()


def test_the_network_of_the_widget_is_trained() -> None:
    assert folding().right == 200
    assert folding().story.endswith("seed 1, 2,000 updates. 200 of 200 points are on their side.")
    assert [s["name"] for s in folding().stages[:3]] == ["input", "layer 1, sums", "layer 1"]
    assert [s["depth"] for s in folding().stages] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert folding().stages[0]["right"] < 150 < folding().stages[-1]["right"] == 200


def test_what_the_view_needs_is_in_the_state() -> None:
    points, lines, along, edge = folding().counts
    stages = len(folding().stages)
    assert len(folding().frames) == 4 * stages * (points + lines * along + edge)
    units = sum(s["units"] for s in folding().stages)
    assert len(folding().values) == 2 * points * units
    links = np.frombuffer(folding().links, "<u2")
    assert links.max() < edge
    table = np.frombuffer(folding().places, "<f4").reshape(-1, 3)
    labels = np.frombuffer(folding().labels, np.int8)
    assert np.sum((table[:, 2] >= 0) == (labels > 0)) == folding().right


def test_the_state_is_small_enough_for_a_page() -> None:
    """Both widgets of the chapter together, as they travel: base64 in a page that the server compresses."""
    state = [v for w in (folding(), compared()) for v in w.get_state().values() if isinstance(v, bytes)]
    assert len(gzip.compress(base64.b64encode(b"".join(state)))) < 60_000


def test_the_network_is_restored_with_its_weights() -> None:
    state = folding().get_state() | {"depth": 1.5, "point": 7}
    again = PaperFolding.restored(state)
    assert (again.frames, again.summary, again.depth, again.point) == (
        folding().frames,
        folding().summary,
        1.5,
        7,
    )
    worse = np.zeros(177, "<f4").tobytes()
    assert PaperFolding.restored(state | {"parameters": worse}).right == 100


def test_training_goes_on_and_another_choice_begins_anew() -> None:
    sheet = PaperFolding(network="plane", layers=2, steps=50)
    before = sheet.frames
    assert sheet.step()
    assert sheet.steps == 70
    assert sheet.frames != before
    sheet.data = "circle"
    assert (sheet.steps, len(sheet.stages)) == (70, 3)
    assert sheet.right != 200 or sheet.stages[-1]["right"] == 200
    sheet.depth = 2.0
    sheet.layers = 1
    assert sheet.depth == 1.0


def test_training_again_is_another_seed_from_the_start() -> None:
    async def run() -> Any:
        sheet = PaperFolding(steps=30)
        sheet.do_again()
        await asyncio.sleep(0)
        seen = sheet.seed, sheet.steps, sheet.running, sheet.again
        sheet.do_choose("network", "plane")
        await asyncio.sleep(0)
        also = sheet.network, sheet.steps
        sheet.running = False
        await asyncio.sleep(0.01)
        return seen, also

    assert asyncio.run(run()) == ((2, 20, True, True), ("plane", 20))


def test_only_what_the_network_is_made_of_is_chosen() -> None:
    with pytest.raises(
        ValueError, match="PaperFolding: expected data, network, layers or activation; received 'seed'"
    ):
        PaperFolding(steps=0).do_choose("seed", 3)


def test_the_tasks_of_paper_folding_can_be_done_and_are_not_done_before() -> None:
    sheet = PaperFolding()
    sheet.goal = "separate"
    for depth in (0.5, 1.0, 2.5, 3.0):  # not the first one, or none at all
        sheet.depth = depth
        assert not sheet.reached
    sheet.depth = 2.0
    assert sheet.reached

    sheet.goal = "follow"
    sheet.depth = 3.0  # but with a point of the outer part of an arm
    assert not sheet.reached
    sheet.point = 5
    assert sheet.reached

    sheet.goal = "again"
    assert not sheet.reached
    sheet.again, sheet.seed = True, 2
    assert sheet.reached


@pytest.mark.parametrize("make", [BumpBuilder, PaperFolding])
def test_a_widget_computes_on_torch_what_it_computes_on_numpy(make: Any) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    if make is BumpBuilder:
        here, there = (make(units=4, target="sine", device=device) for device in ("numpy", "cpu"))
        for widget in (here, there):
            widget.step()
        np.testing.assert_allclose(there.joints, here.joints, atol=1e-9)
        assert there.error == pytest.approx(here.error)
    else:
        here, there = (make(network="plane", steps=20, device=device) for device in ("numpy", "cpu"))
        a, b = (np.frombuffer(w.parameters, "<f4") for w in (here, there))
        np.testing.assert_allclose(a, b, atol=1e-4)
