"""Pull requests of GitHub: budgets, passes and their resumption, overflow, adaptive pages."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Line, Scope, SourceError, State
from connectors.failures import ForbiddenError, NotFoundError, RateLimitedError
from connectors.github_work import ChangeRequestsStream
from connectors.records import Account, ChangeRequest, ChangeRequestCommit, Review
from tests.connectors.github_fake import (
    NOW,
    OPTIONS,
    SCOPE,
    START,
    Forge,
    parsed,
    pull_request,
    pulled,
    pulling,
    rows,
    stamp,
)
from tests.connectors.web import Asked, Reply, script

STREAM = ChangeRequestsStream(OPTIONS)


def with_marker(marker: str, newest: datetime = START) -> Scope:
    """The scope as a probe that shows this marker opens it."""
    return Scope("77", {**SCOPE.attributes, "marker": marker, "newest": newest.isoformat()})


def test_a_thousand_pull_requests_cost_25_requests_at_most(tmp_path: Path) -> None:
    """With their reviews and commits, two of them too large for a page."""
    forge = Forge([pull_request(number) for number in range(1, 999)])
    forge.pulls += [pull_request(999, reviews=120), pull_request(1000, commits=250)]
    with pulling(forge.answer, tmp_path) as (web, pull):
        pages, _ = pulled(STREAM, pull)
        assert len(web.asked) <= 25
    found = parsed(STREAM, pages)
    assert len(rows(found, ChangeRequest)) == 1000
    assert len(rows(found, Review)) == 999 * 2 + 120
    assert len(rows(found, ChangeRequestCommit)) == 999 * 3 + 250
    assert not found.rejects


def test_overflow_pages_join_the_set_of_their_pull_request(tmp_path: Path) -> None:
    """They carry the time of the page they complete, go on counting, and move no state alone."""
    forge = Forge([pull_request(1), pull_request(2, commits=250)])
    with pulling(forge.answer, tmp_path) as (_, pull):
        pages, state = pulled(STREAM, pull)
    assert [page.set_at for page in pages] == [None, pages[0].requested_at, pages[0].requested_at]
    assert [page.state for page in pages] == [None, None, state]
    found = parsed(STREAM, pages)
    positions = [
        row["position"]
        for row in rows(found, ChangeRequestCommit)
        if row["change_request_id"] == "github:pull:5000000002"
    ]
    assert positions == list(range(250))
    versions = {at for key, at in found.sets[ChangeRequestCommit] if key.endswith("002")}
    assert versions == {START + timedelta(hours=2)}


def test_a_pass_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    """Oldest first: each page moves the mark, and nothing is asked twice."""
    forge = Forge([pull_request(number) for number in range(1, 181)])
    with pulling(forge.answer, tmp_path) as (web, pull):
        first = []
        for page in STREAM.pages(pull, SCOPE, State()):
            first.append(page)
            if len(first) == 2:
                break
        state = first[-1].state or State()
        assert state.cursor == (START + timedelta(hours=100, minutes=-5)).isoformat()
        rest, state = pulled(STREAM, pull, state)
        assert len(web.asked) == 4
    numbers = [row["number"] for row in rows(parsed(STREAM, first + rest), ChangeRequest)]
    assert numbers == list(range(1, 181))
    assert state.resume is None
    assert state.cursor == (START + timedelta(hours=180, minutes=-5)).isoformat()


def test_the_next_pass_reads_down_to_the_mark_only(tmp_path: Path) -> None:
    """Newest first until what is known; the mark moves when the pass is complete."""
    forge = Forge([pull_request(number) for number in range(1, 301)])
    with pulling(forge.answer, tmp_path) as (web, pull):
        _, state = pulled(STREAM, pull)
        web.asked.clear()
        forge.pulls += [pull_request(number) for number in range(301, 361)]
        moved = pull_request(7, updatedAt=stamp(START + timedelta(hours=400)))
        forge.pulls[6] = moved
        pages, after = pulled(STREAM, pull, state)
        assert len(web.asked) == 2
    assert pages[0].state is not None
    assert pages[0].state.cursor == state.cursor
    numbers = {row["number"] for row in rows(parsed(STREAM, pages), ChangeRequest)}
    assert numbers >= {7, *range(301, 361)}
    assert after.cursor == (START + timedelta(hours=400, minutes=-5)).isoformat()


def test_an_incremental_pass_cut_off_keeps_its_target(tmp_path: Path) -> None:
    """The mark of a descending pass is that of its first page, even after a restart."""
    forge = Forge([pull_request(number) for number in range(1, 201)])
    state = State(cursor=(START + timedelta(hours=20)).isoformat())
    with pulling(forge.answer, tmp_path) as (_, pull):
        first = next(iter(STREAM.pages(pull, SCOPE, state)))
        assert first.state is not None
        rest, after = pulled(STREAM, pull, first.state)
    numbers = {row["number"] for row in rows(parsed(STREAM, [first, *rest]), ChangeRequest)}
    assert numbers >= set(range(20, 201))
    assert after.cursor == (START + timedelta(hours=200, minutes=-5)).isoformat()


def test_nothing_older_than_the_start_date_is_asked_for(tmp_path: Path) -> None:
    """A first pass with a start date runs from the newest down to it."""
    day = (START + timedelta(hours=150)).date()
    stream = ChangeRequestsStream(OPTIONS.model_copy(update={"start_date": day}))
    forge = Forge([pull_request(number) for number in range(1, 201)])
    with pulling(forge.answer, tmp_path) as (web, pull):
        pulled(stream, pull)
        assert len(web.asked) == 2


def test_an_unchanged_marker_costs_no_request(tmp_path: Path) -> None:
    """What the probe shows unchanged is not asked for; what it shows changed is."""
    forge = Forge([pull_request(1)])
    with pulling(forge.answer, tmp_path) as (web, pull):
        _, state = pulled(STREAM, pull, scope=with_marker("[1]"))
        assert pulled(STREAM, pull, state, with_marker("[1]")) == ([], state)
        assert len(web.asked) == 1
        pulled(STREAM, pull, state, with_marker("[2]"))
        assert len(web.asked) == 2


def test_a_marker_of_this_very_minute_is_not_trusted(tmp_path: Path) -> None:
    """Another change within the same second would not show in it."""
    with pulling(Forge([pull_request(1)]).answer, tmp_path) as (_, pull):
        _, state = pulled(STREAM, pull, scope=with_marker("[1]", datetime.now(UTC)))
    assert state.marker is None


@pytest.mark.parametrize("spoil", ["heavy_above", "partial_above"])
def test_pages_shrink_when_github_cannot_finish_them(spoil: str, tmp_path: Path) -> None:
    """Whether it answers 502 or only a part; afterwards they grow again."""
    forge = Forge([pull_request(number) for number in range(1, 101)], **{spoil: 15})  # type: ignore[arg-type]
    with pulling(forge.answer, tmp_path) as (_, pull):
        pages, _ = pulled(STREAM, pull)
    found = parsed(STREAM, pages)
    assert len(rows(found, ChangeRequest)) == 100
    assert not found.rejects
    assert min(forge.sizes) == 12
    assert forge.sizes.count(24) > 0


def test_one_item_that_github_cannot_give_is_rejected_alone(tmp_path: Path) -> None:
    """It does not block the others for ever, and it is not lost silently."""
    forge = Forge([pull_request(number) for number in range(1, 11)], broken={4})
    with pulling(forge.answer, tmp_path) as (_, pull):
        pages, _ = pulled(STREAM, pull)
    found = parsed(STREAM, pages)
    assert {row["number"] for row in rows(found, ChangeRequest)} == {*range(1, 11)} - {4}
    [reject] = found.rejects
    assert reject.path == "$.data.node.pullRequests.nodes[0]"
    assert "null" in reject.problem
    assert found.seen["change_request"] == 10


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        ({"type": "FORBIDDEN", "message": "SAML enforcement"}, ForbiddenError, "single sign-on"),
        ({"type": "NOT_FOUND", "message": "Could not resolve"}, NotFoundError, "token's access"),
        ({"message": "Field 'x' doesn't exist"}, SourceError, "refused the query"),
    ],
)
def test_refused_queries_say_why(
    error: dict[str, str], expected: type[Exception], words: str, tmp_path: Path
) -> None:
    """GraphQL refuses with 200: the reason is in the errors."""
    reply = Reply(200, {"data": {"node": None}, "errors": [{**error, "path": ["node"]}]})
    with pulling(script(reply), tmp_path) as (_, pull), pytest.raises(expected, match=words):
        pulled(STREAM, pull)


def test_a_limit_told_with_200_is_a_limit(tmp_path: Path) -> None:
    """The primary limit of GraphQL is not an HTTP error, and is not taken for a heavy page."""
    reset = str(int(datetime.now(UTC).timestamp()) + 90_000)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    reply = Reply(200, {"errors": [{"type": "RATE_LIMIT", "message": "exceeded"}]}, headers)
    with pulling(script(reply), tmp_path) as (web, pull):
        with pytest.raises(RateLimitedError):
            pulled(STREAM, pull)
        assert len(web.asked) == 1


def test_a_forgotten_place_starts_the_pass_again(tmp_path: Path) -> None:
    """A cursor that GitHub does not know any more is not an error for ever."""
    forge = Forge([pull_request(1)])
    stale = {"type": "INVALID_CURSOR_ARGUMENTS", "message": "`x` does not appear to be valid"}

    def answer(asked: Asked) -> Reply:
        if json.loads(asked.body)["variables"]["after"] == "x":
            return Reply(200, {"data": {"node": None}, "errors": [stale]})
        return forge.answer(asked)

    state = State(resume='{"direction": "ASC", "after": "x"}')
    with pulling(answer, tmp_path) as (_, pull):
        pages, _ = pulled(STREAM, pull, state)
    assert len(rows(parsed(STREAM, pages), ChangeRequest)) == 1


def one(**changed: Any) -> Any:
    """What the parser makes of one pull request."""
    node = {**pull_request(1), **changed}
    for name in ("reviews", "commits"):
        if isinstance(node[name], list):
            node[name] = {"nodes": node[name]}
    body = {"data": {"node": {"pullRequests": {"nodes": [node]}}}}
    return parsed_body(json.dumps(body).encode())


def parsed_body(body: bytes) -> Any:
    """What the parser makes of a page."""
    line = Line("github", "77", SCOPE.attributes, "https://api.github.com/graphql#x", NOW, body)
    return STREAM.parse(line)


def test_a_pull_request_becomes_records() -> None:
    """Ids, people, keys of tickets, and times in UTC."""
    found = one()
    [change] = rows(found, ChangeRequest)
    assert change["change_request_id"] == "github:pull:5000000001"
    assert change["author"] == "github:account:person-1"
    assert change["ticket_keys"] == ["LED-1"]
    assert change["ready_at"] == change["created_at"] == START - timedelta(hours=4)
    assert change["merged_at"] == START + timedelta(hours=1)
    assert change["labels"] == ["bug"]
    assert [row["review_id"] for row in rows(found, Review)] == [
        "github:review:1000",
        "github:review:1001",
    ]
    assert [row["position"] for row in rows(found, ChangeRequestCommit)] == [0, 1, 2]


READY, DRAFT = "ReadyForReviewEvent", "ConvertToDraftEvent"


@pytest.mark.parametrize(
    ("is_draft", "events", "hours"),
    [
        (False, [], -4),
        (True, [], None),
        (False, [(READY, 0)], 0),
        (False, [(DRAFT, -3), (READY, 0)], 0),
        (True, [(READY, -2), (DRAFT, 0)], -2),
        (False, [(READY, -2), (DRAFT, -1), (READY, 0)], -2),
    ],
)
def test_ready_is_when_review_was_first_asked_for(
    is_draft: bool, events: list[tuple[str, int]], hours: int | None
) -> None:
    """The first time it was marked ready, else its opening; a draft never was."""
    nodes = [
        {"__typename": kind, "createdAt": stamp(START + timedelta(hours=hour))}
        for kind, hour in events
    ]
    [change] = rows(one(isDraft=is_draft, timelineItems={"nodes": nodes}), ChangeRequest)
    assert change["ready_at"] == (None if hours is None else START + timedelta(hours=hours))


def test_ghosts_bots_and_nulls_are_taken_as_they_are() -> None:
    """Everything that can be null is null at once; a bot is told with the name REST gives it."""
    optional = [
        "title", "url", "isDraft", "updatedAt", "mergedAt", "closedAt", "author", "baseRefName",
        "headRefName", "headRefOid", "mergeCommit", "additions", "deletions", "labels", "reviews",
        "commits", "timelineItems",
    ]  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(optional)
    found = one(**nothing, mergedBy={"__typename": "Bot", "login": "Renovate"})
    [change] = rows(found, ChangeRequest)
    assert change["author"] is None
    assert change["merged_by"] == "github:account:renovate[bot]"
    assert rows(found, Account)[0] == {
        "account_id": "github:account:renovate[bot]",
        "login": "Renovate[bot]",
        "name": None,
        "email": None,
        "is_bot": True,
        "source_updated_at": None,
    }
    assert not found.rejects


def test_a_bad_child_is_rejected_alone_with_its_path() -> None:
    """The pull request and its other reviews and commits stay."""
    review = {"fullDatabaseId": "8", "state": "APPROVED", "submittedAt": stamp(START)}
    found = one(
        reviews={"nodes": [{**review, "submittedAt": "yesterday"}, review, None]},
        commits={"nodes": [{"commit": {"oid": 17}}]},
    )
    assert len(rows(found, ChangeRequest)) == 1
    assert [row["review_id"] for row in rows(found, Review)] == ["github:review:8"]
    place = "$.data.node.pullRequests.nodes[0]"
    assert [(reject.table, reject.path) for reject in found.rejects] == [
        ("review", f"{place}.reviews.nodes[0]"),
        ("review", f"{place}.reviews.nodes[2]"),
        ("change_request_commit", f"{place}.commits.nodes[0]"),
    ]
    assert "submittedAt" in found.rejects[0].problem
    assert found.seen == {"change_request": 1, "review": 3, "change_request_commit": 1}


@pytest.mark.parametrize(
    "changed",
    [{"fullDatabaseId": None}, {"createdAt": "2026-13-01T00:00:00Z"}, {"createdAt": "2026-03-01"}],
    ids=["no key", "no such time", "no zone"],
)
def test_a_parent_with_a_bad_key_or_time_is_rejected(changed: dict[str, Any]) -> None:
    """One reject for the whole of it."""
    found = one(**changed)
    assert rows(found, ChangeRequest) == []
    assert [reject.table for reject in found.rejects] == ["change_request"]
    assert next(iter(changed)) in found.rejects[0].problem


def test_lone_surrogates_become_replacement_signs_and_are_counted() -> None:
    """DuckDB and Arrow take none; the rest of the page is as it was."""
    found = one(title="half \ud83d LED-9")
    [change] = rows(found, ChangeRequest)
    assert change["title"] == "half � LED-9"
    assert found.mended == {"change_request": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data": {"node": {}}}', r"at \$.data.node expected an object with 'pullRequests'"),
        (b'{"message": "hello"}', r"at \$ expected an object with 'data', found .*'message'"),
        (b'{"data": {"node": {"pullRequests": {"nodes": null}}}}', "expected a list, found null"),
        (b"not json", "is not JSON"),
    ],
)
def test_a_page_of_unknown_shape_is_an_error(body: bytes, words: str) -> None:
    """It names the address, the field, and what was expected there."""
    with pytest.raises(SourceError, match=words) as told:
        parsed_body(body)
    assert "https://api.github.com/graphql" in str(told.value)
