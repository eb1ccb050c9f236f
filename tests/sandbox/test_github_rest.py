"""The REST side of the served GitHub: pages, caps, limits, ETags, names, times."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.github_protocol import GithubSettings
from tests.sandbox.github_world import CHANGES, DEPLOYMENTS, END, RUNS, START, Start

HARBOUR = "/repos/tideworks/harbour"


def pages(client: httpx.Client, url: str) -> Iterator[Any]:
    """All pages from a URL on, by their Link headers."""
    following: str | None = url
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        yield answer
        following = answer.links.get("next", {}).get("url")


def test_links_lead_through_every_pull_request_once(github: Start) -> None:
    """Following rel=next reads each pull request exactly once, by number below the repository."""
    client = github().client
    read = list(pages(client, f"{HARBOUR}/pulls?state=all&sort=updated&per_page=50"))
    numbers = [item["number"] for page in read for item in page.json()]
    assert len(read) == 3
    assert sorted(numbers) == list(range(1, CHANGES + 1))
    assert "/repositories/101/pulls?" in read[0].links["next"]["url"]
    assert read[0].links["last"]["url"].endswith("page=3")
    assert "next" not in read[2].links


def test_a_page_never_holds_more_than_a_hundred(github: Start) -> None:
    """per_page above 100 is taken as 100, nonsense as 30."""
    client = github().client
    assert len(client.get(f"{HARBOUR}/pulls?state=all&per_page=500").json()) == 100
    assert len(client.get(f"{HARBOUR}/pulls?state=all&per_page=many").json()) == 30


def test_filtered_runs_end_at_a_thousand(github: Start) -> None:
    """With a filter the list stops at 1,000 though total_count is higher; a window gets all."""
    client = github().client
    url = f"{HARBOUR}/actions/runs?per_page=100&created="
    everything = list(pages(client, f"{url}%3E=2026-01-01"))
    assert everything[0].json()["total_count"] == RUNS
    assert sum(len(page.json()["workflow_runs"]) for page in everything) == 1000
    ends = START + timedelta(hours=99)
    window = f"{START:%Y-%m-%dT%H:%M:%SZ}..{ends:%Y-%m-%dT%H:%M:%SZ}"
    assert client.get(url + window).json()["total_count"] == 100
    unfiltered = pages(client, f"{HARBOUR}/actions/runs?per_page=100")
    assert sum(len(page.json()["workflow_runs"]) for page in unfiltered) == RUNS


def test_a_known_etag_is_answered_by_304_and_costs_nothing(github: Start) -> None:
    """An unchanged list is 304 without a body and leaves the budget as it was."""
    client = github().client
    first = client.get("/orgs/tideworks/repos")
    again = client.get("/orgs/tideworks/repos", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    assert first.headers["x-github-request-id"] != again.headers["x-github-request-id"]


def test_a_changed_list_has_another_etag(github: Start) -> None:
    """What appears as time goes on changes the ETag."""
    served = github(visible_until=END - timedelta(days=100))
    client = served.client
    first = client.get(f"{HARBOUR}/pulls?state=all")
    served.world.advance(86_400)
    again = client.get(
        f"{HARBOUR}/pulls?state=all", headers={"if-none-match": first.headers["etag"]}
    )
    assert again.status_code == 200


def test_a_spent_budget_is_403_until_the_reset(github: Start) -> None:
    """The primary limit says 0 remaining and when it ends; afterwards requests pass again."""
    clock = [1000.0]
    client = github(GithubSettings(core_limit=2, window_seconds=60, now=lambda: clock[0])).client
    assert [client.get("/meta").status_code for _ in range(3)] == [200, 200, 403]
    refused = client.get("/meta")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert client.get("/rate_limit").json()["rate"]["remaining"] == 0
    clock[0] = float(refused.headers["x-ratelimit-reset"])
    assert client.get("/meta").status_code == 200


def test_the_secondary_limit_says_how_long_to_wait(github: Start) -> None:
    """Too many requests in a minute are 403 with Retry-After while the budget is not spent."""
    clock = [1000.0]
    client = github(GithubSettings(secondary_per_minute=2, now=lambda: clock[0])).client
    assert [client.get("/meta").status_code for _ in range(3)] == [200, 200, 403]
    assert 1 <= int(client.get("/meta").headers["retry-after"]) <= 60
    clock[0] += 61
    assert client.get("/meta").status_code == 200


def test_limits_may_be_off(github: Start) -> None:
    """Without limits, as on Enterprise Server, no rate header is sent."""
    client = github(GithubSettings(core_limit=None)).client
    assert not [name for name in client.get("/api/v3/meta").headers if "ratelimit" in name]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Digest x", "Basic !"])
def test_a_bad_token_is_401(github: Start, authorization: str | None) -> None:
    """Nothing is answered without the right token."""
    client = github().client
    client.headers.pop("authorization")
    headers = {"authorization": authorization} if authorization else {}
    assert client.get("/user", headers=headers).status_code == 401


def test_what_may_not_be_seen_is_404(github: Start) -> None:
    """A repository without permission is absent from lists and 404 by itself."""
    client = github(hidden={101}).client
    assert client.get(HARBOUR).status_code == 404
    assert 101 not in {one["id"] for one in client.get("/orgs/tideworks/repos").json()}
    assert client.get("/orgs/others").status_code == 404
    assert client.get("/no/such/path").json()["message"] == "Not Found"


def test_teams_need_their_scope(github: Start) -> None:
    """Without read:org teams are refused, and the header says which scopes there are."""
    client = github(GithubSettings(scopes=("repo",))).client
    refused = client.get("/orgs/tideworks/teams")
    assert refused.status_code == 403
    assert refused.headers["x-oauth-scopes"] == "repo"
    assert "x-ratelimit-remaining" in refused.headers


def test_a_former_name_leads_to_the_number(github: Start) -> None:
    """A renamed repository answers 301 to the same path by number, query kept."""
    client = github().client
    moved = client.get("/repos/tideworks/dock/pulls?state=all")
    assert moved.status_code == 301
    assert moved.headers["location"].endswith("/repositories/101/pulls?state=all")
    followed = client.get(moved.headers["location"])
    assert followed.json()[0]["base"]["repo"]["full_name"] == "tideworks/harbour"


def test_enterprise_addresses_stay_below_their_prefix(github: Start) -> None:
    """Answers below /api/v3 name addresses below /api/v3; people's pages stay outside."""
    served = github()
    client = served.client
    answer = client.get(f"/api/v3{HARBOUR}/pulls?per_page=1")
    assert answer.json()[0]["url"].startswith(f"{served.url}/api/v3{HARBOUR}/")
    assert answer.json()[0]["html_url"].startswith(f"{served.url}/tideworks/harbour/pull/")
    assert "/api/v3/" in answer.links["next"]["url"]
    assert (
        client.get("/api/v3/repos/tideworks/dock")
        .headers["location"]
        .startswith(f"{served.url}/api/v3/repositories/101")
    )


def test_issues_since_brings_what_was_updated_since(github: Start) -> None:
    """`since` compares the update time, ascending order holds, pull requests are included."""
    client = github().client
    since = "2026-05-01T00:00:00Z"
    url = f"{HARBOUR}/issues?state=all&sort=updated&direction=asc&per_page=100&since={since}"
    items = client.get(url).json()
    times = [item["updated_at"] for item in items]
    assert times == sorted(times)
    assert times[0] >= since
    assert {"pull_request" in item for item in items} == {True, False}


def test_search_finds_what_changed_and_stops_at_its_cap(github: Start) -> None:
    """An organisation-wide search by update time finds pull requests; page 11 of 100 is 422."""
    client = github().client
    query = "org:tideworks is:pr updated:>=2026-05-01T00:00:00Z"
    found = client.get("/search/issues", params={"q": query, "sort": "updated", "order": "asc"})
    assert found.json()["total_count"] == 5
    assert all("pull_request" in item for item in found.json()["items"])
    late = client.get("/search/issues", params={"q": query, "per_page": 100, "page": 11})
    assert late.status_code == 422
    assert client.get("/search/issues", params={"q": "flavour:sweet"}).status_code == 422


def test_time_moves_a_pull_request_from_open_to_merged(github: Start) -> None:
    """Seen before its merge a pull request is open, with the commits and reviews of then."""
    created = START + timedelta(days=50)
    served = github(visible_until=created + timedelta(minutes=30))
    client = served.client
    early = client.get(f"{HARBOUR}/pulls/50").json()
    assert (early["state"], early["merged_at"], early["commits"]) == ("open", None, 1)
    assert early["draft"] is True
    assert client.get(f"{HARBOUR}/pulls/50/reviews").json() == []
    assert client.get(f"{HARBOUR}/pulls/51").status_code == 404
    served.world.visible_until = END
    late = client.get(f"{HARBOUR}/pulls/50").json()
    assert (late["state"], late["merged"], late["commits"]) == ("closed", True, 2)
    assert late["updated_at"] > early["updated_at"]
    assert len(client.get(f"{HARBOUR}/pulls/50/reviews").json()) == 2


def test_time_finishes_runs_and_deployments(github: Start) -> None:
    """A run and a deployment under way have no end yet."""
    served = github(visible_until=START + timedelta(minutes=5))
    client = served.client
    run = client.get(f"{HARBOUR}/actions/runs").json()["workflow_runs"][0]
    assert (run["status"], run["conclusion"]) == ("in_progress", None)
    served.world.visible_until = START + timedelta(hours=8, minutes=30)
    statuses = client.get(f"{HARBOUR}/deployments/40000/statuses").json()
    assert [status["state"] for status in statuses] == ["in_progress", "queued"]
    assert len(client.get(f"{HARBOUR}/deployments").json()) == 1
    served.world.visible_until = END
    assert len(client.get(f"{HARBOUR}/deployments?per_page=100").json()) == DEPLOYMENTS


def test_team_members_include_those_of_children(github: Start) -> None:
    """A parent team lists the members of its children; roles can be asked for."""
    client = github().client
    url = "/orgs/tideworks/teams/engineering/members"
    assert [one["login"] for one in client.get(url).json()] == ["ada", "brun"]
    assert [one["login"] for one in client.get(f"{url}?role=maintainer").json()] == ["brun"]


def assertion(app_id: str, now: float, lifetime: float = 540) -> str:
    """A JWT as an app signs it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": app_id, "iat": int(now) - 60, "exp": int(now + lifetime)}
    return jwt.encode(claims, key, algorithm="RS256")


def test_installation_tokens_expire(github: Start) -> None:
    """An app gets a token that reads for an hour, and then a new one."""
    clock = [1_800_000_000.0]
    settings = GithubSettings(now=lambda: clock[0], app_token_uses=2)
    client = github(settings).client
    url = f"/app/installations/{settings.installation_id}/access_tokens"
    signed = {"authorization": f"Bearer {assertion(settings.app_id, clock[0])}"}
    issued = client.post(url, headers=signed)
    assert issued.status_code == 201
    headers = {"authorization": f"token {issued.json()['token']}"}
    assert client.get("/meta", headers=headers).status_code == 200
    assert client.get("/user", headers=headers).status_code == 403
    assert client.get("/meta", headers=headers).status_code == 401, "two uses are all"
    second = client.post(url, headers=signed).json()["token"]
    clock[0] += 3601
    late = client.get("/meta", headers={"authorization": f"Bearer {second}"})
    assert late.status_code == 401, "an hour is all"


@pytest.mark.parametrize(("app_id", "lifetime"), [("0", 540), ("4711", 3600), ("4711", -120)])
def test_a_wrong_assertion_gets_no_token(github: Start, app_id: str, lifetime: float) -> None:
    """Another app, a JWT of more than ten minutes and one that is over are refused."""
    clock = 1_800_000_000.0
    client = github(GithubSettings(now=lambda: clock)).client
    signed = {"authorization": f"Bearer {assertion(app_id, clock, lifetime)}"}
    url = "/app/installations/815/access_tokens"
    assert client.post(url, headers=signed).status_code == 401
    assert client.post("/app/installations/1/access_tokens", headers=signed).status_code == 404


def test_requests_are_counted_by_template(github: Start) -> None:
    """The log knows each request with its path and status, and counts them by template."""
    served = github()
    client = served.client
    client.get(f"{HARBOUR}/pulls/1?x=y")
    client.get("/repositories/101/pulls/2")
    client.get("/nowhere")
    log = served.requests
    assert log.by_template()["GET /repos/{owner}/{repo}/pulls/{number:int}"] == 2
    assert [(seen.path, seen.status) for seen in log] == [
        (f"{HARBOUR}/pulls/1?x=y", 200),
        ("/repositories/101/pulls/2", 200),
        ("/nowhere", 404),
    ]


def test_deleted_accounts_show_as_ghost_or_null(github: Start) -> None:
    """A pull request by a deleted account is by ghost, its review by null, as GitHub has it."""
    client = github().client
    assert client.get(f"{HARBOUR}/pulls/14").json()["user"]["login"] == "ghost"
    assert client.get(f"{HARBOUR}/pulls/14/reviews").json()[1]["user"] is None
    assert client.get(f"{HARBOUR}/pulls/7").json()["user"]["type"] == "Bot"


def test_all_addresses_of_lists_can_be_opened(github: Start) -> None:
    """The statuses_url, jobs_url, commits_url and Link addresses in answers are served."""
    client = github().client
    deployment = client.get(f"{HARBOUR}/deployments").json()[0]
    run = client.get(f"{HARBOUR}/actions/runs").json()["workflow_runs"][0]
    pull = client.get(f"{HARBOUR}/pulls").json()[0]
    urls = (deployment["statuses_url"], run["jobs_url"], pull["commits_url"], pull["url"])
    assert {httpx.URL(url).host for url in urls} == {"127.0.0.1"}
    assert [client.get(url).status_code for url in urls] == [200] * 4
