"""Real repositories and a real smart-HTTP server for the tests of the git connector."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from connectors.connector import Connector, Page, Parsed, Pull, State, Stream
from connectors.git import GitConnector, GitOptions

NOW = datetime(2026, 1, 10, tzinfo=UTC)
START = 1_700_000_000


def git(where: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
    """Run git with an identity of its own and no configuration of the machine."""
    result = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=where,
        input=stdin,
        capture_output=True,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Carl",
            "GIT_COMMITTER_EMAIL": "carl@example.com",
            **environment,
        },
    )
    return result.stdout.decode("utf-8", "replace").strip()


def new_repository(path: Path) -> Path:
    """An empty work tree on the branch main."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    return path


def commit(path: Path, subject: str, *, at: int = START, file: str = "file", **more: str) -> str:
    """Commit a changed file with the message; the new commit's id."""
    target = path / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{subject} {at}\n", encoding="utf-8")
    git(path, "add", "--all")
    dates = _dates(at)
    git(path, "commit", "-q", "-m", subject, stdin=b"", **dates, **more)
    return git(path, "rev-parse", "HEAD")


def raw_commit(path: Path, content: bytes, *, branch: str) -> str:
    """Write a commit object byte by byte, as other tools do, and point a branch at it."""
    name = git(path, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=content)
    git(path, "update-ref", f"refs/heads/{branch}", name)
    return name


def _dates(at: int) -> dict[str, str]:
    return {"GIT_AUTHOR_DATE": f"{at - 60} +0100", "GIT_COMMITTER_DATE": f"{at} +0100"}


@dataclass
class Reading:
    """One connector with the state of each stream kept between pulls."""

    connector: Connector
    clones: Path
    states: dict[str, State] = field(default_factory=dict)

    def pull(self) -> Pull:
        """A new pull, as every sync has one."""
        return Pull(None, self.clones, lambda: NOW)

    def pages(self, name: str, pull: Pull | None = None) -> list[Page]:
        """All pages of a stream over all its scopes; states move as landing moves them."""
        pull = pull or self.pull()
        stream = self.stream(name)
        found = []
        for scope in self.connector.scopes(stream):
            key = f"{name} {scope.id}"
            for page in stream.pages(pull, scope, self.states.get(key, State())):
                found.append(page)
                if page.state is not None:
                    self.states[key] = page.state
        return found

    def parsed(self, name: str, pull: Pull | None = None) -> list[Parsed]:
        """What the parser makes of all pages."""
        stream = self.stream(name)
        scope = next(iter(self.connector.scopes(stream)))
        return [
            stream.parse(page.line(self.connector.name, scope)) for page in self.pages(name, pull)
        ]

    def rows(self, name: str, pull: Pull | None = None) -> list[dict[str, object]]:
        """All rows of a stream with one record type."""
        record_type = self.stream(name).record_types[0]
        rows: list[dict[str, object]] = []
        for parsed in self.parsed(name, pull):
            rows += [record.model_dump() for record in parsed.records[record_type]]
            for table in parsed.tables[record_type]:
                rows += table.to_pylist()
        return rows

    def stream(self, name: str) -> Stream:
        """The stream of this name."""
        return next(each for each in self.connector.streams() if each.name == name)


def reading(tmp_path: Path, *repositories: Path | str, **options: object) -> Reading:
    """A git connection over these repositories."""
    values = {"repositories": [str(each) for each in repositories], **options}
    return Reading(
        GitConnector("code", GitOptions.model_validate(values)), tmp_path / "leadline clones"
    )


@dataclass
class GitServer:
    """A smart-HTTP server over bare repositories; `requests` are the paths asked for."""

    address: str = ""
    token: str | None = None
    redirect_to: str | None = None
    requests: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    @property
    def fetches(self) -> int:
        """How often objects were asked for or references listed."""
        return len(self.requests)


@contextmanager
def serve(root: Path, *, token: str | None = None) -> Iterator[GitServer]:
    """Serve the bare repositories under a folder on loopback by git's own http-backend."""
    server = GitServer(token=token)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.answer(b"")

        def do_POST(self) -> None:
            self.answer(self.body())

        def body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            return whole

        def answer(self, body: bytes) -> None:
            server.requests.append(self.path)
            if server.redirect_to is not None:
                self.send_response(301)
                self.send_header("location", server.redirect_to + self.path)
                self.end_headers()
                return
            if server.token is not None and not self.is_allowed():
                self.send_response(401)
                self.send_header("www-authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            self.backend(body)

        def is_allowed(self) -> bool:
            given = self.headers.get("authorization", "")
            plain = base64.b64decode(given.removeprefix("Basic ")).decode()
            if plain:
                server.credentials.append(plain)
            return plain.endswith(f":{server.token}")

        def backend(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            result = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=False,
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_CONFIG_COUNT": "2",
                    "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
                    "GIT_CONFIG_VALUE_0": "true",
                    "GIT_CONFIG_KEY_1": "safe.directory",
                    "GIT_CONFIG_VALUE_1": "*",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("content-type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
                    "REMOTE_ADDR": "127.0.0.1",
                },
            )
            head, _, content = result.stdout.partition(b"\r\n\r\n")
            fields = dict(row.split(": ", 1) for row in head.decode().split("\r\n") if row)
            self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
