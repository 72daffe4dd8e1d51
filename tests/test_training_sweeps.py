"""Sweeps: each member is what it would be alone, for every layer, optimizer and setting."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlcore import activations, loss, optim
from dlcore.arrays import device_of, dtype_name, namespace, to_numpy
from dlcore.convolution import AvgPool2d, Conv2d, GlobalAvgPool, MaxPool2d
from dlcore.layers import BatchNorm, Dense, Dropout, Embedding, Flatten, LayerNorm, Module, Sequential
from dlcore.training import History, State, accuracy, fit, noisy_labels, sweep
from dlcore.training.state import DATA, LABEL_NOISE, generator
from tests.helpers import Backend, close, on_every_backend, on_every_device
from tests.test_training import QUIET, SGD, X, Y, mlp, on, points, same_state, small


def images(backend: Backend, n: int = 20) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return on(backend, (rng.standard_normal((n, 1, 8, 8)), rng.integers(0, 3, n)))


def sentences(backend: Backend, n: int = 20) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return on(backend, (rng.integers(0, 7, (n, 4)), rng.integers(0, 3, n)))


def vectors(backend: Backend, n: int = 20) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return on(backend, (rng.standard_normal((n, 5)), rng.integers(0, 3, n)))


Layers = Callable[[np.random.Generator, dict[str, Any]], list[Any]]
NETWORKS: dict[str, tuple[Callable[..., Any], Layers]] = {
    "dense": (vectors, lambda r, w: [Dense(5, 4, rng=r, **w), activations.tanh, Dense(4, 3, rng=r, **w)]),
    "no bias": (vectors, lambda r, w: [Dense(5, 3, rng=r, bias=False, **w)]),
    "dropout": (vectors, lambda r, w: [
        Dropout(0.2, rng=r), Dense(5, 8, rng=r, **w), activations.relu, Dropout(0.5, rng=r), Dense(8, 3, rng=r, **w)]),
    "layer norm": (vectors, lambda r, w: [
        LayerNorm(5, **w), Dense(5, 4, rng=r, **w), LayerNorm(4, **w), activations.relu, Dense(4, 3, rng=r, **w)]),
    "batch norm": (vectors, lambda r, w: [
        Dense(5, 4, rng=r, **w), BatchNorm(4, **w), activations.tanh, Dense(4, 3, rng=r, **w)]),
    "embedding": (sentences, lambda r, w: [
        Embedding(7, 3, rng=r, **w), Dense(3, 4, rng=r, **w), activations.gelu, Flatten(), Dense(16, 3, rng=r, **w)]),
    "convolution": (images, lambda r, w: [
        Conv2d(1, 3, 3, rng=r, **w), activations.relu, MaxPool2d(2), Flatten(), Dense(27, 3, rng=r, **w)]),
    "images": (images, lambda r, w: [
        Conv2d(1, 4, 3, rng=r, padding=1, stride=1, **w), BatchNorm(4, **w), activations.relu, AvgPool2d(2),
        Dropout(0.2, rng=r), Conv2d(4, 3, 3, rng=r, stride=2, **w), GlobalAvgPool()]),
}  # fmt: skip
EQUAL = {"float32": 1e-5, "float64": 1e-10}


@on_every_backend
@pytest.mark.parametrize("name", NETWORKS)
def test_a_member_is_what_it_would_be_alone(name: str, backend: Backend) -> None:
    make, layers = NETWORKS[name]
    pair = make(backend)
    where = {"device": backend.device, "dtype": backend.dtype}

    def build(rng: np.random.Generator) -> Sequential:
        return Sequential(*layers(rng, where))

    arguments: dict[str, Any] = {
        "loss": loss.cross_entropy, "epochs": 3, "batch_size": 8, "validation": make(backend, 9),
        "metrics": accuracy, **QUIET,
    }  # fmt: skip
    found = sweep(
        build, pair, grid={"learning_rate": [0.03, 0.2]}, seeds=[0, 5], optimizer=optim.SGD, **arguments
    )
    assert found.losses.shape == (4, 9)
    for k, setting in enumerate(found.settings):
        alone = build(np.random.default_rng(setting["seed"]))
        optimizer = optim.SGD(alone.parameters(), learning_rate=setting["learning_rate"])
        history = fit(alone, pair, optimizer=optimizer, seed=setting["seed"], **arguments)
        assert_member(found, k, alone, history, EQUAL[backend.dtype])


def assert_member(found: Any, k: int, alone: Module, history: History, tolerance: float) -> None:
    """Check that member k has the losses, measurements, weights and predictions of a lone training."""
    close(found.losses[k], history.losses, tolerance, f"losses of member {k}")
    own = found.history(k)
    for name in own.epochs[0]:
        if name != "epoch":
            close(own[name], history[name], tolerance, f"{name} of member {k}")
    member = found.member(k)
    assert member.members is None
    found_state, wanted = member.state(), alone.state()
    # Relative to the largest of all: a bias in front of a BatchNorm is 0 but for rounding.
    scale = max(float(np.abs(value).max()) for value in wanted.values())
    for name, value in wanted.items():
        assert np.abs(found_state[name] - value).max() <= tolerance * scale, f"{name} of member {k}"
        assert found_state[name].dtype == value.dtype


def scaled(model: Module, factor: float) -> Module:
    model.load_state({name: a * factor if a.ndim > 1 else a for name, a in model.state().items()})
    return model


OPTIMIZERS: dict[str, tuple[Any, dict[str, list[float]]]] = {
    "sgd": (optim.SGD, {"learning_rate": [0.05, 0.2], "momentum": [0.0, 0.9], "weight_decay": [0.0, 0.1]}),
    "nesterov": (
        functools.partial(optim.SGD, nesterov=True),
        {"learning_rate": [0.1], "momentum": [0.5, 0.9]},
    ),
    "adagrad": (optim.Adagrad, {"learning_rate": [0.1, 0.2]}),
    "rmsprop": (optim.RMSProp, {"learning_rate": [0.01], "weight_decay": [0.0, 0.1]}),
    "adam": (optim.Adam, {"learning_rate": [0.001, 0.01], "weight_decay": [0.0, 0.1]}),
    "adamw": (optim.AdamW, {"learning_rate": [0.001, 0.01], "weight_decay": [0.0, 0.1]}),
}


@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_setting_of_an_optimizer_can_be_swept(name: str, capture: bool) -> None:
    optimizer, grid = OPTIMIZERS[name]
    arguments: dict[str, Any] = {
        "loss": loss.cross_entropy, "epochs": 3, "batch_size": 16, "schedule": optim.cosine(20), "clip": 0.5, **QUIET
    }  # fmt: skip

    def build(rng: np.random.Generator) -> Sequential:
        return mlp(rng, rate=0.2, dtype="float64")

    found = sweep(build, points(), grid=grid, seeds=[1, 2], optimizer=optimizer, capture=capture, **arguments)
    for k, setting in enumerate(found.settings):
        settings = {key: value for key, value in setting.items() if key != "seed"}
        if settings.get("momentum") == 0:
            settings.pop("momentum")
        alone = build(np.random.default_rng(setting["seed"]))
        own = functools.partial(optimizer, **settings)
        history = fit(alone, points(), optimizer=own, seed=setting["seed"], **arguments)
        assert_member(found, k, alone, history, 1e-10)


def test_init_scale_label_noise_and_what_build_takes_can_be_swept() -> None:
    def build(rng: np.random.Generator, slope: float = 0.1) -> Sequential:
        leaky = functools.partial(activations.leaky_relu, negative_slope=slope)
        return Sequential(
            Dense(2, 5, rng=rng, dtype="float64"),
            LayerNorm(5, dtype="float64"),
            leaky,
            Dense(5, 2, rng=rng, dtype="float64"),
        )

    x, y = points()
    arguments: dict[str, Any] = {
        "loss": loss.cross_entropy, "optimizer": SGD, "epochs": 2, "batch_size": 16, "validation": points(9, 1), **QUIET
    }  # fmt: skip
    grid = {"init_scale": [0.5, 2.0], "label_noise": [0.0, 0.2]}
    found = sweep(build, (x, y), grid=grid, seeds=[3, 4], **arguments)
    for k, setting in enumerate(found.settings):
        seed = setting["seed"]
        alone = scaled(build(np.random.default_rng(seed)), setting["init_scale"])
        labels = noisy_labels(y, setting["label_noise"], rng=generator(seed, LABEL_NOISE))
        assert (labels != y).sum() == round(50 * setting["label_noise"])
        assert_member(found, k, alone, fit(alone, (x, labels), seed=seed, **arguments), 1e-10)


def test_what_build_takes_makes_the_members_differ_where_it_can() -> None:
    def build(rng: np.random.Generator, *, bias: float) -> Sequential:
        from dlcore import init

        return Sequential(Dense(2, 2, rng=rng, bias_init=functools.partial(init.constant, value=bias)))

    still = functools.partial(optim.SGD, learning_rate=0.0)
    found = sweep(build, points(), grid={"bias": [0.0, 1.0]}, seeds=[0], loss=loss.cross_entropy, optimizer=still,
                  epochs=1, batch_size=50, **QUIET)  # fmt: skip
    assert [found.member(k).state()["layers.0.bias"].tolist() for k in range(2)] == [[0, 0], [1, 1]]


@on_every_device
def test_each_seed_may_have_data_of_its_own(backend: Backend) -> None:
    def draw(rng: np.random.Generator) -> tuple[Any, Any]:
        x = rng.standard_normal((30, 2))
        return on(backend, (x, (x[:, 0] > 0).astype(int)))

    def build(rng: np.random.Generator) -> Sequential:
        return mlp(rng, device=backend.device, dtype=backend.dtype)

    arguments: dict[str, Any] = {
        "loss": loss.cross_entropy,
        "optimizer": SGD,
        "epochs": 2,
        "batch_size": 8,
        **QUIET,
    }
    found = sweep(
        build, draw, validation=draw, seeds=[0, 7], metrics=accuracy, grid={"label_noise": [0.1]}, **arguments
    )
    for k, seed in enumerate([0, 7]):
        x, y = draw(generator(seed, DATA))
        noisy = noisy_labels(y, 0.1, rng=generator(seed, LABEL_NOISE))
        alone = build(np.random.default_rng(seed))
        history = fit(alone, (x, noisy), validation=(x, y), seed=seed, metrics=accuracy, **arguments)
        assert_member(found, k, alone, history, 1e-10)


@on_every_device
@pytest.mark.parametrize("name", ["dense", "embedding", "batch norm", "images"])
def test_a_member_that_diverges_leaves_the_others_alone(name: str, backend: Backend) -> None:
    make, layers = NETWORKS[name]
    where = {"device": backend.device, "dtype": "float32"}
    pair = make(Backend(backend.device, "float32"))

    def build(rng: np.random.Generator) -> Sequential:
        return Sequential(*layers(rng, where))

    arguments: dict[str, Any] = {
        "loss": loss.cross_entropy,
        "epochs": 6,
        "batch_size": 8,
        "clip": 100.0,
        **QUIET,
    }
    found = sweep(
        build,
        pair,
        grid={"learning_rate": [0.05, 1e38]},
        seeds=[0],
        optimizer=optim.SGD,
        metrics=accuracy,
        **arguments,
    )
    assert found.diverged.tolist() == [False, True]
    alone = build(np.random.default_rng(0))
    history = fit(alone, pair, optimizer=optim.SGD(alone.parameters(), 0.05), metrics=accuracy, **arguments)
    assert_member(found, 0, alone, history, 1e-5)
    assert "inf" in found.table()


def test_a_sweep_can_be_asked_about_its_members() -> None:
    found = sweep(mlp, points(), grid={"learning_rate": [0.01, 0.1], "width": [6]}, seeds=range(3), epochs=4,
                  loss=loss.cross_entropy, optimizer=optim.SGD, batch_size=16, metrics=accuracy, **QUIET)  # fmt: skip
    assert len(found) == 6
    assert found.settings[4] == {"learning_rate": 0.1, "width": 6, "seed": 1}
    some = found.where(learning_rate=0.1)
    assert [own["seed"] for own in some.settings] == [0, 1, 2]
    assert (some.losses == found.losses[3:]).all()
    assert (found.where(learning_rate=0.1, seed=2).losses == found.losses[5:]).all()
    assert same_state(some.member(1), found.member(4))
    assert found.epochs["accuracy"].shape == (6, 4)
    assert (found.final["accuracy"] == found.epochs["accuracy"][:, -1]).all()
    assert found.records[5] == {
        "learning_rate": 0.1, "width": 6, "seed": 2, "loss": found.epochs["loss"][5, -1],
        "accuracy": found.epochs["accuracy"][5, -1],
    }  # fmt: skip
    lines = found.table().splitlines()
    assert lines[0].split() == ["learning_rate", "width", "loss", "accuracy", "diverged", "n"]
    assert lines[2].split() == [
        "0.1",
        "6",
        f"{np.median(some.final['loss']):.4g}",
        f"{np.median(some.final['accuracy']):.4g}",
        "0",
        "3",
    ]
    assert "6 members" in repr(found)
    with pytest.raises(KeyError, match="no setting 'rate'; there are learning_rate, width, seed"):
        found.where(rate=0.1)
    with pytest.raises(ValueError, match=r"no member has .*; there are {'learning_rate': \[0.01, 0.1\]}"):
        found.where(learning_rate=0.5)


def test_a_sweep_has_callbacks_and_ends_cleanly_on_an_interrupt() -> None:
    def interrupt(state: State) -> None:
        if state.epoch == 2:
            raise KeyboardInterrupt

    found = sweep(mlp, points(), seeds=range(2), epochs=9, loss=loss.cross_entropy, optimizer=SGD, batch_size=16,
                  callbacks=[interrupt], **QUIET)  # fmt: skip
    assert found.interrupted
    assert found.losses.shape == (2, 8)
    assert "interrupted" in repr(found)


SWEEP_BAD: list[tuple[str, type[Exception], str, dict[str, Any]]] = [
    ("unknown setting", ValueError, "settings among .*momentum.* received 'speed'",
     {"grid": {"speed": [1]}, "build": lambda rng: mlp(rng)}),
    ("seed in the grid", ValueError, "received 'seed'. Pass seeds", {"grid": {"seed": [1]}}),
    ("no values", ValueError, "at least one value of learning_rate", {"grid": {"learning_rate": []}}),
    ("no seeds", ValueError, "at least one value of seed", {"seeds": []}),
    ("bad seed", ValueError, "a seed to be a whole number", {"seeds": [-1]}),
    ("an optimizer", TypeError, "makes the optimizer of all members; received SGD",
     {"optimizer": SGD(small().parameters())}),
    ("rate", TypeError, "missing a required argument: 'learning_rate'. .*partial", {"optimizer": optim.SGD}),
    ("shapes", ValueError, "models of one architecture", {"grid": {"width": [3, 4]}}),
    ("settings", ValueError, "function is relu in model 0 and tanh in model 2",
     {"grid": {"act": [activations.relu, activations.tanh]},
      "build": lambda rng, act: Sequential(Dense(2, 2, rng=rng), act)}),
    ("no module", TypeError, "expected a Module as model; received 3", {"build": lambda rng: 3}),
    ("build", TypeError, "build to be a function", {"build": 3}),
    ("a network", TypeError, "builds each member's network; received the network", {"build": small()}),
    ("label noise", ValueError, "share from 0 to 1", {"grid": {"label_noise": [2.0]}}),
    ("noise of numbers", ValueError, "Only labels can be confused",
     {"grid": {"label_noise": [0.1]}, "data": (X, X[:, 0]), "loss": loss.mse}),
    ("loss of all", ValueError, r"one number for each of 2 members, shape \(2,\); received shape \(\)",
     {"loss": lambda p, t, members: loss.cross_entropy(p, t)}),
    ("labels", ValueError, "labels from 0 to 1", {"data": (X, Y + 3)}),
    ("validation", ValueError, "inputs of validation", {"validation": (X * np.nan, Y)}),
    ("rows of a seed", ValueError, "same shapes for every seed",
     {"data": lambda rng: points(int(rng.integers(5, 99)))}),
    ("batch", ValueError, "batch_size", {"batch_size": 0}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "message", "arguments"), [b[1:] for b in SWEEP_BAD], ids=[b[0] for b in SWEEP_BAD]
)
def test_a_sweep_refuses_bad_arguments(
    kind: type[Exception], message: str, arguments: dict[str, Any]
) -> None:
    wanted: dict[str, Any] = {
        "build": mlp, "data": (X, Y), "seeds": [0, 1], "loss": loss.cross_entropy, "optimizer": SGD, "epochs": 1,
        "batch_size": 16, **QUIET, **arguments,
    }  # fmt: skip
    with pytest.raises(kind, match=message):
        sweep(wanted.pop("build"), wanted.pop("data"), **wanted)


def test_labels_out_of_range_are_found_wherever_they_are() -> None:
    """A sweep checks all rows, too, not only the first."""
    labels = Y.copy()
    labels[-1] = 2
    with pytest.raises(ValueError, match="received labels from 0 to 2"):
        sweep(mlp, (X, labels), loss=loss.cross_entropy, optimizer=SGD, epochs=1, batch_size=16, **QUIET)


@on_every_device
def test_noisy_labels_confuses_just_so_many(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    labels = backend.array(np.arange(1000) % 10)
    noisy = noisy_labels(labels, 0.3, rng=rng)
    assert device_of(noisy) == backend.device
    assert dtype_name(noisy) == "int64"
    before, after = to_numpy(labels), to_numpy(noisy)
    assert (before != after).sum() == 300
    assert set(after.tolist()) == set(range(10))
    counts = np.bincount((after - before)[before != after] % 10, minlength=10)
    assert counts[0] == 0
    assert counts[1:].min() > 15  # of 33 expected: every other class, about equally
    signs = backend.array(np.where(np.arange(20) < 5, -1.0, 1.0)[:, None])
    flipped = noisy_labels(signs, 1.0, rng=rng)
    assert (to_numpy(flipped) == -to_numpy(signs)).all()
    assert namespace(flipped) is namespace(signs)
    with pytest.raises(ValueError, match="take their argmax"):
        noisy_labels(backend.array(np.eye(3)), 0.1, rng=rng)
