"""The page of configurations: its answer, who stands apart, and where it shows."""

from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import configuration_charts
from pipelines import decisions
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, Open, _answer, _html, open_page
from tests.pipelines.configuration_stories import audit, organisation, scan, settings
from tests.pipelines.stories import hour, tell

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
    ).publish()
    monkeypatch.setenv("LEADLINE_DATA", str(tmp_path / "data"))
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/configuration.py").run()
    assert not app.exception
    assert "1 of 1 audit in 12 months found teams configured differently" in _answer(app)


def test_a_deviation_is_allowed_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a reason and a name it is kept; the next build knows it, and it can be taken back."""
    given = [
        organisation(4),
        *(scan(number, {"secrets_management": ["vault"]}) for number in range(3)),
        scan(3, {"secrets_management": ["sops"]}),
        audit("Q1", {0: "Vault", 1: "env"}),
    ]
    tell(tmp_path, *given, settings=settings(4)).publish()
    data = tmp_path / "data"
    monkeypatch.setenv("LEADLINE_DATA", str(data))
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/configuration.py").run()
    _keep(app)
    assert any("write the reason and your name" in each.value for each in app.warning)
    assert decisions.history(data) == []
    chosen = next(box for box in app.selectbox if box.label == "Deviation")
    _write(app, chosen.options[0], reason="until they moved", author="Ada")
    held = decisions.in_force(decisions.history(data), "exception")
    assert [(each.value, each.author) for each in held.values()] == [("until they moved", "Ada")]

    # As if it had been said within the story.
    said = [each.model_copy(update={"at": hour(0)}) for each in held.values()]
    story = tell(tmp_path / "again", *given, settings=settings(4), others={"local": said})
    assert story.ask(
        "select distinct is_excepted from team_control where is_excepted and source = 'practices'"
    ) == [(True,)]

    chosen = next(box for box in app.selectbox if box.label == "Deviation")
    assert chosen.options[-1].startswith("Take back: ")
    _write(app, chosen.options[-1], reason="", author="Ada")
    assert decisions.in_force(decisions.history(data), "exception") == {}


def _write(app: AppTest, option: str, *, reason: str, author: str) -> None:
    next(box for box in app.selectbox if box.label == "Deviation").select(option)
    next(box for box in app.text_input if box.label == "Reason").set_value(reason)
    next(box for box in app.text_input if box.label == "Your name").set_value(author)
    _keep(app)
    assert not app.exception


def _keep(app: AppTest) -> None:
    next(button for button in app.button if button.label == "Keep").click().run()
