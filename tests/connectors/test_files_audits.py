"""The audit register by CSV, and scanners' findings by SARIF."""

import json
import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.connector import Parsed, Pull, SourceError, State
from connectors.files import Files
from connectors.files_options import FilesOptions
from connectors.records import Audit, AuditResult, ScanFinding

NOW = datetime(2026, 7, 1, tzinfo=UTC)
COLUMNS = {
    "audit_id": "audit",
    "performed_at": "date",
    "control": "control",
    "team": "team",
    "observed": "found",
    "is_pass": "ok",
    "scope": "scope",
}
HEADER = "audit,date,control,team,found,ok,scope"
PROVENANCE = [{"repositoryUri": "https://forge.test/Acme/Shop.git"}]


def read(stream_name: str, *tables: dict[str, Any]) -> list[Parsed]:
    """What the pages of a connection's stream give."""
    connector = Files("register", FilesOptions.model_validate({"tables": list(tables)}))
    stream = next(each for each in connector.streams() if each.name == stream_name)
    return [
        stream.parse(page.line("register", scope))
        for scope in connector.scopes(stream)
        for page in stream.pages(Pull(None, Path(), lambda: NOW), scope, State())
    ]


def audit(tmp_path: Path, *lines: str, **more: Any) -> Parsed:
    """The register with these lines."""
    path = tmp_path / "audits.csv"
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    table = {"path": str(path), "record": "audit_result", "columns": COLUMNS, "zone": "UTC", **more}
    (parsed,) = read("audit_results", table)
    return parsed


def sarif(tmp_path: Path, *runs: dict[str, Any], **values: str) -> Parsed:
    """The findings of a file with these runs."""
    path = tmp_path / "a.sarif"
    path.write_text(json.dumps({"version": "2.1.0", "runs": list(runs)}), encoding="utf-8")
    os.utime(path, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    parsed, *more = read("sarif", {"path": str(path), "record": "sarif", "values": values})
    assert not more
    return parsed


def run(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A run of a scanner with three rules."""
    rules = [
        {"id": "A", "name": "Rule A", "defaultConfiguration": {"level": "error"}},
        {"id": "B"},
        {"id": "C", "defaultConfiguration": {"enabled": False}},
    ]
    return {
        "results": list(results),
        "tool": {"driver": {"name": "Scan", "rules": rules}},
        "versionControlProvenance": PROVENANCE,
        **more,
    }


def rows(parsed: Parsed, record_type: Any) -> list[dict[str, Any]]:
    """All rows of one type."""
    found = [dict(vars(each)) for each in parsed.records[record_type]]
    for table in parsed.tables[record_type]:
        found += table.to_pylist()
    return found


def test_an_audit_is_read_with_its_results_and_scope(tmp_path: Path) -> None:
    """Rows become results; the audit has its latest time and every team of its scope."""
    parsed = audit(
        tmp_path,
        'Q1,2026-03-01 10:00,Secrets,Checkout,HashiCorp Vault,yes,"Checkout,Search"',
        'Q1,2026-03-02 10:00,Secrets,Search,.env files,no,"Search,Ads"',
    )
    (found,) = rows(parsed, Audit)
    assert found["audit_id"] == "register:audit:Q1"
    assert found["name"] == "Q1"
    assert found["teams"] == ["Ads", "Checkout", "Search"]
    assert found["performed_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    results = rows(parsed, AuditResult)
    assert [(r["team"], r["observed"], r["is_pass"]) for r in results] == [
        ("Checkout", "HashiCorp Vault", True),
        ("Search", ".env files", False),
    ]
    assert len({r["result_id"] for r in results}) == 2
    assert parsed.rejects == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Q1,2026-03-01 10:00,,Checkout,Vault,yes,", "is empty, and must not be"),
        ("Q1,someday,Secrets,Checkout,Vault,yes,", "is not a time such as"),
        ("Q1,2026-03-01 10:00,Secrets,,Vault,yes,", "names no team and no resource"),
        ("Q1,2026-03-01 10:00,Secrets,Checkout,,,", "says neither what was observed"),
        ("Q1,2026-03-01 10:00,Secrets,Checkout,Vault,maybe,", "is neither true nor false"),
    ],
)
def test_a_row_that_says_too_little_is_rejected(tmp_path: Path, line: str, problem: str) -> None:
    """With its line and what is wrong with it; the others count."""
    good = "Q1,2026-03-01 10:00,TLS,Checkout,ACM,yes,"
    parsed = audit(tmp_path, good, line)
    (reject,) = parsed.rejects
    assert problem in reject.problem
    assert "line 3" in reject.path
    assert len(rows(parsed, AuditResult)) == 1


def test_the_same_row_twice_is_told_and_two_observations_are_not(tmp_path: Path) -> None:
    """A team may have two approaches; a line that stands twice is an oversight."""
    parsed = audit(
        tmp_path,
        "Q1,2026-03-01 10:00,Secrets,Checkout,Vault,yes,",
        "Q1,2026-03-01 10:00,Secrets,Checkout,.env,no,",
        "Q1,2026-03-01 10:00,Secrets,Checkout,Vault,yes,",
    )
    assert len(rows(parsed, AuditResult)) == 2
    assert "is the same row as line 2" in parsed.rejects[0].problem


def test_findings_have_place_level_and_verdict(tmp_path: Path) -> None:
    """The verdict is the result's kind, fail where it has none; rules may be named by index."""
    place = {"artifactLocation": {"uri": "file:///src/a%20b.tf"}, "region": {"startLine": 7}}
    parsed = sarif(
        tmp_path,
        run(
            {"ruleId": "A", "locations": [{"physicalLocation": place}]},
            {"ruleIndex": 1, "kind": "pass"},
            {"rule": {"id": "X"}, "kind": "notApplicable", "level": "none"},
            {"ruleId": "Y", "suppressions": [{"kind": "inSource"}]},
            {"ruleId": "Z", "baselineState": "absent"},
            {"message": {"text": "of no rule"}},
        ),
    )
    found = [
        (r["rule"], r["path"], r["at_line"], r["severity"], r["is_pass"], r["is_suppressed"])
        for r in rows(parsed, ScanFinding)
    ]
    assert found == [
        ("A", "src/a b.tf", 7, "error", False, False),
        ("B", "", 0, None, True, False),
        ("X", "", 0, "none", None, False),
        ("Y", "", 0, None, False, True),
        ("Z", "", 0, None, None, False),
    ]
    assert {r["repository_key"] for r in rows(parsed, ScanFinding)} == {"forge.test/acme/shop"}
    assert [(r.path, r.problem) for r in parsed.rejects] == [
        ("runs[0].results[5]", "names no rule")
    ]


def test_a_rule_that_ran_and_found_nothing_passed(tmp_path: Path) -> None:
    """It must be listed, not be switched off, and the run must have come to its end."""

    def passed(*runs: dict[str, Any]) -> list[str]:
        return [r["rule"] for r in rows(sarif(tmp_path, *runs), ScanFinding) if r["is_pass"]]

    assert passed(run({"ruleId": "A"})) == ["B"]
    assert passed(run()) == ["A", "B"]
    assert passed(run(invocations=[{"executionSuccessful": False}])) == []


def test_times_and_repository_may_stand_anywhere(tmp_path: Path) -> None:
    """The end of the scan is its time, else the file's; the settings may name the repository."""
    ended = [{"endTimeUtc": "2026-05-01T10:00:00Z"}, {"endTimeUtc": "2026-05-02T10:00:00.5Z"}]
    (first, *_) = rows(sarif(tmp_path, run(invocations=ended)), ScanFinding)
    assert first["seen_at"] == datetime(2026, 5, 2, 10, 0, 0, 500_000, tzinfo=UTC)
    nowhere = run(versionControlProvenance=[])
    parsed = sarif(tmp_path, nowhere, repository_key="forge.test/acme/ads", audit="Q2")
    (row, *_) = rows(parsed, ScanFinding)
    assert row["repository_key"] == "forge.test/acme/ads"
    assert row["seen_at"].timestamp() == NOW.timestamp() - 60
    assert row["audit"] == "register:audit:Q2"
    assert [r["name"] for r in rows(parsed, Audit)] == ["Q2"]
    (reject,) = sarif(tmp_path, nowhere).rejects
    assert "does not say which repository it is of" in reject.problem
    (reject,) = sarif(tmp_path, run(tool={})).rejects
    assert reject.problem == "names no tool"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not whole JSON"),
        (b'{"version": "2.1.0", "runs": [{"results": [', "is not whole JSON"),
        (b"<html>", "is not whole JSON"),
        (b"[]", "is no SARIF"),
        (b'{"version": "2.1.0"}', "is no SARIF"),
        (b'{"version": "2.1.0", "runs": {}}', "is no SARIF"),
        (b'{"version": "2.0.0", "runs": []}', "is SARIF 2.0.0"),
        ('{"version": "2.1.0", "runs": []}'.encode("utf-16"), "is saved as UTF-16"),
    ],
)
def test_what_is_no_sarif_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    """The file is named, and nothing of it is kept."""
    path = tmp_path / "bad.sarif"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=told):
        read("sarif", {"path": str(path), "record": "sarif"})
    with pytest.raises(SourceError, match="does not exist"):
        read("sarif", {"path": str(tmp_path / "none.sarif"), "record": "sarif"})


def test_odd_but_whole_files_are_read(tmp_path: Path) -> None:
    """A byte order mark, no runs, results that are no objects."""
    path = tmp_path / "a.sarif"
    path.write_bytes(b'\xef\xbb\xbf{"version": "2.1.0", "runs": []}')
    (parsed,) = read("sarif", {"path": str(path), "record": "sarif"})
    assert not parsed.seen
    parsed = sarif(tmp_path, run(7, None, {"ruleId": "A", "locations": 3}))  # type: ignore[arg-type]
    assert len(parsed.rejects) == 2


def test_a_pattern_names_a_folder_of_files_and_runs_stay_apart(tmp_path: Path) -> None:
    """Each file is a scope of its own; runs of one file are scans of their own."""
    whole = {"version": "2.1.0", "runs": [run({"ruleId": "A"}), run({"ruleId": "B"})]}
    for name in ("a.sarif", "b.sarif"):
        (tmp_path / name).write_text(json.dumps(whole), encoding="utf-8")
    table = {"path": str(tmp_path / "*.sarif"), "record": "sarif"}
    parsed = read("sarif", table)
    scans = [{r["scan_id"] for p in parsed for r in rows(p, ScanFinding)}]
    assert len(scans[0]) == 4


def test_a_large_file_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results with code cost a few megabytes at a time, whatever comes first in the file."""
    monkeypatch.setattr("connectors.files_sarif._AT_ONCE", 100)
    path = tmp_path / "large.sarif"
    result = {"ruleId": "A", "message": {"text": "m" * 200}, "snippet": "s" * 400}
    with path.open("w", encoding="utf-8") as file:
        file.write('{"version": "2.1.0", "runs": [{"results": [')
        file.write(",".join(json.dumps(result | {"n": n}) for n in range(6_000)))
        file.write(
            f"], {json.dumps({k: v for k, v in run().items() if k != 'results'})[1:-1]}}}]}}"
        )
    connector = Files(
        "register",
        FilesOptions.model_validate({"tables": [{"path": str(path), "record": "sarif"}]}),
    )
    stream = next(each for each in connector.streams() if each.name == "sarif")
    (scope,) = connector.scopes(stream)
    tracemalloc.start()
    seen = 0
    for page in stream.pages(Pull(None, Path(), lambda: NOW), scope, State()):
        seen += page.items > 0
        assert len(page.body) < 50_000
    assert tracemalloc.get_traced_memory()[1] < 2_500_000
    tracemalloc.stop()
    assert seen == 60
    assert path.stat().st_size > 3_900_000


def test_declarations_that_make_no_sense_are_refused() -> None:
    """SARIF has no columns; its values are the repository and the audit."""
    for more in ({"columns": {"rule": "x"}}, {"key": ["rule"]}, {"values": {"rule": "x"}}):
        with pytest.raises(ValidationError):
            FilesOptions.model_validate({"tables": [{"path": "a", "record": "sarif", **more}]})
