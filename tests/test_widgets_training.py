"""Ski-slope race and One hundred seeds without a browser: the numbers, the sentences, what is refused.

What they show in a browser is tested in test_widgets_training_view.py.
"""

import asyncio
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore import optim, training
from dlcore.backprop import check_gradients
from dlcore.loss import binary_cross_entropy
from dlcore.widgets import OneHundredSeeds, SkiSlopeRace
from dlcore.widgets.crowd import BATCH, DATASETS, MEMBERS, POINTS, Crowd, network, points
from dlcore.widgets.one_hundred_seeds import MOST, SIDE, misled
from dlcore.widgets.race import RUNNERS, Race
from dlcore.widgets.ski_slope_race import SURFACES, about_limit
from dlcore.widgets.slopes import REACH, slope
from tests.helpers import cpu_with_torch, needs_torch

PLACES = np.array([[0.3, -0.2], [-2.0, 1.5], [2.5, 2.9]])


# --------------------------------------------------------------------------------------------------- the surfaces


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_and_hessians_of_a_surface_are_right(name: str) -> None:
    surface = slope(name)
    for place in PLACES:
        check_gradients(lambda w: surface.cost(w.reshape(1, 2), surface.x, surface.t).sum(), place)
    h = 1e-3
    for k, axis in enumerate(np.eye(2)):
        rows = (surface.gradients(PLACES + h * axis) - surface.gradients(PLACES - h * axis)) / (2 * h)
        np.testing.assert_allclose(surface.hessians(PLACES)[:, k], rows, atol=1e-4)


@pytest.mark.parametrize(("condition", "tilt"), [(1, 0), (50, 20), (100, 45)])
def test_the_quadratic_has_the_condition_and_the_tilt_that_were_asked_for(
    condition: float, tilt: float
) -> None:
    surface = slope("quadratic", condition, tilt)
    values, vectors = np.linalg.eigh(surface.x.T @ surface.x / len(surface.x))
    assert values == pytest.approx([0.1, 0.1 * condition])
    if condition > 1:
        valley = vectors[:, 0]
        assert math.degrees(math.atan(valley[1] / valley[0])) == pytest.approx(tilt, abs=1e-6)
    assert surface.bottom == pytest.approx([0, 0], abs=1e-6)
    assert surface.curvatures(PLACES) == pytest.approx([0.1 * condition] * 3, rel=1e-6)


@pytest.mark.parametrize("name", SURFACES)
def test_no_place_is_lower_than_the_bottom(name: str) -> None:
    surface = slope(name)
    assert np.abs(surface.bottom).max() < REACH
    np.testing.assert_allclose(surface.gradients(surface.bottom[None]), 0, atol=1e-6)
    side = np.linspace(-REACH, REACH, 61)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert surface.values(grid).min() >= surface.lowest - 1e-12


def test_the_two_layers_are_no_bowl_and_look_the_same_from_both_sides() -> None:
    surface = slope("two_layers")
    np.testing.assert_allclose(surface.values(PLACES), surface.values(-PLACES))
    assert np.linalg.eigvalsh(surface.hessians([[0.0, 0.0]])[0])[0] < -0.1  # a saddle


# ------------------------------------------------------------------------------------------------------- the race


@needs_torch
@pytest.mark.parametrize("name", SURFACES)
def test_the_runners_are_torchs(name: str) -> None:
    import torch

    surface = slope(name)
    race = Race(surface, [-1.5, 1.0], rates=(0.1, 0.05))
    race.advance(30)
    makers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    }
    for k, runner in enumerate(RUNNERS):
        w = torch.tensor([-1.5, 1.0], dtype=torch.float64, requires_grad=True)
        optimizer = makers[runner]([w])
        for _ in range(30):
            w.grad = torch.tensor(surface.gradients(w.detach().numpy()[None])[0])
            optimizer.step()
        np.testing.assert_allclose(race.path[k, -1], w.detach().numpy(), atol=1e-7)


@pytest.mark.parametrize(("share", "word"), [(0.98, "arrived"), (1.02, "diverged")])
def test_on_the_quadratic_two_over_lambda_is_the_limit(share: float, word: str) -> None:
    widget = SkiSlopeRace(learning_rate=share * 2 / 5.0, steps=300)
    assert widget.curvature == pytest.approx(5.0)
    widget.do_finish()
    assert widget.results[0]["word"] == word
    assert (f"{'above' if share > 1 else 'below'} it") in widget.verdict


def test_heavy_momentum_raises_the_limit_to_two_and_two_beta_over_lambda() -> None:
    for share, inside in ((0.97, True), (1.03, False)):
        race = Race(slope("quadratic"), [-2.0, 2.0], rates=(share * 2 * 1.9 / 5.0, 0.1), momentum=0.9)
        race.advance(300)
        assert (np.abs(race.path[1, -1]).max() < 3) == inside


@pytest.mark.parametrize(
    ("rate", "said"), [(0.1, "0.50."), (0.3, "−0.50. It overshoots"), (0.6, "= −2.00. It leaps")]
)
def test_the_factor_is_said(rate: float, said: str) -> None:
    assert said in about_limit(rate, 5.0, True)
    assert "no rate is too large" in about_limit(rate, -1.0, True)


def test_a_runner_that_is_lost_does_not_disturb_the_others() -> None:
    race, calm = (Race(slope("two_layers"), [-2, 2], rates=(rate, 0.1)) for rate in (10.0, 0.1))
    for each in (race, calm):
        each.advance(100)
    assert np.isfinite(race.path).all()
    np.testing.assert_array_equal(race.path[2:], calm.path[2:])


def test_batches_make_the_path_of_another_seed_another() -> None:
    ends = [SkiSlopeRace(batch="1", seed=seed) for seed in (0, 0, 1)]
    for each in ends:
        each.do_finish()
    assert ends[0].paths == ends[1].paths != ends[2].paths


# ------------------------------------------------------------------------------------------- the widget of the race


def test_a_changed_rule_lines_up_anew_and_a_prediction_does_not() -> None:
    widget = SkiSlopeRace()
    widget.do_finish()
    widget.guess = [0, 0]
    assert widget.done == widget.steps
    assert "away" in widget.judged
    widget.learning_rate = 0.2
    assert widget.done == 0


def test_all_of_a_race_comes_back_with_the_page() -> None:
    widget = SkiSlopeRace(surface="neuron", batch="4", seed=2, guess=[1, 1])
    widget.step(37)
    state = {name: getattr(widget, name) for name in widget.keys if not name.startswith("_")}
    again = SkiSlopeRace.restored(state)
    assert (again.done, again.paths, again.summary) == (37, widget.paths, widget.summary)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("start", [[-3, 3], [0, 0], [3, 3]])
@pytest.mark.parametrize("rate", [0.001, 10])
def test_the_race_ends_and_is_told_whatever_is_set(surface: str, start: list[float], rate: float) -> None:
    widget = SkiSlopeRace(
        surface=surface, start=start, learning_rate=rate, adaptive_rate=rate, steps=20, guess=[1, 1]
    )
    widget.do_finish()
    assert widget.done == 20
    assert "After 20 of 20 steps" in widget.summary
    assert "nan" not in widget.summary
    assert len(widget.picture()) > 5000


def test_the_goals_of_the_race_are_reached() -> None:
    solutions: dict[str, dict[str, Any]] = {
        "diverge": {"learning_rate": 0.5},
        "edge": {"learning_rate": 0.36},
        "all": {"learning_rate": 0.38, "adaptive_rate": 0.1, "momentum": 0.8},
        "predict": {"guess": [0.0, 0.0], "whom": "adam"},
    }
    assert solutions.keys() == SkiSlopeRace.goals.keys()
    for goal, settings in solutions.items():
        widget = SkiSlopeRace(goal=goal, **settings)
        assert not widget.reached
        widget.do_finish()
        assert widget.reached, goal


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": [4, 0]}, r"start: expected two numbers \[w1, w2\] from -3 to 3; received \[4, 0\]"),
        ({"start": []}, "start: expected two numbers"),
        ({"guess": [1]}, "or an empty list; received"),
        ({"batch": "7"}, "batch: expected one of all, 16, 4, 1"),
        ({"learning_rate": 11}, "learning_rate: expected a number from 0.001 to 10"),
    ],
)
def test_the_race_refuses_what_is_not_allowed(settings: dict[str, Any], message: str) -> None:
    widget = SkiSlopeRace()
    with pytest.raises(traitlets.TraitError, match=message):
        widget.set_trait(*next(iter(settings.items())))
    assert widget.start == [-2.4, 2.2]


# ------------------------------------------------------------------------------------------------ a hundred networks


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_member_is_what_a_sweep_trains_from_its_seed(optimizer: str) -> None:
    crowd = Crowd("xor", width=3, optimizer=optimizer, learning_rate=0.05, first=40)
    for _ in range(4):
        crowd.train()
    x, t = points("xor")
    makers = {"sgd": partial(optim.SGD, learning_rate=0.05), "adam": partial(optim.Adam, learning_rate=0.05)}
    runs = training.sweep(
        lambda rng: network(rng, 3),
        (x[: POINTS // 2], t[: POINTS // 2]),
        validation=(x[POINTS // 2 :], t[POINTS // 2 :]),
        metrics=training.accuracy,
        seeds=range(40, 44),
        loss=binary_cross_entropy,
        optimizer=makers[optimizer],
        epochs=4,
        batch_size=BATCH,
        progress=False,
    )
    losses, right = crowd.measure()
    np.testing.assert_allclose(losses[:4], runs.final["validation_loss"], rtol=2e-4)
    np.testing.assert_allclose(right[:4], runs.final["validation_accuracy"], atol=0.011)


@pytest.mark.parametrize("device", ["numpy", cpu_with_torch])
def test_every_device_trains_the_same_networks(device: str) -> None:
    crowds = [
        Crowd("circle", width=3, optimizer="sgd", learning_rate=0.1, device=each)
        for each in ("numpy", device)
    ]
    for crowd in crowds:
        crowd.train()
    np.testing.assert_allclose(crowds[0].measure()[0], crowds[1].measure()[0], rtol=1e-3)
    assert len(crowds[1].maps(5)) == MEMBERS * 25


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_points_are_shuffled_and_of_two_classes(dataset: str) -> None:
    x, t = points(dataset)
    assert x.shape == (POINTS, 2)
    for part in (t[: POINTS // 2], t[POINTS // 2 :]):
        assert 0.35 < part.mean() < 0.65


def test_a_map_is_what_the_network_says() -> None:
    crowd = Crowd("xor", width=2, optimizer="adam", learning_rate=0.03)
    crowd.train()
    maps = np.frombuffer(crowd.maps(3), np.int8).reshape(MEMBERS, 3, 3)
    corner = np.array([[-6.0, 6.0]], np.float32)  # x2 points up, so this is the first of the first row
    said = crowd.model(np.broadcast_to(corner, (MEMBERS, 1, 2))).numpy()[:, 0, 0]
    np.testing.assert_allclose(maps[:, 0, 0] / 127, np.tanh(said / 2), atol=0.005)


def test_how_often_single_runs_mislead_is_counted_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 10, 30) / 10, rng.integers(1, 10, 20) / 10
    better, worse = (one, other) if one.mean() > other.mean() else (other, one)
    pairs = [(a, b) for a in better for b in worse]
    expected = np.mean([b > a for a, b in pairs]), np.mean([a == b for a, b in pairs])
    assert misled(one, other) == misled(other, one) == pytest.approx(expected)


def test_the_same_settings_give_the_same_numbers_and_other_seeds_others() -> None:
    widget = OneHundredSeeds(epochs=5)
    widget.train(5)
    first = widget.curves
    widget.do_reset()
    assert widget.epoch == 0
    widget.train(5)
    assert widget.curves == first
    widget.do_draw()
    assert (widget.seed, widget.epoch) == (100, 0)


def test_curves_band_and_words_agree() -> None:
    widget = OneHundredSeeds(dataset="gaussian", epochs=8)
    widget.train(8)
    table = np.frombuffer(widget.curves, "<f4").reshape(-1, MEMBERS)
    band = np.frombuffer(widget.band, "<f4").reshape(-1, 3)
    assert widget.marks == list(range(9))
    for row, (low, middle, high) in zip(table, band, strict=True):
        assert abs(np.sum(row <= low) - 10) <= 2
        assert abs(np.sum(row <= high) - 90) <= 2
        assert low <= middle <= high
    right = np.frombuffer(widget.accuracies, "<f4")
    assert widget.solved == np.sum(right >= 0.95)
    assert f"{widget.solved} of 100" in widget.summary
    assert [right[k] for k in widget.order] == sorted(right, reverse=True)
    assert len(widget.maps) == MEMBERS * SIDE * SIDE
    assert len(widget.picture()) > 5000


def test_many_epochs_are_thinned_and_the_last_is_kept() -> None:
    widget = OneHundredSeeds(dataset="gaussian", width=1, epochs=130)
    widget.train(130)
    assert len(widget.marks) <= MOST
    assert (widget.marks[0], widget.marks[-1]) == (0, 130)


def test_a_crowd_that_diverges_is_told() -> None:
    widget = OneHundredSeeds(learning_rate=10, optimizer="sgd", epochs=20)
    widget.train(20)
    assert "nan" not in widget.summary
    assert widget.solved < 50


def test_the_goals_of_the_seeds_are_reached() -> None:
    assert set(OneHundredSeeds.goals) == {"luck", "sure", "misled"}
    widget = OneHundredSeeds(dataset="circle", width=4, goal="sure")
    widget.train(60)
    assert widget.reached
    widget = OneHundredSeeds(width=3, optimizer="sgd", learning_rate=0.1, goal="luck")
    widget.train(60)
    assert widget.reached
    widget.do_keep()
    widget.goal = "misled"
    widget.optimizer, widget.learning_rate = "adam", 0.03
    assert not widget.reached
    widget.train(60)
    assert widget.misled == misled(widget.kept["accuracies"], np.frombuffer(widget.accuracies, "<f4"))
    assert widget.reached


def test_keeping_needs_a_result() -> None:
    with pytest.raises(ValueError, match=r"there is no result yet\. Train the networks first"):
        OneHundredSeeds().do_keep()


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 17), ("optimizer", "newton"), ("epochs", 4), ("chosen", 101), ("dataset", "moon")],
)
def test_the_seeds_refuse_what_is_not_allowed(name: str, value: Any) -> None:
    widget = OneHundredSeeds()
    with pytest.raises(traitlets.TraitError, match=f"OneHundredSeeds.{name}: expected .* The widget keeps"):
        widget.set_trait(name, value)


def test_both_run_as_a_loop_that_waits_for_its_view() -> None:
    async def ran(widget: Any, done: Any) -> None:
        widget.running = True
        for _ in range(4000):
            if done():
                break
            widget._receive(widget, {"type": "drawn"}, [])
            await asyncio.sleep(0.001)
        assert not widget.running

    async def both() -> None:
        race, seeds = SkiSlopeRace(steps=20), OneHundredSeeds(dataset="gaussian", epochs=5)
        await ran(race, lambda: race.done == 20 and not race.running)
        await ran(seeds, lambda: seeds.epoch == 5 and not seeds.running)
        # Run, once more: from the beginning, to the same end.
        ends, shown = (race.losses, seeds.curves), []
        for widget, count in ((race, "done"), (seeds, "epoch")):
            widget.observe(lambda change: shown.append(change["new"]), names=count)
        await ran(race, lambda: race.done == 20 and not race.running)
        await ran(seeds, lambda: seeds.epoch == 5 and not seeds.running)
        assert shown[0] < 20
        assert shown[-5:] == [1, 2, 3, 4, 5]
        assert (race.losses, seeds.curves) == ends

    asyncio.run(both())


def test_an_end_that_is_brought_forward_begins_anew() -> None:
    race, seeds = SkiSlopeRace(steps=50), OneHundredSeeds(dataset="gaussian", epochs=10)
    race.do_finish()
    seeds.train(10)
    race.steps, seeds.epochs = 20, 5
    assert (race.done, seeds.epoch) == (0, 0)
    race.steps = 60
    race.do_finish()
    race.steps = 80  # farther away it is only more to go
    assert race.done == 60
