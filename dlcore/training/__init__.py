"""Training: from data, model, loss and optimizer to a History (chapter Training, chapters/05_training).

Nothing in here is special to a model, a loss or an optimizer: all arrive as arguments. In the order in which
it is best read:

    history      what a training leaves to look at
    metrics      accuracy, and `evaluate`, which measures a model without changing it
    loop         one epoch after the other: batches, steps, callbacks, interrupts
    one          `fit` trains one network, `resume` goes on from a checkpoint
    divergence   which tensor was the first to become NaN or infinite, and what to try
    checkpoint   `save`, `load`: one file, written whole or not at all
    many         `sweep`: every combination of seeds and settings, trained as one batched step
    curvature    how strongly the loss curves, and so how long a step of plain descent may be

Each is imported when it is first asked for: the page, whose Python compiles every import anew, needs few of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint import Checkpoint as Checkpoint
    from .checkpoint import load as load
    from .checkpoint import save as save
    from .curvature import sharpness as sharpness
    from .curvature import vector_loss as vector_loss
    from .divergence import Diverged as Diverged
    from .history import History as History
    from .loop import EachStep as EachStep
    from .loop import State as State
    from .many import Sweep as Sweep
    from .many import noisy_labels as noisy_labels
    from .many import sweep as sweep
    from .metrics import accuracy as accuracy
    from .metrics import evaluate as evaluate
    from .one import fit as fit
    from .one import resume as resume

_HOMES = {
    "Checkpoint": "checkpoint",
    "Diverged": "divergence",
    "EachStep": "loop",
    "History": "history",
    "State": "loop",
    "Sweep": "many",
    "accuracy": "metrics",
    "evaluate": "metrics",
    "fit": "one",
    "load": "checkpoint",
    "noisy_labels": "many",
    "resume": "one",
    "save": "checkpoint",
    "sharpness": "curvature",
    "sweep": "many",
    "vector_loss": "curvature",
}

__all__ = [
    "Checkpoint",
    "Diverged",
    "EachStep",
    "History",
    "State",
    "Sweep",
    "accuracy",
    "evaluate",
    "fit",
    "load",
    "noisy_labels",
    "resume",
    "save",
    "sharpness",
    "sweep",
    "vector_loss",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"dlcore.training has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
