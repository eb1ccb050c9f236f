"""The HTTP client against a real server: retries, limits, redirects, paging, and its messages."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.client import Client
from connectors.failures import (
    BrokenAnswerError,
    ElsewhereError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    NotJsonError,
    RateLimitedError,
    RefusedError,
    SingleSignOnError,
    TooLargeError,
    UnauthorisedError,
    UnavailableError,
    UnreachableError,
)
from tests.connectors.web import Asked, Reply, Web, script, serving

CANARY = "canary-token-5f1d9"
START = 1_780_000_000.0


class Sleeper:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clock(self) -> float:
        return START + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def sleeper() -> Sleeper:
    """Time that passes by sleeping only."""
    return Sleeper()


@contextmanager
def client_of(web: Web, sleeper: Sleeper, **options: Any) -> Iterator[Client]:
    settings: dict[str, Any] = {
        "base_url": f"{web.url}/api",
        "authenticate": lambda: {"authorization": f"Bearer {CANARY}"},
        "clock": sleeper.clock,
        "sleep": sleeper.sleep,
        "backoff_seconds": 0.0,
    }
    with Client(**{**settings, **options}) as client:
        yield client


@pytest.mark.parametrize(
    "spoiled",
    [
        Reply(500, {"message": "Server Error"}),
        Reply(502, b"<html>Unicorn</html>"),
        Reply(503, {}),
        Reply(200, {"long": "x" * 500}, cut=100),
        Reply(200, b'{"half": '),
        Reply(200, b"<html>log in</html>"),
    ],
    ids=["500", "502", "503", "cut off", "half a JSON", "a web page"],
)
def test_a_spoiled_answer_is_asked_for_again(spoiled: Reply, sleeper: Sleeper) -> None:
    """One spoiled answer costs one more request and nothing else."""
    with serving(script(spoiled, Reply(200, [1, 2]))) as web, client_of(web, sleeper) as client:
        answer = client.get("things")
        assert answer.body == b"[1, 2]"
        assert client.requests == len(web.asked) == 2


def test_a_read_only_post_is_tried_again_too(sleeper: Sleeper) -> None:
    """Queries by POST change nothing, so they are repeated with the same body."""
    with (
        serving(script(Reply(502, b""), Reply(200, {}))) as web,
        client_of(web, sleeper) as client,
    ):
        client.post("graphql", {"query": "{ a }"})
        assert [asked.body for asked in web.asked] == [b'{"query":"{ a }"}'] * 2


def test_a_server_that_stays_broken_is_given_up(sleeper: Sleeper) -> None:
    """After all attempts the last reason is told."""
    with (
        serving(script(Reply(503, {"message": "maintenance"}))) as web,
        client_of(web, sleeper, attempts=3) as client,
        pytest.raises(UnavailableError, match=r'/api/things: the server failed \(503\): "maint'),
    ):
        client.get("things")
    assert len(web.asked) == 3


def test_no_connection_names_the_host(sleeper: Sleeper) -> None:
    """A refused connection says where and what to check."""
    with (
        Client(base_url="http://127.0.0.1:9", attempts=2, backoff_seconds=0) as client,
        pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1:9 .* check base_url"),
    ):
        client.get("things")


def reset_in(seconds: float) -> str:
    return str(int(START + seconds))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7),
        (
            429,
            {"retry-after": format_datetime(datetime.fromtimestamp(START + 9, UTC), usegmt=True)},
            9,
        ),
        (403, {"retry-after": "60"}, 60),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset_in(120)}, 120),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, 30),
        (
            429,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-05-28T20:27:00Z"},
            datetime(2026, 5, 28, 20, 27, tzinfo=UTC).timestamp() - START,
        ),
        (429, {}, 60),
        (503, {"retry-after": "5"}, 5),
    ],
    ids=["seconds", "date", "secondary", "primary", "in seconds", "ISO", "no word", "503"],
)
def test_the_wait_asked_for_is_waited(
    status: int, headers: dict[str, str], seconds: float, sleeper: Sleeper
) -> None:
    """Retry-After first, the reset header next, a minute where nothing is named."""
    replies = script(Reply(status, {"message": "slow down"}, headers), Reply(200, []))
    with serving(replies) as web, client_of(web, sleeper) as client:
        client.get("things")
        assert sum(sleeper.slept) == pytest.approx(seconds, abs=1)
        assert client.requests == 2


def test_a_wait_beyond_all_patience_is_an_error_at_once(sleeper: Sleeper) -> None:
    """A run does not hang for a day; the message names the wait."""
    with (
        serving(script(Reply(429, {}, {"retry-after": "86400"}))) as web,
        client_of(web, sleeper) as client,
        pytest.raises(RateLimitedError, match="asks to wait 86400 s"),
    ):
        client.get("things")
    assert sleeper.slept == []
    assert len(web.asked) == 1


def test_waits_without_end_stop_after_an_hour(sleeper: Sleeper) -> None:
    """The total wait of one request is bounded, however often the source asks."""
    with (
        serving(script(Reply(429, {}, {"retry-after": "600"}))) as web,
        client_of(web, sleeper) as client,
        pytest.raises(RateLimitedError),
    ):
        client.get("things")
    assert sum(sleeper.slept) == 3600


def test_an_emptied_limit_holds_the_next_request_back(sleeper: Sleeper) -> None:
    """The answer that used the limit up is good; what follows waits for the reset."""
    empty = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset_in(90)}
    with (
        serving(script(Reply(200, [], empty), Reply(200, []))) as web,
        client_of(web, sleeper) as client,
    ):
        client.get("one")
        client.post("graphql", {}, bucket="graphql")
        assert sleeper.slept == []
        client.get("two")
        assert sum(sleeper.slept) == pytest.approx(90)
        assert len(web.asked) == 3


def test_one_limiter_serves_all_clients_of_a_credential(sleeper: Sleeper) -> None:
    """A wait asked of one client holds back another of the same host and credential."""
    empty = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset_in(30)}
    with (
        serving(script(Reply(200, [], empty), Reply(200, []))) as web,
        client_of(web, sleeper) as first,
        client_of(web, sleeper) as second,
    ):
        first.get("one")
        second.get("two")
        assert sum(sleeper.slept) == pytest.approx(30)


def test_no_more_requests_are_under_way_than_allowed(sleeper: Sleeper) -> None:
    """Eight threads share two places."""
    inside, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=5)

    def answer(_: Asked) -> Reply:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        both.wait()
        with lock:
            inside -= 1
        return Reply(200, [])

    with serving(answer) as web, client_of(web, sleeper, concurrency=2) as client:
        threads = [threading.Thread(target=client.get, args=("things",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 2


@pytest.mark.parametrize("name", ["x-ratelimit", "ratelimit"])
def test_no_more_are_asked_than_are_left_of_the_limit(sleeper: Sleeper, name: str) -> None:
    """Eight threads near the end of a limit of five: none is refused, the rest waits."""
    reset = reset_in(60)
    left, lock = 5, threading.Lock()
    refused: list[str] = []

    def answer(asked: Asked) -> Reply:
        nonlocal left
        with lock:
            if sleeper.slept:
                left = 100
            if left == 0:
                refused.append(asked.path)
                return Reply(429, {}, {"retry-after": "60"})
            left -= 1
            told = {f"{name}-remaining": str(left), f"{name}-reset": reset}
        return Reply(200, [], told)

    with serving(answer) as web, client_of(web, sleeper, concurrency=8) as client:
        client.get("first")
        threads = [threading.Thread(target=client.get, args=(f"{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert refused == []
    assert len(web.asked) == 9
    assert max(sleeper.slept) == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(401, {"message": "Bad credentials"}), UnauthorisedError, "wrong or expired"),
        (Reply(403, {"message": "Resource not accessible"}), ForbiddenError, "permission"),
        (Reply(403, {}, {"X-GitHub-SSO": "required; url=https://x"}), SingleSignOnError, "SSO"),
        (Reply(404, {"message": "Not Found"}), NotFoundError, "check the name"),
        (Reply(410, {"errorMessages": ["removed"]}), GoneError, 'gone: "removed"'),
        (Reply(422, {"message": "no"}), RefusedError, r"refused the request \(422\)"),
    ],
)
def test_refusals_are_told_with_a_remedy_and_not_repeated(
    reply: Reply, error: type[Exception], words: str, sleeper: Sleeper
) -> None:
    """Each status has its own error, its address, and what to do."""
    with (
        serving(script(reply)) as web,
        client_of(web, sleeper) as client,
        pytest.raises(error, match=words) as told,
    ):
        client.get("things/7")
    assert "/api/things/7" in str(told.value)
    assert len(web.asked) == 1


def test_a_page_for_people_is_recognised(sleeper: Sleeper) -> None:
    """A log-in wall that answers 200 does not pass for an empty list."""
    with (
        serving(script(Reply(200, b"<!DOCTYPE html><title>Sign in</title>"))) as web,
        client_of(web, sleeper, attempts=2) as client,
        pytest.raises(NotJsonError, match="a log-in page or proxy stands in the way"),
    ):
        client.get("things")


def test_lone_surrogates_are_not_taken_for_a_broken_body(sleeper: Sleeper) -> None:
    """Half an emoji in a title is the parser's business, not the network's."""
    body = b'[{"title": "half \\ud83d"}]'
    with serving(script(Reply(200, body))) as web, client_of(web, sleeper) as client:
        assert client.get("things").body == body


def test_too_large_a_body_is_not_read_to_its_end(sleeper: Sleeper) -> None:
    """The limit stops the reading, with what to do about it."""
    with (
        serving(script(Reply(200, b"[" + b" " * 3_000_000 + b"]"))) as web,
        client_of(web, sleeper, largest_body=1 << 20) as client,
        pytest.raises(TooLargeError, match="more than 1 MB"),
    ):
        client.get("things")


def test_a_tag_brings_not_modified(sleeper: Sleeper) -> None:
    """With the tag of the last answer an unchanged page costs no body."""

    def answer(asked: Asked) -> Reply:
        is_known = asked.headers.get("if-none-match") == '"v1"'
        return Reply(304) if is_known else Reply(200, [1], {"ETag": '"v1"'})

    with serving(answer) as web, client_of(web, sleeper) as client:
        first = client.get("things")
        assert not first.not_modified
        again = client.get("things", etag=first.etag)
        assert again.not_modified
        assert again.body == b""


def test_redirects_within_the_origin_are_followed_and_moves_told(sleeper: Sleeper) -> None:
    """A renamed repository answers 301: the credential goes along, the new place is told."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/api/old?page=2":
            return Reply(301, {}, {"location": "/api/middle"})
        if asked.path == "/api/middle":
            return Reply(302, {}, {"location": "/api/new"})
        return Reply(200, [asked.headers["authorization"]])

    with serving(answer) as web, client_of(web, sleeper) as client:
        answered = client.get("old", {"page": 2, "left_out": None})
        assert CANARY.encode() in answered.body
        assert answered.moved_to == f"{web.url}/api/middle"


@pytest.mark.parametrize("header", ["location", "link"])
def test_the_credential_goes_to_no_other_host(header: str, sleeper: Sleeper) -> None:
    """Neither a redirect nor a next link leads off the configured origin."""
    with serving(script(Reply(200, []))) as thief:
        target = f"{thief.url}/api/things?access_token=hidden"
        reply = (
            Reply(302, {}, {"location": target})
            if header == "location"
            else Reply(200, [], {"link": f'<{target}>; rel="next"'})
        )
        with (
            serving(script(reply)) as web,
            client_of(web, sleeper) as client,
            pytest.raises(ElsewhereError, match=r"refused to follow .*access_token=\*\*\*"),
        ):
            client.get(client.next_link(client.get("things")) or "")
        assert thief.asked == []


def test_a_circle_of_redirects_ends(sleeper: Sleeper) -> None:
    """Six requests are enough to see it."""
    with (
        serving(script(Reply(302, {}, {"location": "/api/again"}))) as web,
        client_of(web, sleeper) as client,
        pytest.raises(ElsewhereError, match="in a circle"),
    ):
        client.get("again")
    assert len(web.asked) == 6


def test_next_links_are_followed_to_the_last_page(sleeper: Sleeper) -> None:
    """Pages are found by their links, whatever address those have."""

    def answer(asked: Asked) -> Reply:
        if "page=3" in asked.path:
            return Reply(200, [3], {"link": '</api/x?page=1>; rel="first"'})
        number = 3 if "page=2" in asked.path else 2
        links = f'</api/x?page=9>; rel="last", </repositories/1/x?page={number}>; rel="next"'
        return Reply(200, [number - 1], {"link": links})

    with serving(answer) as web, client_of(web, sleeper) as client:
        bodies, url = [], "x"
        while True:
            page = client.get(url)
            bodies.append(page.body)
            following = client.next_link(page)
            if following is None:
                break
            url = following
        assert bodies == [b"[1]", b"[2]", b"[3]"]


class Renewable:
    """A credential that can be had anew."""

    identity = "renewable"

    def __init__(self) -> None:
        self.renewals = 0

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer token-{self.renewals}"}

    def renew(self) -> bool:
        self.renewals += 1
        return True


def test_an_expired_credential_is_renewed_once(sleeper: Sleeper) -> None:
    """A 401 in the middle of a run brings a new token and the same request again."""

    def answer(asked: Asked) -> Reply:
        is_new = asked.headers["authorization"] == "Bearer token-1"
        return Reply(200, []) if is_new else Reply(401, {"message": "expired"})

    auth = Renewable()
    with serving(answer) as web, client_of(web, sleeper, authenticate=auth) as client:
        client.get("things")
        client.get("things")
        assert auth.renewals == 1
        assert len(web.asked) == 3


def test_a_refused_renewal_is_an_error(sleeper: Sleeper) -> None:
    """Renewing does not go round in circles."""
    auth = Renewable()
    with (
        serving(script(Reply(401, {}))) as web,
        client_of(web, sleeper, authenticate=auth) as client,
        pytest.raises(UnauthorisedError),
    ):
        client.get("things")
    assert auth.renewals == 1
    assert len(web.asked) == 2


def test_the_token_is_in_no_message_log_or_repr(
    sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    """Even when the source echoes it back."""
    caplog.set_level(logging.DEBUG)
    echo = Reply(400, {"message": f"what is {CANARY}?"})
    broken = Reply(200, b"nonsense")
    with (
        serving(script(Reply(500, {"message": CANARY}), echo, broken)) as web,
        client_of(web, sleeper, attempts=2) as client,
    ):
        said = [repr(client)]
        for _ in range(2):
            with pytest.raises((RefusedError, BrokenAnswerError)) as told:
                client.get("things")
            said.append(repr(told.value))
        assert web.asked[0].headers["authorization"].endswith(CANARY)
    assert "***" in said[1]
    assert CANARY not in "".join(said)
    assert CANARY not in caplog.text


def test_retries_are_logged_and_not_printed(
    sleeper: Sleeper, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output belongs to the results of commands."""
    caplog.set_level(logging.INFO, "leadline.client")
    limit = Reply(429, {}, {"retry-after": "3"})
    with (
        serving(script(Reply(502, b""), limit, Reply(200, []))) as web,
        client_of(web, sleeper) as client,
    ):
        client.get("things")
    assert capsys.readouterr().out == ""
    assert "the server failed (502)" in caplog.text
    assert "waiting 3 s" in caplog.text


@pytest.mark.parametrize("base_url", ["ftp://x", "https://", "https://me:secret@host/api", "host"])
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    """Credentials do not belong into an address, and the message does not repeat them."""
    with pytest.raises(Exception, match="base_url") as told:
        Client(base_url=base_url)
    assert "secret" not in str(told.value)
