"""The lights that decide the assignment of the chapter Interpretability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect
from classroom.referee import changed, check, close, there

Floats = NDArray[np.float64]
Network = tuple[Floats, Floats, Floats, float]
Theirs = Callable[..., Any]
MEASURED = 1e-6  # a slope measured by small differences is right up to here


def score(network: Network, x: Floats) -> Any:
    W, b, w, c = network
    return np.maximum(x @ W + b, 0) @ w + c


def slope_of(network: Network, x: Floats) -> Floats:
    W, b, w, _ = network
    return np.asarray(W @ ((x @ W + b > 0) * w))


def drawn(inputs: int, units: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(inputs, units)), rng.normal(size=units), rng.normal(size=units), 0.5


# ---------------------------------------------------------------------------------------- the slope

# At x = (2, 3) units 0 and 2 are on and unit 1 is off; without their biases unit 0 would be off and unit 1 on.
BENT: Network = (
    np.array([[1.0, 2.0, 0.5], [-1.0, -1.0, 1.0]]),
    np.array([2.0, -4.0, 1.0]),
    np.array([3.0, 5.0, 2.0]),
    7.0,
)
AT = np.array([2.0, 3.0])


@check("slope", "units that are on pass their weights to the score")
def all_on(slope: Theirs) -> None:
    W, b, w = np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 6.0]]), np.array([1.0, 1.0]), np.array([10.0, 0.1])
    x = np.array([1.0, 2.0, 3.0])
    expect(
        slope((W, b, w, 0.0), x),
        W @ w,
        "3 inputs, 2 units that are both on",
        {
            "w was left out, by which each unit counts in the score": W.sum(axis=1),
            "W was left out": np.full(3, w.sum()),
            "the value of each unit was passed on, not 1 for a unit that is on": W @ (w * (x @ W + b)),
            "that is the slope times the input": x * (W @ w),
            "there is one slope for each input; those of all units were added up for all": (W @ w).sum(),
            "there is one slope for each input; the units were not added up": W * w,
            "that is the slope by the units, not by the inputs": w,
        },
        within=MEASURED,
    )


@check("slope", "units that are off pass nothing")
def some_off(slope: Theirs) -> None:
    W, b = np.array([[1.0, -1.0], [1.0, -3.0]]), np.zeros(2)
    w = np.array([2.0, 1.0])
    expect(
        slope((W, b, w, 0.0), np.array([1.0, 1.0])),
        W[:, 0] * 2,
        "a unit that is on and one that is off",
        {
            "the unit that is off was let through, too: the ReLU was left out": W @ w,
            "the units that are off were let through, those that are on were not": W[:, 1] * 1,
            "the values of the units were passed on, not 1 for a unit that is on": W[:, 0] * 4,
        },
        within=MEASURED,
    )


@check("slope", "the bias decides which units are on")
def by_bias(slope: Theirs) -> None:
    W, _, w, _ = BENT
    expect(
        slope(BENT, AT),
        W @ (w * [1, 0, 1]),
        "x = [2, 3] and 3 units, of which the biases tell which are on",
        {
            "the biases were left out when the units were looked at": W @ (w * [0, 1, 1]),
            "the units that are off were let through, those that are on were not": W @ (w * [0, 1, 0]),
            "that is the size of the slope; its sign counts here": np.abs(W @ (w * [1, 0, 1])),
            "the ReLU was left out": W @ w,
        },
        within=MEASURED,
    )


@check("slope", "negative slopes stay negative")
def signed(slope: Theirs) -> None:
    W, w = np.array([[1.0, 2.0], [-3.0, 1.0], [4.0, 1.0]]), np.array([1.0, -2.0])
    expect(
        slope((W, np.array([9.0, 9.0]), w, 0.0), np.ones(3)),
        W @ w,
        "3 inputs whose slopes are -3, -5 and 2",
        {
            "that is the size of the slope; its sign counts here": np.abs(W @ w),
            "only positive slopes were let through": np.maximum(W @ w, 0),
            "units with a negative w were left out, as in guided backprop": W @ np.maximum(w, 0),
            "the sign is the wrong way round": -(W @ w),
        },
        within=MEASURED,
    )


@check("slope", "six inputs, nine units, and the input stays as it was")
def many_units(slope: Theirs) -> None:
    network, x = drawn(6, 9, 1), np.random.default_rng(2).normal(size=6)
    expect(slope(network, x), slope_of(network, x), "a random network", {}, within=MEASURED)
    assert not changed(slope, network, x), "the network or x was changed in place"


# ---------------------------------------------------------------------------------------- the slope on the way

SQUARE, CUBE = "lambda x: 2 * np.asarray(x)", "lambda x: 3 * np.asarray(x) ** 2"


@check("integrated_gradients", "the slope is taken in the middle of each piece")
def middles(integrated_gradients: Theirs) -> None:
    expect(
        integrated_gradients(there(CUBE), np.array([3.0]), np.array([0.0]), 3),
        [26.25],
        "s = x³, from 0 to 3 in 3 pieces",
        {
            "the slope was taken at the end of each piece": [42.0],
            "the slope was taken at the beginning of each piece": [15.0],
            "the slopes were taken at 3 places from 0 to 3, both ends included": [33.75],
            "the slopes were taken at both ends of every piece": [3 * 42 / 4],
            "only the slope at x was taken": [81.0],
            "only the slope at the reference was taken": [0.0],
            "the slopes were summed, not averaged": [78.75],
            "the mean slope was not multiplied by x - baseline": [8.75],
            "the slope half-way stands for the whole way": [20.25],
            "the slopes at both ends of each piece were averaged; it is taken in the middle": [28.5],
            "k runs from 0 to n - 1; every place lies one piece too far": [62.25],
            "only the slope of the last piece came in": [18.75],
            "there is one credit for each input; they were added up": 26.25,
            "the credits have the wrong sign: it is x - baseline": [-26.25],
        },
    )


@check("integrated_gradients", "the way begins at the reference")
def from_reference(integrated_gradients: Theirs) -> None:
    x, r = np.array([3.0, 2.0]), np.array([1.0, -2.0])
    shares = (np.arange(4)[:, None] + 0.5) / 4

    def mean(places: Floats) -> Floats:
        return np.asarray(np.mean(3 * places**2, axis=0))

    right = (x - r) * mean(r + shares * (x - r))
    expect(
        integrated_gradients(there(CUBE), x, r, 4),
        right,
        "s = x³ for each of 2 inputs, x = [3, 2], r = [1, -2], 4 pieces",
        {
            "the way began at 0, not at the reference": (x - r) * mean(shares * x),
            "the reference was left out altogether": x * mean(shares * x),
            "the way was made of shares of x added to the reference": (x - r) * mean(r + shares * x),
            "the places lie between 0 and x - baseline": (x - r) * mean(shares * (x - r)),
            "the mean slope was multiplied by x, not by x - baseline": x * mean(r + shares * (x - r)),
            "the credits have the wrong sign: it is x - baseline": -right,
            "there is one credit for each input; they were added up": right.sum(),
            "the mean was taken over inputs and places together": (x - r) * mean(r + shares * (x - r)).mean(),
        },
    )


@check("integrated_gradients", "where the input is as the reference there is no credit")
def as_reference(integrated_gradients: Theirs) -> None:
    expect(
        integrated_gradients(there(SQUARE), np.array([3.0, 1.0]), np.array([1.0, 1.0]), 5),
        [8.0, 0.0],
        "s = x² for each of 2 inputs, x = [3, 1], r = [1, 1]",
        {
            "the mean slope was multiplied by x, not by x - baseline": [12.0, 2.0],
            "the mean slope was not multiplied by x - baseline": [4.0, 2.0],
            "there is one credit for each input; they were added up": 8.0,
            "the slopes were summed, not averaged": [40.0, 0.0],
        },
    )


@check("integrated_gradients", "credits keep their signs")
def signs(integrated_gradients: Theirs) -> None:
    slope_at = there("lambda x: np.array([-2.0, 1.0, -3.0])")
    expect(
        integrated_gradients(slope_at, np.array([2.0, -1.0, 0.0]), np.array([0.0, 1.0, 4.0]), 3),
        [-4.0, -2.0, 12.0],
        "slopes of [-2, 1, -3] everywhere, x = [2, -1, 0], r = [0, 1, 4]",
        {
            "the sizes came back; the signs count": [4.0, 2.0, 12.0],
            "the size of the slope was taken": [4.0, -2.0, -12.0],
            "only positive slopes were counted": [0.0, -2.0, 0.0],
            "the mean slope was not multiplied by x - baseline": [-2.0, 1.0, -3.0],
            "the mean slope was multiplied by x, not by x - baseline": [-4.0, -1.0, 0.0],
            "the slopes were summed, not averaged": [-12.0, -6.0, 36.0],
            "the size of x - baseline was taken": [-4.0, 2.0, -12.0],
            "the credits have the wrong sign: it is x - baseline": [4.0, 2.0, -12.0],
        },
    )


@check("integrated_gradients", "two witnesses share the score between them")
def witnesses(integrated_gradients: Theirs) -> None:
    slope_at = there("lambda x: np.full(2, 1.0 if x[0] + x[1] < 1 else 0.0)")
    x, r = np.array([1.5, 0.5]), np.zeros(2)
    expect(
        integrated_gradients(slope_at, x, r, 200),
        [0.75, 0.25],
        "s = 1 - relu(1 - x_0 - x_1), x = [1.5, 0.5], r = [0, 0], 200 pieces",
        {
            "all slopes were taken where the ReLU is off; the whole way to x counts": [0.0, 0.0],
            "only the slope at the reference was taken": [1.5, 0.5],
            "the mean slope was not multiplied by x - baseline": [0.5, 0.5],
            "the slopes were summed, not averaged": [150.0, 50.0],
        },
    )
    assert not changed(integrated_gradients, slope_at, x, r, 4), "x or the reference was changed in place"


# ---------------------------------------------------------------------------------------- occlusion

EITHER: Network = (np.full((2, 1), -1.0), np.array([1.0]), np.array([-1.0]), 1.0)  # 1 - relu(1 - x_0 - x_1)


def straight(weights: list[float]) -> Network:
    """Return a network whose one unit is always on: a weighted sum."""
    return np.array(weights)[:, None], np.array([100.0]), np.array([1.0]), -100.0


@check("occlusion", "a credit is how far the score falls")
def falls(occlusion: Theirs) -> None:
    expect(
        occlusion(straight([2.0, -1.0, 3.0]), np.array([1.0, 3.0, 4.0]), np.zeros(3)),
        [2.0, -3.0, 12.0],
        "s = 2 x_0 - x_1 + 3 x_2, x = [1, 3, 4], r = [0, 0, 0]",
        {
            "the sign is the wrong way round: score before less score after": [-2.0, 3.0, -12.0],
            "the sizes came back; what speaks against the score has a negative credit": [2.0, 3.0, 12.0],
            "negative credits were cut off; what speaks against the score has one": [2.0, 0.0, 12.0],
            "an input that had been covered stayed covered while the next one was": [2.0, -1.0, 11.0],
            "either the scores themselves came back, not how far they fall, or all inputs but one were covered": [
                9.0,
                14.0,
                -1.0,
            ],
            "that is the slope": [2.0, -1.0, 3.0],
            "the fall was divided by the score": [2 / 11, -3 / 11, 12 / 11],
            "the fall was divided by the largest": [2 / 12, -3 / 12, 1.0],
        },
    )


@check("occlusion", "what covers is the reference")
def by_reference(occlusion: Theirs) -> None:
    expect(
        occlusion(straight([2.0, -1.0, 3.0]), np.array([1.0, 2.0, 4.0]), np.array([0.5, 2.0, 5.0])),
        [1.0, 0.0, -3.0],
        "s = 2 x_0 - x_1 + 3 x_2, x = [1, 2, 4], r = [0.5, 2, 5]",
        {
            "inputs were covered with 0, not with the reference": [2.0, -2.0, 12.0],
            "the reference was taken away from the input, not put in its place": [1.0, -2.0, 15.0],
            "the sign is the wrong way round: score before less score after": [-1.0, 0.0, 3.0],
            "the reference of the first input covered all": [1.0, -1.5, 10.5],
        },
    )


@check("occlusion", "each input is covered alone, the others are there again")
def alone(occlusion: Theirs) -> None:
    expect(
        occlusion(EITHER, np.array([1.0, 1.0]), np.zeros(2)),
        [0.0, 0.0],
        "s = 1 - relu(1 - x_0 - x_1), x = [1, 1], r = [0, 0]",
        {
            "an input that had been covered stayed covered while the next one was": [0.0, 1.0],
            "the scores themselves came back, or all inputs but one were covered": [1.0, 1.0],
            "the credits were made to sum to the score; occlusion does not do that": [0.5, 0.5],
        },
    )
    found = occlusion(EITHER, np.array([1.0, 0.0]), np.zeros(2))
    expect(found, [1.0, 0.0], "the same score, x = [1, 0], r = [0, 0]")


@check("occlusion", "each covered input is compared with the whole, not with the one before")
def with_whole(occlusion: Theirs) -> None:
    both: Network = (np.ones((3, 1)), np.array([-2.0]), np.array([4.0]), 1.0)
    x = np.ones(3)
    expect(
        occlusion(both, x, np.zeros(3)),
        [4.0, 4.0, 4.0],
        "s = 4 relu(x_0 + x_1 + x_2 - 2) + 1, where all three are needed, x = [1, 1, 1]",
        {
            "each score was compared with the one before it, while inputs stayed covered": [4.0, 0.0, 0.0],
            "the bias of the score was counted as a fall": [5.0, 5.0, 5.0],
            "the credits were made to sum to the score; occlusion does not do that": [4 / 3, 4 / 3, 4 / 3],
        },
    )
    assert not changed(occlusion, both, x, np.zeros(3)), (
        "x or the reference was changed in place: cover a copy"
    )


@check("occlusion", "six inputs, nine units")
def many_inputs(occlusion: Theirs) -> None:
    network, rng = drawn(6, 9, 3), np.random.default_rng(4)
    x, r = rng.normal(size=(2, 6))
    wanted = score(network, x) - score(network, np.where(np.eye(6) == 1, r, x))
    mistakes = {
        "the slope was multiplied by the change; to cover is no small change": (x - r) * slope_of(network, x)
    }
    expect(occlusion(network, x, r), wanted, "a random network", mistakes)


# ---------------------------------------------------------------------------------------- agreement


def correlation(p: Any, q: Any) -> float:
    """Return the correlation of two lists of numbers."""
    return float(np.corrcoef(np.ravel(p), np.ravel(q))[0, 1])


def ranks(values: Floats) -> Floats:
    return np.asarray(np.argsort(np.argsort(np.ravel(values))), dtype=float)


def slips(one: Floats, other: Floats) -> dict[str, Any]:
    """Return what typical mistakes give for two maps."""
    p, q, first, second = ranks(one), ranks(other), np.ravel(one), np.ravel(other)
    P, Q = p - p.mean(), q - q.mean()
    return {
        "the values were correlated, not their ranks": correlation(first, second),
        "the whole table of np.corrcoef came back; its entry [0, 1] is the correlation": np.corrcoef(p, q),
        "the values of one map were correlated with the ranks of the other": correlation(p, second),
        "the ranks of one map were correlated with the values of the other": correlation(first, q),
        "the sign is turned round, or was dropped" if P @ Q < 0 else "the sign is turned round": -correlation(
            p, q
        ),
        "it was divided by only one of the two roots": float(P @ Q / np.sqrt(P @ P)),
        "the roots below the line were left out": float(P @ Q / (P @ P) / (Q @ Q)),
        "argsort gives the places of the sorted values; their ranks are the argsort of that": correlation(
            np.argsort(first), np.argsort(second)
        ),
        "the sizes were ranked; a negative value is smaller than a positive one": correlation(
            ranks(np.abs(first)), ranks(np.abs(second))
        ),
        "the means of the ranks were not taken away": float(p @ q / np.sqrt((p @ p) * (q @ q))),
        "that is the share of pixels with equal ranks": float(np.mean(p == q)),
        "that is the covariance: divide by both roots": float(np.mean(P * Q)),
        "the products were summed, but not divided by both roots": float(P @ Q),
        "that is the square of the rank correlation": correlation(p, q) ** 2,
    }


@check("agreement", "ranks, not places of the sorted values")
def true_ranks(agreement: Theirs) -> None:
    one, other = np.array([40.0, 10.0, 50.0, 20.0, 30.0]), np.array([1.0, 5.0, 2.0, 4.0, 3.0])
    expect(
        number(agreement(one, other)),
        correlation(ranks(one), ranks(other)),
        f"{one} and {other}",
        slips(one, other),
    )
    expect(number(agreement(one, one)), 1.0, f"{one} and the same once more")


@check("agreement", "only the order counts, not how large a value is")
def order_only(agreement: Theirs) -> None:
    one, other = np.array([0.1, 3.0, 0.2, 5.0, 4.0]), np.array([3.0, 1e6, 0.5, 2e8, 1e9])
    expect(number(agreement(one, other)), 0.8, f"{one} and {other}", slips(one, other))
    expect(number(agreement(one, one**9)), 1.0, "5 values and their ninth powers", slips(one, one**9))


@check("agreement", "the opposite order is -1, and negative values are the smallest")
def opposite(agreement: Theirs) -> None:
    one, other = np.array([-4.0, 2.0, -1.0, 7.0]), np.array([-9.0, -1.0, -5.0, 0.5])
    turned = {
        "its sign is turned round or was lost, or the sizes were ranked": 1.0,
        "the whole table of np.corrcoef came back; its entry [0, 1] is the correlation": [[1, -1], [-1, 1]],
    }
    expect(number(agreement(one, -one)), -1.0, f"the map {one} and its negative", turned)
    of = f"{one} and {other}, which have the same order"
    expect(number(agreement(one, other)), 1.0, of, slips(one, other))


@check("agreement", "maps with height and width")
def pictures(agreement: Theirs) -> None:
    one, other = np.random.default_rng(6).normal(size=(2, 3, 4))
    rows = correlation(np.argsort(np.argsort(one)), np.argsort(np.argsort(other)))
    mistakes = {"each row was ranked by itself; the ranks are those of the whole map": rows}
    of = "two maps of shape (3, 4)"
    expect(
        number(agreement(one, other)), correlation(ranks(one), ranks(other)), of, mistakes | slips(one, other)
    )
    expect(number(agreement(one, one)), 1.0, f"{of}, the two the same")
    assert not changed(agreement, one, other), "a map was changed in place: sort a copy"


@check("agreement", "two hundred values that have nothing to do with each other")
def unrelated(agreement: Theirs) -> None:
    one, other = np.random.default_rng(8).normal(size=(2, 200)) ** 3
    expect(
        number(agreement(one, other)), correlation(ranks(one), ranks(other)), "200 values", slips(one, other)
    )
    expect(number(agreement(one, one)), 1.0, "200 values and the same once more")


def number(found: Any) -> Any:
    """An array that holds one number is a number."""
    return float(found.ravel()[0]) if isinstance(found, np.ndarray) and found.size == 1 else found


# ---------------------------------------------------------------------------------------- the experiment

FIRST: Network = (np.array([[1.0], [0.0]]), np.zeros(1), np.ones(1), -0.5)  # relu(x_0) - ½
ONE_IS_ENOUGH: Network = (np.ones((2, 1)), np.zeros(1), np.ones(1), -0.5)  # relu(x_0 + x_1) - ½
MAJORITY: Network = (np.ones((3, 1)), np.zeros(1), np.ones(1), -1.5)  # relu(x_0 + x_1 + x_2) - 1½


def answers(network: Network, rows: Floats, t: Any, above: float = 0.0) -> Any:
    """Return for each example whether it is right; the network says class 1 where its score is above a threshold."""
    return (score(network, rows) > above) == (t == 1)


def replaced(x: Floats, columns: Any, values: Any) -> Floats:
    rows = x.copy()
    rows[:, columns] = values
    return rows


def slips_of(network: Network, x: Floats, t: Any, columns: Any, order: Any) -> dict[str, float]:
    """Return what typical mistakes give, in the order of their words."""
    mixed = replaced(x, columns, x[order][:, columns])
    before, after = (answers(network, rows, t).mean() for rows in (x, mixed))
    lost = before - after

    def instead(rows: Floats, classes: Any = t) -> float:
        return float(before - answers(network, rows, classes).mean())

    alone = [instead(replaced(x, one, x[order, one])) for one in columns]
    at_zero, at_half = (
        answers(network, x, t, above).mean() - answers(network, mixed, t, above).mean()
        for above in (-1e-12, 0.5)
    )
    return {
        "the sign is the wrong way round: share before less share after": -lost,
        "the sign was dropped: share before less share after": abs(lost),
        "a negative importance was cut off at 0": max(lost, 0.0),
        "the share of right answers after the shuffle came back, not how far it falls": after,
        "the number of lost answers came back, not their share": lost * len(t),
        "percent came back, not a share": 100 * lost,
        "the shares were divided, not subtracted": after / before,
        "the targets were shuffled, too: they stay where they are": instead(mixed, t[order]),
        "whole rows were shuffled, with all their columns": instead(x[order]),
        "the other columns were shuffled, not the named ones": instead(
            replaced(x[order], columns, x[:, columns])
        ),
        "example order[i] received what example i had": instead(
            replaced(x, columns, x[np.argsort(order)][:, columns])
        ),
        "the columns were wiped out, not shuffled": instead(replaced(x, columns, 0)),
        "the columns were set to their means, not shuffled": instead(
            replaced(x, columns, x[:, columns].mean(axis=0))
        ),
        "the columns were shuffled one at a time, so that the others stood in": sum(alone),
        "the columns were shuffled one at a time, and the mean was taken": float(np.mean(alone)),
        "only the first of the columns was shuffled": alone[0],
        "a score of exactly 0 was taken for class 1": at_zero,
        "class 1 was said where the score is above ½, not above 0": at_half,
        "the answers that change were counted, for the better as well": float(
            np.mean(answers(network, x, t) != answers(network, mixed, t))
        ),
        "the scores were compared, not the answers": float(
            np.mean(score(network, x) - score(network, mixed))
        ),
    }


def shuffled(
    importance: Theirs, network: Network, x: Floats, t: Any, columns: Any, order: Any, of: str
) -> None:
    """Hold an importance against the right one; where several mistakes give what came back, name them all.

    Then with as many examples more, of zeros, which nothing changes, so that it is half as large: no constant is both.
    """
    found = number(importance(network, x, t, columns, order))
    mixed = replaced(x, columns, x[order][:, columns])
    wanted = answers(network, x, t).mean() - answers(network, mixed, t).mean()
    slips = slips_of(network, x, t, columns, order)
    same = [says for says, value in slips.items() if close(found, value)]
    expect(found, wanted, of, {", or ".join(same): found} if 0 < len(same) < 4 else {})
    more, classes = np.concatenate([x, 0 * x]), np.concatenate([t, 0 * t])
    places = np.concatenate([order, len(x) + np.arange(len(x))])
    found = number(importance(network, more, classes, columns, places))
    expect(found, wanted / 2, f"{of} and then as many examples of zeros, which keep their places,")


@check("importance", "a column that counts: the share of right answers that is lost")
def lost(importance: Theirs) -> None:
    x = np.array([[1.0, 3.0], [1.0, 4.0], [1.0, 5.0], [0.0, 6.0], [0.0, 7.0], [0.0, 8.0]])
    t, order = np.array([1, 1, 1, 0, 0, 0]), np.array([5, 0, 1, 2, 3, 4])
    of = "6 examples, all right, of which the shuffle of column 0 makes 2 wrong"
    shuffled(importance, FIRST, x, t, np.array([0]), order, of)


@check("importance", "the other columns stay as they are")
def others_stay(importance: Theirs) -> None:
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    t, order = np.array([1, 1, 0, 0]), np.array([1, 0, 3, 2])
    of = "either of two columns is enough, and column 0 is shuffled by [1, 0, 3, 2]"
    shuffled(importance, ONE_IS_ENOUGH, x, t, np.array([0]), order, of)


@check("importance", "example i receives what example order[i] had")
def which_way(importance: Theirs) -> None:
    network, rng = drawn(4, 5, 11), np.random.default_rng(7)  # every slip gives another number
    x, order, columns = rng.normal(size=(60, 4)), rng.permutation(60), np.array([1])
    t = (score(network, replaced(x, columns, x[order][:, columns])) > 0).astype(int)
    shuffled(importance, network, x, t, columns, order, "60 examples, all right after the shuffle,")
    x = np.array([[0.5, 9.0], [1.0, 9.0], [1.0, 9.0], [0.0, 9.0], [1.0, 9.0]])  # the score of the first is 0
    t, order = np.array([1, 0, 1, 1, 0]), np.array([1, 3, 4, 2, 0])
    of = "column 0 = [½, 1, 1, 0, 1], t = [1, 0, 1, 1, 0], order = [1, 3, 4, 2, 0]: the answers become better"
    shuffled(importance, FIRST, x, t, np.array([0]), order, of)


@check("importance", "several columns are shuffled together")
def together(importance: Theirs) -> None:
    x = np.repeat([[1.0], [0.0], [1.0], [0.0], [0.0]], 3, axis=1)
    t, order = np.array([1, 0, 1, 0, 0]), np.array([1, 0, 3, 2, 4])
    of = "two of three columns are enough, and all three are shuffled by [1, 0, 3, 2, 4]"
    shuffled(importance, MAJORITY, x, t, np.array([0, 1, 2]), order, of)


@check("importance", "two hundred examples of six columns, and the table stays as it was")
def table(importance: Theirs) -> None:
    network, rng = drawn(6, 9, 11), np.random.default_rng(73)  # every slip gives another number
    x, order, columns = rng.normal(size=(200, 6)), rng.permutation(200), np.array([1, 4])
    t = (score(network, x) + rng.normal(size=200) > 0).astype(int)
    shuffled(importance, network, x, t, columns, order, "a random network and table")
    assert not changed(importance, network, x, t, columns, order), (
        "x or t was changed in place: shuffle a copy"
    )
