"""What a training asks of its arguments, and how it says no."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, device_of, dtype_name, is_floating, namespace, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.convolution import Conv2d
from dlcore.data.checks import count_rows
from dlcore.layers import BatchNorm, Dense, Embedding, LayerNorm, Module
from dlcore.optim import Optimizer

from .rows import Rows
from .state import evaluating


def checked_pair(name: str, what: str, data: Any, model: Module) -> tuple[Array, Array]:
    """Return inputs and targets as finite arrays with the same rows, in the model's precision.

    Raises:
        TypeError: not a pair; not numbers; integers where the model's first layer needs floats.
        ValueError: no rows, different numbers of rows, another device than the model's, NaN or infinity.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        kind = f"{type(data).__name__}{f' of {len(data)}' if isinstance(data, (tuple, list)) else ''}"
        raise TypeError(f"{name}: expected {what} as a pair (inputs, targets); received a {kind}")
    inputs, targets = (asarray(x.data if isinstance(x, Tensor) else x) for x in data)
    own = next((tensor for _, tensor in model.named_tensors()), None)
    for part, x in (("inputs", inputs), ("targets", targets)):
        if own is not None and device_of(x) != own.device:
            raise ValueError(
                f"{name}: expected the {part} of {what} on the model's device {own.device!r}; received "
                f"{device_of(x)!r}. Bring them there with dlcore.arrays.asarray(x, device={own.device!r})"
            )
    count_rows(name, inputs, targets)
    for part, x in (("inputs", inputs), ("targets", targets)):
        _check_finite(name, f"{part} of {what}", x)
    _check_kind(name, inputs, model)
    if own is not None and is_floating(own.data):
        # One precision, the model's: float64 rows would quietly turn every result into float64.
        inputs, targets = (
            asarray(x, dtype=dtype_name(own.data)) if is_floating(x) else x for x in (inputs, targets)
        )
    return inputs, targets


def is_finite(x: Array) -> bool:
    """Tell whether an array holds neither NaN nor infinity; integers never do."""
    xp = namespace(x)
    return not is_floating(x) or bool(xp.all(xp.isfinite(x)))


def _check_finite(name: str, what: str, x: Array) -> None:
    if is_finite(x):
        return
    bad = ~np.isfinite(to_numpy(x)).reshape(x.shape[0], -1).all(axis=1)
    raise ValueError(
        f"{name}: expected finite numbers; received NaN or infinity in {bad.sum()} of {len(bad)} rows of the "
        f"{what}, first in row {int(bad.argmax())}. Drop such rows or fill the gaps"
    )


def _check_kind(name: str, inputs: Array, model: Module) -> None:
    first = next((m for m in model.modules() if any(isinstance(v, Tensor) for v in vars(m).values())), None)
    if isinstance(first, (Dense, BatchNorm, LayerNorm, Conv2d)) and not is_floating(inputs):
        raise TypeError(
            f"{name}: expected inputs in floats, the first layer being {first!r}; received {inputs.dtype}. "
            "Convert them with dlcore.arrays.asarray(x, dtype='float32')"
        )
    if isinstance(first, Embedding) and is_floating(inputs):
        raise TypeError(
            f"{name}: expected inputs in integers, the first layer being {first!r}; received {inputs.dtype}. "
            "Convert them with dlcore.arrays.asarray(x, dtype='int64')"
        )


def check_model(name: str, model: Any) -> None:
    """Refuse what is no module.

    Raises:
        TypeError: with what to do about it.
    """
    if not isinstance(model, Module):
        hint = ". Make an instance of it with parentheses" if isinstance(model, type) else ""
        raise TypeError(f"{name}: expected a Module as model; received {model!r}{hint}")


def check_callable(name: str, argument: str, value: Any, example: str) -> None:
    """Refuse what cannot be called.

    Raises:
        TypeError: naming the argument and an example.
    """
    if not callable(value):
        raise TypeError(
            f"{name}: expected {argument} to be a function, such as {example}; received {value!r}"
        )


def check_options(name: str, loss: Any, schedule: Any, clip: Any, capture: Any, callbacks: Any) -> None:
    """Refuse what cannot steer a training.

    Raises:
        TypeError: something that should be a function is none.
        ValueError: an unknown way of capturing, or a clip that is not above 0.
    """
    check_callable(name, "loss", loss, "loss.cross_entropy")
    if schedule is not None:
        check_callable(name, "schedule", schedule, "optim.cosine(total)")
    if clip is not None and not clip > 0:
        raise ValueError(
            f"{name}: expected clip, the greatest length of the gradients, above 0; received {clip!r}"
        )
    if capture not in (False, True, "auto"):
        raise ValueError(f"{name}: expected capture to be False, True or 'auto'; received {capture!r}")
    for callback in callbacks:
        function = getattr(callback, "callback", callback)  # what EachStep wraps
        check_callable(name, "a callback", function, "lambda state: print(state.history.epochs[-1])")


def checked_optimizer(name: str, optimizer: Any, model: Module) -> Optimizer:
    """Return the optimizer itself, or the one that a factory makes for the model's parameters.

    Raises:
        TypeError: neither an optimizer nor a factory.
        ValueError: an optimizer that owns no parameter of the model.
    """
    if isinstance(optimizer, Optimizer):
        own = {id(p) for p in model.parameters()}
        if not any(id(p) in own for p in optimizer.parameters):
            raise ValueError(
                f"{name}: expected an optimizer of this model's parameters; {type(optimizer).__name__} owns none of "
                "them. Make it with model.parameters() of this very model, or pass a factory such as optim.Adam"
            )
        return optimizer
    check_callable(name, "optimizer", optimizer, "optim.Adam, or an optimizer")
    made = made_by(name, optimizer, model.parameters())
    if not isinstance(made, Optimizer):
        raise TypeError(f"{name}: expected the factory to return an optimizer; received {made!r}")
    return made


def made_by(name: str, factory: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """Return what a factory makes of the parameters, or say which of its settings is missing.

    Raises:
        TypeError: the factory cannot be called so.
    """
    try:
        inspect.signature(factory).bind(*arguments, **settings)
    except TypeError as error:
        raise TypeError(
            f"{name}: expected an optimizer, or what makes one of the parameters alone; received {factory!r}: {error}. "
            "Settle it beforehand, as in functools.partial(optim.SGD, learning_rate=0.1)"
        ) from None
    return factory(*arguments, **settings)


def probe(name: str, model: Module, loss: Callable[..., Tensor], inputs: Rows, targets: Rows) -> None:
    """Try model and loss once, so that what they refuse is refused before the first step.

    The rows with the least and the greatest target stand for all: labels out of range are among them.

    Raises:
        TypeError: the loss returns no Tensor.
        ValueError: it returns more than one number (for each member); and whatever model and loss refuse.
    """
    rows = targets.extremes()
    members = model.members
    options = {} if members is None else {"members": True}
    with evaluating(model), np.errstate(all="ignore"):
        value = loss(model(inputs.take(rows)), targets.take(rows), **options)
    wanted = () if members is None else (members,)
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name}: expected the loss to return a Tensor; received {type(value).__name__}. Compute it with the "
            "functions of dlcore, which keep the record that backward needs"
        )
    if value.shape != wanted:
        many = (
            "one number" if members is None else f"one number for each of {members} members, shape {wanted}"
        )
        raise ValueError(
            f"{name}: expected the loss to be {many}; received shape {value.shape}. Use reduction='mean'"
        )


def check_last_batch(name: str, model: Module, inputs: Rows, batch_size: int) -> None:
    """Refuse, before the first step, a batch of one row that the model cannot be trained on, as BatchNorm cannot.

    Raises:
        ValueError: with a batch size that leaves no single row.
    """
    rows = inputs.count
    if (rows % batch_size or min(batch_size, rows)) > 1:
        return
    trial = copy.deepcopy(model).train()  # it may draw, and keep averages of what it sees
    try:
        with no_grad(), np.errstate(all="ignore"):
            trial(inputs.slice(0, 1))
    except ValueError as error:
        other = next((size for size in range(batch_size + 1, rows + 1) if rows % size != 1), None)
        advice = f"Take batch_size={other}, say" if other else "Bring more rows"
        raise ValueError(
            f"{name}: expected batches of two rows or more, since the model refuses a single one ({error}); received "
            f"{rows} rows for batches of {batch_size}, which leave one. {advice}"
        ) from error
