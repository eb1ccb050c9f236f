"""The whole sandbox runs as servers: GitHub, Git and Jira, in this process and in its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from sandbox.faults import Fault, Rule
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.server import Sandbox

END = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small generated organisation."""
    return build_organisation(engineers=6, months=2, end=END)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Git repositories are written, once."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture
def sandbox(organisation: Organisation, folder: Path) -> Iterator[Sandbox]:
    """The running sandbox."""
    with Sandbox(organisation, folder) as sandbox:
        yield sandbox


def get(sandbox: Sandbox, path: str) -> httpx.Response:
    """GitHub's answer to a path."""
    headers = {"authorization": f"Bearer {sandbox.token}"}
    return httpx.get(sandbox.github_url + path, headers=headers, trust_env=False)


def git(sandbox: Sandbox, *arguments: str, token: str | None = None) -> str:
    """What git prints; the token is in a header, nothing is asked for."""
    secret = token if token is not None else sandbox.token
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(sandbox.folder),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ASKPASS": "true",
        "no_proxy": "*",
    }
    bearer = f"http.extraHeader=Authorization: Bearer {secret}"
    return subprocess.run(
        ["git", "-c", bearer, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_api_and_git_agree(sandbox: Sandbox) -> None:
    """What GraphQL says of branches and tags is what git finds at the clone's address."""
    repository = max(sandbox.organisation.repositories, key=lambda one: len(one.tags))
    query = """query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
        url heads: refs(refPrefix: "refs/heads/", first: 100) { nodes { name target { oid } } }
        tags: refs(refPrefix: "refs/tags/", first: 100) { nodes { name target { oid } } } } }"""
    found = httpx.post(
        f"{sandbox.github_url}/graphql",
        headers={"authorization": f"Bearer {sandbox.token}"},
        json={"query": query, "variables": {"owner": repository.owner, "name": repository.name}},
        trust_env=False,
    ).json()["data"]["repository"]
    said = {
        f"refs/{kind}/{node['name']}": node["target"]["oid"]
        for kind in ("heads", "tags")
        for node in found[kind]["nodes"]
    }
    listed = git(sandbox, "ls-remote", "--heads", "--tags", "--refs", found["url"] + ".git")
    real = {name: sha for sha, name in (line.split("\t") for line in listed.splitlines())}
    assert said == real
    assert any(name.startswith("refs/tags/") for name in said)


def test_git_needs_the_token(sandbox: Sandbox) -> None:
    """A wrong token opens no repository."""
    repository = sandbox.organisation.repositories[0]
    url = f"{sandbox.github_url}/{repository.full_name}.git"
    assert git(sandbox, "ls-remote", url)
    with pytest.raises(subprocess.CalledProcessError):
        git(sandbox, "ls-remote", url, token="wrong")


def test_requests_to_git_are_logged_too(sandbox: Sandbox, tmp_path: Path) -> None:
    """A clone shows in the log beside the API's requests."""
    repository = sandbox.organisation.repositories[0]
    url = f"{sandbox.github_url}/{repository.full_name}.git"
    get(sandbox, "/meta")
    git(sandbox, "clone", "--quiet", "--bare", "--filter=blob:none", url, str(tmp_path / "clone"))
    paths = [seen.path for seen in sandbox.requests if seen.status == 200]
    assert paths[0] == "/meta"
    assert any("info/refs" in path for path in paths[1:])
    assert any(path.endswith("git-upload-pack") for path in paths[1:])


def test_faults_strike_while_it_runs(sandbox: Sandbox) -> None:
    """Rules can be set and cleared on the running sandbox, a reset included."""
    sandbox.faults.set(Rule(fault=Fault.UNAVAILABLE))
    assert get(sandbox, "/meta").status_code == 503
    sandbox.faults.set(Rule(fault=Fault.RESET))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        get(sandbox, "/meta")
    sandbox.faults.clear()
    assert get(sandbox, "/meta").status_code == 200
    sandbox.jira_faults.set(Rule(fault=Fault.TOO_MANY_REQUESTS))
    assert httpx.get(sandbox.jira_url, trust_env=False).status_code == 429


def test_one_clock_moves_both_vendors(organisation: Organisation, folder: Path) -> None:
    """Seen from earlier there is less; moving the world brings the rest."""
    with Sandbox(organisation, folder, visible_until=END - timedelta(days=20)) as sandbox:
        credentials = (sandbox.jira.email, sandbox.jira.token)

        def counts() -> tuple[int, int]:
            query = f"org:{organisation.login} is:pr"
            pulls = get(sandbox, f"/search/issues?q={query.replace(' ', '%20')}").json()
            tickets = httpx.post(
                f"{sandbox.jira_url}/rest/api/3/search/approximate-count",
                json={"jql": "created > 0"},
                auth=credentials,
                trust_env=False,
            ).json()
            return pulls["total_count"], tickets["count"]

        early = counts()
        sandbox.world.visible_until = END
        late = counts()
    assert 0 < early[0] < late[0] == sum(len(r.change_requests) for r in organisation.repositories)
    assert 0 < early[1] < late[1] == len(organisation.ticket_site.tickets)


def test_written_repositories_are_used_again(organisation: Organisation, folder: Path) -> None:
    """The same organisation finds its repositories there; another one is refused."""
    with Sandbox(organisation, folder):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("packed-refs")}
    with Sandbox(organisation, folder):
        assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("packed-refs")}
    other = build_organisation(engineers=6, months=1, end=END)
    with pytest.raises(FileExistsError), Sandbox(other, folder):
        pytest.fail("it must not start")


def test_the_truth_is_at_hand(sandbox: Sandbox) -> None:
    """Outcomes of deployments and changes come with the sandbox, as frames."""
    assert sandbox.truth.deployments.height == len(sandbox.organisation.deployment_outcomes)
    assert "shipped" in set(sandbox.truth.changes["relation"])


def test_leaving_frees_ports_and_threads(organisation: Organisation, folder: Path) -> None:
    """After the block nothing listens any more."""
    with Sandbox(organisation, folder) as sandbox:
        port = int(sandbox.github_url.rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_own_process_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    """`python -m sandbox` says where it is, answers, and exits with 0 when told to stop."""
    command = [sys.executable, "-m", "sandbox", "--engineers", "2", "--months", "1"]
    command += ["--end", "2026-11-01", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            headers = {"authorization": f"Bearer {said['github_token']}"}
            url = f"{said['github_url']}/orgs/{said['organisation']}"
            assert httpx.get(url, headers=headers, trust_env=False).status_code == 200
            process.send_signal(number)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
