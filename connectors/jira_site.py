"""What is true of a Jira site as a whole, and the two ways its searches page."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.answer import Answer
from connectors.client import Client
from connectors.connector import SourceError
from connectors.failures import redact_url
from connectors.jira_wire import CATEGORIES
from connectors.reading import load_json, moment_of, unknown_shape

# Cloud's index may show a change minutes after a later one; Data Center's runs on several nodes.
OVERLAP = timedelta(minutes=10)
# What service projects add, by the types that name these fields on every site.
_REQUEST_TYPE = "com.atlassian.servicedesk:vp-origin"
_SLA = "com.atlassian.servicedesk:sd-sla-field"
_ORGANISATIONS = "com.atlassian.servicedesk:sd-customer-organizations"
_FIELDS = (
    "summary",
    "description",
    "status",
    "issuetype",
    "project",
    "priority",
    "reporter",
    "assignee",
    "labels",
    "components",
    "parent",
    "created",
    "updated",
    "resolutiondate",
    "resolution",
)
_ISSUES_A_PAGE = {True: 100, False: 50}  # Data Center's come with their whole histories
_RESULT_WINDOW = 10_000


@dataclass(frozen=True)
class Found:
    """One page of a search."""

    answer: Answer
    changed: Mapping[str, datetime]  # when each issue of the page last changed, by id
    ids: Sequence[str]
    is_last: bool


class Site:
    """One Jira site, as one pull sees it; facts are asked for once, when first needed."""

    def __init__(self, client: Client, deployment: str | None) -> None:
        self.client = client
        self._deployment = deployment

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the server says of itself."""
        found: dict[str, Any] = expect(self.client.get("rest/api/2/serverInfo"), dict)
        return found

    @cached_property
    def is_cloud(self) -> bool:
        """Whether this is Jira Cloud, as the settings or the server say."""
        if self._deployment is not None:
            return self._deployment == "cloud"
        return self.info.get("deploymentType") == "Cloud"

    @property
    def api(self) -> str:
        """The path of the API."""
        return f"rest/api/{3 if self.is_cloud else 2}"

    @cached_property
    def attributes(self) -> dict[str, str]:
        """What parsing an issue needs beside its page."""
        found = {"browse": f"{self._address}/browse"}
        for name, ids in (
            ("request_type_field", self._custom_fields.get(_REQUEST_TYPE, [])[:1]),
            ("organisations_field", self._custom_fields.get(_ORGANISATIONS, [])[:1]),
            ("sla_fields", self.sla_fields),
        ):
            if ids:
                found[name] = ",".join(ids)
        return found

    @property
    def _address(self) -> str:
        """Where people open tickets; a gateway address of Cloud shows no pages."""
        told = self.info.get("baseUrl") if self._deployment is None else None
        return (told if isinstance(told, str) else self.client.base_url).rstrip("/")

    @property
    def sla_fields(self) -> list[str]:
        """The custom fields that hold goals of service projects, one a goal."""
        return self._custom_fields.get(_SLA, [])

    @cached_property
    def _custom_fields(self) -> dict[str, list[str]]:
        """The custom fields of service projects, by their type."""
        found: dict[str, list[str]] = {}
        for each in expect(self.client.get(f"{self.api}/field"), list):
            schema = each.get("schema") if isinstance(each, dict) else None
            custom = schema.get("custom") if isinstance(schema, dict) else None
            if custom in {_REQUEST_TYPE, _SLA, _ORGANISATIONS}:
                found.setdefault(custom, []).append(str(each.get("id")))
        return found

    @cached_property
    def categories(self) -> str:
        """Status id to category, as JSON; ids, because names are words in some language."""
        found: dict[str, str] = {}
        for each in expect(self.client.get(f"{self.api}/status"), list):
            category = each.get("statusCategory") if isinstance(each, dict) else None
            key = category.get("key") if isinstance(category, dict) else None
            if key in CATEGORIES:
                found[str(each.get("id"))] = CATEGORIES[key]
        return json.dumps(found, sort_keys=True)

    def search(self, projects: Sequence[str], since: int) -> Iterator[Found]:
        """Issues changed since an epoch millisecond, in the order of their changes."""
        names = [*_FIELDS, *(name for ids in self._custom_fields.values() for name in ids)]
        asked = {"fields": ",".join(names), "maxResults": _ISSUES_A_PAGE[self.is_cloud]}
        if self.is_cloud:
            return self._by_token({**asked, "jql": _jql(projects, since)})
        return self._by_change(projects, since, asked)

    def _by_token(self, asked: dict[str, Any]) -> Iterator[Found]:
        token: str | None = None
        while True:
            given = {**asked, "nextPageToken": token}
            answer = self.client.get(f"{self.api}/search/jql", given)
            body = expect(answer, dict)
            following = body.get("nextPageToken")
            is_last = not following or body.get("isLast") is True
            yield _found(answer, body, is_last=is_last)
            if is_last:
                return
            if following == token:
                raise SourceError(
                    f"{redact_url(answer.url)} gives the same page again and again; sync again"
                )
            token = str(following)

    def _by_change(
        self, projects: Sequence[str], since: int, asked: dict[str, Any]
    ) -> Iterator[Found]:
        """Each page begins at the last change of the one before.

        Offsets would skip issues that change, and thereby move, while pages are read, and end at
        the result window. Only issues of one moment are paged by offset.
        """
        start = 0
        while True:
            given = {
                **asked,
                "expand": "changelog",
                "jql": _jql(projects, since),
                "startAt": start or None,
            }
            answer = self.client.get(f"{self.api}/search", given)
            body = expect(answer, dict)
            found = _found(answer, body, is_last=False)
            total = body.get("total")
            if not isinstance(total, int):
                raise _odd(answer, "total", "a number", total)
            is_last = not found.ids or start + len(found.ids) >= total
            yield replace(found, is_last=is_last)
            if is_last:
                return
            newest = max((epoch(at) for at in found.changed.values()), default=since)
            start = 0 if newest > since else start + len(found.ids)
            since = max(since, newest)
            if start >= _RESULT_WINDOW:
                raise SourceError(
                    f"{redact_url(answer.url)}: more than {_RESULT_WINDOW} issues changed in one "
                    "moment, more than Data Center lets be read; name fewer projects"
                )


def expect(answer: Answer, shape: type) -> Any:
    """The body of an answer, which must be an object or a list."""
    value, _ = load_json(answer.body)
    if not isinstance(value, shape):
        raise _odd(answer, "$", "an object" if shape is dict else "a list", value)
    return value


def members(answer: Answer, body: Mapping[str, Any], name: str) -> list[Any]:
    """A list in the body of an answer."""
    value = body.get(name)
    if not isinstance(value, list):
        raise _odd(answer, name, "a list", value)
    return value


def epoch(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def first_moment(start: date | None) -> int:
    """The epoch millisecond to read from when nothing was read before."""
    if start is None:
        return 0
    return epoch(datetime(start.year, start.month, start.day, tzinfo=UTC))


def digest(changed: Mapping[str, int]) -> str:
    """Stands for what a pull saw after its mark, so that the next one can tell it has it all."""
    return hashlib.sha256(json.dumps(sorted(changed.items())).encode()).hexdigest()[:32]


def _jql(projects: Sequence[str], since: int) -> str:
    """Epoch milliseconds: other times would be read in the zone of the token's owner."""
    names = ", ".join(f'"{name}"' for name in projects)
    within = f"project in ({names}) AND " if projects else ""
    return f"{within}updated >= {since} ORDER BY updated ASC, key ASC"


def _found(answer: Answer, body: Mapping[str, Any], *, is_last: bool) -> Found:
    ids: list[str] = []
    changed: dict[str, datetime] = {}
    for issue in members(answer, body, "issues"):
        if not isinstance(issue, dict) or not isinstance(issue.get("id"), str | int):
            continue  # parsing says what is wrong with it
        ids.append(str(issue["id"]))
        fields = issue.get("fields")
        updated = fields.get("updated") if isinstance(fields, dict) else None
        if (moment := moment_of(updated)) is not None:
            changed[ids[-1]] = moment
    return Found(answer, changed, ids, is_last)


def _odd(answer: Answer, place: str, expected: str, value: Any) -> SourceError:
    return unknown_shape(
        url=answer.url,
        place=place,
        expected=expected,
        value=value,
        remedy="check base_url, or update Leadline if Jira has changed",
    )
