"""A real JupyterLab with a real kernel, on this machine only, in folders that vanish with the test.

    with lab(folder) as serving:        a server at serving.address, whose notebooks lie in `folder`
        room = Room(serving, chromium)  a browser's page with JupyterLab in it
        room.open({"cell": "1 + 1"})

JupyterLab is told not to phone home: no news, no look for updates, no list of extensions.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from tests.browser import PATIENCE, until

# Our own cells run before anything is looked at; the kernel is this environment's Python.
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


class Serving(NamedTuple):
    """A running server: where it listens, what opens it, the folder it shows, its process."""

    address: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(home: Path) -> None:
    """Write JupyterLab's own settings: silent towards the world, no question when it starts."""
    silent = {"fetchNews": "false", "checkForUpdates": False}
    folder = home / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(silent))


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of the server and its kernels: nothing of the person who runs the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV_", "JUPYTER", "PYTEST"))
    }
    ours = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {
        **kept,
        **{name: str(home / folder) for name, folder in ours.items()},
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def _command(folder: Path, port: int, token: str) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.terminals_enabled": False,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "LabApp.extension_manager": "readonly",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def lab(folder: Path) -> Iterator[Serving]:
    """Start a JupyterLab whose files lie in `folder`; end it, kernels included, on leaving.

    Raises:
        RuntimeError: the server ended or was silent, with the end of what it wrote.
    """
    home, root = folder / "home", folder / "notebooks"
    root.mkdir(parents=True)
    home.mkdir()
    _settings(home)
    port, token = _free_port(), secrets.token_hex(16)
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(root, port, token),
            cwd=root,
            env=_environment(home),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)
        yield Serving(f"http://127.0.0.1:{port}", token, root, process)
    finally:
        process.terminate()  # the server shuts its kernels down before it ends
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of cells that were not run: of code, or of Markdown where one begins with "# %% [markdown]"."""
    made = []
    for source in cells:
        kind, _, words = source.partition("\n")
        if kind == "# %% [markdown]":
            made.append(nbformat.v4.new_markdown_cell(words))
        else:
            made.append(nbformat.v4.new_code_cell(source))
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": KERNELSPEC})
    nbformat.write(notebook, path)


_CHANGE_CELL = """([cell, source]) => {
  window.notebook.content.activeCellIndex = cell;
  if (source !== null) window.notebook.content.widgets[cell].model.sharedModel.setSource(source);
}"""
# JupyterLab's own application object does what its menus do.
_RUN_IN_KERNEL = """async code => {
  const kernel = window.notebook.sessionContext.session.kernel;
  let text = "", error = null;
  const future = kernel.requestExecute({code, store_history: false, stop_on_error: false});
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === "stream") text += content.text;
    if (header.msg_type === "error") error = content.ename + ": " + content.evalue;
  };
  await future.done;
  if (error) throw new Error(error);
  return text;
}"""


class Room:
    """A page with JupyterLab in it: a notebook is opened, its cells are run, its kernel is asked."""

    def __init__(self, serving: Serving, context: Any) -> None:
        self.serving = serving
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda opened: self.requests.append(opened.url))
        self.page.on(
            "console", lambda message: message.type == "error" and self.complaints.append(message.text)
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def foreign(self) -> list[str]:
        """The addresses asked for that are not the server's."""
        host = self.serving.address.removeprefix("http://")
        ours = (f"http://{host}", f"ws://{host}", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(ours)]

    def open(self, name: str, cells: Sequence[str]) -> None:
        """Write a notebook, show it, and wait for its kernel to be idle."""
        write_notebook(self.serving.folder / f"{name}.ipynb", cells)
        self.page.goto(f"{self.serving.address}/doc/tree/{name}.ipynb?token={self.serving.token}&reset")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        self.page.wait_for_function(
            "(window.notebook = window.jupyterapp?.shell.currentWidget)"
            "?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def command(self, name: str) -> None:
        """Do what a menu of JupyterLab does, and wait until it is done."""
        self.page.evaluate("name => window.jupyterapp.commands.execute(name).then(() => null)", name)

    def run_all(self) -> None:
        """Run every cell."""
        self.command("notebook:run-all-cells")

    def run_cell(self, cell: int, source: str | None = None) -> None:
        """Run one cell, after writing `source` into it if that is given."""
        self.page.evaluate(_CHANGE_CELL, [cell, source])
        self.command("notebook:run-cell")

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells, and return what it prints.

        Raises:
            Error: (Playwright's) the code raised; the message names the exception.
        """
        return str(self.page.evaluate(_RUN_IN_KERNEL, code)).strip()

    def until(self, condition: str) -> None:
        """Wait until a condition holds in the kernel."""
        self.seen(lambda: self.python(f"print(bool({condition}))") == "True", condition)

    def seen(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds in the page, which hears of changes a little later than the kernel."""
        until(self.page, holds, lambda: f"never: {what} {self.complaints}")
