"""Data: points in the plane, real digits, and the tools that prepare both (floor 1; used by every chapter).

    planar      circle xor gaussian spiral plane multi_gaussian, as TensorFlow Playground draws them;
                moons rings blobs, as scikit-learn does
    mnist       digits: 10,000 handwritten digits that come with the package
    tumours     breast_cancer: a table of 569 tumours, 30 measurements each, that comes with it, too
    rows        batches, train_test_split, standardize, one_hot: for arrays of any library, rows first

Whatever is drawn is drawn by a generator that the caller passes: the same seed, the same data, everywhere.
"""

from .mnist import digits
from .planar import blobs, circle, gaussian, moons, multi_gaussian, plane, rings, spiral, xor
from .rows import Standardization, batches, one_hot, standardize, train_test_split
from .tumours import BREAST_CANCER_FEATURES, breast_cancer

__all__ = [
    "BREAST_CANCER_FEATURES",
    "Standardization",
    "batches",
    "blobs",
    "breast_cancer",
    "circle",
    "digits",
    "gaussian",
    "moons",
    "multi_gaussian",
    "one_hot",
    "plane",
    "rings",
    "spiral",
    "standardize",
    "train_test_split",
    "xor",
]
