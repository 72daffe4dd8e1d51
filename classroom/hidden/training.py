"""Hidden checks of the assignment Training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from classroom.mistakes import expect, in_line, parts
from classroom.referee import Raised, changed, check, close, shown

THETA, G = np.array([1.0, 3.0, -2.0]), np.array([2.0, -4.0, 0.5])
IN_PLACE = "was changed in place: make a new array, since `-=` and the like write into the caller's"


@check("sgd_step", "a step goes against the gradient, by the learning rate")
def direction(sgd_step: Any) -> None:
    found = sgd_step(THETA, G, 0.25)
    mistakes = {
        "the step goes uphill, along the gradient": THETA + 0.25 * G,
        "the learning rate is missing": THETA - G,
        "the change came back, not the new parameters": -0.25 * G,
        "the change came back, not the new parameters (and its sign is missing)": 0.25 * G,
        "every parameter moved by the learning rate, however steep its slope": THETA - 0.25 * np.sign(G),
        "the gradient was brought to length 1 first": THETA - 0.25 * G / np.linalg.norm(G),
    }
    expect(found, THETA - 0.25 * G, "θ = (1, 3, -2), g = (2, -4, 0.5) and η = 0.25", mistakes)


@check("sgd_step", "a gradient ten times as long makes a step ten times as long")
def length(sgd_step: Any) -> None:
    for times in (1, 10):
        found = np.asarray(sgd_step(np.zeros(2), times * np.array([3.0, 4.0]), 0.1), float)
        mistakes = {
            "the step has the length η, however steep it is": 0.1,
            "the learning rate is missing": 5.0 * times,
        }
        expect(
            np.linalg.norm(found),
            0.5 * times,
            f"the length of a step with |g| = {5 * times}, η = 0.1",
            mistakes,
        )


@check("sgd_step", "each of a thousand parameters moves by its own slope")
def thousand(sgd_step: Any) -> None:
    rng = np.random.default_rng(11)
    theta, g = rng.normal(size=1000), rng.normal(size=1000)
    mistakes = {
        "all parameters moved by the mean slope": theta - 0.01 * g.mean(),
        "all parameters moved by the summed slope": theta - 0.01 * g.sum(),
        "the step goes uphill, along the gradient": theta + 0.01 * g,
    }
    expect(sgd_step(theta, g, 0.01), theta - 0.01 * g, "a thousand parameters", mistakes)


@check("sgd_step", "the old parameters and the gradient are left as they were")
def left_alone(sgd_step: Any) -> None:
    touched = changed(sgd_step, THETA, G, 0.25)
    assert 0 not in touched, f"theta {IN_PLACE}"
    assert 1 not in touched, f"g {IN_PLACE}"
    in_line(_change(sgd_step(THETA, G, 0.25)), G)


def _change(theta: Any) -> Any:
    three = np.shape(theta) == (3,) and close(theta, theta)
    assert three, f"expected the new parameters, three numbers; received {shown(theta)}"
    return np.asarray(theta) - THETA


def _rate(largest_rate: Any, A: Any, wanted: float, of: str, mistakes: dict[str, Any]) -> None:
    """Hold a rate against what is wanted, and once more in a valley ten times as steep: no constant is both."""
    expect(largest_rate(A), wanted, of, mistakes)
    expect(largest_rate(10 * A), wanted / 10, f"{of}, all ten times as large")


@check("largest_rate", "in a turned valley the largest eigenvalue counts")
def turned(largest_rate: Any) -> None:
    mistakes = {
        "the largest entry of A was taken, not its largest eigenvalue": 2 / 7,
        "the flattest direction was taken; the steepest one flies apart first": 2 / 3,
        "this is 1/λ, the fastest rate in that direction; it is stable up to twice as much": 1 / 8,
        "the quotient is upside down: a steeper valley allows a shorter step": 8 / 2,
        "the largest eigenvalue was multiplied by 2; 2 is divided by it": 8 * 2,
        "λ came back, not the rate": 8,
        "the curvatures were added up (the trace); each direction moves by itself": 2 / 11,
        "the mean of the curvatures was taken; the steepest one sets the limit": 2 / 5.5,
        "the determinant was taken, not the largest eigenvalue": 2 / 24,
        "a limit for each direction came back; the smallest of these two holds for all": [2 / 3, 1 / 4],
    }
    _rate(largest_rate, np.array([[7.0, 2.0], [2.0, 4.0]]), 1 / 4, "A = [[7, 2], [2, 4]]", mistakes)


@check("largest_rate", "a direction that curves downward sets no limit")
def downward(largest_rate: Any) -> None:
    mistakes = {
        "the eigenvalue farthest from zero was taken, -7; downward there is no bottom to leap over": 2 / 7,
        "the negative eigenvalue was taken": -2 / 7,
        "the largest entry of A was taken, not its largest eigenvalue": 2 / 4,
        "this is 1/λ, the fastest rate in that direction; it is stable up to twice as much": 1 / 3,
        "the quotient is upside down: a steeper valley allows a shorter step": 3 / 2,
        "the curvatures were added up (the trace); each direction moves by itself": -2 / 4,
        "the mean of the curvatures was taken; the steepest one sets the limit": -2 / 2,
    }
    _rate(largest_rate, np.array([[1.0, 4.0], [4.0, -5.0]]), 2 / 3, "A = [[1, 4], [4, -5]]", mistakes)


@check("largest_rate", "just below your rate descent arrives, just above it flies apart")
def edge(largest_rate: Any) -> None:
    turn = np.linalg.qr(np.random.default_rng(12).normal(size=(5, 5)))[0]
    for curvatures in ([0.5, 1.0, 3.0, 8.0, 20.0], [1.0, 2.0, 6.0, 16.0, 40.0]):
        matrix = turn @ np.diag(curvatures) @ turn.T
        limit = largest_rate((matrix + matrix.T) / 2)
        number = close(limit, limit) and np.ndim(limit) == 0
        assert number, f"expected one number; received {shown(limit)}"
        start = turn @ np.ones(5)
        below, above = (
            np.linalg.matrix_power(np.eye(5) - share * limit * matrix, 2000) @ start for share in (0.99, 1.01)
        )
        said = (
            f"with the curvatures {', '.join(f'{one:g}' for one in curvatures)} your limit is {shown(limit)}"
        )
        assert np.linalg.norm(below) < 1, f"{said}, which is too large: at 0.99 of it descent flies apart"
        assert not np.linalg.norm(above) < 1, (
            f"{said}, which is too small: at 1.01 of it descent still arrives"
        )


@check("largest_rate", "a neuron with thirty inputs")
def thirty(largest_rate: Any) -> None:
    x = np.random.default_rng(13).normal(size=(50, 30)) + 0.5
    matrix = 2 / 50 * x.T @ x
    curvatures = np.linalg.eigvalsh(matrix)
    mistakes = {
        "the largest entry of A was taken, not its largest eigenvalue": 2 / matrix.max(),
        "the flattest direction was taken; the steepest one flies apart first": 2 / curvatures[0],
        "this is 1/λ; descent is stable up to twice as much": 1 / curvatures[-1],
        "the quotient is upside down": curvatures[-1] / 2,
        "the curvatures were added up (the trace); each direction moves by itself": 2 / curvatures.sum(),
    }
    _rate(largest_rate, matrix, 2 / curvatures[-1], "A = 2/n XᵀX of fifty random rows", mistakes)


def _each(found: Any) -> list[list[int]]:
    """Return the row numbers of each batch, or say what is wrong with the form."""
    form = f"expected a list of arrays of row numbers; received {shown(found)}"
    assert isinstance(found, list | tuple | np.ndarray), form
    assert all(isinstance(rows, list | tuple | np.ndarray) and np.ndim(rows) == 1 for rows in found), form
    each = [[float(row) for row in rows] for rows in found]
    assert all(row == int(row) for rows in each for row in rows), form
    return [[int(row) for row in rows] for rows in each]


def _once(each: list[list[int]], n: int) -> None:
    rows = sorted(row for batch in each for row in batch)
    twice = sorted({row for row in rows if rows.count(row) > 1})
    missing = [row for row in range(n) if row not in rows]
    said = f"row {twice[0]} came {rows.count(twice[0])} times" if twice else ""
    assert not twice, (
        f"{said}: rows were drawn with replacement, or anew for each batch; shuffle all once and cut, so that each "
        "comes once"
    )
    assert not missing, f"the row {missing[0]} is in no batch; an epoch sees every row"
    assert len(rows) == n, (
        f"expected the rows 0 to {n - 1}; received also {rows[0] if rows[0] < 0 else rows[-1]}"
    )


def _several(each: list[list[int]]) -> None:
    rows = [row for batch in each for row in batch]
    assert len(set(rows)) > 1, f"the row {rows[0]} came {len(rows)} times, and no other; each row comes once"


@check("batches", "every row is in exactly one batch")
def once(batches: Any) -> None:
    for n, seed in ((24, 21), (20, 22)):
        _once(_each(batches(n, 4, seed)), n)


@check("batches", "the rows that are left over make a last, smaller batch")
def left_over(batches: Any) -> None:
    for n, size, expected in ((22, 4, [4, 4, 4, 4, 4, 2]), (17, 5, [5, 5, 5, 2])):
        each = _each(batches(n, size, 23))
        sizes, of = [len(rows) for rows in each], f"{n} rows in batches of {size}"
        assert sum(sizes) != n - 2, f"{of}: the two rows left over were dropped; they make a smaller batch"
        assert len(sizes) != size, (
            f"batch_size is the number of rows in a batch, not that of the batches; received {sizes}"
        )
        assert sizes != [size] * len(expected), (
            f"{of}: the last batch was filled up with rows that had their turn"
        )
        assert sizes == expected, f"{of} make batches of {expected}; received {sizes}"
        _several(each)


@check("batches", "a batch is a sample, not a run of neighbours")
def sample(batches: Any) -> None:
    found = [_each(batches(n, 50, 24)) for n in (200, 300)]
    for each in found:
        rows = [row for batch in each for row in batch]
        assert len(rows) > 1, "expected 200 rows; there are none"
        assert rows != sorted(rows), "the rows were not shuffled: they came in the order of the file"
        runs = [batch for batch in each if len(batch) > 1 and max(batch) - min(batch) == len(batch) - 1]
        assert not runs, "a batch holds neighbours of the file: shuffle the rows first, all of them, then cut"
    assert found[0] != found[1], "the same batches came back for 200 rows and for 300"


@check("batches", "the seed decides the order")
def seeded(batches: Any) -> None:
    first, again, other = (_each(batches(40, 10, seed)) for seed in (25, 25, 26))
    assert first == again, "the seed 25 gave two orders: make the generator with np.random.default_rng(seed)"
    assert first != other, (
        "the seeds 25 and 26 gave the same order: the seed is not used, so all epochs are alike"
    )


@check("batches", "all rows in one batch, and single rows")
def extremes(batches: Any) -> None:
    met = []
    for size, expected in ((50, [5]), (5, [5]), (1, [1] * 5)):
        each = _each(batches(5, size, 27))
        sizes = [len(rows) for rows in each]
        met.extend(each)
        said = f"five rows in batches of {size} make batches of {expected}; received {sizes}"
        assert sum(sizes) > 0, f"{said}: the rows left over were dropped"
        assert sizes == expected, said
    _several(met)


VELOCITY = np.array([0.5, -1.0, 2.0])


@check("momentum_step", "the velocity keeps the share β and adds the gradient")
def velocity(momentum_step: Any) -> None:
    _, v = parts(momentum_step(THETA, VELOCITY, G, 0.1, 0.8), "theta", "v")
    wanted = 0.8 * VELOCITY + G
    mistakes = {
        "the two came back in the other order: expected theta, then v": THETA - 0.1 * wanted,
        "the gradient was weighted by 1 - β, as in a running mean; here it is added whole": 0.8 * VELOCITY
        + 0.2 * G,
        "the gradient was weighted by β": 0.8 * VELOCITY + 0.8 * G,
        "β weighs the gradient, and the velocity is kept whole": VELOCITY + 0.8 * G,
        "nothing of the velocity was lost: β is missing": VELOCITY + G,
        "the old velocity was forgotten": G,
        "the learning rate is in the velocity; it belongs to the step alone": 0.8 * VELOCITY + 0.1 * G,
        "the learning rate is in the velocity, with a minus; the velocity adds the gradient": 0.8 * VELOCITY
        - 0.1 * G,
        "the gradient was subtracted from the velocity": 0.8 * VELOCITY - G,
        "the velocity that came back is the old one": VELOCITY,
    }
    expect(v, wanted, "v = (0.5, -1, 2), g = (2, -4, 0.5), β = 0.8, the new velocity,", mistakes)


@check("momentum_step", "the step follows the new velocity, downhill")
def follows(momentum_step: Any) -> None:
    theta, _ = parts(momentum_step(THETA, VELOCITY, G, 0.1, 0.8), "theta", "v")
    wanted = 0.8 * VELOCITY + G
    mistakes = {
        "the step followed the old velocity": THETA - 0.1 * VELOCITY,
        "the step followed the gradient alone, without the velocity": THETA - 0.1 * G,
        "the step goes uphill, along the velocity": THETA + 0.1 * wanted,
        "the learning rate is missing in the step": THETA - wanted,
        "the two came back in the other order: expected theta, then v": wanted,
        "the gradient was weighted by 1 - β, as in a running mean": THETA - 0.1 * (0.8 * VELOCITY + 0.2 * G),
        "the learning rate stands in both formulas": THETA - 0.1 * (0.8 * VELOCITY + 0.1 * G),
        "the learning rate weighs the gradient only, not the velocity": THETA - (0.8 * VELOCITY + 0.1 * G),
        "the learning rate weighs the gradient only, and the old velocity was added": THETA
        + (0.8 * VELOCITY - 0.1 * G),
    }
    expect(
        theta,
        THETA - 0.1 * wanted,
        "θ = (1, 3, -2), v = (0.5, -1, 2), g = (2, -4, 0.5), the new θ,",
        mistakes,
    )


@check("momentum_step", "with β = 0 it is a plain step")
def plain(momentum_step: Any) -> None:
    theta, _ = parts(momentum_step(THETA, VELOCITY, G, 0.1, 0.0), "theta", "v")
    mistakes = {
        "the step followed the old velocity": THETA - 0.1 * VELOCITY,
        "the old velocity was not forgotten: β is missing": THETA - 0.1 * (VELOCITY + G),
        "nothing moved: β weighs the velocity, not the gradient": THETA,
        "the step goes uphill": THETA + 0.1 * G,
    }
    expect(theta, THETA - 0.1 * G, "β = 0, the new θ,", mistakes)


@check("momentum_step", "a gradient that stays makes the velocity 1/(1 - β) as long")
def steady(momentum_step: Any) -> None:
    theta, v = np.zeros(1), np.zeros(1)
    for _ in range(30):
        found = parts(momentum_step(theta, v, np.array([3.0]), 0.1, 0.5), "theta", "v")
        theta, v = (np.asarray(one, float) for one in found)
    mistakes = {
        "the velocity is a running mean of the gradient; it should be a sum": 3.0 * (1 - 0.5**30),
        "the learning rate is in the velocity": 0.6 * (1 - 0.5**30),
        "the velocity runs the other way": -6.0 * (1 - 0.5**30),
        "the velocity grows without end: β is missing": 90.0,
    }
    expect(v, 6.0 * (1 - 0.5**30), "g = 3 in 30 steps, β = 0.5, the velocity,", mistakes, flat=True)


@check("momentum_step", "parameters, velocity and gradient are left as they were")
def all_left_alone(momentum_step: Any) -> None:
    touched = changed(momentum_step, THETA, VELOCITY, G, 0.1, 0.8)
    for place, name in enumerate(("theta", "v", "g")):
        assert place not in touched, f"{name} {IN_PLACE}"
    theta, _ = parts(momentum_step(THETA, VELOCITY, G, 0.1, 0.8), "theta", "v")
    in_line(_change(theta), 0.8 * VELOCITY + G, G, VELOCITY, VELOCITY + G)


Batches = Sequence[Sequence[Any]]


def _path(x: Any, t: Any, rate: float, beta: float, epochs: Batches, mistake: str = "") -> list[Any]:
    """Return θ after each step, of training as it should be or with a mistake.

    "all": gradients of all rows; "begin": gradients where training began; "epoch", "batch": where v is lost.
    """
    theta = v = begin = np.zeros(x.shape[1])
    path = []
    for each in epochs:
        v = begin if mistake == "epoch" else v
        for rows in each:
            v = begin if mistake == "batch" else v
            seen, at = (slice(None) if mistake == "all" else rows), (begin if mistake == "begin" else theta)
            v = beta * v + 2 / len(t[seen]) * x[seen].T @ (x[seen] @ at - t[seen])
            theta = theta - rate * v
            path.append(theta)
    return path


OWN = "this follows from your own momentum_step: bring the lights of task 4 on first"


def _own_end(x: Any, t: Any, rate: float, beta: float, epochs: Batches, momentum_step: Any) -> dict[str, Any]:
    """Return where the student's own momentum_step leads, as a mistake; none where it does not run."""
    theta = v = np.zeros(x.shape[1])
    try:
        for rows in (rows for each in epochs for rows in each):
            g = 2 / len(t[rows]) * x[rows].T @ (x[rows] @ theta - t[rows])
            theta, v = (np.asarray(one, float) for one in momentum_step(theta, v, g, rate, beta))
    except (Raised, TypeError, ValueError):
        return {}
    return {OWN: theta}


def _loss(theta: Any, x: Any, t: Any) -> float:
    return float(np.mean((x @ theta - t) ** 2))


def _points(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(31)
    return np.column_stack([rng.normal(size=(n, 2)), np.ones(n)]), rng.normal(size=n)


@check("train_neuron", "with all rows in one batch each epoch is one step")
def whole_batch(train_neuron: Any) -> None:
    x, t = _points(8)
    how = (x, t, 0.1, 0.0, [[slice(None)]] * 3)
    theta, _ = parts(train_neuron(x, t, 0.1, 0.0, 8, 3), "theta", "losses")
    mistakes = {
        "the gradient was always taken where training began, not at the present θ": _path(*how, "begin")[-1],
        "training ended one epoch too early": _path(*how)[-2],
        "it made one step only": _path(*how)[0],
    }
    expect(theta, _path(*how)[-1], "eight rows, η = 0.1, β = 0, three epochs, θ,", mistakes)


@check("train_neuron", "the velocity lives on from epoch to epoch")
def lives_on(train_neuron: Any, momentum_step: Any) -> None:
    x, t = _points(8)
    how = (x, t, 0.15, 0.8, [[slice(None)]] * 4)
    theta, _ = parts(train_neuron(x, t, 0.15, 0.8, 8, 4), "theta", "losses")
    lost = "the velocity was lost between the epochs: it is set to zero once, before the first"
    mistakes = _own_end(*how, momentum_step) | {
        lost: _path(*how, "epoch")[-1],
        "the θ with the smallest loss came back; expected that after the last epoch": _path(*how)[1],
        "the gradient was always taken where training began, not at the present θ": _path(*how, "begin")[-1],
    }
    expect(theta, _path(*how)[-1], "eight rows, η = 0.15, β = 0.8, four epochs, θ,", mistakes)


@check("train_neuron", "each batch is a step, and the velocity lives on from one to the next")
def step_a_batch(train_neuron: Any, momentum_step: Any) -> None:
    x, t = np.tile([1.0, 2.0], (6, 1)), np.full(6, 3.0)  # equal rows: their order does not matter
    how = (x, t, 0.02, 0.5, [[[0, 1], [2, 3], [4, 5]]] * 2)
    theta, _ = parts(train_neuron(x, t, 0.02, 0.5, 2, 2), "theta", "losses")
    mistakes = _own_end(*how, momentum_step) | {
        "one step was made in each epoch; three batches make three steps": _path(*how)[1],
        "the velocity was lost between the batches": _path(*how, "batch")[-1],
        "the velocity was lost between the epochs": _path(*how, "epoch")[-1],
        "training ended after the first epoch": _path(*how)[2],
    }
    expect(theta, _path(*how)[-1], "six equal rows in batches of 2, two epochs, θ,", mistakes)


def _orders(batches: Any, seeds: Sequence[int]) -> Batches:
    """The batches that the student's own function makes, so that an order of theirs is as good as ours."""
    epochs = [_each(batches(6, 2, seed)) for seed in seeds]
    complete = all(sorted(row for rows in each for row in rows) == list(range(6)) for each in epochs)
    assert complete, "task 3, batches, must be right first"
    return epochs


@check("train_neuron", "a step sees the rows of its batch, and each epoch has its own batches")
def own_rows(train_neuron: Any, batches: Any) -> None:
    x, t = _points(6)
    how = (x, t, 0.1, 0.0)
    epochs, later = _orders(batches, (0, 1, 2)), _orders(batches, (1, 2, 3))
    theta, _ = parts(train_neuron(x, t, 0.1, 0.0, 2, 3), "theta", "losses")
    always = "all epochs had the same batches: the seed is the number of the epoch"
    mistakes = {
        "each step used the gradient of all rows, not of its batch": _path(*how, epochs, "all")[-1],
        always: _path(*how, [epochs[0]] * 3)[-1],
        "the epochs were counted from 1: the first one has the seed 0": _path(*how, later)[-1],
        "the gradient was always taken where training began": _path(*how, epochs, "begin")[-1],
    }
    expect(theta, _path(*how, epochs)[-1], "six rows in batches of 2, three epochs, θ,", mistakes)


@check("train_neuron", "one loss for each epoch: of all rows, after its last step")
def noted(train_neuron: Any, batches: Any) -> None:
    x, t = _points(6)
    epochs = _orders(batches, (0, 1, 2))
    _, losses = parts(train_neuron(x, t, 0.1, 0.0, 2, 3), "theta", "losses")
    path = _path(x, t, 0.1, 0.0, epochs)
    every = [_loss(at, x, t) for at in path]
    last = [_loss(path[3 * k + 2], x[epochs[k][-1]], t[epochs[k][-1]]) for k in range(3)]
    mistakes = {
        "the loss was noted before the steps of the epoch": [_loss(np.zeros(3), x, t), every[2], every[5]],
        "a loss was noted after each batch; expected one for each epoch": every,
        "only the last loss came back; expected one for each epoch": every[-1],
        "the loss is that of the last batch; expected that of all rows": last,
    }
    expect(losses, every[2::3], "six rows in batches of 2, three epochs, the losses,", mistakes)
