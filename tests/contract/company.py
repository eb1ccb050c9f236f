"""The small company that vendors are read with, and what can happen to it while it is served."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.organisation import Organisation
from sandbox.profile import SetupHabit
from sandbox.server import Sandbox
from sandbox.world import World
from sandbox.worlds import STEADY, build_world
from tests.contract.worlds.world import GIT, Change, Ghosts, Moving, Removed, Renamed
from tests.e2e.demo_world import END

SMALL = replace(
    STEADY,
    name="small",
    engineers=4,
    teams=1,
    services=2,
    months=2,
    setups=SetupHabit(quick=2, days=40),
)


@cache
def company() -> Organisation:
    """Four engineers over two months, one of whom has left and was deleted everywhere.

    Of its repositories those that services come from.
    """
    organisation = build_world(SMALL, end=END)
    served = {service.repository_id for service in organisation.services}
    gone = min(person.account_id for person in organisation.people if person.account_id is not None)
    person = next(one for one in organisation.people if one.account_id == gone)
    numbers, users = {gone}, {person.ticket_user_id}
    site = organisation.ticket_site
    return replace(
        organisation,
        accounts=tuple(one for one in organisation.accounts if one.id != gone),
        people=_without(organisation.people, numbers),
        teams=_without(organisation.teams, numbers),
        repositories=_without(
            tuple(one for one in organisation.repositories if one.id in served), numbers
        ),
        ticket_site=replace(site, tickets=_histories_without(site.tickets, users)),
    )


def served(folder: Path) -> Sandbox:
    """The company as a sandbox; its Git repositories are written once for all kinds."""
    return Sandbox(company(), folder.parent / "company")


def changed(world: World, change: Callable[[Organisation], Organisation]) -> Change:
    """Have something happen to the company while it is served, and undo it."""

    @contextmanager
    def happening() -> Iterator[None]:
        before = world.organisation
        _become(world, change(before))
        try:
            yield
        finally:
            _become(world, before)

    return happening


def _become(world: World, organisation: Organisation) -> None:
    world.organisation = organisation
    # Whoever keeps what was seen at a moment looks again.
    world.visible_until += timedelta(microseconds=1)


def forge(world: World) -> dict[str, Any]:
    """What a forge can show of the company: arguments of a `World`."""
    own = company()
    last = own.repositories[-1]
    return {
        "moving": Moving(world, remembered=frozenset({"finding"}), still=GIT),
        "renamed": Renamed(
            changed(world, renamed_repository),
            "select repository_id, repository_key from repository",
        ),
        "removed": Removed(
            changed(world, without_repository),
            "select 'repository', repository_id from repository"
            f" where repository_id like '%:{last.id}'",
        ),
        "ghosts": Ghosts(
            "select * from change_request where author is null",
            sum(
                change.author_account_id is None
                for repository in own.repositories
                for change in repository.change_requests
            ),
        ),
        "own_pages": {"practices": "what was found in files, put together here"},
    }


def people_renamed(world: World) -> Renamed:
    """Everybody is called otherwise for some time."""
    return Renamed(changed(world, renamed_people), "select account_id, name from account")


def renamed_repository(organisation: Organisation) -> Organisation:
    """The first repository is called otherwise, and is known by its former name too."""
    first, *others = organisation.repositories
    former = (*first.former_full_names, first.full_name)
    again = replace(first, name=f"{first.name}-again", former_full_names=former)
    return replace(organisation, repositories=(again, *others))


def renamed_people(organisation: Organisation) -> Organisation:
    """Everybody has another name, in every system."""
    site = organisation.ticket_site
    return replace(
        organisation,
        accounts=tuple(replace(one, name=f"{one.name} II") for one in organisation.accounts),
        people=tuple(replace(one, name=f"{one.name} II") for one in organisation.people),
        ticket_site=replace(
            site,
            users=tuple(replace(u, display_name=f"{u.display_name} II") for u in site.users),
        ),
    )


def without_repository(organisation: Organisation) -> Organisation:
    """The last repository is not there."""
    return replace(organisation, repositories=organisation.repositories[:-1])


def without_ticket(organisation: Organisation) -> Organisation:
    """The first ticket is not there."""
    site = organisation.ticket_site
    return replace(organisation, ticket_site=replace(site, tickets=site.tickets[1:]))


def without_person(organisation: Organisation) -> Organisation:
    """The last person is not there."""
    return replace(organisation, people=organisation.people[:-1])


def _without(value: Any, numbers: set[int]) -> Any:
    """The same value with nobody in the place of some accounts."""
    if isinstance(value, tuple):
        return tuple(_without(one, numbers) for one in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    found: dict[str, Any] = {}
    for each in fields(value):
        held = getattr(value, each.name)
        if each.name.endswith("account_id") and held in numbers:
            found[each.name] = None
        elif each.name.endswith("account_ids"):
            found[each.name] = tuple(one for one in held if one not in numbers)
        elif isinstance(held, tuple) and held and is_dataclass(held[0]):
            found[each.name] = _without(held, numbers)
    return replace(value, **found)


def _histories_without(tickets: Iterable[Any], users: set[str]) -> tuple[Any, ...]:
    """Tickets whose histories have no author where it was one of these users."""
    return tuple(
        replace(
            ticket,
            histories=tuple(
                replace(one, author_user_id=None) if one.author_user_id in users else one
                for one in ticket.histories
            ),
        )
        for ticket in tickets
    )
