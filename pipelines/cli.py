"""The command line: what there is, in which order, and one way in.

Commands import what they need when they run, so that `leadline --help` is quick.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import (
    build,
    demo,
    doctor,
    export,
    init,
    query,
    serve,
    status,
    sync,
    try_,
    up,
)
from pipelines.commands.boundary import guarded, version

app = typer.Typer(
    name="leadline",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_START = "Start here"
_RUN = "Run it"
_LOOK = "Look and ask"

for _panel, _name, _command in (
    (_START, "try", try_.run),
    (_START, "demo", demo.run),
    (_START, "init", init.run),
    (_START, "doctor", doctor.run),
    (_RUN, "up", up.run),
    (_RUN, "sync", sync.run),
    (_RUN, "build", build.run),
    (_RUN, "serve", serve.run),
    (_LOOK, "status", status.run),
    (_LOOK, "query", query.run),
    (_LOOK, "export", export.run),
):
    app.command(_name, rich_help_panel=_panel)(guarded(_command))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadline {version()}")
        raise typer.Exit


@app.callback()
def options(
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="LEADLINE_SETTINGS",
            help="The settings file; default: leadline.toml in this folder or the nearest above.",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Measure how well software is delivered, from the tools you already have.

    Start with [bold]leadline try .[/bold] in a clone of yours, or look at a made-up organisation
    with [bold]leadline demo[/bold].
    """
    if settings is not None:
        os.environ["LEADLINE_SETTINGS"] = str(settings.expanduser().absolute())


def main() -> None:
    """Run the command line."""
    app(prog_name="leadline")
