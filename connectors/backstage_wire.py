"""The shapes of Backstage's answers, as far as they are used."""

from typing import Any

from pydantic import Field

from connectors.reading import CamelWire, Wire
from connectors.records import Instant

ENTITY_FIELDS = (
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.title",
    "metadata.annotations",
    "spec.type",
    "spec.lifecycle",
    "spec.owner",
    "spec.system",
    "spec.dependsOn",
    "spec.profile",
    "spec.parent",
    "spec.members",
    "relations",
)


class MetadataWire(Wire):
    """Who an entity is."""

    name: str = Field(min_length=1)
    namespace: str | None = None
    title: str | None = None
    annotations: dict[str, Any] | None = None


class ProfileWire(CamelWire):
    """How a user or a group is shown."""

    display_name: str | None = None
    email: str | None = None


class SpecWire(CamelWire):
    """What an entity says of itself; kinds of other vendors put anything here."""

    type: Any = None
    lifecycle: Any = None
    owner: Any = None
    system: Any = None
    depends_on: Any = None
    profile: ProfileWire | None = None
    parent: Any = None
    members: Any = None


class RelationWire(CamelWire):
    """What an entity has to do with another; the server works these out of all entities."""

    type: str
    target_ref: str


class EntityWire(Wire):
    """An entity of the catalog."""

    kind: str = Field(min_length=1)
    metadata: MetadataWire
    spec: SpecWire | None = None
    relations: list[RelationWire] | None = None


class TemplateInfoWire(CamelWire):
    """Which template ran."""

    entity_ref: str | None = None


class UserInfoWire(Wire):
    """Who ran it; nobody where a token of a service did."""

    ref: str | None = None


class StepWire(Wire):
    """A step of the template as the task holds it."""

    id: str
    name: str | None = None
    action: str | None = None


class TaskSpecWire(CamelWire):
    """What was filled in, and what was to be done."""

    steps: list[StepWire] | None = None
    parameters: dict[str, Any] | None = None
    user: UserInfoWire | None = None
    template_info: TemplateInfoWire | None = None


class TaskWire(CamelWire):
    """A run of a template."""

    id: str = Field(min_length=1)
    status: str
    created_at: Instant
    last_heartbeat_at: Instant | None = None
    created_by: str | None = None
    spec: TaskSpecWire = TaskSpecWire()


class EventBodyWire(CamelWire):
    """What an event says; logs have a step, the completion has what came out."""

    message: str | None = None
    step_id: str | None = None
    status: str | None = None
    output: dict[str, Any] | None = None


class EventWire(CamelWire):
    """Something that happened in a run."""

    id: int
    type: str
    created_at: Instant
    body: EventBodyWire
