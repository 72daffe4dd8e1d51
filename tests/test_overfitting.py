"""Overfitting: penalties, early stopping, curves, bias and variance, augmentation; algebra and other authors agree."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from dlcore import loss, optim
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, check_gradients
from dlcore.data import digits
from dlcore.layers import Dense, Dropout, Sequential, ensemble, mlp
from dlcore.overfitting import (
    L1,
    L2,
    EarlyStopping,
    RandomFeatures,
    Trained,
    augment,
    bias_variance,
    capacity_curve,
    decompose,
    error_rate,
    learning_curve,
    squared_error,
)
from dlcore.overfitting.images import moved_by
from dlcore.overfitting.learners import solved
from dlcore.overfitting.penalties import leaves
from dlcore.training import History, State, accuracy, fit, sweep
from tests.helpers import TOLERANCE, Backend, assert_on, close, needs_torch, normals, on_every_backend

BOTH = pytest.mark.parametrize("penalty", [L1, L2])
QUIET: dict[str, Any] = {"progress": False}


def network(seed: int, backend: Backend | None = None) -> Sequential:
    where = {} if backend is None else {"device": backend.device, "dtype": backend.dtype}
    rng = np.random.default_rng(seed)
    return Sequential(Dense(3, 4, rng=rng, **where), Dense(4, 2, rng=rng, **where))


# ---------------------------------------------------------------------------------------------------- penalties


@on_every_backend
def test_a_penalty_is_its_formula_and_leaves_biases_alone(backend: Backend) -> None:
    model = network(0, backend)
    weights = np.concatenate([layer.weight.numpy().ravel() for layer in (model[0], model[1])])
    for layer in (model[0], model[1]):
        layer.bias.data = layer.bias.data + 7  # would cost much
    close(L2(0.3)(model).data, 0.15 * np.sum(weights**2), TOLERANCE[backend.dtype])
    close(L1(0.3)(model).data, 0.3 * np.sum(np.abs(weights)), TOLERANCE[backend.dtype])
    assert_on(backend, L2(0.3)(model).data)


@BOTH
def test_the_slope_of_a_penalty_is_that_of_finite_differences(penalty: Any) -> None:
    weights, kernels = normals((3, 4), (2, 1, 3, 3))
    check_gradients(lambda w, k: penalty(0.7)([w, k]), weights, kernels)


@on_every_backend
@BOTH
def test_an_ensemble_pays_what_its_members_pay(penalty: Any, backend: Backend) -> None:
    models = [network(seed, backend) for seed in range(3)]
    together = ensemble(models)
    close(penalty(0.2)(together).data, [penalty(0.2)(m).item() for m in models], 1e-5)
    strengths = [0.0, 0.1, 2.0]
    wanted = [penalty(s)(m).item() for s, m in zip(strengths, models, strict=True)]
    close(penalty(strengths)(together).data, wanted, 1e-5)


def test_a_penalized_loss_finds_the_weights_that_made_the_predictions() -> None:
    rng = np.random.default_rng(0)
    model = Sequential(Dense(3, 4, rng=rng), Dropout(0.5, rng=rng), Dense(4, 1, rng=rng))
    x, t = normals((5, 3), (5, 1))
    predictions = model(x.astype(np.float32))
    assert set(leaves(predictions)) == set(model.parameters())
    plain = loss.mse(predictions, t.astype(np.float32)).item()
    costly = L2(0.5).on(loss.mse)(predictions, t.astype(np.float32)).item()
    assert costly == pytest.approx(plain + L2(0.5)(model).item(), rel=1e-6)


def test_validation_measures_the_loss_without_the_penalty() -> None:
    x, t = (a.astype(np.float32) for a in normals((20, 3), (20, 2)))
    model = network(1)
    history = fit(
        model,
        (x, t),
        validation=(x, t),
        loss=L2(3.0).on(loss.mse),
        optimizer=optim.SGD(model.parameters(), 1e-12),
        epochs=1,
        batch_size=20,
        **QUIET,
    )
    plain = loss.mse(model(x), t).item()
    assert history["validation_loss"][0] == pytest.approx(plain, rel=1e-5)
    assert history["loss"][0] == pytest.approx(plain + L2(3.0)(model).item(), rel=1e-5)


@on_every_backend
def test_l2_is_weight_decay_of_plain_descent_where_there_are_no_biases(backend: Backend) -> None:
    x, t = (backend.array(a) for a in normals((8, 3), (8, 2)))

    def trained(cost: Any, decay: float) -> Any:
        layer = Dense(
            3, 2, rng=np.random.default_rng(0), bias=False, device=backend.device, dtype=backend.dtype
        )
        rule = optim.SGD(layer.parameters(), 0.1, momentum=0.5, weight_decay=decay)
        fit(layer, (x, t), loss=cost, optimizer=rule, epochs=5, batch_size=4, **QUIET)
        return layer.weight.data

    close(trained(L2(0.3).on(loss.mse), 0), to_numpy(trained(loss.mse, 0.3)), 20 * TOLERANCE[backend.dtype])


def test_l2_in_the_loss_is_not_adamws_decay() -> None:
    x, t = (a.astype(np.float32) for a in normals((8, 3), (8, 2)))
    ends = []
    for cost, rule in [
        (L2(0.3).on(loss.mse), optim.Adam),
        (loss.mse, partial(optim.AdamW, weight_decay=0.3)),
    ]:
        layer = Dense(3, 2, rng=np.random.default_rng(0), bias=False)
        chosen = rule(layer.parameters(), learning_rate=0.05)
        fit(layer, (x, t), loss=cost, optimizer=chosen, epochs=20, batch_size=8, **QUIET)
        ends.append(layer.weight.numpy())
    assert np.abs(ends[0] - ends[1]).max() > 0.01


@needs_torch
@BOTH
def test_training_with_a_penalty_is_torchs(penalty: Any) -> None:
    import torch

    x, t = normals((16, 3), (16, 2))
    model = mlp(3, 5, 2, rng=np.random.default_rng(0), dtype="float64")
    twin = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2)).double()
    for layer, own in ((twin[0], model[0]), (twin[2], model[2])):
        layer.weight.data = torch.tensor(own.weight.numpy().T.copy())
        layer.bias.data = torch.tensor(own.bias.numpy().copy())
    rule = torch.optim.SGD(twin.parameters(), lr=0.1)
    for _ in range(10):
        rule.zero_grad()
        size = [
            w.abs().sum() if penalty is L1 else 0.5 * (w**2).sum() for w in (twin[0].weight, twin[2].weight)
        ]
        cost = torch.nn.functional.mse_loss(twin(torch.tensor(x)), torch.tensor(t)) + 0.05 * sum(size)
        cost.backward()
        rule.step()
    optimizer = optim.SGD(model.parameters(), 0.1)
    how = {"epochs": 10, "batch_size": 16, "shuffle": False, **QUIET}
    fit(model, (x, t), loss=penalty(0.05).on(loss.mse), optimizer=optimizer, **how)
    close(model[0].weight.data, twin[0].weight.detach().numpy().T, 1e-12)
    close(model[2].bias.data, twin[2].bias.detach().numpy(), 1e-12)


@BOTH
def test_a_captured_sweep_with_a_penalty_is_the_plain_one(penalty: Any) -> None:
    x, t = (a.astype(np.float32) for a in normals((12, 3), (12, 2)))

    def run(captured: bool) -> np.ndarray[Any, Any]:
        return sweep(
            lambda rng: mlp(3, 4, 2, rng=rng),
            (x, t),
            seeds=range(3),
            loss=penalty([0.0, 0.1, 1.0]).on(loss.mse),
            optimizer=partial(optim.Adam, learning_rate=0.01),
            epochs=4,
            batch_size=6,
            capture=captured,
            **QUIET,
        ).losses

    close(run(True), run(False), 1e-6)
    assert run(False)[2, 0] > run(False)[0, 0] + 1  # the strength is each member's own


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: L2(-1), "L2: expected a strength of at least 0"),
        (lambda: L1(float("nan")), "L1: expected a strength of at least 0"),
        (lambda: L2([[1.0]]), "one for each member"),
        (lambda: L2(1.0)([Tensor([1.0], requires_grad=True)]), "two axes or more; received none"),
        (lambda: L2([1.0, 2.0])(network(0)), "one for each member"),
    ],
)
def test_a_penalty_that_cannot_be_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


# ----------------------------------------------------------------------------------------------- early stopping


def walk(stopping: EarlyStopping, values: list[Any], model: Any = None) -> State:
    """Show a callback a training whose epoch e ends with the weight e and this measurement."""
    model = model or Dense(1, 1, rng=np.random.default_rng(0))
    state = State(model, optim.SGD(model.parameters(), 0.1), History())
    for epoch, value in enumerate(values, start=1):
        for p in model.parameters():
            p.data = p.data * 0 + epoch
        state.epoch = epoch
        state.history.epochs.append({"epoch": epoch, "validation_loss": value})
        stopping(state)
        if state.stopped:
            break
    return state


def test_it_stops_after_the_patience_and_puts_the_best_back() -> None:
    stopping = EarlyStopping(2)
    state = walk(stopping, [3.0, 2.0, 2.5, 2.2, 1.0])
    assert state.epoch == 4
    assert (float(stopping.best), int(stopping.best_epoch)) == (2.0, 2)
    assert state.model.parameters()[0].item() == 2
    assert "validation_loss has not fallen for 2 epochs" in state.stopped


def test_a_small_fall_does_not_count() -> None:
    state = walk(EarlyStopping(2, min_delta=0.1), [1.0, 0.95, 0.91, 0.5])
    assert state.epoch == 3
    assert state.model.parameters()[0].item() == 1


def test_nan_is_never_the_best() -> None:
    assert walk(EarlyStopping(3), [2.0, float("nan"), float("nan"), float("nan")]).epoch == 4


def test_of_nothing_but_nan_the_first_epoch_is_kept() -> None:
    stopping = EarlyStopping(2)
    state = walk(stopping, [float("nan")] * 3)
    assert (state.epoch, state.model.parameters()[0].item()) == (2, 1)


def test_without_restoring_the_last_parameters_stay() -> None:
    assert walk(EarlyStopping(1, restore=False), [1.0, 2.0]).model.parameters()[0].item() == 2


def test_told_the_last_epoch_it_puts_the_best_back_there_too() -> None:
    assert walk(EarlyStopping(9, epochs=3), [1.0, 0.5, 2.0]).model.parameters()[0].item() == 2
    stopping = EarlyStopping(9)
    state = walk(stopping, [1.0, 0.5, 2.0])
    assert state.model.parameters()[0].item() == 3
    stopping.put_back(state.model)
    assert state.model.parameters()[0].item() == 2


def test_each_member_has_its_own_best_epoch() -> None:
    together = ensemble([Dense(1, 1, rng=np.random.default_rng(seed)) for seed in range(2)])
    stopping = EarlyStopping(2)
    state = walk(stopping, [[1.0, 9.0], [2.0, 5.0], [3.0, 4.0], [0.1, 6.0], [0.1, 7.0], [0.1, 8.0]], together)
    assert state.epoch == 5  # the second member's patience ends here
    assert stopping.best_epoch.tolist() == [1, 3]  # the first had run out before it fell again
    assert state.model.parameters()[0].numpy().ravel().tolist() == [1, 3]


def test_it_serves_a_second_training() -> None:
    stopping = EarlyStopping(1)
    walk(stopping, [1.0, 2.0])
    assert walk(stopping, [5.0, 4.0, 6.0]).epoch == 3
    assert float(stopping.best) == 4.0


def test_in_fit_the_model_ends_at_the_lowest_validation_loss() -> None:
    images, labels = digits("train", flat=True)
    model = mlp(784, 32, 10, rng=np.random.default_rng(0))
    held = (images[200:700], labels[200:700])
    history = fit(
        model,
        (images[:100], labels[:100]),
        validation=held,
        loss=loss.cross_entropy,
        optimizer=partial(optim.Adam, learning_rate=0.005),
        epochs=100,
        batch_size=50,
        callbacks=[EarlyStopping(5)],
        **QUIET,
    )
    assert len(history.epochs) < 100
    now = loss.cross_entropy(model(held[0]), held[1]).item()
    assert now == pytest.approx(min(history["validation_loss"]), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patience": 0}, "patience"),
        ({"patience": True}, "patience"),
        ({"patience": float("nan")}, "patience"),
        ({"patience": 1, "epochs": 0}, "epochs"),
        ({"patience": 1, "min_delta": -1}, "min_delta"),
    ],
)
def test_early_stopping_refuses(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        EarlyStopping(**arguments)


def test_early_stopping_needs_an_epoch_and_its_measurement() -> None:
    with pytest.raises(ValueError, match="nothing to put back"):
        EarlyStopping(1).put_back(network(0))
    state = State(network(0), None, History([], [{"epoch": 1, "loss": 1.0}]), epoch=1)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="Give the training validation data"):
        EarlyStopping(1)(state)


# ----------------------------------------------------------------------------------------- exactly solved learners


@on_every_backend
@pytest.mark.parametrize("width", [3, 12])
def test_solved_is_the_ridge_of_the_normal_equations(width: int, backend: Backend) -> None:
    features, targets = normals((2, 6, width), (2, 6, 3))
    for price in (0.5, 0.01):
        inverse = np.linalg.inv(features.mT @ features / 6 + price * np.eye(width))
        wanted = inverse @ (features.mT @ targets) / 6
        close(
            solved(backend.array(features), backend.array(targets), price),
            wanted,
            500 * TOLERANCE[backend.dtype],
        )


@pytest.mark.parametrize("width", [3, 12])
def test_without_a_price_it_is_the_shortest_of_the_best(width: int) -> None:
    features, targets = normals((2, 6, width), (2, 6, 3))
    close(solved(features, targets), np.linalg.pinv(features) @ targets, 1e-10)


@pytest.mark.parametrize("price", [0.0, 0.2])
@pytest.mark.parametrize("width", [3, 12])
def test_so_many_steps_are_so_many_steps_of_gradient_descent(width: int, price: float) -> None:
    features, targets = normals((1, 6, width), (1, 6, 2))
    curvature = features[0].T @ features[0] / 6 + price * np.eye(width)
    rate = 1 / np.linalg.eigvalsh(curvature).max()
    w = np.zeros((width, 2))
    for _ in range(17):
        w = w - rate * (curvature @ w - features[0].T @ targets[0] / 6)
    close(solved(features, targets, price, 17)[0], w, 1e-10)


def test_dropout_costs_on_average_what_its_penalty_says() -> None:
    (x,), (t,) = normals((1, 9, 2)), normals((1, 9), seed=1)
    learner, rate = RandomFeatures(5, dropout=0.3), 0.3
    features = np.cos(x[0] @ learner.drawn(0, 2, like=x)[0] + learner.drawn(0, 2, like=x)[1])
    features = features / np.sqrt(np.mean(features**2, axis=0))
    w = np.random.default_rng(2).normal(size=5)
    total = 0.0
    for mask in np.ndindex(*(2,) * 5):  # all masks, each with its probability
        kept = np.array(mask)
        chance = np.prod(np.where(kept, 1 - rate, rate))
        total += chance * np.mean((features * kept / (1 - rate) @ w - t[0]) ** 2)
    wanted = np.mean((features @ w - t[0]) ** 2) + rate / (1 - rate) * np.sum(w**2)
    assert total == pytest.approx(wanted, rel=1e-12)
    assert learner.price == pytest.approx(rate / (1 - rate))


def test_a_wider_layer_begins_with_the_units_of_a_narrower_one() -> None:
    x = np.zeros((1, 1, 4))
    for narrow, wide in zip(
        RandomFeatures(3).drawn(5, 4, like=x), RandomFeatures(9).drawn(5, 4, like=x), strict=True
    ):
        np.testing.assert_array_equal(narrow, wide[:, :3])


@on_every_backend
def test_random_features_stay_where_they_are_and_each_member_is_alone(backend: Backend) -> None:
    x, t, new = normals((3, 8, 2), (3, 8), (5, 2))
    learner = RandomFeatures(4, penalty=0.1)
    found = learner(backend.array(x), backend.array(t), seeds=[0, 1, 2])(backend.array(new))
    assert_on(backend, found)
    lone = learner(x[1:2], t[1:2], seeds=[1])(new)
    close(found[1, ...], lone[0], 1000 * TOLERANCE[backend.dtype])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 0}, "width"),
        ({"width": 2, "penalty": -1}, "penalty"),
        ({"width": 2, "dropout": 1.0}, "dropout"),
        ({"width": 2, "steps": -1}, "steps"),
        ({"width": 2, "scale": 0}, "scale"),
    ],
)
def test_random_features_refuse(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"RandomFeatures: expected .*{words}"):
        RandomFeatures(**settings)


def test_labels_need_the_number_of_classes() -> None:
    with pytest.raises(TypeError, match="classes=10"):
        RandomFeatures(2)(np.zeros((1, 3, 2)), np.zeros((1, 3), np.int64), [0])


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_size": 0}, {"steps": 2.5}])
def test_a_trained_learner_refuses(wrong: dict[str, Any]) -> None:
    how = {"steps": 1, "batch_size": 1} | wrong
    with pytest.raises(ValueError, match=rf"Trained: expected {next(iter(wrong))} to be a whole number"):
        Trained(mlp, loss=loss.mse, optimizer=optim.SGD, **how)


# -------------------------------------------------------------------------------------------------------- curves


def test_a_trained_learner_is_fit() -> None:
    x, t = (a.astype(np.float32) for a in normals((2, 10, 3), (2, 10, 1)))

    def build(rng: np.random.Generator) -> Sequential:
        return mlp(3, 4, 1, rng=rng)

    rule = partial(optim.SGD, learning_rate=0.1)
    learner = Trained(build, loss=loss.mse, optimizer=rule, steps=6, batch_size=5)
    found = learner(x, t, [3, 4])(x[0])
    model = build(np.random.default_rng(4))
    fit(model, (x[1], t[1]), loss=loss.mse, optimizer=rule, epochs=3, batch_size=5, seed=4, **QUIET)
    close(found[1], model(x[0]).numpy(), 1e-5)


def test_a_larger_set_holds_the_smaller_one_and_progress_is_told() -> None:
    seen: list[Any] = []

    def learner(x: Any, t: Any, seeds: Any) -> Any:
        seen.append(x[:, :, 0])
        return lambda rows: np.zeros((len(seeds), rows.shape[-2], 1))

    data = (np.arange(20.0)[:, None], np.ones(20))
    told: list[tuple[int, int]] = []
    curve = learning_curve(
        learner,
        data,
        sizes=[2, 5],
        validation=data,
        seeds=[0, 1],
        error=squared_error,
        progress=lambda done, of: told.append((done, of)),
    )
    np.testing.assert_array_equal(seen[1][:, :2], seen[0])
    assert not np.array_equal(seen[1][0], seen[1][1])
    assert told == [(1, 2), (2, 2)]
    assert curve.train.tolist() == curve.validation.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert "examples" in repr(curve)


def test_more_examples_help_on_digits() -> None:
    images, labels = (part[:2000] for part in digits("train", flat=True))
    held = (images[1500:], labels[1500:])
    learner = RandomFeatures(300, penalty=1.0, classes=10)
    curve = learning_curve(
        learner, (images[:1500], labels[:1500]), sizes=[50, 200, 800], validation=held, seeds=range(3)
    )
    _, middle, _ = curve.spread()
    assert middle[0] > middle[1] > middle[2]
    assert np.median(curve.train, axis=1)[0] < middle[0]


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_error_peaks_where_the_parameters_are_as_many_as_the_examples(noise: float) -> None:
    """Belkin, Hsu, Ma and Mandal, PNAS 2019: the second descent, on 100 digits of the data set they used."""
    images, labels = (
        part.astype(kind) for part, kind in zip(digits("train", flat=True), (float, int), strict=True)
    )
    held = (images[7500:], labels[7500:])
    widths = [10, 30, 50, 75, 90, 100, 110, 130, 200, 800]
    curve = capacity_curve(
        lambda width: RandomFeatures(width, classes=10),
        (images[:7500], labels[:7500]),
        capacities=widths,
        validation=held,
        size=100,
        seeds=range(8),
        label_noise=noise,
        error=squared_error,
    )
    _, middle, _ = curve.spread()
    assert widths[int(np.argmax(middle))] == 100
    first, last = middle[:4].min(), middle[-1]
    assert middle[5] > 20 * first  # the peak
    assert last < 0.85 * first  # beyond it, lower than the best before it
    fitted = np.array(widths) >= 100
    assert curve.train[fitted].max() < 1e-9  # from here on everything is fitted, noise too
    assert curve.train[~fitted].min() > 1e-4


def test_a_penalty_takes_the_peak_away() -> None:
    images, labels = digits("train", flat=True)
    data, held = (images[:7500].astype(float), labels[:7500]), (images[7500:].astype(float), labels[7500:])

    def peak(**settings: Any) -> float:
        curve = capacity_curve(
            lambda width: RandomFeatures(width, classes=10, **settings),
            data,
            capacities=[100],
            validation=held,
            size=100,
            seeds=range(5),
            label_noise=0.2,
            error=squared_error,
        )
        return float(np.median(curve.validation))

    bare = peak()
    assert peak(penalty=0.5) < bare / 20
    assert peak(dropout=0.3) < bare / 20
    assert peak(steps=100) < bare / 20


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: learning_curve(RandomFeatures(2), d, sizes=[], validation=d), "at least one of sizes"),
        (lambda d: learning_curve(RandomFeatures(2), d, sizes=[5], validation=d), "sizes from 1 to 4"),
        (
            lambda d: capacity_curve(RandomFeatures, d, capacities=[], validation=d),
            "at least one of capacities",
        ),
        (
            lambda d: capacity_curve(RandomFeatures, d, capacities=[1], size=9, validation=d),
            "size from 1 to 4",
        ),
        (
            lambda d: capacity_curve(RandomFeatures, d, capacities=[1], seeds=[], validation=d),
            "at least one of seeds",
        ),
        (
            lambda d: learning_curve(RandomFeatures(2), (d[0], d[1][:2]), sizes=[3], validation=d),
            "same number of rows; received 4, 2",
        ),
    ],
)
def test_curves_refuse(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call((np.zeros((4, 1)), np.zeros(4)))


def test_errors_are_what_they_say() -> None:
    assert error_rate([[0.0, 1.0], [1.0, 0.0]], [1, 1]) == 0.5
    assert error_rate([[0.0, 1.0]], [1]) == pytest.approx(1 - accuracy([[0.0, 1.0]], [1]))
    with pytest.raises(ValueError, match="labels from 0 to 1; received -1 to -1"):
        squared_error([[1.0, 0.0]], [-1])
    assert squared_error([[2.0], [0.0]], [[0.0], [0.0]]) == 2.0
    assert squared_error([[2.0], [0.0]], [1, 2]) == 2.5  # one output: numbers, not classes


def test_curves_take_lists() -> None:
    data = ([[0.0], [0.5], [1.0]], [0.0, 0.5, 1.0])
    curve = learning_curve(
        RandomFeatures(9), data, sizes=[1, 3], validation=data, seeds=[0], error=squared_error
    )
    assert curve.validation[1, 0] < 1e-9 < curve.validation[0, 0]


# --------------------------------------------------------------------------------------------- bias and variance


@on_every_backend
def test_the_parts_add_up_to_the_error_exactly(backend: Backend) -> None:
    predictions, truth = normals((7, 5, 2), (5, 2))
    found = decompose(backend.array(predictions), backend.array(truth), noise=0.25)
    held = to_numpy(backend.array(predictions)).astype(float), to_numpy(backend.array(truth)).astype(float)
    wanted = np.mean((held[0] - held[1]) ** 2, axis=0)  # the error about the truth
    np.testing.assert_allclose(found.bias2 + found.variance, wanted, rtol=1e-12)
    np.testing.assert_allclose(found.error - found.noise, wanted, rtol=1e-12)


def sine(rng: np.random.Generator) -> tuple[Any, Any]:
    x = np.linspace(-1, 1, 20)[:, None]
    return x, np.sin(3 * x) + 0.3 * rng.normal(size=x.shape)


def parts(penalty: float) -> Any:
    x = np.linspace(-1, 1, 31)[:, None]
    return bias_variance(
        RandomFeatures(30, penalty=penalty), sine, x, np.sin(3 * x), seeds=range(40), noise=0.09
    )


def test_a_stiff_learner_is_bias_and_a_supple_one_is_variance() -> None:
    stiff, supple = parts(10.0), parts(1e-5)
    assert stiff.bias2.mean() > 10 * supple.bias2.mean()
    assert supple.variance.mean() > 3 * stiff.variance.mean()
    assert supple.predictions.shape == (40, 31, 1)
    assert "bias²" in repr(supple)


def test_the_error_is_that_of_new_readings() -> None:
    """The expected error, against noise that is really drawn."""
    found = parts(0.1)
    truth = np.sin(3 * np.linspace(-1, 1, 31)[:, None])
    readings = truth + 0.3 * np.random.default_rng(9).normal(size=(4000, 1, 31, 1))
    measured = np.mean((found.predictions[None] - readings) ** 2)
    assert measured == pytest.approx(found.error.mean(), rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.zeros((1, 3)), np.zeros(3)), "at least 2 members"),
        ((np.zeros((2, 3)), np.zeros(4)), "truth's shape"),
        ((np.zeros((2, 3)), np.zeros(3), -1.0), "noise"),
    ],
)
def test_decompose_refuses(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decompose(*arguments[:2], noise=arguments[2] if len(arguments) > 2 else 0.0)


# --------------------------------------------------------------------------------------------------- augmentation


@on_every_backend
@pytest.mark.parametrize("shape", [(6, 9, 7), (4, 3, 8, 8)])
def test_augment_keeps_shape_device_and_seed(shape: tuple[int, ...], backend: Backend) -> None:
    (images,) = normals(shape)
    how = {"shift": 1.5, "rotation": 20.0, "noise": 0.1}
    first = augment(backend.array(images), rng=np.random.default_rng(3), **how)
    assert_on(backend, first)
    assert first.shape == shape
    twin = augment(
        asarray(to_numpy(backend.array(images)), dtype=backend.dtype), rng=np.random.default_rng(3), **how
    )
    close(first, twin, 20 * TOLERANCE[backend.dtype])
    assert np.abs(to_numpy(first) - images).max() > 0.1


def test_no_pictures_stay_no_pictures() -> None:
    none = augment(np.zeros((0, 2, 5, 6)), rng=np.random.default_rng(0), noise=0.1)
    assert none.shape == (0, 2, 5, 6)


def test_turning_and_shifting_is_scipys() -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    (images,) = normals((4, 11, 8))
    angles, down, right = (
        np.array([0.3, -0.2, 0.0, 3.0]),
        np.array([1.2, 0, -2.0, 0.5]),
        np.array([0.0, -1.7, 3, 0.5]),
    )
    found = moved_by(images, *(a.reshape(4, 1, 1) for a in (angles, down, right)))
    for image, angle, move, ours in zip(images, angles, zip(down, right, strict=True), found, strict=True):
        cos, sin = np.cos(angle), np.sin(angle)
        back = np.array([[cos, sin], [-sin, cos]])
        middle = (np.array(image.shape) - 1) / 2
        wanted = ndimage.affine_transform(
            image, back, middle - back @ (middle + move), order=1, mode="grid-constant", cval=0
        )
        np.testing.assert_allclose(ours, wanted, atol=1e-12)


@needs_torch
def test_turning_and_shifting_is_torchs() -> None:
    import torch

    (images,) = normals((2, 3, 9, 9))
    angle, down, right = 0.4, 1.3, -0.6
    cos, sin = np.cos(angle), np.sin(angle)
    half = 4.0  # pixels from the middle to the outermost pixel's, torch's 1
    # torch's coordinates are (right, down) from the middle, in halves of the width.
    theta = torch.tensor(
        [[cos, -sin, (-cos * right + sin * down) / half], [sin, cos, (-sin * right - cos * down) / half]]
    )
    grid = torch.nn.functional.affine_grid(theta[None].repeat(2, 1, 1), [2, 3, 9, 9], align_corners=True)
    wanted = torch.nn.functional.grid_sample(torch.tensor(images), grid.double(), align_corners=True)
    found = moved_by(images, *(np.full((2, 1, 1), a) for a in (angle, down, right)))
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-6)


def test_a_whole_shift_moves_pixels_and_a_turn_is_counterclockwise() -> None:
    image = np.zeros((1, 5, 5))
    image[0, 2, 4] = 1  # at the right
    none = np.zeros((1, 1, 1))
    assert moved_by(image, none, none + 2, none - 1)[0, 4, 3] == 1
    turned = moved_by(image, none + np.pi / 2, none, none)
    np.testing.assert_allclose(turned[0, 0, 2], 1, atol=1e-12)  # at the top


@pytest.mark.parametrize(
    ("images", "how", "kind", "words"),
    [
        (np.zeros((2, 4, 4), np.int64), {}, TypeError, "Divide bytes by 255"),
        (np.zeros((2, 784)), {}, ValueError, "reshape"),
        (np.zeros((2, 4, 4)), {"shift": -1}, ValueError, "shift"),
        (np.zeros((2, 4, 4)), {"noise": np.inf}, ValueError, "noise"),
    ],
)
def test_augment_refuses(images: Any, how: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        augment(images, rng=np.random.default_rng(0), **how)
