"""`leadline export`: one whole table of the published build."""

from typing import Annotated

import typer

from pipelines.commands.boundary import WrongUseError
from pipelines.commands.options import Output
from pipelines.commands.tables import BATCH_ROWS, FileFormat, Format, open_build, write


def run(
    table: Annotated[str, typer.Argument(help="Table to export, such as change_fact.")],
    kind: Annotated[FileFormat, typer.Option("--format", "-f", help="How it is written.")],
    output: Output = None,
) -> None:
    """Write one table of the published build as CSV, JSON or Parquet.

    CSV is made for spreadsheets: text that would run as a formula (it starts with = + - @) gets an
    apostrophe before it. JSON, Parquet and `leadline query` give every value exactly.
    """
    connection = open_build()
    try:
        tables = [str(row[0]) for row in connection.execute("show tables").fetchall()]
        if table not in tables:
            from pipelines.settings_messages import suggestion

            raise WrongUseError(f'there is no table "{table}"; {suggestion(table, tables)}')
        rows = connection.sql(f'select * from "{table}"').to_arrow_reader(BATCH_ROWS)
        write(rows, Format(kind.value), output, for_spreadsheets=True)
    finally:
        connection.close()
