"""The made-up Jira behaves as Jira does, traps included."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.jira import JiraSettings
from sandbox.jira_history import ticket_at
from tests.sandbox.jira_world import (
    END,
    LONG_HISTORY,
    TICKETS,
    Jira,
    data_center,
    served,
    ticket_site,
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Jira]:
    """The site as Jira Cloud serves it."""
    with served() as jira:
        yield jira


@pytest.fixture(scope="module")
def center() -> Iterator[Jira]:
    """The site as Data Center serves it."""
    with served(data_center()) as jira:
        yield jira


ALL = "updated >= 0 ORDER BY updated ASC, key ASC"


@pytest.mark.parametrize("version", [2, 3])
def test_the_old_search_is_gone_from_cloud(cloud: Jira, version: int) -> None:
    """410 with the vendor's words."""
    answer = cloud.client.get(f"/rest/api/{version}/search", params={"jql": ALL})
    assert answer.status_code == 410
    assert "has been removed" in answer.json()["errorMessages"][0]


def test_cloud_search_pages_by_token_and_gives_ids_alone(cloud: Jira) -> None:
    """No total, no offset; fields only when asked for; every issue once, in order."""
    page = cloud.get("/rest/api/3/search/jql", jql=ALL, maxResults=25)
    assert set(page) == {"issues", "isLast", "nextPageToken"}
    assert all(set(issue) == {"id"} for issue in page["issues"])
    seen, token = [], None
    while True:
        body = {"jql": ALL, "maxResults": 25, "fields": ["updated"]}
        page = cloud.post(
            "/rest/api/3/search/jql", **body, **({"nextPageToken": token} if token else {})
        )
        seen += [(issue["fields"]["updated"], issue["id"]) for issue in page["issues"]]
        assert list(page["issues"][0]["fields"]) == ["updated"]
        if page["isLast"]:
            break
        token = page["nextPageToken"]
    assert len(seen) == len({issue_id for _, issue_id in seen}) == TICKETS
    assert [updated for updated, _ in seen] == sorted(updated for updated, _ in seen)
    assert cloud.post("/rest/api/3/search/approximate-count", jql=ALL) == {"count": TICKETS}


def test_the_server_may_give_smaller_pages_than_asked_for() -> None:
    """maxResults is a wish."""
    with served(JiraSettings(page_cap=7)) as jira:
        page = jira.get("/rest/api/3/search/jql", jql=ALL, maxResults=500)
        assert len(page["issues"]) == 7


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("ORDER BY updated ASC", "Unbounded JQL queries are not allowed here"),
        ("project in (NOPE)", "The value 'NOPE' does not exist for the field 'project'."),
        ("sprint = 4", "Error in the JQL Query"),
        ("updated >= 0 ORDER BY mood", "Field 'mood' does not exist"),
    ],
)
def test_a_query_that_jira_refuses_is_refused(cloud: Jira, jql: str, words: str) -> None:
    """400 with Jira's words."""
    answer = cloud.client.get("/rest/api/3/search/jql", params={"jql": jql})
    assert answer.status_code == 400
    assert words in answer.json()["errorMessages"][0]


def test_bare_times_are_read_in_the_callers_zone_and_milliseconds_are_not(cloud: Jira) -> None:
    """The trap that lost others their data."""
    ticket = ticket_site().tickets[10]
    local = ticket.created_at + timedelta(hours=8)
    text = f"{local:%Y-%m-%d %H:%M}"
    bare = cloud.post("/rest/api/3/search/approximate-count", jql=f'created >= "{text}"')
    milliseconds = int(ticket.created_at.timestamp() * 1000)
    exact = cloud.post("/rest/api/3/search/approximate-count", jql=f"created >= {milliseconds}")
    assert bare == exact == {"count": TICKETS - 10}
    named = cloud.post("/rest/api/3/search/approximate-count", jql="project in (EE, 502)")
    assert named == {"count": TICKETS}


def test_times_carry_an_offset_without_a_colon(cloud: Jira) -> None:
    """As every Jira writes them, in the caller's zone."""
    issue = cloud.get("/rest/api/3/search/jql", jql=ALL, fields="*all")["issues"][0]
    assert issue["fields"]["created"].endswith(".000+0800")
    assert issue["fields"]["status"]["statusCategory"]["key"] in {"new", "indeterminate", "done"}


def test_a_ticket_that_repeats_another_is_linked_to_it(cloud: Jira) -> None:
    """As the repeating ticket shows it: outwards; all others show no links."""
    issues = cloud.get("/rest/api/3/search/jql", jql=ALL, fields="issuelinks", maxResults=50)
    links = {issue["key"]: issue["fields"]["issuelinks"] for issue in issues["issues"]}
    (link,) = links.pop("EE-8")
    assert link["type"]["outward"] == "duplicates"
    assert link["outwardIssue"] == {"key": "EE-2"}
    assert len(links) > 20
    assert not any(links.values())


def test_text_is_a_document_in_api_3_and_plain_in_api_2(cloud: Jira) -> None:
    """ADF against wiki text."""
    jql = "project = EE ORDER BY id ASC"
    rich = cloud.get("/rest/api/3/search/jql", jql=jql, fields="description")["issues"][0]
    plain = cloud.get("/rest/api/2/search/jql", jql=jql, fields="description")["issues"][0]
    assert plain["fields"]["description"] == "First line\nsecond line"
    assert rich["fields"]["description"]["content"][1]["content"][0]["text"] == "second line"


def test_an_embedded_history_is_cut_at_forty(cloud: Jira) -> None:
    """The newest forty; the total tells that there are more; the bulk answer has them all."""
    issues = cloud.get(
        "/rest/api/3/search/jql", jql="updated >= 0 ORDER BY id ASC", fields="key",
        expand="changelog", maxResults=1,
    )["issues"]  # fmt: skip
    log = issues[0]["changelog"]
    assert (len(log["histories"]), log["total"]) == (40, LONG_HISTORY)
    assert log["histories"][0]["items"][0]["field"] == "status"
    whole = cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=["20000"])
    (entry,) = whole["issueChangeLogs"]
    assert len(entry["changeHistories"]) == LONG_HISTORY
    assert isinstance(entry["changeHistories"][0]["created"], int)
    assert "nextPageToken" not in whole


def test_bulk_histories_page_and_filter_by_field() -> None:
    """A history can be cut by a page's end; other fields are left out."""
    with served(JiraSettings(history_page=3)) as jira:
        found, token = [], None
        while True:
            page = jira.post(
                "/rest/api/3/changelog/bulkfetch",
                issueIdsOrKeys=["20001", "EE-901"],
                fieldIds=["status", "project"],
                **({"nextPageToken": token} if token else {}),
            )
            for entry in page["issueChangeLogs"]:
                found += [(entry["issueId"], history["id"]) for history in entry["changeHistories"]]
            token = page.get("nextPageToken")
            if token is None:
                break
        assert found == [("20001", "100200"), ("20005", "101000"), ("20005", "101002")]


def test_one_history_pages_by_offset(cloud: Jira) -> None:
    """At most 100 a page, oldest first."""
    page = cloud.get("/rest/api/3/issue/OPS-1/changelog", startAt=80)
    assert page["total"] == LONG_HISTORY
    assert page["isLast"]
    assert len(page["values"]) == LONG_HISTORY - 80


def test_worklogs_are_found_by_change_and_fetched_by_id() -> None:
    """Updated, list, deleted; what changed within the last minute is left out."""
    ticket = ticket_site().tickets[0]
    moment = ticket.worklogs[0].updated_at
    with served(JiraSettings(page_cap=5), visible_until=moment) as jira:
        assert jira.get("/rest/api/3/worklog/updated", since=0)["values"] == []
        jira.site.world.visible_until = END
        page = jira.get("/rest/api/3/worklog/updated", since=0)
        assert (len(page["values"]), page["lastPage"]) == (5, False)
        following = jira.get(page["nextPage"])
        assert following["since"] == page["until"] + 1
        (worklog,) = jira.post("/rest/api/3/worklog/list", ids=[9000])
        assert (worklog["issueId"], worklog["timeSpentSeconds"]) == ("20000", 1800)
        jira.site.deleted_worklogs[9000] = END
        assert jira.post("/rest/api/3/worklog/list", ids=[9000]) == []
        gone = jira.get("/rest/api/3/worklog/deleted", since=0)
        assert [value["worklogId"] for value in gone["values"]] == [9000]
        assert jira.get("/rest/api/3/issue/EE-4/worklog")["total"] == 1


def test_the_lists_around_issues_are_served(cloud: Jira) -> None:
    """Who asks, users, projects, statuses, fields, service requests."""
    assert cloud.get("/rest/api/3/myself")["timeZone"] == "Asia/Singapore"
    assert cloud.get("/rest/api/3/serverInfo")["deploymentType"] == "Cloud"
    assert [user["accountId"] for user in cloud.get("/rest/api/3/users/search", maxResults=2)] == [
        "u0",
        "u1",
    ]
    projects = cloud.get("/rest/api/3/project/search")
    assert [project["key"] for project in projects["values"]] == ["EE", "OPS"]
    assert len(cloud.get("/rest/api/3/status")) == 3
    custom = [field for field in cloud.get("/rest/api/3/field") if field["custom"]]
    assert custom[0]["schema"]["custom"] == "com.atlassian.servicedesk:vp-origin"
    requests = cloud.get("/rest/servicedeskapi/request", limit=5)
    assert (requests["size"], requests["isLastPage"]) == (5, False)
    assert cloud.get(requests["_links"]["next"])["start"] == 5


def test_data_center_pages_by_offset_below_its_context_path(center: Jira) -> None:
    """startAt, total, whole histories, keys for users, no token search."""
    page = center.get("/rest/api/2/search", jql=ALL, startAt=50, maxResults=500, expand="changelog")
    assert (page["startAt"], page["maxResults"], page["total"]) == (50, 100, TICKETS)
    assert len(page["issues"]) == TICKETS - 50
    first = center.get("/rest/api/2/search", jql="project = OPS ORDER BY id", expand="changelog")
    assert len(first["issues"][0]["changelog"]["histories"]) == LONG_HISTORY
    assert first["issues"][0]["fields"]["reporter"]["key"] == "u1"
    assert center.client.get("/rest/api/3/search/jql").status_code == 404
    assert center.url.endswith("/jira")


def test_data_center_reads_no_further_than_its_result_window() -> None:
    """Search limit exceeded."""
    with served(data_center(result_window=30)) as jira:
        answer = jira.client.get("/rest/api/2/search", params={"jql": ALL, "startAt": 20})
        assert answer.status_code == 400
        assert "Search limit exceeded" in answer.json()["errorMessages"][0]


def test_only_what_exists_by_then_is_visible() -> None:
    """Tickets, fields and histories go back to how they were."""
    site = ticket_site()
    moved = site.tickets[5]
    with served(site=site, visible_until=moved.created_at) as jira:
        count = jira.post("/rest/api/3/search/approximate-count", jql="updated >= 0")
        assert count == {"count": 6}
        issue = jira.get("/rest/api/3/search/jql", jql="project = EE", fields="*all")["issues"][-1]
        assert issue["key"] == "EE-901"
        assert issue["fields"]["assignee"] is None
        assert issue["fields"]["status"]["id"] == "10001"
    done = site.tickets[6]
    before = ticket_at(done, {}, done.histories[-1].at - timedelta(seconds=1))
    assert (before.resolution, before.resolved_at, before.status_id) == (None, None, "10002")
    worked = ticket_at(done, {}, done.updated_at - timedelta(seconds=1))
    assert (worked.resolution, worked.resolved_at) == ("Done", done.resolved_at)
    assert before.updated_at < done.updated_at
    assert ticket_at(done, {}, END) is done


def test_too_many_requests_are_told_to_wait_and_the_wrong_credential_is_refused() -> None:
    """429 with Retry-After and the reason; 401."""
    with served(JiraSettings(per_second=1, now=lambda: 1000.0)) as jira:
        jira.get("/rest/api/3/myself")
        answer = jira.client.get("/rest/api/3/myself")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["ratelimit-reason"] == "jira-burst-based"
        assert (
            jira.client.get(
                "/rest/api/3/myself", headers={"authorization": "Basic eA=="}
            ).status_code
            == 401
        )
        assert [seen.status for seen in jira.requests] == [200, 429, 401]
