"""Argo CD: what a pull costs for every thousand applications, first and when little moved."""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.result import Result
from benchmarks.syncs import synced, token
from connectors.argocd import Argocd, ArgocdOptions
from pipelines.landing import Landing
from sandbox.serving import Server

APPLICATIONS = 1_000
HISTORY = 10
RESOURCES = 25


def run(scale: float = 1.0) -> Iterator[Result]:
    """Applications of ten syncs and 25 resources each, served as one list."""
    count = max(10, round(APPLICATIONS * scale))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = [json.dumps({"items": [_application(n, 0) for n in range(count)]}).encode()]

        async def answer(_: Request) -> Response:
            return Response(served[0], media_type="application/json")

        with Server(Starlette(routes=[Route("/api/v1/applications", answer)])) as server:
            options = ArgocdOptions(base_url=server.url, token=token(folder, "benchmark-token"))
            connector = Argocd("argocd", options)
            told = f"{count:,} applications of {len(served[0]) / count / 1000:.0f} kB"
            yield from _pulled(folder, connector, f"{told}, first pull")
            moved = [_application(n, int(n % 100 == 0)) for n in range(count)]
            served[0] = json.dumps({"items": moved}).encode()
            yield from _pulled(folder, connector, "the same, one in a hundred moved")


def _pulled(folder: Path, connector: Argocd, what: str) -> Iterator[Result]:
    started = time.perf_counter()
    result = synced(folder, connector)
    seconds = time.perf_counter() - started
    with Landing(folder / "landing.sqlite") as landing:
        kept = sum(int(str(row["bytes"])) for row in landing.status())
    yield Result(f"{what}: requests", result.requests, "requests", 1)
    yield Result("  time", seconds, "s", 30)
    yield Result("  applications kept", result.items, "applications")
    yield Result("  kept in landing so far", kept / 1e6, "MB")


def _application(number: int, later: int) -> dict[str, Any]:
    """One application; `later` syncs more than the first pull saw."""
    begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    source = {"repoURL": "https://git.example.com/acme/manifests", "path": f"apps/{number}"}
    history = [
        {
            "id": entry,
            "revision": f"{number * 1000 + entry:040x}",
            "deployStartedAt": (begin + timedelta(days=entry)).isoformat(),
            "deployedAt": (begin + timedelta(days=entry, minutes=2)).isoformat(),
            "source": source,
        }
        for entry in range(later, HISTORY + later)
    ]
    resources = [
        {"group": "apps", "version": "v1", "kind": "Deployment", "name": f"part-{part}"}
        for part in range(RESOURCES)
    ]
    return {
        "metadata": {"uid": f"uid-{number}", "name": f"app-{number}", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"name": "production", "namespace": f"team-{number % 40}"},
        },
        "status": {
            "history": history,
            "resources": resources,
            "health": {"status": "Healthy"},
            "summary": {"images": [f"registry.example.com/app-{number}:{later}"]},
            "reconciledAt": datetime.now(UTC).isoformat(),
        },
    }
