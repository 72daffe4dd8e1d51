"""Optimizers and learning-rate schedules (chapter Training).

In the order in which it is best read:

    optimizer   `Optimizer`, the base of the rules
    rules       `SGD`, `Adagrad`, `RMSProp`, `Adam`, `AdamW`
    schedules   `constant`, `step`, `cosine`, `warmup`, `one_cycle`
    clipping    `clip_grad_norm`

The base class lays all parameters into **one flat buffer**, of which each parameter becomes a view. An update
rule is then a few lines on one long array, and a step costs a few array operations however many layers there
are. NumPy works through it in blocks that fit the processor's cache.
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
