"""The page of requests: its answer, what it hides of small teams, and corrections."""

from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from pipelines import decisions
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, Open, _answer, _html, open_page
from tests.pipelines.request_stories import PEOPLE, SETTINGS, WEEK, item, logged
from tests.pipelines.stories import tell

__all__ = ["open_page"]


def test_the_answer_says_the_share_and_what_it_is_held_against(
    open_page: Open, filled: Path
) -> None:
    """The sentence, the interval beside it, the cards, and demand below them."""
    app = open_page(filled, "requests.py")
    assert "spends 73 % of its hours" in _answer(app)
    assert "more than the 50 % that is too much" in _answer(app)
    html = _html(app)
    assert "95 % interval 66 to 79 %" in html
    assert "66–79 % · 13 weeks" in html
    assert "Requests per engineer and week" in html
    # Three people outside the team: counted, not told of.
    assert "3 people, 5 are needed" in html


def test_a_correction_needs_tickets_and_a_name(open_page: Open, filled: Path) -> None:
    """Nothing is kept without a selection; the page says what to do."""
    app = open_page(filled, "requests.py")
    next(button for button in app.button if button.label == "Keep").click().run()
    assert not app.exception
    assert app.warning[0].value == "Select the tickets in the table first."
    assert decisions.in_force(decisions.history(filled), "ticket_class") == {}


def test_hours_of_two_people_are_not_shown(open_page: Open, tmp_path: Path) -> None:
    """Neither as a share nor as hours: the state is all there is."""
    path = write_build(tmp_path, World(changes=100))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE request_hours SET people = 2")
        connection.execute(
            "UPDATE request_measure SET value = NULL, ci_low = NULL, ci_high = NULL,"
            " reason = 'The share lies above the threshold.'"
        )
    app = open_page(tmp_path, "requests.py")
    assert not app.exception
    assert "lies above the threshold" in _answer(app)
    assert "of one or two people" in app.info[0].value
    assert "95 % interval" not in _html(app)


@pytest.mark.parametrize("team", ["Platform", "none"])
def test_over_a_real_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, team: str) -> None:
    """With hours of a few weeks, and where there is no such team."""
    hours = [
        logged(1 + number % 2, who, week * WEEK + number, 8)
        for week in range(10)
        for number, who in enumerate(("pia", "pat", "pim"))
    ]
    tell(
        tmp_path,
        PEOPLE,
        item(1, 0, labels=["request"], reporter="sam"),
        item(2, 0, labels=["build"]),
        item(3, 0, reporter="pia"),
        hours,
        settings=SETTINGS.replace(
            'infrastructure_team = "Platform"', f'infrastructure_team = "{team}"'
        ),
        as_of=10 * WEEK,
    ).publish()
    monkeypatch.setenv("LEADLINE_DATA", str(tmp_path / "data"))
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.switch_page("views/requests.py").run()
    assert not app.exception
    assert ("No infrastructure team" in _answer(app)) is (team == "none")
