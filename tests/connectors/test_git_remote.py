"""Repositories behind an address: cloned once, fetched from then on, over real smart HTTP."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.clones import GitSource
from connectors.connector import Pull, Scope, SourceError, State
from connectors.failures import (
    ElsewhereError,
    NotFoundError,
    UnauthorisedError,
    UnreachableError,
)
from connectors.git import CommitStream, ReferenceStream
from tests.connectors.git_repositories import (
    NOW,
    START,
    GitServer,
    commit,
    git,
    new_repository,
    reading,
    serve,
)
from tests.connectors.web import Reply, serving

CANARY = "canary-7f3a'$(id)\"x"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A work tree that is pushed to the bare repository being served."""
    path = new_repository(tmp_path / "work")
    commit(path, "Begin")
    git(path, "tag", "v1")
    (tmp_path / "served").mkdir()
    git(tmp_path, "clone", "-q", "--mirror", "work", "served/shop.git")
    git(tmp_path / "served/shop.git", "config", "receive.denyDeleteCurrent", "ignore")
    git(path, "remote", "add", "served", str(tmp_path / "served/shop.git"))
    return path


@pytest.fixture
def server(tmp_path: Path, origin: Path) -> Iterator[GitServer]:
    """The server of that repository."""
    with serve(tmp_path / "served") as running:
        yield running


def _push(path: Path) -> None:
    git(path, "push", "-q", "--mirror", "served")


def test_a_remote_is_cloned_once_and_fetched_with_prune(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """Branches and tags are mirrored: what is new comes, what is gone goes."""
    world = reading(tmp_path, f"{server.address}/shop.git")
    (repository,) = world.rows("repositories")
    assert (repository["repository_key"], repository["default_branch"]) == (
        "127.0.0.1/shop",
        "main",
    )
    assert {row["name"] for row in world.rows("references")} == {"HEAD", "main", "v1"}
    assert len(world.rows("commits")) == 1
    (clone,) = world.clones.glob("*.git")
    assert not list(world.clones.glob("*.part"))
    git(origin, "tag", "-d", "v1")
    git(origin, "branch", "-m", "main", "trunk")
    second = commit(origin, "Go on", at=START + 5)
    _push(origin)
    git(tmp_path / "served/shop.git", "symbolic-ref", "HEAD", "refs/heads/trunk")
    pull = world.pull()
    assert [row["sha"] for row in world.rows("commits", pull)] == [second]
    before = server.fetches
    assert {row["name"] for row in world.rows("references", pull)} == {"HEAD", "trunk"}
    (repository,) = world.rows("repositories", pull)
    assert repository["default_branch"] == "trunk"
    assert server.fetches == before, "one pull fetches a clone once for all its streams"
    assert list(world.clones.glob("*.git")) == [clone]


def test_file_contents_are_never_fetched(tmp_path: Path, origin: Path, server: GitServer) -> None:
    """Logs and paths come from commits and trees alone; only the mailmap is brought."""
    (origin / ".mailmap").write_text("Lady Ada <lady@example.com> <ada@example.com>\n")
    for step in range(5):
        commit(origin, f"Step {step}", at=START + step, file=f"folder{step}/file")
    _push(origin)
    world = reading(tmp_path, f"{server.address}/shop.git", paths=True)
    pull = world.pull()
    world.rows("repositories", pull)
    before = server.fetches
    assert {row["author_email"] for row in world.rows("commits", pull)} == {"lady@example.com"}
    assert len(world.rows("commit_paths", pull)) == 7
    assert server.fetches == before
    (clone,) = world.clones.glob("*.git")
    listed = git(clone, "rev-list", "--objects", "--all", "--missing=print")
    assert len(re.findall(r"^\?", listed, flags=re.MULTILINE)) == 6


def test_pull_request_heads_come_only_when_asked_for(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """Heads under refs/pull are fetched where the option says so."""
    git(origin, "update-ref", "refs/pull/7/head", commit(origin, "Ask", at=START + 9))
    git(origin, "reset", "-q", "--hard", "v1")
    _push(origin)
    address = f"{server.address}/shop.git"
    assert len(reading(tmp_path / "a", address).rows("commits")) == 1
    world = reading(tmp_path / "b", address, pull_requests=True)
    assert len(world.rows("commits")) == 2
    assert "pull/7/head" in {row["name"] for row in world.rows("references")}


def _shared_world(tmp_path: Path, server: GitServer) -> tuple[GitSource, Scope]:
    attributes = {
        "clone_url": f"{server.address}/shop.git",
        "repository_key": "127.0.0.1/shop",
        "default_branch": "main",
        "marker": "pushed at ten",
    }
    return GitSource(), Scope("vendor:1", attributes)


def test_an_unchanged_marker_costs_no_request(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """A connection with a probe of its own pays for git only where the probe shows a change."""
    source, scope = _shared_world(tmp_path, server)
    streams = (ReferenceStream(source), CommitStream(source))

    def pull(scope: Scope, states: list[State]) -> list[State]:
        run = Pull(None, tmp_path / "clones", lambda: NOW)
        return [
            ([*(p.state for p in stream.pages(run, scope, state) if p.state)] or [state])[-1]
            for stream, state in zip(streams, states, strict=True)
        ]

    states = pull(scope, [State(), State()])
    assert all(state.marker == "pushed at ten" for state in states)
    first = server.fetches
    commit(origin, "Go on", at=START + 5)
    _push(origin)
    assert pull(scope, states) == states
    assert pull(scope, [State(), State()]) == states
    assert server.fetches == first
    moved = Scope(scope.id, {**scope.attributes, "marker": "pushed at noon"})
    after = pull(moved, states)
    assert server.fetches > first
    assert after[1].cursor != states[1].cursor
    second = server.fetches
    assert pull(moved, after) == after
    assert server.fetches == second


def test_a_marker_that_is_too_fresh_is_not_relied_on(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """A second push within the marker's second looks like none; until it settles, git is asked."""
    source, scope = _shared_world(tmp_path, server)
    fresh = Scope(scope.id, {**scope.attributes, "newest": NOW.isoformat()})
    stream = CommitStream(source)
    (page,) = stream.pages(Pull(None, tmp_path / "clones", lambda: NOW), fresh, State())
    assert page.state is not None
    assert page.state.marker is None
    second = commit(origin, "Within the second", at=START + 5)
    _push(origin)
    later = NOW + timedelta(minutes=5)
    (page,) = stream.pages(Pull(None, tmp_path / "clones", lambda: later), fresh, page.state)
    assert second.encode() in page.body
    assert page.state is not None
    assert page.state.marker == "pushed at ten"


@pytest.mark.parametrize("form", ["ssh://git@example.com:7999{}", "git@example.com:{}"])
def test_ssh_addresses_are_cloned_without_a_question(
    tmp_path: Path, origin: Path, form: str
) -> None:
    """Both forms of ssh reach the host by ssh in batch mode, and by nothing else."""
    folder, noted = tmp_path / "bin", tmp_path / "noted"
    folder.mkdir()
    fake = folder / "ssh"
    fake.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{noted}"\nfor last; do :; done\nexec sh -c "$last"\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        world = reading(tmp_path, form.format(tmp_path / "served/shop.git"))
        assert len(world.rows("commits")) == 1
    arguments = noted.read_text(encoding="utf-8").splitlines()
    assert "-oBatchMode=yes" in arguments
    assert "git@example.com" in arguments


def test_a_force_push_and_a_renamed_repository_are_read_anew(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """A rewritten branch gives its new commits; a new key gives all of them under that key."""
    source, scope = _shared_world(tmp_path, server)
    stream = CommitStream(source)

    def pull(scope: Scope, state: State) -> tuple[int, State]:
        pages = list(stream.pages(Pull(None, tmp_path / "clones", lambda: NOW), scope, state))
        return sum(page.items for page in pages), pages[-1].state or State()

    count, state = pull(scope, State())
    assert count == 1
    git(origin, "commit", "-q", "--amend", "-m", "Begin again")
    git(origin, "tag", "-d", "v1")
    git(origin, "push", "-q", "--mirror", "--force", "served")
    count, state = pull(Scope(scope.id, {**scope.attributes, "marker": "2"}), state)
    assert count == 1
    renamed = {**scope.attributes, "marker": "3", "repository_key": "127.0.0.1/renamed"}
    count, state = pull(Scope(scope.id, renamed), state)
    assert count == 1


def test_the_token_reaches_its_host_and_nothing_else(tmp_path: Path, origin: Path) -> None:
    """The token goes by GIT_ASKPASS: in no argument, no file left behind, no error."""
    token = tmp_path / "token"
    token.write_text(CANARY + "\n", encoding="utf-8")
    with serve(tmp_path / "served", token=CANARY) as server:
        arguments = _spy(tmp_path)
        world = reading(tmp_path / "here", f"{server.address}/shop.git", token={"file": str(token)})
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{arguments.parent}:{os.environ['PATH']}")
            assert len(world.rows("commits")) == 1
            server.token = "changed"
            with pytest.raises(UnauthorisedError, match="token") as caught:
                world.rows("references")
        assert set(server.credentials) == {f"x-access-token:{CANARY}"}
    assert "clone" in arguments.read_text(encoding="utf-8")
    assert CANARY not in arguments.read_text(encoding="utf-8") + str(caught.value)
    for path in (tmp_path / "here").rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


def test_a_redirect_takes_no_token_along(tmp_path: Path, origin: Path) -> None:
    """Another host is not even asked; the message says that the repository moved."""
    token = tmp_path / "token"
    token.write_text(CANARY, encoding="utf-8")
    with serve(tmp_path / "served", token="x") as thief, serve(tmp_path / "served") as server:
        server.redirect_to = thief.address
        world = reading(tmp_path / "a", f"{server.address}/shop.git", token={"file": str(token)})
        with pytest.raises(ElsewhereError, match="new address"):
            world.rows("commits")
        assert thief.requests == []


def test_a_token_is_not_sent_unencrypted(tmp_path: Path) -> None:
    """Over plain http a token goes no further than this machine."""
    token = tmp_path / "token"
    token.write_text(CANARY, encoding="utf-8")
    world = reading(tmp_path, "http://git.example.com/a/b", token={"file": str(token)})
    with pytest.raises(SourceError, match="not encrypted"):
        world.rows("commits")


@pytest.mark.parametrize("left", ["part", "lock", "damage"])
def test_what_a_killed_git_leaves_is_mended(
    tmp_path: Path, origin: Path, server: GitServer, left: str
) -> None:
    """Half clones, stale locks and a damaged clone do not stop the next pull."""
    world = reading(tmp_path, f"{server.address}/shop.git")
    world.rows("commits")
    (clone,) = world.clones.glob("*.git")
    if left == "part":
        half = clone.with_suffix(".new.part")
        clone.rename(half)
        (half / "HEAD").unlink()
    if left == "lock":
        (clone / "packed-refs.lock").touch()
        (clone / "refs/heads/main.lock").touch()
    if left == "damage":
        for pack in clone.glob("objects/pack/*.pack"):
            pack.chmod(stat.S_IRUSR | stat.S_IWUSR)
            pack.write_bytes(b"")
    second = commit(origin, "Go on", at=START + 5)
    _push(origin)
    assert second in {row["sha"] for row in world.rows("commits")}
    assert [path.suffix for path in world.clones.iterdir() if path.is_dir()] == [".git"]


def test_a_clone_killed_half_way_is_made_again(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """SIGKILL during the clone leaves nothing that looks finished."""
    program = (
        "import os, sys, threading, time\n"
        "from pathlib import Path\n"
        "from connectors.clones import GitSource\n"
        "from connectors.connector import Pull, Scope\n"
        "clones = Path(sys.argv[2])\n"
        "def killer():\n"
        "    while not list(clones.glob('*.part')): time.sleep(0.0005)\n"
        "    os.kill(os.getpid(), 9)\n"
        "threading.Thread(target=killer, daemon=True).start()\n"
        "a = {'clone_url': sys.argv[1], 'repository_key': '127.0.0.1/shop'}\n"
        "GitSource().open(Pull(None, clones, lambda: None), Scope('x', a))\n"
    )
    world = reading(tmp_path, f"{server.address}/shop.git")
    root = Path(__file__).parents[2]
    address = f"{server.address}/shop.git"
    killed = subprocess.run(
        [sys.executable, "-c", program, address, str(world.clones)],
        cwd=root,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert len(world.rows("commits")) == 1


@pytest.mark.parametrize(
    ("path", "reason"), [("/nothing.git", NotFoundError), (":1/shop.git", UnreachableError)]
)
def test_failures_have_a_class_and_a_remedy(
    tmp_path: Path, server: GitServer, path: str, reason: type[SourceError]
) -> None:
    """Not found and not reachable are told apart, with the address and what to do."""
    base = server.address if path.startswith("/") else "http://127.0.0.1"
    world = reading(tmp_path, base + path)
    with pytest.raises(reason, match="To mend it") as caught:
        world.rows("commits")
    assert base + path in str(caught.value)


def _spy(tmp_path: Path) -> Path:
    """A git that notes its arguments before it becomes the real one."""
    folder = tmp_path / "spy"
    folder.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, check=True).stdout.decode().strip()
    spy = folder / "git"
    spy.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{folder}/arguments"\nexec {real} "$@"\n',
        encoding="utf-8",
    )
    spy.chmod(0o755)
    return folder / "arguments"


def test_an_answer_that_is_not_gits_is_no_empty_repository(
    tmp_path: Path, origin: Path, server: GitServer
) -> None:
    """Git takes an error in JSON for a repository without references; the pull takes it for one.

    Neither a clone that stands is emptied for good, nor is an empty one taken for the repository.
    """
    source, scope = _shared_world(tmp_path, server)
    with serving(lambda _: Reply(body={"errors": ["limit"]})) as web:
        spoilt = Scope(scope.id, {**scope.attributes, "clone_url": f"{web.url}/shop.git"})
        for number, shown in enumerate((spoilt, scope, spoilt, scope)):
            marked = Scope(shown.id, {**shown.attributes, "marker": f"pushed at {number}"})
            pull = Pull(None, tmp_path / "clones", lambda: NOW)
            if shown is scope:
                clone = source.open(pull, marked)
                assert b"refs/heads/main" in clone.git.run("for-each-ref")
            else:
                with pytest.raises(SourceError, match="not answered as git answers"):
                    source.open(pull, marked)


def test_an_empty_repository_is_empty(tmp_path: Path) -> None:
    """A repository in which nothing was pushed yet is no error."""
    (tmp_path / "served").mkdir()
    git(tmp_path, "init", "-q", "--bare", "served/shop.git")
    with serve(tmp_path / "served") as server:
        source, scope = _shared_world(tmp_path, server)
        clone = source.open(Pull(None, tmp_path / "clones", lambda: NOW), scope)
        assert clone.git.run("for-each-ref") == b""
