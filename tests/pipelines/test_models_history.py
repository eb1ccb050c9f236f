"""Histories that were rewritten, cut off or broken, in small stories whose outcome is known."""

from pathlib import Path

import pytest

from connectors.records import ChangeRequestCommit
from tests.pipelines.stories import (
    commit,
    deployment,
    hour,
    line,
    live,
    main_at,
    repository,
    request,
    tell,
)


def test_after_a_force_push_equal_commits_are_shipped_already(tmp_path: Path) -> None:
    """Only what is new ships with the first deployment of the new history."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("b", "a", at=4),
        commit("B", "a", at=12, authored_at=hour(4), subject="b"),
        commit("c", "B", at=13),
        main_at("c"),
        live(1, "a", 1),
        live(2, "b", 10),
        live(3, "c", 20),
    )
    assert story.ask("""
        select title, kind, relation, live_at from change_fact where relation = 'shipped'
        order by live_at
    """) == [
        ("b", "direct", "shipped", hour(10)),
        ("c", "direct", "shipped", hour(20)),
    ]
    assert story.ask("select kind, dropped from deployment where started_at > '2026-06-02'") == [
        ("normal", 1)
    ]


def test_an_environment_that_is_seen_later_is_a_baseline_of_its_own_only(tmp_path: Path) -> None:
    """In production as a whole its changes were shipped before, or ship now."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 3, environment="prod-eu"),
        live(2, "b", 5, environment="prod-eu"),
        live(3, "c", 7, environment="prod-us"),
    )
    assert story.ask("""
        select c.title, l.environment, l.relation from deployment_change as l
        join change as c on c.change_id = l.change_id where c.title <> 'a' order by all
    """) == [
        ("b", "", "shipped"),
        ("b", "prod-eu", "shipped"),
        ("b", "prod-us", "baseline"),
        ("c", "", "shipped"),
        ("c", "prod-us", "baseline"),
    ]


def test_what_lies_at_a_shallow_boundary_is_baseline(tmp_path: Path) -> None:
    """A branch that comes from beyond it may have shipped long ago."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("x", at=1, is_shallow_boundary=True),
        commit("y", "x", at=3),
        commit("m", "a", "y", at=5),
        main_at("m"),
        live(1, "a", 2),
        live(2, "m", 9),
    )
    assert story.ask("select title, relation from change_fact order by title") == [
        ("a", "baseline"),
        ("m", "shipped"),
    ]
    assert story.ask(
        "select count(*) from shipment where relation = 'baseline' and environment = ''"
    ) == [(2,)]


def test_a_circle_of_parents_is_harmless(tmp_path: Path) -> None:
    """A corrupted history builds, and everything ships once."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", "c", at=0),
        commit("b", "a", at=1),
        commit("c", "b", at=2),
        commit("d", "c", at=3),
        main_at("d"),
        request(1, "d", opened=2, merged=3, merge="d"),
        live(1, "a", 1),
        live(2, "d", 9),
        live(3, "b", 12),
    )
    assert story.ask("select count(*) from change_fact where number = 1") == [(1,)]


def test_a_change_of_very_many_commits_is_told(tmp_path: Path) -> None:
    """It is one change; somebody should look."""
    more = [
        ChangeRequestCommit(change_request_id="forge:pull:1", sha=f"{i:040x}", position=i + 1)
        for i in range(1000)
    ]
    story = tell(
        tmp_path,
        repository(),
        line("a", "m", step=8),
        request(1, "t", opened=5, merged=8, merge="m"),
        more,
        live(1, "a", 1),
        live(2, "m", 10),
    )
    assert story.ask("select lead_time_us / 3600e6 from change_fact where number = 1") == [(6,)]
    assert story.ask("""
        select subject, count from data_check where check_name = 'very large changes'
    """) == [("shop", 1)]


@pytest.mark.parametrize(
    ("environment", "environment_class"),
    [
        ("prod", "production"),
        ("EU-Prod", "production"),
        ("Production (blue)", "production"),
        ("live_2", "production"),
        ("preprod", "other"),
        ("pre-prod", "other"),
        ("non-prod", "other"),
        ("prod-like", "other"),
        ("product-docs", "other"),
        ("alive", "other"),
        ("", "other"),
    ],
)
def test_production_is_a_whole_word(
    tmp_path: Path, environment: str, environment_class: str
) -> None:
    """What is none is listed by its name."""
    story = tell(tmp_path, repository(), line("a"), live(1, "a", 1, environment=environment))
    assert story.ask("select environment_class from deployment") == [(environment_class,)]
    listed = story.ask("select subject from data_check where check_name = 'unmatched environments'")
    assert listed == (
        [] if environment_class == "production" else [(environment or "without a name",)]
    )


def test_deployments_the_chosen_origin_leaves_out_are_counted(tmp_path: Path) -> None:
    """Never two origins at once, and nothing goes silently."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 2),
        deployment(2, "b", ("succeeded", 5), at=5),
        settings='[[deployments.rules]]\nrepository = "shop"\norigin = "merge"\n',
    )
    assert story.ask("select count(*) from deployment") == [(0,)]
    assert story.ask("""
        select subject, count, total, message from data_check
        where check_name = 'deployments of another origin'
    """) == [("shop", 2, 2, "only one origin of a repository counts, and its is merge")]
