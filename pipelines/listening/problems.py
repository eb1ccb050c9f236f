"""Why something that was sent is not taken: one class, a status, and words that say how to mend."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import JSONResponse


class Found(BaseModel):
    """One thing that is wrong with a body."""

    path: str = Field(description="where it stands: $[3].created_at")
    problem: str = Field(description="what is wrong, and what to write")
    found: str | None = Field(None, description="what stands there, shortened")


class Told(BaseModel):
    """Why a request was not taken."""

    error: str = Field(description="what happened, where, and how to mend it")
    problems: list[Found] = Field([], description="what is wrong with the body, place by place")


class Problem(Exception):  # noqa: N818 - it is what the sender reads, not an error of ours
    """A request that is not taken."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        problems: Sequence[Found] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.told = Told(error=error, problems=list(problems))
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """The answer that tells it."""
        return JSONResponse(
            self.told.model_dump(exclude_none=True), self.status, headers=self.headers
        )


def wait(status: int, seconds: float, error: str) -> Problem:
    """Ask the sender to come again."""
    return Problem(status, error, headers={"Retry-After": str(max(1, round(seconds + 0.5)))})


def found_in(error: ValidationError, *, most: int = 20) -> list[Found]:
    """What pydantic finds wrong, in words; the first of it where it is much."""
    found = []
    for each in error.errors(include_url=False)[:most]:
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in each["loc"])
        is_there = each["type"] not in ("missing", "json_invalid")
        found.append(
            Found(
                path=f"${place}",
                problem=_words(each),
                found=_shortened(each["input"]) if is_there else None,
            )
        )
    return found


def _words(error: Any) -> str:
    kind, message = error["type"], error["msg"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return "there is no such field; see /openapi.json for those there are"
    if kind == "timezone_aware":
        return 'a time needs its zone: end it with Z or +02:00, as in "2026-03-02T08:00:00Z"'
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"must match {error['ctx']['pattern']}"
    return str(message)


def _shortened(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
