"""Repositories on this machine: what is read from them, and that nothing is written."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.connector import SourceError, State, kinds
from connectors.git_command import Git
from connectors.records import Commit, Reference
from tests.connectors.git_repositories import (
    START,
    commit,
    git,
    new_repository,
    raw_commit,
    reading,
)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")
    }


def test_the_kind_is_found_by_its_module() -> None:
    """Nothing is registered: the module's name is the kind."""
    assert kinds()["git"].title == "Git repositories"


def test_commits_carry_parents_people_times_and_trailers(tmp_path: Path) -> None:
    """Every commit of every branch, with author and committer apart."""
    path = new_repository(tmp_path / "shop")
    first = commit(path, "Begin")
    git(path, "checkout", "-q", "-b", "side")
    side = commit(path, f"Undo it\n\nThis reverts commit {first}.", at=START + 10, file="side")
    git(path, "checkout", "-q", "main")
    picked = commit(path, f"Pick\n\n(cherry picked from commit {side})", at=START + 20)
    git(path, "merge", "-q", "--no-ff", "side", "-m", "Merge side")
    merge = git(path, "rev-parse", "HEAD")
    git(path, "branch", "-D", "side")
    rows = {str(row["sha"]): row for row in reading(tmp_path, path).rows("commits")}
    assert set(rows) == {first, side, picked, merge}
    assert rows[merge]["parents"] == [picked, side]
    assert rows[first]["parents"] == []
    assert rows[side]["reverts"] == [first]
    assert rows[picked]["cherry_picked_from"] == [side]
    assert rows[first] == {
        "source_updated_at": None,
        "repository_key": f"local/{str(path).strip('/')}".lower(),
        "sha": first,
        "parents": [],
        "author_name": "Ada",
        "author_email": "ada@example.com",
        "authored_at": _instant(START - 60),
        "written_email": "ada@example.com",
        "committer_email": "carl@example.com",
        "committed_at": _instant(START),
        "subject": "Begin",
        "cherry_picked_from": [],
        "reverts": [],
        "is_shallow_boundary": False,
    }


def test_references_are_the_whole_set_with_peeled_tags(tmp_path: Path) -> None:
    """Annotated tags carry their own date, lightweight ones the commit's; tags of tags peel."""
    path = new_repository(tmp_path / "shop")
    first = commit(path, "Begin")
    git(path, "tag", "light")
    git(path, "tag", "-a", "v1", "-m", "one", GIT_COMMITTER_DATE=f"{START + 500} +0000")
    git(path, "tag", "-a", "v1.again", "v1", "-m", "x", GIT_COMMITTER_DATE=f"{START + 900} +0000")
    git(path, "tag", "tree", "HEAD^{tree}")
    git(path, "branch", "v1", "HEAD")
    world = reading(tmp_path, path)
    (parsed,) = world.parsed("references")
    references = [r for r in parsed.records[Reference] if isinstance(r, Reference)]
    assert {r.name: (r.kind, r.sha, r.tagged_at) for r in references} == {
        "HEAD": ("head", first, None),
        "main": ("branch", first, None),
        "heads/v1": ("branch", first, None),
        "light": ("tag", first, _instant(START)),
        "v1": ("tag", first, _instant(START + 500)),
        "v1.again": ("tag", first, _instant(START + 900)),
    }
    assert parsed.sets[Reference] == [(references[0].repository_key, None)]
    assert [(reject.path, reject.problem) for reject in parsed.rejects] == [
        ("refs/tags/tree", "points at a tree, not at a commit")
    ]
    assert world.pages("references") == []
    git(path, "tag", "-d", "light")
    assert "light" not in {row["name"] for row in world.rows("references")}


def test_a_clone_goes_by_its_origin_and_shows_the_newer_of_two_branches(tmp_path: Path) -> None:
    """Key, name and page come from the origin; a stale local branch does not hide the remote's."""
    path = new_repository(tmp_path / "work")
    commit(path, "Begin")
    newer = commit(path, "Go on", at=START + 100)
    git(path, "update-ref", "refs/remotes/origin/main", newer)
    git(path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(path, "reset", "-q", "--hard", "HEAD^")
    git(path, "checkout", "-q", "-b", "feature")
    git(path, "remote", "add", "origin", "https://ada:hush@Git.Example.com/Acme/Shop.git")
    world = reading(tmp_path, path)
    (repository,) = world.rows("repositories")
    assert repository["repository_id"] == "code:repository:git.example.com/acme/shop"
    assert repository["repository_key"] == "git.example.com/acme/shop"
    assert (repository["name"], repository["default_branch"]) == ("Shop", "main")
    assert repository["url"] == "https://Git.Example.com/Acme/Shop"
    assert repository["created_at"] == _instant(START)
    assert {r["name"]: r["sha"] for r in world.rows("references")}["main"] == newer
    assert "hush" not in repr(world.pages("repositories")) + repr(world.states)
    assert world.pages("repositories") == []


def test_only_new_commits_are_read_again(tmp_path: Path) -> None:
    """An unchanged repository gives no page; a moved branch only what it added."""
    path = new_repository(tmp_path / "shop")
    commit(path, "Begin")
    world = reading(tmp_path, path)
    assert len(world.rows("commits")) == 1
    assert world.pages("commits") == []
    second = commit(path, "Go on", at=START + 5)
    assert [row["sha"] for row in world.rows("commits")] == [second]
    git(path, "tag", "v1")
    git(path, "branch", "other", "HEAD^")
    assert world.rows("commits") == []


def test_a_rewritten_and_swept_history_is_read_whole(tmp_path: Path) -> None:
    """Old tips that are gone do not stop the reading, and nothing reachable is missed."""
    path = new_repository(tmp_path / "shop")
    first = commit(path, "Begin")
    commit(path, "Wrong", at=START + 5)
    world = reading(tmp_path, path)
    world.rows("commits")
    git(path, "reset", "-q", "--hard", "HEAD^")
    rewritten = commit(path, "Right", at=START + 6)
    git(path, "reflog", "expire", "--expire=now", "--all")
    git(path, "gc", "-q", "--prune=now")
    assert {row["sha"] for row in world.rows("commits")} == {first, rewritten}


def test_a_changed_mailmap_reads_everything_again(tmp_path: Path) -> None:
    """Names follow HEAD's .mailmap, a bad line breaks nothing, and a new mailmap reaches all."""
    path = new_repository(tmp_path / "shop")
    commit(path, "Begin")
    world = reading(tmp_path, path)
    assert [row["author_email"] for row in world.rows("commits")] == ["ada@example.com"]
    (path / ".mailmap").write_bytes(
        b"\xff\xfe <<<>\n<\nAda Lovelace <lovelace@example.com> <ada@example.com>\n" + b"<" * 9999
    )
    commit(path, "Map", at=START + 5)
    rows = world.rows("commits")
    assert [row["author_email"] for row in rows] == ["lovelace@example.com"] * 2
    assert {row["author_name"] for row in rows} == {"Ada Lovelace"}
    assert {row["written_email"] for row in rows} == {"ada@example.com"}


@pytest.mark.parametrize("kind", ["work tree", "bare", "linked work tree", "without commits"])
def test_every_form_of_clone_is_read_and_never_written(tmp_path: Path, kind: str) -> None:
    """Work tree, bare, linked or empty: read in place, not a byte of it changed."""
    path = new_repository(tmp_path / "shop")
    if kind != "without commits":
        commit(path, "Begin")
        git(path, "tag", "-a", "v1", "-m", "one")
    if kind == "bare":
        git(tmp_path, "clone", "-q", "--bare", "shop", "bare.git")
        path = tmp_path / "bare.git"
    if kind == "linked work tree":
        git(path, "worktree", "add", "-q", "../linked")
        path = tmp_path / "linked"
    before = _snapshot(tmp_path)
    world = reading(tmp_path, path, paths=True)
    counts = Counter(
        {name: len(world.rows(name)) for name in ("repositories", "commits", "commit_paths")}
    )
    assert counts == (
        {"repositories": 1, "commits": 0, "commit_paths": 0}
        if kind == "without commits"
        else {"repositories": 1, "commits": 1, "commit_paths": 1}
    )
    world.rows("references")
    assert world.pages("commits") == []
    assert _snapshot(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_clone_of_another_user_is_read(tmp_path: Path) -> None:
    """The check for dubious ownership does not stop a reading that runs nothing."""
    path = new_repository(tmp_path / "shop")
    commit(path, "Begin")
    for each in (path, *path.rglob("*")):
        os.chown(each, 12345, 12345)
    assert len(reading(tmp_path, path).rows("commits")) == 1


def test_configuration_of_a_clone_runs_nothing(tmp_path: Path) -> None:
    """Programs that a repository's own configuration names are not started."""
    path = new_repository(tmp_path / "shop")
    signed = commit(path, "Begin")
    trap, marker = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch '{marker}'\n", encoding="utf-8")
    trap.chmod(0o755)
    content = git(path, "cat-file", "commit", signed).encode()
    head, _, message = content.partition(b"\n\n")
    raw_commit(path, head + b"\ngpgsig x\n\n" + message, branch="main")
    for name in ("core.fsmonitor", "core.pager", "gpg.program", "diff.external", "core.sshCommand"):
        git(path, "config", name, str(trap))
    git(path, "config", "log.showSignature", "true")
    git(path, "config", "mailmap.file", str(trap))
    world = reading(tmp_path, path, paths=True)
    for name in ("repositories", "references", "commits", "commit_paths"):
        assert world.rows(name)
    assert not marker.exists()


def test_a_shallow_clone_flags_its_boundary(tmp_path: Path) -> None:
    """History before the boundary is unknown, not absent; once it is there, all is read again."""
    path = new_repository(tmp_path / "shop")
    shas = [commit(path, f"Step {i}", at=START + i) for i in range(5)]
    git(tmp_path, "clone", "-q", "--bare", "--depth", "2", path.as_uri(), "shallow.git")
    shallow = tmp_path / "shallow.git"
    world = reading(tmp_path, shallow)
    flags = {
        row["sha"]: (row["parents"], row["is_shallow_boundary"]) for row in world.rows("commits")
    }
    assert flags == {shas[4]: ([shas[3]], False), shas[3]: ([], True)}
    (repository,) = world.rows("repositories")
    assert repository["created_at"] is None
    (finding,) = world.connector.diagnose(world.pull())
    assert finding.level == "warning"
    assert "shallow" in finding.message
    git(shallow, "fetch", "-q", "--unshallow", path.as_uri(), "main")
    flags = {
        row["sha"]: (row["parents"], row["is_shallow_boundary"]) for row in world.rows("commits")
    }
    assert flags[shas[3]] == ([shas[2]], False)
    assert len(flags) == 5


def test_odd_bytes_and_impossible_dates_never_lose_a_commit(tmp_path: Path) -> None:
    """Encodings are turned to UTF-8, what cannot be is counted; absurd dates become null."""
    path = new_repository(tmp_path / "shop")
    first = commit(path, "Begin")
    tree = git(path, "rev-parse", "HEAD^{tree}").encode()

    def write(branch: str, *, at: bytes, message: bytes, extra: bytes = b"") -> str:
        content = (
            b"tree " + tree + b"\nparent " + first.encode() + b"\nauthor J\xf6rg <j\x1e@e> " + at
            + b"\ncommitter K <k@e> " + at + b"\n" + extra + b"\n" + message
        )  # fmt: skip
        return raw_commit(path, content, branch=branch)

    good = b"%d +0000" % START
    latin = write("latin", at=good, message=b"Gr\xfc\xdfe\n", extra=b"encoding ISO-8859-1\n")
    broken = write("broken", at=good, message=b"Gr\xfc\xdfe \x1e \x1f\n")
    cut = write("cut", at=good, message=b"Sub\0ject\n\nBody\0more\n")
    blank = write("blank", at=good, message=b"")
    absurd = [
        write(f"absurd{i}", at=at, message=b"When\n")
        for i, at in enumerate(
            (
                b"0 +0000",
                b"4070908800 +0000",
                b"568971820800 +0000",
                b"-5 +0000",
                b"99999999999999999999 +0000",
                b"soon +9999",
            )
        )
    ]
    (parsed,) = reading(tmp_path, path).parsed("commits")
    rows = {row["sha"]: row for row in parsed.tables[Commit][0].to_pylist()}
    assert set(rows) == {first, latin, broken, cut, blank, *absurd}
    assert (rows[latin]["author_name"], rows[latin]["subject"]) == ("Jörg", "Grüße")
    assert rows[broken]["subject"] == "Gr\ufffd\ufffde \x1e \x1f"
    assert rows[broken]["author_email"] == "j\x1e@e"
    assert (rows[cut]["subject"], rows[blank]["subject"]) == ("Sub", "")
    for sha in absurd:
        assert rows[sha]["authored_at"] is None
        assert rows[sha]["committed_at"] is None
        assert rows[sha]["parents"] == [first]
    signs = (
        parsed.tables[Commit][0]["author_name"].to_pylist()
        + parsed.tables[Commit][0]["subject"].to_pylist()
    )
    assert parsed.mended["commit"] == 12 + sum(text.count("\ufffd") for text in signs if text)
    assert parsed.seen["commit"] == len(rows)


def test_paths_are_those_against_the_first_parent(tmp_path: Path) -> None:
    """A merge counts with what it brought; odd names and the first commit are whole."""
    path = new_repository(tmp_path / "shop")
    odd = ":100644 100644 a b M"
    first = commit(path, "Begin", file=odd)
    git(path, "checkout", "-q", "-b", "side")
    side = commit(path, "Side", at=START + 1, file='a b/ü\n\t"x"')
    side_again = commit(path, "Side again", at=START + 2, file="c")
    git(path, "checkout", "-q", "main")
    git(path, "mv", odd, "0123456789012345678901234567890123456789")
    moved = commit(path, "Move", at=START + 3, file="d")
    git(path, "merge", "-q", "--no-ff", "side", "-m", "Merge")
    merge = git(path, "rev-parse", "HEAD")
    git(path, "commit", "-q", "--allow-empty", "-m", "Nothing")
    rows = reading(tmp_path, path, paths=True).rows("commit_paths")
    found: dict[object, set[object]] = {}
    for row in rows:
        found.setdefault(row["sha"], set()).add(row["path"])
    assert found == {
        first: {odd},
        side: {'a b/ü\n\t"x"'},
        side_again: {"c"},
        moved: {odd, "0123456789012345678901234567890123456789", "d"},
        merge: {'a b/ü\n\t"x"', "c"},
    }


@pytest.mark.parametrize("case", ["missing", "no repository", "inside another", "second clone"])
def test_what_cannot_be_read_says_so_and_how_to_mend_it(tmp_path: Path, case: str) -> None:
    """One bad path is an error of its scope only, with the path in it."""
    outer = new_repository(tmp_path / "outer")
    commit(outer, "Begin")
    (outer / "folder").mkdir()
    (tmp_path / "plain").mkdir()
    git(outer, "remote", "add", "origin", "git@example.com:a/b.git")
    git(tmp_path, "clone", "-q", "outer", "again")
    git(tmp_path / "again", "remote", "set-url", "origin", "ssh://git@example.com/a/b")
    bad, words = {
        "missing": (tmp_path / "nowhere", "there is no folder"),
        "no repository": (tmp_path / "plain", "is not a git repository"),
        "inside another": (outer / "folder", "is not a git repository"),
        "second clone": (tmp_path / "again", "once more"),
    }[case]
    world = reading(tmp_path, outer, bad)
    stream = world.stream("commits")
    good_scope, bad_scope = world.connector.scopes(stream)
    assert list(stream.pages(world.pull(), good_scope, State()))
    with pytest.raises(SourceError, match=words) as caught:
        list(stream.pages(world.pull(), bad_scope, State()))
    assert str(bad) in str(caught.value)
    assert "settings" in str(caught.value)
    assert [finding.level for finding in world.connector.diagnose(world.pull())] == ["ok", "error"]


def test_a_reading_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """A hanging git is killed at its limit, and the message says that."""
    path = new_repository(tmp_path / "shop")
    with pytest.raises(SourceError, match="took longer"):
        # This command answers line by line and would wait for more input for ever.
        Git(path / ".git", "shop").run("-c", "alias.wait=!sleep 30", "wait", seconds=0.2)
