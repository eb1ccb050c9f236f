"""Real git talks to the sandbox's Git server over HTTP on loopback."""

import base64
import gzip
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from sandbox.forge import Repository
from sandbox.generate import build_organisation
from sandbox.git_http import git_app
from sandbox.organisation import Organisation
from sandbox.repositories import references, write_repositories
from sandbox.serving import Server
from sandbox.world import World

TOKEN = "one-two-three"
AUTHORIZATION = "Basic " + base64.b64encode(f"anyone:{TOKEN}".encode()).decode()


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small organisation."""
    return build_organisation(engineers=5, months=3, end=datetime(2026, 6, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def paths(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Its repositories, written."""
    return write_repositories(organisation, tmp_path_factory.mktemp("git"))


@pytest.fixture
def application(organisation: Organisation, paths: dict[int, Path]) -> Starlette:
    """The server's application, with a token."""
    return git_app(World(organisation), paths, lambda header: header == AUTHORIZATION)


@pytest.fixture
def url(application: Starlette) -> Iterator[str]:
    """Where it listens."""
    with Server(application) as server:
        yield server.url


@pytest.fixture
def repository(organisation: Organisation) -> Repository:
    """The first repository, once renamed."""
    return organisation.repositories[0]


def git(*arguments: str, header: str | None = AUTHORIZATION, protocol: int = 2) -> str:
    """What git prints, with nothing of the user's settings."""
    options = ["-c", f"protocol.version={protocol}"]
    if header is not None:
        options += ["-c", f"http.extraHeader=Authorization: {header}"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "no_proxy": "*",
    }
    done = subprocess.run(
        ["git", *options, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


@pytest.mark.parametrize("protocol", [0, 2])
def test_every_reference_is_listed(url: str, repository: Repository, protocol: int) -> None:
    """Branches and pull request heads stand at the commits of the organisation."""
    listed = git("ls-remote", f"{url}/{repository.full_name}.git", protocol=protocol)
    found = {name: sha for sha, name in (line.split("\t") for line in listed.splitlines())}
    expected = references(repository)
    assert {name: found[name] for name in expected} == expected
    assert any(name.startswith("refs/pull/") for name in expected)


def test_a_partial_clone_brings_commits_and_no_blobs(
    url: str, repository: Repository, tmp_path: Path
) -> None:
    """`--filter=blob:none` is honoured, and a later fetch of one blob by id works."""
    target = tmp_path / "clone.git"
    address = f"{url}/{repository.full_name}.git"
    git("clone", "--quiet", "--bare", "--filter=blob:none", address, str(target))
    listed = git("-C", str(target), "rev-list", "--all", "--objects", "--missing=print")
    missing = [line for line in listed.splitlines() if line.startswith("?")]
    assert missing
    blob = missing[0][1:]
    git("-C", str(target), "fetch", "--quiet", "--filter=blob:none", "origin", blob)
    assert git("-C", str(target), "cat-file", "-t", blob).strip() == "blob"


def test_a_fetch_of_pull_requests_brings_squashed_heads(
    url: str, repository: Repository, tmp_path: Path
) -> None:
    """Commits that never landed can be had through refs/pull."""
    target = tmp_path / "clone.git"
    git("clone", "--quiet", "--bare", f"{url}/{repository.full_name}.git", str(target))
    git("-C", str(target), "fetch", "--quiet", "origin", "+refs/pull/*/head:refs/pull/*/head")
    count = int(git("-C", str(target), "rev-list", "--all", "--count"))
    assert count == len(repository.commits)


def test_a_former_name_leads_to_the_present_one(
    url: str, repository: Repository, tmp_path: Path
) -> None:
    """Git follows the redirect of a renamed repository."""
    former = repository.former_full_names[0]
    answer = httpx.get(
        f"{url}/{former}.git/info/refs?service=git-upload-pack",
        headers={"authorization": AUTHORIZATION},
        trust_env=False,
    )
    assert answer.status_code == 301
    assert f"/{repository.full_name}.git/info/refs?service=" in answer.headers["location"]
    git("clone", "--quiet", "--bare", f"{url}/{former}.git", str(tmp_path / "clone"))


def test_a_wrong_token_is_refused(url: str, repository: Repository) -> None:
    """Without the token nothing is read, and git is told how to sign in."""
    address = f"{url}/{repository.full_name}.git"
    with pytest.raises(AssertionError, match=r"Authentication failed|could not read"):
        git("ls-remote", address, header=None)
    answer = httpx.get(f"{address}/info/refs?service=git-upload-pack", trust_env=False)
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")


def test_writing_and_unknown_repositories_are_refused(url: str, repository: Repository) -> None:
    """Pushing is not served; a repository that is not there is not found."""
    headers = {"authorization": AUTHORIZATION}
    address = f"{url}/{repository.full_name}.git/info/refs?service=git-receive-pack"
    assert httpx.get(address, headers=headers, trust_env=False).status_code == 403
    unknown = f"{url}/harbourline/nothing.git/info/refs?service=git-upload-pack"
    assert httpx.get(unknown, headers=headers, trust_env=False).status_code == 404


def test_packed_requests_are_read(url: str, repository: Repository) -> None:
    """A gzip body is unpacked; a body that only claims to be gzip is a bad request."""
    command = b"0014command=ls-refs\n0000"
    address = f"{url}/{repository.full_name}.git/git-upload-pack"
    headers = {
        "authorization": AUTHORIZATION,
        "git-protocol": "version=2",
        "content-encoding": "gzip",
    }
    answer = httpx.post(address, content=gzip.compress(command), headers=headers, trust_env=False)
    assert answer.headers["content-type"] == "application/x-git-upload-pack-result"
    assert b"refs/heads/" in answer.content
    broken = httpx.post(address, content=command, headers=headers, trust_env=False)
    assert broken.status_code == 400


def test_requests_are_counted(application: Starlette, url: str, repository: Repository) -> None:
    """A test can tell that Git was asked, and how often."""
    assert list(application.state.requests) == []
    git("ls-remote", f"{url}/{repository.full_name}.git")
    assert [seen.method for seen in application.state.requests] == ["GET", "POST"]
