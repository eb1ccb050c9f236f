"""Rate limits: how much of the allowed rate a first sync makes use of, and how often it trips."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.bodies import WithoutGit
from benchmarks.result import Result
from benchmarks.syncs import synced, token
from connectors.github_options import GithubOptions
from sandbox.generate import build_organisation
from sandbox.github_app import github_app
from sandbox.github_protocol import GithubSettings
from sandbox.serving import Server
from sandbox.world import World

REPOSITORIES = 1_000
# GitHub's form, in windows that a benchmark can wait for: the hour's 5,000 points would take one.
POINTS = 800
WINDOW_SECONDS = 30.0


@dataclass(frozen=True)
class Answered:
    """One answer as the source limits it: when, in which window, what it had used up."""

    at: float
    window: int
    used: int
    is_refused: bool


class Meter:
    """Notes what each answer of GraphQL, whose limit is the one that binds, says about it."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application
        self.answers: list[Answered] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and read the headers on the way."""
        told: dict[str, str] = {}

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.update((name.decode(), value.decode()) for name, value in message["headers"])
            elif told.get("x-ratelimit-resource") == "graphql":
                self.answers.append(
                    Answered(
                        time.monotonic(),
                        int(told["x-ratelimit-reset"]),
                        int(told["x-ratelimit-used"]),
                        b'"RATE_LIMIT"' in message["body"],
                    )
                )
            await send(message)

        await self.application(scope, receive, watch)


def run(scale: float = 1.0) -> Iterator[Result]:
    """The first sync of 1,000 repositories, pulled eight at a time."""
    organisation = build_organisation(
        engineers=2,
        services=max(20, round(REPOSITORIES * scale)),
        months=1,
        end=datetime(2026, 6, 1, tzinfo=UTC),
    )
    points, window = max(30, round(POINTS * scale)), max(1.0, WINDOW_SECONDS * scale)
    settings = GithubSettings(core_limit=None, graphql_limit=points, window_seconds=window)
    meter = Meter(github_app(World(organisation), settings))
    with tempfile.TemporaryDirectory() as name, Server(meter) as server:
        folder = Path(name)
        options = GithubOptions(
            organisation=organisation.login,
            token=token(folder, settings.token),
            base_url=server.url,
            concurrency=8,
        )
        started = time.perf_counter()
        result = synced(folder, WithoutGit("github", options))
        seconds = time.perf_counter() - started
    share = _share(meter.answers, points / window)
    what = f"first sync of {len(organisation.repositories):,} repositories"
    yield Result(f"{what}, {result.requests:,} requests: time", seconds, "s")
    yield Result(f"{what}: share of the allowed rate", share * 100, "%", None, 90)
    refused = sum(answer.is_refused for answer in meter.answers)
    yield Result(f"{what}: answers refused by the limit", refused, "answers")
    yield Result(f"{what}: limits tripped twice in a row", _twice(meter.answers), "times", 0)


def _share(answers: list[Answered], rate: float) -> float:
    """Points spent in the windows that were lived through, of those that their time allows."""
    windows = list(dict.fromkeys(answer.window for answer in answers))
    if len(windows) < 2:
        raise RuntimeError("the limit was never reached: there is no rate to speak of")
    whole = [answer for answer in answers if answer.window != windows[-1]]
    last = next(answer for answer in answers if answer.window == windows[-1])
    spent = sum(max(a.used for a in whole if a.window == window) for window in windows[:-1])
    return spent / (rate * (last.at - answers[0].at))


def _twice(answers: list[Answered]) -> int:
    """How often an answer was refused after a wait: later than those under way at the time."""
    found = 0
    waited_since: float | None = None
    for answer in answers:
        if not answer.is_refused:
            waited_since = None
        elif waited_since is None:
            waited_since = answer.at
        elif answer.at - waited_since > 1.0:
            found, waited_since = found + 1, answer.at
    return found
