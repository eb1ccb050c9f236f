"""Organisations for the third threshold: teams with a repository each, scans and audits."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from connectors.records import (
    Audit,
    AuditResult,
    Practice,
    PracticeScan,
    Record,
    Repository,
    ScanFinding,
)
from tests.pipelines.stories import START, commit, hour

DAY = 24.0


def name(number: int) -> str:
    """A team's name."""
    return f"Team {number}"


def key(number: int) -> str:
    """The repository of a team."""
    return f"forge.test/acme/shop-{number}"


def organisation(teams: int, *, days: float = 400) -> list[Record]:
    """A repository for each team, and a history that is old enough for evaluations."""
    return [
        commit("old", at=-days * DAY, key=key(0)),
        *(
            Repository(
                repository_id=f"forge:repository:{number}",
                repository_key=key(number),
                name=f"shop-{number}",
                default_branch="main",
                created_at=START - timedelta(days=days),
            )
            for number in range(teams)
        ),
    ]


def settings(teams: int, more: str = "") -> str:
    """The teams and what they own."""
    return more + "".join(
        f'\n[[teams]]\nname = "{name(i)}"\nrepositories = ["shop-{i}"]\n' for i in range(teams)
    )


def scan(
    number: int, practices: Mapping[str, Iterable[str]], *, day: float = -30, **more: Any
) -> list[Record]:
    """What a scan found at a team: approaches by category, each in a file of its own."""
    scan_id = f"{key(number)}@{day}"
    values = {"rules": "r1", "files": 9, "files_left": 0, **more}
    return [
        PracticeScan(
            scan_id=scan_id,
            repository_key=key(number),
            sha=f"{number:02}" * 20,
            committed_at=hour(day * DAY),
            **values,
        ),
        *(
            Practice(
                scan_id=scan_id,
                repository_key=key(number),
                category=category,
                approach=approach,
                path=f"{category}/{approach}.yaml",
                at_line=3,
            )
            for category, approaches in practices.items()
            for approach in approaches
        ),
    ]


def audit(
    title: str,
    observed: Mapping[int, str],
    *,
    day: float = -20,
    control: str = "Secrets management",
    **more: Any,
) -> list[Record]:
    """An audit of one control: what it observed, by team."""
    return [
        Audit(audit_id=f"forge:audit:{title}", name=title, performed_at=hour(day * DAY)),
        *(
            AuditResult(
                result_id=f"{title} {control} {number} {value}",
                audit_id=f"forge:audit:{title}",
                control=control,
                team=name(number),
                observed=value,
                **more,
            )
            for number, value in observed.items()
        ),
    ]


def finding(
    number: int, rule: str, *, is_pass: bool | None, day: float = -5, **more: Any
) -> ScanFinding:
    """What a scanner says of a rule in a team's repository."""
    values = {"tool": "Checkov", "path": "a.tf", "at_line": 7, **more}
    return ScanFinding(
        scan_id=f"scan:{number}:{day}",
        repository_key=key(number),
        rule=rule,
        is_pass=is_pass,
        seen_at=hour(day * DAY),
        **values,
    )
