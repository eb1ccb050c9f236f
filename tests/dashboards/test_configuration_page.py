"""The page of configurations: its answer, who stands apart, and where it shows."""

from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import configuration_charts
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, Open, _answer, _html, open_page
from tests.pipelines.configuration_stories import audit, organisation, scan, settings
from tests.pipelines.stories import tell

__all__ = ["open_page"]


def test_the_answer_says_how_many_audits(open_page: Open, filled: Path) -> None:
    """The sentence, how sure it is, and the cards."""
    app = open_page(filled, "configuration.py")
    assert not app.exception
    assert _answer(app).startswith("2 of 2 audits in 12 months found teams configured differently")
    html = _html(app)
    assert "▲ crossed" in html
    assert "Autumn reached 8 of 8 teams" in html
    assert "8 of 8" in html
    assert "1 of 2" in html


def test_links_of_audits_are_shown_only_if_they_lead_to_the_web(
    open_page: Open, filled: Path
) -> None:
    """What a register says is a link may be anything."""
    app = open_page(filled, "configuration.py")
    tables = [table.value for table in app.dataframe if "observed" in table.value.columns]
    assert "source" in tables[0].columns
    assert tables[0]["source"].isna().all()


@pytest.mark.parametrize(
    ("state", "value", "n", "answer"),
    [
        ("clear", "NULL", 0, "live scans show the critical controls alike"),
        ("clear", "0", 2, "The latest audit found no team configured differently"),
        ("trending", "1", 1, "live scans show it fixed since"),
        ("not applicable", "NULL", 0, "too few teams"),
        ("insufficient", "NULL", 0, "but no audit has looked at it"),
    ],
)
def test_every_state_has_its_sentence(
    open_page: Open, tmp_path: Path, *, state: str, value: str, n: int, answer: str
) -> None:
    """A leader reads the state without the colour."""
    path = write_build(tmp_path, World(changes=100))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"UPDATE configuration_measure SET measured_state = '{state}', value = {value}, n = {n}"
        )
    app = open_page(tmp_path, "configuration.py")
    assert not app.exception
    assert answer in _answer(app)


def test_a_chart_of_too_many_teams_keeps_those_that_stand_apart() -> None:
    """The others are in the tables; the order stays that of the names."""
    import polars as pl

    names = [f"team {number:02}" for number in range(40)]
    cells = pl.DataFrame({"team": names, "is_outlier": [n == "team 39" for n in names]})
    shown = configuration_charts.teams_shown(cells)
    assert len(shown) == configuration_charts.MOST_TEAMS
    assert shown[-1] == "team 39"
    assert shown == sorted(shown)


def test_over_a_real_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Scans and an audit of a real build: every part has something to show."""
    practices = {"secrets_management": ["vault"], "ci_cd": ["jenkins", "drone"], "house": ["lamp"]}
    tell(
        tmp_path,
        organisation(4),
        *(scan(number, practices) for number in range(3)),
        scan(3, {"secrets_management": ["sops"]}),
        audit("Q1", {0: "Vault", 1: "env"}),
        settings=settings(4),
    )
    monkeypatch.setenv("LEADLINE_DATA", str(tmp_path / "data"))
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/configuration.py").run()
    assert not app.exception
    assert "1 of 1 audit in 12 months found teams configured differently" in _answer(app)
