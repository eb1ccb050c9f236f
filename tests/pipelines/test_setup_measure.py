"""The rules by which set-ups become the state of a threshold, in stories of known outcome."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from scipy.stats import binom

from connectors.records import Record
from pipelines.estimates import exact_interval
from pipelines.setup_decision import Known, Share, decide
from tests.pipelines.setup_stories import asking, made, measure, quick, slow, task
from tests.pipelines.stories import tell

NOW = datetime(2026, 7, 6, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=500)
NONE = '[setup]\nsetup_requests = "none"'


def known(n: int, over: int, **more: Any) -> Known:
    """An evaluation with every source in sight, each set-up asked for."""
    values: dict[str, Any] = {
        "evaluated_at": NOW,
        "window_days": 365 if n < 6 else 180,
        "zone": "UTC",
        "day_hours": 8.0,
        "cases": n,
        "n": n,
        "over": over,
        "sure": n,
        "quick": n - over,
        "open_over": 0,
        "young": 0,
        "unknown": 0,
        "requested": n,
        "services": n,
        "seen": n,
        "has_repositories": True,
        "has_pipelines": True,
        "has_deployments": True,
        "has_requests": True,
        "has_trackers": True,
        "is_asked_for": True,
        "repositories_since": LONG_AGO,
        "deployments_since": LONG_AGO,
        "requests_since": LONG_AGO,
        "optional_legs": None,
        **more,
    }
    return Known(**values)


def decided(n: int, over: int, **more: Any) -> Any:
    """What is decided of so many."""
    case = known(n, over, **more)
    bounds = exact_interval(pl.Series([case.over, case.over]), pl.Series([case.n, case.sure]))
    shares = [Share(*row) for row in bounds.iter_rows()]
    return decide(case, {"": shares[0], "sure": shares[1]})


def test_the_interval_is_exact() -> None:
    """Clopper–Pearson: at each bound the tail beyond the count is 2.5 %."""
    for n in (1, 5, 6, 17, 60):
        for over in range(n + 1):
            low, high = exact_interval(pl.Series([over]), pl.Series([n])).row(0)
            if over > 0:
                assert binom.sf(over - 1, n, low) == pytest.approx(0.025)
            if over < n:
                assert binom.cdf(over, n, high) == pytest.approx(0.025)
    assert exact_interval(pl.Series([6]), pl.Series([6])).row(0)[0] == pytest.approx(
        0.5407, abs=1e-4
    )
    assert exact_interval(pl.Series([0]), pl.Series([0])).row(0) == (None, None)


@pytest.mark.parametrize(
    ("n", "over", "more", "state"),
    [
        # The whole interval beyond one half, and the smallest n at which that can be.
        (6, 6, {}, "crossed"),
        (7, 6, {}, "insufficient"),
        (20, 15, {}, "crossed"),
        (20, 14, {}, "insufficient"),
        (6, 0, {}, "clear"),
        (20, 5, {}, "clear"),
        (20, 6, {}, "insufficient"),
        # A missing source can only understate: crossed stays, clear does not.
        (6, 6, {"has_pipelines": None, "has_requests": None}, "crossed"),
        (6, 0, {"has_pipelines": None}, "insufficient"),
        (6, 0, {"has_deployments": None}, "insufficient"),
        (6, 0, {"has_requests": None, "sure": 0, "requested": 0}, "insufficient"),
        # Declared: nobody has to ask.
        (6, 0, {"has_requests": None, "sure": 0, "requested": 0, "is_asked_for": False}, "clear"),
        # Fast repositories alone are not enough, however many there are.
        (30, 0, {"sure": 5, "requested": 5}, "insufficient"),
        (30, 0, {"sure": 6, "requested": 6}, "clear"),
        (30, 4, {"sure": 8, "requested": 6}, "insufficient"),
        # Three to five: clear only where each took at most 24 hours.
        (3, 0, {}, "clear"),
        (5, 1, {"quick": 5}, "clear"),
        (5, 0, {"quick": 4}, "insufficient"),
        (5, 5, {}, "insufficient"),
        (3, 0, {"has_deployments": None}, "insufficient"),
        (3, 0, {"sure": 2, "requested": 2}, "insufficient"),
        # None or hardly any: only with a year of every record.
        (2, 0, {}, "not applicable"),
        (0, 0, {}, "not applicable"),
        (2, 1, {"open_over": 1}, "insufficient"),
        (2, 2, {"open_over": 0}, "not applicable"),
        (2, 0, {"cases": 3}, "insufficient"),
        (0, 0, {"deployments_since": NOW - timedelta(days=364)}, "insufficient"),
        (0, 0, {"repositories_since": None}, "insufficient"),
        (0, 0, {"requests_since": None}, "insufficient"),
        (0, 0, {"requests_since": None, "is_asked_for": False}, "not applicable"),
        (0, 0, {"has_repositories": False}, "insufficient"),
    ],
)
def test_the_state(n: int, over: int, more: dict[str, Any], state: str) -> None:
    """Each rule of the threshold, at its edge."""
    found = decided(n, over, **more)
    assert found.measured_state == state
    assert found.reason.endswith(".")
    assert found.evidence is not None or state != "not applicable"
    assert (found.direction is not None) == (
        state == "insufficient" and n >= 6 and not (found.ci_low > 0.5 or found.ci_high < 0.5)
    )


def test_what_is_missing_is_named() -> None:
    """In words that say what to connect or declare; nothing where nothing is missing."""
    assert decided(6, 3).missing == []
    found = decided(
        0,
        0,
        has_repositories=False,
        has_pipelines=None,
        has_deployments=None,
        has_requests=None,
        has_trackers=False,
    )
    assert [each.partition(":")[0].partition(",")[0] for each in found.missing] == [
        "repositories",
        "pipeline runs",
        "deployments to any environment",
        "set-up tickets or the portal's tasks",
    ]
    (told,) = decided(6, 0, has_requests=False).missing
    assert told.startswith("which tickets or portal templates make a new service")


def test_the_sentence_has_the_figures() -> None:
    """Counts, share and interval, as people read them."""
    assert decided(20, 15).reason == (
        "15 of 20 set-ups begun in the 180 days before took more than one business day (75 %, "
        "95 %: 51 % to 91 %): more than half, and so is the whole interval."
    )
    assert decided(20, 11).direction == "above"
    assert decided(20, 9).direction == "below"
    assert decided(20, 15, unknown=5, cases=25, requested=20).coverage == 0.8


def test_six_slow_set_ups_cross(tmp_path: Path) -> None:
    """With no ticket, no portal and no pipeline in sight; the variants agree."""
    story = tell(
        tmp_path, *(made(f"slow-{i}", at=24 * i, live=24 * i + 80) for i in range(6)), as_of=24 * 40
    )
    state, n, missing = measure(story, "measured_state, n, missing")
    assert (state, n, len(missing)) == ("crossed", 6, 2)
    assert story.ask("""
        select variant, value, n, state from setup_variant
        where evaluated_at = (select max(evaluated_at) from setup_measure) order by variant
    """) == [
        ("24-hour clock", 1, 6, "crossed"),
        ("to the first production deployment", 1, 6, "crossed"),
    ]
    assert story.ask("select count(*) from threshold_measure where threshold = 'setup_time'") == (
        story.ask("select count(*) from input.evaluation")
    )


def many(count: int, *, asked: bool, first: float = 0) -> list[Record]:
    """Quick services, a day apart; their ticket an hour before the repository."""
    found: list[Record] = []
    for number in range(count):
        at = first + 26 + 24 * number
        if asked:
            found.append(asking(f"quick-{first:g}-{number}", at - 1, at + 1))
        found += quick(f"quick-{first:g}-{number}", at)
    return found


def test_quick_repositories_alone_are_never_clear(tmp_path: Path) -> None:
    """Without what was asked before them; with it, or a declaration, they are."""
    end = 24 * 40
    story = tell(tmp_path / "alone", *many(8, asked=False), as_of=end)
    assert measure(story, "measured_state, n, len(missing)") == ("insufficient", 8, 1)
    story = tell(tmp_path / "asked", *many(8, asked=True), as_of=end)
    assert measure(story) == ("clear", 8)
    story = tell(tmp_path / "declared", *many(8, asked=False), as_of=end, settings=NONE)
    assert measure(story) == ("clear", 8)


def test_fewer_than_six_look_back_a_year(tmp_path: Path) -> None:
    """Three of late and four before half a year: seven of a year."""
    day = 24.0
    story = tell(
        tmp_path,
        *many(4, asked=True, first=day * 10),
        *many(3, asked=True, first=day * 250),
        *slow("slow", day * 20),
        as_of=day * 300,
    )
    assert measure(story, "window_days, n, measured_state") == (365, 8, "insufficient")
    early = story.ask("select window_days, n from setup_measure order by evaluated_at limit 2")
    assert early == [(365, 0), (365, 5)] or early[0][0] == 365


def test_a_quiet_year_is_not_applicable(tmp_path: Path) -> None:
    """Only once repositories, deployments and requests are known for 365 days."""
    day = 24.0
    story = tell(
        tmp_path,
        asking("first", 1, 5),
        made("first", at=2, green=3, live=4),
        asking("second", day * 300, day * 300 + 3),
        made("second", at=day * 300 + 1, green=day * 300 + 2, live=day * 300 + 3),
        as_of=day * 420,
    )
    states = dict(
        story.ask(
            "select date_diff('day', timestamptz '2026-06-01', evaluated_at), measured_state "
            "from setup_measure"
        )
    )
    assert {state for days, state in states.items() if days <= 365} == {"insufficient"}
    assert {state for days, state in states.items() if days > 366} == {"not applicable"}
    (evidence,) = measure(story, "evidence")
    assert evidence.startswith("repositories since 1 June 2026, deployments since 1 June 2026")


def test_the_portal_s_run_is_a_lower_bound(tmp_path: Path) -> None:
    """Twenty minutes in the portal, five days until it ran: both are told."""
    records: list[Record] = []
    for number in range(7):
        at = 26 + 24 * number
        records += [task(f"t-{number}", at, at + 0.3)]
        records += made(f"t-{number}", at=at + 0.2, green=at + 20, live=at + 120)
    story = tell(tmp_path, *records, as_of=24 * 40)
    assert measure(story) == ("crossed", 7)
    assert story.ask("""
        select value, n, state from setup_variant where variant = 'the portal''s run alone'
            and evaluated_at = (select max(evaluated_at) from setup_measure)
    """) == [(0, 7, "clear")]
    assert story.ask("""
        select variant, n, value is null, reason from setup_summary
        where metric = 'set_up_working_time' and group_name = 'golden path' order by variant
    """) == [
        ("median", 7, False, None),
        ("p85", 7, True, "only 7 set-ups, too few for this value"),
    ]


def test_only_what_was_known_counts(tmp_path: Path) -> None:
    """An evaluation says the same whether the build was made then or months later."""
    records = [
        *many(8, asked=True),
        *slow("slow", 24 * 12),
        asking("open", 24 * 6),
        asking("later", 24 * 30, 24 * 80, resolution="Declined"),
        *many(3, asked=True, first=24 * 50),
    ]
    late = tell(tmp_path / "late", *records, as_of=24 * 150)
    soon = tell(tmp_path / "soon", *records, as_of=24 * 45)
    columns = "evaluated_at, measured_state, n, value, ci_low, coverage, reason"
    then = soon.ask(f"select {columns} from setup_measure order by evaluated_at")
    assert len(then) > 1
    assert (
        late.ask(f"select {columns} from setup_measure order by evaluated_at")[: len(then)] == then
    )


def test_weeks_hold_what_was_decided_in_them(tmp_path: Path) -> None:
    """A quick one when it is ready, a slow one when its business day is over."""
    story = tell(
        tmp_path,
        quick("monday", 3),
        # Asked for on Friday at 15: the day of 8 hours is over on Monday at 15.
        asking("friday", 24 * 4 + 7),
        quick("wednesday", 24 * 9 + 3),
        as_of=24 * 21,
    )
    assert story.ask("select week, value, n from setup_week order by week") == [
        (datetime(2026, 6, 1).date(), 0, 1),  # noqa: DTZ001  a date
        (datetime(2026, 6, 8).date(), 0.5, 2),  # noqa: DTZ001  a date
    ]


def test_stages_add_up_to_the_whole(tmp_path: Path) -> None:
    """Approval, repository, pipeline, environment, deployment; an open one waits in its stage."""
    story = tell(
        tmp_path,
        asking("whole", 1),
        made("whole", at=26, green=28, live=54),
        asking("waiting", 1),
        made("waiting", at=26),
        as_of=24 * 10,
    )
    stages = "approval_us, repository_us, pipeline_us, environment_us, deployment_us, other_us"
    rows = story.ask(f"select name, {stages}, waits_for, age_us from setup_fact order by name")
    hours = {row[0]: [each / 3.6e9 for each in row[1:7]] for row in rows}
    # From Monday 9: 8 hours that day, 1 on Tuesday until 10; then 2; then until Wednesday 14.
    assert hours["whole"] == [0, 9, 2, pytest.approx(9.9), pytest.approx(0.1), 0]
    assert hours["waiting"][:2] == [0, 9]
    assert rows[0][7] == "first green pipeline"
    assert all(sum(row[1:7]) == row[8] for row in rows)
