"""API tokens: made once and shown once, kept as digests, for some endpoints, until some day.

They lie in `tokens.json` in the data folder, which only its owner reads. A running
`leadline listen` sees a change with the next request.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

PREFIX = "leadline_"
_DIGEST = hashlib.sha256


class TokenError(Exception):
    """A token cannot be made or taken back as asked; the message says why."""


class Token(BaseModel):
    """A token without its secret."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    scopes: tuple[str, ...]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None

    def refusal(self, now: datetime) -> str | None:
        """Why it does not hold any more, if so."""
        if self.revoked_at is not None:
            return f"the token {self.name} was revoked; make another with `leadline token add`"
        if self.expires_at is not None and now >= self.expires_at:
            return (
                f"the token {self.name} expired on {self.expires_at:%Y-%m-%d}; make another with "
                "`leadline token add`"
            )
        return None


_TOKENS: TypeAdapter[list[Token]] = TypeAdapter(list[Token])


class Tokens:
    """The tokens of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tokens.json"
        self._seen: tuple[int, int] | None = None
        self._tokens: list[Token] = []

    def all(self) -> list[Token]:
        """Every token, those that no longer hold among them."""
        try:
            state = self.path.stat()
        except FileNotFoundError:
            self._seen, self._tokens = None, []
            return []
        seen = (state.st_mtime_ns, state.st_ino)
        if seen != self._seen:
            self._tokens = _TOKENS.validate_json(self.path.read_bytes())
            self._seen = seen
        return self._tokens

    def holder(self, secret: str) -> Token | None:
        """The token with this secret; every one is compared, in constant time."""
        digest = _DIGEST(secret.encode("utf-8", "replace")).hexdigest()
        found = None
        for token in self.all():
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found

    def add(
        self, name: str, scopes: Sequence[str], *, expires_at: datetime | None, now: datetime
    ) -> str:
        """Make a token; its secret, which is kept nowhere. Raises `TokenError` for a known name."""
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._changing() as tokens:
            if any(token.name == name and token.refusal(now) is None for token in tokens):
                raise TokenError(
                    f'there is a token "{name}" already; revoke it first, or choose another name'
                )
            tokens.append(
                Token(
                    name=name,
                    digest=_DIGEST(secret.encode()).hexdigest(),
                    scopes=tuple(scopes),
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        return secret

    def revoke(self, name: str, now: datetime) -> None:
        """Take a token back, at once; raises `TokenError` where none of that name holds."""
        with self._changing() as tokens:
            for position, token in enumerate(tokens):
                if token.name == name and token.refusal(now) is None:
                    tokens[position] = token.model_copy(update={"revoked_at": now})
                    return
            known = ", ".join(t.name for t in tokens if t.refusal(now) is None) or "none"
            raise TokenError(f'no token "{name}" holds; those that do: {known}')

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """The tokens to be changed, written whole and renamed into place."""
        with self.path.with_suffix(".lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = list(self.all())
            yield tokens
            fresh = self.path.with_suffix(".fresh")
            content = [token.model_dump(mode="json", exclude_none=True) for token in tokens]
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(self.path)
