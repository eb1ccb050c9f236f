"""What the organisation keeps in files: its audits, and what was done by self-service.

Each file is written with the declaration by which the files connector reads it.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.organisation import Organisation


@dataclass(frozen=True)
class CompanyFile:
    """One file: the record its rows are, its columns under the record's names, and the rows."""

    name: str
    record: str
    columns: dict[str, str]
    rows: Sequence[Sequence[object]]

    def write(self, folder: Path) -> dict[str, Any]:
        """Writes it; returns its declaration."""
        path = folder / f"{self.name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns.values())
            writer.writerows(map(_written, row) for row in self.rows)
        return {"path": str(path), "record": self.record, "columns": self.columns}


def write_files(organisation: Organisation, folder: Path) -> list[dict[str, Any]]:
    """Writes the files that there is something for; returns their declarations."""
    folder.mkdir(parents=True, exist_ok=True)
    return [file.write(folder) for file in _files(organisation) if file.rows]


def _files(organisation: Organisation) -> Iterable[CompanyFile]:
    if "audits" not in organisation.profile.without:
        yield _audits(organisation)
    actions = organisation.platform.actions
    yield CompanyFile(
        "self-service",
        "self_service_action",
        {
            "action_id": "id",
            "category": "what",
            "actor": "who",
            "started_at": "started",
            "completed_at": "ended",
            "outcome": "outcome",
        },
        [
            (
                action.id,
                action.category,
                action.actor_login,
                action.started_at,
                action.completed_at,
                action.outcome,
            )
            for action in actions
        ],
    )
    people = [
        (account.login, account.login, account.name, account.email)
        for account in organisation.accounts
        if not account.is_bot
    ]
    yield CompanyFile(
        "people",
        "person",
        {"account_id": "id", "login": "login", "name": "name", "email": "e-mail"},
        people if actions else [],
    )


def _audits(organisation: Organisation) -> CompanyFile:
    """One row a control and team of each audit."""
    platform = organisation.platform
    audits = {audit.id: audit for audit in platform.audits}
    rows = []
    for result in platform.audit_results:
        audit = audits[result.audit_id]
        rows.append(
            (
                audit.id,
                audit.name,
                audit.performed_at,
                ",".join(audit.teams),
                result.control,
                result.team,
                result.observed,
                result.is_pass,
            )
        )
    columns = {
        "audit_id": "audit",
        "audit_name": "name",
        "performed_at": "performed",
        "scope": "teams",
        "control": "control",
        "team": "team",
        "observed": "observed",
        "is_pass": "passed",
    }
    return CompanyFile("audits", "audit_result", columns, rows)


def _written(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, datetime) else value
