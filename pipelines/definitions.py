"""The graph in one place: what Dagster shows and runs."""

import dagster as dg

from pipelines.assets.automation import BUILDING, REFRESH, automation_sensor, sync_schedule
from pipelines.assets.build import build_assets
from pipelines.assets.connections import connection_assets
from pipelines.assets.housekeeping import prune_schedule
from pipelines.assets.keys import identifiers
from pipelines.assets.progress import Report, silence
from pipelines.assets.records import record_assets
from pipelines.dagster_home import commit_lightly
from pipelines.settings import Settings, load


def definitions(settings: Settings, report: Report = silence) -> dg.Definitions:
    """Everything Dagster knows of these settings; without connections, records and models."""
    commit_lightly()
    named = identifiers(settings.connections)
    pulls = {
        name: connection_assets(settings, connection, named[name], report)
        for name, connection in settings.connections.items()
    }
    load_and_build = [record_assets(settings, report), build_assets(settings, report)]
    schedules = [
        sync_schedule(
            named[name],
            list(pulls[name].keys),
            connection.schedule or settings.operation.sync_schedule,
            settings.organisation.zone,
        )
        for name, connection in settings.connections.items()
    ]
    everything = [*pulls.values(), *load_and_build]
    return dg.Definitions(
        assets=everything,
        jobs=[
            dg.define_asset_job(
                "build",
                selection=dg.AssetSelection.assets(*load_and_build),
                description="Load what has landed, build every model, publish.",
                tags=BUILDING,
            ),
            dg.define_asset_job(
                REFRESH,
                selection=dg.AssetSelection.assets(*everything),
                description="Pull every connection, load, build, publish.",
                tags=BUILDING,
            ),
        ],
        schedules=[*schedules, prune_schedule(settings.organisation.zone)],
        sensors=[automation_sensor()],
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dg dev`, `dagster dev` and `leadline up` load; `SettingsError` names file and line."""
    return definitions(load())
