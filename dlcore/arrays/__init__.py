"""Arrays: the one place that knows array libraries (floor 0; used by every chapter).

`dlcore` runs the same code on NumPy arrays, on torch tensors (CPU, CUDA, MPS) and on `array_api_strict`
(which refuses whatever the array-API standard does not promise, and so keeps us honest). There is no
global switch: **the array decides**. `namespace(x)` gives the functions that fit `x`, and nothing above
this floor asks which library that is.

    namespace   the array's own `exp`, `sum`, `matmul`, …        asarray     bring data to a device
    device      the name of the best device, or a check of one    to_numpy    bring an array back
    random      seeded draws, the same on every device           kernels     where a library has a better way

Reference: Python array API standard, https://data-apis.org/array-api/latest/
"""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from . import hooks, kernels, random, simd
from .library import DTYPES, Array, device_of, dtype_name, is_array, library, namespace

__all__ = [
    "DTYPES",
    "Array",
    "asarray",
    "copy_into",
    "device",
    "device_of",
    "dtype_name",
    "hooks",
    "is_array",
    "is_floating",
    "kernels",
    "library",
    "namespace",
    "random",
    "simd",
    "to_numpy",
]

DEVICES = ("numpy", "cpu", "cuda", "mps")


def device(name: str = "auto") -> str:
    """Return the device to compute on: `name` itself if it is usable here, or the best one for "auto".

    "numpy" is NumPy on the CPU; "cpu", "cuda" and "mps" are torch's. "auto" takes a CUDA card where there
    is one and NumPy otherwise, because at the sizes of this book NumPy beats torch on the CPU.

    Raises:
        ValueError: the name is unknown, or this machine has no such device.

    >>> device("numpy")
    'numpy'
    """
    if name == "numpy":
        return name
    if name not in (*DEVICES, "auto"):
        raise ValueError(f"device: expected one of auto, {', '.join(DEVICES)}; received {name!r}")
    try:
        import torch
    except ImportError:
        if name == "auto":
            return "numpy"
        raise ValueError(
            f"device: {name!r} needs torch, which is not installed; "
            "run `pip install -c requirements.txt -e .[torch]` or use device='numpy'"
        ) from None
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return "cuda" if usable["cuda"] else "numpy"
    if not usable[name]:
        here = ", ".join(["numpy", *(d for d, ok in usable.items() if ok)])
        raise ValueError(f"device: {name!r} is not available on this machine; use one of: {here}")
    return name


_usable_device = device  # for functions with an argument of that name


def asarray(x: Any, *, device: str | None = None, dtype: str | None = None) -> Array:
    """Return `x` as an array on `device`, with `dtype` if one is given.

    Arrays keep their library, device and dtype unless told otherwise. Python numbers and lists become NumPy
    arrays, floats among them float32: the precision networks are trained in.

    Args:
        x: an array of any supported library, a Tensor (whose data it is), or (nested) Python numbers.
        device: "numpy", "cpu", "cuda", "mps", "auto" for the best of them, or "strict" (array_api_strict, for tests).
        dtype: "float32", "float64", "int32", "int64" or "bool".

    Raises:
        TypeError: `x` holds something that is not a number.
        ValueError: unknown device or dtype, or rows of unequal length.

    >>> asarray([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    if isinstance(x, (np.ndarray, np.generic)):
        _check_numbers(x, x)
    if device is None and dtype is None and is_array(x):
        return x
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"asarray: expected dtype to be one of {', '.join(DTYPES)}; received {dtype!r}")
    if not is_array(x):
        data = getattr(x, "data", None)  # what a Tensor wraps
        x = data if is_array(data) else _from_python(x)
    if device is None:
        device = device_of(x)
    elif device == "auto":
        device = _usable_device(device)
    if device_of(x) != device:
        x = _move(to_numpy(x), device)
    if dtype is not None:
        xp = namespace(x)
        wanted = getattr(xp, dtype)
        if x.dtype != wanted:
            x = xp.astype(x, wanted)
    return x


def _from_python(x: Any) -> Array:
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"asarray: expected rows of equal length; received a ragged list ({error})"
        ) from None
    _check_numbers(x, array)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _check_numbers(x: Any, array: np.ndarray[Any, Any] | np.generic) -> None:
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"asarray: expected numbers; received {type(x).__name__} holding {array.dtype}. "
            "Encode text or categories as integers first (see dlcore.data.one_hot)"
        )


def _move(x: np.ndarray[Any, Any], device: str) -> Array:
    if device == "numpy":
        return x
    if device == "strict":
        import array_api_strict

        return array_api_strict.asarray(x)
    _usable_device(device)
    import torch

    # torch refuses to share memory that it may not write to, and knows no negative strides
    return torch.from_numpy(np.array(x, order="C")).to(device)


def to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """Return an array, tensor or number as a NumPy array on the CPU (shared memory where possible).

    >>> to_numpy(asarray([1, 2]))
    array([1, 2])
    """
    if isinstance(x, np.ndarray):
        return x
    name = library(x) if is_array(x) else "python"
    if name == "torch":
        return np.asarray(x.detach().cpu().numpy())
    if name == "strict":
        return np.asarray(x._array)  # the standard has no other way that keeps 0-d arrays
    return np.asarray(x)


def copy_into(target: Array, values: Any) -> None:
    """Overwrite `target` in place with `values` of the same shape, whatever library they come from.

    Parameters are views into an optimizer's one buffer, so a new value must be written *into* them.

    Raises:
        ValueError: the shapes differ.
    """
    shape = tuple(np.shape(values)) if not is_array(values) else tuple(values.shape)
    if shape != tuple(target.shape):
        raise ValueError(f"copy_into: expected values of shape {tuple(target.shape)}; received {shape}")
    target[...] = asarray(values, device=device_of(target), dtype=dtype_name(target))


def is_floating(x: Any) -> TypeGuard[Array]:
    """Tell whether `x` is an array of floats, the only kind that has gradients."""
    return is_array(x) and dtype_name(x).startswith("float")
