"""What the models say about failed deployments, in small stories whose outcome is known."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import CommitPath
from tests.pipelines.stories import (
    KEY,
    Story,
    commit,
    deployment,
    full,
    hour,
    incident,
    line,
    live,
    main_at,
    repository,
    request,
    tell,
    ticket,
)


def signals(story: Story) -> list[tuple[str, str, str, bool]]:
    """Number of the failed deployment, method, confidence, whether it is primary."""
    return story.ask("""
        select regexp_extract(deployment_id, '[0-9]+$'), link_method, confidence, is_primary
        from failure_signal order by all
    """)


def links(story: Story) -> list[tuple[int, str | None, str | None]]:
    """Number of each incident, the number of its deployment, and how they are linked or why not."""
    return story.ask("""
        select cast(regexp_extract(incident_id, '[0-9]+$') as integer),
            regexp_extract(deployment_id, '[0-9]+$'), coalesce(link_method, reason)
        from incident_link order by 1
    """)


def test_a_rollback_names_what_was_live_when_it_started(tmp_path: Path) -> None:
    """The deployment it takes back failed; the rollback itself did not."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 4),
        live(2, "b", 30),
        live(3, "c", 60),
        live(4, "b", 61),
    )
    assert signals(story) == [("3", "rollback", "high", True)]
    assert story.ask("""
        select recovered_by, recovery_us / 3600e6, evidence[1] from failure_fact
    """) == [("rollback", 1, f"rolled back to {full('b')[:10]}")]
    assert story.ask("""
        select is_failed from deployment_fact order by live_at
    """) == [(False,), (False,), (True,), (False,)]


def test_a_revert_fails_what_shipped_the_change(tmp_path: Path) -> None:
    """Only where another deployment brings the revert, and within the days set."""
    story = tell(
        tmp_path,
        repository(),
        [
            *(commit(name, *parents, at=at) for name, parents, at in (
                ("a", (), 0), ("b", ("a",), 1), ("c", ("b",), 2), ("e", ("c",), 3),
            )),
            commit("d", "e", at=9, reverts=[full("c")]),
            commit("f", "d", at=10),
            commit("g", "f", at=11, reverts=[full("f")]),
            commit("h", "g", at=24 * 20, reverts=[full("b")]),
        ],
        main_at("h"),
        live(1, "a", 4),
        live(2, "e", 5),
        live(3, "g", 12),
        live(4, "h", 24 * 21),
    )  # fmt: skip
    assert signals(story) == [("2", "revert", "high", True)]
    assert story.ask("select recovered_by, recovery_us / 3600e6 from failure") == [("fix", 7)]


def test_a_revert_request_that_was_squashed_is_known_by_its_title(tmp_path: Path) -> None:
    """Taking back the revert says nothing against the revert."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "m", "r", "s"),
        request(1, "x", opened=0, merged=1, merge="m"),
        request(2, "y", opened=1.5, merged=2, merge="r", title='Revert "change 1"'),
        request(3, "z", opened=2.5, merged=3, merge="s", title='Revert "Revert "change 1""'),
        live(1, "a", 0.5),
        live(2, "m", 4),
        live(3, "r", 5),
        live(4, "s", 6),
    )
    assert signals(story) == [("2", "revert", "high", True)]
    assert story.ask("select evidence[1] from failure_fact") == [
        ('a change it shipped was taken back: Revert "change 1"',)
    ]


def test_a_revert_says_nothing_against_services_it_does_not_touch(tmp_path: Path) -> None:
    """Both services deploy the same commits; only one of them ever had the change."""
    settings = "".join(
        f'[[services]]\nname = "{n}"\nrepository = "shop"\npaths = ["{n}/"]\n'
        for n in ("cart", "search")
    )
    touched = {"b": "cart/x", "c": "cart/x", "d": "search/x"}
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("b", "a", at=1),
        commit("d", "b", at=2),
        commit("c", "d", at=4, reverts=[full("b")]),
        main_at("c"),
        *(CommitPath(repository_key=KEY, sha=full(s), path=p) for s, p in touched.items()),
        live(1, "a", 0.5),
        live(2, "d", 3),
        live(3, "c", 5),
        settings=settings,
    )
    assert story.ask("""
        select s.name, regexp_extract(f.deployment_id, '[0-9]+$'), f.recovered_by
        from failure as f join service as s on s.service_id = f.service_id
    """) == [("cart", "2", "fix")]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (30.5, "2"),  # live shortly before
        (54, "2"),  # the last moment of the window
        (54.1, None),
        (29.5, "2"),  # on its way, and nothing else in reach
        (28.9, None),
    ],
)
def test_an_incident_is_linked_within_the_window(
    tmp_path: Path, start: float, expected: str | None
) -> None:
    """From the start of the deployment until 24 hours after it was live."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        deployment(2, "b", ("succeeded", 30), at=29),
        incident(1, start, start + 1),
    )
    assert links(story)[0][:2] == (1, expected)
    assert story.ask("select candidates from incident_link") == [(1 if expected else 0,)]


def test_an_incident_links_once_to_the_latest_live(tmp_path: Path) -> None:
    """A deployment on its way is no candidate while another is in reach."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        live(1, "a", 1),
        live(2, "b", 30),
        live(3, "c", 32),
        deployment(4, "d", ("succeeded", 40), at=33),
        incident(1, 34, 35),
    )
    assert links(story) == [(1, "3", "incident_time")]
    assert story.ask("select candidates from incident_link") == [(3,)]


@pytest.mark.parametrize(
    "names",
    [
        {"references": ["forge:deployment:2"]},
        {"references": ["https://deploy.test/2"]},
        {"references": [full("j")]},
        {"title": f"Broken since {full('j')[:9]}"},
        {"title": "Broken since https://forge.test/acme/shop/pull/7/files"},
        {"title": "Broken by #7."},
        {"title": "Broken in v1.2.0."},
        {"references": ["v1.2.0"]},
    ],
)
def test_what_an_incident_names_wins(tmp_path: Path, names: dict[str, Any]) -> None:
    """However long ago it went live, and whatever was live last."""
    url = "https://forge.test/acme/shop/pull/7"
    story = tell(
        tmp_path,
        repository(),
        line("a", "j", "c"),
        request(7, "j", opened=0, merged=1, merge="j", url=url),
        live(1, "a", 1),
        live(2, "j", 30, url="https://deploy.test/2", release="v1.2.0"),
        live(3, "c", 90),
        incident(1, 91, 92, **names),
    )
    assert links(story) == [(1, "2", "incident_reference")]
    assert signals(story) == [("2", "incident_reference", "high", True)]


def test_an_attempt_that_an_incident_names_was_live(tmp_path: Path) -> None:
    """From its end, though it never reported success; nothing says that its status turned."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        deployment(2, "b", ("failed", 31), at=30),
        incident(1, 30.5, 33, references=["forge:deployment:2"]),
    )
    assert signals(story) == [("2", "incident_reference", "high", True)]
    assert story.ask("""
        select live_at, failed_at, recovery_us / 3600e6 from failure
    """) == [(hour(31), hour(30.5), 2.5)]


def test_an_incident_may_name_what_another_service_deployed(tmp_path: Path) -> None:
    """A whole commit or an address is enough; the incident keeps its own service."""
    other = "forge.test/acme/pay"
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        live(2, "b", 30),
        repository(other),
        commit("x", at=0, key=other),
        commit("y", "x", at=1, key=other),
        main_at("y", other),
        live(3, "x", 1, repository_key=other),
        live(4, "y", 20, repository_key=other),
        incident(1, 31, 32, references=[full("y")]),
    )
    assert links(story) == [(1, "4", "incident_reference")]
    assert story.ask("""
        select service_name, deployment_service_name from incident_fact
    """) == [("shop", "pay")]


def test_what_came_after_the_incident_mended_it(tmp_path: Path) -> None:
    """A link to the fix is no cause; it is rejected and counted."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 1),
        live(2, "b", 90),
        incident(1, 80, 91, references=[full("b")]),
        live(3, "c", 200),
        incident(2, 210, 205),
    )
    assert links(story) == [
        (1, None, "rejected: what it names was deployed after it began"),
        (2, "3", "incident_time"),
    ]
    assert story.ask("select count from data_check where check_name = 'rejected links'") == [(1,)]


def test_an_incident_over_before_the_deployment_was_live_is_rejected(tmp_path: Path) -> None:
    """Its clock is wrong: it ended before it began."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        live(2, "b", 30),
        incident(1, 31, 29),
    )
    assert links(story) == [(1, None, "rejected: it was over before the deployment was live")]


def test_services_are_found_by_mapping_name_and_repository(tmp_path: Path) -> None:
    """Names in any case; what is unknown is counted and linked to nothing."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        incident(1, 2, 3, "Shop API"),
        incident(2, 2, 3, "SHOP"),
        incident(3, 2, 3, "acme/shop"),
        incident(4, 2, 3, "nobody's"),
        incident(5, 2, 3, None),
        settings='[incidents.service_names]\n"shop api" = "shop"\n',
    )
    assert [(number, at) for number, at, _ in links(story)] == [
        (1, "1"), (2, "1"), (3, "1"), (4, None), (5, None),
    ]  # fmt: skip
    assert story.ask("""
        select count, total from data_check where check_name = 'incidents without a service'
    """) == [(2, 5)]


def test_tickets_that_the_settings_call_incidents_are_incidents(tmp_path: Path) -> None:
    """By type or label; the service by component, label or service: label."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        ticket("OPS-1", 2, 3, type="incident", components=["unknown", "Shop"]),
        ticket("OPS-2", 2, type="Task", labels=["Outage", "service:shop"]),
        ticket("OPS-3", 2, 3, type="Task"),
        ticket("DEV-4", 2, 3, type="Incident"),
        settings='[incidents]\nticket_types = ["Incident"]\nticket_labels = ["outage"]\n'
        'projects = ["OPS"]\n',
    )
    assert story.ask("""
        select title, source, service_name, started_at, resolved_at, is_open, link_method
        from incident_fact order by title
    """) == [
        ("ticket OPS-1", "ticket", "shop", hour(2), hour(3), False, "incident_time"),
        ("ticket OPS-2", "ticket", "shop", hour(2), None, True, "incident_time"),
    ]


def test_merged_incidents_are_one(tmp_path: Path) -> None:
    """From the earliest start to the last resolve, with all that they name."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1),
        incident(1, 3, 5, references=["x"]),
        incident(2, 2, 9, merged_into="pager:incident:3", references=["y"]),
        incident(3, 4, 6, None, merged_into="pager:incident:1"),
        incident(4, 4, 6, merged_into="pager:incident:99"),
    )
    assert story.ask("""
        select incident_id, started_at, resolved_at, refs from incident order by incident_id
    """) == [
        ("pager:incident:1", hour(2), hour(9), ["x", "y"]),
        ("pager:incident:4", hour(4), hour(6), []),
    ]


def test_a_hotfix_fails_what_was_live_before_it(tmp_path: Path) -> None:
    """Within 24 hours, of medium confidence; it is the fix that ends the failure."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d", "e"),
        live(1, "a", 1),
        live(2, "b", 30),
        live(3, "c", 40, ref="hotfix/login"),
        live(4, "d", 100),
        live(5, "e", 125, ref="hotfix/late"),
    )
    assert signals(story) == [("2", "hotfix", "medium", True)]
    assert story.ask("select recovered_by, recovery_us / 3600e6 from failure") == [("fix", 10)]


def test_a_hotfix_after_a_rollback_names_what_was_rolled_back(tmp_path: Path) -> None:
    """The return to what worked did not fail."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 1),
        live(2, "b", 30),
        live(3, "a", 32),
        live(4, "c", 40, ref="hotfix/login"),
    )
    assert signals(story) == [
        ("2", "hotfix", "medium", True),
        ("2", "rollback", "high", True),
    ]
    assert story.ask("select recovered_by, recovery_us / 3600e6 from failure") == [("rollback", 2)]


def test_a_status_that_turns_failed_is_a_failure(tmp_path: Path) -> None:
    """The next live deployment mends it."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 1),
        deployment(2, "b", ("succeeded", 30), ("failed", 31), at=30),
        live(3, "c", 36),
    )
    assert signals(story) == [("2", "status", "high", True)]
    assert story.ask("select recovered_by, recovery_us / 3600e6 from failure") == [("fix", 6)]


def near(value: float) -> Any:
    """A figure worked out by hand to two places."""
    return pytest.approx(value, abs=0.01)


def every_ten_days(count: int) -> list[Any]:
    """A deployment every ten days: windows cover a tenth of the time."""
    names = [f"n{i:03}" for i in range(count)]
    return [
        repository(),
        line(*names, step=0.01),
        *(live(i, name, 240 * i + 10) for i, name in enumerate(names)),
    ]


def test_change_fail_rate_with_its_interval(tmp_path: Path) -> None:
    """Two of nine: 22.2 %, Wilson 6.3 to 54.7 %; one of them by time alone."""
    story = tell(
        tmp_path,
        *every_ten_days(10),
        incident(1, 245, 246, references=[full("n000")]),
        incident(2, 252, 253),
        as_of=240 * 9 + 12,
    )
    assert story.ask("""
        select variant, value, n, ci_low, ci_high from metric
        where metric = 'change_fail_rate' and period = '91d' and entity_type = 'service'
        order by variant
    """) == [
        ("high", pytest.approx(100 / 9), 9, near(1.99), near(43.5)),
        ("primary", pytest.approx(200 / 9), 9, near(6.32), near(54.74)),
    ]
    assert story.ask("""
        select rule, count(*) from exclusion where rule = 'deployment:immature' group by 1
    """) == [("deployment:immature", 1)]
    assert story.ask("""
        select incidents, round(covered_share, 3), round(expected_by_chance, 3), is_time_used
        from incident_coverage where period = '91d' and period_start > '2026-05-01'
    """) == [(2, 0.101, 0.202, True)]


def test_without_incidents_the_rate_is_only_at_least(tmp_path: Path) -> None:
    """No upper end, and no value under the headline's name."""
    story = tell(
        tmp_path,
        *every_ten_days(10),
        live(50, "n003", 240 * 4 + 11),
        as_of=24 * 100,
    )
    rows = story.ask("""
        select variant, value, n, ci_low is null, ci_high, reason from metric
        where metric = 'change_fail_rate' and period = '182d' and entity_type = 'service'
        order by variant
    """)
    reason = (
        "no incident source covers this service: at least 1 of 11 failed"
        " (rollbacks and reverts only)"
    )
    assert rows == [
        ("at_least", pytest.approx(100 / 11), 11, False, None, None),
        ("high", None, 11, True, None, reason),
        ("primary", None, 11, True, None, reason),
    ]
    assert story.ask("""
        select value, ci_high, reason from metric where metric = 'change_fail_rate'
            and period = '182d' and entity_type = 'organisation' order by variant
    """) == [
        (pytest.approx(100 / 11), None, None),
        (None, None, "no incident source covers these services"),
        (None, None, "no incident source covers these services"),
    ]


def test_where_windows_cover_most_of_the_time_links_by_time_do_not_count(tmp_path: Path) -> None:
    """They stay visible, marked, beside what is sure."""
    names = [f"n{i:03}" for i in range(40)]
    story = tell(
        tmp_path,
        repository(),
        line(*names, step=0.01),
        *(live(i, name, 20 * i + 10) for i, name in enumerate(names)),
        incident(1, 100, 101),
        incident(2, 200, 201, references=[full("n002")]),
        as_of=24 * 45,
    )
    assert story.ask("""
        select variant, round(value, 6) from metric where metric = 'change_fail_rate'
            and period = '91d' and entity_type = 'service' order by variant
    """) == [("high", 2.5), ("primary", 2.5)]
    assert signals(story) == [
        ("2", "incident_reference", "high", True),
        ("4", "incident_time", "medium", False),
    ]
    assert story.ask("""
        select count from data_check where check_name = 'incident windows cover most of the time'
    """) == [(2,)]


def test_attempts_that_never_went_live_are_a_rate_of_their_own(tmp_path: Path) -> None:
    """One of three; they are no change failures."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        live(1, "a", 1),
        deployment(2, "b", ("failed", 30), at=30),
        deployment(3, "b", ("cancelled", 40), at=40),
        live(4, "c", 50),
    )
    assert story.ask("""
        select value, n from metric where metric = 'attempt_failure_rate' and period = '91d'
            and entity_type = 'service'
    """) == [(pytest.approx(100 / 3), 3)]
    assert signals(story) == []


def test_a_release_failed_if_one_of_its_regions_did(tmp_path: Path) -> None:
    """The other region's own rows know nothing of it."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 1, environment="prod-eu"),
        live(2, "a", 2, environment="prod-us"),
        live(3, "b", 30, environment="prod-eu"),
        live(4, "b", 31, environment="prod-us"),
        live(5, "a", 32, environment="prod-us"),
        incident(1, 1000, 1001),
    )
    assert story.ask("""
        select environment, value, n from metric where metric = 'change_fail_rate'
            and variant = 'primary' and period = '91d' and entity_type = 'service' order by 1
    """) == [
        ("prod-eu", 0, 2),
        ("prod-us", pytest.approx(100 / 3), 3),
        ("production", pytest.approx(100 / 3), 3),
    ]


def test_links_by_team_are_off_unless_asked_for(tmp_path: Path) -> None:
    """And of low confidence then: never primary."""
    records = (
        repository(),
        line("a"),
        live(1, "a", 1),
        incident(1, 2, 3, "Payments"),
    )
    team = '[[teams]]\nname = "Payments"\nrepositories = ["shop"]\n'
    story = tell(tmp_path / "off", *records, settings=team)
    assert links(story) == [(1, None, "names a team but no service that is known")]
    story = tell(tmp_path / "on", *records, settings=f"[failures]\nteam_links = true\n{team}")
    assert signals(story) == [("1", "incident_team", "low", False)]
    assert story.ask("select is_failed from deployment_fact") == [(False,)]
