"""Running `leadline` in this process, as `main` runs it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app

SETTINGS = "leadline.toml"


def leadline(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command; stdout and stderr apart."""
    return CliRunner().invoke(app, list(arguments), input=stdin, prog_name="leadline")


def work_in(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str | None = None) -> Path:
    """Make a folder the place where commands run, with settings if given; returns its data."""
    monkeypatch.delenv("LEADLINE_DATA", raising=False)
    # Commands name the settings for their children; the variable goes away with the test.
    monkeypatch.setenv("LEADLINE_SETTINGS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.chdir(folder)
    if settings is not None:
        (folder / SETTINGS).write_text(settings, encoding="utf-8")
    return folder / ".leadline"
