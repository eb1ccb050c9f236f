"""Writes the organisation's repositories as real bare Git repositories, by fast-import."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sandbox.forge import Commit, Repository
from sandbox.git_objects import signature_bytes, tag_id
from sandbox.organisation import Organisation

SCRATCH = b"refs/sandbox/writing"  # commits are made here, then refs are set, then it goes
NO_OBJECT = b"0" * 40

CONFIGURATION = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
"""


class RepositoryWriteError(Exception):
    """Git refused a repository, or gave its commits other ids than the simulation did."""


def write_repositories(organisation: Organisation, folder: Path) -> dict[int, Path]:
    """Writes every repository to `folder`/owner/name.git; returns the paths by repository id."""
    return {
        repository.id: write_repository(repository, folder)
        for repository in organisation.repositories
    }


def write_repository(repository: Repository, folder: Path) -> Path:
    """Writes one repository and checks that Git agrees with every commit's SHA.

    Anything in its place already is left alone: FileExistsError.
    """
    path = folder / repository.owner / f"{repository.name}.git"
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (path / part).mkdir(parents=True)
    head = f"ref: refs/heads/{repository.default_branch}\n"
    (path / "HEAD").write_text(head, encoding="utf-8")
    (path / "config").write_text(CONFIGURATION, encoding="utf-8")
    (path / "description").write_text(f"{repository.description}\n", encoding="utf-8")
    marks = path / "marks"
    # A private environment: the user's Git settings must not change what is written.
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(path),
    }
    done = subprocess.run(
        ["git", "fast-import", "--quiet", "--force", "--depth=0", f"--export-marks={marks}"],
        cwd=path,
        env=environment,
        input=b"".join(import_stream(repository)),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RepositoryWriteError(
            f"{repository.full_name}: {done.stderr.decode(errors='replace')}"
        )
    _check_marks(repository, marks)
    marks.unlink()
    shutil.rmtree(path / "refs" / "tags")
    (path / "refs" / "tags").mkdir()
    write_references(repository, path)
    return path


def write_references(repository: Repository, path: Path) -> None:
    """Sets the references of a written repository, to another moment's if `repository` is one.

    All of them go into one file, by one rename: thousands of small files would be slow to serve,
    and a reader never sees half of a change.
    """
    lines = [f"{sha} {name}\n" for name, sha in sorted(references(repository).items())]
    fresh = path / "packed-refs.new"
    fresh.write_text("# pack-refs with: sorted \n" + "".join(lines), encoding="utf-8")
    fresh.replace(path / "packed-refs")


def import_stream(repository: Repository) -> Iterator[bytes]:
    """The repository in the language of `git fast-import`: commits, then tags."""
    marks = {commit.sha: index for index, commit in enumerate(repository.commits, start=1)}
    for commit in repository.commits:
        yield _commit_command(commit, marks)
    yield b"reset %s\nfrom %s\n\n" % (SCRATCH, NO_OBJECT)
    for tag in repository.tags:
        message = tag.message.encode() + b"\n"
        yield b"tag %s\nfrom :%d\ntagger %s\ndata %d\n%s\n" % (
            tag.name.encode(),
            marks[tag.sha],
            signature_bytes(tag.tagger, None),
            len(message),
            message,
        )


def references(repository: Repository) -> dict[str, str]:
    """Every reference the forge serves: branches, annotated tags, heads of pull requests."""
    found = {f"refs/heads/{branch.name}": branch.sha for branch in repository.branches}
    found.update(
        (f"refs/pull/{request.number}/head", request.head_sha)
        for request in repository.change_requests
    )
    found.update((f"refs/tags/{tag.name}", tag_id(tag)) for tag in repository.tags)
    return found


def _commit_command(commit: Commit, marks: dict[str, int]) -> bytes:
    lines = [
        b"commit " + SCRATCH,
        b"mark :%d" % marks[commit.sha],
        b"author " + signature_bytes(commit.author, commit.encoding),
        b"committer " + signature_bytes(commit.committer, commit.encoding),
    ]
    if commit.encoding:
        lines.append(b"encoding " + commit.encoding.encode())
    lines.append(b"data %d\n%s" % (len(commit.message), commit.message))
    for index, parent in enumerate(commit.parents):
        lines.append(b"%s :%d" % (b"merge" if index else b"from", marks[parent]))
    for file in commit.files:
        lines.append(b"M 100644 inline " + file.path.encode())
        lines.append(b"data %d\n%s" % (len(file.content), file.content))
    return b"\n".join(lines) + b"\n\n"


def _check_marks(repository: Repository, marks: Path) -> None:
    written = dict(line.split() for line in marks.read_text(encoding="utf-8").splitlines())
    for index, commit in enumerate(repository.commits, start=1):
        sha = written.get(f":{index}")
        if sha != commit.sha:
            raise RepositoryWriteError(
                f"{repository.full_name}: commit {index} is {sha} in Git, {commit.sha} expected"
            )
