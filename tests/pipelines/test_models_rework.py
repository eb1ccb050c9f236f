"""What the models say about rework, in small stories whose outcome is known."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import Account
from tests.pipelines.stories import Story, line, live, repository, request, tell, ticket


def near(value: float) -> Any:
    """A figure worked out by hand to two places."""
    return pytest.approx(value, abs=0.01)


def state(story: Story, number: int = 2) -> list[tuple[str, str, bool]]:
    """What a deployment was, and why."""
    return story.ask(f"""
        select state, reason, contains_fix from rework where deployment_id like '%:{number}'
    """)


FIXES = ("rework", "all that people changed in it are fixes", True)
SILENT = ("unknown", "no ticket, label, branch or revert mark says what its changes are", False)
PLANNED = ("planned", "it ships planned work", False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": ["Bug"]}, FIXES),
        ({"head_branch": "fix/typo"}, FIXES),
        ({"title": 'Revert "something"'}, FIXES),
        ({"ticket_keys": ["DEV-2"]}, FIXES),
        ({"ticket_keys": ["DEV-1"]}, PLANNED),  # opened before the deployment before
        ({"ticket_keys": ["DEV-3"]}, PLANNED),  # of another type
        ({"ticket_keys": ["DEV-99"]}, SILENT),  # nobody knows it
        ({"labels": ["Feature"]}, PLANNED),
        ({"head_branch": "feature/cart"}, PLANNED),
        ({}, SILENT),
    ],
)
def test_what_makes_a_change_a_fix(
    tmp_path: Path, change: dict[str, object], expected: tuple[str, str, bool]
) -> None:
    """Its label, its branch, what it takes back, or a ticket opened since the last deployment."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        request(1, "b", opened=0.5, merged=1, merge="b", **change),
        live(1, "a", 10),
        live(2, "b", 30),
        ticket("DEV-1", 9),
        ticket("DEV-2", 11),
        ticket("DEV-3", 11, type="Story"),
    )
    assert state(story) == [expected]
    assert state(story, 1) == [
        ("unknown", "first deployment seen: what it holds was shipped before", False)
    ]


def test_some_fixes_among_others_are_planned(tmp_path: Path) -> None:
    """It contains a fix, and says so; a bot's change does not turn it."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d", "e"),
        Account(account_id="forge:robot", login="renovate[bot]", is_bot=True),
        request(1, "b", opened=0.5, merged=1, merge="b", labels=["bug"]),
        request(2, "c", opened=1.5, merged=2, merge="c"),
        request(3, "d", opened=2.5, merged=3, merge="d", labels=["bug"]),
        request(4, "e", opened=3.5, merged=4, merge="e", author="forge:robot"),
        live(1, "a", 10),
        live(2, "c", 30),
        live(3, "e", 40),
    )
    assert state(story) == [("planned", "1 of 2 changes in it are fixes", True)]
    assert state(story, 3) == [FIXES]


def test_a_rollback_is_rework_and_the_rate_has_two_ends(tmp_path: Path) -> None:
    """Of six: one rollback, one planned, four of which nothing is known."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d", "e"),
        request(1, "b", opened=0.5, merged=1, merge="b", labels=["feature"]),
        live(1, "a", 10),
        live(2, "b", 30),
        live(3, "c", 60),
        live(4, "b", 61),
        live(5, "d", 90),
        live(6, "e", 120),
    )
    assert story.ask("""
        select variant, value, n, ci_low, ci_high from metric
        where metric = 'deployment_rework_rate' and period = '91d' and entity_type = 'service'
        order by variant
    """) == [
        ("known", near(16.67), 6, near(3.01), near(56.35)),
        ("possible", near(83.33), 6, near(43.65), near(96.99)),
    ]


def test_where_nothing_says_what_it_was_there_is_no_rate(tmp_path: Path) -> None:
    """All unknown is neither none nor all."""
    story = tell(tmp_path, repository(), line("a", "b"), live(1, "a", 10), live(2, "b", 30))
    assert story.ask("""
        select distinct value, reason from metric
        where metric = 'deployment_rework_rate' and period = '91d' and entity_type = 'service'
    """) == [(None, "no ticket, label, branch or revert mark says what any of 2 deployments was")]
