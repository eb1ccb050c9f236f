"""The checks of `leadline doctor`, each a generator of findings."""

import platform
import shutil
import stat
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from typing import NamedTuple

from connectors.connector import Connector, Finding, Pull, SourceError
from connectors.records import (
    ChangeRequest,
    Commit,
    DeploymentAttempt,
    Record,
    Reference,
    Release,
    Review,
    Ticket,
    TicketTransition,
)
from connectors.secret import SecretMissingError
from pipelines.commands.status import ago, build_of, streams_of
from pipelines.files import DataFolder
from pipelines.reader import RebuildNeededError
from pipelines.settings import Connection, Settings
from pipelines.sync import utc_now

_PACKAGES = ("leadline", "duckdb", "polars", "dagster", "streamlit")
_LEAST_GIT = (2, 30)
_GIGABYTE = 1024**3
_LEAST_FREE = 1 * _GIGABYTE


class Need(NamedTuple):
    """What a page shows, any of the records that give it, and what to connect for them."""

    page: str
    shows: str
    any_of: tuple[type[Record], ...]
    connect: str


_NEEDS = (
    Need(
        "Delivery",
        "deployments",
        (DeploymentAttempt, Reference, Release),
        "github, git (tags) or files (deployments)",
    ),
    Need("Delivery", "changes", (Commit,), "github or git"),
    Need("Lead time", "the stages of a review", (ChangeRequest,), "github"),
    Need("Lead time", "how long reviews wait and last", (Review,), "github"),
    Need("Delivery", "ticket flow", (Ticket,), "jira or files (tickets)"),
    Need("Delivery", "cycle time of tickets", (TicketTransition,), "jira"),
)


def versions() -> Iterator[Finding]:
    """What is installed, and whether git is new enough."""
    installed = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield Finding("ok", "versions", f"Python {platform.python_version()}, {installed}")
    try:
        told = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        yield Finding("error", "git", "git cannot be run; install it (Debian: apt install git)")
        return
    words = told.stdout.split()
    numbers = tuple(int(part) for part in words[2].split(".")[:2] if part.isdecimal())
    if numbers < _LEAST_GIT:
        yield Finding("error", "git", f"{words[2]} is too old; 2.30 or newer is needed")
    else:
        yield Finding("ok", "git", words[2])


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, is private, and has room."""
    folder = DataFolder(settings.data).create()
    mode = stat.S_IMODE(folder.path.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "warning",
            "data folder",
            f"{folder.path} can be read by others (mode {mode:o}); run `chmod 700 {folder.path}`",
        )
    else:
        yield Finding("ok", "data folder", f"{folder.path}, readable by you only")
    free = shutil.disk_usage(folder.path).free
    level = "ok" if free >= _LEAST_FREE else "error"
    hint = "" if level == "ok" else "; make room, a build needs about 1 GB"
    yield Finding(level, "disk", f"{free / _GIGABYTE:.1f} GB free{hint}")


def state(settings: Settings) -> Iterator[Finding]:
    """What has been received, loaded and published."""
    folder = DataFolder(settings.data)
    streams = streams_of(folder)
    failing = [row for row in streams if row["failing"]]
    for row in failing:
        yield Finding("warning", f"{row['connection']}.{row['stream']}", str(row["last_error"]))
    if not streams:
        yield Finding("warning", "landing", "nothing received yet; run `leadline sync`")
    else:
        size = folder.landing.stat().st_size / _GIGABYTE
        yield Finding("ok", "landing", f"{len(streams)} streams, {size:.2f} GB; keep a copy of it")
    if streams and not folder.records.exists():
        yield Finding("warning", "records", "nothing loaded yet; run `leadline build`")
    try:
        build = build_of(folder)
    except RebuildNeededError as error:
        yield Finding("error", "build", str(error))
        return
    if build is None:
        yield Finding("warning", "build", "nothing published yet; run `leadline build`")
    else:
        yield Finding("ok", "build", f"{build['build_id']}, built {ago(build['built_at'])}")


def connection(settings: Settings, one: Connection, *, offline: bool) -> Iterator[Finding]:
    """The connection's credential, its scopes, the way to the source, and the clocks."""
    connector: Connector = one.connector()
    ca_file = one.options.ca_file
    if ca_file is not None and not ca_file.is_file():
        yield Finding("error", one.name, f"ca_file {ca_file} is missing")
        return
    if offline:
        yield Finding("ok", one.name, f"{connector.title}: not asked (--offline)")
        return
    try:
        client = connector.client()
        if client is not None:
            client.be_impatient()
        pull = Pull(client, DataFolder(settings.data).clones, utc_now)
        try:
            for finding in connector.diagnose(pull):
                yield finding._replace(subject=f"{one.name}: {finding.subject}")
        finally:
            pull.close()
    except (SourceError, SecretMissingError) as error:
        yield Finding("error", one.name, str(error))


def pages(settings: Settings) -> Iterator[Finding]:
    """What each page will lack with these connections, and what to connect for it."""
    given = {
        record_type
        for one in settings.connections.values()
        for stream in one.connector().streams()
        for record_type in stream.record_types
    }
    for need in _NEEDS:
        if not given & set(need.any_of):
            yield Finding(
                "warning", f"page {need.page}", f"will lack {need.shows}; connect {need.connect}"
            )
    if all(given & set(need.any_of) for need in _NEEDS):
        yield Finding("ok", "pages", "every page has a source for what it shows")
