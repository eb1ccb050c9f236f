"""Running git as a child that asks nothing, runs nothing of others, and tells no secret.

Every call has the same closed environment: no prompts, no hooks, no system or personal
configuration, English messages, an allowed list of protocols. Reading commands may not reach the
network at all, not even to fill in an object that a partial clone lacks.
"""

import errno
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from connectors.connector import SourceError
from connectors.failures import TimedOutError
from connectors.git_failures import failure

READ_SECONDS = 900.0
NETWORK_SECONDS = 3600.0
_CHUNK = 1 << 20
_HELPER_SECONDS = 10.0

_KEPT_ENVIRONMENT = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH"),
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_FIXED_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_PAGER": "cat",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oForwardAgent=no"
    " -oConnectTimeout=20 -oServerAliveInterval=15",
}
_FIXED_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.askPass=",
    "core.quotePath=false",
    "credential.helper=",
    "safe.directory=*",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "protocol.allow=never",
)
_NETWORK_OPTIONS = (
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    # A redirect would carry the credential's request to a host nobody configured.
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
)
# Answers only for the origin the token belongs to: a redirect or a proxy asking gets nothing.
_ASKPASS = """#!/bin/sh
case "$1" in
  "Username for '$LEADLINE_GIT_ORIGIN': ") printf '%s\\n' "$LEADLINE_GIT_USERNAME" ;;
  "Password for '$LEADLINE_GIT_ASKED': ") printf '%s\\n' "$LEADLINE_GIT_TOKEN" ;;
  *) exit 1 ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Access:
    """How a remote is reached; `token` is called when it is needed, and only for `origin`."""

    origin: str | None = None
    token: Callable[[], str | None] | None = field(default=None, repr=False)
    username: str = "x-access-token"
    ca_file: Path | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Git:
    """Git on one repository, for reading; `subject` names the repository in messages."""

    directory: Path
    subject: str

    def run(self, *arguments: str, stdin: bytes = b"", seconds: float = READ_SECONDS) -> bytes:
        """The whole output of a reading command; raises `SourceError` if it fails."""
        return b"".join(self.stream(*arguments, stdin=stdin, seconds=seconds))

    def stream(
        self, *arguments: str, stdin: bytes = b"", seconds: float = READ_SECONDS
    ) -> Iterator[bytes]:
        """The output of a reading command in chunks, while it runs."""
        command = ["git", f"--git-dir={self.directory}", *_options(_FIXED_OPTIONS), *arguments]
        environment = {
            **_environment(),
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
        }
        yield from _stream(
            command,
            cwd=self.directory,
            environment=environment,
            stdin=stdin,
            seconds=seconds,
            subject=self.subject,
        )

    def remote(
        self,
        *arguments: str,
        access: Access,
        stdin: bytes = b"",
        seconds: float = NETWORK_SECONDS,
        keep_open: Sequence[int] = (),
        trace: Path | None = None,
    ) -> bytes:
        """The output of a command that talks to the remote, with its credential.

        `keep_open` are file descriptors the child holds too, so that a lock outlives this process
        for as long as git itself runs. `trace` receives the lines of git's own protocol.
        """
        command = [f"--git-dir={self.directory}", *arguments]
        return _remote(
            command,
            cwd=self.directory,
            access=access,
            stdin=stdin,
            seconds=seconds,
            subject=self.subject,
            keep_open=keep_open,
            trace=trace,
        )

    def is_empty_there(self, *, access: Access) -> bool:
        """Whether the remote says, in git's own protocol, that it has no branches and no tags.

        Git takes any other answer for a plain file of references, and one line of anything, such
        as an error in JSON, for a repository without any.
        """
        with tempfile.NamedTemporaryFile(prefix="leadline-trace-") as trace:
            told = self.remote(
                *("ls-remote", "--heads", "--tags", "origin"),
                access=access,
                trace=Path(trace.name),
            )
            return not told and bool(trace.read())


def clone(
    url: str, target: Path, *, access: Access, refspecs: Sequence[str], keep_open: Sequence[int]
) -> None:
    """Clone a checked address bare and without file contents into a folder that is not there."""
    _remote(
        [
            *("clone", "--quiet", "--bare", "--filter=blob:none", "--no-tags", "--template="),
            *_options([f"remote.origin.fetch={refspec}" for refspec in refspecs]),
            *("--", url, str(target)),
        ],
        cwd=target.parent,
        access=access,
        stdin=b"",
        seconds=NETWORK_SECONDS,
        subject=url,
        keep_open=keep_open,
    )


def _remote(
    arguments: Sequence[str],
    *,
    cwd: Path,
    access: Access,
    stdin: bytes,
    seconds: float,
    subject: str,
    keep_open: Sequence[int],
    trace: Path | None = None,
) -> bytes:
    options = [*_FIXED_OPTIONS, *_NETWORK_OPTIONS]
    options += [f"http.sslCAInfo={access.ca_file}"] if access.ca_file else []
    # By environment, because a proxy's address may hold its password.
    proxy = {"http_proxy": access.proxy, "https_proxy": access.proxy} if access.proxy else {}
    traced = {"GIT_TRACE_PACKET": str(trace)} if trace is not None else {}
    with _askpass(access) as credential:
        chunks = _stream(
            ["git", *_options(options), *arguments],
            cwd=cwd,
            environment={**_environment(), **proxy, **credential, **traced},
            stdin=stdin,
            seconds=seconds,
            subject=subject,
            keep_open=keep_open,
            secret=credential.get("LEADLINE_GIT_TOKEN"),
        )
        return b"".join(chunks)


def _options(settings: Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("-c", setting)]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, **_FIXED_ENVIRONMENT}


@contextmanager
def _askpass(access: Access) -> Iterator[dict[str, str]]:
    """The environment that answers git's question for a password, as long as it is needed."""
    token = access.token() if access.token is not None and access.origin is not None else None
    if token is None or access.origin is None:
        yield {"GIT_ASKPASS": "/bin/false"}
        return
    scheme, _, host = access.origin.partition("://")
    with tempfile.TemporaryDirectory(prefix="leadline-askpass-") as folder:
        helper = Path(folder) / "askpass"
        helper.write_text(_ASKPASS, encoding="utf-8")
        helper.chmod(0o700)
        _wait_until_executable(helper)
        yield {
            "GIT_ASKPASS": str(helper),
            "LEADLINE_GIT_ORIGIN": access.origin,
            "LEADLINE_GIT_ASKED": f"{scheme}://{access.username}@{host}",
            "LEADLINE_GIT_USERNAME": access.username,
            "LEADLINE_GIT_TOKEN": token,
        }


def _wait_until_executable(helper: Path) -> None:
    """Wait until no other thread's child holds the helper open, or git could not execute it.

    A child forked while the helper was written has it open for writing until it runs its own
    program; for so long the kernel refuses to execute it ("Text file busy").
    """
    deadline = time.monotonic() + _HELPER_SECONDS
    while True:
        try:
            subprocess.run([helper, ""], env={}, check=False, stdin=subprocess.DEVNULL)
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > deadline:
                raise SourceError(
                    f"the helper that hands git its token cannot be executed ({error.strerror}): "
                    "set TMPDIR to a folder on which programs may run"
                ) from error
            time.sleep(0.001)
        else:
            return


def _stream(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: dict[str, str],
    stdin: bytes,
    seconds: float,
    subject: str,
    keep_open: Sequence[int] = (),
    secret: str | None = None,
) -> Iterator[bytes]:
    deadline = time.monotonic() + seconds
    # What git is told comes from a file: some commands answer while they read, and a pipe to
    # them and one from them would wait for each other.
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as told:
        told.write(stdin)
        told.seek(0)
        process = _started(command, cwd, environment, (told, errors), keep_open)
        assert process.stdout is not None  # noqa: S101  it was asked for as a pipe
        try:
            while chunk := _read(process.stdout.fileno(), deadline):
                yield chunk
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise TimedOutError(
                f"git took longer than {seconds:g} s for {subject} and was stopped; "
                "it is tried again next time"
            ) from None
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        if status != 0:
            errors.seek(0)
            raise failure(errors.read().decode("utf-8", "replace"), status, subject, secret)


def _read(pipe: int, deadline: float) -> bytes:
    """What is there to read, nothing at the end; a helper of git may hold the pipe for longer."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
    return os.read(pipe, _CHUNK)


def _started(
    command: Sequence[str],
    cwd: Path,
    environment: dict[str, str],
    files: tuple[IO[bytes], IO[bytes]],
    keep_open: Sequence[int],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=files[0],
            stdout=subprocess.PIPE,
            stderr=files[1],
            pass_fds=tuple(keep_open),
        )
    except FileNotFoundError:
        raise SourceError("git is not installed, or not on the PATH: install it") from None
