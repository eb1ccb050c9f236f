"""Team and organisation views: a distribution over services, never a pooled ratio."""

from typing import Literal

import polars as pl

from pipelines.estimates import rank_table

METRIC_SCHEMA = {
    "metric": pl.String,
    "variant": pl.String,
    "entity_type": pl.String,
    "entity_id": pl.String,
    "environment": pl.String,
    "period": pl.String,
    "period_start": pl.Date,
    "value": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "services": pl.Int64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "method": pl.String,
    "reason": pl.String,
    "is_partial": pl.Boolean,
}

_WHAT = ["metric", "variant", "unit", "environment", "period", "period_start"]


def service_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Metric rows of single services under `METRIC_SCHEMA`, from rows that say the rest of it."""
    return rows.with_columns(
        entity_type=pl.lit("service"),
        entity_id="service_id",
        services=pl.lit(1, pl.Int64),
        is_partial=pl.lit(value=False),
    ).select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())


def over_services(
    rows: pl.DataFrame, services: pl.DataFrame, how: Literal["median", "mean", "sum"] = "median"
) -> pl.DataFrame:
    """Metric rows of services, plus those of their teams and of the organisation.

    `rows` has `METRIC_SCHEMA` with entity_type service; `services`: service_id, team_id. A team's
    value is the median over its services that have one, its interval the exact order-statistic
    interval over those services (open where they are too few); `n` adds up. Parts that must add
    up are means, counts are sums; these have no interval. Rows of a named environment
    are over the services that have it.
    """
    # Groups of few different texts are found several times faster by their codes.
    texts = [name for name in _WHAT if METRIC_SCHEMA[name] == pl.String]
    placed = (
        rows.select(*_WHAT, "entity_id", "value", "n", "reason")
        .join(services, left_on="entity_id", right_on="service_id", how="left")
        .with_columns(pl.col(*texts, "team_id").cast(pl.Categorical))
    )
    teams = _together(placed.filter(pl.col("team_id").is_not_null()), "team", "team_id", how)
    organisation = _together(
        placed.with_columns(everything=pl.lit("", pl.Categorical)),
        "organisation",
        "everything",
        how,
    )
    # A week of one service without a value is a gap on every page; tens of thousands of such rows
    # would only be carried along. Its n still counts in the team's and the organisation's.
    shown = rows.filter((pl.col("period") != "week") | pl.col("value").is_not_null())
    return pl.concat([shown.select(METRIC_SCHEMA.keys()), teams, organisation])


def _together(rows: pl.DataFrame, entity_type: str, entity: str, how: str) -> pl.DataFrame:
    value = pl.col("value")
    joined = {
        "median": value.median(),
        "mean": value.mean(),
        "sum": pl.when(value.count() > 0).then(value.sum()),
    }[how]
    key = [*_WHAT, entity]
    grouped = rows.group_by(key).agg(
        value=joined,
        n=pl.col("n").sum(),
        services=value.count(),
        values=value.drop_nulls().sort(),
    )
    # The commonest reason is dear to find, and only told where there is no value. Services with
    # something to count say more than those with nothing: "no failures" is not true of the whole.
    reason = pl.col("reason").drop_nulls()
    counting = pl.col("reason").filter(pl.col("n") > 0).drop_nulls()
    reasons = (
        rows.join(grouped.filter(pl.col("value").is_null()), on=key, how="semi", nulls_equal=True)
        .group_by(key)
        .agg(
            reason=pl.coalesce(
                pl.when(pl.len() > 1).then(
                    pl.format("no service has a value; mostly: {}", counting.mode().sort().first())
                ),
                reason.mode().sort().first(),
            )
        )
    )
    ranks = rank_table(grouped["services"].cast(pl.Int64).to_numpy(), (0.5,))
    has_interval = (pl.col("low") >= 1) & (how == "median")
    placed = grouped.join(reasons, on=key, how="left", nulls_equal=True)
    ranked = placed.join(
        ranks.select(services=pl.col("n").cast(pl.UInt32), low="low", high="high"),
        on="services",
        how="left",
    ).with_columns(
        ci_low=pl.col("values").list.get(pl.col("low") - 1, null_on_oob=True),
        ci_high=pl.col("values").list.get(pl.col("high") - 1, null_on_oob=True),
    )
    return ranked.with_columns(
        entity_type=pl.lit(entity_type),
        entity_id=pl.col(entity),
        ci_low=pl.when(has_interval).then("ci_low"),
        ci_high=pl.when(has_interval).then("ci_high"),
        method=pl.format(f"{how} of {{}} services", "services"),
        reason=pl.when(pl.col("value").is_null()).then(
            pl.coalesce("reason", pl.lit("no service has a value"))
        ),
        is_partial=pl.lit(value=False),
    ).select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())
