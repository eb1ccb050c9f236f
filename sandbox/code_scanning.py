"""What scanners find in the made-up organisation: some repositories are scanned, others not.

They follow from the requests a repository merged, so that nothing else of the organisation
changes with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.forge import Repository

TOOL = "CodeQL"
RULES = (
    ("py/clear-text-logging-sensitive-data", "error", "Clear-text logging of sensitive data"),
    ("py/unused-import", "note", "Unused import"),
    ("py/path-injection", "warning", "Uncontrolled data used in path expression"),
)
_EVERY = 2  # one merged request in so many brings an alert
_STAYS = timedelta(days=9)
State = Literal["open", "dismissed", "fixed"]
# Two by two at one place of the code, in every combination that can be mixed up.
_ENDS: tuple[State, ...] = (
    *("fixed", "open", "dismissed", "open"),
    *("fixed", "dismissed", "open", "fixed"),
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert in the state of a moment."""

    number: int
    rule: tuple[str, str, str]  # id, severity, description
    path: str
    line: int
    commit_sha: str
    state: State
    created_at: datetime
    updated_at: datetime
    dismissed_by: int | None


def is_scanned(repository: Repository) -> bool:
    """Whether the repository has code scanning."""
    return repository.id % 2 == 1 and not repository.is_fork


def alerts_at(repository: Repository, moment: datetime) -> list[Alert]:
    """The alerts of a scanned repository by number, as they stand at a moment."""
    return [alert for alert in _every(repository, moment) if alert.created_at <= moment]


def _every(repository: Repository, moment: datetime) -> Iterator[Alert]:
    merged = [one for one in repository.change_requests if one.merged_at and one.merge_sha]
    for number, change in enumerate(merged[::_EVERY], 1):
        created_at = change.merged_at or moment
        is_over = created_at + _STAYS <= moment
        end = _ENDS[(number - 1) % len(_ENDS)]
        # Every second one stands where an earlier one was: two alerts of a rule at one place.
        place = number if number % 2 else number - 1
        yield Alert(
            number=number,
            rule=RULES[place % len(RULES)],
            path=f"src/module {place}.py",
            line=10 + place,
            commit_sha=change.merge_sha or "",
            state=end if is_over else "open",
            created_at=created_at,
            updated_at=created_at + _STAYS if is_over and end != "open" else created_at,
            dismissed_by=change.author_account_id if is_over and end == "dismissed" else None,
        )
