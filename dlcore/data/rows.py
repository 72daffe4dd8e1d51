"""Tools that prepare rows for training, for arrays of any library: encode, scale, split, serve in batches."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dlcore.arrays import Array, asarray, device_of, dtype_name, is_floating, namespace, random, to_numpy
from dlcore.arrays.checks import check_whole

from .checks import check_together, count_rows


def one_hot(labels: Array, num_classes: int) -> Array:
    """Write every label as a row of zeros with a single 1.

    out[i, k] = 1 if labels[i] = k, else 0.

    Args:
        labels: integer array of shape (…), from 0 to num_classes - 1.
        num_classes: length of the new last axis.

    Returns:
        float32 array of shape (…, num_classes), where `labels` lives.

    Raises:
        TypeError: `labels` is no array of integers.
        ValueError: a label out of range, or `num_classes` below 1.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    check_whole("one_hot", num_classes=num_classes)
    xp = namespace(labels)
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(
            f"one_hot: expected labels to be integers; received {labels.dtype}. "
            "Number the classes from 0: of labels -1 and +1, take labels > 0 as int64"
        )
    flat = xp.reshape(asarray(labels, dtype="int64"), (-1,))
    if flat.shape[0] > 0:
        low, high = int(xp.min(flat)), int(xp.max(flat))
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"one_hot: expected labels from 0 to {num_classes - 1}; received {low} to {high}. "
                "Raise num_classes, or number the classes from 0"
            )
    rows = asarray(np.eye(num_classes, dtype=np.float32), device=device_of(labels))
    return xp.reshape(xp.take(rows, flat, axis=0), (*labels.shape, num_classes))


class Standardization(NamedTuple):
    """The scale that `standardize` found, to be called on inputs that come later.

    Both arrays have the shape of one row; std is 1 where the feature was constant.
    """

    mean: Array
    std: Array

    def __call__(self, inputs: Array) -> Array:
        """Return (inputs - mean) / std for inputs of shape (n, …), on the device of the training set."""
        check_together("Standardization", inputs, self.mean)
        return (inputs - self.mean) / self.std


def standardize(train: Array, *others: Array) -> tuple[Any, ...]:
    """Bring every feature of `train` to mean 0 and standard deviation 1, and other sets by the same scale.

    out = (x - mean) / std, both taken over the rows of `train` alone: a test set that has a say in the scale
    has leaked into training. A feature that is constant in `train` is centred and otherwise left alone.

    Args:
        train: float array of shape (n, …).
        others: float arrays of shape (m, …) with the same features.

    Returns:
        the sets in the order given, then the `Standardization`.

    Raises:
        TypeError: something is no array of floats, or the arrays are on different devices.
        ValueError: no rows, NaN or infinity in `train`, or features that differ.

    Source: Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, *Efficient BackProp*, 1998, section 4.3.

    >>> train, test, scale = standardize(np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([[5.0, 8.0]]))
    >>> train.tolist(), test.tolist(), scale.mean.tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[3.0, 1.0]], [2.0, 7.0])
    """
    count_rows("standardize", train)
    check_together("standardize", train, *others)
    for array in (train, *others):
        if not is_floating(array):
            raise TypeError(
                f"standardize: expected arrays of floats; received {array.dtype}. "
                "Convert it with dlcore.arrays.asarray(x, dtype='float32')"
            )
        if tuple(array.shape[1:]) != tuple(train.shape[1:]):
            raise ValueError(
                f"standardize: expected the features of train in every array; received shapes "
                f"{tuple(train.shape)} and {tuple(array.shape)}. Select the same columns in both"
            )
    xp = namespace(train)
    if not bool(xp.all(xp.isfinite(train))):
        raise ValueError(
            "standardize: expected finite numbers; received NaN or infinity in train. Drop such rows"
        )
    rows = to_numpy(train).astype(np.float64)  # float32 cannot add up millions of rows
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    # Rounding may give a constant feature a std of 1e-17, and underflow a varying one a std of 0: ask both.
    tiny = float(xp.finfo(train.dtype).smallest_normal)
    constant = (rows.max(axis=0) == rows.min(axis=0)) | (std < tiny)
    place = {"device": device_of(train), "dtype": dtype_name(train)}
    scale = Standardization(asarray(mean, **place), asarray(np.where(constant, 1.0, std), **place))
    return *(scale(array) for array in (train, *others)), scale


def train_test_split(
    *arrays: Array, test_fraction: float = 0.2, rng: np.random.Generator, stratify: Array | None = None
) -> tuple[Array, ...]:
    """Shuffle the rows and divide them into a training set and a test set.

    round(n·test_fraction) rows are the test set. With `stratify`, every class has its share of them, give or
    take less than one row.

    Args:
        arrays: arrays of shape (n, …) whose rows belong together.
        test_fraction: a fraction that leaves both sets at least one row.
        rng: the generator that shuffles.
        stratify: the class of every row, shape (n,).

    Returns:
        (a_train, a_test, b_train, b_test, …) for arrays a, b, …, the order known from scikit-learn.

    Raises:
        TypeError: something is no array, the arrays come from different libraries, or `rng` is no generator.
        ValueError: no arrays, no rows, different numbers of rows, or a set that would be empty.

    >>> train, test = train_test_split(np.arange(10), test_fraction=0.3, rng=np.random.default_rng(0))
    >>> train.shape, test.shape, sorted([*train.tolist(), *test.tolist()]) == list(range(10))
    ((7,), (3,), True)
    """
    n = count_rows("train_test_split", *arrays)
    test_rows = round(n * test_fraction) if math.isfinite(test_fraction) else 0
    if not 1 <= test_rows < n:
        raise ValueError(
            f"train_test_split: expected at least one row in both sets; received test_fraction="
            f"{test_fraction} of {n} rows. Choose a fraction between 0 and 1, or bring more rows"
        )
    order = to_numpy(random.permutation(rng, n))
    is_test = np.arange(n) < test_rows
    if stratify is not None:
        classes = to_numpy(stratify)
        if classes.shape != (n,):
            raise ValueError(
                f"train_test_split: expected stratify to hold one class per row, shape ({n},); received "
                f"shape {classes.shape}. Pass the labels, not one-hot rows"
            )
        # Line the shuffled rows up by class and take test rows at even spacing: any k neighbours, and so
        # the k rows of any class, hold k·test_rows/n of them, give or take less than one.
        is_test[np.argsort(classes[order], kind="stable")] = np.diff(np.arange(n + 1) * test_rows // n) > 0
    parts = [_near(arrays[0], rows) for rows in (order[~is_test], order[is_test])]
    return tuple(_take(array, rows) for array in arrays for rows in parts)


def batches(
    *arrays: Array, batch_size: int, rng: np.random.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Array, ...]]:
    """Go through all rows once, `batch_size` at a time: one epoch.

    Args:
        arrays: arrays of shape (n, …) whose rows belong together.
        batch_size: rows in a batch; the last batch holds what is left.
        rng: the generator that shuffles, anew at every call; without one, rows come in order and as views.
        drop_last: leave out a last batch that is not full.

    Returns:
        an iterator over tuples: one array of shape (batch_size, …) for each of `arrays`.

    Raises:
        TypeError: something is no array, the arrays come from different libraries, or `rng` is no generator.
        ValueError: no arrays, no rows, different numbers of rows, `batch_size` below 1, or no full batch with
            `drop_last`. (All are raised by the call itself, before the first batch.)

    >>> [x.tolist() for (x,) in batches(np.arange(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """
    n = count_rows("batches", *arrays)
    check_whole("batches", batch_size=batch_size)
    if drop_last and batch_size > n:
        raise ValueError(
            f"batches: expected at least one full batch with drop_last=True; received {n} rows for batches "
            f"of {batch_size}. Lower batch_size, or keep the last batch"
        )
    stop = n - n % batch_size if drop_last else n
    parts = [slice(start, min(start + batch_size, stop)) for start in range(0, stop, batch_size)]
    if rng is None:
        return (tuple(array[part, ...] for array in arrays) for part in parts)
    order = _near(arrays[0], random.permutation(rng, n))  # moved to the card once, not once per batch
    return (tuple(_take(array, order[part]) for array in arrays) for part in parts)


def _near(array: Array, rows: Array) -> Array:
    """Bring row numbers to where `array` lives."""
    return asarray(rows, device=device_of(array))


def _take(array: Array, rows: Array) -> Array:
    return namespace(array).take(array, rows, axis=0)
