"""The tools of an organisation that has each from another vendor, over one world.

GitLab holds code alone. Jenkins builds, and deploys to production; Argo CD deploys to staging;
PagerDuty calls whoever is on duty.
"""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from sandbox.argocd_payloads import ArgocdSettings
from sandbox.forge import Repository
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.gitlab_view import GitlabView
from sandbox.jenkins import JenkinsSettings
from sandbox.pagerduty import PagerdutySettings
from sandbox.world import World

if TYPE_CHECKING:
    from sandbox.server import Sandbox


class ToolsBeside:
    """Serves them until the sandbox is left; `addresses` is what a reader needs to connect."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._world = sandbox.world
        self._view = GitlabView(sandbox.world, "")
        gitlab = GitlabSettings(repositories=sandbox.repositories)
        jenkins = JenkinsSettings(forge_url=sandbox.github_url)
        argocd = ArgocdSettings(forge_url=sandbox.github_url)
        pagerduty = PagerdutySettings()
        self.addresses = {
            "gitlab_url": sandbox.host("gitlab", gitlab, world=self._code()).url,
            "gitlab_token": gitlab.token,
            "jenkins_url": sandbox.host("jenkins", jenkins, world=self.seen).url,
            "jenkins_user": jenkins.user,
            "jenkins_token": jenkins.token,
            "argocd_url": sandbox.host("argocd", argocd, world=self._staging()).url,
            "argocd_token": argocd.token,
            "pagerduty_url": sandbox.host("pagerduty", pagerduty).url,
            "pagerduty_token": pagerduty.token,
        }

    @cached_property
    def seen(self) -> World:
        """Repositories by their paths at GitLab, and what is deployed to production."""

        def seen(one: Repository) -> Repository:
            live = (each for each in one.deployments if each.environment_class == "production")
            return replace(one, owner=self._view.place(one).full_path, deployments=tuple(live))

        own = self._world.organisation
        return self._world.seen_as(replace(own, repositories=tuple(map(seen, own.repositories))))

    def _code(self) -> World:
        own = self._world.organisation
        bare = (replace(one, runs=(), deployments=()) for one in own.repositories)
        return self._world.seen_as(replace(own, repositories=tuple(bare)))

    def _staging(self) -> World:
        own = self._world.organisation
        staged = (one for one in own.deployment_outcomes if one.environment_class == "staging")
        return self._world.seen_as(replace(own, deployment_outcomes=tuple(staged)))
