"""What dlcore wants to reach, and whether a run reached it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.harness import Result

DEFINED = "dlcore, define-by-run, NumPy"
CAPTURED = "dlcore, captured, NumPy"
ON_TORCH = "dlcore, define-by-run, torch arrays"
EAGER = "torch eager"
LOOP = "torch loop"
JAX = "JAX, jit per step"
VMAP = "torch.func.vmap"
TOGETHER = "dlcore, one batch, captured"
IN_TURN = "dlcore, one after another, captured"
MAPS = "dlcore, maps, NumPy"
CAPTUM = "captum"


@dataclass(frozen=True)
class Target:
    """`contestant` shall be at least `factor` times as fast as `rival` on `task`."""

    task: str
    contestant: str
    factor: float
    rival: str


TARGETS = [
    Target("T1", DEFINED, 3.5, EAGER),
    Target("T1", CAPTURED, 10, EAGER),
    Target("T1", CAPTURED, 1.1, JAX),
    Target("T2", DEFINED, 1.2, EAGER),
    Target("T2", CAPTURED, 1.4, EAGER),
    Target("T3", CAPTURED, 1.3, EAGER),
    Target("T3", ON_TORCH, 1.0, EAGER),
    Target("T4", DEFINED, 20, LOOP),
    Target("T4", DEFINED, 2, VMAP),
    Target("T4", CAPTURED, 50, LOOP),
    Target("T4", CAPTURED, 6, VMAP),
    Target("S1", TOGETHER, 10, IN_TURN),
    Target("M1", MAPS, 1.0, CAPTUM),
    Target("M2", MAPS, 1.0, CAPTUM),
    Target("M3", MAPS, 1.0, CAPTUM),
]
MEMORY = 80.0  # MB, peak of the whole process that trains T2 on NumPy
ACCURACY = {"MLP": 0.940, "CNN 8-16": 0.960, "CNN 16-32": 0.972}  # means of five seeds


def named(results: list[Result], name: str) -> Result | None:
    """The result of a contestant, or the fastest variant of an engine; None where none was timed."""
    fitting = [r for r in results if name in (r.contestant.name, r.contestant.engine) and r.seconds]
    return min(fitting, key=lambda r: r.median, default=None)


def ratio(results: list[Result], rival: str, contestant: str) -> float:
    """How many times as fast as `rival` the contestant is: ratio of medians; NaN where one was not timed."""
    fast, slow = named(results, contestant), named(results, rival)
    return slow.median / fast.median if fast and slow else math.nan
