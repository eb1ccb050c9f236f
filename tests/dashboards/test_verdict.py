"""The verdict's page: the answer, four cards, how it came to this, what is missing, and its log."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import shown, threshold_cards, verdict_charts, verdict_queries, views_index
from dashboards.queries import Queries
from dashboards.threshold_lines import LINES, PAGES
from pipelines import reader
from pipelines.decisions import history
from pipelines.settings import parse
from pipelines.thresholds import TITLES
from tests.dashboards import fixture_verdict
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, VIEWS, _answer, _html


def _open(monkeypatch: pytest.MonkeyPatch, data: Path) -> AppTest:
    monkeypatch.setenv("LEADLINE_DATA", str(data))
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    return app


def _with(data: Path, change: str) -> Path:
    """A build whose tables were changed by hand."""
    path = write_build(data, World(changes=300))
    connection = duckdb.connect(str(path))
    connection.execute(change)
    connection.close()
    return data


def test_it_is_the_first_page() -> None:
    """Whoever opens the dashboard reads the verdict."""
    first = views_index.found(APP.parent / "views")[0]
    assert (first.title, first.path.name, VIEWS[0]) == ("Verdict", "verdict.py", "verdict.py")


def test_the_answer_and_four_cards(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """Each card has state, since when, value, limit, and the three things that say how sure."""
    app = _open(monkeypatch, filled)
    assert _answer(app).startswith("Platform engineering is indicated, 2 of 4 thresholds are")
    html = _html(app)
    cards = re.findall(r'<div class="ll-card ll-threshold">(.*?)</dl></div>', html)
    assert [re.findall(r'"ll-title">(.*?)<', card) for card in cards] == [
        [title] for title in TITLES.values()
    ]
    setup, shared, configuration, _ = cards
    assert "▲ crossed since 5 April 2026" in setup
    assert "limit 50 %" in setup
    assert "67–98 %, n = 14" in setup
    assert "13 of 14 new services" in setup
    assert "the same under 2 other definitions" in setup
    assert "↗ trending since" in shared
    assert "<dt>bounds</dt><dd>44–47" in shared
    assert re.search(r"about \d+ weeks \(90 %: \d+ to \d+\)", shared)
    assert "··· not enough data" in configuration
    assert "<dt>needs</dt><dd>an audit register" in configuration
    assert "together at most 5 %" in html
    assert "the whole organisation" in html


def test_what_is_missing_stands_with_the_lines(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """A threshold without data is named, and what to add."""
    app = _open(monkeypatch, filled)
    assert "Configuration across teams: an audit register" in _html(app)
    assert any("[connections." in code.value for code in app.code)


def test_advice_is_that_of_the_size(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """46 engineers, the row before 50."""
    html = _html(_open(monkeypatch, filled))
    assert "46 engineers with a change merged in 90 days · the row for 30–50" in html
    assert "Treating 50 as a cliff." in html


def test_unknown_size_gives_no_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody known is no size."""
    data = _with(tmp_path, "UPDATE verdict SET engineers = NULL, size = NULL, advice = NULL")
    app = _open(monkeypatch, data)
    assert "the number of engineers is not known" in _html(app)


def test_nothing_measured_says_first_what_to_connect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before the cards, all four with what they need; no chart of nothing."""
    data = tmp_path
    monkeypatch.setattr(
        fixture_verdict,
        "tables",
        lambda _hostile=None: fixture_verdict._made([fixture_verdict.LAST], [], []),
    )
    write_build(data, World(changes=300))
    app = _open(monkeypatch, data)
    assert _answer(app) == (
        "Undecided, 4 of 4 thresholds have no state: none of them can be judged yet"
    )
    html = _html(app)
    assert html.index("What is missing") < html.index('class="ll-card ll-threshold"')
    for title in TITLES.values():
        assert f"··· {title}: " in html
    assert not app.get("arrow_vega_lite_chart")


def test_what_was_shown_is_noted_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The log has who showed what; the same verdict is not noted again."""
    write_build(tmp_path, World(changes=300))
    _open(monkeypatch, tmp_path).run()
    (noted,) = history(tmp_path)
    assert (noted.kind, noted.subject, noted.author) == (
        "verdict_shown",
        "2026-11-16",
        "page Verdict",
    )
    assert json.loads(noted.value)["answer"] == "platform engineering"
    # Another process does not note it again: landing knows.
    shown._note.clear()
    _open(monkeypatch, tmp_path)
    assert len(history(tmp_path)) == 1


def test_a_log_that_cannot_be_written_stops_no_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A page on a store that is read-only still answers."""
    write_build(tmp_path, World(changes=300))

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("pipelines.verdict_log.record", refuse)
    assert _answer(_open(monkeypatch, tmp_path)).startswith("Platform engineering")
    assert history(tmp_path) == []


def test_strips_have_a_sign_where_a_state_begins(filled: Path) -> None:
    """Five strips of all evaluations; colour is never alone."""
    path = reader.current_build(filled)
    assert path is not None
    with reader.connect(path) as connection:
        queries = Queries(connection)
        strips = verdict_charts.strips(
            verdict_queries.verdicts(queries), verdict_queries.states(queries)
        )
    assert strips["row"].unique().sort().to_list() == sorted(["Verdict", *TITLES.values()])
    begins = strips.filter("is_first").group_by("row").len().sort("row")
    assert dict(begins.iter_rows()) == {
        "Configuration across teams": 1,
        "New service set-up": 2,
        "Requests against building": 4,
        "Shared infrastructure": 2,
        "Verdict": 2,
    }
    assert strips["start"].min().date() == date(2024, 12, 16)  # type: ignore[union-attr]


@pytest.mark.parametrize("values", [[], [None], [0.4], [None, 0.4, None]])
def test_a_course_needs_two_values(values: list[float | None]) -> None:
    """One value is no line."""
    assert threshold_cards.course(values, 0.5) is None


def test_a_course_breaks_where_nothing_is_known() -> None:
    """A gap is a gap; the limit lies within the drawing."""
    drawing = threshold_cards.course([1.0, None, 2.0, 3.0], 10.0)
    assert drawing is not None
    assert drawing.count("M") == 3
    assert "stroke-dasharray" in drawing


@pytest.mark.parametrize("threshold", LINES)
def test_the_lines_to_add_are_settings(threshold: str, tmp_path: Path) -> None:
    """What the page tells people to write is accepted as it stands."""
    parse(LINES[threshold].encode(), tmp_path / "leadline.toml")
    assert set(PAGES) == set(TITLES)
