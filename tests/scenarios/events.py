"""What the lines of a scenario make: the records that sources would have given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    Commit,
    CommitPath,
    Incident,
    PipelineJob,
    PipelineRun,
    Record,
    Reference,
    Release,
    Repository,
    Team,
    TeamMember,
    Ticket,
)
from tests.pipelines.stories import (
    START,
    commit,
    deployment,
    full,
    main_at,
    repository,
    review,
    tag,
)
from tests.scenarios.language import Line, hours, moment, read

HOME = "forge.test/acme/"
FIRST = "shop"


@dataclass(slots=True)
class Told:
    """The records of a story by connection, and what the story calls the things they name."""

    records: dict[str, list[Record]] = field(default_factory=lambda: {"forge": []})
    names: dict[str, str] = field(default_factory=dict)


def tell(text: str) -> Told:
    """Every record of a story; raises `LanguageError` with the line that cannot be read."""
    return _Telling(list(read(text))).told


class _Telling:
    def __init__(self, lines: list[Line]) -> None:
        self.told = Told()
        self.people: set[str] = set()
        self.bots = {line.subject for line in lines if line.verb == "bot"}
        self.repositories = _repositories(lines)
        self.commits: dict[tuple[str, str], Commit | None] = {}
        makers: dict[str, Callable[[Line], Iterator[Record]]] = {
            "branch": self._branch,
            "tag": self._tag,
            "release": self._release,
            "request": self._request,
            "review": self._review,
            "deploy": self._deployment,
            "live": self._deployment,
            "run": self._run,
            "job": self._job,
            "incident": self._incident,
            "ticket": self._ticket,
            "team": self._team,
        }
        # Commits first: a line may name one that is told further down.
        for line in lines:
            self._add(self._history(line))
        for line in lines:
            if line.verb in makers:
                source = line.words.get("source", "forge")
                self._add(makers[line.verb](line), source)
        self._add(self._ends(lines))
        self._add(iter(self.repositories.values()))
        self._add(
            Account(
                account_id=f"forge:{login}",
                login=login,
                email=_email(login),
                is_bot=login in self.bots,
            )
            for login in sorted(self.people | self.bots)
        )
        for name, each in self.repositories.items():
            self.told.names[each.repository_key] = name

    def _add(self, records: Iterator[Record], source: str = "forge") -> None:
        self.told.records.setdefault(source, []).extend(records)

    def _key(self, line: Line) -> str:
        name = line.words.get("in", FIRST)
        if name not in self.repositories:
            raise line.error(f'there is no repository "{name}"; write: repository {name}')
        return self.repositories[name].repository_key

    def _who(self, line: Line) -> str:
        who = line.words.get("by", "ann")
        self.people.add(who)
        return who

    def _sha(self, line: Line, name: str) -> str:
        key = self._key(line)
        if (key, name) not in self.commits:
            raise line.error(f'there is no commit "{name}"; tell it, or write: missing {name}')
        self.told.names[full(name)] = name
        return full(name)

    def _history(self, line: Line) -> Iterator[Record]:
        if line.verb == "missing":
            self.commits[self._key(line), line.subject] = None
        elif line.verb == "commit":
            yield from self._commit(line)
        elif line.verb == "commits":
            step, at = float(line.words.get("every", "1")), hours(line.time("from"))
            parent = line.words.get("on")
            for name in line.lists.get("commits", []):
                yield self._known(
                    line,
                    commit(
                        name,
                        *([parent] if parent else []),
                        at=at,
                        key=self._key(line),
                        author_email=_email(self._who(line)),
                    ),
                    name,
                )
                parent, at = name, at + step

    def _known(self, line: Line, made: Commit, name: str) -> Commit:
        place = (self._key(line), name)
        if place in self.commits:
            raise line.error(f'commit "{name}" is told twice')
        self.commits[place] = made
        self.told.names[made.sha] = name
        return made

    def _commit(self, line: Line) -> Iterator[Record]:
        name, key = line.subject, self._key(line)
        at = line.time("at")
        yield self._known(
            line,
            commit(
                name,
                *line.lists.get("on", []),
                at=hours(at),
                key=key,
                authored_at=line.times.get("authored", at),
                author_email=_email(self._who(line)),
                subject=line.words.get("subject", name),
                cherry_picked_from=[full(n) for n in _one(line, "picked")],
                reverts=[full(n) for n in _one(line, "reverts")],
                is_shallow_boundary="shallow" in line.flags,
            ),
            name,
        )
        for path in line.lists.get("touching", []):
            yield CommitPath(repository_key=key, sha=full(name), path=path)

    def _ends(self, lines: list[Line]) -> Iterator[Record]:
        """The default branch ends at the last commit told, unless a line says where."""
        for each in self.repositories.values():
            key, default = each.repository_key, each.default_branch
            is_told = any(
                line.verb == "branch" and line.subject == default and self._key(line) == key
                for line in lines
            )
            last = [name for (at, name), made in self.commits.items() if at == key and made]
            if last and not is_told:
                yield main_at(last[-1], key).model_copy(update={"name": default})

    def _branch(self, line: Line) -> Iterator[Record]:
        sha = self._sha(line, line.word("at"))
        yield Reference(
            repository_key=self._key(line),
            name=line.subject,
            kind="branch",
            sha=sha,
            seen_at=START,
        )

    def _tag(self, line: Line) -> Iterator[Record]:
        self._sha(line, line.word("on"))
        yield tag(line.subject, line.word("on"), hours(line.time("at")), self._key(line))

    def _release(self, line: Line) -> Iterator[Record]:
        release_id = f"forge:release:{line.subject}"
        self.told.names[release_id] = line.subject
        yield Release(
            release_id=release_id,
            repository_key=self._key(line),
            tag=line.subject,
            sha=self._sha(line, line.word("on")),
            is_prerelease="prerelease" in line.flags,
            published_at=line.time("at"),
        )

    def _request(self, line: Line) -> Iterator[Record]:
        number, key, who = int(line.subject), self._key(line), self._who(line)
        opened = line.time("opened")
        merged = line.times.get("merged")
        listed = [
            self._listed(line, word, position)
            for position, word in enumerate(line.lists.get("of", []))
        ]
        self.told.names[f"forge:pull:{number}"] = f"#{number}"
        yield ChangeRequest(
            change_request_id=f"forge:pull:{number}",
            repository_key=key,
            number=number,
            title=line.words.get("title", f"change {number}"),
            url=f"https://{key}/pull/{number}",
            author=f"forge:{who}",
            created_at=opened,
            ready_at=line.times.get("ready", opened),
            merged_at=merged,
            closed_at=line.times.get("closed", merged),
            base_branch=line.words.get("into", self._default(line)),
            head_branch=line.words.get("from", f"topic-{number}"),
            head_sha=listed[-1].sha if listed else None,
            merge_sha=self._sha(line, line.word("as")) if merged else None,
            labels=line.lists.get("labels", []),
            ticket_keys=line.lists.get("tickets", []),
        )
        yield from listed

    def _default(self, line: Line) -> str | None:
        return self.repositories[line.words.get("in", FIRST)].default_branch

    def _listed(self, line: Line, word: str, position: int) -> ChangeRequestCommit:
        """A commit of a request: one that is told, or one that only the request knows (`x@3`)."""
        name, _, at = word.partition("@")
        known = self.commits.get((self._key(line), name))
        if known is None and not at:
            raise line.error(f'when was "{name}" made? tell it as a commit, or write {name}@T')
        self.told.names[full(name)] = name
        if known is None or at:
            authored = committed = moment(at)
            email, subject = _email(self._who(line)), name
        else:
            authored, committed = known.authored_at or START, known.committed_at or START
            email, subject = known.author_email or "", known.subject or name
        return ChangeRequestCommit(
            change_request_id=f"forge:pull:{line.subject}",
            sha=full(name),
            authored_at=authored,
            committed_at=committed,
            author_email=email,
            subject=subject,
            is_merge=known is not None and len(known.parents) > 1,
            position=position,
        )

    def _review(self, line: Line) -> Iterator[Record]:
        line.word("by")
        if len(line.flags) != 1:
            raise line.error("says not what the review was: approved, commented …")
        at = hours(line.time("at"))
        (state,) = line.flags
        yield review(int(line.word("of")), at, state, f"forge:{self._who(line)}")

    def _deployment(self, line: Line) -> Iterator[Record]:
        source = line.words.get("source", "forge")
        key, at = self._key(line), line.time("at")
        self._sha(line, line.word("of"))
        states = [(state, hours(moment)) for state, moment in line.states]
        attempt, *statuses = deployment(
            0,
            line.word("of"),
            *([("succeeded", hours(at))] if line.verb == "live" else states),
            at=hours(at),
            environment=line.words.get("to", "production"),
            repository_key=key,
            service_hint=line.words.get("for"),
            release=line.words.get("release"),
            ref=line.words.get("ref"),
            image=self._image(line),
            url=f"https://{key}/deployments/{line.subject}",
        )
        named = {"attempt_id": f"{source}:deployment:{line.subject}"}
        self.told.names[named["attempt_id"]] = line.subject
        yield from (each.model_copy(update=named) for each in (attempt, *statuses))

    def _image(self, line: Line) -> str | None:
        """An image; the tag `@b` is the whole id of commit b of the first repository."""
        image, _, name = line.words.get("image", "").partition(":@")
        if not name:
            return image or None
        if (HOME + FIRST, name) not in self.commits:
            raise line.error(f'there is no commit "{name}" in {FIRST}')
        return f"{image}:{full(name)}"

    def _run(self, line: Line) -> Iterator[Record]:
        run_id = f"forge:run:{line.subject}"
        self.told.names[run_id] = line.subject
        status, finished = _status(line)
        yield PipelineRun(
            run_id=run_id,
            repository_key=self._key(line),
            name=line.word("named"),
            event="push",
            branch=line.words.get("on", "main"),
            sha=self._sha(line, line.word("of")),
            status=status,
            queued_at=line.time("at"),
            started_at=line.time("at"),
            finished_at=finished,
        )

    def _job(self, line: Line) -> Iterator[Record]:
        job_id = f"forge:job:{line.subject}"
        self.told.names[job_id] = line.subject
        status, finished = _status(line)
        yield PipelineJob(
            job_id=job_id,
            run_id=f"forge:run:{line.word('of')}",
            name=line.word("named"),
            environment=line.words.get("to"),
            status=status,
            started_at=line.time("at"),
            finished_at=finished,
        )

    def _incident(self, line: Line) -> Iterator[Record]:
        incident_id = f"forge:incident:{line.subject}"
        self.told.names[incident_id] = line.subject
        merged = line.words.get("merged")
        yield Incident(
            incident_id=incident_id,
            service_hint=line.words.get("on"),
            title=line.words.get("titled", f"incident {line.subject}"),
            severity=line.words.get("severity"),
            status="resolved" if "resolved" in line.times else "open",
            created_at=line.times.get("reported", line.time("at")),
            started_at=line.time("at"),
            acknowledged_at=line.times.get("acknowledged"),
            resolved_at=line.times.get("resolved"),
            merged_into=f"forge:incident:{merged}" if merged else None,
            references=[self._named(line, word) for word in line.lists.get("naming", [])],
            url=f"https://pager.test/incidents/{line.subject}",
        )

    def _named(self, line: Line, word: str) -> str:
        """What an incident writes to name a deployment, a change request or a commit."""
        key = self._key(line)
        if word.startswith("deploy:"):
            return f"https://{key}/deployments/{word.removeprefix('deploy:')}"
        if word.startswith("request:"):
            return f"https://{key}/pull/{word.removeprefix('request:')}"
        return full(word) if (key, word) in self.commits else word

    def _ticket(self, line: Line) -> Iterator[Record]:
        resolved: datetime | None = line.times.get("resolved")
        self.told.names[f"forge:ticket:{line.subject}"] = line.subject
        yield Ticket(
            ticket_id=f"forge:ticket:{line.subject}",
            ticket_key=line.subject,
            project=line.subject.rsplit("-", 1)[0],
            type=line.words.get("type"),
            title=line.words.get("titled", line.subject),
            status="Done" if resolved else "Open",
            status_category="done" if resolved else "new",
            labels=line.lists.get("labels", []),
            components=line.lists.get("components", []),
            created_at=line.time("at"),
            resolved_at=resolved,
        )

    def _team(self, line: Line) -> Iterator[Record]:
        team_id = f"forge:team:{line.subject}"
        yield Team(team_id=team_id, name=line.subject)
        for login in line.lists.get("of", []):
            self.people.add(login)
            yield TeamMember(team_id=team_id, account_id=f"forge:{login}")


def _repositories(lines: list[Line]) -> dict[str, Repository]:
    told = {line.subject: line for line in lines if line.verb == "repository"}
    found = {}
    for name in {FIRST: None, **dict.fromkeys(told)}:
        line = told.get(name)
        found[name] = repository(
            HOME + name,
            url=f"https://{HOME}{name}",
            default_branch=line.words.get("default", "main") if line else "main",
            archived_at=line.times.get("archived") if line else None,
        )
    return found


def _status(line: Line) -> tuple[str, datetime | None]:
    if "running" in line.flags:
        return "running", None
    if len(line.states) != 1:
        raise line.error("says not how it ended: succeeded T, failed T, cancelled T or running")
    return line.states[0]


def _one(line: Line, keyword: str) -> list[str]:
    return [line.words[keyword]] if keyword in line.words else []


def _email(login: str) -> str:
    return f"{login}@x.test"
