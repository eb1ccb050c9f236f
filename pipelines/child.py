"""One process that is kept running: started, watched, restarted with back-off, stopped whole."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")))
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
HEALTHY_AFTER = 60.0
LOG_BYTES = 5_000_000
LOG_FILES = 3


@dataclass(frozen=True)
class Command:
    """What is run: its name, arguments, folder, environment, and the port it answers on.

    With `after`, it waits until that file is there.
    """

    name: str
    arguments: list[str]
    folder: Path
    environment: Mapping[str, str] = field(repr=False)  # it may hold secrets
    port: int | None = None
    after: Path | None = None


class Guard:
    """The process that ends every child when this one is gone."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*LAUNCHER, "watch"],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={},
        )

    def tell(self, group: int) -> None:
        """Name a process group, or take it back with a minus."""
        if self._process.stdin is None or self._process.poll() is not None:
            raise ChildProcessError("the process that guards the others is gone")
        self._process.stdin.write(f"{group}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the guard, and whatever group it still knows."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


class Child:
    """A command that runs until it is stopped."""

    def __init__(self, command: Command, guard: Guard, logs: Path) -> None:
        self.command = command
        self.restarts = 0
        self.last_exit: int | None = None
        self._guard = guard
        self._failures = 0
        self._started_at = 0.0
        self._next_start = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._log = _logger(command.name, logs)

    @property
    def process_id(self) -> int | None:
        """The id of the process, while there is one."""
        return self._process.pid if self._process is not None else None

    def step(self) -> str | None:
        """Start what should run, notice what died; says what happened, if anything did."""
        now = time.monotonic()
        if self._process is None:
            after = self.command.after
            if now >= self._next_start and (after is None or after.exists()):
                self._start(now)
            return None
        code = self._process.poll()
        if code is None:
            if now - self._started_at >= HEALTHY_AFTER:
                self._failures = 0
            return None
        self._end_group(signal.SIGKILL)
        self._forget()
        self._failures += 1
        self.restarts += 1
        self.last_exit = code
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._failures - 1))
        self._next_start = time.monotonic() + wait
        return f"{self.command.name} ended ({_reason(code)}); it is started again in {wait:g} s"

    def ask_to_stop(self) -> None:
        """Ask the process and all that it started to end."""
        self._end_group(signal.SIGTERM)

    def stop(self, deadline: float) -> None:
        """Wait until the process and all that it started ended, at the deadline by force."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        while self._has_group() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._end_group(signal.SIGKILL)
        self._process.wait()
        self._forget()

    def _start(self, now: float) -> None:
        command = self.command
        self._process = subprocess.Popen(
            [*LAUNCHER, "run", str(os.getpid()), *command.arguments],
            cwd=command.folder,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._guard.tell(self._process.pid)
        self._started_at = now
        if self._process.stdout is not None:
            name = f"log of {command.name}"
            arguments = (self._process.stdout, self._log)
            threading.Thread(target=_copy, args=arguments, name=name, daemon=True).start()

    def _has_group(self) -> bool:
        """Whether anything the process started still runs: a run writes down how it ended."""
        if self._process is None:
            return False
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _end_group(self, how: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)

    def _forget(self) -> None:
        if self._process is not None:
            self._guard.tell(-self._process.pid)
            self._process = None


def _reason(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _logger(name: str, folder: Path) -> logging.Logger:
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.Logger(name)  # not registered: two supervisors in one test do not meet
    logger.addHandler(handler)
    return logger


def _copy(stream: IO[str], log: logging.Logger) -> None:
    """Every line of a process into its log file."""
    with stream:
        for line in stream:
            log.info("%s", line.rstrip("\n"))
