"""Plain data as text: what may pass between a student's process and the referee.

Only exact plain types are written, and only plain types are built from what is read. So nothing that comes back has a
mind of its own: no object that equals everything, no array with its own comparison.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 2_000_000  # characters of one message
NUMBERS = re.compile(r"[<>|][biuf](1|2|4|8|16)")  # the dtypes that may pass


@dataclass(frozen=True)
class Kept:
    """Something that stays in the student's process, known by its name there or a number, and its type's name."""

    of: str | int
    kind: str = ""


@dataclass(frozen=True)
class Source:
    """Python that the student's process evaluates to get an argument, such as a function or a generator."""

    text: str


def write(value: Any) -> str:
    """Return a value as text; TypeError for what is not plain data.

    >>> read(write({"w": np.eye(2), "n": [1, None, (2.5, "a")]}))
    {'w': array([[1., 0.],
           [0., 1.]]), 'n': [1, None, (2.5, 'a')]}
    """
    return json.dumps(_plain(value))


def read(text: str) -> Any:
    """Return the value that a text stands for; a text that stands for none is a ValueError."""
    if len(text) > MOST:
        raise ValueError(f"expected at most {MOST:,} characters; received {len(text):,}")
    try:
        return _value(json.loads(text))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise ValueError(f"expected plain data; received something else ({type(error).__name__})") from None


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return {"list": [_plain(one) for one in value]}
    if kind is tuple:
        return {"tuple": [_plain(one) for one in value]}
    if kind is dict:
        return {"dict": [[_plain(key), _plain(one)] for key, one in value.items()]}
    if kind is Kept:
        return {"kept": value.of, "kind": value.kind}
    if kind is Source:
        return {"source": value.text}
    if issubclass(kind, np.ndarray | np.generic):
        return _numbers(np.asarray(value), scalar=issubclass(kind, np.generic))
    if hasattr(kind, "numpy"):  # a Tensor
        return _numbers(np.asarray(value.numpy()), scalar=False)
    raise TypeError(
        f"expected numbers, text, arrays, or lists, tuples and dicts of them; received {kind.__name__}"
    )


def _numbers(data: np.ndarray[Any, Any], *, scalar: bool) -> Any:
    if not NUMBERS.fullmatch(data.dtype.str):
        raise TypeError(f"expected an array of numbers; received dtype {data.dtype}")
    if data.nbytes > MOST:
        raise TypeError(f"expected an array of at most {MOST:,} bytes; received {data.nbytes:,}")
    text = base64.b64encode(data.tobytes()).decode()
    return {"array": text, "dtype": data.dtype.str, "shape": list(data.shape), "scalar": scalar}


def _value(plain: Any) -> Any:
    if not isinstance(plain, dict):
        if isinstance(plain, list):
            raise TypeError("expected a list to say what it is")
        return plain
    if "list" in plain:
        return [_value(one) for one in plain["list"]]
    if "tuple" in plain:
        return tuple(_value(one) for one in plain["tuple"])
    if "dict" in plain:
        return {_value(key): _value(one) for key, one in plain["dict"]}
    if "array" in plain:
        return _array(**plain)
    if "source" in plain:
        return Source(str(plain["source"]))
    of = plain["kept"]
    return Kept(of if isinstance(of, str) else int(of), re.sub(r"\W", "", str(plain["kind"]))[:40])


def _array(array: str, dtype: str, shape: list[int], scalar: bool) -> Any:
    if not NUMBERS.fullmatch(dtype) or len(shape) > 16 or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("expected an array of numbers")
    try:
        held = base64.b64decode(array, validate=True)
    except binascii.Error:
        raise ValueError("expected base64") from None
    kind = np.dtype(dtype)
    if len(held) != math.prod(shape) * kind.itemsize or any(n > MOST for n in shape):
        raise ValueError("expected as many bytes as the shape says")
    data = np.ndarray(tuple(shape), kind, held).copy()
    if kind.kind == "b":
        data = data.view(np.uint8) != 0  # a bool is 0 or 1, whatever byte was sent
    return data[()] if scalar and not shape else data
