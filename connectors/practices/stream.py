"""The stream that scans repositories for practices.

A page holds what was found and where, never contents: files of settings hold secrets, and a newer
rule needs a new scan all the same. At first the main line is read as it was at every fourth week,
so that there is a history; from then on only what is new. Nothing is read while HEAD stands still.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.clones import Clone, GitSource, head_commit
from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError, State
from connectors.git_streams import GitStream, is_unchanged
from connectors.practices.matching import File, find, select
from connectors.practices.options import PracticeOptions
from connectors.practices.rules import RuleBook
from connectors.practices.trees import (
    CommitTime,
    at_marks,
    listing,
    main_line,
    nearest,
    texts,
)
from connectors.reading import load_json
from connectors.records import Practice, PracticeScan

_STEP = timedelta(weeks=4)
_FIRST_MARK = datetime(1970, 1, 5, tzinfo=UTC)


class PracticeStream(GitStream):
    """What files of each repository show of the approaches it uses, with file and line."""

    name = "practices"
    record_types = (PracticeScan, Practice)
    # Earlier scans tell the history; a new one never takes them back.
    forgets = True
    daily_full_pass = False

    def __init__(self, source: GitSource, options: PracticeOptions) -> None:
        super().__init__(source)
        self.options = options

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """One page a commit at which something else is found than at the one before."""
        if is_unchanged(scope, state):
            return
        requested_at = pull.now()
        clone = self.source.open(pull, scope)
        head = head_commit(clone.git)
        book = self.options.book()
        before = _standing(scope, state, self._rules(book))
        if head is None or (before and before["head"] == head):
            return
        line = main_line(clone.git)
        commits = at_marks(line, self._marks(before, requested_at))
        scans = self._scans(pull, scope, clone, book, commits)
        marker = scope.attributes.get("marker")
        found = before.get("found")
        for commit, scan in zip(commits, scans, strict=True):
            digest = hashlib.sha256(json.dumps(scan).encode()).hexdigest()[:16]
            is_last = commit is commits[-1]
            if digest == found and not is_last:
                continue
            at = min(datetime.fromtimestamp(max(commit.at, 0), UTC), requested_at)
            page = {"sha": commit.sha, "committed_at": at.isoformat(), "rules": book.digest}
            body = json.dumps(page | (scan if digest != found else {"found": None})).encode()
            cursor = {
                "key": scope.attributes["repository_key"],
                "rules": self._rules(book),
                "head": head,
                "found": digest,
                "at": requested_at.isoformat(),
            }
            after = State(cursor=json.dumps(cursor), marker=marker) if is_last else None
            yield Page(clone.url, requested_at, body, after, len(scan["found"]))
            found = digest

    def parse(self, line: Line) -> Parsed:
        """The scan and what it found; nothing where it found what the one before had found."""
        parsed = Parsed()
        page = _page(line)
        if page["found"] is None:
            return parsed
        key = line.attributes["repository_key"]
        scan_id = f"{key}@{page['sha']}"
        parsed.add(
            PracticeScan(
                scan_id=scan_id,
                repository_key=key,
                sha=page["sha"],
                committed_at=datetime.fromisoformat(page["committed_at"]),
                rules=page["rules"],
                files=page["files"],
                files_left=page["left"],
            )
        )
        parsed.whole(Practice, scan_id)
        for category, approach, path, at_line in page["found"]:
            parsed.add(
                Practice(
                    scan_id=scan_id,
                    repository_key=key,
                    category=category,
                    approach=approach,
                    path=path,
                    at_line=at_line,
                )
            )
        return parsed

    def _rules(self, book: RuleBook) -> str:
        """Changes when the same commit could be found to show something else."""
        return f"{book.digest} {json.dumps(self.options.exclude)}"

    def _marks(self, before: dict[str, str], now: datetime) -> list[int]:
        """The Mondays of every fourth week since the last scan, or since the history begins."""
        start = (
            datetime.fromisoformat(before["at"])
            if before
            else now - timedelta(days=self.options.history_days)
        )
        mark = _FIRST_MARK + _STEP * ((start - _FIRST_MARK) // _STEP + bool(before))
        found = []
        while mark < now and (before or self.options.history_days):
            found.append(int(mark.timestamp()))
            mark += _STEP
        return found

    def _scans(
        self, pull: Pull, scope: Scope, clone: Clone, book: RuleBook, commits: list[CommitTime]
    ) -> list[dict[str, Any]]:
        """What each commit shows: each file is read and matched once, however many have it."""
        wanted: list[dict[str, str]] = []
        beyond: list[int] = []
        listings = [listing(clone.git, commit.sha) for commit in commits]
        paths = list({path: None for blobs in listings for path in blobs})
        looked_at = set(select(book, paths, self.options.exclude))
        for blobs in listings:
            chosen = blobs.keys() & looked_at
            read = nearest(chosen)
            wanted.append({path: blobs[path] for path in read})
            beyond.append(len(chosen) - len(read))
        # The newest first: where all are too much to read, it is the old that is left.
        files = list({entry: None for each in reversed(wanted) for entry in each.items()})
        contents = texts(
            clone.git,
            (blob for _, blob in files),
            lambda absent: self.source.bring(pull, scope, absent),
        )
        known = [(path, blob) for path, blob in files if blob in contents]
        hits = find(book, [File(path, contents[blob]) for path, blob in known])
        found = dict(zip(known, hits, strict=True))
        return [
            {
                "files": sum(blob in contents for blob in each.values()),
                "left": over + sum(blob not in contents for blob in each.values()),
                "found": sorted(f for entry in each.items() for f in found.get(entry, ())),
            }
            for each, over in zip(wanted, beyond, strict=True)
        ]


def _standing(scope: Scope, state: State, rules: str) -> dict[str, str]:
    """What the last scan left; nothing where the rules or the repository are others now."""
    if state.cursor is None:
        return {}
    before: dict[str, str] = json.loads(state.cursor)
    is_same = before["key"] == scope.attributes["repository_key"]
    return before if is_same and before["rules"] == rules else {}


def _page(line: Line) -> dict[str, Any]:
    """The kept page; it is of our own making, so nothing may be missing."""
    try:
        page: dict[str, Any]
        page, _ = load_json(line.body)
        is_whole = page["found"] is None or (
            datetime.fromisoformat(page["committed_at"]).tzinfo is not None
            and isinstance(page["files"] + page["left"], int)
            and all([type(part) for part in each] == [str, str, str, int] for each in page["found"])
        )
        if not is_whole or not isinstance(page["sha"] + page["rules"], str):
            raise ValueError("its parts are of other types")
    except (ValueError, TypeError, KeyError, LookupError) as error:
        raise SourceError(f"{line.url}: the kept page is no scan ({error!s})") from error
    return page
