"""Penalties: a price on large weights, added to the loss.

    L2(λ)   ½ λ Σ w²    slope λ w          pulls in proportion: all weights become smaller
    L1(λ)   λ Σ |w|     slope λ sign(w)    pulls all alike: small weights become zero

Of plain gradient descent, L2 is weight decay: w ← w - η (∂L/∂w + λ w). Of Adam it is not, as Adam divides the slope
λ w by the size of the gradients, so that weights with large gradients decay less. AdamW decays them past the gradient.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from dlcore.arrays import asarray, dtype_name
from dlcore.backprop import Tensor, absolute
from dlcore.layers import Module

LossFunction = Callable[..., Tensor]


class Penalty:
    """Base of the penalties: finds the weights, adds up their price.

    Weights are the parameters of two axes or more; biases and the scales of normalizations go free.

    Args:
        strength: λ, at least 0; or, for an ensemble, one for each member.

    Raises:
        ValueError: a strength that is negative or not finite.
    """

    def __init__(self, strength: Any) -> None:
        values = np.asarray(strength, dtype=np.float64)
        if values.ndim > 1 or not np.all(np.isfinite(values) & (values >= 0)):
            raise ValueError(
                f"{type(self).__name__}: expected a strength of at least 0, or one for each member; received "
                f"{strength!r}. A negative one would reward large weights"
            )
        self.strength = values

    def __call__(self, model: Module | Iterable[Tensor], *, members: bool | None = None) -> Tensor:
        """Return the price of a model's weights, a Tensor with one number, or one for each member.

        Args:
            model: a module, or its parameters.
            members: whether the parameters have a leading axis of members; of a module it is known.

        Raises:
            ValueError: there are no weights, or not as many members as strengths.
        """
        if isinstance(model, Module):
            members = model.members is not None if members is None else members
            model = model.parameters()
        weights = _weights(model, bool(members))
        if not weights:
            raise ValueError(
                f"{type(self).__name__}: expected parameters of two axes or more; received none. Biases have no "
                "price: pass the whole model"
            )
        axes = [tuple(range(1, w.ndim)) if members else None for w in weights]
        parts = [self._price(w).sum(axis=axis) for w, axis in zip(weights, axes, strict=True)]
        total = sum(parts[1:], start=parts[0])
        price: Tensor = total * self._factor(total, bool(members))
        return price

    def on(self, loss: LossFunction) -> LossFunction:
        """Return `loss` plus this penalty, to be given to `fit` or `sweep`.

        The weights are those on the record of the predictions. Where nothing is recorded there are none, so that
        validation measures the loss as it is, without a penalty.

        >>> from dlcore import layers, loss
        >>> model = layers.Dense(1, 1, rng=np.random.default_rng(0))
        >>> model.load_state({"weight": [[3.0]], "bias": [0.0]})
        >>> L2(0.1).on(loss.mse)(model([[1.0]]), [[3.0]]).item()  # no error, and ½ 0.1 · 3²
        0.45000001788139343
        """

        def penalized(predictions: Tensor, targets: Any, *, members: bool = False, **options: Any) -> Tensor:
            how = {"members": True, **options} if members else options
            cost = loss(predictions, targets, **how)
            found = _weights(leaves(predictions), members)
            return cost + self(found, members=members) if found else cost

        return penalized

    def _price(self, w: Tensor) -> Tensor:
        """Return the price of each weight, but for the strength."""
        raise NotImplementedError(f"{type(self).__name__} does not implement _price")

    def _factor(self, total: Tensor, members: bool) -> Any:
        if self.strength.ndim == 0:
            return float(self.strength)
        if not members or self.strength.shape != total.shape:
            raise ValueError(
                f"{type(self).__name__}: expected one strength, or one for each member ({total.shape} here); "
                f"received {self.strength.shape}"
            )
        return asarray(self.strength, device=total.device, dtype=dtype_name(total.data))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.strength.tolist()})"


class L2(Penalty):
    """½ λ Σ w², with the slope λ w: each weight is pulled towards zero in proportion to its size.

    The prior it stands for is normal: weights of width √(1/λ), if the loss is a sum of negative log-likelihoods.

    Sources: Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970; Krogh and Hertz, "A simple weight decay
    can improve generalization", NIPS 1991.

    >>> w = Tensor([[3.0, -4.0]], requires_grad=True)
    >>> price = L2(0.1)([w]); price.backward()
    >>> round(price.item(), 4), w.grad.round(4).tolist()
    (1.25, [[0.30000001192092896, -0.4000000059604645]])
    """

    def _price(self, w: Tensor) -> Tensor:
        return 0.5 * (w * w)


class L1(Penalty):
    """λ Σ |w|, with the slope λ sign(w), 0 at 0: each weight is pulled towards zero by the same force.

    Gradient descent makes weights hover about zero, it does not make them zero: its steps overshoot.

    Source: Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58, 1996.

    >>> w = Tensor([[3.0, -4.0]], requires_grad=True)
    >>> price = L1(0.5)([w]); price.backward()
    >>> price.item(), w.grad.tolist()
    (3.5, [[0.5, -0.5]])
    """

    def _price(self, w: Tensor) -> Tensor:
        return absolute(w)


def leaves(result: Tensor) -> list[Tensor]:
    """Return the tensors that a result was made from, each once, oldest first: the parameters of a model."""
    found: dict[int, Tensor] = {}
    seen, waiting = {result.born}, [result]
    while waiting:
        tensor = waiting.pop()
        if tensor.requires_grad and not tensor.edges:
            found[tensor.born] = tensor
        for parent, _ in tensor.edges:
            if parent.born not in seen:
                seen.add(parent.born)
                waiting.append(parent)
    return [found[birth] for birth in sorted(found)]


def _weights(parameters: Iterable[Tensor], members: bool) -> list[Tensor]:
    return [p for p in parameters if p.ndim - members >= 2]
