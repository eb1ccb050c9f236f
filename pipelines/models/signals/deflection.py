"""What each launch did to the requests it was meant for, against what was to be expected."""

from typing import Any

import polars as pl

from pipelines.launch_tables import DEFLECTION_SCHEMA, WEEK_SCHEMA

TABLES = {
    "deflection": """
        One row per launch of the settings and category it is for, and one for all of them
        together where there are several (category "all of its categories"): tickets avoided
        against what was expected without it, with the interval, method and words, or the reason
        why there is no number. Rates are tickets per engineer and week. state: not yet, too
        early, no number, fewer, more, trend (the level is clear, but a trend may explain it), not
        shown. Avoided tickets may be negative. displaced: tickets more than expected in the
        categories that it does not touch.
        key: launch, category
        not null: state, wording
        check: state in ('not yet', 'too early', 'no number', 'fewer', 'more', 'trend', 'not shown')
        check: (avoided is null) <> (reason is null)
        check: avoided_low is null or avoided_low <= avoided_high
        check: elimination is null or elimination in ('eliminated', 'none seen')
    """,
    "deflection_week": """
        One row per launch, category and full week: tickets, and those expected without the launch,
        with their interval; phase is before, adoption, after or left out.
        key: launch, category, week
        not null: phase, tickets
        check: phase in ('before', 'adoption', 'after', 'left out')
    """,
}

INPUTS = {
    "launches": """
        select l.ordinal, l.launch, l.launched_on, l.categories, l.teams, l.team_ids, l.comparison,
            r.adoption_weeks, cast(timezone(k.zone, k.as_of) as date) as as_of
        from input.launch as l
        cross join input.self_service_rule as r
        cross join input.clock as k
        order by l.ordinal
    """,
    "weeks": """
        select distinct week from category_week where not is_partial order by week
    """,
    "tickets": """
        select c.category, r.week, r.team_ids, count(*) as tickets
        from platform_request as r
        join ticket_category as c on c.ticket_id = r.ticket_id
        where exists (select * from input.launch)
        group by all
    """,
    "engineers": """
        with member as (
            select person_id, list(team_id order by team_id) as team_ids
            from membership group by person_id
        )
        select e.week, coalesce(m.team_ids, cast([] as varchar[])) as team_ids,
            count(*) as engineers
        from engineer_week as e
        left join member as m on m.person_id = e.person_id
        where exists (select * from input.launch)
        group by all
    """,
    "actions": """
        select category, week, team_ids, count(*) as attempts,
            count(*) filter (where state = 'succeeded') as actions,
            count(*) filter (where is_ok) as actions_ok,
            count(*) filter (where state <> 'succeeded' or ticket_id is not null) as failed
        from self_service
        where exists (select * from input.launch)
        group by all
    """,
    "handled": """
        select c.category, h.source, h.handling_us
        from ticket_handling as h
        join ticket_category as c on c.ticket_id = h.ticket_id
        where exists (select * from input.launch)
    """,
}


def model(launches: pl.DataFrame, **frames: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Assess every launch; without one nothing heavy is imported."""
    rows: list[dict[str, Any]] = []
    weeks: list[dict[str, Any]] = []
    if not launches.is_empty():
        from pipelines.launch_tables import Sources

        sources = Sources(launches, **frames)
        for launch in launches.iter_rows(named=True):
            for row, series in sources.assessed(launch):
                rows.append(row)
                weeks += series
    return {
        "deflection": pl.DataFrame(rows, schema=DEFLECTION_SCHEMA).with_columns(
            pl.selectors.float().round_sig_figs(9)
        ),
        "deflection_week": pl.DataFrame(weeks, schema=WEEK_SCHEMA).with_columns(
            pl.selectors.float().round_sig_figs(9)
        ),
    }
