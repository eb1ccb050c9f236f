"""PagerDuty: incidents and how they went, teams, users."""

from collections.abc import Iterable, Iterator, Mapping
from json import dumps
from typing import Literal

from pydantic import Field

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
from connectors.failures import ForbiddenError, RefusedError
from connectors.pagerduty_pages import body_of
from connectors.pagerduty_streams import Incidents, Members, Teams, Users
from connectors.secret import Secret, SecretMissingError

_ADDRESS = "https://api.pagerduty.com"
_VERSION = "application/vnd.pagerduty+json;version=2"
Urgency = Literal["high", "low"]


class PagerdutyOptions(ConnectionOptions):
    """What to read from a PagerDuty account, and with which credential."""

    token: Secret = Field(description="an API access key; one that may only read is enough")
    people: bool = Field(True, description="read users, teams and their members")
    team_ids: tuple[str, ...] = Field(
        (), description="only incidents of these teams, by the ids in their addresses"
    )
    urgencies: tuple[Urgency, ...] = Field(
        ("high", "low"), description="only incidents of these urgencies: high, low"
    )
    related_changes: bool = Field(
        False,
        description="take changes that PagerDuty's models hold against an incident for named by "
        "it; a request more for each incident",
    )


class Pagerduty(Connector):
    """A PagerDuty account."""

    kind = "pagerduty"
    title = "PagerDuty"
    options_type = PagerdutyOptions
    permissions = (
        Permission(
            "incidents.read",
            ("incidents",),
            "an API access key, read-only, of the account or of a user who sees the incidents",
        ),
        Permission("users.read", ("users",), "the same key; `people = false` does without"),
        Permission(
            "teams.read",
            ("teams", "members"),
            "the same key, where the plan has teams; `people = false` does without",
        ),
    )

    def client(self) -> Client:
        """A client with the key as PagerDuty wants it."""
        options: PagerdutyOptions = self.options
        return Client.of(
            options,
            base_url=options.base_url or _ADDRESS,
            authenticate=self._credential,
            headers={"accept": _VERSION},
        )

    def streams(self) -> tuple[Stream, ...]:
        """People first, so that they are there when anything names them."""
        options: PagerdutyOptions = self.options
        people: tuple[Stream, ...] = (Users(), Teams(), Members()) if options.people else ()
        return (*people, Incidents())

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """One scope: the account."""
        options: PagerdutyOptions = self.options
        attributes = {
            "team_ids": dumps(options.team_ids),
            "urgencies": dumps(options.urgencies),
            "related_changes": "yes" if options.related_changes else "no",
        }
        if options.start_date is not None:
            attributes["start"] = f"{options.start_date.isoformat()}T00:00:00+00:00"
        yield Scope("account", attributes)

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Credential, incidents and their services, teams, users, what is left of the limit."""
        try:
            answer = pull.client.get(
                "incidents",
                {
                    "date_range": "all",
                    "sort_by": "created_at:desc",
                    "limit": 1,
                    "time_zone": "UTC",
                },
            )
            yield Finding("ok", "credential", "PagerDuty takes the key")
            found = body_of(answer, "incidents")["incidents"]
            if found:
                newest = found[0].get("created_at") if isinstance(found[0], dict) else None
                yield Finding("ok", "incidents", f"the newest of {newest}")
            else:
                yield Finding(
                    "warning", "incidents", "none is visible: none yet, or the key sees none"
                )
            yield from _counted(pull, "services", "services whose names incidents use")
            if self.options.people:
                yield from _counted(pull, "users", "users")
                yield from _counted(pull, "teams", "teams")
            left = answer.headers.get("ratelimit-remaining")
            if left is not None:
                total = answer.headers.get("ratelimit-limit", "?")
                yield Finding("ok", "limit", f"{left} of {total} requests a minute left")
            yield clock_skew(answer, pull.now())
        except (SourceError, SecretMissingError) as error:
            yield Finding("error", "pagerduty", str(error))

    def _credential(self) -> Mapping[str, str]:
        return {"authorization": f"Token token={self.options.token.reveal()}"}


def _counted(pull: Pull, name: str, what: str) -> Iterator[Finding]:
    try:
        answer = pull.client.get(name, {"limit": 1, "total": "true"})
    except (ForbiddenError, RefusedError) as error:
        yield Finding(
            "error" if name != "services" else "warning",
            name,
            f"{error}; set people = false where the plan has none"
            if name != "services"
            else str(error),
        )
        return
    total = body_of(answer, name).get("total")
    level = "ok" if total else "warning"
    yield Finding(level, name, f"{total or 'no'} {what}")
