"""What counts for a number, and what is listed as left out of it."""

from itertools import product

import duckdb

from dashboards import facts


def test_each_change_either_counts_or_is_listed_as_left_out() -> None:
    """Whatever is known or unknown of it, nothing is in both and nothing in neither."""
    rows = list(
        product(
            ["shipped", "baseline", None],
            [True, False, None],
            [-1, 0, 1, None],
            ["a rule of exclusion", None],
        )
    )
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE change_fact"
        " (relation VARCHAR, is_bot BOOLEAN, lead_time_us BIGINT, exclusion VARCHAR)"
    )
    connection.executemany("INSERT INTO change_fact VALUES (?, ?, ?, ?)", rows)
    found = connection.execute(
        f"SELECT coalesce({facts.COUNTS}, false), coalesce({facts.LEFT_OUT}, false),"
        f" {facts.LEFT_OUT} IS NULL FROM change_fact"
    ).fetchall()
    assert len(found) == len(rows)
    assert all(counts != is_left_out and not unknown for counts, is_left_out, unknown in found)
    assert sum(counts for counts, *_ in found) == 2
