"""Single neurons: the theorem on random sets, the rule against plain Python, the logistic neuron against torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dlcore import data, init, loss, neurons, optim
from dlcore.activations import identity, sigmoid, tanh
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, check_gradients
from dlcore.capture import capture
from dlcore.layers import ensemble
from dlcore.neurons import Neuron, Perceptron, ThresholdUnit, distance, margin, novikoff_bound, weighted_sum
from tests.helpers import TOLERANCE, Backend, agree, assert_on, close, on_every_backend, on_every_device

CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
Values = np.ndarray[Any, Any]


# ------------------------------------------------------------------------------------- the threshold unit


@pytest.mark.parametrize(
    ("weight", "bias", "says"),
    [
        ([1, 1], -1.5, [0, 0, 0, 1]),  # and
        ([1, 1], -0.5, [0, 1, 1, 1]),  # or
        ([-1, -1], 1.5, [1, 1, 1, 0]),  # not both
        ([1, 1], -1.0, [0, 0, 0, 1]),  # a sum of exactly 0 does not fire
    ],
)
@pytest.mark.parametrize("backend", [Backend("numpy", "float32"), Backend("strict", "float32")])
def test_a_threshold_unit_computes_its_gate(
    weight: list[float], bias: float, says: list[int], backend: Backend
) -> None:
    unit = ThresholdUnit(weight, bias, device=backend.device)
    output = unit(asarray(CORNERS, device=backend.device))
    assert_on(backend, output.data)
    assert output.numpy().tolist() == says
    assert unit.parameters() == []


def test_of_many_inputs_a_unit_counts_those_that_are_on() -> None:
    inputs = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T
    for threshold in range(1, 5):  # McCulloch and Pitts: at least so many
        unit = ThresholdUnit(np.ones(4), 0.5 - threshold)
        np.testing.assert_array_equal(unit(inputs).numpy(), inputs.sum(axis=1) >= threshold)


def test_a_threshold_unit_takes_one_example_too_and_prints_itself() -> None:
    unit = ThresholdUnit([1, 1], -1.5)
    assert unit([1, 1]).numpy().shape == ()
    assert repr(unit) == "ThresholdUnit([1.0, 1.0], -1.5)"


def test_a_threshold_unit_of_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a weight for each input and one bias; received shapes \(1, 2\)"):
        ThresholdUnit([[1, 1]], -1.5)
    with pytest.raises(ValueError, match=r"expected input of shape \(…, 2\).*received \(1, 3\)"):
        ThresholdUnit([1, 1], -1.5)([[1, 1, 1]])


# ------------------------------------------------------------------------------------------- the geometry


@on_every_backend
def test_distance_is_that_of_school_geometry(backend: Backend) -> None:
    points = backend.array(np.array([[3.0, 4.0], [0.0, 0.0], [3.0, -1.0]]))
    found = distance(points, [3.0, 4.0], -5.0)
    assert_on(backend, found)
    close(found, [4.0, -1.0, 0.0], 1e-6)
    assert margin(points[:2, ...], [1, -1], [3.0, 4.0], -5.0) == pytest.approx(1)
    assert margin(points[:2, ...], [1, 1], [3.0, 4.0], -5.0) == pytest.approx(-1)


@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(0.01, 100))
def test_distance_is_the_length_of_the_way_to_the_border(seed: int, features: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x, w, b = rng.normal(size=(7, features)), rng.normal(size=features), rng.normal()
    assume(np.linalg.norm(w) > 1e-3)
    s = distance(x, w, b)
    foot = x - s[:, None] * w / np.linalg.norm(w)
    np.testing.assert_allclose(foot @ w + b, 0, atol=1e-9)  # on the border …
    np.testing.assert_allclose(np.linalg.norm(x - foot, axis=1), np.abs(s), atol=1e-9)  # … and so far away
    np.testing.assert_allclose(distance(x, scale * w, scale * b), s, rtol=1e-9)


def test_geometry_takes_tensors_integers_and_lists() -> None:
    neuron = Neuron(2, rng=np.random.default_rng(0))
    assert distance([[1, 2]], neuron.weight, neuron.bias).shape == (1,)
    assert distance(Tensor([[1.0, 2.0]]), [1, 0], 0).tolist() == [1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance([[1.0, 2.0]], [0.0, 0.0], 1.0), "a weight other than 0"),
        (
            lambda: distance([[1.0, 2.0]], [1.0], 1.0),
            r"distance: expected points .* received shapes \(1, 2\), \(1,\)",
        ),
        (
            lambda: margin([[1.0, 2.0]], [0], [1.0, 1.0], 0.0),
            r"margin: expected labels of -1 or \+1; received \[0",
        ),
        (lambda: margin([[1.0, 2.0]], [1, 1], [1.0, 1.0], 0.0), r"a label for each .* of shape \(2,\)"),
        (lambda: margin(np.zeros((0, 2)), [], [1.0, 1.0], 0.0), "one or more points"),
        (lambda: novikoff_bound([[1.0], [2.0]], [1, -1], [1.0], 0.0), "leaves 1 of 2 on the other side"),
    ],
)
def test_geometry_says_what_is_wrong(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# ----------------------------------------------------------------------------------------- the perceptron


def in_plain_python(points: Values, labels: Values, epochs: int) -> tuple[list[float], float, list[int]]:
    """Rosenblatt's rule without arrays: weights, bias, mistakes in each pass."""
    w, b, mistakes = [0.0] * len(points[0]), 0.0, []
    for _ in range(epochs):
        mistakes.append(0)
        for x, y in zip(points.tolist(), labels.tolist(), strict=True):
            if y * (math.fsum(wi * xi for wi, xi in zip(w, x, strict=True)) + b) <= 0:
                w = [wi + y * xi for wi, xi in zip(w, x, strict=True)]
                b += y
                mistakes[-1] += 1
        if mistakes[-1] == 0:
            break
    return w, b, mistakes


@on_every_backend
def test_the_perceptron_is_that_of_plain_python(backend: Backend) -> None:
    rng = np.random.default_rng(1)
    points = rng.integers(-8, 9, size=(60, 3)) / 4  # exact in every precision, so that no mistake is in doubt
    labels = np.sign(points @ [1.0, -2.0, 0.5] + 0.3)
    w, b, mistakes = in_plain_python(points, labels, 20)
    perceptron = Perceptron(3, device=backend.device, dtype=backend.dtype)
    record = perceptron.fit(backend.array(points), labels, max_epochs=20)
    assert_on(backend, perceptron.weight)
    assert (to_numpy(perceptron.weight).tolist(), float(perceptron.bias)) == (w, b)
    assert list(record.per_epoch) == mistakes
    assert record.total == sum(mistakes) == len(record.rows)
    assert mistakes[0] > 3
    output = perceptron(backend.array(points))
    assert_on(backend, output)
    if record.converged:
        np.testing.assert_array_equal(to_numpy(output), labels)


def separated(seed: int, features: int, count: int, gap: float) -> tuple[Values, Values, Values, float]:
    """Draw a border and points at a distance of at least ``gap`` from it."""
    rng = np.random.default_rng(seed)
    w, b = rng.normal(size=features), float(rng.normal())
    x = rng.uniform(-5, 5, size=(count, features))
    away = distance(x, w, b)
    return x[abs(away) >= gap], np.sign(away[abs(away) >= gap]), w, b


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 60), st.floats(0.02, 1.5))
def test_novikoff_bounds_the_mistakes_on_any_separable_set(
    seed: int, features: int, count: int, gap: float
) -> None:
    points, labels, w, b = separated(seed, features, count, gap)
    assume(len(points) > 0)
    bound = novikoff_bound(points, labels, w, b)
    perceptron = Perceptron(features, dtype="float64")
    record = perceptron.fit(points, labels, max_epochs=math.floor(bound) + 1)
    assert record.converged
    assert record.total <= bound
    assert margin(points, labels, perceptron.weight, perceptron.bias) > 0
    # What it found separates as well, so it gives a bound too.
    assert record.total <= novikoff_bound(points, labels, perceptron.weight, perceptron.bias)


@pytest.mark.parametrize("labels", [np.ones(8), np.array([1, -1, -1, 1, -1, 1, 1, 1])])
def test_the_bound_is_reached_exactly_where_the_proof_is_tight(labels: Values) -> None:
    two = np.array([[1, 1], [1, -1]])
    rows = np.kron(np.kron(two, two), two).astype(float)  # (8, 8), at right angles; the first column is ones
    points = rows[:, 1:]
    best = labels @ rows
    record = Perceptron(7, dtype="float64").fit(points, labels, max_epochs=10)
    assert record.total == 8
    assert novikoff_bound(points, labels, best[1:], best[0]) == pytest.approx(8)


@given(st.integers(0, 10_000), st.floats(0.1, 10))
def test_the_bound_does_not_depend_on_the_scale_of_the_border(seed: int, scale: float) -> None:
    points, labels, w, b = separated(seed, 2, 30, 0.2)
    assume(len(points) > 0)
    one = novikoff_bound(points, labels, w, b)
    assert novikoff_bound(points, labels, scale * w, scale * b) == pytest.approx(one)


def test_no_border_no_end() -> None:
    record = Perceptron(2).fit(CORNERS, [-1, 1, 1, -1], max_epochs=200)
    assert not record.converged
    assert len(record.per_epoch) == 200
    assert min(record.per_epoch) > 0


def test_update_tells_a_mistake_and_moves_the_sum_by_the_squared_length() -> None:
    perceptron = Perceptron(2, dtype="float64")
    x = np.array([3.0, 4.0])
    assert perceptron.update(x, -1)  # on the border counts as wrong
    assert float(x @ perceptron.weight + perceptron.bias) == -(3**2 + 4**2 + 1)
    assert not perceptron.update(x, -1)
    assert perceptron.update(x, 1)
    assert repr(perceptron) == "Perceptron(2)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Perceptron(0), "in_features to be a whole number of at least 1; received 0"),
        (lambda: Perceptron(2, dtype="int64"), "floating dtype"),
        (lambda: Perceptron(2).fit(CORNERS, [0, 0, 0, 1], 9), r"labels of -1 or \+1.*2 t - 1"),
        (lambda: Perceptron(2).fit(CORNERS, [-1, 1], 9), "a label for each"),
        (lambda: Perceptron(2).fit(np.zeros((0, 2)), [], 9), "one or more points"),
        (lambda: Perceptron(2).fit([[1.0, np.nan]], [1], 9), "finite numbers"),
        (
            lambda: Perceptron(2).fit(CORNERS, [1, 1, 1, 1], 0),
            "max_epochs to be a whole number of at least 1",
        ),
        (lambda: Perceptron(3).fit(CORNERS, [1, 1, 1, 1], 9), r"shape \(…, 3\); received \(4, 2\)"),
        (lambda: Perceptron(2).update([1.0, 1.0], 0), r"label of -1 or \+1; received 0"),
    ],
)
def test_the_perceptron_says_what_is_wrong(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_arrays_of_another_library_are_refused() -> None:
    with pytest.raises(TypeError, match="arrays of one library"):
        Perceptron(2, device="strict").fit(np.zeros((1, 2)), [1], 1)


# --------------------------------------------------------------------------------------- the smooth neuron


@on_every_backend
@pytest.mark.parametrize("activation", [sigmoid, tanh, identity], ids=lambda f: f.__name__)
def test_a_neuron_agrees_with_torch(backend: Backend, activation: Any) -> None:
    rng = np.random.default_rng(2)
    names = {"sigmoid": lambda z: z.sigmoid(), "tanh": lambda z: z.tanh(), "identity": lambda z: z}
    agree(
        lambda x, w, b: activation(weighted_sum(x, w, b)),
        lambda x, w, b: names[activation.__name__](x @ w + b),
        rng.normal(size=(5, 3)),
        rng.normal(size=3),
        np.array(0.3),
        backend=backend,
    )


@on_every_device
def test_the_gradient_of_the_logistic_neuron(backend: Backend) -> None:
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(6, 4)), rng.integers(0, 2, size=6).astype(float)
    w, b = rng.normal(size=4), np.array(0.2)

    def cost(w: Tensor, b: Tensor) -> Tensor:
        return loss.binary_cross_entropy(weighted_sum(backend.tensor(x), w, b), backend.array(t))

    check_gradients(cost, backend.array(w), backend.array(b))
    weight, bias = backend.tensor(w, requires_grad=True), backend.tensor(b, requires_grad=True)
    cost(weight, bias).backward()
    error = 1 / (1 + np.exp(-(x @ w + b))) - t  # what the chapter derives
    close(weight.grad, error @ x / len(x), 1e-12)
    close(bias.grad, error.mean(), 1e-12)


@on_every_backend
def test_training_a_logistic_neuron_is_gradient_descent_in_plain_numpy(backend: Backend) -> None:
    points, labels = data.gaussian(60, noise=0.5, rng=np.random.default_rng(4))
    x, t = points.astype(np.float64), (labels.astype(np.float64) + 1) / 2
    w, b = np.zeros(2), 0.0
    for _ in range(50):
        error = 1 / (1 + np.exp(-(x @ w + b))) - t
        w, b = w - 0.5 * error @ x / len(x), b - 0.5 * error.mean()
    neuron = Neuron(
        2,
        rng=np.random.default_rng(0),
        weight_init=init.zeros,
        device=backend.device,
        dtype=backend.dtype,
    )
    optimizer = optim.SGD(neuron.parameters(), learning_rate=0.5)
    for _ in range(50):
        cost = loss.binary_cross_entropy(neuron.weighted_sum(backend.array(x)), backend.array(t))
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    assert_on(backend, neuron.weight.data)
    close(neuron.weight.data, w, 20 * TOLERANCE[backend.dtype])
    close(neuron.bias.data, b, 200 * TOLERANCE[backend.dtype])
    output = neuron(backend.array(x))
    assert output.shape == (60,)
    assert np.mean((output.numpy() > 0.5) == t) > 0.9


def test_one_neuron_reads_threes_and_eights() -> None:
    x, digits = data.digits("train", classes=(3, 8), flat=True)
    test_x, test_digits = data.digits("test", classes=(3, 8), flat=True)
    rng = np.random.default_rng(0)
    neuron = Neuron(784, rng=rng)
    optimizer = optim.SGD(neuron.parameters(), learning_rate=0.1)
    for _ in range(10):
        for some_x, some_t in data.batches(x, (digits == 8).astype(np.float32), batch_size=32, rng=rng):
            optimizer.zero_grad()
            loss.binary_cross_entropy(neuron.weighted_sum(some_x), some_t).backward()
            optimizer.step()
    right = np.mean((neuron(test_x).numpy() > 0.5) == (test_digits == 8))
    assert 0.94 < right < 0.99


@on_every_device
def test_neurons_side_by_side_are_each_themselves(backend: Backend) -> None:
    rng = np.random.default_rng(5)
    alone = [Neuron(3, rng=rng, device=backend.device, dtype=backend.dtype) for _ in range(4)]
    together = ensemble(alone)
    x = rng.normal(size=(4, 6, 3))
    output = together(backend.array(x))
    assert output.shape == (4, 6)
    for i, neuron in enumerate(alone):
        close(output.data[i, ...], neuron(backend.array(x[i])).numpy(), 1e-13)
    with pytest.raises(ValueError, match=r"expected input of shape \(4, batch, 3\)"):
        together(backend.array(x[0, 0]))


def test_a_captured_neuron_takes_the_same_steps() -> None:
    rng = np.random.default_rng(6)
    x, t = rng.normal(size=(8, 3)).astype(np.float32), rng.integers(0, 2, 8).astype(np.float32)

    def trained(captured: bool) -> Values:
        neuron = Neuron(3, rng=np.random.default_rng(0))
        optimizer = optim.SGD(neuron.parameters(), learning_rate=0.3)

        def step(x: Any, t: Any) -> Tensor:
            cost = loss.binary_cross_entropy(neuron.weighted_sum(x), t)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            return cost

        take = capture(step) if captured else step
        for _ in range(30):
            take(x, t)
        return neuron.weight.numpy().copy()

    np.testing.assert_allclose(trained(captured=True), trained(captured=False), rtol=1e-5)


def test_a_neuron_has_two_parameters_a_name_and_good_manners() -> None:
    neuron = Neuron(3, rng=np.random.default_rng(0), activation=tanh)
    assert [(name, p.shape) for name, p in neuron.named_parameters()] == [("weight", (3,)), ("bias", ())]
    assert repr(neuron) == "Neuron(3, tanh)"
    with pytest.raises(ValueError, match=r"expected input of shape \(…, 3\).*Images become rows"):
        neuron(np.zeros((2, 28, 28), np.float32))
    with pytest.raises(TypeError, match="rng"):
        Neuron(3, rng=0)  # type: ignore[arg-type]


def test_the_module_names_what_it_offers() -> None:
    assert all(hasattr(neurons, name) for name in neurons.__all__)
