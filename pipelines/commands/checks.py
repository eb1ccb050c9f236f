"""The checks of `leadline doctor`, each a generator of findings."""

import platform
import shutil
import stat
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from connectors.connector import Connector, Finding, Pull, PushedStream, SourceError
from connectors.secret import SecretMissingError
from pipelines.commands.status import ago, build_of, streams_of
from pipelines.files import DataFolder
from pipelines.kind_streams import givers
from pipelines.page_needs import NEEDS, fed_by_permission
from pipelines.reader import RebuildNeededError
from pipelines.settings import Connection, Settings
from pipelines.sync import utc_now

_PACKAGES = ("leadline", "duckdb", "polars", "dagster", "streamlit")
_LEAST_GIT = (2, 30)
_GIGABYTE = 1024**3
_LEAST_FREE = 1 * _GIGABYTE


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


def permissions(one: Connection) -> Iterator[Finding]:
    """What the connection's credential must be allowed to do, and which pages that feeds."""
    for permission, fed in fed_by_permission(type(one.connector())):
        how = f" ({permission.how.replace('`', '')})" if permission.how else ""
        yield Finding(
            "ok",
            f"{one.name}: permission {permission.name}",
            f"for {', '.join(permission.streams)}, shown on {', '.join(fed)}{how}",
        )


def pages(settings: Settings) -> Iterator[Finding]:
    """What each page will lack with these connections, and what to connect for it."""
    sent = {(row["connection"], row["stream"]) for row in streams_of(DataFolder(settings.data))}
    given = {
        record_type
        for one in settings.connections.values()
        for stream in one.connector().streams()
        for record_type in stream.record_types
        # Anything may be sent; what never was gives a page nothing.
        if not isinstance(stream, PushedStream) or (one.name, stream.name) in sent
    }
    lacking: dict[str, list[str]] = defaultdict(list)
    for need in NEEDS:
        if need.is_missed and not given & set(need.records):
            for page in need.pages:
                lacking[page].append(f"{need.shows}; connect {_one_of(givers(*need.records))}")
    for page, missing in lacking.items():
        for told in missing:
            yield Finding("warning", f"page {page}", f"will lack {told}")
    if not lacking:
        yield Finding("ok", "pages", "every page has a source for what it shows")


def _one_of(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
