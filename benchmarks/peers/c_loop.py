"""T1 and T4 as a C loop for exactly this network, compiled here and now by the machine's `cc`."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.harness import Runner
from benchmarks.tasks import Array, Task

SOURCE = Path(__file__).parent.parent / "c" / "mlp.c"
# -ffast-math lets the compiler vectorize sums and call the vector tanhf of the C library.
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
STEPS = 100  # in one call: a call by ctypes costs more than a step


def library() -> ctypes.CDLL:
    """Compile and load; the file may go as soon as it is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "mlp.so"
        command = ["cc", *FLAGS, str(SOURCE), "-o", str(target), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cc failed: {done.stderr.strip().splitlines()[0]}")
        return ctypes.CDLL(str(target))


def build(task: Task, device: str) -> Runner:
    """Weights are packed network by network, inputs turned to (…, features, batch)."""
    train = library().train
    many = task.name == "T4"
    members = task.inputs.shape[1] if many else 1
    flat = [task.weights[f"{kind}{i}"].reshape(members, -1) for i in range(3) for kind in "wb"]
    parameters = np.concatenate(flat, axis=1).astype(np.float32)
    x = np.ascontiguousarray(task.inputs.swapaxes(-1, -2), dtype=np.float32)
    y = np.ascontiguousarray(task.targets, dtype=np.float32)
    rates = np.broadcast_to(task.learning_rate, members).astype(np.float32)
    losses = np.empty((STEPS, members), np.float32)
    start = 0

    arrays = (parameters, x, y, rates, losses)  # kept alive by `steps`: the pointers alone would not
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]

    def steps() -> Array:
        nonlocal start
        train(STEPS, members, start, task.batches, *pointers)
        start = (start + STEPS) % task.batches
        return arrays[-1]

    return Runner(steps, lambda a: (a if many else a[:, 0]).copy(), steps_per_call=STEPS)
