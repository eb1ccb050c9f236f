"""A controller that answers from jobs which tests change, with a root URL nobody reaches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from sandbox.jenkins_tree import parse_tree, pruned
from tests.connectors.web import Asked, Reply

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
BRANCHES = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FREESTYLE = "hudson.model.FreeStyleProject"
START = 1_780_000_000_000
MINUTE = 60_000


def build(number: int, minute: int | None = None, **more: Any) -> dict[str, Any]:
    """A build that took a minute, of a pipeline."""
    at = START + (number if minute is None else minute) * MINUTE
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "number": number,
        "queueId": at // MINUTE,
        "timestamp": at,
        "duration": MINUTE,
        "result": "SUCCESS",
        "building": False,
        "actions": [],
        **more,
    }


def running(number: int, minute: int | None = None) -> dict[str, Any]:
    """A build that is under way."""
    return build(number, minute, duration=0, result=None, building=True)


def checkout(remote: str, sha: str, branch: str) -> dict[str, Any]:
    """What git hangs on a build."""
    return {
        "lastBuiltRevision": {"SHA1": sha, "branch": [{"SHA1": sha, "name": branch}]},
        "remoteUrls": [remote],
    }


@dataclass
class Controller:
    """`jobs` holds builds (oldest first) by the job's path of names, folders in between."""

    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[int, list[Any]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"x-jenkins": "2.516.2"})
    is_anonymous: bool = False
    before: Callable[[str], None] = lambda _: None

    def answer(self, asked: Asked) -> Reply:
        """As the vendor does."""
        parts = urlsplit(asked.path)
        self.before(unquote(asked.path))
        found = self._found(parts.path, parse_qs(parts.query).get("tree", ["name"])[0])
        if found is None:
            return Reply(404, b"<html>Not found</html>", self.headers)
        return Reply(200, found, self.headers)

    def _found(self, path: str, tree: str) -> Any:
        if path == "/whoAmI/api/json":
            return {"name": "ada", "anonymous": self.is_anonymous}
        if path.startswith("/user/"):
            told = self.users.get(unquote(path.split("/")[2]))
            return None if told is None else pruned(told, parse_tree(tree))
        steps = [unquote(step) for step in path.strip("/").split("/")]
        names = []
        while len(steps) >= 2 and steps[0] == "job":
            names.append(steps[1])
            steps = steps[2:]
        name = "/".join(names)
        if steps and steps[0].isdigit():
            return self._of_build(name, int(steps[0]), steps[1:], tree)
        if steps != ["api", "json"]:
            return None
        thing = self._thing(names)
        return None if thing is None else pruned(thing, parse_tree(tree))

    def _of_build(self, name: str, number: int, steps: list[str], tree: str) -> Any:
        builds = [each for each in self.jobs.get(name, []) if each["number"] == number]
        if not builds:
            return None
        if steps == ["api", "json"]:
            return pruned(builds[-1], parse_tree(tree))
        told = self.stages.get(number)
        return None if told is None else {"id": str(number), "stages": told}

    def _thing(self, names: list[str]) -> dict[str, Any] | None:
        name = "/".join(names)
        address = "".join(f"job/{quote(each, safe='')}/" for each in names)
        shared = {
            "name": names[-1] if names else "",
            "url": f"https://jenkins.internal.example/{address}",
        }
        if name in self.jobs:
            newest = self.jobs[name][::-1]
            return {
                "_class": self.kinds.get(name, PIPELINE),
                **shared,
                "lastBuild": newest[0] if newest else None,
                "allBuilds": newest,
            }
        below = {
            job.split("/")[len(names)]
            for job in self.jobs
            if not names or job.startswith(name + "/")
        }
        if not below and names:
            return None
        members = sorted(below)
        return {
            "_class": self.kinds.get(name, FOLDER),
            **shared,
            "jobs": lambda: [self._thing([*names, each]) for each in members],
        }
