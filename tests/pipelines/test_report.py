"""`leadline report` and `leadline verdict`: the same answer as one document and on a terminal."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import reader
from pipelines.decisions import history
from pipelines.thresholds import TITLES
from tests.dashboards.fixture import HOSTILE, World, write_build, write_empty_build
from tests.pipelines.command_line import leadline, work_in

SENTENCE = "Platform engineering is indicated, 2 of 4 thresholds are crossed"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a published build; returns its data."""
    data = work_in(tmp_path, monkeypatch, "")
    write_build(data, World(services=4, changes=60, days=120))
    return data


class Document(HTMLParser):
    """What a browser would make of a document: tags, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.usefixtures("here")
def test_the_html_report_is_whole_and_needs_nothing_else() -> None:
    """Well-formed, with drawings, no scripts, and nothing that would be fetched."""
    result = leadline("report")
    assert result.exit_code == 0
    document = Document(result.stdout)
    assert document.open == []
    text = " ".join(document.words)
    assert SENTENCE in text
    for title in TITLES.values():
        assert title in text
    for part in ("67–98 %", "the same under 2 other definitions", "Treating 50 as a cliff."):
        assert part in text
    assert document.tags.count("section") == 4
    assert document.tags.count("svg") == 4  # three courses and the strips
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(document.tags)
    assert not any(
        name in {"src", "href"} or name.startswith("on") for name, _ in document.attributes
    )
    assert not re.search(r"https?://|url\(|@import", result.stdout)
    assert "default-src 'none'" in result.stdout


@pytest.mark.usefixtures("here")
def test_the_markdown_report_says_the_same() -> None:
    """The history as signs, four headings, a table of parameters."""
    text = leadline("report", "--format", "md").stdout
    assert text.startswith(f"# {SENTENCE}")
    assert text.count("\n### ") == 4 + 2  # thresholds, definitions
    assert re.search(r"^Verdict +·+▲{9}$", text, re.MULTILINE)
    assert re.search(r"^Shared infrastructure +✓+↗+$", text, re.MULTILINE)
    assert "| New service set-up | window\\_days | 180 |" in text
    assert "- 95 % interval: 67–98 %, n = 14 set-ups" in text


def test_a_report_goes_to_a_file(here: Path) -> None:
    """A file appears whole, and nothing on stdout."""
    output = here.parent / "verdict.html"
    result = leadline("report", "-o", str(output))
    assert (result.exit_code, result.stdout) == (0, "")
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_equal_builds_give_equal_reports(here: Path) -> None:
    """Nothing of the wall clock is in it."""
    assert leadline("report").stdout == leadline("report").stdout
    assert str(here) not in leadline("report").stdout


@pytest.mark.parametrize("arguments", [("report",), ("report", "--format", "md"), ("verdict",)])
def test_hostile_words_stay_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Names from outside are shown letter by letter."""
    data = work_in(tmp_path, monkeypatch, "")
    write_build(data, World(services=4, changes=60, days=120, hostile=True))
    text = leadline(*arguments).stdout
    if arguments == ("report",):
        document = Document(text)
        assert not {"img", "a", "script"} & set(document.tags)
        assert HOSTILE in " ".join(document.words)
    elif "md" in arguments:
        assert not re.search(
            r"(?<!\\)[<$`]|(?<!\\)\]\(", text.replace("```text", "").replace("```", "")
        )
    else:
        assert HOSTILE in text


@pytest.mark.usefixtures("here")
def test_the_verdict_on_a_terminal() -> None:
    """The sentence first, then each threshold with why and how sure."""
    result = leadline("verdict")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith(SENTENCE)
    assert any(line.startswith("▲   New service set-up: crossed since 5 April") for line in lines)
    assert "    coverage: 82 % of hours classified, 71 % of working time tracked" in lines
    assert "··· Configuration across teams: an audit register" in result.stdout


@pytest.mark.usefixtures("here")
def test_the_verdict_for_machines() -> None:
    """JSON with everything, parameters parsed."""
    found = json.loads(leadline("verdict", "--json").stdout)
    assert found["answer"] == "platform engineering"
    assert found["crossed"] == ["setup_time", "requests"]
    assert found["parameters"]["requests"]["weeks"] == 13
    assert found["versions"]["verdict"] >= 1
    assert [row["threshold"] for row in found["thresholds"]] == list(TITLES)
    assert found["thresholds"][0]["value"] == pytest.approx(0.87)
    assert found["evaluated_on"] == "2026-11-16"


@pytest.mark.parametrize("answer", ["devops", "undecided", "platform engineering"])
def test_no_exit_code_depends_on_the_answer(here: Path, answer: str) -> None:
    """A script that runs the command fails only where the command does."""
    path = reader.current_build(here)
    assert path is not None
    connection = duckdb.connect(str(path))
    connection.execute("update verdict set answer = ?", [answer])
    connection.close()
    assert leadline("verdict").exit_code == 0
    assert leadline("verdict", "--json").exit_code == 0
    assert leadline("report").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [("report",), ("report", "--format", "md"), ("verdict",), ("verdict", "--json")]
)
def test_before_the_first_evaluation_there_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """It says so, and makes nothing up."""
    data = work_in(tmp_path, monkeypatch, "")
    write_empty_build(data)
    result = leadline(*arguments)
    assert result.exit_code == 0
    if "--json" in arguments:
        assert json.loads(result.stdout)["answer"] is None
    else:
        assert "No verdict yet" in result.stdout
    assert history(data) == []


@pytest.mark.parametrize("arguments", [("report",), ("verdict",)])
def test_without_a_build_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """As every command that reads a build."""
    work_in(tmp_path, monkeypatch, "")
    result = leadline(*arguments)
    assert result.exit_code == 1
    assert "leadline build" in result.stderr


def test_what_was_shown_is_noted_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands, one entry; a store that cannot be written is told and fails nothing."""
    for arguments in (("verdict",), ("report",), ("verdict", "--json")):
        assert leadline(*arguments).exit_code == 0
    (noted,) = history(here)
    assert (noted.kind, noted.subject) == ("verdict_shown", "2026-11-16")
    assert json.loads(noted.value)["sentence"].startswith(SENTENCE)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("pipelines.verdict_log.history", refuse)
    result = leadline("verdict")
    assert result.exit_code == 0
    assert "not noted: read-only" in result.stderr
