"""The one HTTP client: credential, retries, limits, conditional requests, redirects, paging.

It reads only: GET, and POSTs that a connector knows to change nothing (GraphQL, bulk reads).
"""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx
import stamina
import stamina.instrumentation

from connectors.answer import Answer, Check, check_json, refuse
from connectors.auth import Auth, HeaderAuth
from connectors.connector import ConnectionOptions, SourceError
from connectors.failures import (
    BrokenAnswerError,
    ElsewhereError,
    RateLimitedError,
    TimedOutError,
    TooLargeError,
    TrustError,
    UnauthorisedError,
    UnreachableError,
    left_of_limit,
    origin_of,
    redact_url,
    seconds_to_reset,
)
from connectors.limiter import Allowance, Limiter, limiter_for, monotonic_epoch
from connectors.retries import MOST_WAITS, Patience, Retries

log = logging.getLogger("leadline.client")

LARGEST_BODY = 100 * 1024 * 1024
_REDIRECTS = 5
_PATIENCE = 3900.0  # a little over an hour: the longest a vendor's hourly limit lasts


class Client:
    """Reads from one origin with one credential; safe to share between threads.

    `attempts` bounds tries of one request, `patience` the seconds it may be kept waiting by the
    source's own word. `clock` (epoch seconds) and `sleep` are for tests.
    """

    def __init__(
        self,
        *,
        base_url: str,
        authenticate: Auth | Callable[[], Mapping[str, str]] | None = None,
        ca_file: Path | None = None,
        proxy: str | None = None,
        concurrency: int = 4,
        headers: Mapping[str, str] | None = None,
        user_agent: str = "leadline",
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = 6,
        backoff_seconds: float = 0.5,
        patience: float = _PATIENCE,
        largest_body: int = LARGEST_BODY,
        timeout: float = 60.0,
        whole_time: float = 300.0,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise SourceError(
                f"base_url {redact_url(base_url)!r} is not an address such as "
                "https://host/path (credentials belong into the token setting)"
            )
        self.base_url = base_url.rstrip("/") + "/"
        self.origin = origin_of(base_url)
        self._auth: Auth | None
        if authenticate is None or isinstance(authenticate, Auth):
            self._auth = authenticate
        else:
            self._auth = HeaderAuth(authenticate)
        self._headers = {"accept": "application/json", "user-agent": user_agent, **(headers or {})}
        self._concurrency = concurrency
        self._clock = clock or monotonic_epoch()
        self._sleep = sleep
        self._attempts = attempts
        self._backoff = backoff_seconds
        self._patience = patience
        self._largest_body = largest_body
        self._whole_time = whole_time
        self._proxy = proxy
        self._ca_file = ca_file
        self._transport = transport
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 20.0), pool=None)
        self._lock = threading.Lock()
        self._opened: httpx.Client | None = None
        self._limiter: Limiter | None = None
        self.requests = 0
        # Stamina tells of retries on standard output otherwise, where commands print results.
        stamina.instrumentation.set_on_retry_hooks([_note_retry])

    @classmethod
    def of(cls, options: ConnectionOptions, **more: Any) -> Self:
        """A client with what the settings of every connection say, and more."""
        return cls(
            ca_file=options.ca_file, proxy=options.proxy, concurrency=options.concurrency, **more
        )

    def __repr__(self) -> str:
        return f"Client({self.origin})"

    def be_impatient(self) -> None:
        """Try each request once from now on and wait for no limit, where somebody is watching."""
        self._attempts = 1
        self._patience = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def get(
        self,
        path_or_url: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        check: Check | None = check_json,
        bucket: str = "rest",
        attempts: int | None = None,
    ) -> Answer:
        """Read a path below `base_url`, or a URL the source gave; `bucket` names its limit.

        With `etag` the answer may be `not_modified`. Raises a `SourceError` after all retries.
        """
        url = self.url(path_or_url)
        if params:
            given = {name: value for name, value in params.items() if value is not None}
            url = str(httpx.URL(url).copy_merge_params(given))
        sent = {**(headers or {}), **({"if-none-match": etag} if etag else {})}
        return self._tried(_Request("GET", url, sent, None, check, bucket), attempts)

    def post(
        self,
        path_or_url: str,
        payload: Any,
        *,
        headers: Mapping[str, str] | None = None,
        check: Check | None = check_json,
        bucket: str = "rest",
        attempts: int | None = None,
    ) -> Answer:
        """Read by a POST that changes nothing (GraphQL, bulk reads); retried like a GET."""
        body = json.dumps(payload, separators=(",", ":")).encode()
        sent = {**(headers or {}), "content-type": "application/json"}
        request = _Request("POST", self.url(path_or_url), sent, body, check, bucket)
        return self._tried(request, attempts)

    def url(self, path_or_url: str) -> str:
        """The full URL of a path; a URL of another origin is refused."""
        if not path_or_url.startswith(("http://", "https://")):
            return self.base_url + path_or_url.lstrip("/")
        if origin_of(path_or_url) != self.origin:
            raise ElsewhereError(
                f"refused to follow {redact_url(path_or_url)}: the connection is configured for "
                f"{self.origin} and its credential goes nowhere else; correct base_url if the "
                "source has moved"
            )
        return path_or_url

    def next_link(self, answer: Answer) -> str | None:
        """The URL of the next page (`Link: rel=next`), None on the last; never off the origin."""
        for part in httpx.Headers(dict(answer.headers)).get("link", "").split(","):
            target, _, relation = part.partition(";")
            if 'rel="next"' in relation.replace(" ", "") or "rel=next" in relation:
                return self.url(urljoin(answer.url, target.strip().strip("<>")))
        return None

    def _tried(self, request: "_Request", attempts: int | None) -> Answer:
        retries = Retries(attempts or self._attempts, Patience(self._patience))

        def again(error: Exception) -> bool | float:
            """What stamina asks: True backs off, a number waits that long, False gives up."""
            seconds = retries.wait_told(error)
            if seconds is None:
                return retries.takes(error)
            if seconds > retries.patience.left or not retries.takes(error):
                return False
            log.warning("waiting %.0f s: %s", seconds, error)
            # All requests of this credential wait, not only this one: the limiter sleeps.
            self._limits().hold("", self._clock() + seconds)
            return 0.0

        for attempt in stamina.retry_context(
            on=again,
            attempts=retries.faults_left + MOST_WAITS,
            timeout=None,
            wait_initial=self._backoff,
            wait_jitter=self._backoff,
            wait_max=60 * self._backoff,
        ):
            with attempt:
                try:
                    return self._followed(request, retries.patience)
                except UnauthorisedError:
                    if retries.is_renewed or self._auth is None or not self._auth.renew():
                        raise
                    retries.is_renewed = True
                    return self._followed(request, retries.patience)
        raise AssertionError("stamina ends by returning or raising")

    def _followed(self, request: "_Request", waited: Patience) -> Answer:
        """Follow redirects by hand, within the origin: no library guards every header."""
        moved_to = None
        for _ in range(_REDIRECTS + 1):
            answer = self._once(request, waited)
            if answer.status not in {301, 302, 303, 307, 308}:
                answer = replace(answer, moved_to=moved_to) if moved_to else answer
                if request.check is not None and not answer.not_modified:
                    request.check(answer)
                return answer
            target = urljoin(request.url, answer.headers.get("location", ""))
            if request.method != "GET" and answer.status not in {307, 308}:
                raise ElsewhereError(
                    f"{redact_url(request.url)} redirects a POST to {redact_url(target)}; set "
                    "base_url to the address it points to"
                )
            request = request.to(self.url(target))
            if answer.status in {301, 308}:
                moved_to = request.url
        raise ElsewhereError(f"{redact_url(request.url)} redirects in a circle; check base_url")

    def _once(self, request: "_Request", waited: Patience) -> Answer:
        limiter = self._limits()
        answer = None
        while answer is None:
            self._wait(request, waited)
            credential = dict(self._auth.headers()) if self._auth is not None else {}
            with limiter.slot(request.bucket, self._clock):
                if limiter.held_until(request.bucket) > self._clock():
                    continue  # the limit ran out while this waited for its turn
                with self._lock:
                    self.requests += 1
                answer = self._sent(request, credential)
                self._obey(answer, request.bucket)
        log.debug("%s %s → %s", request.method, redact_url(request.url), answer.status)
        refuse(answer, self._now(), credential)
        return answer

    def _wait(self, request: "_Request", waited: Patience) -> None:
        """Wait as long as this credential is held back, or say that it is for too long."""
        limiter = self._limits()
        due = limiter.held_until(request.bucket) - self._clock()
        if due > waited.left:
            raise RateLimitedError(
                f"{redact_url(request.url)}: the limit of this credential is used up for "
                f"{due:.0f} s more, longer than a run waits; sync again later"
            )
        waited.spend(limiter.wait(request.bucket, self._clock, self._sleep))

    def _sent(self, request: "_Request", credential: Mapping[str, str]) -> Answer:
        asked_at = self._now()
        deadline = time.monotonic() + self._whole_time
        where = redact_url(request.url)
        body = bytearray()
        try:
            with self._http().stream(
                request.method,
                request.url,
                headers={**self._headers, **request.headers, **credential},
                content=request.body,
            ) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self._largest_body:
                        raise TooLargeError(
                            f"{where} answered with more than {self._largest_body >> 20} MB; "
                            "narrow the connection (start_date, fewer repositories or projects)"
                        )
                    if time.monotonic() > deadline:
                        raise TimedOutError(f"{where} was not read within {self._whole_time:.0f} s")
                _check_length(response, len(body), where)
                return Answer(
                    url=request.url,
                    requested_at=asked_at,
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=bytes(body),
                    not_modified=response.status_code == 304,
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error, where, self._proxy) from error

    def _obey(self, answer: Answer, bucket: str) -> None:
        """What an answer says is left of the limit bounds what is asked until it is full again."""
        left = left_of_limit(answer.headers)
        seconds = None if left is None else seconds_to_reset(answer.headers, self._now())
        if left is None or not seconds:
            return
        until = self._clock() + seconds
        self._limits().allow(bucket, Allowance(left, until))
        if left == 0 and answer.status < 400:
            self._limits().hold(bucket, until)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _limits(self) -> Limiter:
        if self._limiter is None:
            identity = self._auth.identity if self._auth is not None else ""
            self._limiter = limiter_for(self.origin, identity, self._concurrency)
        return self._limiter

    def _http(self) -> httpx.Client:
        with self._lock:
            if self._opened is None:
                # Neither proxies nor certificates nor .netrc come from the environment: the
                # settings alone decide where data and credentials go.
                self._opened = httpx.Client(
                    verify=self._trusted() if self.origin.startswith("https") else False,
                    proxy=self._proxy,
                    trust_env=False,
                    transport=self._transport,
                    timeout=self._timeout,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
                )
            return self._opened

    def _trusted(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        if self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except (OSError, ssl.SSLError) as error:
                raise TrustError(
                    f"ca_file {self._ca_file} cannot be read as PEM: {error}"
                ) from error
        return context


def _note_retry(details: stamina.instrumentation.RetryDetails) -> None:
    log.info("trying again: %s", details.caused_by)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    check: Check | None
    bucket: str

    def to(self, url: str) -> "_Request":
        return _Request(self.method, url, self.headers, self.body, self.check, self.bucket)


def _check_length(response: httpx.Response, received: int, where: str) -> None:
    """Refuse a body shorter than announced (of packed ones the transport itself makes sure)."""
    told = response.headers.get("content-length", "")
    if response.status_code == 304 or "content-encoding" in response.headers:
        return
    if told.isdigit() and received < int(told):
        raise BrokenAnswerError(f"{where}: only {received} of {told} bytes arrived")


def _failure(
    error: httpx.HTTPError | httpx.InvalidURL, where: str, proxy: str | None
) -> SourceError:
    """The reason behind a failed exchange, in words."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    host = urlsplit(where).netloc
    told = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"{where} did not answer in time ({type(error).__name__})")
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return TrustError(
            f"the certificate of {host} is not trusted ({told}); give the authority that signed "
            "it as ca_file"
        )
    if isinstance(error, httpx.ProxyError | httpx.ConnectError):
        known = not any(isinstance(each, socket.gaierror) for each in causes)
        through = f" through the proxy {redact_url(proxy)}" if proxy else ""
        remedy = (
            "check base_url and the proxy setting"
            if known
            else "the name is not known: check base_url, DNS and the proxy setting"
        )
        return UnreachableError(f"no connection to {host}{through} ({told}); {remedy}")
    if isinstance(error, httpx.InvalidURL):
        return ElsewhereError(f"{where} is not an address ({told}); check base_url")
    return BrokenAnswerError(f"{where}: the answer broke off or cannot be unpacked ({told})")
