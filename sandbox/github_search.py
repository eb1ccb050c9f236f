"""GitHub's search over issues and pull requests: the qualifiers, and what they find."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sandbox.forge import ChangeRequest, Issue
from sandbox.world import CHANGE_REQUESTS, ISSUES, World

Found = ChangeRequest | Issue
Test = Callable[[Found], bool]

SEARCH_CAP = 1000
_TERM = re.compile(r'(?:(-?)(\w+):)?("[^"]*"|\S+)')
_TIMES = {
    "updated": "updated_at",
    "created": "created_at",
    "closed": "closed_at",
    "merged": "merged_at",
}


class BadQueryError(ValueError):
    """A search the vendor refuses with 422."""


def search(
    world: World, query: str, sort: str | None = None, *, is_descending: bool = True
) -> list[Found]:
    """Everything the query matches, in the order asked for; the caller applies the cap.

    Knows org, user, repo, is, type, state, author, label, updated, created, closed and merged;
    `sort:updated-asc` inside the query counts too. Raises BadQueryError for what it does not know.
    """
    tests: list[Test] = []
    for sign, name, value in _TERM.findall(query):
        text = value.strip('"')
        if name == "sort":
            sort, _, direction = text.partition("-")
            is_descending = direction != "asc"
            continue
        test = _test(world, name, text)
        tests.append(_negated(test) if sign else test)
    every: list[Found] = [*world.everywhere(CHANGE_REQUESTS), *world.everywhere(ISSUES)]
    found = [thing for thing in every if all(test(thing) for test in tests)]
    field = "updated_at" if sort == "updated" else "created_at"
    found.sort(key=lambda thing: (getattr(thing, field), thing.id), reverse=is_descending)
    return found


def time_window(text: str) -> Callable[[datetime | None], bool]:
    """The test for a time range: a..b, a..*, *..b, >=a, >a, <=b, <b or a; ends included."""
    if ".." in text:
        low, high = text.split("..", 1)
        start = None if low == "*" else _moment(low)[0]
        stop = None if high == "*" else _moment(high)[1]
        return lambda at: (
            at is not None and (start is None or at >= start) and (stop is None or at < stop)
        )
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            first, after = _moment(text.removeprefix(sign))
            return lambda at: at is not None and _compare(sign, at, first, after)
    first, after = _moment(text)
    return lambda at: at is not None and first <= at < after


def _compare(sign: str, at: datetime, first: datetime, after: datetime) -> bool:
    match sign:
        case ">=":
            return at >= first
        case ">":
            return at >= after
        case "<=":
            return at < after
        case _:
            return at < first


def _moment(text: str) -> tuple[datetime, datetime]:
    """The first moment a date or time means, and the first one after it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQueryError(f"{text!r} is not a date or time") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at, at + (timedelta(seconds=1) if "T" in text else timedelta(days=1))


def _test(world: World, name: str, text: str) -> Test:
    if name in _TIMES:
        within, field = time_window(text), _TIMES[name]
        return lambda thing: within(getattr(thing, field, None))
    if name not in _QUALIFIERS:
        raise BadQueryError(f"the qualifier {name!r} is not known")
    return _QUALIFIERS[name](world, text)


def _organisation(world: World, text: str) -> Test:
    return lambda _: text.lower() == world.organisation.login.lower()


def _repository(world: World, text: str) -> Test:
    repository = world.repository_named(text)
    number = repository.id if repository else None
    return lambda thing: thing.repository_id == number


def _author(world: World, text: str) -> Test:
    def has_written(thing: Found) -> bool:
        account = world.account(thing.author_account_id)
        return account is not None and account.login.lower() == text.lower()

    return has_written


def _is(_: World, text: str) -> Test:
    if text not in _STATES:
        raise BadQueryError(f"is:{text} is not known")
    return _STATES[text]


def _negated(test: Test) -> Test:
    return lambda thing: not test(thing)


_STATES: dict[str, Test] = {
    "pr": lambda thing: isinstance(thing, ChangeRequest),
    "issue": lambda thing: isinstance(thing, Issue),
    "open": lambda thing: thing.state == "open",
    "closed": lambda thing: thing.state != "open",
    "merged": lambda thing: thing.state == "merged",
    "unmerged": lambda thing: isinstance(thing, ChangeRequest) and thing.state != "merged",
    "draft": lambda thing: isinstance(thing, ChangeRequest) and thing.is_draft,
}
_QUALIFIERS: dict[str, Callable[[World, str], Test]] = {
    "org": _organisation,
    "user": _organisation,
    "repo": _repository,
    "author": _author,
    "is": _is,
    "type": _is,
    "state": _is,
    "label": lambda _, text: lambda thing: text in thing.labels,
    "": lambda _, text: lambda thing: text.lower() in thing.title.lower(),
}
