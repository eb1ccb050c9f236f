"""The HTTP interface: who may send what, whether it can be read, and the answer once it is kept."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.connector import Connector, Page, Parsed, PushedStream, Scope
from connectors.push import SCOPE, Push, WebhookOptions, scope_of
from connectors.push_streams import JsonStream
from connectors.push_webhooks import WebhookStream, spoken_at
from connectors.reading import load_json
from connectors.secret import SecretMissingError
from pipelines.listening import bodies, description
from pipelines.listening.intake import ConflictError, Intake, Submission, UnavailableError
from pipelines.listening.limits import Rate, Room
from pipelines.listening.problems import Found, Problem, found_in, wait
from pipelines.listening.tokens import Token, Tokens

MOST_REQUESTS = 2_000
# Above this a body is read by a thread of its own, so that others need not wait for it.
_LARGE = 100_000

log = logging.getLogger("leadline.listen")

Endpoint = Callable[[Request], Awaitable[Response]]


class Received(BaseModel):
    """What was kept; it is on disk."""

    received: int = Field(description="things in the request")
    repeated: bool = Field(False, description="whether it had been kept before, by its key")
    unused: str | None = Field(None, description="why nothing of a delivery is of use")


class Listener:
    """Everything an answer depends on."""

    def __init__(
        self,
        connector: Push,
        owners: dict[str, Connector],
        tokens: Tokens,
        intake: Intake,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self.connector = connector
        self.owners = owners
        self.tokens = tokens
        self.intake = intake
        self.now = now
        options = connector.options
        self.room = Room(options.queue_bytes, MOST_REQUESTS)
        self.rate = Rate(options.requests_per_second, time.monotonic)
        self.answers: Counter[int] = Counter()
        self.unused: Counter[str] = Counter()
        self.streams = connector.streams()
        self._since = now()
        self._readers: dict[str, TypeAdapter[Any]] = {
            stream.name: TypeAdapter(list[stream.model])  # type: ignore[name-defined]
            for stream in self.streams
            if isinstance(stream, JsonStream)
        }

    def application(self) -> Starlette:
        """The application, with a route for each stream and each webhook."""
        routes = [
            Route(stream.path, self._answering(self._json(stream)), methods=["POST"])
            for stream in self.streams
            if isinstance(stream, JsonStream)
        ]
        by_vendor = {s.vendor: s for s in self.streams if isinstance(s, WebhookStream)}
        for webhook in self.connector.options.webhooks:
            endpoint = self._webhook(by_vendor[webhook.vendor], webhook)
            path = f"/webhooks/{webhook.owner}"
            routes.append(Route(path, self._answering(endpoint), methods=["POST"]))
        described = description.describe(
            [stream for stream in self.streams if isinstance(stream, JsonStream)],
            self.connector.options.webhooks,
            Received,
        )

        async def openapi(_: Request) -> Response:
            return JSONResponse(described)

        async def health(_: Request) -> Response:
            found = self.health()
            return JSONResponse(found, 200 if found["ok"] else 503)

        routes += [
            Route("/openapi.json", openapi, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
        ]
        return Starlette(
            routes=routes, lifespan=self._lifespan, exception_handlers={HTTPException: _refused}
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.intake.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.intake.stop)

    def health(self) -> dict[str, Any]:
        """What the health URL says: the queue, what came, how long writing takes."""
        taken = sorted(self.intake.commit_seconds)
        return {
            "ok": self.intake.last_error is None,
            "up_since": self._since.isoformat(timespec="seconds"),
            "waiting": self.intake.waiting,
            "waiting_bytes": self.room.bytes,
            "waiting_requests": self.room.requests,
            "oldest_seconds": round(self.intake.oldest_seconds, 3),
            "counts": dict(self.intake.counts),
            "commit_seconds": {
                "median": round(taken[len(taken) // 2], 4) if taken else None,
                "p99": round(taken[len(taken) * 99 // 100], 4) if taken else None,
            },
            "answers": {str(status): count for status, count in sorted(self.answers.items())},
            "unused": dict(sorted(self.unused.items())),
            "last_error": self.intake.last_error,
        }

    def _answering(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with problems told, everything counted, and a line in the log."""

        async def answer(request: Request) -> Response:
            started = time.monotonic()
            request.state.size = 0
            request.state.sender = "-"
            try:
                self.room.enter()
            except Problem as problem:
                return self._logged(request, problem.answer(), started, str(problem))
            try:
                return self._logged(request, await endpoint(request), started, "")
            except Problem as problem:
                return self._logged(request, problem.answer(), started, str(problem))
            finally:
                self.room.leave(request.state.size)

        return answer

    def _logged(self, request: Request, response: Response, started: float, why: str) -> Response:
        self.answers[response.status_code] += 1
        log.info(
            "%s %s %s %d bytes %.0f ms%s",
            response.status_code,
            request.url.path,
            request.state.sender,
            request.state.size,
            (time.monotonic() - started) * 1000,
            f": {why}" if why else "",
        )
        return response

    def _json(self, stream: JsonStream) -> Endpoint:
        async def receive(request: Request) -> Response:
            token = self._authorised(request, stream)
            key = bodies.idempotency_key(request, token.name)
            body = await bodies.read(request, self.room, self.connector.options.largest_body)
            check = self._checked
            if len(body) > _LARGE:
                items = await asyncio.to_thread(check, stream, body)
            else:
                items = check(stream, body)
            page = Page(
                url=bodies.address(stream.path, key, body, _fresh),
                requested_at=self.now(),
                body=body,
                items=items,
            )
            is_new = await self._keep(stream, SCOPE, page, key=key, is_strict=True)
            return _kept(Received(received=items, repeated=not is_new))

        return receive

    def _authorised(self, request: Request, stream: JsonStream) -> Token:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not secret:
            raise Problem(
                401,
                "no token; send authorization: Bearer TOKEN, made with `leadline token add`",
                headers=challenge,
            )
        token = self.tokens.holder(secret.strip())
        if token is None:
            raise Problem(
                401,
                "this token is not known; make one with `leadline token add`",
                headers=challenge,
            )
        request.state.sender = token.name
        refusal = token.refusal(self.now())
        if refusal is not None:
            raise Problem(401, refusal, headers=challenge)
        scope = stream.name.replace("_", "-")
        if scope not in token.scopes:
            raise Problem(
                403,
                f"the token {token.name} may not send {scope}, only {', '.join(token.scopes)}; "
                f"make one with `leadline token add NAME --scope {scope}`",
            )
        self.rate.take(f"token {token.name}")
        return token

    def _checked(self, stream: JsonStream, body: bytes) -> int:
        """The number of things in a body; raises `Problem` that says what is wrong, and where."""
        value = _value(body)
        is_one = isinstance(value, dict)
        if not is_one and not isinstance(value, list):
            raise Problem(422, "the body must be one object, or a list of objects")
        raw = [value] if is_one else value
        most = self.connector.options.most_items
        if not 1 <= len(raw) <= most:
            raise Problem(422, f"a list holds 1 to {most:,} things, this one {len(raw):,}")
        try:
            items = self._readers[stream.name].validate_python(raw)
        except ValidationError as error:
            found = found_in(error)
            if is_one:
                found = [f.model_copy(update={"path": f.path.replace("$[0]", "$")}) for f in found]
            raise Problem(
                422, f"nothing was kept: {error.error_count()} things are wrong", problems=found
            ) from error
        places: dict[str, int] = {}
        for position, item in enumerate(items):
            first = places.setdefault(item.id, position)
            if first != position:
                problem = f"has the same id as $[{first}]; say a thing once in a request"
                raise Problem(
                    422,
                    "nothing was kept: one id stands twice",
                    problems=[Found(path=f"$[{position}].id", problem=problem)],
                )
        with _readable():
            stream.add(Parsed(), self.connector.name, items)
        return len(raw)

    def _webhook(self, stream: WebhookStream, webhook: WebhookOptions) -> Endpoint:
        described = stream.attributes_of(self.owners.get(webhook.owner))

        async def receive(request: Request) -> Response:
            request.state.sender = f"{webhook.vendor} webhook"
            self.rate.take(f"webhook {webhook.owner}")
            body = await bodies.read(request, self.room, self.connector.options.largest_body)
            headers = {name.lower(): value for name, value in request.headers.items()}
            try:
                known = webhook.secrets()
            except SecretMissingError as error:
                raise wait(503, 60, f"the webhook's secret is missing here: {error}") from error
            if not stream.is_genuine(headers, body, known):
                raise Problem(
                    401, f"this delivery is not proven; {webhook.vendor} must send {stream.proof}"
                )
            value = _value(body)
            delivery = stream.delivery(headers, value)
            why = self._unused(stream, webhook, delivery.event, stream.uses(delivery), value)
            if why is not None:
                return _kept(Received(received=0, unused=why))
            received_at = self.now()
            key = bodies.digest(webhook.owner, delivery.id or body)
            page = Page(
                url=bodies.address(f"/webhooks/{webhook.owner}", key, body, _fresh),
                requested_at=spoken_at(delivery, received_at, body),
                body=body,
                items=1,
                attributes={"event": delivery.event, **described},
            )
            scope = scope_of(webhook)
            with _readable():
                stream.parse(page.line(self.connector.name, scope))
            is_new = await self._keep(stream, scope, page, key=key, is_strict=False)
            return _kept(Received(received=1, repeated=not is_new))

        return receive

    def _unused(
        self, stream: WebhookStream, webhook: WebhookOptions, event: str, is_used: bool, value: Any
    ) -> str | None:
        """Why nothing of a delivery is of use; counted."""
        owner, repository = self.owners.get(webhook.owner), stream.repository_of(value)
        if not is_used:
            why = f"nothing is read from {event or 'an event without a name'}"
        elif owner is not None and repository is not None and not owner.takes(repository):
            why = f"the settings of {webhook.owner} leave {repository} out"
            event = "repositories left out"
        else:
            return None
        self.unused[f"{webhook.owner} {event[:60]}"] += 1
        return why

    async def _keep(
        self,
        stream: PushedStream,
        scope: Scope,
        page: Page,
        *,
        key: str | None,
        is_strict: bool,
    ) -> bool:
        """Have a page written; True where it is new. Raises `Problem` where it is not kept."""
        path = page.url.partition("#")[0]
        submission = Submission(
            stream=stream.name,
            scope=scope,
            page=page,
            key=f"{path}#{key}-" if key is not None else None,
            is_strict=is_strict,
        )
        self.intake.offer(submission)
        try:
            return await asyncio.wrap_future(submission.future)
        except ConflictError as error:
            raise Problem(
                409, "this Idempotency-Key came with another body before; choose another key"
            ) from error
        except UnavailableError as error:
            raise wait(
                503, 5, "the store cannot be written now; nothing of this was kept, send it again"
            ) from error


@contextmanager
def _readable() -> Iterator[None]:
    """Read within as it will be read when it is loaded; what breaks then must not be kept."""
    try:
        yield
    except Exception as error:  # whatever a parser raises must not meet us when loading
        raise Problem(422, f"this cannot be read: {str(error)[:500]}") from error


def _value(body: bytes) -> Any:
    try:
        body.decode()
        value, mended = load_json(body)
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8 text: see its byte {error.start}") from error
    except ValueError as error:
        raise Problem(400, f"the body is not JSON: {str(error)[:200]}") from error
    if mended:
        raise Problem(400, "the body holds half a character, as \\ud800 is one; take it out")
    return value


def _kept(received: Received) -> Response:
    return JSONResponse(received.model_dump(exclude_none=True), 202)


def _fresh() -> str:
    return secrets.token_hex(16)


async def _refused(request: Request, error: Exception) -> Response:
    """What no route takes, as JSON as everything else."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    told = {
        404: f"nothing is taken at {request.url.path[:100]}; see /openapi.json for what is",
        405: f"{request.method} is not taken here; see /openapi.json for what is",
    }
    return Problem(status, told.get(status, "this failed here"), headers=headers).answer()
