"""What the functions of this package ask of their arguments, and how they say no."""

from dlcore.arrays import Array, device_of, is_array


def check_together(operation: str, *arrays: Array) -> None:
    """Raise TypeError unless all are arrays on one device ("numpy" and torch's "cpu" are two)."""
    for array in arrays:
        if not is_array(array):
            raise TypeError(
                f"{operation}: expected arrays; received {type(array).__name__}. "
                "Convert it with dlcore.arrays.asarray(x)"
            )
    devices = sorted({device_of(array) for array in arrays})
    if len(devices) > 1:
        raise TypeError(
            f"{operation}: expected arrays on one device; received {' and '.join(devices)}. "
            "Bring them together with dlcore.arrays.asarray(x, device=...)"
        )


def count_rows(operation: str, *arrays: Array) -> int:
    """Return the number of rows that arrays of shape (n, …) share.

    Raises:
        TypeError: something is no array, or the arrays are on different devices.
        ValueError: no arrays, no rows, an array without axes, or different numbers of rows.
    """
    if not arrays:
        raise ValueError(f"{operation}: expected at least one array; received none")
    check_together(operation, *arrays)
    if any(array.ndim == 0 for array in arrays):
        raise ValueError(f"{operation}: expected arrays of shape (n, …); received a single number, shape ()")
    counts = [int(array.shape[0]) for array in arrays]
    if len(set(counts)) > 1:
        raise ValueError(
            f"{operation}: expected arrays with the same number of rows; received "
            f"{', '.join(map(str, counts))}. Rows belong together by position: select the same in every array"
        )
    if counts[0] == 0:
        raise ValueError(f"{operation}: expected at least one row; received none. See what selected the rows")
    return counts[0]
