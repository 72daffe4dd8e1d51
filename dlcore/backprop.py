"""Automatic differentiation: an engine that fits on a few screens (chapter Backprop, chapters/06_backprop).

In the order in which it is best read:

    Tensor      an array that remembers which operation made it, and from what
    backward    walks that record from the loss back to the inputs: the chain rule
    primitive   the one door through which an operation, with its derivative, comes in
    operations  the primitives: value and pullbacks side by side
    grad        and the other tools: check_gradients, hessian_vector_product, graph

A *pullback* takes the gradient of the loss by an operation's output, `g`, and returns the gradient by one of
its inputs. That is all an operation needs to know; it never sees the rest of the network (reverse mode:
Griewank and Walther, *Evaluating Derivatives*, 2nd ed., 2008, chapter 3).
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import arrays
from .arrays import Array, asarray, is_array, is_floating, kernels, namespace, to_numpy
from .arrays.library import describe

Pullback = Callable[[Array], Array]

_recording = True  # switched off by no_grad()
_births = itertools.count()


# ------------------------------------------------------------------------------------------------ Tensor


class Tensor:
    """An array, its gradient, and the record of how it came about.

    Args:
        data: array or (nested) numbers; floats in Python lists become float32.
        requires_grad: whether `backward` shall compute the gradient by this tensor. Needs floats.
        name: how errors and drawings call it.

    `grad` is None until a `backward` reaches the tensor; then it has the shape of `data`. The gradients of
    several backward passes add up in the tensors one has made, as they must when a weight is used twice. It may
    share its memory with another gradient: set a new one, `w.grad = 0.5 * w.grad`, rather than change it in place.

    >>> w = Tensor([2.0, 3.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    array([4., 6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "born", "data", "edges", "grad", "name", "requires_grad")
    __array_ufunc__ = None  # else NumPy would take `array * tensor` apart, element by element

    def __init__(self, data: Any, requires_grad: bool = False, name: str = "") -> None:
        self.born = next(_births)
        self.data: Array = asarray(data.data if isinstance(data, Tensor) else data)
        if requires_grad and not is_floating(self.data):
            raise TypeError(
                f"Tensor: a gradient needs floats; received dtype {self.data.dtype}. "
                "Convert with asarray(x, dtype='float32'), or leave requires_grad off"
            )
        self.grad: Array | None = None
        self.requires_grad = requires_grad
        self.edges: list[tuple[Tensor, Pullback]] = []
        self.name = name

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Become a copy or what was pickled, but born now: the number it had belongs to another tensor."""
        for name, value in state[1].items():
            setattr(self, name, value)
        self.born = next(_births)

    def backward(self, gradient: Any = None) -> None:
        """Add to `.grad` of every tensor that led here the gradient of this one (see `backward` below)."""
        backward(self, gradient)

    def detach(self) -> Tensor:
        """Return the same data, cut off from the record: a constant."""
        return Tensor(self.data)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the data as a NumPy array on the CPU."""
        return to_numpy(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype, copy=copy)

    def item(self) -> float:
        """Return the only element as a Python number."""
        if self.size != 1:
            raise ValueError(f"item: expected a tensor with one element; received shape {self.shape}")
        return float(self.numpy().item())

    shape = property(lambda self: tuple(self.data.shape))
    dtype = property(lambda self: self.data.dtype)
    ndim = property(lambda self: self.data.ndim)
    device = property(lambda self: arrays.device_of(self.data))
    size = property(lambda self: math.prod(self.data.shape))

    @property
    def T(self) -> Tensor:
        """The tensor with its axes reversed."""
        return transpose(self)

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes swapped."""
        return swap_last(self)

    def __repr__(self) -> str:
        how = f", from {self.name}" if self.edges else ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({np.array2string(self.numpy(), separator=', ', prefix='Tensor(')}{how})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len: a tensor that holds a single number has no length")
        return int(self.data.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i, ...] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return self.item()

    def __neg__(self) -> Tensor:
        return negative(self)

    def __abs__(self) -> Tensor:
        return absolute(self)

    def __add__(self, other: Any) -> Tensor:
        return add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return divide(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return matmul(other, self)

    def __pow__(self, exponent: float) -> Tensor:
        return power(self, exponent=exponent)

    def __rpow__(self, base: Any) -> Tensor:
        return power(base, exponent=self)

    def __getitem__(self, key: Any) -> Tensor:
        return getitem(self, key=key)

    # Comparisons have no gradient: they return plain arrays of bools.
    def __gt__(self, other: Any) -> Array:
        return self.data > _data(other)

    def __ge__(self, other: Any) -> Array:
        return self.data >= _data(other)

    def __lt__(self, other: Any) -> Array:
        return self.data < _data(other)

    def __le__(self, other: Any) -> Array:
        return self.data <= _data(other)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis` (all axes if None)."""
        return sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis` (all axes if None)."""
        return mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean squared distance from the mean over `axis` (divided by n, not n - 1)."""
        return ((self - self.mean(axis, keepdims=True)) ** 2).mean(axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest element over `axis`; ties share the gradient."""
        return amax(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the smallest element over `axis`; ties share the gradient."""
        return -amax(-self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape; one length may be -1."""
        return reshape(self, shape=shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tensor:
        """Return the tensor with its axes in the order given (reversed if none is)."""
        return transpose(self, axes=(_each(axes[0]) if len(axes) == 1 else axes) or None)


Axis = int | tuple[int, ...] | None


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without keeping a record, as one does when only the values matter.

    >>> with no_grad():
    ...     Tensor([1.0], requires_grad=True).sum().requires_grad
    False
    """
    global _recording  # noqa: PLW0603 - one tape, one switch
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before


# ---------------------------------------------------------------------------------------------- backward


def backward(root: Tensor, gradient: Any = None) -> None:
    """Carry the gradient from `root` back along every edge, each node after all that used it.

    A node's gradient is complete once every later node has handed in its share, hence the order. Shares
    add up: that is the chain rule for a value used twice. The values in between keep the gradient of the
    latest pass in `.grad`, to be looked at. The record knows the arrays, not what is written into them later: after
    a step of an optimizer, compute the loss anew before the next pass.

    Args:
        root: usually the loss.
        gradient: the gradient of the final quantity by `root`, of the same shape; 1 for a single number.

    Raises:
        ValueError: `root` has several elements and no `gradient` says how they count, or its shape is wrong.
        RuntimeError: nothing that led to `root` requires a gradient.
    """
    if not root.requires_grad:
        raise RuntimeError(
            "backward: nothing that led to this tensor requires a gradient. Make the parameters with "
            "Tensor(..., requires_grad=True), and compute the loss outside no_grad()"
        )
    if gradient is None:
        if root.data.ndim and root.size != 1:
            raise ValueError(
                f"backward: expected a single number, say a mean loss; received shape {root.shape}. "
                "Reduce it with .sum() or .mean(), or pass gradient= of that shape"
            )
        gradient = namespace(root.data).ones_like(root.data)
    else:
        gradient = asarray(_data(gradient), device=root.device, dtype=arrays.dtype_name(root.data))
        if tuple(gradient.shape) != root.shape:
            raise ValueError(
                f"backward: expected gradient= of shape {root.shape}; received {tuple(gradient.shape)}"
            )

    nodes = _inputs_first(root)
    for node in nodes:
        node.grad = None
    root.grad = gradient if root.grad is None else root.grad + gradient
    for node in reversed(nodes):
        g = node.grad
        for parent, pullback in node.edges:
            share, data = pullback(g), parent.data
            if share.shape != data.shape or share.dtype is not data.dtype:
                _check_share(node.name, share, data)
                share = _unbroadcast(share, data)
            # never in place: an addition hands the same array to both its inputs
            parent.grad = share if parent.grad is None else parent.grad + share


def _inputs_first(root: Tensor) -> list[Tensor]:
    """Return the results that led to `root`, itself included, each after those it was made from.

    No sorting by dependency is needed: whatever was made from a tensor was made after it.
    """
    found, stack = {root.born: root}, [root]
    while stack:
        for parent, _ in stack.pop().edges:
            if parent.edges and parent.born not in found:
                found[parent.born] = parent
                stack.append(parent)
    return [found[birth] for birth in sorted(found)] if root.edges else []


def _check_share(name: str, share: Array, like: Array) -> None:
    """Raise ValueError if what a pullback of operation `name` returned cannot be the gradient by its input `like`."""
    wanted, shape = tuple(like.shape), tuple(share.shape)
    extra = len(shape) - len(wanted)
    if extra < 0 or any(n not in (1, m) for n, m in zip(wanted, shape[extra:], strict=True)):
        raise ValueError(
            f"{name}: expected its pullback to return the gradient by an input of shape {wanted}, in that shape or in "
            f"one that it broadcasts to; received shape {shape}"
        )


def _unbroadcast(g: Array, like: Array) -> Array:
    """Undo broadcasting: sum `g` over the axes along which `like` was repeated.

    This is the only place that knows of broadcasting (and of mixed precision); no pullback mentions it.
    """
    xp = namespace(g)
    if g.shape != like.shape:
        extra = g.ndim - like.ndim
        g = xp.sum(g, axis=tuple(range(extra))) if extra else g
        ones = tuple(i for i, n in enumerate(like.shape) if n == 1 and g.shape[i] != 1)
        g = xp.sum(g, axis=ones, keepdims=True) if ones else g
    return g if g.dtype == like.dtype else xp.astype(g, like.dtype)


# --------------------------------------------------------------------------------------------- primitive


def primitive(rule: Callable[..., tuple[Any, ...]]) -> Callable[..., Tensor]:
    """Turn a rule on plain arrays into an operation on Tensors; the public door for new operations.

    The rule takes arrays (and keyword options) and returns its value, followed by one pullback per array, which
    returns an array of that one's shape, or of the shape that it was broadcast to. It may ignore broadcasting,
    tensors, and which of its inputs need a gradient.

    >>> @primitive
    ... def cube(x):
    ...     return x**3, lambda g: g * 3 * x**2
    >>> x = Tensor([2.0], requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad
    array([12.], dtype=float32)
    """
    name = rule.__name__

    @functools.wraps(rule)
    def operation(*inputs: Any, **options: Any) -> Tensor:
        values = []  # a plain loop is quickest here, on the path that every operation takes
        for x in inputs:
            values.append(x.data if type(x) is Tensor else _data(x))  # noqa: PERF401
        if len(values) > 1 and (kinds := tuple(map(type, values))) not in _may_meet:
            _check_one_library(name, values, kinds)
        try:
            value, *pullbacks = rule(*values, **options) if options else rule(*values)
        except (ValueError, RuntimeError, IndexError) as error:
            raise _explained(error, name, values) from error
        return record(name, value, inputs, pullbacks)

    return operation


def record(name: str, value: Array, inputs: Sequence[Any], pullbacks: Sequence[Pullback]) -> Tensor:
    """Return `value` as a Tensor that remembers the tensors it came from, each with its pullback.

    Args:
        name: the operation.
        value: its result, an array.
        inputs: its arguments; those that are no tensors, or need no gradient, are forgotten.
        pullbacks: one for each input.
    """
    if len(pullbacks) != len(inputs):
        raise TypeError(
            f"{name}: expected a rule to return its value and one pullback for each of {len(inputs)} inputs; "
            f"received {len(pullbacks)} pullbacks"
        )
    edges = []
    if _recording:
        for x, pullback in zip(inputs, pullbacks):  # noqa: B905 - checked above
            if type(x) is Tensor and x.requires_grad:
                edges.append((x, pullback))
    output = Tensor.__new__(Tensor)  # not Tensor(value): the value is known to be an array
    output.born = next(_births)
    output.data = value
    output.grad = None
    output.requires_grad = bool(edges)
    output.edges = edges
    output.name = name
    return output


def _data(x: Any) -> Any:
    """Return the plain array (or Python number) behind an argument."""
    if type(x) is Tensor:
        return x.data
    return x if is_array(x) or isinstance(x, (int, float)) else asarray(x)


_may_meet: set[tuple[type, ...]] = (
    set()
)  # combinations of argument types that were found to be of one library


def _check_one_library(name: str, values: Sequence[Any], kinds: tuple[type, ...]) -> None:
    try:
        namespace(*[v for v in values if is_array(v)])
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    _may_meet.add(kinds)


def _explained(error: Exception, name: str, values: Sequence[Any]) -> Exception:
    """Name the operation and its inputs in an error that an array library raised."""
    if str(error).startswith(name):
        return error
    received = " and ".join(describe(v) for v in values)
    kind = IndexError if type(error) is IndexError else ValueError
    return kind(f"{name}: the inputs do not fit together ({error}); received {received}")


# -------------------------------------------------------------------------------------------- operations


@primitive
def add(x: Array, y: Array) -> Any:
    """Return x + y."""
    return x + y, lambda g: g, lambda g: g


@primitive
def subtract(x: Array, y: Array) -> Any:
    """Return x - y."""
    return x - y, lambda g: g, lambda g: -g


@primitive
def multiply(x: Array, y: Array) -> Any:
    """Return x · y, element by element."""
    return x * y, lambda g: g * y, lambda g: g * x


@primitive
def divide(x: Array, y: Array) -> Any:
    """Return x / y, element by element."""
    quotient = x / y
    return quotient, lambda g: g / y, lambda g: -g * quotient / y  # y² might overflow, or vanish


@primitive
def negative(x: Array) -> Any:
    """Return -x."""
    return -x, lambda g: -g


@primitive
def power(x: Array, *, exponent: Any) -> Any:
    """Return x to a constant power."""
    if isinstance(exponent, Tensor):
        raise TypeError("power: expected a number as exponent; received a Tensor. Write exp(y * log(x))")
    if exponent == 2:  # a product is many times faster than a power
        return x * x, lambda g: g * (2 * x)
    lower = exponent - 1 if exponent else 0  # 0 · x⁻¹ would be no number at x = 0
    return x**exponent, lambda g: g * (exponent * x**lower)


@primitive
def matmul(x: Array, y: Array) -> Any:
    """Return the matrix product; leading axes are batches and broadcast.

    Shapes: (…, n, k) @ (…, k, m) → (…, n, m); a 1-d array on either side is a vector.
    """
    xp = namespace(x)
    value = xp.matmul(x, y)
    if x.ndim == 1 or y.ndim == 1:
        return value, lambda g: _vector_pullbacks(g, x, y)[0], lambda g: _vector_pullbacks(g, x, y)[1]
    return (
        value,
        lambda g: xp.matmul(g, y.mT),
        lambda g: xp.matmul(x.mT, g),
    )  # (…, n, m) @ (…, m, k), (…, k, n) @ (…, n, m)


def _vector_pullbacks(g: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Write vectors as matrices of one row or column, and take the pullbacks of the matrix product."""
    rows = x[None, :] if x.ndim == 1 else x
    columns = y[:, None] if y.ndim == 1 else y
    g = g[..., None] if y.ndim == 1 else g
    g = g[..., None, :] if x.ndim == 1 else g
    by_x, by_y = g @ columns.mT, rows.mT @ g
    by_x = by_x[..., 0, :] if x.ndim == 1 else by_x
    by_y = by_y[..., 0] if y.ndim == 1 else by_y
    return by_x, by_y


@primitive
def exp(x: Array) -> Any:
    """Return e to the power x."""
    e = namespace(x).exp(x)
    return e, lambda g: g * e


@primitive
def log(x: Array) -> Any:
    """Return the natural logarithm."""
    return namespace(x).log(x), lambda g: g / x


@primitive
def sqrt(x: Array) -> Any:
    """Return the square root."""
    root = namespace(x).sqrt(x)
    return root, lambda g: g / (2 * root)


@primitive
def sin(x: Array) -> Any:
    """Return the sine."""
    xp = namespace(x)
    return xp.sin(x), lambda g: g * xp.cos(x)


@primitive
def cos(x: Array) -> Any:
    """Return the cosine."""
    xp = namespace(x)
    return xp.cos(x), lambda g: -g * xp.sin(x)


@primitive
def absolute(x: Array) -> Any:
    """Return |x|, whose derivative at 0 is taken as 0."""
    xp = namespace(x)
    return xp.abs(x), lambda g: g * xp.sign(x)


@primitive
def maximum(x: Array, y: Array) -> Any:
    """Return the larger of x and y, element by element; where they are equal each gets half the gradient."""
    xp = namespace(x if is_array(x) else y)

    def share(a: Array, b: Array) -> Pullback:
        return lambda g: g * (xp.astype(a > b, g.dtype) + 0.5 * xp.astype(a == b, g.dtype))

    return xp.maximum(x, y), share(x, y), share(y, x)


def minimum(x: Any, y: Any) -> Tensor:
    """Return the smaller of x and y, element by element."""
    return -maximum(*[-(x if type(x) is Tensor else _data(x)) for x in (x, y)])


@primitive
def where(condition: Array, x: Array, y: Array) -> Any:
    """Return x where the condition holds, y elsewhere."""
    xp = namespace(condition)
    holds = condition if condition.dtype == xp.bool else condition != 0

    def only(keep: Array) -> Pullback:
        return lambda g: xp.where(keep, g, xp.zeros_like(g))

    return xp.where(holds, x, y), lambda _: xp.zeros_like(condition), only(holds), only(~holds)


@primitive
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:  # noqa: A001 - NumPy's name
    """Return the sum over `axis` (all axes if None)."""
    return _reduced(x, namespace(x).sum, axis, keepdims, 1.0)


@primitive
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean over `axis` (all axes if None)."""
    count = math.prod([x.shape[i] for i in (range(x.ndim) if axis is None else _each(axis))])
    if count == 0:
        raise ValueError("mean: expected at least one element to average; received none")
    return _reduced(x, namespace(x).mean, axis, keepdims, 1.0 / count)


def _reduced(x: Array, reduce: Any, axis: Axis, keepdims: bool, weight: float) -> tuple[Array, Pullback]:
    def pullback(g: Array) -> Array:
        g = g if weight == 1.0 else g * weight
        return namespace(x).broadcast_to(_with_axes(g, x, axis, keepdims), x.shape)

    return reduce(x, axis=axis, keepdims=keepdims), pullback


def _with_axes(g: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Give a reduced array its axes of length 1 back, so that it broadcasts against `x`."""
    if keepdims or axis is None:
        return g
    gone = {i % x.ndim for i in _each(axis)}
    return namespace(x).reshape(g, tuple(1 if i in gone else n for i, n in enumerate(x.shape)))


def _each(numbers: int | Iterable[int]) -> tuple[int, ...]:
    """Return one whole number, of Python or NumPy, or several, as a tuple."""
    return tuple(numbers) if isinstance(numbers, Iterable) else (operator.index(numbers),)


@primitive
def amax(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest element over `axis`; ties share the gradient equally."""
    xp = namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    value = top if keepdims else xp.max(x, axis=axis)

    def pullback(g: Array) -> Array:
        winners = xp.astype(x == top, g.dtype)
        return winners * (_with_axes(g, x, axis, keepdims) / xp.sum(winners, axis=axis, keepdims=True))

    return value, pullback


@primitive
def reshape(x: Array, *, shape: int | tuple[int, ...]) -> Any:
    """Return the same elements in another shape; one length may be -1."""
    xp = namespace(x)
    return xp.reshape(x, _each(shape)), lambda g: xp.reshape(g, x.shape)


@primitive
def transpose(x: Array, *, axes: tuple[int, ...] | None = None) -> Any:
    """Return the array with its axes in the order given (reversed if None)."""
    xp = namespace(x)
    axes = tuple(reversed(range(x.ndim))) if axes is None else axes
    value = xp.permute_dims(x, axes)
    order = [a % x.ndim for a in axes]
    back = tuple(order.index(i) for i in range(x.ndim))
    return value, lambda g: xp.permute_dims(g, back)


@primitive
def swap_last(x: Array) -> Any:
    """Return the array with its last two axes swapped: each matrix of a stack transposed."""
    return x.mT, lambda g: g.mT


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Any:
    """Return x repeated along new axes, and along axes of length 1, up to `shape`."""
    return namespace(x).broadcast_to(x, shape), lambda g: g


@primitive
def getitem(x: Array, *, key: Any) -> Any:
    """Return x[key]. An element picked twice gets both gradients."""
    return x[key], lambda g: kernels.scatter(g, key, x)


@primitive
def take(x: Array, indices: Array) -> Any:
    """Return rows of a table: x[indices], a look-up whose gradient adds up over repeated indices.

    Shapes: (rows, width), integers (…) → (…, width).
    """
    xp = namespace(x)
    flat = xp.reshape(indices, (-1,))
    value = xp.reshape(xp.take(x, flat, axis=0), (*indices.shape, *x.shape[1:]))
    return value, lambda g: kernels.scatter_rows(xp.reshape(g, (-1, *x.shape[1:])), flat, x), lambda _: None


@primitive
def concat(*parts: Array, axis: int = 0) -> Any:
    """Return the arrays joined along `axis`."""
    value = namespace(*parts).concat(parts, axis=axis)
    ends = np.cumsum([p.shape[axis] for p in parts]).tolist()

    def piece(start: int, stop: int) -> Pullback:
        where_ = [slice(None)] * value.ndim
        where_[axis] = slice(start, stop)
        return lambda g: g[tuple(where_)]

    return value, *[piece(stop - p.shape[axis], stop) for p, stop in zip(parts, ends, strict=True)]


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Return the tensors joined along a new axis."""
    if not len(tensors):
        raise ValueError("stack: expected at least one tensor; received none")
    grown = [t if isinstance(t, Tensor) else Tensor(t) for t in tensors]
    shape = list(grown[0].shape)
    shape.insert(axis % (len(shape) + 1), 1)
    return concat(*[t.reshape(tuple(shape)) for t in grown], axis=axis)


# ------------------------------------------------------------------------------------------------- tools


def grad(f: Callable[..., Tensor], argument: int = 0) -> Callable[..., Array]:
    """Return the function that computes the gradient of `f` by one of its arguments.

    Args:
        f: takes arrays or tensors, returns a single number.
        argument: which of them to differentiate by.

    >>> float(grad(lambda x: x**3)(2.0))
    12.0
    """

    def gradient(*inputs: Any) -> Array:
        tensors: list[Any] = list(inputs)
        variable = Tensor(_data(inputs[argument]), requires_grad=True)
        tensors[argument] = variable
        f(*tensors).backward()
        return namespace(variable.data).zeros_like(variable.data) if variable.grad is None else variable.grad

    return gradient


def check_gradients(
    f: Callable[..., Tensor],
    *inputs: Any,
    step: float = 1e-6,
    tolerance: float = 1e-6,
    rng: np.random.Generator | None = None,
) -> None:
    """Compare the gradients of `f` with central differences, in float64, along random directions.

    For input x, a random direction u and random weights v on the output, the slope of
    t ↦ ⟨v, f(x + t·u)⟩ at 0 is measured by (φ(step) - φ(-step)) / (2·step) and must equal ⟨gradient, u⟩.
    One direction tests all derivatives at once: an error hides only if it is orthogonal to u, which for a
    random u has probability zero. (Baydin et al., "Automatic differentiation in machine learning: a
    survey", JMLR 18, 2018, section 2.)

    Args:
        f: takes tensors, returns a tensor of any shape.
        inputs: arrays of floats; each is checked. Choose values away from kinks (ReLU at 0).
        step: length of the difference; its error is of the order step².
        tolerance: allowed error relative to the larger slope (absolute where both are below 1).
        rng: generator of the directions; seed 0 if none.

    Raises:
        AssertionError: an input's derivative is wrong; both slopes are in the message.
        ValueError: an input does not lead to the output, so that nothing would be checked.

    >>> check_gradients(lambda x: x * x * x, np.array([1.0, -2.0]))
    """
    rng = np.random.default_rng(0) if rng is None else rng
    devices = [arrays.device_of(asarray(_data(x))) for x in inputs]
    points = [np.array(to_numpy(_data(x)), dtype=np.float64) for x in inputs]

    def run(values: Sequence[Any], requires_grad: bool) -> tuple[list[Tensor], Tensor]:
        tensors = [
            Tensor(asarray(v, device=d), requires_grad=requires_grad)
            for v, d in zip(values, devices, strict=True)
        ]
        return tensors, f(*tensors)

    tensors, output = run(points, True)
    if not bool(np.isfinite(output.numpy()).all()):
        raise ValueError("check_gradients: f is not finite at this point; choose inputs inside its domain")
    weights = rng.standard_normal(output.shape)
    if output.requires_grad:
        output.backward(weights)
    for i, tensor in enumerate(tensors):
        direction = rng.standard_normal(tensor.shape)
        slopes = []
        for t in (step, -step):
            moved = [p + t * direction if j == i else p for j, p in enumerate(points)]
            slopes.append(float((run(moved, False)[1].numpy() * weights).sum()))
        numeric = (slopes[0] - slopes[1]) / (2 * step)
        gradient = np.zeros(tensor.shape) if tensor.grad is None else to_numpy(tensor.grad)
        analytic = float((gradient * direction).sum())
        if not abs(numeric - analytic) <= tolerance * max(1.0, abs(numeric), abs(analytic)):
            raise AssertionError(
                f"check_gradients: input {i} of shape {tensor.shape}: along a random direction the gradient "
                f"says {analytic:.10g}, central differences say {numeric:.10g}. Look at the pullback of the "
                "operation that this input goes through (sign, factor, or a missing term)"
            )
        if tensor.grad is None:
            raise ValueError(
                f"check_gradients: input {i} of shape {tensor.shape} does not lead to the output of f, so there is "
                "nothing to check. Use the argument within f; for the parameters of a model take check_parameters"
            )


def check_parameters(loss: Callable[[], Tensor], parameters: Sequence[Tensor], **options: Any) -> None:
    """Compare the gradients of a model's loss by all its parameters with central differences, in float64.

    `check_gradients` for tensors that live in a model; none is left out by mistake.

    Args:
        loss: computes the loss anew from the parameters, say `lambda: mse(model(x), t)`.
        parameters: all of them, `model.parameters()`.
        options: `step`, `tolerance` and `rng` of `check_gradients`.

    Raises:
        AssertionError: a parameter's derivative is wrong.
        ValueError: the loss depends on a tensor that is not among the parameters, or not on one that is.

    >>> w = Tensor([2.0, 3.0], requires_grad=True)
    >>> check_parameters(lambda: (w * w).sum(), [w])
    """
    before = [(p.data, p.edges, p.requires_grad, p.grad) for p in parameters]

    def with_values(*values: Tensor) -> Tensor:
        for p, value in zip(parameters, values, strict=True):
            p.data, p.edges, p.requires_grad, p.grad = value.data, [], True, None
        output = loss()
        ends = _ends(output)
        _check_none_is_left_out(ends, parameters)

        def share(p: Tensor, g: Array) -> Any:
            if p.grad is None:  # the first that is asked for lets all be computed
                output.backward(g)
            return p.grad

        used = [(p, value) for p, value in zip(parameters, values, strict=True) if p in ends]
        pullbacks = [functools.partial(share, p) for p, _ in used]
        return record("loss", output.data, [value for _, value in used], pullbacks)

    try:
        check_gradients(with_values, *[p.data for p in parameters], **options)
    finally:
        for p, state in zip(parameters, before, strict=True):
            p.data, p.edges, p.requires_grad, p.grad = state


def _ends(output: Tensor) -> set[Tensor]:
    """Return the tensors at which every way back from `output` ends."""
    found = {output, *(parent for node in _inputs_first(output) for parent, _ in node.edges)}
    return {t for t in found if t.requires_grad and not t.edges}


def _check_none_is_left_out(ends: set[Tensor], given: Sequence[Tensor]) -> None:
    """Raise ValueError if a loss came from a tensor that needs a gradient and is not among those given."""
    for end in ends - set(given):
        raise ValueError(
            f"check_parameters: the loss also depends on a parameter of shape {end.shape} that was not given, "
            "and whose gradient would go unchecked. Pass all of them: model.parameters()"
        )


def hessian_vector_product(
    f: Callable[[Tensor], Tensor], x: Any, v: Any, step: float = 1e-5
) -> np.ndarray[Any, Any]:
    """Return H·v, the second derivatives of `f` at `x` applied to `v`, in float64.

    (∇f(x + step·v) - ∇f(x - step·v)) / (2·step): two gradients, never the matrix H itself. The engine's
    pullbacks work on plain arrays, so it differentiates once; the second time is by central differences
    (Nocedal and Wright, *Numerical Optimization*, 2nd ed., 2006, section 8.1).

    Args:
        f: takes a tensor like `x`, returns a single number.
        x: array of any shape.
        v: array of the same shape.
        step: length of the difference, relative to the length of `x` (at least 1).

    >>> hessian_vector_product(lambda x: (x**3).sum(), [1.0, 2.0], [1.0, 0.0]).round(6)
    array([6., 0.])
    """
    point, direction = (np.asarray(to_numpy(_data(a)), dtype=np.float64) for a in (x, v))
    if point.shape != direction.shape:
        raise ValueError(
            f"hessian_vector_product: expected v of x's shape {point.shape}; received {direction.shape}"
        )
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        return np.zeros_like(point)
    h = step * max(1.0, float(np.linalg.norm(point))) / length  # a step of fixed length, however long v is
    gradient = grad(f)
    difference = gradient(point + h * direction) - gradient(point - h * direction)
    return np.asarray(difference) / (2 * h)


@dataclass(frozen=True)
class Node:
    """One tensor of a graph: its number, the operation (or name) it came from, shape, value and gradient."""

    index: int
    name: str
    shape: tuple[int, ...]
    value: Array
    grad: Array | None
    inputs: tuple[int, ...]


def graph(tensor: Tensor) -> list[Node]:
    """Return the tensors that led to `tensor` as nodes, inputs first, ready to be drawn or printed.

    Only what needs a gradient is on record, so constants do not appear.

    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> [(node.name, node.inputs) for node in graph(x * x + x)]
    [('x', ()), ('multiply', (0, 0)), ('add', (1, 0))]
    """
    found = {tensor, *(p for node in _inputs_first(tensor) for p, _ in node.edges)}
    order = sorted(found, key=lambda t: t.born)
    number = {node: i for i, node in enumerate(order)}
    return [
        Node(i, t.name or "tensor", t.shape, t.data, t.grad, tuple(number[p] for p, _ in t.edges))
        for i, t in enumerate(order)
    ]
