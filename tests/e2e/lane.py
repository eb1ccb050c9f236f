"""A data folder on which runs are killed, and those who read it meanwhile."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboards import serve
from pipelines.reader import connect, current_build
from sandbox.server import Sandbox
from tests.e2e.comparison import Tables, differing, tables_of
from tests.e2e.demo_world import END, settings_text

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kill:
    """A moment that a run does not survive."""

    phase: str
    share: float = 0.0  # of the phase's measured duration
    with_children: bool = False  # git dies too
    die_before: int = 0  # a file operation of the publication, instead of a moment


@dataclass(frozen=True)
class Case:
    """A kept state, and the kills of the runs that follow one another from there."""

    start: str
    kills: tuple[Kill, ...]


class Killable:
    """The process that forks the runs; see `killable`. `modules` are imported before."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        self.log = folder / "killable.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.killable", *modules],
                cwd=PROJECT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def close(self) -> None:
        """End it, and whatever it still runs."""
        self.process.communicate(timeout=20)

    def read(self) -> str:
        """The next line it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.log.read_text(encoding="utf-8"))
        return line.strip()

    def run(self, settings: Path, **order: object) -> Iterator[tuple[str, str]]:
        """Start a run; what it says in pairs, ending with ("ended", status)."""
        assert self.process.stdin is not None
        defaults = {"how": "plain", "until": "", "die_before": 0, "as_of": END.isoformat()}
        self.process.stdin.write(json.dumps({"settings": str(settings), **defaults, **order}))
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        word = ""
        while word != "ended":
            word, _, rest = self.read().partition(" ")
            yield word, rest


class Lane:
    """One data folder with its kept states, and the process that runs on it."""

    def __init__(self, folder: Path, sandbox: Sandbox, *modules: str) -> None:
        self.data = folder / "data"
        self.kept = folder / "kept"
        self.data.mkdir(parents=True)
        self.settings = folder / "leadline.toml"
        self.settings.write_text(settings_text(sandbox, self.data), encoding="utf-8")
        self.killable = Killable(folder, modules)
        self.expected: dict[str, Tables] = {}
        self.durations: dict[str, float] = {}
        self.is_publishing = False

    def wait_until_ready(self) -> None:
        """Wait until runs can be forked."""
        assert self.killable.read() == "ready"

    def prepare(self, move_on: Callable[[], None]) -> None:
        """Publish a build of the world as it was, let it move on, and keep every state.

        What undisturbed runs end with, from nothing and from the older state, is what is expected.
        """
        self._keep("nothing")
        self.run()
        self._keep("older")
        move_on()
        self.restore("nothing")
        durations = self.run()
        self.expected["nothing"] = tables_of(self.data)
        self.restore("older")
        self.run(until="load")
        self._keep("synced")
        self.run(until="build")
        self._keep("loaded")
        self.run()
        for state in ("older", "synced", "loaded"):
            self.expected[state] = tables_of(self.data)
        self.durations = durations

    def take_over(self, other: "Lane") -> None:
        """Have the states of another lane, and its builds."""
        self.expected, self.durations = other.expected, other.durations
        shutil.copytree(other.kept, self.kept)
        shutil.copytree(other.data / "builds", self.data / "builds", symlinks=True)

    def run(self, **order: object) -> dict[str, float]:
        """A run that nobody disturbs; the seconds of each phase."""
        times = []
        for word, rest in self.killable.run(self.settings, **order):
            if word == "phase":
                times.append((rest, time.monotonic()))
            elif word == "ended":
                assert rest == "0", self.said()
        return {name: after - at for (name, at), (_, after) in itertools.pairwise(times)}

    def killed(self, case: Case) -> Path | None:
        """Kill one run after the other; where one ends before, all begin anew and die earlier.

        Returns the build that was published before: a run that ended has published its own.
        """
        for attempt in range(8):
            self.restore(case.start)
            published = current_build(self.data)
            if all(self.dies(kill, kill.share / 2**attempt) for kill in case.kills):
                return published
        raise AssertionError(f"no run could be killed: {case}\n{self.said()}")

    def differences(self, start: str) -> dict[str, list[str]]:
        """What the tables have that those of an undisturbed run have not, or the reverse."""
        return differing(self.expected[start], tables_of(self.data))

    def dies(self, kill: Kill, share: float, **order: object) -> bool:
        """Go on from whatever is there and kill after a share of the phase; whether it was killed.

        A run that fails instead is an error.
        """
        delay = share * self.durations.get(kill.phase, 0.0)
        process_id, status, timer = 0, "", None
        for word, rest in self.killable.run(self.settings, die_before=kill.die_before, **order):
            if word == "pid":
                process_id = int(rest)
                self.is_publishing = False
            elif word == "phase" and rest == "publish":
                self.is_publishing = True
            elif word == "phase" and rest == kill.phase:
                timer = threading.Timer(delay, _kill, (process_id, kill.with_children))
                timer.start()
            elif word == "ended":
                status = rest
        if timer is not None:
            timer.cancel()
            timer.join()
        assert status in (str(-signal.SIGKILL), "0"), self.said()
        return status != "0"

    def _keep(self, name: str) -> None:
        """Keep all but the builds under a name."""
        left_out = shutil.ignore_patterns("builds", "tmp", "dagster")
        shutil.copytree(self.data, self.kept / name, ignore=left_out)

    def restore(self, name: str) -> None:
        """Put back a kept state; the builds stay, because somebody reads them."""
        for path in self.data.iterdir():
            if path.name in ("builds", "tmp"):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self.kept / name, self.data, dirs_exist_ok=True)

    def said(self) -> str:
        """What the runs printed."""
        path = Path(f"{self.settings}.log")
        return path.read_text(encoding="utf-8")[-4000:] if path.exists() else ""


def _kill(process_id: int, with_children: bool) -> None:
    if with_children:
        os.killpg(process_id, signal.SIGKILL)
    else:
        os.kill(process_id, signal.SIGKILL)


@dataclass
class Readers:
    """Those who read the published build all the time, and what went wrong for them."""

    stopping: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    reads: int = 0
    threads: list[threading.Thread] = field(default_factory=list)

    def read(self, data: Path) -> None:
        """Open the current build as the pages do, and ask it."""
        self._again(lambda: _ask(data), 0.25)

    def poll(self, port: int) -> None:
        """Ask the dashboard whether it is well."""
        url = f"http://127.0.0.1:{port}{serve.HEALTH_PATH}"
        self._again(lambda: _open(url), 0.25)

    def stop(self) -> None:
        """Read no more."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _again(self, once: Callable[[], None], pause: float) -> None:
        def loop() -> None:
            while not self.stopping.wait(pause):
                try:
                    once()
                except Exception as error:  # noqa: BLE001  whatever a reader meets is a finding
                    self.failures.append(repr(error))
                else:
                    self.reads += 1

        self.threads.append(threading.Thread(target=loop))
        self.threads[-1].start()


def _ask(data: Path) -> None:
    path = current_build(data)
    assert path is not None, "no build is published"
    with connect(path) as connection:
        found = connection.execute("select count(*) from metric").fetchall()[0][0]
        build_id: Any = connection.execute("select build_id from build").fetchall()[0][0]
    assert found, "the build has no metrics"
    assert build_id == path.stem, f"{path.name} says it is {build_id}"


def _open(url: str) -> None:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310
        assert answer.read() == b"ok"
