"""Dagster's home in the data folder, and the environment in which its processes run."""

import os
import re
from pathlib import Path

from pipelines.files import DataFolder
from pipelines.settings import Settings, find

PROJECT = Path(__file__).resolve().parent.parent
_BASE = ".leadline/dagster"


def prepare(settings: Settings) -> Path:
    """Make DAGSTER_HOME in the data folder, with `dagster.yaml` pointing there; return it."""
    home = DataFolder(settings.data).create().dagster.resolve()
    home.mkdir(exist_ok=True)
    template = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    text = re.sub(
        rf"^( *base_dir: ){re.escape(_BASE)}(.*)$",
        lambda found: f"{found[1]}{_quoted(f'{home}{found[2]}')}",
        template,
        flags=re.MULTILINE,
    )
    path = home / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        fresh = path.with_suffix(".fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    return home


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a Dagster process: this one's, with home, data and settings named."""
    named = {
        "DAGSTER_HOME": str(prepare(settings)),
        "LEADLINE_DATA": str(settings.data.resolve()),
    }
    path = find()
    if path is not None:
        named["LEADLINE_SETTINGS"] = str(path.resolve())
    return {**os.environ, **named}


def working_folder() -> Path:
    """Where Dagster's processes start: the project's root, once a settings file is named."""
    return PROJECT if find() is not None else Path.cwd()


def _quoted(path: str) -> str:
    """A path as YAML takes it whatever stands in it."""
    return "'" + path.replace("'", "''") + "'"
