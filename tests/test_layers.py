"""Layers against torch and central differences, ensembles against their members alone, and Module's promises."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from dlcore import layers, loss, optim
from dlcore.activations import relu, tanh
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, check_gradients
from dlcore.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Module,
    Sequential,
    ensemble,
    init,
    mlp,
)
from tests.helpers import (
    TOLERANCE,
    Backend,
    agree,
    assert_on,
    close,
    needs_torch,
    normals,
    on_every_backend,
    on_every_device,
    torch,
)


def make_rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def settings(backend: Backend) -> dict[str, str]:
    return {"device": backend.device, "dtype": backend.dtype}


def with_parameters(layer: Module, *names: str) -> Callable[..., Tensor]:
    """Return the layer as a function of its input and of the parameters named."""

    def f(x: Tensor, *parameters: Tensor) -> Tensor:
        for name, p in zip(names, parameters, strict=True):
            setattr(layer, name, p)
        return layer(x)

    return f


# ---------------------------------------------------------------------------------------------- oracle

DENSE = {
    "batch": normals((4, 3), (3, 2), (2,)),
    "one example": normals((1, 3), (3, 2), (2,)),
    "one unit": normals((4, 3), (3, 1), (1,)),
    "sequence": normals((5, 4, 3), (3, 2), (2,)),
    "deep": normals((2, 5, 4, 3), (3, 2), (2,)),
    "empty batch": normals((0, 3), (3, 2), (2,)),
}


@needs_torch
@on_every_backend
@pytest.mark.parametrize("case", DENSE)
def test_dense_agrees_with_torch(case: str, backend: Backend) -> None:
    x, w, b = DENSE[case]
    layer = Dense(*w.shape, rng=make_rng(), **settings(backend))
    agree(with_parameters(layer, "weight", "bias"), lambda x, w, b: x @ w + b, x, w, b, backend=backend)
    plain = Dense(*w.shape, rng=make_rng(), bias=False, **settings(backend))
    agree(with_parameters(plain, "weight"), lambda x, w: x @ w, x, w, backend=backend)


@needs_torch
@on_every_backend
@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (1, 5), (0, 5)], ids=str)
def test_layer_norm_agrees_with_torch(shape: tuple[int, ...], backend: Backend) -> None:
    for epsilon in (1e-5, 0.1):
        layer = LayerNorm(5, epsilon=epsilon, **settings(backend))
        agree(
            with_parameters(layer, "weight", "bias"),
            lambda x, w, b, epsilon=epsilon: torch.nn.functional.layer_norm(x, (5,), w, b, epsilon),
            *normals(shape, (5,), (5,)),
            backend=backend,
        )


@needs_torch
@on_every_backend
@pytest.mark.parametrize("shape", [(6, 3), (2, 3), (4, 3, 2, 5), (1, 3, 2, 2)], ids=str)
def test_batch_norm_agrees_with_torch_in_training(shape: tuple[int, ...], backend: Backend) -> None:
    for epsilon in (1e-5, 0.1):
        layer = BatchNorm(3, epsilon=epsilon, **settings(backend))
        agree(
            with_parameters(layer, "weight", "bias"),
            lambda x, w, b, epsilon=epsilon: torch.nn.functional.batch_norm(
                x, None, None, w, b, training=True, eps=epsilon
            ),
            *normals(shape, (3,), (3,)),
            backend=backend,
            tolerance=20 * TOLERANCE[backend.dtype],  # two examples cancel: x - mean(x)
        )


@needs_torch
@on_every_backend
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 5)], ids=str)
@pytest.mark.parametrize("momentum", [0.1, 0.5])
def test_batch_norm_remembers_and_evaluates_as_torch(
    shape: tuple[int, ...], momentum: float, backend: Backend
) -> None:
    ours = BatchNorm(3, momentum=momentum, **settings(backend))
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    theirs = kind(3, momentum=momentum).double()
    for seed in range(5):
        x = backend.array(normals(shape, seed=seed)[0] * 2 + 3)
        ours(x)
        theirs(torch.tensor(to_numpy(x).astype(np.float64)))
    close(ours.running_mean.data, theirs.running_mean, TOLERANCE[backend.dtype])
    close(ours.running_variance.data, theirs.running_var, TOLERANCE[backend.dtype])
    assert_on(backend, ours.running_mean.data)
    ours.eval()
    theirs.eval()
    agree(
        with_parameters(ours, "weight", "bias"),
        lambda x, w, b: torch.nn.functional.batch_norm(x, theirs.running_mean, theirs.running_var, w, b),
        *normals(shape, (3,), (3,)),
        backend=backend,
        tolerance=5 * TOLERANCE[backend.dtype],
    )
    before = ours.state()
    ours(backend.array(normals(shape)[0]))
    np.testing.assert_array_equal(ours.state()["running_mean"], before["running_mean"])


@needs_torch
@on_every_backend
@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 2), ()], ids=str)
def test_embedding_agrees_with_torch(shape: tuple[int, ...], backend: Backend) -> None:
    numbers = backend.array(make_rng().integers(0, 6, shape))
    layer = Embedding(6, 4, rng=make_rng(), **settings(backend))

    def ours(table: Tensor) -> Tensor:
        layer.weight = table
        return layer(numbers)

    places = torch.tensor(to_numpy(numbers))
    agree(ours, lambda t: torch.nn.functional.embedding(places, t), normals((6, 4))[0], backend=backend)


@needs_torch
@on_every_backend
def test_flatten_agrees_with_torch(backend: Backend) -> None:
    agree(Flatten(), lambda x: x.flatten(1), normals((4, 3, 2, 2))[0], backend=backend)
    agree(Flatten(), lambda x: x.flatten(1), np.zeros((0, 3, 2)), backend=backend)


@needs_torch
@on_every_backend
def test_a_whole_network_agrees_with_torch(backend: Backend) -> None:
    w0, b0, g, s, w1, b1 = normals((6, 5), (5,), (5,), (5,), (5, 2), (2,))
    dense, norm, last = (
        Dense(6, 5, rng=make_rng(), **settings(backend)),
        LayerNorm(5, **settings(backend)),
        Dense(5, 2, rng=make_rng(), **settings(backend)),
    )
    model = Sequential(Flatten(), dense, norm, tanh, last)

    def ours(x: Tensor, *p: Tensor) -> Tensor:
        dense.weight, dense.bias, norm.weight, norm.bias, last.weight, last.bias = p
        return model(x)

    def theirs(x: Any, w0: Any, b0: Any, g: Any, s: Any, w1: Any, b1: Any) -> Any:
        h = torch.nn.functional.layer_norm(x.flatten(1) @ w0 + b0, (5,), g, s)
        return torch.tanh(h) @ w1 + b1

    x = normals((4, 3, 2), seed=5)[0]
    agree(ours, theirs, x, w0, b0, g, s, w1, b1, backend=backend, tolerance=4 * TOLERANCE[backend.dtype])


# -------------------------------------------------------------------------------- central differences


@on_every_device
def test_layers_agree_with_central_differences(backend: Backend) -> None:
    def check(layer: Module, x: Any, *names: str) -> None:
        parameters = [
            asarray(p, device=backend.device)
            for p in normals(*[getattr(layer, n).shape for n in names], seed=4)
        ]
        check_gradients(with_parameters(layer, *names), backend.array(x), *parameters)

    on = settings(backend)
    (x2, x4) = normals((4, 3), (2, 3, 2, 2))
    check(Dense(3, 2, rng=make_rng(), **on), x2, "weight", "bias")
    check(Dense(3, 2, rng=make_rng(), **on), normals((2, 4, 3))[0], "weight", "bias")
    check(LayerNorm(3, **on), x2, "weight", "bias")
    check(BatchNorm(3, **on), x2, "weight", "bias")
    check(BatchNorm(3, **on), x4, "weight", "bias")
    check(BatchNorm(3, **on).eval(), x4, "weight", "bias")
    check(Sequential(Flatten(), Activation(tanh)), x4)
    table = Embedding(5, 3, rng=make_rng(), **on)
    numbers = backend.array(np.array([[0, 4], [4, 2]]))

    def look_up(weight: Tensor) -> Tensor:
        table.weight = weight
        return table(numbers)

    check_gradients(look_up, backend.array(normals((5, 3))[0]))


# ---------------------------------------------------------------------------------------------- dropout


@on_every_backend
def test_dropout_drops_scales_and_lets_gradients_through_alike(backend: Backend) -> None:
    layer = Dropout(0.25, rng=make_rng())
    x = backend.tensor(np.ones((100, 50)), requires_grad=True)
    y = layer(x)
    assert_on(backend, y.data)
    values = y.numpy()
    np.testing.assert_allclose(np.unique(values), [0.0, 1 / 0.75], rtol=1e-6)
    assert abs((values == 0).mean() - 0.25) < 0.02
    y.sum().backward()
    assert_on(backend, x.grad)
    np.testing.assert_array_equal(to_numpy(x.grad), values)  # the same mask, the same scale
    assert not np.array_equal(layer(x).numpy(), values)
    assert layer.eval()(x) is x
    assert Dropout(0.0, rng=make_rng())(x) is x


@on_every_backend
def test_every_backend_drops_the_same_elements(backend: Backend) -> None:
    x = np.ones((20, 10))
    here = Dropout(0.5, rng=make_rng(3))(backend.array(x)).numpy()
    np.testing.assert_array_equal(here, Dropout(0.5, rng=make_rng(3))(x).numpy())


# ------------------------------------------------------------------------------------------- ensembles

BUILD: dict[str, tuple[Callable[..., Module], tuple[int, ...]]] = {
    "dense": (lambda rng, on: Dense(3, 2, rng=rng, **on), (4, 3)),
    "dense without bias": (lambda rng, on: Dense(3, 2, rng=rng, bias=False, **on), (4, 3)),
    "dense on sequences": (lambda rng, on: Dense(3, 2, rng=rng, **on), (4, 5, 3)),
    "layer norm": (lambda rng, on: Sequential(Dense(3, 5, rng=rng, **on), LayerNorm(5, **on)), (4, 3)),
    "layer norm on sequences": (lambda rng, on: Sequential(Dense(3, 5, rng=rng, **on), LayerNorm(5, **on)), (4, 2, 3)),
    "batch norm": (lambda rng, on: Sequential(Dense(3, 5, rng=rng, **on), BatchNorm(5, **on)), (4, 3)),
    "batch norm of images": (lambda _, on: BatchNorm(3, **on), (4, 3, 2, 2)),
    "flatten": (lambda rng, on: Sequential(Flatten(), Dense(6, 2, rng=rng, **on)), (4, 3, 2)),
    "dropout": (lambda rng, on: Sequential(Dense(3, 2, rng=rng, **on), Dropout(0.5, rng=rng)), (4, 3)),
    "mlp": (lambda rng, on: Sequential(Dense(3, 5, rng=rng, **on), tanh, Dense(5, 2, rng=rng, **on)), (4, 3)),
}  # fmt: skip


@on_every_backend
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("name", BUILD)
def test_an_ensemble_computes_what_its_members_compute_alone(
    name: str, members: int, backend: Backend
) -> None:
    build, shape = BUILD[name]
    models = [build(make_rng(i), settings(backend)) for i in range(members)]
    for i, model in enumerate(models):
        for p in model.parameters():  # no two members alike, biases and scales neither
            p.data = p.data + backend.array(make_rng(10 + i).standard_normal(p.shape))
    together = ensemble(models)
    x = backend.tensor(normals((members, *shape), seed=9)[0], requires_grad=True)
    y = together(x)
    assert_on(backend, y.data)
    g = backend.array(normals(y.shape, seed=11)[0])
    y.backward(g)
    tolerance = 5e-5 if backend.dtype == "float32" else 1e-11
    for i, model in enumerate(models):
        alone = Tensor(x.data[i, ...], requires_grad=True)
        z = model(alone)
        z.backward(g[i, ...])
        close(y.data[i, ...], to_numpy(z.data), tolerance, "output")
        close(x.grad[i, ...], to_numpy(alone.grad), tolerance, "gradient of the input")  # type: ignore[index]
        among = max(float(np.max(np.abs(to_numpy(q.grad)))) for q in model.parameters())
        for (label, p), (_, q) in zip(together.named_parameters(), model.named_parameters(), strict=True):
            assert_on(backend, p.grad)
            # A bias before batch normalization has no effect: its gradient is what rounding leaves of the others.
            idle = (name, label) == ("batch norm", "layers.0.bias")
            close(p.grad[i, ...], to_numpy(q.grad), tolerance, label, among if idle else 0.0)  # type: ignore[index]
        for (label, b), (_, c) in zip(together.named_tensors(), model.named_tensors(), strict=True):
            close(b.data[i, ...], to_numpy(c.data), tolerance, label)  # running averages, too
    together.eval()
    for i, model in enumerate(models):
        model.eval()
        close(
            together(x.detach()).data[i, ...], to_numpy(model(x.data[i, ...]).data), tolerance, "evaluation"
        )


@on_every_backend
@pytest.mark.parametrize("members", [1, 3])
def test_an_ensemble_of_embeddings(members: int, backend: Backend) -> None:
    models = [Embedding(5, 2, rng=make_rng(i), **settings(backend)) for i in range(members)]
    together = ensemble(models)
    numbers = backend.array(make_rng(7).integers(0, 5, (members, 4, 3)))
    y = together(numbers)
    g = backend.array(normals(y.shape)[0])
    y.backward(g)
    for i, model in enumerate(models):
        z = model(numbers[i, ...])
        z.backward(g[i, ...])
        close(y.data[i, ...], to_numpy(z.data), 0)
        close(together.weight.grad[i, ...], to_numpy(model.weight.grad), 1e-6)  # type: ignore[attr-defined]


@pytest.mark.parametrize("members", [1, 2])
def test_an_ensemble_of_models_that_use_a_layer_twice(members: int) -> None:
    models = []
    for i in range(members):
        tied = Dense(2, 2, rng=make_rng(i))
        models.append(Sequential(tied, tanh, tied))
    x = np.ones((members, 3, 2), np.float32)
    for y, model, row in zip(ensemble(models)(x), models, x, strict=True):
        close(y.data, model(row).numpy(), 1e-6)
    apart = Sequential(Dense(2, 2, rng=make_rng()), tanh, Dense(2, 2, rng=make_rng()))
    with pytest.raises(ValueError, match="models of one architecture"):
        ensemble([models[0], apart])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda i: Dropout([0.0, 0.9][i], rng=make_rng(i)), r"rate is 0.0 in model 0 and 0.9 in model 1.*apart"),
        (lambda i: Sequential(Flatten(), [relu, tanh][i]), r"layers.1.function is relu in model 0 and tanh in"),
        (lambda i: Sequential(LayerNorm(2, epsilon=[1e-5, 1e-3][i])), r"layers.0.epsilon is 1e-05 .* and 0.001"),
        (lambda i: Sequential([Flatten(), Activation(relu)][i]), r"layers.0.class is Flatten"),
        (lambda i: Activation(lambda x: x * i), r"function is <lambda> in model 0"),
        (lambda i: Activation(partial(init.uniform, low=i)), r"function is functools.partial"),
        (lambda i: [Dropout(0.5, rng=make_rng()).eval, Dropout(0.5, rng=make_rng()).train][i](), r"training is False"),
    ],
)  # fmt: skip
def test_models_of_other_settings_make_no_ensemble(build: Callable[[int], Module], message: str) -> None:
    with pytest.raises(ValueError, match=f"ensemble: expected models .*{message}"):
        ensemble([build(0), build(1)])
    ensemble([build(0), build(0)])  # functions that were made twice mean the same


@on_every_backend
@pytest.mark.parametrize("members", [None, 2])
def test_narrow_integers_reach_only_their_own_rows(members: int | None, backend: Backend) -> None:
    """Row 259 is not row 3, though uint8 cannot tell them apart."""
    model: Any = Embedding(300, 1, rng=make_rng(), **settings(backend))
    model, shape = (model, (1,)) if members is None else (ensemble([model] * members), (members, 1))
    model(Tensor(asarray(np.full(shape, 3, np.uint8), device=backend.device))).sum().backward()
    rows = to_numpy(model.weight.grad).reshape(-1, 300)
    assert [np.flatnonzero(row).tolist() for row in rows] == [[3]] * len(rows)


def test_the_members_stay_as_they_were() -> None:
    models = [Sequential(Dense(2, 2, rng=make_rng(i)), Dropout(0.5, rng=make_rng(i))) for i in range(2)]
    before = [m.state() for m in models]
    together = ensemble(models)
    for p in together.parameters():
        p.data[...] = 0
    together(np.ones((2, 3, 2), np.float32))
    for model, state in zip(models, before, strict=True):
        assert model.members is None
        for name, x in model.state().items():
            np.testing.assert_array_equal(x, state[name])


# ------------------------------------------------------------------------------------- Module's promises


class Residual(Module):
    """A module of one's own: fields of all kinds."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.inner = Sequential(Dense(3, 3, rng=rng), tanh)
        self.branches = [Dense(3, 3, rng=rng, bias=False), BatchNorm(3)]
        self.scale = Tensor(np.ones(3, np.float32), requires_grad=True)
        self.count = Tensor(np.zeros(1, np.float32))
        self.label = "residual"

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.branches[1](self.branches[0](self.inner(x)))


def test_names_tell_where_a_tensor_is() -> None:
    model = Residual(make_rng())
    assert [name for name, _ in model.named_parameters()] == [
        "scale", "inner.layers.0.weight", "inner.layers.0.bias", "branches.0.weight", "branches.1.weight",
        "branches.1.bias",
    ]  # fmt: skip
    names = [name for name, _ in model.named_tensors()]
    assert {"count", "branches.1.running_mean", "branches.1.running_variance"} <= set(names)
    assert all(p is q for p, (_, q) in zip(model.parameters(), model.named_parameters(), strict=True))
    assert [type(m).__name__ for m in model.modules()] == [
        "Residual",
        "Sequential",
        "Dense",
        "Activation",
        "Dense",
        "BatchNorm",
    ]


def test_a_result_that_a_field_keeps_is_no_parameter() -> None:
    model = Residual(make_rng())
    before = list(model.state()), model.parameters()
    model.hidden = model(np.ones((4, 3), np.float32))  # type: ignore[attr-defined]
    assert (list(model.state()), model.parameters()) == before


def test_modules_are_found_in_lists_and_dicts_of_lists() -> None:
    model = Module()
    model.heads = {
        "a": [Dense(1, 1, rng=make_rng())],
        1: (Flatten(), [Dense(1, 1, rng=make_rng(), bias=False)]),
    }  # type: ignore[attr-defined]
    assert list(model.state()) == ["heads.a.0.weight", "heads.a.0.bias", "heads.1.1.0.weight"]


def test_a_layer_used_twice_is_trained_once() -> None:
    tied = Dense(3, 3, rng=make_rng(), dtype="float64")
    model = Sequential(tied, tanh, tied)
    assert len(model.parameters()) == 2
    x, y = normals((4, 3), (4, 3))
    loss.mse(model(x), y).backward()
    wanted = tied.weight.numpy() - 0.1 * to_numpy(tied.weight.grad)
    optim.SGD(model.parameters(), learning_rate=0.1).step()
    np.testing.assert_allclose(tied.weight.data, wanted)


def test_train_and_eval_reach_every_layer() -> None:
    model = Residual(make_rng())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert model.train() is model
    assert all(m.training for m in model.modules())


@on_every_backend
def test_a_state_goes_into_a_model_on_any_backend(backend: Backend) -> None:
    source = Sequential(Dense(3, 4, rng=make_rng(1), dtype="float64"), BatchNorm(4, dtype="float64"))
    source(normals((5, 3))[0])
    state = source.state()
    target = Sequential(Dense(3, 4, rng=make_rng(2), **settings(backend)), BatchNorm(4, **settings(backend)))
    memory = [t.data for _, t in target.named_tensors()]
    target.load_state(state)
    for (name, t), data in zip(target.named_tensors(), memory, strict=True):
        assert t.data is data  # in place: an optimizer's views stay views
        assert_on(backend, t.data)
        np.testing.assert_array_equal(t.numpy(), state[name].astype(backend.dtype))
    state["layers.0.weight"][...] = 7
    assert not (target.state()["layers.0.weight"] == 7).any()  # a copy


def test_a_wrong_state_changes_nothing() -> None:
    model = Sequential(Dense(2, 3, rng=make_rng()), Dense(3, 1, rng=make_rng()))
    before = model.state()
    other = Sequential(Dense(2, 3, rng=make_rng(5)), Dense(3, 2, rng=make_rng(5))).state()
    with pytest.raises(
        ValueError, match=r"load_state: expected layers.1.weight of shape \(3, 1\); received \(3, 2\)"
    ):
        model.load_state(other)
    with pytest.raises(ValueError, match=r"missing: \['layers.1.bias'.*unknown: \['x'\].*Build the model"):
        model.load_state({"x": 0, **{k: v for k, v in before.items() if "1" not in k}})
    for name, x in model.state().items():
        np.testing.assert_array_equal(x, before[name])


@on_every_backend
def test_a_model_moves(backend: Backend) -> None:
    model = Sequential(Dense(3, 2, rng=make_rng()), BatchNorm(2))
    model(normals((4, 3))[0].astype(np.float32)).sum().backward()
    assert model.to(**settings(backend)) is model
    for _, t in model.named_tensors():
        assert_on(backend, t.data)
        assert t.grad is None
    assert_on(backend, model(backend.array(normals((4, 3))[0])).data)


@on_every_backend
def test_a_summary_is_a_table(backend: Backend) -> None:
    on = settings(backend)
    model = Sequential(
        Flatten(),
        Dense(784, 128, rng=make_rng(), **on),
        BatchNorm(128, **on),
        relu,
        Dense(128, 10, rng=make_rng(), **on),
    )
    lines = model.summary((2, 28, 28)).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters"]
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "0 Flatten() (2, 784) 0",
        "1 Dense(784, 128) (2, 128) 100,480",
        "2 BatchNorm(128) (2, 128) 256",
        "3 relu (2, 128) 0",
        "4 Dense(128, 10) (2, 10) 1,290",
        "total 102,026",
    ]
    assert "(2, 784)" not in model.summary()
    assert all(m.training for m in model.modules())
    assert to_numpy(model.layers[2].running_mean.data).any() == 0  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"Dense: expected input"):
        model.summary((2, 27, 28))
    assert all(m.training for m in model.modules())  # after an error, too
    assert "Dense(3, 2)" in Dense(3, 2, rng=make_rng()).summary()
    assert "(5, 2)" in Dense(3, 2, rng=make_rng()).summary((5, 3))


class Beside(Module):
    """Two layers side by side, one of them twice, and one that is never called."""

    def __init__(self) -> None:
        self.last, self.idle = Dense(3, 3, rng=make_rng()), Dense(3, 4, rng=make_rng())
        self.left, self.right = Dense(2, 3, rng=make_rng()), Dense(2, 3, rng=make_rng())

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.last(self.left(x) * self.right(x)))


def test_a_summary_follows_what_forward_does() -> None:
    model = Beside()
    rows = {line.split()[0]: line for line in model.summary((5, 2)).splitlines()}
    assert all("(5, 3)" in rows[name] for name in ("last", "left", "right"))
    assert "(5," not in rows["idle"]
    assert not any("forward" in vars(m) for m in model.modules())


def test_a_summary_of_a_model_that_starts_with_a_table() -> None:
    model = Sequential(Embedding(5, 4, rng=make_rng()), Flatten(), Dense(12, 2, rng=make_rng()))
    assert "(1, 3, 4)" in model.summary((1, 3))


def test_a_sequence_of_layers_can_be_looked_into() -> None:
    model = Sequential(Dense(2, 3, rng=make_rng()), relu)
    assert len(model) == 2
    assert isinstance(model[0], Dense)
    assert repr(model) == "Sequential(Dense(2, 3), relu)"
    more = Sequential(
        Dropout(0.5, rng=make_rng()), LayerNorm(2), BatchNorm(3), Embedding(4, 5, rng=make_rng())
    )
    assert repr(more) == "Sequential(Dropout(0.5), LayerNorm(2), BatchNorm(3), Embedding(4, 5))"


@on_every_backend
def test_layers_keep_precision_and_device(backend: Backend) -> None:
    on = settings(backend)
    model = Sequential(
        Dense(3, 4, rng=make_rng(), **on),
        BatchNorm(4, **on),
        tanh,
        Dropout(0.3, rng=make_rng()),
        LayerNorm(4, **on),
        Dense(4, 2, rng=make_rng(), **on),
    )
    for mode in (model.train, model.eval):
        mode()
        x = backend.tensor(normals((5, 3))[0], requires_grad=True)
        y = model(x)
        assert_on(backend, y.data)
        y.sum().backward()
        for t in (x, *model.parameters()):
            assert_on(backend, t.grad)
        for _, t in model.named_tensors():
            assert_on(backend, t.data)


# ------------------------------------------------------------------------------------- initial values


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (init.glorot, 2 / (300 + 200)), (init.he, 2 / 300), (init.lecun, 1 / 300), (init.normal, 0.01**2),
        (init.uniform, 1 / 12), (partial(init.normal, std=2.0), 4.0), (partial(init.uniform, low=-1, high=3), 16 / 12),
    ],
)  # fmt: skip
def test_initial_weights_have_their_variance(initializer: init.Initializer, variance: float) -> None:
    w = initializer(make_rng(), (300, 200), fan_in=300, fan_out=200)
    assert w.shape == (300, 200)
    assert w.dtype == np.float64
    assert abs(w.var() / variance - 1) < 0.02
    low = 1.0 if getattr(initializer, "keywords", {}).get("high") == 3 else 0.0
    assert abs(w.mean() - low) < 0.02 * np.sqrt(variance)


def test_initial_weights_keep_their_bounds() -> None:
    limit = np.sqrt(6 / 500)
    w = init.glorot(make_rng(), (300, 200), fan_in=300, fan_out=200)
    assert 0.99 * limit < np.abs(w).max() <= limit
    u = init.uniform(make_rng(), (300, 200), low=2.0, high=3.0)
    assert 2.0 <= u.min() < 2.01
    assert 2.99 < u.max() < 3.0
    # normal draws have tails
    assert np.abs(init.he(make_rng(), (300, 200), fan_in=300, fan_out=200)).max() > 3 * np.sqrt(2 / 300)


def test_constants_and_zeros() -> None:
    assert not init.zeros(make_rng(), (2, 3), fan_in=2, fan_out=3).any()
    assert (init.constant(make_rng(), (2, 3), fan_in=2, fan_out=3) == 0.1).all()
    assert (init.constant(make_rng(), (2,), value=-1, fan_in=2, fan_out=3) == -1.0).all()


def test_layers_pass_their_fans_and_generators_on() -> None:
    seen = []

    def spy(rng: np.random.Generator, shape: tuple[int, ...], **fans: int) -> Any:
        seen.append((shape, fans))
        return np.full(shape, 7.0)

    layer = Dense(3, 5, rng=make_rng(), weight_init=spy, bias_init=spy)
    fans = {"fan_in": 3, "fan_out": 5}
    assert seen == [((3, 5), fans), ((5,), fans)]
    assert (layer.weight.data == 7).all()
    assert (layer.bias.data == 7).all()  # type: ignore[union-attr]
    assert (Embedding(4, 2, rng=make_rng(), weight_init=spy).weight.data == 7).all()
    a, b = Dense(3, 5, rng=make_rng(1)), Dense(3, 5, rng=make_rng(1))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    assert not np.array_equal(a.weight.data, Dense(3, 5, rng=make_rng(2)).weight.data)
    assert not np.any(a.bias.data)  # type: ignore[union-attr]
    wide = Dense(3, 5, rng=make_rng(1), dtype="float64")
    np.testing.assert_array_equal(a.weight.data, wide.weight.data.astype(np.float32))


# ----------------------------------------------------------------------------------------------- errors

F4 = partial(np.ones, dtype=np.float32)


def ensemble_of_two() -> Module:
    return ensemble([Dense(3, 2, rng=make_rng(i)) for i in range(2)])


BAD = [
    (
        lambda: Dense(3, 2, rng=make_rng())(F4((4, 5))),
        ValueError,
        r"Dense: expected input of shape \(batch, 3\); received \(4, 5\)$",
    ),
    (
        lambda: Dense(6, 2, rng=make_rng())(F4((4, 2, 3))),
        ValueError,
        r"Dense: .*received \(4, 2, 3\). Put Flatten\(\) before",
    ),
    (lambda: Dense(3, 2, rng=make_rng())(F4(3)), ValueError, r"Dense: .*\(3,\).*batch axis: x\[None, :\]"),
    (
        lambda: ensemble_of_two()(F4((4, 3))),
        ValueError,
        r"Dense: expected input of shape \(2, batch, 3\); received \(4, 3\)",
    ),
    (lambda: ensemble_of_two()(F4((3, 4, 3))), ValueError, r"(?i)(Dense|affine): .*\(3, 4, 3\)"),
    (
        lambda: Dense(3, 2, rng=make_rng())(asarray(F4((4, 3)), device="strict")),
        TypeError,
        r"affine: expected arrays of one library",
    ),
    (
        lambda: Dense(0, 2, rng=make_rng()),
        ValueError,
        r"Dense: expected in_features to be a whole number of at least 1; received 0",
    ),
    (
        lambda: Dense(3, 2.0, rng=make_rng()),
        ValueError,
        r"Dense: expected out_features to be a whole number of at least 1; received 2.0",
    ),
    (lambda: Dense(True, 2, rng=make_rng()), ValueError, r"Dense: expected in_features .*received True"),
    (lambda: Dense(3, 2, rng=0), TypeError, r"rng: expected a numpy.random.Generator; received 0"),
    (
        lambda: Dense(3, 2, rng=make_rng(), dtype="int64"),
        ValueError,
        r"floating dtype, float32 or float64; received 'int64'",
    ),
    (lambda: Dense(3, 2, rng=make_rng(), device="gpu"), ValueError, r"device: expected one of"),
    (
        lambda: Sequential(Flatten),
        TypeError,
        r"Sequential: expected a layer or a function at place 0; .*with parentheses",
    ),
    (lambda: Sequential(Flatten(), 3), TypeError, r"Sequential: .*at place 1; received 3$"),
    (lambda: Flatten()(F4(4)), ValueError, r"Flatten: expected \(batch, …\).*received \(4,\)"),
    (
        lambda: Dropout(1.0, rng=make_rng()),
        ValueError,
        r"Dropout: expected rate from 0 to below 1; received 1.0",
    ),
    (lambda: Dropout(-0.1, rng=make_rng()), ValueError, r"Dropout: expected rate"),
    (lambda: Dropout(0.5, rng=None), TypeError, r"rng: expected a numpy.random.Generator"),
    (
        lambda: BatchNorm(3)(F4((4, 2))),
        ValueError,
        r"BatchNorm: expected 3 features; received 2 in shape \(4, 2\)",
    ),
    (
        lambda: BatchNorm(3)(F4((4, 3, 2))),
        ValueError,
        r"BatchNorm: expected \(batch, features\) or .*received \(4, 3, 2\)",
    ),
    (lambda: BatchNorm(3)(F4((1, 3))), ValueError, r"BatchNorm: expected at least 2 examples .*received 1"),
    (lambda: BatchNorm(3)(F4((0, 3))), ValueError, r"BatchNorm: expected at least 2 examples .*received 0"),
    (lambda: LayerNorm(3)(F4((4, 2))), ValueError, r"LayerNorm: expected 3 features; received 2"),
    (lambda: LayerNorm(-1), ValueError, r"LayerNorm: expected num_features"),
    (
        lambda: Embedding(4, 2, rng=make_rng())([0, 4]),
        ValueError,
        r"Embedding: expected integers from 0 to 3; received 0 to 4",
    ),
    (
        lambda: Embedding(4, 2, rng=make_rng())([-1, 0]),
        ValueError,
        r"Embedding: expected integers from 0 to 3; received -1 to 0",
    ),
    (
        lambda: Embedding(4, 2, rng=make_rng())([0.0, 1.0]),
        TypeError,
        r"Embedding: expected integers; received float32.*int64",
    ),
    (
        lambda: Embedding(4, 2, rng=make_rng())(np.zeros((0,), np.int64)),
        ValueError,
        r"Embedding: expected at least one",
    ),
    (lambda: ensemble([]), ValueError, r"ensemble: expected at least one model"),
    (
        lambda: ensemble([Dense(2, 3, rng=make_rng()), Dense(3, 2, rng=make_rng())]),
        ValueError,
        r"ensemble: expected models of one architecture",
    ),
    (lambda: Module()(1.0), NotImplementedError, r"Module does not implement forward\(x\)"),
]


@pytest.mark.parametrize(("mistake", "kind", "message"), BAD, ids=[m for _, _, m in BAD])
def test_a_mistake_is_explained(mistake: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        mistake()


def test_all_names_are_there() -> None:
    assert all(hasattr(layers, name) for name in layers.__all__)
    assert all(hasattr(init, name) for name in init.__all__)


def test_mlp_is_the_stack_of_layers_that_one_would_write() -> None:
    rng = make_rng(3)
    by_hand = Sequential(
        Dense(4, 5, rng=rng, weight_init=init.he), tanh, Dense(5, 2, rng=rng, weight_init=init.he)
    )
    made = mlp(4, 5, 2, rng=make_rng(3), activation=tanh)
    assert repr(made) == repr(by_hand)
    for name, value in by_hand.state().items():
        np.testing.assert_array_equal(made.state()[name], value)
    assert repr(mlp(4, 2, rng=rng)) == "Sequential(Dense(4, 2))"
    with pytest.raises(ValueError, match="inputs and outputs; received"):
        mlp(4, rng=rng)
