"""Sphinx extension: the widgets of a notebook are alive in the built page, without a server.

In the page a widget is drawn from the state that the notebook stored. The reader's first action starts Python, once
for the whole page: Pyodide in a Web Worker, with NumPy, traitlets and this very package. Then the same class that
answers in JupyterLab answers in the page.

    distribution    the files of Pyodide, fetched and verified       wheel      dlcore, packed for the page
    pages           what a page with widgets holds                   site       what the site's folder `live` holds
    host.js         makes a page's widgets live                      model.js   a widget's state, as its view sees it
    python.js       the worker as the page sees it                   worker.js  Pyodide, in the worker
    boot.py         the widgets' side of the worker                  bytecode.py what is compiled, for the next visit
    keep.js         what the reader sets where no Python is needed   picture.js the picture, where nothing else works
    steering        links of the prose that act on a widget

A first visit makes two things that the browser keeps for later ones, in its Cache storage, under the hashes of the
files that they come from: Python's memory just after its start (20 MB), and the bytecode of what was imported.

Settings in conf.py, or under sphinx: config: in _config.yml:

    live_pyodide    where the page gets Pyodide: "" ships the files with the site; an address ending in / fetches
                    them from there, each verified
    live_cache      the folder that keeps the files between builds, seen from the book's folder
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def fingerprint(folder: Path) -> str:
    """Return a hash of the Python in `folder`. Where it has changed, pages built before are written anew."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    from . import pages, site, steering

    app.add_config_value("live_pyodide", "", "html", str)
    app.add_config_value("live_cache", ".pyodide", "html", str)
    app.add_config_value("live_code", fingerprint(Path(__file__).parent), "html", str)  # not to be set
    app.add_post_transform(pages.LiveOutputs)
    app.add_transform(steering.SteeringLinks)
    app.add_post_transform(steering.SteeringWords)
    # After MyST-NB has put its state script into the page, and Jupyter Book is done with the context.
    app.connect("html-page-context", pages.complete_page, priority=900)
    app.connect("build-finished", site.complete_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
