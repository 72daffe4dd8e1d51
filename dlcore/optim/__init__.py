"""Optimizers and learning-rate schedules (chapter Training).

In the order in which it is best read:

    optimizer   `Optimizer`, the base: all parameters in one flat buffer, of which each becomes a view
    rules       `SGD`, `Adagrad`, `RMSProp`, `Adam`, `AdamW`
    schedules   `constant`, `step`, `cosine`, `warmup`, `one_cycle`
    clipping    `clip_grad_norm`
"""

# The reference lists the files in this order.
# isort: off
from .optimizer import Optimizer
from .rules import SGD, Adagrad, Adam, AdamW, RMSProp
from .schedules import Schedule as Schedule, constant, cosine, one_cycle, step, warmup
from .clipping import clip_grad_norm

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "clip_grad_norm",
    "constant",
    "cosine",
    "one_cycle",
    "step",
    "warmup",
]
