"""Credentials as headers."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from connectors.secret import Secret


@runtime_checkable
class Auth(Protocol):
    """A credential as headers."""

    @property
    def identity(self) -> str:
        """Tells credentials apart; not a secret."""

    def headers(self) -> Mapping[str, str]:
        """The headers that carry the credential."""

    def renew(self) -> bool:
        """Get a new credential after a 401; False where that cannot be done."""


class HeaderAuth:
    """A credential that stays the same, made into headers when first needed.

    `identity` is for one that is made anew each time, and yet the same to the source.
    """

    def __init__(self, make: Callable[[], Mapping[str, str]], identity: str | None = None) -> None:
        self._make = make
        self._identity = identity
        self._headers: dict[str, str] | None = None

    @property
    def identity(self) -> str:
        """A digest of the headers, unless another name is given."""
        if self._identity is not None:
            return self._identity
        return hashlib.sha256(repr(sorted(self.headers().items())).encode()).hexdigest()[:16]

    def headers(self) -> Mapping[str, str]:
        """The headers, kept after the first call."""
        if self._headers is None:
            self._headers = dict(self._make())
        return self._headers

    def renew(self) -> bool:
        """A static credential cannot be renewed."""
        return False


def bearer(token: Secret) -> Mapping[str, str]:
    """The header of a token that is enough by itself."""
    return {"authorization": f"Bearer {token.reveal()}"}


def basic(user: str, token: Secret) -> Mapping[str, str]:
    """The header of a token together with the name of whose it is."""
    pair = base64.b64encode(f"{user}:{token.reveal()}".encode()).decode()
    return {"authorization": f"Basic {pair}"}
