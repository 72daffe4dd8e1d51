"""dlcore as a wheel for the page: the same files as on disk, without those that a browser cannot use."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Figures need matplotlib; `live` makes the page and does not run in it, nor does what builds the kernel of `arrays`.
LEFT_OUT = ("plots/", "live/", "arrays/wasm/")
TAG = "cp312-cp312-pyodide_2024_0_wasm32"


class Wheel(NamedTuple):
    """A wheel: its file name, its content, and the SHA-256 of that."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path inside the wheel and the content of each file of Python or for WebAssembly, in a fixed order."""
    for path in sorted([*package.rglob("*.py"), *package.rglob("*wasm32-emscripten.so")]):
        inside = path.relative_to(package).as_posix()
        if not inside.startswith(LEFT_OUT):
            yield f"{package.name}/{inside}", path.read_bytes()


def build(package: Path, version: str) -> Wheel:
    """Return the wheel of the package in the folder; the same files give the same bytes.

    Its name carries a piece of the hash, as a build number: a browser that has stored an older one must not take it.
    """
    name = package.name
    info = f"{name}-{version}.dist-info"
    files = dict(members(package))
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    wheel = f"Wheel-Version: 1.0\nGenerator: dlcore.live\nRoot-Is-Purelib: false\nTag: {TAG}\n"
    files[f"{info}/WHEEL"] = wheel.encode()
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    content = _zip(files)
    return Wheel(f"{name}-{version}-0x{hashlib.sha256(content).hexdigest()[:12]}-{TAG}.whl", content)


def _record(files: dict[str, bytes], itself: str) -> bytes:
    """Return the list of files with hashes and sizes (PEP 376)."""
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    return ("".join(lines) + f"{itself},,\n").encode()


def _zip(files: dict[str, bytes]) -> bytes:
    """Pack the files with one date, so that the archive depends on their content alone."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            member = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return packed.getvalue()
