"""Two repositories on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.connectors.git_repositories import commit, git, new_repository
from tests.contract.worlds.world import Removed, Unshown, World, hidden


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A few commits and a tag in each."""
    for name in ("shop", "billing"):
        path = new_repository(folder / name)
        for number in range(4):
            commit(path, f"Change {number}", at=1_760_000_000 + number * 3600)
        git(path, "tag", "v1")
    options = {"repositories": [str(folder / "shop"), str(folder / "billing")], "paths": True}
    yield World(
        options=options,
        narrowed={**options, "pull_requests": True},
        moving=Unshown("git tells what there is at one moment; commits never change"),
        renamed=Unshown("a clone has no id but its place, a branch none but its name"),
        removed=Removed(
            lambda: _without_tag(folder / "shop"),
            "select 'reference', repository_key, name from reference"
            " where name = 'v1' and repository_key like '%shop'",
        ),
        ghosts=Unshown("whoever writes a commit is a name and an address, there or not"),
        bots=Unshown("git knows no accounts, and so none of machines"),
        zoned=Unshown("times are seconds since 1970, whoever asks"),
        own_pages={
            "repositories": "a few facts about a clone, put together here",
            "practices": "what was found in files, put together here",
        },
        silent=lambda: hidden(folder / "shop"),
    )


@contextmanager
def _without_tag(path: Path) -> Iterator[None]:
    git(path, "tag", "-d", "v1")
    try:
        yield
    finally:
        git(path, "tag", "v1")
