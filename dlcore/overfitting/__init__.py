"""How a network fits what it should not, how to see it, and what helps (chapter Overfitting, chapters/07_overfitting).

In the order in which it is best read:

    penalties      `L1` and `L2`: a price on large weights, as a part of the loss
    stopping       `EarlyStopping`: end while the validation loss is lowest
    learners       what the curves train: `RandomFeatures`, solved exactly, and `Trained` networks
    curves         `learning_curve` over the number of examples, `capacity_curve` over the width
    decomposition  `bias_variance`: the part of the error that stays, and the part that chance brings
    images         `augment`: shifted, turned and noisy copies
"""

from .curves import Curve, capacity_curve, error_rate, learning_curve, squared_error
from .decomposition import Decomposition, bias_variance, decompose
from .images import augment
from .learners import Learner, Predictor, RandomFeatures, Trained
from .penalties import L1, L2
from .stopping import EarlyStopping

__all__ = [
    "L1",
    "L2",
    "Curve",
    "Decomposition",
    "EarlyStopping",
    "Learner",
    "Predictor",
    "RandomFeatures",
    "Trained",
    "augment",
    "bias_variance",
    "capacity_curve",
    "decompose",
    "error_rate",
    "learning_curve",
    "squared_error",
]
