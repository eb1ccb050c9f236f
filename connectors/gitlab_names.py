"""Names that all payloads of GitLab share: numbers, accounts, bots."""

import re

# Tokens of projects and groups act through users of these names; so do service accounts.
_BOT = re.compile(
    r"(?:project|group)_\d+_bot(?:_?[0-9a-f]+)?|service_account_(?:group_|project_)?[0-9a-f_]+|"
    r"(?:alert|support|security|automation|duo)-bot|gitlab-(?:security|migration|dependency)-bot"
)
_GHOST = re.compile(r"ghost\d*")
_NUMBER = re.compile(r"(?:gid://gitlab/[\w:]+/)?(\d+)")


def number_of(text: str | int) -> int:
    """The number in a global id of GraphQL, `gid://gitlab/User/7`; raises `ValueError`."""
    found = _NUMBER.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is not an id of GitLab")
    return int(found[1])


def last_part(text: str | int | None) -> str:
    """What a global id of GraphQL ends with, be it no number; raises `ValueError`."""
    found = str(text).rpartition("/")[2]
    if text is None or re.fullmatch(r"\w+", found) is None:
        raise ValueError(f"{text!r} is not an id of GitLab")
    return found


def account_id(connection: str, number: int) -> str:
    """The id of an account: its number, which outlives its username."""
    return f"{connection}:account:{number}"


def is_bot_name(username: str | None) -> bool:
    """Whether GitLab itself gives this username to bots; REST has no other sign of them."""
    return username is not None and _BOT.fullmatch(username.lower()) is not None


def is_ghost(username: str | None, name: str | None) -> bool:
    """Whether this is the user that deleted users' contributions are moved to."""
    return username is not None and name == "Ghost User" and bool(_GHOST.fullmatch(username))
