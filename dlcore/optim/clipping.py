"""Gradient clipping: a gradient that is longer than a bound is shortened to it."""

from __future__ import annotations

from collections.abc import Iterable

from dlcore.arrays import Array, namespace
from dlcore.backprop import Tensor


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float, *, members: bool = False) -> Array:
    """Scale all gradients so that their common Euclidean length is at most `max_norm`; return the length before.

    With `members`, parameters have a leading axis of members, and each member has a length of its own.

    Source: Pascanu, Mikolov and Bengio, ICML 2013, algorithm 1.

    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> (0.5 * w * w).sum().backward()
    >>> float(clip_grad_norm([w], 1.0)), w.grad.round(2).tolist()
    (5.0, [0.6000000238418579, 0.800000011920929])
    """
    if not max_norm > 0:
        raise ValueError(f"clip_grad_norm: expected max_norm above 0; received {max_norm}")
    with_grad = [(p, p.grad) for p in parameters if p.grad is not None]
    if not with_grad:
        raise RuntimeError("clip_grad_norm: no parameter has a gradient. Call loss.backward() first")
    xp = namespace(with_grad[0][1])
    squares = [xp.sum(g * g, axis=tuple(range(1, g.ndim)) if members else None) for _, g in with_grad]
    norm = xp.sqrt(sum(squares[1:], squares[0]))
    scale = xp.minimum(max_norm / (norm + 1e-6), 1.0)  # no `if`: a captured step must not ask for values
    for p, g in with_grad:
        p.grad = g * (xp.reshape(scale, (-1,) + (1,) * (g.ndim - 1)) if members else scale)
    return norm
