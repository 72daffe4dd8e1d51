"""Activations against torch and against central differences, in the tails, at the joints, and in rows."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlcore import activations
from dlcore.activations import ActivationFunction
from dlcore.arrays import to_numpy
from dlcore.backprop import Tensor, check_gradients
from tests.helpers import (
    TOLERANCE,
    Backend,
    agree,
    assert_on,
    close,
    needs_torch,
    normals,
    on_every_backend,
    on_every_device,
    torch,
)

# Each side of the joint, the joint itself, and both tails, where e^x overflows in float32 and in float64.
MIDDLE = np.array([[-6.0, -2.5, -0.6, -0.1], [0.2, 0.9, 3.0, 7.5]])
JOINT = np.array([-1e-3, 0.0, 1e-3])
TAILS = np.array([-1000.0, -100.0, -30.0, 0.5, 30.0, 100.0, 1000.0])

TWINS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x * 1,
    "sigmoid": lambda x: torch.sigmoid(x),
    "tanh": lambda x: torch.tanh(x),
    "relu": lambda x: torch.relu(x),
    "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x),
    "elu": lambda x: torch.nn.functional.elu(x),
    "selu": lambda x: torch.selu(x),
    "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda x: torch.nn.functional.silu(x),
    "softplus": lambda x: torch.nn.functional.softplus(x, threshold=50),  # beyond it torch's is linear
}
ROWWISE: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda x: torch.softmax(x, -1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
}
FUNCTIONS = [name for name in activations.__all__ if name[0].islower()]


def ours(name: str) -> ActivationFunction:
    function: ActivationFunction = getattr(activations, name)
    return function


def test_every_activation_is_in_a_list_of_this_file() -> None:
    assert set(FUNCTIONS) == TWINS.keys() | ROWWISE.keys() | {"step"}


@needs_torch
@on_every_backend
@pytest.mark.parametrize(
    "x", [MIDDLE, JOINT, TAILS, np.zeros((0, 2)), np.array(0.7)], ids=lambda x: f"{x.shape}"
)
@pytest.mark.parametrize("name", TWINS)
def test_an_activation_agrees_with_torch(name: str, x: Any, backend: Backend) -> None:
    agree(ours(name), TWINS[name], x, backend=backend)


@needs_torch
@on_every_backend
@pytest.mark.parametrize("x", [MIDDLE, TAILS, *normals((2, 3, 4), (5,), (3, 1))], ids=lambda x: f"{x.shape}")
@pytest.mark.parametrize("name", ROWWISE)
def test_a_function_of_rows_agrees_with_torch(name: str, x: Any, backend: Backend) -> None:
    agree(ours(name), ROWWISE[name], x, backend=backend)


@needs_torch
@on_every_backend
def test_options_agree_with_torch(backend: Backend) -> None:
    F = torch.nn.functional
    agree(
        lambda x: activations.leaky_relu(x, negative_slope=0.2),
        lambda x: F.leaky_relu(x, 0.2),
        MIDDLE,
        backend=backend,
    )
    agree(lambda x: activations.elu(x, alpha=0.5), lambda x: F.elu(x, 0.5), MIDDLE, backend=backend)


@on_every_device
@pytest.mark.parametrize("name", [*TWINS, *ROWWISE])
def test_an_activation_agrees_with_central_differences(name: str, backend: Backend) -> None:
    check_gradients(ours(name), backend.array(MIDDLE))


@on_every_backend
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_keeps_precision_and_device(name: str, backend: Backend) -> None:
    x = backend.tensor(MIDDLE, requires_grad=True)
    y = ours(name)(x)
    assert_on(backend, y.data, name)
    y.sum().backward()
    assert_on(backend, x.grad, name)
    assert_on(backend, ours(name).derivative(x.data), name)


@on_every_backend
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_activation_overflows(name: str, backend: Backend) -> None:
    """Warnings are errors in these tests, so an overflow on the way would be seen, too."""
    x = backend.tensor(TAILS, requires_grad=True)
    y = ours(name)(x)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(to_numpy(x.grad)).all()


@on_every_backend
def test_elu_has_its_limits_at_infinity(backend: Backend) -> None:
    x = backend.tensor([-np.inf, np.inf], requires_grad=True)
    y = activations.elu(x)
    y.sum().backward()
    close(y.data, [-1, np.inf], 0)
    close(x.grad, [0, 1], 0)


@on_every_backend
@pytest.mark.parametrize("name", [*TWINS, "step"])
def test_the_derivative_is_the_gradient_of_each_element(name: str, backend: Backend) -> None:
    x = backend.tensor(np.concatenate([MIDDLE.ravel(), JOINT, TAILS]), requires_grad=True)
    ours(name)(x).sum().backward()
    close(ours(name).derivative(x.data), to_numpy(x.grad), TOLERANCE[backend.dtype])


@needs_torch
@on_every_backend
@pytest.mark.parametrize("name", ROWWISE)
def test_the_derivative_of_a_row_is_its_jacobian(name: str, backend: Backend) -> None:
    x = backend.array(MIDDLE)
    rows = [
        torch.autograd.functional.jacobian(ROWWISE[name], torch.tensor(row))
        for row in to_numpy(x).astype(np.float64)
    ]
    close(ours(name).derivative(x), torch.stack(rows), TOLERANCE[backend.dtype])


@on_every_backend
def test_the_threshold_unit_passes_no_gradient(backend: Backend) -> None:
    x = backend.tensor(JOINT, requires_grad=True)
    y = activations.step(x)
    close(y.data, [0.0, 0.0, 1.0], 0)
    y.sum().backward()
    close(x.grad, np.zeros(3), 0)


def test_lists_are_taken_as_float32() -> None:
    for name in FUNCTIONS:
        assert ours(name)([-1.0, 2.0]).dtype == np.float32
        assert ours(name).derivative([-1.0, 2.0]).dtype == np.float32
        assert ours(name).__name__ == name


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """The fixed point that its two constants were computed for."""
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    y = activations.selu(Tensor(points)).numpy()
    weights = weights / weights.sum()
    assert abs((y * weights).sum()) < 2e-3  # the joint costs the quadrature some digits
    assert abs((y * y * weights).sum() - 1) < 2e-3


def test_gelu_is_close_to_its_definition() -> None:
    x = np.linspace(-6, 6, 1001)
    exact = x * 0.5 * (1 + np.array([math.erf(v / math.sqrt(2)) for v in x]))
    assert np.abs(activations.gelu(Tensor(x)).numpy() - exact).max() < 5e-4


logits = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.floats(-500, 500)
)


@given(x=logits, shift=st.floats(-100, 100))
def test_softmax_is_a_distribution_that_ignores_a_shift(x: Any, shift: float) -> None:
    s = activations.softmax(Tensor(x)).numpy()
    assert (s >= 0).all()
    np.testing.assert_allclose(s.sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(s, activations.softmax(Tensor(x + shift)).numpy(), atol=1e-12)
    np.testing.assert_allclose(np.exp(activations.log_softmax(Tensor(x)).numpy()), s, atol=1e-12)


@given(x=hnp.arrays(np.float64, 5, elements=st.floats(-50, 50)))
def test_identities_between_activations(x: Any) -> None:
    a = {name: ours(name)(Tensor(x)).numpy() for name in TWINS}
    np.testing.assert_allclose(a["tanh"], 2 * activations.sigmoid(Tensor(2 * x)).numpy() - 1, atol=1e-12)
    np.testing.assert_allclose(a["silu"], x * a["sigmoid"], atol=1e-12)
    np.testing.assert_allclose(a["softplus"] - activations.softplus(Tensor(-x)).numpy(), x, atol=1e-12)
    np.testing.assert_allclose(activations.softplus.derivative(x), a["sigmoid"], atol=1e-12)
    np.testing.assert_array_equal(a["relu"], np.maximum(x, 0))


def test_a_row_without_elements_is_refused() -> None:
    with pytest.raises(ValueError, match=r"softmax: .*\(2, 0\)"):
        activations.softmax(Tensor(np.zeros((2, 0))))


@pytest.mark.parametrize("name", ["gelu", "silu", "softplus", "sigmoid", "tanh", "elu"])
def test_huge_sums_have_finite_values_and_slopes(name: str) -> None:
    x = np.array([-1e30, -1e6, 1e6, 1e30], np.float32)
    function = getattr(activations, name)
    assert np.isfinite(function(x).numpy()).all()  # and no warning, which would be an error here
    assert function.derivative(x)[-1] in (0.0, 1.0)
