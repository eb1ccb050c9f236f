"""The command line: what there is, in which order, and one way in.

Commands import what they need when they run, so that `leadline --help` is quick.
"""

import inspect
import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import (
    build,
    confirm,
    correct,
    demo,
    doctor,
    export,
    init,
    listen,
    query,
    report,
    serve,
    status,
    sync,
    token,
    try_,
    up,
    verdict,
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

_ABOUT = (
    "Measure how well software is delivered, from the tools you already have.\n\n"
    "Start with [bold]leadline try .[/bold] in a clone of yours, or look at a made-up "
    "organisation with [bold]leadline demo[/bold]."
)
_START = "Start here"
_RUN = "Run it"
_LOOK = "Look and ask"
_DECIDE = "Decide"


def _paragraphs(text: str | None) -> str:
    """A docstring with each paragraph on one line, so that help wraps to the terminal."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


for _panel, _name, _command in (
    (_START, "try", try_.run),
    (_START, "demo", demo.run),
    (_START, "init", init.run),
    (_START, "doctor", doctor.run),
    (_RUN, "up", up.run),
    (_RUN, "sync", sync.run),
    (_RUN, "build", build.run),
    (_RUN, "serve", serve.run),
    (_RUN, "listen", listen.run),
    (_RUN, "token", token.run),
    (_LOOK, "verdict", verdict.run),
    (_LOOK, "report", report.run),
    (_LOOK, "status", status.run),
    (_LOOK, "query", query.run),
    (_LOOK, "export", export.run),
    (_DECIDE, "confirm", confirm.run),
    (_DECIDE, "correct", correct.run),
):
    app.command(_name, help=_paragraphs(_command.__doc__), rich_help_panel=_panel)(
        guarded(_command)
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadline {version()}")
        raise typer.Exit


@app.callback(help=_ABOUT)
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
    """Apply what holds for every command."""
    if settings is not None:
        os.environ["LEADLINE_SETTINGS"] = str(settings.expanduser().absolute())


def main() -> None:
    """Run the command line."""
    app(prog_name="leadline")
