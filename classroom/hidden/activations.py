"""The lights that decide the assignment of the chapter Activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect
from classroom.referee import Raised, changed, check, close, shown

Floats = NDArray[np.float64]
Theirs = Callable[..., Any]

# Mistakes that more than one light can see.
VARIANCE = "the variance was taken; the mean of the activations counts, too"
SQUARED = "the mean was squared; the squares have to be averaged"
MEAN = "the mean of a unit's sums was asked, not each of them"
ASLEEP = "a unit that is off for one example is only asleep; dead means off for all of them"
SUMS = "all sums that are not above 0 were counted; one unit counts once"
SHARE = "the share of the units was given; expected their number"
ALIVE = "that is the number of units that are alive"
NOT_SIGMOID = "z itself was put into s (1 - s); the sigmoid of z belongs there"


# ---------------------------------------------------------------------------------------- the slope of a ReLU


@check("relu_derivative", "1 above zero, 0 below")
def on_and_off(relu_derivative: Theirs) -> None:
    z = np.array([-7.0, -0.2, 0.001, 5.0])
    expect(
        relu_derivative(z),
        [0, 0, 1, 1],
        "z = [-7, -0.2, 0.001, 5]",
        {
            "that is the value of the ReLU, not its slope": [0, 0, 0.001, 5],
            "the slope on the left is 0: the ReLU is flat there and does not fall": [-1, -1, 1, 1],
            "the slope on the left is 0: 0.01 belongs to the leaky ReLU": [0.01, 0.01, 1, 1],
            "the two sides are exchanged": [1, 1, 0, 0],
            "one slope was given for all sums together; each sum has its own": 1,
            "below 0 the sum itself came back; the slope there is 0": [-7, -0.2, 1, 1],
        },
    )


@check("relu_derivative", "at the joint the slope is that of the left side")
def joint(relu_derivative: Theirs) -> None:
    expect(
        relu_derivative(np.array([-1.0, 0.0, 2.0])),
        [0, 0, 1],
        "z = [-1, 0, 2]",
        {
            "at z = 0 the slope of the right side was taken": [0, 1, 1],
            "at z = 0 the mean of both sides was taken": [0, 0.5, 1],
        },
    )


@check("relu_derivative", "a batch keeps its shape")
def shape_of_slopes(relu_derivative: Theirs) -> None:
    expect(
        relu_derivative(np.array([[2.0, -1.0], [-3.0, 4.0], [1.0, -6.0]])),
        [[1, 0], [0, 1], [1, 0]],
        "three examples of two units, z = [[2, -1], [-3, 4], [1, -6]]",
        {
            "the rows were joined to one long row": [1, 0, 0, 1, 1, 0],
            "one slope was given for each example; each sum has its own": [1, 1, 1],
        },
    )


@check("relu_derivative", "the sums are left as they were")
def sums_unchanged(relu_derivative: Theirs) -> None:
    z = np.array([[-1.5, 2.5]])
    assert not changed(relu_derivative, z), (
        "the slopes were written into z itself, and the sums are gone for whoever needs them next: fill a new array"
    )
    expect(relu_derivative(z), [[0, 1]], "z = [[-1.5, 2.5]]")
    expect(relu_derivative(-z), [[1, 0]], "z = [[1.5, -2.5]]")


# ---------------------------------------------------------------------------------------- the slope of a sigmoid


def _sigmoid(z: Floats) -> Floats:
    values: Floats = np.exp(np.minimum(z, 0.0)) / (1 + np.exp(-np.abs(z)))
    return values


@check("sigmoid_derivative", "the slope at a given sum")
def slope_of_sums(sigmoid_derivative: Theirs) -> None:
    z = np.log([2.0, 4.0])
    expect(
        sigmoid_derivative(z),
        [2 / 9, 4 / 25],
        "z = [log 2, log 4]",
        {
            "that is the value of the sigmoid, not its slope": [2 / 3, 4 / 5],
            NOT_SIGMOID: z * (1 - z),
            "the sign is turned round: the sigmoid rises, so its slope is positive": [-2 / 9, -4 / 25],
            "1 - s is the second factor, not 1 - s²": [2 / 3 * 5 / 9, 4 / 5 * 9 / 25],
            "the slope of tanh, 1 - s², was taken": [5 / 9, 9 / 25],
            "only 1 - s was given; the factor s is missing": [1 / 3, 1 / 5],
        },
    )


@check("sigmoid_derivative", "both sides are alike, and 0 is the steepest place")
def both_sides(sigmoid_derivative: Theirs) -> None:
    z = np.array([-3.0, 0.0, 3.0])
    value = _sigmoid(z)
    expect(
        sigmoid_derivative(z),
        value * (1 - value),
        "z = [-3, 0, 3]",
        {
            "that is the value of the sigmoid, which is ½ at 0; the slope there is ¼": value,
            NOT_SIGMOID: z * (1 - z),
            "1 - s² is the slope of tanh": 1 - value**2,
        },
    )


@check("sigmoid_derivative", "every sum of a batch has its slope")
def batch_of_slopes(sigmoid_derivative: Theirs) -> None:
    z = np.array([[0.0, 1.0, -2.0], [2.5, 0.5, -1.0]])
    value = _sigmoid(z)
    expect(sigmoid_derivative(z), value * (1 - value), "two examples of three units")


@check("sigmoid_derivative", "far out the slope is 0, not nan")
def far_out(sigmoid_derivative: Theirs) -> None:
    z = [-2000.0, 0.0, 2000.0]
    found = _far(sigmoid_derivative, np.array(z), "do not divide one exponential by another")
    expect(found, [0, 0.25, 0], f"z = {z}")


def _far(function: Theirs, z: Floats, remedy: str) -> Any:
    """Return what the function makes of sums that lie far out; AssertionError names an overflow."""
    try:
        found = function(z)
    except Raised as error:
        if "OverflowError" not in str(error):
            raise
        raise AssertionError(f"z = {z.tolist()}: an exponential overflows ({error}); {remedy}") from None
    numbers = np.asarray(found)
    assert numbers.dtype.kind != "f" or np.isfinite(numbers).all(), (
        f"z = {z.tolist()}: exponentials overflow, or all of them become 0, and the result is {shown(found)}; {remedy}"
    )
    return found


# ---------------------------------------------------------------------------------------- softmax


def _softmax(z: Floats, axis: int | None = 1) -> Floats:
    powers = np.exp(z - z.max(axis=axis, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=axis, keepdims=True)
    return probabilities


@check("softmax", "sums become probabilities")
def one_example(softmax: Theirs) -> None:
    z = np.array([[1.0, 2.0, 4.0]])
    expect(
        softmax(z),
        _softmax(z),
        "z = [[1, 2, 4]]",
        {
            "the sums were divided by their total, without an exponential": z / z.sum(),
            "the exponentials were not divided by their sum": np.exp(z),
            "the exponentials were divided by the largest of them, not by their sum": np.exp(z - 4),
            "each sum went through a sigmoid; their values do not add up to 1": _sigmoid(z),
            "the signs are turned round: the largest sum has the largest probability": _softmax(-z),
            "that is the logarithm of the probabilities": np.log(_softmax(z)),
            "the sum was taken over the batch, down the columns": np.ones((1, 3)),
        },
    )


@check("softmax", "each example has probabilities of its own")
def rows_of_probabilities(softmax: Theirs) -> None:
    z = np.array([[0.0, 1.0, 3.0], [2.0, 2.0, -1.0]])
    expect(
        softmax(z),
        _softmax(z),
        "z = [[0, 1, 3], [2, 2, -1]]",
        {
            "the sum was taken over the batch, down the columns": _softmax(z, 0),
            "the sum was taken over the whole batch; each row has to add up to 1": _softmax(z, None),
        },
    )


@check("softmax", "the sums are divided by the temperature")
def divided_by_temperature(softmax: Theirs) -> None:
    z = np.array([[1.0, 0.0, 2.0]])
    expect(
        softmax(z, 4.0),
        _softmax(z / 4),
        "z = [[1, 0, 2]], temperature 4",
        {
            "the temperature was not used, or it cancelled: it divides the sums, inside the exponential": _softmax(
                z
            ),
            "the sums were multiplied by the temperature; they are divided by it": _softmax(4 * z),
            "the probabilities were divided by the temperature, after the softmax": _softmax(z) / 4,
        },
    )


@check("softmax", "large sums do not overflow")
def large_sums(softmax: Theirs) -> None:
    for row in ([2000.0, 2001.0, 2003.0], [-2000.0, -2001.0, -2003.0]):
        z = np.array([row])
        expect(_far(softmax, z, "subtract the largest sum first"), _softmax(z), f"z = {[row]}")
    z = np.array([[2000.0, 2001.0], [-2000.0, -2003.0]])
    found = _far(
        softmax, z, "subtract each row's own largest sum, not that of the whole batch or of another row"
    )
    expect(found, _softmax(z), f"z = {z.tolist()}")
    z = np.array([[4000.0, 0.0, 4001.0]])
    expect(_far(softmax, z, "subtract the largest sum, and no smaller one"), _softmax(z), f"z = {z.tolist()}")
    for temperature in (0.5, 4.0):
        _far(
            lambda z, temperature=temperature: softmax(z, temperature),
            np.array([[2000.0, 2001.0]]),
            f"at the temperature {temperature} divide first, then subtract the largest of what comes of it",
        )


@check("softmax", "whoever hands in sums gets them back unchanged")
def logits_unchanged(softmax: Theirs) -> None:
    z = np.array([[3.0, 1.0]])
    assert not changed(softmax, z, 2.0), (
        "z itself was changed: `z -= …` and `z /= …` write into the array of the caller; `z = z - …` makes a new one"
    )
    expect(softmax(z), _softmax(z), "z = [[3, 1]]")


# ---------------------------------------------------------------------------------------- He's weights


@check("he_weights", "a row for each input, a column for each unit")
def shape_of_weights(he_weights: Theirs) -> None:
    for n_in, n_out in ((7, 3), (4, 9)):
        weights = _array(he_weights(n_in, n_out, 0))
        said = f"n_in = {n_in}, n_out = {n_out}: expected the shape {(n_in, n_out)}; received {weights.shape}"
        assert weights.shape != (n_out, n_in), f"inputs and units are exchanged: {said}"
        assert weights.shape == (n_in, n_out), said
        assert np.ptp(weights) > 0, f"all weights are {shown(weights.flat[0])}; each is drawn for itself"


@check("he_weights", "the spread is that of He's rule")
def spread(he_weights: Theirs) -> None:
    n_in, n_out = 200, 50
    weights = _array(he_weights(n_in, n_out, 5))
    found = float(np.std(weights))
    said = f"n_in = {n_in}, n_out = {n_out}: expected a standard deviation of about 0.1; received {found:.4f}"
    if abs(found - 0.1) < 0.005:
        more = float(np.std(_array(he_weights(4 * n_in, n_out, 5))))
        assert abs(more - 0.05) < 0.0025, (
            f"n_in = {4 * n_in}, n_out = {n_out}: expected a standard deviation of about 0.05; received {more:.4f}"
        )
        return
    _drawn_alone(weights)
    mistakes = {
        "2 / n_in is the variance; the standard deviation is its square root": 2 / n_in,
        "the variance is 1 / n_in, LeCun's rule, which makes up for no ReLU": n_in**-0.5,
        "the units were counted, not the inputs": (2 / n_out) ** 0.5,
        "inputs and units were both counted, as in Glorot's rule": (2 / (n_in + n_out)) ** 0.5,
        "the weights were not scaled": 1.0,
        "the weights were divided by the standard deviation, not multiplied by it": 10.0,
        "the numbers were drawn from 0 to 1; before the scaling their spread has to be 1": 0.1 / 12**0.5,
        "the number of inputs was multiplied, not divided by": (2 * n_in) ** 0.5,
    }
    for mistake, value in mistakes.items():
        assert abs(found - value) > 0.05 * value, f"{mistake}: {said}"
    raise AssertionError(said)


@check("he_weights", "weights have the mean 0")
def mean_of_weights(he_weights: Theirs) -> None:
    found = _array(he_weights(200, 50, 6))
    mean, share = float(found.mean()), float(np.mean(found > 0))
    assert share not in (0.0, 1.0), (
        "all weights have the same sign: expected about as many below 0 as above; draw from both sides of 0"
    )
    assert abs(mean) < 0.1 * float(found.std()), f"expected a mean of about 0; received {mean:.4f}"


@check("he_weights", "the seed decides the draw")
def seeded(he_weights: Theirs) -> None:
    first, again, other = (_array(he_weights(6, 4, seed)) for seed in (11, 11, 12))
    assert first.size > 3, f"n_in = 6, n_out = 4: expected 24 weights; received {shown(first)}"
    assert close(first, again), (
        "the seed was not used: seed = 11 gave other weights the second time; expected the same"
    )
    assert not close(first, other), (
        "the seed was not used: seed = 11 and seed = 12 gave the same weights; expected others for another seed"
    )
    _drawn_alone(first)


def _drawn_alone(weights: Floats) -> None:
    alike = (weights == weights[:1]).all() or (weights.T[:1] == weights.T).all()
    assert not alike, (
        f"every row or every column is the same; each weight is drawn for itself: received {shown(weights)}"
    )


def _array(found: Any) -> Floats:
    assert found is not None, "nothing came back (None): does the function end with `return`?"
    numbers = np.asarray(found)
    assert numbers.dtype.kind in "fiu", f"expected an array of numbers; received {shown(found)}"
    assert np.isfinite(numbers).all(), (
        f"expected numbers; received nan or infinity among them: {shown(found)}"
    )
    return numbers.astype(float)


# ---------------------------------------------------------------------------------------- the signal through a chain


def _through(x: Floats, weights: list[Floats]) -> list[Floats]:
    signals, a = [], x
    for weight in weights:
        a = np.maximum(a @ weight, 0)
        signals.append(a)
    return signals


def _squares(
    mean_squares: Theirs,
    x: Floats,
    weights: list[Floats],
    wanted: list[Any],
    of: str,
    mistakes: dict[str, Any],
) -> None:
    """Hold the signals against what is wanted, and once more for a doubled input: no constants are both."""
    expect(mean_squares(x, weights), wanted, of, mistakes)
    expect(mean_squares(2 * x, weights), 4 * np.asarray(wanted), f"{of}, and then x twice as large")


@check("mean_squares", "one layer: the mean of the squares")
def one_layer(mean_squares: Theirs) -> None:
    _squares(
        mean_squares,
        np.array([[1.0, 2.0]]),
        [np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])],
        [7.0],
        "x = [[1, 2]], so that a = [[1, 2, 4]]",
        {
            VARIANCE: [7 - 49 / 9],
            "the squares were added up and not divided by their number": [21.0],
            SQUARED: [49 / 9],
            "the root was taken, which is not asked for": [7**0.5],
            "the standard deviation was taken, not the mean square": [(7 - 49 / 9) ** 0.5],
            "the activations were not squared": [7 / 3],
            "the signal of the input was measured, not that after the layer": [2.5],
            "a single number came back; expected a list or an array with one number for each layer": 7.0,
        },
    )


@check("mean_squares", "the ReLU comes before the square")
def bent_before(mean_squares: Theirs) -> None:
    _squares(
        mean_squares,
        np.array([[2.0]]),
        [np.array([[-1.5, 0.5, 1.0]])],
        [5 / 3],
        "x = [[2]], so that z = [[-3, 1, 2]] and a = [[0, 1, 2]]",
        {
            "the sums were squared, without a ReLU": [14 / 3],
            "only the activations above 0 were averaged; the zeros count as well": [2.5],
            "the signal of the input was measured, not that after the layer": [4.0],
            SQUARED: [1.0],
            VARIANCE: [2 / 3],
        },
    )


@check("mean_squares", "every layer receives what the one before put out")
def passed_on(mean_squares: Theirs) -> None:
    x = np.array([[1.0, -1.0], [2.0, 1.0]])
    weights = [
        np.array([[1.0, -1.0, 2.0], [-1.0, 2.0, 0.0]]),
        np.array([[1.0, -2.0], [2.0, 1.0], [-1.0, 3.0]]),
        np.eye(2) * 2.0,
    ]
    signals, unbent, fresh = _through(x, weights), x, []
    for weight in weights:
        unbent = unbent @ weight
        fresh.append(np.mean(np.maximum(unbent, 0) ** 2))
    squares = [np.mean(a**2) for a in signals]
    _squares(
        mean_squares,
        x,
        weights,
        squares,
        "three layers of 3, 2 and 2 units",
        {
            "the sums were passed on to the next layer, not the activations": fresh,
            "only the last layer came back; expected one number for each": squares[-1],
            VARIANCE: [np.var(a) for a in signals],
            "the input was counted as a layer": [np.mean(x**2), *squares],
        },
    )


@check("mean_squares", "all examples and all units count")
def whole_batch(mean_squares: Theirs) -> None:
    x = np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 2.0]])
    a = _through(x, [np.array([[1.0, 2.0], [1.0, -1.0]])])[0]
    each_unit, each_example = np.mean(a**2, axis=0), np.mean(a**2, axis=1)
    _squares(
        mean_squares,
        x,
        [np.array([[1.0, 2.0], [1.0, -1.0]])],
        [np.mean(a**2)],
        "three examples and two units",
        {
            "a mean for each unit came back; one number for the layer is wanted": [each_unit],
            "a mean for each example came back; one number for the layer is wanted": [each_example],
            "only the first example was counted": [each_example[0]],
            "the squares of each example were added up; units are to be averaged as well": [np.sum(a**2) / 3],
            "the squares of each unit were added up; examples are to be averaged as well": [np.sum(a**2) / 2],
            "the mean over the batch was taken before the square": [np.mean(a.mean(axis=0) ** 2)],
        },
    )


@check("mean_squares", "fifty layers")
def fifty_layers(mean_squares: Theirs) -> None:
    rng = np.random.default_rng(3)
    x, weights = (
        rng.standard_normal((8, 12)),
        [rng.standard_normal((12, 12)) * (1 / 6) ** 0.5 for _ in range(50)],
    )
    signals = _through(x, weights)
    fresh = [np.mean(np.maximum(x @ w, 0) ** 2) for w in weights]
    _squares(
        mean_squares,
        x,
        weights,
        [np.mean(a**2) for a in signals],
        "fifty layers of 12 units, drawn after He's rule",
        {
            VARIANCE: [np.var(a) for a in signals],
            "every layer was given the input x; each has to receive what the one before put out": fresh,
        },
    )


# ---------------------------------------------------------------------------------------- dead units


def _dead(dead_units: Theirs, z: Any, wanted: int, of: str, mistakes: dict[str, Any]) -> None:
    """Hold a count against what is wanted, and once more with every unit twice: no constant is both."""
    z = np.asarray(z, float)
    expect(dead_units(z), wanted, of, mistakes)
    expect(dead_units(np.concatenate([z, z], axis=1)), 2 * wanted, f"{of}, every unit twice")


@check("dead_units", "dead means off for every example")
def off_for_every_example(dead_units: Theirs) -> None:
    z = [  # chosen so that each way of counting has a number of its own
        [4, -2, 1, 3, -4, -1, 4, 1],
        [-4, -5, -5, -1, -1, -2, -5, -5],
        [2, -2, -2, -5, -1, 2, -1, -3],
        [-3, -5, -4, -1, -5, 3, 2, 2],
    ]
    _dead(
        dead_units,
        z,
        2,
        "four examples of eight units, of which two are off for all four",
        {
            ASLEEP: 8,
            SUMS: 22,
            ALIVE: 6,
            SHARE: 1 / 4,
            "one truth value for each unit came back; expected their number": [0, 1, 0, 0, 1, 0, 0, 0],
            "rows were taken for units; the units are the columns": 1,
            MEAN: 7,
            "only the first example was looked at": 3,
            "only the last example was looked at": 5,
            "units that are off for most of the examples were counted; dead means off for all": 4,
        },
    )


@check("dead_units", "one example is enough to be alive")
def awake_once(dead_units: Theirs) -> None:
    z = np.full((5, 9), -4.0)
    z[1, :2], z[4, 2], z[:, 5] = 40.0, 0.01, 2.0
    _dead(
        dead_units,
        z,
        5,
        "five examples of nine units: three are on for one example each, one is on for all, five for none",
        {
            ASLEEP: 8,
            "only the last example was looked at": 7,
            MEAN: 6,
            SHARE: 5 / 9,
            ALIVE: 4,
        },
    )


@check("dead_units", "units are the columns")
def units_are_columns(dead_units: Theirs) -> None:
    z = [[-1, -2, -3, -4, -5], [3, -1, -2, -3, -1], [-1, -2, -2, -1, 4]]
    _dead(
        dead_units,
        z,
        3,
        f"three examples of five units, z = {z}",
        {
            "rows were taken for units: the examples for which all units are off were counted": 1,
            ASLEEP: 5,
            SUMS: 13,
            SHARE: 0.6,
            ALIVE: 2,
        },
    )


@check("dead_units", "a sum of exactly 0 is off")
def zero_is_off(dead_units: Theirs) -> None:
    z = [[0, 1, 0, 0, 2], [-1, 0, 0, -3, 0]]
    _dead(
        dead_units,
        z,
        3,
        f"z = {z}",
        {
            "a sum of exactly 0 was taken for on, but the slope there is 0": 0,
            ASLEEP: 5,
            SUMS: 8,
            SHARE: 0.6,
            ALIVE: 2,
        },
    )
