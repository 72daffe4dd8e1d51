"""Peak memory of a whole process that loads the digits and trains T2's network on them for two epochs.

`python -m benchmarks.memory "dlcore, captured"` prints the peak of its own process in MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

EPOCHS, BATCH = 2, 128


def train_dlcore(captured: bool) -> None:
    """T2 on NumPy."""
    import numpy as np

    from dlcore.activations import relu
    from dlcore.capture import capture
    from dlcore.data import digits
    from dlcore.layers import Dense, Sequential
    from dlcore.loss import cross_entropy
    from dlcore.optim import Adam

    images, labels = digits("train", flat=True)
    rng = np.random.default_rng(0)
    layers = Dense(784, 128, rng=rng), relu, Dense(128, 64, rng=rng), relu, Dense(64, 10, rng=rng)
    model = Sequential(*layers)
    optimizer = Adam(model.parameters(), learning_rate=1e-3)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = capture(step) if captured else step
    for start in [*range(0, len(images) - BATCH + 1, BATCH)] * EPOCHS:
        run(images[start : start + BATCH], labels[start : start + BATCH])


def train_torch() -> None:
    """T2 in torch."""
    import torch
    from torch import nn

    from dlcore.data import digits

    torch.set_num_threads(1)
    images, labels = (torch.from_numpy(a) for a in digits("train", flat=True))
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for start in [*range(0, len(images) - BATCH + 1, BATCH)] * EPOCHS:
        optimizer.zero_grad()
        nn.functional.cross_entropy(
            model(images[start : start + BATCH]), labels[start : start + BATCH]
        ).backward()
        optimizer.step()


PROGRAMS = {
    "dlcore, define-by-run": lambda: train_dlcore(captured=False),
    "dlcore, captured": lambda: train_dlcore(captured=True),
    "torch eager": train_torch,
}


def peaks() -> dict[str, float]:
    """Peak MB of each program, each in a fresh process with the allocator as it comes."""
    found = {}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    for name in PROGRAMS:
        command = [sys.executable, "-m", "benchmarks.memory", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found[name] = float(done.stdout)
    return found


if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
    # Asked for last: the harness would add its own imports to the peak.
    from benchmarks.harness import peak_memory

    print(peak_memory())
