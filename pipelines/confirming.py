"""What waits for somebody to say whether two accounts are one person, and what was said since.

Decisions made after the build are laid over it, so that nobody is asked twice.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from connectors.records import Decision
from pipelines.decisions import WITHDRAWN, Choice

if TYPE_CHECKING:
    import duckdb

KIND = "identity"


class Suggestion(NamedTuple):
    """Two people that may be one; `code` names the pair on the command line."""

    code: str
    subject: str
    left_name: str
    right_name: str
    left_account: str
    right_account: str
    score: int | None
    why: str
    state: str
    is_new: bool  # decided since the build


_ROWS = """
select substr(sha256(subject), 1, 8), subject, left_name, right_name, left_account, right_account,
    score, why, state
from identity_suggestion
order by score desc nulls last, left_account, right_account
"""


def suggestions(
    connection: "duckdb.DuckDBPyConnection", history: Sequence[Decision]
) -> list[Suggestion]:
    """Every suggestion of the build, the best first, with the state it has by now."""
    latest = {each.subject: each.value for each in history if each.kind == KIND}
    found = []
    for *told, state in connection.execute(_ROWS).fetchall():
        now = _state(state, latest.get(str(told[1])))
        found.append(Suggestion._make([*told, now, now != state]))
    return found


def choices(chosen: Sequence[Suggestion], value: str) -> list[Choice]:
    """What is to be appended to say so of all of these."""
    return [Choice(KIND, each.subject, value) for each in chosen]


def _state(built: str, latest: str | None) -> str:
    if latest is None or (built == "overruled" and latest == "accepted"):
        return built
    return "pending" if latest == WITHDRAWN else latest
