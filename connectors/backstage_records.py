"""From Backstage's entities, runs of templates and their events to records."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.backstage_wire import EntityWire, EventWire, StepWire, TaskWire
from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.records import (
    Account,
    CatalogEntity,
    ScaffolderStep,
    ScaffolderTask,
    SelfServiceAction,
    Team,
    TeamMember,
)

FINISHED = {"completed", "failed", "cancelled", "skipped"}
# What portals call the field for the name of a new service.
_NAMES = (
    *("name", "component_id", "componentId", "component_name", "componentName"),
    *("service_name", "serviceName", "repo_name", "repoName"),
)
_STATES = {
    "open": "queued",
    "processing": "running",
    "completed": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "skipped": "cancelled",
}
_OUTCOMES = {"succeeded", "failed", "cancelled"}
# https://host/owner/name/tree/branch/path, with /-/ at GitLab and /src/ at Bitbucket.
_TREE = re.compile(r"^(?P<repository>.*?)/(?:-/)?(?:tree|blob|src)/[^/]+/?(?P<path>.*)$")


def add_entity(parsed: Parsed, line: Line, wire: EntityWire) -> None:
    """An entity of the catalog; users are accounts, groups are teams as well."""
    kind = wire.kind.lower()
    if kind == "location":
        return
    if kind == "user":
        _add_user(parsed, line, wire)
        return
    if kind == "group":
        _add_group(parsed, line, wire)
    spec, related = wire.spec, _Relations(wire)
    key, path = source_of(
        (wire.metadata.annotations or {}), line.attributes.get("github_host", "github.com")
    )
    owner = related.one("ownedBy") or _reference(spec.owner if spec else None, "group")
    system = related.one("partOf", "system") or _reference(spec.system if spec else None, "system")
    depends_on = related.every("dependsOn")
    if not depends_on and spec is not None and isinstance(spec.depends_on, list):
        depends_on = [each for each in spec.depends_on if isinstance(each, str)]
    parsed.add(
        CatalogEntity(
            entity_ref=reference_of(wire),
            kind=wire.kind,
            type=_text(spec.type if spec else None),
            name=wire.metadata.name,
            lifecycle=_text(spec.lifecycle if spec else None),
            owner=owner,
            system=system,
            depends_on=sorted(set(depends_on)),
            repository_key=key,
            path=path,
        )
    )


def reference_of(wire: EntityWire) -> str:
    """The full reference of an entity, in lower case as the server compares them."""
    namespace = wire.metadata.namespace or "default"
    return f"{wire.kind}:{namespace}/{wire.metadata.name}".lower()


def source_of(annotations: Mapping[str, Any], github_host: str) -> tuple[str | None, str | None]:
    """The repository an entity lives in and the path within; from its annotations."""
    location = str(annotations.get("backstage.io/source-location") or "")
    found_key: str | None = None
    found_path: str | None = None
    if location.startswith("url:http"):
        address = location.removeprefix("url:")
        match = _TREE.match(address)
        found_key = repository_key(match["repository"] if match else address)
        found_path = (match["path"].strip("/") + "/" if match and match["path"] else None) or None
        if found_path == "/":
            found_path = None
    for name, host in (
        ("github.com/project-slug", github_host),
        ("gitlab.com/project-slug", "gitlab.com"),
        ("bitbucket.org/project-key", "bitbucket.org"),
    ):
        slug = annotations.get(name)
        if isinstance(slug, str) and slug.count("/") >= 1:
            own = slug.strip("/").lower()
            # The location may lie in a repository of descriptions; then the slug knows better.
            if found_key is not None and found_key.endswith(f"/{own}"):
                return found_key, found_path
            return f"{host}/{own}".lower(), None
    return found_key, found_path


def add_open_task(parsed: Parsed, line: Line, wire: TaskWire) -> None:
    """A run that is not over, or whose events are gone."""
    parsed.add(_task(line, wire, _STATES.get(wire.status, wire.status), [], None))


def add_finished_task(
    parsed: Parsed, line: Line, wire: TaskWire, events: Iterable[EventWire]
) -> None:
    """A run that is over, with its steps: the finish is the event that says so."""
    ordered = sorted(events, key=lambda event: event.id)
    completions = [event for event in ordered if event.type == "completion"]
    state = _STATES.get(wire.status, wire.status)
    if any(event.type == "cancelled" for event in ordered) and state == "failed":
        state = "cancelled"  # the server itself calls a cancelled run failed
    task = _task(line, wire, state, ordered, completions[-1] if completions else None)
    parsed.add(task)
    parsed.whole(ScaffolderStep, task.task_id, None)
    for step in _steps(task.task_id, wire, ordered):
        parsed.add(step)
    parsed.add(
        SelfServiceAction(
            action_id=task.task_id,
            category=task.template.rpartition("/")[2] or task.template,
            actor=task.requester,
            started_at=task.created_at,
            completed_at=task.completed_at,
            outcome=state if state in _OUTCOMES else None,
        )
    )


def _task(
    line: Line,
    wire: TaskWire,
    state: str,
    events: list[EventWire],
    completion: EventWire | None,
) -> ScaffolderTask:
    spec = wire.spec
    output = (completion.body.output if completion else None) or {}
    parameters = spec.parameters or {}
    asked_key, asked_name = _asked_repository(parameters)
    user = (spec.user.ref if spec.user else None) or wire.created_by
    last = completion.created_at if completion else None
    if last is None and wire.status in FINISHED:
        last = events[-1].created_at if events else wire.last_heartbeat_at
    made = _made_repository(output) or (asked_key if output else None)
    return ScaffolderTask(
        task_id=f"{line.connection}:task:{wire.id}",
        template=(spec.template_info.entity_ref if spec.template_info else None) or "unknown",
        name=next((text for name in _NAMES if (text := _text(parameters.get(name)))), asked_name),
        requester=f"{line.connection}:{user.lower()}" if user else None,
        # What was asked for is there only once the run has succeeded.
        repository_key=made if state == "succeeded" else None,
        entity_ref=(_text(output.get("entityRef")) or "").lower() or None,
        created_at=wire.created_at,
        completed_at=last,
        status=state,
        url=f"{line.attributes['portal']}/create/tasks/{wire.id}"
        if "portal" in line.attributes
        else None,
    )


def _steps(task_id: str, wire: TaskWire, events: list[EventWire]) -> Iterable[ScaffolderStep]:
    """The steps of the template with the times of their events; one tried again began first."""
    began: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    states: dict[str, str] = {}
    for event in events:
        at, status = event.body.step_id, event.body.status
        if at is None or status is None:
            continue
        if status == "processing":
            began.setdefault(at, event.created_at)
        else:
            ended[at] = event.created_at
        if states.get(at) != "cancelled":
            states[at] = status
    known: dict[str, tuple[int, StepWire]] = {}
    for position, step in enumerate(wire.spec.steps or []):
        known.setdefault(step.id, (position, step))
    for step_id, (position, step) in known.items():
        status = states.get(step_id, "open")
        yield ScaffolderStep(
            task_id=task_id,
            step_id=step_id,
            name=step.name,
            action=step.action,
            position=position,
            status="skipped" if status == "skipped" else _STATES.get(status, status),
            started_at=began.get(step_id),
            finished_at=ended.get(step_id),
        )


def _made_repository(output: Mapping[str, Any]) -> str | None:
    """The repository that came out, from the names the publish actions give it."""
    for name in ("remoteUrl", "repoUrl", "repoContentsUrl"):
        text = _text(output.get(name))
        if text and text.startswith(("http://", "https://")):
            match = _TREE.match(text)
            return repository_key(match["repository"] if match else text)
    links = output.get("links")
    for link in links if isinstance(links, list) else []:
        text = _text(link.get("url")) if isinstance(link, dict) else None
        if text and "repo" in str(link.get("title", "")).lower() and text.startswith("http"):
            return repository_key(text)
    return None


def _asked_repository(parameters: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The repository that the picker holds: `github.com?owner=acme&repo=shop`."""
    text = _text(parameters.get("repoUrl"))
    if not text or "?" not in text:
        return None, None
    parts = urlsplit(f"https://{text}" if "://" not in text else text)
    asked = parse_qs(parts.query)
    name = next(iter(asked.get("repo", [])), None)
    owner = "/".join(
        value for key in ("workspace", "project", "owner") for value in asked.get(key, [])[:1]
    )
    if not parts.hostname or not name or not owner:
        return None, name
    return f"{parts.hostname}/{owner}/{name}".lower(), name


def _add_user(parsed: Parsed, line: Line, wire: EntityWire) -> None:
    profile = wire.spec.profile if wire.spec else None
    parsed.add(
        Account(
            account_id=f"{line.connection}:{reference_of(wire)}",
            login=wire.metadata.name,
            name=(profile.display_name if profile else None) or wire.metadata.title,
            email=(profile.email if profile else None) or None,
        )
    )


def _add_group(parsed: Parsed, line: Line, wire: EntityWire) -> None:
    related, spec = _Relations(wire), wire.spec
    team_id = f"{line.connection}:{reference_of(wire)}"
    parent = related.one("childOf") or _reference(spec.parent if spec else None, "group")
    profile = spec.profile if spec else None
    shown = (profile.display_name if profile else None) or wire.metadata.title
    parsed.add(
        Team(
            team_id=team_id,
            name=shown or wire.metadata.name,
            parent=f"{line.connection}:{parent}" if parent else None,
        )
    )
    members = related.every("hasMember")
    if not members and spec is not None and isinstance(spec.members, list):
        members = [ref for each in spec.members if (ref := _reference(each, "user"))]
    parsed.whole(TeamMember, team_id, None)
    for member in sorted(set(members)):
        parsed.add(TeamMember(team_id=team_id, account_id=f"{line.connection}:{member}"))


class _Relations:
    """The relations of an entity, by what they are."""

    def __init__(self, wire: EntityWire) -> None:
        self._all = [(each.type, each.target_ref.lower()) for each in wire.relations or []]

    def every(self, kind: str) -> list[str]:
        return [target for name, target in self._all if name == kind]

    def one(self, kind: str, of: str = "") -> str | None:
        return next((target for target in self.every(kind) if target.startswith(of)), None)


def _reference(value: Any, kind: str) -> str | None:
    """A reference as people write it, in full: `team` becomes `group:default/team`."""
    text = _text(value)
    if text is None:
        return None
    head, colon, rest = text.rpartition(":")
    namespace, slash, name = rest.rpartition("/")
    return f"{head if colon else kind}:{namespace if slash else 'default'}/{name}".lower()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
