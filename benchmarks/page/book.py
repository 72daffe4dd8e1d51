"""A book of a few pages, built by Sphinx with dlcore.live, as readers get it from a plain web server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.report import ROOT

CONF = f"""
extensions = ["myst_nb", "dlcore.live"]
html_theme = "sphinx_book_theme"
nb_execution_mode = "off"
nb_ipywidgets_js = {{}}
live_cache = {str(ROOT / ".pyodide")!r}
"""


def write_page(folder: Path, name: str, code: str) -> None:
    """Write a notebook of one heading and one cell, executed, so that it holds the state of its widgets."""
    import nbformat
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_markdown_cell(f"# {name.capitalize()}"), nbformat.v4.new_code_cell(code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    nbformat.write(notebook, folder / f"{name}.ipynb")


def build(folder: Path, pages: dict[str, str]) -> Path:
    """Build a book whose pages hold one code cell each, by name, and return the site's folder.

    Raises:
        RuntimeError: Sphinx failed, with the end of what it said.
    """
    source, built = folder / "book", folder / "site"
    source.mkdir()
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text("# Book\n\n```{toctree}\n" + "\n".join(pages) + "\n```\n")
    for name, code in pages.items():
        write_page(source, name, code)
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", str(source), str(built)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Sphinx could not build the book of the benchmarks: {done.stderr[-1000:]}")
    return built
