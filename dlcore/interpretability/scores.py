"""What is explained: one number for each input, and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, dtype_name, is_floating, namespace, to_numpy
from dlcore.backprop import Tensor
from dlcore.layers import Module
from dlcore.layers.module import replaced
from dlcore.training.checks import is_finite
from dlcore.training.state import evaluating, in_mode

# Examples in one pass: more do not fit the processor's cache, fewer waste its width.
CHUNK = 256


@contextmanager
def at_rest(model: Module) -> Iterator[None]:
    """Hold the model still: evaluation mode, and no gradients by its parameters, which cost and are not asked for."""
    parameters = model.parameters()
    with in_mode(model, training=False):
        try:
            for parameter in parameters:
                parameter.requires_grad = False
            yield
        finally:
            for parameter in parameters:
                parameter.requires_grad = True


def as_inputs(name: str, inputs: Any) -> Array:
    """Return inputs as an array of floats, the first axis the batch.

    Raises:
        ValueError: no batch axis, no examples, or numbers that are no floats, or not finite.
    """
    x = asarray(inputs.data if isinstance(inputs, Tensor) else inputs)
    if x.ndim < 2 or not is_floating(x):
        raise ValueError(
            f"{name}: expected inputs of floats with the batch as first axis, (batch, features) or (batch, channels, "
            f"height, width); received shape {tuple(x.shape)}, {x.dtype}. One example alone: inputs[None]"
        )
    if 0 in x.shape or not is_finite(x):
        raise ValueError(
            f"{name}: expected at least one example, of finite numbers; received shape {tuple(x.shape)}"
            f"{'' if 0 in x.shape else ' with NaN or infinity in it'}"
        )
    return x


def pick(name: str, outputs: Tensor, target: Any) -> Tensor:
    """Return from outputs (batch, classes) the one that is asked about, shape (batch,).

    Args:
        name: who asks, for the error.
        outputs: shape (batch, classes), or (batch, 1) or (batch,) with target None.
        target: a class for each, shape (batch,), or None where there is one output.

    Raises:
        ValueError: a target that the outputs do not have.
    """
    if target is None:
        if outputs.ndim == 1:
            return outputs
        if outputs.ndim == 2 and outputs.shape[1] == 1:
            return outputs[:, 0]
        raise ValueError(
            f"{name}: expected a target, a class from 0 to {outputs.shape[-1] - 1}, as the model has outputs "
            f"{outputs.shape}; received None. Give the class to be explained: target=3"
        )
    if outputs.ndim != 2:
        raise ValueError(
            f"{name}: expected a model with outputs (batch, classes); received {outputs.shape}. Without classes leave "
            "target out"
        )
    batch, classes = outputs.shape
    if target.min() < 0 or target.max() >= classes:
        raise ValueError(
            f"{name}: expected a target from 0 to {classes - 1}, as the model has outputs {outputs.shape}; received "
            f"{target.min()} to {target.max()}"
        )
    one_hot = np.zeros((batch, classes), dtype=dtype_name(outputs.data))
    one_hot[np.arange(batch), target] = 1
    chosen: Tensor = (outputs * asarray(one_hot, device=outputs.device)).sum(axis=1)
    return chosen


def chunks(count: int, size: int = CHUNK) -> Iterator[slice]:
    """Yield slices that cover `count` rows, `size` at a time."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def each(name: str, target: Any, count: int) -> Any:
    """Return None, or one class for each of `count` examples as a NumPy array.

    Raises:
        ValueError: neither a class nor an integer array of that length.
    """
    if target is None:
        return None
    given = to_numpy(asarray(target))
    if given.dtype.kind not in "iu" or given.shape not in ((), (count,)):
        raise ValueError(
            f"{name}: expected target as a class, or an integer array of shape ({count},), one class for each input; "
            f"received {given.dtype} of shape {given.shape}"
        )
    return np.broadcast_to(given, (count,))


def part(targets: Any, rows: slice) -> Any:
    """Return the targets of some rows."""
    return None if targets is None else targets[rows]


def scores(name: str, model: Module, inputs: Array, target: Any) -> np.ndarray[Any, Any]:
    """Return the output that is asked about for each input, shape (batch,), without a record."""
    targets = each(name, target, inputs.shape[0])
    with evaluating(model):
        return np.concatenate(
            [
                pick(name, model(inputs[rows, ...]), part(targets, rows)).numpy()
                for rows in chunks(inputs.shape[0])
            ]
        )


def gradients(name: str, model: Module, inputs: Array, target: Any) -> Array:
    """Return the gradient of each example's score by that example, shaped like the inputs.

    The examples do not see each other in evaluation mode, so the gradient of the sum is all gradients at once.
    """
    xp, targets = namespace(inputs), each(name, target, inputs.shape[0])
    found = []
    with at_rest(model):
        for rows in chunks(inputs.shape[0]):
            x = Tensor(inputs[rows, ...], requires_grad=True)
            pick(name, model(x), part(targets, rows)).sum().backward()
            found.append(xp.zeros_like(x.data) if x.grad is None else x.grad)
    return found[0] if len(found) == 1 else xp.concat(found, axis=0)


@contextmanager
def watched(name: str, model: Module, layer: Module) -> Iterator[list[Tensor]]:
    """Yield a list that gets the layer's output whenever the model is called.

    Raises:
        ValueError: the layer is not a part of the model.
    """
    if not any(module is layer for module in model.modules()):
        raise ValueError(
            f"{name}: expected a layer of the model, say model[2]; received {layer!r}, which is none"
        )
    seen: list[Tensor] = []
    forward = layer.forward

    def watch(x: Tensor) -> Tensor:
        seen.append(forward(x))
        return seen[-1]

    with replaced(layer, watch):
        yield seen
