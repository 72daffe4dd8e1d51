"""Signal chain without a browser: its numbers against the passage they are of, its sentences, what it refuses.

What it shows in a browser is tested in test_widgets_signal_chain_view.py.
"""

import math
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore import activations, init
from dlcore.propagation import Chain, forecast, pass_through
from dlcore.widgets import SignalChain
from dlcore.widgets.signal_chain import BARS, BATCH, DEEPEST, FUNCTIONS, histograms, spans, weight_std
from dlcore.widgets.signal_verdict import Levels, first_overflow, judge, power, ratio
from tests.helpers import cpu_with_torch

UNBENT = {"identity", "step"}


def levels_of(chain: SignalChain) -> Levels:
    return Levels(*np.frombuffer(chain.levels, "<f8").reshape(5, chain.shown_depth))


def made(**values: Any) -> Levels:
    usual = {
        "activations": [0.5, 0.5],
        "between": [0.5, 0.5],
        "gradients": [1.0, 1.0],
        "flat": [0, 0],
        "dead": [0, 0],
    }
    return Levels(**{name: np.array(values.get(name, usual[name]), float) for name in usual})


# ------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_the_levels_are_those_of_the_chain_put_together_by_hand(normalization: str) -> None:
    widget = SignalChain(
        activation="gelu", init="normal", scale=0.2, bias=0.1, depth=7, width=32, input_scale=2, seed=3,
        normalization=normalization,
    )  # fmt: skip
    chain = Chain(
        7, 32, activation=activations.gelu, rng=np.random.default_rng([3, 0]), bias=0.1, normalization=normalization,
        weight_init=lambda rng, shape, **fans: init.normal(rng, shape, std=0.2),
    )  # fmt: skip
    x, gradient = (np.random.default_rng([3, i]).standard_normal((BATCH, 32)) for i in (1, 2))
    passage = pass_through(chain, 2 * x, gradient)
    levels = levels_of(widget)
    np.testing.assert_allclose(levels.activations, passage.activations.std(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(levels.gradients, passage.gradients.std(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(
        levels.between, passage.activations.std(axis=1).__pow__(2).mean(axis=1) ** 0.5, rtol=1e-5
    )
    slopes = activations.gelu.derivative(passage.sums)
    np.testing.assert_allclose(levels.flat, (np.abs(slopes) < 0.05).mean(axis=(1, 2)))
    np.testing.assert_allclose(levels.dead, (slopes == 0).all(axis=1).mean(axis=1))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation_is_that_of_the_package_with_its_steepest_slope(name: str) -> None:
    z = np.linspace(-6, 6, 2401)
    slopes = getattr(activations, name).derivative(z)
    steepest = FUNCTIONS[name][1]
    # The relatives of ReLU rise a little above 1; 1 is the slope that they all have far to the right.
    assert steepest == pytest.approx(slopes[-1], abs=0.06) or steepest == pytest.approx(
        slopes.max(), abs=1e-4
    )
    low, high = FUNCTIONS[name][2]
    assert low <= getattr(activations, name)(np.array([0.0, 0.5])).numpy().min() <= high


def test_the_histograms_count_every_value_once() -> None:
    chain = SignalChain(activation="tanh", depth=5)
    bars = np.frombuffer(chain.bars, "<f4").reshape(2, 5, BARS)
    np.testing.assert_allclose(bars.sum(axis=2), 1, rtol=1e-5)
    reaches = np.frombuffer(chain.reaches, "<f8").reshape(2, 5, 2)
    assert np.all(reaches[:, :, 0] < reaches[:, :, 1])
    assert np.all(np.abs(reaches[0]) <= 1)
    strips = np.frombuffer(chain.strips, np.uint8).reshape(2, 5, BARS)
    assert np.all(strips.max(axis=2) == 255)


def test_histograms_agree_with_numpy_s() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3, 500)) * np.array([[1.0], [1e-20], [1e20]])
    low, high = spans(values)
    counts = histograms(values, low, high, 10)
    for row, (a, b) in enumerate(zip(low, high, strict=True)):
        np.testing.assert_array_equal(counts[row], np.histogram(values[row], 10, (a, b))[0])


def test_what_lies_outside_is_in_the_outermost_cell_and_what_is_not_finite_nowhere() -> None:
    values = np.array([[-9.0, 0.1, 9.0, 9.0], [0.0, 1.0, np.inf, np.nan]])
    counts = histograms(values, np.full(2, -1.0), np.full(2, 1.0), 4)
    assert counts.tolist() == [[1, 0, 1, 2], [0, 0, 0, 0]]


def test_a_layer_whose_values_are_all_the_same_has_a_range_around_it() -> None:
    low, high = spans(np.array([[0.0, 0.0], [5.0, 5.0], [np.nan, 1.0]]))
    assert np.all(low < high)
    assert np.isfinite([low, high]).all()
    assert low[1] < 5 < high[1]


@pytest.mark.parametrize(
    ("name", "expected"), [("glorot", 0.125), ("he", math.sqrt(2) / 8), ("lecun", 0.125), ("normal", 0.3)]
)
def test_the_weights_have_the_standard_deviation_that_is_said(name: str, expected: float) -> None:
    chain = SignalChain(init=name, scale=0.3)
    assert chain.std == weight_std(name, 64, 0.3) == pytest.approx(expected)
    drawn = {"normal": lambda rng, shape, **fans: init.normal(rng, shape, std=0.3)}.get(name) or getattr(
        init, name
    )
    assert np.std(drawn(np.random.default_rng(0), (64, 64), fan_in=64, fan_out=64)) == pytest.approx(
        expected, rel=0.03
    )


def test_the_theory_is_the_forecast_and_there_is_none_for_batches() -> None:
    chain = SignalChain(activation="relu", init="he", depth=20, bias=0.2, input_scale=3)
    theory = np.frombuffer(chain.theory, "<f8").reshape(2, 20)
    wide = forecast(20, activation=activations.relu, gain=2.0, bias=0.2, input_square=9.0)
    np.testing.assert_allclose(theory, [wide.activations, wide.gradients])
    chain.normalization = "batch"
    assert chain.theory == b""


@pytest.mark.parametrize("device", [cpu_with_torch])
def test_another_device_computes_the_same(device: str) -> None:
    here, there = (SignalChain(activation="selu", depth=6, device=name) for name in ("numpy", device))
    np.testing.assert_allclose(levels_of(here)[0], levels_of(there)[0], rtol=1e-4)
    assert here.verdict["word"] == there.verdict["word"]


def test_a_change_is_computed_once() -> None:
    chain = SignalChain()
    before = chain.frame
    chain.depth = 12
    assert chain.frame == before + 1
    chain.layer = 3  # the view's own affair
    assert chain.frame == before + 1


def test_the_draw_is_repeatable_and_the_next_is_another() -> None:
    first, second = SignalChain(), SignalChain()
    assert first.levels == second.levels
    second.do_draw()
    assert second.seed == 1
    assert first.levels != second.levels


def test_a_page_s_state_is_taken_over() -> None:
    chain = SignalChain(activation="elu", depth=9, layer=4, name="chain", goal="level")
    again = SignalChain.reopened(chain.get_state())
    assert (again.activation, again.depth, again.layer, again.name, again.goal) == (
        "elu",
        9,
        4,
        "chain",
        "level",
    )
    assert again.summary == chain.summary


# ----------------------------------------------------------------------------------------------- the diagnosis


@pytest.mark.parametrize(
    ("settings", "word", "part"),
    [
        ({"activation": "sigmoid", "init": "glorot", "depth": 20}, "vanishes", "Backward, the gradient vanishes"),
        ({"activation": "relu", "init": "he", "depth": 50}, "healthy", "Backward, the gradient arrives"),
        ({"activation": "relu", "init": "normal", "scale": 0.01, "depth": 50}, "vanishes", "none at all"),
        ({"activation": "relu", "init": "normal", "scale": 0.5, "depth": 20}, "explodes", "the signal explodes"),
        ({"activation": "tanh", "init": "normal", "scale": 0.3, "depth": 50}, "explodes", "the gradient explodes"),
        ({"activation": "tanh", "init": "normal", "scale": 1, "depth": 1}, "saturated", "of the slopes are nearly 0"),
        ({"activation": "relu", "init": "he", "bias": -1, "depth": 20}, "vanishes", "of the units are dead"),
        ({"activation": "step", "depth": 5}, "vanishes", "the slope of a step is 0 wherever it exists"),
        ({"activation": "identity", "init": "normal", "scale": 1, "width": 128, "depth": 50}, "overflow", "float32"),
        ({"activation": "gelu", "init": "he", "depth": 50}, "vanishes", "Forward, the signal vanishes"),
        ({"activation": "relu", "init": "he", "depth": 50, "normalization": "batch"}, "explodes", "gradient explodes"),
        ({"activation": "sigmoid", "depth": 20, "normalization": "layer"}, "vanishes", "gradient vanishes"),
        ({"activation": "sigmoid", "depth": 20, "normalization": "batch"}, "healthy", "gradient arrives"),
    ],
)  # fmt: skip
def test_the_states_of_the_chapter_are_called_what_the_chapter_calls_them(
    settings: Any, word: str, part: str
) -> None:
    chain = SignalChain(**settings)
    assert chain.verdict["word"] == word, chain.summary
    assert part in chain.verdict["sentence"]
    assert chain.verdict["sentence"] in chain.summary


def test_an_overflow_is_said_in_words_and_names_the_layer() -> None:
    chain = SignalChain(activation="identity", init="normal", scale=1, width=128, depth=50)
    levels = levels_of(chain)
    layer = first_overflow(levels)
    assert not np.isfinite(levels.activations[layer - 1])
    assert np.isfinite(levels.activations[: layer - 1]).all()
    assert f"from layer {layer} on the activations are larger than float32 can hold" in chain.summary
    assert "nan" not in chain.summary.lower()
    assert math.isnan(chain.times)


def test_each_part_of_the_diagnosis_follows_its_measure() -> None:
    def word(**values: Any) -> str:
        return judge(made(**values), steepest=1.0, inputs=1.0).word

    assert word() == "healthy"
    assert word(activations=[1, 101]) == "explodes"
    assert word(between=[0.5, 0.0099]) == "vanishes"
    assert word(gradients=[101, 1]) == "explodes"
    assert word(gradients=[0.0099, 1]) == "vanishes"
    assert word(gradients=[0, 1]) == "vanishes"
    assert word(gradients=[math.inf, 1]) == "explodes"
    assert word(dead=[0.4, 0.7]) == "dead"
    assert word(flat=[0.6, 0.7]) == "saturated"
    assert word(flat=[0.5, 0.5]) == "healthy"  # a ReLU at the start
    assert word(activations=[1, math.nan]) == "overflow"


def test_the_ratio_is_a_number_only_if_both_ends_are() -> None:
    assert ratio(made(gradients=[3.0, 1.5])) == 2
    assert math.isnan(ratio(made(gradients=[math.nan, 1])))
    assert math.isnan(ratio(made(gradients=[1, 0])))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.0, "1.0"),
        (12345.0, "12000"),
        (9.96, "10"),
        (0.00012, "1.2 · 10⁻⁴"),
        (9.99e-7, "1.0 · 10⁻⁶"),
        (math.nan, "more than float32 can hold"),
    ],
)
def test_numbers_are_said_with_two_digits(value: float, words: str) -> None:
    assert power(value) == words


# --------------------------------------------------------------------------------------------------- the goals


@pytest.mark.parametrize(
    ("goal", "short_of", "reaches"),
    [
        ("level", {"activation": "sigmoid", "depth": 50}, {"activation": "relu", "init": "he"}),
        ("sigmoid", {"activation": "sigmoid", "depth": 20}, {"normalization": "batch"}),
        ("kill", {"activation": "relu", "init": "he", "depth": 20}, {"bias": -1}),
        (
            "overflow",
            {"activation": "relu", "init": "he", "depth": 50},
            {"init": "normal", "scale": 1, "width": 128},
        ),
    ],
)
def test_a_goal_is_open_until_its_state_is_reached(goal: str, short_of: Any, reaches: Any) -> None:
    chain = SignalChain(goal=goal, **short_of)
    assert chain.task
    assert not chain.reached, chain.summary
    for name, value in reaches.items():
        setattr(chain, name, value)
    assert chain.reached, chain.summary


def test_the_goals_cannot_be_reached_by_leaving_out_what_they_are_about() -> None:
    assert not SignalChain(goal="level", activation="identity", init="lecun", depth=DEEPEST).reached
    assert not SignalChain(goal="level", activation="relu", init="he", depth=10).reached
    assert not SignalChain(goal="sigmoid", activation="tanh", depth=20).reached
    assert not SignalChain(goal="kill", activation="step", depth=20).reached


# --------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("activation", "softmax", "one of identity, step, sigmoid"),
        ("init", "xavier", "one of glorot, he, lecun, normal"),
        ("scale", 0, "a number from 0.001 to 1"),
        ("bias", 3, "a number from -2 to 2"),
        ("normalization", "group", "one of none, batch, layer"),
        ("depth", 51, "a whole number from 1 to 50"),
        ("width", 8, "a whole number from 16 to 128"),
        ("input_scale", math.inf, "a number from 0.01 to 10"),
        ("layer", 0, "a whole number from 1 to 50"),
    ],
)
def test_a_bad_value_is_refused_and_the_last_good_state_kept(name: str, value: Any, expected: str) -> None:
    chain = SignalChain()
    before = chain.get_state()
    with pytest.raises(
        traitlets.TraitError, match=f"SignalChain.{name}: expected {expected}.*The widget keeps"
    ):
        setattr(chain, name, value)
    assert {key: before[key] for key in ("levels", "summary", name)} == {
        key: chain.get_state()[key] for key in ("levels", "summary", name)
    }
