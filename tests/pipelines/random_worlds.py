"""Small random worlds for properties: records of some repositories, drawn by hypothesis."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from connectors.records import (
    ChangeRequest,
    ChangeRequestCommit,
    Commit,
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    Record,
    Reference,
    Review,
)
from tests.pipelines.stories import (
    commit,
    deployment,
    full,
    hour,
    incident,
    main_at,
    repository,
    request,
    review,
)

Way = Literal["direct", "merge", "squash", "bot", "revert"]
WAYS: tuple[Way, ...] = ("direct", "merge", "squash", "bot", "revert")
FATES: tuple[tuple[str, ...], ...] = (
    ("succeeded",),
    ("succeeded",),
    ("succeeded",),
    ("failed",),
    ("failed", "succeeded"),
    ("succeeded", "failed"),
    ("cancelled",),
    ("running",),
)
HOURS = 24 * 40


@st.composite
def worlds(draw: st.DrawFn, repositories: int = 3) -> list[Record]:
    """The records of several repositories, each told by its own line of commits."""
    return [
        record for number in range(repositories) for record in draw(one_repository(f"w{number}"))
    ]


@st.composite
def one_repository(draw: st.DrawFn, name: str) -> list[Record]:
    """Commits and requests one after the other, deployments of them in any order, incidents."""
    key = f"forge.test/acme/{name}"
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from(WAYS), st.integers(0, 60), st.integers(0, 3)),
            min_size=5,
            max_size=12,
        )
    )
    records: list[Record] = [repository(key)]
    tips: list[tuple[str, float]] = []
    at = 1.0
    for place, (way, wait, reviews) in enumerate(steps):
        at += 1 + wait / 4
        tips.append((f"{name}-{place}", at))
        records += landed(
            name, key=key, place=place, way=way, tips=tips, reviews=reviews, wait=wait / 4
        )
    records.append(main_at(tips[-1][0], key))
    records += draw(deployments(name, key, tips))
    for number, (began, lasts) in enumerate(
        draw(st.lists(st.tuples(st.integers(1, HOURS), st.integers(0, 40)), max_size=2))
    ):
        resolved = began + lasts if lasts else None
        records.append(incident(1000 * int(name[1:]) + number, began, resolved, service=name))
    return records


def landed(
    name: str,
    *,
    key: str,
    place: int,
    way: Way,
    tips: list[tuple[str, float]],
    reviews: int,
    wait: float,
) -> list[Record]:
    """What one step brings to the default branch."""
    sha, at = tips[-1]
    before = [tips[-2][0]] if place else []
    if way in {"direct", "bot", "revert"} or not place:
        more: dict[str, Any] = {"authored_at": hour(at - wait)}
        if way == "bot":
            more["author_email"] = "49+renovate[bot]@users.noreply.github.com"
        if way == "revert" and place:
            more["reverts"] = [full(before[0])]
        return [commit(sha, *before, at=at, key=key, **more)]
    number = 1000 * int(name[1:]) + place
    topic = f"{name}-t{place}"
    opened = at - wait
    records: list[Record] = [commit(topic, *before, at=opened, key=key)]
    parents = [*before, topic] if way == "merge" else before
    records.append(commit(sha, *parents, at=at, key=key, author_email="bob@x.test"))
    records += request(number, topic, opened=opened, merged=at, merge=sha, key=key)
    records += [
        review(number, opened + wait * (each + 1) / 4, "approved" if each % 2 else "commented")
        for each in range(reviews)
    ]
    return records


@st.composite
def deployments(
    draw: st.DrawFn, name: str, key: str, tips: list[tuple[str, float]]
) -> list[Record]:
    """Mostly what is newest by then, sometimes older; some fail, some overlap."""
    regions = draw(st.sampled_from([("production",), ("prod-eu", "prod-us"), ("production", "qa")]))
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, len(tips) - 1),
                st.integers(0, 300),
                st.integers(1, 90),
                st.sampled_from(FATES),
                st.sampled_from(regions),
            ),
            min_size=4,
            max_size=14,
        )
    )
    records: list[Record] = []
    for number, (place, wait, minutes, fate, region) in enumerate(drawn):
        sha, written = tips[place]
        started = written + wait / 3
        states = [(state, started + minutes * (i + 1) / 60) for i, state in enumerate(fate)]
        attempt = 1000 * int(name[1:]) + number
        records += deployment(
            attempt, sha, *states, at=started, repository_key=key, environment=region
        )
    return records


TIMES: dict[type[Record], Callable[[Any], datetime]] = {
    Commit: lambda record: record.committed_at,
    DeploymentAttempt: lambda record: record.created_at,
    DeploymentStatus: lambda record: record.at,
    Incident: lambda record: record.created_at,
    Review: lambda record: record.submitted_at,
}


def until(records: list[Record], moment: datetime) -> list[Record]:
    """What a source would have told at a moment: nothing later, and requests as they were then."""
    commits = [r for r in records if isinstance(r, Commit) and TIMES[Commit](r) <= moment]
    opened = {
        record.change_request_id
        for record in records
        if isinstance(record, ChangeRequest) and record.created_at <= moment
    }
    attempted = {
        record.attempt_id
        for record in records
        if isinstance(record, DeploymentAttempt) and record.created_at <= moment
    }
    found: list[Record] = []
    for record in records:
        if isinstance(record, ChangeRequest):
            if record.change_request_id in opened:
                found.append(as_it_was(record, moment))
        elif isinstance(record, ChangeRequestCommit | Review):
            if record.change_request_id in opened and (
                isinstance(record, ChangeRequestCommit) or record.submitted_at <= moment
            ):
                found.append(record)
        elif isinstance(record, DeploymentStatus):
            if record.attempt_id in attempted and record.at <= moment:
                found.append(record)
        elif isinstance(record, Reference):
            found += main_then(record, commits)
        elif type(record) not in TIMES or TIMES[type(record)](record) <= moment:
            found.append(record)
    return found


def as_it_was(record: ChangeRequest, moment: datetime) -> ChangeRequest:
    """A request that was merged later was open."""
    if record.merged_at is None or record.merged_at <= moment:
        return record
    return record.model_copy(update={"merged_at": None, "merge_sha": None})


def main_then(record: Reference, commits: list[Commit]) -> list[Record]:
    """The default branch pointed at the newest commit of its line."""
    line = [
        each
        for each in commits
        if each.repository_key == record.repository_key and "-t" not in name_of(each.sha)
    ]
    newest = max(line, key=lambda each: each.committed_at or hour(0), default=None)
    return [record.model_copy(update={"sha": newest.sha})] if newest is not None else []


def name_of(sha: str) -> str:
    """The short name that `full` made an id of."""
    return bytes.fromhex(sha).rstrip(b"\0").decode()


def shifted(records: list[Record], by: timedelta) -> list[Record]:
    """The same world at another time."""
    return [
        record.model_copy(
            update={
                field: value + by
                for field in type(record).model_fields
                if isinstance(value := getattr(record, field), datetime)
            }
        )
        for record in records
    ]
