"""The shapes of Argo CD's applications, as far as they are used."""

from typing import Any

from pydantic import Field

from connectors.reading import CamelWire, Integer, Wire
from connectors.records import Instant


class OwnerWire(Wire):
    """What made an application: an ApplicationSet."""

    kind: str | None = None
    name: str | None = None


class MetadataWire(CamelWire):
    """Who an application is; the uid changes when it is made again under its name."""

    uid: str = Field(min_length=1)
    name: str = Field(min_length=1)
    namespace: str | None = None
    labels: dict[str, Any] | None = None
    owner_references: list[OwnerWire] | None = None


class ParameterWire(Wire):
    """A value of a Helm chart that the application sets."""

    name: str | None = None
    value: str | None = None


class HelmWire(Wire):
    """How a chart is filled in."""

    parameters: list[ParameterWire] | None = None


class KustomizeWire(Wire):
    """Images that the application puts in place of those of the manifests."""

    images: list[str] | None = None


class SourceWire(Wire):
    """Where manifests come from: a repository of Git, or a chart of Helm."""

    repoURL: str | None = None  # noqa: N815  the vendor's spelling is no camel case
    path: str | None = None
    chart: str | None = None
    targetRevision: str | None = None  # noqa: N815
    ref: str | None = None
    helm: HelmWire | None = None
    kustomize: KustomizeWire | None = None


class DestinationWire(Wire):
    """The cluster, by name or address, and the namespace."""

    server: str | None = None
    name: str | None = None
    namespace: str | None = None


class SpecWire(CamelWire):
    """What is to be deployed, and where."""

    project: str | None = None
    source: SourceWire | None = None
    sources: list[SourceWire] | None = None
    destination: DestinationWire = DestinationWire()
    revision_history_limit: int | None = None


class InitiatorWire(Wire):
    """Who started a sync; nobody where Argo CD did."""

    username: str | None = None
    automated: bool | None = None


class HistoryWire(CamelWire):
    """A sync that succeeded; ids count up within one application."""

    id: Integer = 0
    revision: str | None = None
    revisions: list[str] | None = None
    source: SourceWire | None = None
    sources: list[SourceWire] | None = None
    deploy_started_at: Instant | None = None
    deployed_at: Instant
    initiated_by: InitiatorWire | None = None


class SyncWire(CamelWire):
    """What a sync was asked to do; with resources it is a part of an application."""

    revision: str | None = None
    revisions: list[str] | None = None
    dry_run: bool | None = None
    resources: list[Any] | None = None


class OperationWire(CamelWire):
    """What was asked for."""

    sync: SyncWire | None = None
    initiated_by: InitiatorWire | None = None


class SyncResultWire(Wire):
    """What a sync found at its sources."""

    revision: str | None = None
    revisions: list[str] | None = None
    source: SourceWire | None = None
    sources: list[SourceWire] | None = None


class OperationStateWire(CamelWire):
    """The last operation, whatever became of it; its start stays the same through retries."""

    phase: str
    message: str | None = None
    started_at: Instant
    finished_at: Instant | None = None
    operation: OperationWire = OperationWire()
    sync_result: SyncResultWire | None = None


class ResourceWire(Wire):
    """A resource the application manages."""

    group: str | None = None
    kind: str | None = None


class HealthWire(Wire):
    """Healthy, Progressing, Degraded, Suspended, Missing or Unknown."""

    status: str | None = None


class SummaryWire(Wire):
    """The images of all pods, in no order."""

    images: list[str] | None = None


class StatusWire(CamelWire):
    """How the application stands."""

    history: list[HistoryWire] | None = None
    operation_state: OperationStateWire | None = None
    resources: list[ResourceWire] | None = None
    health: HealthWire | None = None
    summary: SummaryWire | None = None


class ApplicationWire(Wire):
    """An application."""

    metadata: MetadataWire
    spec: SpecWire = SpecWire()
    status: StatusWire = StatusWire()
