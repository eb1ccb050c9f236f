"""What the models say about recovery, in small stories whose outcome is known."""

from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.stories import (
    deployment,
    full,
    hour,
    incident,
    line,
    live,
    repository,
    tell,
)


@pytest.mark.parametrize(
    ("incidents", "expected"),
    [
        # The latest rollback before the last resolve, else the resolve.
        ([(40.5, 45)], (2, "rollback")),
        ([(40.5, 41)], (1, "incident resolved")),
        ([(40.5, 41), (40.7, 43)], (2, "rollback")),
        # Without an incident the first rollback.
        ([], (2, "rollback")),
        # Open: not over, whatever was rolled back.
        ([(40.5, None)], (None, None)),
        ([(40.5, 41), (40.7, None)], (None, None)),
    ],
)
def test_the_end_of_a_failure(
    tmp_path: Path, incidents: list[tuple[float, float | None]], expected: tuple[object, object]
) -> None:
    """A deployment live at 40 and rolled back at 42."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 4),
        live(2, "b", 40),
        live(3, "a", 42),
        *(
            incident(i, start, end, references=["forge:deployment:2"])
            for i, (start, end) in enumerate(incidents)
        ),
    )
    assert story.ask("select recovery_us / 3600e6, recovered_by, is_open from failure") == [
        (*expected, expected[0] is None)
    ]


def test_a_canary_that_fails_early_begins_with_its_incident(tmp_path: Path) -> None:
    """Not when the deployment was live everywhere."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 4),
        deployment(2, "b", ("succeeded", 60), at=50),
        incident(1, 53, 58),
    )
    assert story.ask("select failed_at, recovery_us / 3600e6, recovered_by from failure") == [
        (hour(53), 5, "incident resolved")
    ]


def failing(*ends: float | None) -> list[Any]:
    """Deployments a week apart, each with an incident as long as said; none ends at None."""
    names = [f"n{i:03}" for i in range(len(ends) + 1)]
    records: list[Any] = [repository(), line(*names, step=0.01), live(0, names[0], 2)]
    for i, length in enumerate(ends, 1):
        at = 168 * i
        records.append(live(i, names[i], at))
        records.append(incident(i, at + 1, None if length is None else at + length))
    return records


def test_quantiles_of_recoveries_that_are_all_over(tmp_path: Path) -> None:
    """Linear, by the date of the deployment; too few for the tail."""
    story = tell(tmp_path, *failing(2, 3, 4, 5, 20, 6), as_of=168 * 8)
    assert story.ask("""
        select variant, value, n, ci_low, ci_high, method, reason from metric
        where metric = 'failed_deployment_recovery_time' and period = '91d'
            and entity_type = 'service' order by variant
    """) == [
        ("median", 4.5, 6, 2, 20, "order statistics", None),
        ("p75", None, 6, None, None, "order statistics", "only 6 failures, too few for this value"),
        ("p90", None, 6, None, None, "order statistics", "only 6 failures, too few for this value"),
    ]
    assert story.ask("""
        select value, n from metric where metric = 'incident_duration' and period = '91d'
            and entity_type = 'service'
    """) == [(3.5, 6)]


def test_open_failures_count_as_not_yet_over(tmp_path: Path) -> None:
    """Kaplan–Meier: 2, 3, 4, 5 over, two open for longer: S falls to 3/6 at 4, the median 4.5."""
    story = tell(tmp_path, *failing(2, None, 3, 4, 5, None), as_of=168 * 8)
    assert story.ask("""
        select value, n, ci_low, ci_high, method from metric
        where metric = 'failed_deployment_recovery_time' and period = '91d'
            and entity_type = 'service' and variant = 'median'
    """) == [(4.5, 6, 2, None, "Kaplan–Meier")]


def test_no_failures_are_not_no_time(tmp_path: Path) -> None:
    """Three different reasons for no value."""
    recovery = """
        select reason from metric where metric = 'failed_deployment_recovery_time'
            and period = '91d' and variant = 'median' and entity_type = 'service'
    """
    records = (repository(), line("a", "b"), live(1, "a", 4), live(2, "b", 40))
    story = tell(tmp_path / "none", *records, incident(1, 900, 901))
    assert story.ask(recovery) == [("no failures observed",)]
    story = tell(tmp_path / "uncovered", *records)
    assert story.ask(recovery) == [
        ("no incident source covers this service: recovery is known of rollbacks and reverts only",)
    ]
    story = tell(tmp_path / "young", *records, incident(1, 41, 42), as_of=50)
    assert story.ask(recovery) == [("no deployment is old enough yet for failures to show",)]


def test_several_incidents_of_one_deployment_are_one_failure(tmp_path: Path) -> None:
    """From when it was live to the last resolve."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        live(1, "a", 4),
        live(2, "b", 40),
        incident(1, 41, 43),
        incident(2, 42, 50, references=[full("b")]),
    )
    assert story.ask("""
        select signals, incidents, recovery_us / 3600e6, methods, confidence from failure
    """) == [(2, 2, 10, ["incident_reference", "incident_time"], "high")]
