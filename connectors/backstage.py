"""Backstage: the catalog with its owners and dependencies, and the runs of templates."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Self

from pydantic import Field, model_validator

from connectors.answer import Answer
from connectors.auth import bearer
from connectors.backstage_mark import body_of
from connectors.backstage_streams import ENTITIES, TASKS, Entities, Tasks
from connectors.client import Client
from connectors.clock_skew import clock_skew
from connectors.connector import (
    ConnectionOptions,
    Connector,
    Finding,
    Permission,
    Pull,
    Scope,
    SourceError,
    Stream,
)
from connectors.failures import ForbiddenError, NotFoundError
from connectors.secret import Secret, SecretMissingError

_WHERE = "with the permission framework on, in the backend's policy"


class BackstageOptions(ConnectionOptions):
    """What to read from a Backstage backend, and with which credential."""

    token: Secret = Field(description="a static external access token, or one its issuer signed")
    tasks: bool = Field(True, description="read the runs of templates")
    github_host: str = Field(
        "github.com", description="where the GitHub slugs of entities lie: GitHub or your own host"
    )
    portal_url: str | None = Field(
        None, description="where people open the portal, where it is not base_url"
    )

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.base_url is None:
            raise ValueError(
                "a backstage connection needs base_url, the address of the backend, such as "
                '"https://portal.example.com"'
            )
        return self


class Backstage(Connector):
    """A Backstage backend."""

    kind = "backstage"
    title = "Backstage"
    options_type = BackstageOptions
    permissions = (
        Permission("catalog.entity.read", ("entities",), _WHERE),
        Permission("scaffolder.task.read", ("tasks",), f"{_WHERE}; `tasks = false` does without"),
    )

    def client(self) -> Client:
        """A client with the token as Bearer."""
        options: BackstageOptions = self.options
        return Client.of(
            options,
            base_url=(options.base_url or "").rstrip("/").removesuffix("/api"),
            authenticate=partial(bearer, options.token),
        )

    def streams(self) -> tuple[Stream, ...]:
        """The catalog first, so that entities are there when runs name them."""
        options: BackstageOptions = self.options
        return (Entities(), *((Tasks(options.start_date),) if options.tasks else ()))

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """One scope: the portal."""
        options: BackstageOptions = self.options
        portal = options.portal_url or (options.base_url or "").removesuffix("/api")
        yield Scope(
            "portal", {"github_host": options.github_host.lower(), "portal": portal.rstrip("/")}
        )

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Credential, catalog, owners, runs of templates, clock."""
        try:
            answer = pull.client.get(ENTITIES, {"limit": 1, "fields": "kind"})
            yield Finding("ok", "credential", "the backend takes the token")
            yield from _catalog(pull, answer)
            if self.options.tasks:
                yield _runs(pull)
            yield clock_skew(answer, pull.now())
        except (SourceError, SecretMissingError) as error:
            yield Finding("error", "backstage", str(error))


def _catalog(pull: Pull, answer: Answer) -> Iterator[Finding]:
    total = body_of(answer).get("totalItems")
    if not total:
        yield Finding(
            "error",
            "catalog",
            "no entity is visible; check catalog.locations, and that the token may read entities",
        )
        return
    yield Finding("ok", "catalog", f"{total} entities")
    for kind, what in (("component", "components"), ("group", "groups"), ("user", "users")):
        found = pull.client.get(ENTITIES, {"limit": 1, "fields": "kind", "filter": f"kind={kind}"})
        count = body_of(found).get("totalItems")
        if count:
            yield Finding("ok", what, f"{count}")
        else:
            yield Finding("warning", what, _WITHOUT[kind])


_WITHOUT = {
    "component": "none: no service is known from this catalog",
    "group": "none: owners of services are not known as teams",
    "user": "none: runs of templates and members of groups name nobody that is known",
}


def _runs(pull: Pull) -> Finding:
    try:
        answer = pull.client.get(TASKS, {"limit": 1, "order": "desc:created_at"})
    except NotFoundError:
        return Finding(
            "error",
            "template runs",
            "this backend has no scaffolder; set tasks = false for this connection",
        )
    except ForbiddenError as error:
        return Finding("error", "template runs", f"{error}; it needs scaffolder.task.read")
    body = body_of(answer)
    tasks = body.get("tasks")
    total = body.get("totalTasks", len(tasks) if isinstance(tasks, list) else 0)
    if not total:
        return Finding("warning", "template runs", "none yet, or none the token may see")
    return Finding("ok", "template runs", f"{total}")
