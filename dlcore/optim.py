"""Optimizers and learning-rate schedules (chapter Training).

By growing difficulty: SGD, Adagrad, RMSProp, Adam, AdamW; then schedules, then gradient clipping.

The base class lays all parameters into **one flat buffer**, of which each parameter becomes a view. An update
rule is then a few lines on one long array, and a step costs a few array operations however many layers there
are. NumPy works through it in blocks that fit the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import arrays
from .arrays import Array, hooks, namespace
from .backprop import Tensor

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "clip_grad_norm",
    "constant",
    "cosine",
    "one_cycle",
    "step",
    "warmup",
]

BLOCK = (
    16384  # numbers in a block: it fits the cache, and its temporaries need no fresh pages from the system
)


class Optimizer:
    """Base of all optimizers: owns the flat buffer and the state, walks it in blocks.

    A subclass names its state arrays and implements `_update`, in place, on one block of everything.

    Args:
        parameters: the tensors to train. Each becomes a view into one buffer.
        learning_rate: step size; a number, or for an ensemble one for each member.
        weight_decay: added to the gradient times the parameter (L2), also one per member if wished.
        members: number of members if every parameter has a leading axis of an ensemble.
        settings: further numbers of the rule, such as momentum.

    All settings can be read and changed at any time: `optimizer.learning_rate = 0.1`.
    """

    state_names: tuple[str, ...] = ()

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        learning_rate: Any,
        weight_decay: Any = 0.0,
        members: int | None = None,
        **settings: Any,
    ) -> None:
        self.parameters = list(parameters)
        self.members = members
        self._check_parameters()
        rows = () if members is None else (members,)
        self._flat = Tensor(self._joined([p.data for p in self.parameters]))
        self._blocks = self._slices()
        self._views: list[Array] = []
        self._claim()
        xp = namespace(self._flat.data)
        self._state = {name: Tensor(xp.zeros_like(self._flat.data)) for name in self.state_names}
        self._steps = Tensor(xp.zeros_like(xp.reshape(self._flat.data, (-1,))[0]))
        self._settings: dict[str, Tensor] = {}
        self._active: frozenset[str] = frozenset()
        for name, value in {"learning_rate": learning_rate, "weight_decay": weight_decay, **settings}.items():
            self._settings[name] = Tensor(
                xp.zeros_like(self._flat.data[..., :1] if rows else self._steps.data)
            )
            self._set(name, value)

    # -- the rule, and how it is applied

    def _update(self, p: Array, g: Array, **state: Array) -> None:
        """Change the block `p` of parameters in place, given its gradient and the blocks of the state."""
        raise NotImplementedError(f"{type(self).__name__} does not implement _update")

    def step(self) -> None:
        """Change every parameter by its gradient.

        Raises:
            RuntimeError: a parameter has no gradient.
        """
        if hooks.capturing is not None:
            hooks.guard(self._check_unchanged(self._active))
        gradients = []
        for p, view in zip(self.parameters, self._views, strict=True):
            if p.grad is None:
                self._refuse_missing()
            if p.data is not view and hooks.capturing is None:  # someone put new data there
                self._claim()
            gradients.append(p.grad)
        gradient = self._joined(gradients)
        self._prepare()
        flat, state = self._flat.data, {name: t.data for name, t in self._state.items()}
        decayed = "weight_decay" in self._active and not self.decoupled
        for part in self._blocks:
            p, g = flat[part], gradient[part]
            if decayed:
                g = g + self._get("weight_decay") * p
            self._update(p, g, **{name: s[part] for name, s in state.items()})

    decoupled = False  # whether weight decay acts on the parameters directly, past the gradient

    def _prepare(self) -> None:
        """Compute what all blocks of this step share."""

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward pass starts from none."""
        for p in self.parameters:
            p.grad = None

    # -- the flat buffer

    def _check_parameters(self) -> None:
        name = type(self).__name__
        if not self.parameters:
            raise ValueError(
                f"{name}: expected at least one parameter; received none. Pass model.parameters()"
            )
        for i, p in enumerate(self.parameters):
            if not getattr(p, "requires_grad", False):
                raise TypeError(
                    f"{name}: expected tensors that require a gradient; parameter {i} is {p!r}. "
                    "Pass model.parameters()"
                )
            if self.members is not None and p.shape[:1] != (self.members,):
                raise ValueError(
                    f"{name}: expected a leading axis of {self.members} members; parameter {i} has shape {p.shape}"
                )
        first = self.parameters[0]
        for i, p in enumerate(self.parameters):
            if p.device != first.device or p.dtype != first.dtype:
                raise ValueError(
                    f"{name}: expected all parameters on one device in one dtype; parameter 0 is {first.dtype} on "
                    f"{first.device}, parameter {i} {p.dtype} on {p.device}. Use model.to(device=, dtype=)"
                )

    def _joined(self, parts: list[Array]) -> Array:
        """Lay arrays end to end: shape (numbers,), or (members, numbers)."""
        xp = namespace(parts[0])
        if self.members is None:
            return xp.concat(parts, axis=None)
        return xp.concat([xp.reshape(part, (self.members, -1)) for part in parts], axis=-1)

    def _slices(self) -> list[Any]:
        """Return the blocks of the buffer that a step works through; on torch the whole."""
        flat = self._flat.data
        width = flat.shape[-1]
        block = max(1, BLOCK // (self.members or 1))
        if arrays.library(flat) != "numpy" or width <= block:
            return [...]
        return [(..., slice(start, start + block)) for start in range(0, width, block)]

    def _claim(self) -> None:
        """Make every parameter a view into the buffer, taking over values that were put elsewhere."""
        flat, start = self._flat.data, 0
        xp = namespace(flat)
        views = []
        for p in self.parameters:
            width = p.size // (self.members or 1)
            view = xp.reshape(flat[..., start : start + width], p.shape)
            start += width
            if self._views:
                arrays.copy_into(view, p.data)
            p.data = view
            views.append(view)
        self._views = views

    def _refuse_missing(self) -> None:
        missing = [p.shape for p in self.parameters if p.grad is None]
        raise RuntimeError(
            f"{type(self).__name__}.step: {len(missing)} of {len(self.parameters)} parameters have no gradient (shapes "
            f"{missing[:3]}). Call loss.backward() before step(), and give the optimizer only parameters that the "
            "loss depends on"
        )

    # -- settings

    def _set(self, name: str, value: Any) -> None:
        target = self._settings[name].data
        values = np.asarray(arrays.to_numpy(value), dtype=np.float64)
        if not np.isfinite(values).all() or (values < 0).any():
            raise ValueError(
                f"{type(self).__name__}: expected {name} to be finite and not negative; received {value}"
            )
        if values.ndim and values.size != math.prod(target.shape):
            raise ValueError(
                f"{type(self).__name__}: expected one {name}, or one for each of "
                f"{self.members or 'no'} members; received {values.size}"
            )
        arrays.copy_into(
            target, np.broadcast_to(values.reshape(-1, 1) if values.ndim else values, target.shape)
        )
        # A setting of 0 leaves its term out of the update altogether.
        others = self._active - {name}
        self._active = frozenset(others | {name}) if values.any() else others

    def _get(self, name: str) -> Array:
        return self._settings[name].data

    def _check_unchanged(self, active: frozenset[str]) -> Callable[[], None]:
        def check() -> None:
            if self._active != active:
                changed = ", ".join(sorted(self._active ^ active))
                raise RuntimeError(
                    f"{type(self).__name__}: {changed} was switched on or off since the step was captured; "
                    "capture the step again"
                )

        return check

    def __getattr__(self, name: str) -> Any:
        settings = self.__dict__.get("_settings", {})
        if name not in settings:
            raise AttributeError(
                f"{type(self).__name__} has no setting {name!r}; it has {', '.join(settings)}"
            )
        values = arrays.to_numpy(settings[name].data)
        return values.item() if values.size == 1 else values.ravel().copy()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_settings", {}):
            self._set(name, value)
        else:
            if name[0] != "_" and "_settings" in self.__dict__:
                getattr(self, name)  # a misspelt setting is no field either, and this says so
            super().__setattr__(name, value)

    # -- saving

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of all state and settings as NumPy arrays, by name."""
        return {name: np.array(t.numpy()) for name, t in self._tensors().items()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Overwrite all state and settings, in place.

        Raises:
            ValueError: a name is missing or unknown, or a shape differs.
        """
        own = self._tensors()
        if own.keys() != state.keys():
            raise ValueError(
                f"{type(self).__name__}.load_state: expected {sorted(own)}; received {sorted(state)}. "
                "Make the same optimizer as the one that was saved"
            )
        for name, tensor in own.items():
            arrays.copy_into(tensor.data, state[name])
        for name in self._settings:
            self._set(
                name,
                state[f"setting.{name}"]
                if state[f"setting.{name}"].ndim
                else float(state[f"setting.{name}"]),
            )

    def _tensors(self) -> dict[str, Tensor]:
        return {
            "steps": self._steps,
            **{f"state.{name}": t for name, t in self._state.items()},
            **{f"setting.{name}": t for name, t in self._settings.items()},
        }

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)}" for name in self._settings)
        return f"{type(self).__name__}({settings})"


# ------------------------------------------------------------------------------------------------- rules


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
        self.epsilon = epsilon
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
        self.decay, self.epsilon = _fraction("RMSProp", "decay", decay), epsilon
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
        self.epsilon = epsilon
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

    Source: Loshchilov and Hutter, ICLR 2019, algorithm 2.
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


# --------------------------------------------------------------------------------------------- schedules
# A schedule is a function from the number of finished steps (0, 1, 2, …) to a factor of the learning rate.

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """Return the schedule that leaves the rate as it is."""
    return lambda _: 1.0


def step(every: int, factor: float = 0.1) -> Schedule:
    """Return the schedule that multiplies the rate by `factor` after every `every` steps.

    >>> [step(2, 0.5)(i) for i in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _positive("step", every=every)
    return lambda i: factor ** (i // every)


def cosine(total: int, final: float = 0.0) -> Schedule:
    """Return half a cosine wave from 1 down to `final` over `total` steps, `final` ever after.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5 (one period).
    """
    _positive("cosine", total=total)
    return lambda i: final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(i, total) / total))


def warmup(steps: int, after: Schedule | None = None) -> Schedule:
    """Return a line from 1 / steps up to 1 over `steps` steps, then the schedule `after` (constant if None).

    Source: Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2.
    """
    _positive("warmup", steps=steps)
    following = after or constant()
    return lambda i: (i + 1) / steps if i < steps else following(i - steps)


def one_cycle(total: int, rise: float = 0.3, start: float = 0.04, final: float = 1e-4) -> Schedule:
    """Return half a cosine up from `start` to 1, then one down to start · final, over `total` steps.

    Source: Smith and Topin, "Super-convergence", 2019; the shape and the defaults are torch's OneCycleLR.

    Args:
        total: number of steps of the whole cycle.
        rise: share of the cycle spent rising.
        start: first factor.
        final: last factor, relative to `start`.
    """
    _positive("one_cycle", total=total)
    if not 0 <= rise <= 1:
        raise ValueError(f"one_cycle: expected rise from 0 to 1; received {rise}")
    top = rise * total - 1

    def between(a: float, b: float, share: float) -> float:
        return b + (a - b) * 0.5 * (1 + math.cos(math.pi * share))

    def factor(i: int) -> float:
        i = min(i, total - 1)
        if i == top:
            return 1.0
        if i < top:
            return between(start, 1.0, i / top)
        return between(1.0, start * final, (i - top) / (total - 1 - top))

    return factor


def _positive(name: str, **numbers: int) -> None:
    for argument, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name}: expected {argument} of at least 1; received {value}")


# ---------------------------------------------------------------------------------------------- clipping


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
