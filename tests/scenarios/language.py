"""The lines a scenario is told in: words → a verb, its subject and its clauses.

What the verbs make is in `events.py`; README.md shows the language.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.pipelines.stories import START, hour

_HOURS = re.compile(r"-?\d+(\.\d+)?")
_DAYS = re.compile(r"(-?\d+)d(\d+(?:\.\d+)?)?")


class LanguageError(ValueError):
    """A line nobody can read; the message says which, and what would be."""


def moment(word: str) -> datetime:
    """A time: hours from the start (`6.5`), days and hours (`3d2`), or `2026-03-29T01:30Z`."""
    if _HOURS.fullmatch(word):
        return hour(float(word))
    if found := _DAYS.fullmatch(word):
        return hour(int(found[1]) * 24 + float(found[2] or 0))
    try:
        read = datetime.fromisoformat(word)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise LanguageError(f'"{word}" is no time; write 6.5, 3d2 or 2026-03-29T01:30Z')
    return read.astimezone(UTC)


def hours(at: datetime) -> float:
    """A time as hours from the start."""
    return round((at - START).total_seconds() / 3600, 9)


@dataclass(frozen=True, slots=True)
class Verb:
    """What may follow a verb: how many words it has itself, and its clauses."""

    usage: str
    subjects: int = 1
    times: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    @property
    def keywords(self) -> set[str]:
        """Every word that begins a clause."""
        return {*self.times, *self.words, *self.lists, *self.flags, *self.states}


_DEPLOYED = ("succeeded", "failed", "cancelled", "inactive")

VERBS = {
    "repository": Verb(
        "repository NAME [default BRANCH] [archived T]", 1, ("archived",), ("default",)
    ),
    "commits": Verb(
        "commits NAME NAME … from T [every HOURS] [on PARENT] [by WHO] [in REPOSITORY]",
        0,
        ("from",),
        ("every", "on", "by", "in"),
        ("commits",),
    ),
    "commit": Verb(
        "commit NAME at T [on PARENT …] [by WHO] [authored T] [subject TEXT] [touching PATH …] "
        "[picked NAME] [reverts NAME] [shallow] [in REPOSITORY]",
        1,
        ("at", "authored"),
        ("by", "subject", "picked", "reverts", "in"),
        ("on", "touching"),
        ("shallow",),
    ),
    "missing": Verb("missing NAME [in REPOSITORY]", 1, (), ("in",)),
    "branch": Verb("branch NAME at COMMIT [in REPOSITORY]", 1, (), ("at", "in")),
    "tag": Verb("tag NAME on COMMIT at T [in REPOSITORY]", 1, ("at",), ("on", "in")),
    "release": Verb(
        "release TAG on COMMIT at T [prerelease] [in REPOSITORY]",
        1,
        ("at",),
        ("on", "in"),
        (),
        ("prerelease",),
    ),
    "request": Verb(
        "request N of COMMIT[@T] … opened T [ready T] [merged T as COMMIT] [closed T] [by WHO] "
        "[from BRANCH] [into BRANCH] [title TEXT] [labels L …] [tickets KEY …] [in REPOSITORY]",
        1,
        ("opened", "ready", "merged", "closed"),
        ("as", "by", "from", "into", "title", "in"),
        ("of", "labels", "tickets"),
    ),
    "review": Verb(
        "review of N by WHO at T approved | commented | changes_requested",
        0,
        ("at",),
        ("of", "by"),
        (),
        ("approved", "commented", "changes_requested"),
    ),
    "deploy": Verb(
        "deploy N of COMMIT [to ENVIRONMENT] at T [succeeded T] [failed T] [cancelled T] "
        "[inactive T] [for SERVICE] [release TAG] [ref NAME] [image IMAGE] [source CONNECTION] "
        "[in REPOSITORY]",
        1,
        ("at",),
        ("of", "to", "for", "release", "ref", "image", "source", "in"),
        (),
        (),
        _DEPLOYED,
    ),
    "live": Verb(
        "live N of COMMIT [to ENVIRONMENT] at T …: a deploy that succeeds at once",
        1,
        ("at",),
        ("of", "to", "for", "release", "ref", "image", "source", "in"),
    ),
    "run": Verb(
        "run N of COMMIT named TEXT at T STATUS [T] [on BRANCH] [in REPOSITORY]",
        1,
        ("at",),
        ("of", "named", "on", "in"),
        (),
        ("running",),
        _DEPLOYED[:3],
    ),
    "job": Verb(
        "job N of RUN named TEXT at T STATUS [T] [to ENVIRONMENT]",
        1,
        ("at",),
        ("of", "named", "to"),
        (),
        ("running",),
        _DEPLOYED[:3],
    ),
    "incident": Verb(
        "incident N at T [on SERVICE] [reported T] [acknowledged T] [resolved T] [titled TEXT] "
        "[severity TEXT] [naming COMMIT | deploy:N | TAG | REQUEST-NUMBER …] [merged INCIDENT]",
        1,
        ("at", "reported", "acknowledged", "resolved"),
        ("on", "severity", "merged", "titled"),
        ("naming",),
    ),
    "ticket": Verb(
        "ticket KEY at T [type TEXT] [resolved T] [titled TEXT] [labels L …] [components C …]",
        1,
        ("at", "resolved"),
        ("type", "titled"),
        ("labels", "components"),
    ),
    "bot": Verb("bot LOGIN", 1),
    "team": Verb("team NAME of WHO …", 1, (), (), ("of",)),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line, read: `states` are (state, time) in the order told."""

    text: str
    verb: str
    subject: str
    times: dict[str, datetime] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    states: tuple[tuple[str, datetime], ...] = ()

    def error(self, problem: str) -> LanguageError:
        """An error that shows the line."""
        return LanguageError(f'"{self.text}": {problem}')

    def time(self, keyword: str) -> datetime:
        """A time that the line must tell."""
        if keyword not in self.times:
            raise self.error(f'lacks "{keyword}"; write {VERBS[self.verb].usage}')
        return self.times[keyword]

    def word(self, keyword: str) -> str:
        """A word that the line must tell."""
        if keyword not in self.words:
            raise self.error(f'lacks "{keyword}"; write {VERBS[self.verb].usage}')
        return self.words[keyword]


def read(text: str) -> Iterator[Line]:
    """The lines of a story; empty ones and what follows # are left out."""
    for line in text.splitlines():
        told = line.strip()
        if told and not told.startswith("#"):
            yield _line(told)


def _line(text: str) -> Line:
    words = shlex.split(text, comments=True)
    verb = VERBS.get(words[0])
    if verb is None:
        raise LanguageError(f'"{text}": no line begins so; known: {", ".join(sorted(VERBS))}')
    rest = words[1:]
    if words[0] == "commits":
        rest = ["commits", *rest]
    line = Line(text, words[0], " ".join(rest[: verb.subjects]))
    if len(rest) < verb.subjects or line.subject in verb.keywords:
        raise line.error(f"names nothing; write {verb.usage}")
    times: dict[str, datetime] = {}
    single: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    flags: set[str] = set()
    states: list[tuple[str, datetime]] = []
    for keyword, told in _clauses(line, verb, rest[verb.subjects :]):
        many = keyword in verb.lists
        if keyword in verb.flags:
            expected = not told
            flags.add(keyword)
        else:
            expected = bool(told) if many else len(told) == 1
        if not expected or keyword in times or keyword in single or keyword in lists:
            raise line.error(f'"{keyword}" is not followed as it should be; write {verb.usage}')
        if keyword in verb.states:
            states.append((keyword, moment(told[0])))
        elif keyword in verb.times:
            times[keyword] = moment(told[0])
        elif many:
            lists[keyword] = told
        elif keyword not in verb.flags:
            single[keyword] = told[0]
    return Line(text, words[0], line.subject, times, single, lists, frozenset(flags), tuple(states))


def _clauses(line: Line, verb: Verb, words: list[str]) -> Iterator[tuple[str, list[str]]]:
    keyword: str | None = None
    told: list[str] = []
    for word in words:
        # The first word after a keyword that wants one is its own, even if it looks like another.
        wanting = keyword is not None and keyword not in verb.flags and not told
        if word in verb.keywords and not wanting:
            if keyword is not None:
                yield keyword, told
            keyword, told = word, []
        elif keyword is None:
            raise line.error(f'nobody knows "{word}" here; write {verb.usage}')
        elif keyword in verb.flags or (keyword not in verb.lists and told):
            raise line.error(f'nobody knows "{word}" after {keyword}; write {verb.usage}')
        else:
            told.append(word)
    if keyword is not None:
        yield keyword, told
