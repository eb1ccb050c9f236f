"""How the dashboard's server is started; used by the command line and the supervisor."""

import os
import sys
from pathlib import Path
from typing import Final

APP: Final = Path(__file__).parent / "app.py"

HEALTH_PATH: Final = "/_stcore/health"
"""Answers "ok" as soon as pages can be opened."""


def command(port: int, data: Path, address: str = "127.0.0.1") -> list[str]:
    """Return the command that serves the build published in a data folder.

    Theme and fonts come from the configuration beside app.py. Address, telemetry, file watching
    and error details are given here, because a server started elsewhere would listen on all
    addresses, report usage and show tracebacks.
    """
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "true",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [
        *(sys.executable, "-m", "streamlit", "run", str(APP)),
        *flags,
        *("--", "--data", str(data.absolute())),
    ]


def environment(data: Path) -> dict[str, str]:
    """Return the environment of that command."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    return kept | {"LEADLINE_DATA": str(data.absolute())}


def working_directory() -> Path:
    """Return the folder the server starts in: the one that holds the `dashboards` package."""
    return APP.parents[1]
