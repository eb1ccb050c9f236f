"""What `leadline doctor` says of a connection to Argo CD."""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from connectors.argocd_images import is_parent
from connectors.argocd_streams import APPLICATIONS, listed, parameters
from connectors.argocd_wire import ApplicationWire
from connectors.clock_skew import clock_skew
from connectors.connector import Finding, Pull, Scope, SourceError
from connectors.failures import ForbiddenError
from connectors.reading import load_json
from connectors.secret import Secret, SecretMissingError

_USER = "api/v1/session/userinfo"
_SOON = timedelta(days=14)


def diagnose(pull: Pull, token: Secret, scopes: Iterable[Scope]) -> Iterator[Finding]:
    """Credential, what is visible of each project, what Argo CD forgets, clock."""
    try:
        answer = pull.client.get(_USER)
        told, _ = load_json(answer.body)
        if not isinstance(told, dict) or not told.get("loggedIn"):
            yield Finding(
                "error",
                "credential",
                "the server does not know who this is: make a new token and put it where the "
                "settings look for it",
            )
            return
        yield Finding("ok", "credential", f"logged in as {told.get('username') or 'a role'}")
        yield from _expiry(token.reveal(), pull.now())
        applications: list[ApplicationWire] = []
        for scope in scopes:
            yield from _visible(pull, scope, applications)
        yield from _remembered(applications)
        yield clock_skew(answer, pull.now())
    except (SourceError, SecretMissingError) as error:
        yield Finding("error", "argocd", str(error))


def _expiry(token: str, now: datetime) -> Iterator[Finding]:
    """When the token ends, if it says so: it is a JWT, and only its date is looked at."""
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        ends = datetime.fromtimestamp(claims["exp"], UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError, OSError):
        return
    if ends - now < _SOON:
        yield Finding("warning", "credential", f"the token ends on {ends:%Y-%m-%d}: renew it")


def _visible(pull: Pull, scope: Scope, applications: list[ApplicationWire]) -> Iterator[Finding]:
    project = scope.attributes.get("project")
    what = f"project {project}" if project else "applications"
    try:
        items = listed(pull.client.get(APPLICATIONS, parameters(scope.attributes)))
    except ForbiddenError as error:
        yield Finding("error", what, str(error))
        return
    for item in items:
        try:
            applications.append(ApplicationWire.model_validate(item))
        except ValidationError:
            yield Finding("warning", what, "an application of unknown shape is left out")
    if items:
        yield Finding("ok", what, f"{len(items)} applications")
    else:
        # Argo CD leaves out of the list what a token may not see, and says nothing.
        yield Finding("error", what, 'none is visible: the token needs "applications, get" on them')


def _remembered(applications: list[ApplicationWire]) -> Iterator[Finding]:
    without = [a for a in applications if a.spec.revision_history_limit == 0]
    if without:
        yield Finding(
            "warning",
            "history",
            f"{len(without)} applications keep none (revisionHistoryLimit: 0): of each only the "
            "last sync before a pull is seen",
        )
    parents = sum(is_parent(each) for each in applications)
    if parents:
        yield Finding("ok", "app of apps", f"{parents}: no deployments of a service")
