"""Rebuild dlcore/data/breast_cancer.npz and the note beside it from the copy of the table that scikit-learn carries.

Run by ``python -m tools.make_breast_cancer``. The arrays are the same on every machine; how they are compressed may
differ with zlib.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ARRAYS_SHA256 = "18701f36507687792b3c291a319cd11cb4a0861b74282067061c9e4a9ebff6c5"
FOLDER = Path(__file__).resolve().parent.parent / "dlcore" / "data"
NOTE = """\
# breast_cancer.npz

Measurements of the nuclei of cells from 569 breast tumours, shuffled once.

| array | dtype | shape | meaning |
|---|---|---|---|
| `features` | float32 | {shape} | the columns are named by `dlcore.data.BREAST_CANCER_FEATURES` |
| `labels` | uint8 | ({rows},) | 0 malignant, 1 benign; class counts {counts} |

The first 455 rows are the training set, the last 114 the test set.

**Authors and licence of the data:** William Wolberg, Olvi Mangasarian, Nick Street and W. Street, *Breast Cancer
Wisconsin (Diagnostic)*, UCI Machine Learning Repository, 1993, <https://doi.org/10.24432/C5DW2B>;
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), which holds for `breast_cancer.npz` too. Changed against
it: the numbers are rounded to float32, the rows are in another order, the patients' numbers are left out.

**Origin:** `sklearn.datasets.load_breast_cancer()`; rows shuffled with `numpy.random.default_rng(0).permutation(569)`.

**To rebuild and check:** `python -m tools.make_breast_cancer`. SHA-256 of the bytes of `features` followed by those of
`labels`: `{digest}`.
"""


def read() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return features (569, 30) and labels (569,) from scikit-learn, shuffled."""
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return features[order].astype("<f4"), labels[order].astype(np.uint8)


def digest(features: NDArray[np.float32], labels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the bytes of both arrays."""
    return hashlib.sha256(features.tobytes() + labels.tobytes()).hexdigest()


def note(features: NDArray[np.float32], labels: NDArray[np.uint8]) -> str:
    """Return the text of breast_cancer.md for these arrays."""
    counts = " ".join(map(str, np.bincount(labels)))
    return NOTE.format(shape=features.shape, rows=len(labels), counts=counts, digest=digest(features, labels))


def main() -> None:
    """Write breast_cancer.npz and breast_cancer.md."""
    features, labels = read()
    if digest(features, labels) != ARRAYS_SHA256:
        raise SystemExit(
            f"expected the table with SHA-256 {ARRAYS_SHA256}; received {digest(features, labels)}. "
            "See what scikit-learn has changed in its copy"
        )
    np.savez_compressed(FOLDER / "breast_cancer.npz", features=features, labels=labels)
    (FOLDER / "breast_cancer.md").write_text(note(features, labels), encoding="utf-8")


if __name__ == "__main__":
    main()
