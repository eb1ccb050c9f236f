"""One URL that says whether everything runs, and how old the published build is."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/health"

Health = dict[str, Any]


@contextmanager
def serving(host: str, port: int, state: Callable[[], Health]) -> Iterator[None]:
    """Answer `GET /health` with the state as JSON: 200 where `ok` is true, else 503."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "Leadline"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != PATH:
                self.send_error(404)
                return
            found = state()
            body = json.dumps(found, indent=2).encode() + b"\n"
            self.send_response(200 if found["ok"] else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Requests for the state of health are not worth a line."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
