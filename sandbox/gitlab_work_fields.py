"""What GitLab's GraphQL tells of the work of a project."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.code_scanning import TOOL, Alert, alerts_at, is_scanned
from sandbox.forge import Repository
from sandbox.gitlab_connection import Fields, connection
from sandbox.gitlab_protocol import stamp
from sandbox.world import ISSUES, RELEASES, RUNS, World

_STATES = {"open": "DETECTED", "dismissed": "DISMISSED", "fixed": "RESOLVED"}


def work_fields(world: World, repository: Repository) -> Fields:
    """Issues, releases and pipelines of a project, as far as a probe looks; vulnerabilities."""

    def pipelines(_: Any, updatedAfter: str | None = None, **arguments: Any) -> Fields:  # noqa: N803  GraphQL's name
        since = datetime.fromisoformat(updatedAfter or "1970-01-01T00:00:00Z")
        found = [one for one in world.things(RUNS, repository.id) if one.updated_at >= since]
        return connection(found[::-1], _dated("Ci::Pipeline"), arguments)

    def issues(_: Any, **arguments: Any) -> Fields:
        found = world.things(ISSUES, repository.id, "updated_at", is_descending=True)
        return connection(found, _dated("Issue"), arguments)

    def releases(_: Any, **arguments: Any) -> Fields:
        found = world.things(RELEASES, repository.id, is_descending=True)
        return connection(
            found, lambda one: {"tagName": one.tag, "createdAt": stamp(one.created_at)}, arguments
        )

    def vulnerabilities(_: Any, **arguments: Any) -> Fields:
        return connection(findings(world, repository), finding, arguments)

    return {
        "pipelines": pipelines,
        "issues": issues,
        "releases": releases,
        "vulnerabilities": vulnerabilities,
    }


def findings(world: World, repository: Repository) -> list[Alert]:
    """What scanners found in a project; nothing in one that is not scanned."""
    return alerts_at(repository, world.visible_until) if is_scanned(repository) else []


def finding(alert: Alert) -> Fields:
    """A vulnerability."""
    rule, level, title = alert.rule
    return {
        "id": f"gid://gitlab/Vulnerability/{alert.number}",
        "title": title,
        "state": _STATES[alert.state],
        "severity": {"error": "HIGH", "warning": "MEDIUM", "note": "LOW"}[level],
        "updatedAt": stamp(alert.updated_at),
        "primaryIdentifier": {"externalType": "rule", "externalId": rule, "name": rule},
        "scanner": {"externalId": TOOL.lower(), "name": TOOL, "vendor": "GitLab"},
        "location": {
            "__typename": "VulnerabilityLocationSast",
            "file": alert.path,
            "startLine": str(alert.line),
            "endLine": str(alert.line),
        },
    }


def _dated(kind: str) -> Callable[[Any], Fields]:
    return lambda one: {
        "id": f"gid://gitlab/{kind}/{one.id}",
        "iid": str(one.number),
        "updatedAt": stamp(one.updated_at),
    }
