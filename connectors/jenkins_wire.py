"""The shapes of Jenkins' answers, as far as they are used, and how they are asked for."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from connectors.reading import CamelWire, Integer, Wire

# Epoch milliseconds up to the year 2100, and durations that can be added to them.
Milliseconds = Annotated[int, Field(ge=0, lt=4_102_444_800_000)]
Duration = Annotated[int, Field(gt=-(10**13), lt=10**13)]

BUILD = (
    "_class,number,timestamp,duration,result,building,queueId,builtOn,"
    "actions[_class,remoteUrls,lastBuiltRevision[SHA1,branch[name]],"
    "causes[_class,userId],parameters[name,value],"
    "waitingDurationMillis,blockedDurationMillis,buildableDurationMillis]"
)
_ITEM = "_class,name,url,lastBuild[number,timestamp]"
# Folders within folders come with one request; what lies deeper is asked for by itself.
ITEMS = f"_class,jobs[{_ITEM},jobs[{_ITEM},jobs[{_ITEM}]]]"


def _text_or_none(value: Any) -> Any:
    return value if isinstance(value, str) else None


Text = Annotated[str | None, BeforeValidator(_text_or_none)]


class BranchWire(Wire):
    """A branch that a commit was found on."""

    name: Text = None


class RevisionWire(Wire):
    """A commit that was checked out."""

    sha: Text = Field(None, alias="SHA1")
    branch: list[BranchWire | None] | None = None


class CauseWire(CamelWire):
    """Why a build was started."""

    kind: Text = Field(None, alias="_class")
    user_id: Text = None


class ParameterWire(Wire):
    """A parameter that a build was started with; secret ones have no value."""

    name: Text = None
    value: Any = None


class ActionWire(CamelWire):
    """Anything a plugin hangs on a build: a checkout, causes, parameters, the time in the queue."""

    kind: Text = Field(None, alias="_class")
    remote_urls: list[Text] | None = None
    last_built_revision: RevisionWire | None = None
    causes: list[CauseWire | None] | None = None
    parameters: list[ParameterWire | None] | None = None
    waiting_duration_millis: Duration | None = None
    blocked_duration_millis: Duration | None = None
    buildable_duration_millis: Duration | None = None


class BuildWire(CamelWire):
    """A build of a job."""

    kind: Text = Field(None, alias="_class")
    number: Integer
    timestamp: Milliseconds
    duration: Duration | None = None
    result: Text = None
    building: bool | None = None
    queue_id: Integer | None = None
    built_on: Text = None
    actions: list[ActionWire | None] | None = None


class StageWire(CamelWire):
    """A stage of a pipeline's build."""

    id: str
    name: str
    status: Text = None
    start_time_millis: Milliseconds | None = None
    duration_millis: Duration | None = None
