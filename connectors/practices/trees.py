"""Files of a repository at some of its commits, without a checkout.

Trees are listed, paths selected, and only then are contents read: those that a partial clone lacks
come in one request, and one process reads all of them.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from connectors.clones import PRESENT
from connectors.git_command import Git

MOST_FILES = 3_000
MOST_BYTES = 512_000
MOST_BYTES_TOGETHER = 64_000_000
_MOST_COMMITS = 20_000
_ENTRY = re.compile(rb"^100\d{3} blob ([0-9a-f]+)\t(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CommitTime:
    """A commit of the main line, in seconds since 1970."""

    sha: str
    at: int


def main_line(git: Git) -> list[CommitTime]:
    """The first parents of HEAD, newest first; at most some 20,000."""
    told = git.run("log", "--first-parent", f"-n{_MOST_COMMITS}", "--format=%H %ct", "HEAD")
    rows = (row.split() for row in told.decode("ascii").splitlines())
    return [CommitTime(sha, int(at)) for sha, at in rows]


def at_marks(line: Sequence[CommitTime], marks: Iterable[int]) -> list[CommitTime]:
    """The commit that was the newest at each mark, oldest first, each once; HEAD is always one."""
    found: dict[str, CommitTime] = {}
    for mark in sorted(marks):
        standing = next((commit for commit in line if commit.at <= mark), None)
        if standing is not None:
            found[standing.sha] = standing
    found[line[0].sha] = line[0]
    return list(found.values())


def listing(git: Git, sha: str) -> dict[str, str]:
    """Ids of a commit's ordinary files by path; links and submodules are none."""
    found = {}
    for entry in git.run("ls-tree", "-r", "-z", "--full-tree", sha).split(b"\0"):
        if match := _ENTRY.match(entry):
            found[match[2].decode("utf-8", "replace")] = match[1].decode("ascii")
    return found


def nearest(paths: Iterable[str]) -> list[str]:
    """The paths that are read: where there are too many, those nearest to the top."""
    return sorted(paths, key=lambda path: (path.count("/"), path))[:MOST_FILES]


def texts(git: Git, blobs: Iterable[str], bring: Callable[[list[str]], None]) -> dict[str, str]:
    """The texts of those blobs that are texts of bearable size; `bring` fetches absent ones.

    Where all together are too large, those asked for first are read.
    """
    asked = list(dict.fromkeys(blobs))
    present = _present(git, asked)
    absent = [blob for blob in asked if blob not in present]
    if absent:
        bring(absent)
        present = _present(git, asked)
    small = _small(git, [blob for blob in asked if blob in present])
    body = git.run("cat-file", "--batch", stdin=_lines(small))
    found = {}
    at = 0
    while at < len(body):
        end = body.index(b"\n", at)
        name, _, size = body[at:end].decode("ascii").split()
        at = end + 1 + int(size) + 1
        text = decoded(body[end + 1 : at - 1])
        if text is not None:
            found[name] = text
    return found


def decoded(content: bytes) -> str | None:
    """The text of a file whatever its encoding; None where it is no text."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:8_000]:
        return None
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _present(git: Git, names: Sequence[str]) -> set[str]:
    """Those that the repository has; unlike `cat-file`, this asks no remote for the others."""
    told = git.run("rev-list", "--objects", *PRESENT, "--stdin", stdin=_lines(names))
    return {row.split(" ", 1)[0] for row in told.decode("ascii", "replace").splitlines()}


def _small(git: Git, names: Sequence[str]) -> list[str]:
    """Those that are no larger than a file may be, as long as all of them are bearable."""
    kept, together = [], 0
    for row in git.run("cat-file", "--batch-check", stdin=_lines(names)).splitlines():
        name, _, size = row.decode("ascii").split()
        if int(size) <= MOST_BYTES and together + int(size) <= MOST_BYTES_TOGETHER:
            together += int(size)
            kept.append(name)
    return kept


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
