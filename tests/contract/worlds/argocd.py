"""Argo CD as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.argocd_payloads import ArgocdSettings
from tests.contract.company import served
from tests.contract.worlds.world import Moving, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation whose every deployment is a sync."""
    with served(folder) as sandbox:
        os.environ["CONTRACT_ARGOCD_TOKEN"] = ArgocdSettings().token
        host = sandbox.host("argocd")
        options = {
            "base_url": host.url,
            "token": {"env": "CONTRACT_ARGOCD_TOKEN"},
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=host.faults,
            moving=Moving(sandbox.world, frozenset({"deployment_attempt", "deployment_status"})),
            renamed=Unshown("Kubernetes renames nothing: another name is another application"),
            removed=Unshown("ten syncs are remembered; those forgotten stay"),
            ghosts=Unshown("who started a sync is a name, whether there is such a user or not"),
            bots=frozenset(),
            zoned=Unshown("Kubernetes writes all times in UTC, whoever asks"),
        )
