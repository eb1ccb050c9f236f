"""Names the forge gives to things: node ids, times, addresses."""

from datetime import UTC, datetime

from sandbox.staff import Account

GHOST_ID = 10137  # the account GitHub shows in place of a deleted one


def stamp(moment: datetime) -> str:
    """A time as the forge writes it, to the second, in UTC."""
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def stamp_or_none(moment: datetime | None) -> str | None:
    """A time as the forge writes it, or nothing."""
    return None if moment is None else stamp(moment)


def node_id(prefix: str, number: int | str) -> str:
    """The global id of a thing, as GraphQL's `node` takes it."""
    return f"{prefix}_{number}"


def account_node_id(account: Account) -> str:
    """The global id of a user or bot."""
    return node_id("BOT" if account.is_bot else "U", account.id)
