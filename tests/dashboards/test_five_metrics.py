"""The five metrics on pages: what they are held against, and what stands where data is missing."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, VIEWS, _html


@pytest.fixture(scope="module")
def without_incidents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose build knows of no incident source."""
    data = tmp_path_factory.mktemp("without_incidents")
    write_build(data, World(changes=1500, has_incidents=False))
    return data


def _open(monkeypatch: pytest.MonkeyPatch, data: Path, view: str, **filters: str) -> AppTest:
    monkeypatch.setenv("LEADLINE_DATA", str(data))
    app = AppTest.from_file(str(APP), default_timeout=30)
    for name, value in filters.items():
        app.query_params[name] = value
    if view != VIEWS[0]:
        app.switch_page(f"views/{view}")
    app.run()
    assert not app.exception
    return app


def test_delivery_shows_five_cards_held_against_report_and_goals(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """Each card names its bin and what part of the respondents it beats, and its goal's state."""
    app = _open(monkeypatch, filled, "delivery.py")
    html = _html(app)
    labels = re.findall(r'<div class="ll-card"><div class="ll-label">(.*?)</div>', html)
    assert labels == [
        "Deployments a week",
        "Lead time, median",
        "Change fail rate",
        "Recovery, median",
        "Rework rate",
    ]
    assert len(re.findall(r"better than \d+–\d+ % of 2025 respondents", html)) == 5
    assert re.search(r"[✓↗▲] goal 2 d: (attained|at risk|missed)", html)
    assert "known–possible" in html
    assert "expected by chance" in html
    assert any(caption.value.startswith("Reference") for caption in app.caption)


@pytest.mark.parametrize("view", ["delivery.py", "failures.py"])
def test_without_incidents_the_fail_rate_is_a_lower_bound_only(
    monkeypatch: pytest.MonkeyPatch, without_incidents: Path, view: str
) -> None:
    """It reads "at least" with no reference and no goal, and the answer says so."""
    html = _html(_open(monkeypatch, without_incidents, view))
    card = re.search(
        r'<div class="ll-label">Change fail rate</div>.*?(?=<div class="ll-card">)', html
    )
    assert card is not None
    assert "≥" in card.group()
    assert "no incident source: rollbacks and reverts only" in card.group()
    assert "respondents" not in card.group()
    assert "goal" not in card.group()
    assert re.search(r"<h1.*at least [\d.]+ % of deployments fail", html)


def test_without_incidents_one_service_counts(
    monkeypatch: pytest.MonkeyPatch, without_incidents: Path
) -> None:
    """Of one service the lower bound is k of n."""
    html = _html(_open(monkeypatch, without_incidents, "delivery.py", service="search-worker"))
    assert re.search(r"at least \d+ of \d+ failed", html)


def test_failures_page_says_what_to_connect(
    monkeypatch: pytest.MonkeyPatch, without_incidents: Path
) -> None:
    """The lines for incidents are one click away."""
    app = _open(monkeypatch, without_incidents, "failures.py")
    assert any("[incidents]" in code.value for code in app.code)


def test_the_switch_leaves_likely_failures_out(
    monkeypatch: pytest.MonkeyPatch, filled: Path
) -> None:
    """Both rates stand on the switch; sure signs only is fewer rows."""
    app = _open(monkeypatch, filled, "failures.py")
    every = app.dataframe[0].value
    assert set(every["confidence"]) == {"sure", "likely"}
    app.session_state["signs"] = "high"
    app.run()
    sure = app.dataframe[0].value
    assert set(sure["confidence"]) == {"sure"}
    assert len(sure) < len(every)


def test_incidents_linked_to_nothing_say_why(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """They stand first, with the reason."""
    rows = _open(monkeypatch, filled, "failures.py").dataframe[1].value
    assert rows["reason"].iloc[0] == "no deployment was live within 24 hours before it"
