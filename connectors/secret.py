"""Secrets: named in the settings by where they stand, read late, never printed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# What this process has revealed, so that it can be cut out of what is shown.
SHORTEST = 6
_revealed: set[str] = set()


def redact(text: str) -> str:
    """The text without any secret that this process has revealed.

    What is shorter than `SHORTEST` is no secret worth the name, and would cut words to pieces.
    """
    for value in sorted(_revealed, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, "***")
    return text


class Secret(BaseModel):
    """A reference to a secret: `{ env = "NAME" }` or `{ file = "path" }`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Annotated[str | None, Field(description="environment variable that holds it")] = None
    file: Annotated[Path | None, Field(description="file that holds it, and nothing else")] = None

    @model_validator(mode="before")
    @classmethod
    def _not_inline(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(
                'write a secret as { env = "NAME" } or { file = "path" }, never into the settings'
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError('a secret needs exactly one of { env = "NAME" } or { file = "path" }')
        return self

    def reveal(self) -> str:
        """The secret itself; raises `SecretMissingError` naming where it was looked for."""
        if self.env is not None:
            value = os.environ.get(self.env, "").strip()
            where = f"the environment variable {self.env}"
        else:
            path = self.file if self.file is not None else Path()
            value = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
            where = f"the file {path}"
        if not value:
            raise SecretMissingError(f"{where} is empty or missing; put the token there")
        _revealed.add(value)
        return value

    def __str__(self) -> str:
        return f"<from {self.env or self.file}>"

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        yield ("env", self.env)
        yield ("file", self.file)


class SecretMissingError(Exception):
    """A secret is not where the settings say."""
