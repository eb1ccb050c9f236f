"""GitLab's pages of work, hand-made and recorded: what they mean, and what a bad one costs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.connector import Line, Parsed, SourceError, Stream
from connectors.gitlab_deployments import DeploymentsStream, ReleasesStream
from connectors.gitlab_issues import IncidentsStream, IssuesStream
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_pipelines import PipelinesStream
from connectors.records import (
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    PipelineJob,
    PipelineRun,
    Record,
    Release,
    Ticket,
    TicketTransition,
)
from connectors.secret import Secret
from tests.connectors.recorded import perceval

OPTIONS = GitlabOptions(groups=("acme",), token=Secret(env="TOKEN"))
NOW = datetime(2026, 9, 1, tzinfo=UTC)
PLACE = {"repository_key": "gitlab.test/acme/shop", "full_path": "acme/shop"}


def parse(kind: type[Stream], body: Any, **attributes: str) -> Parsed:
    """What the stream reads from a page."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = "https://gitlab.test/api/v4/projects/7/things?page=1"
    line = Line("gitlab", "7", {**PLACE, **attributes}, url, NOW, content)
    stream = kind(OPTIONS)  # type: ignore[call-arg]
    parsed = stream.parse(line)
    rows = sum(map(len, parsed.records.values()))
    assert sum(parsed.seen.values()) == rows + len(parsed.rejects)
    return parsed


def deployment(**changed: Any) -> dict[str, Any]:
    """A deployment that went well, of a job."""
    return {
        "id": 42,
        "status": "success",
        "sha": "a" * 40,
        "ref": "main",
        "created_at": "2026-08-01T08:00:00.123Z",
        "updated_at": "2026-08-01T10:20:00.000Z",
        "user": {"id": 3, "username": "ada", "name": "Ada"},
        "environment": {"id": 9, "name": "production"},
        "deployable": {
            "started_at": "2026-08-01T10:00:00.000Z",
            "finished_at": "2026-08-01T10:05:00.000Z",
            "pipeline": {"web_url": "https://gitlab.test/acme/shop/-/pipelines/1"},
        },
        **changed,
    }


def test_a_deployment_begins_and_ends_with_its_job() -> None:
    """It was made with the pipeline, two hours before anybody started the job."""
    parsed = parse(DeploymentsStream, [deployment()])
    [attempt] = parsed.records[DeploymentAttempt]
    assert isinstance(attempt, DeploymentAttempt)
    assert attempt.created_at == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert (attempt.actor, attempt.environment) == ("gitlab:account:3", "production")
    assert attempt.url == "https://gitlab.test/acme/shop/-/pipelines/1"
    assert states(parsed) == [("running", "10:00"), ("succeeded", "10:05")]


def states(parsed: Parsed) -> list[tuple[str, str]]:
    """The states of a deployment and the time of day of each."""
    return [
        (one.state, f"{one.at:%H:%M}")
        for one in parsed.records[DeploymentStatus]
        if isinstance(one, DeploymentStatus)
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": "failed"}, [("running", "10:00"), ("failed", "10:05")]),
        ({"status": "canceled"}, [("running", "10:00"), ("cancelled", "10:05")]),
        ({"status": "skipped"}, [("running", "10:00"), ("cancelled", "10:05")]),
        ({"status": "running"}, [("running", "10:00")]),
        ({"status": "something new"}, [("running", "10:00")]),
        ({"deployable": None}, [("running", "08:00"), ("succeeded", "10:20")]),
        ({"deployable": {"started_at": None}, "status": "created"}, []),
        ({"deployable": {"started_at": None}, "status": "blocked"}, []),
        ({"deployable": {"started_at": None}, "status": "canceled"}, []),
    ],
)
def test_states_of_deployments(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A manual job that nobody has played is no attempt; what the API makes needs no job."""
    assert states(parse(DeploymentsStream, [deployment(**changed)])) == expected


@pytest.mark.parametrize(
    ("name", "tier", "expected"),
    [
        ("production", "production", "production"),
        ("eu/Prod", "production", "eu/Prod"),
        ("gprd", "production", "gprd (production)"),
        ("gprd", None, "gprd"),
        ("staging", "staging", "staging"),
        ("review/live-chat", "development", "review/live-chat (development, not production)"),
        ("prod-like", "testing", "prod-like (testing, not production)"),
        ("reproduction", "other", "reproduction"),
        (None, "production", None),
    ],
)
def test_a_tier_is_told_where_the_name_says_something_else(
    name: str | None, tier: str | None, expected: str | None
) -> None:
    """The models read environments by the words of their names."""
    tiers = {"9": tier} if tier else {}
    page = [deployment(environment={"id": 9, "name": name})]
    [attempt] = parse(DeploymentsStream, page, tiers=json.dumps(tiers)).records[DeploymentAttempt]
    assert isinstance(attempt, DeploymentAttempt)
    assert attempt.environment == expected


GHOST = {"id": 1_243_277, "username": "ghost1", "name": "Ghost User"}


@pytest.mark.parametrize("user", [None, GHOST])
def test_ghosts_are_nobody(user: Any) -> None:
    """Who was deleted is not one person."""
    [attempt] = parse(DeploymentsStream, [deployment(user=user)]).records[DeploymentAttempt]
    assert isinstance(attempt, DeploymentAttempt)
    assert attempt.actor is None


def test_a_release_of_the_future_is_not_published() -> None:
    """Releases can be announced."""
    body = [
        {"tag_name": "v1", "released_at": "2026-08-01T00:00:00Z", "commit": {"id": "b" * 40}},
        {"tag_name": "v2", "released_at": "2027-08-01T00:00:00Z", "upcoming_release": True},
    ]
    found = parse(ReleasesStream, body).records[Release]
    told = [(one.release_id, one.published_at) for one in found if isinstance(one, Release)]
    assert told == [
        ("gitlab:release:7:v1", datetime(2026, 8, 1, tzinfo=UTC)),
        ("gitlab:release:7:v2", None),
    ]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("v1.2.0", False),
        ("v1.2.0-rc.1", True),
        ("1.2.0.beta2", True),
        ("2026.8-nightly", True),
        ("v1.2.0-prelude", False),
        ("predator-v2", False),
        ("release-2026-08-01", False),
    ],
)
def test_tags_tell_what_comes_before_a_release(tag: str, expected: bool) -> None:
    """GitLab itself has no mark for it."""
    [found] = parse(ReleasesStream, [{"tag_name": tag}]).records[Release]
    assert isinstance(found, Release)
    assert found.is_prerelease is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("success", ("succeeded", True)),
        ("canceled", ("cancelled", True)),
        ("skipped", ("skipped", True)),
        ("manual", ("queued", False)),
        ("waiting_for_resource", ("queued", False)),
        ("canceling", ("running", False)),
        ("something new", ("queued", False)),
    ],
)
def test_states_of_pipelines(status: str, expected: tuple[str, bool]) -> None:
    """One that waits for somebody has not ended."""
    body = [{"id": 1, "status": status, "updated_at": "2026-08-01T00:00:00Z"}]
    [run] = parse(PipelinesStream, body).records[PipelineRun]
    assert isinstance(run, PipelineRun)
    assert (run.status, run.finished_at is not None) == expected


BAD: list[tuple[type[Stream], type[Record], dict[str, Any], dict[str, Any]]] = [
    (DeploymentsStream, DeploymentAttempt, deployment(), {"created_at": "soon"}),
    (DeploymentsStream, DeploymentAttempt, deployment(), {"environment": "production"}),
    (DeploymentsStream, DeploymentAttempt, deployment(), {"id": None}),
    (PipelinesStream, PipelineRun, {"id": 1, "status": "success"}, {"status": None}),
    (PipelinesStream, PipelineRun, {"id": 1, "status": "success"}, {"updated_at": 10**20}),
    (ReleasesStream, Release, {"tag_name": "v1"}, {"tag_name": None}),
    (
        IssuesStream,
        Ticket,
        {"id": 1, "iid": 1, "created_at": "2026-08-01T00:00:00Z"},
        {"iid": 2**63},
    ),
    (
        IncidentsStream,
        Incident,
        {"id": 1, "iid": 1, "created_at": "2026-08-01T00:00:00Z"},
        {"author": 7},
    ),
]


@pytest.mark.parametrize(("kind", "record", "good", "change"), BAD)
def test_a_bad_item_is_rejected_alone(
    kind: type[Stream], record: type[Record], good: dict[str, Any], change: dict[str, Any]
) -> None:
    """The others of its page are read."""
    parsed = parse(kind, [good, {**good, **change}, None, good])
    assert len(parsed.records[record]) == 2
    assert [reject.path for reject in parsed.rejects] == ["$[1]", "$[2]"]


def test_text_that_no_database_takes_is_mended() -> None:
    """Lone surrogates become signs of replacement."""
    body = rb'[{"id": 1, "iid": 1, "created_at": "2026-08-01T00:00:00Z", "title": "a \ud800 b"}]'
    parsed = parse(IssuesStream, body)
    [ticket] = parsed.records[Ticket]
    assert isinstance(ticket, Ticket)
    assert ticket.title == "a � b"
    assert parsed.mended["ticket"] == 1


@pytest.mark.parametrize("kind", [DeploymentsStream, PipelinesStream, IssuesStream])
@pytest.mark.parametrize("body", [b"Retry later\n", b'{"message": "403 Forbidden"}', b"null"])
def test_another_page_is_told_by_its_address(kind: type[Stream], body: bytes) -> None:
    """Never taken for an empty list."""
    with pytest.raises(SourceError, match=r"gitlab\.test/api/v4/projects/7/things"):
        parse(kind, body)


def test_labels_and_states_of_an_issue() -> None:
    """Each event is a transition; a label that was deleted since has no name."""
    event = {"id": 5, "created_at": "2026-08-01T00:00:00Z", "user": {"id": 3, "username": "ada"}}
    asked = {"issue": "11", "set_updated_at": "2026-08-02T00:00:00Z"}
    labels = parse(
        IssuesStream,
        [
            {**event, "action": "add", "label": {"name": "doing"}},
            {**event, "id": 6, "action": "remove", "label": None},
        ],
        part="labels",
        **asked,
    )
    states = parse(IssuesStream, [{**event, "state": "reopened"}], part="states", **asked)
    found = [
        (one.transition_id, one.field, one.from_value, one.to_value, one.to_category)
        for parsed in (labels, states)
        for one in parsed.records[TicketTransition]
        if isinstance(one, TicketTransition)
    ]
    assert found == [
        ("label:5", "labels", None, "doing", None),
        ("label:6", "labels", None, None, None),
        ("state:5", "status", "closed", "open", "new"),
    ]
    assert labels.sets == states.sets != {}


def test_a_job_belongs_to_its_pipeline() -> None:
    """With the tags of its runner; one without a pipeline is nobody's."""
    job = {
        "id": 5,
        "name": "deploy",
        "status": "success",
        "pipeline": {"id": 4},
        "tag_list": ["k8s"],
    }
    parsed = parse(PipelinesStream, [job, {**job, "pipeline": None}], part="jobs")
    [row] = parsed.records[PipelineJob]
    assert isinstance(row, PipelineJob)
    assert (row.run_id, row.runner_labels) == ("gitlab:pipeline:4", ["k8s"])
    assert len(parsed.rejects) == 1


@pytest.fixture(scope="module")
def recorded() -> dict[str, bytes]:
    """Recorded answers of gitlab.com, by name."""
    return perceval("gitlab")


@pytest.mark.parametrize(("name", "issues"), [("issue_page_1", 2), ("issue_page_2", 2)])
def test_recorded_issues_are_read(recorded: dict[str, bytes], name: str, issues: int) -> None:
    """Answers of an older GitLab, which knows no types of issues."""
    parsed = parse(IssuesStream, recorded[name])
    assert parsed.rejects == []
    assert len(parsed.records[Ticket]) == issues
    told = json.loads(recorded[name])
    found = [one for one in parsed.records[Ticket] if isinstance(one, Ticket)]
    assert [one.ticket_id for one in found] == [f"gitlab:issue:{one['id']}" for one in told]
    assert [one.title for one in found] == [one["title"] for one in told]
    assert [one.reporter for one in found] == [
        f"gitlab:account:{one['author']['id']}" for one in told
    ]
    assert [one.status for one in found] == [
        "closed" if one["state"] == "closed" else "open" for one in told
    ]
