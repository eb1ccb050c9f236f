"""Serves a made-up organisation until told to stop: `python -m sandbox`."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType

from sandbox.generate import build_organisation
from sandbox.introduction import introduce
from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; one line of JSON on standard output says where."""
    options = _parser().parse_args(arguments)
    stopped = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if options.world is None:
        organisation = build_organisation(
            seed=options.seed, engineers=options.engineers, months=options.months, end=options.end
        )
    else:
        organisation = build_world(WORLDS[options.world], end=options.end, seed=options.seed)
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = Sandbox(
            organisation, folder, port=options.port, jira_port=options.jira_port, seed=options.seed
        )
        if not stopped.is_set():
            stack.enter_context(sandbox)
            sys.stdout.write(json.dumps(introduce(sandbox, options.files)) + "\n")
            sys.stdout.flush()
            stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of GitHub and Git (a free one)")
    parser.add_argument("--jira-port", type=int, default=0, help="port of Jira (a free one)")
    parser.add_argument("--seed", type=int, default=7, help="another number, another organisation")
    parser.add_argument(
        "--world", choices=sorted(WORLDS), help="one that the four thresholds are told of"
    )
    parser.add_argument("--engineers", type=int, default=120, help="how many engineers")
    parser.add_argument("--months", type=int, default=18, help="how long it has been there")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    parser.add_argument(
        "--end", type=_moment, default=today, help="the last moment, ISO 8601 (midnight, UTC)"
    )
    parser.add_argument(
        "--folder", type=Path, default=None, help="keep the Git repositories here (temporary)"
    )
    parser.add_argument(
        "--files", type=Path, default=None, help="write here what the organisation keeps in files"
    )
    return parser


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
