"""Dagster's own store is kept small: a build with its check results adds megabytes to it."""

from datetime import timedelta

import dagster as dg

KEEP = timedelta(days=7)


@dg.op(description="Delete finished runs older than a week that nothing depends on.")
def prune_old_runs(context: dg.OpExecutionContext) -> None:
    """Delete old runs, but never the one that holds the newest version of a table."""
    from pipelines.runs import prune_runs

    context.log.info(f"{prune_runs(context.instance, KEEP)} runs deleted")


@dg.job(description="Keep Dagster's store small.", executor_def=dg.in_process_executor)
def prune() -> None:
    """Keep Dagster's store small."""
    prune_old_runs()


def prune_schedule(zone: str) -> dg.ScheduleDefinition:
    """Once a night."""
    return dg.ScheduleDefinition(
        job=prune,
        cron_schedule="17 3 * * *",
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
