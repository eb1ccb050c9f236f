"""Dagster's home in the data folder, and the environment in which its processes run."""

import hashlib
import os
import re
import sqlite3
import stat
import tempfile
from functools import cache
from pathlib import Path

from pipelines.files import DataFolder
from pipelines.settings import Settings, SettingsError, find

PROJECT = Path(__file__).resolve().parent.parent
_BASE = ".leadline/dagster"
_LONGEST_SOCKET = 100  # the kernel's limit is 103 (macOS) or 107 bytes


def prepare(settings: Settings) -> Path:
    """Make DAGSTER_HOME in the data folder, with `dagster.yaml` pointing there; return it."""
    home = DataFolder(settings.data).create().dagster.resolve()
    home.mkdir(exist_ok=True)
    template = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    text = re.sub(
        rf"^( *base_dir: ){re.escape(_BASE)}(.*)$",
        lambda found: f"{found[1]}{_quoted(f'{home}{found[2]}')}",
        template,
        flags=re.MULTILINE,
    )
    _write(home / "dagster.yaml", text)
    return home


@cache
def commit_lightly() -> None:
    """Let this process's commits to Dagster's store not wait for the disk, once and for all.

    A build tells of some 1,130 events, each a commit of its own. In WAL mode
    `synchronous = normal` cannot corrupt the store; a power cut may lose its last events, which
    the runs marked as lost make good. Landing does not go through SQLAlchemy and still waits.
    """
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def lighten(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = normal")


def graph_socket(settings: Settings) -> Path:
    """The socket on which `leadline up` serves the graph, in a folder that only we can enter.

    It is the same at every start, because Dagster's store knows runs and schedules by it. Where the
    data folder's name is too long for a socket, it lies in the temporary folder.
    """
    home = prepare(settings)
    if len(os.fsencode(home / "graph")) <= _LONGEST_SOCKET:
        return home / "graph"
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"leadline-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SettingsError(f"{folder} belongs to someone else; set TMPDIR or a shorter `data`")
    return folder / "graph"


def workspace(settings: Settings, socket: Path) -> Path:
    """The file that tells Dagster's daemon and UI where the graph is served."""
    path = prepare(settings) / "workspace.yaml"
    server = f"  - grpc_server:\n      socket: {_quoted(str(socket))}\n"
    _write(path, f"load_from:\n{server}      location_name: leadline\n")
    return path


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a Dagster process: this one's, with home, data and settings named."""
    named = {
        "DAGSTER_HOME": str(prepare(settings)),
        "LEADLINE_DATA": str(settings.data.resolve()),
    }
    path = find()
    if path is not None:
        named["LEADLINE_SETTINGS"] = str(path.resolve())
    return {**os.environ, **named}


def working_folder() -> Path:
    """Where Dagster's processes start: the project's root, once a settings file is named."""
    return PROJECT if find() is not None else Path.cwd()


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        fresh = path.with_suffix(".fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)


def _quoted(path: str) -> str:
    """A path as YAML takes it whatever stands in it."""
    return "'" + path.replace("'", "''") + "'"
