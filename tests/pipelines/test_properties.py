"""What holds for every world: built whole, from random records."""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.records import Record
from tests.e2e.comparison import build_of, differing
from tests.pipelines.random_worlds import HOURS, shifted, until, worlds
from tests.pipelines.stories import Story, hour, tell

AS_OF = HOURS + 24 * 20
STAGES = ("coding", "pickup", "review", "merge", "deploy", "unreviewed")
WEEK = timedelta(days=7)

few = settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def build(folder: Path, records: list[Record], as_of: float = AS_OF) -> Story:
    """Build in a folder of its own; as hypothesis repeats, the fixture's would be used again."""
    return tell(Path(tempfile.mkdtemp(dir=folder)), records, as_of=as_of)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: syncing a disk takes its time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@few
@given(records=worlds(repositories=4))
def test_what_holds_of_every_row(folder: Path, records: list[Record]) -> None:
    """Stages add up; a change ships once in a place; rates are rates; medians are numpy's."""
    story = build(folder, records)
    stages = story.ask(
        f"select lead_time_us, {', '.join(f'{each}_us' for each in STAGES)} from change_fact"
    )
    for lead_time, *parts in stages:
        assert lead_time is None or lead_time == sum(part or 0 for part in parts)
        assert lead_time is not None or parts == [None] * len(STAGES)
    shipped = story.ask("select change_id, service_id, environment from deployment_change")
    assert max(Counter(shipped).values(), default=1) == 1
    commits = story.ask("select service_id, environment, commit_no from shipment")
    assert max(Counter(commits).values(), default=1) == 1
    for value, low, high in story.ask("select value, ci_low, ci_high from metric where unit = '%'"):
        assert all(part is None or 0 <= part <= 100 for part in (value, low, high))
        assert value is None or (low or 0) <= value <= (100 if high is None else high)
    medians = story.ask("""
        select m.value, list(c.lead_time_us) from metric as m
        join change_fact as c on c.service_id = m.entity_id
            and c.live_at >= m.as_of - interval 91 day and c.live_at < m.as_of
            and c.lead_time_us is not null and not c.is_bot
        where m.metric = 'change_lead_time' and m.variant = 'median' and m.period = '91d'
            and m.entity_type = 'service' and m.environment = 'production'
        group by m.entity_id, m.value
    """)
    for value, times in medians:
        expected = np.median(np.array(times)) / 3600e6 if len(times) >= 5 else None
        assert value == (None if expected is None else pytest.approx(expected))


@few
@given(records=worlds(repositories=4), share=st.floats(0.2, 0.9))
def test_what_happens_later_changes_no_earlier_attribution(
    folder: Path, records: list[Record], share: float
) -> None:
    """Built as it was at a moment, and again when more had happened.

    What a later event may change is left out: rollbacks and what they took back, failures, and
    deployments that a retry within the hour belongs to.
    """
    moment = HOURS * share
    then = build(folder, until(records, hour(moment)), as_of=moment)
    now = build(folder, records)
    shipped = "select change_id, environment, deployment_id, live_at, relation from {}"
    earlier = then.ask(shipped.format("deployment_change"))
    later = set(now.ask(shipped.format("deployment_change")))
    assert [row for row in earlier if row not in later] == []
    spans = f"""
        select change_id, start_at, merged_at, live_at, lead_time_us,
            {", ".join(f"{each}_us" for each in STAGES)}
        from change_fact where lead_time_us is not null
    """
    kept = set(now.ask(spans))
    assert [row for row in then.ask(spans) if row not in kept] == []
    settled = f"""
        select deployment_id, environment, sha, live_at, relation, kind, attempts
        from deployment
        where live_at is not null and ended_at < timestamptz '{hour(moment - 1)}'
    """
    deployed = set(now.ask(settled))
    assert [row for row in then.ask(settled) if row not in deployed] == []


@few
@given(records=worlds(), seed=st.integers(0, 1000))
def test_the_order_of_arrival_changes_nothing(
    folder: Path, records: list[Record], seed: int
) -> None:
    """Every table is the same, whichever row came first."""
    mixed = list(records)
    random.Random(seed).shuffle(mixed)
    assert differing(tables(folder, records), tables(folder, mixed)) == {}


def tables(folder: Path, records: list[Record]) -> Any:
    """Every table of a build."""
    place = Path(tempfile.mkdtemp(dir=folder))
    tell(place, records, as_of=AS_OF).publish()
    found = build_of(place / "data")
    shutil.rmtree(place)
    return found


@few
@given(records=worlds(), weeks=st.integers(1, 120))
def test_whole_weeks_later_every_number_is_the_same(
    folder: Path, records: list[Record], weeks: int
) -> None:
    """In UTC and without holidays no elapsed or working time depends on the date."""
    first = build(folder, records)
    second = build(folder, shifted(records, weeks * WEEK), as_of=AS_OF + weeks * 24 * 7)
    numbers = """
        select metric, variant, entity_type, entity_id, environment, period,
            period_start - cast({} as integer) as period_start, value, n, ci_low, ci_high,
            previous_value, method, reason, is_partial
        from metric order by all
    """
    assert first.ask(numbers.format(0)) == second.ask(numbers.format(weeks * 7))
    spans = """
        select change_id, lead_time_us, business_lead_time_us, relation, flags
        from change_fact order by all
    """
    assert first.ask(spans) == second.ask(spans)
