"""NumPy's missing speed in the browser: a WebAssembly kernel with SIMD (its C source is in wasm/).

In the page, dlcore runs on Pyodide, whose NumPy has neither BLAS nor SIMD. The kernel is an ordinary extension
module, named so that only such a Python finds it; elsewhere one failing import is all it costs. NumPy stays the
reference: the kernel takes plain float32 arrays and hands everything else back to NumPy.

    activate, deactivate    let fast_numpy use the kernel, or not
    compiled                a captured step's calls as programs, each carried out in one call to the kernel
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from . import fast_numpy

NumpyArray = np.ndarray[Any, Any]

#: The kernel while it is active. It is built for 32-bit WebAssembly, the only place where this import succeeds.
kernel: Any = None

#: Functions of fast_numpy that the kernel has, too.
REPLACED = (
    "affine",
    "end_to_end",
    "exp",
    "expm1",
    "gate",
    "log",
    "log1p",
    "matmul",
    "sum_rows",
    "tanh",
)
_plain = {name: getattr(fast_numpy, name) for name in REPLACED}


def activate() -> bool:
    """Let NumPy's namespace use the kernel where there is one; tell whether there is.

    A browser without SIMD refuses to compile the module, which shows as an ImportError like a missing file.
    """
    global kernel  # noqa: PLW0603 - one library, one kernel
    try:
        from . import _simd  # type: ignore[attr-defined]
    except ImportError:
        return False
    kernel = _simd
    kernel.fall_back_on(_plain)
    vars(fast_numpy).update({name: getattr(kernel, name) for name in REPLACED})
    return True


def deactivate() -> None:
    """Go back to NumPy alone, for comparisons. Steps that were captured before keep their programs."""
    global kernel  # noqa: PLW0603
    kernel = None
    vars(fast_numpy).update(_plain)


# --------------------------------------------------------------------------------------------- programs


@dataclass(frozen=True)
class Instruction:
    """One instruction of the kernel: words of its own, then operands (structures of wasm/kernel.h)."""

    words: tuple[int, ...]
    operands: tuple[tuple[NumpyArray, tuple[int, ...]], ...]  # arrays with their four strides, in elements


class Program:
    """Instructions as the kernel reads them: one array of 32-bit words.

    Attributes:
        words: the array.
        places: the word in which each operand's address stands, and the operand, which must live as long.
    """

    def __init__(self, instructions: Sequence[Instruction]) -> None:
        words: list[int] = []
        self.places: list[tuple[int, NumpyArray]] = []
        for instruction in instructions:
            words += instruction.words
            for array, strides in instruction.operands:
                self.places.append((len(words), array))
                words += (array.ctypes.data, *strides)
        words.append(END)
        self.words = np.array([word & WORD for word in words], np.uint32)

    def reader(self, place: int, offset: int) -> Callable[[NumpyArray], None]:
        """Return the function that lets one operand read `offset` bytes into another array."""

        def point(source: NumpyArray) -> None:
            self.words[place] = (source.ctypes.data + offset) & WORD

        return point


WORD = 0xFFFFFFFF  # negative strides are written as two's complement
END, PRODUCT, MAP, REDUCTION = range(4)
SUM, MAX = range(2)
F4, BOOL, I8 = np.dtype(np.float32), np.dtype(np.bool_), np.dtype(np.int64)


def compiled(calls: Sequence[Any]) -> list[Any]:
    """Return a captured step's calls with every run of calls that the kernel knows as one Program.

    Args:
        calls: of `dlcore.capture.buffers.Call`, in order.
    """
    if kernel is None:
        return list(calls)
    maps = kernel.maps()
    translated = [(call, _translated(call, maps)) for call in calls]
    result: list[Any] = []
    for known, group in groupby(translated, key=lambda pair: pair[1] is not None):
        pairs = list(group)
        if known:
            result.append(Program([i for _, instructions in pairs for i in instructions or ()]))
        else:
            result += [call for call, _ in pairs]
    return result


def _translated(call: Any, maps: dict[str, int]) -> list[Instruction] | None:
    """Return the instructions for one call, or None if the kernel has none for it."""
    function, args, out = call.function, call.args, call.out
    if out.size == 0 or any(step % a.itemsize for a in call.arrays() for step in a.strides):
        return None  # empty; or a field of records, whose stride is no whole number of elements
    if function in (np.dot, np.matmul):
        return _product(args[0], args[1], out)
    if function is np.concatenate:
        return _joined(maps, args, out)
    if function is operator.setitem:
        return _mapped(maps, "copy", out, args[1]) if args[0] is Ellipsis else None
    if getattr(function, "__name__", "") == "reduce":
        return _reduced(function.__self__, args[0], out, call.options)
    if not isinstance(function, np.ufunc) or call.options:
        return None
    if function.__name__ == "clip":
        above = _mapped(maps, "maximum", out, args[0], args[1])
        below = _mapped(maps, "minimum", out, out, args[2])
        return above + below if above and below else None
    return _mapped(maps, function.__name__, out, *args)


def _mapped(maps: dict[str, int], name: str, out: NumpyArray, *args: Any) -> list[Instruction] | None:
    """Return `out[i] = name(args[0][i], args[1][i])`."""
    inputs = [np.asarray(a, out.dtype if type(a) in (int, float) else None) for a in args]
    name = _TYPED.get((name, *(a.dtype for a in (out, *inputs))), "")
    if name not in maps or any(_overlap(out, a) for a in inputs):
        return None
    whole = [out, *(np.broadcast_to(a, out.shape) for a in inputs)]
    axes = _merged(out.shape, [_strides(a) for a in whole])
    if axes is None or len(axes) > 4:
        return None
    axes = [(1, (0,) * len(whole))] * (4 - len(axes)) + axes
    shape = tuple(n for n, _ in axes)
    operands = [(a, tuple(strides[i] for _, strides in axes)) for i, a in enumerate((out, *inputs))]
    operands += [operands[-1]] * (3 - len(operands))  # a function of one input ignores the second
    return [Instruction((MAP, maps[name], *shape), tuple(operands))]


_ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
_FUNCTIONS = (
    "copy",
    "negative",
    "absolute",
    "square",
    "sqrt",
    "sign",
    "exp",
    "log",
    "expm1",
    "log1p",
    "tanh",
)
_COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal")

#: (name, dtype of the output, dtypes of the inputs) → the kernel's map for it.
_TYPED: dict[tuple[Any, ...], str] = {
    **{(name, F4, F4, F4): name for name in _ARITHMETIC},
    **{(name, F4, F4): name for name in _FUNCTIONS},
    **{(name, BOOL, F4, F4): name for name in _COMPARISONS},
    ("multiply", F4, F4, BOOL): "multiply_bool",
    ("copy", F4, BOOL): "copy_bool",
    ("equal", BOOL, I8, I8): "equal_int64",
}


def _product(x: NumpyArray, y: NumpyArray, out: NumpyArray) -> list[Instruction] | None:
    """Return `out = x · y` for matrices, vectors, or stacks of matrices."""
    if {x.dtype, y.dtype, out.dtype} != {F4} or np.may_share_memory(out, x) or np.may_share_memory(out, y):
        return None
    if x.ndim == 1:
        x, out = x[None, :], out[..., None, :] if y.ndim > 1 else out[..., None]
    if y.ndim == 1:
        y, out = y[:, None], out[..., None]
    (m, k), n = x.shape[-2:], y.shape[-1]
    batch = out.shape[:-2]
    whole = [out, *(np.broadcast_to(a, (*batch, *a.shape[-2:])) for a in (x, y))]
    strides = [_strides(a) for a in whole]
    stacks = _merged(batch, [s[:-2] for s in strides], ordered=False)
    if stacks is None or len(stacks) > 2 or k == 0 or (n > 1 and strides[0][-1] != 1):
        return None
    stacks = [(1, (0, 0, 0))] * (2 - len(stacks)) + stacks
    operands = [(a, (*(s[i] for _, s in stacks), *strides[i][-2:])) for i, a in enumerate(whole)]
    return [Instruction((PRODUCT, *(length for length, _ in stacks), m, n, k), tuple(operands))]


def _reduced(ufunc: Any, x: NumpyArray, out: NumpyArray, options: dict[str, Any]) -> list[Instruction] | None:
    """Return the sum or the maximum over neighbouring axes of `x`."""
    if ufunc not in (np.add, np.maximum) or {x.dtype, out.dtype} != {F4} or np.may_share_memory(out, x):
        return None
    if x.size == 0 or options.get("dtype") is not None or not options.keys() <= {"axis", "dtype", "keepdims"}:
        return None
    axis = options.get("axis", 0)
    axes = sorted(i % x.ndim for i in (range(x.ndim) if axis is None else np.atleast_1d(axis).tolist()))
    if axes != list(range(axes[0], axes[-1] + 1)):
        return None
    start, stop = axes[0], axes[-1] + 1
    kept = (
        out if options.get("keepdims") else out.reshape(*x.shape[:start], *(1 for _ in axes), *x.shape[stop:])
    )
    if not np.may_share_memory(kept, out):
        return None  # to reshape it was to copy it
    parts = []
    for part in (slice(None, start), slice(start, stop), slice(stop, None)):
        merged = _merged(x.shape[part], [_strides(a)[part] for a in (np.broadcast_to(kept, x.shape), x)])
        if merged is None or len(merged) > 1:
            return None
        parts.append(merged[0] if merged else (1, (0, 0)))
    operands = [(a, (*(s[i] for _, s in parts), 0)) for i, a in enumerate((out, x))]
    words = (REDUCTION, SUM if ufunc is np.add else MAX, *(length for length, _ in parts))
    return [Instruction(words, tuple(operands))]


def _joined(maps: dict[str, int], args: tuple[Any, ...], out: NumpyArray) -> list[Instruction] | None:
    """Return the joining of arrays as a copy of each."""
    parts, axis = args[0], args[1] if len(args) > 1 else 0
    if axis is None:
        parts, axis = [p.reshape(-1) if p.flags.c_contiguous else None for p in parts], 0
    if any(p is None for p in parts):
        return None
    instructions: list[Instruction] = []
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        place = out[(slice(None),) * (axis % out.ndim) + (slice(start, stop),)]
        copy = _mapped(maps, "copy", place, part) if part.size else []
        if copy is None:
            return None
        instructions += copy
        start = stop
    return instructions


# ------------------------------------------------------------------------------------- layout in memory


def _strides(a: NumpyArray) -> tuple[int, ...]:
    """Return the strides in elements."""
    return tuple(s // a.itemsize for s in a.strides)


def _overlap(out: NumpyArray, a: NumpyArray) -> bool:
    """Tell whether `a` shares memory with `out` other than element by element."""
    if not np.may_share_memory(out, a):
        return False
    return (out.ctypes.data, out.shape, out.strides) != (a.ctypes.data, a.shape, a.strides)


Axis = tuple[int, tuple[int, ...]]  # length, and the stride of each array


def _merged(
    shape: tuple[int, ...], strides: list[tuple[int, ...]], ordered: bool = True
) -> list[Axis] | None:
    """Return the axes of arrays of one shape with neighbours joined where each array allows it.

    Args:
        shape: of all.
        strides: of each array.
        ordered: whether the order of the axes may be changed to that of the first array's memory.
    """
    axes = [(n, tuple(s[i] for s in strides)) for i, n in enumerate(shape) if n != 1]
    if ordered:
        axes.sort(key=lambda axis: -abs(axis[1][0]))
    merged: list[Axis] = []
    for n, steps in axes:
        if merged and all(before == step * n for before, step in zip(merged[-1][1], steps, strict=True)):
            merged[-1] = (merged[-1][0] * n, steps)
        else:
            merged.append((n, steps))
    return merged


activate()
