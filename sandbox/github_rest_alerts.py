"""GitHub's REST API of code scanning over the made-up organisation."""

from typing import Any

from sandbox.code_scanning import Alert, alerts_at, is_scanned
from sandbox.forge import Repository
from sandbox.github_protocol import Refusal
from sandbox.github_rest import Call, Handler, RepositoryHandler


def code_scanning_alerts(call: Call, repository: Repository) -> Any:
    """Alerts of a repository; one that is not scanned has no list."""
    if not is_scanned(repository):
        raise Refusal(404, "no analysis found")
    found = _alerts(call, [repository])
    page = call.page_of(repository, found, "/code-scanning/alerts")
    return [call.payloads.alert(repository, alert) for _, alert in page]


def organisation_alerts(call: Call) -> Any:
    """Alerts of all scanned repositories."""
    found = _alerts(call, [one for one in call.world.repositories() if is_scanned(one)])
    address = f"/organizations/{call.world.organisation.id}/code-scanning/alerts"
    return [
        call.payloads.alert(repository, alert)
        | {"repository": call.payloads.short_repository(repository)}
        for repository, alert in call.page(found, address)
    ]


def _alerts(call: Call, repositories: list[Repository]) -> list[tuple[Repository, Alert]]:
    scopes = call.gate.settings.scopes
    if not call.caller.is_installation and not {"repo", "security_events"} & set(scopes):
        raise Refusal(403, "You are not authorized to read code scanning alerts.")
    states = {"": {"open", "dismissed", "fixed"}, "closed": {"dismissed", "fixed"}}
    state = call.text("state")
    field = "updated_at" if call.text("sort") == "updated" else "created_at"
    found = [
        (repository, alert)
        for repository in repositories
        for alert in alerts_at(repository, call.world.visible_until)
        if alert.state in states.get(state, {state})
    ]
    found.sort(
        key=lambda each: (getattr(each[1], field), each[0].id, each[1].number),
        reverse=call.text("direction", "desc") == "desc",
    )
    return found


SCANS_OF_ORGANISATION: dict[str, Handler] = {"/code-scanning/alerts": organisation_alerts}
SCANS_OF_REPOSITORY: dict[str, RepositoryHandler] = {"/code-scanning/alerts": code_scanning_alerts}
