"""Reading the body of a request within its limits, and what a sender says in its headers."""

import asyncio
import hashlib
import re
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request

from pipelines.listening.limits import Room
from pipelines.listening.problems import Problem

BODY_SECONDS = 10.0

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def read(request: Request, room: Room, most: int) -> bytes:
    """The body; raises `Problem` where it is too large, too slow, or not JSON by its type."""
    _check_type(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                room.grow(len(part))
                size += len(part)
                request.state.size = size
                if size > most:
                    raise _too_large(most)
                parts.append(part)
    except TimeoutError as error:
        raise Problem(
            408, f"the body did not come within {BODY_SECONDS:g} seconds; send it again at once"
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "the connection ended within the body; send it again") from error
    return b"".join(parts)


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415,
            f"the body is {kind or 'of no type'}; send JSON with content-type: application/json "
            "(a webhook of GitHub has a choice for it)",
        )
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem(415, f"the body is encoded as {encoding}; send it as it is")


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body is larger than {most:,} bytes; send fewer things in one request")


def idempotency_key(request: Request, sender: str) -> str | None:
    """What tells this request from others of its sender; raises `Problem` for an odd one."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        raise Problem(400, "Idempotency-Key must be 1 to 255 letters, digits and signs, no blanks")
    return digest(sender, given)


def digest(*parts: str | bytes) -> str:
    """A short name for parts, each told from the next."""
    content = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "replace") if isinstance(part, str) else part
        content.update(len(raw).to_bytes(8) + raw)
    return content.hexdigest()[:32]


def address(path: str, key: str | None, body: bytes, fresh: Callable[[], str]) -> str:
    """Under which a page is kept: what it is about, its key, and the digest of its body."""
    return f"{path}#{key or fresh()}-{digest(body)[:16]}"
