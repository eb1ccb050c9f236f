"""What a build knows beside the records: settings, clock, calendar, periods, state of the sources.

Everything lands as tables of the schema `input`, so that models read it like anything else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import duckdb
import polars as pl

from pipelines import release_tags
from pipelines.inputs_configuration import configuration_tables
from pipelines.inputs_frame import frame, glob_pattern, handle
from pipelines.inputs_launches import launch_tables
from pipelines.inputs_measures import measure_tables
from pipelines.inputs_requests import request_tables
from pipelines.inputs_setup import setup_tables
from pipelines.inputs_shared import shared_tables
from pipelines.landing import Landing
from pipelines.settings import WEEKDAYS, Organisation, Settings

TRAILING_DAYS = (28, 91, 182, 365)
MOST_WEEKS = 520
# The thresholds look at three years; how often, and from which week the count starts.
EVALUATION_WEEKS = 4
MOST_EVALUATIONS = 40
_FIRST_MONDAY = date(1970, 1, 5)


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment a build speaks for; no model reads the wall clock."""

    as_of: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class KnownFrom:
    """Since when anything happened, and since when the calendar is asked: a repository is older
    than what happens in it, and begins no week."""

    first_at: datetime | None
    calendar_at: datetime | None


def clock(landing: Landing, now: datetime) -> Clock:
    """The earliest last success among the connections; the wall clock where nothing was pulled."""
    times = [
        datetime.fromisoformat(str(row["last_success_at"]))
        for row in landing.status()
        if row["last_success_at"] is not None
    ]
    if not times:
        return Clock(now, "nothing has been pulled yet")
    return Clock(min(times), "the earliest last pull that succeeded")


def write(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    landing: Landing,
    moment: Clock,
    known: KnownFrom,
) -> None:
    """Write the schema `input`."""
    first_at = known.first_at
    connection.execute("create schema if not exists input")
    tables = {
        **_settings_tables(settings),
        **measure_tables(settings),
        **setup_tables(settings),
        **launch_tables(settings),
        **configuration_tables(settings),
        **request_tables(settings),
        **shared_tables(settings),
        "clock": pl.DataFrame(
            {
                "as_of": [moment.as_of],
                "reason": [moment.reason],
                "zone": [settings.organisation.zone],
            },
            schema={"as_of": _INSTANT, "reason": pl.String, "zone": pl.String},
        ),
        "period": periods(settings.organisation, moment.as_of, first_at),
        "evaluation": evaluations(settings.organisation, moment.as_of, first_at),
        "working_day": working_days(settings.organisation, moment.as_of, known.calendar_at),
        "source": sources(landing),
    }
    for name, rows in tables.items():
        connection.register("input_frame", rows.to_arrow())
        connection.execute(f'create or replace table input."{name}" as select * from input_frame')
        connection.unregister("input_frame")


_INSTANT = pl.Datetime("us", "UTC")


def _settings_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    text, texts = pl.String, pl.List(pl.String)
    return {
        "service": frame(
            {"name": text, "repository": text, "paths": texts, "team": text},
            [
                (s.name, glob_pattern(s.repository), list(s.paths), s.team)
                for s in settings.services
            ],
        ),
        "team": frame({"name": text, "parent": text}, [(t.name, t.parent) for t in settings.teams]),
        "team_repository": frame(
            {"team": text, "repository": text},
            [(t.name, glob_pattern(r)) for t in settings.teams for r in t.repositories],
        ),
        "team_member": frame(
            {"team": text, "account": text},
            [(t.name, handle(p)) for t in settings.teams for p in t.people],
        ),
        "person": frame(
            {"name": text, "account": text, "is_bot": pl.Boolean},
            [(p.name, handle(a), p.is_bot) for p in settings.people for a in p.accounts],
        ),
        "bot": frame({"name": text}, [(name.casefold(),) for name in settings.bots.names]),
        "deployment_rule": frame(
            {
                "ordinal": pl.Int64,
                "repository": text,
                "origin": text,
                "pattern": text,
                "job_pattern": text,
                "environment": text,
                "environment_parameter": text,
                "environment_pattern": text,
                "service_parameter": text,
                "service_pattern": text,
                "version_parameter": text,
            },
            [
                (
                    i,
                    glob_pattern(r.repository),
                    r.origin,
                    r.pattern,
                    r.job_pattern,
                    r.environment,
                    r.environment_parameter,
                    r.environment_pattern,
                    r.service_parameter,
                    r.service_pattern,
                    r.version_parameter,
                )
                for i, r in enumerate(settings.deployments.rules)
            ],
        ),
        "connection": frame(
            {"connection": text, "kind": text},
            [(c.name, c.kind) for c in settings.connections.values()],
        ),
    }


def periods(organisation: Organisation, as_of: datetime, first_at: datetime | None) -> pl.DataFrame:
    """The closed list of periods: trailing days with the equal period before, and ISO weeks.

    `start_at` and `end_at` are instants, half open; `period_start` and `period_end` the dates for
    people, the end exclusive. A week that `as_of` cuts is partial, and ends there.
    """
    zone = organisation.tzinfo
    today = as_of.astimezone(zone).date()
    rows: list[tuple[object, ...]] = []
    for days in TRAILING_DAYS:
        for ordinal in (0, 1):
            end = as_of - timedelta(days=days * ordinal)
            start = end - timedelta(days=days)
            last = today - timedelta(days=days * ordinal) + timedelta(days=1)
            first = last - timedelta(days=days)
            rows.append((f"{days}d", first, last, start, end, ordinal == 0, False))
    monday = today - timedelta(days=today.weekday())
    first_day = first_at.astimezone(zone).date() if first_at is not None else monday
    oldest = max(
        first_day - timedelta(days=first_day.weekday()), monday - timedelta(weeks=MOST_WEEKS)
    )
    while monday >= oldest:
        following = monday + timedelta(days=7)
        start = datetime.combine(monday, time(), zone).astimezone(UTC)
        end = datetime.combine(following, time(), zone).astimezone(UTC)
        rows.append(("week", monday, following, start, min(end, as_of), True, end > as_of))
        monday -= timedelta(days=7)
    return frame(
        {
            "period": pl.String,
            "period_start": pl.Date,
            "period_end": pl.Date,
            "start_at": _INSTANT,
            "end_at": _INSTANT,
            "is_current": pl.Boolean,
            "is_partial": pl.Boolean,
        },
        rows,
    )


def evaluations(
    organisation: Organisation, as_of: datetime, first_at: datetime | None
) -> pl.DataFrame:
    """When the thresholds are evaluated: every fourth ISO week end, oldest first.

    The weeks are counted from a fixed one, so that a later build evaluates at the same moments.
    `evaluated_at` is the instant the week ends, `evaluated_on` the Monday that follows it.
    """
    zone = organisation.tzinfo
    today = as_of.astimezone(zone).date()
    since_monday = (today - _FIRST_MONDAY).days % (7 * EVALUATION_WEEKS)
    monday = today - timedelta(days=since_monday)
    oldest = max(
        first_at.astimezone(zone).date() if first_at is not None else monday,
        monday - timedelta(weeks=EVALUATION_WEEKS * MOST_EVALUATIONS),
    )
    rows: list[tuple[object, ...]] = []
    while monday >= oldest:
        rows.append((monday, datetime.combine(monday, time(), zone).astimezone(UTC)))
        monday -= timedelta(weeks=EVALUATION_WEEKS)
    return frame({"evaluated_on": pl.Date, "evaluated_at": _INSTANT}, rows[::-1])


def working_days(
    organisation: Organisation, as_of: datetime, first_at: datetime | None
) -> pl.DataFrame:
    """Every date with its working hours as instants and the working time up to its start.

    Days off have `work_start_at` equal to `work_end_at`. Working time between two instants is the
    difference of two look-ups.
    """
    zone = organisation.tzinfo
    first = (first_at or as_of).astimezone(zone).date() - timedelta(days=1)
    last = as_of.astimezone(zone).date() + timedelta(days=1)
    off = holidays_between(organisation, first, last)
    working = {WEEKDAYS.index(day) for day in organisation.working_days}
    opening, closing = organisation.working_hours
    rows: list[tuple[object, ...]] = []
    worked = 0
    day = first
    while day <= last:
        start = datetime.combine(day, opening, zone).astimezone(UTC)
        end = start
        if day.weekday() in working and day not in off:
            end = datetime.combine(day, closing, zone).astimezone(UTC)
        rows.append((day, start, end, worked))
        worked += (end - start) // timedelta(microseconds=1)
        day += timedelta(days=1)
    return frame(
        {
            "day": pl.Date,
            "work_start_at": _INSTANT,
            "work_end_at": _INSTANT,
            "worked_before_us": pl.Int64,
        },
        rows,
    )


def holidays_between(organisation: Organisation, first: date, last: date) -> set[date]:
    """Public and extra holidays of the organisation between two dates."""
    off = set(organisation.extra_holidays)
    if organisation.holidays is not None:
        import holidays

        country, _, region = organisation.holidays.partition("-")
        years = range(first.year, last.year + 1)
        off |= set(holidays.country_holidays(country, subdiv=region or None, years=years))
    return off


def sources(landing: Landing) -> pl.DataFrame:
    """One row per connection and stream: how it stands."""
    names = ("last_success_at", "last_full_at", "coverage_from")
    rows = [
        (
            row["connection"],
            row["kind"],
            row["stream"],
            row["scopes"],
            row["failing"],
            *(datetime.fromisoformat(str(row[n])) if row[n] is not None else None for n in names),
            row["last_error"],
            row["requests"],
            row["bytes"],
        )
        for row in landing.status()
    ]
    return frame(
        {
            "connection": pl.String,
            "kind": pl.String,
            "stream": pl.String,
            "scopes": pl.Int64,
            "failing": pl.Int64,
            "last_success_at": _INSTANT,
            "last_full_at": _INSTANT,
            "coverage_from": _INSTANT,
            "last_error": pl.String,
            "requests": pl.Int64,
            "bytes": pl.Int64,
        },
        rows,
    )


def write_macros(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write the macros the models use; they last as long as the connection and are its own."""
    tokens = _list(token.casefold() for token in settings.deployments.production)
    # A pattern that is written into the query is compiled once, one in a table for every row.
    patterns = (
        settings.deployments.hotfix_pattern,
        settings.rework.branch_pattern,
        settings.rework.planned_branch_pattern,
        *release_tags.patterns(settings.deployments.tag_pattern),
    )
    hotfix, fix, planned, release, unfinished = (re.sub("'", "''", pattern) for pattern in patterns)
    titles = " ".join(
        f"when {i} then regexp_matches(title, '" + re.sub("'", "''", each.title) + "')"
        for i, each in enumerate(settings.exclusions)
        if each.title
    )
    connection.execute(f"""
        create or replace temp macro is_excluded_title(ordinal, title) as
            case ordinal {titles or "when null then null"} else false end;
        create or replace temp macro is_hotfix(name) as
            coalesce(regexp_matches(name, '{hotfix}'), false);
        create or replace temp macro is_release_tag(name) as
            regexp_matches(name, '{release}') and not regexp_matches(name, '{unfinished}');
        create or replace temp macro is_fix_branch(name) as
            coalesce(regexp_matches(name, '{fix}'), false);
        create or replace temp macro is_planned_branch(name) as
            coalesce(regexp_matches(name, '{planned}'), false);
        create or replace temp macro environment_tokens(environment) as
            regexp_split_to_array(lower(environment), '[^\\p{{L}}\\p{{N}}]+');
        create or replace temp macro is_production(environment) as
            list_has_any(environment_tokens(environment), {tokens})
            and not list_has_any(
                environment_tokens(environment), ['non', 'no', 'not', 'pre', 'like']);
        create or replace temp macro parameter_of(parameters, name) as
            nullif(trim(substr(
                list_filter(parameters, lambda each: starts_with(each, name || '='))[1],
                length(name) + 2)), '');
        create or replace temp macro round_significant(value) as
            case when value is null or value = 0 or not isfinite(value) then value
                else round(value, 8 - cast(floor(log10(abs(value))) as integer)) end;
        create or replace temp macro input_matches(pattern, name, repository_key) as
            regexp_full_match(lower(name), pattern)
            or regexp_full_match(repository_key, '(.*/)?' || pattern);
    """)


def _list(values: Iterable[str]) -> str:
    quoted = ["'" + re.sub("'", "''", value) + "'" for value in values]
    return "[" + ", ".join(quoted) + "]"
