"""The update rules: what a step makes of a gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from dlcore.arrays import Array, namespace
from dlcore.backprop import Tensor

from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro, 1951), with momentum if wished (Polyak, 1964).

    v ← momentum · v + g;  p ← p - learning_rate · v, or with nesterov · (g + momentum · v)
    (Sutskever et al., ICML 2013).

    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], learning_rate=0.1)
    >>> (w * w).backward(); optimizer.step(); w
    Tensor([0.8], requires_grad=True)
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: Any,
        *,
        momentum: Any = 0.0,
        nesterov: bool = False,
        weight_decay: Any = 0.0,
        members: int | None = None,
    ) -> None:
        self.nesterov = nesterov
        if nesterov and not np.any(momentum):
            raise ValueError("SGD: nesterov needs a momentum; received momentum=0. Pass momentum=0.9")
        self.state_names = ("velocity",)
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            members=members,
        )

    def _update(self, p: Array, g: Array, **state: Array) -> None:
        if "momentum" in self._active:
            velocity = state["velocity"]
            velocity *= self._get("momentum")
            velocity += g
            g = g + self._get("momentum") * velocity if self.nesterov else velocity
        p -= self._get("learning_rate") * g


class Adagrad(Optimizer):
    """Rates that shrink with the squared gradients seen so far (Duchi, Hazan and Singer, JMLR 12, 2011).

    s ← s + g²;  p ← p - learning_rate · g / (√s + epsilon)
    """

    state_names = ("squares",)

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: Any = 0.01,
        *,
        epsilon: float = 1e-10,
        weight_decay: Any = 0.0,
        members: int | None = None,
    ) -> None:
        self.epsilon = _not_negative("Adagrad", epsilon)
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay, members=members)

    def _update(self, p: Array, g: Array, **state: Array) -> None:
        squares = state["squares"]
        squares += g * g
        p -= self._get("learning_rate") * g / (namespace(p).sqrt(squares) + self.epsilon)


class RMSProp(Optimizer):
    """Rates divided by a running root mean square of the gradient (Tieleman and Hinton, lecture 6.5, 2012).

    s ← decay · s + (1 - decay) · g²;  p ← p - learning_rate · g / (√s + epsilon)
    """

    state_names = ("squares",)

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: Any = 0.01,
        *,
        decay: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: Any = 0.0,
        members: int | None = None,
    ) -> None:
        self.decay, self.epsilon = _fraction("RMSProp", "decay", decay), _not_negative("RMSProp", epsilon)
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay, members=members)

    def _update(self, p: Array, g: Array, **state: Array) -> None:
        squares = state["squares"]
        squares *= self.decay
        squares += (1 - self.decay) * (g * g)
        p -= self._get("learning_rate") * g / (namespace(p).sqrt(squares) + self.epsilon)


class Adam(Optimizer):
    """Running means of the gradient and of its square, both freed from their bias towards 0.

    m ← β₁ m + (1 - β₁) g;  s ← β₂ s + (1 - β₂) g²
    p ← p - learning_rate · m̂ / (√ŝ + epsilon), with m̂ = m / (1 - β₁ᵗ) and ŝ = s / (1 - β₂ᵗ)

    The state holds the sums m / (1 - β₁) and s / (1 - β₂) instead, which saves two passes over the numbers.
    Source: Kingma and Ba, ICLR 2015, algorithm 1. Weight decay is added to the gradient; see AdamW.
    """

    state_names = ("gradients", "squares")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: Any = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: Any = 0.0,
        members: int | None = None,
    ) -> None:
        name = type(self).__name__
        self.betas = (_fraction(name, "betas[0]", betas[0]), _fraction(name, "betas[1]", betas[1]))
        self.epsilon = _not_negative(name, epsilon)
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay, members=members)

    def _prepare(self) -> None:
        # All factors as two numbers for the whole step: lr · m̂ / (√ŝ + ε) = size · gradients / (√squares + floor).
        self._steps.data += 1
        # 1 - βᵗ is written as -expm1(t log β): in float32, 1 - 0.999 would be wrong in the fifth digit.
        xp, t = namespace(self._steps.data), self._steps.data
        terms1, terms2 = (-xp.expm1(t * (math.log(b) if b else -math.inf)) / (1 - b) for b in self.betas)
        root = xp.sqrt(terms2)
        self._size = self._get("learning_rate") * (root / terms1)
        self._floor = self.epsilon * root

    def _update(self, p: Array, g: Array, **state: Array) -> None:
        gradients, squares = state["gradients"], state["squares"]
        b1, b2 = self.betas
        if self.decoupled and "weight_decay" in self._active:
            p *= 1 - self._get("learning_rate") * self._get("weight_decay")
        gradients *= b1
        gradients += g
        squares *= b2
        squares += g * g
        p -= self._size * gradients / (namespace(p).sqrt(squares) + self._floor)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters directly: p ← p - learning_rate · weight_decay · p.

    Source: Loshchilov and Hutter, ICLR 2019, algorithm 2, which scales the decay with a schedule's factor alone; that
    it scales with the whole learning rate is torch's variant.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: Any = 0.001,
        *,
        weight_decay: Any = 0.01,
        **adam: Any,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay=weight_decay, **adam)


def _fraction(name: str, setting: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name}: expected {setting} from 0 to below 1; received {value}")
    return value


def _not_negative(name: str, epsilon: float) -> float:
    if not 0 <= epsilon < math.inf:
        raise ValueError(f"{name}: expected epsilon to be finite and not negative; received {epsilon}")
    return epsilon
