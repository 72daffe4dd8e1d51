"""Measurements instead of pixels: a small table of real numbers whose columns have names."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_FILE = Path(__file__).with_name("breast_cancer.npz")
_SPLITS = {"train": slice(0, 455), "test": slice(455, 569), "all": slice(0, 569)}
_MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)

#: The names of the 30 columns of `breast_cancer`, as scikit-learn has them.
BREAST_CANCER_FEATURES = (
    *(f"mean {measure}" for measure in _MEASURES),
    *(f"{measure} error" for measure in _MEASURES),
    *(f"worst {measure}" for measure in _MEASURES),
)


def breast_cancer(split: Literal["train", "test", "all"]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Load the Wisconsin table of breast tumours: 455 patients to train on and 114 to test on.

    A needle took cells out of a lump in the breast; ten quantities of the cells' nuclei were measured on a picture of
    them. For each there are three columns: the mean over the nuclei, its standard error ("error"), and the mean of the
    three largest values ("worst"). `BREAST_CANCER_FEATURES` names the columns. Lengths are in pixels of the picture, so
    the columns differ in size by a factor of ten thousand: standardize them. Patients were shuffled once.

    Args:
        split: "train", "test" or "all" (training rows first).

    Returns:
        features, float32 of shape (n, 30); and labels, int64 of shape (n,): 0 malignant, 1 benign, as in scikit-learn.

    Raises:
        ValueError: an unknown split.

    Source: W. N. Street, W. H. Wolberg and O. L. Mangasarian, *Nuclear feature extraction for breast tumor diagnosis*,
    1993; UCI Machine Learning Repository, *Breast Cancer Wisconsin (Diagnostic)*, CC BY 4.0. Licence and origin of the
    file: `breast_cancer.md` beside it.

    >>> features, labels = breast_cancer("train")
    >>> features.shape, np.bincount(labels).tolist(), BREAST_CANCER_FEATURES[0]
    ((455, 30), [165, 290], 'mean radius')
    """
    if split not in _SPLITS:
        raise ValueError(
            f"breast_cancer: expected split to be one of {', '.join(_SPLITS)}; received {split!r}"
        )
    with np.load(_FILE) as file:
        rows = _SPLITS[split]
        return file["features"][rows].copy(), file["labels"][rows].astype(np.int64)
