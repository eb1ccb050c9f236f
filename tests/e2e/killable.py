"""A process that forks one child a run, so that each run can be killed without a slow start.

`python -m tests.e2e.killable [MODULE…]` imports what runs need and then reads one JSON object a
line from stdin: `settings` (a file), `as_of`, `how` (plain or dagster), `until` (the phase that is
not begun) and `die_before` (which file operation of the publication the child does not live to
see, 0 for none). It answers with the lines `pid N`, `phase NAME` as the child gets there, and
`ended STATUS` when it is gone.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.files import DataFolder
from pipelines.settings import Settings

Say = Callable[[str], None]

_NEEDED = ("httpcore", "pandas", "pipelines.operations", "scipy.stats", "zoneinfo")
_FILE_OPERATIONS = {"open", "os.rename", "os.symlink", "os.remove"}


def serve() -> None:
    """Fork a child for every line of stdin until it ends."""
    from connectors.connector import kinds
    from pipelines.catalog import steps

    # What a child would otherwise import or parse anew; some of it is imported late on purpose.
    for name in (*_NEEDED, *sys.argv[1:]):
        importlib.import_module(name)
    kinds()
    steps()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(json.loads(line))
        _, status = os.waitpid(child, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


def _live(order: dict[str, Any]) -> None:
    """What the child does; it never returns. It leads a group, so that git can die with it."""
    os.setsid()
    tell = os.dup(1)
    os.write(tell, f"pid {os.getpid()}\n".encode())  # said here, it comes before every phase
    log = os.open(f"{order['settings']}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
        _run(order, tell)
        status = 0
    except BaseException:  # noqa: BLE001  the child must never come back into the parent's loop
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(order: dict[str, Any], tell: int) -> None:
    from pipelines import settings

    told: set[str] = set()

    def say(phase: str) -> None:
        if phase not in told:
            told.add(phase)
            os.write(tell, f"phase {phase}\n".encode())

    path = Path(order["settings"])
    found = settings.parse(path.read_bytes(), path)
    if order["how"] == "dagster":
        _run_graph(found, say)
    else:
        _run_functions(found, order, say)
    say("done")


def _run_graph(found: Settings, say: Say) -> None:
    from pipelines.runs import run_job_in_process

    def report(stage: str, what: str, done: int, total: int | None) -> None:
        say(stage)

    if not run_job_in_process(found, report=report):
        raise RuntimeError("the run failed")


def _run_functions(found: Settings, order: dict[str, Any], say: Say) -> None:
    from pipelines import operations
    from pipelines.inputs import Clock

    say("sync")
    for result in operations.sync(found):
        if result.errors:
            raise RuntimeError(f"{result.connection}: {result.errors}")
    if order["until"] == "load":
        return
    say("load")
    operations.load_records(found)
    if order["until"] == "build":
        return
    say("build")
    moment = Clock(datetime.fromisoformat(order["as_of"]), "pinned by the test")
    with _announced_publication(say, order["die_before"]):
        operations.build(found, moment=moment)


@contextmanager
def _announced_publication(say: Say, die_before: int) -> Iterator[None]:
    """Say when publication begins, and die before one of its file operations."""
    from pipelines import warehouse

    real = warehouse.publish
    counted = 0
    is_publishing = False

    def on_event(event: str, _: tuple[Any, ...]) -> None:
        nonlocal counted
        if is_publishing and event in _FILE_OPERATIONS:
            counted += 1
            if counted == die_before:
                os.kill(os.getpid(), signal.SIGKILL)

    def publish(folder: DataFolder, unfinished: Path, path: Path) -> None:
        nonlocal is_publishing
        say("publish")
        is_publishing = True
        real(folder, unfinished, path)

    sys.addaudithook(on_event)
    warehouse.publish = publish
    try:
        yield
    finally:
        warehouse.publish = real


if __name__ == "__main__":
    serve()
