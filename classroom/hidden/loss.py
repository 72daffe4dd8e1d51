"""The lights that decide the assignment of the chapter Loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect, in_line, parts
from classroom.referee import Raised, changed, check, close, shown

Floats = NDArray[np.float64]
Theirs = Callable[..., Any]

# Mistakes that more than one light can see.
COLUMNS = "the sum was taken over the examples, down the columns"
MINUS = "the minus is missing: a cost is never below 0"
ADDED = "the costs were added up; the loss is their mean"
BASE_2 = "the logarithm is of base 2; nats were asked for"
SIGN = "the sign is turned round: a prediction that is too high has a positive slope"
NO_N = "the slopes were not divided by the number of examples, but the loss is a mean"
OTHERS = "the share was spread over the other classes only; the right class gets its part, too"
NOBODY = "the share was taken away and given to nobody"
TRANSPOSED = "rows and columns are exchanged: each example is a row"
ROUND = "the sign is turned round: it is what was said minus what was right"
ROWS_N = "the rows were not divided by the number of examples, but the loss is a mean"
EXCHANGED = "precision and recall are exchanged"
NO_THRESHOLD = "the threshold was not used; 0.5 was"
IN_PLACE = "`a -= b` writes into the array of the caller; `a - b` makes a new one"
ACCURACY = "that is the accuracy, the share of all answers that are right"


# ---------------------------------------------------------------------------------------- Huber's loss


@check("huber", "small errors cost half of their square")
def small_errors(huber: Theirs) -> None:
    loss, _ = parts(huber(np.array([0.5, -0.2, 1.0]), np.array([0.1, 0.2, 0.4]), 1.0), "loss", "gradient")
    squares = 0.4**2 + 0.4**2 + 0.6**2
    expect(
        loss,
        squares / 6,
        "errors of 0.4, -0.4 and 0.6, δ = 1",
        {
            "the factor ½ was left out": squares / 3,
            ADDED: squares / 2,
            "the costs of the examples came back one by one; the loss is their mean": [0.08, 0.08, 0.18],
            "small errors were charged by the straight part": (0.4 + 0.4 + 0.6) / 3 - 0.5,
            "small errors were charged as they are, without a square": (0.4 + 0.4 + 0.6) / 3,
            "loss and gradient are exchanged: the loss comes first": [0.4 / 3, -0.4 / 3, 0.2],
        },
    )


@check("huber", "large errors cost along a straight line")
def large_errors(huber: Theirs) -> None:
    d = np.array([5.0, -7.0, 2.0])
    loss, _ = parts(huber(d + 2.0, np.full(3, 2.0), 3.0), "loss", "gradient")
    expect(
        loss,
        (10.5 + 16.5 + 2) / 3,
        "errors of 5, -7 and 2, δ = 3",
        {
            "large errors were squared, too": (12.5 + 24.5 + 2) / 3,
            "an error of -7 was taken for a small one: ask for |d|, not for d": (10.5 + 24.5 + 2) / 3,
            "the two cases are exchanged: the square is for small errors": (12.5 + 24.5 + 1.5) / 3,
            "delta was not used; the square ended at 1": (4.5 + 6.5 + 1.5) / 3,
            "δ/2 was not subtracted, so the straight part does not meet the square": (15 + 21 + 2) / 3,
            "δ was subtracted, and not half of it": (6 + 12 + 2) / 3,
            "the straight part has no factor δ": (3.5 + 5.5 + 2) / 3,
            "the straight part is |d|, without δ": (5 + 7 + 2) / 3,
            "one large error put all on the straight part; each example has its own case": (10.5 + 16.5 + 1.5)
            / 3,
            "the costs of the examples came back one by one; the loss is their mean": [10.5, 16.5, 2],
            ADDED: 29,
        },
    )


@check("huber", "the gradient is that of a mean, and points up where the prediction is too high")
def gradient_of_a_mean(huber: Theirs) -> None:
    d = np.array([0.5, -0.25, 0.0, 0.75])
    _, gradient = parts(huber(d + 1.0, np.ones(4), 2.0), "loss", "gradient")
    expect(
        gradient,
        d / 4,
        "errors of 0.5, -0.25, 0 and 0.75, δ = 2",
        {
            NO_N: d,
            SIGN: -d / 4,
            "the sign is turned round, and the slopes were not divided by the number of examples": -d,
            "the slope of ½ d² is d, not 2d": d / 2,
            "all pull alike, as with the absolute error; a small error pulls by d": np.sign(d) / 4,
            "the mean of the slopes came back; each prediction has its own": 0.25,
        },
    )


@check("huber", "no example pulls harder than delta")
def bounded_pull(huber: Theirs) -> None:
    d = np.array([90.0, -1.0, -40.0, 2.0])
    _, gradient = parts(huber(d, np.zeros(4), 2.5), "loss", "gradient")
    expect(
        gradient,
        np.array([2.5, -1.0, -2.5, 2.0]) / 4,
        "errors of 90, -1, -40 and 2, δ = 2.5",
        {
            "large errors pull as under the squared error; beyond δ the pull stays at δ": d / 4,
            "an error of -40 was taken for a small one: ask for |d|, not for d": np.array(
                [2.5, -1.0, -40.0, 2.0]
            )
            / 4,
            "the sign of a large negative error got lost": np.array([2.5, -1.0, 2.5, 2.0]) / 4,
            "delta was not used; the pull ended at 1": np.array([1.0, -1.0, -1.0, 1.0]) / 4,
            "beyond δ the slope is ±δ, not ±1": np.array([1.0, -1.0, -1.0, 2.0]) / 4,
            NO_N: np.array([2.5, -1.0, -2.5, 2.0]),
            SIGN: np.array([-2.5, 1.0, 2.5, -2.0]) / 4,
        },
    )


@check("huber", "predictions and targets are left as they were")
def readings_kept(huber: Theirs) -> None:
    d = np.array([0.5, -6.0])
    which = changed(huber, d + 1.0, np.ones(2), 2.0)
    name = "predictions" if 0 in which else "targets"
    assert not which, f"{name} were changed: {IN_PLACE}"
    loss, gradient = parts(huber(d + 1.0, np.ones(2), 2.0), "loss", "gradient")
    if not close(loss, (0.125 + 10) / 2):
        in_line(gradient, [0.5, -2.0], [0.5, -6.0], [0.5, -1.0], [0.5, 2.0], [2.0, -6.0])


# ---------------------------------------------------------------------------------------- logarithms of softmax


def _log_softmax(z: Floats, axis: int | None = 1) -> Floats:
    shifted = z - z.max(axis=axis, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return logs


def _expect(
    found: Any, wanted: Any, of: str, mistakes: dict[str, Any] | None = None, carried: Any = None
) -> None:
    """As `expect`, but what a logarithm of p + 10⁻⁸ gives will do: only the lights on sure mistakes mind that.

    `carried` is what follows from a wrong log_softmax of the student's: a mistake of that task counts once.
    """
    if not any(close(found, right, rtol=1e-6, atol=1e-7) for right in (wanted, carried)):
        expect(found, wanted, of, mistakes or {})


def _own(log_softmax: Theirs, z: Floats) -> Floats | None:
    """Return the student's own logarithms, or None where numbers that differ too little cannot judge what uses them.

    They are asked for before the labels are shown, so that they cannot be made to fit an answer.
    """
    try:
        logs = np.asarray(log_softmax(z))
    except Raised:
        return None
    if logs.shape != z.shape or logs.dtype.kind != "f" or not np.isfinite(logs).all():
        return None
    return logs if np.diff(np.sort(logs, axis=None)).min() > 1e-3 else None


def _sound(log_softmax: Theirs, z: Floats) -> bool:
    """Whether the student's logarithms are right: else what overflows is a mistake of theirs, and counted there."""
    own = _own(log_softmax, z)
    return own is not None and close(own, _log_softmax(z), rtol=1e-6, atol=1e-7)


@check("log_softmax", "logits become logarithms of probabilities")
def one_example(log_softmax: Theirs) -> None:
    z = np.array([[2.0, 0.0, 1.0]])
    logs = _log_softmax(z)
    _expect(
        log_softmax(z),
        logs,
        "z = [[2, 0, 1]]",
        {
            "those are the probabilities; their logarithms were asked for": np.exp(logs),
            "the sign is turned round: the logarithm of a probability is never above 0": -logs,
            "the logarithms are of base 2; natural ones were asked for": logs / np.log(2),
            "the logits were divided by the logarithm; a quotient becomes a difference": z / (2 - logs[0, 0]),
            COLUMNS: np.zeros((1, 3)),
            "the largest logit was subtracted, and the logarithm of the sum was left out": z - 2.0,
            "the largest logit was subtracted from the logits, but not in the sum": logs - 2.0,
            "the largest logit was subtracted in the sum, but not from the logits themselves": logs + 2.0,
        },
    )


@check("log_softmax", "each row is an example of its own")
def rows_of_logs(log_softmax: Theirs) -> None:
    z = np.array([[0.0, 1.0], [3.0, -1.0], [0.5, 0.5]])
    _expect(
        log_softmax(z),
        _log_softmax(z),
        "z = [[0, 1], [3, -1], [0.5, 0.5]]",
        {
            COLUMNS: _log_softmax(z, 0),
            "the sum was taken over all examples together; each row has its own": _log_softmax(z, None),
        },
    )


@check("log_softmax", "large logits neither overflow nor underflow")
def far_apart(log_softmax: Theirs) -> None:
    for row in ([3000.0, 3001.0], [-3000.0, -3001.0]):
        z = np.array([row])
        _expect(_far(log_softmax, z, "subtract the largest logit first"), _log_softmax(z), f"z = {[row]}")
    z = np.array([[0.0, 2000.0]])
    _far(log_softmax, z + 2000.0, "subtract the largest logit, and no smaller one", at=1)
    found = _far(log_softmax, z, "do not take the logarithm of a finished probability")
    assert not close(found, [[-15.0, 0.0]], atol=30.0), (
        "z = [[0, 2000]]: the probability was kept away from 0 before its logarithm was taken; expected [[-2000, 0]], "
        f"received {shown(found)}: do not take the logarithm of a finished probability"
    )
    expect(found, [[-2000.0, 0.0]], "z = [[0, 2000]]")
    z = np.array([[1.0, 0.0], [5000.0, 5001.0]])
    own = "subtract each row's own largest logit, not that of the whole batch or of another row"
    found = _far(log_softmax, z, own)
    _expect(found, _log_softmax(z), f"z = {z.tolist()}")


def _far(function: Theirs, z: Floats, remedy: str, *others: Any, at: int | None = None) -> Any:
    """Return what is found for logits that lie far out; AssertionError names an overflow or underflow.

    `at` is the column to look at, where not all of them.
    """
    try:
        found = function(z, *others)
    except Raised as error:
        if not any(kind in str(error) for kind in ("OverflowError", "ZeroDivisionError", "ValueError: math")):
            raise
        raise AssertionError(
            f"z = {z.tolist()}: a number is too large or too small ({error}); {remedy}"
        ) from None
    numbers = np.asarray(found)
    looked_at = numbers if at is None or numbers.shape != z.shape else numbers[:, at]
    assert numbers.dtype.kind != "f" or np.isfinite(looked_at).all(), (
        f"z = {z.tolist()}: exponentials overflow or become 0, and the result is {shown(found)}; {remedy}"
    )
    return found


@check("log_softmax", "the logits are left as they were")
def logits_kept(log_softmax: Theirs) -> None:
    z = np.array([[1.0, 3.0]])
    assert not changed(log_softmax, z), (
        "z itself was changed: `z -= …` writes into the array of the caller; `z = z - …` makes a new one"
    )
    _expect(log_softmax(z), _log_softmax(z), "z = [[1, 3]]")


# ---------------------------------------------------------------------------------------- cross-entropy


@check("cross_entropy", "an example pays for what it gave to the right class")
def price_of_one(cross_entropy: Theirs, log_softmax: Theirs) -> None:
    z = np.array([[1.0, 3.0, 0.0, 2.0]])
    logs = _log_softmax(z)[0]
    p = np.exp(logs[3])
    own = _own(log_softmax, z)
    carried = _carried_loss(own, [3])
    _expect(
        cross_entropy(z, np.array([3])),
        -logs[3],
        "z = [[1, 3, 0, 2]], the right class is 3",
        {
            MINUS: logs[3],
            "the class with the largest logit was taken, not the right one": -logs[1],
            "classes are counted from 0, and here they were counted from 1": -logs[2],
            "the price was divided by the number of classes; the mean is over examples": -logs[3] / 4,
            "the prices of all classes were added up; only the right class pays": -logs.sum(),
            "the mean over all classes was taken; only the right class pays": -logs.mean(),
            BASE_2: -logs[3] / np.log(2),
            "1 - p was charged; the cross-entropy takes minus the logarithm of p": 1 - p,
            "p was charged; the cross-entropy takes minus the logarithm of p": p,
            "minus p was charged; the cross-entropy takes minus the logarithm of p": -p,
            "a square was charged; the cross-entropy takes minus the logarithm of p": (1 - p) ** 2,
            "a softmax was put before the softmax": -_log_softmax(np.exp(logs)[None])[0, 3],
            "a list of costs came back; the loss is their mean, one number": [-logs[3]],
        },
        carried,
    )
    carried = _carried_loss(own, [2])
    _expect(
        cross_entropy(z, np.array([2])), -logs[2], "z = [[1, 3, 0, 2]], the right class is 2", None, carried
    )


@check("cross_entropy", "the loss is the mean over the examples")
def mean_of_examples(cross_entropy: Theirs, log_softmax: Theirs) -> None:
    z = np.array([[1.2, 0.1, 2.0], [0.2, 0.5, -0.4], [3.0, 1.0, 1.5], [-1.0, 0.3, 0.7]])
    labels = np.array([2, 0, 1, 1])
    logs = _log_softmax(z)
    costs = -logs[np.arange(4), labels]
    columns = -logs[:, labels].mean()
    own = _own(log_softmax, z)
    carried = _carried_loss(own, labels)
    _expect(
        cross_entropy(z, labels),
        costs.mean(),
        "four examples of three classes",
        {
            ADDED: costs.sum(),
            "the mean over examples and classes was taken; the mean is over examples": costs.mean() / 3,
            "the costs were divided by the number of classes; the mean is over examples": costs.sum() / 3,
            "the costs came back one by one; the loss is their mean": costs,
            "`[:, labels]` takes those columns from every row; take one number from each": columns,
            "the classes with the largest logits were taken, not the right ones": -logs.max(axis=1).mean(),
            MINUS: -costs.mean(),
            "the logarithm was taken of a mean of probabilities": -np.log(np.exp(-costs).mean()),
            "only the last example was charged": costs[-1],
        },
        carried,
    )
    carried, others = _carried_loss(own, labels[::-1]), -logs[np.arange(4), labels[::-1]]
    _expect(
        cross_entropy(z, labels[::-1].copy()), others.mean(), "the same examples, other labels", None, carried
    )


def _carried_loss(own: Floats | None, labels: Any) -> float | None:
    return None if own is None else float(-own[np.arange(len(own)), labels].mean())


@check("cross_entropy", "surely wrong is expensive, surely right is free")
def sure_of_it(cross_entropy: Theirs, log_softmax: Theirs) -> None:
    z = np.array([[0.0, 24.0, 30.0]])
    own, costs = _own(log_softmax, z), -_log_softmax(z)[0]
    found, carried = cross_entropy(z, np.array([0])), _carried_loss(own, [0])
    kept_away = [
        close(found, -np.log(np.exp(-30.0) + least), rtol=1e-3) for least in 10.0 ** -np.arange(3, 13)
    ]
    assert close(found, carried, rtol=1e-6) or not any(kept_away), (
        "the price of a sure mistake has no limit, but p was kept away from 0: for z = [[0, 24, 30]] and the right "
        f"class 0 expected 30; received {shown(found)}"
    )
    others = {f"class {k} was charged, not the right one": cost for k, cost in enumerate(costs)}
    _expect(found, costs[0], "z = [[0, 24, 30]], the right class is 0", {MINUS: -costs[0], **others}, carried)
    found, carried = cross_entropy(z, np.array([2])), _carried_loss(own, [2])
    _expect(found, costs[2], "z = [[0, 24, 30]], the right class is 2", others, carried)
    z = np.array([[0.0, 2000.0]])
    if _sound(log_softmax, z):
        _far(cross_entropy, z, "your log_softmax has no such trouble: use it", np.array([0]))


# ---------------------------------------------------------------------------------------- smoothed labels


@check("soft_targets", "a share of 0 leaves one-hot labels")
def one_hot(soft_targets: Theirs) -> None:
    found = soft_targets(np.array([2, 0]), 4, 0.0)
    rows = np.eye(4)[[2, 0]]
    expect(
        found,
        rows,
        "labels 2 and 0 of four classes, share 0",
        {
            TRANSPOSED: rows.T,
            "classes are counted from 0, and here they were counted from 1": np.eye(4)[[1, -1]],
            "the share of 0 took the label away": np.zeros((2, 4)),
        },
    )


@check("soft_targets", "the share is spread over all classes")
def spread_share(soft_targets: Theirs) -> None:
    _targets(soft_targets, np.array([1, 3]), 5, 0.5)


@check("soft_targets", "other numbers of classes, other shares")
def other_shares(soft_targets: Theirs) -> None:
    _targets(soft_targets, np.array([0, 2, 2, 1]), 3, 0.06)


def _targets(soft_targets: Theirs, labels: NDArray[np.int64], k: int, s: float) -> None:
    hot = np.eye(k)[labels]
    cold = 1 - hot
    expect(
        soft_targets(labels, k, s),
        (1 - s) * hot + s / k,
        f"labels {labels.tolist()} of {k} classes, share {s}",
        {
            OTHERS: (1 - s) * hot + s / (k - 1) * cold,
            "the right class kept all of its 1": hot + s / k * cold,
            "the right class kept its 1 and got a part on top; (1 - share) of it should stay": hot + s / k,
            NOBODY: (1 - s) * hot,
            "every class received the whole share; it is divided among the classes": (1 - s) * hot + s,
            "the others received the whole share each; it is divided among the classes": (1 - s) * hot
            + s * cold,
            "the right class was not given its part of the share": (1 - s) * hot + s / k * cold,
            "the share and what stays are exchanged": s * hot + (1 - s) / k,
            "the share was not used": hot,
            "an array of whole numbers cut off what is less than 1: make one of floats": np.zeros_like(hot),
            "each example has its right class only; all labels were set in every row": (1 - s)
            * np.ones((len(labels), 1))
            * hot.max(axis=0)
            + s / k,
            TRANSPOSED: ((1 - s) * hot + s / k).T,
        },
    )


@check("soft_targets", "a share of 1 leaves nothing but doubt")
def all_doubt(soft_targets: Theirs) -> None:
    expect(
        soft_targets(np.array([1, 1, 0]), 4, 1.0),
        np.full((3, 4), 0.25),
        "labels 1, 1, 0 of four classes, share 1",
        {
            OTHERS: (1 - np.eye(4)[[1, 1, 0]]) / 3,
            "the share was taken away and given to nobody, or whole numbers cut it off": np.zeros((3, 4)),
        },
    )


# ---------------------------------------------------------------------------------------- the gradient


def _slopes(z: Floats, t: Floats) -> Floats:
    slopes: Floats = np.exp(_log_softmax(z)) - t
    return slopes


@check("cross_entropy_gradient", "what was said minus what was right")
def said_minus_right(cross_entropy_gradient: Theirs, log_softmax: Theirs) -> None:
    z, t = np.log([[0.5, 0.2, 0.3]]), np.array([[0.0, 0.0, 1.0]])
    p = np.exp(_log_softmax(z))
    carried = _carried_slopes(_own(log_softmax, z), t)
    _expect(
        cross_entropy_gradient(z, t),
        p - t,
        "p = [[0.5, 0.2, 0.3]], t = [[0, 0, 1]]",
        {
            ROUND: t - p,
            "only the right class was given a slope; the others have to lose": (p - t) * t,
            "the slope by p was taken, -t / p; by the logits it is p - t": -t / p,
            "the factor p (1 - p) belongs to the squared error of a sigmoid; here it cancels": (p - t)
            * p
            * (1 - p),
            "the slope of the squared error was taken": 2 * (p - t),
            "the logits were taken for probabilities": z - t,
            "the logarithms of the probabilities were taken for the probabilities": np.log(p) - t,
            "the probabilities came back, without the target": p,
            "divided by the number of classes; the mean is over examples": (p - t) / 3,
            COLUMNS: np.ones((1, 3)) - t,
        },
        carried,
    )
    z, t = np.array([[2000.0, 0.0]]), np.array([[0.0, 1.0]])
    if _sound(log_softmax, z):
        _far(cross_entropy_gradient, z, "your log_softmax has no such trouble: use it", t)


def _carried_slopes(own: Floats | None, t: Floats) -> Floats | None:
    return None if own is None else (np.exp(own) - t) / len(own)


@check("cross_entropy_gradient", "the loss is a mean, so the gradient is divided by n")
def divided_by_n(cross_entropy_gradient: Theirs, log_softmax: Theirs) -> None:
    z, t = np.array([[1.0, 0.1], [0.2, 2.0], [1.3, 1.1], [-1.0, 0.5], [3.0, 0.3]]), np.eye(2)[[0, 0, 1, 1, 0]]
    slopes = _slopes(z, t)
    carried = _carried_slopes(_own(log_softmax, z), t)
    _expect(
        cross_entropy_gradient(z, t),
        slopes / 5,
        "five examples of two classes",
        {
            ROWS_N: slopes,
            "the rows were divided by the number of classes; the mean is over examples": slopes / 2,
            "the rows were divided by examples times classes; the mean is over examples": slopes / 10,
            "the rows were averaged; each example has a gradient of its own": slopes.mean(axis=0),
            ROUND: -slopes / 5,
            COLUMNS: (np.exp(_log_softmax(z, 0)) - t) / 5,
        },
        carried,
    )


@check("cross_entropy_gradient", "soft targets count in full")
def soft_rows(cross_entropy_gradient: Theirs, log_softmax: Theirs) -> None:
    z = np.array([[2.0, 1.1, 0.0], [0.3, -0.2, 1.5], [0.7, 2.2, -1.0]])
    t = np.array([[0.8, 0.1, 0.1], [0.25, 0.25, 0.5], [0.2, 0.7, 0.1]])
    slopes, hot = _slopes(z, t), np.eye(3)[[0, 2, 1]]
    carried = _carried_slopes(_own(log_softmax, z), t)
    _expect(
        cross_entropy_gradient(z, t),
        slopes / 3,
        "targets [0.8, 0.1, 0.1], [0.25, 0.25, 0.5] and [0.2, 0.7, 0.1]",
        {
            "the largest target was taken for the label; all targets count": _slopes(z, hot) / 3,
            ROWS_N: slopes,
            ROUND: -slopes / 3,
            "1 was subtracted wherever the target is not 0; subtract the target": (slopes + t - 1) / 3,
        },
        carried,
    )


@check("cross_entropy_gradient", "logits and targets are left as they were")
def both_kept(cross_entropy_gradient: Theirs, log_softmax: Theirs) -> None:
    z, t = np.array([[1.0, 3.0]]), np.array([[0.25, 0.75]])
    which = set(changed(cross_entropy_gradient, z, t)) - set(changed(log_softmax, z))
    name = "z" if 0 in which else "targets"
    assert not which, f"{name} was changed: {IN_PLACE}"
    carried = _carried_slopes(_own(log_softmax, z), t)
    _expect(cross_entropy_gradient(z, t), _slopes(z, t), "z = [[1, 3]], t = [[0.25, 0.75]]", carried=carried)


# ---------------------------------------------------------------------------------------- precision and recall

P = np.array([0.95, 0.7, 0.65, 0.6, 0.4, 0.3, 0.2, 0.15, 0.1, 0.08, 0.05])
T = np.array(
    [1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0]
)  # of four alarms above 0.5 three are right; three of five are found


@check("precision_recall", "precision: the share of the alarms that is right")
def share_of_alarms(precision_recall: Theirs) -> None:
    precision, _ = _two(precision_recall(P, T, 0.5))
    expect(
        precision,
        3 / 4,
        "4 alarms, 3 of them right, 5 to be found",
        {
            EXCHANGED: 3 / 5,
            ACCURACY: 8 / 11,
            "the hits were divided by all examples": 3 / 11,
            "the hits were counted, not divided": 3,
            "the alarms were divided by the hits": 4 / 3,
            "the share of the alarms that is wrong was taken": 1 / 4,
            "all right answers were counted as hits; a hit is an alarm that is right": 8 / 4,
        },
    )
    precision, _ = _two(precision_recall(P[1:], T[1:], 0.5))
    expect(precision, 2 / 3, "3 alarms, 2 of them right, 4 to be found", {EXCHANGED: 2 / 4})


@check("precision_recall", "recall: the share that is found")
def share_found(precision_recall: Theirs) -> None:
    _, recall = _two(precision_recall(P, T, 0.5))
    expect(
        recall,
        3 / 5,
        "4 alarms, 3 of them right, 5 to be found",
        {
            EXCHANGED: 3 / 4,
            ACCURACY: 8 / 11,
            "the hits were divided by all examples": 3 / 11,
            "the alarms were divided by what is to be found, right or wrong": 4 / 5,
            "the hits were divided by the misses": 3 / 2,
            "the share of those without an alarm was taken": 2 / 5,
            "all right answers were counted as hits; a hit is an alarm that is right": 8 / 5,
            "the share of the others that raised no alarm was taken": 5 / 6,
        },
    )
    _, recall = _two(precision_recall(P[1:], T[1:], 0.5))
    expect(recall, 2 / 4, "3 alarms, 2 of them right, 4 to be found", {EXCHANGED: 2 / 3})


@check("precision_recall", "an alarm is above the threshold")
def above_threshold(precision_recall: Theirs) -> None:
    expect(
        _two(precision_recall(P, T, 0.2)),
        [3 / 6, 3 / 5],
        "threshold 0.2, which one example meets exactly",
        {
            NO_THRESHOLD: [3 / 4, 3 / 5],
            "p equal to the threshold was taken for an alarm; an alarm is above it": [4 / 7, 4 / 5],
            EXCHANGED: [3 / 5, 3 / 6],
            "those below the threshold were taken for alarms": [1 / 4, 1 / 5],
        },
    )
    expect(
        _two(precision_recall(P, T, 0.8)),
        [1.0, 1 / 5],
        "threshold 0.8",
        {
            NO_THRESHOLD: [3 / 4, 3 / 5],
            EXCHANGED: [1 / 5, 1.0],
        },
    )


@check("precision_recall", "nothing found, nothing to find")
def shares_of_nothing(precision_recall: Theirs) -> None:
    expect(
        _two(precision_recall(P, T, 0.0)),
        [5 / 11, 1.0],
        "threshold 0, so that all are alarms",
        {EXCHANGED: [1.0, 5 / 11]},
    )
    _zeros(precision_recall, P, T, 0.99, "no alarm at all")
    _zeros(precision_recall, P, np.zeros(11, int), 0.5, "nothing to be found")


def _zeros(precision_recall: Theirs, p: Floats, t: NDArray[np.int64], threshold: float, case: str) -> None:
    try:
        found = _two(precision_recall(p, t, threshold))
    except Raised as error:
        if "ZeroDivisionError" not in str(error):
            raise
        raise AssertionError(
            f"{case}: a share of nothing was computed by 0 / 0 ({error}); expected 0 and 0"
        ) from None
    numbers = np.asarray(found)
    assert numbers.dtype.kind != "f" or not np.isnan(numbers).any(), (
        f"{case}: a share of nothing was computed by 0 / 0, which is nan; expected 0 and 0, received {shown(found)}"
    )
    expect(found, [0.0, 0.0], case, {"a share of nothing is 0 here, not 1": [1.0, 0.0]})


def _two(found: Any) -> list[Any]:
    pair = isinstance(found, np.ndarray) and found.shape == (2,)
    return list(parts(found.tolist() if pair else found, "precision", "recall"))
