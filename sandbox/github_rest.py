"""GitHub's REST API over the made-up organisation: what each path answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

from starlette.requests import Request

from sandbox.forge import ChangeRequest, Issue, Repository
from sandbox.github_protocol import Caller, Gate, Refusal, page_asked, paged
from sandbox.github_search import SEARCH_CAP, BadQueryError, search, time_window
from sandbox.github_work_payloads import WorkPayloads
from sandbox.world import CHANGE_REQUESTS, DEPLOYMENTS, ISSUES, RELEASES, RUNS, Kind, World

RUN_CAP = 1000  # runs that can be reached once any filter is set
_RUN_FILTERS = ("actor", "branch", "created", "event", "head_sha", "status")

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Call:
    """One admitted request: who asks, for what, and where the answers' addresses begin."""

    request: Request
    caller: Caller
    gate: Gate
    world: World
    payloads: WorkPayloads
    headers: dict[str, str]  # added to by the handler

    def text(self, name: str, otherwise: str = "") -> str:
        """A query parameter."""
        return self.request.query_params.get(name) or otherwise

    def number(self, name: str) -> int:
        """A whole number from the path."""
        return int(self.request.path_params[name])

    def page(self, items: list[Any], address: str, cap: int | None = None) -> list[Any]:
        """The items of the page asked for; its Link header goes into `headers`."""
        page = paged(items, self.request.query_params, self.payloads.api + address, cap)
        self.headers.update(page.headers)
        return list(page.items)

    def page_of(
        self, repository: Repository, items: list[Any], rest: str, cap: int | None = None
    ) -> list[Any]:
        """A page below a repository; for half of them the links go by number, as GitHub's do."""
        by_number = f"/repositories/{repository.id}"
        prefix = by_number if repository.id % 2 else f"/repos/{repository.full_name}"
        return self.page(items, prefix + rest, cap)


Handler = Callable[[Call], Any]
RepositoryHandler = Callable[[Call, Repository], Any]


def user(call: Call) -> Any:
    """The account behind the token; an installation has none."""
    if call.caller.is_installation:
        raise Refusal(403, "Resource not accessible by integration")
    return call.payloads.whole_user(call.world.members()[0])


def rate_limit(call: Call) -> Any:
    """All budgets of the caller; costs nothing."""
    resources = {name: call.gate.budget(call.caller, name).body() for name in call.caller.budgets}
    return {"resources": resources, "rate": resources["core"]}


def organisation_repositories(call: Call) -> Any:
    """Repositories of the organisation."""
    fields = {"updated": "updated_at", "pushed": "pushed_at", "full_name": "name"}
    sort = call.text("sort", "created")
    direction = call.text("direction", "asc" if sort == "full_name" else "desc")
    kind = call.text("type", "all")
    found = [
        call.payloads.repository(repository)
        for repository in call.world.repositories(
            fields.get(sort, "created_at"), is_descending=direction == "desc"
        )
        if kind
        in {"all", "member", repository.visibility, "forks" if repository.is_fork else "sources"}
    ]
    return call.page(found, f"/organizations/{call.world.organisation.id}/repos")


def teams(call: Call) -> Any:
    """Teams of the organisation."""
    found = [call.payloads.team(team) for team in call.world.teams()]
    return call.page(found, f"/organizations/{call.world.organisation.id}/teams")


def team_members(call: Call) -> Any:
    """Members of a team named by its slug or number, those of its children included."""
    wanted = call.request.path_params["team"]
    known = call.world.teams()
    team = next((one for one in known if wanted in {one.slug, str(one.id)}), None)
    if team is None:
        raise Refusal(404, "Not Found")
    family = [team, *(child for child in known if child.parent_id == team.id)]
    leaders = {number for one in family for number in one.maintainer_account_ids}
    numbers = leaders | {number for one in family for number in one.member_account_ids}
    role = call.text("role", "all")
    chosen = [
        call.payloads.user(number)
        for number in sorted(numbers)
        if role in {"all", "maintainer" if number in leaders else "member"}
    ]
    return call.page(chosen, f"/organizations/{call.world.organisation.id}/team/{team.id}/members")


def members(call: Call) -> Any:
    """Members of the organisation."""
    found = [call.payloads.user(account.id) for account in call.world.members()]
    return call.page(found, f"/organizations/{call.world.organisation.id}/members")


def issue_search(call: Call) -> Any:
    """Issues and pull requests that match; no more than the first thousand can be read."""
    try:
        found = search(
            call.world,
            call.text("q"),
            call.text("sort") or None,
            is_descending=call.text("order", "desc") == "desc",
        )
    except BadQueryError as error:
        raise Refusal(422, f"Validation Failed: {error}") from error
    number, size = page_asked(call.request.query_params)
    if (number - 1) * size >= SEARCH_CAP:
        raise Refusal(422, "Only the first 1000 search results are available")
    repositories = {repository.id: repository for repository in call.world.repositories()}
    items = [
        call.payloads.issue(repositories[thing.repository_id], thing)
        | {"score": 1.0, "body": thing.body}
        for thing in call.page(found, "/search/issues", SEARCH_CAP)
    ]
    return {
        "total_count": len(found),
        "incomplete_results": False,
        "items": items,
        "search_type": "lexical",
    }


def pulls(call: Call, repository: Repository) -> Any:
    """Pull requests; there is no `since`."""
    state, sort = call.text("state", "open"), call.text("sort", "created")
    direction = call.text("direction", "desc" if sort == "created" else "asc")
    head, base = call.text("head").rpartition(":")[2], call.text("base")
    found = [
        change
        for change in call.world.things(
            CHANGE_REQUESTS,
            repository.id,
            "updated_at" if sort == "updated" else "created_at",
            is_descending=direction == "desc",
        )
        if state in {"all", "open" if change.state == "open" else "closed"}
        and head in {"", change.head_branch}
        and base in {"", change.base_branch}
    ]
    page = call.page_of(repository, found, "/pulls")
    return [call.payloads.pull_request(repository, change) for change in page]


def pull(call: Call, repository: Repository) -> Any:
    """One pull request."""
    return call.payloads.whole_pull_request(repository, _change(call, repository))


def reviews(call: Call, repository: Repository) -> Any:
    """Reviews of a pull request, oldest first."""
    change = _change(call, repository)
    found = call.page_of(repository, list(change.reviews), f"/pulls/{change.number}/reviews")
    return [call.payloads.review(repository, change, review) for review in found]


def pull_commits(call: Call, repository: Repository) -> Any:
    """Commits of a pull request, oldest first, at most 250."""
    change = _change(call, repository)
    shas = list(change.commit_shas)
    found = call.page_of(repository, shas, f"/pulls/{change.number}/commits", 250)
    return [call.payloads.commit(repository, call.world.commit(sha)) for sha in found]


def deployments(call: Call, repository: Repository) -> Any:
    """Deployments, newest first; there is no `since`."""
    environment, sha, ref = call.text("environment"), call.text("sha"), call.text("ref")
    found = [
        deployment
        for deployment in call.world.things(DEPLOYMENTS, repository.id, is_descending=True)
        if environment in {"", deployment.environment}
        and sha in {"", deployment.sha}
        and ref in {"", deployment.ref}
    ]
    page = call.page_of(repository, found, "/deployments")
    return [call.payloads.deployment(repository, deployment) for deployment in page]


def deployment_statuses(call: Call, repository: Repository) -> Any:
    """Statuses of a deployment, newest first."""
    deployment = _one(call, repository, DEPLOYMENTS, "deployment_id")
    newest_first = list(reversed(deployment.statuses))
    page = call.page_of(repository, newest_first, f"/deployments/{deployment.id}/statuses")
    return [call.payloads.deployment_status(repository, deployment, status) for status in page]


def runs(call: Call, repository: Repository) -> Any:
    """Workflow runs, newest first; with any filter only the first thousand can be read."""
    is_filtered = any(call.text(name) for name in _RUN_FILTERS)
    try:
        is_within = time_window(call.text("created")) if call.text("created") else lambda _: True
    except BadQueryError as error:
        raise Refusal(422, f"Validation Failed: {error}") from error
    branch, event, sha = call.text("branch"), call.text("event"), call.text("head_sha")
    status, actor = call.text("status"), call.text("actor")
    logins = {account.id: account.login for account in call.world.organisation.accounts}
    found = [
        run
        for run in call.world.things(RUNS, repository.id, is_descending=True)
        if is_within(run.created_at)
        and branch in {"", run.head_branch}
        and event in {"", run.event}
        and sha in {"", run.head_sha}
        and status in {"", run.status, run.conclusion}
        and actor in {"", logins.get(run.actor_account_id or 0)}
    ]
    page = call.page_of(repository, found, "/actions/runs", RUN_CAP if is_filtered else None)
    listed = [call.payloads.run(repository, run) for run in page]
    return {"total_count": len(found), "workflow_runs": listed}


def jobs(call: Call, repository: Repository) -> Any:
    """Jobs of a run's newest attempt."""
    run = _one(call, repository, RUNS, "run_id")
    page = call.page_of(repository, list(run.jobs), f"/actions/runs/{run.id}/jobs")
    listed = [call.payloads.job(repository, run, job) for job in page]
    return {"total_count": len(run.jobs), "jobs": listed}


def issues(call: Call, repository: Repository) -> Any:
    """Issues and pull requests, by `since` those updated at or after it."""
    since = call.text("since")
    start = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
    state = call.text("state", "open")
    field = "updated_at" if call.text("sort") == "updated" else "created_at"
    every: list[Issue | ChangeRequest] = [
        *call.world.things(ISSUES, repository.id),
        *call.world.things(CHANGE_REQUESTS, repository.id),
    ]
    found = [
        thing
        for thing in every
        if thing.updated_at >= start
        and state in {"all", "open" if thing.state == "open" else "closed"}
    ]
    found.sort(key=attrgetter(field, "id"), reverse=call.text("direction", "desc") == "desc")
    page = call.page_of(repository, found, "/issues")
    return [call.payloads.issue(repository, thing) for thing in page]


def releases(call: Call, repository: Repository) -> Any:
    """Releases, newest first."""
    found = call.world.things(RELEASES, repository.id, is_descending=True)
    page = call.page_of(repository, found, "/releases")
    return [call.payloads.release(repository, release) for release in page]


def _change(call: Call, repository: Repository) -> ChangeRequest:
    number = call.number("number")
    change = call.world.one(CHANGE_REQUESTS, repository.id, number, "number")
    if change is None:
        raise Refusal(404, "Not Found")
    return change


def _one(call: Call, repository: Repository, kind: Kind[Thing], name: str) -> Thing:
    thing = call.world.one(kind, repository.id, call.number(name))
    if thing is None:
        raise Refusal(404, "Not Found")
    return thing


GENERAL: dict[str, Handler] = {
    "/meta": lambda _: {"verifiable_password_authentication": False},
    "/rate_limit": rate_limit,
    "/user": user,
    "/search/issues": issue_search,
}
OF_ORGANISATION: dict[str, Handler] = {
    "": lambda call: call.payloads.organisation(),
    "/repos": organisation_repositories,
    "/teams": teams,
    "/teams/{team}/members": team_members,
    "/team/{team}/members": team_members,
    "/members": members,
}
OF_REPOSITORY: dict[str, RepositoryHandler] = {
    "": lambda call, repository: call.payloads.repository(repository),
    "/pulls": pulls,
    "/pulls/{number:int}": pull,
    "/pulls/{number:int}/reviews": reviews,
    "/pulls/{number:int}/commits": pull_commits,
    "/deployments": deployments,
    "/deployments/{deployment_id:int}/statuses": deployment_statuses,
    "/actions/runs": runs,
    "/actions/runs/{run_id:int}/jobs": jobs,
    "/issues": issues,
    "/releases": releases,
}
