"""The site that the benchmarks open: the arena, the peers, Pyodide and our sources, from this machine alone."""

from __future__ import annotations

import io
import json
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.report import ROOT
from dlcore.live import distribution
from tools.serve import BookHandler

HERE = Path(__file__).parent


def sources() -> bytes:
    """A zip of dlcore and of what the contestants need of the benchmarks, as the page's Python imports it."""
    ours = [
        ROOT / "benchmarks" / name
        for name in ("__init__.py", "tasks.py", "page/__init__.py", "page/inside.py")
    ]
    package = [path for path in (ROOT / "dlcore").rglob("*") if path.suffix in (".py", ".npz", ".so")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        for path in sorted(ours + package):
            members.write(path, path.relative_to(ROOT))
    return archive.getvalue()


@dataclass
class Served:
    """A site that is up: its address, and the paths asked for so far."""

    address: str = ""
    requested: list[str] = field(default_factory=list)


class Quiet(ThreadingHTTPServer):
    """A server for which a browser that goes away in the middle of a file is no error."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served(folders: dict[str, Path], files: dict[str, bytes]) -> Iterator[Served]:
    """Serve folders by the first part of the address, and single files.

    The folder of the name "" takes every address that no other does.
    """
    site = Served()

    class Handler(BookHandler):
        def translate_path(self, path: str) -> str:
            first, _, rest = urlsplit(path).path.lstrip("/").partition("/")
            if first in folders:
                self.directory, path = str(folders[first]), "/" + rest
            elif "" in folders:
                self.directory = str(folders[""])
            else:
                return str(HERE / "no such file")
            return super().translate_path(path)

        def do_GET(self) -> None:  # noqa: N802 (named by the base class)
            site.requested.append(urlsplit(self.path).path)
            content = files.get(urlsplit(self.path).path)
            if content is None:
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None

    with Quiet(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.address = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()


def arena(pyodide: Path, peers: Path) -> Any:
    """The site of the arena, as a context."""
    folders = {"web": HERE / "web", "peers": peers, "pyodide": pyodide}
    lock = {"info": distribution.PINS["info"], "packages": distribution.PINS["packages"]}
    return served(folders, {"/sources.zip": sources(), "/lock.json": json.dumps(lock).encode()})
