"""Views over services: medians with exact intervals."""

from datetime import date

import polars as pl
import pytest

from pipelines.distribution import METRIC_SCHEMA, over_services


def rows(values: list[float | None]) -> pl.DataFrame:
    """One metric row per service."""
    return pl.DataFrame(
        [
            ("m", "v", "service", f"s{i}", "production", "28d", date(2026, 1, 1), value, "h", 3, 1,
             None, None, "x", None if value is not None else "none", False)
            for i, value in enumerate(values)
        ],
        schema=METRIC_SCHEMA,
        orient="row",
    )  # fmt: skip


def test_a_team_is_the_median_of_its_services() -> None:
    """Services without a value do not count, and services without a team belong to none."""
    services = pl.DataFrame(
        {"service_id": ["s0", "s1", "s2", "s3"], "team_id": ["a", "a", "a", None]}
    )
    found = over_services(rows([1.0, 9.0, None, 100.0]), services)
    team = found.row(by_predicate=pl.col("entity_type") == "team", named=True)
    everyone = found.row(by_predicate=pl.col("entity_type") == "organisation", named=True)
    assert (team["value"], team["services"], team["n"]) == (5.0, 2, 9)
    assert (everyone["value"], everyone["services"]) == (9.0, 3)
    assert team["ci_low"] is None


def test_no_value_comes_with_its_reason() -> None:
    """No data is never zero."""
    services = pl.DataFrame({"service_id": ["s0"], "team_id": ["a"]})
    found = over_services(rows([None]), services)
    assert found["value"].to_list() == [None, None, None]
    assert found["reason"].to_list() == ["none", "none", "none"]


def test_services_with_something_to_count_give_the_reason() -> None:
    """Most had no failure, but the team had: what is missing is enough of them in any service."""
    few = rows([None, None, None]).with_columns(
        n=pl.Series([0, 0, 2]), reason=pl.Series(["no failures", "no failures", "only 2 failures"])
    )
    services = pl.DataFrame({"service_id": ["s0", "s1", "s2"], "team_id": ["a", "a", "a"]})
    of_team = pl.col("entity_type") == "team"
    team = over_services(few, services).row(by_predicate=of_team, named=True)
    assert (team["n"], team["reason"]) == (2, "no service has a value; mostly: only 2 failures")
    none = few.with_columns(n=pl.lit(0, pl.Int64), reason=pl.lit("no failures"))
    team = over_services(none, services).row(by_predicate=of_team, named=True)
    assert team["reason"] == "no failures"


def test_the_interval_holds_the_values_at_its_ranks() -> None:
    """Nine services: the second and the eighth."""
    services = pl.DataFrame(
        {"service_id": [f"s{i}" for i in range(9)], "team_id": [None] * 9},
        schema={"service_id": pl.String, "team_id": pl.String},
    )
    found = over_services(rows([float(i) for i in range(1, 10)]), services)
    everyone = found.row(by_predicate=pl.col("entity_type") == "organisation", named=True)
    assert (everyone["value"], everyone["ci_low"], everyone["ci_high"]) == pytest.approx((5, 2, 8))


def test_parts_are_means_and_counts_are_sums() -> None:
    """So that stages add up and waiting changes are all there; neither has an interval."""
    services = pl.DataFrame({"service_id": [f"s{i}" for i in range(8)], "team_id": ["a"] * 8})
    values: list[float | None] = [float(i) for i in range(8)]
    for how, expected in (("mean", 3.5), ("sum", 28.0)):
        found = over_services(rows(values), services, how)  # type: ignore[arg-type]
        team = found.row(by_predicate=pl.col("entity_type") == "team", named=True)
        assert (team["value"], team["ci_low"], team["ci_high"]) == (expected, None, None)
