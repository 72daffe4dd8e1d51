"""Captured steps against the same steps uncaptured; what capture refuses; what it leaves behind."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import backprop, loss, optim
from dlcore.activations import gelu, relu, sigmoid, softmax, tanh
from dlcore.arrays import asarray, hooks, namespace, random
from dlcore.backprop import Tensor
from dlcore.capture import Captured, CaptureError, capture
from dlcore.capture import replay as replay_module
from dlcore.capture.recorder import Recorded
from dlcore.convolution import AvgPool2d, Conv2d, GlobalAvgPool, MaxPool2d
from dlcore.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Module,
    Sequential,
    ensemble,
)
from tests.helpers import cpu_with_torch, needs_torch, normals, why_not

STEPS = 1000
BATCHES = 8
CLASSES = 3


class Problem(NamedTuple):
    """A model, batches for it, and what a step does besides."""

    build: Callable[[np.random.Generator, str], Module]
    shape: tuple[int, ...]
    optimizer: Callable[[list[Tensor]], optim.Optimizer]
    labels: bool = False
    clip: float | None = None
    schedule: optim.Schedule | None = None
    members: int | None = None
    steps: int = STEPS
    integers: bool = False


def make_rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mlp(rng: np.random.Generator, dtype: str, out: int = 1) -> Module:
    return Sequential(
        Dense(2, 8, rng=rng, dtype=dtype),
        tanh,
        Dense(8, 8, rng=rng, dtype=dtype),
        tanh,
        Dense(8, out, rng=rng, dtype=dtype),
    )


def classifier(
    *middle: Callable[[np.random.Generator, str], Any],
) -> Callable[[np.random.Generator, str], Module]:
    def build(rng: np.random.Generator, dtype: str) -> Module:
        layers = [make(rng, dtype) for make in middle]
        return Sequential(Dense(4, 6, rng=rng, dtype=dtype), *layers, Dense(6, CLASSES, rng=rng, dtype=dtype))

    return build


def cnn(rng: np.random.Generator, dtype: str) -> Module:
    return Sequential(
        Conv2d(1, 3, 3, rng=rng, dtype=dtype), relu, MaxPool2d(2), Conv2d(3, 4, 2, rng=rng, padding=1, dtype=dtype),
        tanh, AvgPool2d(2), Flatten(), Dense(16, CLASSES, rng=rng, dtype=dtype),
    )  # fmt: skip


def words(rng: np.random.Generator, dtype: str) -> Module:
    table = Embedding(7, 5, rng=rng, dtype=dtype)
    return Sequential(table, Flatten(), Dense(20, CLASSES, rng=rng, dtype=dtype))


def many(build: Callable[[np.random.Generator, str], Module]) -> Callable[[np.random.Generator, str], Module]:
    return lambda rng, dtype: ensemble([build(rng, dtype) for _ in range(4)])


def sgd(**options: Any) -> Callable[[list[Tensor]], optim.Optimizer]:
    return lambda p: optim.SGD(p, **{"learning_rate": 0.02} | options)


PROBLEMS: dict[str, Problem] = {
    "SGD": Problem(mlp, (32, 2), sgd()),
    "SGD weight decay": Problem(mlp, (32, 2), sgd(weight_decay=1e-3)),
    "momentum": Problem(mlp, (32, 2), sgd(momentum=0.9)),
    "nesterov": Problem(mlp, (32, 2), sgd(momentum=0.9, nesterov=True, weight_decay=1e-3)),
    "Adagrad": Problem(mlp, (32, 2), lambda p: optim.Adagrad(p, 0.02)),
    "RMSProp": Problem(mlp, (32, 2), lambda p: optim.RMSProp(p, 0.002)),
    "Adam": Problem(mlp, (32, 2), lambda p: optim.Adam(p, 0.002)),
    "Adam weight decay": Problem(mlp, (32, 2), lambda p: optim.Adam(p, 0.002, weight_decay=1e-2)),
    "AdamW": Problem(mlp, (32, 2), lambda p: optim.AdamW(p, 0.002)),
    "labels": Problem(classifier(lambda *_: relu), (16, 4), sgd(momentum=0.9), labels=True),
    "gelu": Problem(classifier(lambda *_: gelu), (16, 4), sgd(), labels=True),
    "clipping": Problem(mlp, (32, 2), sgd(learning_rate=0.1), clip=0.5),
    "schedule": Problem(mlp, (32, 2), sgd(), schedule=optim.warmup(100, optim.cosine(900, 0.01))),
    "dropout": Problem(
        classifier(lambda *_: tanh, lambda rng, _: Dropout(0.3, rng=rng)), (16, 4), sgd(), labels=True
    ),
    "batch norm": Problem(classifier(lambda _, t: BatchNorm(6, dtype=t), lambda *_: tanh), (16, 4), sgd(), labels=True),
    "layer norm": Problem(classifier(lambda _, t: LayerNorm(6, dtype=t), lambda *_: tanh), (16, 4), sgd(), labels=True),
    "embedding": Problem(words, (16, 4), sgd(learning_rate=0.2), labels=True, integers=True),
    "convolution": Problem(cnn, (8, 1, 9, 9), sgd(), labels=True, steps=300),
    "convolution Adam": Problem(cnn, (8, 1, 9, 9), lambda p: optim.Adam(p, 1e-3), labels=True, steps=100),
    "ensemble": Problem(many(mlp), (4, 16, 2), lambda p: optim.SGD(p, [0.01, 0.02, 0.03, 0.04], members=4), members=4),
    "ensemble of classifiers": Problem(
        many(classifier(lambda *_: tanh, lambda _, t: LayerNorm(6, dtype=t))), (4, 8, 4),
        lambda p: optim.Adam(p, [1e-3, 2e-3, 3e-3, 4e-3], members=4), labels=True, members=4,
    ),
    "everything": Problem(
        classifier(lambda _, t: BatchNorm(6, dtype=t), lambda *_: sigmoid, lambda rng, _: Dropout(0.2, rng=rng),
                   lambda _, t: LayerNorm(6, dtype=t)),
        (16, 4), lambda p: optim.AdamW(p, 1e-3), labels=True, clip=1.0, schedule=optim.one_cycle(STEPS),
    ),
}  # fmt: skip


class Run:
    """One training of a problem, captured or not, all else the same."""

    def __init__(self, problem: Problem, dtype: str, captured: bool, device: str = "numpy") -> None:
        self.problem = problem
        self.model = problem.build(make_rng(1), dtype).to(device)
        self.optimizer = problem.optimizer(self.model.parameters())
        self.rate = self.optimizer.learning_rate
        self.step: Any = capture(self.once) if captured else self.once
        shape = (BATCHES, *problem.shape)
        axes = 2 if problem.members is None else 3
        if problem.integers:
            self.inputs = make_rng(2).integers(0, 7, shape)
        else:
            self.inputs = make_rng(2).standard_normal(shape).astype(dtype)
        if problem.labels:
            self.targets = make_rng(3).integers(0, CLASSES, shape[:axes])
        else:
            self.targets = np.sin(3 * self.inputs.sum(-1, keepdims=True))
        self.inputs, self.targets = (asarray(x, device=device) for x in (self.inputs, self.targets))

    def once(self, x: Any, y: Any) -> Tensor:
        self.optimizer.zero_grad()
        cost = loss.cross_entropy if self.problem.labels else loss.mse
        error = cost(self.model(x), y, members=self.problem.members is not None)
        error.sum().backward()
        if self.problem.clip:
            optim.clip_grad_norm(self.model.parameters(), self.problem.clip)
        self.optimizer.step()
        return error

    def losses(self, steps: int, start: int = 0) -> np.ndarray[Any, Any]:
        values = []
        for i in range(start, start + steps):
            if self.problem.schedule:
                self.optimizer.learning_rate = self.rate * self.problem.schedule(i)
            error = self.step(self.inputs[i % BATCHES], self.targets[i % BATCHES])
            values.append(error.numpy().copy())
        return np.array(values)


def compare(a: Run, b: Run, tolerance: float) -> None:
    for (name, x), y in zip(a.model.state().items(), b.model.state().values(), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * np.abs(y).max(), err_msg=name)
    for (name, x), y in zip(a.optimizer.state().items(), b.optimizer.state().values(), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * np.abs(y).max(), err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_captured_steps_equal_uncaptured_ones(name: str, dtype: str) -> None:
    problem = PROBLEMS[name]
    plain, captured = Run(problem, dtype, False), Run(problem, dtype, True)
    wanted, got = plain.losses(problem.steps), captured.losses(problem.steps)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert captured.step.mode == "replay"
    assert got.dtype == wanted.dtype == dtype
    np.testing.assert_allclose(got, wanted, rtol=tolerance)
    compare(captured, plain, tolerance)
    assert not np.allclose(wanted[:BATCHES], wanted[-BATCHES:], rtol=1e-2), "something was learnt"


# Where replay makes the same calls in the same order on the same shapes, not one bit may differ.
SAME_CALLS = ["SGD", "momentum", "Adam", "labels"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SAME_CALLS)
def test_the_same_calls_give_the_same_bits(name: str, dtype: str) -> None:
    plain, captured = Run(PROBLEMS[name], dtype, False), Run(PROBLEMS[name], dtype, True)
    np.testing.assert_array_equal(captured.losses(STEPS), plain.losses(STEPS))
    for x, y in zip(captured.model.state().values(), plain.model.state().values(), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", ["everything", "Adam", "ensemble"])
def test_captured_and_uncaptured_steps_may_alternate(name: str) -> None:
    """The model stays a model: it can be trained, evaluated and changed between replays."""
    plain, captured = Run(PROBLEMS[name], "float64", False), Run(PROBLEMS[name], "float64", True)
    replayed = captured.step
    for start, step in (
        (0, replayed),
        (10, captured.once),
        (20, replayed),
        (30, captured.once),
        (35, replayed),
    ):
        captured.step = step
        np.testing.assert_allclose(captured.losses(10, start), plain.losses(10, start), rtol=1e-12)
        for run in (plain, captured):
            run.model.eval()
        x = plain.inputs[0]
        np.testing.assert_allclose(captured.model(x).numpy(), plain.model(x).numpy(), rtol=1e-12)
        for run in (plain, captured):
            run.model.train()
    compare(captured, plain, 1e-12)


def test_large_batches_are_read_where_they_are() -> None:
    """From 32 kB on an argument is not copied; its memory may lie in any order, and change afterwards."""
    plain, captured = (
        Run(
            Problem(lambda r, t: Dense(64, 1, rng=r, dtype=t), (256, 64), sgd(learning_rate=0.01)),
            "float64",
            c,
        )
        for c in (False, True)
    )
    rng = make_rng(5)
    for i in range(12):
        x = rng.standard_normal((256, 64))
        x = np.asfortranarray(x) if i % 3 == 1 else x
        y = rng.standard_normal((256, 1))
        wanted, given = plain.step(x, y).item(), x.copy(order="K")
        got = captured.step(given, y).item()
        given[...] = np.nan  # nobody may come back to it
        assert got == pytest.approx(wanted, rel=1e-12), i
    compare(captured, plain, 1e-12)


# --------------------------------------------------------------------------------------- what is left


def trained(name: str = "SGD", dtype: str = "float64", steps: int = 5) -> tuple[Run, Run]:
    """Return the same run uncaptured and captured, after some steps."""
    plain, captured = Run(PROBLEMS[name], dtype, False), Run(PROBLEMS[name], dtype, True)
    plain.losses(steps)
    captured.losses(steps)
    return plain, captured


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
@pytest.mark.parametrize("name", ["SGD", "Adam", "clipping", "convolution"])
def test_gradients_can_be_read_after_any_call(name: str, steps: int) -> None:
    plain, captured = trained(name, steps=steps)
    for p, q in zip(captured.model.parameters(), plain.model.parameters(), strict=True):
        assert type(p.grad) is type(p.data) is np.ndarray
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-11, atol=1e-14)


def test_nothing_recorded_is_left_behind() -> None:
    _, captured = trained("everything", steps=1)
    for t in [t for _, t in captured.model.named_tensors()] + list(captured.optimizer._tensors().values()):
        assert type(t.data) is np.ndarray
        assert not isinstance(t.grad, Recorded)
    assert hooks.capturing is None
    assert (
        type(Tensor.__dict__["data"]).__name__
        == type(Tensor.__dict__["grad"]).__name__
        == "member_descriptor"
    )


def test_a_result_is_a_tensor_that_the_next_call_overwrites() -> None:
    _, captured = trained(steps=3)
    first = captured.step(captured.inputs[0], captured.targets[0])
    value = first.item()
    second = captured.step(captured.inputs[1], captured.targets[1])
    assert second is first
    assert second.item() != value


def test_a_step_may_return_many_things_or_nothing() -> None:
    w = Tensor(np.ones(3), requires_grad=True)

    def step(x: Any) -> Any:
        y = w * x
        with backprop.no_grad():
            w.data = w.data * 0.5
        return y, (y.data * 2, None), y.sum()

    plain_w = np.ones(3)
    replay = capture(step)
    for i in range(4):
        x = np.arange(3.0) + i
        y, (double, nothing), total = replay(x)
        np.testing.assert_allclose(y.data, plain_w * x)
        np.testing.assert_allclose(double, 2 * plain_w * x)
        assert type(double) is np.ndarray
        assert nothing is None
        assert total.item() == pytest.approx((plain_w * x).sum())
        plain_w = plain_w * 0.5
    np.testing.assert_allclose(w.data, plain_w)

    silent = capture(lambda x: None)
    assert [silent(np.ones(2)) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize("adaptive", [False, True], ids=["SGD", "Adam"])
def test_gradients_of_transposed_weights_are_joined_in_order(adaptive: bool) -> None:
    """The gradient of w.T is a view that runs the other way; the optimizer lays all gradients end to end."""

    def make() -> Callable[..., Any]:
        w, v = (Tensor(x, requires_grad=True) for x in normals((3, 3), (3, 3)))
        optimizer = optim.Adam([w, v], 0.01) if adaptive else optim.SGD([w, v], 0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            error = loss.mse(tanh(Tensor(x) @ w.T) @ v @ w, y)
            error.backward()
            optimizer.step()
            return error.data, w.grad, v.grad

        return step

    step, replay = make(), capture(make())
    for seed in range(10):
        x, y = normals((3, 3), (3, 3), seed=seed)
        for got, wanted in zip(replay(x, y), step(x, y), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_replays_share_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The working set is far smaller than the sum of all results."""
    results = []
    share = replay_module.share_buffers

    def spy(calls: Any, own: Any, kept: Any) -> Any:
        results.append(sum(memory.nbytes for memory in own.values()))
        return share(calls, own, kept)

    monkeypatch.setattr(replay_module, "share_buffers", spy)
    _, captured = trained("everything", steps=3)
    assert captured.step.calls > 20
    assert 0 < captured.step.nbytes < 0.6 * results[0]


def test_capture_says_what_it_is() -> None:
    def step(x: Any) -> Any:
        """Double."""
        return x * 2

    replay = capture(step)
    assert isinstance(replay, Captured)
    assert (replay.__name__, replay.__doc__, replay.mode, replay.calls) == (
        "step",
        "Double.",
        "not yet run",
        0,
    )
    replay(np.ones(2))
    assert (replay.mode, replay.calls) == ("replay", 1)
    np.testing.assert_array_equal(replay(np.array([3.0, 4.0])), [6.0, 8.0])


# ------------------------------------------------------------------------ what may change between calls


def test_a_loaded_state_takes_effect() -> None:
    plain, captured = trained("everything")
    state, settings = copy.deepcopy(plain.model.state()), plain.optimizer.state()
    for run in (plain, captured):
        run.losses(5, 5)
        run.model.load_state(state)
        run.optimizer.load_state(settings)
    np.testing.assert_allclose(captured.losses(5, 10), plain.losses(5, 10), rtol=1e-12)
    compare(captured, plain, 1e-12)


@pytest.mark.parametrize(
    "name", ["SGD weight decay", "momentum", "Adam", "AdamW", "Adagrad", "RMSProp", "ensemble"]
)
def test_changed_settings_take_effect(name: str) -> None:
    plain, captured = trained(name)
    for run in (plain, captured):
        run.optimizer.learning_rate = 0.5 * np.asarray(run.optimizer.learning_rate)
        if np.any(run.optimizer.weight_decay):
            run.optimizer.weight_decay = 0.3
        if getattr(run.optimizer, "_active", frozenset()) & {"momentum"}:
            run.optimizer.momentum = 0.3
    np.testing.assert_allclose(captured.losses(5, 5), plain.losses(5, 5), rtol=1e-12)
    compare(captured, plain, 1e-12)


@pytest.mark.parametrize("setting", ["weight_decay", "momentum"])
def test_switching_a_term_on_or_off_is_refused(setting: str) -> None:
    _, captured = trained("SGD")
    setattr(captured.optimizer, setting, 0.1)
    with pytest.raises(
        RuntimeError, match=rf"SGD: {setting} was switched on or off .*capture the step again"
    ):
        captured.losses(1)
    setattr(captured.optimizer, setting, 0.0)
    captured.losses(1)  # and back: it is the step that was captured

    again = Run(PROBLEMS["SGD weight decay"], "float64", True)
    again.losses(3)
    again.optimizer.weight_decay = 0.0
    with pytest.raises(RuntimeError, match="weight_decay was switched"):
        again.losses(1)


def test_arguments_may_be_tensors_and_lists() -> None:
    w = Tensor(np.ones(2, np.float32), requires_grad=True)
    replay = capture(lambda x: (w * x).sum())
    for x in (Tensor([1.0, 2.0]), [3.0, 4.0], np.array([5.0, 6.0], np.float32), Tensor([7.0, 8.0])):
        wanted = float(np.sum(x.numpy() if isinstance(x, Tensor) else x))
        assert replay(x).item() == wanted


def test_a_state_that_is_a_single_number_of_numpy_is_kept() -> None:
    """NumPy's reductions return scalars, which cannot be written into."""
    total = Tensor(np.float64(0.0))

    def step(x: Any) -> None:
        total.data = total.data + x.sum()

    replay = capture(step)
    for _ in range(4):
        replay(np.ones(3))
    assert total.item() == 12.0


def test_large_arguments_that_are_joined_or_checked_are_copied() -> None:
    """The calls that read them cannot be redirected."""
    joined = capture(lambda x, y: np.concatenate([x, y]).sum(0))
    checked = capture(lambda t: loss.binary_cross_entropy(np.zeros((100, 100)), t))
    for seed in range(5):
        x, y = normals((100, 100), (100, 100), seed=seed)
        np.testing.assert_allclose(joined(x, y), x.sum(0) + y.sum(0), rtol=1e-12)
        assert checked(x > 0).item() == pytest.approx(np.log(2))
        with pytest.raises(ValueError, match=r"captured for"):
            checked(x)


@pytest.mark.parametrize("size", [10, 20_000])
def test_views_of_an_argument_show_the_latest(size: int) -> None:
    w = Tensor(np.zeros(size), requires_grad=True)

    def step(x: Any) -> tuple[Any, Any]:
        w.grad = None
        (w + 1).backward(x)
        return Tensor(x)[:2], w.grad

    replay = capture(step)
    for value in (1.0, 1.0, 5.0, 7.0):
        for result in (*replay(np.full(size, value)), w.grad):
            assert (result.data[:1] if isinstance(result, Tensor) else result[:1]) == value


# ----------------------------------------------------------------------------------- what is checked anew


def test_labels_out_of_range_are_found_in_replays_too() -> None:
    _, captured = trained("labels")
    before = captured.model.state()
    wrong = captured.targets[0].copy()
    wrong[3] = CLASSES
    with pytest.raises(
        ValueError, match=r"cross_entropy: expected labels from 0 to 2.*received labels from 0 to 3"
    ):
        captured.step(captured.inputs[0], wrong)
    for x, y in zip(captured.model.state().values(), before.values(), strict=True):
        np.testing.assert_array_equal(x, y)  # found before anything was changed
    captured.losses(1)


def test_symbols_out_of_range_are_found_in_replays_too() -> None:
    _, captured = trained("embedding")
    wrong = captured.inputs[0].copy()
    wrong[0, 0] = -1
    with pytest.raises(ValueError, match=r"Embedding: expected integers from 0 to 6; received -1"):
        captured.step(wrong, captured.targets[0])


def test_rows_out_of_range_are_found_in_replays_too() -> None:
    table = Tensor(normals((4, 2))[0], requires_grad=True)
    with pytest.raises(IndexError, match=r"take: expected indices below 4; received 0 to 4"):
        capture(lambda i: backprop.take(table, i))(np.array([0, 4]))
    replay = capture(lambda i: backprop.take(table, i))
    for rows in ([0, 3], [1, 1], [-1, -4]):
        np.testing.assert_array_equal(replay(np.array(rows)).data, table.data[rows])
    with pytest.raises(IndexError, match="received -5 to 0"):
        replay(np.array([0, -5]))


def test_targets_out_of_range_are_found_in_replays_too() -> None:
    w = Tensor(np.zeros((2, 1)), requires_grad=True)
    replay = capture(lambda x, t: loss.binary_cross_entropy(x @ w, t))
    good = np.array([[0.0], [1.0]])
    for _ in range(3):
        replay(np.ones((2, 2)), good)
    with pytest.raises(ValueError, match="targets between 0 and 1"):
        replay(np.ones((2, 2)), good * 2)


def test_draws_are_made_anew_at_each_replay() -> None:
    rng, reference = make_rng(4), make_rng(4)
    replay = capture(lambda x: x + random.normal(rng, (3,), dtype="float64"))
    for _ in range(6):
        np.testing.assert_array_equal(replay(np.zeros(3)), random.normal(reference, (3,), dtype="float64"))


# ---------------------------------------------------------------------------------------- what is refused

REFUSED: dict[str, Callable[[Any], Any]] = {
    "if": lambda x: x * 2 if (x * 2).sum() > 0 else x,
    "if Tensor": lambda x: x * 2 if Tensor(x * 1).sum() else x,
    "float": lambda x: float((x * 2).sum()),
    "int": lambda x: int(x[0] * 2),
    "item": lambda x: (x * 2).sum().item(),
    "Tensor.item": lambda x: (Tensor(x) * 2).sum().item(),
    "tolist": lambda x: (x * 2).tolist(),
    "print": lambda x: print(x * 2),  # noqa: T201
    "format": lambda x: f"{x.sum():.3f}",
    "repr of a Tensor": lambda x: repr(Tensor(x) * 2),
    "index": lambda x: [10, 20, 30][np.argmax(x)],
    "in": lambda x: 1.0 in x,
    "sort": lambda x: x.sort(),
    "while": lambda x: next(iter([x for _ in iter(lambda: bool(x.sum() > 0), True)])),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_step_that_asks_for_a_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(
        CaptureError, match=r"capture: the step asks for the value of an array \(if, while, float\(\)"
    ):
        capture(REFUSED[name])(np.array([1.0, 2.0, 3.0]))
    assert hooks.capturing is None
    assert float(Tensor([2.0]).sum()) == 2.0  # Tensors are what they were


FUNCTIONS = {
    "linalg.norm": (lambda x: np.linalg.inv(x), r"numpy.inv cannot be replayed"),
    "sort": (lambda x: np.sort(x), r"numpy.sort cannot be replayed"),
    "cumsum": (lambda x: np.cumsum(x), r"numpy.cumsum cannot be replayed"),
    "add.accumulate": (lambda x: np.add.accumulate(x), r"numpy.add.accumulate cannot be replayed"),
    "divmod": (lambda x: np.divmod(x, 2), r"numpy.divmod.__call__ cannot be replayed"),
    "assignment by indices": (
        lambda x: (x * 1).__setitem__(np.array([0, 1]), 0.0),
        r"picked by arrays of indices cannot be replayed",
    ),
    "adding into a plain array": (
        lambda x: np.add.at(np.zeros((2, 2)), 0, x[0]),
        r"writes into a plain array of shape \(2, 2\).*Tensor.*zeros_like",
    ),
    "writing into a plain array": (
        lambda x: np.add(x, 1, out=np.zeros((2, 2))) and None,
        r"writes into a plain array of shape \(2, 2\).*Tensor.*zeros_like",
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_cannot_be_replayed_is_refused_by_name(name: str) -> None:
    step, message = FUNCTIONS[name]
    with pytest.raises(CaptureError, match=message):
        capture(step)(np.array([[1.0, 2.0], [3.0, 5.0]]))


def test_hidden_state_is_found_at_the_second_call() -> None:
    w = Tensor(np.ones(2), requires_grad=True)
    counter = np.zeros(1)

    def step(x: Any) -> None:
        counter[0] += 1  # a plain array: the recorder cannot know of it
        w.data = w.data + counter[0] * x

    replay = capture(step)
    replay(np.ones(2))
    with pytest.raises(
        CaptureError, match=r"left other values in a tensor of shape \(2,\).*keep it in a Tensor"
    ):
        replay(np.ones(2))


def test_values_that_went_through_a_plain_array_are_found_too() -> None:
    """NumPy does not tell the recorder of an assignment to elements of an ordinary array."""

    def step(x: Any) -> Any:
        work = np.zeros(2)
        work[...] = x * 2
        return x + work

    replay = capture(step)
    replay(np.ones(2))
    with pytest.raises(CaptureError, match="returned others than run anew"):
        replay(np.zeros(2) + 3)


def test_hidden_python_state_is_found_too() -> None:
    w, seen = Tensor(np.zeros(2)), []

    def step(x: Any) -> None:
        seen.append(1)
        w.data = w.data + x * len(seen)

    replay = capture(step)
    replay(np.ones(2))
    with pytest.raises(CaptureError, match="It reads or changes something besides its arguments and Tensors"):
        replay(np.ones(2))


def test_hidden_state_that_shows_in_the_result_alone_is_found_too() -> None:
    seen: list[int] = []

    def step(x: Any) -> Any:
        seen.append(1)
        return x * len(seen)

    replay = capture(step)
    replay(np.ones(2))
    with pytest.raises(CaptureError, match="returned others than run anew"):
        replay(np.ones(2))


def test_state_in_a_tensor_is_no_hidden_state() -> None:
    w, count = Tensor(np.zeros(2)), Tensor(np.zeros(1))

    def step(x: Any) -> None:
        count.data += 1
        w.data = w.data + count.data * x

    replay = capture(step)
    for _ in range(5):
        replay(np.ones(2))
    np.testing.assert_array_equal(w.data, [15.0, 15.0])
    np.testing.assert_array_equal(count.data, [5.0])


def test_hidden_state_that_hardly_moves_the_weights_is_found_too() -> None:
    """A factor of the loss that alternates shows in the gradients, however small the rate."""
    _, captured = trained("SGD", "float32", steps=0)
    captured.optimizer.learning_rate = 1e-6
    factors = iter([1.0, 1.5])

    def step(x: Any, y: Any) -> None:
        captured.optimizer.zero_grad()
        (loss.mse(captured.model(x), y) * next(factors)).backward()
        captured.optimizer.step()

    replay = capture(step)
    replay(captured.inputs[0], captured.targets[0])
    with pytest.raises(CaptureError, match="or its gradient, than run anew"):
        replay(captured.inputs[0], captured.targets[0])


def test_settings_are_not_set_inside_a_captured_step() -> None:
    _, captured = trained(steps=0)

    def step(x: Any) -> None:
        captured.optimizer.learning_rate = 0.1

    with pytest.raises(RuntimeError, match=r"SGD: learning_rate was set inside a step .* between two steps"):
        capture(step)(np.ones(2))
    captured.losses(3)  # nothing was spoilt


@pytest.mark.parametrize("layer", [BatchNorm(2), Dropout(0.5, rng=make_rng())])
def test_a_changed_mode_is_noticed(layer: Module) -> None:
    replay, x = capture(layer), np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    replay(x)
    layer.eval()
    with pytest.raises(
        RuntimeError, match=r"captured in the mode of train\(\); .* in that of eval\(\) now. Call"
    ):
        replay(x)
    np.testing.assert_array_equal(capture(layer)(x).data, layer(x).data)
    layer.train()
    replay(x)


def test_inputs_are_copied_wherever_the_step_runs() -> None:
    """A step that writes into its argument leaves the caller's as it is, at the second call, too."""
    replay, x = capture(lambda x: np.multiply(x, 2, out=x)), np.ones(2)
    for _ in range(3):
        np.testing.assert_array_equal(replay(x), [2.0, 2.0])
    np.testing.assert_array_equal(x, 1.0)


def test_gradients_that_add_up_from_call_to_call_are_refused() -> None:
    w = Tensor(np.ones(2), requires_grad=True)
    replay = capture(lambda x: (w * x).sum().backward())
    with pytest.raises(
        CaptureError, match=r"gradient of a tensor of shape \(2,\) adds up.*zero_grad\(\) inside the step"
    ):
        replay(np.ones(2))


def test_an_error_in_the_step_leaves_everything_as_it_was() -> None:
    w = Tensor(np.ones(2), requires_grad=True)

    def step(x: Any) -> None:
        (w * x).sum().backward()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        capture(step)(np.ones(2))
    assert hooks.capturing is None
    assert type(w.data) is type(w.grad) is np.ndarray
    np.testing.assert_array_equal((w * 3).data, [3.0, 3.0])


def test_arrays_of_a_capture_cannot_be_used_outside_of_it() -> None:
    kept = []

    def step(x: Any) -> Any:
        kept.append(x * 2)
        return x

    capture(step)(np.ones(2))
    with pytest.raises(CaptureError, match=r"used outside of it\. Return it from the step"):
        kept[0] += 1


CHANGED = [
    (
        lambda f: f(np.ones((3, 2))),
        r"captured for an argument of shape \(4, 2\), float64; received \(3, 2\).*drop_last=True",
    ),
    (lambda f: f(np.ones((4, 2), np.float32)), r"captured for .*float64; received \(4, 2\), float32"),
    (lambda f: f(np.ones((4, 2), np.int64)), r"received \(4, 2\), int64"),
    (lambda f: f(), r"capture: expected 1 arguments; received 0"),
    (lambda f: f(np.ones((4, 2)), 1), r"capture: expected 1 arguments; received 2"),
]


@pytest.mark.parametrize(("call", "message"), CHANGED, ids=[m for _, m in CHANGED])
@pytest.mark.parametrize("calls_before", [1, 2, 3])
def test_arguments_of_another_kind_are_refused(call: Any, message: str, calls_before: int) -> None:
    replay = capture(lambda x: x * 2)
    for _ in range(calls_before):
        replay(np.ones((4, 2)))
    with pytest.raises(ValueError, match=message):
        call(replay)
    np.testing.assert_array_equal(replay(np.full((4, 2), 3.0)), np.full((4, 2), 6.0))


# ---------------------------------------------------------------------------- single operations replayed

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (x + 1) * x / (x * x + 2) - x**3,
    "in place": lambda x: _in_place(x),
    "matmul": lambda x: x @ x.mT @ x,
    "matmul stack": lambda x: x[None] @ x.mT[None, ...],
    "matmul vector": lambda x: x @ x[0],
    "dot method": lambda x: x.dot(x.T),
    "dot function": lambda x: np.dot(x, np.ones((3, 2), x.dtype)),
    "reductions": lambda x: x.sum(0) + x.max(0) + x.mean(0) + x.min() + x.prod(1)[0],
    "numpy reductions": lambda x: np.sum(x, axis=1) + np.max(x) + np.mean(x, axis=1, keepdims=True),
    "views": lambda x: (x * 2).T[1:, ::2].reshape(-1)[None, :] + 1,
    "reshape that copies": lambda x: (x * 2).T.reshape(-1) * 2,
    "ravel": lambda x: x.T.ravel() + 1,
    "pick rows": lambda x: (x * 2)[np.array([0, 0, 1])],
    "pick by recorded indices": lambda x: np.take(x * 2, np.argmax(x, axis=0), axis=0),
    "pick pairs": lambda x: (x * 2)[np.array([0, 1]), np.array([2, 2])],
    "take method": lambda x: (x * 3).take(np.array([1, 0]), axis=1),
    "where": lambda x: np.where(x > 0, x, -x * 0.5),
    "concat": lambda x: np.concatenate([x, x * 2, x], axis=1),
    "concat flat": lambda x: np.concatenate([(x * 2).ravel(), (x * 3).ravel()]) + 1,
    "concat flat read twice": lambda x: _joined_and_read(x),
    "stack": lambda x: np.stack([x, x * 2]),
    "astype": lambda x: (x > 0).astype(x.dtype) * 2 + x.astype(x.dtype, copy=False),
    "copy": lambda x: (x * 2).copy() + x,
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "zeros_like": lambda x: _scattered(x),
    "ones_like": lambda x: np.ones_like(x) * x,
    "empty_like": lambda x: _filled(x),
    "broadcast": lambda x: np.broadcast_to(x[:, :1], x.shape) * x,
    "add.at": lambda x: _added_at(x),
    "permute": lambda x: np.permute_dims(x[None], (2, 0, 1)) * 2,
    "setitem": lambda x: _assigned(x),
    "maximum": lambda x: np.maximum(np.minimum(x, 0.5), x * 0.1),
    "0-d": lambda x: (x.sum() * 2 + 1) * x.max(),
    "integers": lambda x: (x > 0).astype(np.int64) + 3,
    "comparison": lambda x: np.logical_and(x > 0, ~(x > 1)),
}  # fmt: skip


def _in_place(x: Any) -> Any:
    y = x * 1
    y += x
    y *= 2
    y -= y.sum(0)
    return y


def _joined_and_read(x: Any) -> Any:
    a, b = x * 2, x * 3
    joined = np.concatenate([a.ravel(), b.ravel()])
    a += 1
    return joined.sum() + a.sum() + b.sum()


def _scattered(x: Any) -> Any:
    out = np.zeros_like(x)
    out[0] = x[1] * 2
    out[:, 1] += x[:, 0]
    return out


def _filled(x: Any) -> Any:
    out = np.empty_like(x)
    np.multiply(x, 2, out=out)
    return out


def _added_at(x: Any) -> Any:
    out = np.zeros_like(x)
    np.add.at(out, np.array([0, 0, 1]), np.concatenate([x, x[:1]]))
    return out


def _assigned(x: Any) -> Any:
    y = x * 1
    y[0] = 7.0
    y[..., 1] = x[..., 2]
    return y * 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_replayed_on_new_values(name: str, dtype: str) -> None:
    f = OPERATIONS[name]
    replay = capture(f)
    for seed in range(5):
        x = make_rng(seed).standard_normal((2, 3)).astype(dtype)
        wanted, got = f(x), replay(x)
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype == "float32" else 1e-14)


# A step of random operations on what was computed before: results that die early or late, are read twice, viewed,
# overwritten, and joined. Whatever buffers they are given, the numbers must be those of the plain step.
MOVES: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a * 0.5,
    lambda a, b: np.tanh(a) - b,
    lambda a, b: a @ b,
    lambda a, b: a.T,
    lambda a, b: a.T * 1.0,
    lambda a, b: a[::-1],
    lambda a, b: np.tanh(a.sum(0)) + b,
    lambda a, b: b * 0.5 + a[1],
    lambda a, b: a + np.tanh(b).sum(1),
    lambda a, b: np.tanh(a.max(1, keepdims=True)) * np.ones_like(b),
    lambda a, b: np.tanh(np.concatenate([a.ravel(), b.ravel()])[2:11]).reshape(3, 3),
    lambda a, b: np.concatenate([a.ravel(), (b * 2).ravel()])[:9].reshape(3, 3),
    lambda a, b: np.concatenate([a.T, b * 2], axis=None)[4:13].reshape(3, 3),
    lambda a, b: np.concatenate([(a * 2).T, b * 2], axis=None)[:9].reshape(3, 3),
    lambda a, b: np.concatenate([(a * 2).ravel()[::-1], b.ravel()])[:9].reshape(3, 3),
    lambda a, b: np.where(a > b, a, b * 0.5),
    lambda a, b: (a > 0).astype(a.dtype),
    lambda a, b: _overwritten(a, b),
    lambda a, b: _row_written(a, b),
    lambda a, b: a.copy(),
    lambda a, b: np.stack([a, b])[1],
    lambda a, b: a.reshape(-1)[np.array([0, 0, 4, 8, 1, 2, 7, 7, 3])].reshape(3, 3),
]


def _overwritten(a: Any, b: Any) -> Any:
    c = a * 1.0
    c += b
    c *= 0.5
    return c


def _row_written(a: Any, b: Any) -> Any:
    c = np.zeros_like(a)
    c[1] = b[0]
    c[:, 2] += a[:, 1]
    return c


@settings(max_examples=300)
@given(
    moves=st.lists(
        st.tuples(st.integers(0, len(MOVES) - 1), st.integers(0, 99), st.integers(0, 99)), max_size=25
    ),
    returned=st.lists(st.integers(0, 99), min_size=1, max_size=3),
    lasting=st.booleans(),
)
def test_sharing_buffers_never_changes_a_number(
    moves: list[tuple[int, int, int]], returned: list[int], lasting: bool
) -> None:
    def make() -> Callable[..., Any]:
        memory = Tensor(np.full((3, 3), 0.25))

        def step(x: Any, y: Any) -> Any:
            found = [x, y, memory.data * 1.0]
            for move, i, j in moves:
                found.append(MOVES[move](found[i % len(found)], found[j % len(found)]))
            if lasting:
                memory.data = np.tanh(memory.data + found[-1])
            return (*[found[i % len(found)] * 1.0 for i in returned], found[-1])

        return step

    step, replay = make(), capture(make())
    for seed in range(4):
        x, y = normals((3, 3), (3, 3), seed=seed)
        for got, wanted in zip(replay(x, y), step(x, y), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


def test_functions_of_the_namespace_find_recorded_arrays() -> None:
    def step(x: Any) -> Any:
        xp = namespace(x)
        return (
            xp.exp(x) + xp.sum(x, axis=0) + xp.mean(x) + xp.max(x, axis=1, keepdims=True) + xp.sum(x, axis=-2)
        )

    replay = capture(step)
    for seed in range(4):
        x = make_rng(seed).standard_normal((2, 3))
        np.testing.assert_allclose(replay(x), step(x), rtol=1e-14)


EXPRESSIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda w: (softmax(w) ** 2).sum(),
    "getitem": lambda w: (w[0] * w[1, 1:].sum()).sum(),
    "fancy getitem": lambda w: (w[np.array([0, 0, 1])] ** 2).sum(),
    "take": lambda w: (backprop.take(w, np.array([1, 1, 0])) ** 2).sum(),
    "concat": lambda w: (backprop.concat(w, w * 2, axis=1) ** 2).mean(),
    "where and max": lambda w: backprop.where(np.array([True, False, True]), w, w * w).max(0).sum(),
    "maximum": lambda w: backprop.maximum(w, 0.1).sum() + backprop.minimum(w, 0.0).sum(),
    "vectors": lambda w: w[0] @ w[1] + (w @ w[0]).sum(),
    "functions": lambda w: (backprop.sin(w) + backprop.exp(-w * w) + abs(w) + backprop.sqrt(w * w + 1)).sum(),
    "transpose": lambda w: (w.T @ w).var(),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients_of_an_expression_are_replayed(name: str) -> None:
    plain, replayed = (Tensor(normals((2, 3))[0], requires_grad=True) for _ in range(2))

    def make(w: Tensor) -> Callable[[Any], Tensor]:
        def step(x: Any) -> Tensor:
            w.grad = None
            error = EXPRESSIONS[name](w * x)
            error.backward()
            w.data = w.data - 0.01 * w.grad
            return error

        return step

    step, replay = make(plain), capture(make(replayed))
    for seed in range(6):
        x = make_rng(seed).standard_normal((2, 3))
        assert replay(x).item() == pytest.approx(step(x).item(), rel=1e-13)
        np.testing.assert_allclose(replayed.data, plain.data, rtol=1e-13)
        np.testing.assert_allclose(replayed.grad, plain.grad, rtol=1e-12, atol=1e-14)


def test_pooling_and_global_pooling_are_replayed() -> None:
    problem = Problem(
        lambda r, t: Sequential(Conv2d(1, 3, 3, rng=r, dtype=t), MaxPool2d(3, stride=1), relu, GlobalAvgPool()),
        (4, 1, 8, 8), sgd(), labels=True,
    )  # fmt: skip
    plain, captured = Run(problem, "float64", False), Run(problem, "float64", True)
    np.testing.assert_allclose(captured.losses(30), plain.losses(30), rtol=1e-12)


# ------------------------------------------------------------------------------------- other libraries


@pytest.mark.parametrize("device", ["strict", cpu_with_torch])
def test_on_other_arrays_the_step_runs_as_it_is(device: str) -> None:
    model = Dense(2, 1, rng=make_rng(), device=device)
    optimizer = optim.SGD(model.parameters(), learning_rate=0.1)
    calls = []

    @capture
    def step(x: Any, y: Any) -> Tensor:
        calls.append(1)
        optimizer.zero_grad()
        error = loss.mse(model(x), y)
        error.backward()
        optimizer.step()
        return error

    x, y = (
        asarray(np.ones((4, 2), np.float32), device=device),
        asarray(np.zeros((4, 1), np.float32), device=device),
    )
    errors = [step(x, y).item() for _ in range(4)]
    assert errors == sorted(errors, reverse=True)
    assert step.mode == "eager"
    assert len(calls) == 4


def _cuda_marks() -> list[Any]:
    reason = why_not("cuda")
    return [pytest.mark.skip(reason=reason)] if reason else []


ON_TORCH = [
    "SGD",
    "Adam weight decay",
    "labels",
    "clipping",
    "schedule",
    "embedding",
    "convolution",
    "everything",
]


@pytest.mark.parametrize(
    ("device", "mode"),
    [
        pytest.param("cpu", "eager", marks=needs_torch),
        pytest.param("cuda", "cuda graph", marks=[pytest.mark.gpu, *_cuda_marks()]),
    ],
)
@pytest.mark.parametrize("name", ON_TORCH)
def test_captured_steps_on_torch_equal_uncaptured_ones(name: str, device: str, mode: str) -> None:
    """On a card the same call records a CUDA graph; draws, schedules and settings take effect in it, too."""
    plain, captured = (Run(PROBLEMS[name], "float64", c, device) for c in (False, True))
    np.testing.assert_allclose(captured.losses(50), plain.losses(50), rtol=1e-9)
    assert captured.step.mode == mode
    compare(captured, plain, 1e-9)
    for run in (plain, captured):
        run.optimizer.learning_rate = 0.5 * np.asarray(run.optimizer.learning_rate)
        run.rate = run.optimizer.learning_rate
    np.testing.assert_allclose(captured.losses(10, 50), plain.losses(10, 50), rtol=1e-9)


@pytest.mark.gpu
@pytest.mark.parametrize("device", [pytest.param("cuda", marks=_cuda_marks())])
def test_a_cuda_graph_refuses_other_arguments_and_switched_terms(device: str) -> None:
    captured = Run(PROBLEMS["SGD"], "float32", True, device)
    captured.losses(5)
    with pytest.raises(ValueError, match="captured for an argument of shape"):
        captured.step(captured.inputs[0][:3], captured.targets[0])
    with pytest.raises(ValueError, match="expected 2 arguments; received 1"):
        captured.step(captured.inputs[0])
    captured.optimizer.weight_decay = 0.1
    with pytest.raises(RuntimeError, match="weight_decay was switched on or off"):
        captured.losses(1)
