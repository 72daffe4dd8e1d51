"""Which library does an array belong to? Looked up by type, once per type."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import fast_numpy

#: An array of any supported library. The standard defines it by behaviour, so Python's type system cannot.
Array = Any

DTYPES = ("float32", "float64", "int32", "int64", "bool")

# A dict look-up on the type costs 16 ns where array_api_compat's inspection costs a microsecond.
# Scalars are here because NumPy's reductions return them in place of 0-d arrays.
_NAMESPACES: dict[type, ModuleType] = dict.fromkeys((np.ndarray, np.float32, np.float64), fast_numpy)


def namespace(first: Array, *others: Array) -> Any:
    """Return the array-API functions for these arrays: `namespace(x).exp(x)` works for every library.

    For NumPy it is `numpy` with a few shorter ways, for torch `array_api_compat.torch`, else what the array
    says it is.

    Raises:
        TypeError: an argument is no array, or the arrays come from different libraries.

    >>> namespace(np.zeros(3)).exp is np.exp
    True
    """
    xp = _NAMESPACES.get(type(first)) or _inspect(first)
    for other in others:
        if (_NAMESPACES.get(type(other)) or _inspect(other)) is not xp:
            raise TypeError(
                f"expected arrays of one library; received {describe(first)} and {describe(other)}. "
                "Bring both to one device with dlcore.arrays.asarray(x, device=...)"
            )
    return xp


def _inspect(x: Any) -> ModuleType:
    kind = type(x)
    if isinstance(x, (np.ndarray, np.generic)):
        xp: ModuleType = fast_numpy
    elif "torch" in sys.modules and isinstance(x, sys.modules["torch"].Tensor):
        import array_api_compat.torch

        xp = array_api_compat.torch
    elif hasattr(x, "__array_namespace__"):
        xp = x.__array_namespace__()
    else:
        raise TypeError(
            f"expected an array; received {kind.__name__}. Convert it with dlcore.arrays.asarray(x)"
        )
    _NAMESPACES[kind] = xp
    return xp


def register(kind: type, xp: ModuleType) -> None:
    """Let arrays of type `kind` be handled by the functions of `xp`."""
    _NAMESPACES[kind] = xp


def is_array(x: object) -> bool:
    """Tell whether `x` is an array of a supported library (lists and Python numbers are not)."""
    if type(x) in _NAMESPACES:
        return True
    try:
        _inspect(x)
    except TypeError:
        return False
    return True


def library(x: Array) -> str:
    """Return "numpy", "torch" or "strict": the library that `x` belongs to."""
    return _LIBRARIES[namespace(x).__name__]


_LIBRARIES = {
    "dlcore.arrays.fast_numpy": "numpy",
    "array_api_compat.torch": "torch",
    "array_api_strict": "strict",
}


def device_of(x: Array) -> str:
    """Return the device that `x` lives on: "numpy", "cpu", "cuda", "mps" or "strict"."""
    name = library(x)
    return str(x.device.type) if name == "torch" else name


def dtype_name(x: Array) -> str:
    """Return the dtype's name without its library: "float32", not "torch.float32".

    >>> dtype_name(np.zeros(1))
    'float64'
    """
    key = type(x), x.dtype  # the type, too: array_api_strict's dtypes object to meeting NumPy's
    name = _DTYPE_NAMES.get(key)
    if name is None:
        name = _DTYPE_NAMES[key] = str(x.dtype).rpartition(".")[2]
    return name


_DTYPE_NAMES: dict[tuple[type, Any], str] = {}  # asking NumPy for the name takes 3 µs


def describe(x: Any) -> str:
    """Say what `x` is in an error message: library, shape and dtype."""
    if not is_array(x):
        return f"{type(x).__name__} {x!r}"
    where = device_of(x)
    return f"{'a torch' if library(x) == 'torch' else 'a'} {where} array of shape {tuple(x.shape)}, {x.dtype}"
