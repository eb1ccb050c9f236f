"""Builds of a job, newest first down to what is known, and the stages of some of them.

Ranges count from the newest build: what is built meanwhile moves all others on, and what is
removed moves them back. Each range begins with the last build of the one before, or the walk
goes back to where it does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError, State, Stream
from connectors.failures import NotFoundError, redact_url
from connectors.jenkins_jobs import body_of, is_left_out, jobs_in, matches
from connectors.jenkins_records import add_run, add_stage, is_running, run_key
from connectors.jenkins_wire import BUILD, ActionWire, BuildWire, StageWire
from connectors.reading import Children, Reader, unknown_shape
from connectors.records import PipelineJob, PipelineRun

BUILDS_A_PAGE = 100
# What has run for so long is forgotten by its agent, or waits for somebody who never answers.
_SETTLED = timedelta(days=36)
_MOST_STEPS_BACK = 20

Build = tuple[int, int]  # number and timestamp: numbers begin again when a job is made anew


class Mark(BaseModel):
    """What `State` holds of a job: the newest build read, and those that were not over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str | None = None
    top: Build | None = None
    open: tuple[Build, ...] = ()


class Walk(BaseModel):
    """How far a pass has come: builds read, the oldest of them, and what the mark will be."""

    model_config = ConfigDict(extra="forbid")

    offset: int = 0
    low: Build | None = None
    top: Build | None = None
    open: list[Build] = []
    seen: list[Build] = []  # of those that were open before


class Wanted(NamedTuple):
    """Which jobs the settings ask for, by patterns of their names."""

    jobs: tuple[str, ...]
    exclude: tuple[str, ...]
    stages: tuple[str, ...]


class Builds(Stream):
    """Builds, a hundred at a time; those under way are asked for again until they are over."""

    name = "builds"
    record_types = (PipelineRun, PipelineJob)
    parent = "jobs"
    # Jenkins discards old builds; what was received once happened.
    forgets = True
    # Every build that is listed is read from the controller's disk.
    daily_full_pass = False

    _builds = Reader(
        BuildWire,
        ("allBuilds",),
        PipelineRun,
        children=(Children(("actions",), ActionWire | None, PipelineRun),),
    )
    _build = Reader(
        BuildWire,
        None,
        PipelineRun,
        children=(Children(("actions",), ActionWire | None, PipelineRun),),
    )
    _stages = Reader(StageWire, ("stages",), PipelineJob)

    def __init__(self, wanted: Wanted, start: date | None) -> None:
        self._wanted = wanted
        self._start = 0
        if start is not None:
            first = datetime(start.year, start.month, start.day, tzinfo=UTC)
            self._start = round(first.timestamp() * 1000)

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterator[Scope]:  # noqa: ARG002
        """The jobs that the settings ask for."""
        for item in jobs_in(line):
            if is_left_out(item.name, self._wanted.exclude):
                continue
            if self._wanted.jobs and not matches(item.name, self._wanted.jobs):
                continue
            attributes = {
                "address": line.attributes["address"],
                "path": item.path,
                "name": item.name,
                "probe": item.probe,
            }
            if item.branch is not None:
                attributes["branch"] = item.branch
            yield Scope(item.path, attributes)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """Nothing where the last build is the known one and all were over."""
        has_stages = matches(scope.attributes["name"], self._wanted.stages)
        reading = _Reading(pull, scope, state, has_stages, self._start)
        held: Page | None = None
        for page in reading.pages():
            if held is not None:
                yield held
            held = page
        if held is not None:
            yield replace(held, state=reading.final())

    def parse(self, line: Line) -> Parsed:
        """Runs of a range or a single one, or the stages of a run."""
        parsed = Parsed()
        holds = line.attributes.get("holds")
        if holds == "stages":
            for stage in self._stages.read(line, parsed):
                add_stage(parsed, line, stage)
            return parsed
        for wire in (self._build if holds == "build" else self._builds).read(line, parsed):
            add_run(parsed, line, wire)
        return parsed


class _Reading:
    """One pull of one job."""

    def __init__(
        self, pull: Pull, scope: Scope, state: State, has_stages: bool, start: int
    ) -> None:
        self._state = state
        self._client = pull.client
        self._path = scope.attributes["path"]
        self._name = scope.attributes["name"]
        self._probe = scope.attributes.get("probe")
        self._mark = Mark.model_validate_json(state.marker) if state.marker else Mark()
        self._walk = Walk.model_validate_json(state.resume) if state.resume else Walk()
        self._has_stages = has_stages
        self._start = start
        self._settled = round((pull.now() - _SETTLED).timestamp() * 1000)
        self._had: set[Build] = set()

    def pages(self) -> Iterator[Page]:
        """Ranges of builds where there are new ones, then those that were not over."""
        is_known = self._mark.probe is not None and self._mark.probe == self._probe
        if self._state.resume is not None or not is_known:
            yield from self._ranges()
        for build in self._mark.open:
            if build not in self._walk.seen:
                yield from self._again(build)

    def final(self) -> State:
        """The state once all is read."""
        mark = Mark(
            probe=self._probe,
            top=self._walk.top or self._mark.top,
            open=tuple(sorted(set(self._walk.open))),
        )
        return State(marker=mark.model_dump_json())

    def _ranges(self) -> Iterator[Page]:
        steps_back = 0
        while True:
            begin = max(0, self._walk.offset - 1)
            size = self._size()
            asked = {"tree": f"_class,allBuilds[{BUILD}]{{{begin},{begin + size}}}"}
            try:
                answer = self._client.get(f"{self._path}api/json", asked)
            except NotFoundError:
                return  # removed since it was listed
            builds = _listed(answer.body, answer.url)
            known = [found for each in builds if (found := _identity(each)) is not None]
            if self._has_slipped(known, begin):
                steps_back += 1
                if steps_back > _MOST_STEPS_BACK:
                    raise SourceError(
                        f"{redact_url(answer.url)}: builds are removed faster than they can be "
                        "read; sync again"
                    )
                self._walk.offset = max(0, begin - BUILDS_A_PAGE)
                continue
            fresh = self._take(builds, begin)
            page = Page(
                url=answer.url,
                requested_at=answer.requested_at,
                body=answer.body,
                items=len(fresh),
                attributes={"holds": "builds"},
            )
            pages = [page, *self._stages(fresh)]
            yield from pages[:-1]
            resume = self._walk.model_dump_json()
            yield replace(pages[-1], state=State(marker=self._state.marker, resume=resume))
            if len(builds) < size or any(self._is_below(build) for build in known):
                return

    def _size(self) -> int:
        """How many to ask for: what the last build's number lets expect, else all there may be."""
        top = self._mark.top
        number = (self._probe or "").partition("@")[0]
        if self._walk.offset == 0 and top is not None and number.isdigit():
            expected = int(number) - top[0] + 1
            if 0 < expected < BUILDS_A_PAGE:
                return expected + 1
        return BUILDS_A_PAGE

    def _has_slipped(self, known: Sequence[Build], begin: int) -> bool:
        """Whether the range begins below the last build read: others may lie in between."""
        low = self._walk.low
        return begin > 0 and low is not None and bool(known) and known[0][1] < low[1]

    def _take(self, builds: Sequence[Any], begin: int) -> list[dict[str, Any]]:
        """The builds of a range that this pass had not seen."""
        fresh = []
        for raw in builds:
            build = _identity(raw)
            if build is None or build in self._had:
                continue  # of what is no build, parsing says what is wrong with it
            self._had.add(build)
            self._walk.top = self._walk.top or build
            if self._walk.low is None or build[1] <= self._walk.low[1]:
                self._walk.low = build
            if build in self._mark.open:
                self._walk.seen.append(build)
            self._note(build, raw)
            if not self._is_below(build) or build in self._mark.open:
                fresh.append(raw)
        self._walk.offset = begin + len(builds)
        return fresh

    def _note(self, build: Build, raw: Mapping[str, Any]) -> None:
        is_open = is_running(raw.get("building"), raw.get("result"))
        if is_open and build[1] >= self._settled:
            self._walk.open.append(build)

    def _is_below(self, build: Build) -> bool:
        """Whether an earlier pass had it, or it is older than the settings ask for."""
        top = self._mark.top
        is_known = top is not None and build[0] <= top[0] and build[1] <= top[1]
        return is_known or build[1] < self._start

    def _again(self, build: Build) -> Iterator[Page]:
        """A build that was not over; nothing where it was removed, or another has its number."""
        try:
            answer = self._client.get(f"{self._path}{build[0]}/api/json", {"tree": BUILD})
        except NotFoundError:
            return
        raw = body_of(answer.body, answer.url)
        if _identity(raw) != build:
            return
        self._note(build, raw)
        yield Page(
            url=answer.url,
            requested_at=answer.requested_at,
            body=answer.body,
            items=1,
            attributes={"holds": "build"},
        )
        yield from self._stages([raw])

    def _stages(self, builds: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """The stages of pipelines' builds, where the settings ask and the plugin is there."""
        for raw in builds:
            is_pipeline = str(raw.get("_class") or "").endswith("WorkflowRun")
            if not self._has_stages or not is_pipeline:
                continue
            try:
                answer = self._client.get(f"{self._path}{raw['number']}/wfapi/describe")
            except NotFoundError:
                self._has_stages = False
                return
            queue = raw.get("queueId")
            key = run_key(
                self._name,
                raw["number"],
                raw["timestamp"],
                queue if isinstance(queue, int) else None,
            )
            yield Page(
                url=answer.url,
                requested_at=answer.requested_at,
                body=answer.body,
                attributes={"holds": "stages", "run": key},
            )


def _listed(body: bytes, url: str) -> list[Any]:
    builds = body_of(body, url).get("allBuilds")
    if not isinstance(builds, list):
        raise unknown_shape(url=url, place="$.allBuilds", expected="a list", value=builds)
    return builds


def _identity(raw: Any) -> Build | None:
    """Number and timestamp, None for what is no build."""
    if not isinstance(raw, dict):
        return None
    number, timestamp = raw.get("number"), raw.get("timestamp")
    if type(number) is not int or type(timestamp) is not int:
        return None
    return number, timestamp
