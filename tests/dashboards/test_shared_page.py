"""The page of shared infrastructure: its answer, and deciding who is one person."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import decisions
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_pages import APP, Open, _answer, _html, open_page
from tests.pipelines.shared_world import busy, people, teams, told, unit

__all__ = ["open_page"]
VIEW = "shared_infrastructure.py"


def test_the_answer_says_how_many_and_against_what(open_page: Open, filled: Path) -> None:
    """The sentence, the bounds, and the coverage beside it."""
    app = open_page(filled, VIEW)
    assert _answer(app) == "60 engineers share one unit: the threshold is 50"
    html = _html(app)
    assert "between 57 and 60; threshold 50" in html
    assert "5 of 5 production services" in html
    assert "76 of 80 active accounts" in html


def test_a_decision_is_kept_and_nobody_is_asked_twice(open_page: Open, tmp_path: Path) -> None:
    """Chosen, said what is right and by whom; the build stays as it is."""
    write_build(tmp_path, World(changes=50))
    app = open_page(tmp_path, VIEW)
    keep = next(button for button in app.button if button.label == "Keep")
    keep.click().run()
    assert app.warning[0].value == "Choose pairs and write your name first."
    assert not (tmp_path / "landing.sqlite").exists()
    pairs = app.multiselect[0]
    pairs.set_value([pairs.options[0]])
    app.text_input[0].set_value("Ann")
    next(button for button in app.button if button.label == "Keep").click().run()
    assert not app.exception
    (made,) = decisions.history(tmp_path)
    assert (made.kind, made.subject, made.value, made.author) == (
        "identity", "forge:1 = jira:1", "accepted", "Ann",
    )  # fmt: skip
    assert "1 suggestion by likeness" in _html(app)


@pytest.mark.parametrize("engineers", [4, 60])
def test_over_a_real_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engineers: int) -> None:
    """Below the threshold and above it."""
    half = engineers // 2
    told(
        tmp_path, people(0, engineers), busy("shop", range(half)),
        busy("cart", range(half, engineers)),
        settings=teams(One="shop", Two="cart") + unit("prod", "shop", "cart"),
    ).publish()  # fmt: skip
    monkeypatch.setenv("LEADLINE_DATA", str(tmp_path / "data"))
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.switch_page(f"views/{VIEW}").run()
    assert not app.exception
    assert _answer(app).startswith(f"{engineers} engineers share one unit")
