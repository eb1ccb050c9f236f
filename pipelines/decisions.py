"""What people decide: appended to landing by the built-in connection `local`.

A decision is one page of an ordinary batch, with its author and time. It is loaded like anything
else and counts from the next build on. The one appended last on a kind and subject is in force;
`withdrawn` takes it back, and everything stays in the history.
"""

import getpass
import hashlib
import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple

from pydantic import ValidationError

from connectors.connector import (
    ConnectionOptions,
    Connector,
    Line,
    Page,
    Parsed,
    PushedStream,
    Scope,
    Stream,
)
from connectors.records import Decision, Record
from pipelines.batches import OpenBatch
from pipelines.files import DataFolder
from pipelines.landing import Landing, LandingError

CONNECTION = "local"
WITHDRAWN = "withdrawn"
# The kinds there are, each with the values it may have; an empty tuple: any text.
KINDS: dict[str, tuple[str, ...]] = {
    "identity": ("accepted", "rejected"),
    "ticket_class": ("request", "build", "incident", "overhead"),
    "exception": (),
    "verdict_shown": (),
}

_MOST_CHARACTERS = {"subject": 1_000, "value": 20_000, "author": 200}
_SCOPE = Scope("decisions")


class DecisionError(Exception):
    """A decision cannot be kept as it is; the message says why."""


class Choice(NamedTuple):
    """What is decided about what: a kind of `KINDS`, the subject, and the value given to it."""

    kind: str
    subject: str
    value: str


class Decisions(PushedStream):
    """Decisions as they were appended; nothing is ever pulled."""

    name: ClassVar[str] = "decisions"
    record_types: ClassVar[tuple[type[Record], ...]] = (Decision,)

    def parse(self, line: Line) -> Parsed:
        """The one decision of a page."""
        parsed = Parsed()
        try:
            parsed.add(Decision.model_validate_json(line.body))
        except ValidationError as error:
            parsed.reject(Decision, "$", str(error.errors()[0]["msg"]), line.body)
        return parsed


class Local(Connector):
    """The built-in connection; no settings name it, and it is no source that could be down."""

    kind = CONNECTION
    title = "Decisions"
    options_type = ConnectionOptions

    def streams(self) -> tuple[Stream, ...]:
        """The one stream."""
        return (Decisions(),)

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """None: nothing is pulled."""
        return ()


def record(
    data: Path, choices: Sequence[Choice], *, author: str | None, now: datetime
) -> list[Decision]:
    """Append decisions to the landing of a data folder, all or none; see `append`."""
    with Landing(DataFolder(data).create().landing) as landing:
        return append(landing, choices, author=author, now=now)


def append(
    landing: Landing, choices: Sequence[Choice], *, author: str | None, now: datetime
) -> list[Decision]:
    """Append decisions in one transaction; safe while a sync runs and while others append.

    The same call again (same author and time) changes nothing. Without an author it is the user
    of the machine. Raises `DecisionError` for what cannot be kept, `LandingError` where the store
    stays locked; nothing is kept then.
    """
    decided = [_checked(choice, author or machine_user(), now) for choice in choices]
    if not decided:
        return []
    batch = OpenBatch(CONNECTION, Decisions.name, now)
    for decision in decided:
        body = decision.model_dump_json(exclude_none=True).encode()
        batch.add(_SCOPE, Page(url=decision.decision_id, requested_at=now, body=body, items=1))
    try:
        if CONNECTION not in landing.remembered():
            landing.remember(CONNECTION, CONNECTION, "{}")
        landing.commit(batch, now)
    except sqlite3.OperationalError as error:
        raise LandingError(
            f"the decision was not kept, {landing.path} cannot be written ({error}); try again"
        ) from error
    return decided


def history(data: Path) -> list[Decision]:
    """Every decision ever made, in the order they were appended; read from landing."""
    path = DataFolder(data).landing
    if not path.exists():
        return []
    found: list[Decision] = []
    with Landing(path) as landing:
        for batch in landing.batches():
            if batch.connection == CONNECTION:
                for _, line in landing.lines(batch):
                    found += Decisions().parse(line).records[Decision]  # type: ignore[arg-type]
    return found


def in_force(decisions: Iterable[Decision], kind: str) -> dict[str, Decision]:
    """The decisions of a kind that hold, by subject; those taken back are left out."""
    latest = {each.subject: each for each in decisions if each.kind == kind}
    return {s: each for s, each in sorted(latest.items()) if each.value != WITHDRAWN}


def machine_user() -> str:
    """The user this process runs as."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return "unknown user"


def _checked(choice: Choice, author: str, now: datetime) -> Decision:
    if choice.kind not in KINDS:
        raise DecisionError(f'there is no decision of kind "{choice.kind}"')
    values = KINDS[choice.kind]
    if values and choice.value not in (*values, WITHDRAWN):
        known = ", ".join((*values, WITHDRAWN))
        raise DecisionError(f'"{choice.value}" is no value of {choice.kind}; write one of {known}')
    texts = {"subject": choice.subject, "value": choice.value, "author": author}
    for name, text in texts.items():
        _check_text(name, text)
    content = json.dumps([*choice, author, now.isoformat()])
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    return Decision(
        decision_id=f"{CONNECTION}:decision:{digest}",
        kind=choice.kind,
        subject=choice.subject,
        value=choice.value,
        author=author,
        at=now,
    )


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        raise DecisionError(f"the {name} of a decision is empty")
    if len(text) > _MOST_CHARACTERS[name]:
        raise DecisionError(
            f"the {name} of a decision is longer than {_MOST_CHARACTERS[name]:,} characters"
        )
    # Control characters would write over a terminal; half a character cannot be kept at all.
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise DecisionError(
                f"the {name} of a decision has a character that cannot be shown "
                f"(U+{ord(character):04X})"
            )
