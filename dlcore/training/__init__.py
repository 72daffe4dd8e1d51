"""Training: from data, model, loss and optimizer to a History (chapter Training).

Nothing in here is special to a model, a loss or an optimizer: all arrive as arguments. In the order in which
it is best read:

    history      what a training leaves to look at
    metrics      accuracy, and `evaluate`, which measures a model without changing it
    loop         one epoch after the other: batches, steps, callbacks, interrupts
    one          `fit` trains one network, `resume` goes on from a checkpoint
    divergence   which tensor was the first to become NaN or infinite, and what to try
    checkpoint   `save`, `load`: one file, written whole or not at all
    many         `sweep`: every combination of seeds and settings, trained as one batched step
"""

from .checkpoint import Checkpoint, load, save
from .divergence import Diverged
from .history import History
from .loop import EachStep, State
from .many import Sweep, noisy_labels, sweep
from .metrics import accuracy, evaluate
from .one import fit, resume

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
    "sweep",
]
