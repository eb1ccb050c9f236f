"""REST bodies of GitHub, in the shapes of the vendor's own API description: what was done."""

from sandbox.code_scanning import TOOL, Alert
from sandbox.forge import (
    ChangeRequest,
    Commit,
    Deployment,
    DeploymentStatus,
    Issue,
    Release,
    Repository,
    Review,
    WorkflowJob,
    WorkflowRun,
)
from sandbox.github_identity import node_id, stamp, stamp_or_none
from sandbox.github_payloads import Body, Payloads


class WorkPayloads(Payloads):
    """Builds the bodies of pull requests, deployments, runs, issues and releases."""

    def pull_request(self, repository: Repository, change: ChangeRequest) -> Body:
        """A pull request as lists give it."""
        url = f"{self.repository_url(repository)}/pulls/{change.number}"
        issue = f"{self.repository_url(repository)}/issues/{change.number}"
        html = f"{self.html}/{repository.full_name}/pull/{change.number}"
        statuses = f"{self.repository_url(repository)}/statuses/{change.head_sha}"
        links = {
            "self": url,
            "html": html,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{self.repository_url(repository)}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": statuses,
        }
        assignees = [self.user(account_id) for account_id in change.assignee_account_ids]
        return {
            "url": url,
            "id": change.id,
            "node_id": node_id("PR", change.id),
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue,
            "number": change.number,
            "state": "open" if change.state == "open" else "closed",
            "locked": False,
            "title": change.title,
            "user": self.user_or_ghost(change.author_account_id),
            "body": change.body or None,
            "created_at": stamp(change.created_at),
            "updated_at": stamp(change.updated_at),
            "closed_at": stamp_or_none(change.closed_at),
            "merged_at": stamp_or_none(change.merged_at),
            "merge_commit_sha": change.merge_sha,
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "requested_reviewers": [],
            "requested_teams": [],
            "labels": [self.label(repository, name) for name in change.labels],
            "milestone": None,
            "draft": change.is_draft,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": statuses,
            "head": self._side(repository, change.head_branch, change.head_sha),
            "base": self._side(repository, change.base_branch, change.base_sha),
            "_links": {name: {"href": link} for name, link in links.items()},
            "author_association": "MEMBER",
            "auto_merge": None,
            "active_lock_reason": None,
        }

    def whole_pull_request(self, repository: Repository, change: ChangeRequest) -> Body:
        """A pull request as its own address gives it, with sizes and who merged."""
        is_merged = change.merged_at is not None
        return self.pull_request(repository, change) | {
            "merged": is_merged,
            "mergeable": None if is_merged else True,
            "rebaseable": None if is_merged else True,
            "mergeable_state": "unknown" if is_merged else "clean",
            "merged_by": self.user(change.merged_by_account_id) if is_merged else None,
            "comments": 0,
            "review_comments": sum(review.comment_count for review in change.reviews),
            "maintainer_can_modify": False,
            "commits": len(change.commit_shas),
            "additions": change.additions,
            "deletions": change.deletions,
            "changed_files": change.changed_files,
        }

    def review(self, repository: Repository, change: ChangeRequest, review: Review) -> Body:
        """A submitted review."""
        url = f"{self.repository_url(repository)}/pulls/{change.number}"
        html = f"{self.html}/{repository.full_name}/pull/{change.number}"
        link = f"{html}#pullrequestreview-{review.id}"
        return {
            "id": review.id,
            "node_id": node_id("PRR", review.id),
            "user": self.user(review.author_account_id),
            "body": review.body,
            "state": review.state,
            "html_url": link,
            "pull_request_url": url,
            "author_association": "MEMBER",
            "_links": {"html": {"href": link}, "pull_request": {"href": url}},
            "submitted_at": stamp(review.submitted_at),
            "commit_id": review.commit_sha,
        }

    def issue(self, repository: Repository, issue: Issue | ChangeRequest) -> Body:
        """An issue; a pull request is one too, and says so by its key `pull_request`."""
        is_request = isinstance(issue, ChangeRequest)
        base = self.repository_url(repository)
        url = f"{base}/issues/{issue.number}"
        page = f"{self.html}/{repository.full_name}"
        assignees = [self.user(account_id) for account_id in issue.assignee_account_ids]
        body: Body = {
            "url": url,
            "repository_url": base,
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "timeline_url": f"{url}/timeline",
            "html_url": f"{page}/{'pull' if is_request else 'issues'}/{issue.number}",
            "id": issue.id,
            "node_id": node_id("PR" if is_request else "I", issue.id),
            "number": issue.number,
            "title": issue.title,
            "user": self.user_or_ghost(issue.author_account_id),
            "labels": [self.label(repository, name) for name in issue.labels],
            "state": "open" if issue.state == "open" else "closed",
            "state_reason": "completed" if issue.state == "closed" and not is_request else None,
            "locked": False,
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "milestone": None,
            "comments": 0 if isinstance(issue, ChangeRequest) else issue.comment_count,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": stamp_or_none(issue.closed_at),
            "author_association": "MEMBER",
            "active_lock_reason": None,
            "body": issue.body or None,
        }
        if isinstance(issue, ChangeRequest):
            html = f"{page}/pull/{issue.number}"
            body["draft"] = issue.is_draft
            body["pull_request"] = {
                "url": f"{base}/pulls/{issue.number}",
                "html_url": html,
                "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch",
                "merged_at": stamp_or_none(issue.merged_at),
            }
        return body

    def deployment(self, repository: Repository, deployment: Deployment) -> Body:
        """One attempt to deploy."""
        base = self.repository_url(repository)
        url = f"{base}/deployments/{deployment.id}"
        return {
            "url": url,
            "id": deployment.id,
            "node_id": node_id("DE", deployment.id),
            "task": deployment.task,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description or None,
            "created_at": stamp(deployment.created_at),
            "updated_at": stamp(deployment.updated_at),
            "statuses_url": f"{url}/statuses",
            "repository_url": base,
            "creator": self.user(deployment.creator_account_id),
            "sha": deployment.sha,
            "ref": deployment.ref,
            "payload": {},
            "transient_environment": False,
            "production_environment": deployment.environment_class == "production",
            "performed_via_github_app": None,
        }

    def deployment_status(
        self, repository: Repository, deployment: Deployment, status: DeploymentStatus
    ) -> Body:
        """One state a deployment went through."""
        base = self.repository_url(repository)
        url = f"{base}/deployments/{deployment.id}"
        log = f"{self.html}/{repository.full_name}/actions/runs/{deployment.run_id or 0}"
        return {
            "url": f"{url}/statuses/{status.id}",
            "id": status.id,
            "node_id": node_id("DES", status.id),
            "state": status.state,
            "creator": self.user(status.creator_account_id),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": log,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "deployment_url": url,
            "repository_url": base,
            "log_url": log,
            "performed_via_github_app": None,
        }

    def run(self, repository: Repository, run: WorkflowRun) -> Body:
        """A run of a workflow, the newest attempt."""
        base = self.repository_url(repository)
        url = f"{base}/actions/runs/{run.id}"
        suite = run.id + 1
        commit = self.world.commit(run.head_sha)
        actor = self.user_or_ghost(run.actor_account_id)
        return {
            "id": run.id,
            "name": run.name,
            "node_id": node_id("WFR", run.id),
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
            "path": run.path,
            "display_title": commit.text.splitlines()[0] if commit.text else run.name,
            "run_number": run.number,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": run.workflow_id,
            "check_suite_id": suite,
            "check_suite_node_id": node_id("CS", suite),
            "url": url,
            "html_url": f"{self.html}/{repository.full_name}/actions/runs/{run.id}",
            "pull_requests": [],
            "created_at": stamp(run.created_at),
            "updated_at": stamp(run.updated_at),
            "actor": actor,
            "run_attempt": run.attempt,
            "referenced_workflows": [],
            "run_started_at": stamp(run.started_at),
            "triggering_actor": actor,
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{base}/check-suites/{suite}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}"
            if run.attempt > 1
            else None,
            "workflow_url": f"{base}/actions/workflows/{run.workflow_id}",
            "head_commit": _head_commit(commit),
            "repository": self.short_repository(repository),
            "head_repository": self.short_repository(repository),
        }

    def job(self, repository: Repository, run: WorkflowRun, job: WorkflowJob) -> Body:
        """One job of a run."""
        base = self.repository_url(repository)
        url = f"{base}/actions/runs/{run.id}"
        return {
            "id": job.id,
            "run_id": run.id,
            "workflow_name": run.name,
            "head_branch": run.head_branch,
            "run_url": url,
            "run_attempt": run.attempt,
            "node_id": node_id("CR", job.id),
            "head_sha": run.head_sha,
            "url": f"{base}/actions/jobs/{job.id}",
            "html_url": f"{self.html}/{repository.full_name}/actions/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": stamp(job.created_at),
            "started_at": stamp(job.started_at),
            "completed_at": stamp_or_none(job.completed_at),
            "name": job.name,
            "steps": [],
            "check_run_url": f"{base}/check-runs/{job.id}",
            "labels": list(job.runner_labels),
            "runner_id": 1,
            "runner_name": job.runner_name,
            "runner_group_id": 1,
            "runner_group_name": "Default",
        }

    def release(self, repository: Repository, release: Release) -> Body:
        """One release on a tag."""
        base = self.repository_url(repository)
        url = f"{base}/releases/{release.id}"
        return {
            "url": url,
            "assets_url": f"{url}/assets",
            "upload_url": f"{url}/assets{{?name,label}}",
            "html_url": f"{self.html}/{repository.full_name}/releases/tag/{release.tag}",
            "id": release.id,
            "author": self.user_or_ghost(release.author_account_id),
            "node_id": node_id("RE", release.id),
            "tag_name": release.tag,
            "target_commitish": release.target,
            "name": release.name,
            "draft": release.is_draft,
            "immutable": False,
            "prerelease": release.is_prerelease,
            "created_at": stamp(release.created_at),
            "updated_at": stamp(release.published_at),
            "published_at": stamp(release.published_at),
            "assets": [],
            "tarball_url": f"{base}/tarball/{release.tag}",
            "zipball_url": f"{base}/zipball/{release.tag}",
            "body": release.body,
        }

    def alert(self, repository: Repository, alert: Alert) -> Body:
        """One alert of code scanning, as lists give it."""
        url = f"{self.repository_url(repository)}/code-scanning/alerts/{alert.number}"
        html = f"{self.html}/{repository.full_name}/security/code-scanning/{alert.number}"
        rule, severity, description = alert.rule
        ref = f"refs/heads/{repository.default_branch}"
        is_dismissed = alert.state == "dismissed"
        changed = stamp(alert.updated_at)
        return {
            "number": alert.number,
            "created_at": stamp(alert.created_at),
            "updated_at": changed,
            "url": url,
            "html_url": html,
            "instances_url": f"{url}/instances",
            "state": alert.state,
            "fixed_at": changed if alert.state == "fixed" else None,
            "dismissed_by": self.user_or_ghost(alert.dismissed_by) if is_dismissed else None,
            "dismissed_at": changed if is_dismissed else None,
            "dismissed_reason": "won't fix" if is_dismissed else None,
            "dismissed_comment": None,
            "rule": {
                "id": rule,
                "name": rule,
                "severity": severity,
                "description": description,
                "tags": ["security"],
            },
            "tool": {"name": TOOL, "guid": None, "version": "2.23.1"},
            "most_recent_instance": {
                "ref": ref,
                "analysis_key": ".github/workflows/codeql.yml:analyze",
                "environment": "{}",
                "category": "/language:python",
                "state": alert.state,
                "commit_sha": alert.commit_sha,
                "message": {"text": f"{description}."},
                "location": {
                    "path": alert.path,
                    "start_line": alert.line,
                    "end_line": alert.line,
                    "start_column": 1,
                    "end_column": 9,
                },
                "classifications": [],
            },
        }

    def _side(self, repository: Repository, branch: str, sha: str) -> Body:
        owner = self.repository(repository)
        return {
            "label": f"{repository.owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": owner["owner"],
            "repo": owner,
        }


def _head_commit(commit: Commit) -> Body:
    return {
        "id": commit.sha,
        "tree_id": commit.tree_sha,
        "message": commit.text,
        "timestamp": stamp(commit.committer.at),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }
