"""GitHub's credentials: a token, or an App's installation whose tokens last an hour."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from connectors.auth import Auth, HeaderAuth, bearer
from connectors.client import Client
from connectors.connector import SourceError
from connectors.failures import UnauthorisedError
from connectors.github_options import GithubApp, GithubOptions

# GitHub refuses tokens of an App older than ten minutes, and clocks that are ahead of its own.
_TOKEN_SECONDS = 540
_CLOCK_SLACK_SECONDS = 60
# An installation's token is renewed before its hour is over: a request may be under way for long.
_RENEW_BEFORE_SECONDS = 300


class AppAuth:
    """Installation tokens of a GitHub App, asked for as needed and renewed during a run.

    `client_with` makes a client of the same connection with another credential.
    """

    def __init__(
        self,
        app: GithubApp,
        client_with: Callable[[Auth], Client],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._client_with = client_with
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._expires_at = 0.0

    @property
    def identity(self) -> str:
        """The installation."""
        return f"app:{self._app.id}:{self._app.installation}"

    def headers(self) -> Mapping[str, str]:
        """A token that is good for some minutes at least."""
        with self._lock:
            if self._clock() > self._expires_at - _RENEW_BEFORE_SECONDS:
                self._ask()
            return {"authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Ask for another token after the source refused the last one."""
        with self._lock:
            self._ask()
        return True

    def _ask(self) -> None:
        path = f"app/installations/{self._app.installation}/access_tokens"
        with self._client_with(HeaderAuth(self._signed, f"signed-{self.identity}")) as client:
            try:
                answer = client.post(path, {})
            except UnauthorisedError as error:
                raise UnauthorisedError(
                    f"{error}; check the App's id, its private key, and this machine's clock"
                ) from error
        told = json.loads(answer.body)
        if not isinstance(told, dict) or not told.get("token"):
            raise SourceError(f"{answer.url} answered without a token; check base_url")
        self._token = str(told["token"])
        expires = told.get("expires_at")
        self._expires_at = (
            datetime.fromisoformat(expires).timestamp() if expires else self._clock() + 3600
        )

    def _signed(self) -> Mapping[str, str]:
        import jwt

        now = int(self._clock())
        claims = {
            "iat": now - _CLOCK_SLACK_SECONDS,
            "exp": now + _TOKEN_SECONDS,
            "iss": self._app.id,
        }
        try:
            token = jwt.encode(claims, self._app.private_key.reveal(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise SourceError(
                f"the App's private key {self._app.private_key} cannot be read as a PEM file "
                f"({type(error).__name__}); download it again from the App's settings"
            ) from error
        return {"authorization": f"Bearer {token}"}


def token_auth(options: GithubOptions) -> Auth:
    """The personal access token, read when it is first needed."""
    token = options.token
    if token is None:
        raise SourceError("the connection has no token")
    return HeaderAuth(partial(bearer, token))
