"""From Argo CD's applications to records: syncs are attempts to deploy."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from connectors.argocd_images import image_segment, is_parent, running_images, set_images, set_tag
from connectors.argocd_wire import (
    ApplicationWire,
    HistoryWire,
    InitiatorWire,
    OperationStateWire,
    SourceWire,
)
from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.records import Account, DeploymentAttempt, DeploymentStatus

_IN_CLUSTER = {"https://kubernetes.default.svc", "in-cluster", ""}
_TERMINATED = "Operation terminated"
_LONGEST_REVISION = 40


class Application(NamedTuple):
    """An application with what is the same for all of its syncs."""

    wire: ApplicationWire
    line: Line
    hint: str
    environment: str
    cluster: str
    is_parent: bool

    @property
    def prefix(self) -> str:
        """What the ids of this connection begin with."""
        return self.line.connection

    @property
    def uid(self) -> str:
        """The id that no other application ever has."""
        return self.wire.metadata.uid

    @property
    def url(self) -> str:
        """Its page."""
        metadata = self.wire.metadata
        path = "/".join(quote(part) for part in (metadata.namespace, metadata.name) if part)
        return f"{self.line.attributes['address']}/applications/{path}"


class Synced(NamedTuple):
    """One sync, from the history or the last operation."""

    id: str
    number: int | None
    started_at: datetime
    ended_at: datetime
    state: str
    sources: list[SourceWire]
    revisions: list[str]
    initiator: InitiatorWire | None
    before: list[str]  # revisions of the sync before it


def add_application(parsed: Parsed, line: Line, wire: ApplicationWire) -> None:
    """The syncs of an application, each an attempt with the state it came to."""
    application = _placed(line, wire)
    history = sorted(wire.status.history or [], key=lambda entry: (entry.id, entry.deployed_at))
    before: list[str] = []
    for entry in history:
        synced = _succeeded(application, entry, before)
        images = running_images(wire, application.hint) if entry is history[-1] else []
        _add(parsed, application, synced, images)
        before = synced.revisions
    operation = wire.status.operation_state
    if operation is not None:
        last = _operated(application, operation, before, is_witness=not history)
        if last is not None:
            is_live = last.state == "succeeded"
            _add(
                parsed,
                application,
                last,
                running_images(wire, application.hint) if is_live else [],
            )


def _placed(line: Line, wire: ApplicationWire) -> Application:
    attributes = line.attributes
    clusters: dict[str, str] = json.loads(attributes.get("clusters", "{}"))
    destination = wire.spec.destination
    told = destination.name or (destination.server or "").rstrip("/")
    cluster = clusters.get(told) or clusters.get((destination.server or "").rstrip("/"))
    if cluster is None:
        # The cluster that Argo CD runs in has no other name than the connection's.
        cluster = line.connection if told in _IN_CLUSTER else _host(told)
    labels = {
        name: text
        for name, value in (wire.metadata.labels or {}).items()
        if (text := str(value).strip())
    }
    label = _first(labels, json.loads(attributes.get("environment_labels", "[]")))
    facts = {
        "cluster": cluster,
        "namespace": destination.namespace or "",
        "project": wire.spec.project or "",
        "name": wire.metadata.name,
    }
    parts = [facts[name] for name in json.loads(attributes.get("environment_from", "[]"))]
    environment = label or "/".join(part for part in parts if part)
    hint = _first(labels, json.loads(attributes.get("service_labels", "[]"))) or _bare(
        wire.metadata.name, (label or "", cluster, destination.namespace or "")
    )
    return Application(wire, line, hint, environment, cluster, is_parent(wire))


def _first(labels: dict[str, str], names: Sequence[str]) -> str | None:
    return next((labels[name] for name in names if name in labels), None)


def _host(text: str) -> str:
    try:
        return urlsplit(text).hostname or text
    except ValueError:
        return text


def _bare(name: str, places: tuple[str, ...]) -> str:
    """An application's name without the place it deploys to, which generators put into it."""
    for place in places:
        for bare in (name.removesuffix(f"-{place}"), name.removeprefix(f"{place}-")):
            if place and bare and bare != name:
                return bare
    return name


def _succeeded(application: Application, entry: HistoryWire, before: list[str]) -> Synced:
    sources = entry.sources or ([entry.source] if entry.source else [])
    return Synced(
        id=f"{application.prefix}:sync:{application.uid}:{entry.id}",
        number=entry.id,
        started_at=min(entry.deploy_started_at or entry.deployed_at, entry.deployed_at),
        ended_at=entry.deployed_at,
        state="succeeded",
        sources=sources or _configured(application),
        revisions=entry.revisions or ([entry.revision] if entry.revision else []),
        initiator=entry.initiated_by,
        before=before,
    )


def _operated(
    application: Application,
    operation: OperationStateWire,
    before: list[str],
    *,
    is_witness: bool,
) -> Synced | None:
    """The last operation, where the history will not tell it: it failed, or there is no history.

    A rehearsal changes nothing, and a sync of some resources is in no history when it succeeds.
    """
    asked, result = operation.operation.sync, operation.sync_result
    has_failed = operation.phase in {"Failed", "Error"}
    is_told = has_failed or (operation.phase == "Succeeded" and is_witness)
    if asked is None or asked.dry_run or asked.resources or not is_told:
        return None
    state = "failed" if has_failed else "succeeded"
    found = (result.revisions or ([result.revision] if result.revision else [])) if result else []
    sources = (result.sources or ([result.source] if result.source else [])) if result else []
    wanted = asked.revisions or ([asked.revision] if asked.revision else [])
    return Synced(
        id=f"{application.prefix}:operation:{application.uid}:{operation.started_at.isoformat()}",
        number=None,
        started_at=operation.started_at,
        ended_at=max(operation.finished_at or operation.started_at, operation.started_at),
        state="cancelled" if has_failed and operation.message == _TERMINATED else state,
        sources=sources or _configured(application),
        revisions=found or wanted,
        initiator=operation.operation.initiated_by,
        before=before,
    )


def _configured(application: Application) -> list[SourceWire]:
    spec = application.wire.spec
    return spec.sources or ([spec.source] if spec.source else [])


def _add(parsed: Parsed, application: Application, synced: Synced, running: list[str]) -> None:
    images = running or set_images(synced.sources)
    source, revision = _told_by(synced)
    is_commit = source is not None and not source.chart and _is_commit(revision)
    actor = _actor(parsed, application, synced.initiator)
    # Pods show the images of the newest sync only. A row that has them is the newer version of
    # the same sync, so that reading the whole history again does not take them away.
    version = synced.ended_at + timedelta(microseconds=1 if running else 0)
    for position, image in enumerate(images or [None]):
        is_first = position == 0
        attempt_id = (
            synced.id if is_first or image is None else f"{synced.id}:{image_segment(image)}"
        )
        parsed.add(
            DeploymentAttempt(
                attempt_id=attempt_id,
                repository_key=repository_key(source.repoURL)
                if source is not None and source.repoURL
                else None,
                service_hint=application.hint if is_first else image_segment(image or ""),
                environment=application.environment or None,
                sha=revision.lower() if is_commit and revision else None,
                ref=source.targetRevision if is_commit and source else revision,
                release=set_tag(synced.sources),
                image=image,
                target=application.cluster,
                created_at=synced.started_at,
                actor=actor,
                url=application.url,
                content="applications" if application.is_parent else None,
                series=f"{application.prefix}:application:{application.uid}",
                number=synced.number,
                source_updated_at=version,
            )
        )
        parsed.whole(DeploymentStatus, attempt_id, synced.ended_at)
        parsed.add(
            DeploymentStatus(
                attempt_id=attempt_id,
                status_id="end",
                state=synced.state,
                at=synced.ended_at,
                source_updated_at=synced.ended_at,
            )
        )


def _told_by(synced: Synced) -> tuple[SourceWire | None, str | None]:
    """The source whose commit stands for the sync, and that commit.

    Of several the first whose revision moved, for it is why the sync took place; manifests of
    Git before charts.
    """
    sources = synced.sources
    revisions: list[str | None] = [*synced.revisions[: len(sources)]]
    revisions += [None] * (len(sources) - len(revisions))
    before = [*synced.before, *([None] * (len(sources) - len(synced.before)))]
    ranked = [
        (bool(source.chart), synced.before != [] and revision == earlier, position)
        for position, (source, revision, earlier) in enumerate(
            zip(sources, revisions, before[: len(sources)], strict=True)
        )
    ]
    if not ranked:
        return None, synced.revisions[0] if synced.revisions else None
    position = min(ranked)[2]
    return sources[position], revisions[position]


def _is_commit(revision: str | None) -> bool:
    text = (revision or "").lower()
    return len(text) == _LONGEST_REVISION and all(sign in "0123456789abcdef" for sign in text)


def _actor(parsed: Parsed, application: Application, initiator: InitiatorWire | None) -> str | None:
    name = (initiator.username if initiator is not None else None) or ""
    if not name or (initiator is not None and initiator.automated):
        return None
    account_id = f"{application.prefix}:account:{name}"
    parsed.add(
        Account(
            account_id=account_id,
            login=name,
            email=name if "@" in name else None,
            is_bot=name.startswith("proj:"),  # the token of a project's role
        )
    )
    return account_id
