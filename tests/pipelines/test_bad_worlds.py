"""What is wrong in the sources is counted and shown, and the healthy neighbours do not feel it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.records import (
    ChangeRequestCommit,
    PipelineRun,
    Record,
    Ticket,
    TicketTransition,
)
from pipelines.catalog import models
from tests.pipelines.stories import (
    Story,
    commit,
    deployment,
    full,
    hour,
    incident,
    live,
    main_at,
    repository,
    request,
    review,
    tag,
    tell,
    ticket,
)

GOOD = "forge.test/acme/good"
BAD = "forge.test/acme/bad"
YEAR = 24 * 365
EPOCH = -56.4 * YEAR  # 1970, counted in hours of the story
FAR = 73 * YEAR  # 2099
DAYS = 24
HOSTILE = {
    "quotes": "'; drop table metric; --\"`",
    "nul": "a\0b",
    "right to left": "\u202eevil\u202c\u200f",
    "lines": "one\r\ntwo\u2028three",
    "markup": "<script>alert(1)</script>{{ x }}${y}%s\\",
    "long": "x" * 300_000,
    "wide": "🚢" * 500,
    "blank": "  ",
    "empty": "",
}


def good() -> list[Record]:
    """A service with all that can be measured: reviews, a rollback, incidents, tickets."""
    names = [f"g{number}" for number in range(12)]
    records: list[Record] = [repository(GOOD)]
    records += [
        commit(name, *(names[place - 1 : place] if place else []), at=place * DAYS, key=GOOD)
        for place, name in enumerate(names)
    ]
    records.append(main_at(names[-1], GOOD))
    for place, name in enumerate(names):
        at = place * DAYS + 5
        records += live(100 + place, name, at, repository_key=GOOD)
        if place % 3 == 2:
            records += request(
                100 + place, name, opened=at - 4, merged=at - 2, merge=name, key=GOOD
            )
            records.append(review(100 + place, at - 3))
    records += live(150, names[-2], 12 * DAYS, repository_key=GOOD)
    records.append(incident(100, 5 * DAYS + 6, 5 * DAYS + 8, service="good"))
    records.append(ticket("GOOD-1", 20, 90))
    return records


ROWS = {
    "change_fact": "service_name = 'good'",
    "deployment_fact": "service_name = 'good'",
    "failure_fact": "service_name = 'good'",
    "incident_fact": "incident_id = 'pager:incident:100'",
    "metric": "entity_type = 'service' and entity_id like '%/good'",
    "ticket_fact": "ticket_key = 'GOOD-1'",
}


def healthy(story: Story) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is shown of the good service."""
    return {
        table: story.ask(f"select * from {table} where {rows} order by all")
        for table, rows in ROWS.items()
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """The good service where nothing is wrong."""
    found = healthy(tell(tmp_path_factory.mktemp("good"), good()))
    assert all(found.values()), {table: len(rows) for table, rows in found.items()}
    return found


def beside(folder: Path, *bad: Record | Iterable[Record], settings: str = "") -> Story:
    """The good service and something bad, with every table built."""
    story = tell(folder, good(), *bad, settings=settings)
    story.build(*models())
    return story


def checks(story: Story, name: str) -> list[tuple[str, int]]:
    """What a check found: subjects and counts."""
    return story.ask(f"""
        select subject, count from data_check where check_name = '{name}' order by 1
    """)


Alone = dict[str, list[tuple[Any, ...]]]


def test_spans_that_end_before_they_begin(tmp_path: Path, alone: Alone) -> None:
    """Never a negative time anywhere: the earlier end is taken, or the thing is left out."""
    story = beside(
        tmp_path,
        repository(BAD),
        line_of("b0", "b1", "b2"),
        deployment(1, "b0", ("succeeded", 5), at=6, repository_key=BAD),
        deployment(2, "b1", ("succeeded", 40), at=45, repository_key=BAD),
        request(1, "b1", opened=30, merged=28, merge="b1", key=BAD, ready_at=hour(50)),
        review(1, 10),
        incident(1, 60, 55, service="bad"),
        ticket("BAD-1", 60, 50),
        PipelineRun(
            run_id="forge:run:1",
            repository_key=BAD,
            name="deploy",
            status="succeeded",
            started_at=hour(9),
            finished_at=hour(8),
        ),
    )
    assert healthy(story) == alone
    assert story.ask("""
        select count(*) from change_fact where least(lead_time_us, coding_us, pickup_us, review_us,
            merge_us, deploy_us, unreviewed_us, business_lead_time_us) < 0
    """) == [(0,)]
    assert story.ask("select count(*) from deployment where live_at < started_at") == [(0,)]
    assert story.ask("select count(*) from failure where recovery_us < 0") == [(0,)]
    assert story.ask("select count(*) from metric where unit like '%h' and value < 0") == [(0,)]
    assert story.ask("select count(*) from ticket_fact where cycle_time_us < 0") == [(0,)]


def line_of(*names: str, step: float = DAYS) -> list[Record]:
    """A straight history of the bad service."""
    commits: list[Record] = [
        commit(name, *(names[place - 1 : place] if place else []), at=place * step, key=BAD)
        for place, name in enumerate(names)
    ]
    return [*commits, main_at(names[-1], BAD)]


def test_dates_of_1970_and_2099(tmp_path: Path, alone: Alone) -> None:
    """They are in no number, stretch no calendar, and are told."""
    story = beside(
        tmp_path,
        repository(BAD),
        line_of("b0", "b1", "b2", "b3"),
        commit("old", "b3", at=3 * DAYS + 1, key=BAD, authored_at=hour(EPOCH)),
        commit("new", "old", at=3 * DAYS + 2, key=BAD, authored_at=hour(FAR)),
        live(1, "b0", 5, repository_key=BAD),
        live(2, "b1", EPOCH, repository_key=BAD),
        live(3, "b2", FAR, repository_key=BAD),
        deployment(4, "b3", ("succeeded", FAR), at=90, repository_key=BAD),
        deployment(5, "b3", ("succeeded", EPOCH), at=95, repository_key=BAD),
        live(6, "new", 100, repository_key=BAD),
        request(1, "b1", opened=EPOCH, merged=30, merge="b1", key=BAD),
        request(2, "b2", opened=40, merged=FAR, merge="b2", key=BAD),
        incident(1, EPOCH, 50, service="bad"),
        incident(2, FAR, service="bad"),
        ticket("BAD-1", EPOCH, FAR),
        tag("v1.0", "b1", EPOCH, key=BAD),
    )
    assert healthy(story) == alone
    assert story.ask("select count(*) from input.period where period = 'week'")[0][0] < 60
    assert checks(story, "absurd dates") == [("changes of bad", 2), ("deployments of bad", 4)]
    assert story.ask(
        "select subject from exclusion where rule = 'change:absurd' order by subject"
    ) == [("forge:pull:1",), ("forge:pull:2",)]
    assert story.ask("""
        select count(*) from change_fact
        where repository_name = 'bad' and lead_time_us > 366 * 86400e6
    """) == [(0,)]


def test_clocks_that_disagree(tmp_path: Path, alone: Alone) -> None:
    """A change that is live before anybody wrote it is counted, shown, and left out."""
    story = beside(
        tmp_path,
        repository(BAD),
        line_of("b0", "b1", "b2"),
        live(1, "b0", -30, repository_key=BAD),
        live(2, "b1", 2, repository_key=BAD),
        live(3, "b2", 60, repository_key=BAD),
    )
    assert healthy(story) == alone
    assert checks(story, "negative lead times") == [("bad", 1)]
    assert story.ask("""
        select title, lead_time_us is null, flags from change_fact
        where repository_name = 'bad' and relation = 'shipped' and len(flags) > 0
    """) == [("b1", True, ["deployed before merge", "live before it started"])]
    assert story.ask("select count(*) from exclusion where rule = 'change:negative'") == [(1,)]


def test_the_same_id_again(tmp_path: Path, alone: Alone) -> None:
    """Told twice is told once; one commit in two repositories is one of each."""
    twice = [
        repository(BAD),
        *line_of("b0", "b1"),
        *live(1, "b0", 5, repository_key=BAD),
        *live(2, "b1", 30, repository_key=BAD),
        *request(1, "b1", opened=25, merged=26, merge="b1", key=BAD),
        incident(1, 31, 32, service="bad"),
        ticket("BAD-1", 5),
    ]
    other = repository("forge.test/fork/bad", repository_id="forge:repository:fork")
    forked = [
        record.model_copy(update={"repository_key": other.repository_key})
        for record in line_of("b0", "b1")
    ]
    story = beside(tmp_path, twice, twice, other, forked, ticket("GOOD-1", 20, 90))
    assert healthy(story) == alone
    assert story.ask("""
        select kind, count(*) from change_fact where service_id = 'forge.test/acme/bad'
        group by kind order by kind
    """) == [("change_request", 1), ("direct", 1)]
    assert story.ask("""
        select count(*) from deployment_fact where service_id = 'forge.test/acme/bad'
    """) == [(2,)]


@pytest.mark.parametrize("sha", [None, "", "  ", "not a commit", "v1.0", "0" * 40, "deadbeef"])
def test_deployments_without_a_known_commit(tmp_path: Path, alone: Alone, sha: str | None) -> None:
    """They are deployments, ship nothing that is known, and are listed."""
    records = [
        record.model_copy(update={"sha": sha}) if hasattr(record, "sha") else record
        for number in (2, 3)
        for record in live(number, "x", number * 20, repository_key=BAD)
    ]
    story = beside(
        tmp_path,
        repository(BAD),
        line_of("b0", "b1", "b2", "b3", step=9),
        live(1, "b0", 5, repository_key=BAD),
        records,
        live(4, "b3", 70, repository_key=BAD),
    )
    assert healthy(story) == alone
    assert story.ask("""
        select relation, count(*) from change_fact where repository_name = 'bad'
        group by relation order by relation
    """) == [("baseline", 1), ("interval_censored", 3)]
    check = "unresolved deployments" if (sha or "").strip() else "deployments without commits"
    assert checks(story, check) == [("bad", 2)]


def test_a_change_of_a_hundred_thousand_commits(tmp_path: Path, alone: Alone) -> None:
    """It is one change, in a few seconds."""
    number = 100_000
    huge = [
        ChangeRequestCommit(
            change_request_id="forge:pull:1",
            sha=f"{place:040x}",
            authored_at=hour(2),
            committed_at=hour(2),
            author_email="ann@x.test",
            subject="again",
            position=place,
        )
        for place in range(number)
    ]
    graph = [
        commit(f"h{place}", f"h{place - 1}" if place else "b0", at=2, key=BAD)
        for place in range(2000)
    ]
    story = beside(
        tmp_path,
        repository(BAD),
        line_of("b0"),
        graph,
        commit("m", "b0", "h1999", at=9, key=BAD),
        main_at("m", BAD),
        request(1, "h1999", opened=4, merged=9, merge="m", key=BAD)[:1],
        huge,
        live(1, "b0", 1, repository_key=BAD),
        live(2, "m", 10, repository_key=BAD),
    )
    assert healthy(story) == alone
    assert story.ask("""
        select lead_time_us / 3600e6 from change_fact where change_id = 'forge:pull:1'
    """) == [(8,)]


def test_histories_that_git_cannot_have(tmp_path: Path, alone: Alone) -> None:
    """A commit that is its own parent, a ring, a parent nobody knows, the same parent twice."""
    story = beside(
        tmp_path,
        repository(BAD),
        commit("self", "self", at=1, key=BAD),
        commit("r1", "r3", "self", at=2, key=BAD),
        commit("r2", "r1", at=3, key=BAD),
        commit("r3", "r2", at=4, key=BAD),
        commit("twice", "r3", "r3", at=5, key=BAD),
        commit("lost", "nobody", "twice", at=6, key=BAD),
        commit("new", "lost", at=50, key=BAD),
        main_at("new", BAD),
        *(
            live(place, name, 10 + place, repository_key=BAD)
            for place, name in enumerate(("self", "r1", "r2", "lost", "r1", "new"), 1)
        ),
    )
    assert healthy(story) == alone
    assert story.ask("""
        select count(*), count(distinct commit_no)
        from shipment as s join deployment as d on d.deployment_id = s.deployment_id
        where d.repository_key = 'forge.test/acme/bad' and s.environment = ''
    """) == [(7, 7)]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_people_write(tmp_path: Path, alone: Alone, text: str) -> None:
    """In names, titles, labels, branches, environments, addresses: it stays text."""
    story = beside(
        tmp_path,
        repository(BAD, url=text).model_copy(update={"name": text}),
        commit("b0", at=1, key=BAD, author_name=text, author_email=text, subject=text),
        commit("b1", "b0", at=20, key=BAD, author_name=text, author_email=text, subject=text),
        main_at("b1", BAD),
        tag(text, "b1", 25, key=BAD),
        request(
            1,
            "b1",
            opened=18,
            merged=20,
            merge="b1",
            key=BAD,
            head_branch=text,
            author=text,
            labels=[text],
            ticket_keys=[text],
            url=text,
        ),
        review(1, 19, reviewer=text),
        live(1, "b0", 5, repository_key=BAD, url=text, release=text, ref=text),
        live(2, "b1", 30, repository_key=BAD, service_hint=text, image=text, target=text),
        live(3, "b1", 31, repository_key=BAD, environment=text),
        incident(1, 31, 33, service=text, title=text, severity=text, references=[text], url=text),
        Ticket(
            ticket_id="tracker:ticket:1",
            ticket_key=text,
            project=text,
            type=text,
            title=text,
            status=text,
            status_category="done",
            labels=[text],
            created_at=hour(3),
        ),
        TicketTransition(
            ticket_id="tracker:ticket:1",
            transition_id="1",
            field=text,
            from_value=text,
            to_value=text,
            at=hour(4),
            actor=text,
        ),
    )
    assert healthy(story) == alone
    assert story.ask("""
        select relation, lead_time_us / 3600e6 from change_fact where change_id = 'forge:pull:1'
    """) == [("shipped", 13)]
    assert story.ask("select count(*) from deployment where environment = ''") == [(0,)]
    assert full("b1") in {sha for (sha,) in story.ask("select sha from deployment_fact")}
