"""The recording of a step: arrays whose operations note themselves down, and the notebook they write in."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from dlcore.arrays import fast_numpy, hooks, kernels
from dlcore.arrays.library import register
from dlcore.backprop import Tensor

from .buffers import Call, base_of

NumpyArray = np.ndarray[Any, Any]


class CaptureError(RuntimeError):
    """A step does something that a replay could not repeat."""


class Recorded(np.ndarray[Any, Any]):
    """An array whose operations note themselves down in the capture in progress.

    Ufuncs and NumPy's functions come through NumPy's two override protocols; the methods below are those that
    compute without passing through either.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        return _recorder().ufunc(ufunc, method, inputs, out, options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function in _HANDLERS:
            return _HANDLERS[function](_recorder(), *inputs, **options)
        if function in _MADE_OF_RECORDED:
            return super().__array_function__(function, types, inputs, options)
        raise CaptureError(
            f"capture: numpy.{function.__name__} cannot be replayed. Write the step with the functions of "
            "dlcore.backprop, or move this call out of the step"
        )

    def dot(self, other: Any, out: Any = None) -> Any:
        return _recorder().new(np.dot, self, other)

    def astype(  # type: ignore[override]
        self, dtype: Any, *args: Any, copy: bool = True, **options: Any
    ) -> Any:
        return self if not copy and self.dtype == dtype else _recorder().cast(self, dtype)

    def copy(self, order: Any = "C") -> Any:
        return _recorder().cast(self, self.dtype)

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        return _take(_recorder(), self, indices, axis)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        view = super().reshape(*shape)
        if np.may_share_memory(plain(view), plain(self)):
            return view
        return _recorder().cast(self, self.dtype, order="C").reshape(*shape)  # a copy, made at each replay

    def ravel(self, order: Any = "C") -> Any:
        return self.reshape(-1)

    def __getitem__(self, key: Any) -> Any:
        if kernels.is_basic(key):
            keys = key if isinstance(key, tuple) else (key,)  # the ellipsis keeps a single element an array
            return super().__getitem__(keys if any(k is Ellipsis for k in keys) else (*keys, ...))
        return _recorder().pick(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not kernels.is_basic(key):
            raise CaptureError(
                "capture: assignment to elements picked by arrays of indices cannot be replayed"
            )
        _recorder().assign_to(self[key], value)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise CaptureError(
            "capture: the step asks for the value of an array (if, while, float(), int(), .item(), .tolist(), print). "
            "A replay cannot decide anew: move the question out of the step, or use dlcore.backprop.where"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refuse
    __str__ = __repr__ = __format__ = __contains__ = _refuse
    item = tolist = tobytes = sort = argsort = fill = nonzero = _refuse
    partition = put = searchsorted = _refuse


register(Recorded, fast_numpy)


def _recorder() -> Recorder:
    if not isinstance(hooks.capturing, Recorder):
        raise CaptureError(
            "capture: an array from inside a captured step is used outside of it. Return it from the step, or keep "
            "a copy of the parameter it came from"
        )
    return hooks.capturing


def plain(x: Any) -> Any:
    """Return a Recorded array as the ordinary array on the same memory, anything else as it is."""
    return x.view(np.ndarray) if type(x) is Recorded else x


# Functions of NumPy that only rearrange, or are themselves made of ufuncs and of the methods above.
_MADE_OF_RECORDED = {
    np.astype,
    np.broadcast_to,
    np.clip,
    np.expand_dims,
    np.max,
    np.mean,
    np.min,
    np.moveaxis,
    np.permute_dims,
    np.prod,
    np.ravel,
    np.reshape,
    np.squeeze,
    np.stack,
    np.sum,
    np.swapaxes,
    np.transpose,
}


def _concatenate(recorder: Recorder, parts: Any, axis: int | None = 0, **options: Any) -> Any:
    return recorder.new(np.concatenate, tuple(parts), axis)


def _zeros_like(
    recorder: Recorder, x: Any, dtype: Any = None, order: Any = "K", shape: Any = None, **_: Any
) -> Any:
    return recorder.assign_to(recorder.fresh(np.empty_like(plain(x), dtype, order, False, shape)), 0)


def _ones_like(recorder: Recorder, x: Any, dtype: Any = None, **_: Any) -> Any:
    return np.ones_like(plain(x), dtype)  # a constant: nobody writes into it


def _empty_like(recorder: Recorder, x: Any, dtype: Any = None, **options: Any) -> Any:
    return recorder.fresh(np.empty_like(plain(x), dtype=dtype))


def _where(recorder: Recorder, condition: Any, x: Any, y: Any) -> Any:
    out = recorder.fresh(np.where(plain(condition), plain(x), plain(y)))
    return recorder.write(lambda target, c, a, b: np.copyto(target, np.where(c, a, b)), out, condition, x, y)


def _take(recorder: Recorder, x: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
    # NumPy's own check, mode="raise", would buffer the output.
    recorder.guard(functools.partial(_check_indices, x.size if axis is None else x.shape[axis]), indices)
    return recorder.new(functools.partial(np.take, mode="wrap"), x, indices, axis)


def _check_indices(length: int, indices: NumpyArray) -> None:
    if np.max(indices, initial=0) >= length or np.min(indices, initial=0) < -length:
        raise IndexError(
            f"take: expected indices below {length}; received {np.min(indices)} to {np.max(indices)}"
        )


def _argmax(recorder: Recorder, x: Any, axis: Any = None, **options: Any) -> Any:
    return recorder.new(np.argmax, x, axis)


def _dot(recorder: Recorder, x: Any, y: Any) -> Any:
    return recorder.new(np.dot, x, y)


_HANDLERS: dict[Any, Callable[..., Any]] = {
    np.argmax: _argmax,
    np.array2string: lambda _, x, **options: x._refuse(),  # what printing a Tensor comes to
    np.concatenate: _concatenate,
    np.dot: _dot,
    np.empty_like: _empty_like,
    np.ones_like: _ones_like,
    np.take: _take,
    np.where: _where,
    np.zeros_like: _zeros_like,
}


# ---------------------------------------------------------------------------------------------- Recorder


class Recorder:
    """What one run of a step did: the calls, the random draws, the checks, and the Tensors it changed."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.draws: list[tuple[NumpyArray, Callable[[], Any]]] = []
        self.guards: list[tuple[Callable[..., None], tuple[NumpyArray, ...]]] = []
        self.inputs: list[NumpyArray] = []
        self.start = Tensor(0.0).born  # Tensors born before are the step's lasting state
        self.kept: dict[int, NumpyArray] = {}  # memory that outlives the step, by address
        self.own: dict[int, NumpyArray] = {}  # memory that the recording allocated
        self.wrapped: dict[int, tuple[NumpyArray, Recorded]] = {}  # with the array, lest its id be given away
        self.lasting: dict[Tensor, NumpyArray] = {}  # Tensors from before the step, and their memory
        self.grads: dict[
            Tensor, bool
        ] = {}  # lasting Tensor → whether its gradient was read before it was set

    # -- running the step

    def record(self, step: Callable[..., Any], inputs: list[Any]) -> Any:
        """Run `step` once on copies of `inputs`, and return its result, which later replays overwrite."""
        self.inputs = [np.array(plain(x)) for x in inputs]
        slots: Any = Tensor  # mypy: the class, whose slots are covered by properties while the step runs
        data, grad = Tensor.__dict__["data"], Tensor.__dict__["grad"]
        hooks.capturing = self
        slots.data = property(lambda t: self.read(t, data), lambda t, v: self.assign(t, data, v))
        slots.grad = property(lambda t: self.read_grad(t, grad), lambda t, v: self.assign_grad(t, grad, v))
        try:
            result = step(*[self.keep(x) for x in self.inputs])
            # what the step left behind must be plain arrays again
            outputs = self._returned(result)
        finally:
            hooks.capturing = None
            slots.data, slots.grad = data, grad
            for tensor in self.grads:
                tensor.grad = plain(tensor.grad)
        self._check_grads()
        for tensor in self.grads:
            if tensor.grad is not None:
                self.keep(tensor.grad)
        return outputs

    def _returned(self, result: Any) -> Any:
        if isinstance(result, tuple):
            return tuple(self._returned(r) for r in result)
        value = result.data if isinstance(result, Tensor) else result
        if type(value) is Recorded:
            self.keep(plain(value))
            value = plain(value)
        return Tensor(value) if isinstance(result, Tensor) else value

    def _check_grads(self) -> None:
        for tensor, read_first in self.grads.items():
            if read_first and tensor.grad is not None:
                raise CaptureError(
                    f"capture: the gradient of a tensor of shape {tensor.shape} adds up from call to call. Call "
                    "optimizer.zero_grad() inside the step, before backward()"
                )

    # -- Tensors that existed before the step

    def read(self, tensor: Tensor, slot: Any) -> Any:
        """Return a Tensor's data so that what is done with it is recorded."""
        value = slot.__get__(tensor)
        if type(value) is Recorded:
            return value
        if tensor.born <= self.start:
            if not isinstance(value, np.ndarray):  # a NumPy scalar cannot be overwritten in place
                value = np.asarray(value)
                slot.__set__(tensor, value)
            self.lasting.setdefault(tensor, value)
        return self.keep(np.asarray(value))

    def assign(self, tensor: Tensor, slot: Any, value: Any) -> None:
        """Bind new data to a Tensor; where it is lasting state, copy into its memory instead."""
        if tensor.born > self.start:
            slot.__set__(tensor, value)
            return
        target = self.read(tensor, slot)
        if value is not target:
            self.assign_to(target, value)

    def read_grad(self, tensor: Tensor, slot: Any) -> Any:
        """Return a Tensor's gradient, noting if it stems from before the step."""
        value = slot.__get__(tensor)
        if tensor.born > self.start:
            return value
        self.grads.setdefault(tensor, True)
        return value if value is None or type(value) is Recorded else self.keep(value)

    def assign_grad(self, tensor: Tensor, slot: Any, value: Any) -> None:
        """Bind a gradient to a Tensor."""
        if tensor.born <= self.start:
            self.grads.setdefault(tensor, False)
        slot.__set__(tensor, value)

    # -- memory

    def keep(self, array: NumpyArray) -> Recorded:
        """Return the Recorded view of an array whose memory outlives the step."""
        base = base_of(array)
        self.kept[base.ctypes.data] = base
        if id(array) not in self.wrapped:
            self.wrapped[id(array)] = array, array.view(Recorded)
        return self.wrapped[id(array)][1]

    def fresh(self, array: Any) -> Recorded:
        """Return the Recorded view of an array that the recording allocated."""
        array = np.asarray(array)
        base = base_of(array)
        self.own[base.ctypes.data] = base
        view: Recorded = array.view(Recorded)
        return view

    # -- notes

    def new(self, function: Callable[..., Any], *args: Any) -> Recorded:
        """Call `function`, which takes `out=`, and note it with its result as buffer."""
        args = tuple(tuple(plain(p) for p in a) if isinstance(a, tuple) else plain(a) for a in args)
        out = np.asarray(function(*args))
        self.calls.append(Call(function, args, {}, out))
        return self.fresh(out)

    def write(self, function: Callable[..., Any], target: Any, *args: Any) -> Any:
        """Call `function(target, *args)`, which overwrites `target`, and note it."""
        self._check_known(target)
        args = tuple(plain(a) for a in args)
        function(plain(target), *args)
        self.calls.append(Call(function, args, {}, plain(target), target_first=True))
        return target

    def _check_known(self, target: Any) -> None:
        address = base_of(target).ctypes.data
        if address not in self.own and address not in self.kept:
            raise CaptureError(
                f"capture: the step writes into a plain array of shape {np.shape(target)}, which a replay would "
                "not find as it was. Keep lasting state in a Tensor, and make work arrays with zeros_like(x)"
            )

    def assign_to(self, target: Any, value: Any) -> Any:
        """Overwrite all of `target`, and note it."""
        return self.write(operator.setitem, target, ..., value)  # half the time of numpy.copyto

    def ufunc(self, ufunc: Any, method: str, inputs: Any, out: Any, options: dict[str, Any]) -> Any:
        """Run and note a ufunc's call or reduction."""
        if ufunc is np.matmul and out is None:
            return self.new(np.matmul, *inputs)
        if method == "at":
            return self.write(ufunc.at, *inputs)
        if method not in ("__call__", "reduce") or ufunc.nout != 1:
            raise CaptureError(f"capture: numpy.{ufunc.__name__}.{method} cannot be replayed")
        function = ufunc if method == "__call__" else ufunc.reduce
        args = _same_dtype([plain(x) for x in inputs])
        options = {name: plain(value) for name, value in options.items()}
        if out is None:
            result = self.fresh(function(*args, **options))
        else:
            result = out[0]
            self._check_known(result)
            function(*args, out=plain(result), **options)
        self.calls.append(Call(function, args, options, plain(result), elementwise=method == "__call__"))
        return result

    def cast(self, x: Any, dtype: Any, order: Any = "K") -> Any:
        """Note a copy of `x` in another dtype or order."""
        target = self.fresh(np.empty_like(plain(x), dtype=dtype, order=order, subok=False))
        return self.assign_to(target, x)

    def pick(self, x: Any, key: Any) -> Any:
        """Note a copy of the elements that arrays of indices pick."""
        keys = tuple(plain(k) for k in key) if isinstance(key, tuple) else plain(key)
        out = self.fresh(np.ndarray.__getitem__(plain(x), keys))
        indices = keys if isinstance(keys, tuple) else (keys,)
        return self.write(lambda target, a, *index: np.copyto(target, a[index]), out, x, *indices)

    # -- what must happen before each replay (see arrays.hooks)

    def draw(self, make: Callable[[], Any]) -> Any:
        """Note a random draw."""
        values = np.array(make())
        self.draws.append((values, make))
        return self.keep(values)

    def guard(self, check: Callable[..., None], *checked: Any) -> None:
        """Check now, and note the check if it is of the step's inputs, whose values are known beforehand."""
        values = tuple(plain(x) for x in checked)
        check(*values)
        if all(any(np.may_share_memory(v, x) for x in self.inputs) for v in values):
            self.guards.append((check, values))


def _same_dtype(args: list[Any]) -> tuple[Any, ...]:
    """Turn Python numbers into arrays of the other operands' dtype, once instead of at every replay."""
    dtypes = {a.dtype for a in args if isinstance(a, np.ndarray)}
    if len(dtypes) != 1 or (dtype := dtypes.pop()).kind != "f":
        return tuple(args)
    return tuple(np.asarray(a, dtype) if type(a) in (int, float) else a for a in args)
