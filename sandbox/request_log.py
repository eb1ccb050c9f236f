"""Counts what a server was asked, so that tests can hold a budget of requests."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TEMPLATE = "sandbox.template"  # where an endpoint leaves the template of its path


class Seen(NamedTuple):
    """One answered request."""

    method: str
    path: str
    status: int
    template: str


class RequestLog(list[Seen]):
    """Every answered request in order; status 0 stands for no answer at all."""

    def by_template(self) -> Counter[str]:
        """How often each "METHOD /path/{template}" was asked."""
        return Counter(f"{seen.method} {seen.template}" for seen in self)


@dataclass(frozen=True)
class Logged:
    """An application whose requests are written down."""

    application: ASGIApp
    log: RequestLog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        path = scope["path"]
        query = scope["query_string"].decode("latin-1")
        full = f"{path}?{query}" if query else path
        is_answered = False

        def note(status: int) -> None:
            self.log.append(Seen(scope["method"], full, status, scope.get(TEMPLATE, path)))

        async def watch(message: Message) -> None:
            # Noted before anything is sent: whoever has an answer finds its request in the log.
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                note(message["status"])
            await send(message)

        try:
            await self.application(scope, receive, watch)
        finally:
            if not is_answered:
                note(0)


def logged(application: Starlette) -> Starlette:
    """The application, what it is asked written down in its `state.requests`."""
    application.state.requests = RequestLog()
    application.add_middleware(Logged, log=application.state.requests)
    return application
