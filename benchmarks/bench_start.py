"""Starting: how long `leadline --help` takes in a fresh process."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.result import Result, best_of


def run(scale: float = 1.0) -> Iterator[Result]:
    """The best of five processes; what a first start compiles is not counted."""
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "--help"]

    def help_shown() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    help_shown()
    seconds, _ = best_of(5 if scale >= 1 else 1, help_shown)
    yield Result("leadline --help", seconds, "s", 0.5)
