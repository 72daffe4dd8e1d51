"""Sphinx extension: put MathJax into the built site, and leave out the source maps that no reader needs.

MathJax 3.2.2 comes from the package ``sphinx-mathjax-offline``, whose files are those of ``mathjax@3.2.2``
on npm. The hash below was taken from npm's; a package that carries anything else stops the build.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# The parts a page may ask for: the renderer, its fonts, rarer TeX commands, and speech for screen readers.
PARTS = (
    "tex-mml-chtml.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "input/tex/extensions/*.js",
    "a11y/*.js",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)
SHA256 = "2de402116a6839ae299c1f0d45e043963961782f67754dbf0027ae63cc19709c"


def parts(folder: Path) -> Iterator[Path]:
    """Yield the files of MathJax to ship, relative to ``folder``, in a fixed order."""
    for pattern in PARTS:
        yield from sorted(path.relative_to(folder) for path in folder.glob(pattern))


def fingerprint(folder: Path, files: Iterable[Path]) -> str:
    """Return the SHA-256 over the names and contents of ``files``."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.as_posix().encode() + b"\0" + (folder / file).read_bytes())
    return digest.hexdigest()


def ship_mathjax(site: Path) -> None:
    """Copy MathJax to ``site/vendor/mathjax``.

    Raises:
        ExtensionError: if the installed package does not carry the files of MathJax 3.2.2.
    """
    package = distribution("sphinx-mathjax-offline")
    source = Path(str(package.locate_file("sphinx-mathjax-offline/static/mathjax")))
    files = list(parts(source))
    found = fingerprint(source, files)
    if found != SHA256:
        raise ExtensionError(
            f"MathJax 3.2.2 with SHA-256 {SHA256[:12]}… was expected in {source}, found {found[:12]}…; "
            "install it anew: pip install --force-reinstall -c requirements.txt sphinx-mathjax-offline"
        )
    for file in files:
        target = site / "vendor" / "mathjax" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Complete the site once the pages are written."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    ship_mathjax(site)
    for source_map in site.rglob("*.map"):
        source_map.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
