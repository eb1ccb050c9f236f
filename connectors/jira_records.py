"""From Jira's payloads to records."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from connectors.arrow import columns_table
from connectors.connector import Line, Parsed
from connectors.jira_desk import add_slas, organisations
from connectors.jira_wire import (
    CATEGORIES,
    FieldsWire,
    HistoryWire,
    IssueHistoriesWire,
    IssueWire,
    ItemWire,
    PlainUser,
    PlainWorklog,
    Unreadable,
    UserWire,
    WorklogWire,
    take_unreadable,
)
from connectors.records import Account, Record, Ticket, TicketTransition, Worklog

# What becomes a transition, by the id of the field (and its name on Data Center).
TRACKED = {
    "status": "status",
    "assignee": "assignee",
    "issuetype": "type",
    "priority": "priority",
    "project": "project",
    "issuekey": "key",
    "Key": "key",
    "resolution": "resolution",
}
_BLOCKS = {"paragraph", "heading", "codeBlock", "listItem", "tableRow", "blockquote", "rule"}


def add_issue(parsed: Parsed, line: Line, wire: IssueWire) -> None:
    """A ticket, and its transitions where the whole history came with it."""
    fields = wire.fields
    _reject_unreadable(parsed, Ticket, wire, wire.key)
    _reject_unreadable(parsed, Ticket, fields, f"{wire.key}.fields")
    ticket_id = issue_id(line.connection, wire.id)
    status = fields.status
    category = status.status_category.key if status and status.status_category else None
    parsed.add(
        Ticket(
            ticket_id=ticket_id,
            ticket_key=wire.key,
            project=fields.project.key if fields.project else wire.key.rpartition("-")[0],
            type=fields.issuetype.name if fields.issuetype else None,
            request_type=_request_type(fields, line.attributes.get("request_type_field")),
            title=fields.summary or "",
            description=plain_text(fields.description),
            status=status.name if status else None,
            status_category=CATEGORIES.get(category) if category else None,
            priority=fields.priority.name if fields.priority else None,
            reporter=_account_of(line, fields.reporter),
            assignee=_account_of(line, fields.assignee),
            labels=fields.labels or [],
            components=[component.name for component in fields.components or []],
            parent_key=fields.parent.key if fields.parent else None,
            created_at=fields.created,
            resolved_at=fields.resolutiondate,
            resolution=fields.resolution.name if fields.resolution else None,
            organisations=organisations(parsed, line, wire),
            url=f"{line.attributes['browse']}/{wire.key}" if "browse" in line.attributes else None,
            source_updated_at=fields.updated,
        )
    )
    add_slas(parsed, line, wire, ticket_id)
    log = wire.changelog
    if log is None:
        return
    if log.total is not None and log.total > len(log.histories):
        parsed.reject(
            TicketTransition,
            f"{wire.key}.changelog",
            f"only {len(log.histories)} of {log.total} histories came with the issue",
        )
        return
    parsed.whole(TicketTransition, ticket_id, fields.updated)
    _reject_unreadable(parsed, TicketTransition, log, f"{wire.key}.changelog")
    _add_histories(parsed, line, wire.id, log.histories)


def add_histories(parsed: Parsed, line: Line, wire: IssueHistoriesWire) -> None:
    """Transitions of one issue from a bulk answer; its other pages join by the line's set."""
    parsed.whole(TicketTransition, issue_id(line.connection, wire.issue_id))
    _reject_unreadable(parsed, TicketTransition, wire, f"issue {wire.issue_id}")
    _add_histories(parsed, line, wire.issue_id, wire.change_histories)


def add_worklog(parsed: Parsed, line: Line, wire: WorklogWire) -> None:
    """Time somebody logged."""
    _reject_unreadable(parsed, Worklog, wire, f"worklog {wire.id}")
    parsed.add(
        Worklog(
            worklog_id=worklog_id(line.connection, wire.id),
            ticket_id=issue_id(line.connection, wire.issue_id),
            author=_account_of(line, wire.author),
            started_at=wire.started,
            duration_us=wire.time_spent_seconds * 1_000_000,
            source_updated_at=wire.updated,
        )
    )


def add_worklogs(parsed: Parsed, line: Line, wires: Sequence[PlainWorklog]) -> None:
    """Time people logged, in bulk."""
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": [wire.get("updated") for wire in wires],
        "worklog_id": [worklog_id(line.connection, wire["id"]) for wire in wires],
        "ticket_id": [issue_id(line.connection, wire["issue_id"]) for wire in wires],
        "author": [_plain_account(line.connection, wire.get("author")) for wire in wires],
        "started_at": [wire["started"] for wire in wires],
        "duration_us": [wire["time_spent_seconds"] * 1_000_000 for wire in wires],
    }
    parsed.add_table(Worklog, columns_table(Worklog, columns))


def add_user(parsed: Parsed, line: Line, wire: UserWire, position: int) -> None:
    """An account."""
    account_id = _account_of(line, wire)
    if account_id is None:
        parsed.reject(
            Account, f"$[{position}]", "a user without accountId, key or name", wire.display_name
        )
        return
    parsed.add(
        Account(
            account_id=account_id,
            login=wire.name,
            name=wire.display_name,
            email=wire.email_address or None,
            is_bot=wire.account_type == "app",
        )
    )


def issue_id(connection: str, vendor_id: str) -> str:
    """The ticket's id; it stays when the ticket moves to another project."""
    return f"{connection}:issue:{vendor_id}"


def worklog_id(connection: str, vendor_id: str) -> str:
    """The worklog's id."""
    return f"{connection}:worklog:{vendor_id}"


def plain_text(value: Any) -> str | None:
    """The words of a text: as they are in API 2, out of an Atlassian document in API 3."""
    if isinstance(value, str):
        return value or None
    if not isinstance(value, dict):
        return None
    parts: list[str] = []
    waiting: list[Any] = [value]
    while waiting:  # documents nest as deep as their writers like
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, dict):
            parts.append(_own_words(node))
            kind = node.get("type")
            if isinstance(kind, str) and kind in _BLOCKS:
                waiting.append("\n")
            content = node.get("content")
            waiting += reversed(content) if isinstance(content, list) else []
    return "".join(parts).strip() or None


def _own_words(node: Mapping[str, Any]) -> str:
    attributes = node.get("attrs")
    held = attributes if isinstance(attributes, dict) else {}
    match node.get("type"):
        case "text":
            words = node.get("text")
        case "hardBreak":
            words = "\n"
        case "mention" | "emoji" | "status":
            words = held.get("text")
        case "inlineCard" | "blockCard":
            words = held.get("url")
        case _:
            words = None
    return words if isinstance(words, str) else ""


def _add_histories(
    parsed: Parsed, line: Line, vendor_id: str, histories: Iterable[HistoryWire]
) -> None:
    categories = _categories(line.attributes.get("categories", "{}"))
    ticket_id = issue_id(line.connection, vendor_id)
    for history in histories:
        where = f"issue {vendor_id}, history {history.id}"
        _reject_unreadable(parsed, TicketTransition, history, where)
        times: Counter[str] = Counter()
        for item in history.items:
            field = _tracked(item)
            if field is None:
                continue
            times[field] += 1
            again = f"#{times[field]}" if times[field] > 1 else ""
            parsed.add(
                TicketTransition(
                    ticket_id=ticket_id,
                    transition_id=f"{history.id}{again}",
                    field=field,
                    from_value=_value(line, field, item.from_id, item.from_string),
                    to_value=_value(line, field, item.to_id, item.to_text),
                    to_category=categories.get(item.to_id or "") if field == "status" else None,
                    at=history.created,
                    actor=_account_of(line, history.author),
                )
            )


def _tracked(item: ItemWire) -> str | None:
    """The transition's field; without an id only Jira's own fields count, not custom namesakes."""
    if item.field_id is not None:
        return TRACKED.get(item.field_id)
    return TRACKED.get(item.field) if item.fieldtype in (None, "jira") else None


def _value(line: Line, field: str, vendor_id: str | None, text: str | None) -> str | None:
    if field == "assignee":
        return f"{line.connection}:account:{vendor_id}" if vendor_id else None
    return text or vendor_id or None


@lru_cache(maxsize=64)
def _categories(text: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(text)
    return found


def _plain_account(connection: str, user: PlainUser | None) -> str | None:
    found = user and (user.get("account_id") or user.get("key") or user.get("name"))
    return None if found is None else f"{connection}:account:{found}"


def _account_of(line: Line, user: UserWire | None) -> str | None:
    if user is None or user.id is None:
        return None
    return f"{line.connection}:account:{user.id}"


def _request_type(fields: FieldsWire, name: str | None) -> str | None:
    """Cloud gives an object, Data Center `portal/key`."""
    value = (fields.model_extra or {}).get(name) if name else None
    if isinstance(value, dict):
        kind = value.get("requestType")
        value = kind.get("name") if isinstance(kind, dict) else None
    return value if isinstance(value, str) and value else None


def _reject_unreadable(
    parsed: Parsed, record_type: type[Record], wire: BaseModel, where: str
) -> None:
    for name, bad in take_unreadable(wire):
        parsed.reject(record_type, f"{where}.{name}", bad.problem, _shown(bad))


def _shown(bad: Unreadable) -> str:
    return json.dumps(bad.value, ensure_ascii=False, default=str)
