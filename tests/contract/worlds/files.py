"""One CSV file a kind of row."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.worlds.world import Removed, Renamed, Unshown, World, edited, hidden

TABLES: dict[str, tuple[dict[str, str], list[str]]] = {
    "deployment": (
        {"attempt_id": "id", "sha": "commit", "environment": "env", "created_at": "at"},
        ["id,commit,env,at", "1,abc,production,2026-03-01T10:00:00Z"],
    ),
    "incident": (
        {"incident_id": "id", "title": "title", "created_at": "at"},
        ["id,title,at", "1,Down,2026-03-01T10:00:00Z", "2,Slow,2026-03-02T10:00:00Z"],
    ),
    "ticket": (
        {"ticket_id": "id", "ticket_key": "key", "project": "project", "created_at": "at"},
        ["id,key,project,at", "1,OPS-1,OPS,2026-03-01T10:00:00Z"],
    ),
    "team": (
        {"team_id": "id", "name": "name", "member": "member"},
        ["id,name,member", "1,Checkout,ada", "1,Checkout,carl", "2,Till,carl"],
    ),
    "person": ({"account_id": "id", "name": "name"}, ["id,name", "ada,Ada"]),
    "service": ({"name": "name", "owner": "team"}, ["name,team", "shop,Checkout"]),
    "self_service_action": (
        {"action_id": "id", "category": "what", "started_at": "at", "outcome": "how"},
        ["id,what,at,how", "1,New database,2026-03-01T10:00:00Z,Success"],
    ),
    "audit_result": (
        {"audit_id": "a", "performed_at": "at", "control": "c", "team": "t", "observed": "o"},
        ["a,at,c,t,o", "Q1,2026-03-01T10:00:00Z,Secrets,Checkout,Vault"],
    ),
}


SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "Checkov", "rules": [{"id": "A"}, {"id": "B"}]}},
            "versionControlProvenance": [{"repositoryUri": "https://forge.test/acme/shop"}],
            "results": [{"ruleId": "A", "level": "error"}],
        }
    ],
}


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A table of each kind."""
    tables: list[dict[str, Any]] = []
    for record, (columns, lines) in TABLES.items():
        path = folder / f"{record}.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        tables.append({"path": str(path), "record": record, "columns": columns})
    scan = folder / "scan.sarif"
    scan.write_text(json.dumps(SARIF), encoding="utf-8")
    tables.append({"path": str(scan), "record": "sarif"})
    incidents, people = folder / "incident.csv", folder / "person.csv"
    yield World(
        options={"tables": tables},
        narrowed={"tables": tables, "start_date": "2026-01-01"},
        moving=Unshown("a file is read at once, as it is"),
        renamed=Renamed(
            lambda: edited(people, "ada,Ada", "ada,Ada II"),
            "select account_id, name from account where name is not null",
        ),
        removed=Removed(
            lambda: edited(incidents, "2,Slow,2026-03-02T10:00:00Z\n", ""),
            "select 'incident', incident_id from incident where title = 'Slow'",
        ),
        ghosts=Unshown("a table names whom it likes, or nobody"),
        bots=Unshown("a table of people has no column for machines"),
        zoned=Unshown("a file reads the same, whoever reads it"),
        own_pages={"sarif": "excerpts of the runs, checked when the file was read"},
        silent=lambda: hidden(incidents),
    )
