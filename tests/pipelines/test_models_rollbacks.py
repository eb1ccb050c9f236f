"""What rollbacks, gaps and taking turns leave behind, in small stories whose outcome is known."""

from pathlib import Path

import pytest

from connectors.records import PipelineRun
from tests.pipelines.stories import (
    KEY,
    commit,
    deployment,
    hour,
    line,
    live,
    main_at,
    repository,
    request,
    tag,
    tell,
)


def test_a_change_keeps_when_it_was_rolled_back_and_live_again(tmp_path: Path) -> None:
    """It shipped once; what the rollback holds itself was never gone."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 0.5),
        live(2, "b", 5),
        live(3, "c", 6),
        live(4, "b", 7),
        live(5, "d", 20),
    )
    assert story.ask("""
        select title, live_at, rolled_back_at, live_again_at from change_fact order by title
    """) == [
        ("a", hour(0.5), None, None),
        ("b", hour(5), None, None),
        ("c", hour(6), hour(7), hour(20)),
        ("d", hour(20), None, None),
    ]
    assert story.ask(
        "select failed_deployment_id, live_deployment_id, dropped from deployment"
        " where kind = 'rollback'"
    ) == [(f"{KEY}|forge:deployment:3", f"{KEY}|forge:deployment:3", 1)]


def test_what_is_still_rolled_back_is_not_live_again(tmp_path: Path) -> None:
    """Twice taken back: the first time is kept, and nothing else."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        *(live(i, "ab"[i % 2], 5 + i) for i in range(4, 9)),
    )
    assert story.ask("""
        select rolled_back_at, live_again_at from change_fact where title = 'b'
    """) == [(hour(11), None)]


def test_a_rolled_back_request_follows_all_its_commits(tmp_path: Path) -> None:
    """Merge commit and head go together."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("t", "a", at=4),
        commit("m", "a", "t", at=6),
        main_at("m"),
        request(1, "t", opened=5, merged=6, merge="m"),
        live(1, "a", 1),
        live(2, "m", 10),
        live(3, "a", 12),
        live(4, "m", 14),
    )
    assert story.ask("""
        select rolled_back_at, live_again_at, flags from change_fact where kind = 'change_request'
    """) == [(hour(12), hour(14), ["rolled back"])]


def test_production_is_rolled_back_when_no_environment_has_it_any_more(tmp_path: Path) -> None:
    """One region taken back is no more than that region."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 0.1, environment="prod-eu"),
        live(2, "a", 0.2, environment="prod-us"),
        live(3, "b", 5, environment="prod-eu"),
        live(4, "b", 6, environment="prod-us"),
        live(5, "a", 7, environment="prod-eu"),
        live(6, "a", 9, environment="prod-us"),
        live(7, "b", 11, environment="prod-us"),
    )
    assert story.ask("""
        select environment, rolled_back_at, live_again_at from deployment_change as l
        join change as c on c.change_id = l.change_id where c.title = 'b' order by environment
    """) == [
        ("", hour(9), hour(11)),
        ("prod-eu", hour(7), None),
        ("prod-us", hour(9), hour(11)),
    ]


def test_branches_that_take_turns_are_listed(tmp_path: Path) -> None:
    """Each return reads as a rollback: a known limit, told on Data health."""
    story = tell(
        tmp_path,
        repository(),
        line("a"),
        commit("x", "a", at=2),
        commit("y", "a", at=3),
        live(1, "a", 1),
        *(live(number, "xy"[number % 2], 5 + number) for number in range(2, 7)),
    )
    assert story.ask("select kind, count(*) from deployment group by kind order by kind") == [
        ("normal", 3),
        ("rollback", 3),
    ]
    assert story.ask("""
        select subject, count, total from data_check where check_name = 'alternating rollbacks'
    """) == [("shop in production", 3, 6)]
    assert story.ask("select relation, dropped from deployment where relation = 'sideways'") == [
        ("sideways", 1)
    ]
    assert story.ask("select subject from data_check where check_name = 'dropped commits'") == [
        ("shop",)
    ]


def test_the_first_after_a_silent_source_is_flagged(tmp_path: Path) -> None:
    """More than 14 days without any attempt of the source; its changes are flagged too."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 5),
        live(2, "b", 5 + 24 * 15),
        live(3, "c", 6 + 24 * 15),
    )
    assert story.ask("select is_after_gap from deployment_fact order by live_at") == [
        (False,),
        (True,),
        (False,),
    ]
    assert story.ask("""
        select title, flags from change_fact where relation = 'shipped' order by title
    """) == [
        ("b", ["after gap"]),
        ("c", []),
    ]
    assert story.ask("""
        select subject, count from data_check where check_name = 'deployments after a gap'
    """) == [("shop", 1)]


def test_a_quiet_service_of_a_source_that_speaks_has_no_gap(tmp_path: Path) -> None:
    """Another environment, another repository or a run shows that the source was there."""
    run = PipelineRun(
        run_id="forge:run:1",
        repository_key="forge.test/acme/other",
        status="failed",
        started_at=hour(5 + 24 * 10),
    )
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 5),
        run,
        live(2, "b", 5 + 24 * 20),
        deployment(3, "c", at=24 * 32, environment="staging"),
        live(4, "c", 24 * 40),
    )
    assert story.ask("select count(*) from deployment where is_after_gap") == [(0,)]


def test_an_unknown_commit_in_another_region_leaves_production_uncertain(tmp_path: Path) -> None:
    """It may have been live there before; in the region that is known it was not."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", step=4),
        live(1, "a", 1, environment="prod-eu"),
        live(2, "a", 1.5, environment="prod-us"),
        live(3, "unknown", 6, environment="prod-us"),
        live(4, "b", 10, environment="prod-eu"),
    )
    assert story.ask("""
        select environment, relation from deployment_change as l
        join change as c on c.change_id = l.change_id where c.title = 'b' order by environment
    """) == [("", "interval_censored"), ("prod-eu", "shipped")]
    assert story.ask("select count(distinct commit_no) from shipment") == [(2,)]


@pytest.mark.parametrize(
    ("releases", "last"), [(5, ("v1.5", "normal")), (31, ("v1.32", "rollback"))]
)
def test_a_slip_in_a_version_does_not_count_for_ever(
    tmp_path: Path, releases: int, last: tuple[str, str]
) -> None:
    """Only the highest of the thirty releases before one says whether its version is older.

    So only after those does a new number on an old commit go back, and is no second name.
    """
    names = [f"c{number}" for number in range(releases + 1)]
    tags = [tag(f"v1.{number}", f"c{number}", 40.0 + number) for number in range(1, releases + 1)]
    story = tell(
        tmp_path,
        repository(),
        line(*names),
        tag("v9.9", "c0", 39),
        tags,
        tag(f"v1.{releases + 1}", names[-2], 90),
    )
    assert story.ask("select ref, relation from deployment order by live_at desc limit 1") == [last]
