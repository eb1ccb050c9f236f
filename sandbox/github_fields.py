"""How GitHub's GraphQL fields are answered: the root, the organisation, its people and teams."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.forge import Repository
from sandbox.github_connections import by_time, connect
from sandbox.github_identity import account_node_id, node_id, stamp
from sandbox.github_query import FieldError, Resolver
from sandbox.github_search import SEARCH_CAP, BadQueryError, search
from sandbox.github_sources import Arguments, View
from sandbox.organisation import Organisation
from sandbox.staff import Team
from sandbox.world import CHANGE_REQUESTS, DEPLOYMENTS, ISSUES, RELEASES


def _organization(view: View, _: Any, arguments: Arguments) -> Organisation:
    own, login = view.world.organisation, arguments["login"]
    if login.lower() != own.login.lower():
        message = f"Could not resolve to an Organization with the login of '{login}'."
        raise FieldError(message, "NOT_FOUND")
    return own


def _repository(view: View, source: Any, arguments: Arguments) -> Repository:
    owner = source.login if isinstance(source, Organisation) else arguments["owner"]
    full_name = f"{owner}/{arguments['name']}"
    repository = view.world.repository_named(full_name)
    is_followed = arguments.get("followRenames", True)
    if repository is None or not (is_followed or repository.full_name.lower() == full_name.lower()):
        message = f"Could not resolve to a Repository with the name '{full_name}'."
        raise FieldError(message, "NOT_FOUND")
    return repository


def _node(view: View, global_id: str) -> Any:
    world = view.world
    prefix, _, rest = global_id.rpartition("_")
    number = int(rest) if rest.isdecimal() else 0
    found: Any = None
    match prefix:
        case "R":
            found = world.repository(number)
        case "O":
            found = world.organisation if number == world.organisation.id else None
        case "U" | "BOT":
            found = world.organisation.account_by_id.get(number)
        case "T":
            found = next((team for team in world.teams() if team.id == number), None)
        case "PR":
            found = world.anywhere(CHANGE_REQUESTS, number)
        case "I":
            found = world.anywhere(ISSUES, number)
        case "DE":
            found = world.anywhere(DEPLOYMENTS, number)
        case "RE":
            found = world.anywhere(RELEASES, number)
    if found is None:
        message = f"Could not resolve to a node with the global id of '{global_id}'."
        raise FieldError(message, "NOT_FOUND")
    return found


def _nodes(view: View, _: Any, arguments: Arguments) -> list[Any]:
    found: list[Any] = []
    for global_id in arguments["ids"]:
        try:
            found.append(_node(view, global_id))
        except FieldError as error:
            found.append(error)
    return found


def _search(view: View, _: Any, arguments: Arguments) -> Any:
    if arguments["type"] != "ISSUE":
        raise FieldError("The sandbox searches issues and pull requests only.", "UNPROCESSABLE")
    try:
        found = search(view.world, arguments["query"])
    except BadQueryError as error:
        raise FieldError(str(error), "UNPROCESSABLE") from error
    return connect(found[:SEARCH_CAP], arguments, None, issue_count=len(found))


def _repositories(view: View, _: Any, arguments: Arguments) -> Any:
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    fields = {"UPDATED_AT": "updated_at", "PUSHED_AT": "pushed_at", "NAME": "name"}
    name, is_descending = fields.get(order["field"], "created_at"), order["direction"] == "DESC"
    found = [
        repository
        for repository in view.world.repositories(name, is_descending=is_descending)
        if arguments.get("isFork") in (None, repository.is_fork)
        and arguments.get("isArchived") in (None, repository.archived_at is not None)
    ]
    key = None if name == "name" else by_time(name, is_descending=is_descending)
    return connect(found, arguments, key)


def _need_people_scope(view: View) -> None:
    if "read:org" not in view.settings.scopes:
        message = "Your token has not been granted the required scopes to execute this query."
        raise FieldError(message, "INSUFFICIENT_SCOPES")


def _teams(view: View, _: Any, arguments: Arguments) -> Any:
    _need_people_scope(view)
    return connect(view.world.teams(), arguments)


def _members_with_role(view: View, _: Any, arguments: Arguments) -> Any:
    _need_people_scope(view)
    return connect(view.world.members(), arguments, role=lambda _account: "MEMBER")


def _team_members(view: View, team: Team, arguments: Arguments) -> Any:
    family: Sequence[Team] = [team]
    children = [child for child in view.world.teams() if child.parent_id == team.id]
    if arguments["membership"] != "IMMEDIATE":
        family = [team, *children] if arguments["membership"] == "ALL" else children
    leaders = {number for one in family for number in one.maintainer_account_ids}
    numbers = sorted(leaders | {number for one in family for number in one.member_account_ids})
    return connect(
        [view.world.organisation.account_by_id[number] for number in numbers],
        arguments,
        role=lambda account: "MAINTAINER" if account.id in leaders else "MEMBER",
    )


def _parent_team(view: View, team: Team, _: Arguments) -> Team | None:
    return next((one for one in view.world.teams() if one.id == team.parent_id), None)


def _rate_limit(view: View, _: Any, _arguments: Arguments) -> dict[str, Any] | None:
    if view.budget.limit is None:
        return None
    body = view.budget.body()
    return {
        "cost": view.cost,
        "limit": body["limit"],
        "nodeCount": view.node_count,
        "remaining": body["remaining"],
        "resetAt": stamp(datetime.fromtimestamp(body["reset"], UTC)),
        "used": body["used"],
    }


def connection_fields(kind: str) -> dict[str, Resolver]:
    """The fields all connections and their edges share."""
    connection, edge = f"{kind}Connection", f"{kind}Edge"
    return {
        f"{connection}.nodes": lambda _, source, _a: source.items,
        f"{connection}.edges": lambda _, source, _a: [
            (source, index) for index in range(len(source.items))
        ],
        f"{connection}.pageInfo": lambda _, source, _a: source.page_info(),
        f"{connection}.totalCount": lambda _, source, _a: source.total,
        f"{edge}.cursor": lambda _, source, _a: source[0].cursor(source[1]),
        f"{edge}.node": lambda _, source, _a: source[0].items[source[1]],
        f"{edge}.role": lambda _, source, _a: source[0].extra["role"](source[0].items[source[1]]),
    }


def _plain_fields(kind: str, *names: str) -> dict[str, Resolver]:
    """Fields that are taken from a mapping by their own names."""

    def taken(name: str) -> Resolver:
        return lambda _, source, _a: source[name]

    return {f"{kind}.{name}": taken(name) for name in names}


def _account_fields(kind: str) -> dict[str, Resolver]:
    return {
        f"{kind}.id": lambda _, account, _a: account_node_id(account),
        f"{kind}.databaseId": lambda _, account, _a: account.id,
        f"{kind}.login": lambda _, account, _a: account.login.removesuffix("[bot]"),
        f"{kind}.name": lambda _, account, _a: account.name,
        f"{kind}.email": lambda _, account, _a: account.email or "",
        f"{kind}.url": lambda v, account, _a: f"{v.html}/{account.login.removesuffix('[bot]')}",
        f"{kind}.avatarUrl": lambda v, account, _a: f"{v.html}/avatars/{account.id}",
        f"{kind}.createdAt": lambda _, account, _a: stamp(account.created_at),
        f"{kind}.updatedAt": lambda _, account, _a: stamp(account.updated_at),
        f"{kind}.isSiteAdmin": lambda _, account, _a: account.is_site_admin,
    }


def people_fields() -> dict[str, Resolver]:
    """Resolvers of the query root, the organisation, teams and accounts, by "Type.field"."""
    return {
        "Query.id": lambda _, _s, _a: "Q_0",
        "Query.organization": _organization,
        "Query.repository": _repository,
        "Query.node": lambda v, _, a: _node(v, a["id"]),
        "Query.nodes": _nodes,
        "Query.search": _search,
        "Query.rateLimit": _rate_limit,
        "Query.viewer": lambda v, _, _a: v.world.members()[0],
        "Organization.id": lambda _, own, _a: node_id("O", own.id),
        "Organization.databaseId": lambda _, own, _a: own.id,
        "Organization.login": lambda _, own, _a: own.login,
        "Organization.name": lambda _, own, _a: own.name,
        "Organization.url": lambda v, own, _a: f"{v.html}/{own.login}",
        "Organization.avatarUrl": lambda v, own, _a: f"{v.html}/avatars/{own.id}",
        "Organization.description": lambda _, _s, _a: None,
        "Organization.createdAt": lambda _, own, _a: stamp(own.started_at),
        "Organization.updatedAt": lambda _, own, _a: stamp(own.started_at),
        "Organization.archivedAt": lambda _, _s, _a: None,
        "Organization.repositories": _repositories,
        "Organization.repository": _repository,
        "Organization.teams": _teams,
        "Organization.membersWithRole": _members_with_role,
        "Team.id": lambda _, team, _a: node_id("T", team.id),
        "Team.databaseId": lambda _, team, _a: team.id,
        "Team.name": lambda _, team, _a: team.name,
        "Team.slug": lambda _, team, _a: team.slug,
        "Team.description": lambda _, team, _a: team.description,
        "Team.parentTeam": _parent_team,
        "Team.members": _team_members,
        "Team.createdAt": lambda _, team, _a: stamp(team.created_at),
        "Team.updatedAt": lambda _, team, _a: stamp(team.created_at),
        "Team.url": lambda v, team, _a: (
            f"{v.html}/orgs/{v.world.organisation.login}/teams/{team.slug}"
        ),
        "Team.privacy": lambda _, _s, _a: "VISIBLE",
        "SearchResultItemConnection.issueCount": lambda _, source, _a: source.extra["issue_count"],
        "SearchResultItemConnection.repositoryCount": lambda _, _s, _a: 0,
        **_plain_fields("PageInfo", "startCursor", "endCursor", "hasNextPage", "hasPreviousPage"),
        **_plain_fields("RateLimit", "cost", "limit", "nodeCount", "remaining", "resetAt", "used"),
        **_account_fields("User"),
        **_account_fields("Bot"),
        **connection_fields("Repository"),
        **connection_fields("Team"),
        **connection_fields("TeamMember"),
        **connection_fields("OrganizationMember"),
        **connection_fields("User"),
        **connection_fields("SearchResultItem"),
    }
