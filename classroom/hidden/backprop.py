"""Hidden checks of the assignment Backprop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from classroom.mistakes import expect, in_line, parts
from classroom.referee import Raised, changed, check, close, shown, there

IN_PLACE = "was changed in place; make a new array, since the caller's is written into"


def _with_u(x: float, w: float, u_blame: float, v_blame: float) -> tuple[float, float]:
    return w * u_blame, x * u_blame + v_blame


def _fork(x: float, w: float) -> dict[str, tuple[float, float]]:
    """Return the blames of x and w: the right ones, below "", and what typical mistakes make of them."""
    u, v = w * x, w * x + w
    by_v = 2 * u * v  # the blame of v, and the share of u that comes through it
    by_x, by_w = right = _with_u(x, w, v**2 + by_v, by_v)
    return {
        "": right,
        "the blame of u is only its local slope v²; u acts on the loss through v as well": _with_u(
            x, w, v**2, by_v
        ),
        "a share of u is lost, or half of one: it has v² directly and 2 u v through v": _with_u(
            x, w, by_v, by_v
        ),
        "the two shares of u were multiplied; between ways shares add": _with_u(x, w, v**2 * by_v, by_v),
        "the 2 of the slope of v² is missing": _with_u(x, w, v**2 + u * v, u * v),
        "u is missing in the slope of u v² by v": _with_u(x, w, v**2 + 2 * v, 2 * v),
        "w counts only through u; it stands in v = u + w, too": (by_x, by_w - by_v),
        "w counts only through v; it stands in u = w x, too": (by_x, by_v),
        "the two shares of w were multiplied; between ways shares add": (by_x, (by_w - by_v) * by_v),
        "the two came back in the other order: expected x, then w": (by_w, by_x),
        "the local slopes by x and w were mixed up: that of w x by x is w": (x * by_x / w, by_w),
    }


def _blames(fork_blames: Any, x: float, w: float, which: tuple[int, ...]) -> None:
    found, known = fork_blames(x, w), _fork(x, w)
    found = parts(list(found) if np.ndim(found) == 1 else found, "x_blame", "w_blame")
    for k in which:
        mistakes = {mistake: values[k] for mistake, values in known.items()}
        right = mistakes.pop("")
        expect(found[k], right, f"x = {x:g}, w = {w:g}, the blame of {'xw'[k]},", mistakes)


@check("fork_blames", "the blame of x: u has two shares")
def of_x(fork_blames: Any) -> None:
    _blames(fork_blames, 4.0, 0.5, (0,))
    _blames(fork_blames, 2.0, 0.75, (0,))


@check("fork_blames", "the blame of w: it has two shares itself")
def of_w(fork_blames: Any) -> None:
    _blames(fork_blames, 4.0, 0.5, (1,))
    _blames(fork_blames, 2.0, 0.75, (1,))


@check("fork_blames", "negative numbers")
def negative(fork_blames: Any) -> None:
    _blames(fork_blames, -2.0, -3.0, (0, 1))
    _blames(fork_blames, -4.0, -0.5, (0, 1))


Tape = list[list[tuple[int, float]]]


def _walked(tape: Tape, mistake: str = "") -> list[float]:
    """Return the blames, or what a mistake makes of them."""
    blames = [0.0] * len(tape)
    blames[-1] = 1.0
    order = range(len(tape)) if mistake == "forwards" else reversed(range(len(tape)))
    for number in order:
        if mistake == "stops" and not tape[number]:
            break
        for source, slope in tape[number]:
            share = slope if mistake == "local" else blames[number] * slope
            share = blames[number] + slope if mistake == "sums" else share
            blames[source] = share if mistake == "overwrites" else blames[source] + share
    return blames


def _by_layers(tape: Tape) -> list[float]:
    """Return what comes of treating values in the order in which they are met, each once."""
    blames, queue = [0.0] * (len(tape) - 1) + [1.0], [len(tape) - 1]
    for number in queue:
        for source, slope in tape[number]:
            blames[source] += blames[number] * slope
            if source not in queue:
                queue.append(source)
    return blames


def _walk(walk_back: Any, tape: Tape, of: str) -> None:
    mistakes = {
        "a later share has overwritten an earlier one; shares add": _walked(tape, "overwrites"),
        "the local slope was handed on without the blame; along a way multiply": _walked(tape, "local"),
        "the walk stopped at an input; inputs may stand anywhere on the tape": _walked(tape, "stops"),
        "blame and slope were added; along a way multiply": _walked(tape, "sums"),
        "the walk went from the first value to the last": _walked(tape, "forwards"),
        "a value was treated before all its shares had come: walk in the reverse order of making": _by_layers(
            tape
        ),
        "nothing set out: the blame of the loss itself is 1": [0.0] * len(tape),
        "the blames came back from the last to the first": _walked(tape)[::-1],
        "the blame of the loss itself is 1": [*_walked(tape)[:-1], 0.0],
        "the last entry, the blame of the loss, is missing": _walked(tape)[:-1],
    }
    expect(walk_back(tape), _walked(tape), of, mistakes)
    steeper = [*tape[:-1], [(source, 2 * slope) for source, slope in tape[-1]]]
    expect(walk_back(steeper), _walked(steeper), f"{of} and the slopes of the last value doubled,")


@check("walk_back", "along a way the slopes multiply")
def along(walk_back: Any) -> None:
    _walk(walk_back, [[], [(0, 3.0)], [(1, -2.0)], [(2, 5.0)]], "a chain with the slopes 3, -2, 5")


@check("walk_back", "between ways the shares add")
def between(walk_back: Any) -> None:
    _walk(
        walk_back,
        [[], [(0, 2.0)], [(0, 3.0)], [(1, 4.0), (2, 5.0)]],
        "two ways, with the slopes 2, 4 and 3, 5,",
    )


@check("walk_back", "a value hands on only what is complete")
def complete(walk_back: Any) -> None:
    tape = [[], [], [(0, 0.5), (1, 4.0)], [(2, 1.0), (0, 1.0)], [(2, 6.0), (3, 2.0)]]
    _walk(walk_back, tape, "u = w x, v = u + x, L = u v with x = 4, w = 0.5")


@check("walk_back", "a source that stands twice, a value that nobody uses, an input that comes late")
def twice(walk_back: Any) -> None:
    tape: Tape = [[], [], [(0, 6.0), (0, 6.0), (1, 9.0)], [(1, 7.0)], [], [(2, -2.0), (4, 5.0)]]
    _walk(walk_back, tape, "value 0 twice in entry 2, a value 3 that is not used, a value 4 that is an input")


@check("walk_back", "a long tape: each entry is walked once, and none is removed")
def long_tape(walk_back: Any) -> None:
    rng = np.random.default_rng(41)
    tape: Tape = [[], []]
    for number in range(2, 200):
        sources = rng.integers(max(0, number - 9), number, size=2)
        tape.append([(int(source), float(rng.uniform(-1.2, 1.2))) for source in sources])
    _walk(walk_back, tape, "two hundred values")
    assert not changed(walk_back, tape), "the tape was changed; whoever made it may want to walk it again"


def _measured(f: Callable[[Any], float], w: Any, h: float, mistake: str = "") -> Any:
    found, here = np.zeros(w.shape), w.copy()
    for place in np.ndindex(w.shape):
        up, down = here.copy(), here.copy()
        moved = slice(None) if mistake == "all" else place
        up[moved] += h
        down[moved] -= h
        found[place] = (f(up) - f(down)) / (2 * h)
        here = {"up": up, "down": down}.get(mistake, here)
    return found


@check("measured_gradient", "the difference is central: both sides, divided by 2h")
def central(measured_gradient: Any) -> None:
    w, h = np.array([1.5, 2.0]), 0.5
    found = measured_gradient(there("lambda w: (w**3).sum()"), w, h)
    wanted = 3 * w**2 + h**2
    mistakes = {
        "the difference is one-sided, from w to w + h; take w - h and w + h": 3 * w**2 + 3 * w * h + h**2,
        "the difference is one-sided, from w - h to w; take w - h and w + h": 3 * w**2 - 3 * w * h + h**2,
        "the way from w - h to w + h is 2h long, but h divides": 2 * wanted,
        "the difference was not divided by 2h": 2 * h * wanted,
        "the difference was multiplied by h rather than divided by 2h": h * h * wanted,
        "the other way round: f(w + h) - f(w - h), not the reverse": -wanted,
        "the difference of one side was divided by 2h": (3 * w**2 + 3 * w * h + h**2) / 2,
        "nothing moved: `other = w` is the same array under a second name, `w.copy()` is one of its own": 0
        * w,
        "the slopes were cut to whole numbers: make an array of floats": np.trunc(wanted),
    }
    smaller = np.isclose(found, 3 * w**2, atol=1e-3).all() if np.shape(found) == (2,) else False
    assert not smaller, (
        "the step h was not used, or not as the formula says: with h = 0.5 the answer must show an error of h²"
    )
    expect(found, wanted, "f = w₁³ + w₂³ at (1.5, 2) with h = 0.5", mistakes)


PRODUCT = "lambda w: w[0] * w[1] * w[2]"


@check("measured_gradient", "one number moves at a time, and goes back")
def one_at_a_time(measured_gradient: Any) -> None:
    w = np.array([2.0, 3.0, 5.0])
    mistakes = {
        "all numbers were moved at once": _measured(np.prod, w, 0.5, "all"),
        "numbers that had been moved were not put back (left at w - h)": _measured(np.prod, w, 0.5, "down"),
        "numbers that had been moved were not put back (left at w + h)": _measured(np.prod, w, 0.5, "up"),
        "only the first number was measured": [15.0, 0.0, 0.0],
        "the slopes were added up; expected one for each number": 31.0,
    }
    expect(
        measured_gradient(there(PRODUCT), w, 0.5), [15.0, 10.0, 6.0], "f = w₁ w₂ w₃ at (2, 3, 5)", mistakes
    )


@check("measured_gradient", "a matrix gets a matrix, and a single number a number")
def shapes(measured_gradient: Any) -> None:
    w = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
    wanted = 2 * w * np.arange(6).reshape(2, 3)
    found = measured_gradient(there("lambda w: (w**2 * np.arange(6).reshape(2, 3)).sum()"), w, 0.5)
    mistakes = {
        "the gradient came back flat; it has the shape of w": wanted.ravel(),
        "rows and columns are exchanged": wanted.T,
        "only one slope for each row": wanted.sum(axis=1),
    }
    expect(found, wanted, "a function of a matrix of shape (2, 3)", mistakes)
    single = measured_gradient(there("lambda w: 3.0 * w.sum()"), np.array(2.0), 0.5)
    expect(single, 3.0, "f = 3 w at the single number w = 2, an array of shape (),", flat=True)


@check("measured_gradient", "w is afterwards what it was")
def put_back(measured_gradient: Any) -> None:
    w = np.array([2.0, 4.0, 8.0])
    touched = changed(measured_gradient, there(PRODUCT), w, 0.5)
    assert 1 not in touched, "w was changed in place and not put back: move a copy, or undo each move"
    in_line(measured_gradient(there(PRODUCT), w, 0.5), [32.0, 16.0, 8.0])


@check("measured_gradient", "with h = 10⁻⁵ eight digits are right")
def exact(measured_gradient: Any) -> None:
    w = np.array([0.3, -1.2, 2.0, 0.0])
    found = np.asarray(measured_gradient(there("lambda w: np.exp(w).sum()"), w, 1e-5), float)
    wanted = np.exp(w)
    assert found.shape == w.shape, (
        f"expected an array of shape {w.shape}; received one of shape {found.shape}"
    )
    worst = float(np.max(np.abs(found - wanted) / wanted))
    said = f"for f = the sum of exp(w) the slope is exp(w); yours is off by {worst:.1e} of it"
    assert worst < 1e-8, f"{said}: one side only, or a step other than h?"


def _relu(relu_backward: Any, g: Any, z: Any, of: str) -> None:
    mistakes = {
        "the blame was cut at 0: the sign of z decides, not that of g": np.maximum(0, g),
        "the blame was cut at 0, besides: where a unit was on, a negative blame passes, too": np.maximum(0, g)
        * (z > 0),
        "the slope came back without the blame": (z > 0) * 1.0,
        "the blame was multiplied by ReLU(z), the output, not by its slope": g * np.maximum(0, z),
        "the blame was multiplied by z, not by the slope": g * z,
        "ReLU(z) came back, the way there": np.maximum(0, z),
        "the blame passed where units were off, and stopped where they were on": g * (z < 0),
        "the blame passed everywhere: a unit that was off hands on nothing": g,
        "where a unit was off the slope was taken as 0.01, that of the leaky ReLU": np.where(
            z > 0, g, 0.01 * g
        ),
        "where a unit was off the slope was taken as -1, the sign of z": g * np.sign(z),
        "at z = 0 the slope was taken as 1; we take 0": g * (z >= 0),
        "at z = 0 the slope was taken as 1/2; we take 0": g * np.where(z == 0, 0.5, z > 0),
    }
    expect(relu_backward(g, z), np.where(z > 0, g, 0.0), of, mistakes)


@check("relu_backward", "blame passes where the unit was on, whatever its own sign")
def passes(relu_backward: Any) -> None:
    g, z = np.array([[2.0, -3.0, 5.0, -7.0]]), np.array([[0.5, 4.0, -0.5, -2.0]])
    _relu(relu_backward, g, z, "g = (2, -3, 5, -7), z = (0.5, 4, -0.5, -2)")


@check("relu_backward", "at z = 0 nothing passes")
def at_zero(relu_backward: Any) -> None:
    g, z = np.array([[2.0, -3.0, 4.0, 5.0]]), np.array([[0.0, 0.0, 2.0, -3.0]])
    _relu(relu_backward, g, z, "g = (2, -3, 4, 5), z = (0, 0, 2, -3)")


@check("relu_backward", "a batch: each number meets the z of its own place")
def batch_of_relu(relu_backward: Any) -> None:
    rng = np.random.default_rng(42)
    _relu(relu_backward, rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), "six examples and four units")


@check("relu_backward", "the blame and the sums that came in are left as they were")
def relu_leaves(relu_backward: Any) -> None:
    g, z = np.array([[2.0, -3.0], [1.0, 6.0]]), np.array([[-1.0, 4.0], [3.0, -2.0]])
    touched = changed(relu_backward, g, z)
    assert 0 not in touched, f"g {IN_PLACE}"
    assert 1 not in touched, f"z {IN_PLACE}"
    in_line(relu_backward(g, z), np.where(z > 0, g, 0.0))


def _layer(n: int, inputs: int, out: int) -> tuple[Any, Any, Any]:
    """Return blame, inputs and weights in whole numbers, which a reader of a message can follow."""
    rng = np.random.default_rng(43)
    return tuple(rng.integers(-5, 6, size=shape) + 0.0 for shape in ((n, out), (n, inputs), (inputs, out)))  # type: ignore[return-value]


def _three(dense_backward: Any, g: Any, h: Any, weight: Any) -> tuple[Any, ...]:
    return parts(dense_backward(g, h, weight), "h_blame", "weight_blame", "bias_blame")


@check("dense_backward", "the bias is used in every row: the rows add")
def rows_add(dense_backward: Any) -> None:
    g, h, weight = _layer(3, 3, 3)
    mistakes = {
        "the rows were averaged; the 1/n of the loss is in the blame already": g.mean(axis=0),
        "the rows were not added: the bias has one number for each unit": g,
        "the units were added up; add the rows, which are the examples": g.sum(axis=1),
        "all was added up; expected one number for each unit": g.sum(),
        "ones came back, the slope by the bias without the blame": np.ones(3),
        "the sums have one axis too many, (1, out); the bias has the shape (out,)": g.sum(
            axis=0, keepdims=True
        ),
    }
    expect(
        _three(dense_backward, g, h, weight)[2],
        g.sum(axis=0),
        "three examples, the blame of the bias",
        mistakes,
    )


@check("dense_backward", "the blame of the weights: inputs times blame, added over the examples")
def by_weight(dense_backward: Any) -> None:
    g, h, weight = _layer(3, 3, 3)
    mistakes = {
        "the product is the wrong way round: expected that of Hᵀ and the blame": g.T @ h,
        "the transpose stands at the blame; write down the shapes": h @ g.T,
        "the transpose is missing: (n, in) times (n, out) fits only by accident": h @ g,
        "it was divided by n; the 1/n of the loss is in the blame already": h.T @ g / 3,
        "numbers were multiplied place by place; the examples must be added up": h * g,
        "this is the blame of the inputs; the order is inputs, weights, bias": g @ weight.T,
    }
    expect(
        _three(dense_backward, g, h, weight)[1], h.T @ g, "three examples, the blame of the weights", mistakes
    )


@check("dense_backward", "the blame of the inputs: blame times the weights, transposed")
def by_input(dense_backward: Any) -> None:
    g, h, weight = _layer(3, 3, 3)
    mistakes = {
        "the transpose of W is missing: with a square W the shapes fit all the same": g @ weight,
        "the product is the wrong way round": weight @ g.T,
        "the product is the wrong way round: W stands on the right": weight @ g,
        "it was divided by n; the 1/n of the loss is in the blame already": g @ weight.T / 3,
        "this is the blame of the weights; the order is inputs, weights, bias": h.T @ g,
        "the inputs came in where only weights and blame count": h @ weight.T,
    }
    expect(
        _three(dense_backward, g, h, weight)[0],
        g @ weight.T,
        "three examples, the blame of the inputs",
        mistakes,
    )


@check("dense_backward", "each blame has the shape of what it is the blame of, even for one example")
def dense_shapes(dense_backward: Any) -> None:
    for n, inputs, out in ((1, 4, 3), (5, 2, 1)):
        found = _three(dense_backward, *_layer(n, inputs, out))
        names = ("h", "the weights", "the bias")
        for blame, name, shape in zip(found, names, ((n, inputs), (inputs, out), (out,)), strict=True):
            received = np.shape(blame)
            said = f"the blame of {name} has its shape, {shape}; received {received}"
            assert received != (out, inputs) or shape == received, f"{said}: the product is transposed"
            assert received == shape, said
            assert np.isfinite(blame).all(), f"the blame of {name} holds something that is no number"
        _, *came_in = _layer(n, inputs, out)
        blames = [_three(dense_backward, g, *came_in) for g in (np.ones((n, out)), np.full((n, out), 2.0))]
        assert not all(close(*pair) for pair in zip(*blames, strict=True)), (
            f"all blames stayed the same when that of the outputs was doubled: {shown(blames[0])}"
        )


@check("dense_backward", "what came in is left as it was")
def dense_leaves(dense_backward: Any) -> None:
    arrays = _layer(3, 2, 5)
    touched = changed(dense_backward, *arrays)
    for place, name in enumerate(("g", "h", "weight")):
        assert place not in touched, f"{name} {IN_PLACE}"
    g, h, weight = arrays
    for blame, wanted in zip(
        _three(dense_backward, *arrays), (g @ weight.T, h.T @ g, g.sum(axis=0)), strict=True
    ):
        in_line(blame, wanted)


NAMES = ("W1", "b1", "W2", "b2")


def _network(n: int, *widths: int) -> tuple[Any, Any, list[Any]]:
    rng = np.random.default_rng(44)
    inputs, hidden, classes = widths
    shapes = ((inputs, hidden), (hidden,), (hidden, classes), (classes,))
    return (
        rng.normal(size=(n, inputs)),
        rng.integers(classes, size=n),
        [rng.normal(size=shape) for shape in shapes],
    )


def _forward(x: Any, parameters: list[Any]) -> tuple[Any, Any, Any]:
    W1, b1, W2, b2 = parameters
    z = x @ W1 + b1
    h = np.maximum(0, z)
    scores = h @ W2 + b2
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return z, h, p / p.sum(axis=1, keepdims=True)


def _back(x: Any, d: Any, parameters: list[Any], mistake: str = "") -> list[Any]:
    """Return the four gradients, or what a mistake makes of them."""
    z, h, p = _forward(x, parameters)
    g = p if mistake == "target" else p - np.eye(p.shape[1])[d]
    g = -g if mistake == "sign" else g
    g = g * p * (1 - p) if mistake == "slope" else g
    g = g / {"sum": 1, "twice": len(d) ** 2, "all": p.size}.get(mistake, len(d))
    weight = parameters[2].T if mistake == "transpose" else parameters[2]
    inputs = {"x": x, "z": z}.get(mistake, h)
    by_h = g @ weight.T
    on = {"mask": np.ones_like(z), "blame": by_h > 0}.get(mistake, z > 0)
    by_z = by_h * on
    first = h if mistake == "h" else x
    return [first.T @ by_z, by_z.sum(axis=0), inputs.T @ g, g.sum(axis=0)]


MISTAKES = {
    "sum": "the 1/n is missing: the loss is a mean over the examples",
    "sign": "the sign is turned: at the end stands probability minus target, P - T",
    "twice": "P - T was divided by n twice, or by all of its numbers; it is divided by n",
    "all": "P - T was divided by all of its numbers, n times classes; it is divided by n",
    "slope": "the slope of softmax was multiplied in once more; P - T has it in already",
    "target": "the target was not subtracted: at the end stands P - T",
    "x": "the inputs X were used where the activations H of the layer below belong",
    "z": "the sums Z were used where the activations H of the layer below belong",
    "mask": "ReLU's slope is missing: blame went through units that were off",
    "blame": "ReLU's slope was taken of the blame, not of the sums Z",
    "transpose": "the transpose of W2 is missing: with a square W2 the shapes fit all the same",
    "h": "the activations H were used where the inputs X of layer 1 belong",
}


OWN = (
    "this follows from your own relu_backward and dense_backward: bring the lights of tasks 4 and 5 on first"
)


def _handed_on(x: Any, d: Any, parameters: list[Any], relu_backward: Any, dense_backward: Any) -> list[Any]:
    """Return the gradients that the student's own two functions would give; nothing where they do not run."""
    z, h, p = _forward(x, parameters)
    try:
        by_h, *second = dense_backward((p - np.eye(p.shape[1])[d]) / len(d), h, parameters[2])
        by_z = np.asarray(relu_backward(np.asarray(by_h, float), z), float)
        _, *first = dense_backward(by_z, x, parameters[0])
    except (Raised, TypeError, ValueError):
        return []
    return [*first, *second]


def _four(network_gradients: Any, own: tuple[Any, Any], which: tuple[int, ...], times: int = 1) -> None:
    """Hold gradients of a network 3-3-3, whose sizes are equal so that wrong products fit as well."""
    x, d, parameters = _network(3, 3, 3, 3)
    x, d = np.tile(x, (times, 1)), np.tile(d, times)
    found, wanted = parts(network_gradients(x, d, parameters), *NAMES), _back(x, d, parameters)
    handed_on = _handed_on(x, d, parameters, *own)
    for k in which:
        known = {OWN: handed_on[k]} if len(handed_on) == 4 else {}
        known |= {says: _back(x, d, parameters, mistake)[k] for mistake, says in MISTAKES.items()}
        known["the gradients came in another order: expected W1, b1, W2, b2"] = wanted[(k + 2) % 4]
        known["the weights came first, then the biases: expected W1, b1, W2, b2"] = wanted[(0, 2, 1, 3)[k]]
        expect(found[k], wanted[k], f"a network 3-3-3, {len(d)} examples, {NAMES[k]}", known)


@check("network_gradients", "the output layer: P - T over n, and the activations below")
def output_layer(network_gradients: Any, relu_backward: Any, dense_backward: Any) -> None:
    _four(network_gradients, (relu_backward, dense_backward), (3, 2))


@check("network_gradients", "the hidden layer: back through the weights and through ReLU")
def hidden_layer(network_gradients: Any, relu_backward: Any, dense_backward: Any) -> None:
    _four(network_gradients, (relu_backward, dense_backward), (1, 0))


@check("network_gradients", "every example twice: the mean, and so the gradient, stays")
def mean_stays(network_gradients: Any, relu_backward: Any, dense_backward: Any) -> None:
    _four(network_gradients, (relu_backward, dense_backward), (0, 1, 2, 3), times=2)


@check("network_gradients", "four arrays in the order and shapes of the parameters")
def four_shapes(network_gradients: Any) -> None:
    x, d, parameters = _network(5, 6, 4, 3)
    found = parts(network_gradients(x, d, parameters), *NAMES)
    received, wanted = [np.shape(one) for one in found], [one.shape for one in parameters]
    turned = f"the gradients came in another order, with the shapes {received}; expected W1, b1, W2, b2"
    assert received not in (wanted[::-1], [*wanted[2:], *wanted[:2]]), turned
    assert received == wanted, f"expected the shapes of W1, b1, W2, b2, {wanted}; received {received}"
    assert all(np.isfinite(one).all() for one in found), "the gradients hold something that is no number"
    assert not changed(network_gradients, x, d, parameters), (
        "the inputs or the parameters were changed in place"
    )
    others = parts(network_gradients(x + 1.0, d, parameters), *NAMES)
    assert not all(close(*pair) for pair in zip(found, others, strict=True)), (
        "all gradients stayed the same when the examples were others"
    )


@check("network_gradients", "held against central differences of the loss")
def held(network_gradients: Any) -> None:
    x, d, parameters = _network(6, 3, 5, 2)
    found = parts(network_gradients(x, d, parameters), *NAMES)
    for k, name in enumerate(NAMES):

        def loss(moved: Any, k: int = k) -> float:
            p = _forward(x, [*parameters[:k], moved, *parameters[k + 1 :]])[2]
            return float(-np.mean(np.log(p[np.arange(len(d)), d])))

        measured, derived = _measured(loss, parameters[k], 1e-5), np.asarray(found[k])
        assert derived.dtype.kind in "fiu", f"{name}: expected numbers; received {shown(found[k])}"
        assert derived.shape == measured.shape, (
            f"{name}: expected the shape {measured.shape}; received {derived.shape}"
        )
        at = tuple(map(int, np.unravel_index(np.argmax(np.abs(derived - measured)), measured.shape)))
        said = f"{name}: moving the number at {at} says {measured[at]:.5f}; received {derived[at]:.5f}"
        assert np.allclose(derived, measured, rtol=1e-5, atol=1e-8), said
