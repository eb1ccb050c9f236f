"""The answer of a build in a few lines: how often, how fast, and what was not recognised."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.console import count
from pipelines.release_tags import is_release

if TYPE_CHECKING:
    import duckdb

    from pipelines.settings import Settings

_PERIODS = {"91d": "91 days", "182d": "182 days", "365d": "365 days"}
_MOST_CHECKS = 5
_QUIET_CHECKS = (
    "unlinked accounts",
    "services without a team",
    "practices without a team",
    "dropped commits",
)


def text(build: Path, settings: "Settings") -> str:
    """The answer for the whole organisation."""
    from pipelines import reader

    connection = reader.connect(build)
    try:
        lines = _answer(connection)
        if not _value(connection, "select count(*) from deployment_fact where is_counted"):
            lines += _no_deployments(settings)
        lines += _checks(connection)
    finally:
        connection.close()
    return "\n".join(["", *lines, ""])


def has_commits(data: Path) -> bool:
    """Whether anything at all was received."""
    return bool(_records(data, 'select count(*) from "commit"')[0][0])


def _answer(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    name, as_of = _row(connection, "select organisation, as_of::date from build")
    lines = [f"{name}, up to {as_of}"]
    for period, words in _PERIODS.items():
        frequency = _metric(connection, "deployment_frequency", "per_week", period)
        lead_time = _metric(connection, "change_lead_time", "median", period)
        if frequency and frequency["n"]:
            lines.append(
                f"  deployments  {frequency['value']:.2g} a week{_basis(frequency, words)}"
            )
            if lead_time:
                lines.append(f"  lead time    {_lead_time(lead_time, words)}")
            break
    else:
        last = _value(connection, "select max(live_at)::date from deployment_fact")
        if last is not None:
            lines.append(f"  no deployment within 365 days; the last one was on {last}")
    lines.append(f"  recognised   {_recognised(connection)}")
    return lines


def _recognised(connection: "duckdb.DuckDBPyConnection") -> str:
    deployments = _value(connection, "select count(*) from deployment_fact where is_counted")
    shipped, waiting, changes = _row(
        connection,
        "select count(*) filter (relation = 'shipped'), count(*) filter (relation = 'not_live'),"
        " count(*) from change_fact",
    )
    return (
        f"{count(deployments, 'deployment')}; {count(changes, 'change')}, {shipped:,} of them with "
        f"a lead time, {waiting:,} not live yet"
    )


def _metric(
    connection: "duckdb.DuckDBPyConnection", metric: str, variant: str, period: str
) -> dict[str, Any] | None:
    names = ("value", "n", "ci_low", "ci_high", "reason")
    rows = connection.execute(
        f"select {', '.join(names)} from metric where metric = ? and variant = ? and period = ?"
        " and entity_type = 'organisation' and environment = 'production'",
        [metric, variant, period],
    ).fetchall()
    found = dict(zip(names, rows[0], strict=True)) if rows else None
    return found if found is not None and (found["value"] is not None or found["reason"]) else None


def _lead_time(found: dict[str, Any], words: str) -> str:
    if found["value"] is None:
        return f"no value: {found['reason']}"
    interval = ""
    if found["ci_low"] is not None and found["ci_high"] is not None:
        interval = f", 95 % interval {hours(found['ci_low'])} to {hours(found['ci_high'])}"
    return f"{hours(found['value'])} median (n = {found['n']:,} in {words}{interval})"


def _basis(found: dict[str, Any], words: str) -> str:
    return f" (n = {found['n']:,} in {words})"


def hours(value: float) -> str:
    """Hours as people say them: minutes, hours or days."""
    if value < 1:
        return f"{value * 60:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


def _no_deployments(settings: "Settings") -> list[str]:
    """Why nothing counts as a deployment, and what to do."""
    names = [
        str(name)
        for (name,) in _records(
            settings.data, "select name from reference where kind = 'tag' order by tagged_at desc"
        )
    ]
    if not names:
        return [
            "  no tags found, so nothing counts as a deployment. If they are only missing here:",
            "  `git fetch --tags`. If a merge is what goes live, put into leadline.toml:",
            '  [[deployments.rules]]  repository = "*"  origin = "merge"',
        ]
    if any(is_release(name, settings.deployments.tag_pattern) for name in names):
        return []
    shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return [
        f"  no version-like tags found: {count(len(names), 'tag')} ({shown})",
        "  if some of them are releases, say which: leadline try --tag-pattern '^build-' …",
    ]


def _checks(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """What somebody should look at, a line a kind; what is no news here is left to Data health."""
    rows = connection.execute(
        "select check_name, list(distinct subject order by subject), any_value(help)"
        " from data_check where count > 0 and not list_contains($quiet, check_name)"
        " group by check_name order by sum(count) desc, check_name",
        {"quiet": list(_QUIET_CHECKS)},
    ).fetchall()
    lines = []
    for name, subjects, hint in rows:
        some = ", ".join(subjects[:3]) + (f" and {len(subjects) - 3} more" * (len(subjects) > 3))
        lines.append(f"  look at      {name}: {some}{f' ({hint})' if hint else ''}")
    more = len(lines) - _MOST_CHECKS
    return lines[:_MOST_CHECKS] + (
        [f"  and {more} more on the page Data health"] if more > 0 else []
    )


def _records(data: Path, query: str) -> list[tuple[Any, ...]]:
    import duckdb

    from pipelines.files import DataFolder

    with duckdb.connect(str(DataFolder(data).records), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _row(connection: "duckdb.DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError(f"no row for: {query}")
    return tuple(row)


def _value(connection: "duckdb.DuckDBPyConnection", query: str) -> Any:
    return _row(connection, query)[0]
