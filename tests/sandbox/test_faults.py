"""Every fault on demand does to a real client what its name says, where and as often as told."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from starlette.types import ASGIApp

from sandbox.faults import Fault, Faults, Rule
from sandbox.github_app import github_app
from sandbox.organisation import Organisation
from sandbox.serving import Server
from sandbox.world import World
from tests.sandbox.github_world import START

PULLS = "/repos/tideworks/harbour/pulls"
RESETS = (httpx.RemoteProtocolError, httpx.ReadError)


class Rig:
    """A client of the small organisation's GitHub, and the faults in between."""

    def __init__(self, serve: Callable[[ASGIApp], Server], organisation: Organisation) -> None:
        self.world = World(organisation)
        self.faults = Faults(
            github_app(self.world),
            advance=self.world.advance,
            now=lambda: 1000.0,
        )
        server = serve(self.faults)
        self.faults.reset = server.reset
        self.client = httpx.Client(
            base_url=server.url,
            headers={"authorization": "Bearer sandbox-token"},
            timeout=10,
            trust_env=False,
        )

    def query(self, text: str) -> httpx.Response:
        """The answer to a GraphQL query."""
        return self.client.post("/graphql", json={"query": text})


@pytest.fixture
def rig(serve: Callable[[ASGIApp], Server], tiny: Organisation) -> Iterator[Rig]:
    """The rig, closed afterwards."""
    rig = Rig(serve, tiny)
    with rig.client:
        yield rig


@pytest.mark.parametrize(
    ("fault", "status", "header", "value"),
    [
        (Fault.TOO_MANY_REQUESTS, 429, "retry-after", "7"),
        (Fault.SECONDARY_LIMIT, 403, "retry-after", "7"),
        (Fault.PRIMARY_LIMIT, 403, "x-ratelimit-remaining", "0"),
        (Fault.PRIMARY_LIMIT, 403, "x-ratelimit-reset", "1008"),
        (Fault.GRAPHQL_RATE_LIMIT, 200, "x-ratelimit-remaining", "0"),
        (Fault.SERVER_ERROR, 500, "content-type", "application/json; charset=utf-8"),
        (Fault.UNAVAILABLE, 503, "content-type", "application/json; charset=utf-8"),
        (Fault.BAD_GATEWAY, 502, "content-type", "text/html"),
        (Fault.HTML, 200, "content-type", "text/html"),
    ],
)
def test_answers_instead_of_the_right_one(
    rig: Rig, fault: Fault, status: int, header: str, value: str
) -> None:
    """Limits and failures have their status and headers, and the next request is whole again."""
    rig.faults.set(Rule(fault=fault, seconds=7, at_most=1))
    spoilt = rig.client.get(PULLS)
    assert (spoilt.status_code, spoilt.headers[header]) == (status, value)
    assert rig.client.get(PULLS).json()[0]["number"] == 120


def test_a_reset_breaks_the_connection_in_the_middle(rig: Rig) -> None:
    """The client gets part of a body and then an error, never a whole answer."""
    rig.faults.set(Rule(fault=Fault.RESET, at_most=1))
    got = 0
    with pytest.raises(RESETS), rig.client.stream("GET", PULLS) as answer:  # noqa: PT012
        for chunk in answer.iter_raw():
            got += len(chunk)
    assert rig.client.get(PULLS).status_code == 200
    assert got < int(answer.headers["content-length"])


def test_without_a_server_to_reset_the_body_is_cut(
    serve: Callable[[ASGIApp], Server], tiny: Organisation
) -> None:
    """The middleware alone leaves a promise of more bytes than come."""
    rules = [Rule(fault=Fault.RESET)]
    url = serve(Faults(github_app(World(tiny)), rules, now=lambda: 0.0)).url
    headers = {"authorization": "Bearer sandbox-token"}
    with pytest.raises(RESETS):
        httpx.get(url + PULLS, headers=headers, trust_env=False)


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.MALFORMED_JSON])
def test_broken_bodies_look_whole_to_http(rig: Rig, fault: Fault) -> None:
    """The answer ends properly with 200, yet no parser takes it."""
    rig.faults.set(Rule(fault=fault, at_most=1))
    answer = rig.client.get(PULLS)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    whole = rig.client.get(PULLS)
    assert whole.json()
    if fault is Fault.TRUNCATED:
        assert whole.content.startswith(answer.content)
        assert "content-length" not in answer.headers


def test_a_slow_answer_comes_late_but_whole(rig: Rig) -> None:
    """SLOW is over the patience of a client with a short time-out, and right for others."""
    rig.faults.set(Rule(fault=Fault.SLOW, seconds=0.3))
    with pytest.raises(httpx.TimeoutException):
        rig.client.get(PULLS, timeout=0.05)
    assert rig.client.get(PULLS).json()


def test_partial_graphql_loses_one_node(rig: Rig) -> None:
    """The last node of the first list is null and an error names its path."""
    rig.faults.set(Rule(fault=Fault.GRAPHQL_PARTIAL, at_most=1, path="/graphql"))
    text = '{ organization(login: "tideworks") { repositories(first: 9) { nodes { name } } } }'
    body = rig.query(text).json()
    assert body["data"]["organization"]["repositories"]["nodes"][-1] is None
    assert body["errors"][0]["path"] == ["organization", "repositories", "nodes", 2]
    assert "errors" not in rig.query(text).json()


def test_drift_lets_an_item_appear_between_two_pages(rig: Rig) -> None:
    """Between page one and two a new item comes in front, so that one is read twice."""
    rig.world.visible_until = START + timedelta(days=40, hours=12)
    rig.faults.set(Rule(fault=Fault.DRIFT, path=r"[?&]page=", seconds=86_400))
    url: str | None = f"{PULLS}?state=all&per_page=10"
    numbers: list[int] = []
    while url:
        answer = rig.client.get(url)
        numbers += [item["number"] for item in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert len(numbers) > len(set(numbers))
    assert set(numbers) == set(range(1, 41))
    assert rig.world.visible_until == START + timedelta(days=44, hours=12)


def statuses(rig: Rig, *paths: str) -> list[int]:
    """The statuses of some requests, one after another."""
    return [rig.client.get(path).status_code for path in paths]


def test_rules_choose_by_turn(rig: Rig) -> None:
    """`skip` spares the first, `every` takes each n-th, `at_most` ends it."""
    rig.faults.set(Rule(fault=Fault.UNAVAILABLE, skip=1, every=2, at_most=2))
    assert statuses(rig, *["/meta"] * 8) == [200, 200, 503, 200, 503, 200, 200, 200]


def test_rules_choose_by_path_and_method(rig: Rig) -> None:
    """A path is searched for in path and query; another method is left alone."""
    rig.faults.set(
        Rule(fault=Fault.UNAVAILABLE, path=r"pulls\?.*page=2"),
        Rule(fault=Fault.SERVER_ERROR, method="POST"),
    )
    assert statuses(rig, "/meta", f"{PULLS}?page=2", f"{PULLS}?page=3") == [200, 503, 200]
    assert rig.query("{ rateLimit { cost } }").status_code == 500


def test_once_per_url_spares_the_second_time(rig: Rig) -> None:
    """Each address fails once; a retry passes."""
    rig.faults.set(Rule(fault=Fault.UNAVAILABLE, once_per_url=True))
    urls = ["/meta", f"{PULLS}?page=1", "/meta", f"{PULLS}?page=1", f"{PULLS}?page=2"]
    assert statuses(rig, *urls) == [503, 503, 200, 200, 503]
    assert [hit.url for hit in rig.faults.hits] == ["/meta", f"{PULLS}?page=1", f"{PULLS}?page=2"]


def test_chance_is_drawn_from_the_seed_not_from_the_order(rig: Rig) -> None:
    """The same requests meet the same faults in whatever order they come."""
    urls = [f"/meta?x={number}" for number in range(40)]

    def hit(order: list[str], seed: int) -> set[str]:
        rig.faults.seed = seed
        rig.faults.set(Rule(fault=Fault.UNAVAILABLE, chance=0.5))
        statuses(rig, *order)
        return {hit.url for hit in rig.faults.hits}

    first = hit(urls, 1)
    assert 5 < len(first) < 35
    assert hit(urls[::-1], 1) == first
    assert hit(urls, 2) != first


def test_clear_ends_all_faults(rig: Rig) -> None:
    """After `clear` everything is answered truly, and nothing is remembered."""
    rig.faults.set(Rule(fault=Fault.UNAVAILABLE))
    assert statuses(rig, "/meta") == [503]
    rig.faults.clear()
    assert statuses(rig, "/meta") == [200]
    assert rig.faults.hits == []
