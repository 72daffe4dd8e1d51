"""Layers: networks as compositions of small modules (chapter Layers, chapters/02_layers).

In the order in which it is best read:

    module         `Module`, the base of all
    sequential     `Sequential`, `Activation`, `Flatten`, which own no numbers
    parameters     what a layer that does own some begins with: sizes checked, tensors to be trained
    dense          `Dense`, and `mlp`, a stack of them
    dropout        `Dropout`
    normalization  `LayerNorm` and `BatchNorm`
    embedding      `Embedding`
    ensembles      `ensemble`, which turns many networks into one

Shapes are given for one network. In an ensemble every parameter has one more axis in front, that of the
members, and so have inputs and outputs: (members, batch, features).
"""

from dlcore import init

# The reference lists the files in this order.
# isort: off
from .module import Module
from .sequential import Activation, Flatten, Sequential
from .parameters import parameter as parameter
from .dense import Dense, affine, mlp
from .dropout import Dropout
from .normalization import BatchNorm, LayerNorm, normalize as normalize
from .embedding import Embedding
from .ensembles import ensemble

__all__ = [
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "LayerNorm",
    "Module",
    "Sequential",
    "affine",
    "ensemble",
    "init",
    "mlp",
]
