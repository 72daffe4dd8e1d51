"""Layers: networks as compositions of small modules (chapter Layers, chapters/02_layers).

By growing difficulty: Module, the base of all; Sequential, Activation, Flatten, which own no numbers; Dense, and `mlp`,
a stack of them; Dropout; LayerNorm and BatchNorm; Embedding; and `ensemble`, which turns many networks into one.

Shapes are given for one network. In an ensemble every parameter has one more axis in front, that of the
members, and so have inputs and outputs: (members, batch, features).
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import arrays, init
from .activations import relu
from .arrays import Array, asarray, kernels, namespace
from .backprop import Tensor, multiply, no_grad, primitive, reshape, stack, take

__all__ = [
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "LayerNorm",
    "Module",
    "Sequential",
    "affine",
    "ensemble",
    "init",
    "mlp",
]


class Module:
    """A piece of a network: a callable on Tensors that owns parameters, buffers and other modules.

    Subclasses set their fields in `__init__` and implement `forward`. Every Tensor among the fields that
    requires a gradient is a parameter; one that does not is a buffer (state that is saved but not trained).

    Attributes:
        training: whether layers that behave differently in training (Dropout, BatchNorm) shall do so.
        members: the number of networks in an ensemble, or None for a single network.
    """

    training: bool = True
    members: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output; each subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} does not implement forward(x)")

    def __call__(self, x: Any) -> Tensor:
        """Return the output for `x`, a Tensor or array whose first axis is the batch."""
        return self.forward(x if type(x) is Tensor else Tensor(x))

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that this one owns directly, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, (list, tuple)):
                yield from ((f"{name}.{i}", m) for i, m in enumerate(value) if isinstance(m, Module))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it."""
        yield self
        for _, child in self.children():
            yield from child.modules()

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield all parameters and buffers with their dotted names, in the order of the layers."""
        yield from ((name, value) for name, value in vars(self).items() if isinstance(value, Tensor))
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
        for name, module in self.children() if any(True for _ in self.children()) else [("", self)]:
            count = sum(p.size for p in module.parameters())
            label = f"{name.removeprefix('layers.')} {module!r}".strip()
            rows.append((label, str(shapes.get(id(module), "")), f"{count:,}"))
        rows.append(("total", "", f"{sum(p.size for p in self.parameters()):,}"))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        return "\n".join(line.rstrip() for line in lines)

    def _output_shapes(self, input_shape: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        shapes: dict[int, tuple[int, ...]] = {}
        first = next((t for _, t in self.named_tensors()), Tensor(0.0))
        leaf = next(m for m in self.modules() if not any(True for _ in m.children()))
        dtype = "int64" if isinstance(leaf, Embedding) else arrays.dtype_name(first.data)
        x = Tensor(asarray(np.zeros(input_shape), device=first.device, dtype=dtype))
        modes = [(module, module.training) for module in self.modules()]
        try:
            self.eval()
            with no_grad():
                for _, module in self.children():
                    x = module(x)
                    shapes[id(module)] = x.shape
        finally:
            for module, training in modes:
                module.training = training
        return shapes

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Sequential(Module):
    """One layer after the other: the output of each is the input of the next.

    Args:
        layers: modules, or plain functions on Tensors such as `relu`.

    >>> from dlcore.activations import tanh
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Dense(2, 8, rng=rng), tanh, Dense(8, 1, rng=rng))
    >>> model(np.zeros((5, 2), np.float32)).shape
    (5, 1)
    """

    def __init__(self, *layers: Module | Callable[[Any], Tensor]) -> None:
        layer: Any
        for i, layer in enumerate(layers):
            is_class = isinstance(layer, type)  # Sequential(Flatten): a beginner's slip
            if is_class or not callable(layer):
                raise TypeError(
                    f"Sequential: expected a layer or a function at place {i}; received {layer!r}"
                    + (". Make an instance of it with parentheses" if is_class else "")
                )
        self.layers = [layer if isinstance(layer, Module) else Activation(layer) for layer in layers]

    def forward(self, x: Tensor) -> Tensor:
        """Pass `x` through all layers in order."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


class Activation(Module):
    """A function on Tensors, as a layer."""

    def __init__(self, function: Callable[[Any], Tensor]) -> None:
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return self.function(x)

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


class Flatten(Module):
    """All features of an example in one row: (batch, …) → (batch, product of …)."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the batch axis (and the members'), join the rest."""
        kept = 1 if self.members is None else 2
        if x.ndim <= kept:
            raise ValueError(f"Flatten: expected (batch, …) with at least one more axis; received {x.shape}")
        return reshape(x, shape=(*x.shape[:kept], math.prod(x.shape[kept:])))


# ------------------------------------------------------------------------------------------------- Dense


@primitive
def affine(x: Array, w: Array, b: Array) -> Any:
    """Return x W + b for each row of x.

    Shapes: x (…, n, in), w (…, in, out), b (…, out) → (…, n, out).
    """
    xp = namespace(x)
    by_x, by_w = lambda g: xp.matmul(g, w.mT), lambda g: xp.matmul(x.mT, g)
    return kernels.affine(x, w, b), by_x, by_w, lambda g: xp.sum(g, axis=-2)


class Dense(Module):
    """A layer in which every unit sees every input: x W + b.

    Args:
        in_features: number of inputs.
        out_features: number of units.
        rng: NumPy generator that draws the weights.
        bias: whether units have a bias b.
        weight_init: initializer of W (see `init`).
        bias_init: initializer of b.
        device: where the parameters live.
        dtype: their precision, "float32" or "float64".

    Shapes: input (batch, in_features) or (…, in_features), weight (in_features, out_features), bias
    (out_features,), output (…, out_features).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        weight_init: init.Initializer = init.glorot,
        bias_init: init.Initializer = init.zeros,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_sizes("Dense", in_features=in_features, out_features=out_features)
        fans = {"fan_in": in_features, "fan_out": out_features}
        self.in_features, self.out_features = in_features, out_features
        self.weight = parameter(weight_init(rng, (in_features, out_features), **fans), device, dtype)
        self.bias = parameter(bias_init(rng, (out_features,), **fans), device, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b."""
        shape, axes = x.data.shape, self.weight.data.ndim
        if len(shape) < axes or shape[-1] != self.in_features:
            self._refuse(x)
        if len(shape) > axes:  # (…, T, in): all rows in one product
            x = reshape(x, shape=(*self.weight.shape[:-2], -1, self.in_features))
        y = x @ self.weight if self.bias is None else affine(x, self.weight, self.bias)
        return y if len(shape) == axes else reshape(y, shape=(*shape[:-1], self.out_features))

    def _refuse(self, x: Tensor) -> None:
        wanted = "(batch, " if self.members is None else f"({self.members}, batch, "
        hint = ""
        if math.prod(x.shape[1:]) == self.in_features:
            hint = ". Put Flatten() before this layer"
        elif x.shape == (self.in_features,):
            hint = ". Give a single example a batch axis: x[None, :]"
        raise ValueError(
            f"Dense: expected input of shape {wanted}{self.in_features}); received {x.shape}{hint}"
        )

    def __repr__(self) -> str:
        return f"Dense({self.in_features}, {self.out_features})"


def parameter(values: np.ndarray[Any, Any], device: str, dtype: str) -> Tensor:
    """Return a Tensor to be trained, holding `values` on `device`."""
    if dtype not in ("float32", "float64"):
        raise ValueError(f"parameters need a floating dtype, float32 or float64; received {dtype!r}")
    return Tensor(asarray(values, device=device, dtype=dtype), requires_grad=True)


def check_sizes(layer: str, **sizes: Any) -> None:
    """Refuse sizes that are not positive integers.

    Raises:
        ValueError: naming the layer, the argument and what it received.
    """
    for name, size in sizes.items():
        if not (isinstance(size, (int, np.integer)) and size >= 1):
            raise ValueError(f"{layer}: expected {name} to be a positive integer; received {size!r}")


def mlp(
    *widths: int,
    rng: np.random.Generator,
    activation: Callable[[Any], Tensor] = relu,
    weight_init: init.Initializer = init.he,
    device: str = "numpy",
    dtype: str = "float32",
) -> Sequential:
    """Return a multilayer perceptron: Dense layers with an activation between them, none after the last.

    Args:
        widths: number of inputs, units of each hidden layer, number of outputs.
        rng: NumPy generator that draws the weights, layer by layer.
        activation: what the hidden layers make of their sums.
        weight_init: initializer of every W.
        device: where the parameters live.
        dtype: their precision.

    Raises:
        ValueError: fewer than two widths.

    >>> mlp(784, 128, 10, rng=np.random.default_rng(0))
    Sequential(Dense(784, 128), relu, Dense(128, 10))
    """
    if len(widths) < 2:
        raise ValueError(f"mlp: expected at least the numbers of inputs and outputs; received {widths}")
    layers: list[Module | Callable[[Any], Tensor]] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [
            Dense(n_in, n_out, rng=rng, weight_init=weight_init, device=device, dtype=dtype),
            activation,
        ]
    return Sequential(*layers[:-1])


# ----------------------------------------------------------------------------------------------- Dropout


class Dropout(Module):
    """In training, set each element to 0 with probability `rate` and scale the rest by 1 / (1 - rate).

    The scaling keeps the expected sum, so that evaluation passes everything unchanged ("inverted" dropout).
    Source: Srivastava et al., JMLR 15, 2014.

    Args:
        rate: probability of dropping, from 0 to below 1.
        rng: NumPy generator that draws the masks; in an ensemble, a list with each member's own.
    """

    rng: np.random.Generator | list[np.random.Generator]

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: expected rate from 0 to below 1; received {rate}")
        self.rate, self.rng = rate, arrays.random.check_rng(rng)

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; pass all in evaluation."""
        if not self.training or self.rate == 0:
            return x
        draws = self._draws(x)
        kept = namespace(draws).astype(draws >= self.rate, x.dtype)
        return multiply(x, kept * (1 / (1 - self.rate)))

    def _draws(self, x: Tensor) -> Array:
        like = {"device": x.device, "dtype": arrays.dtype_name(x.data)}
        if isinstance(self.rng, np.random.Generator):
            return arrays.random.uniform(self.rng, x.shape, **like)
        # Each member draws what it would draw alone.
        lone = [arrays.random.uniform(rng, (1, *x.shape[1:]), **like) for rng in self.rng]
        return namespace(lone[0]).concat(lone, axis=0)

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"


# ----------------------------------------------------------------------------------------- normalization


@primitive
def normalize(x: Array, *, mean: Array, variance: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    """Return (x - mean) / √(variance + epsilon), mean and variance being those of x over `axes`.

    The pullback knows that mean and variance move with x: it takes out of the gradient its mean and its
    component along the output (Ioffe and Szegedy, ICML 2015, section 3).
    """
    xp = namespace(x)
    scale = 1 / xp.sqrt(variance + epsilon)
    y = (x - mean) * scale

    def pullback(g: Array) -> Array:
        along = xp.mean(g * y, axis=axes, keepdims=True)
        return (g - xp.mean(g, axis=axes, keepdims=True) - y * along) * scale

    return y, pullback


def _moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    xp = namespace(x)
    mean = xp.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    return mean, xp.mean(centred * centred, axis=axes, keepdims=True)


class LayerNorm(Module):
    """Give each example mean 0 and variance 1 over its features, then a learnt scale and shift.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016, equation 4.

    Args:
        num_features: length of the last axis.
        epsilon: added to the variance.

    Shapes: (…, num_features) → the same; weight and bias (num_features,).
    """

    def __init__(
        self, num_features: int, *, epsilon: float = 1e-5, device: str = "numpy", dtype: str = "float32"
    ) -> None:
        check_sizes("LayerNorm", num_features=num_features)
        self.num_features, self.epsilon = num_features, epsilon
        self.weight = parameter(np.ones(num_features), device, dtype)
        self.bias = parameter(np.zeros(num_features), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize over the last axis."""
        _check_features(self, x, x.shape[-1])
        mean, variance = _moments(x.data, (-1,))
        y = normalize(x, mean=mean, variance=variance, axes=(-1,), epsilon=self.epsilon)
        return y * _aligned(self.weight, x, -1) + _aligned(self.bias, x, -1)

    def __repr__(self) -> str:
        return f"LayerNorm({self.num_features})"


class BatchNorm(Module):
    """Give each feature mean 0 and variance 1 over the batch, then a learnt scale and shift.

    In evaluation the running averages of the training batches stand in for the batch.
    Source: Ioffe and Szegedy, ICML 2015, algorithm 1.

    Args:
        num_features: number of features, or of channels of images.
        epsilon: added to the variance.
        momentum: weight of the newest batch in the running averages.

    Shapes: (batch, num_features) or (batch, num_features, height, width) → the same.
    """

    def __init__(
        self,
        num_features: int,
        *,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_sizes("BatchNorm", num_features=num_features)
        self.num_features, self.epsilon, self.momentum = num_features, epsilon, momentum
        self.weight = parameter(np.ones(num_features), device, dtype)
        self.bias = parameter(np.zeros(num_features), device, dtype)
        self.running_mean = Tensor(self.weight.data * 0)
        self.running_variance = Tensor(self.weight.data * 0 + 1)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize over the batch (and the pixels)."""
        lead = 0 if self.members is None else 1
        if x.ndim - lead not in (2, 4):
            raise ValueError(
                f"BatchNorm: expected (batch, features) or (batch, channels, height, width); received {x.shape}"
            )
        channel = -1 if x.ndim - lead == 2 else -3
        _check_features(self, x, x.shape[channel])
        axes = (-2,) if channel == -1 else (-4, -2, -1)
        if self.training:
            count = math.prod(x.shape[i] for i in axes)
            if count < 2:
                raise ValueError(
                    f"BatchNorm: expected at least 2 examples to take a variance over; received {count}"
                )
            mean, variance = _moments(x.data, axes)
            self._remember(mean, variance, count)
            y = normalize(x, mean=mean, variance=variance, axes=axes, epsilon=self.epsilon)
        else:
            mean, variance = (_aligned(t, x, channel) for t in (self.running_mean, self.running_variance))
            y = (x - mean) * (1 / (variance + self.epsilon) ** 0.5)
        return y * _aligned(self.weight, x, channel) + _aligned(self.bias, x, channel)

    def _remember(self, mean: Array, variance: Array, count: int) -> None:
        xp = namespace(mean)
        unbiased = variance * (count / (count - 1))
        for running, new in ((self.running_mean, mean), (self.running_variance, unbiased)):
            running.data += self.momentum * (xp.reshape(new, running.shape) - running.data)

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features})"


def _check_features(layer: BatchNorm | LayerNorm, x: Tensor, received: int) -> None:
    if received != layer.num_features:
        raise ValueError(
            f"{type(layer).__name__}: expected {layer.num_features} features; received {received} in shape {x.shape}"
        )


def _aligned(p: Tensor, x: Tensor, axis: int) -> Tensor:
    """Give a parameter of shape (…members, features) the axes of `x`, its features at `axis`."""
    if p.ndim == 1 and axis == -1:
        return p
    shape = [1] * x.ndim
    shape[: p.ndim - 1] = p.shape[:-1]
    shape[axis] = p.shape[-1]
    return reshape(p, shape=tuple(shape))


# --------------------------------------------------------------------------------------------- Embedding


class Embedding(Module):
    """A table with one learnt row for each symbol (Bengio et al., JMLR 3, 2003).

    Args:
        num_embeddings: number of symbols.
        embedding_dim: length of a row.
        rng: NumPy generator that draws the table.

    Shapes: integers (…) → (…, embedding_dim); weight (num_embeddings, embedding_dim).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        rng: np.random.Generator,
        weight_init: init.Initializer = init.normal,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        fans = {"fan_in": num_embeddings, "fan_out": embedding_dim}
        self.weight = parameter(weight_init(rng, (num_embeddings, embedding_dim), **fans), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Look up one row for each integer."""
        indices = x.data
        if arrays.is_floating(indices):
            raise TypeError(
                f"Embedding: expected integers; received {x.dtype}. Pass asarray(x, dtype='int64')"
            )
        if x.size == 0:
            raise ValueError(
                f"Embedding: expected at least one integer; received shape {x.shape}. Is the batch empty?"
            )
        arrays.hooks.guard(self._check_range, indices)
        if self.members is None:
            return take(self.weight, indices)
        return _take_by_member(self.weight, indices)

    def _check_range(self, indices: Array) -> None:
        xp = namespace(indices)
        low, high = int(xp.min(indices)), int(xp.max(indices))
        if low < 0 or high >= self.num_embeddings:
            raise ValueError(
                f"Embedding: expected integers from 0 to {self.num_embeddings - 1}; received {low} to {high}"
            )

    def __repr__(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"


@primitive
def _take_by_member(tables: Array, indices: Array) -> Any:
    """Return rows of each member's own table: (members, rows, width), integers (members, …) → (members, …, width)."""
    xp = namespace(tables)
    members, rows, width = tables.shape
    flat = xp.reshape(indices, (members, -1))
    # One long table of all members, each member's numbers shifted to its part.
    first = xp.arange(members, dtype=flat.dtype, device=flat.device)[:, None] * rows
    picked = xp.take(xp.reshape(tables, (-1, width)), xp.reshape(flat + first, (-1,)), axis=0)

    def pullback(g: Array) -> Array:
        # Member by member: in one product of all, a member that diverged to NaN would spoil the others.
        numbers = xp.arange(rows, dtype=flat.dtype, device=flat.device)
        hot = xp.astype(flat[:, None, :] == numbers[:, None], g.dtype)  # (members, rows, n)
        return xp.matmul(hot, xp.reshape(g, (members, -1, width)))

    return xp.reshape(picked, (*indices.shape, width)), pullback, lambda _: None


# --------------------------------------------------------------------------------------------- ensembles


def ensemble(models: Sequence[Module]) -> Module:
    """Return one network that computes what all `models`, of one architecture, compute side by side.

    Every parameter and buffer gets a leading axis of members. Inputs and outputs have it too.

    >>> rng = np.random.default_rng(0)
    >>> both = ensemble([Dense(2, 3, rng=rng), Dense(2, 3, rng=rng)])
    >>> both.weight.shape, both(np.zeros((2, 5, 2), np.float32)).shape
    ((2, 2, 3), (2, 5, 3))
    """
    if not models:
        raise ValueError("ensemble: expected at least one model; received none")
    shapes = [{name: t.shape for name, t in model.named_tensors()} for model in models]
    if any(other != shapes[0] for other in shapes[1:]):
        raise ValueError("ensemble: expected models of one architecture; received models of different shapes")
    # Copies, and of each model as a whole: what its layers share, such as a generator, they go on sharing.
    copies = [copy.deepcopy(model) for model in models]
    together = copies[0]
    tensors = [dict(model.named_tensors()) for model in copies]
    generators = [_generators(model) for model in copies]
    for name, tensor in together.named_tensors():
        tensor.data = stack([own[name] for own in tensors]).detach().data
        tensor.grad = None
    for i, (module, name, _) in enumerate(generators[0]):
        setattr(module, name, [own[i][2] for own in generators])
    for module in together.modules():
        module.members = len(models)
    return together


def _generators(model: Module) -> list[tuple[Module, str, np.random.Generator]]:
    """Return the generators among the fields of all modules, with their owners and names."""
    fields = [(m, name, value) for m in model.modules() for name, value in vars(m).items()]
    return [(m, name, value) for m, name, value in fields if isinstance(value, np.random.Generator)]
