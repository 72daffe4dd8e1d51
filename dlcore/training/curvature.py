"""How strongly a loss curves at the place where a model is, and so how long a step of plain descent may be.

vector_loss     the loss as a function of all parameters in one long vector
sharpness       its strongest upward curvature λ there; gradient descent is stable only below the rate 2 / λ
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore.arrays import asarray, is_floating, random, to_numpy
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor, hessian_vector_product
from dlcore.layers import Module

from .checks import check_callable, check_model

Vector = NDArray[np.float64]


def vector_loss(
    model: Module, loss: Callable[..., Tensor], inputs: Any, targets: Any
) -> tuple[Callable[[Tensor], Tensor], Vector]:
    """Return the loss of a model as a function of one vector of all its parameters, and where it stands now.

    Args:
        model: a single network; it is copied to NumPy in float64 and evaluation mode, and stays as it is.
        loss: function (predictions, targets) → Tensor with one number.
        inputs: array of shape (batch, …).
        targets: array with as many rows.

    Returns:
        the function, which takes a Tensor of shape (parameters,), and the parameters as such a vector, in the
        order of model.parameters().

    Raises:
        TypeError: no model, or no function.
        ValueError: an ensemble, of which each member has a curvature of its own.

    >>> from dlcore import layers, loss
    >>> model = layers.Dense(1, 1, rng=np.random.default_rng(0))
    >>> f, theta = vector_loss(model, loss.mse, [[1.0]], [[2.0]])
    >>> theta.shape, round(f(Tensor([0.5, 0.0])).item(), 2)
    ((2,), 2.25)
    """
    check_model("vector_loss", model)
    check_callable("vector_loss", "loss", loss, "dlcore.loss.mse")
    if model.members is not None:
        raise ValueError(
            f"vector_loss: expected a single network; received an ensemble of {model.members}. Take one of its "
            "members"
        )
    own = copy.deepcopy(model).to(device="numpy", dtype="float64").eval()
    x, t = _as_double(inputs), _as_double(targets)
    places: dict[Tensor, list[tuple[Any, str]]] = {}  # a parameter may be used in two places
    for name, tensor in own.named_parameters():
        places.setdefault(tensor, []).append(_place(own, name))

    def f(theta: Tensor) -> Tensor:
        first = 0
        for tensor, uses in places.items():
            part = theta[first : first + tensor.size].reshape(*tensor.shape)
            first += tensor.size
            for module, field in uses:
                setattr(module, field, part)
        return loss(own(x), t)

    return f, np.concatenate([np.ravel(tensor.numpy()) for tensor in places])


def sharpness(
    model: Module,
    loss: Callable[..., Tensor],
    inputs: Any,
    targets: Any,
    *,
    rng: np.random.Generator,
    steps: int = 200,
    tolerance: float = 1e-4,
) -> float:
    """Return the largest eigenvalue of the Hessian of the loss by the parameters.

    By power iteration, v ← H v / |H v|: the Hessian itself is never made. What it finds is the eigenvalue of largest
    size, or at a saddle a mixture of two that have one size and both signs. Unless it is one that is positive, the
    iteration is repeated on H + |H v|, which has none below zero and its largest where H has it.

    Args:
        model: a single network; it stays as it is.
        loss: function (predictions, targets) → Tensor with one number.
        inputs: array of shape (batch, …).
        targets: array with as many rows.
        rng: draws the vector to begin with.
        steps: of each iteration at most; each costs two gradients.
        tolerance: the iteration ends when the value changes by less than this share of itself.

    Raises:
        TypeError, ValueError: see `vector_loss`; steps below 1.

    Source: Golub and Van Loan, *Matrix Computations*, 4th ed., 2013, section 7.3.

    >>> from dlcore import layers, loss
    >>> model = layers.Dense(1, 1, rng=np.random.default_rng(0))
    >>> x = np.array([[1.0], [-1.0]])  # the Hessian of the MSE is 2 times the identity
    >>> round(sharpness(model, loss.mse, x, 3 * x, rng=np.random.default_rng(0)), 4)
    2.0
    """
    check_whole("sharpness", steps=steps)
    random.check_rng(rng)
    f, theta = vector_loss(model, loss, inputs, targets)
    start = rng.standard_normal(theta.size)

    def product(v: Vector) -> Vector:
        return hessian_vector_product(f, theta, v)

    value, size = power_iteration(product, start, steps=steps, tolerance=tolerance)
    if (
        value >= 0.99 * size
    ):  # v · H v = |H v| of an eigenvector whose eigenvalue is positive, and of no other v
        return value
    raised, _ = power_iteration(lambda v: product(v) + size * v, start, steps=steps, tolerance=tolerance)
    return max(value, raised - size)  # no v · H v is above the largest eigenvalue


def power_iteration(
    product: Callable[[Vector], Vector], start: Vector, *, steps: int = 200, tolerance: float = 1e-4
) -> tuple[float, float]:
    """Return v · H v and |H v| at the end of v ← H v / |H v|, for a symmetric matrix H of which only v → H v is known.

    The first is the eigenvalue of largest size, the second its size, where one eigenvalue is larger than all others.

    >>> H = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> value, size = power_iteration(lambda v: H @ v, np.array([1.0, 0.0]))
    >>> round(value, 3), round(size, 3)
    (3.0, 3.0)
    """
    v, value, length = start / np.linalg.norm(start), 0.0, 0.0
    for _ in range(steps):
        Hv = product(v)
        value, before = float(v @ Hv), value
        length = float(np.linalg.norm(Hv))
        if length == 0.0 or abs(value - before) <= tolerance * abs(value):
            break
        v = Hv / length
    return value, length


def _as_double(x: Any) -> Any:
    values = asarray(to_numpy(asarray(x)))
    return asarray(values, dtype="float64") if is_floating(values) else values


def _place(model: Module, name: str) -> tuple[Any, str]:
    """Return the module that owns a parameter of that dotted name, and the name it has there."""
    *path, field = name.split(".")
    owner: Any = model
    for part in path:
        owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
    return owner, field
