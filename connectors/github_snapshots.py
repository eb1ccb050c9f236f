"""What GitHub lists whole at every sync: repositories with their probes, teams, members.

One request lists a hundred. A page that says what it said at the last sync is not kept again; a
full pass keeps them all.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from connectors.connector import Line, Page, Parsed, Pull, Scope
from connectors.failures import NotFoundError
from connectors.github_graphql import Asker, MissingScopeError
from connectors.github_mapping import account, add_members, team
from connectors.github_options import GithubOptions
from connectors.github_probes import excluded_names, former_keys, read_repositories, repository
from connectors.github_queries import (
    ACCOUNTS,
    ACCOUNTS_WITHOUT_EMAIL,
    REPOSITORIES,
    TEAM_MEMBERS,
    TEAMS,
    named_repositories,
)
from connectors.github_rest import is_rest, parse_rest
from connectors.github_wire import AccountWire, MemberWire, TeamWire
from connectors.graphql import Told
from connectors.reading import Children, Reader, dig
from connectors.records import Account, Record, Repository, Team, TeamMember
from connectors.snapshots import SnapshotStream

_PAGE = 100
_NAMED_AT_ONCE = 25

_ACCOUNTS: Reader[AccountWire] = Reader(
    AccountWire, ("data", "organization", "membersWithRole", "nodes"), Account
)
_TEAMS: Reader[TeamWire] = Reader(
    TeamWire,
    ("data", "organization", "teams", "nodes"),
    Team,
    children=(Children(("members", "edges"), MemberWire, TeamMember),),
)
_MEMBERS: Reader[MemberWire] = Reader(MemberWire, ("data", "node", "members", "edges"), TeamMember)


class OrganisationList(SnapshotStream):
    """A list of the organisation that is read whole."""

    def __init__(self, options: GithubOptions) -> None:
        self.options = options


class RepositoriesStream(OrganisationList):
    """Repositories, each with what the probe shows of its lists."""

    name = "repositories"
    record_types: ClassVar[tuple[type[Record], ...]] = (Repository,)

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """The organisation's list, or the repositories named in the settings."""
        asker = Asker(pull.client, _PAGE)
        if self.options.repositories:
            yield from self._named(pull, asker)
            return
        for told, url in listed(asker, REPOSITORIES, scope.id, "repositories"):
            nodes = dig(told.data, "organization", "repositories", "nodes") or []
            yield [self._page(pull, told, url, [node for node in nodes if node], {})]

    def _named(self, pull: Pull, asker: Asker) -> Iterator[list[Page]]:
        names = self.options.repositories
        missing: list[str] = []
        for start in range(0, len(names), _NAMED_AT_ONCE):
            some = names[start : start + _NAMED_AT_ONCE]
            variables: dict[str, str] = {}
            for place, full_name in enumerate(some):
                owner, _, name = full_name.partition("/")
                variables |= {f"owner{place}": owner, f"name{place}": name}
            told = asker.ask_some(named_repositories(len(some)), variables)
            found = {name: told.data.get(f"r{place}") for place, name in enumerate(some)}
            missing += [name for name, node in found.items() if node is None]
            nodes = [node for node in found.values() if node is not None]
            asked = {str(node.get("databaseId")): name for name, node in found.items() if node}
            url = f"{asker.url}#repositories:{some[0]}"
            yield [self._page(pull, told, url, nodes, asked, shape="named")]
        if missing:
            raise NotFoundError(
                f"{asker.url}: there is no repository {', '.join(missing)}, or the token may not "
                "know of it; check the names in repositories and the token's access"
            )

    def _page(
        self,
        pull: Pull,
        told: Told,
        url: str,
        nodes: list[Mapping[str, Any]],
        asked: Mapping[str, str],
        *,
        shape: str = "listed",
    ) -> Page:
        attributes = {
            "shape": shape,
            "excluded": json.dumps(excluded_names(nodes, self.options)),
            "former_keys": json.dumps(former_keys(nodes, pull, asked)),
        }
        return told.page(url, items=len(nodes), attributes=attributes)

    def parse(self, line: Line) -> Parsed:
        """Repositories; what the settings leave out was noted when the page was received."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        excluded = set(json.loads(line.attributes.get("excluded", "[]")))
        for wire in read_repositories(line, parsed):
            if wire.name_with_owner not in excluded:
                parsed.add(repository(line, wire))
        return parsed


class TeamsStream(OrganisationList):
    """Teams of the organisation with their own members, those of child teams left out."""

    name = "teams"
    record_types: ClassVar[tuple[type[Record], ...]] = (Team, TeamMember)

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """Teams, each page followed by the members that did not fit on it."""
        asker = Asker(pull.client, _PAGE)
        for told, url in listed(asker, TEAMS, scope.id, "teams"):
            nodes = dig(told.data, "organization", "teams", "nodes") or []
            pages = [told.page(url, items=len(nodes))]
            for node in nodes:
                pages += self._more(asker, told, node)
            yield pages

    def _more(self, asker: Asker, told: Told, team_node: Mapping[str, Any] | None) -> list[Page]:
        pages: list[Page] = []
        place = dig(team_node, "members", "pageInfo") or {}
        while team_node is not None and place.get("hasNextPage"):
            after = place.get("endCursor")
            more = asker.ask(TEAM_MEMBERS, {"id": team_node["id"], "after": after})
            url = f"{asker.url}#team_members:{team_node['databaseId']}:after={after}"
            pages.append(
                more.page(
                    url,
                    set_at=told.answer.requested_at,
                    attributes={"part": "members", "team": str(team_node["databaseId"])},
                )
            )
            place = dig(more.data, "node", "members", "pageInfo") or {}
        return pages

    def parse(self, line: Line) -> Parsed:
        """Teams with members, or more members of one team."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        if line.attributes.get("part") == "members":
            members = _MEMBERS.read(line, parsed)
            add_members(parsed, line, int(line.attributes["team"]), members)
            return parsed
        for wire in _TEAMS.read(line, parsed):
            parsed.add(team(line, wire))
            edges = wire.members.edges if wire.members is not None else None
            add_members(parsed, line, wire.database_id, edges or ())
        return parsed


class AccountsStream(OrganisationList):
    """Members of the organisation."""

    name = "accounts"
    record_types: ClassVar[tuple[type[Record], ...]] = (Account,)

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """Members, with their public e-mail address where the token may read it."""
        asker = Asker(pull.client, _PAGE)
        query = ACCOUNTS
        try:
            first = next(listed(asker, query, scope.id, "membersWithRole"))
        except MissingScopeError:
            query = ACCOUNTS_WITHOUT_EMAIL
            first = next(listed(asker, query, scope.id, "membersWithRole"))
        place = dig(first[0].data, "organization", "membersWithRole", "pageInfo") or {}
        yield [first[0].page(first[1])]
        if place.get("hasNextPage"):
            after = place.get("endCursor")
            for told, url in listed(asker, query, scope.id, "membersWithRole", after=after):
                yield [told.page(url)]

    def parse(self, line: Line) -> Parsed:
        """Accounts."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        for wire in _ACCOUNTS.read(line, parsed):
            parsed.add(account(line, wire))
        return parsed


def listed(
    asker: Asker, query: str, login: str, name: str, *, after: str | None = None
) -> Iterator[tuple[Told, str]]:
    """The pages of a list of the organisation, each with the address it is kept under."""
    while True:
        told = asker.ask_sized(query, {"login": login, "after": after})
        yield told, f"{asker.url}#{name}:after={after or ''}"
        place = dig(told.data, "organization", name, "pageInfo") or {}
        if not place.get("hasNextPage"):
            return
        after = place.get("endCursor")
