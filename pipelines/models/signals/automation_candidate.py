"""What to automate next: which requests would give most hours back, and to whom."""

from typing import Any

import polars as pl
from polars.dataframe.group_by import GroupBy

from pipelines.estimates import wilson_interval
from pipelines.handling import mean_hours

TABLES = {
    "automation_candidate": """
        One row per category of requests of the last 26 full weeks (or fewer, where there are no
        more): hours a month that handling them takes, times the share of tickets in the largest
        group of like titles. rank: by these hours; breadth (teams that ask), then waiting hours
        break ties. Categories without a known handling time, or with fewer than 5 tickets, have
        a reason instead of hours and come last. trend: the last 13 weeks against the 13 before,
        rising or falling where the 95 % interval of the share leaves out one half. Where a service
        desk sets goals (SLAs): the mean wait for the first response and for the resolution by its
        own clock, without pauses, and how many goals there were and were missed.
        key: category
        not null: rank, tickets, per_month
        check: (hours_per_month is null) <> (reason is null)
        check: goals_missed <= goals
        check: repeatability is null or repeatability between 0 and 1
        check: trend in ('rising', 'falling', 'steady', 'too few weeks')
    """,
    "automation_candidate_team": """
        One row per category of requests and team whose people asked in these weeks: tickets and
        the hours they waited, a month. People of several teams count for each; team_id is empty
        where nobody knows the team.
        key: category, team_id
        not null: tickets, per_month
    """,
}

INPUTS = {
    "weeks": """
        select distinct week from category_week where not is_partial order by week desc limit 26
    """,
    "requests": """
        select c.category, c.method, r.ticket_id, r.ticket_key, r.title, r.url, r.week, r.opened_at,
            r.team_ids, epoch_us(r.resolved_at) - epoch_us(r.opened_at) as waited_us,
            s.first_response_us, s.resolution_us, s.goals, s.missed
        from platform_request as r
        left join request_wait as s on s.ticket_id = r.ticket_id
        join ticket_category as c on c.ticket_id = r.ticket_id
        join (
            select distinct week from category_week where not is_partial order by week desc limit 26
        ) as w on w.week = r.week
    """,
    "handled": """
        select c.category, h.source, h.handling_us
        from ticket_handling as h
        join ticket_category as c on c.ticket_id = h.ticket_id
    """,
    "team_names": """
        select team_id, name from team
        union all
        select 'team:' || lower(trim(u.name)), min(trim(u.name))
        from records.ticket as t, unnest(t.organisations) as u(name)
        where t.deleted_at is null
            and 'team:' || lower(trim(u.name)) not in (select team_id from team)
        group by lower(trim(u.name))
    """,
    "launches": """
        select l.launch, l.launched_on, lower(u.category) as folded
        from input.launch as l, unnest(l.categories) as u(category)
    """,
}

LEAST_TICKETS = 5
EXAMPLES = 3
WEEKS_A_MONTH = 365.25 / 12 / 7
_HALF = 13
_HOUR_US = 3_600_000_000

_SCHEMA: dict[str, Any] = {
    "rank": pl.Int64,
    "category": pl.String,
    "method": pl.String,
    "weeks": pl.Int64,
    "tickets": pl.Int64,
    "per_month": pl.Float64,
    "handling_hours": pl.Float64,
    "handling_n": pl.Int64,
    "handling_source": pl.String,
    "repeatability": pl.Float64,
    "repeated": pl.String,
    "repeated_by": pl.String,
    "hours_per_month": pl.Float64,
    "reason": pl.String,
    "breadth": pl.Int64,
    "waiting_hours": pl.Float64,
    "waiting_hours_per_month": pl.Float64,
    "first_response_hours": pl.Float64,
    "resolution_hours": pl.Float64,
    "goals": pl.Int64,
    "goals_missed": pl.Int64,
    "trend": pl.String,
    "recent_per_month": pl.Float64,
    "earlier_per_month": pl.Float64,
    "example_keys": pl.List(pl.String),
    "example_titles": pl.List(pl.String),
    "example_urls": pl.List(pl.String),
    "launches": pl.List(pl.String),
}
_TEAM_SCHEMA: dict[str, Any] = {
    "category": pl.String,
    "team_id": pl.String,
    "team_name": pl.String,
    "tickets": pl.Int64,
    "per_month": pl.Float64,
    "waiting_hours_per_month": pl.Float64,
    "share": pl.Float64,
}


def model(
    weeks: pl.DataFrame,
    requests: pl.DataFrame,
    handled: pl.DataFrame,
    team_names: pl.DataFrame,
    launches: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Rank the categories; titles are grouped within each."""
    if requests.is_empty():
        return {
            "automation_candidate": pl.DataFrame(schema=_SCHEMA),
            "automation_candidate_team": pl.DataFrame(schema=_TEAM_SCHEMA),
        }
    a_month = WEEKS_A_MONTH / weeks.height
    listed = requests.sort("category", "opened_at", "ticket_id")
    categories = listed["category"].unique(maintain_order=True).to_list()
    handling = mean_hours(handled, categories)
    found = (
        _counted(listed, weeks)
        .join(handling, on="category", maintain_order="left")
        .join(pl.DataFrame([_repeated(rows) for _, rows in _groups(listed)]), on="category")
        .join(_launched(launches, categories), on="category", how="left")
        .with_columns(per_month=pl.col("tickets") * a_month)
        .with_columns(
            reason=pl.when(pl.col("tickets") < LEAST_TICKETS)
            .then(pl.format("fewer than {} tickets in {} weeks", pl.lit(LEAST_TICKETS), "weeks"))
            .otherwise("handling_reason"),
            waiting_hours_per_month=pl.col("per_month") * pl.col("waiting_hours"),
            launches=pl.col("launches").fill_null([]),
        )
        .with_columns(
            hours_per_month=pl.when(pl.col("reason").is_null()).then(
                pl.col("per_month") * pl.col("handling_hours") * pl.col("repeatability")
            )
        )
        .sort(
            *("hours_per_month", "breadth", "waiting_hours_per_month", "tickets", "category"),
            descending=[True, True, True, True, False],
            nulls_last=True,
        )
        .with_columns(rank=pl.int_range(1, pl.len() + 1))
        .select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
    )
    return {
        "automation_candidate": _rounded(found),
        "automation_candidate_team": _rounded(_teams(listed, team_names, a_month)),
    }


def _groups(listed: pl.DataFrame) -> GroupBy:
    return listed.group_by("category", maintain_order=True)


def _counted(listed: pl.DataFrame, weeks: pl.DataFrame) -> pl.DataFrame:
    """Tickets, breadth, waiting and trend of each category."""
    newest = weeks["week"].head(_HALF)
    a_month = WEEKS_A_MONTH / _HALF
    waited = pl.col("waited_us").filter(pl.col("waited_us") >= 0)
    counted = _groups(listed).agg(
        method=pl.col("method").first(),
        weeks=pl.lit(weeks.height, pl.Int64),
        tickets=pl.len(),
        recent=pl.col("week").is_in(newest.implode()).sum(),
        breadth=pl.col("team_ids").explode().drop_nulls().n_unique(),
        waiting_hours=waited.clip(upper_bound=waited.quantile(0.95)).mean() / _HOUR_US,
        first_response_hours=pl.col("first_response_us").mean() / _HOUR_US,
        resolution_hours=pl.col("resolution_us").mean() / _HOUR_US,
        goals=pl.col("goals").sum(),
        goals_missed=pl.col("missed").sum(),
    )
    ends = wilson_interval(counted["recent"], counted["tickets"])
    is_long = weeks.height >= 2 * _HALF
    return counted.hstack(ends).with_columns(
        recent_per_month=pl.when(is_long).then(pl.col("recent") * a_month),
        earlier_per_month=pl.when(is_long).then((pl.col("tickets") - pl.col("recent")) * a_month),
        trend=pl.when(not is_long)
        .then(pl.lit("too few weeks"))
        .when(pl.col("ci_low") > 0.5)
        .then(pl.lit("rising"))
        .when(pl.col("ci_high") < 0.5)
        .then(pl.lit("falling"))
        .otherwise(pl.lit("steady")),
    )


def _repeated(rows: pl.DataFrame) -> dict[str, Any]:
    """The largest group of like titles of one category, with its newest tickets as examples."""
    from pipelines.ticket_words import largest

    found = largest(rows["title"].to_list())
    name, inside = found if found is not None else (None, [True] * rows.height)
    like = rows.filter(pl.Series(inside, dtype=pl.Boolean))
    shown = like.sort("opened_at", "ticket_id", descending=[True, False]).head(EXAMPLES)
    return {
        "category": rows["category"][0],
        "repeatability": like.height / rows.height,
        "repeated": name,
        "repeated_by": "words of the title" if found is not None else "type",
        "example_keys": shown["ticket_key"].to_list(),
        "example_titles": shown["title"].to_list(),
        "example_urls": shown["url"].to_list(),
    }


def _launched(launches: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
    """The launches that are for each category, oldest first."""
    named = pl.DataFrame({"category": categories}).with_columns(
        folded=pl.col("category").str.to_lowercase()
    )
    found = named.join(launches.sort("launched_on", "launch"), on="folded", maintain_order="right")
    return found.group_by("category", maintain_order=True).agg(launches=pl.col("launch"))


def _teams(listed: pl.DataFrame, team_names: pl.DataFrame, a_month: float) -> pl.DataFrame:
    sizes = _groups(listed).agg(whole=pl.len())
    waited = pl.col("waited_us").filter(pl.col("waited_us") >= 0)
    return (
        listed.explode("team_ids", empty_as_null=True)
        .with_columns(team_id=pl.col("team_ids").fill_null(""))
        .group_by("category", "team_id")
        .agg(tickets=pl.len(), waiting=waited.sum())
        .join(sizes, on="category")
        .join(team_names, on="team_id", how="left")
        .sort("category", "tickets", "team_id", descending=[False, True, False])
        .select(
            "category",
            "team_id",
            team_name=pl.col("name"),
            tickets=pl.col("tickets").cast(pl.Int64),
            per_month=pl.col("tickets") * a_month,
            waiting_hours_per_month=pl.col("waiting") / _HOUR_US * a_month,
            share=pl.col("tickets") / pl.col("whole"),
        )
    )


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.selectors.float().round_sig_figs(9))
