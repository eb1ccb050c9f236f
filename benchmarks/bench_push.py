"""The push API: events a second that are on disk before their answer, and what a kill loses."""

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result
from pipelines.landing import Landing
from pipelines.listening.tokens import Tokens

RATE = 500
SECONDS = 30.0
CONNECTIONS = 64
_PROJECT = Path(__file__).parents[1]
_SETTINGS = 'data = "data"\n[connections.push]\nrequests_per_second = 100000\n'


@dataclass
class Sent:
    """What came of a run: the ids answered with 202, and how long each answer took."""

    acknowledged: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    took: float = 0.0


def run(scale: float = 1.0) -> Iterator[Result]:
    """A steady stream of deployments; then the same with SIGKILL in the middle."""
    seconds = max(1.0, SECONDS * scale)
    with tempfile.TemporaryDirectory() as name:
        folder, token = _prepared(Path(name))
        before = _processor_seconds()
        with _listening(folder) as (_, port):
            asyncio.run(_send(port, token, RATE // 5, name="warm"))
            sent = asyncio.run(_send(port, token, round(RATE * seconds), name="steady"))
        taken = sorted(sent.seconds)
        yield Result(
            f"push: events a second, sustained for {seconds:.0f} s, each a request",
            len(sent.acknowledged) / sent.took,
            "/s",
            least=0.98 * RATE if scale >= 1 else None,
        )
        yield Result("push: median answer", taken[len(taken) // 2] * 1000, "ms")
        limit = 100 if scale >= 1 else None
        yield Result(
            "push: answer of the 99th of 100", taken[len(taken) * 99 // 100] * 1000, "ms", limit
        )
        spent = (_processor_seconds() - before) / len(sent.acknowledged) * 1000
        yield Result("push: processor time an event, of one core", spent, "ms", 2)
        yield Result("push: refused", sent.refused, "events", 0)
        yield Result("push: acknowledged and not kept", _lost(folder, sent), "events", 0)
    with tempfile.TemporaryDirectory() as name:
        folder, token = _prepared(Path(name))
        with _listening(folder) as (process, port):
            count = round(RATE * seconds)
            sent = asyncio.run(
                _send(port, token, count, name="killed", process=process, killed_after=seconds / 2)
            )
        yield Result("push: acknowledged before a SIGKILL", len(sent.acknowledged), "events")
        yield Result("push: lost by the SIGKILL", _lost(folder, sent), "events", 0)


def _processor_seconds() -> float:
    """What ended children have used, starting among it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _prepared(folder: Path) -> tuple[Path, str]:
    (folder / "leadline.toml").write_text(_SETTINGS, encoding="utf-8")
    (folder / "data").mkdir()
    now = datetime.now(UTC)
    tokens = Tokens(folder / "data")
    later = now + timedelta(days=1)
    return folder, tokens.add("bench", ["deployments"], expires_at=later, now=now)


@contextmanager
def _listening(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.listening.service", "127.0.0.1", "0"],
        cwd=_PROJECT,
        env={**os.environ, "LEADLINE_SETTINGS": str(folder / "leadline.toml")},
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout is None:
        raise RuntimeError("no output to read the port from")
    try:
        found = re.search(r":(\d+) ", process.stdout.readline())
        if found is None:
            raise RuntimeError("leadline listen did not start")
        # What it logs goes nowhere, and must not fill the pipe.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        drain.wait()


async def _send(
    port: int,
    token: str,
    count: int,
    *,
    name: str,
    process: "subprocess.Popen[str] | None" = None,
    killed_after: float = 0,
) -> Sent:
    """Send so many at the rate, whatever the answers take; each waits for its moment alone."""
    sent = Sent()
    numbers = iter(range(count))
    started = time.perf_counter() + 0.2

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                due = started + number / RATE
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                identifier = f"{name}-{number}"
                writer.write(_request(token, identifier))
                status = await _status(reader)
                if status == 202:
                    sent.acknowledged.append(identifier)
                    sent.seconds.append(time.perf_counter() - due)
                else:
                    sent.refused += 1
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    if process is not None:
        asyncio.get_running_loop().call_later(killed_after, process.send_signal, signal.SIGKILL)
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    sent.took = time.perf_counter() - started
    return sent


def _request(token: str, identifier: str) -> bytes:
    body = json.dumps(
        {
            "id": identifier,
            "environment": "production",
            "created_at": "2026-03-02T08:00:00Z",
            "finished_at": "2026-03-02T08:05:00Z",
            "commits": [
                {"repository": f"https://git.example.com/acme/service-{n}", "sha": f"{n:040x}"}
                for n in range(3)
            ],
        }
    ).encode()
    return (
        b"POST /v1/deployments HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        + f"authorization: Bearer {token}\r\nidempotency-key: {identifier}\r\n".encode()
        + f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head)
    await reader.readexactly(int(found[1]) if found else 0)
    return int(head[9:12])


def _lost(folder: Path, sent: Sent) -> int:
    """How many that were acknowledged are not in landing."""
    with Landing(folder / "data" / "landing.sqlite") as landing:
        kept = {
            json.loads(line.body)["id"]
            for batch in landing.batches()
            for _, line in landing.lines(batch)
        }
    return len(set(sent.acknowledged) - kept)
