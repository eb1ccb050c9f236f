"""`leadline token`: who may send to `leadline listen`."""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

import typer


class Action(StrEnum):
    """What is done with tokens."""

    ADD = "add"
    LIST = "list"
    REVOKE = "revoke"


def run(
    action: Annotated[Action, typer.Argument(help="add, list or revoke.")],
    name: Annotated[str | None, typer.Argument(help="The token's name, to add or revoke.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may send: deployments, incidents …; several: repeat, or commas."
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Until when it holds: 90d, or 2027-01-31; default: 365d.")
    ] = None,
) -> None:
    """Make a token for the push API, list those there are, or take one back.

    The secret of a new one is shown once and kept nowhere.
    """
    from connectors.push_streams import json_streams
    from pipelines.commands.boundary import WrongUseError
    from pipelines.commands.console import note, say
    from pipelines.files import DataFolder
    from pipelines.listening.tokens import TokenError, Tokens
    from pipelines.settings import load

    tokens = Tokens(DataFolder(load().data).create().path)
    now = datetime.now(UTC)
    if action is Action.LIST:
        for token in tokens.all():
            until = f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "for ever"
            refusal = (token.refusal(now) or "").partition(";")[0]
            made = f"made {token.created_at:%Y-%m-%d}"
            say(f"{token.name}: {', '.join(token.scopes)}; {made}; {refusal or until}")
        return
    if name is None or not re.fullmatch(r"[\w.-]{1,60}", name):
        raise WrongUseError("name the token: letters, digits, dot, - and _, at most 60")
    try:
        if action is Action.REVOKE:
            tokens.revoke(name, now)
            say(f"{name} is revoked")
            return
        known = [stream.name.replace("_", "-") for stream in json_streams()]
        scopes = [part.strip() for each in scope or () for part in each.split(",")]
        for part in scopes:
            if part not in known:
                raise WrongUseError(f'there is no scope "{part}"; there are {", ".join(known)}')
        if not scopes:
            raise WrongUseError(f"say what it may send with --scope: {', '.join(known)}")
        secret = tokens.add(name, scopes, expires_at=_until(expires or "365d", now), now=now)
    except TokenError as error:
        raise WrongUseError(str(error)) from error
    say(secret)
    note("this is shown once; send it as authorization: Bearer …")


def _until(told: str, now: datetime) -> datetime:
    from pipelines.commands.boundary import WrongUseError

    days = re.fullmatch(r"(\d{1,5})d", told)
    try:
        until = (
            now + timedelta(days=int(days[1]))
            if days
            else datetime.combine(date.fromisoformat(told), time(), UTC)
        )
    except ValueError as error:
        raise WrongUseError(
            f'--expires "{told}" is no time; write 90d, or a date such as 2027-01-31'
        ) from error
    if until <= now:
        raise WrongUseError(f"--expires {told} is over already")
    return until
