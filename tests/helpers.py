"""The one list of backends that feeds every numeric test, and the one comparison with torch."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest

from dlcore.arrays import asarray, device_of, dtype_name, to_numpy
from dlcore.backprop import Tensor

try:
    import torch
except ImportError:  # Python 3.12 and 3.13 are tested without it
    torch = None

Values = np.ndarray[Any, Any]

#: Allowed error relative to the largest number of an array, for a result of a few dozen roundings.
TOLERANCE = {"float32": 5e-6, "float64": 1e-13}


class Backend(NamedTuple):
    """Where a test computes, and in which precision."""

    device: str
    dtype: str

    def array(self, x: Any) -> Any:
        """Return floats in this precision, integers as int64, on this device."""
        x = np.asarray(x)
        dtype = self.dtype if x.dtype.kind == "f" else "bool" if x.dtype.kind == "b" else "int64"
        return asarray(x, device=self.device, dtype=dtype)

    def tensor(self, x: Any, requires_grad: bool = False) -> Tensor:
        return Tensor(self.array(x), requires_grad=requires_grad)


def why_not(device: str) -> str | None:
    """Return why this machine cannot compute on ``device``; None if it can."""
    if device in ("numpy", "strict"):
        return None
    if torch is None:
        return "torch is not installed"
    if device == "cuda" and not torch.cuda.is_available():
        return "no CUDA device on this machine"
    return None


def _parameter(device: str, dtype: str) -> Any:
    reason = why_not(device)
    marks = [pytest.mark.gpu] if device == "cuda" else []
    if reason:
        marks.append(pytest.mark.skip(reason=reason))
    return pytest.param(Backend(device, dtype), id=f"{device}-{dtype}", marks=marks)


#: Every (device, dtype); "strict" is array_api_strict, which refuses what the array-API standard does not promise.
BACKENDS = [_parameter(d, t) for d in ("numpy", "strict", "cpu", "cuda") for t in ("float32", "float64")]
DEVICES = [_parameter(d, "float64") for d in ("numpy", "strict", "cpu", "cuda")]

on_every_backend = pytest.mark.parametrize("backend", BACKENDS)
#: For what does not depend on the precision, and for gradient checks, which are made in float64.
on_every_device = pytest.mark.parametrize("backend", DEVICES)
needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
cpu_with_torch = pytest.param("cpu", marks=needs_torch)


def close(ours: Any, wanted: Any, tolerance: float, what: str = "", among: float = 0.0) -> None:
    """Compare two arrays relative to the largest number among those wanted, or to `among` where that is larger."""
    ours, wanted = to_numpy(ours).astype(np.float64), np.asarray(wanted, np.float64)
    assert_same_shape(ours, wanted, what)
    scale = float(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
    scale = max(scale, among)
    np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def assert_same_shape(ours: Values, wanted: Values, what: str) -> None:
    if ours.shape != wanted.shape:
        raise AssertionError(f"{what}: shape {ours.shape}, torch says {wanted.shape}")


def assert_on(backend: Backend, x: Any, what: str = "array") -> None:
    """Check that an array stayed on its device and in its precision."""
    if (device_of(x), dtype_name(x)) != backend:
        raise AssertionError(f"{what}: expected {backend}; it is {dtype_name(x)} on {device_of(x)}")


def agree(
    ours: Callable[..., Tensor],
    theirs: Callable[..., Any],
    *inputs: Any,
    backend: Backend,
    tolerance: float | None = None,
) -> None:
    """The oracle: check the same expression in ours and in torch, forward and backward.

    Every input of floats gets a gradient, and the output a random one. Torch computes in float64 from the
    numbers as our precision holds them, so in float32, too, only our own rounding is measured. Value and
    gradients must come back on the device and in the precision of the inputs.
    """
    if torch is None:
        pytest.skip("torch is not installed")
    tolerance = tolerance or TOLERANCE[backend.dtype]
    own = [backend.tensor(x, requires_grad=np.asarray(x).dtype.kind == "f") for x in inputs]
    other = [torch.tensor(t.numpy().astype(np.float64) if t.requires_grad else t.numpy()) for t in own]
    for t, twin in zip(own, other, strict=True):
        twin.requires_grad_(t.requires_grad)
    output, wanted = ours(*own), theirs(*other)
    assert_on(backend, output.data, "output")
    close(output.data, wanted.detach(), tolerance, "forward")
    if not wanted.requires_grad:
        assert not output.requires_grad
        return
    weights = backend.array(np.random.default_rng(7).standard_normal(output.shape))
    output.backward(weights)
    wanted.backward(torch.tensor(to_numpy(weights).astype(np.float64)))
    for i, (t, twin) in enumerate(zip(own, other, strict=True)):
        if t.requires_grad and twin.grad is not None:
            assert t.grad is not None, f"input {i} got no gradient"
            assert_on(backend, t.grad, f"gradient of input {i}")
            close(t.grad, twin.grad, tolerance, f"gradient of input {i}")
        else:
            assert t.grad is None or not to_numpy(t.grad).any()


def normals(*shapes: Sequence[int], seed: int = 0) -> list[Values]:
    """Return one array of normal draws for each shape."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(tuple(shape)) for shape in shapes]


@contextmanager
def no_collector() -> Iterator[None]:
    """Run without the cycle collector, so that only reference counts free memory."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
