"""Set-ups of services as records: what asked for them, and the legs they reached, by the hour."""

from datetime import datetime, timedelta
from typing import Any

from connectors.records import PipelineRun, Record, ScaffolderTask
from tests.pipelines.stories import Story, deployment, hour, repository, ticket

OWNER = "forge.test/acme/"


def key(name: str) -> str:
    """Where the repository of a service is."""
    return OWNER + name


def run(name: str, at: float, status: str = "succeeded") -> PipelineRun:
    """A run of a service's pipeline that ends at an hour of the story."""
    return PipelineRun(
        run_id=f"forge:run:{name}:{at}:{status}",
        repository_key=key(name),
        name="ci",
        status=status,
        started_at=hour(at - 0.1),
        finished_at=hour(at),
    )


def asking(name: str, at: float, resolved: float | None = None, **more: Any) -> Record:
    """A ticket that asks for a service."""
    values = {"type": "New service", "title": f"New service {name}", **more}
    return ticket(f"OPS-{name}-{at:g}", at, resolved, **values)


def task(name: str, at: float, ended: float | None = None, **more: Any) -> ScaffolderTask:
    """A run of a golden-path template that was asked to make a service."""
    made = {"repository_key": key(name)} if ended is not None else {}
    values = {"status": "running" if ended is None else "succeeded", "name": name, **made, **more}
    return ScaffolderTask(
        task_id=f"portal:task:{name}:{at:g}",
        template="template:default/service",
        created_at=hour(at),
        completed_at=None if ended is None else hour(ended),
        **values,
    )


def made(
    name: str,
    *,
    at: float,
    green: float | None = None,
    live: float | None = None,
    production: float | None = None,
    **more: Any,
) -> list[Record]:
    """A repository, its first green run, and its deployments to staging and production."""
    records: list[Record] = [repository(key(name), created_at=hour(at), **more)]
    if green is not None:
        records.append(run(name, green))
    for environment, moment in (("staging", live), ("production", production)):
        if moment is not None:
            records += deployment(
                f"{name}-{environment}",
                "a",
                ("succeeded", moment),
                at=moment - 0.1,
                environment=environment,
                repository_key=key(name),
            )
    return records


def quick(name: str, at: float) -> list[Record]:
    """A service that is ready half an hour after its repository, by whatever was asked before."""
    return made(name, at=at, green=at + 0.2, live=at + 0.5)


def slow(name: str, at: float) -> list[Record]:
    """A service that takes three days."""
    return made(name, at=at, green=at + 30, live=at + 72)


def facts(story: Story) -> dict[str, dict[str, Any]]:
    """The set-ups of a story by name, those that count before others of the same name."""
    columns = (
        *("name", "start_by", "state", "made_by", "is_over", "reason", "rule", "waits_for"),
        *("tickets", "evaluated_state", "setup_id"),
    )
    rows = story.ask(
        f"select {', '.join(columns)}, age_us / 3600e6, start_at, ready_at from setup_fact "
        "order by rule is null, setup_id"
    )
    names = (*columns, "hours", "start_at", "ready_at")
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def measure(story: Story, columns: str = "measured_state, n") -> tuple[Any, ...]:
    """The last evaluation of a story."""
    rows = story.ask(f"select {columns} from setup_measure order by evaluated_at desc limit 1")
    return rows[0]


def working_hours(start: datetime, end: datetime) -> float:
    """Hours from Monday to Friday, 9 to 17 UTC, between two moments; the plain way."""
    total = timedelta()
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        if day.weekday() < 5:
            opening, closing = day + timedelta(hours=9), day + timedelta(hours=17)
            total += max(min(end, closing) - max(start, opening), timedelta())
        day += timedelta(days=1)
    return total / timedelta(hours=1)
