"""The GitLab parsers over answers recorded from gitlab.com: nothing fails, counts match."""

import contextlib
import json
from datetime import UTC, datetime

import pytest

from connectors.connector import Line, Parsed, SourceError
from connectors.gitlab_merge_requests import ChangeRequestsStream
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_projects import ProjectsStream
from connectors.records import ChangeRequest, ChangeRequestCommit, Repository, Review
from connectors.secret import Secret
from tests.connectors.recorded import perceval

OPTIONS = GitlabOptions(groups=("fdroid",), token=Secret(env="NOT_ASKED"))
NEWS = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def recorded() -> dict[str, bytes]:
    """The recorded answers by name."""
    return perceval("gitlab")


def parse(body: bytes, **attributes: str) -> Parsed:
    """What a kept page of merge requests holds."""
    known = {"repository_key": "gitlab.com/fdroid/fdroiddata", **attributes}
    line = Line("gitlab", "36528", known, "https://gitlab.com/api/v4/x", NEWS, body)
    parsed = ChangeRequestsStream(OPTIONS).parse(line)
    for record_type in (ChangeRequest, ChangeRequestCommit, Review):
        rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
        assert parsed.seen[record_type.table] == len(parsed.records[record_type]) + rejected
    return parsed


def test_recorded_merge_requests_are_read_to_the_unit(recorded: dict[str, bytes]) -> None:
    """Ten items of lists and three alone, all from before merges had a time of their own."""
    lists = [body for name, body in recorded.items() if name.startswith("merge_page")]
    lists += [b"[" + recorded[f"merge_{number}"] + b"]" for number in (1, 2, 3)]
    requests = []
    for body in lists:
        parsed = parse(body)
        assert parsed.rejects == []
        assert len(parsed.records[ChangeRequest]) == len(json.loads(body))
        requests += parsed.records[ChangeRequest]
    assert len(requests) == 10
    for request in requests:
        assert isinstance(request, ChangeRequest)
        # Merged in 2014, when GitLab did not write down when: over, but at no known time.
        assert request.merged_at is None
        assert request.closed_at == request.source_updated_at
    last = requests[-1]
    assert isinstance(last, ChangeRequest)
    assert last.labels == ["CI/CD", "Deliverable"]
    assert last.author == "gitlab:account:1"
    assert last.head_sha == "8cab7f42822c570b5f347d425eead8b7acb92dbb"


def test_recorded_notes_are_comments_or_events(recorded: dict[str, bytes]) -> None:
    """Five notes; `closed` and `moved to` are no reviews."""
    reviews = []
    for number in (1, 2, 3, 4):
        body = recorded[f"notes_{number}"]
        listed = b"[" + recorded["merge_3"] + b"]"
        parsed = parse(body, holds="notes", listed=listed.decode())
        assert parsed.rejects == []
        assert len(parsed.records[ChangeRequest]) == 1
        reviews += parsed.records[Review]
    assert [review.state for review in reviews if isinstance(review, Review)] == ["commented"] * 2


def test_recorded_commits_are_in_order(recorded: dict[str, bytes]) -> None:
    """Names in Arabic, SHAs under `id`, the newest first."""
    for number, count in ((1, 2), (2, 1), (3, 1)):
        attributes = {"merge_request": str(number), "set_updated_at": "", "newest": str(count - 1)}
        parsed = parse(recorded[f"commits_{number}"], holds="rest_commits", **attributes)
        assert parsed.rejects == []
        told = json.loads(recorded[f"commits_{number}"])
        rows = list(parsed.records[ChangeRequestCommit])
        assert [row.model_dump()["position"] for row in rows] == list(reversed(range(count)))
        assert [row.model_dump()["sha"] for row in rows] == [each["id"] for each in told]


def test_the_recorded_project_is_a_repository(recorded: dict[str, bytes]) -> None:
    """One project by its path."""
    line = Line("gitlab", "projects", {}, "https://gitlab.com/api/v4/x", NEWS, recorded["project"])
    parsed = ProjectsStream(OPTIONS).parse(line)
    assert parsed.rejects == []
    [repository] = parsed.records[Repository]
    assert isinstance(repository, Repository)
    told = json.loads(recorded["project"])
    assert repository.repository_id == f"gitlab:repository:{told['id']}"
    assert repository.url == told["web_url"]


@pytest.mark.parametrize("holds", ["", "notes", "details", "rest_commits", "more_notes"])
def test_no_recorded_answer_breaks_a_parser(recorded: dict[str, bytes], holds: str) -> None:
    """Whatever page stands in the place of another, it is read, rejected or told by its shape."""
    attributes = {"holds": holds, "merge_request": "1", "set_updated_at": "", "newest": "0"}
    read = 0
    for body in recorded.values():
        with contextlib.suppress(SourceError):
            parsed = parse(body, **attributes)
            read += 1
            assert all(reject.problem for reject in parsed.rejects)
    assert read == 0 if holds in {"details", "more_notes"} else read > 0
