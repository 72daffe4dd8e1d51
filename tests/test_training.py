"""Training: the loop, what it measures, how it ends, how it goes on, and many trainings as one."""

import functools
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcore import activations, backprop, data, loss, optim
from dlcore.arrays import asarray, device_of, dtype_name, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import CaptureError
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
    sweep,
)
from dlcore.training.checks import check_last_batch
from dlcore.training.rows import Rows
from dlcore.training.state import SHUFFLING, generator
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


def test_a_history_without_an_epoch_has_no_best() -> None:
    with pytest.raises(ValueError, match="at least one finished epoch"):
        History([0.5]).best  # noqa: B018


def test_an_epoch_whose_loss_is_not_a_number_is_never_the_best() -> None:
    records = [{"epoch": i, "loss": value} for i, value in enumerate([float("nan"), 2.0, 1.0], 1)]
    assert History(epochs=records).best["epoch"] == 3
    assert History(epochs=records[:1]).best["epoch"] == 1


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


def test_divergence_that_a_callback_made_is_reported_as_it_was_noticed() -> None:
    model = small()

    def spoil(state: State) -> None:
        model[0].weight.data[...] = np.nan

    with pytest.raises(Diverged, match=r"step 5 \(epoch 2\): the loss became NaN") as caught:
        train(model, callbacks=[spoil])
    assert len(caught.value.history.losses) == 4
    assert all(np.isfinite(value).all() for value in model.state().values())


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
    ("labels", ValueError, r"labels from 0 to 1, .* received labels from 0 to 5", {"pair": (X, 5 * Y)}),
    ("negative label", ValueError, "from -1 to 1", {"pair": (X, 2 * Y - 1)}),
    ("labels held", ValueError, "labels from 0 to 1", {"validation": (X, Y + 1)}),
    ("features", ValueError, r"input of shape \(batch, 2\); received \(2, 3\)", {"pair": (np.ones((50, 3)), Y)}),
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
    ("rate", TypeError, "missing a required argument: 'learning_rate'. .*partial", {"optimizer": optim.SGD}),
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
    with pytest.raises(ValueError, match=r"ensemble of 2\. Use sweep"):
        train(ensemble([small(), small()]))
    with pytest.raises(ValueError, match=r"ensemble of 2\. Take its members"):
        evaluate(ensemble([small(), small()]), (X, Y), metrics=accuracy)


@pytest.mark.parametrize(
    ("rows", "size", "advice"), [(9, 4, "batch_size=5"), (9, 1, "batch_size=3"), (1, 4, "Bring")]
)
def test_a_last_batch_of_one_row_is_refused_before_anything_is_changed(
    rows: int, size: int, advice: str
) -> None:
    model, pair = everything(np.random.default_rng(0)), (X[:rows], Y[:rows])
    before = model.state()
    with pytest.raises(
        ValueError, match=rf"two rows or more.*received {rows} rows for .* {size}, .* {advice}"
    ):
        train(model, pair, batch_size=size)
    assert all(np.array_equal(value, before[name]) for name, value in model.state().items())
    with pytest.raises(ValueError, match="sweep: expected batches of two rows or more"):
        sweep(everything, pair, loss=loss.cross_entropy, optimizer=SGD, epochs=1, batch_size=size, **QUIET)


def test_a_last_batch_of_one_row_is_tried_without_leaving_a_trace() -> None:
    model, untouched = small(rate=0.5), small(rate=0.5)
    check_last_batch("fit", model, Rows(X[:5]), 4)
    assert same_state(model, untouched)
    assert np.array_equal(model.train()(X).numpy(), untouched.train()(X).numpy())


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
    assert measured([[0.2], [-0.3], [4.0], [-1.0]], [1, 1, 1, 0]) == 0.75
    assert measured([0.2], 1) == measured(0.2, 1) == 1.0
    with pytest.raises(ValueError, match=r"at least one prediction; received shape \(0, 1\)"):
        measured(np.zeros((0, 1)), np.zeros((0, 1)))
    with pytest.raises(ValueError, match=r"targets of shape \(4,\) \(labels\) or \(4, 3\); received \(3,\)"):
        measured(logits, [0, 1, 2])
