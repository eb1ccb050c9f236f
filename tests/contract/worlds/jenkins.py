"""Jenkins as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.jenkins import JenkinsSettings
from tests.contract.company import changed, renamed_repository, served
from tests.contract.worlds.world import Moving, Renamed, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The builds of a small organisation."""
    settings = JenkinsSettings(context_path="/jenkins")
    with served(folder) as sandbox:
        os.environ["CONTRACT_JENKINS_TOKEN"] = settings.token
        host = sandbox.host("jenkins", settings)
        options = {
            "base_url": host.url + settings.context_path,
            "user": settings.user,
            "token": {"env": "CONTRACT_JENKINS_TOKEN"},
            "stages": ["*"],
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=host.faults,
            moving=Moving(sandbox.world),
            renamed=Renamed(
                changed(sandbox.world, renamed_repository), "select run_id, name from pipeline_run"
            ),
            removed=Unshown("a controller forgets builds; what it has told stays"),
            ghosts=Unshown("the cause of a build is a name, whether there is such a user or not"),
            bots=Unshown("a controller knows no accounts of machines"),
            zoned=Unshown("times are milliseconds since 1970, whoever asks"),
            written_times=Unshown("times are milliseconds since 1970"),
        )
