"""The base of every rule: all parameters as views into one flat buffer, settings that can change at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from dlcore import arrays
from dlcore.arrays import Array, hooks, namespace
from dlcore.backprop import Tensor

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

    All settings can be read and changed between any two steps: `optimizer.learning_rate = 0.1`.
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
        own = self._flat.device, self._flat.dtype
        for i, p in enumerate(self.parameters):
            if (p.device, p.dtype) != own:
                raise RuntimeError(
                    f"{type(self).__name__}: expected parameters on {own[0]!r} in {own[1]}, as when it was made; "
                    f"parameter {i} is now on {p.device!r} in {p.dtype}. Make the optimizer after model.to()"
                )
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
        if hooks.capturing is not None:
            raise RuntimeError(
                f"{type(self).__name__}: {name} was set inside a step that is being captured; every replay would set "
                "the same value again. Set it between two steps, outside of the captured function"
            )
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
