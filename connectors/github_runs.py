"""Runs of GitHub Actions, which exist in REST only.

GitHub lists at most a thousand runs of any time window: windows are halved until they hold fewer,
and walked oldest first, so that a pass that was cut off goes on at the window it had reached.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from connectors.clones import settled_marker
from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError, State
from connectors.failures import redact_url
from connectors.github_probes import (
    RepositoryChild,
    newest,
    probed,
    pushed,
    start_of,
)
from connectors.github_rest import parse_rest
from connectors.github_wire import RepositoryWire
from connectors.reading import load_json
from connectors.records import PipelineJob, PipelineRun, Record
from connectors.snapshots import state_on_last

_CAP = 1000
_PER_PAGE = 100
_OVERLAP = timedelta(seconds=300)
# No run lasts longer than GitHub lets it wait for an approval, plus a day.
_RUNS_SETTLE = timedelta(days=36)
# GitHub lets a run be started again for so long; once a day a pull looks back as far.
_RERUN = timedelta(days=30)
_DEEP_EVERY = timedelta(days=1)
# Before GitHub Actions there was nothing to list.
_FIRST_RUNS = "2018-10-16T00:00:00+00:00"
_SHORTEST = timedelta(seconds=1)


class Seen(BaseModel):
    """What `State.marker` holds: the probe's marker, and when a pull last looked far back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    marker: str | None = None
    deep_at: datetime | None = None


class WorkflowRunsStream(RepositoryChild):
    """Runs of workflows, and their jobs where the settings ask for them."""

    name = "workflow_runs"
    record_types: ClassVar[tuple[type[Record], ...]] = (PipelineRun, PipelineJob)
    # People's clean-up jobs delete runs; what was received once happened.
    forgets: ClassVar[bool] = True
    # Years of runs, listed a hundred at a time, are too many to be listed again every day.
    daily_full_pass: ClassVar[bool] = False

    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """What starts workflows: pushes, pull requests, deployments, releases.

        GraphQL does not show runs; those of a schedule alone are found by the daily look back.
        """
        shown, pushed_at = pushed(wire)
        probes = [probed(wire.pull_requests), probed(wire.deployments), probed(wire.releases)]
        times = [pushed_at, *(time for _, time in probes)]
        return [shown, *(each for each, _ in probes)], newest(times)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """Runs created since the mark, window by window."""
        asked_at = pull.now()
        seen = Seen.model_validate_json(state.marker) if state.marker else Seen()
        is_deep = seen.deep_at is None or asked_at - seen.deep_at >= _DEEP_EVERY
        is_same = seen.marker is not None and seen.marker == scope.attributes.get("marker")
        if is_same and not is_deep and state.resume is None:
            return
        deep_at = asked_at if is_deep else seen.deep_at
        # A clock that is behind must not hide the newest runs.
        end = asked_at + timedelta(days=1)
        begin = datetime.fromisoformat(state.resume or state.cursor or self._begin(scope))
        if is_deep and state.cursor and not state.resume:
            begin = min(begin, asked_at - _RERUN)
        unfinished = datetime.fromisoformat(state.cursor) if state.resume and state.cursor else None
        windows = [(begin, end)]
        while windows:
            start, stop = windows.pop()
            first = self._listed(pull, scope, start, stop)
            if first is None:
                middle = start + (stop - start) / 2
                windows += [(middle, stop), (start, middle)]
                continue
            pages, open_since = first
            times = [time for time in (unfinished, open_since) if time is not None]
            unfinished = min(times, default=None)
            if windows:
                kept = unfinished.isoformat() if unfinished else None
                marker = Seen(deep_at=deep_at)
                reached = State(
                    cursor=kept, resume=stop.isoformat(), marker=marker.model_dump_json()
                )
            else:
                mark = min([asked_at, *([unfinished] if unfinished else [])]) - _OVERLAP
                marker = Seen(marker=settled_marker(scope, asked_at), deep_at=deep_at)
                reached = State(cursor=mark.isoformat(), marker=marker.model_dump_json())
            yield from state_on_last(pages, reached.model_copy)

    def _begin(self, scope: Scope) -> str:
        start = start_of(self.options)
        return start.isoformat() if start else scope.attributes.get("created_at", _FIRST_RUNS)

    def _listed(
        self, pull: Pull, scope: Scope, start: datetime, stop: datetime
    ) -> tuple[list[Page], datetime | None] | None:
        """The pages of a window and its oldest unfinished run; None when it holds too many."""
        created = f"{_stamp(start)}..{_stamp(stop)}"
        path = f"repos/{scope.attributes['full_name']}/actions/runs"
        answer = pull.client.get(path, {"per_page": _PER_PAGE, "created": created})
        pages: list[Page] = []
        unfinished: list[datetime] = []
        while True:
            value, _ = load_json(answer.body)
            runs = value.get("workflow_runs") if isinstance(value, dict) else None
            if not isinstance(runs, list):
                raise SourceError(
                    f"{redact_url(answer.url)}: expected a list at workflow_runs; the source may "
                    "have changed, update Leadline"
                )
            if not pages and (value.get("total_count") or 0) >= _CAP and stop - start > _SHORTEST:
                return None
            attributes = {} if answer.moved_to is None else {"moved_to": answer.moved_to}
            pages.append(
                Page(
                    url=answer.url,
                    requested_at=answer.requested_at,
                    body=answer.body,
                    items=len(runs),
                    attributes=attributes,
                )
            )
            for run in runs:
                unfinished += _unfinished_since(run, pull.now())
                pages += self._jobs(pull, path, run)
            following = pull.client.next_link(answer)
            if following is None:
                return pages, min(unfinished, default=None)
            answer = pull.client.get(following)

    def _jobs(self, pull: Pull, path: str, run: Any) -> Iterator[Page]:
        if not self.options.workflow_jobs or not isinstance(run, dict) or "id" not in run:
            return
        url: str | None = f"{path}/{run['id']}/jobs?per_page={_PER_PAGE}"
        while url is not None:
            answer = pull.client.get(url)
            yield Page(url=answer.url, requested_at=answer.requested_at, body=answer.body)
            url = pull.client.next_link(answer)

    def parse(self, line: Line) -> Parsed:
        """Runs, or the jobs of one."""
        return parse_rest(line)


def _unfinished_since(run: Any, now: datetime) -> list[datetime]:
    """When a run that has not ended was created; none for ended and for abandoned ones."""
    created = run.get("created_at") if isinstance(run, dict) else None
    if not created or run.get("status") == "completed":
        return []
    at = datetime.fromisoformat(created)
    return [at] if now - at < _RUNS_SETTLE else []


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
