"""Jira's bodies over the made-up ticket site, for Cloud and for Data Center."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sandbox.jira_desk import desk_fields, desk_values
from sandbox.organisation import Organisation
from sandbox.ticketing import (
    History,
    HistoryItem,
    Ticket,
    TicketProject,
    TicketStatus,
    TicketUser,
    Worklog,
)

REQUEST_TYPE_FIELD = "customfield_10010"
_EMBEDDED_WORKLOGS = 20
_CATEGORIES: dict[str, tuple[int, str, str]] = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}
_FIELD_IDS = {"Key": "issuekey"}
Deployment = Literal["cloud", "data_center"]
Desk = Literal["agent", "customer", "absent"]


class JiraPayloads:
    """Builds bodies as a site at `base` shows them to a caller in `zone`."""

    def __init__(
        self,
        organisation: Organisation,
        base: str,
        zone: str,
        deployment: Deployment,
        *,
        moment: datetime,
        desk: Desk,
    ) -> None:
        self.site = organisation.ticket_site
        self.base = base
        self.zone = ZoneInfo(zone)
        self.is_cloud = deployment == "cloud"
        self.moment = moment
        self.desk = desk

    @cached_property
    def users(self) -> dict[str, TicketUser]:
        """Users by id."""
        return {user.id: user for user in self.site.users}

    @cached_property
    def projects(self) -> dict[int, TicketProject]:
        """Projects by id."""
        return {project.id: project for project in self.site.projects}

    @cached_property
    def statuses(self) -> dict[str, TicketStatus]:
        """Statuses of all projects by id."""
        return {status.id: status for project in self.site.projects for status in project.statuses}

    def stamp(self, moment: datetime | None) -> str | None:
        """A time in the caller's zone, to the millisecond, its offset without a colon."""
        if moment is None:
            return None
        local = moment.astimezone(self.zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03}{local:%z}"

    def user(self, user_id: str | None) -> dict[str, Any] | None:
        """A user as embedded everywhere."""
        if user_id is None or user_id not in self.users:
            return None
        user = self.users[user_id]
        body: dict[str, Any] = {
            "displayName": user.display_name,
            "active": user.is_active,
            "timeZone": user.zone,
        }
        if user.email is not None:
            body["emailAddress"] = user.email
        if self.is_cloud:
            address = f"{self.base}/rest/api/3/user?accountId={user.id}"
            return {"self": address, "accountId": user.id, "accountType": user.kind, **body}
        name = (user.email or user.id).partition("@")[0]
        address = f"{self.base}/rest/api/2/user?username={name}"
        return {"self": address, "key": user.id, "name": name, **body}

    def status(self, status_id: str) -> dict[str, Any]:
        """A status with its category; only names are ever localised."""
        status = self.statuses[status_id]
        number, colour, name = _CATEGORIES[status.category]
        return {
            "self": f"{self.base}/rest/api/2/status/{status.id}",
            "description": "",
            "iconUrl": f"{self.base}/",
            "name": status.name,
            "id": status.id,
            "statusCategory": {
                "self": f"{self.base}/rest/api/2/statuscategory/{number}",
                "id": number,
                "key": status.category,
                "colorName": colour,
                "name": name,
            },
        }

    def project(self, project: TicketProject) -> dict[str, Any]:
        """A project."""
        return {
            "self": f"{self.base}/rest/api/2/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind,
            "simplified": False,
        }

    def fields(self) -> list[dict[str, Any]]:
        """The fields of the site, custom ones with the type that names them everywhere."""
        system = ["summary", "status", "issuetype", "project", "priority", "assignee", "reporter"]
        found: list[dict[str, Any]] = [
            {"id": name, "name": name.title(), "custom": False, "schema": {"system": name}}
            for name in system
        ]
        schema = {"custom": "com.atlassian.servicedesk:vp-origin", "customId": 10010}
        custom = {"id": REQUEST_TYPE_FIELD, "name": "请求类型", "custom": True, "schema": schema}
        return found if self.desk == "absent" else [*found, custom, *desk_fields()]

    def issue(self, ticket: Ticket, names: Collection[str], *, is_plain: bool) -> dict[str, Any]:
        """An issue with the named fields; `is_plain` gives text as API 2 does, else as ADF."""
        body: dict[str, Any] = {"id": str(ticket.id)}
        if not names:
            return body
        body["key"] = ticket.key
        body["self"] = f"{self.base}/rest/api/{2 if is_plain else 3}/issue/{ticket.id}"
        every = self._fields_of(ticket, is_plain=is_plain)
        wanted = every if "*all" in names or "*navigable" in names else names
        body["fields"] = {name: every[name] for name in every if name in wanted}
        return body

    def _fields_of(self, ticket: Ticket, *, is_plain: bool) -> dict[str, Any]:
        project = self.projects[ticket.project_id]
        kind = next((t for t in project.ticket_types if t.id == ticket.ticket_type_id), None)
        text = ticket.description or None
        return {
            "summary": ticket.summary,
            "description": text if is_plain or text is None else document(text),
            "status": self.status(ticket.status_id),
            "issuetype": {
                "id": ticket.ticket_type_id,
                "name": kind.name if kind else ticket.ticket_type_id,
                "subtask": kind.is_subtask if kind else False,
            },
            "project": self.project(project),
            "priority": {"id": ticket.priority, "name": ticket.priority},
            "reporter": self.user(ticket.reporter_user_id),
            "creator": self.user(ticket.reporter_user_id),
            "assignee": self.user(ticket.assignee_user_id),
            "labels": list(ticket.labels),
            "components": [{"name": name} for name in ticket.components],
            "parent": {"key": ticket.parent_key} if ticket.parent_key else None,
            "issuelinks": self._links(ticket),
            "created": self.stamp(ticket.created_at),
            "updated": self.stamp(ticket.updated_at),
            "resolutiondate": self.stamp(ticket.resolved_at),
            "resolution": {"name": ticket.resolution} if ticket.resolution else None,
            "worklog": self.worklogs(ticket, 0, _EMBEDDED_WORKLOGS),
            **self._of_desk(ticket, project),
        }

    def _links(self, ticket: Ticket) -> list[dict[str, Any]]:
        """Links as the ticket that holds them shows them."""
        if ticket.duplicate_of is None:
            return []
        kind = {"id": "10002", "name": "Duplicate"}
        words = {"inward": "is duplicated by", "outward": "duplicates"}
        return [
            {
                "id": f"7{ticket.id}",
                "self": f"{self.base}/rest/api/2/issueLink/7{ticket.id}",
                "type": {**kind, **words, "self": f"{self.base}/rest/api/2/issueLinkType/10002"},
                "outwardIssue": {"key": ticket.duplicate_of},
            }
        ]

    def _of_desk(self, ticket: Ticket, project: TicketProject) -> dict[str, Any]:
        """The custom fields of service projects."""
        if self.desk == "absent":
            return {}
        is_agent = self.desk == "agent"
        values = desk_values(ticket, project, self.base, self.moment, is_agent=is_agent)
        return {REQUEST_TYPE_FIELD: self._request_type(ticket, project), **values}

    def _request_type(self, ticket: Ticket, project: TicketProject) -> Any:
        found = next((r for r in project.request_types if r.id == ticket.request_type_id), None)
        if found is None:
            return None
        if not self.is_cloud:
            return f"{project.key.lower()}/{found.name}"
        kind = {"id": found.id, "name": found.name, "issueTypeId": found.ticket_type_id}
        return {"requestType": kind, "currentStatus": {"status": "open"}}

    def changelog(self, ticket: Ticket, cap: int | None) -> dict[str, Any]:
        """The history as `expand=changelog` gives it: newest first on Cloud, and capped there."""
        histories: Sequence[History] = ticket.histories
        shown = histories[::-1][:cap] if self.is_cloud else histories
        return {
            "startAt": 0,
            "maxResults": len(shown),
            "total": len(histories),
            "histories": [self.history(history) for history in shown],
        }

    def history(self, history: History) -> dict[str, Any]:
        """Fields changed together."""
        return {
            "id": str(history.id),
            "author": self.user(history.author_user_id),
            "created": self.stamp(history.at),
            "items": [self._item(item) for item in history.items],
        }

    def _item(self, item: HistoryItem) -> dict[str, Any]:
        body = {
            "field": item.field,
            "fieldtype": "jira",
            "from": item.from_value,
            "fromString": item.from_text,
            "to": item.to_value,
            "toString": item.to_text,
        }
        return {**body, "fieldId": field_id(item)} if self.is_cloud else body

    def worklog(self, ticket: Ticket, worklog: Worklog) -> dict[str, Any]:
        """A worklog."""
        text = worklog.comment
        return {
            "self": f"{self.base}/rest/api/2/issue/{ticket.id}/worklog/{worklog.id}",
            "id": str(worklog.id),
            "issueId": str(ticket.id),
            "author": self.user(worklog.author_user_id),
            "updateAuthor": self.user(worklog.author_user_id),
            "comment": document(text) if self.is_cloud else text,
            "created": self.stamp(worklog.created_at),
            "updated": self.stamp(worklog.updated_at),
            "started": self.stamp(worklog.started_at),
            "timeSpentSeconds": worklog.duration_seconds,
        }

    def worklogs(self, ticket: Ticket, start: int, limit: int) -> dict[str, Any]:
        """A page of a ticket's worklogs."""
        shown = ticket.worklogs[start : start + limit]
        return {
            "startAt": start,
            "maxResults": limit,
            "total": len(ticket.worklogs),
            "worklogs": [self.worklog(ticket, worklog) for worklog in shown],
        }


def field_id(item: HistoryItem) -> str:
    """The id of the field a history item is about."""
    return _FIELD_IDS.get(item.field, item.field)


def document(text: str) -> dict[str, Any]:
    """Text as an Atlassian document: a paragraph a line."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []}
        for line in text.split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def epoch(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
