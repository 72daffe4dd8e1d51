"""What is measured besides the loss, and how a model is measured without being changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlcore.arrays import Array, asarray, device_of, namespace
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor
from dlcore.layers import Module

from .checks import check_callable, check_model, checked_pair
from .rows import Rows
from .state import evaluating

Metric = Callable[[Array, Array], Any]
Metrics = Mapping[str, Metric] | Sequence[Metric] | Metric | None


def accuracy(predictions: Any, targets: Any) -> float:
    """Return the share of rows whose class is predicted rightly.

    With K > 1 outputs for each row the class is the largest; targets are labels (n,) or one-hot rows (n, K).
    With a single output the class is its sign, as of logits and of tanh; targets are 0 and 1, or -1 and +1.

    Args:
        predictions: array of shape (…, K), (…, 1) or (…); logits rather than probabilities.
        targets: array of shape (…), or of the predictions' shape.

    Raises:
        ValueError: the shapes do not fit, or there is no prediction.

    >>> accuracy([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]], [0, 1, 1])
    0.6666666865348816
    >>> accuracy([[0.3], [-2.0]], [[1.0], [0.0]])
    1.0
    """
    p = predictions.data if isinstance(predictions, Tensor) else asarray(predictions)
    t = targets.data if isinstance(targets, Tensor) else asarray(targets, device=device_of(p))
    xp = namespace(p)
    if math.prod(p.shape) == 0:
        raise ValueError(
            f"accuracy: expected at least one prediction; received shape {tuple(p.shape)}. Is the batch empty?"
        )
    if p.ndim > 0 and p.shape[-1] == 1 and tuple(t.shape) == tuple(p.shape[:-1]):
        p = p[..., 0]
    if tuple(t.shape) == tuple(p.shape[:-1]) and p.ndim > 0 and p.shape[-1] > 1:
        hits = xp.argmax(p, axis=-1) == t
    elif tuple(t.shape) != tuple(p.shape):
        raise ValueError(
            f"accuracy: expected targets of shape {tuple(p.shape[:-1])} (labels) or {tuple(p.shape)}; "
            f"received {tuple(t.shape)}"
        )
    elif p.ndim > 1 and p.shape[-1] > 1:
        hits = xp.argmax(p, axis=-1) == xp.argmax(t, axis=-1)
    else:
        hits = (p > 0) == (2 * t > (0 if float(xp.min(t)) < 0 else 1))
    return float(xp.mean(xp.astype(hits, xp.float32)))


def named(name: str, metrics: Metrics) -> dict[str, Metric]:
    """Return metrics by name, whichever way they were given.

    Raises:
        TypeError: something is no function, or a function in a list has no name.
        ValueError: a metric is called "loss" (or "epoch", "seconds"), which the record needs itself.
    """
    if metrics is None:
        return {}
    if isinstance(metrics, Mapping):
        found = dict(metrics)
    else:
        listed = list(metrics) if isinstance(metrics, Sequence) else [metrics]
        for metric in listed:
            check_callable(name, "a metric", metric, "training.accuracy")
            if not hasattr(metric, "__name__"):
                raise TypeError(
                    f"{name}: {metric!r} has no name of its own; give it one: metrics={{'name': function}}"
                )
        found = {metric.__name__: metric for metric in listed}
    for key, metric in found.items():
        check_callable(name, f"metric {key!r}", metric, "training.accuracy")
        if key in ("epoch", "loss", "seconds"):
            raise ValueError(f"{name}: {key!r} names something else in the records; rename the metric")
    return found


def measure(
    model: Module,
    inputs: Rows,
    targets: Rows,
    loss: Callable[..., Tensor] | None,
    metrics: Mapping[str, Metric],
    batch_size: int,
) -> dict[str, Any]:
    """Return loss and metrics over all rows; in an ensemble, a list with one for each member.

    The model runs batch by batch; loss and metrics see all its outputs at once, so that neither an odd last
    batch nor weights nor a metric that is no mean over rows are averaged wrongly.
    """
    members = model.members
    with evaluating(model):
        starts = range(0, inputs.count, batch_size)
        parts = [model(inputs.slice(start, start + batch_size)).data for start in starts]
        outputs = join(parts, members)
        wanted = targets.slice(0, targets.count)
        found: dict[str, Any] = {}
        if loss is not None:
            options = {} if members is None else {"members": True}
            found["loss"] = loss(Tensor(outputs), wanted, **options).numpy().tolist()
    return found | apply(metrics, outputs, wanted, members)


def join(parts: list[Array], members: int | None) -> Array:
    """Lay the outputs of batches end to end, along the axis of rows."""
    return namespace(parts[0]).concat(parts, axis=0 if members is None else 1) if len(parts) > 1 else parts[0]


def apply(
    metrics: Mapping[str, Metric], outputs: Array, targets: Array, members: int | None
) -> dict[str, Any]:
    """Return every metric, a list with one for each member if there are members."""
    if members is None:
        return {name: float(metric(outputs, targets)) for name, metric in metrics.items()}
    each = range(members)
    return {
        name: [float(metric(outputs[k, ...], targets[k, ...])) for k in each]
        for name, metric in metrics.items()
    }


def evaluate(
    model: Module,
    data: tuple[Any, Any],
    *,
    loss: Callable[..., Tensor] | None = None,
    metrics: Metrics = None,
    batch_size: int = 256,
) -> dict[str, float]:
    """Measure a model on data: in evaluation mode, without a record, leaving it as it was.

    Args:
        model: the network.
        data: inputs and targets, rows first.
        loss: a loss function, or None.
        metrics: functions (predictions, targets) → number on plain arrays: one, several, or by name.
        batch_size: rows that run through the model at once; the result does not depend on it.

    Returns:
        "loss" and each metric, over all rows.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: no rows, rows that do not fit together, non-finite numbers, another device, or nothing asked.

    >>> import numpy as np
    >>> from dlcore.layers import Dense
    >>> model = Dense(1, 1, rng=np.random.default_rng(0))
    >>> model.load_state({"weight": [[1.0]], "bias": [0.0]})
    >>> evaluate(model, ([[1.0], [-1.0]], [[1.0], [0.0]]), metrics=accuracy)
    {'accuracy': 1.0}
    """
    check_model("evaluate", model)
    check_whole("evaluate", batch_size=batch_size)
    functions = named("evaluate", metrics)
    if loss is None and not functions:
        raise ValueError(
            "evaluate: expected a loss or metrics; received neither, so there is nothing to measure"
        )
    if model.members is not None:
        raise ValueError(
            f"evaluate: expected a single network; received an ensemble of {model.members}. Take its members "
            "one by one, as Sweep.member does"
        )
    inputs, targets = checked_pair("evaluate", "data", data, model)
    return measure(model, Rows(inputs), Rows(targets), loss, functions, batch_size)
