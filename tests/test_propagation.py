"""The forecast against closed forms and against wide chains; the chain against its layers put together by hand."""

import math
from typing import Any

import numpy as np
import pytest

from dlcore import activations, init
from dlcore.arrays import asarray
from dlcore.backprop import Tensor, check_gradients
from dlcore.layers import BatchNorm, LayerNorm
from dlcore.propagation import Chain, dead, flat, forecast, mean_over_normal, pass_through
from tests.helpers import cpu_with_torch

WIDE = 400
CASES = [
    ("relu", init.he, 2.0),
    ("tanh", init.glorot, 1.0),
    ("selu", init.lecun, 1.0),
    ("sigmoid", init.glorot, 1.0),
]


def normal(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def chain(depth: int, width: int, name: str, weight_init: Any = init.glorot, **options: Any) -> Chain:
    rng = np.random.default_rng(0)
    return Chain(
        depth, width, activation=getattr(activations, name), rng=rng, weight_init=weight_init, **options
    )


# -------------------------------------------------------------------------------------------------- means


@pytest.mark.parametrize(
    ("f", "variance", "mean", "expected"),
    [
        (lambda z: z**4, 1.0, 0.0, 3.0),
        (lambda z: z**2, 4.0, 1.0, 5.0),
        (lambda z: np.maximum(z, 0), 1.0, 0.0, 1 / math.sqrt(2 * math.pi)),
        (lambda z: np.maximum(z, 0) ** 2, 9.0, 0.0, 4.5),
        (lambda z: z > 0, 4.0, 1.0, 0.5 * (1 + math.erf(0.5 / math.sqrt(2)))),
        (lambda z: z**2, 0.0, 3.0, 9.0),
        (lambda z: activations.logistic(z), 1e4, 0.0, 0.5),
    ],
)
def test_means_over_a_normal_have_their_closed_forms(
    f: Any, variance: float, mean: float, expected: float
) -> None:
    assert mean_over_normal(f, variance=variance, mean=mean) == pytest.approx(expected, rel=1e-9)


def test_a_steep_function_is_met_where_it_is_steep() -> None:
    # ∫ σ'(z)² dz = 1/6, and the density is nearly constant where σ' is not nearly 0.
    squared = mean_over_normal(lambda z: activations.sigmoid.derivative(z) ** 2, variance=1e4)
    assert squared == pytest.approx(1 / (6 * math.sqrt(2 * math.pi) * 100), rel=1e-3)


@pytest.mark.parametrize("arguments", [{"variance": -1.0}, {"variance": math.nan}, {"mean": math.inf}])
def test_means_refuse_what_is_no_normal_distribution(arguments: Any) -> None:
    with pytest.raises(
        ValueError, match="mean_over_normal: expected a finite mean and a finite variance of 0 or more"
    ):
        mean_over_normal(np.abs, **arguments)


# ----------------------------------------------------------------------------------------------- the forecast


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_relu_multiplies_both_variances_by_half_the_gain(scale: float) -> None:
    found = forecast(12, activation=activations.relu, gain=2 * scale, input_square=3.0)
    squares = 3.0 * scale ** np.arange(1, 13)  # E[a²] = ½ · 2 scale · E[a²] of the layer below
    np.testing.assert_allclose(found.activations**2, squares * (1 - 1 / math.pi), rtol=1e-9)
    np.testing.assert_allclose(found.gradients**2, scale ** np.arange(11.0, -1, -1), rtol=1e-9)


def test_selu_keeps_mean_0_and_variance_1() -> None:
    found = forecast(50, activation=activations.selu, gain=1.0)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.activations, 1, rtol=1e-6)


def test_a_sigmoid_lets_a_sixteenth_of_the_gradient_s_square_through_at_most() -> None:
    found = forecast(20, activation=activations.sigmoid, gain=1.0, input_square=0.0)
    assert np.all(found.gradients[:-1] / found.gradients[1:] <= 0.25)
    # With inputs of 0, the first layer's sums are 0 exactly, where the slope is ¼.
    assert found.activations[0] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "gelu"])
def test_layer_normalization_makes_the_gain_irrelevant(name: str) -> None:
    f = getattr(activations, name)
    small, large = (forecast(9, activation=f, gain=g, normalization="layer") for g in (0.01, 50.0))
    np.testing.assert_allclose(small.activations, large.activations)
    np.testing.assert_allclose(small.gradients, large.gradients)


@pytest.mark.parametrize("normalization", ["none", "layer"])
@pytest.mark.parametrize(("name", "weight_init", "gain"), CASES)
@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_a_wide_chain_does_what_is_forecast(
    name: str, weight_init: Any, gain: float, bias: float, normalization: str
) -> None:
    depth = 6
    made = chain(depth, WIDE, name, weight_init, bias=bias, normalization=normalization)
    passage = pass_through(made, normal(1, 64, WIDE), normal(2, 64, WIDE))
    function = getattr(activations, name)
    expected = forecast(depth, activation=function, gain=gain, bias=bias, normalization=normalization)
    np.testing.assert_allclose(passage.activations.std(axis=(1, 2)), expected.activations, rtol=0.08)
    np.testing.assert_allclose(passage.gradients.std(axis=(1, 2)), expected.gradients, rtol=0.1)


def test_the_forecast_refuses_what_it_cannot_know() -> None:
    with pytest.raises(ValueError, match="expected normalization none or layer; received 'batch'"):
        forecast(3, activation=activations.relu, gain=2.0, normalization="batch")
    for gain in (-1, np.inf, np.nan):
        with pytest.raises(
            ValueError, match=rf"a gain n · Var\[w\] that is finite and 0 or more; received {gain}"
        ):
            forecast(3, activation=activations.relu, gain=gain)
    with pytest.raises(ValueError, match="an input_square that is finite and 0 or more; received -1"):
        forecast(3, activation=activations.relu, gain=2.0, input_square=-1)
    with pytest.raises(ValueError, match="expected a finite bias; received nan"):
        forecast(3, activation=activations.relu, gain=2.0, bias=np.nan)
    with pytest.raises(
        ValueError, match="forecast: expected depth to be a whole number of at least 1; received 0"
    ):
        forecast(0, activation=activations.relu, gain=2.0)


# -------------------------------------------------------------------------------------------------- the chain


def test_the_chain_is_its_layers_one_after_the_other() -> None:
    made = chain(3, 5, "tanh", bias=0.3, dtype="float64")
    x = normal(1, 4, 5)
    a = x
    for layer in made.dense:
        a = np.tanh(a @ layer.weight.numpy() + 0.3)
    np.testing.assert_allclose(made(x).numpy(), a, rtol=1e-12)


@pytest.mark.parametrize(("normalization", "kind"), [("batch", BatchNorm), ("layer", LayerNorm)])
def test_normalization_comes_before_the_bias_and_takes_its_place(normalization: str, kind: Any) -> None:
    made = chain(2, 8, "identity", bias=0.5, normalization=normalization, dtype="float64")
    assert all(layer.bias is None for layer in made.dense)
    assert all(isinstance(norm, kind) for norm in made.norms)
    passage = pass_through(made, normal(1, 32, 8), normal(2, 32, 8))
    axis = 1 if normalization == "batch" else 2
    np.testing.assert_allclose(passage.sums.mean(axis=axis), 0.5, atol=1e-6)
    np.testing.assert_allclose(passage.sums.std(axis=axis), 1, rtol=1e-2)


def test_a_deeper_chain_begins_with_the_same_layers() -> None:
    short, long = chain(2, 6, "relu"), chain(5, 6, "relu")
    for mine, theirs in zip(short.dense, long.dense, strict=False):
        np.testing.assert_array_equal(mine.weight.numpy(), theirs.weight.numpy())


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_the_gradients_are_those_of_finite_differences(normalization: str) -> None:
    made = chain(3, 4, "tanh", normalization=normalization, dtype="float64")
    x, direction = normal(1, 6, 4), normal(2, 6, 4)
    check_gradients(lambda v: (made(v) * Tensor(direction)).sum(), x)
    passage = pass_through(made, x, direction)
    h = 1e-6
    weight = made.dense[1].weight.data
    weight[2, 1] += h
    up = float(np.sum(made(x).numpy() * direction))
    weight[2, 1] -= 2 * h
    down = float(np.sum(made(x).numpy() * direction))
    assert passage.weight_gradients[1, 2, 1] == pytest.approx((up - down) / (2 * h), rel=1e-6)
    np.testing.assert_array_equal(passage.gradients[-1], direction)


def test_a_second_pass_knows_nothing_of_the_first() -> None:
    made = chain(3, 4, "tanh")
    first, second = (pass_through(made, normal(1, 6, 4), normal(2, 6, 4)) for _ in range(2))
    np.testing.assert_array_equal(first.weight_gradients, second.weight_gradients)


@pytest.mark.parametrize("device", ["numpy", cpu_with_torch])
def test_a_passage_is_the_same_on_every_device(device: str) -> None:
    plain = pass_through(chain(4, 16, "gelu"), normal(1, 8, 16), normal(2, 8, 16))
    there = pass_through(chain(4, 16, "gelu", device=device), normal(1, 8, 16), normal(2, 8, 16))
    for name in ("sums", "activations", "gradients", "weight_gradients"):
        np.testing.assert_allclose(getattr(there, name), getattr(plain, name), rtol=1e-4, atol=1e-5)


def test_what_float32_cannot_hold_is_infinite_and_warns_nobody() -> None:
    passage = pass_through(chain(60, 8, "identity", _huge), normal(1, 4, 8), normal(2, 4, 8))
    assert not np.isfinite(passage.activations[-1]).any()
    assert np.isfinite(passage.activations[0]).all()


def _huge(rng: np.random.Generator, shape: tuple[int, ...], **fans: int) -> Any:
    return 100 * rng.standard_normal(shape)


def test_examples_that_are_alike_have_nothing_between_them() -> None:
    same = np.repeat(normal(1, 1, 8), 5, axis=0)
    passage = pass_through(chain(2, 8, "tanh"), same, normal(2, 5, 8))
    np.testing.assert_allclose(passage.between(), 0, atol=1e-7)
    assert np.all(passage.activations.std(axis=(1, 2)) > 0.1)


def test_the_chain_refuses_an_unknown_normalization() -> None:
    with pytest.raises(
        ValueError, match="Chain: expected normalization none, batch, layer; received 'group'"
    ):
        chain(2, 4, "relu", normalization="group")


# ------------------------------------------------------------------------------------------------- dead ends


def test_flat_compares_with_the_steepest_slope() -> None:
    z = np.array([-6.0, 0.0, 3.0, 6.0])
    slopes = activations.sigmoid.derivative(z)
    assert flat(slopes, steepest=0.25).tolist() == [True, False, False, True]
    assert flat(asarray([-0.04, -0.06, 0.0])).tolist() == [True, False, True]


def test_a_unit_is_dead_only_if_it_is_off_for_every_example() -> None:
    slopes = np.zeros((2, 3, 2))  # two layers, three examples, two units
    slopes[1, 2, 0] = 1.0
    assert dead(slopes).tolist() == [[True, True], [False, True]]
