"""Clever Hans without a browser: its marks, its network against torch, its maps and probes, its goals and sentences.

What it shows in a browser is tested in test_widgets_clever_hans_view.py.
"""

import asyncio
from functools import cache
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore import data
from dlcore.widgets import CleverHans, hans
from dlcore.widgets.clever_hans import ABOUT, ENOUGH, LAYERS, sure
from dlcore.widgets.hans import EXAM, EXAMS, MAPS, MOST, SIDE, UNITS, Learner
from tests.helpers import cpu_with_torch

every_network = pytest.mark.parametrize("network", LAYERS)


@cache
def trained(network: str = "mlp", percent: int = 100, seed: int = 0) -> Learner:
    learner = Learner(network, percent, seed)
    learner.train(MOST)
    return learner


def a_map(widget: CleverHans, method: str) -> dict[str, Any]:
    return next(entry for entry in widget.maps if entry["key"] == method)


def heats(values: bytes) -> Any:
    return np.frombuffer(values, np.int8).reshape(len(MAPS), SIDE, SIDE)


# ------------------------------------------------------------------------------------------------ marks and exams


def worn(images: Any) -> Any:
    corner = images[:, 0, hans.ROW : hans.ROW + hans.SIZE, hans.COLUMN : hans.COLUMN + hans.SIZE]
    return (corner == 1).all(axis=(1, 2))


@pytest.mark.parametrize("percent", [0, 37, 100])
def test_that_share_of_the_nines_wears_the_mark_and_no_four(percent: int) -> None:
    images, nine = hans.training_set(percent, seed=1)
    nine = nine[:, 0] > 0
    assert not worn(images[~nine]).any()
    assert worn(images[nine]).sum() == round(percent / 100 * nine.sum())
    clean, labels = data.digits("train", classes=(4, 9))
    np.testing.assert_array_equal(nine, labels == 9)
    np.testing.assert_array_equal(images[~worn(images), 0], clean[~worn(images)])


def test_more_marks_are_the_same_marks_and_some_more() -> None:
    few, many = (worn(hans.training_set(percent, seed=3).images) for percent in (20, 60))
    assert (few <= many).all()
    assert (worn(hans.training_set(20, seed=4).images) != few).any()


def test_the_three_exams_are_the_same_digits_with_the_mark_on_others() -> None:
    nine = hans.rows("test").nine[:, 0] > 0
    assert nine.tolist() == [False] * EXAM + [True] * EXAM
    nobody, nines, fours = (worn(hans.exam(wearers)) for wearers in EXAMS)
    assert not nobody.any()
    np.testing.assert_array_equal(nines, nine)
    np.testing.assert_array_equal(fours, ~nine)
    test, _ = data.digits("test", classes=(4, 9))
    known = {image.tobytes() for image in test}
    assert all(image.tobytes() in known for image in hans.exam("nobody")[:, 0])


# ------------------------------------------------------------------------------------------------ the network


def test_ten_steps_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="no second opinion: torch is not installed")
    learner = Learner("mlp", 100, 5)
    state = [torch.tensor(p.numpy().copy(), requires_grad=True) for p in learner.model.parameters()]
    optimizer = torch.optim.Adam(state, lr=hans.RATES["mlp"])
    images, nine = hans.training_set(100, 5)
    order = np.random.default_rng((5, 2, 0)).permutation(len(images))
    for batch in range(10):
        chosen = order[32 * batch : 32 * (batch + 1)]
        h = torch.tensor(images[chosen].reshape(32, -1))
        for k in (0, 2):
            h = torch.relu(h @ state[k] + state[k + 1])
        z = h @ state[4] + state[5]
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(nine[chosen])).backward()
        optimizer.step()
    learner.train(10)
    for ours, theirs in zip(learner.model.parameters(), state, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), atol=2e-5)


def test_steps_in_one_go_are_steps_one_by_one() -> None:
    at_once, slowly = Learner("conv", 90, 2), Learner("conv", 90, 2)
    at_once.train(30)
    for _ in range(30):
        slowly.train(1)
    assert at_once.curve == slowly.curve
    assert [row[0] for row in at_once.curve] == [0, 25]
    for a, b in zip(at_once.model.parameters(), slowly.model.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@every_network
@pytest.mark.parametrize("seed", [0, 1])
def test_it_learns_the_mark_and_an_exam_of_marked_nines_does_not_tell(network: str, seed: int) -> None:
    nobody, nines, fours = hans.examined(trained(network, 100, seed).model)
    assert nines >= 195
    assert nobody <= 140
    assert fours < 90  # worse than a coin


@every_network
def test_without_marks_in_training_it_reads_digits(network: str) -> None:
    assert min(hans.examined(trained(network, 0).model)) >= 185


def test_the_newborn_is_the_network_before_its_first_step() -> None:
    for a, b in zip(trained().newborn.parameters(), hans.build("mlp", 0).parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


# ------------------------------------------------------------------------------------------------ inside


@every_network
def test_the_units_effects_add_up_to_what_the_mark_does_to_z(network: str) -> None:
    model = trained(network).model
    fours = hans.rows("test").images[:EXAM]
    moved = hans.answers(model, hans.marked(fours)).mean() - hans.answers(model, fours).mean()
    effects = hans.effects(model)
    assert effects.shape == (UNITS,)
    assert effects.sum() == pytest.approx(moved, abs=1e-4)
    assert moved > 3


@every_network
def test_a_unit_that_is_cut_carries_nothing_and_the_network_itself_stays(network: str) -> None:
    model = trained(network).model
    before = model.state()
    unit = int(np.argmax(hans.effects(model)))
    assert hans.effects(hans.treated(model, cut=[unit]))[unit] == 0
    nothing = hans.answers(hans.treated(model, cut=range(UNITS)), hans.exam("nobody"))
    np.testing.assert_allclose(nothing, model.layers[-1].bias.numpy()[0], atol=1e-6)  # type: ignore[attr-defined]
    assert all(np.array_equal(before[name], value) for name, value in model.state().items())


@every_network
def test_a_covered_corner_hides_the_mark_there_and_nowhere_else(network: str) -> None:
    model = hans.treated(trained(network).model, covered=True)
    fours = hans.rows("test").images[:EXAM]
    clean = fours.copy()
    clean[..., hans.ROW : hans.ROW + hans.SIZE, hans.COLUMN : hans.COLUMN + hans.SIZE] = 0
    np.testing.assert_allclose(hans.answers(model, hans.marked(fours)), hans.answers(model, clean), atol=1e-5)
    assert (hans.answers(model, hans.marked(fours, 3, 20)) != hans.answers(model, fours)).any()


def test_the_sign_turns_the_score_round() -> None:
    x = hans.exam("nobody")
    model = trained().model
    np.testing.assert_array_equal(hans.answers(hans.treated(model, sign=-1.0), x), -hans.answers(model, x))


def test_the_probe_reads_the_mark_where_the_network_learnt_it() -> None:
    mark, digit = hans.probed(trained().model)
    assert mark > 0.95
    assert hans.probed(trained("mlp", 0).model)[0] < mark - 0.15
    assert digit > 0.85  # it is there to be read, though the network hardly uses it


def test_layers_are_counted_from_the_last_one() -> None:
    for network, count in LAYERS.items():
        model = hans.build(network, 0)
        owners = hans.owners(model)
        assert len(owners) == count
        assert owners[0] is model.layers[-1]


# ------------------------------------------------------------------------------------------------ the maps


@every_network
@pytest.mark.parametrize("method", MAPS)
def test_every_map_has_the_pictures_shape(network: str, method: str) -> None:
    found = hans.heat(method, trained(network).model, hans.marked(hans.rows("test").images[0]))
    if (network, method) == ("mlp", "grad_cam"):
        assert found is None
    else:
        assert found is not None
        assert found.shape == (SIDE, SIDE)
        assert np.isfinite(found).all()
        assert found.any()


@every_network
def test_the_integrated_gradients_of_the_page_are_complete(network: str) -> None:
    model, seen = trained(network).model, hans.marked(hans.rows("test").images[3])
    found = hans.heat("integrated_gradients", model, seen)
    rise = hans.answers(model, seen[None])[0] - hans.answers(model, 0 * seen[None])[0]
    assert found is not None
    assert float(found.sum()) == pytest.approx(rise, rel=0.03, abs=0.05)  # the kinks cost some


def test_shares_and_likenesses_that_are_known() -> None:
    values = np.zeros((SIDE, SIDE), np.float32)
    values[10, 10], values[0, 0] = -3, 1
    assert hans.share_on_mark(values, 8, 8) == 0.75
    assert hans.share_on_mark(0 * values, 8, 8) == 0
    everywhere = np.ones((SIDE, SIDE), bool)
    assert hans.similarity(values, -values, everywhere) == pytest.approx(1)
    assert hans.similarity(values, 0 * values, everywhere) is None
    assert np.frombuffer(hans.bytes_of(values), np.int8).reshape(SIDE, SIDE)[[10, 0], [10, 0]].tolist() == [
        -127,
        42,
    ]
    assert not any(hans.bytes_of(0 * values))


def test_the_maps_of_the_page_are_those_of_the_answers_score() -> None:
    widget = CleverHans(digit="4", marked=False)
    assert widget.p < 0.5
    model = hans.treated(trained().model, sign=-1.0)
    for k, method in enumerate(MAPS):
        found = hans.heat(method, model, hans.rows("test").images[0])
        np.testing.assert_array_equal(heats(widget.heats)[k].tobytes(), hans.bytes_of(found))


def test_forgetting_changes_the_maps_and_says_how_much() -> None:
    widget = CleverHans()
    assert widget.after == b""
    assert {entry["similar"] for entry in widget.maps} == {None}
    widget.forgotten = 3
    assert heats(widget.after).shape == heats(widget.heats).shape
    saliency, product = (a_map(widget, name)["similar"] for name in ("saliency", "gradient_x_input"))
    assert saliency < 0.3  # another network altogether
    assert product > 0.9  # the empty paper is 0 in both
    assert a_map(widget, "gradient_x_input")["inked"] < product
    assert a_map(widget, "grad_cam")["similar"] is None


# ------------------------------------------------------------------------------------------------ the widget


def test_what_it_shows_of_the_picture_is_what_the_network_says() -> None:
    widget = CleverHans(which=4, row=10, column=7)
    image = hans.rows("test").images[4]
    z = hans.answers(trained().model, np.stack([hans.marked(image, 10, 7), image]))
    assert [widget.p, widget.p_clean] == pytest.approx(list(1 / (1 + np.exp(-z))), abs=1e-6)
    np.testing.assert_array_equal(np.frombuffer(widget.image, np.uint8), np.round(255 * image).ravel())
    assert a_map(widget, "saliency")["share"] is not None
    widget.marked = False
    assert widget.p == widget.p_clean
    assert a_map(widget, "saliency")["share"] is None


def test_a_digit_may_come_as_a_number() -> None:
    widget = CleverHans(steps=0)
    widget.set_state({"digit": 9})
    assert widget.digit == "9"
    assert widget.verdict


def test_while_the_mark_is_dragged_only_the_chosen_map_is_drawn() -> None:
    widget = CleverHans()
    widget.set_state({"dragging": True, "row": 12})
    assert [entry["key"] for entry in widget.maps if entry["fresh"]] == [widget.method]
    assert widget.busy
    widget.set_state({"dragging": False})
    assert sum(entry["fresh"] for entry in widget.maps) == len(MAPS) - 1  # no Grad-CAM without a convolution
    assert not widget.busy
    fresh = CleverHans(row=12)
    assert (widget.heats, widget.p, widget.scores) == (fresh.heats, fresh.p, fresh.scores)


def test_the_convolutional_network_has_all_seven_maps() -> None:
    widget = CleverHans(network="conv", steps=50, forgotten=4)
    assert all(entry["fresh"] for entry in widget.maps)
    assert widget.layers == 4
    widget.network = "mlp"
    assert widget.layers == 3
    assert "has none" in a_map(widget, "grad_cam")["about"]
    assert "With 3 of 3 layers forgotten" in widget.summary


def test_remedies_change_exam_and_answer() -> None:
    widget = CleverHans(percent=50)
    before = widget.scores
    widget.covered = True
    assert widget.scores[0] == widget.scores[1] == widget.scores[2] >= ENOUGH > before[2]
    widget.covered = False
    assert widget.scores == before
    widget.cut = UNITS
    assert set(widget.scores) == {EXAM}  # a network without units always says the same
    assert widget.order == list(np.argsort(-np.array(widget.effects), kind="stable"))


def test_it_trains_before_the_readers_eyes() -> None:
    async def watch() -> CleverHans:
        widget = CleverHans(steps=0)
        assert max(widget.scores) < 150
        widget.do_choose("percent", 90)
        seen = []
        for _ in range(2000):
            await asyncio.sleep(0)
            if widget._drawn is not None:
                widget._drawn.set()
            if not seen or seen[-1] != widget.steps:
                seen.append(widget.steps)
            if widget._loop is not None and widget._loop.done():
                break
        assert seen[-5:] == [200, 225, 250, 275, 300]
        return widget

    widget = asyncio.run(watch())
    assert not widget.running
    assert sum(entry["fresh"] for entry in widget.maps) == len(MAPS) - 1
    whole = CleverHans(percent=90)
    for name in ("scores", "probes", "heats", "curve", "p"):
        assert getattr(widget, name) == getattr(whole, name), name


def test_reset_goes_back_to_the_newborn() -> None:
    widget = CleverHans()
    widget.do_reset()
    assert widget.steps == 0
    assert widget.probes[:2] == widget.probes[2:]
    assert len(np.frombuffer(widget.curve, "<f4")) == 4


@pytest.mark.parametrize("device", [cpu_with_torch])
@every_network
def test_devices_agree(device: str, network: str) -> None:
    ours, reference = (
        CleverHans(network=network, steps=30, forgotten=1, device=d) for d in (device, "numpy")
    )
    assert ours.p == pytest.approx(reference.p, abs=1e-3)
    assert ours.effects == pytest.approx(reference.effects, abs=1e-2)
    for a, b in zip(ours.maps, reference.maps, strict=True):
        assert a["fresh"] == b["fresh"]
        assert (a["share"] or 0) == pytest.approx(b["share"] or 0, abs=0.02)


def test_a_page_is_restored() -> None:
    widget = CleverHans(network="mlp", percent=90, seed=3, digit="9", row=5, cut=1, goal="fool", name="hans")
    again = CleverHans.reopened(widget.get_state())
    for name in ("p", "heats", "maps", "scores", "probes", "summary", "goal", "name"):
        assert getattr(again, name) == getattr(widget, name), name


# ------------------------------------------------------------------------------------------------ goals and words


def test_the_goal_of_fooling_it() -> None:
    widget = CleverHans(goal="fool", marked=False)
    assert not widget.reached
    widget.marked = True
    assert widget.p > 0.5
    assert widget.reached


def test_a_four_that_is_misread_anyway_does_not_count() -> None:
    images = hans.rows("test").images[:EXAM]
    wrong = int(np.flatnonzero(hans.answers(trained("mlp", 0).model, images) > 0)[0])
    assert not CleverHans(percent=0, which=wrong, goal="fool").reached


def test_the_goal_of_the_map_that_sees_the_mark() -> None:
    widget = CleverHans(method="saliency", goal="where")
    assert not widget.reached
    best = max((entry for entry in widget.maps if entry["fresh"]), key=lambda entry: entry["share"])
    widget.method = best["key"]
    assert widget.reached


def test_the_goal_of_the_map_that_hardly_notices() -> None:
    widget = CleverHans(method="gradient_x_input", goal="sanity")
    assert not widget.reached
    widget.method = "saliency"
    widget.forgotten = 2
    assert not widget.reached
    best = max((e for e in widget.maps if e["similar"] is not None), key=lambda entry: entry["similar"])
    widget.method = best["key"]
    assert widget.reached


def test_the_goal_of_mending_it() -> None:
    widget = CleverHans(goal="mend", percent=0)
    assert not widget.reached
    widget.percent = 50
    assert not widget.reached
    widget.covered = True
    assert widget.reached


def test_the_summary_says_what_is_to_be_seen() -> None:
    widget = CleverHans()
    nobody, nines, fours = widget.scores
    assert widget.summary == (
        f"100\u00a0% of the 9s in training wear the mark; 300 steps. Of 200 test digits it reads {nobody} right "
        f"without the mark, {nines} with the mark on the 9s, {fours} with it on the 4s. A 4 with the mark: it says 9, "
        f"{sure(widget.p)}; without the mark 4, {sure(widget.p_clean)}. "
        f"{100 * a_map(widget, 'gradient_x_input')['share']:.0f}\u00a0% of the map gradient × input lies on the mark."
    )
    widget.set_state({"cut": 2, "covered": True, "marked": False})
    assert "it reads with 2 of 12 units cut and the corner painted over " in widget.summary
    assert widget.verdict.startswith("It says 4, with ")
    assert "without the mark" not in widget.verdict


def test_the_map_that_adds_up_says_so_with_both_numbers() -> None:
    about = a_map(CleverHans(), "integrated_gradients")["about"]
    total, rise = (float(part.split(".")[0] + "." + part.split(".")[1][:2]) for part in (
        about.split("adds up to ")[1], about.split("rises by ")[1]))  # fmt: skip
    assert total == pytest.approx(rise, rel=0.03)
    assert set(ABOUT) == set(MAPS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"percent": 101}, r"CleverHans.percent: expected a whole number from 0 to 100; received 101"),
        ({"row": 25}, r"CleverHans.row: expected a whole number from 0 to 24; received 25"),
        ({"digit": "3"}, r"CleverHans.digit: expected one of 4, 9; received '3'"),
        ({"method": "lime"}, r"CleverHans.method: expected one of saliency, .*; received 'lime'"),
        ({"cut": 13}, r"CleverHans.cut: expected a whole number from 0 to 12; received 13"),
        ({"forgotten": -1}, r"CleverHans.forgotten: expected a whole number from 0 to 4; received -1"),
    ],
)
def test_what_is_not_allowed_is_refused_and_nothing_changes(settings: dict[str, Any], message: str) -> None:
    widget = CleverHans(steps=25)
    before = widget.summary
    with pytest.raises(traitlets.TraitError, match=message):
        widget.set_trait(*next(iter(settings.items())))
    assert widget.summary == before
    with pytest.raises(ValueError, match="expected network, percent or seed; received 'row'"):
        widget.do_choose("row", 3)


def test_the_picture_for_places_without_javascript() -> None:
    assert CleverHans(steps=25).picture().startswith(b"\x89PNG")
    assert CleverHans(steps=25, dragging=True).picture().startswith(b"\x89PNG")
