"""The lights that decide the assignment of the chapter Overfitting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect, parts
from classroom.referee import changed, check, shown

Floats = NDArray[np.float64]
Theirs = Callable[..., Any]
LOOSE = 1e-6  # for measured slopes; and a small number added to a standard deviation loses one light, not all


def pair(found: Any, *names: str) -> tuple[Any, ...]:
    """Return the two values of a pair; an array of two rows is one, too."""
    return parts(list(found) if isinstance(found, np.ndarray) and found.ndim else found, *names)


# ---------------------------------------------------------------------------------------- the scale

TRAIN = np.array([[1.0, 10.0, -2.0], [3.0, 10.0, 0.0], [5.0, 40.0, 8.0]])
OTHER = np.array([[7.0, 0.0, 1.0], [3.0, 20.0, 4.0], [-1.0, 90.0, 0.0]])


def standard(x: Floats, basis: Floats, **how: Any) -> Floats:
    """Return `x` less the mean of `basis`, divided by its standard deviation; `how` is NumPy's."""
    where = {"axis": how.get("axis", 0), "keepdims": True}
    return np.asarray((x - basis.mean(**where)) / basis.std(**(where | how)))


@check("scaled", "rows that are scaled by themselves get mean 0 and standard deviation 1")
def by_themselves(scaled: Theirs) -> None:
    mean, spread = TRAIN.mean(axis=0), TRAIN.std(axis=0)
    expect(
        scaled(TRAIN, TRAIN),
        (TRAIN - mean) / spread,
        "train and other the same 3 rows",
        {
            "the mean was taken away, but nothing was divided by the standard deviation": TRAIN - mean,
            "the columns were divided by their variance, the square of the standard deviation": (TRAIN - mean)
            / spread**2,
            "the mean was not taken away": TRAIN / spread,
            "the mean was taken away after the division": TRAIN / spread - mean,
            "the standard deviation was divided by n - 1 (ddof=1), np.std divides by n": standard(
                TRAIN, TRAIN, ddof=1
            ),
            "each row was scaled by itself; the columns are meant (axis=0)": standard(TRAIN, TRAIN, axis=1),
            "one mean and one deviation were taken for all columns together (axis=0 is missing)": standard(
                TRAIN, TRAIN, axis=None
            ),
        },
        within=LOOSE,
    )


@check("scaled", "the scale is that of the training rows")
def no_leak(scaled: Theirs) -> None:
    both = np.concatenate([TRAIN, OTHER])
    expect(
        scaled(TRAIN, OTHER),
        standard(OTHER, TRAIN),
        "3 rows to train on and 3 others",
        {
            "a leak: `other` was scaled by its own mean and deviation": standard(OTHER, OTHER),
            "a leak: mean and deviation were taken from all rows, `other` included": standard(OTHER, both),
            "a leak: the deviation is that of `other`": (OTHER - TRAIN.mean(axis=0)) / OTHER.std(axis=0),
            "a leak: the mean is that of `other`": (OTHER - OTHER.mean(axis=0)) / TRAIN.std(axis=0),
            "`train` came back, not `other`": standard(TRAIN, TRAIN),
        },
        within=LOOSE,
    )


@check("scaled", "a single row is scaled as it is among others, and nothing is changed in place")
def one_row(scaled: Theirs) -> None:
    alone = standard(OTHER, TRAIN)[:1]
    expect(
        scaled(TRAIN, OTHER[:1]),
        alone,
        "3 rows to train on and one other",
        {"a leak: a row that is scaled by itself is all zeros": 0 * alone},
        within=LOOSE,
    )
    names = [("train", "other")[n] for n in changed(scaled, TRAIN, OTHER)]
    assert not names, f"{' and '.join(names)} was changed in place: make a new array"


@check("scaled", "a column that is constant in training is divided by 1")
def constant(scaled: Theirs) -> None:
    train, other = np.array([[1.0, 4.0], [5.0, 4.0]]), np.array([[3.0, 4.0], [7.0, 10.0]])
    of = "train = [[1, 4], [5, 4]], other = [[3, 4], [7, 10]]"
    found = scaled(train, other)
    assert np.shape(found) == (2, 2), f"for {of} expected an array of shape (2, 2); received {shown(found)}"
    first, column = np.asarray(found, dtype=float).T
    assert not np.isnan(column).any(), "the constant column was divided by its deviation, 0: NaN came back"
    largest = np.abs(column).max()
    assert largest < 1e20, (
        "the constant column was divided by its deviation, 0, and what came of it was replaced"
    )
    assert largest < 1e3, (
        "a small number was put in the place of 0, so that the constant column explodes: "
        f"expected (10 - 4) / 1 = 6; received {shown(float(column[1]))}"
    )
    assert first[1] != 4, (
        "nothing was divided in the other column either: expected (7 - 3) / 2 = 2; received 4"
    )
    mistakes = {
        "the constant column was set to 0 instead of being divided by 1": [0.0, 0.0],
        "the constant column was not touched; its mean is to be taken away": [4.0, 10.0],
    }
    expect(column, [0.0, 6.0], f"{of}, the constant column", mistakes, within=LOOSE)


# ---------------------------------------------------------------------------------------- the price

W = np.array([0.5, -1.0, 0.001])
X = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 1.0], [0.0, 1.0, -2.0], [-2.0, 2.0, 1.0], [1.0, 1.0, -1.0]])
T = np.array([1.0, -1.0, 2.0, 0.0, 3.0])
N = len(X)


def gradient(theirs: Theirs, b: float = 0.0, strength: float = 0.0) -> tuple[Any, ...]:
    return pair(theirs(W, b, X, T, strength), "slope_w", "slope_b")


def number(found: Any) -> Any:
    """An array that holds one number is a number."""
    return float(found.ravel()[0]) if isinstance(found, np.ndarray) and found.size == 1 else found


@check("penalized_gradient", "without a price: the slope of the mean squared error by the weights")
def by_weights(penalized_gradient: Theirs) -> None:
    wanted = 2 / N * X.T @ (X @ W - T)
    expect(
        gradient(penalized_gradient)[0],
        wanted,
        "5 examples, b = 0 and strength 0, the slope by w",
        {
            "the examples were summed, not averaged": N * wanted,
            "the 2 of the square's derivative is missing": wanted / 2,
            "neither the 2 of the square's derivative nor the mean over examples is there": N / 2 * wanted,
            "the sign is that of a step downhill, d is prediction minus target": -wanted,
            "the mean was taken over the features, not over the examples": wanted * N / 3,
            "d was summed before it met its inputs": 2 * (X @ W - T).mean() * X.mean(axis=0),
            "there is one slope for each weight, they were added up": wanted.sum(),
            "the two slopes are the wrong way round": 2 * (X @ W - T).mean(),
            "the slope by w is to have the shape of w": wanted[:, None],
        },
        within=LOOSE,
    )


@check("penalized_gradient", "the bias is part of the prediction and has a slope of its own")
def by_bias(penalized_gradient: Theirs) -> None:
    d = X @ W + 0.75 - T
    slope_w, slope_b = gradient(penalized_gradient, b=0.75)
    expect(
        number(slope_b),
        2 * d.mean(),
        "b = 0.75 and strength 0, the slope by b",
        {
            "the bias was forgotten in the prediction": 2 * (d - 0.75).mean(),
            "the examples were summed, not averaged": 2 * d.sum(),
            "the 2 of the square's derivative is missing": d.mean(),
            "neither the 2 nor the mean is there": d.sum(),
            "the sign is that of a step downhill": -2 * d.mean(),
            "the slope by b was left at 0": 0.0,
            "there is one slope for the bias, not one for each example; take their mean": 2 * d,
            "there is one slope for the bias, not one for each example": 2 * d / N,
            "the two slopes are the wrong way round": 2 / N * X.T @ d,
        },
        within=LOOSE,
    )
    without = 2 / N * X.T @ (d - 0.75)
    of = "b = 0.75 and strength 0, the slope by w"
    expect(slope_w, 2 / N * X.T @ d, of, {"the bias was forgotten in the prediction": without}, within=LOOSE)


@check("penalized_gradient", "the price pulls each weight in proportion to itself")
def proportional(penalized_gradient: Theirs) -> None:
    free, priced = gradient(penalized_gradient)[0], gradient(penalized_gradient, strength=0.4)[0]
    assert np.shape(free) == np.shape(priced) == W.shape, (
        f"expected a slope by w of shape (3,); received {shown(priced)}"
    )
    pull = np.round(np.asarray(priced, dtype=float) - np.asarray(free, dtype=float), 12)
    expect(
        pull,
        0.4 * W,
        "w = [0.5, -1, 0.001] and strength 0.4, what the price adds to the slope",
        {
            "the price was left out": 0 * W,
            "that is the pull of L1, which is the same for small and large weights": 0.4 * np.sign(W),
            "that belongs to a price of λ Σ w²; ours is half of it, with the slope λ w": 0.8 * W,
            "the half is in the loss, not in its slope": 0.2 * W,
            "the price pushes the weights away from 0 (its sign is wrong)": -0.4 * W,
            "the price was divided by the number of examples; it is no part of the mean": 0.4 / N * W,
            "the price was multiplied by the 2/n of the squared error": 0.8 / N * W,
            "all weights were added up; each is pulled by itself alone": np.full(3, 0.4 * W.sum()),
            "the price itself was added, not its slope": 0.2 * W**2,
            "the price of all weights was added to each slope": np.full(3, 0.2 * (W**2).sum()),
        },
        within=LOOSE,
    )


@check("penalized_gradient", "the bias is free of charge")
def free_bias(penalized_gradient: Theirs) -> None:
    slope_b = number(gradient(penalized_gradient, b=3.0, strength=0.4)[1])
    wanted = 2 * (X @ W + 3.0 - T).mean()
    expect(
        slope_b,
        wanted,
        "b = 3 and strength 0.4, the slope by b",
        {
            "the price was put on the bias, too, which is to be free": wanted + 0.4 * 3,
            "a price of λ b² was put on the bias, which is to be free": wanted + 0.8 * 3,
            "the price of the weights is no part of the slope by b": wanted + 0.4 * W.sum(),
        },
        within=LOOSE,
    )


@check("penalized_gradient", "forty examples of seven features, and nothing is changed in place")
def many(penalized_gradient: Theirs) -> None:
    rng = np.random.default_rng(7)
    w, x, t = rng.normal(size=7), rng.normal(size=(40, 7)), rng.normal(size=40)
    slope_w, slope_b = pair(penalized_gradient(w, -1.5, x, t, 0.3), "slope_w", "slope_b")
    d = x @ w - 1.5 - t
    expect(slope_w, 2 / 40 * x.T @ d + 0.3 * w, "random numbers, the slope by w", within=LOOSE)
    expect(number(slope_b), 2 * d.mean(), "random numbers, the slope by b", within=LOOSE)
    names = [("w", "b", "x", "t", "strength")[n] for n in changed(penalized_gradient, w, -1.5, x, t, 0.3)]
    assert not names, f"{' and '.join(names)} was changed in place: return slopes, make no step"


# ---------------------------------------------------------------------------------------- the stop


def stopped(
    stop: Theirs, losses: list[float], patience: int, wanted: tuple[int, int], mistakes: dict[str, Any]
) -> None:
    """Hold what `stop` returns against a pair of epochs, and once more with an epoch before: no constant is both."""
    found = tuple(map(number, pair(stop(np.array(losses), patience), "best epoch", "last epoch")))
    of = f"losses {losses} with a patience of {patience}: (best epoch, last epoch),"
    usual = {
        "the epochs were counted from 0": (wanted[0] - 1, wanted[1] - 1),
        "the two are the wrong way round": wanted[::-1],
        "the last epoch, not the best, came back first": (wanted[1], wanted[1]),
        "the highest loss was taken for the best": by_the_highest(losses, patience),
        "the training ended one epoch too early": (wanted[0], wanted[1] - 1),
        "the loss came back, not the number of its epoch": (losses[wanted[0] - 1], wanted[1]),
    }
    expect(found, wanted, of, mistakes | usual)
    later = [9.0, *losses]
    found = tuple(map(number, pair(stop(np.array(later), patience), "best epoch", "last epoch")))
    of = f"losses {later} with a patience of {patience}: (best epoch, last epoch),"
    expect(found, (wanted[0] + 1, wanted[1] + 1), of)


def by_the_highest(losses: list[float], patience: int) -> tuple[int, int]:
    """Return both epochs for someone who looks for the highest loss."""
    best = last = 1
    for last, loss in enumerate(losses, start=1):
        best = last if loss > losses[best - 1] else best
        if last - best >= patience:
            break
    return best, last


@check("stop", "the best epoch is counted from 1, and a list that ends earlier ends the training")
def from_one(stop: Theirs) -> None:
    stopped(
        stop,
        [3.0, 2.2, 1.5, 2.5],
        5,
        (3, 4),
        {
            "the best epoch was counted from 0": (2, 4),
            "the last epoch was counted from 0": (3, 3),
            "the training cannot end after the last loss of the list": (3, 8),
            "the losses themselves came back, not the epochs": (1.5, 2.5),
        },
    )


@check("stop", "patience is measured from the best epoch")
def since_best(stop: Theirs) -> None:
    stopped(
        stop,
        [6.0, 5.0, 2.9, 4.0, 3.5, 3.2, 3.1, 3.05, 3.01],
        3,
        (3, 6),
        {
            "the training did not end; each loss is compared with the best so far, not with the one before it": (
                3,
                9,
            ),
            "the training went on for one epoch too many": (3, 7),
            "patience was counted from the first epoch": (3, 3),
            "an epoch that was lower than the one before it was taken for the best": (9, 9),
        },
    )


@check("stop", "a new best epoch starts the count again")
def again(stop: Theirs) -> None:
    stopped(
        stop,
        [5.0, 6.0, 4.0, 5.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        2,
        (5, 7),
        {
            "all epochs without improvement were counted together; a new best starts at 0": (3, 4),
            "the training ended at the first rise": (1, 2),
            "the epoch before the first rise was taken for the best": (1, 3),
            "the training went on for one epoch too many": (5, 8),
            "the training did not end, although patience was used up": (5, 9),
        },
    )


@check("stop", "what comes after the end was never trained")
def no_future(stop: Theirs) -> None:
    stopped(
        stop,
        [4.0, 3.0, 1.0, 2.0, 2.5, 2.7, 0.5, 0.4],
        2,
        (3, 5),
        {
            "the best of all losses was taken; those after the end are never trained": (8, 5),
            "the training did not end, although patience was used up": (8, 8),
            "the training went on for one epoch too many": (3, 6),
        },
    )


@check("stop", "an epoch with an equal loss is not the new best")
def tie(stop: Theirs) -> None:
    stopped(
        stop,
        [5.0, 4.0, 2.0, 3.0, 2.0, 3.0, 3.0, 3.0],
        3,
        (3, 6),
        {
            "an equal loss was taken for an improvement (<= where < is meant)": (5, 8),
            "of equal losses the last was taken for the best": (5, 6),
            "the training went on for one epoch too many": (3, 7),
            "the training did not end; each loss is compared with the best so far, not with the one before it": (
                3,
                8,
            ),
        },
    )


# ---------------------------------------------------------------------------------------- dropout

H = np.array([[1.0, -2.0, 3.0, 4.0, 5.0], [6.0, 7.0, -8.0, 9.0, 10.0]])
DRAWS = np.array([[0.1, 0.9, 0.3, 0.24, 0.5], [0.8, 0.2, 0.7, 0.6, 0.05]])
KEPT = DRAWS >= 0.25


def in_training(theirs: Theirs) -> Floats:
    found = theirs(H, DRAWS, 0.25, True)
    assert found is not None, "nothing came back (None): does the function end with `return`?"
    assert np.shape(found) == H.shape, f"expected an array of shape (2, 5), as `h`; received {shown(found)}"
    return np.asarray(found, dtype=float)


@check("dropout", "a unit is dropped where its draw is below q")
def dropped(dropout: Theirs) -> None:
    found = in_training(dropout)
    expect(
        (found != 0) & np.isfinite(found),
        KEPT,
        "q = 0.25, which units of [2 examples, 5 units] are kept",
        {
            "q is the share that is dropped, not the share that is kept": DRAWS < 0.25,
            "units were dropped where the draw is above q": DRAWS <= 0.25,
            "q was taken for the share that is kept": DRAWS >= 0.75,
            "units were dropped where the draw is above 1 - q; the rule here is: below q": DRAWS < 0.75,
            "½ was taken for q": DRAWS >= 0.5,
            "all examples got the mask of the first": np.tile(KEPT[0], (2, 1)),
            "no unit was dropped": np.ones_like(KEPT),
            "in the training nothing is left: is `train` read the wrong way round?": np.zeros_like(KEPT),
        },
    )
    assert not changed(dropout, H, DRAWS, 0.25, True), "`h` or `draws` was changed in place: make a new array"


@check("dropout", "the units that stay are divided by 1 - q")
def rescaled(dropout: Theirs) -> None:
    found = in_training(dropout)
    kept = KEPT & (found != 0)
    assert kept.any(), "none of the units whose draw is above q = 0.25 was kept"
    scale = np.round((found / H)[kept], 12)
    expect(
        scale,
        np.full(scale.shape, np.round(1 / 0.75, 12)),
        "q = 0.25, by what each unit that stays is multiplied",
        {
            "the units that stay were not scaled up": np.ones(scale.shape),
            "they were multiplied by 1 - q; to keep the mean they are divided by it": np.full(
                scale.shape, 0.75
            ),
            "they were divided by q, the share that is dropped": np.full(scale.shape, 4.0),
            "they were multiplied by q": np.full(scale.shape, 0.25),
            "they were divided by the share of draws that happened to be kept, not by 1 - q": np.full(
                scale.shape, np.round(1 / KEPT.mean(), 12)
            ),
            "they were scaled up by 1 + q": np.full(scale.shape, 1.25),
            "they were divided by 1 + q": np.full(scale.shape, 0.8),
            "½ was taken for q": np.full(scale.shape, 2.0),
        },
    )


@check("dropout", "in the test, unlike in the training, nothing is dropped and nothing is scaled")
def in_the_test(dropout: Theirs) -> None:
    assert (in_training(dropout) == 0).any(), "nothing is dropped in the training either"
    expect(
        dropout(H, DRAWS, 0.25, False),
        H,
        "q = 0.25 and train = False",
        {
            "in the test the units were multiplied by 1 - q; the training has already scaled up": 0.75 * H,
            "in the test the units were divided by 1 - q, too": H / 0.75,
            "in the test units were dropped, too": np.where(KEPT, H / 0.75, 0),
            "in the test units were dropped": np.where(KEPT, H, 0),
        },
    )


@check("dropout", "q = 0 drops nothing, not even where the draw is 0")
def nothing_dropped(dropout: Theirs) -> None:
    h, draws = np.array([[3.0, -5.0]]), np.array([[0.0, 0.6]])
    expect(
        dropout(h, draws, 0.0, True),
        h,
        "h = [[3, -5]], draws = [[0, 0.6]] and q = 0",
        {
            "a draw that is equal to q is not below it (<= where < is meant)": [[0.0, -5.0]],
            "with q = 0 everything was dropped: q is the share that is dropped": [[0.0, 0.0]],
        },
    )
    half = np.ravel(dropout(h, draws, 0.5, True))
    assert half.size == 2, f"expected an array of shape (1, 2); received {shown(half)}"
    assert half[0] == 0, f"with q = 0.5 the unit whose draw is 0 is dropped; received {shown(half)}"


# ---------------------------------------------------------------------------------------- bias and variance

SAID = np.array([[1.0, 5.0, 0.0], [2.0, 5.0, 3.0], [6.0, 8.0, 9.0]])
TRUTH = np.array([1.0, 7.0, 2.0])


def in_two(theirs: Theirs, said: Floats, truth: Floats) -> tuple[Any, ...]:
    return pair(theirs(said, truth), "bias²", "variance")


@check("bias_variance", "bias² is the square of how far the mean of the networks is from the truth")
def off_together(bias_variance: Theirs) -> None:
    off = SAID.mean(axis=0) - TRUTH
    expect(
        in_two(bias_variance, SAID, TRUTH)[0],
        off**2,
        "3 networks at 3 points, bias²",
        {
            "the bias was not squared": off,
            "that is the size of the bias, not its square": np.abs(off),
            "the squares were taken before the mean: that is the whole error": np.mean(
                (SAID - TRUTH) ** 2, axis=0
            ),
            "the mean was taken over the points, not over the networks": (SAID.mean(axis=1) - TRUTH) ** 2,
            "the truth was not taken away": SAID.mean(axis=0) ** 2,
            "the mean was taken over networks and points": (SAID.mean() - TRUTH) ** 2,
            "each point has its own bias²; the mean over the points was taken": np.mean(off**2),
            "bias² and variance are the wrong way round": SAID.var(axis=0),
        },
    )


@check("bias_variance", "the variance is about the mean of the networks")
def scattered(bias_variance: Theirs) -> None:
    expect(
        in_two(bias_variance, SAID, TRUTH)[1],
        SAID.var(axis=0),
        "3 networks at 3 points, the variance",
        {
            "the sum was divided by the number of networks less one (ddof=1)": SAID.var(axis=0, ddof=1),
            "that is the standard deviation, the root of the variance": SAID.std(axis=0),
            "the scatter was taken about the truth, not about the mean: that is the whole error": np.mean(
                (SAID - TRUTH) ** 2, axis=0
            ),
            "the scatter was taken over the points, not over the networks": SAID.var(axis=1),
            "the squares were summed, not averaged": 3 * SAID.var(axis=0),
            "each point has its own variance; the mean over the points was taken": SAID.var(axis=0).mean(),
            "the scatter was taken over networks and points together": SAID.var(),
        },
    )


@check("bias_variance", "there is one bias² and one variance for each point")
def for_each_point(bias_variance: Theirs) -> None:
    said, truth = np.arange(10.0).reshape(2, 5) ** 2, np.full(5, 3.0)
    for name, found in zip(("bias²", "variance"), in_two(bias_variance, said, truth), strict=True):
        assert found is not None, f"for the {name} nothing came back (None)"
        assert np.shape(found) != (), (
            f"each point has its own {name}: expected shape (5,) for 2 networks at 5 points; received one number"
        )
        assert np.shape(found) != (2,), (
            f"the {name} has one number for each network; expected one for each of the 5 points"
        )
        assert np.shape(found) == (5,), (
            f"expected a {name} of shape (5,) for 2 networks at 5 points; received {shown(found)}"
        )
    expect(
        in_two(bias_variance, said, truth)[0], (said.mean(axis=0) - 3) ** 2, "2 networks at 5 points, bias²"
    )


@check("bias_variance", "the two parts add up to the squared error, to all digits")
def exactly(bias_variance: Theirs) -> None:
    rng = np.random.default_rng(5)
    said, truth = rng.normal(size=(6, 4)), rng.normal(size=4)
    bias2, variance = in_two(bias_variance, said, truth)
    of = "6 networks at 4 points, bias² + variance"
    same_shape = np.shape(bias2) == np.shape(variance) == (4,)
    assert same_shape, (
        f"for {of} expected two arrays of shape (4,); received {shown(bias2)} and {shown(variance)}"
    )
    off, spread = (said.mean(axis=0) - truth) ** 2, said.var(axis=0)
    expect(
        np.asarray(bias2, dtype=float) + np.asarray(variance, dtype=float),
        np.mean((said - truth) ** 2, axis=0),
        of,
        {
            "they add up to more, as the variance was divided by 5, not by 6 (ddof=1)": off
            + said.var(axis=0, ddof=1),
            "the bias was not squared": said.mean(axis=0) - truth + spread,
            "the standard deviation was taken for the variance": off + np.sqrt(spread),
        },
    )
    assert not changed(bias_variance, said, truth), (
        "predictions or truth was changed in place: make new arrays"
    )


# ---------------------------------------------------------------------------------------- the verdict


def judgement(verdict: Theirs, validation: list[float], test: list[float]) -> tuple[Any, Any]:
    winner, error = pair(verdict(np.array(validation), np.array(test)), "winner", "error")
    return number(winner), number(error)


@check("verdict", "the validation errors choose the winner")
def chosen(verdict: Theirs) -> None:
    winner, _ = judgement(verdict, [0.4, 0.31, 0.12, 0.2, 0.25], [0.7, 0.1, 0.28, 0.5, 0.24])
    expect(
        winner,
        2,
        "validation [0.4, 0.31, 0.12, 0.2, 0.25], test [0.7, 0.1, 0.28, 0.5, 0.24], the winner",
        {
            "the candidate whose two errors are closest was taken; the lowest validation error wins": 4,
            "winner and error are the wrong way round": 0.28,
            "the test set chose": 1,
            "the highest validation error won; an error is to be low": 0,
            "the candidates were counted from 1": 3,
            "the error came back, not the number of the candidate": 0.12,
        },
    )
    winner, _ = judgement(verdict, [0.1, 0.2], [0.9, 0.1])
    mistakes = {"the test set had a say": 1}
    expect(winner, 0, "validation [0.1, 0.2], test [0.9, 0.1], the winner", mistakes)


@check("verdict", "the winner's test error is reported")
def reported(verdict: Theirs) -> None:
    _, error = judgement(verdict, [0.4, 0.31, 0.12, 0.2], [0.3, 0.1, 0.25, 0.5])
    expect(
        error,
        0.25,
        "validation [0.4, 0.31, 0.12, 0.2], test [0.3, 0.1, 0.25, 0.5], the error to report",
        {
            "the validation error was reported; it is too low, as it was chosen for being low": 0.12,
            "the lowest test error was reported; the winner is another candidate": 0.1,
            "the mean of validation and test error was reported": 0.185,
            "the mean test error of all candidates was reported": 0.2875,
            "winner and error are the wrong way round": 2,
        },
    )
    _, error = judgement(verdict, [0.5, 0.4, 0.3], [0.1, 0.5, 0.28])
    of = "validation [0.5, 0.4, 0.3], test [0.1, 0.5, 0.28], the error to report"
    expect(
        error,
        0.28,
        of,
        {"the larger of the two errors was reported; it is the test error, lower or not": 0.3},
    )


@check("verdict", "between equal candidates the first wins, whatever the test says")
def first_of_equals(verdict: Theirs) -> None:
    winner, error = judgement(verdict, [0.3, 0.2, 0.25, 0.2], [0.4, 0.26, 0.45, 0.24])
    of = "validation [0.3, 0.2, 0.25, 0.2], test [0.4, 0.26, 0.45, 0.24]"
    mistakes = {
        "the candidates were counted from 1": 2,
        "the test set chose between equals, or the last was taken": 3,
        "the highest validation error won; an error is to be low": 0,
    }
    expect(winner, 1, f"{of}, the winner", mistakes)
    expect(error, 0.26, f"{of}, the error to report", {"the validation error was reported": 0.2})
    winner, error = judgement(verdict, [0.2, 0.25, 0.2, 0.3], [0.26, 0.45, 0.24, 0.4])
    of = "validation [0.2, 0.25, 0.2, 0.3], test [0.26, 0.45, 0.24, 0.4]"
    expect((winner, error), (0, 0.26), f"{of}, the winner and the error to report")
