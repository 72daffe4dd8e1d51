"""What a layer with numbers of its own begins with: tensors to be trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.arrays import asarray
from dlcore.backprop import Tensor


def parameter(values: np.ndarray[Any, Any], device: str, dtype: str) -> Tensor:
    """Return a Tensor to be trained, holding `values` on `device`."""
    if dtype not in ("float32", "float64"):
        raise ValueError(f"parameters need a floating dtype, float32 or float64; received {dtype!r}")
    return Tensor(asarray(values, device=device, dtype=dtype), requires_grad=True)
