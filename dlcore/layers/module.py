"""The base of every layer: finds the parameters, switches to training and back, saves, tells the shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from dlcore import arrays
from dlcore.arrays import asarray, hooks
from dlcore.backprop import Tensor, no_grad


class Module:
    """A piece of a network: a callable on Tensors that owns parameters, buffers and other modules.

    Subclasses set their fields in `__init__` and implement `forward`. Every Tensor among the fields that
    requires a gradient is a parameter; one that does not is a buffer (state that is saved but not trained). A
    result that is on the record, say `self.hidden = layer(x)` in `forward`, is neither, nor is a Tensor in a list.
    Modules are found in fields, and in lists, tuples and dicts there.

    Attributes:
        training: whether layers that behave differently in training (Dropout, BatchNorm) shall do so.
        members: the number of networks in an ensemble, or None for a single network.
    """

    training: bool = True
    members: int | None = None
    _input_dtype: str | None = None  # of a layer whose inputs have another dtype than its parameters

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output; each subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} does not implement forward(x)")

    def __call__(self, x: Any) -> Tensor:
        """Return the output for `x`, a Tensor or array whose first axis is the batch."""
        return self.forward(x if type(x) is Tensor else Tensor(x))

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that this one owns directly, with their names."""
        for name, value in vars(self).items():
            yield from _modules_in(name, value)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it."""
        yield self
        for _, child in self.children():
            yield from child.modules()

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield all parameters and buffers with their dotted names, in the order of the layers."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor) and not value.edges:
                yield name, value
        for prefix, child in self.children():
            yield from ((f"{prefix}.{name}", tensor) for name, tensor in child.named_tensors())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the parameters with their dotted names, say "layers.0.weight"."""
        return ((name, tensor) for name, tensor in self.named_tensors() if tensor.requires_grad)

    def parameters(self) -> list[Tensor]:
        """Return the parameters, in the order of the layers; one that is used in two places comes once."""
        return list(dict.fromkeys(tensor for _, tensor in self.named_parameters()))

    def train(self) -> Module:
        """Switch to training: Dropout drops, BatchNorm uses the batch. Returns the module."""
        return self._set_training(True)

    def eval(self) -> Module:
        """Switch to evaluation: Dropout passes all, BatchNorm uses what it learnt. Returns the module."""
        return self._set_training(False)

    def _behaves_as_in_training(self) -> bool:
        """Return `training`, and let a step that is being captured notice when it changes."""
        if hooks.capturing is not None:
            hooks.guard(functools.partial(self._check_mode, self.training))
        return self.training

    def _check_mode(self, training: bool) -> None:
        if self.training != training:
            now, then = ("train()", "eval()") if self.training else ("eval()", "train()")
            raise RuntimeError(
                f"{type(self).__name__}: the step was captured in the mode of {then}; the model is in that of {now} "
                f"now. Call model.{then} before the step, or capture a second one for this mode"
            )

    def _set_training(self, training: bool) -> Module:
        for module in self.modules():
            module.training = training
        return self

    def to(self, device: str | None = None, dtype: str | None = None) -> Module:
        """Move all parameters and buffers to a device or dtype, in place; do so before making an optimizer."""
        for _, tensor in self.named_tensors():
            tensor.data = asarray(tensor.data, device=device, dtype=dtype)
            tensor.grad = None
        return self

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of all parameters and buffers as NumPy arrays, by name."""
        return {name: np.array(tensor.numpy()) for name, tensor in self.named_tensors()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Overwrite all parameters and buffers with those of `state`, in place.

        Raises:
            ValueError: a name is missing or unknown, or a shape differs. Nothing is changed then.
        """
        own = dict(self.named_tensors())
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            raise ValueError(
                f"load_state: expected exactly the names of this model; missing: {missing or 'none'}, "
                f"unknown: {unknown or 'none'}. Build the model as it was built when the state was saved"
            )
        for name, tensor in own.items():
            if tuple(np.shape(state[name])) != tensor.shape:
                raise ValueError(
                    f"load_state: expected {name} of shape {tensor.shape}; received {tuple(np.shape(state[name]))}"
                )
        for name, tensor in own.items():
            arrays.copy_into(tensor.data, state[name])

    def summary(self, input_shape: Sequence[int] | None = None) -> str:
        """Return a table of the layers: name, output shape, number of parameters.

        Args:
            input_shape: shape of a batch, say (1, 784); without it the column of shapes is left out.
        """
        shapes = self._output_shapes(tuple(input_shape)) if input_shape is not None else {}
        rows = [("layer", "output" if shapes else "", "parameters")]
        for name, module in self._parts():
            count = sum(p.size for p in module.parameters())
            label = f"{name.removeprefix('layers.')} {module!r}".strip()
            rows.append((label, str(shapes.get(id(module), "")), f"{count:,}"))
        rows.append(("total", "", f"{sum(p.size for p in self.parameters()):,}"))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        return "\n".join(line.rstrip() for line in lines)

    def _parts(self) -> list[tuple[str, Module]]:
        return list(self.children()) or [("", self)]

    def _output_shapes(self, input_shape: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        """Return the shape of each part's latest output, by the part's id, when a batch of zeros goes through."""
        shapes: dict[int, tuple[int, ...]] = {}

        def watch(module: Module) -> Callable[..., Any]:
            forward = module.forward

            def watched(*inputs: Any, **options: Any) -> Any:
                y = forward(*inputs, **options)
                if isinstance(y, Tensor):
                    shapes[id(module)] = y.shape
                return y

            return watched

        first = next((t for _, t in self.named_tensors()), Tensor(0.0))
        leaf = next(m for m in self.modules() if not any(True for _ in m.children()))
        dtype = leaf._input_dtype or arrays.dtype_name(first.data)
        x = Tensor(asarray(np.zeros(input_shape), device=first.device, dtype=dtype))
        modes = [(module, module.training) for module in self.modules()]
        try:
            self.eval()
            with no_grad(), ExitStack() as watching:
                for _, module in self._parts():
                    watching.enter_context(replaced(module, watch(module)))
                self(x)
        finally:
            for module, training in modes:
                module.training = training
        return shapes

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _modules_in(name: str, value: Any) -> Iterator[tuple[str, Module]]:
    """Yield the modules in a field, in nested lists, tuples and dicts, too."""
    if isinstance(value, Module):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _modules_in(f"{name}.{key}", part)


@contextmanager
def replaced(module: Module, forward: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let a module compute something else for a while."""
    own = vars(module).get("forward")  # a forward of this one object, where it has one
    vars(module)["forward"] = forward
    try:
        yield
    finally:
        if own is None:
            del vars(module)["forward"]
        else:
            vars(module)["forward"] = own
