"""What runs by itself: pulls by the clock, one build when a pull landed something."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import dagster as dg
from dagster._utils.schedules import cron_string_iterator  # no public function walks a cron

# Whatever opens the records for writing, or reads them while nobody may write.
POOL = "records"
REFRESH = "refresh"
# Runs of whole jobs name no assets, so that they build what they load is said by a tag.
BUILDING = {"leadline/builds": "true"}
UNDER_WAY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

Condition = dg.AutomationCondition[Any]


def never_synced() -> Condition:
    """A connection that is new is pulled at once, and from then on by its schedule."""
    condition = dg.AutomationCondition
    return condition.missing().newly_true() & ~condition.in_progress()


def something_landed(zone: str) -> Condition:
    """A pull brought something, or a new day moved the trailing periods.

    What lands while a build is queued or runs is remembered until that build is over: at most
    one waits. Streams of a source that is down never hold the others back.
    """
    condition = dg.AutomationCondition
    landed = condition.any_deps_match(condition.data_version_changed()).with_label("landed")
    never_loaded = condition.missing() & condition.any_deps_match(~condition.missing())
    new_day = condition.cron_tick_passed("5 0 * * *", zone) & ~condition.missing()
    return _remembered(landed | never_loaded.newly_true() | new_day)


def records_loaded() -> Condition:
    """What is upstream is loaded in this run, or was loaded by a run that did not build."""
    condition = dg.AutomationCondition
    loaded_elsewhere = (
        condition.newly_updated()
        & ~condition.executed_with_root_target()
        & ~condition.executed_with_tags(tag_values=BUILDING)
    )
    upstream = condition.any_deps_match(condition.will_be_requested() | loaded_elsewhere)
    return _remembered(upstream)


def _remembered(trigger: Condition) -> Condition:
    """True from the trigger until the asset is asked for, and never while it is being made.

    Where the trigger comes in the very tick that sees the request, it came after it: it stays.
    """
    condition = dg.AutomationCondition
    asked = condition.newly_requested() & ~trigger
    return trigger.since(asked) & ~condition.in_progress()


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the conditions; the implicit one would start stopped."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
    )


def sync_schedule(
    identifier: str, keys: Sequence[dg.AssetKey], cron: str, zone: str
) -> dg.ScheduleDefinition:
    """Pull a connection by its cron, unless a pull of it still waits or runs."""
    job = dg.define_asset_job(
        f"sync_{identifier}",
        selection=dg.AssetSelection.assets(*keys).without_checks()
        | dg.AssetSelection.checks_for_assets(*keys),
    )

    @dg.schedule(
        name=f"sync_{identifier}",
        job=job,
        cron_schedule=cron,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        for run in context.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
            selected = run.asset_selection or frozenset()
            if run.job_name in (job.name, REFRESH) or not selected.isdisjoint(keys):
                return dg.SkipReason(f"run {run.run_id} still pulls this connection")
        return dg.RunRequest()

    return tick


def longest_gap(cron: str) -> timedelta:
    """The longest time between two of the next ticks of a cron expression."""
    start = datetime.now(UTC).timestamp()
    ticks = islice(cron_string_iterator(start, cron, "UTC"), 64)
    return max(later - earlier for earlier, later in pairwise(ticks))
