"""Dagster's daemon, started after runs that a power cut left open are given up.

`python -m pipelines.daemon` runs below `leadline up`, with DAGSTER_HOME and the settings named in
its environment.
"""

import os
import sys

from pipelines.runs import mark_lost_runs, opened_instance
from pipelines.settings import load

COMMAND = (sys.executable, "-m", "dagster._daemon", "run", "-m", "pipelines.definitions")


def main() -> None:
    """Give up lost runs, then become the daemon."""
    with opened_instance(load()) as instance:
        for run_id in mark_lost_runs(instance):
            sys.stdout.write(f"run {run_id} was lost: marked as failed, its slots are free\n")
    sys.stdout.flush()
    os.execv(COMMAND[0], COMMAND)  # noqa: S606 - never through a shell


if __name__ == "__main__":
    main()
