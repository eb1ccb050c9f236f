"""What is said about payloads that are not as they should be, and what is kept of them."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.connector import Line, Parsed, SourceError
from connectors.jira_records import plain_text
from connectors.jira_streams import Issues, Users, Worklogs
from connectors.records import Account, Ticket, TicketTransition, Worklog
from tests.connectors.jira_pulling import pulled
from tests.sandbox.jira_world import served

ISSUE: dict[str, Any] = {
    "id": "1",
    "key": "EE-1",
    "fields": {
        "created": "2026-01-02T03:04:05.000+0800",
        "updated": "2026-01-03T03:04:05.000+0800",
        "summary": "A title",
        "status": {"id": "3", "name": "进行中", "statusCategory": {"key": "indeterminate"}},
        "project": {"key": "EE"},
        "priority": {"name": "High"},
        "labels": ["a", "b"],
        "reporter": {"accountId": "u1"},
    },
    "changelog": {
        "total": 2,
        "histories": [
            {
                "id": "10",
                "created": "2026-01-02T04:04:05.000+0800",
                "items": [
                    {"field": "status", "fieldId": "status", "from": "1", "to": "3"},
                    {"field": "assignee", "fieldId": "assignee", "from": None, "to": "u2"},
                ],
            },
            {
                "id": "11",
                "created": "2026-01-02T05:04:05.000+0800",
                "items": [{"field": "status", "fieldId": "status", "from": "3", "to": "4"}],
            },
        ],
    },
}
GOOD = {**deepcopy(ISSUE), "id": "2", "key": "EE-2"}


def parse(body: Any, stream: type[Issues | Users | Worklogs] = Issues, **more: str) -> Parsed:
    """What a kept page holds."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = datetime(2026, 6, 1, tzinfo=UTC)
    line = Line("jira", "site", more, "https://x.test/rest/api/3/search/jql", at, content)
    parsed = stream(lambda _: pytest.fail("parsing asks nothing"), (), None).parse(line)
    for record_type in (Ticket, TicketTransition, Worklog, Account):
        rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
        assert parsed.seen[record_type.table] == len(parsed.records[record_type]) + rejected
    return parsed


def spoiled(path: str, value: Any) -> dict[str, Any]:
    """The issue with another value at a dotted path; `...` takes it away."""
    issue = deepcopy(ISSUE)
    holder: Any = issue
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        holder = holder[part]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return issue


# path, value in its place → tickets and transitions left of the issue, and what is said
BAD: dict[str, tuple[str, Any, int, int, str]] = {
    "no id": ("id", ..., 0, 0, "ticket $.issues[0] id: Field required"),
    "no key": ("key", ..., 0, 0, "ticket $.issues[0] key: Field required"),
    "key is a list": (
        "key", [], 0, 0, "ticket $.issues[0] key: Input should be a valid string"
    ),
    "no creation": (
        "fields.created", ..., 0, 0, "ticket $.issues[0] fields.created: Field required"
    ),
    "creation is no time": (
        "fields.created", "yesterday", 0, 0,
        ("ticket $.issues[0] fields.created: Input should be a valid datetime or date, input is "
        "too short"),
    ),
    "no fields": ("fields", None, 0, 0, "ticket $.issues[0] fields: Input should be an object"),
    "resolution date is no time": (
        "fields.resolutiondate", "soon", 1, 3,
        ("ticket EE-1.fields.resolutiondate Input should be a valid datetime or date, input is too "
        "short"),
    ),
    "status without a name": (
        "fields.status.name", ..., 1, 3, "ticket EE-1.fields.status name: Field required"
    ),
    "priority is a number": (
        "fields.priority", 5, 1, 3,
        "ticket EE-1.fields.priority Input should be an object",
    ),
    "a label is an object": (
        "fields.labels.1", {}, 1, 3, "ticket EE-1.fields.labels[1] Input should be a valid string"
    ),
    "labels are a text": (
        "fields.labels", "a b", 1, 3, "ticket EE-1.fields.labels Input should be a valid list"
    ),
    "reporter is a text": (
        "fields.reporter", "ann", 1, 3, "ticket EE-1.fields.reporter Input should be an object"
    ),
    "history without a time": (
        "changelog.histories.0.created", ..., 1, 1,
        "ticket_transition EE-1.changelog.histories[0] created: Field required",
    ),
    "item without a field": (
        "changelog.histories.0.items.1.field", ..., 1, 2,
        "ticket_transition issue 1, history 10.items[1] field: Field required",
    ),
    "history is null": (
        "changelog.histories.1", None, 1, 2,
        "ticket_transition EE-1.changelog.histories[1] Input should be an object",
    ),
    "history cut off": (
        "changelog.total", 52, 1, 0,
        "ticket_transition EE-1.changelog only 2 of 52 histories came with the issue",
    ),
    "changelog is a list": (
        "changelog", [], 1, 0, "ticket EE-1.changelog Input should be an object"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "tickets", "transitions", "message"), BAD.values(), ids=BAD
)
def test_a_bad_part_is_rejected_alone(
    path: str, value: Any, tickets: int, transitions: int, message: str
) -> None:
    """A child goes with its path; the issue only without its id, key or creation."""
    parsed = parse({"issues": [spoiled(path, value), GOOD]})
    (reject,) = parsed.rejects
    said = f"{reject.table} {reject.path} {reject.problem}"
    assert _without_advice(said) == message
    assert len(parsed.records[Ticket]) == tickets + 1
    assert len(parsed.records[TicketTransition]) == transitions + 3


def _without_advice(message: str) -> str:
    """Pydantic's words about Python types say nothing about payloads."""
    for words in (
        "Input should be a valid dictionary or instance of",
        "Input should be a valid dictionary or object to extract fields from",
    ):
        if words in message:
            return message[: message.index(words)] + "Input should be an object"
    return message


SHAPES: dict[str, tuple[type[Issues | Users | Worklogs], dict[str, str], Any, str]] = {
    "no list of issues": (
        Issues, {}, {"total": 3}, ("at $ expected an object with 'issues', found an object with "
        "'total'"),
    ),
    "issues are no list": (
        Issues, {}, {"issues": "none"}, "at $.issues expected a list, found str"
    ),
    "histories of nothing": (
        Issues, {"holds": "histories"}, [], ("at $ expected an object with 'issueChangeLogs', "
        "found list"),
    ),
    "worklogs are an object": (
        Worklogs, {}, {"worklogs": []}, "at $ expected a list, found an object with 'worklogs'"
    ),
    "users are null": (Users, {}, None, "at $ expected a list, found null"),
}  # fmt: skip


@pytest.mark.parametrize(("stream", "more", "body", "message"), SHAPES.values(), ids=SHAPES)
def test_a_page_of_unknown_shape_stops_with_url_field_and_expectation(
    stream: type[Issues | Users | Worklogs], more: dict[str, str], body: Any, message: str
) -> None:
    """Nothing is guessed about a page that is something else."""
    with pytest.raises(SourceError) as raised:
        parse(body, stream, **more)
    assert str(raised.value) == (
        f"https://x.test/rest/api/3/search/jql answered with a page of unknown shape: {message}; "
        "the source may have changed, update Leadline"
    )


def test_half_a_character_is_mended_and_counted() -> None:
    """Lone surrogates, which no database takes, become U+FFFD; the issue is kept."""
    body = json.dumps({"issues": [ISSUE]}).replace("A title", "A \\ud83d title").encode()
    parsed = parse(body)
    (ticket,) = parsed.records[Ticket]
    assert isinstance(ticket, Ticket)
    assert ticket.title == "A \ufffd title"
    assert parsed.mended["ticket"] == 1
    assert len(parsed.records[TicketTransition]) == 3


def test_bad_worklogs_and_users_are_rejected_alone() -> None:
    """With their place in the list."""
    worklog = {"id": "5", "issueId": "1", "started": 1767225600000, "timeSpentSeconds": 60}
    parsed = parse([{**worklog, "timeSpentSeconds": "long"}, worklog], Worklogs)
    assert len(parsed.records[Worklog]) == 1
    (reject,) = parsed.rejects
    assert (reject.path, reject.problem.partition(":")[0]) == ("$[0]", "timeSpentSeconds")
    users = parse([{"displayName": "Nobody"}, {"key": "JIRAUSER10000", "name": "ann"}], Users)
    (account,) = users.records[Account]
    assert isinstance(account, Account)
    assert (account.account_id, account.login) == ("jira:account:JIRAUSER10000", "ann")
    assert users.rejects[0].problem == "a user without accountId, key or name"


def test_items_of_custom_namesakes_are_no_transitions() -> None:
    """On Data Center, where items carry no field id, only Jira's own fields count."""
    issue = deepcopy(ISSUE)
    issue["changelog"]["histories"][0]["items"] = [
        {"field": "status", "fieldtype": "custom", "from": "1", "to": "2"},
        {"field": "status", "fieldtype": "jira", "from": "1", "to": "3", "toString": "Doing"},
        {"field": "status", "fieldtype": "jira", "from": "3", "to": "4", "toString": "Done"},
        {"field": "Sprint", "fieldtype": "custom", "from": "", "to": "4"},
    ]
    parsed = parse({"issues": [issue]}, categories='{"3": "in_progress", "4": "done"}')
    found = [t for t in parsed.records[TicketTransition] if isinstance(t, TicketTransition)]
    assert [(t.transition_id, t.to_value, t.to_category) for t in found] == [
        ("10", "Doing", "in_progress"),
        ("10#2", "Done", "done"),
        ("11", "4", "done"),
    ]


def test_a_document_is_read_as_its_words() -> None:
    """Paragraphs, breaks, mentions, links; any depth; anything else is nothing."""
    text = {"type": "text", "text": "Hello"}
    content = [
        {"type": "paragraph", "content": [text, {"type": "hardBreak"}, {"type": "text"}]},
        {"type": "mention", "attrs": {"text": "@Ann"}},
        {"type": "inlineCard", "attrs": {"url": "https://x.test"}},
    ]
    assert plain_text({"type": "doc", "content": content}) == "Hello\n\n@Annhttps://x.test"
    deep: dict[str, Any] = text
    for _ in range(5000):
        deep = {"type": "listItem", "content": [deep]}
    assert plain_text(deep) == "Hello"
    assert plain_text("") is None
    assert plain_text(["Hello"]) is None
    assert plain_text({"type": {}, "content": [{"type": [], "text": "?"}, "Hello"]}) == "Hello"


PULLED: dict[str, tuple[str, str, Any, str]] = {
    "search": ("issues", "/search", {"items": []}, "at issues expected a list, found null"),
    "status": ("issues", "/status", {"a": 1}, "at $ expected a list, found an object with 'a'"),
    "bulk": (
        "issues", "/changelog", {"issueChangeLogs": {}},
        "at issueChangeLogs expected a list, found an object with nothing",
    ),
    "updated": ("worklogs", "/worklog/updated", [], "at $ expected an object, found list"),
    "users": ("users", "/users", {}, "at $ expected a list, found an object with nothing"),
}  # fmt: skip


@pytest.mark.parametrize(("stream", "path", "body", "message"), PULLED.values(), ids=PULLED)
def test_an_unknown_answer_stops_the_stream_before_anything_moves(
    stream: str, path: str, body: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state stays; the message names URL, field and expectation."""
    monkeypatch.setenv("JIRA_TOKEN", "sandbox-token")
    with served() as jira:
        connection = pulled(jira)
        honest = connection.client

        for name in ("get", "post"):
            ask = getattr(honest, name)

            def answer(where: str, *given: Any, ask: Any = ask, **more: Any) -> Any:
                found = ask(where, *given, **more)
                if path not in where:
                    return found
                return type(found)(
                    url=found.url,
                    requested_at=found.requested_at,
                    status=200,
                    headers={},
                    body=json.dumps(body).encode(),
                )

            monkeypatch.setattr(honest, name, answer)
        with pytest.raises(SourceError) as raised:
            connection.sync(stream)
        assert message in str(raised.value)
        assert path in str(raised.value)
        assert "check base_url, or update Leadline" in str(raised.value)
        assert connection.states == {}
