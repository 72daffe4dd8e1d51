"""Training: the loop, what it measures, how it ends, how it goes on, and many trainings as one."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcore import activations, backprop, data, loss, optim
from dlcore.arrays import asarray, device_of, dtype_name, namespace, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import CaptureError
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
from dlcore.training import (
    Diverged,
    EachStep,
    History,
    State,
    accuracy,
    evaluate,
    fit,
    load,
    noisy_labels,
    resume,
    save,
    sweep,
)
from dlcore.training.state import DATA, LABEL_NOISE, SHUFFLING, generator
from tests.helpers import Backend, close, on_every_backend, on_every_device

ROOT = Path(__file__).resolve().parent.parent
QUIET: dict[str, Any] = {"progress": False}
SGD = functools.partial(optim.SGD, learning_rate=0.1)


def points(n: int = 50, seed: int = 0) -> tuple[Any, Any]:
    """Two blurred classes in the plane: points (n, 2) and labels 0 or 1 (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return (rng.standard_normal((n, 2)) + 1.5 * labels[:, None]).astype(np.float32), labels


def on(backend: Backend, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return backend.array(pair[0]), backend.array(pair[1])


def mlp(rng: np.random.Generator, *, rate: float = 0.0, width: int = 6, **where: str) -> Sequential:
    hidden: list[Any] = [Dense(2, width, rng=rng, **where), activations.tanh]  # type: ignore[arg-type]
    hidden += [Dropout(rate, rng=rng)] if rate else []
    return Sequential(*hidden, Dense(width, 2, rng=rng, **where))  # type: ignore[arg-type]


def model_on(backend: Backend, seed: int = 0, **options: Any) -> Sequential:
    return mlp(np.random.default_rng(seed), device=backend.device, dtype=backend.dtype, **options)


def train(model: Module, pair: Any = None, **arguments: Any) -> History:
    """Fit with what most tests want."""
    wanted = {
        "loss": loss.cross_entropy,
        "optimizer": SGD,
        "epochs": 3,
        "batch_size": 16,
        **QUIET,
        **arguments,
    }
    return fit(model, points() if pair is None else pair, **wanted)


def small(seed: int = 0, **options: Any) -> Sequential:
    return mlp(np.random.default_rng(seed), **options)


def same_state(a: Module, b: Module) -> bool:
    own, other = a.state(), b.state()
    return own.keys() == other.keys() and all(np.array_equal(own[name], other[name]) for name in own)


# --------------------------------------------------------------------------------------------- the loop


@on_every_backend
def test_fit_is_the_loop_one_would_write(backend: Backend) -> None:
    inputs, targets = on(backend, points())
    model, twin = model_on(backend), model_on(backend)
    history = train(model, (inputs, targets), seed=3, epochs=2, batch_size=16)
    optimizer = optim.SGD(twin.parameters(), learning_rate=0.1)
    rng = generator(3, SHUFFLING)
    losses = []
    for _ in range(2):
        for x, y in data.batches(inputs, targets, batch_size=16, rng=rng):
            cost = loss.cross_entropy(twin(x), y)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            losses.append(cost.item())
    assert history.losses == losses
    assert same_state(model, twin)
    assert len(losses) == 8  # 16, 16, 16 and an odd batch of 2
    for parameter in model.parameters():
        assert (device_of(parameter.data), dtype_name(parameter.data)) == backend
    wanted = [np.average(losses[i : i + 4], weights=[16, 16, 16, 2]) for i in (0, 4)]
    assert history["loss"] == pytest.approx(wanted, rel=1e-12)


def test_every_row_is_seen_once_in_each_epoch_and_in_another_order() -> None:
    x = np.arange(50, dtype=np.float32)[:, None]
    seen: list[Any] = []

    def spy(p: Any, t: Any) -> Tensor:
        seen.append(to_numpy(t).ravel())
        return loss.mse(p, t)

    model = Dense(1, 1, rng=np.random.default_rng(0))
    train(model, (x, x), loss=spy, epochs=2, optimizer=functools.partial(optim.SGD, learning_rate=1e-6))
    epochs = np.concatenate(seen[1:]).reshape(2, 50)  # the first call is the check of the arguments
    assert (np.sort(epochs, axis=1) == x.ravel()).all()
    assert not (epochs[0] == epochs[1]).all()
    seen.clear()
    train(model, (x, x), loss=spy, epochs=1, shuffle=False)
    assert (np.concatenate(seen[1:]) == x.ravel()).all()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    runs = []
    for seed in (0, 0, 1):
        model = small(rate=0.3)
        runs.append((train(model, seed=seed).losses, model))
    assert runs[0][0] == runs[1][0]
    assert same_state(runs[0][1], runs[1][1])
    assert runs[0][0] != runs[2][0]


def test_weights_and_shuffling_draw_different_numbers_of_one_seed() -> None:
    assert generator(5, 0).random() == np.random.default_rng(5).random()
    first = {generator(5, purpose).random() for purpose in range(4)}
    assert len(first) == 4


def test_metrics_and_validation_are_recorded_for_each_epoch() -> None:
    model = small()
    held = points(37, seed=1)
    history = train(model, validation=held, metrics=accuracy, epochs=4)
    assert set(history.epochs[-1]) == {
        "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"
    }  # fmt: skip
    after = evaluate(model, held, loss=loss.cross_entropy, metrics=accuracy)
    assert history.epochs[-1]["validation_loss"] == after["loss"]
    assert history.epochs[-1]["validation_accuracy"] == after["accuracy"]
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["accuracy"][-1] > 0.7
    assert history.best["validation_loss"] == min(history["validation_loss"])
    assert history.to_dict()["losses"] == history.losses
    assert "4 epochs" in repr(history)
    with pytest.raises(KeyError, match="was not measured; there are epoch, loss"):
        history["recall"]


def test_training_metrics_judge_the_predictions_made_on_the_way() -> None:
    x, y = points()
    order = to_numpy(generator(0, SHUFFLING).permutation(50))
    expected: list[float] = []
    model, twin = small(), small()
    optimizer = SGD(twin.parameters())
    for start in range(0, 50, 16):
        rows = order[start : start + 16]
        p = twin(x[rows])
        expected += (p.numpy().argmax(axis=1) == y[rows]).tolist()
        optimizer.zero_grad()
        loss.cross_entropy(p, y[rows]).backward()
        optimizer.step()
    for captured in (False, True):
        model = small()
        history = train(model, (x, y), epochs=1, metrics={"hits": accuracy}, capture=captured)
        assert history["hits"] == [pytest.approx(np.mean(expected))]


def test_fit_leaves_every_module_in_the_mode_it_was_in() -> None:
    model = small(rate=0.5)
    model.eval()
    model[0].training = True
    modes = [m.training for m in model.modules()]
    train(model, epochs=1, validation=points(10))
    assert [m.training for m in model.modules()] == modes


def test_a_list_of_python_numbers_and_float64_are_brought_to_the_models_precision() -> None:
    model = Dense(1, 1, rng=np.random.default_rng(0))
    train(model, ([[0.0], [1.0]], [[1.0], [3.0]]), loss=loss.mse)
    seen = []

    class Spy(Module):
        def __init__(self) -> None:
            self.inner = Dense(1, 1, rng=np.random.default_rng(0))

        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.dtype)
            return self.inner(x)

    train(Spy(), (np.zeros((4, 1)), np.ones((4, 1))), loss=loss.mse)
    assert set(seen) == {np.dtype("float32")}


@pytest.mark.parametrize(
    "optimizer", [optim.SGD, optim.Adam, lambda parameters: optim.AdamW(parameters, learning_rate=0.01)]
)
def test_an_optimizer_may_be_given_made_or_to_be_made(optimizer: Any) -> None:
    factory = SGD if optimizer is optim.SGD else optimizer
    made, by_factory = small(), small()
    train(made, optimizer=factory(made.parameters()))
    train(by_factory, optimizer=factory)
    assert same_state(made, by_factory)


def test_a_schedule_sets_each_steps_rate_and_leaves_the_rate_as_it_was() -> None:
    rates = []
    model = small()
    optimizer = optim.SGD(model.parameters(), learning_rate=0.5)
    note = EachStep(lambda state: rates.append(state.optimizer.learning_rate))
    train(model, optimizer=optimizer, schedule=optim.cosine(11), callbacks=[note])
    assert rates == pytest.approx([0.5 * optim.cosine(11)(i) for i in range(12)], rel=1e-6)
    assert rates[-1] == 0  # past its end a cosine is 0
    assert optimizer.learning_rate == 0.5


def test_clip_bounds_the_gradients() -> None:
    lengths = []

    def note(state: State) -> None:
        lengths.append(np.sqrt(sum(float((p.grad**2).sum()) for p in state.model.parameters())))

    train(small(), callbacks=[EachStep(note)], clip=0.05)
    assert max(lengths) == pytest.approx(0.05, rel=1e-3)


# ------------------------------------------------------------------------------------------ capture


class Questioning(Module):
    """A network that asks for values, which no replay can repeat."""

    def __init__(self) -> None:
        self.inner = small(rate=0.3)
        self.norm = BatchNorm(2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.inner(x))
        return y * 2 if float(y.data.sum()) > 1e9 else y


def everything(rng: np.random.Generator) -> Sequential:
    return Sequential(
        Dense(2, 8, rng=rng),
        BatchNorm(8),
        activations.relu,
        Dropout(0.2, rng=rng),
        LayerNorm(8),
        Dense(8, 2, rng=rng),
    )


@pytest.mark.parametrize("optimizer", [functools.partial(SGD, momentum=0.9), optim.Adam])
def test_a_captured_training_is_the_same_to_rounding(optimizer: Any) -> None:
    arguments = {
        "optimizer": optimizer,
        "epochs": 5,
        "schedule": optim.cosine(30),
        "clip": 1.0,
        "metrics": accuracy,
    }
    plain, captured = everything(np.random.default_rng(0)), everything(np.random.default_rng(0))
    a = train(plain, **arguments, validation=points(20, 1))
    b = train(captured, **arguments, validation=points(20, 1), capture=True)
    close(b.losses, a.losses, 1e-5)
    close(b["validation_loss"], a["validation_loss"], 1e-5)
    assert a["accuracy"] == b["accuracy"]
    for name, value in plain.state().items():
        close(captured.state()[name], value, 1e-5, name)


def test_capture_when_possible_falls_back_without_a_trace() -> None:
    runs = [Questioning(), Questioning()]
    histories = [train(model, capture=mode) for model, mode in zip(runs, (False, "auto"), strict=True)]
    assert histories[0].losses == histories[1].losses
    assert same_state(*runs)


def test_capture_that_is_insisted_on_says_what_it_cannot_and_changes_nothing() -> None:
    model, untouched = Questioning(), Questioning()
    with pytest.raises(CaptureError, match="asks for the value"):
        train(model, capture=True)
    assert same_state(model, untouched)


@on_every_backend
def test_capture_can_be_asked_for_everywhere(backend: Backend) -> None:
    pair = on(backend, points())
    plain, captured = model_on(backend, rate=0.2), model_on(backend, rate=0.2)
    a, b = train(plain, pair), train(captured, pair, capture="auto")
    close(b.losses, a.losses, 1e-5 if backend.dtype == "float32" else 1e-12)


# ------------------------------------------------------------------------ callbacks, interrupts, progress


def test_callbacks_see_the_training_and_may_stop_it() -> None:
    steps, epochs = [], []

    def each_epoch(state: State) -> None:
        epochs.append((state.epoch, state.step, state.history.epochs[-1]["epoch"]))
        if state.epoch == 2:
            state.stop("enough")

    history = train(
        small(), epochs=9, callbacks=[each_epoch, EachStep(lambda state: steps.append(state.step))]
    )
    assert epochs == [(1, 4, 1), (2, 8, 2)]
    assert steps == list(range(1, 9))
    assert history.stopped == "enough"
    assert "stopped: enough" in repr(history)
    assert not history.interrupted


def run_of_steps(count: int) -> tuple[History, Sequential]:
    model = small()

    def stop(state: State) -> None:
        if state.step == count:
            state.stop()

    return train(model, callbacks=[EachStep(stop)]), model


def test_an_epoch_that_is_cut_short_has_losses_and_no_record() -> None:
    history, _ = run_of_steps(6)
    assert (len(history.losses), len(history.epochs)) == (6, 1)


@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("how", ["signal", "raise"])
def test_an_interrupt_ends_training_after_a_whole_step(how: str, capture: bool) -> None:
    model = small()
    before = signal.getsignal(signal.SIGINT)

    def interrupt(state: State) -> None:
        if state.step == 6 and how == "raise":
            raise KeyboardInterrupt

    real = model[2].forward

    def forward(x: Tensor) -> Tensor:  # in the midst of a step
        if how == "signal" and len(calls) == 6:  # the check of the arguments, then five steps
            signal.raise_signal(signal.SIGINT)
        calls.append(1)
        return real(x)

    calls: list[int] = []
    if not capture:  # a replay does not come by here
        model[2].forward = forward  # type: ignore[method-assign]
    elif how == "signal":
        interrupt = lambda state: state.step == 6 and signal.raise_signal(signal.SIGINT)  # noqa: E731
    history = train(model, callbacks=[EachStep(interrupt)], capture=capture)
    vars(model[2]).pop("forward", None)
    assert history.interrupted
    assert "interrupted" in repr(history)
    assert signal.getsignal(signal.SIGINT) is before
    wanted, twin = run_of_steps(6)
    close(history.losses, wanted.losses, 1e-6)
    for name, value in twin.state().items():
        close(model.state()[name], value, 1e-6, name)


def test_a_second_interrupt_is_raised_at_once() -> None:
    def twice(state: State) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(small(), callbacks=[EachStep(twice)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupted_training_can_be_taken_up_by_fitting_again() -> None:
    model = small()

    def interrupt(state: State) -> None:
        raise KeyboardInterrupt

    assert train(model, callbacks=[interrupt]).interrupted
    assert not train(model).interrupted


def test_progress_is_a_bar_or_silence(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    train(small(), progress=True)
    shown = capsys.readouterr()
    assert "12/12" in shown.err
    assert "epoch 3: loss" in shown.err
    assert not shown.out
    train(small(), progress=False)
    monkeypatch.setattr(sys, "platform", "emscripten")
    train(small(), progress=True)
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)  # as if it were not installed
    train(small(), progress=True)
    assert capsys.readouterr() == ("", "")


# ---------------------------------------------------------------------------------------- divergence


@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("later", [False, True])
def test_divergence_names_the_step_and_the_first_tensor(capture: bool, later: bool) -> None:
    """A ReLU network with a rate far too high: its outputs grow until one is infinite."""
    rng = np.random.default_rng(0)
    model = Sequential(
        Dense(2, 6, rng=rng), activations.relu, Dense(6, 6, rng=rng), activations.relu, Dense(6, 1, rng=rng)
    )
    x, y = points()
    optimizer = optim.SGD(model.parameters(), learning_rate=1e-3)

    def raise_rate(state: State) -> None:
        state.optimizer.learning_rate = 1e4

    schedule = (
        (lambda step: 1e7 if step >= 430 else 1.0) if later else (lambda step: 1e7)
    )  # past two snapshots
    with pytest.raises(Diverged) as caught, np.errstate(all="raise", under="ignore"):
        train(model, (x, y[:, None].astype(np.float32)), loss=loss.mse, optimizer=optimizer, schedule=schedule,
              epochs=200, capture=capture)  # fmt: skip
    error = caught.value
    assert isinstance(error, ArithmeticError)
    assert error.step == len(error.history.losses) + 1
    assert error.epoch == (error.step - 1) // 4 + 1
    assert (error.step > 430) == later
    assert len(error.history.epochs) == error.epoch - 1
    assert np.isfinite(error.history.losses).all()
    assert all(np.isfinite(value).all() for value in model.state().values())
    assert f"in step {error.step} (epoch {error.epoch}): {error.tensor} became" in str(error)
    assert "learning rate below" in str(error)
    with no_grad(), np.errstate(all="ignore"):  # the model is as it was before that step: take it by hand
        order = generator(0, SHUFFLING)
        rows = [order.permutation(50) for _ in range(error.epoch)][-1][(error.step - 1) % 4 * 16 :][:16]
        value, first = Tensor(x[rows]), None
        for i, layer in enumerate(model.layers):
            value = layer(value)
            if first is None and not np.isfinite(value.numpy()).all():
                first = f"the output of layers.{i}, {layer!r},"
        wanted = loss.mse(value, y[rows][:, None].astype(np.float32))
    if first is not None:
        assert error.tensor == first
    elif not np.isfinite(wanted.item()):
        assert error.tensor == "the loss"
    else:
        assert error.tensor.startswith("the gradient of ") or "by its update" in error.tensor


def test_an_infinite_slope_is_found_before_it_reaches_the_loss() -> None:
    """√0 has a finite value and an infinite slope: the loss is NaN a step later, the gradient at once."""
    model = Dense(1, 1, rng=np.random.default_rng(0))
    model.load_state({"weight": [[0.0]], "bias": [0.0]})

    def root(p: Any, t: Any) -> Tensor:
        return backprop.sqrt((p - t) ** 2).mean()

    with pytest.raises(Diverged, match=r"step 1 \(epoch 1\): the gradient of bias became NaN") as caught:
        train(model, (np.ones((4, 1)), np.zeros((4, 1))), loss=root, batch_size=4)
    assert caught.value.history.losses == []
    assert same_state(model, loaded(model, {"weight": [[0.0]], "bias": [0.0]}))


def loaded(model: Module, state: dict[str, Any]) -> Module:
    twin = Dense(1, 1, rng=np.random.default_rng(1))
    twin.load_state(state)
    return twin


def test_an_update_that_overflows_is_noticed_though_no_loss_came_after_it() -> None:
    model = Dense(1, 1, rng=np.random.default_rng(0))
    optimizer = optim.SGD(model.parameters(), learning_rate=3e38)
    with pytest.raises(Diverged, match=r"the parameter weight, by its update, became infinite"):
        train(
            model,
            (np.full((4, 1), 1e3), np.ones((4, 1))),
            loss=loss.mse,
            optimizer=optimizer,
            epochs=1,
            batch_size=4,
        )


@on_every_device
def test_divergence_is_noticed_on_every_device(backend: Backend) -> None:
    model = Sequential(Dense(1, 1, rng=np.random.default_rng(0), device=backend.device))
    x = asarray(np.full((4, 1), 1e3, np.float32), device=backend.device)
    with pytest.raises(Diverged, match="standardized inputs"):
        train(model, (x, x), loss=loss.mse, epochs=50)


# ----------------------------------------------------------------------------------------- bad arguments

X, Y = points()
BAD: list[tuple[str, type[Exception], str, dict[str, Any]]] = [
    ("no rows", ValueError, "at least one row", {"pair": (X[:0], Y[:0])}),
    ("other lengths", ValueError, "same number of rows; received 50, 40", {"pair": (X, Y[:40])}),
    ("no pair", TypeError, r"as a pair \(inputs, targets\); received a ndarray", {"pair": X}),
    ("a triple", TypeError, "received a tuple of 3", {"pair": (X, Y, Y)}),
    ("NaN", ValueError, "NaN or infinity in 1 of 50 rows of the inputs of data, first in row 7",
     {"pair": (np.where(np.arange(50)[:, None] == 7, np.nan, X), Y)}),
    ("infinite target", ValueError, "rows of the targets of data", {"pair": (X, np.full((50, 2), np.inf))}),
    ("NaN held", ValueError, "inputs of validation", {"validation": (np.full((3, 2), np.nan), Y[:3])}),
    ("labels", ValueError, r"labels from 0 to 1, .* received labels from 0 to 5", {"pair": (X, np.where(Y == 1, 5, 0))}),
    ("negative label", ValueError, "from -1 to 1", {"pair": (X, 2 * Y - 1)}),
    ("labels held", ValueError, "labels from 0 to 1", {"validation": (X, Y + 1)}),
    ("features", ValueError, r"expected input of shape \(batch, 2\); received \(2, 3\)", {"pair": (np.ones((50, 3)), Y)}),
    ("integers", TypeError, "floats, the first layer being Dense", {"pair": (np.ones((50, 2), int), Y)}),
    ("text", TypeError, "expected numbers", {"pair": (["a", "b"], Y[:2])}),
    ("target shape", ValueError, "targets of the predictions' shape", {"loss": loss.mse}),
    ("many losses", ValueError, r"loss to be one number; received shape \(2,\). Use reduction",
     {"loss": functools.partial(loss.cross_entropy, reduction="none")}),
    ("loss no tensor", TypeError, "loss to return a Tensor; received float", {"loss": lambda p, t: 1.0}),
    ("loss by name", TypeError, "loss to be a function, such as loss.cross_entropy; received 'mse'", {"loss": "mse"}),
    ("batch of none", ValueError, "batch_size to be a whole number of at least 1; received 0", {"batch_size": 0}),
    ("batch of halves", ValueError, "batch_size", {"batch_size": 2.5}),
    ("no epochs", ValueError, "epochs to be a whole number of at least 1; received 0", {"epochs": 0}),
    ("seed", ValueError, "seed to be a whole number of at least 0; received -1", {"seed": -1}),
    ("model", TypeError, "expected a Module as model; received <class.*parentheses", {"model": Sequential}),
    ("optimizer", TypeError, "optimizer to be a function, such as optim.Adam, or an optimizer", {"optimizer": "adam"}),
    ("factory", TypeError, "factory to return an optimizer; received 1", {"optimizer": lambda parameters: 1}),
    ("other optimizer", ValueError, "SGD owns none of them", {"optimizer": SGD(small().parameters())}),
    ("metric", TypeError, "a metric to be a function", {"metrics": ["accuracy"]}),
    ("nameless", TypeError, "has no name of its own", {"metrics": [functools.partial(accuracy)]}),
    ("metric loss", ValueError, "rename the metric", {"metrics": {"loss": accuracy}}),
    ("callback", TypeError, "a callback to be a function", {"callbacks": [3]}),
    ("schedule", TypeError, "schedule to be a function", {"schedule": 0.1}),
    ("clip", ValueError, "above 0; received 0", {"clip": 0}),
    ("capture", ValueError, "capture to be False, True or 'auto'; received 'yes'", {"capture": "yes"}),
    ("checkpoint_every", ValueError, "checkpoint_every", {"checkpoint_every": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "arguments"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_argument_is_refused_before_anything_is_changed(
    kind: type[Exception], message: str, arguments: dict[str, Any]
) -> None:
    model, untouched = small(), small()
    with pytest.raises(kind, match=message):
        train(**{"model": model, **arguments})
    assert same_state(model, untouched)


def test_data_on_another_device_is_refused() -> None:
    with pytest.raises(ValueError, match=r"inputs of data on the model's device 'numpy'; received 'strict'"):
        train(small(), (asarray(X, device="strict"), Y))
    with pytest.raises(ValueError, match=r"targets of validation on the model's device 'numpy'"):
        train(small(), validation=(X, asarray(Y, device="strict")))


def test_an_embedding_wants_integers_and_an_ensemble_a_sweep() -> None:
    rng = np.random.default_rng(0)
    words = Sequential(Embedding(5, 2, rng=rng), Flatten(), Dense(6, 2, rng=rng))
    with pytest.raises(TypeError, match="inputs in integers, the first layer being Embedding"):
        train(words, (np.zeros((4, 3)), Y[:4]))
    train(words, (np.zeros((4, 3), int), Y[:4]))
    with pytest.raises(ValueError, match="ensemble of 2. Use sweep"):
        train(ensemble([small(), small()]))
    with pytest.raises(ValueError, match="ensemble of 2. Take its members"):
        evaluate(ensemble([small(), small()]), (X, Y), metrics=accuracy)


# ------------------------------------------------------------------------------------ evaluate, accuracy


@on_every_backend
def test_evaluate_measures_the_whole_without_changing_anything(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    where = {"device": backend.device, "dtype": backend.dtype}
    model = Sequential(
        Dense(2, 4, rng=rng, **where),
        BatchNorm(4, **where),
        Dropout(0.5, rng=rng),
        Dense(4, 2, rng=rng, **where),
    )
    model[2].eval()
    before, drawn = model.state(), rng.bit_generator.state
    pair = on(backend, points())
    weighted = functools.partial(loss.cross_entropy, weight=[1.0, 5.0])
    for size in (7, 50, 500):
        found = evaluate(model, pair, loss=weighted, metrics=[accuracy], batch_size=size)
        model.eval()
        whole = model(pair[0])
        model.train()
        model[2].eval()
        assert found["loss"] == pytest.approx(weighted(whole, pair[1]).item(), rel=1e-6)
        assert found["accuracy"] == accuracy(whole, pair[1])
    assert [m.training for m in model.modules()] == [True, True, True, False, True]
    assert all((value == model.state()[name]).all() for name, value in before.items())
    assert rng.bit_generator.state == drawn
    assert not any(p.grad is not None for p in model.parameters())
    with pytest.raises(ValueError, match="nothing to measure"):
        evaluate(model, pair)


def test_evaluate_brings_the_mode_back_after_an_error() -> None:
    model = small(rate=0.1)

    def fail(p: Any, t: Any) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate(model, (X, Y), metrics=fail)
    assert model[2].training


@on_every_device
def test_accuracy_counts_classes_and_signs(backend: Backend) -> None:
    logits = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 5.0], [1.0, 3.0, 2.0], [1.0, 0.0, 0.0]])
    labels = np.array([0, 2, 2, 1])

    def measured(p: Any, t: Any) -> float:
        return accuracy(backend.array(p), backend.array(np.asarray(t)))

    assert measured(logits, labels) == 0.5
    assert measured(logits, np.eye(3)[labels]) == 0.5
    assert measured([[0.2], [-0.3], [4.0], [-1.0]], [[1.0], [1.0], [1.0], [0.0]]) == 0.75
    assert measured([0.2, -0.3, 4.0, -1.0], [1, 1, 1, 0]) == 0.75
    assert measured([0.2, -0.3, 4.0, -1.0], [1.0, 1.0, 1.0, -1.0]) == 0.75
    with pytest.raises(ValueError, match=r"targets of shape \(4,\) \(labels\) or \(4, 3\); received \(3,\)"):
        measured(logits, [0, 1, 2])


# ------------------------------------------------------------------------------------------- checkpoints


def build_dropout(seed: int = 0) -> Sequential:
    return everything(np.random.default_rng(seed))


RESUMED = {
    "sgd": {"optimizer": SGD},
    "momentum": {"optimizer": functools.partial(SGD, momentum=0.9, nesterov=True, weight_decay=1e-3)},
    "adam": {"optimizer": optim.Adam},
    "adamw, schedule, clip": {"optimizer": optim.AdamW, "schedule": optim.one_cycle(24), "clip": 0.5},
    "rmsprop": {"optimizer": optim.RMSProp},
    "captured": {"optimizer": optim.Adam, "capture": True, "schedule": optim.cosine(24)},
    "in order": {"optimizer": optim.Adagrad, "shuffle": False},
}


@pytest.mark.parametrize("arguments", RESUMED.values(), ids=RESUMED)
def test_a_resumed_training_is_bit_for_bit_the_uninterrupted_one(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    """Interrupted in the midst of the fourth epoch; weights, optimizer, generators and rates go on from the third."""
    path = tmp_path / "run.safetensors"
    more = {"validation": points(20, 1), "metrics": accuracy, "seed": 4, **arguments}
    whole, first, second = build_dropout(), build_dropout(), build_dropout(9)
    wanted = train(whole, epochs=6, **more)

    def interrupt(state: State) -> None:
        if state.step == 14:
            raise KeyboardInterrupt

    cut = train(first, epochs=6, **more, checkpoint=path, callbacks=[EachStep(interrupt)])
    assert cut.interrupted
    assert len(cut.losses) == 14
    found = resume(path, second, points(), loss=loss.cross_entropy, epochs=6, batch_size=16, **QUIET, **more)
    assert found.losses == wanted.losses
    assert same_state(second, whole)
    for a, b in zip(found.epochs, wanted.epochs, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    assert not found.interrupted
    again = resume(
        path, build_dropout(), points(), loss=loss.cross_entropy, epochs=6, batch_size=16, **QUIET, **more
    )
    assert again.losses == wanted.losses  # finished: nothing is left to do


def test_a_checkpoint_comes_every_so_often_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    seen = []

    def note(state: State) -> None:
        seen.append(load(path, small()).history["epoch"][-1] if path.exists() else 0)

    train(small(), epochs=5, checkpoint=path, checkpoint_every=2, callbacks=[note])
    assert seen == [0, 0, 2, 2, 4]
    assert load(path, small()).history["epoch"][-1] == 5
    train(
        small(),
        epochs=9,
        checkpoint=path,
        checkpoint_every=4,
        callbacks=[lambda s: s.epoch == 3 and s.stop("x")],
    )
    assert load(path, small()).history["epoch"][-1] == 3


@on_every_backend
def test_save_and_load_bring_everything_back_exactly(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, other = model_on(backend, rate=0.5), model_on(backend, seed=1, rate=0.5)
    optimizer, theirs = optim.Adam(model.parameters()), optim.Adam(other.parameters(), learning_rate=0.7)
    history = train(model, on(backend, points()), optimizer=optimizer)
    rng, fresh = np.random.default_rng(3), np.random.default_rng(4)
    rng.random(5)
    save(
        path,
        model,
        optimizer=optimizer,
        history=history,
        rng=rng,
        settings={"name": "trial", "sizes": [1, 2]},
    )
    found = load(path, other, optimizer=theirs, rng=fresh)
    assert same_state(model, other)
    assert found.history == history
    assert found.settings == {"name": "trial", "sizes": [1, 2]}
    assert fresh.random() == rng.random()
    assert all((value == theirs.state()[name]).all() for name, value in optimizer.state().items())
    for name, tensor in other.named_tensors():
        assert (device_of(tensor.data), dtype_name(tensor.data)) == backend, name
    assert (
        model(backend.array(X)).numpy() == other(backend.array(X)).numpy()
    ).all()  # the same units dropped


def test_arrays_of_any_layout_are_saved_as_what_they_mean(tmp_path: Path) -> None:
    class Odd(Module):
        def __init__(self, seed: int) -> None:
            rng = np.random.default_rng(seed)
            self.turned = Tensor(rng.standard_normal((3, 4)).T, requires_grad=True)
            self.number = Tensor(rng.standard_normal())
            self.empty = Tensor(np.zeros((0, 3)))
            self.count = Tensor(rng.integers(0, 9, (2, 5)).T[::-1])

    model, other = Odd(0), Odd(1)
    save(tmp_path / "odd", model)
    load(tmp_path / "odd", other)
    assert same_state(model, other)


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_of_every_kind_go_on_where_they_were(kind: str, tmp_path: Path) -> None:
    make = getattr(np.random, kind)
    rng, other = np.random.Generator(make(0)), np.random.Generator(make(1))
    rng.integers(0, 9, 3, dtype=np.int32)  # half of a 64-bit number is kept for the next draw
    save(tmp_path / "rng", small(), rng=rng)
    load(tmp_path / "rng", small(), rng=other)
    assert (other.integers(0, 9, 9, dtype=np.int32) == rng.integers(0, 9, 9, dtype=np.int32)).all()
    with pytest.raises(ValueError, match="the generators do not match: for 'rng'"):
        load(
            tmp_path / "rng",
            small(),
            rng=np.random.Generator(np.random.MT19937(0) if kind != "MT19937" else np.random.PCG64(0)),
        )


def saved(path: Path, **options: Any) -> Path:
    model = small(rate=0.5, **options)
    save(path, model, optimizer=optim.Adam(model.parameters()), settings={"seed": 1})
    return path


def test_a_damaged_file_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = saved(tmp_path / "model")
    content = path.read_bytes()
    body = 8 + int.from_bytes(content[:8], "little")
    flipped = bytearray(content)
    flipped[body + 5] ^= 1  # one bit of one weight
    damaged = {
        "cut": content[:-10],
        "cut in the header": content[:50],
        "empty": b"",
        "text": b"no safetensors at all, but long enough to be read",
        "one bit": bytes(flipped),
    }
    for name, bad in damaged.items():
        path.write_bytes(bad)
        model, untouched = small(1, rate=0.5), small(1, rate=0.5)
        with pytest.raises(ValueError, match="is damaged"):
            load(path, model)
        assert same_state(model, untouched), name
    import safetensors.numpy

    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}))
    with pytest.raises(ValueError, match="no checkpoint of dlcore"):
        load(path, small())
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing", small())


def test_a_file_of_something_else_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = saved(tmp_path / "model")

    def refused(message: str, model: Module, **options: Any) -> None:
        before = model.state()
        with pytest.raises(ValueError, match=message):
            load(path, model, **options)
        assert all((value == model.state()[name]).all() for name, value in before.items())

    refused(r"model's tensors do not match: for 'layers.0.weight' expected \[\[2, 7\], 'float32'\], the file has "
            r"\[\[2, 6\], 'float32'\]", small(rate=0.5, width=7))  # fmt: skip
    refused(r"expected \[\[2, 6\], 'float64'\]", small(rate=0.5, dtype="float64"))
    refused(
        "for 'model.layers.2.rng' expected nothing",
        Sequential(small()[0], activations.relu, activations.relu, small(rate=0.5)[3]),
    )
    model = small(1, rate=0.5)
    parameters = model.parameters()
    refused(
        "the optimizer do not match: for 'class' expected SGD, the file has Adam",
        model,
        optimizer=SGD(parameters),
    )
    refused(r"for 'betas' expected \[0.5, 0.5\]", model, optimizer=optim.Adam(parameters, betas=(0.5, 0.5)))
    refused("the settings do not match: for 'seed' expected 2, the file has 1", model, settings={"seed": 2})
    refused("for 'rng' expected PCG64, the file has nothing", model, rng=np.random.default_rng(0))
    save(path, model)
    refused("for 'class' expected Adam, the file has none", model, optimizer=optim.Adam(parameters))


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(small(), checkpoint=path)
    arguments = {"loss": loss.cross_entropy, "optimizer": SGD, "epochs": 5, "batch_size": 16, **QUIET}
    for name, value in {"seed": 1, "batch_size": 10, "shuffle": False}.items():
        with pytest.raises(ValueError, match=f"the settings do not match: for '{name}'"):
            resume(path, small(), points(), **{**arguments, name: value})
    with pytest.raises(ValueError, match="for 'rows' expected 40, the file has 50"):
        resume(path, small(), points(40), **arguments)


def test_checkpoints_say_what_is_missing_without_safetensors(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"need safetensors, which is not installed; run `pip install"):
        save(tmp_path / "model", small())


KILLED = """
    import os, sys, time
    import numpy as np
    from dlcore import loss, optim
    from dlcore.training import fit
    from tests.test_training import build_dropout, points

    count, real = 0, os.fsync
    def fsync(descriptor):  # called for the file and for its folder, so twice in each save
        global count
        count += 1
        if count == 2 * {saves} + {place}:
            print("saving", flush=True)
            time.sleep(60)
        real(descriptor)
    os.fsync = fsync
    fit(build_dropout(), points(), loss=loss.cross_entropy, optimizer=optim.Adam, epochs=6, batch_size=16,
        checkpoint={path!r}, progress=False)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is for POSIX systems")
@pytest.mark.parametrize(("place", "kept"), [(1, 3), (2, 4)], ids=["while writing", "after renaming"])
def test_kill_9_while_saving_leaves_a_whole_checkpoint_to_go_on_from(
    place: int, kept: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    program = textwrap.dedent(KILLED).format(saves=3, place=place, path=str(path))
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "saving\n"
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "run.safetensors.partial").exists() == (place == 1)
    assert load(path, build_dropout()).history["epoch"] == list(range(1, kept + 1))
    arguments = {"loss": loss.cross_entropy, "optimizer": optim.Adam, "epochs": 6, "batch_size": 16, **QUIET}
    resumed, whole = build_dropout(1), build_dropout()
    found = resume(path, resumed, points(), **arguments)
    assert found.losses == fit(whole, points(), **arguments).losses
    assert same_state(resumed, whole)


# ------------------------------------------------------------------------------------------------ sweeps


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
    "batch norm": (vectors, lambda r, w: [Dense(5, 4, rng=r, **w), BatchNorm(4, **w), activations.tanh, Dense(4, 3, rng=r, **w)]),
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
        "loss": loss.cross_entropy, "epochs": 3, "batch_size": 8, "validation": make(backend, 9), "metrics": accuracy, **QUIET
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

    found = sweep(build, points(), grid={"bias": [0.0, 1.0]}, seeds=[0], loss=loss.cross_entropy,
                  optimizer=functools.partial(optim.SGD, learning_rate=0.0), epochs=1, batch_size=50, **QUIET)  # fmt: skip
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
    ("unknown setting", ValueError, "settings among .*momentum.* received 'speed'", {"grid": {"speed": [1]}, "build": lambda rng: mlp(rng)}),
    ("seed in the grid", ValueError, "received 'seed'. Pass seeds", {"grid": {"seed": [1]}}),
    ("no values", ValueError, "at least one value of learning_rate", {"grid": {"learning_rate": []}}),
    ("no seeds", ValueError, "at least one value of seed", {"seeds": []}),
    ("bad seed", ValueError, "a seed to be a whole number", {"seeds": [-1]}),
    ("an optimizer", TypeError, r"makes the optimizer of all members; received SGD", {"optimizer": SGD(small().parameters())}),
    ("shapes", ValueError, "models of one architecture", {"grid": {"width": [3, 4]}}),
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
