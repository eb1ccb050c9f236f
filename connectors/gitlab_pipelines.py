"""Pipelines of GitLab and their jobs.

A list of pipelines tells when one was made and when it last changed, which of one that is over is
when it ended. Jobs are one request a pipeline, with those that were tried again.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.connector import Line, Page, Parsed, Pull, Scope
from connectors.failures import NotFoundError
from connectors.gitlab_lists import TimedList
from connectors.gitlab_rest import listed
from connectors.reading import Reader, Wire
from connectors.records import PipelineJob, PipelineRun, Record

# What waits for a person, a resource or a moment has not begun.
STATES = {
    "created": "queued",
    "pending": "queued",
    "preparing": "queued",
    "waiting_for_resource": "queued",
    "waiting_for_callback": "queued",
    "scheduled": "queued",
    "manual": "queued",
    "running": "running",
    "canceling": "running",
    "success": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "skipped": "skipped",
}
OVER = {"succeeded", "failed", "cancelled", "skipped"}


class PipelineWire(Wire):
    """A pipeline as lists give it; only those with a `workflow: name` have a name."""

    id: int
    status: str
    name: str | None = None
    source: str | None = None
    ref: str | None = None
    sha: str | None = None
    web_url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class PipelineOfJobWire(Wire):
    """The pipeline a job is part of."""

    id: int


class JobWire(Wire):
    """A job, or one attempt at it."""

    id: int
    name: str
    status: str
    pipeline: PipelineOfJobWire
    started_at: datetime | None = None
    finished_at: datetime | None = None
    tag_list: list[str] | None = None


_PIPELINES: Reader[PipelineWire] = Reader(PipelineWire, (), PipelineRun)
_JOBS: Reader[JobWire] = Reader(JobWire, (), PipelineJob)


class PipelinesStream(TimedList):
    """Pipelines, and their jobs where the settings ask for them."""

    name = "pipelines"
    record_types: ClassVar[tuple[type[Record], ...]] = (PipelineRun, PipelineJob)
    # Rules of retention delete pipelines; what was received once happened.
    forgets: ClassVar[bool] = True
    # What changes in one moves its time of update.
    daily_full_pass: ClassVar[bool] = False
    feature = "builds_access_level"
    probed: ClassVar[str | None] = "pipelines"
    path = "pipelines"

    def more(self, pull: Pull, scope: Scope, page: Page, item: Mapping[str, Any]) -> Iterator[Page]:  # noqa: ARG002
        """The jobs of a pipeline, tried again or not; none of one that was deleted meanwhile."""
        if not self.options.pipeline_jobs or not isinstance(item.get("id"), int):
            return
        path = f"projects/{scope.id}/pipelines/{item['id']}/jobs"
        try:
            for part in listed(pull.client, path, {"include_retried": "true"}):
                yield part.page(items=0, attributes={"part": "jobs"})
        except NotFoundError:
            return

    def parse(self, line: Line) -> Parsed:
        """Pipelines, or the jobs of one."""
        parsed = Parsed()
        if line.attributes.get("part") == "jobs":
            for job in _JOBS.read(line, parsed):
                parsed.add(_job(line, job))
            return parsed
        for wire in _PIPELINES.read(line, parsed):
            parsed.add(_run(line, wire))
        return parsed


class ChildPipelinesStream(PipelinesStream):
    """Pipelines that other pipelines of their project start; no other list shows them."""

    name = "child_pipelines"
    # One goes on when the pipeline that started it is over.
    probed = None
    params: ClassVar[Mapping[str, str]] = {"source": "parent_pipeline"}


def _run(line: Line, wire: PipelineWire) -> PipelineRun:
    status = STATES.get(wire.status.lower(), "queued")
    return PipelineRun(
        run_id=f"{line.connection}:pipeline:{wire.id}",
        repository_key=line.attributes["repository_key"],
        name=wire.name,
        event=wire.source,
        branch=wire.ref,
        sha=wire.sha,
        status=status,
        queued_at=wire.created_at,
        finished_at=wire.updated_at if status in OVER else None,
        url=wire.web_url,
        source_updated_at=wire.updated_at,
    )


def _job(line: Line, wire: JobWire) -> PipelineJob:
    return PipelineJob(
        job_id=f"{line.connection}:job:{wire.id}",
        run_id=f"{line.connection}:pipeline:{wire.pipeline.id}",
        name=wire.name,
        status=STATES.get(wire.status.lower(), "queued"),
        started_at=wire.started_at,
        finished_at=wire.finished_at,
        runner_labels=wire.tag_list or [],
    )
