"""Training one network, from the start or from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor
from dlcore.layers import Module
from dlcore.optim import Optimizer, Schedule

from .checkpoint import load, save
from .checks import (
    check_last_batch,
    check_model,
    check_options,
    checked_optimizer,
    checked_pair,
    probe,
)
from .history import History
from .loop import Callback, Capture, EachStep, Loop
from .metrics import Metrics, named
from .rows import Rows
from .state import SHUFFLING, generator

OptimizerLike = Optimizer | Callable[..., Optimizer]
Data = tuple[Any, Any]


def fit(
    model: Module,
    data: Data,
    *,
    loss: Callable[..., Tensor],
    optimizer: OptimizerLike,
    epochs: int,
    batch_size: int,
    validation: Data | None = None,
    metrics: Metrics = None,
    callbacks: Sequence[Callback | EachStep] = (),
    seed: int = 0,
    shuffle: bool = True,
    schedule: Schedule | None = None,
    clip: float | None = None,
    capture: Capture = False,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1,
    start: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train a model on data: θ ← θ - update(∇ loss) for each batch, all rows once in each epoch.

    The same arguments give the same numbers, bit for bit. KeyboardInterrupt ends the training after the step
    it falls into; the history so far is returned, marked as interrupted.

    Args:
        model: the network; it is changed, and in the end in the mode (training or evaluation) that it was in.
        data: inputs and targets, arrays with rows first, on the model's device.
        loss: function (predictions, targets) → Tensor with one number.
        optimizer: an optimizer of the model's parameters, or a function that makes it of them (optim.Adam).
        epochs: how often all rows are gone through.
        batch_size: rows in a batch; the last batch of an epoch holds what is left.
        validation: inputs and targets to measure after each epoch, without training on them.
        metrics: functions (predictions, targets) → number on plain arrays, such as `accuracy`: one, several, or
            by name. On the training rows they judge the predictions made while training went on.
        callbacks: functions of a `State`, called after each epoch, or wrapped in `EachStep` after each step.
        seed: of the generator that shuffles.
        shuffle: whether each epoch has an order of its own; else rows come as they are.
        schedule: function from the number of finished steps to a factor of the learning rate (see optim). It sets
            the rate of each step, whatever a callback has made of it.
        clip: the greatest common length of the gradients.
        capture: True replays a recorded step (see dlcore.capture), "auto" does so where it is possible.
        checkpoint: file to save everything to, for `resume`.
        checkpoint_every: after how many epochs to save (and after the last).
        start: a checkpoint to go on from, as `resume` does.
        progress: show a bar.

    Returns:
        the history: every step's loss, every epoch's measurements.

    Raises:
        TypeError: an argument of the wrong kind; integers where floats belong.
        ValueError: no rows, rows that do not fit together, non-finite numbers, labels out of range, another
            device, an optimizer of another model, a last batch of one row for a model with BatchNorm.
        Diverged: the loss became NaN or infinite; says which tensor was the first, and holds the history.

    >>> import numpy as np
    >>> from dlcore import layers, loss, optim
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> model = layers.Dense(1, 1, rng=np.random.default_rng(0))
    >>> history = fit(model, (x, 3 * x - 1), loss=loss.mse, optimizer=optim.SGD(model.parameters(), 0.3),
    ...               epochs=30, batch_size=5, progress=False)
    >>> round(model.weight.item(), 3), round(model.bias.item(), 3), len(history.losses)
    (3.0, -1.0, 120)
    """
    check_model("fit", model)
    check_whole("fit", epochs=epochs, batch_size=batch_size, checkpoint_every=checkpoint_every)
    check_options("fit", loss, schedule, clip, capture, callbacks)
    if model.members is not None:
        raise ValueError(
            f"fit: expected a single network; received an ensemble of {model.members}. Use sweep"
        )
    rows = _checked_rows("data", data, model, loss)
    check_last_batch("fit", model, rows[0], batch_size)
    optimizer = checked_optimizer("fit", optimizer, model)
    rng = generator(seed, SHUFFLING)
    settings = {"seed": seed, "batch_size": batch_size, "shuffle": shuffle, "rows": rows[0].count}
    history = History()
    if start is not None:
        history = load(start, model, optimizer=optimizer, rng=rng, settings=settings).history
    loop = Loop(
        model,
        optimizer,
        loss,
        *rows,
        rngs=[rng],
        batch_size=batch_size,
        validation=None if validation is None else _checked_rows("validation", validation, model, loss),
        metrics=named("fit", metrics),
        callbacks=callbacks,
        shuffle=shuffle,
        schedule=schedule,
        clip=clip,
        capture=capture,
        history=history,
    )

    def save_if_due(history: History) -> None:
        due = loop.state.epoch % checkpoint_every == 0 or loop.state.epoch == epochs or loop.state.stopped
        if checkpoint is not None and due:
            save(checkpoint, model, optimizer=optimizer, history=history, rng=rng, settings=settings)

    return loop.run(epochs, progress=progress, save=save_if_due)


def _checked_rows(what: str, data: Any, model: Module, loss: Callable[..., Tensor]) -> tuple[Rows, Rows]:
    inputs, targets = (Rows(part) for part in checked_pair("fit", what, data, model))
    probe("fit", model, loss, inputs, targets)
    return inputs, targets


def resume(path: str | Path, model: Module, data: Data, **arguments: Any) -> History:
    """Go on with a training that was saved by `fit(checkpoint=path)`, as if it had never been interrupted.

    Give what `fit` was given: the model and optimizer (made anew, their weights and state are overwritten), the
    data, and all keyword arguments; `epochs` may be greater. The result is that of an uninterrupted run, bit for
    bit, callbacks that remember something apart: their memory is not in the file.

    Args:
        path: the checkpoint; further ones are saved to it too, unless `checkpoint` says otherwise.
        model: a network of the same architecture.
        data: the same inputs and targets.
        arguments: the keyword arguments of `fit`.

    Returns:
        the history of the whole training.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or was saved from another model, optimizer, seed or batch size.
    """
    return fit(model, data, start=path, **{"checkpoint": path, **arguments})
