"""SARIF 2.1.0 files of scanners, read as a stream: what each run says, rule by rule and place.

A file is read twice and never held: once to see that it is whole and what its runs are, once for
the results. Kept are rule, place, verdict and level; messages and pieces of code are not, because
scanners for secrets print what they found.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

from connectors.clone_url import repository_key
from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError, State, Stream
from connectors.files_disk import fingerprint
from connectors.files_options import TableOptions
from connectors.reading import load_json
from connectors.records import Audit, ScanFinding

_AT_ONCE = 2_000
_BOM = b"\xef\xbb\xbf"
_RULES = ("runs.item.tool.driver.rules.item", "runs.item.tool.extensions.item.rules.item")
_TIMES = ("runs.item.invocations.item.endTimeUtc", "runs.item.invocations.item.startTimeUtc")


@dataclass
class _Rule:
    id: str = ""
    title: str | None = None
    level: str | None = None
    is_enabled: bool = True


@dataclass
class _Run:
    """What a run says of itself, wherever in the file."""

    tool: str | None = None
    repository: str | None = None
    seen_at: str | None = None
    is_successful: bool = True
    rules: list[_Rule] = field(default_factory=list)
    results: int = 0
    named: set[str] = field(default_factory=set)
    named_by_index: set[int] = field(default_factory=set)


class Sarif(Stream):
    """Findings of scanners, one file or a folder of them by a pattern."""

    name = "sarif"
    record = "sarif"
    record_types = (ScanFinding, Audit)
    # A file that holds the newest run only forgets the one before; its findings stay as history.
    forgets = True

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """Each run in pieces, or nothing where neither the file nor its declaration changed."""
        table = TableOptions.model_validate_json(scope.attributes["table"])
        requested_at = pull.now()
        if not table.path.is_file():
            raise SourceError(f"{table.path} does not exist; put the file there or correct path")
        marker = fingerprint(table)
        if marker == state.marker:
            return
        changed_at = datetime.fromtimestamp(table.path.stat().st_mtime, UTC)
        runs = _runs(table.path)
        held: Page | None = None
        for number, start, body in _pieces(table, runs, min(changed_at, requested_at), marker):
            if held is not None:
                yield held
            url = f"{scope.id}#run={number},{start}"
            held = Page(url, requested_at, body, items=min(runs[number].results, _AT_ONCE))
        if held is None:
            held = Page(scope.id, requested_at, b'{"run": null}')
        yield replace(held, state=State(marker=marker))

    def parse(self, line: Line) -> Parsed:
        """The findings of one piece; with the first of a run, the rules that found nothing."""
        parsed = Parsed()
        run, results = _kept(line)
        if run is None:
            return parsed
        where = f"runs[{run['number']}]"
        if not run["tool"] or not run["repository"]:
            missing = (
                "does not say which repository it is of: declare values = { repository_key = … }"
                if run["tool"]
                else "names no tool"
            )
            parsed.reject(ScanFinding, where, missing)
            return parsed
        shared: dict[str, Any] = {
            "scan_id": f"{line.connection}:scan:{run['scan']}:{run['number']}",
            "repository_key": run["repository"],
            "tool": run["tool"],
            "seen_at": run["seen_at"],
            "audit": run["audit"] and f"{line.connection}:audit:{run['audit']}",
        }
        if run["audit"]:
            parsed.add(
                Audit(audit_id=shared["audit"], name=run["audit"], performed_at=run["seen_at"])
            )
        for rule, title in run["passed"]:
            parsed.add(ScanFinding(**shared, rule=rule, message=title, is_pass=True))
        for position, (rule, title, path, at_line, level, is_pass, is_suppressed) in enumerate(
            results, run["start"]
        ):
            if not rule:
                parsed.reject(ScanFinding, f"{where}.results[{position}]", "names no rule")
                continue
            parsed.add(
                ScanFinding(
                    **shared,
                    rule=rule,
                    message=title,
                    path=path,
                    at_line=at_line,
                    severity=level,
                    is_pass=is_pass,
                    is_suppressed=is_suppressed,
                )
            )
        return parsed


def scopes(table: TableOptions) -> Iterator[Scope]:
    """One scope a file; `*` in the file's name stands for all that match."""
    name = table.path.name
    files = sorted(table.path.parent.glob(name)) if "*" in name else [table.path]
    for path in files:
        one = table.model_copy(update={"path": path})
        yield Scope(path.as_posix(), {"table": one.model_dump_json()})


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    import ijson

    try:
        with path.open("rb") as source:
            start = source.read(len(_BOM))
            if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                raise SourceError(f"{path} is saved as UTF-16; SARIF is UTF-8: save it so")
            if start != _BOM:
                source.seek(0)
            yield source
    except ijson.JSONError as error:
        told = " ".join(str(error).split())[:160]
        raise SourceError(
            f"{path} is not whole JSON ({told}); let the scanner write it again"
        ) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _runs(path: Path) -> list[_Run]:
    """The runs of a file without their results; raises `SourceError` where it is no SARIF 2.1.0."""
    import ijson

    runs: list[_Run] = []
    version: Any = None
    is_list = False
    with _opened(path) as source:
        for prefix, event, value in ijson.parse(source, use_float=True):
            if prefix.startswith("runs.item.results.item."):
                if prefix in {"runs.item.results.item.ruleId", "runs.item.results.item.rule.id"}:
                    runs[-1].named.add(str(value))
                elif prefix == "runs.item.results.item.ruleIndex" and isinstance(value, int):
                    runs[-1].named_by_index.add(value)
            elif prefix == "runs.item" and event == "start_map":
                runs.append(_Run())
            elif prefix == "runs":
                is_list = is_list or event == "start_array"
            elif prefix == "version":
                version = value
            elif runs:
                _note(runs[-1], prefix, event, value)
    if not is_list or version is None:
        raise SourceError(f"{path} is no SARIF: it has no version and list of runs")
    if not str(version).startswith("2.1"):
        raise SourceError(f"{path} is SARIF {version}; let the scanner write 2.1.0")
    return runs


def _note(run: _Run, prefix: str, event: str, value: Any) -> None:
    """Keep what a run says of itself."""
    if prefix == "runs.item.results.item":
        run.results += event not in {"map_key", "end_map", "end_array"}
    elif prefix == "runs.item.tool.driver.name":
        run.tool = str(value) if value else None
    elif prefix == "runs.item.versionControlProvenance.item.repositoryUri":
        run.repository = run.repository or str(value)
    elif prefix in _TIMES:
        run.seen_at = max(run.seen_at or "", str(value))
    elif prefix == "runs.item.invocations.item.executionSuccessful":
        run.is_successful = run.is_successful and value is not False
    elif prefix.startswith(_RULES):
        _note_rule(run.rules, prefix.partition("rules.item")[2], event, value)


def _note_rule(rules: list[_Rule], part: str, event: str, value: Any) -> None:
    """Keep what a run says of a rule; `part` is what follows the rule in the event's prefix."""
    if not part and event == "start_map":
        rules.append(_Rule())
    elif part == ".id":
        rules[-1].id = str(value)
    elif part == ".shortDescription.text":
        rules[-1].title = str(value)[:200]
    elif part == ".name":
        rules[-1].title = rules[-1].title or str(value)[:200]
    elif part == ".defaultConfiguration.level":
        rules[-1].level = str(value)
    elif part == ".defaultConfiguration.enabled":
        rules[-1].is_enabled = value is not False


def _pieces(
    table: TableOptions, runs: list[_Run], changed_at: datetime, marker: str
) -> Iterator[tuple[int, int, bytes]]:
    """The runs with their results, some at a time; the order of the file tells whose they are."""
    import ijson

    with _opened(table.path) as source:
        results = ijson.items(source, "runs.item.results.item", use_float=True)
        for number, run in enumerate(runs):
            by_id = {rule.id: rule for rule in run.rules}
            start = 0
            while start == 0 or start < run.results:
                chunk = list(islice(results, min(_AT_ONCE, run.results - start)))
                header = {
                    "number": number,
                    "start": start,
                    "scan": marker[:16],
                    "tool": run.tool,
                    "repository": table.values.get("repository_key")
                    or (repository_key(run.repository) if run.repository else None),
                    "audit": table.values.get("audit"),
                    "seen_at": _moment(run.seen_at, changed_at),
                    "passed": _passed(run) if start == 0 else [],
                }
                body = {"run": header, "results": [_result(each, run, by_id) for each in chunk]}
                yield number, start, json.dumps(body, ensure_ascii=False).encode()
                start += max(len(chunk), 1)


def _passed(run: _Run) -> list[tuple[str, str | None]]:
    """The rules that ran and have no result; a run that broke off proves nothing."""
    if not run.is_successful:
        return []
    named = run.named | {run.rules[i].id for i in run.named_by_index if 0 <= i < len(run.rules)}
    return [
        (rule.id, rule.title)
        for rule in run.rules
        if rule.id and rule.is_enabled and rule.id not in named
    ]


def _result(item: Any, run: _Run, by_id: dict[str, _Rule]) -> list[Any]:
    """Rule, its title, path, line, level, verdict and whether it is suppressed."""
    if not isinstance(item, dict):
        return [None, None, "", 0, None, None, False]
    rule_id = item.get("ruleId") or _at(item, "rule", "id")
    index = item.get("ruleIndex")
    if not rule_id and isinstance(index, int) and 0 <= index < len(run.rules):
        rule_id = run.rules[index].id
    rule = by_id.get(str(rule_id), _Rule())
    level = item.get("level") or rule.level
    kind = item.get("kind") or ("informational" if item.get("level") == "none" else "fail")
    place = _at(item, "locations", 0, "physicalLocation") or {}
    uri = _at(place, "artifactLocation", "uri") or ""
    line = _at(place, "region", "startLine")
    states = [_at(each, "status") for each in item.get("suppressions") or ()]
    is_gone = item.get("baselineState") == "absent"
    return [
        str(rule_id) if rule_id else None,
        rule.title,
        unquote(str(uri)).removeprefix("file://").lstrip("/"),
        line if isinstance(line, int) and 0 <= line < 2**31 else 0,
        str(level) if level else None,
        None if is_gone else {"pass": True, "fail": False}.get(str(kind)),
        any(state in {None, "accepted"} for state in states),
    ]


def _at(value: Any, *path: str | int) -> Any:
    """What lies at a path of keys and positions; None where anything on the way is missing."""
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _moment(text: str | None, otherwise: datetime) -> str:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return otherwise.isoformat()
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _kept(line: Line) -> tuple[dict[str, Any] | None, list[list[Any]]]:
    """The kept piece; it is of our own making, so nothing may be missing."""
    names = {"number", "start", "scan", "tool", "repository", "audit", "seen_at", "passed"}
    try:
        page, _ = load_json(line.body)
        run = page["run"]
        if run is None:
            return None, []
        if not names <= run.keys() or any(len(each) != 7 for each in page["results"]):
            raise ValueError("parts are missing")
        run["seen_at"] = datetime.fromisoformat(run["seen_at"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SourceError(f"{line.url}: the kept page is no piece of SARIF ({error})") from error
    return run, page["results"]
