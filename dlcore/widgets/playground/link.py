"""The link: a whole state as text that an address can carry, checked before it is believed.

    "1." base64url( CRC-32, deflate( length of the header, header in JSON, arrays of float32 ) )

The letters are those of URLs (RFC 4648, section 5), without padding. Nothing in a link is ever executed.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
VERSION = "1."
MOST = 1 << 20  # bytes: no state is larger, so a longer text is none


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Return a header (what JSON can say) and arrays, kept as float32, as text."""
    shapes = {name: list(values.shape) for name, values in arrays.items()}
    told = json.dumps({**header, "arrays": shapes}, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(np.ascontiguousarray(values, "<f4").tobytes() for values in arrays.values())
    small = zlib.compress(struct.pack("<I", len(told)) + told + body, 9)
    return (
        VERSION + base64.urlsafe_b64encode(struct.pack("<I", zlib.crc32(small)) + small).rstrip(b"=").decode()
    )


def unpack(text: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what `pack` was given.

    Raises:
        ValueError: the text is no link of a playground, is of another version, or is damaged.
    """
    if not isinstance(text, str) or "." not in text[:4]:
        raise ValueError(f"this is no link of a playground: expected text that begins with {VERSION!r}")
    if not text.startswith(VERSION):
        raise ValueError(
            f"this link has version {text.partition('.')[0]!r}; this playground reads version {VERSION[:-1]}. Open it "
            "with the book it was made with"
        )
    try:
        return _parts(text[len(VERSION) :])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, struct.error, zlib.error):
        raise ValueError(
            "this link is damaged: its check sum is wrong, as when a part of the address was lost. Copy it again, as a "
            "whole"
        ) from None


def _parts(letters: str) -> tuple[dict[str, Any], dict[str, Array]]:
    coded = base64.b64decode(letters.encode("ascii") + b"=" * (-len(letters) % 4), b"-_", validate=True)
    small = coded[4:]
    if len(coded) > MOST or struct.unpack("<I", coded[:4])[0] != zlib.crc32(small):
        raise ValueError
    opened = zlib.decompressobj()
    raw = opened.decompress(small, MOST)
    if not opened.eof:
        raise ValueError
    length = struct.unpack("<I", raw[:4])[0]
    header = json.loads(raw[4 : 4 + length])
    arrays, start = {}, 4 + length
    for name, shape in header.pop("arrays").items():
        stop = start + 4 * math.prod(shape)
        arrays[name] = np.frombuffer(raw[start:stop], "<f4").reshape(shape).astype(np.float32)
        start = stop
    return header, arrays
