"""The lists that Jira Cloud and Data Center serve alike: who, what and where, and worklogs."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.jira_payloads import epoch

if TYPE_CHECKING:
    from sandbox.jira import Call

MOST_WORKLOGS = 1000
# Jira leaves out what changed within the last minute: it may not be whole yet.
_SETTLING = timedelta(minutes=1)


def _server_info(call: "Call") -> Any:
    is_cloud = call.payloads.is_cloud
    version = [1001, 0, 0] if is_cloud else [9, 12, 5]
    return {
        "baseUrl": call.payloads.base,
        "version": ".".join(map(str, version)),
        "versionNumbers": version,
        "deploymentType": "Cloud" if is_cloud else "Server",
        "serverTime": call.payloads.stamp(call.site.world.visible_until),
        "serverTitle": call.payloads.site.name,
    }


def _myself(call: "Call") -> Any:
    settings = call.site.settings
    body = {"displayName": "Metrics", "active": True, "timeZone": settings.zone, "locale": "zh_CN"}
    who = {"accountId": "557058:metrics"} if settings.is_cloud else {"key": "metrics"}
    return {**who, "emailAddress": settings.email, **body}


def _users(call: "Call") -> Any:
    _, _, shown = call.window(call.payloads.site.users)
    return [call.payloads.user(user.id) for user in shown]


def _project_page(call: "Call") -> Any:
    projects = call.payloads.site.projects
    start, limit, shown = call.window(projects)
    return {
        "startAt": start,
        "maxResults": limit,
        "total": len(projects),
        "isLast": start + limit >= len(projects),
        "values": [call.payloads.project(project) for project in shown],
    }


def _projects(call: "Call") -> Any:
    return [call.payloads.project(project) for project in call.payloads.site.projects]


def _statuses(call: "Call") -> Any:
    return [call.payloads.status(status_id) for status_id in call.payloads.statuses]


def _fields(call: "Call") -> Any:
    return call.payloads.fields()


def _worklogs_updated(call: "Call") -> Any:
    """Ids of worklogs by the time of their last change, oldest first."""
    settled = epoch(call.site.world.visible_until - _SETTLING)
    gone = call.site.deleted_worklogs
    changed = [
        (at, worklog_id)
        for at, worklog_id in call.site.changed_worklogs
        if at <= settled and worklog_id not in gone
    ]
    return _changes(call, "updated", changed)


def _worklogs_deleted(call: "Call") -> Any:
    gone = call.site.deleted_worklogs.items()
    return _changes(call, "deleted", sorted((epoch(at), worklog_id) for worklog_id, at in gone))


def _changes(call: "Call", kind: str, changed: list[tuple[int, int]]) -> Any:
    since = call.number("since", 0)
    found = [(at, worklog_id) for at, worklog_id in changed if at >= since]
    shown = found[: call.site.settings.page_cap]
    # Changes of one moment are never parted: the next page starts after it.
    shown += [change for change in found[len(shown) :] if change[0] == shown[-1][0]]
    address = f"{call.payloads.base}/rest/api/2/worklog/{kind}"
    until = shown[-1][0] if shown else since
    answer = {
        "values": [
            {"worklogId": worklog_id, "updatedTime": at, "properties": []}
            for at, worklog_id in shown
        ],
        "since": since,
        "until": until,
        "self": f"{address}?since={since}",
        "lastPage": len(shown) == len(found),
    }
    if len(shown) < len(found):
        answer["nextPage"] = f"{address}?since={until + 1}"
    return answer


def _worklog_list(call: "Call") -> Any:
    asked = dict.fromkeys(int(number) for number in call.value("ids").split(",") if number)
    worklogs, gone = call.site.worklogs, call.site.deleted_worklogs
    found = [worklogs[number] for number in asked if number in worklogs and number not in gone]
    return [call.payloads.worklog(*each) for each in found[:MOST_WORKLOGS]]


def _issue_worklogs(call: "Call") -> Any:
    ticket = call.site.ticket(call.request.path_params["issue"])
    start, limit, _ = call.window(ticket.worklogs, 5000)
    return call.payloads.worklogs(ticket, start, limit)


LISTS: dict[str, Callable[["Call"], Any]] = {
    "/serverInfo": _server_info,
    "/myself": _myself,
    "/users/search": _users,
    "/user/search": _users,
    "/project/search": _project_page,
    "/project": _projects,
    "/status": _statuses,
    "/field": _fields,
    "/worklog/updated": _worklogs_updated,
    "/worklog/deleted": _worklogs_deleted,
    "/worklog/list": _worklog_list,
    "/issue/{issue}/worklog": _issue_worklogs,
}
