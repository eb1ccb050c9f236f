"""The process that holds the graph and runs it, started after lost runs are given up.

`python -m pipelines.code_server SOCKET` runs below `leadline up`, with DAGSTER_HOME and the
settings named in its environment. Dagster's daemon and UI share it; each would else start its own
and the daemon a new one every minute.
"""

import os
import sys

from pipelines.runs import mark_lost_runs, opened_instance
from pipelines.settings import load

COMMAND = (sys.executable, "-m", "dagster", "api", "grpc", "-m", "pipelines.definitions")


def main() -> None:
    """Give up lost runs, then become the server: runs are its children and die with it."""
    with opened_instance(load()) as instance:
        for run_id in mark_lost_runs(instance):
            sys.stdout.write(f"run {run_id} was lost: marked as failed, its slots are free\n")
    sys.stdout.flush()
    os.execv(COMMAND[0], [*COMMAND, "--socket", sys.argv[1]])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
