"""Why a source did not answer as asked: one class a reason, each message with its remedy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from connectors.connector import SourceError

_SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "auth",
        "client_secret",
        "code",
        "jwt",
        "key",
        "password",
        "private_token",
        "secret",
        "sig",
        "signature",
        "token",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
    }
)
# A reset header is an epoch in seconds above this and a number of seconds below it.
_EPOCH_FLOOR = 1_000_000_000


class UnauthorisedError(SourceError):
    """The credential is missing, wrong or expired (401)."""


class ForbiddenError(SourceError):
    """The credential may not see this (403 that is not a limit)."""


class SingleSignOnError(ForbiddenError):
    """The token is not authorised for the organisation's single sign-on."""


class NotFoundError(SourceError):
    """Nothing there, or nothing that this credential may know of (404)."""


class GoneError(SourceError):
    """The source says that this is gone for good (410)."""


class RefusedError(SourceError):
    """The source took the request for a wrong one (other 4xx)."""


class ElsewhereError(SourceError):
    """The source points to another host, where the credential must not go."""


class TooLargeError(SourceError):
    """The answer is larger than the limit."""


class TrustError(SourceError):
    """The server's certificate is not trusted."""


class RateLimitedError(SourceError):
    """The source asks to wait; `seconds` is how long, None where it does not say."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class TransientError(SourceError):
    """What another try may mend."""


class UnavailableError(TransientError):
    """The server failed (5xx); `seconds` is how long it asks to wait, if it does."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class TimedOutError(TransientError):
    """No answer in time."""


class UnreachableError(TransientError):
    """No connection: name not found, refused, reset, or the proxy is in the way."""


class BrokenAnswerError(TransientError):
    """The answer is cut short, or not what its kind must look like."""


class NotJsonError(BrokenAnswerError):
    """The answer is a page for people, not JSON."""


def redact_url(url: str) -> str:
    """The URL without user, password, fragment and the values of secret parameters."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = urlencode(
        [
            (name, "***" if name.lower() in _SECRET_PARAMETERS else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        quote_via=quote,
        safe="*/:,.<>=@ ",
    )
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def origin_of(url: str) -> str:
    """Scheme, host and port, in one spelling."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{parts.port or default}"


def seconds_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long a server asks to wait: Retry-After, else the reset of an empty limit, else None."""
    after = headers.get("retry-after", "").strip()
    if after:
        told = _seconds_or_date(after, now)
        if told is not None:
            return told
    return seconds_to_reset(headers, now) if is_used_up(headers) else None


def left_of_limit(headers: Mapping[str, str]) -> int | None:
    """How many requests an answer says are left, in either spelling of the header."""
    told = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", "")).strip()
    return int(told) if told.isdecimal() else None


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that nothing is left of the limit."""
    return left_of_limit(headers) == 0


def seconds_to_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the limit is full again, from the reset header in any of its shapes."""
    text = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", "")).strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return _until(text, now)
    if number > _EPOCH_FLOOR:
        return max(0.0, number - now.timestamp())
    return max(0.0, number)


def _seconds_or_date(text: str, now: datetime) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return _until(text, now)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _until(text: str, now: datetime) -> float | None:
    """Seconds until an ISO 8601 time (Jira's reset header), None when it is not one."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
