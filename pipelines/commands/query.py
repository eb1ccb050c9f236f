"""`leadline query`: SQL over the published build, read-only."""

import sys
from typing import Annotated

import typer

from pipelines.commands.boundary import FailedError, WrongUseError
from pipelines.commands.console import say
from pipelines.commands.options import Output
from pipelines.commands.tables import BATCH_ROWS, Format, open_build, write


def run(
    sql: Annotated[str, typer.Argument(help="One SELECT in DuckDB's SQL; - reads it from stdin.")],
    kind: Annotated[
        Format, typer.Option("--format", "-f", help="How the rows are written.")
    ] = Format.TABLE,
    output: Output = None,
) -> None:
    """Ask the published build in SQL.

    Read-only, without access to files or the network. Values are written exactly as they are; a
    CSV for spreadsheets comes from `leadline export`. `SHOW TABLES` lists what there is.
    """
    import duckdb

    text = sys.stdin.read() if sql == "-" else sql
    connection = open_build()
    try:
        if _is_explanation(text):
            # A plan is a drawing of several lines, not a cell.
            say("\n".join(str(row[-1]) for row in connection.execute(text).fetchall()))
            return
        rows = connection.sql(text).to_arrow_reader(BATCH_ROWS)
        write(rows, kind, output, for_spreadsheets=False)
    except (duckdb.ProgrammingError, duckdb.PermissionException, duckdb.NotSupportedError) as error:
        raise WrongUseError(f"this query cannot be run: {_first_lines(error)}") from error
    except duckdb.Error as error:
        raise FailedError(f"the query failed: {_first_lines(error)}") from error
    finally:
        connection.close()


def _is_explanation(text: str) -> bool:
    """Whether this asks for a plan; raises for what is not one statement that reads.

    The connection refuses writes, files and the network by itself; this gives the better message.
    """
    import duckdb

    statements = duckdb.extract_statements(text)
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1:
        raise WrongUseError(f"one statement at a time, please; these are {len(statements)}")
    if statements[0].type not in allowed:
        raise WrongUseError(
            f"{statements[0].type.name} is refused: queries only read (SELECT, FROM, SHOW, "
            "DESCRIBE, SUMMARIZE, EXPLAIN)"
        )
    return bool(statements[0].type == duckdb.StatementType.EXPLAIN)


def _first_lines(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines() if line.strip())
