"""The lights that decide the assignment of the chapter Neurons."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect, parts
from classroom.referee import Raised, changed, check, close, shown

Floats = NDArray[np.float64]
Theirs = Callable[..., Any]


# ---------------------------------------------------------------------------------------- the weighted sum


@check("weighted_sum", "every feature meets its own weight")
def products(weighted_sum: Theirs) -> None:
    x, w = np.array([[1.0, 2.0, 3.0]]), np.array([100.0, 10.0, 1.0])
    expect(
        weighted_sum(x, w, 0.0),
        [123.0],
        "x = [[1, 2, 3]], w = [100, 10, 1], b = 0",
        {
            "the products were not added up": [100.0, 20.0, 3.0],
            "features and weights were added up before they met": [666.0],
            "the mean of the products was taken, not their sum": [41.0],
        },
        flat=True,
    )


@check("weighted_sum", "the bias is added once")
def bias_once(weighted_sum: Theirs) -> None:
    expect(
        weighted_sum(np.ones((1, 4)), np.full(4, 2.0), 5.0),
        [13.0],
        "x = [[1, 1, 1, 1]], w = [2, 2, 2, 2], b = 5",
        {
            "the bias was left out": [8.0],
            "the bias was added to every product": [28.0],
            "the bias was subtracted": [3.0],
            "the bias was multiplied": [40.0],
        },
        flat=True,
    )


@check("weighted_sum", "each row of x is an example")
def rows(weighted_sum: Theirs) -> None:
    x, w = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0])
    expect(
        weighted_sum(x, w, 0.0),
        [12.0, 34.0],
        "x = [[1, 2], [3, 4]], w = [10, 1], b = 0",
        {
            "the columns of x were taken for examples": [13.0, 24.0],
            "the examples were added up to one number": [46.0],
            "only the first example was used": [12.0],
        },
        flat=True,
    )


@check("weighted_sum", "one number for each example, whatever their number")
def one_for_each(weighted_sum: Theirs) -> None:
    rng = np.random.default_rng(1)
    for batch, features in ((5, 3), (3, 3), (1, 6), (4, 1)):
        x, w = rng.normal(size=(batch, features)), rng.normal(size=features)
        z, of = x @ w + 0.25, f"a batch of {batch} with {features} features"
        mistakes = {
            "the sums stand in a column: the shape should be (batch,), not (batch, 1)": z[:, None],
            "only one number came back": z[0],
            "the sums were rounded": np.round(z),
            "sums below 0 were cut off": np.maximum(z, 0),
            "the sign of the weights was dropped": x @ np.abs(w) + 0.25,
            "the bias was subtracted": z - 0.5,
        }
        expect(weighted_sum(x, w, 0.25), z, of, mistakes)


# ------------------------------------------------------------------------------------------------ the alarm


def _alarm(alarm: Theirs) -> tuple[Floats, float]:
    """Return the student's w and b, and see that they make a unit that fires for something, and not for all."""
    w, b = parts(alarm(), "w", "b")
    w, b = np.asarray(w, float), np.asarray(b, float)
    assert w.shape == (4,), f"expected four weights, one for each input; received w of shape {w.shape}"
    assert b.size == 1, f"expected one bias; received {b.size} numbers"
    settings = np.array(list(itertools.product((0, 1), repeat=4)))
    assert np.any(settings @ w + b.item() > 0), (
        "the unit never fires, whatever its inputs: the sum must rise above 0 when two detectors are on"
    )
    assert np.any(settings @ w + b.item() <= 0), (
        "the unit always fires, whatever its inputs: the sum must not rise above 0 when no detector is on"
    )
    return w, b.item()


def _sum(unit: tuple[Floats, float], detectors: tuple[int, ...], switch: int) -> tuple[float, str]:
    """Return the unit's weighted sum, and the same in words."""
    w, b = unit
    z = float(np.array([*detectors, switch]) @ w + b)
    return z, f"with detectors {detectors} and the switch at {switch} the sum is {z:g}"


@check("alarm", "no detector, or one alone, is not enough")
def one_is_not_enough(alarm: Theirs) -> None:
    unit = _alarm(alarm)
    for detectors in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
        z, said = _sum(unit, detectors, 0)
        assert z <= 0 or unit[1] <= 0, f"the threshold is −b, so b lies below 0 here: {said}, and it fires"
        assert z <= 0, f"the threshold −b is too low: {said}, and it fires"


@check("alarm", "any two detectors sound it")
def two_are_enough(alarm: Theirs) -> None:
    unit = _alarm(alarm)
    for detectors in ((1, 1, 0), (1, 0, 1), (0, 1, 1)):
        z, said = _sum(unit, detectors, 0)
        assert z > 0 or np.all(unit[0][:3] > 0), (
            f"each detector needs a weight above 0: {said}, and it is silent"
        )
        assert z != 0, f"a sum of exactly 0 does not fire: {said}; raise b a little"
        assert z > 0, f"the threshold −b is too high: {said}, and it is silent"


@check("alarm", "all three detectors sound it")
def three_are_enough(alarm: Theirs) -> None:
    z, said = _sum(_alarm(alarm), (1, 1, 1), 0)
    assert z > 0, f"more detectors should raise the sum: {said}, and it is silent"


@check("alarm", "the switch silences it, whatever the detectors say")
def veto(alarm: Theirs) -> None:
    unit = _alarm(alarm)
    for detectors in itertools.product((0, 1), repeat=3):
        z, said = _sum(unit, detectors, 1)
        assert z <= 0 or unit[0][3] < 0, (
            f"an input that inhibits needs a weight below 0: {said}, and it fires"
        )
        assert z <= 0, f"the switch is too weak to hold back all detectors: {said}, and it fires"


# ----------------------------------------------------------------------------------------------- the margin


def _margins(
    margin: Theirs,
    x: Floats,
    y: Floats,
    w: Floats,
    b: float,
    wanted: float,
    of: str,
    mistakes: dict[str, Any],
) -> None:
    """Hold a margin against what is wanted, and once more with the points twice as far out: no constant is both."""
    expect(margin(x, y, w, b), wanted, of, mistakes, flat=True)
    twice = {mistake: 2 * np.asarray(value) for mistake, value in mistakes.items()}
    expect(margin(2 * x, y, w, 2 * b), 2 * wanted, f"{of}, with x and b twice as large", twice, flat=True)


@check("margin", "it is a distance, not a weighted sum")
def is_a_distance(margin: Theirs) -> None:
    x, y = np.array([[1.0, 5.0], [0.0, 0.0], [7.8, 0.0]]), np.array([1.0, -1.0, 1.0])
    _margins(
        margin,
        x,
        y,
        np.array([5.0, 12.0]),
        -13.0,
        1.0,
        "sums of 52, −13 and 26 with w = [5, 12]",
        {
            "that is the weighted sum; divide by the length of w": 13.0,
            "the length of w is √(5² + 12²), not 5 + 12": 13 / 17,
            "divided by |w|² where |w| is meant": 1 / 13,
            "the bias is no part of the length of w": 13 / np.sqrt(25 + 144 + 169),
            "the bias was left out": 0.0,
            "the whole sum is divided by |w|, the bias as well": -10.0,
            "the label was left out, so the sign is wrong": -1.0,
        },
    )


@check("margin", "the bias shifts the border")
def bias_shifts(margin: Theirs) -> None:
    _margins(
        margin,
        np.array([[5.0, 0.0], [0.0, -1.0]]),
        np.array([1.0, -1.0]),
        np.array([0.6, 0.8]),
        -0.5,
        1.3,
        "x = [[5, 0], [0, −1]], w = [0.6, 0.8] of length 1, b = −0.5",
        {"the bias was left out": 0.8, "the bias was subtracted": 0.3},
    )


@check("margin", "a point on the wrong side makes it negative")
def wrong_side(margin: Theirs) -> None:
    x, y = np.array([[4.0, 0.0], [2.0, 0.0], [1.0, 0.0], [-3.0, 1.0]]), np.array([1.0, -1.0, 1.0, -1.0])
    _margins(
        margin,
        x,
        y,
        np.array([1.0, 0.0]),
        0.0,
        -2.0,
        "distances of 4, 2, 1 and −3, the second on the wrong side",
        {
            "a point on the wrong side counts as negative; it was left out, or its sign was dropped": 1.0,
            "a margin below 0 was cut off; it says how far a point is on the wrong side": 0.0,
            "the label was left out": -3.0,
        },
    )


@check("margin", "the nearest point decides, of either class")
def nearest(margin: Theirs) -> None:
    x = np.array([[4.0, 0.0], [3.0, 2.0], [9.0, 1.0], [-2.0, 5.0], [-7.0, 0.0]])
    y = np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    _margins(
        margin,
        x,
        y,
        np.array([1.0, 0.0]),
        0.0,
        2.0,
        "distances of 4, 3, 9, −2 and −7, all on their own side",
        {
            "the farthest point was taken": 9.0,
            "the mean of the distances was taken": 5.0,
            "the distances of all points came back, not the least": [4.0, 3.0, 9.0, 2.0, 7.0],
            "the label was left out: of two signs the least is not the nearest": -7.0,
            "the first point was taken": 4.0,
            "only the points of class +1 were looked at": 3.0,
        },
    )


@check("margin", "ten times w and b is the same border")
def same_border(margin: Theirs) -> None:
    rng = np.random.default_rng(2)
    x, w, b = rng.normal(size=(20, 6)), rng.normal(size=6), 0.3
    y = np.where(rng.random(20) < 0.5, -1.0, 1.0)
    wanted = float(np.min(y * (x @ w + b)) / np.linalg.norm(w))
    once, ten = margin(x, y, w, b), margin(x, y, 10 * w, 10 * b)
    if not close(once, ten) and close(10 * np.asarray(once, float), ten):
        raise AssertionError("the margin grew with w and b, but the border is where it was: divide by |w|")
    expect(once, wanted, "20 random points with 6 features", flat=True)
    expect(ten, wanted, "the same points, with w and b ten times as large", flat=True)
    out = margin(2 * x, y, w, 2 * b)
    expect(out, 2 * wanted, "the same points twice as far out, with b twice as large", flat=True)


# ------------------------------------------------------------------------------------- the perceptron's rule


def _updated(
    perceptron_update: Theirs, w: list[float], b: float, x: list[float], y: float
) -> tuple[Any, Any]:
    found_w, found_b = parts(perceptron_update(np.array(w), b, np.array(x), y), "w", "b")
    return found_w, found_b


@check("perceptron_update", "a mistake adds the point, with the sign of its class")
def adds_the_point(perceptron_update: Theirs) -> None:
    w, _ = _updated(perceptron_update, [1.0, -2.0, 0.0], -1.0, [2.0, 3.0, 5.0], 1.0)  # z = -5
    mistakes = {
        "it is a mistake, and w did not change": [1.0, -2.0, 0.0],
        "the point was subtracted, which makes the mistake worse": [-1.0, -5.0, -5.0],
        "w was replaced, not added to": [2.0, 3.0, 5.0],
        "the step is y x, whatever z is": [-9.0, -17.0, -25.0],
    }
    expect(w, [3.0, 1.0, 5.0], "w = [1, −2, 0], b = −1, x = [2, 3, 5], y = +1", mistakes)
    w, _ = _updated(perceptron_update, [-5.0, 1.0], 0.0, [2.0, 1.0], 1.0)  # z = -9, then -3, then 3
    once = {"the point was added until it was no mistake; one look is one step": [-1.0, 3.0]}
    expect(w, [-3.0, 2.0], "w = [−5, 1], b = 0, x = [2, 1], y = +1, still a mistake after the step,", once)
    w, _ = _updated(perceptron_update, [1.0, 2.0], 0.5, [4.0, -1.0], -1.0)  # z = 2.5
    mistakes = {
        "the label's sign was left out: the step is y x": [5.0, 1.0],
        "a mistake is y z ≤ 0, not z ≤ 0, and w did not change": [1.0, 2.0],
    }
    expect(w, [-3.0, 3.0], "w = [1, 2], b = 0.5, x = [4, −1], y = −1", mistakes)


@check("perceptron_update", "the bias takes a step, too")
def moves_the_bias(perceptron_update: Theirs) -> None:
    settings = (([1.0, 2.0], 0.5, [4.0, -1.0], -1.0), ([1.0, -2.0], -1.5, [2.0, 3.0], 1.0))
    for w, b, x, y in settings:
        _, found = _updated(perceptron_update, w, b, x, y)
        of = f"w = {w}, b = {b}, x = {x}, y = {y:+g}, the bias after the step:"
        mistakes = {
            "the bias did not move": b,
            f"the bias is moved by y, here by {y:+g}": b - y,
            "the bias is moved by y alone, not by y times the inputs": b + y * sum(x),
        }
        expect(found, b + y, of, mistakes, flat=True)


@check("perceptron_update", "only a point on the wrong side moves anything")
def leaves_alone(perceptron_update: Theirs) -> None:
    for y in (1.0, -1.0):
        start, b = [2.0 * y, 1.0 * y], 0.5 * y
        w, found = _updated(perceptron_update, start, b, [1.0, 3.0], y)  # y z = 5.5
        of = f"w = {start}, b = {b}, x = [1, 3], y = {y:+g}, where y z = 5.5,"
        moved = "it was no mistake, and w moved: only a point with y z ≤ 0 changes anything"
        expect(w, start, f"{of} w", {moved: np.add(start, [y, 3 * y])})
        expect(found, b, f"{of} b", {"it was no mistake, and the bias moved": b + y}, flat=True)
    w, _ = _updated(perceptron_update, [1.0, 1.0], -5.0, [1.0, 2.0], 1.0)  # 3 without the bias, -2 with it
    ignored = "the bias was left out of the sum, which is −2: a mistake"
    expect(w, [2.0, 3.0], "w = [1, 1], b = −5, x = [1, 2], y = +1", {ignored: [1.0, 1.0]})


@check("perceptron_update", "a point on the border counts as a mistake")
def border_is_a_mistake(perceptron_update: Theirs) -> None:
    for y in (1.0, -1.0):
        w, b = _updated(perceptron_update, [0.0, 0.0], 0.0, [3.0, -1.0], y)
        stuck = "a sum of exactly 0 is a mistake, y z ≤ 0, and nothing moved: from zeros it can never start"
        of = f"w = [0, 0], b = 0, x = [3, −1], y = {y:+g}"
        expect(w, [3.0 * y, -1.0 * y], of, {stuck: [0.0, 0.0]})
        expect(b, y, f"{of}, the bias", {"the bias stayed at its start": 0.0}, flat=True)


@check("perceptron_update", "the w that it was given stays as it was")
def gives_new_weights(perceptron_update: Theirs) -> None:
    w, x = np.array([1.0, 2.0]), np.array([4.0, -1.0])
    assert 0 not in changed(perceptron_update, w, 0.5, x, -1.0), (
        "the array w that was handed in has changed: `w += …` writes into it, `w = w + …` makes a new one"
    )
    found, _ = _updated(perceptron_update, [1.0, 2.0], 0.5, [4.0, -1.0], -1.0)
    moved = np.asarray(found, float)
    new = moved.shape == (2,) and bool(np.isfinite(moved).all() and moved.any()) and not close(moved, w)
    assert new, f"expected new weights after a mistake; received {shown(found)}"
    other, _ = _updated(perceptron_update, [1.0, 2.0], 0.5, [6.0, -1.0], -1.0)
    assert not close(other, moved), f"mistakes at two points gave the same new weights: {shown(found)}"


# --------------------------------------------------------------------------------------------- the gradient


def _logistic(z: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -z)))


def _gradient(x: Floats, t: Floats, w: Floats, b: float) -> tuple[Floats, float]:
    error = _logistic(x @ w + b) - t
    return x.T @ error / len(x), float(error.mean())


@check("gradient", "it is the error times the input, without a further factor")
def error_times_input(gradient: Theirs) -> None:
    x, t, w, b = np.array([[2.0, -1.0]]), np.array([1.0]), np.array([0.5, 0.25]), 0.5
    error = float(_logistic(np.array(1.25))) - 1
    mistakes = {
        "σ′ = ŷ (1 − ŷ) was multiplied in; with this loss it cancels": -error * (1 + error) * error * x[0],
        "the sign is turned round: the error is ŷ − t": -error * x[0],
        "the target was left out: the error is ŷ − t": (1 + error) * x[0],
        "the bias was left out of z": (float(_logistic(np.array(0.75))) - 1) * x[0],
        "z was taken for ŷ: the sum must go through σ": 0.25 * x[0],
        "the perceptron's threshold was used in place of σ": 0 * x[0],
        "the exponent has the wrong sign: σ(z) = 1 / (1 + e^−z)": -(1 + error) * x[0],
        "twice the slope came back: this loss has no square": 2 * error * x[0],
        "the error was not multiplied by the input": [error, error],
    }
    dw, _ = parts(gradient(x, t, w, b), "dw", "db")
    expect(dw, error * x[0], "x = [[2, −1]], t = [1], w = [0.5, 0.25], b = 0.5, where ŷ = 0.78", mistakes)


@check("gradient", "sums of 1000 and −1000 do no harm")
def far_from_the_border(gradient: Theirs) -> None:
    x, t, w = np.array([[1000.0, -1.0], [-1000.0, 2.0]]), np.array([1.0, 1.0]), np.array([1.0, 0.0])
    dw, db = parts(gradient(x, t, w, 0.0), "dw", "db")
    of = "sums of 1000 and −1000, where ŷ is 1 and 0,"
    over = "e to the 1000 is beyond all floats: 1 / (1 + e^−z) survives that, e^z / (1 + e^z) does not"
    expect(dw, [500.0, -1.0], f"{of} dw", {over: [np.nan, np.nan]})
    expect(db, -0.5, f"{of} db", {over: np.nan}, flat=True)


@check("gradient", "it is the mean over the examples")
def mean_over_examples(gradient: Theirs) -> None:
    x = np.array([[1.0, 0.0], [3.0, 2.0], [2.0, 6.0], [0.0, 2.0], [0.0, 0.0]])
    t = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    dw, _ = parts(gradient(x, t, np.zeros(2), 0.0), "dw", "db")
    expect(
        dw,
        [0.0, 0.6],
        "five examples, w = [0, 0], b = 0",
        {
            "the sum over the examples was taken, not their mean": [0.0, 3.0],
            "divided by the number of features, not of examples": [0.0, 1.5],
            "twice the slope came back: this loss has no square": [0.0, 1.2],
            "the sign is turned round: the error is ŷ − t": [0.0, -0.6],
            "mean error times mean input is not the mean of their products": [0.36, 0.6],
            "each example's gradient came back; take their mean over the rows": (0.5 - t)[:, None] * x,
        },
    )


@check("gradient", "the bias's share is the mean error")
def of_the_bias(gradient: Theirs) -> None:
    x, t = np.arange(10.0).reshape(5, 2), np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    _, db = parts(gradient(x, t, np.zeros(2), 0.0), "dw", "db")
    expect(
        db,
        0.3,
        "five examples, one of class 1, w = [0, 0], b = 0, db",
        {
            "the sum over the examples was taken, not their mean": 1.5,
            "the sign is turned round: the error is ŷ − t": -0.3,
            "ŷ was 0 where the sum is 0; σ(0) is ½": -0.2,
            "each example's error came back; take their mean": 0.5 - t,
            "the bias got no gradient": 0.0,
            "σ′ = ŷ (1 − ŷ) was multiplied in; with this loss it cancels": 0.075,
        },
        flat=True,
    )


@check("gradient", "it is right for random examples")
def random_examples(gradient: Theirs) -> None:
    rng = np.random.default_rng(3)
    for batch, features in ((30, 5), (4, 4), (1, 3), (6, 1)):
        x, w = rng.normal(size=(batch, features)), rng.normal(size=features)
        t = (rng.random(batch) < 0.5).astype(float)
        dw, db = parts(gradient(x, t, w, 0.7), "dw", "db")
        wanted_dw, wanted_db = _gradient(x, t, w, 0.7)
        of = f"{batch} random examples with {features} features"
        mistakes = {
            "the sum over the examples was taken, not their mean": batch * wanted_dw,
            "the sign is turned round: the error is ŷ − t": -wanted_dw,
        }
        expect(dw, wanted_dw, f"{of}, dw", mistakes)
        expect(db, wanted_db, f"{of}, db", flat=True)


# ------------------------------------------------------------------------------------------------- training


def _steps(
    gradient: Callable[..., Any], x: Floats, t: Floats, rate: float, steps: int
) -> tuple[Floats, Floats]:
    w, b = np.zeros(x.shape[1]), np.zeros(())
    for _ in range(steps):
        dw, db = gradient(x, t, w, b if b.ndim else b.item())
        w, b = w - rate * np.asarray(dw, float), b - rate * np.squeeze(np.asarray(db, float))
    return w, b


def _is_descent(
    found: tuple[Any, Any], gradient: Theirs, x: Floats, t: Floats, rate: float, steps: int
) -> bool:
    """Whether w and b are those of the right gradient, or of the student's own: an error counts once."""
    for rule in (_gradient, gradient):
        try:
            w, b = _steps(rule, x, t, rate, steps)
        except (Raised, TypeError, ValueError):
            return False
        if np.any(w) and close(found[0], w) and close(np.squeeze(found[1]), b):
            return True
    return False


def _points() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(12, 3)) + 0.5
    return x, (x @ np.array([1.0, -2.0, 0.5]) > 1.0).astype(float)


@check("train", "one step goes down the slope, as far as the learning rate says")
def one_step(train: Theirs, gradient: Theirs) -> None:
    x, t = np.array([[4.0, -2.0], [0.0, 2.0], [2.0, 0.0]]), np.array([1.0, 0.0, 1.0])
    w, b = parts(train(x, t, 0.3, 1), "w", "b")
    if not _is_descent((w, b), gradient, x, t, 0.3, 1):
        of = "x = [[4, −2], [0, 2], [2, 0]], t = [1, 0, 1], learning_rate = 0.3, steps = 1"
        mistakes = {
            "the step went up the slope: subtract the gradient": [-0.3, 0.2],
            "the learning rate was left out": [1.0, -2 / 3],
            "the weights did not move": [0.0, 0.0],
            "the gradient itself came back": [-1.0, 2 / 3],
            "divided by the number of examples once more; `gradient` is a mean already": [0.1, -0.2 / 3],
            "one step too many was taken": _steps(_gradient, x, t, 0.3, 2)[0],
        }
        expect(w, [0.3, -0.2], of, mistakes)
        expect(b, 0.05, f"{of}, the bias", {"the bias did not move": 0.0}, flat=True)


@check("train", "it begins at zero and takes exactly as many steps as asked")
def number_of_steps(train: Theirs, gradient: Theirs) -> None:
    points, t = _points()
    start, _ = parts(train(points, t, 0.5, 0), "w", "b")
    assert close(start, np.zeros(3)), (
        f"the weights start at zero: with steps = 0 expected zeros; received {shown(start)}"
    )
    near_zero = 0.001 * points  # a small slope is no reason to end
    for x, steps in ((points, 1), (points, 3), (points, 2), (near_zero, 3)):
        w, b = parts(train(x, t, 0.5, steps), "w", "b")
        if not _is_descent((w, b), gradient, x, t, 0.5, steps):
            wanted = _steps(_gradient, x, t, 0.5, steps)
            mistakes = {
                "the step went up the slope: subtract the gradient": _steps(_gradient, x, t, -0.5, steps)[0],
                "only one step was taken: does the loop end early, by `return` or `break`?": _steps(
                    _gradient, x, t, 0.5, 1
                )[0],
                "one step too many was taken": _steps(_gradient, x, t, 0.5, steps + 1)[0],
                "one step too few was taken": _steps(_gradient, x, t, 0.5, steps - 1)[0],
            }
            expect(w, wanted[0], f"12 examples and steps = {steps}, w", mistakes)
            expect(b, wanted[1], f"12 examples and steps = {steps}, b", flat=True)


@check("train", "each step has a gradient of its own")
def fresh_gradient(train: Theirs, gradient: Theirs) -> None:
    x, t = _points()
    w, b = parts(train(x, t, 0.5, 8), "w", "b")
    if not _is_descent((w, b), gradient, x, t, 0.5, 8):
        stale = -0.5 * 8 * _gradient(x, t, np.zeros(3), 0.0)[0]
        wanted = _steps(_gradient, x, t, 0.5, 8)
        once = "the gradient was computed once, before the loop: it changes with every step"
        up = "the step went up the slope: subtract the gradient"
        expect(w, wanted[0], "8 steps, w", {once: stale, up: _steps(_gradient, x, t, -0.5, 8)[0]})
        expect(b, wanted[1], "8 steps, b", {"the bias did not move": 0.0}, flat=True)


@check("train", "w and b take each step together")
def together(train: Theirs, gradient: Theirs) -> None:
    x, t = _points()
    w, b = parts(train(x, t, 1.0, 3), "w", "b")
    if not _is_descent((w, b), gradient, x, t, 1.0, 3):
        staggered, without = _staggered(x, t), _without_bias(x, t)
        _, wanted = _steps(_gradient, x, t, 1.0, 3)
        late = "the bias took its step with the new weights: compute dw and db first, then move both"
        expect(b, wanted, "3 steps, b", {late: staggered[1], "the bias did not move": 0.0}, flat=True)
        mistakes = {late: staggered[0], "the bias stayed at 0 while w moved": without}
        expect(w, _steps(_gradient, x, t, 1.0, 3)[0], "3 steps, w", mistakes)


def _staggered(x: Floats, t: Floats) -> tuple[Floats, float]:
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(3):
        w = w - _gradient(x, t, w, b)[0]
        b = b - _gradient(x, t, w, b)[1]
    return w, b


def _without_bias(x: Floats, t: Floats) -> Floats:
    w = np.zeros(x.shape[1])
    for _ in range(3):
        w = w - _gradient(x, t, w, 0.0)[0]
    return w


@check("train", "two clouds: in the end every point is on its own side")
def learns(train: Theirs, gradient: Theirs) -> None:
    rng = np.random.default_rng(5)
    t = np.repeat([0.0, 1.0], [13, 17])
    x = rng.uniform(-0.8, 0.8, size=(30, 2)) + np.where(t == 1, 1.0, -1.0)[:, None] + [0.5, 1.0]
    w, b = parts(train(x, t, 1.0, 60), "w", "b")
    z = x @ np.asarray(w, float) + np.squeeze(np.asarray(b, float))
    right = int(np.sum((z > 0) == (t == 1)))
    if right < 30 and not _is_descent((w, b), gradient, x, t, 1.0, 60):
        raise AssertionError(f"after 60 steps expected all 30 points on their own side; received {right}")
