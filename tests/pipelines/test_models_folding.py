"""Which attempts are one deployment, and how it ended, in small stories whose outcome is known."""

from pathlib import Path

import pytest

from connectors.records import Incident, Record
from tests.pipelines.stories import KEY, deployment, full, hour, line, live, repository, tell


def outcomes(folder: Path, *parts: list[Record], sha: str = "b") -> list[tuple[object, ...]]:
    """Attempts, times and outcomes of the deployments of a commit after a first one of another."""
    story = tell(folder, repository(), line("a", "b", "c"), live(1, "a", 0.1), *parts)
    return story.ask(f"""
        select attempts, started_at, live_at, outcome from deployment_fact
        where sha = '{full(sha)}' order by started_at
    """)


def test_a_canary_and_its_roll_out_are_one_deployment(tmp_path: Path) -> None:
    """Several states and targets; live from the first success."""
    assert outcomes(
        tmp_path,
        deployment(2, "b", ("running", 5), ("succeeded", 5.2), at=5, target="canary"),
        deployment(3, "b", ("running", 5.5), ("succeeded", 5.9), at=5.5, target="all"),
    ) == [(2, hour(5), hour(5.2), "succeeded")]


def test_more_than_an_hour_between_attempts_parts_them(tmp_path: Path) -> None:
    """Counted from the end of the latest attempt before, however many there were."""
    assert outcomes(
        tmp_path,
        deployment(2, "b", ("failed", 8), at=5),
        deployment(3, "b", ("failed", 5.5), at=5.2),
        deployment(4, "b", ("succeeded", 9.1), at=9),
        deployment(5, "b", ("succeeded", 10.3), at=10.2),
    ) == [
        (3, hour(5), hour(9.1), "succeeded"),
        (1, hour(10.2), hour(10.3), "succeeded"),
    ]


def test_another_commit_between_parts_them_too(tmp_path: Path) -> None:
    """However close they are."""
    assert outcomes(
        tmp_path,
        deployment(2, "b", ("failed", 5.1), at=5),
        deployment(3, "c", ("failed", 5.3), at=5.2),
        deployment(4, "b", ("succeeded", 5.5), at=5.4),
    ) == [
        (1, hour(5), None, "failed_before_live"),
        (1, hour(5.4), hour(5.5), "succeeded"),
    ]


@pytest.mark.parametrize(
    ("states", "live_at", "outcome"),
    [
        ([("succeeded", 6), ("inactive", 9)], 6, "succeeded"),
        ([("failed", 6), ("inactive", 9)], None, "failed_before_live"),
        ([("succeeded", 6), ("failed", 7)], 6, "failed_after_live"),
        ([("succeeded", 6), ("failed", 7), ("succeeded", 8)], 6, "succeeded"),
        ([("running", 6), ("cancelled", 7)], None, "cancelled"),
        ([("running", 6)], None, "running"),
        ([], None, "running"),
        ([("succeeded", 6), ("cancelled", 7)], 6, "succeeded"),
    ],
)
def test_an_outcome_follows_the_states(
    tmp_path: Path, states: list[tuple[str, float]], live_at: float | None, outcome: str
) -> None:
    """Live from the first success; a failure behind the last one is a failure after live."""
    found = outcomes(tmp_path, deployment(2, "b", *states, at=5))
    assert found == [(1, hour(5), None if live_at is None else hour(live_at), outcome)]


def test_what_fails_after_live_ships(tmp_path: Path) -> None:
    """Its changes were in production."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 2),
        deployment(2, "b", ("succeeded", 5), ("failed", 6), at=5),
    )
    assert story.ask("select title, live_at from change_fact where relation = 'shipped'") == [
        ("b", hour(5))
    ]


def test_an_earlier_start_that_ends_later_ships_what_is_left(tmp_path: Path) -> None:
    """And is no rollback of what was live before it ended."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 2),
        deployment(2, "b", ("succeeded", 9), at=5),
        deployment(3, "c", ("succeeded", 7), at=6),
    )
    assert story.ask("select kind, live_at, changes from deployment_fact order by live_at") == [
        ("normal", hour(2), 0),
        ("normal", hour(7), 2),
        ("normal", hour(9), 0),
    ]


def test_an_abbreviated_commit_is_the_whole_one(tmp_path: Path) -> None:
    """Seven signs of an id fold with the whole id."""
    cut = live(3, "bbbbb", 5.5)
    cut[0] = cut[0].model_copy(update={"sha": full("bbbbb")[:7].upper()})
    story = tell(
        tmp_path,
        repository(),
        line("aaaaa", "bbbbb"),
        live(1, "aaaaa", 2),
        live(2, "bbbbb", 5),
        cut,
    )
    assert story.ask("select attempts, sha from deployment_fact order by live_at") == [
        (1, full("aaaaa")),
        (2, full("bbbbb")),
    ]


def test_deployments_without_a_commit_count_and_ship_nothing(tmp_path: Path) -> None:
    """Those of one release within the hour are one; they are listed."""
    bare = [
        record.model_copy(update={"sha": None})
        for number, at, release in ((2, 5, "7.1"), (3, 5.5, "7.1"), (4, 9, "7.2"), (5, 9.5, None))
        for record in live(number, "b", at, release=release)
        if hasattr(record, "sha")
    ]
    states = [
        record
        for number, at in ((2, 5), (3, 5.5), (4, 9), (5, 9.5))
        for record in live(number, "b", at)[1:]
    ]
    story = tell(tmp_path, repository(), line("a", "b"), live(1, "a", 2), bare, states)
    assert story.ask("select attempts, release, is_counted from deployment order by live_at") == [
        (1, None, True),
        (2, "7.1", True),
        (1, "7.2", True),
        (1, None, True),
    ]
    assert story.ask("select count(*) from change_fact where relation = 'shipped'") == [(0,)]
    assert story.ask("""
        select subject, count, total from data_check
        where check_name = 'deployments without commits'
    """) == [("shop", 3, 4)]


@pytest.mark.parametrize(
    "named",
    ["{sha}", "forge:deployment:2", "https://forge.test/d/2", "v7.0", "see {sha}, please"],
)
def test_an_attempt_that_an_incident_names_was_live_from_its_end(
    tmp_path: Path, named: str
) -> None:
    """No status says so, and still people were disturbed."""
    reference = named.format(sha=full("jjjjj")[:9])
    incident = Incident(incident_id="pager:1", created_at=hour(6), title=reference)
    if " " not in reference:
        incident = incident.model_copy(update={"title": "", "references": [reference]})
    story = tell(
        tmp_path,
        repository(),
        line("a", "jjjjj", "c"),
        live(1, "a", 0.5),
        deployment(2, "jjjjj", ("failed", 5.5), at=5, url="https://forge.test/d/2", release="v7.0"),
        deployment(3, "c", ("failed", 7), at=6.5),
        incident,
    )
    assert story.ask("select live_at, outcome, is_counted from deployment order by started_at") == [
        (hour(0.5), "succeeded", True),
        (hour(5.5), "failed_after_live", True),
        (None, "failed_before_live", False),
    ]


def test_an_incident_that_names_a_commit_means_what_brought_it(tmp_path: Path) -> None:
    """An attempt that failed before another brought the commit was not live."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "jjjjj"),
        live(1, "a", 0.5),
        deployment(2, "jjjjj", ("failed", 5.5), at=5),
        live(3, "jjjjj", 9),
        Incident(incident_id="pager:1", created_at=hour(10), references=[full("jjjjj")]),
    )
    assert story.ask("select live_at from deployment order by started_at") == [
        (hour(0.5),),
        (None,),
        (hour(9),),
    ]


@pytest.mark.parametrize("at", [-24 * 365 * 56, 24 * 365 * 73])
def test_absurd_dates_are_left_out_and_listed(tmp_path: Path, at: float) -> None:
    """A deployment of 1970 is no baseline, one of 2099 ships nothing."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 2),
        live(2, "c", at),
        live(3, "b", 9),
    )
    assert story.ask("select live_at, is_baseline from deployment order by live_at") == [
        (hour(2), True),
        (hour(9), False),
    ]
    assert story.ask("""
        select subject, count from data_check where check_name = 'absurd dates'
    """) == [(f"deployments of {KEY.rsplit('/', 1)[-1]}", 1)]


def test_a_success_before_the_start_is_told(tmp_path: Path) -> None:
    """Clocks disagree: the earlier time is the start, nothing is negative."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 2),
        deployment(2, "b", ("succeeded", 8), at=9),
    )
    assert story.ask(
        "select started_at, live_at from deployment where live_at > '2026-06-01 12:00'"
    ) == [(hour(8), hour(8))]
    assert story.ask("""
        select subject, count from data_check where check_name = 'negative durations'
    """) == [("deployments of shop", 1)]


def test_a_deployment_after_as_of_is_harmless(tmp_path: Path) -> None:
    """It happened while other sources were still being read; nothing counts it yet."""
    story = tell(
        tmp_path, repository(), line("a", "b"), live(1, "a", 2), live(2, "b", 60), as_of=50
    )
    assert story.ask("select n from metric where metric = 'change_lead_time' and n > 0") == []
    assert story.ask("""
        select value from metric where metric = 'merged_not_live' and variant = 'count'
            and period = '28d' and entity_type = 'service'
    """) == [(1,)]
