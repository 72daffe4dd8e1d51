"""Sharpness against whole Hessians and against torch, and what it is for: the rate above which descent diverges."""

from typing import Any

import numpy as np
import pytest

from dlcore import loss
from dlcore.activations import tanh
from dlcore.backprop import Tensor, grad, hessian_vector_product
from dlcore.layers import Dense, Module, Sequential, mlp
from dlcore.training import sharpness, vector_loss
from dlcore.training.curvature import power_iteration
from tests.helpers import needs_torch


def data(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(20, 2))
    return x, (x[:, :1] * x[:, 1:] > 0).astype(float)


def network(seed: int) -> Sequential:
    return mlp(2, 4, 1, rng=np.random.default_rng(seed), activation=tanh, dtype="float64")


def hessian(model: Module, cost: Any, x: Any, t: Any) -> Any:
    f, theta = vector_loss(model, cost, x, t)
    return np.stack([hessian_vector_product(f, theta, v) for v in np.eye(theta.size)])


@pytest.mark.parametrize("cost", [loss.mse, loss.binary_cross_entropy])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_largest_eigenvalue_of_the_hessian(cost: Any, seed: int) -> None:
    model, (x, t) = network(seed), data(seed)
    expected = np.linalg.eigvalsh(hessian(model, cost, x, t))[-1]
    got = sharpness(model, cost, x, t, rng=np.random.default_rng(1), steps=2000, tolerance=1e-9)
    assert got == pytest.approx(expected, rel=1e-3)


def test_a_larger_negative_curvature_is_passed_over() -> None:
    model = Dense(1, 1, rng=np.random.default_rng(0), dtype="float64")
    x = np.array([[1.0], [-1.0]])  # so the two outputs are b + w and b - w

    def saddle(y: Tensor, _: Any) -> Tensor:  # ½ w² - 3 b², up to what is constant
        return 0.5 * ((y[0, 0] - y[1, 0]) / 2) ** 2 - 3 * ((y[0, 0] + y[1, 0]) / 2) ** 2

    got = sharpness(model, saddle, x, x, rng=np.random.default_rng(0), tolerance=1e-10)
    assert got == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_two_curvatures_of_one_size_and_both_signs_are_not_mixed(seed: int) -> None:
    first, second = (Dense(1, 1, rng=np.random.default_rng(0), dtype="float64") for _ in range(2))
    model = Sequential(first, second)
    for parameter in model.parameters():
        parameter.data[...] = 0  # the saddle of a deep linear network: H has ±15 and nothing larger
    x = np.array([[1.0], [-1.0], [2.0], [-2.0]])
    got = sharpness(model, loss.mse, x, 3 * x, rng=np.random.default_rng(seed))
    assert np.linalg.eigvalsh(hessian(model, loss.mse, x, 3 * x))[[0, -1]] == pytest.approx([-15, 15])
    assert got == pytest.approx(15, rel=1e-3)


@needs_torch
def test_the_vector_loss_is_torchs() -> None:
    import torch

    model, (x, t) = network(0), data()
    f, theta = vector_loss(model, loss.mse, x, t)
    there = torch.tensor(theta, requires_grad=True)
    X, T = torch.tensor(x), torch.tensor(t)

    def value(p: Any) -> Any:
        hidden = torch.tanh(X @ p[:8].reshape(2, 4) + p[8:12])
        return ((hidden @ p[12:16].reshape(4, 1) + p[16:] - T) ** 2).mean()

    assert f(Tensor(theta)).item() == pytest.approx(value(there).item(), rel=1e-12)
    expected = torch.autograd.functional.hessian(value, there).numpy()
    np.testing.assert_allclose(hessian(model, loss.mse, x, t), expected, atol=1e-7)


def test_the_model_stays_as_it_is() -> None:
    model = network(0).to(dtype="float32")
    before = model.state()
    sharpness(model, loss.mse, *data(), rng=np.random.default_rng(0))
    assert model.parameters()[0].dtype == "float32"
    for name, values in model.state().items():
        np.testing.assert_array_equal(values, before[name])


def test_a_parameter_in_two_places_counts_once() -> None:
    rng = np.random.default_rng(0)
    first, second = Dense(3, 3, rng=rng), Dense(3, 3, rng=rng)
    second.weight = first.weight
    f, theta = vector_loss(Sequential(first, second), loss.mse, np.eye(3), np.eye(3))
    assert theta.size == 9 + 3 + 3
    assert f(Tensor(theta)).shape == ()


def test_descent_on_a_quadratic_is_stable_below_two_over_the_sharpness_and_not_above() -> None:
    x, t = data()
    model = Dense(2, 1, rng=np.random.default_rng(0), dtype="float64")
    limit = 2 / sharpness(model, loss.mse, x, t, rng=np.random.default_rng(0), tolerance=1e-8)
    f, start = vector_loss(model, loss.mse, x, t)

    def after(rate: float) -> float:
        theta = start
        for _ in range(600):
            theta = theta - rate * grad(f)(theta)
        return f(Tensor(theta)).item()

    assert after(0.98 * limit) < f(Tensor(start)).item()
    assert after(1.02 * limit) > 100 * f(Tensor(start)).item()


def test_nothing_curves_where_all_is_flat() -> None:
    assert power_iteration(lambda v: 0 * v, np.ones(3)) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": 3}, TypeError, "vector_loss: expected a Module"),
        ({"loss": "mse"}, TypeError, "expected loss"),
        ({"steps": 0}, ValueError, "steps"),
        ({"rng": 3}, TypeError, "rng: expected a numpy.random.Generator; received 3"),
    ],
)
def test_what_is_wrong_is_said(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    x, t = data()
    given: dict[str, Any] = {"rng": np.random.default_rng(0), "steps": 10, **arguments}
    model, cost = given.pop("model", network(0)), given.pop("loss", loss.mse)
    with pytest.raises(error, match=message):
        sharpness(model, cost, x, t, **given)


def test_an_ensemble_is_refused() -> None:
    from dlcore.layers import ensemble

    with pytest.raises(ValueError, match=r"ensemble of 2\. Take one of its members"):
        vector_loss(ensemble([network(0), network(1)]), loss.mse, *data())
