"""Where a replayed step keeps its intermediate results: buffers shared by lifetime.

A step of many calls needs few buffers at any moment. As in a compiler's register allocation, a result whose
last reader has run gives its memory to the next one of the same size; the working set then stays in the
processor's cache. Results that outlive the step (parameters, gradients, what it returns) stay where they are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from dlcore.arrays import simd

NumpyArray = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Call:
    """One call to NumPy: `function(*args, out)`, or `function(out, *args)` where the target comes first.

    Attributes:
        function: a ufunc, its reduction, or a function that takes `out`.
        args: what it reads; arrays may stand in a tuple.
        options: keyword arguments.
        out: the array it writes.
        elementwise: element i of the output depends on element i of the inputs alone.
        target_first: `out` is the first argument and may have been written before.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    out: NumpyArray
    elementwise: bool = field(default=False, kw_only=True)
    target_first: bool = field(default=False, kw_only=True)

    def arrays(self) -> Iterator[NumpyArray]:
        """Yield every array that the call touches."""
        for a in (*self.args, *self.options.values(), self.out):
            if isinstance(a, np.ndarray):
                yield a
            elif isinstance(a, tuple):
                yield from (part for part in a if isinstance(part, np.ndarray))

    def moved(self, move: Callable[[Any], Any]) -> Call:
        """Return the same call on other memory."""

        def each(a: Any) -> Any:
            return tuple(map(move, a)) if isinstance(a, tuple) else move(a)

        options = {name: each(a) for name, a in self.options.items()}
        return replace(self, args=tuple(map(each, self.args)), options=options, out=move(self.out))


def base_of(array: NumpyArray) -> NumpyArray:
    """Return the array that owns the memory which `array` is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def plan(steps: list[Call | simd.Program]) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Write calls with positional arguments alone, the fastest way to make them; a program is one call."""
    planned: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for step in steps:
        if isinstance(step, simd.Program):
            planned.append((simd.kernel.run, (step.words,)))
        else:
            planned += [_positional(call) for call in _short_rows_first(step)]
    return planned


def _short_rows_first(call: Call) -> list[Call]:
    """Lay out a short row before it is added to every row of a small matrix: half the time of broadcasting it."""
    row = call.args[-1]
    shape = call.out.shape
    if call.function is not np.add or len(shape) != 2 or shape[1] > SHORT or call.out.size > SMALL:
        return [call]
    if not isinstance(row, np.ndarray) or row.ndim != 1 or row.size == 1:
        return [call]
    rows = np.empty(shape, row.dtype)
    return [
        Call(operator.setitem, (..., row), {}, rows, target_first=True),
        replace(call, args=(call.args[0], rows)),
    ]


SHORT, SMALL = 16, 4096  # numbers in a short row and in a small matrix


def _positional(call: Call) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    options = dict(call.options)
    if call.target_first:
        return call.function, (call.out, *call.args)
    if call.elementwise and call.out.size > 1:  # a single number broadcasts quicker without axes
        call = replace(call, args=tuple(a.reshape(()) if _is_single(a) else a for a in call.args))
    if getattr(call.function, "__name__", "") == "reduce":
        args = (
            *call.args,
            options.pop("axis", 0),
            options.pop("dtype", None),
            call.out,
            options.pop("keepdims", False),
        )
        return partial(call.function, **options) if options else call.function, args
    if call.function in (np.maximum, np.minimum):  # NumPy warns of a third positional argument of these two
        options["out"] = call.out
        return partial(call.function, **options), call.args
    return partial(call.function, **options) if options else call.function, (*call.args, call.out)


def _is_single(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.size == 1


def share_buffers(
    calls: list[Call], own: Mapping[int, NumpyArray], kept: Mapping[int, NumpyArray]
) -> tuple[list[Call], Callable[[Any], Any], int]:
    """Move the intermediate results of `calls` into shared buffers, and results that are joined into the joint.

    Args:
        calls: in the order in which they are made.
        own: memory that was allocated for results, by address.
        kept: memory that outlives the step, by address.

    Returns:
        the calls on the new memory; the function that finds an array's new place; the bytes of all results.
    """
    calls, inside = _without_joins(calls, own)

    def place(array: NumpyArray) -> tuple[int, int]:
        """Return the address of the memory that an array shall live in, and the offset there."""
        address = base_of(array).ctypes.data
        offset = array.ctypes.data - address
        joint, start = inside.get(address, (address, 0))
        return joint, start + offset

    stay = {inside.get(address, (address, 0))[0] for address in kept}
    temporary = {address for address in own if address not in stay and address not in inside}
    last: dict[int, int] = {}
    for i, call in enumerate(calls):
        for array in call.arrays():
            last[place(array)[0]] = i
    dying: list[list[int]] = [[] for _ in calls]
    for address, i in last.items():
        if address in temporary:
            dying[i].append(address)

    home: dict[int, NumpyArray] = {}  # address of a temporary → the buffer it lives in
    free: dict[int, list[NumpyArray]] = {}  # bytes → buffers nobody needs any more
    for i, call in enumerate(calls):
        for array in call.arrays():
            address = place(array)[0]
            if address in temporary and address not in home:
                size = own[address].nbytes
                home[address] = free[size].pop() if free.get(size) else np.empty(size, np.uint8)
        for address in dying[i]:  # after the call: to write over an input gains nothing
            free.setdefault(own[address].nbytes, []).append(home[address])

    def move(a: Any) -> Any:
        if not isinstance(a, np.ndarray):
            return a
        address, offset = place(a)
        if address in home or base_of(a).ctypes.data in inside:
            memory: Any = home.get(address, own.get(address))
            a = np.ndarray(a.shape, a.dtype, memory.data, offset, a.strides)
        # One object for one array: NumPy works twice as fast in place if input and output are the same object.
        return views.setdefault((a.ctypes.data, a.shape, a.strides, a.dtype), a)

    views: dict[tuple[Any, ...], NumpyArray] = {}
    results = {id(b): b.nbytes for b in home.values()} | {a: own[a].nbytes for a in own if a in stay}
    return [call.moved(move) for call in calls], move, sum(results.values())


def _without_joins(
    calls: list[Call], own: Mapping[int, NumpyArray]
) -> tuple[list[Call], dict[int, tuple[int, int]]]:
    """Leave out the joining of arrays that can be computed in their place in the joint from the start.

    An optimizer joins all gradients into one long array. Each is a result of its own that nobody changes
    afterwards; so it may as well be written where it would be copied to.

    Returns:
        the calls without such joins, and for each part's address the joint's address and the offset there.
    """
    written = {}
    for i, call in enumerate(calls):
        written[base_of(call.out).ctypes.data] = i
    inside: dict[int, tuple[int, int]] = {}
    kept_calls = []
    for i, call in enumerate(calls):
        places = _parts_of_join(call, own)
        joint = call.out.ctypes.data
        fresh = places and not any(part in inside for part in places) and joint not in inside
        if fresh and written[joint] == i and all(written[part] < i for part in places):
            inside |= {part: (joint, offset) for part, offset in places.items()}
        else:
            kept_calls.append(call)
    return kept_calls, inside


def _parts_of_join(call: Call, own: Mapping[int, NumpyArray]) -> dict[int, int]:
    """Return address → offset of the parts that `call` joins end to end; nothing if it does otherwise."""
    if call.function is not np.concatenate or call.out.ndim != 1 or base_of(call.out) is not call.out:
        return {}
    places: dict[int, int] = {}
    offset = 0
    for part in call.args[0]:
        base = base_of(part)
        whole = base.nbytes == part.nbytes and part.dtype == call.out.dtype
        in_order = base.flags.c_contiguous and part.flags.c_contiguous  # else, say transposed, it is copied
        if not (whole and in_order) or base.ctypes.data not in own or base.ctypes.data in places:
            return {}
        places[base.ctypes.data] = offset
        offset += part.nbytes
    return places
