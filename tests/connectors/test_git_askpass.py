"""The helper that hands git its token."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.connector import SourceError
from connectors.git_command import Access, Git

ASKED = "Password for 'http://x-access-token@127.0.0.1': "


@contextmanager
def a_git_that_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Git]:
    """A program in git's place that does nothing but ask for the password."""
    program = folder / "git"
    program.write_text(f'#!/bin/sh\nexec "$GIT_ASKPASS" "{ASKED}"\n', encoding="utf-8")
    program.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        yield Git(folder, "http://127.0.0.1/one.git")


def test_the_helper_is_never_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads that start git at once all get their token.

    A child of another thread may hold a helper open that was just written: the kernel then
    refuses to execute it, and git would report that no password was given.
    """
    access = Access(origin="http://127.0.0.1", token=lambda: "the-token")
    with a_git_that_asks(tmp_path, monkeypatch) as git, ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: git.remote("fetch", access=access), range(300)))
    assert set(told) == {b"the-token\n"}


def test_a_folder_without_programs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the temporary folder may hold no programs, the message says what to set."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    access = Access(origin="http://127.0.0.1", token=lambda: "the-token")
    with a_git_that_asks(tmp_path, monkeypatch) as git:
        monkeypatch.setattr(subprocess, "run", refuse)
        with pytest.raises(SourceError, match="set TMPDIR"):
            git.remote("fetch", access=access)
