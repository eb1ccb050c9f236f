"""What the models say about deployments, in small stories whose outcome is known."""

from datetime import date
from pathlib import Path

import pytest

from tests.pipelines.stories import (
    deployment,
    hour,
    line,
    live,
    repository,
    tag,
    tell,
)

HOUR_US = 3_600_000_000


def test_a_failed_attempt_ships_nothing(tmp_path: Path) -> None:
    """The next live deployment ships what it would have."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 4),
        deployment(2, "b", ("failed", 5), at=5),
        live(3, "d", 9),
    )
    assert story.ask("""
        select title, deployment_id like '%deployment:3' from change_fact
        where relation = 'shipped' order by title
    """) == [("b", True), ("c", True), ("d", True)]
    assert story.ask("select outcome, is_counted from deployment_fact where live_at is null") == [
        ("failed_before_live", False)
    ]


def test_retries_within_the_hour_are_one_deployment(tmp_path: Path) -> None:
    """It keeps its attempts, its first start and its first success."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 2),
        deployment(2, "b", ("failed", 5.2), at=5),
        deployment(3, "b", ("succeeded", 5.8), at=5.5),
    )
    assert story.ask("""
        select attempts, started_at, live_at, outcome from deployment_fact where not is_baseline
    """) == [(2, hour(5), hour(5.8), "succeeded")]


def test_a_rollback_ships_nothing_and_is_named(tmp_path: Path) -> None:
    """Rolling forward again ships nothing a second time."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 4),
        live(2, "b", 6),
        live(3, "a", 7),
        live(4, "c", 30),
    )
    assert story.ask("select kind, changes from deployment_fact order by started_at") == [
        ("normal", 0),
        ("normal", 1),
        ("rollback", 0),
        ("normal", 1),
    ]


def test_a_redeploy_counts_nowhere(tmp_path: Path) -> None:
    """The commit was already live."""
    story = tell(
        tmp_path, repository(), line("a", "b"), live(1, "a", 2), live(2, "b", 6), live(3, "b", 40)
    )
    assert story.ask("select kind, is_counted from deployment_fact order by started_at")[2] == (
        "redeploy",
        False,
    )
    assert story.ask("select count(*) from release_live") == [(2,)]


def test_two_production_environments_are_one_release(tmp_path: Path) -> None:
    """Live at the first of them; the second region is no second release and no second baseline."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 3, environment="prod-eu"),
        live(2, "b", 5, environment="prod-eu"),
        live(3, "b", 6, environment="prod-us"),
        live(4, "c", 7, environment="prod-us"),
    )
    assert story.ask("""
        select live_at, environments from release_live where environment = 'production'
        order by live_at
    """) == [
        (hour(3), 1),
        (hour(5), 2),
        (hour(7), 1),
    ]
    assert story.ask("""
        select title, relation, live_at from change_fact order by title
    """) == [
        ("a", "baseline", hour(3)),
        ("b", "shipped", hour(5)),
        ("c", "shipped", hour(7)),
    ]


def test_an_environment_that_is_no_production_is_listed(tmp_path: Path) -> None:
    """It is neither dropped nor promoted."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 3),
        live(2, "b", 4, environment="preprod"),
    )
    assert story.ask("""
        select subject from data_check where check_name = 'unmatched environments'
    """) == [("preprod",)]
    assert story.ask("select relation from change_fact where title = 'b'") == [("not_live",)]


def test_version_like_tags_deploy_where_nothing_else_does(tmp_path: Path) -> None:
    """Other tags do not; each tag ships what the one before did not hold."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        tag("v1.0", "a", 5),
        tag("nightly", "b", 6),
        tag("v1.1.0", "c", 9),
    )
    assert story.ask("select release, origin from deployment_fact order by live_at") == [
        ("v1.0", "tag"),
        ("v1.1.0", "tag"),
    ]
    assert story.ask("""
        select title, relation, lead_time_us / 3600e6 from change_fact order by title
    """) == [("a", "baseline", None), ("b", "shipped", 8), ("c", "shipped", 7)]


def test_tags_and_the_deployments_api_are_never_both_counted(tmp_path: Path) -> None:
    """The deployments API wins, and a rule of the settings wins over it."""
    records = (
        repository(),
        line("a", "b"),
        live(1, "a", 3),
        live(2, "b", 5),
        tag("v1.0", "a", 4),
        tag("v1.1", "b", 6),
    )
    story = tell(tmp_path / "one", *records)
    assert story.ask("select distinct origin from deployment_fact") == [("deployments_api",)]
    ruled = '[[deployments.rules]]\nrepository = "sho*"\norigin = "tag"\n'
    story = tell(tmp_path / "two", *records, settings=ruled)
    assert story.ask("select distinct origin from deployment_fact") == [("tag",)]


def test_no_data_is_never_zero(tmp_path: Path) -> None:
    """A service that never deployed has no frequency, and says why."""
    story = tell(tmp_path, repository(), line("a"))
    assert story.ask("""
        select distinct value, reason from metric
        where metric = 'deployment_frequency' and period = '28d'
    """) == [(None, "no deployments observed")]


def test_frequency_counts_weeks_without_deployments(tmp_path: Path) -> None:
    """Three releases in 28 days are three quarters of one a week, after years with some."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 5),
        *(live(i, s, 24 * d) for i, s, d in ((2, "b", 80), (3, "c", 81), (4, "d", 90))),
        as_of=24 * 100,
    )
    (value, n, low, high) = story.ask("""
        select value, n, ci_low, ci_high from metric where metric = 'deployment_frequency'
            and variant = 'per_week' and period = '28d' and entity_type = 'service'
    """)[0]
    assert (value, n) == (0.75, 3)
    assert low < 0.75 < high


def test_previous_values_are_those_of_the_equal_period_before(tmp_path: Path) -> None:
    """Two releases before, one now."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 5),
        live(2, "b", 24 * 50),
        live(3, "c", 24 * 55),
        live(4, "d", 24 * 90),
        as_of=24 * 100,
    )
    assert story.ask("""
        select n, previous_n, previous_value, period_end from metric
        where metric = 'deployment_frequency' and variant = 'per_week' and period = '28d'
            and entity_type = 'service'
    """) == [(1, 2, pytest.approx(0.5), date(2026, 9, 10))]


def test_a_few_hours_are_no_rate(tmp_path: Path) -> None:
    """Two deployments on the first day are not fourteen a week."""
    story = tell(tmp_path, repository(), line("a", "b"), live(1, "a", 2), live(2, "b", 9), as_of=20)
    assert story.ask("""
        select value, reason, n from metric where metric = 'deployment_frequency'
            and variant = 'per_week' and period = '28d' and entity_type = 'service'
    """) == [(None, "observed for less than a week", 2)]


def test_a_cut_week_is_marked_and_not_scaled(tmp_path: Path) -> None:
    """The first week counts what was seen in it."""
    story = tell(tmp_path, repository(), line("a", "b"), live(1, "a", 70), live(2, "b", 75))
    assert story.ask("""
        select value, is_partial from metric where metric = 'deployment_frequency'
            and variant = 'per_week' and period = 'week' and entity_type = 'service'
        order by period_start limit 2
    """) == [(2, True), (0, False)]


def test_deployments_find_their_repository_by_address_name_or_service(tmp_path: Path) -> None:
    """What finds none is told, not dropped."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 4),
        live(2, "b", 10, repository_key="shop"),
        live(3, "c", 20, repository_key="acme/shop"),
        live(4, "d", 30, repository_key=None, service_hint="Shop"),
        live(5, "d", 40, repository_key="forge.test/acme/other"),
    )
    assert story.ask("select count(*) from deployment_fact") == [(4,)]
    assert story.ask("""
        select subject, count, total from data_check where check_name = 'unmatched deployments'
    """) == [("forge.test/acme/other", 1, 5)]


def test_staging_of_a_repository_without_production_is_listed(tmp_path: Path) -> None:
    """It has no origin for production, and still shows what it does."""
    story = tell(tmp_path, repository(), line("a"), live(1, "a", 1, environment="staging"))
    assert story.ask("select environment, is_counted from deployment_fact") == [("staging", False)]
