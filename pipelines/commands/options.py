"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Author = Annotated[
    str | None,
    typer.Option(help="Who decides; default: operation.author, else the machine's user."),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Serve = Annotated[bool, typer.Option("--serve/--no-serve", help="Open the dashboard at the end.")]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port; default: 8501, or the next free.")
]
