"""The same rounding on every processor that can: what the notebooks are run with, and whether digits can be compared.

NumPy and its BLAS choose their kernels by the processor. Each adds in an order of its own and has an exp of its own,
and training carries the last bit into the digits that are printed. So both are held to the kernels for AVX2 and FMA,
which nearly every x86-64 processor of the last ten years has. What the notebooks print of torch is the same with its
kernels for AVX2 and for AVX-512, so it is told nothing. Other processors, and other systems, whose libraries differ,
round in their own way: there no digits are compared.
"""

import os
import platform
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
# A BLAS with many threads is slower at our sizes, and rounds differently.
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
# The libraries read these when they are imported. What NumPy is told to do without need not be there; that these are
# all that its version has above AVX2, a test looks at.
AVX2 = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
WHY = "Digits are not compared here, words and shapes are: digits are the same on Linux on x86-64 with AVX2 alone."


def can_be_same() -> bool:
    """Return whether this machine can round as the one does on which the notebooks were run."""
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not CPU_INFO.exists():
        return False
    words = set(CPU_INFO.read_text(encoding="utf-8").split())
    return {"avx2", "fma"} <= words


def compares_digits() -> bool:
    """Return whether the digits of notebooks are compared: where they can be, unless DIGITS=masked asks not to."""
    return can_be_same() and os.environ.get("DIGITS") != "masked"


def settings() -> dict[str, str]:
    """Return the environment to compute in, to be set before NumPy is imported."""
    return ONE_THREAD | (AVX2 if can_be_same() else {})
