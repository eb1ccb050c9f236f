"""REST bodies of GitHub, in the shapes of the vendor's own API description: who and where."""

from datetime import datetime
from typing import Any

from sandbox.forge import Commit, Repository, Signature
from sandbox.github_identity import GHOST_ID, account_node_id, node_id, stamp
from sandbox.staff import Account, Team
from sandbox.world import CHANGE_REQUESTS, ISSUES, World

Body = dict[str, Any]

_REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}
_SHORT = (
    *("id", "node_id", "name", "full_name", "private", "owner"),
    *("html_url", "description", "fork", "url"),
)
_USER_LINKS = {
    "events_url": "events{/privacy}",
    "followers_url": "followers",
    "following_url": "following{/other_user}",
    "gists_url": "gists{/gist_id}",
    "organizations_url": "orgs",
    "received_events_url": "received_events",
    "repos_url": "repos",
    "starred_url": "starred{/owner}{/repo}",
    "subscriptions_url": "subscriptions",
}


class Payloads:
    """Builds bodies for one base address: `api` is where REST lives, `html` where people look."""

    def __init__(self, world: World, api: str, html: str) -> None:
        self.world = world
        self.api = api
        self.html = html
        self._users: dict[int, Body] = {}
        self._repositories: dict[int, tuple[datetime, Body]] = {}
        self._short_repositories: dict[int, tuple[datetime, Body]] = {}

    def user(self, account_id: int | None) -> Body | None:
        """A simple user, or nothing for a ghost."""
        account = self.world.account(account_id)
        if account is None:
            return None
        if account.id not in self._users:
            kind = "Bot" if account.is_bot else "User"
            self._users[account.id] = self._owner(
                account.id, account.login, kind, account_node_id(account)
            ) | {"site_admin": account.is_site_admin}
        return self._users[account.id]

    def user_or_ghost(self, account_id: int | None) -> Body:
        """A simple user; a deleted one shows as the account named ghost."""
        return self.user(account_id) or self._owner(
            GHOST_ID, "ghost", "User", node_id("U", GHOST_ID)
        )

    def whole_user(self, account: Account) -> Body:
        """The profile of a user, as /user and /users answer it."""
        simple = self.user(account.id) or {}
        return simple | {
            "name": account.name,
            "company": None,
            "blog": "",
            "location": None,
            "email": account.email,
            "hireable": None,
            "bio": None,
            "twitter_username": None,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": stamp(account.created_at),
            "updated_at": stamp(account.updated_at),
            "user_view_type": "public",
        }

    def organisation(self) -> Body:
        """The organisation's profile."""
        organisation = self.world.organisation
        url = f"{self.api}/orgs/{organisation.login}"
        repositories = self.world.repositories()
        return {
            "login": organisation.login,
            "id": organisation.id,
            "node_id": node_id("O", organisation.id),
            "url": url,
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks",
            "issues_url": f"{url}/issues",
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "avatar_url": f"{self.html}/avatars/{organisation.id}",
            "description": None,
            "name": organisation.name,
            "html_url": f"{self.html}/{organisation.login}",
            "has_organization_projects": True,
            "has_repository_projects": True,
            "public_repos": sum(one.visibility == "public" for one in repositories),
            "public_gists": 0,
            "total_private_repos": sum(one.visibility != "public" for one in repositories),
            "owned_private_repos": sum(one.visibility != "public" for one in repositories),
            "followers": 0,
            "following": 0,
            "type": "Organization",
            "created_at": stamp(organisation.started_at),
            "updated_at": stamp(organisation.started_at),
            "archived_at": None,
        }

    def repository(self, repository: Repository) -> Body:
        """A repository with all fields both the short and the full shape ask for."""
        moment = self.world.visible_until
        kept = self._repositories.get(repository.id)
        if kept is None or kept[0] != moment:
            kept = self._repositories[repository.id] = (moment, self._repository(repository))
        return kept[1]

    def short_repository(self, repository: Repository) -> Body:
        """A repository as it stands inside a workflow run."""
        moment = self.world.visible_until
        kept = self._short_repositories.get(repository.id)
        if kept is None or kept[0] != moment:
            whole = self.repository(repository)
            body = {name: whole[name] for name in (*_SHORT, *_REPOSITORY_LINKS)}
            kept = self._short_repositories[repository.id] = (moment, body)
        return kept[1]

    def repository_url(self, repository: Repository) -> str:
        """The address of a repository in the API."""
        return f"{self.api}/repos/{repository.full_name}"

    def team(self, team: Team) -> Body:
        """A team with its parent."""
        parents = {other.id: other for other in self.world.teams()}
        parent = parents.get(team.parent_id) if team.parent_id is not None else None
        return self._team(team) | {"parent": self._team(parent) if parent else None}

    def commit(self, repository: Repository, commit: Commit) -> Body:
        """A commit with the accounts its addresses belong to."""
        url = self.repository_url(repository)
        html = f"{self.html}/{repository.full_name}"
        return {
            "sha": commit.sha,
            "node_id": node_id("C", commit.sha),
            "url": f"{url}/commits/{commit.sha}",
            "html_url": f"{html}/commit/{commit.sha}",
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "author": self.user(commit.author_account_id),
            "committer": self.user(commit.committer_account_id),
            "parents": [
                {
                    "sha": parent,
                    "url": f"{url}/commits/{parent}",
                    "html_url": f"{html}/commit/{parent}",
                }
                for parent in commit.parents
            ],
            "commit": {
                "author": _signature(commit.author),
                "committer": _signature(commit.committer),
                "message": commit.text,
                "tree": {"sha": commit.tree_sha, "url": f"{url}/git/trees/{commit.tree_sha}"},
                "url": f"{url}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
        }

    def label(self, repository: Repository, name: str) -> Body:
        """A label; its number is made from its name and repository."""
        number = repository.id * 1000 + sum(name.encode()) % 1000
        return {
            "id": number,
            "node_id": node_id("LA", number),
            "url": f"{self.repository_url(repository)}/labels/{name.replace(' ', '%20')}",
            "name": name,
            "color": "ededed",
            "default": False,
            "description": "",
        }

    def _owner(self, number: int, login: str, kind: str, global_id: str) -> Body:
        url = f"{self.api}/users/{login.replace('[', '%5B').replace(']', '%5D')}"
        return {
            "login": login,
            "id": number,
            "node_id": global_id,
            "avatar_url": f"{self.html}/avatars/{number}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.html}/{login.removesuffix('[bot]')}",
            **{name: f"{url}/{path}" for name, path in _USER_LINKS.items()},
            "type": kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def _team(self, team: Team) -> Body:
        organisation = self.world.organisation
        url = f"{self.api}/organizations/{organisation.id}/team/{team.id}"
        return {
            "id": team.id,
            "node_id": node_id("T", team.id),
            "name": team.name,
            "slug": team.slug,
            "description": team.description,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "pull",
            "url": url,
            "html_url": f"{self.html}/orgs/{organisation.login}/teams/{team.slug}",
            "members_url": f"{url}/members{{/member}}",
            "repositories_url": f"{url}/repos",
            "type": "organization",
            "organization_id": organisation.id,
        }

    def _repository(self, repository: Repository) -> Body:
        organisation = self.world.organisation
        url = self.repository_url(repository)
        html = f"{self.html}/{repository.full_name}"
        host = self.html.split("://", 1)[-1]
        open_count = sum(
            change.state == "open" for change in self.world.things(CHANGE_REQUESTS, repository.id)
        ) + sum(issue.state == "open" for issue in self.world.things(ISSUES, repository.id))
        return {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "owner": self._owner(
                organisation.id, repository.owner, "Organization", node_id("O", organisation.id)
            ),
            "private": repository.visibility != "public",
            "visibility": repository.visibility,
            "description": repository.description,
            "fork": repository.is_fork,
            "url": url,
            "html_url": html,
            "git_url": f"git://{host}/{repository.full_name}.git",
            "ssh_url": f"git@{host}:{repository.full_name}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            "mirror_url": None,
            "homepage": None,
            **{name: f"{url}/{path}" for name, path in _REPOSITORY_LINKS.items()},
            "language": repository.language,
            "forks": 0,
            "forks_count": 0,
            "stargazers_count": 0,
            "watchers": 0,
            "watchers_count": 0,
            "subscribers_count": 0,
            "network_count": 0,
            "size": len(repository.commits),
            "default_branch": repository.default_branch,
            "open_issues": open_count,
            "open_issues_count": open_count,
            "is_template": repository.is_template,
            "topics": [],
            "has_issues": True,
            "has_projects": True,
            "has_wiki": False,
            "has_pages": False,
            "has_downloads": True,
            "has_discussions": False,
            "archived": repository.archived_at is not None,
            "disabled": False,
            "license": None,
            "allow_forking": True,
            "web_commit_signoff_required": False,
            "permissions": {
                "admin": False,
                "maintain": False,
                "push": False,
                "triage": False,
                "pull": True,
            },
            "pushed_at": stamp(repository.pushed_at),
            "created_at": stamp(repository.created_at),
            "updated_at": stamp(repository.updated_at),
        }


def _signature(signature: Signature) -> Body:
    return {"name": signature.name, "email": signature.email, "date": stamp(signature.at)}
