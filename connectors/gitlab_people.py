"""People of GitLab: subgroups as teams with their direct members, and everybody's account.

A configured group itself is no team: it holds everybody, as an organisation does elsewhere.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from connectors.connector import Line, Page, Parsed, Pull, Scope
from connectors.failures import NotFoundError
from connectors.gitlab_graphql import Asker
from connectors.gitlab_names import account_id, is_bot_name, is_ghost, number_of
from connectors.graphql import Told
from connectors.reading import CamelWire, Children, Reader, dig
from connectors.records import Account, Record, Team, TeamMember
from connectors.snapshots import SnapshotStream

_GROUPS_A_PAGE = 50
_MEMBERS_A_PAGE = 100
USER_FIELDS = "id username name publicEmail bot"
_MEMBERS = (
    "pageInfo { hasNextPage endCursor } "
    f"nodes {{ accessLevel {{ stringValue }} user {{ {USER_FIELDS} }} }}"
)

TEAMS = f"""
query($path: ID!, $first: Int!, $after: String) {{
  group(fullPath: $path) {{
    descendantGroups(first: $first, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id name fullPath parent {{ id fullPath }}
        groupMembers(relations: [DIRECT], first: {_MEMBERS_A_PAGE}) {{ {_MEMBERS} }}
      }}
    }}
  }}
}}
"""
MORE_MEMBERS = f"""
query($path: ID!, $after: String) {{
  group(fullPath: $path) {{
    groupMembers(relations: [DIRECT], first: {_MEMBERS_A_PAGE}, after: $after) {{ {_MEMBERS} }}
  }}
}}
"""
ACCOUNTS = f"""
query($path: ID!, $first: Int!, $after: String) {{
  group(fullPath: $path) {{
    groupMembers(relations: [DIRECT, INHERITED, DESCENDANTS], first: $first, after: $after) {{
      {_MEMBERS}
    }}
  }}
}}
"""


# REST gives bare numbers, GraphQL `gid://gitlab/User/7`.
Number = Annotated[int, BeforeValidator(number_of)]


class UserWire(CamelWire):
    """A user; REST and GraphQL write their names alike but for the address."""

    id: Number
    username: str
    name: str | None = None
    public_email: str | None = None
    bot: bool | None = None


class AccessWire(CamelWire):
    """What a member may do."""

    string_value: str | None = None


class MemberWire(CamelWire):
    """A member; one without a user was only invited."""

    access_level: AccessWire | None = None
    user: UserWire | None = None


class MembersWire(CamelWire):
    """Members of a group."""

    nodes: list[MemberWire] | None = None


class ParentWire(CamelWire):
    """The group a group is in."""

    id: Number
    full_path: str | None = None


class GroupWire(CamelWire):
    """A group with its direct members."""

    id: Number
    name: str
    full_path: str | None = None
    parent: ParentWire | None = None
    group_members: MembersWire | None = None


_GROUPS: Reader[GroupWire] = Reader(
    GroupWire,
    ("data", "group", "descendantGroups", "nodes"),
    Team,
    children=(Children(("groupMembers", "nodes"), MemberWire, TeamMember),),
)
_MORE: Reader[MemberWire] = Reader(
    MemberWire, ("data", "group", "groupMembers", "nodes"), TeamMember
)
_ACCOUNTS: Reader[MemberWire] = Reader(
    MemberWire, ("data", "group", "groupMembers", "nodes"), Account
)


class TeamsStream(SnapshotStream):
    """Subgroups as teams, with their direct members."""

    name = "teams"
    record_types: ClassVar[tuple[type[Record], ...]] = (Team, TeamMember)

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """Subgroups at every depth, each page followed by the members that did not fit on it."""
        asker = Asker(pull.client, _GROUPS_A_PAGE)
        for told, url in _listed(asker, TEAMS, scope.id, "descendantGroups"):
            nodes = dig(told.data, "group", "descendantGroups", "nodes") or []
            pages = [told.page(url, items=len(nodes), attributes={"group": scope.id})]
            for node in nodes:
                pages += _more(asker, told, node)
            yield pages

    def parse(self, line: Line) -> Parsed:
        """Teams with members, or more members of one team."""
        parsed = Parsed()
        if line.attributes.get("part") == "members":
            team_id = f"{line.connection}:team:{line.attributes['team']}"
            _add_members(parsed, line, team_id, _MORE.read(line, parsed))
            return parsed
        for wire in _GROUPS.read(line, parsed):
            team = _team(line, wire)
            parsed.add(team)
            members = wire.group_members.nodes if wire.group_members is not None else None
            _add_members(parsed, line, team.team_id, members or [])
        return parsed


class AccountsStream(SnapshotStream):
    """Members of the groups and of all groups below and above them."""

    name = "accounts"
    record_types: ClassVar[tuple[type[Record], ...]] = (Account,)

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """Members, with the e-mail address they show."""
        asker = Asker(pull.client, _MEMBERS_A_PAGE)
        for told, url in _listed(asker, ACCOUNTS, scope.id, "groupMembers"):
            nodes = dig(told.data, "group", "groupMembers", "nodes") or []
            yield [told.page(url, items=len(nodes))]

    def parse(self, line: Line) -> Parsed:
        """Accounts, each once however many groups it is in."""
        parsed = Parsed()
        found: dict[str, Account] = {}
        for member in _ACCOUNTS.read(line, parsed):
            if member.user is not None and (known := account(line, member.user)) is not None:
                found[known.account_id] = known
        for each in found.values():
            parsed.add(each)
        return parsed


def account(line: Line, wire: UserWire) -> Account | None:
    """The account of a user; None for the ghost that stands for all who were deleted."""
    if is_ghost(wire.username, wire.name):
        return None
    return Account(
        account_id=account_id(line.connection, wire.id),
        login=wire.username,
        name=wire.name or None,
        email=wire.public_email or None,
        is_bot=bool(wire.bot) or is_bot_name(wire.username),
    )


def _team(line: Line, wire: GroupWire) -> Team:
    above = wire.parent
    is_below_top = above is not None and above.full_path != line.attributes.get("group")
    return Team(
        team_id=f"{line.connection}:team:{wire.id}",
        name=wire.name,
        parent=f"{line.connection}:team:{above.id}" if above and is_below_top else None,
    )


def _add_members(parsed: Parsed, line: Line, team_id: str, members: list[MemberWire]) -> None:
    parsed.whole(TeamMember, team_id)
    for member in members:
        if member.user is None:
            continue
        level = member.access_level
        parsed.add(
            TeamMember(
                team_id=team_id,
                account_id=account_id(line.connection, member.user.id),
                role=level.string_value.lower() if level and level.string_value else None,
            )
        )


def _more(asker: Asker, told: Told, node: Mapping[str, Any] | None) -> list[Page]:
    pages: list[Page] = []
    place = dig(node, "groupMembers", "pageInfo") or {}
    while node is not None and place.get("hasNextPage"):
        after = place.get("endCursor")
        more = asker.ask(MORE_MEMBERS, {"path": node["fullPath"], "after": after})
        number = str(number_of(node["id"]))
        pages.append(
            more.page(
                f"{asker.url}#members:{number}:after={after}",
                set_at=told.answer.requested_at,
                attributes={"part": "members", "team": number},
            )
        )
        place = dig(more.data, "group", "groupMembers", "pageInfo") or {}
    return pages


def _listed(asker: Asker, query: str, path: str, name: str) -> Iterator[tuple[Told, str]]:
    """The pages of a list of a group, each with the address it is kept under."""
    after: str | None = None
    while True:
        told = asker.ask_sized(query, {"path": path, "after": after})
        if told.data.get("group") is None:
            raise NotFoundError(
                f"{asker.url}: there is no group {path}, or the token may not know of it; check "
                "groups in the settings and the token's access"
            )
        yield told, f"{asker.url}#{name}:{path}:after={after or ''}"
        place = dig(told.data, "group", name, "pageInfo") or {}
        if not place.get("hasNextPage"):
            return
        after = place.get("endCursor")
