"""The lights that decide the assignment of the chapter Layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.mistakes import expect, parts
from classroom.referee import Raised, changed, check, close, shown

Floats = NDArray[np.float64]
Theirs = Callable[..., Any]
Layers = Sequence[tuple[Floats, Floats]]
Bend = Callable[[Floats], Floats]


# -------------------------------------------------------------------------------------------- a dense layer


@check("dense", "a column of W is a unit")
def columns(dense: Theirs) -> None:
    x, W = np.array([[1.0, 10.0]]), np.array([[1.0, 2.0], [3.0, -4.0]])
    expect(
        dense(x, W, np.zeros(2)),
        [[31.0, -38.0]],
        "x = [[1, 10]], W = [[1, 2], [3, −4]], b = [0, 0]",
        {
            "the rows of W were taken for units": [[21.0, -37.0]],
            "a ReLU was applied; a dense layer gives the sums themselves": [[31.0, 0.0]],
            "the units were added up": [-7.0],
            "each number was multiplied where it stands; a unit adds up its products": [
                [1.0, 20.0],
                [3.0, -40.0],
            ],
        },
    )


@check("dense", "each unit has a bias of its own, the same for all examples")
def biases(dense: Theirs) -> None:
    x, W, b = np.array([[1.0, 2.0], [3.0, 1.0]]), np.ones((2, 2)), np.array([5.0, -7.0])
    expect(
        dense(x, W, b),
        x @ W + b,
        "x = [[1, 2], [3, 1]], W = [[1, 1], [1, 1]], b = [5, −7]",
        {
            "the bias was left out": x @ W,
            "the first bias went to the first example, not to the first unit": x @ W + b[:, None],
            "the biases were added up": x @ W + b.sum(),
            "every unit got the bias of the first": x @ W + b[0],
            "the bias was subtracted": x @ W - b,
            "the bias was added once for each input": x @ W + 2 * b,
            "the biases were added to the weights, before x came in": x @ (W + b),
            "a ReLU was applied; a dense layer gives the sums themselves": np.maximum(0, x @ W + b),
        },
    )


@check("dense", "each row of x is an example")
def examples(dense: Theirs) -> None:
    x, W = np.array([[1.0, 2.0], [0.0, 5.0], [-1.0, 4.0]]), np.array([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]])
    expect(
        dense(x, W, np.zeros(3)),
        x @ W,
        "three examples with two features, three units, b = [0, 0, 0]",
        {
            "the answer lies on its side: examples are rows, units are columns": (x @ W).T,
            "the examples were added up": (x @ W).sum(axis=0),
            "only the first example was used": (x @ W)[0],
            "a ReLU was applied; a dense layer gives the sums themselves": np.maximum(0, x @ W),
        },
    )


@check("dense", "any batch, any number of inputs and units")
def any_shape(dense: Theirs) -> None:
    rng = np.random.default_rng(1)
    for batch, n_in, n_out in ((5, 3, 4), (1, 6, 2), (4, 1, 3), (3, 3, 1)):
        x, W, b = rng.normal(size=(batch, n_in)), rng.normal(size=(n_in, n_out)), rng.normal(size=n_out)
        expect(dense(x, W, b), x @ W + b, f"a batch of {batch}, {n_in} inputs, {n_out} units")


# --------------------------------------------------------------------------------------- counting parameters


def _counted(count_parameters: Theirs, sizes: list[int]) -> None:
    pairs = list(pairwise(sizes))
    weights = sum(n * m for n, m in pairs)
    expect(
        count_parameters(sizes),
        weights + sum(sizes[1:]),
        f"sizes = {sizes}",
        {
            "only the weights were counted: each unit has a bias, too": weights,
            "the inputs have no bias; the units have one each": weights + sum(sizes[:-1]),
            "biases were counted for the inputs, too": weights + sum(sizes),
            "one bias was counted for each layer; each unit has its own": weights + len(pairs),
            "the units of the last layer have biases, too": weights + sum(sizes[1:-1]),
            "units were counted, not parameters": sum(sizes[1:]),
            "the numbers were added up; a layer has one weight for each pair of input and unit": sum(sizes),
            "all sizes were multiplied with each other; only neighbours meet": int(np.prod(sizes)),
            "only the first layer was counted": sizes[0] * sizes[1] + sizes[1],
            "only the last layer was counted": sizes[-2] * sizes[-1] + sizes[-1],
            "the last layer was left out": weights + sum(sizes[1:]) - (sizes[-2] + 1) * sizes[-1],
        },
    )


@check("count_parameters", "a single layer, a single neuron")
def one_layer(count_parameters: Theirs) -> None:
    _counted(count_parameters, [3, 4])
    _counted(count_parameters, [7, 1])


@check("count_parameters", "layers behind layers")
def several_layers(count_parameters: Theirs) -> None:
    _counted(count_parameters, [4, 6, 3, 5])
    _counted(count_parameters, [1, 2, 2, 2, 2, 1])


@check("count_parameters", "a reader of colour pictures")
def large_network(count_parameters: Theirs) -> None:
    _counted(count_parameters, [3072, 100, 10])
    _counted(count_parameters, [12288, 64, 20])


# ------------------------------------------------------------------------------------------------ a network


def _relu(z: Floats) -> Floats:
    return np.maximum(0, z)


def _logistic(z: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -z)))


def _same(z: Floats) -> Floats:
    return z


def _forward(
    x: Floats, layers: Layers, hidden: Bend = _relu, *, last: Bend = _same, first: Bend = _same
) -> Floats:
    x = first(x)
    for n, (W, b) in enumerate(layers, start=1):
        x = (hidden if n < len(layers) else last)(x @ W + b)
    return x


def _with_their_dense(dense: Theirs, x: Floats, layers: Layers) -> Any:
    """Return what the network gives with the student's own layer, None if that gives none: an error counts once."""
    h, alive = x, False
    try:
        for n, (W, b) in enumerate(layers, start=1):
            h = np.asarray(dense(h, W, b), float)
            alive = alive or bool(np.any(h))
            h = _relu(h) if n < len(layers) else h
    except (Raised, TypeError, ValueError):
        return None
    return h if alive and h.shape == (len(x), layers[-1][1].size) else None


def _goes_through(network: Theirs, dense: Theirs, x: Floats, layers: Layers, of: str) -> None:
    found, wanted = network(x, layers), _forward(x, layers)
    if not close(found, wanted) and close(found, _with_their_dense(dense, x, layers)):
        return
    (W_1, b_1), (W_r, b_r) = layers[0], layers[-1]
    mistakes = {
        "the last layer has no ReLU, a prediction may be negative": _forward(x, layers, last=_relu),
        "each hidden layer needs its ReLU, without it all layers are one": _forward(x, layers, _same),
        "hidden layers have the ReLU and the last has none, not the other way": _forward(
            x, layers, _same, last=_relu
        ),
        "the ReLU comes after each hidden layer, the data themselves get none": _forward(
            x, layers, first=_relu
        ),
        "the ReLU comes after a layer, not before it": _forward(x, layers, _relu, first=_relu, last=_relu),
        "the biases were left out": _forward(x, [(W, 0 * b) for W, b in layers]),
        "tanh was used, the bend here is ReLU": _forward(x, layers, np.tanh),
        "σ was used, the bend here is ReLU": _forward(x, layers, _logistic),
        "a threshold was used, the bend here is ReLU": _forward(
            x, layers, lambda z: np.where(z > 0, 1.0, 0.0)
        ),
        "the absolute value was taken; ReLU makes sums below 0 to 0": _forward(x, layers, np.abs),
        "the minimum of 0 and the sum was taken; ReLU is the maximum": _forward(
            x, layers, lambda z: np.minimum(0, z)
        ),
        "the bias is part of the sum, it comes before the ReLU": _bias_last(x, layers),
        "every hidden layer has a ReLU, not the first alone": _one_bend(x, layers, 1),
        "every hidden layer has a ReLU, not the last alone": _one_bend(x, layers, len(layers) - 1),
        "only the first layer was used": x @ W_1 + b_1,
        "the first hidden layer came back, not the outputs": _relu(x @ W_1 + b_1),
        "the last layer was left out": _forward(x, layers[:-1], last=_relu),
    }
    if len(W_r) == x.shape[1]:
        mistakes["every layer got x, but each gets what the layer before it made"] = x @ W_r + b_r
    if len(layers) > 2 and len(layers[-2][0]) == x.shape[1]:
        every = "every hidden layer got x, but each gets what the layer before it made"
        mistakes[every] = _forward(x, layers[-2:])
    if len(layers) > 2 and len(W_r) == len(b_1):
        mistakes["only the first and the last layer were used"] = _forward(x, [layers[0], layers[-1]])
    expect(found, wanted, of, mistakes)


def _bias_last(x: Floats, layers: Layers) -> Floats:
    for W, b in layers[:-1]:
        x = _relu(x @ W) + b
    return x @ layers[-1][0] + layers[-1][1]


def _one_bend(x: Floats, layers: Layers, bent: int) -> Floats:
    """Return the outputs if only one layer has its ReLU, counted from 1."""
    for n, (W, b) in enumerate(layers, start=1):
        x = _relu(x @ W + b) if n == bent else x @ W + b
    return x


@check("network", "one layer alone is a dense layer")
def no_hidden_layer(network: Theirs, dense: Theirs) -> None:
    layers = [(np.array([[1.0, -1.0], [2.0, 0.5]]), np.zeros(2))]
    x = np.array([[1.0, 0.5], [-2.0, 4.0], [3.0, 1.0]])
    _goes_through(network, dense, x, layers, "one layer, with sums of both signs")


@check("network", "hidden units are off below zero")
def hidden_bend(network: Theirs, dense: Theirs) -> None:
    layers = [(np.array([[1.0, -2.0]]), np.zeros(2)), (np.array([[1.0], [1.0]]), np.zeros(1))]
    _goes_through(
        network, dense, np.array([[3.0], [-2.0]]), layers, "x = 3 and −2, hidden units x and −2x, added up,"
    )


@check("network", "the last layer may be negative")
def straight_end(network: Theirs, dense: Theirs) -> None:
    layers = [(np.array([[1.0, 2.0]]), np.zeros(2)), (np.array([[-1.0, 1.0], [-2.0, 1.0]]), np.zeros(2))]
    of = "x = 1 and 2, hidden units x and 2x, outputs −x − 2 · 2x and x + 2x,"
    _goes_through(network, dense, np.array([[1.0], [2.0]]), layers, of)


@check("network", "each layer gets what the layer before it made")
def handed_on(network: Theirs, dense: Theirs) -> None:
    turn, none = np.array([[0.0, 1.0], [1.0, 0.5]]), np.zeros(2)
    layers = [(turn, none), (2 * turn, none), (turn + 1, none)]
    _goes_through(
        network,
        dense,
        np.array([[1.0, 2.0], [0.5, 3.0]]),
        layers,
        "three layers of two units, no sum negative,",
    )


@check("network", "any depth, any width, any batch")
def any_network(network: Theirs, dense: Theirs) -> None:
    for sizes, batch in (((4, 5, 3, 2), 6), ((2, 8, 1), 1), ((3, 3, 3, 3, 3), 3)):
        rng = np.random.default_rng(2)
        layers = [(rng.normal(size=(n, m)), rng.normal(size=m)) for n, m in pairwise(sizes)]
        named = "-".join(map(str, sizes))
        x = rng.normal(size=(batch, sizes[0]))
        _goes_through(network, dense, x, layers, f"a random network {named}")
    assert 1 not in changed(network, x, layers), (
        "the list of layers was changed: whoever handed it may need it"
    )


# ---------------------------------------------------------------------------------------------------- a hat


def _hat(hat: Theirs, left: float, top: float, right: float) -> tuple[Floats, Floats, Floats, float]:
    """Return the student's w, b, v, and last bias, whatever their shapes."""
    found = hat(left, top, right)
    (W_1, b_1), (W_2, b_2) = (parts(layer, "W", "b") for layer in parts(found, "(W1, b1)", "(W2, b2)"))
    w, b, v, last = (np.ravel(np.asarray(part, float)) for part in (W_1, b_1, W_2, b_2))
    fits = w.size == b.size == v.size and last.size == 1
    assert fits, (
        f"three units need 3, 3, 3 and 1 numbers in W1, b1, W2, b2; received {w.size}, {b.size}, {v.size}, {last.size}"
    )
    return w, b, v, last.item()


def _drawn(hat: Theirs, ends: tuple[float, float, float], x: Sequence[float], of: str) -> None:
    """Hold the curve at `x` against the hat with these ends."""
    w, b, v, last = _hat(hat, *ends)

    def curve(places: Any) -> Floats:
        return np.asarray(np.maximum(0, np.multiply.outer(places, w) + b) @ v + last)

    assert np.ptp(curve(np.linspace(ends[0] - 20, ends[2] + 20, 81))) > 1e-6, "the curve is flat everywhere"
    found, wanted = curve(x), np.interp(x, ends, [0.0, 1.0, 0.0])
    if close(found, wanted, atol=1e-9):
        return
    said = f"hat({', '.join(f'{end:g}' for end in ends)}), {of}: expected {shown(wanted)}; received {shown(found)}"
    raise AssertionError(f"{_hat_mistake(ends, w, b, v, last)}: {said}".removeprefix(": "))


def _hat_mistake(ends: tuple[float, float, float], w: Floats, b: Floats, v: Floats, last: float) -> str:
    """Return the mistake in the parameters, in words, or nothing."""
    up, down = 1 / (ends[1] - ends[0]), 1 / (ends[2] - ends[1])
    if not np.all(w):
        return "a unit with the weight 0 never bends"
    joints = np.sort(-b / w)
    if close(joints, np.sort(np.negative(ends))):
        return "the joints have the wrong sign: max(0, x + b) bends at x = −b"
    if joints.size == 2 and close(joints, ends[:2]):
        return "the third joint is missing: without it the way down never ends"
    if not close(joints, ends):
        return f"the joints should lie at {', '.join(f'{end:g}' for end in ends)}, and lie at {shown(joints)}"
    if last:
        return "the last bias lifts the whole curve; it should be 0"
    if np.any(w < 0):
        return ""
    v = (v * w)[np.argsort(-b / w)]
    mistakes = {
        "v is the change of slope at each joint, not the slope after it": [up, -down, 0.0],
        "at the top the slope turns from up to down: it changes by both together": [up, -down, down],
        "the heights were put where the changes of slope belong": [0.0, 1.0, 0.0],
        "a slope is height over width, 1 / (top − left), not the width": [
            1 / up,
            -1 / up - 1 / down,
            1 / down,
        ],
        "the slopes must fit the widths of the two sides": [1.0, -2.0, 1.0],
        "the two sides have slopes of their own": [up, -2 * up, up],
        "the slopes of the two sides were exchanged": [down, -up - down, up],
        "at the top the slope changes by both slopes together, not by their difference": [
            up,
            down - up,
            down,
        ],
        "the slope changes from up to −down at the top: by −(up + down), not by up + down": [
            up,
            up + down,
            down,
        ],
        "at the third joint the slope goes from below 0 back to 0: it rises": [up, -up - down, -down],
        "the way down was left without an end: at the third joint the slope returns to 0": [
            up,
            -up - down,
            0.0,
        ],
    }
    changes = f"the slope should change by {up:g}, {-up - down:g}, {down:g}, and changes by {shown(v)}"
    return next((says for says, value in mistakes.items() if close(v, value)), changes)


@check("hat", "the shapes are those of a network with one input, three units, one output")
def shapes_of_the_hat(hat: Theirs) -> None:
    wanted = {"W1": (1, 3), "b1": (3,), "W2": (3, 1), "b2": (1,)}
    hats = []
    for ends in ((0.0, 1.0, 3.0), (4.0, 6.0, 7.0)):
        (W_1, b_1), (W_2, b_2) = (
            parts(layer, "W", "b") for layer in parts(hat(*ends), "(W1, b1)", "(W2, b2)")
        )
        hats.append([np.asarray(part, float) for part in (W_1, b_1, W_2, b_2)])
        for (name, shape), part in zip(wanted.items(), hats[-1], strict=True):
            assert part.shape == shape, (
                f"{name} should have the shape {shape}, a column for each unit; received {part.shape}"
            )
    assert not all(close(*pair) for pair in zip(*hats, strict=True)), (
        "hat(0, 1, 3) and hat(4, 6, 7) gave the same numbers: the joints follow from the three ends"
    )


@check("hat", "it rises from its left end to 1 at the top")
def rises(hat: Theirs) -> None:
    _drawn(hat, (-1.0, 1.0, 2.0), [-1.0, 0.0, 0.5, 1.0], "at x = −1, 0, 0.5, 1")
    _drawn(hat, (1.0, 3.0, 4.0), [1.0, 2.0, 2.5, 3.0], "at x = 1, 2, 2.5, 3")


@check("hat", "it falls from the top to its right end")
def falls(hat: Theirs) -> None:
    _drawn(hat, (2.0, 2.5, 6.5), [2.5, 3.5, 4.5, 6.5], "at x = 2.5, 3.5, 4.5, 6.5")
    _drawn(hat, (4.0, 4.5, 8.5), [4.5, 5.5, 6.5, 8.5], "at x = 4.5, 5.5, 6.5, 8.5")


@check("hat", "it is zero on the left")
def zero_on_the_left(hat: Theirs) -> None:
    _drawn(hat, (1.0, 3.0, 4.0), [-10.0, 0.0, 1.0], "at x = −10, 0, 1")
    _drawn(hat, (5.0, 7.0, 8.0), [-20.0, 2.0, 5.0], "at x = −20, 2, 5")


@check("hat", "it is zero on the right, however far")
def zero_on_the_right(hat: Theirs) -> None:
    _drawn(hat, (-3.0, -1.0, -0.75), [-0.75, 1.0, 100.0], "at x = −0.75, 1, 100")
    _drawn(hat, (-7.0, -5.0, -4.75), [-4.75, -2.0, 96.0], "at x = −4.75, −2, 96")


# ---------------------------------------------------------------------------------- the nearest mean, a layer


def _reader(mean_reader: Theirs, means: Floats) -> tuple[Floats, Floats]:
    """Return the student's W and b for these means."""
    W, b = (np.asarray(part, float) for part in parts(mean_reader(means), "W", "b"))
    classes, features = means.shape
    lying = W.shape == (classes, features) and classes != features
    assert not lying, (
        f"W lies on its side: expected a column for each mean, {(features, classes)}; received {W.shape}"
    )
    assert W.shape == (features, classes), f"expected W of shape {(features, classes)}; received {W.shape}"
    along = "b has a number for each feature: add up the squares along each mean, not down the columns. " * (
        b.size == features
    )
    assert b.shape == (classes,), f"{along}Expected b of shape {(classes,)}; received {b.shape}"
    return W, b


def _reads(mean_reader: Theirs, means: Floats, x: Floats, of: str) -> None:
    """See that each x is read as the class of its nearest mean."""
    W, b = _reader(mean_reader, means)
    wanted = np.argmin(((x[:, None] - means) ** 2).sum(axis=2), axis=1)
    scores = x @ W + b
    found = np.where(np.isfinite(scores).all(axis=1), scores.argmax(axis=1), -1)
    if not np.array_equal(found, wanted):
        squares = (means**2).sum(axis=1)
        mistakes = {
            "the bias was left out, so that the longest mean wins": 0 * squares,
            "the bias must count against long means: it is negative": squares / 2,
            "the half was forgotten: half of the squared length is subtracted": -squares,
            "the squared length is meant, not the length": -np.sqrt(squares) / 2,
            "a sum of squares is meant, not the square of the sum": -(means.sum(axis=1) ** 2) / 2,
            "the mean of the squares was taken, not their sum": -(means**2).mean(axis=1) / 2,
        }
        says = next((says for says, value in mistakes.items() if close(W, means.T) and close(b, value)), "")
        says = says or ("a row of W holds each mean; a column should" if close(W, means) else "")
        if not says and np.array_equal(scores.argmin(axis=1), wanted):
            says = (
                "the smallest output is that of the nearest mean; the largest should be: turn the signs round"
            )
        if not says and close(W, 2 * means.T) and close(b, -squares / 2):
            says = "the weights were doubled, and the biases were not"
        said = f"for {of} the nearest means are {shown(wanted)}; the largest outputs {shown(found)}"
        raise AssertionError(f"{says}: {said}".removeprefix(": "))


@check("mean_reader", "a unit for each class, a weight for each feature")
def shapes_of_the_reader(mean_reader: Theirs) -> None:
    for classes, features in ((3, 5), (4, 2), (2, 6)):
        W, _ = _reader(mean_reader, np.random.default_rng(3).normal(size=(classes, features)))
        assert np.linalg.matrix_rank(W) > 1, "the columns of W should differ from each other as the means do"


@check("mean_reader", "every mean is read as its own class")
def means_themselves(mean_reader: Theirs) -> None:
    means = np.array([[1.0, 2.0, 0.0], [3.0, 5.0, 1.0], [0.5, 0.0, 6.0]])
    _reads(mean_reader, means, means, "the three means themselves")


@check("mean_reader", "halfway between two means the answer changes")
def halfway(mean_reader: Theirs) -> None:
    means = np.array([[0.0, 1.0, 0.0], [4.0, 1.0, 2.0]])
    middle, step = means.mean(axis=0), 0.01 * (means[1] - means[0])
    _reads(
        mean_reader, means, np.stack([middle - step, middle + step]), "points just before and behind halfway"
    )


@check("mean_reader", "random points go to the nearest mean")
def random_points(mean_reader: Theirs) -> None:
    rng = np.random.default_rng(4)
    means = rng.normal(size=(6, 4)) * rng.uniform(0.5, 4.0, size=(6, 1))
    _reads(mean_reader, means, 3 * rng.normal(size=(200, 4)), "200 random points")


# --------------------------------------------------------------------------------------------------- reading


def _read_right(read: Theirs, network: Theirs, pictures: Floats, layers: Layers, of: str) -> None:
    """Hold the answers against the right network's, or else against those of the student's own."""
    rows = pictures.reshape(len(pictures), -1)
    scores, found = _forward(rows, layers), read(pictures, layers)
    wanted = scores.argmax(axis=1)
    if not close(found, wanted):
        own = _own_outputs(network, rows, layers)
        if own is not None and close(found, own.argmax(axis=1)):
            return
        size = (len(rows), layers[-1][1].size)
        assert own is None or own.shape == size, (
            f"your `network` returned the shape {np.shape(own)} where {size} was expected: mend it first"
        )
    alike = np.array_equal(scores.argmin(axis=1), np.abs(scores).argmax(axis=1))
    smallest = "the smallest output was taken" + alike * ", or the largest in absolute value"
    columns_first = np.stack([picture.T.ravel() for picture in pictures])
    mistakes = {
        "the outputs came back, not the place of the largest": scores,
        "the largest output itself came back, not its place": scores.max(axis=1),
        "a 1 was put at the place of the largest; the place itself is wanted": np.equal(
            scores, scores.max(axis=1, keepdims=True)
        ),
        smallest: scores.argmin(axis=1),
        "the largest was looked for among the examples, not among the outputs": scores.argmax(axis=0),
        "one answer came back for the whole batch": scores.argmax(),
        "the answers stand in a column, expected the shape (batch,)": wanted[:, None],
        "digits count from 0, as the outputs do": wanted + 1,
        "the pixels were read column by column": _forward(columns_first, layers).argmax(axis=1),
        "the pixels of each row came in reverse": _forward(rows[:, ::-1], layers).argmax(axis=1),
        "the pixels of different pictures were mixed": _mixed(pictures, layers),
        "the last layer has no ReLU: it makes negative outputs equal": _relu(scores).argmax(axis=1),
        "the largest in absolute value was taken": np.abs(scores).argmax(axis=1),
    }
    expect(found, wanted, of, mistakes)


def _own_outputs(network: Theirs, rows: Floats, layers: Layers) -> Any:
    """Return what the student's own network gives; None if that is no array of numbers."""
    try:
        return np.asarray(network(rows, layers), float)
    except (Raised, TypeError, ValueError):
        return None


def _mixed(pictures: Floats, layers: Layers) -> Any:
    return _forward(pictures.reshape(-1, len(pictures)).T, layers).argmax(axis=1)


def _pictures(
    batch: int, height: int, width: int, *hidden: int
) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    rng = np.random.default_rng(5)
    sizes = (height * width, *hidden, 4)
    layers = [(rng.normal(size=(n, m)), rng.normal(size=m)) for n, m in pairwise(sizes)]
    return 3 * rng.normal(size=(batch, height, width)), layers


@check("read", "the largest output decides")
def largest_wins(read: Theirs, network: Theirs) -> None:
    pictures = np.array([[[1.0, 5.0, 3.0]], [[7.0, 2.0, 4.0]], [[0.0, 1.0, 6.0]], [[2.0, 3.0, 1.0]]])
    _read_right(
        read,
        network,
        pictures,
        [(np.eye(3), np.zeros(3))],
        "four pictures whose outputs are their three pixels",
    )


@check("read", "negative outputs have a largest, too")
def largest_of_negatives(read: Theirs, network: Theirs) -> None:
    pictures = np.array([[[4.0, 1.0, 3.0]], [[7.0, 9.0, 2.0]], [[3.0, 8.0, 5.0]]])
    of = "outputs of −4, −1, −3, then −7, −9, −2, then −3, −8, −5"
    _read_right(read, network, pictures, [(-np.eye(3), np.zeros(3))], of)


@check("read", "each picture becomes a row, line after line")
def one_row_each(read: Theirs, network: Theirs) -> None:
    for shape in ((12, 2, 3), (1, 3, 3), (6, 4, 4)):
        pictures, layers = _pictures(*shape)
        _read_right(
            read,
            network,
            pictures,
            layers,
            f"{shape[0]} random pictures of {shape[1]} lines of {shape[2]} pixels",
        )


@check("read", "the picture goes through all layers")
def through_all_layers(read: Theirs, network: Theirs) -> None:
    pictures, layers = _pictures(20, 3, 2, 5, 6)
    _read_right(read, network, pictures, layers, "20 random pictures and a network 6-5-6-4")
