"""Linking incidents to deployments: 3,200 incidents among 177,000 deployments."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks import organisation
from benchmarks.organisation import Size
from benchmarks.result import Result, best_of, on_cores
from pipelines import inputs
from pipelines.catalog import Step, models, steps

SIZE = Size(changes=177_000, deployments=177_000, repositories=700, calm=55)


def run(scale: float = 1.0) -> Iterator[Result]:
    """The query of the table alone, in memory, over a finished build; best of five."""
    on_cores(2)
    sql = next(step.sql for step in steps() if step.name == "incident_link")
    with tempfile.TemporaryDirectory() as folder:
        made = organisation.make(Path(folder), SIZE.scaled(scale))
        built = made.build()
        with duckdb.connect() as connection:
            connection.execute(f"attach '{built.path}' as built (read_only)")
            connection.execute(f"attach '{made.data.records}' as records (read_only)")
            connection.execute("use built")
            inputs.write_macros(connection, made.settings)
            for step in _between("incident_link"):
                connection.execute(f'create temp table "{step.name}" as {step.sql}')
            seconds, _ = best_of(
                5, lambda: connection.execute(f"create or replace temp table linked as {sql}")
            )
            found = connection.execute("select count(*), count(deployment_id) from linked")
            incidents, linked = found.fetchall()[0]
    if not linked:
        raise RuntimeError("no incident was linked")
    deployments = built.tables["deployment"].rows
    what = f"linking {incidents:,} incidents to {deployments:,} deployments"
    yield Result(what, seconds, "s", 0.2)


def _between(table: str) -> list[Step]:
    """The steps whose tables it reads, itself or through others, and that no build keeps."""
    wanted = {table}
    found = []
    for step in reversed(steps()):
        if wanted & set(step.tables):
            wanted |= {n for n in step.depends_on if n in models() and not models()[n].is_kept}
            if step.name != table:
                found.append(step)
    return found[::-1]
