"""Serve the built book on this machine, and say where.

>>> content_type("page.wasm"), content_type("page.mjs")
('application/wasm', 'text/javascript')
"""

import argparse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class BookHandler(SimpleHTTPRequestHandler):
    """Serve files with the types a browser insists on, whatever the system's own table says."""

    extensions_map = {  # noqa: RUF012 (the base class declares it so)
        **SimpleHTTPRequestHandler.extensions_map,
        ".css": "text/css",
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        """Ask the browser to look for a newer page each time: the book is rebuilt while it is read."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by the base class)
        """Stay silent: a reader has no use for the log of requests."""


def content_type(name: str) -> str:
    """Return the type under which the file ``name`` is served."""
    return BookHandler.extensions_map[Path(name).suffix]


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of ``folder`` on 127.0.0.1; port 0 takes any free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(BookHandler, directory=str(folder)))


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not (options.folder / "index.html").exists():
        parser.error(f"{options.folder} has no index.html; build the book first: make book")
    try:
        book = server(options.folder, options.port)
    except OSError as error:
        parser.error(f"port {options.port} cannot be used ({error.strerror}); try make serve PORT=8001")
    print(f"Deep Learning, Live is served at http://localhost:{options.port} (Ctrl-C stops it)", flush=True)
    try:
        book.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        book.server_close()


if __name__ == "__main__":
    main()
