"""What is pulled from Argo CD: applications, with the syncs they still remember."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from connectors.answer import Answer
from connectors.argocd_records import add_application
from connectors.argocd_wire import ApplicationWire, HistoryWire
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.reading import Children, Reader, load_json, unknown_shape
from connectors.records import Account, DeploymentAttempt, DeploymentStatus

APPLICATIONS = "api/v1/applications"
APPLICATIONS_A_PAGE = 200
_DIGEST = 12


class Applications(Stream):
    """Syncs of applications: the successes still in their history, and the last that failed."""

    name = "applications"
    record_types = (DeploymentAttempt, DeploymentStatus, Account)
    # Ten successes and one failure are all an application remembers.
    forgets = True
    # Every pull reads all there is.
    daily_full_pass = False

    _applications = Reader(
        ApplicationWire,
        ("items",),
        DeploymentAttempt,
        children=(Children(("status", "history"), HistoryWire, DeploymentAttempt),),
    )

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The applications about which something of use is not as it was.

        The list comes whole, and times of reconciliation move in it all the while: the marker
        holds what each application looked like, as far as it is read.
        """
        known: dict[str, str] = json.loads(state.marker or "{}")
        answer = pull.client.get(APPLICATIONS, parameters(scope.attributes))
        items = listed(answer)
        seen: dict[str, str] = {}
        changed: list[Any] = []
        for item in items:
            name, look = _look(item)
            if known.get(name) != look:
                changed.append(item)
            seen[name] = look
        marked = State(marker=json.dumps(seen, sort_keys=True))
        for start in range(0, len(changed), APPLICATIONS_A_PAGE):
            part = changed[start : start + APPLICATIONS_A_PAGE]
            yield Page(
                url=f"{answer.url}#from={start}",
                requested_at=answer.requested_at,
                body=json.dumps({"items": part}, separators=(",", ":")).encode(),
                state=marked if start + len(part) == len(changed) else None,
                items=len(part),
            )

    def parse(self, line: Line) -> Parsed:
        """Syncs as attempts to deploy."""
        parsed = Parsed()
        for wire in self._applications.read(line, parsed):
            add_application(parsed, line, wire)
        return parsed


def parameters(attributes: Mapping[str, str]) -> dict[str, str]:
    """What is asked for; `fields` would leave out the history, which it does not know."""
    names = {"projects": "project", "selector": "selector", "appNamespace": "namespace"}
    return {name: attributes[of] for name, of in names.items() if attributes.get(of)}


def listed(answer: Answer) -> list[Any]:
    """The applications of an answer; null where there is none."""
    body, _ = load_json(answer.body)
    items = body.get("items", body) if isinstance(body, dict) else body
    if items is None:
        return []
    if not isinstance(items, list) or not isinstance(body, dict):
        raise unknown_shape(
            url=answer.url,
            place="$",
            expected="an object with a list at items",
            value=body,
            remedy="check that base_url is the address of Argo CD",
        )
    return items


def _look(item: Any) -> tuple[str, str]:
    """Which application it is, and how it looks as far as it is read."""
    try:
        wire = ApplicationWire.model_validate(item)
        name, text = wire.metadata.uid, wire.model_dump_json()
    except ValidationError:
        text = json.dumps(item, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return name, hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
