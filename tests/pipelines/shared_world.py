"""Made-up organisations whose engineers on shared infrastructure are known."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from connectors.records import (
    Account,
    CatalogEntity,
    ChangeRequest,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Record,
)
from tests.pipelines.stories import Story, full, hour, repository, tell

DAY = 24
AS_OF = 200 * DAY


def key(service: str) -> str:
    """The address of a service's repository."""
    return f"forge.test/acme/{service}"


def people(first: int, last: int, *, is_linked: bool = True) -> list[Record]:
    """Accounts of engineers; linked: the tracker knows each by the same address."""
    found: list[Record] = []
    for number in range(first, last):
        name, email = f"Engineer {letters(number)}", f"e{number}@x.test"
        found.append(
            Account(
                account_id=f"forge:{number}",
                login=f"e{number}",
                name=name,
                email=email if is_linked else None,
            )
        )
        if is_linked:
            found.append(Account(account_id=f"tracker:{number}", name=name, email=email))
    return found


def letters(number: int) -> str:
    """A name that is like no other: the digits as words of their own."""
    words = ("Abby", "Borg", "Cruz", "Dahl", "Eids", "Fynn", "Gwen", "Hoff", "Iqba", "Jyrk")
    return "".join(words[int(digit)] for digit in f"{number:03}")


def merged(service: str, author: str | None, day: float, **more: Any) -> ChangeRequest:
    """A change of a service that was merged on a day."""
    number = crc32(f"{service} {author} {day}".encode())
    return ChangeRequest(
        change_request_id=f"forge:pull:{service}:{author}:{day}",
        repository_key=key(service),
        number=number,
        author=author,
        created_at=hour(day * DAY - 1),
        merged_at=hour(day * DAY),
        base_branch="main",
        head_branch="topic",
        merge_sha=full(f"{number}"),
        **more,
    )


def deployed(service: str, day: float, **more: Any) -> list[Record]:
    """A production deployment of a service that went live on a day."""
    attempt_id = f"forge:deployment:{service}:{day}:{more.get('target')}"
    values = {"environment": "production", "sha": full(f"{service}{day}"), **more}
    return [
        DeploymentAttempt(
            attempt_id=attempt_id,
            repository_key=key(service),
            created_at=hour(day * DAY),
            **values,
        ),
        DeploymentStatus(
            attempt_id=attempt_id, status_id="1", state="succeeded", at=hour(day * DAY)
        ),
    ]


def busy(
    service: str, engineers: Iterable[int], *, first: int = 1, last: int = 196
) -> list[Record]:
    """A service with a deployment every two weeks, and each engineer's change every twenty days."""
    found: list[Record] = [repository(key(service))]
    for day in range(first, last, 14):
        found += deployed(service, day)
    for engineer in engineers:
        found += [merged(service, f"forge:{engineer}", day) for day in range(first, last, 20)]
    return found


def ran(service: str, labels: Sequence[str], day: float, connection: str = "forge") -> list[Record]:
    """A job of a service's pipeline on a runner with these labels."""
    run_id = f"{connection}:run:{service}:{day}"
    return [
        PipelineRun(
            run_id=run_id, repository_key=key(service), name="CI", status="succeeded",
            started_at=hour(day * DAY),
        ),
        PipelineJob(
            job_id=f"{run_id}:job", run_id=run_id, name="test", status="succeeded",
            started_at=hour(day * DAY), runner_labels=list(labels),
        ),
    ]  # fmt: skip


def component(service: str, *depends_on: str) -> CatalogEntity:
    """A service of the catalog and what it depends on."""
    return CatalogEntity(
        entity_ref=f"component:default/{service}",
        kind="Component",
        type="service",
        name=service,
        repository_key=key(service),
        depends_on=list(depends_on),
    )


def resource(name: str, kind: str | None) -> CatalogEntity:
    """A resource of the catalog."""
    return CatalogEntity(
        entity_ref=f"resource:default/{name}", kind="Resource", type=kind, name=name
    )


def teams(**services: str) -> str:
    """Settings in which each team owns the services listed, by commas."""
    return "".join(
        f'[[teams]]\nname = "{team}"\nrepositories = [{quoted(owned)}]\n'
        for team, owned in services.items()
    )


def unit(name: str, *services: str, kind: str = "cluster") -> str:
    """Settings of a unit that services run on."""
    return (
        f'[[shared_units]]\nname = "{name}"\nkind = "{kind}"\n'
        f"services = [{quoted(','.join(services))}]\n"
    )


def quoted(names: str) -> str:
    return ", ".join(f'"{name}"' for name in names.split(","))


def told(folder: Path, *records: Record | Iterable[Record], settings: str = "") -> Story:
    """A build after 200 days."""
    return tell(folder, *records, settings=settings, as_of=AS_OF)


def last(story: Story, *columns: str) -> tuple[Any, ...]:
    """Columns of the last evaluation."""
    (row,) = story.ask(
        f"select {', '.join(columns)} from shared_measure order by evaluated_at desc limit 1"
    )
    return row


def used(story: Story) -> set[tuple[str, str, str]]:
    """Service, unit and source of every use."""
    rows = story.ask("select split_part(service_id, '/', 3), unit_id, source from unit_use")
    return {(str(s), str(u), str(by)) for s, u, by in rows}
