"""The repositories on disk are what the organisation says, by git's own account."""

import dataclasses
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.forge import Branch, Repository
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.repositories import (
    RepositoryWriteError,
    write_references,
    write_repositories,
    write_repository,
)
from tests.sandbox.ancestry import Graph, fold_attempts, from_tags, ship_commits

END = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A world with every kind of repository."""
    return build_organisation(seed=5, engineers=26, months=5, end=END)


@pytest.fixture(scope="module")
def paths(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Its repositories, written."""
    return write_repositories(organisation, tmp_path_factory.mktemp("git"))


def git(path: Path, *arguments: str) -> bytes:
    """What git prints about a repository."""
    done = subprocess.run(
        ["git", "-C", str(path), *arguments], capture_output=True, check=True, timeout=60
    )
    return done.stdout


def lines(path: Path, *arguments: str) -> list[str]:
    """What git prints, by lines."""
    return git(path, *arguments).decode().splitlines()


def test_git_finds_nothing_wrong(organisation: Organisation, paths: dict[int, Path]) -> None:
    """All objects are there and whole, and no scratch reference is left."""
    for repository in organisation.repositories:
        path = paths[repository.id]
        git(path, "fsck", "--full", "--strict")
        names = lines(path, "for-each-ref", "--format=%(refname)")
        assert all(name.startswith(("refs/heads/", "refs/pull/", "refs/tags/")) for name in names)
        assert not (path / "marks").exists()


def test_commits_are_those_of_the_organisation(
    organisation: Organisation, paths: dict[int, Path]
) -> None:
    """Parents, trees, people and times are the same commit by commit."""
    for repository in organisation.repositories:
        shown = lines(
            paths[repository.id],
            "log",
            "--all",
            "--format=%H|%T|%P|%ae|%at|%ct",
            "--encoding=UTF-8",
        )
        expected = {
            "|".join(
                (
                    commit.sha,
                    commit.tree_sha,
                    " ".join(commit.parents),
                    commit.author.email,
                    str(int(commit.author.at.timestamp())),
                    str(int(commit.committer.at.timestamp())),
                )
            )
            for commit in repository.commits
        }
        assert set(shown) == expected


def test_files_of_a_step_are_its_first_parent_difference(
    organisation: Organisation, paths: dict[int, Path]
) -> None:
    """What a commit says it wrote is what git sees changed against the first parent."""
    repository = next(r for r in organisation.repositories if r.name == "commerce-suite")
    by_sha = {commit.sha: commit for commit in repository.commits}
    output = lines(
        paths[repository.id],
        "log",
        "--first-parent",
        "-m",
        "--name-only",
        "--no-renames",
        "--format=@%H",
        repository.default_branch,
    )
    changed: dict[str, set[str]] = {}
    for line in output:
        if line.startswith("@"):
            paths_of_commit = changed.setdefault(line[1:], set())
        elif line:
            paths_of_commit.add(line)
    assert len(changed) > 20
    for sha, names in changed.items():
        assert names == {file.path for file in by_sha[sha].files}


def test_old_encodings_are_kept(organisation: Organisation, paths: dict[int, Path]) -> None:
    """A commit in ISO-8859-1 is read as text by git, and its bytes are not UTF-8."""
    repository, commit = next(
        (repository, commit)
        for repository in organisation.repositories
        for commit in repository.commits
        if commit.encoding is not None
    )
    path = paths[repository.id]
    shown = git(path, "log", "-1", "--format=%an%n%B", "--encoding=UTF-8", commit.sha).decode()
    assert shown.startswith(f"{commit.author.name}\n")
    assert "für" in shown
    with pytest.raises(UnicodeDecodeError):
        git(path, "cat-file", "commit", commit.sha).decode("utf-8")


def test_shipped_commits_are_what_rev_list_says(
    organisation: Organisation, paths: dict[int, Path]
) -> None:
    """The second opinion used elsewhere agrees with git on ranges between deployments."""
    service = organisation.services[0]
    repository = organisation.repository_by_id[service.repository_id]
    deployments = [
        one
        for one in fold_attempts(
            [d for d in repository.deployments if d.environment == "production"]
        )
        if one.live is not None
    ]
    assert len(deployments) > 10
    shipped = ship_commits(Graph(repository), deployments)
    earlier: list[str] = []
    for one in sorted(deployments, key=lambda d: (d.live, d.started)):
        excluded = [f"^{sha}" for sha in earlier]
        expected = lines(paths[repository.id], "rev-list", one.sha, *excluded)
        assert sorted(expected) == sorted(sha for sha, key in shipped.items() if key == one.key)
        earlier.append(one.sha)


def test_tags_name_the_released_commits(organisation: Organisation, paths: dict[int, Path]) -> None:
    """Annotated tags peel to the commit and carry the moment of the release."""
    repository = next(r for r in organisation.repositories if r.releases)
    shown = lines(
        paths[repository.id],
        "for-each-ref",
        "--format=%(refname:short) %(*objectname) %(taggerdate:unix)",
        "refs/tags",
    )
    expected = {f"{tag.name} {tag.sha} {int(tag.tagger.at.timestamp())}" for tag in repository.tags}
    assert set(shown) == expected
    assert {release.tag for release in repository.releases} == {t.name for t in repository.tags}
    assert from_tags(repository)


def test_mailmap_brings_private_addresses_home(
    organisation: Organisation, paths: dict[int, Path]
) -> None:
    """One repository maps private addresses, and git applies the map."""
    repository = organisation.repositories[0]
    private = {
        email: person.emails[0]
        for person in organisation.people
        for email in person.emails[1:]
        if email.endswith("@mail.example")
    }
    shown = lines(
        paths[repository.id],
        "-c",
        f"mailmap.blob={repository.default_branch}:.mailmap",
        "log",
        "--all",
        "--format=%ae %aE",
    )
    mapped = {tuple(line.split(" ")) for line in shown if line.split(" ")[0] in private}
    assert mapped
    assert mapped <= set(private.items())


def broken(repository: Repository) -> Repository:
    """The repository with a commit that claims another SHA."""
    first, *rest = repository.commits
    renamed = dataclasses.replace(rest[-1], sha="0" * 40)
    return dataclasses.replace(
        repository, commits=(first, *rest[:-1], renamed), change_requests=(), branches=(), tags=()
    )


def test_a_wrong_sha_is_noticed(organisation: Organisation, tmp_path: Path) -> None:
    """Git's own ids are compared with the simulation's; a difference is an error."""
    with pytest.raises(RepositoryWriteError, match="expected"):
        write_repository(broken(organisation.repositories[0]), tmp_path)


def test_references_can_be_set_to_an_earlier_moment(
    organisation: Organisation, tmp_path: Path
) -> None:
    """The branch moves back and forth, and what came later is not listed meanwhile."""
    repository = organisation.repositories[0]
    path = write_repository(repository, tmp_path)
    whole = lines(path, "for-each-ref")
    root = repository.commits[0].sha
    earlier = dataclasses.replace(
        repository,
        branches=(Branch(repository.default_branch, root),),
        tags=(),
        change_requests=(),
    )
    write_references(earlier, path)
    name = f"refs/heads/{repository.default_branch}"
    assert lines(path, "for-each-ref", "--format=%(objectname) %(refname)") == [f"{root} {name}"]
    write_references(repository, path)
    assert lines(path, "for-each-ref") == whole


def test_nothing_is_overwritten(organisation: Organisation, tmp_path: Path) -> None:
    """A repository that is there already is left alone."""
    repository = organisation.repositories[1]
    path = write_repository(repository, tmp_path)
    before = lines(path, "for-each-ref")
    with pytest.raises(FileExistsError):
        write_repository(repository, tmp_path)
    assert lines(path, "for-each-ref") == before
