"""What a source answered, and the reasons to refuse an answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import from_json

from connectors.connector import SourceError
from connectors.failures import (
    BrokenAnswerError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    NotJsonError,
    RateLimitedError,
    RefusedError,
    SingleSignOnError,
    UnauthorisedError,
    UnavailableError,
    is_used_up,
    redact_url,
    seconds_asked,
)

# Shorter header values are words that messages may hold by chance, not tokens.
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source answered; header names are lower-case. `moved_to` is a permanent redirect."""

    url: str
    requested_at: datetime
    status: int
    headers: Mapping[str, str]
    body: bytes
    not_modified: bool = False
    moved_to: str | None = None

    @property
    def etag(self) -> str | None:
        """The tag for the next conditional request."""
        return self.headers.get("etag")


Check = Callable[[Answer], None]


def check_json(answer: Answer) -> None:
    """Refuse a body that is not JSON: cut short, spoiled, or a log-in page."""
    try:
        from_json(answer.body, cache_strings="keys")
    except ValueError:
        _check_odd_json(answer)


def _check_odd_json(answer: Answer) -> None:
    """Take what only a strict reader refuses (lone surrogates, stray bytes)."""
    try:
        json.loads(answer.body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise not_json(answer, error) from error


def not_json(answer: Answer, error: Exception) -> SourceError:
    """What a body means that JSON cannot be read from."""
    where = redact_url(answer.url)
    if answer.body.lstrip()[:1] == b"<":
        return NotJsonError(
            f"{where} answered with a web page instead of JSON; a log-in page or proxy stands in "
            "the way: check base_url, the token and the proxy"
        )
    return BrokenAnswerError(
        f"{where} answered with broken JSON ({len(answer.body)} bytes: {error})"
    )


def refuse(answer: Answer, now: datetime, credential: Mapping[str, str]) -> None:
    """Raise what a status of 400 and above means; anything below passes."""
    status = answer.status
    if status < 400:
        return
    where = redact_url(answer.url)
    said = _words(answer.body, credential)
    seconds = seconds_asked(answer.headers, now)
    if status == 429 or (status == 403 and _is_limit(answer, said)):
        wait = f"asks to wait {seconds:.0f} s" if seconds is not None else "names no time to wait"
        raise RateLimitedError(
            f"{where} ({status}): the limit of this credential is used up and the source {wait}"
            f"{said}; sync less often, or use a credential with a higher limit",
            seconds,
        )
    if status >= 500:
        raise UnavailableError(f"{where}: the server failed ({status}){said}", seconds)
    if status == 401:
        remedy = "renew it where it was made and put it where the settings look for it"
        if not credential:
            raise UnauthorisedError(f"{where} wants a credential (401){said}; set a token")
        raise UnauthorisedError(f"{where}: the token is wrong or expired (401){said}; {remedy}")
    if status == 403 and "x-github-sso" in answer.headers:
        raise SingleSignOnError(
            f"{where} (403): the organisation wants single sign-on; authorise the token for it "
            "(token settings, Configure SSO)"
        )
    if status == 403:
        raise ForbiddenError(
            f"{where} (403): the token may not read this{said}; give it the missing permission"
        )
    if status == 404:
        raise NotFoundError(
            f"{where} (404): nothing there, or the token may not know of it{said}; check the name "
            "and the token's access"
        )
    if status == 410:
        raise GoneError(f"{where} (410): the source says this is gone{said}")
    raise RefusedError(f"{where}: the source refused the request ({status}){said}")


def _is_limit(answer: Answer, said: str) -> bool:
    if "retry-after" in answer.headers or is_used_up(answer.headers):
        return True
    return "rate limit" in said.lower()


def _words(body: bytes, credential: Mapping[str, str]) -> str:
    """What the source says for itself, short, and without the credential should it echo it."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    if isinstance(told.get("error"), dict):
        told = {"errorMessages": told["error"].get("errors"), **told["error"]}
    messages = told.get("errorMessages")
    text = told.get("message") or (messages[0] if isinstance(messages, list) and messages else "")
    if not isinstance(text, str) or not text:
        return ""
    for value in credential.values():
        secret = value.partition(" ")[2] or value
        text = text.replace(secret, "***") if len(secret) >= _SHORTEST_SECRET else text
    return f': "{" ".join(text.split())[:200]}"'
