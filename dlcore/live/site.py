"""The folder `live` of a site: the host, the widgets' JavaScript, Pyodide, and dlcore as a wheel.

`manifest.json` is the one file that a browser asks for anew each time; it names all others, with their sizes.
"""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from . import distribution, wheel
from .pages import models_of_book

HERE = Path(__file__).parent
PACKAGE = HERE.parent
# A fifth of what a page loads before a click was comments.
COMMENT_LINE = re.compile(r"^ *//.*$", re.MULTILINE)
HOST = (
    "host.js",
    "model.js",
    "python.js",
    "keep.js",
    "picture.js",
    "live.css",
    "worker.js",
    "boot.py",
    "bytecode.py",
)
DATA = ("data/digits.npz",)  # not in the wheel: fetched when a program opens it

logger = logging.getLogger(__name__)


def complete_site(app: Sphinx, error: Exception | None) -> None:
    """Write the folder `live` if a page needs it."""
    if error or app.builder.format != "html" or app.env is None:
        return
    if not models_of_book(app.env):
        return
    live = Path(app.outdir) / "live"
    mirror = app.config.live_pyodide
    if mirror and not mirror.endswith("/"):
        raise ExtensionError(f"live_pyodide: expected an address that ends in /; received {mirror!r}")
    copy_host(live)
    if not mirror:
        ship_pyodide(Path(app.srcdir) / app.config.live_cache / distribution.VERSION, live)
    packed = wheel.build(PACKAGE, version("dlcore"))
    (live / packed.name).write_bytes(packed.content)
    text = json.dumps(manifest(packed, mirror), indent=1)
    (live / "manifest.json").write_text(text, encoding="utf-8")


def copy_host(live: Path) -> None:
    """Copy what runs in the page, but for the scripts' comments: a reader can read what runs, line by line."""
    shutil.rmtree(live, ignore_errors=True)
    live.mkdir(parents=True)
    for name in HOST:
        _copy(HERE / name, live / name)
    widgets = PACKAGE / "widgets"
    scripts = [*sorted(widgets.rglob("*.js")), *sorted(widgets.rglob("*.css"))]
    for path in [*scripts, *(PACKAGE / name for name in DATA)]:
        _copy(path, live / path.relative_to(PACKAGE))


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".js":
        target.write_text(without_comments(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def without_comments(script: str) -> str:
    r"""Return a script without the text of its comment lines; the lines stay, so that an error names the right one.

    >>> without_comments("// why\nlet a = 1; // here it stays\n")
    '\nlet a = 1; // here it stays\n'
    """
    return COMMENT_LINE.sub("", script)


def ship_pyodide(cache: Path, live: Path) -> None:
    """Copy Pyodide, fetched and verified.

    Raises:
        ExtensionError: the files cannot be had, or are not the published ones.
    """
    if not cache.exists():
        logger.info("Fetching Pyodide %s for the live pages (a minute, once)", distribution.VERSION)
    try:
        distribution.fill(cache)
    except (distribution.Missing, distribution.Untrusted) as problem:
        raise ExtensionError(str(problem)) from problem
    target = live / "pyodide" / distribution.VERSION
    target.mkdir(parents=True)
    for name in distribution.wanted():
        shutil.copyfile(cache / name, target / name)


def manifest(packed: wheel.Wheel, mirror: str) -> dict[str, Any]:
    """Return what the worker must know; addresses are seen from the folder `live`."""
    pins = distribution.PINS
    ours = {
        "name": "dlcore",
        "version": version("dlcore"),
        "file_name": packed.name,
        "install_dir": "site",
        "sha256": packed.sha256,
        "package_type": "package",
        "imports": ["dlcore"],
        "depends": ["numpy", "traitlets"],
        "unvendored_tests": False,
    }
    return {
        "pyodide": mirror or f"pyodide/{distribution.VERSION}/",
        "verify": bool(mirror),
        "core": pins["core"],
        "lock": {"info": pins["info"], "packages": {**pins["packages"], "dlcore": ours}},
        "bytes": pins["bytes"] | {packed.name: len(packed.content)},
        "data": list(DATA),
    }
