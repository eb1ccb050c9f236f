"""`leadline init`: a commented leadline.toml to start from."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
) -> None:
    """Write a commented leadline.toml into this folder."""
    from pipelines.commands.boundary import WrongUseError
    from pipelines.commands.console import say
    from pipelines.example_settings import text
    from pipelines.settings import FILE_NAME

    path = Path.cwd() / FILE_NAME
    if path.exists() and not force:
        raise WrongUseError(f"{path} is there already; --force replaces it")
    path.write_text(text(), encoding="utf-8")
    say(f"wrote {path}")
    say("next: name a connection in it, then run `leadline doctor` and `leadline up`")
