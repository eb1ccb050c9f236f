"""`leadline report`: the verdict as one document."""

from enum import StrEnum
from typing import Annotated

import typer

from pipelines.commands.options import Output
from pipelines.commands.tables import open_build, text_out


class Document(StrEnum):
    """How the report is written."""

    HTML = "html"
    MD = "md"


def run(
    kind: Annotated[
        Document, typer.Option("--format", "-f", help="A page with charts, or Markdown.")
    ] = Document.HTML,
    output: Output = None,
) -> None:
    """Write the verdict as one document that needs nothing else.

    The answer, the four thresholds with how sure they are, how it came to this, what to do, what
    is missing, and the parameters it was made with. HTML has its charts within and loads nothing.
    """
    from pipelines.commands.verdict import note_shown
    from pipelines.report import read

    connection = open_build()
    try:
        report = read(connection)
    finally:
        connection.close()
    if kind is Document.HTML:
        from pipelines.report_html import html

        text = html(report)
    else:
        from pipelines.report_markdown import markdown

        text = markdown(report)
    with text_out(output) as out:
        out.write(text)
    note_shown(report.verdict)
