"""The walk-through: what it shows of changes and deployments, and what it says of the rest."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import steps
from dashboards.walk_reasons import candidate
from pipelines import reader
from tests.dashboards.test_pages import APP


def _rows(data: Path, statement: str) -> pl.DataFrame:
    path = reader.current_build(data)
    assert path is not None
    with reader.connect(path) as connection:
        rows: pl.DataFrame = connection.sql(statement).pl()
    return rows


def _one(data: Path, statement: str) -> str:
    return str(_rows(data, statement).item(0, 0))


def _walk(monkeypatch: pytest.MonkeyPatch, data: Path, **parameters: str) -> str:
    monkeypatch.setenv("LEADLINE_DATA", str(data))
    app = AppTest.from_file(str(APP), default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.switch_page("views/walk_through.py").run()
    assert not app.exception
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def _titles(html: str) -> list[str]:
    return re.findall(r'<li><div><div class="ll-title">(.*?)</div>', html)


def test_a_change_is_walked_from_its_commits_to_its_deployment(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """Every step is there; one deployment is chosen, the others say why they are not."""
    change = _one(
        filled,
        "SELECT change_id FROM change_fact WHERE relation = 'shipped' AND NOT is_bot"
        " AND first_review_at IS NOT NULL ORDER BY live_at DESC, change_id LIMIT 1",
    )
    html = _walk(monkeypatch, filled, change=change)
    assert _titles(html) == [
        "What is it?",
        "Which commits does it have?",
        "When does it start?",
        "Who reviewed it?",
        "Which commits ship it?",
        "Which deployment shipped it?",
        "How long did it take?",
        "Does it count?",
        "Did its deployment fail?",
    ]
    assert html.count("the first live deployment that contains it: ships it") == 1
    assert "does not contain it" in html
    assert "by somebody else, the first review" in html
    assert "by a machine" in html


def test_an_excluded_change_says_why(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """The settings' reason stands where it is asked whether the change counts."""
    change = _one(filled, "SELECT min(change_id) FROM change_fact WHERE exclusion IS NOT NULL")
    assert "No: generated code" in _walk(monkeypatch, filled, change=change)


def test_a_rollback_of_a_change_is_told(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """A change that was taken out of production says when, and since when it is back."""
    change = _one(filled, "SELECT min(change_id) FROM change_fact WHERE live_again_at IS NOT NULL")
    html = _walk(monkeypatch, filled, change=change)
    assert re.search("It was rolled back .*, live again", html)


def test_a_failed_deployment_shows_its_signs_and_its_recovery(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """A rolled-back deployment says what rolled it back, and what mended it."""
    failed = _one(
        filled,
        "SELECT deployment_id FROM failure_fact WHERE is_high AND NOT is_open"
        " ORDER BY live_at DESC, deployment_id LIMIT 1",
    )
    html = _walk(monkeypatch, filled, deployment=failed)
    assert "and failed</h1>" in html
    assert "rolled back to" in html
    assert "mended it" in html
    assert "Its 2 attempts of the same commit" in html
    assert "walk_through?deployment=" in html


def test_a_deployment_that_never_went_live_ends_early(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """It ships nothing, and nothing is asked about its failure."""
    gone = _one(filled, "SELECT min(deployment_id) FROM deployment_fact WHERE live_at IS NULL")
    html = _walk(monkeypatch, filled, deployment=gone)
    assert "never went live" in html
    assert "Did it fail?" not in _titles(html)


def test_an_unknown_id_is_told(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """An address of a former build says that there is no such thing, not an error."""
    html = _walk(monkeypatch, filled, change="<b>nothing</b>")
    assert "This build has no such change or deployment" in html
    assert "<b>nothing" not in html


def test_the_search_finds_by_number(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """A number typed into the search lists what carries it."""
    number = _one(filled, "SELECT min(number) FROM change_fact")
    monkeypatch.setenv("LEADLINE_DATA", str(filled))
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.switch_page("views/walk_through.py").run()
    app.text_input(key="find").set_value(f"#{number}").run()
    assert not app.exception
    assert any(f"#{number} " in label for label in app.dataframe[0].value["label"])


def test_a_deployment_live_before_the_merge_did_not_ship_the_change(filled: Path) -> None:
    """The reason is told by times alone: what was live earlier would have been the first."""
    change = _rows(filled, "SELECT * FROM change_fact WHERE relation = 'shipped' LIMIT 1")
    row = change.row(0, named=True)
    deployment = {
        "deployment_id": "another",
        "environment_class": "production",
        "environment": "production",
        "version": "v1",
        "is_resolved": True,
        "relation": "normal",
        "started_at": row["start_at"],
        "live_at": row["start_at"],
        "moment": row["start_at"],
        "url": None,
    }
    item = candidate(row, deployment, ZoneInfo("UTC"))
    assert item.verdict == "rejected"
    assert "before the merge" in item.why


def test_links_of_steps_are_only_web_addresses() -> None:
    """What a source calls an address becomes a link only if it is one."""
    item = steps.Item(
        verdict="seen", moment="", what="<i>", why="", url="javascript:alert(1)", walk=None
    )
    assert "href" not in steps._item(item)
    assert "&lt;i&gt;" in steps._item(item)
