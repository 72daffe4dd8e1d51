"""Loss functions: what a prediction costs, and the slope of that cost (chapter Loss, chapters/04_loss).

A loss is a rule on plain arrays, `predictions, targets -> cost, pullback`, for single elements or rows; what
all losses share is written once:

    reduction   "mean" (weighted, if there are weights), "sum" or "none"
    weight      how much each element, row or class counts
    members     the first axis numbers the members of an ensemble: one loss for each, none averaged away

Targets are data: no gradient flows to them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .activations import logistic, softmax_and_log
from .arrays import Array, asarray, device_of, dtype_name, hooks, is_array, is_floating, namespace, to_numpy
from .arrays.library import describe
from .backprop import Pullback, Tensor, record

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "mae",
    "mse",
]

LossFunction = Callable[..., Tensor]
REDUCTIONS = ("mean", "sum", "none")


# --------------------------------------------------------------------------------------------- reduction


def _reduced(
    name: str,
    predictions: Any,
    cost: Array,
    pullback: Pullback,
    *,
    weight: Array | None,
    count: Any,
    reduction: str,
    members: bool,
) -> Tensor:
    """Weigh and reduce the cost of predictions to one number, or to one for each member.

    Args:
        name: the loss, for drawings of the graph.
        predictions: what the caller passed: a Tensor is put on record, anything else is a constant.
        cost: shape (…), one number for each prediction or row.
        pullback: from a gradient that broadcasts against the cost to that by the predictions.
        weight: shape of the cost, or None.
        count: what the mean divides by.
        reduction: "mean", "sum" or "none".
        members: keep the first axis.
    """
    cost = cost if weight is None else cost * weight

    def weighted(g: Array) -> Array:
        return pullback(g if weight is None else g * weight)

    if reduction == "none":
        return record(name, cost, (predictions,), (weighted,))
    xp = namespace(cost)
    value = xp.sum(cost, axis=tuple(range(1, cost.ndim)) if members else None)
    divisor = count if reduction == "mean" else 1

    def spread(g: Array) -> Array:
        g = g / divisor
        return weighted(xp.reshape(g, (-1,) + (1,) * (cost.ndim - 1)) if members else g)

    return record(name, value / divisor, (predictions,), (spread,))


def elementwise_loss(
    rule: Callable[..., Any], *, check: Callable[[Array], None] | None = None
) -> LossFunction:
    """Make a loss of a rule `p, t, **options -> cost, pullback` on arrays of one shape."""
    name = rule.__name__

    @functools.wraps(rule)
    def loss(
        predictions: Any,
        targets: Any,
        *,
        reduction: str = "mean",
        weight: Any = None,
        members: bool = False,
        **options: Any,
    ) -> Tensor:
        p, t, w = _checked(name, predictions, targets, weight, reduction)
        if t.shape != p.shape:
            hint = ""
            if math.prod(t.shape) == math.prod(p.shape):
                hint = f". Reshape the targets to {tuple(p.shape)}, else each prediction meets every target"
            raise ValueError(
                f"{name}: expected targets of the predictions' shape {tuple(p.shape)}; "
                f"received {tuple(t.shape)}{hint}"
            )
        if check is not None:
            hooks.guard(check, t)
        if t.dtype != p.dtype:
            t = namespace(p).astype(t, p.dtype)
        count: Any = math.prod(p.shape[1:] if members else p.shape)
        if w is not None:
            w = _broadcast_weights(name, w, p.shape)
            count = _total(w, members)
        cost, pullback = rule(p, t, **options)
        return _reduced(
            name,
            predictions,
            cost,
            pullback,
            weight=w,
            count=count,
            reduction=reduction,
            members=members,
        )

    return loss


def _broadcast_weights(name: str, weights: Array, shape: tuple[int, ...]) -> Array:
    try:
        return namespace(weights).broadcast_to(weights, shape)
    except (ValueError, RuntimeError):
        raise ValueError(
            f"{name}: expected weights that broadcast to the costs' shape {tuple(shape)}; "
            f"received shape {tuple(weights.shape)}"
        ) from None


def _total(weights: Array, members: bool) -> Array:
    xp = namespace(weights)
    return xp.sum(weights, axis=tuple(range(1, weights.ndim)) if members else None)


def _checked(
    name: str, predictions: Any, targets: Any, weight: Any, reduction: str
) -> tuple[Array, Array, Array | None]:
    """Return predictions, targets and weights as arrays of one library, or say what is wrong with them."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"{name}: expected reduction to be one of {', '.join(REDUCTIONS)}; received {reduction!r}"
        )
    p = predictions.data if isinstance(predictions, Tensor) else asarray(predictions)
    if not is_floating(p):
        raise TypeError(f"{name}: expected predictions in floats; received {describe(p)}")
    if math.prod(p.shape) == 0:
        raise ValueError(
            f"{name}: expected at least one prediction; received shape {tuple(p.shape)}. Is the batch empty?"
        )
    if isinstance(targets, Tensor):
        if targets.requires_grad:
            raise ValueError(f"{name}: targets are data and get no gradient; pass targets.detach()")
        targets = targets.data
    t = targets if is_array(targets) else asarray(targets, device=device_of(p))
    if weight is not None:
        weight = asarray(weight, device=device_of(p), dtype=dtype_name(p))
        hooks.guard(functools.partial(_check_weights, name), weight)
    if device_of(p) != device_of(t):
        raise ValueError(
            f"{name}: predictions are on {device_of(p)!r}, targets on {device_of(t)!r}; "
            f"move the targets with asarray(targets, device={device_of(p)!r})"
        )
    return p, t, weight


# -------------------------------------------------------------------------------------------- regression


@elementwise_loss
def mse(p: Array, t: Array) -> Any:
    """Return the squared error (p - t)² (Legendre, 1805; Gauss, 1809).

    >>> mse([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """
    d = p - t
    return d * d, lambda g: (2 * g) * d


@elementwise_loss
def mae(p: Array, t: Array) -> Any:
    """Return the absolute error |p - t|, whose slope at 0 is taken as 0 (Laplace, 1774).

    >>> mae([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """
    xp = namespace(p)
    d = p - t
    return xp.abs(d), lambda g: g * xp.sign(d)


@elementwise_loss
def huber(p: Array, t: Array, *, delta: float = 1.0) -> Any:
    """Return ½ d² where |d| <= delta, else delta · (|d| - ½ delta), with d = p - t (Huber, 1964).

    >>> huber([0.0, 0.0], [0.5, 3.0], reduction="none")
    Tensor([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ValueError(f"huber: expected delta, where the bowl ends, above 0; received {delta}")
    xp = namespace(p)
    d = p - t
    inner = xp.minimum(xp.abs(d), delta)  # the part of |d| that is still in the bowl
    return inner * (xp.abs(d) - 0.5 * inner), lambda g: g * xp.sign(d) * inner


# ---------------------------------------------------------------------------------------- classification


def _check_between_0_and_1(t: Array) -> None:
    xp = namespace(t)
    if not (float(xp.min(t)) >= 0 and float(xp.max(t)) <= 1):
        raise ValueError(
            f"binary_cross_entropy: expected targets between 0 and 1; received {float(xp.min(t)):g} to "
            f"{float(xp.max(t)):g}. Labels of -1 and +1 become (t + 1) / 2"
        )


@functools.partial(elementwise_loss, check=_check_between_0_and_1)
def binary_cross_entropy(z: Array, t: Array, *, label_smoothing: float = 0.0) -> Any:
    """Return -t log σ(z) - (1 - t) log(1 - σ(z)) of logits z and targets t between 0 and 1.

    As max(z, 0) - z t + log(1 + e^-|z|), which neither overflows nor takes the logarithm of 0; the slope is
    σ(z) - t (Bishop, *Pattern Recognition and Machine Learning*, 2006, equation 4.91, of the error 4.90).

    >>> round(binary_cross_entropy([0.0], [1.0]).item(), 4)
    0.6931
    """
    _check_smoothing("binary_cross_entropy", label_smoothing)
    xp = namespace(z)
    t = t * (1 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else t
    cost = xp.maximum(z, 0) - z * t + xp.log1p(xp.exp(-xp.abs(z)))
    return cost, lambda g: g * (logistic(z) - t)


def cross_entropy(
    predictions: Any,
    targets: Any,
    *,
    reduction: str = "mean",
    weight: Any = None,
    members: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return -Σ_k t_k log softmax(z)_k for each row of logits z; the slope is softmax(z) - t.

    Args:
        predictions: logits, array of shape (…, K).
        targets: class labels, integers 0 … K-1 of shape (…), or probabilities of shape (…, K).
        reduction: "mean", "sum" or "none". With class weights the mean is divided by the labels' weights.
        weight: one weight for each class, array of shape (K,).
        members: the first axis numbers the members of an ensemble.
        label_smoothing: share s of the target spread over all classes, t (1 - s) + s / K (Szegedy et al.,
            CVPR 2016, section 7).

    Source: Bishop, *Pattern Recognition and Machine Learning*, 2006, equations 4.108-4.109.

    >>> round(cross_entropy([[0.0, 0.0]], [1]).item(), 4)
    0.6931
    """
    z, t, w = _checked("cross_entropy", predictions, targets, weight, reduction)
    _check_smoothing("cross_entropy", label_smoothing)
    xp = namespace(z)
    if w is not None and tuple(w.shape) != tuple(z.shape[-1:]):
        raise ValueError(
            f"cross_entropy: expected one weight for each of {z.shape[-1]} classes; received shape {tuple(w.shape)}"
        )
    is_label = not is_floating(t)
    t = _as_probabilities("cross_entropy", z, t)
    count: Any = math.prod(z.shape[1:-1] if members else z.shape[:-1])
    if w is not None and is_label:
        count = _total(xp.sum(w * t, axis=-1), members)
    if label_smoothing:
        t = t * (1 - label_smoothing) + label_smoothing / z.shape[-1]
    t = t if w is None else w * t

    s, log_s = softmax_and_log(z)
    mass = 1.0 if w is None else xp.sum(t, axis=-1, keepdims=True)
    return _reduced(
        "cross_entropy",
        predictions,
        -_summed(t * _bounded(log_s)),
        lambda g: _by_row(g) * (s * mass - t if w is not None else s - t),
        weight=None,
        count=count,
        reduction=reduction,
        members=members,
    )


def _bounded(log_s: Array) -> Array:
    """Return logarithms with the lowest finite number for -∞: an impossible class without a share costs 0, not NaN."""
    xp = namespace(log_s)
    return xp.maximum(log_s, float(xp.finfo(log_s.dtype).min))


def _summed(shares: Array) -> Array:
    """Return the sums of rows; one that only the bound keeps finite overflows here, and all others come back."""
    return namespace(shares).sum(shares, axis=-1) * 2.0**28 * 2.0**-28


def _by_row(g: Array) -> Array:
    """Give the gradient of rows' costs a last axis, to meet the rows; one number meets them as it is."""
    return g[..., None] if g.ndim else g


def kl_divergence(
    predictions: Any, targets: Any, *, reduction: str = "mean", weight: Any = None, members: bool = False
) -> Tensor:
    """Return Σ_k t_k (log t_k - log softmax(z)_k) for each row of logits z (Kullback and Leibler, 1951).

    Args:
        predictions: logits, array of shape (…, K).
        targets: probabilities, array of shape (…, K).
        reduction: "mean" over rows, "sum" or "none".
        weight: one weight for each row, array of shape (…).
        members: the first axis numbers the members of an ensemble.

    >>> kl_divergence([[0.0, 0.0]], [[0.5, 0.5]]).item()
    0.0
    """
    z, t, w = _checked("kl_divergence", predictions, targets, weight, reduction)
    if not is_floating(t):
        raise TypeError(
            "kl_divergence: expected probabilities as targets; received integers. Use cross_entropy"
        )
    t = _as_probabilities("kl_divergence", z, t)
    xp = namespace(z)
    own = t * xp.log(t + xp.astype(t == 0, t.dtype))  # 0 log 0 is 0
    rows = z.shape[:-1]
    count: Any = math.prod(rows[1:] if members else rows)
    if w is not None:
        w = _broadcast_weights("kl_divergence", w, rows)
        count = _total(w, members)

    s, log_s = softmax_and_log(z)
    return _reduced(
        "kl_divergence",
        predictions,
        _summed(own - t * _bounded(log_s)),
        lambda g: _by_row(g) * (s - t),
        weight=w,
        count=count,
        reduction=reduction,
        members=members,
    )


def _check_signs(t: Array) -> None:
    values = to_numpy(t)
    if not (np.abs(values) == 1).all():
        raise ValueError(
            f"hinge: expected targets of -1 or +1; received {np.unique(values)[:5]}. "
            "Labels of 0 and 1 become 2 t - 1"
        )


@functools.partial(elementwise_loss, check=_check_signs)
def hinge(z: Array, t: Array) -> Any:
    """Return max(0, 1 - t z) for targets t of -1 or +1: no cost once the margin is 1 (Cortes and Vapnik, 1995).

    >>> hinge([0.5, 2.0], [1.0, 1.0], reduction="none")
    Tensor([0.5, 0. ])
    """
    xp = namespace(z)
    short = 1 - t * z
    return xp.maximum(short, 0), lambda g: -g * t * xp.astype(short > 0, z.dtype)


# ------------------------------------------------------------------------------------------------ checks


def _as_probabilities(name: str, z: Array, t: Array) -> Array:
    """Return targets, labels or probabilities, as an array shaped like the logits."""
    if z.ndim == 0:
        raise ValueError(f"{name}: expected logits with a last axis for the classes; received shape ()")
    xp, classes = namespace(z), z.shape[-1]
    if is_floating(t):
        if t.shape != z.shape:
            raise ValueError(
                f"{name}: expected probabilities of the logits' shape {tuple(z.shape)}; received "
                f"{tuple(t.shape)}. For class labels pass integers: asarray(labels, dtype='int64')"
            )
        hooks.guard(functools.partial(_check_probabilities, name), t)
        return xp.astype(t, z.dtype, copy=False)
    if tuple(t.shape) != tuple(z.shape[:-1]):
        raise ValueError(
            f"{name}: expected one label for each row of logits {tuple(z.shape)}, so shape "
            f"{tuple(z.shape[:-1])}; received {tuple(t.shape)}"
        )
    hooks.guard(functools.partial(_check_labels, classes), t)
    # In the labels' own dtype the classes may not have room: in uint8, 259 is 3.
    numbers = xp.arange(classes, dtype=xp.int64, device=t.device)
    return xp.astype(t[..., None] == numbers, z.dtype)  # (…, K)


def _check_weights(name: str, weights: Array) -> None:
    lowest = float(namespace(weights).min(weights)) if math.prod(weights.shape) else 0.0
    if not lowest >= 0:
        raise ValueError(
            f"{name}: expected weights of 0 or more; received {lowest:g}. A negative weight rewards errors"
        )


def _check_labels(classes: int, labels: Array) -> None:
    xp = namespace(labels)
    low, high = int(xp.min(labels)), int(xp.max(labels))
    if low < 0 or high >= classes:
        advice = f"Give the last layer out_features={high + 1}, or number" if low >= 0 else "Number"
        raise ValueError(
            f"cross_entropy: expected labels from 0 to {classes - 1}, the logits having {classes} classes; "
            f"received labels from {low} to {high}. {advice} the classes from 0"
        )


def _check_probabilities(name: str, t: Array) -> None:
    values = to_numpy(t)
    if not (values.min() >= 0 and np.allclose(values.sum(axis=-1), 1, atol=1e-4)):
        raise ValueError(
            f"{name}: expected rows of probabilities, none negative and each of sum 1; received rows "
            f"of sum {values.sum(axis=-1).min():g} to {values.sum(axis=-1).max():g}"
        )


def _check_smoothing(name: str, share: float) -> None:
    if not 0 <= share < 1:
        raise ValueError(f"{name}: expected label_smoothing from 0 to below 1; received {share}")
