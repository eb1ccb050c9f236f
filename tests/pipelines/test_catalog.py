"""What models read is found as a parser of SQL finds it."""

import pytest
import sqlglot
from sqlglot import exp

from pipelines.catalog import Step, dependencies, steps


def _parsed(sql: str) -> tuple[str, ...]:
    """The same by a real parser."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    own = {each.alias for each in tree.find_all(exp.CTE)}
    tables = [each for each in tree.find_all(exp.Table) if each.name]
    names = {f"{each.db}.{each.name}" for each in tables if each.db}
    return tuple(sorted(names | {each.name for each in tables if not each.db} - own))


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.name)
def test_what_a_model_reads_is_what_a_parser_finds(step: Step) -> None:
    """Of every SELECT: a table that is overlooked would be read before it is made."""
    for sql in [step.sql] if step.sql is not None else step.inputs.values():
        assert dependencies(sql) == _parsed(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select 'from nowhere' as text from team -- join nothing",
        "with a as (select 1), b(x) as materialized (select x from records.commit) select * from b",
        "select * from team as t join range(3) as r on true, lateral (select * from service)",
        "select a is not distinct from b from change -- a comment\njoin service using (x)",
        "with recursive w as (select * from change union all select * from w) select * from w",
        "with a as (select 1), -- what b is\nb as (select 'it''s from x') select * from a join b",
    ],
)
def test_words_that_only_look_like_tables(sql: str) -> None:
    """Texts, comments, own names, functions and comparisons are none."""
    assert dependencies(sql) == _parsed(sql)
