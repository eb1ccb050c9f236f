"""What the models say about single production environments, beside production as a whole."""

from pathlib import Path

from tests.pipelines.stories import deployment, hour, line, live, repository, tell

OTHER = "forge.test/acme/pay"


def test_each_of_several_production_environments_has_rows_of_its_own(tmp_path: Path) -> None:
    """The headline stays production; a service with a single one has no other rows."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 3, environment="prod-eu"),
        live(2, "b", 5, environment="prod-eu"),
        live(3, "b", 6, environment="prod-us"),
        live(4, "c", 7, environment="prod-us"),
        repository(OTHER),
        line("x", "y"),
        live(5, "x", 3, environment="prod-eu", repository_key=OTHER),
    )
    assert story.ask("""
        select environment, live_at, environments from release_live
        where service_id like '%shop' order by environment, live_at
    """) == [
        ("prod-eu", hour(3), 1),
        ("prod-eu", hour(5), 1),
        ("prod-us", hour(6), 1),
        ("prod-us", hour(7), 1),
        ("production", hour(3), 1),
        ("production", hour(5), 2),
        ("production", hour(7), 1),
    ]
    assert story.ask("""
        select entity_type, environment, n, services from metric
        where metric = 'deployment_frequency' and variant = 'per_week' and period = '91d'
            and entity_type <> 'team' and entity_id not like '%pay'
        order by entity_type, environment
    """) == [
        ("organisation", "prod-eu", 2, 1),
        ("organisation", "prod-us", 2, 1),
        ("organisation", "production", 4, 2),
        ("service", "prod-eu", 2, 1),
        ("service", "prod-us", 2, 1),
        ("service", "production", 3, 1),
    ]


def test_lead_time_of_an_environment_runs_to_it(tmp_path: Path) -> None:
    """Five changes reach the second region a day after the first."""
    names = ("b", "c", "d", "e", "f")
    story = tell(
        tmp_path,
        repository(),
        line("a", *names),
        live(1, "a", 10, environment="prod-eu"),
        live(2, "a", 11, environment="prod-us"),
        live(3, "f", 20, environment="prod-eu"),
        live(4, "f", 44, environment="prod-us"),
        as_of=24 * 20,
    )
    assert story.ask("""
        select environment, value, n from metric
        where metric = 'change_lead_time' and variant = 'median' and period = '28d'
            and entity_type = 'service' order by environment
    """) == [("prod-eu", 17, 5), ("prod-us", 41, 5), ("production", 17, 5)]
    assert story.ask("""
        select distinct environment from metric where metric = 'lead_time_stage'
    """) == [("production",)]


def test_an_environment_named_production_keeps_apart_from_the_whole(tmp_path: Path) -> None:
    """Beside another one its own rows have a longer name."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 3),
        deployment(2, "a", ("succeeded", 4), at=4, environment="live"),
    )
    assert story.ask("select environment, count(*) from release_live group by 1 order by 1") == [
        ("live", 1),
        ("production", 1),
        ("production (environment)", 1),
    ]
