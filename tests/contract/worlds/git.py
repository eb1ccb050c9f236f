"""Two repositories on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.connectors.git_repositories import commit, git, new_repository
from tests.contract.worlds.world import World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A few commits and a tag in each."""
    for name in ("shop", "billing"):
        path = new_repository(folder / name)
        for number in range(4):
            commit(path, f"Change {number}", at=1_760_000_000 + number * 3600)
        git(path, "tag", "v1")
    options = {"repositories": [str(folder / "shop"), str(folder / "billing")], "paths": True}
    yield World(options, {**options, "pull_requests": True})
