"""Argo CD's applications over the made-up organisation: one a service and environment.

Every deployment that the simulation knows is a sync of it; the commit of the manifests is made
up, the image's tag holds the commit of the source.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sandbox.outcomes import DeploymentOutcome
from sandbox.staff import Service
from sandbox.world import World

FAILED_AFTER = timedelta(seconds=90)
SIDECAR = "docker.io/envoyproxy/envoy:v1.31.2"
_IN_CLUSTER = "https://kubernetes.default.svc"
_EMPTY: dict[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class ArgocdSettings:
    """How the served Argo CD behaves; `projects` are those a token may see, None all.

    `recreated_at`: the first service's applications were deleted and made again then.
    `rollout`: how long pods of the sync before go on running.
    """

    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    projects: frozenset[str] | None = None
    forge_url: str = "https://github.com"
    history_limit: int = 10
    rollout: timedelta = timedelta(minutes=2)
    recreated_at: datetime | None = None


@dataclass(frozen=True)
class Sync:
    """One sync of an application and what came of it."""

    outcome: DeploymentOutcome
    started_at: datetime
    ended_at: datetime
    is_success: bool
    history_id: int | None


@dataclass(frozen=True)
class Place:
    """A service in an environment: what an application is for."""

    service: Service
    environment: str
    is_production: bool
    generation: int  # raised when it is deleted and made again
    syncs: tuple[Sync, ...]

    @property
    def name(self) -> str:
        """The application's name, as a generator makes it."""
        return f"{self.service.slug}-{self.environment}"

    @property
    def uid(self) -> str:
        """The application's uid."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{self.generation}"))


def revision_of(outcome: DeploymentOutcome) -> str:
    """The commit of the manifests that a deployment was."""
    text = f"manifests {outcome.deployment_key} {outcome.started_at}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def image_of(service: Service, outcome: DeploymentOutcome) -> str:
    """The image a deployment brought."""
    return f"registry.example.com/apps/{service.slug}:{outcome.sha[:12]}"


def places(world: World, settings: ArgocdSettings) -> list[Place]:
    """Every service and environment with the syncs that had begun by the world's moment."""
    by_place: dict[tuple[int, str, int], list[DeploymentOutcome]] = {}
    first = min(service.id for service in world.organisation.services)
    for outcome in world.organisation.deployment_outcomes:
        if outcome.started_at > world.visible_until:
            continue
        reset = settings.recreated_at
        is_again = outcome.service_id == first and reset is not None
        generation = int(is_again and reset is not None and outcome.started_at >= reset)
        key = (outcome.service_id, outcome.environment, generation)
        by_place.setdefault(key, []).append(outcome)
    found = []
    for (service_id, environment, generation), outcomes in sorted(by_place.items()):
        is_gone = (service_id, environment, generation + 1) in by_place
        if not is_gone:
            found.append(
                Place(
                    world.organisation.service_by_id[service_id],
                    environment,
                    outcomes[0].environment_class == "production",
                    generation,
                    tuple(_syncs(outcomes)),
                )
            )
    return found


def _syncs(outcomes: Sequence[DeploymentOutcome]) -> list[Sync]:
    syncs, number = [], 0
    for outcome in sorted(outcomes, key=lambda each: (each.started_at, each.deployment_key)):
        is_success = outcome.live_at is not None
        ended_at = outcome.live_at or outcome.started_at + FAILED_AFTER
        syncs.append(
            Sync(outcome, outcome.started_at, ended_at, is_success, number if is_success else None)
        )
        number += is_success
    return syncs


class ArgocdPayloads:
    """Builds the applications as they stand at the world's moment."""

    def __init__(self, world: World, settings: ArgocdSettings) -> None:
        self.world = world
        self.settings = settings
        self.now = world.visible_until
        self.manifests = f"{settings.forge_url}/{world.organisation.login}/manifests.git"
        self.teams = {team.id: team for team in world.organisation.teams}

    @cached_property
    def applications(self) -> list[dict[str, Any]]:
        """All applications: of services, one of a chart by others, and the parent of all."""
        found = [self._service(place) for place in places(self.world, self.settings)]
        return [*found, self._ingress(), self._parent(found)]

    def _service(self, place: Place) -> dict[str, Any]:
        source = {
            "repoURL": self.manifests,
            "path": f"apps/{place.service.slug}/{place.environment}",
            "targetRevision": "main",
        }
        done = [one for one in place.syncs if one.is_success and one.ended_at <= self.now]
        kept = done[-self.settings.history_limit :] if self.settings.history_limit else []
        images, health = self._running(place.service, done)
        status: dict[str, Any] = {
            "history": [self._entry(one, source) for one in kept],
            "resources": [_resource("apps", "Deployment", place.service.slug)],
            "health": {"status": health},
            "summary": {"images": images},
        }
        if place.syncs:
            status["operationState"] = self._operation(place.syncs[-1], source)
        cluster = "prod" if place.is_production else "staging"
        destination = {"name": cluster, "namespace": place.environment}
        owners = [{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "apps"}]
        metadata = {
            "uid": place.uid,
            "name": place.name,
            "labels": {"app.kubernetes.io/name": place.service.slug},
            "ownerReferences": owners,
        }
        project = self.teams[place.service.team_id].slug
        return self._application(
            metadata, {"project": project, "source": source, "destination": destination}, status
        )

    def _running(self, service: Service, done: list[Sync]) -> tuple[list[str], str]:
        """Images of all pods: those of the sync before run on for a while."""
        if not done:
            return [], "Missing"
        images = [image_of(service, done[-1].outcome), SIDECAR]
        if self.now < done[-1].ended_at + self.settings.rollout and len(done) > 1:
            return sorted({*images, image_of(service, done[-2].outcome)}), "Progressing"
        return sorted(images), "Healthy"

    def _entry(self, sync: Sync, source: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": sync.history_id,
            "revision": revision_of(sync.outcome),
            "deployStartedAt": stamp(sync.started_at),
            "deployedAt": stamp(sync.ended_at),
            "source": source,
            "initiatedBy": {"automated": True},
        }

    def _operation(self, sync: Sync, source: dict[str, Any]) -> dict[str, Any]:
        is_over = sync.ended_at <= self.now
        phase = ("Succeeded" if sync.is_success else "Failed") if is_over else "Running"
        revision = revision_of(sync.outcome)
        return {
            "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": True}},
            "phase": phase,
            "message": {"Succeeded": "successfully synced (all tasks run)"}.get(phase, phase),
            "syncResult": {"revision": revision, "source": source, "resources": []},
            "startedAt": stamp(sync.started_at),
            **({"finishedAt": stamp(sync.ended_at)} if is_over else {}),
        }

    def _ingress(self) -> dict[str, Any]:
        """A chart that others made, with values from the repository of manifests."""
        chart = {
            "repoURL": "https://charts.example.org",
            "chart": "ingress",
            "targetRevision": "4.*",
            "helm": {"valueFiles": ["$values/ingress.yaml"]},
        }
        values = {"repoURL": self.manifests, "targetRevision": "main", "ref": "values"}
        at = self.world.organisation.started_at
        revision = hashlib.sha1(b"ingress", usedforsecurity=False).hexdigest()
        entry = {
            "id": 0,
            "revision": "",
            "revisions": ["4.11.3", revision],
            "sources": [chart, values],
            "deployStartedAt": stamp(at),
            "deployedAt": stamp(at + timedelta(minutes=1)),
            "initiatedBy": {"username": "admin"},
        }
        status = {
            "history": [entry],
            "resources": [_resource("apps", "DaemonSet", "ingress")],
            "health": {"status": "Healthy"},
            "summary": {"images": ["registry.example.org/ingress/controller:v1.11.3"]},
        }
        metadata = {"uid": str(uuid.uuid5(uuid.NAMESPACE_URL, "ingress")), "name": "ingress"}
        destination = {"server": _IN_CLUSTER, "namespace": "ingress"}
        return self._application(
            metadata,
            {"project": "default", "sources": [chart, values], "destination": destination},
            status,
        )

    def _parent(self, children: list[dict[str, Any]]) -> dict[str, Any]:
        """The application that deploys the others, a sync for every day that had one."""
        source = {"repoURL": self.manifests, "path": "bootstrap", "targetRevision": "main"}
        at = self.world.organisation.started_at
        entry = {
            "id": 0,
            "revision": hashlib.sha1(b"bootstrap", usedforsecurity=False).hexdigest(),
            "deployStartedAt": stamp(at),
            "deployedAt": stamp(at + timedelta(minutes=1)),
            "source": source,
            "initiatedBy": {"username": "admin"},
        }
        resources = [
            _resource("argoproj.io", "Application", child["metadata"]["name"]) for child in children
        ]
        status = {
            "history": [entry],
            "resources": [*resources, _resource("argoproj.io", "AppProject", "default")],
            "health": {"status": "Healthy"},
            "summary": _EMPTY,
        }
        metadata = {"uid": str(uuid.uuid5(uuid.NAMESPACE_URL, "apps-prod")), "name": "apps-prod"}
        destination = {"name": "prod", "namespace": "argocd"}
        return self._application(
            metadata, {"project": "default", "source": source, "destination": destination}, status
        )

    def _application(
        self, metadata: dict[str, Any], spec: dict[str, Any], status: dict[str, Any]
    ) -> dict[str, Any]:
        # What moves all the while and means nothing to a reader of deployments.
        turning = {"reconciledAt": stamp(self.now), "sync": {"status": "Synced"}}
        return {
            "metadata": {
                **metadata,
                "namespace": "argocd",
                "resourceVersion": str(int(self.now.timestamp())),
                "creationTimestamp": stamp(self.world.organisation.started_at),
                "managedFields": [{"manager": "argocd-application-controller", "fieldsV1": {}}],
            },
            "spec": spec,
            "status": {**status, **turning},
        }


def stamp(moment: datetime) -> str:
    """A time as Kubernetes writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _resource(group: str, kind: str, name: str) -> dict[str, Any]:
    return {"group": group, "version": "v1", "kind": kind, "name": name, "status": "Synced"}
