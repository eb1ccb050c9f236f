"""Jira, Cloud and Data Center: tickets with their whole histories, worklogs, users."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Self
from weakref import WeakKeyDictionary

from pydantic import Field, field_validator, model_validator

from connectors.answer import Answer
from connectors.auth import basic, bearer
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
from connectors.jira_desk import diagnose_desks
from connectors.jira_site import Site, expect, members
from connectors.jira_streams import Issues, Users, Worklogs
from connectors.secret import Secret, SecretMissingError

_PROJECT = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[0-9]+")
_PROJECTS_A_PAGE = 50


class JiraOptions(ConnectionOptions):
    """Settings of a Jira connection."""

    token: Secret = Field(description="API token (Cloud) or personal access token (Data Center)")
    email: str | None = Field(None, description="whose API token it is (Cloud)")
    projects: list[str] = Field([], description="keys or ids of projects; all where not given")
    deployment: Literal["cloud", "data_center"] | None = Field(
        None, description="asked of the server where not given"
    )

    @field_validator("projects")
    @classmethod
    def _keys(cls, value: list[str]) -> list[str]:
        for name in value:
            if not _PROJECT.fullmatch(name):
                raise ValueError(f'"{name}" is no project key; write one such as "OPS"')
        return value

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.base_url is None:
            raise ValueError(
                'a jira connection needs base_url, such as "https://company.atlassian.net" or '
                '"https://jira.company.example/jira"'
            )
        return self


class Jira(Connector):
    """A Jira site."""

    kind = "jira"
    title = "Jira Cloud and Data Center"
    options_type = JiraOptions
    permissions = (
        Permission(
            "Browse projects",
            ("issues", "worklogs"),
            "in every project to be read; scoped token: `read:jira-work`",
        ),
        Permission(
            "Service project agent",
            ("issues",),
            "for the goals (SLAs) of requests alone, in service projects",
        ),
        Permission(
            "Browse users and groups",
            ("users",),
            "global permission; scoped token: `read:jira-user`",
        ),
    )

    def __init__(self, name: str, options: JiraOptions) -> None:
        super().__init__(name, options)
        self._sites: WeakKeyDictionary[Pull, Site] = WeakKeyDictionary()

    def client(self) -> Client:
        """A client with the credential: Basic with an e-mail address, else Bearer."""
        options: JiraOptions = self.options
        return Client.of(
            options,
            base_url=options.base_url or "",
            authenticate=self._credential,
        )

    def streams(self) -> tuple[Stream, ...]:
        """Users first, so that names are there when tickets come."""
        options: JiraOptions = self.options
        projects, start = tuple(options.projects), options.start_date
        return (
            Users(self._site, projects, start),
            Issues(self._site, projects, start),
            Worklogs(self._site, projects, start),
        )

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """One scope: the site. Tickets keep their ids when they move between projects."""
        yield Scope("site")

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Server, credential, projects, clock, rate limit."""
        site = self._site(pull)
        try:
            yield _server(site)
            answer = pull.client.get(f"{site.api}/myself")
            me = expect(answer, dict)
            yield Finding(
                "ok",
                "credential",
                f"signed in as {me.get('displayName')}, zone {me.get('timeZone')}",
            )
            yield clock_skew(answer, pull.now())
            yield _limit(answer)
            yield _projects(_visible_projects(site), self.options.projects)
            yield diagnose_desks(site)
        except (SourceError, SecretMissingError) as error:
            yield Finding("error", "jira", str(error))

    def _site(self, pull: Pull) -> Site:
        """What one pull knows of the site; the next pull asks anew."""
        if pull not in self._sites:
            self._sites[pull] = Site(pull.client, self.options.deployment)
        return self._sites[pull]

    def _credential(self) -> Mapping[str, str]:
        options: JiraOptions = self.options
        if options.email is None:
            return bearer(options.token)
        return basic(options.email, options.token)


def _server(site: Site) -> Finding:
    kind = "Cloud" if site.is_cloud else "Data Center"
    return Finding(
        "ok", "server", f"Jira {kind} {site.info.get('version')} at {site.client.origin}"
    )


def _limit(answer: Answer) -> Finding:
    left = answer.headers.get("x-ratelimit-remaining")
    if left is None:
        return Finding("ok", "rate limit", "none told")
    of = answer.headers.get("x-ratelimit-limit", "?")
    return Finding(
        "warning" if left == "0" else "ok", "rate limit", f"{left} of {of} requests left"
    )


def _visible_projects(site: Site) -> set[str]:
    """Keys and ids of the projects that the credential may see."""
    found: set[str] = set()
    start = 0
    while True:
        if site.is_cloud:
            asked = {"startAt": start, "maxResults": _PROJECTS_A_PAGE}
            answer = site.client.get(f"{site.api}/project/search", asked)
            body = expect(answer, dict)
            projects = members(answer, body, "values")
            is_last = body.get("isLast") is not False or not projects
        else:
            projects, is_last = expect(site.client.get(f"{site.api}/project"), list), True
        for project in projects:
            if isinstance(project, dict):
                found |= {str(project.get("key")), str(project.get("id"))}
        start += len(projects)
        if is_last:
            return found


def _projects(visible: set[str], wanted: Sequence[str]) -> Finding:
    missing = [name for name in wanted if name not in visible]
    if missing:
        return Finding(
            "error",
            "projects",
            f"not visible to the token: {', '.join(missing)}; check the keys, or give its owner "
            "the permission Browse projects",
        )
    if not visible:
        return Finding(
            "error",
            "projects",
            "none visible; give the token's owner the permission Browse projects",
        )
    return Finding("ok", "projects", f"{len(wanted) or len(visible) // 2} visible")
