"""From Jenkins' builds and stages to records."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.jenkins_wire import ActionWire, BuildWire, CauseWire, StageWire
from connectors.records import PipelineJob, PipelineRun

# Unstable: every step was done, and something (tests, as a rule) was not as it should be.
_RESULTS = {
    "SUCCESS": "succeeded",
    "UNSTABLE": "succeeded",
    "FAILURE": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILT": "skipped",
}
_STAGES = {
    "SUCCESS": "succeeded",
    "UNSTABLE": "succeeded",
    "FAILED": "failed",
    "ABORTED": "cancelled",
    "NOT_EXECUTED": "skipped",
    "IN_PROGRESS": "running",
    "PAUSED_PENDING_INPUT": "running",
}
_EVENTS = {
    "UserIdCause": "manual",
    "UserCause": "manual",
    "TimerTriggerCause": "schedule",
    "SCMTriggerCause": "push",
    "GitHubPushCause": "push",
    "GitLabWebHookCause": "push",
    "BitBucketPushCause": "push",
    "BranchEventCause": "push",
    "BranchIndexingCause": "push",
    "UpstreamCause": "upstream",
    "BuildUpstreamCause": "upstream",
    "RemoteCause": "api",
    "ReplayCause": "replay",
}
_REQUEST = re.compile(r"(?:PR|MR)-\d+(?:-(?:head|merge))?")
_PREFIXES = re.compile(r"^(?:refs/)?(?:remotes/[^/]+/|heads/|tags/|origin/)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SHA = re.compile(r"[0-9a-fA-F]{40}")
_COUNTER = re.compile(r"[-_ ]?\d+$")
_LONGEST_VALUE = 500


def is_running(building: Any, result: Any) -> bool:
    """Whether more can come of a build; a result may be set long before its end."""
    return bool(building) or result is None


def run_key(name: str, number: int, timestamp: int, queue_id: int | None) -> str:
    """What tells a build from all others of the controller, for good.

    Numbers start again in a job that was made anew, and a renamed job keeps its builds: the
    number in the queue and the moment it left the queue stay with a build.
    """
    place = str(queue_id) if queue_id is not None and queue_id > 0 else name
    return f"{place}-{number}-{timestamp}"


def add_run(parsed: Parsed, line: Line, wire: BuildWire) -> None:
    """A run."""
    actions = [action for action in wire.actions or [] if action is not None]
    parameters = dict(_parameters(actions))
    checkout = _checkout(actions, parameters, line.attributes.get("branch"))
    key, sha, branch = checkout or (None, None, None)
    is_open = is_running(wire.building, wire.result)
    started_at = _moment(wire.timestamp)
    finished_at = None if is_open else started_at + _span(wire.duration)
    cause = next((each for action in actions for each in action.causes or [] if each), None)
    name = line.attributes["name"]
    branch = line.attributes.get("branch") or branch
    number_url = f"{line.attributes['address']}{line.attributes['path']}{wire.number}/"
    vendor_id = run_key(name, wire.number, wire.timestamp, wire.queue_id)
    status = "running" if is_open else _RESULTS.get(wire.result or "", "failed")
    parsed.add(
        PipelineRun(
            run_id=f"{line.connection}:run:{vendor_id}",
            repository_key=key,
            name=name,
            event=_event(cause, line.attributes.get("branch")),
            branch=branch,
            sha=sha,
            status=status,
            queued_at=started_at - _queued(actions),
            started_at=started_at,
            finished_at=finished_at,
            actor=f"{line.connection}:account:{cause.user_id}"
            if cause is not None and cause.user_id
            else None,
            url=number_url,
            runner_labels=[_COUNTER.sub("", wire.built_on)] if wire.built_on else [],
            parameters=[f"{each}={value}" for each, value in parameters.items()],
            # Our own clock must not decide whether a running or a finished one is the newer.
            source_updated_at=finished_at or started_at,
        )
    )


def add_stage(parsed: Parsed, line: Line, wire: StageWire) -> None:
    """A stage of a run as its job."""
    run = line.attributes["run"]
    status = _STAGES.get(wire.status or "", "failed")
    started_at = _moment(wire.start_time_millis) if wire.start_time_millis else None
    is_over = started_at is not None and status != "running"
    finished_at = started_at + _span(wire.duration_millis) if started_at and is_over else None
    parsed.add(
        PipelineJob(
            job_id=f"{line.connection}:job:{run}:{wire.id}",
            run_id=f"{line.connection}:run:{run}",
            name=wire.name,
            status=status,
            started_at=started_at,
            finished_at=finished_at,
            source_updated_at=finished_at or started_at,
        )
    )


def _parameters(actions: Iterable[ActionWire]) -> Iterator[tuple[str, str]]:
    """Names with values that are words, numbers or yes and no."""
    for action in actions:
        for parameter in action.parameters or []:
            if parameter is None or not parameter.name:
                continue
            value = parameter.value
            if isinstance(value, bool):
                yield parameter.name, str(value).lower()
            elif isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE:
                yield parameter.name, str(value)


def _checkout(
    actions: Iterable[ActionWire], parameters: Mapping[str, str], branch: str | None
) -> tuple[str, str | None, str | None] | None:
    """Repository, commit and branch of the checkout that the build is about.

    Shared libraries are checked out too, and first. Of a branch's job it is the last checkout of
    that branch; of others the last one.
    """
    found: list[tuple[str, str | None, str | None]] = []
    for action in actions:
        revision = action.last_built_revision
        remote = next((url for url in action.remote_urls or [] if url), None)
        if remote is None:
            continue
        key = repository_key(_expanded(remote, parameters))
        if "$" in key or key.startswith("local/"):
            continue
        sha = revision.sha.lower() if revision and revision.sha else ""
        names = [each.name for each in (revision and revision.branch) or [] if each and each.name]
        short = _PREFIXES.sub("", names[0]) if names else None
        found.append(
            (key, sha if _SHA.fullmatch(sha) else None, None if short == "detached" else short)
        )
    of_branch = [each for each in found if branch is not None and each[2] == branch]
    return of_branch[-1] if of_branch else found[-1] if found else None


def _expanded(text: str, parameters: Mapping[str, str]) -> str:
    """An address with parameters of the build in it, which may hold others."""
    for _ in range(5):
        changed = _VARIABLE.sub(lambda match: parameters.get(match[1] or match[2], match[0]), text)
        if changed == text:
            break
        text = changed[:_LONGEST_VALUE]
    return text


def _event(cause: CauseWire | None, branch: str | None) -> str | None:
    if cause is None or not cause.kind:
        return None
    name = re.split(r"[.$]", cause.kind)[-1]
    event = _EVENTS.get(name, name.removesuffix("Cause").lower() or None)
    is_request = branch is not None and _REQUEST.fullmatch(branch) is not None
    return "pull_request" if event == "push" and is_request else event


def _queued(actions: Iterable[ActionWire]) -> timedelta:
    """How long a build waited before it got its number and timestamp (metrics plugin)."""
    waited = 0
    for action in actions:
        waited += action.waiting_duration_millis or 0
        waited += action.blocked_duration_millis or 0
        waited += action.buildable_duration_millis or 0
    return _span(min(waited, 10**11))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def _span(milliseconds: int | None) -> timedelta:
    return timedelta(milliseconds=max(0, milliseconds or 0))
