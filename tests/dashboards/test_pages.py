"""Every page, run as Streamlit runs it: with data, without, with another schema, with hostility."""

import re
from collections import Counter
from collections.abc import Callable
from html import escape
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import frame, views_index
from dashboards.queries import Queries
from dashboards.words import JOINER, NO_BREAK
from pipelines.reader import SCHEMA_VERSION
from pipelines.settings import parse
from tests.dashboards.fixture import World, write_build, write_empty_build

APP = Path(frame.__file__).parent / "app.py"
TITLES = {view.path.name: view.title for view in views_index.found(APP.parent / "views")}
VIEWS = list(TITLES)

Open = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return a function that opens a view over a data folder with filters in the URL."""

    def opened(data: Path, view: str = "delivery.py", **filters: str) -> AppTest:
        monkeypatch.setenv("LEADLINE_DATA", str(data))
        app = AppTest.from_file(str(APP), default_timeout=30)
        for name, value in filters.items():
            app.query_params[name] = value
        if view != VIEWS[0]:
            app.switch_page(f"views/{view}")
        return app.run()

    return opened


def _html(app: AppTest) -> str:
    found = "\n".join(str(element.proto.body) for element in app.get("html"))
    return found.replace(NO_BREAK, " ").replace(JOINER, "")


def _answer(app: AppTest) -> str:
    found = re.search(r'<h1 class="ll-answer">(.*?)</h1>', _html(app))
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("period", ["Last 28 days", "Last 365 days"])
def test_every_page_shows_an_answer(open_page: Open, filled: Path, view: str, period: str) -> None:
    """Each page over each period ends without exception and answers with a number."""
    app = open_page(filled, view, period=period)
    assert not app.exception
    assert f'<div class="ll-eyebrow">{escape(TITLES[view])} ·' in _html(app)
    assert re.search(r"\d", _answer(app))
    assert any("built" in caption.value for caption in app.caption)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "filters",
    [
        {"team": "Ledger"},
        {"team": "Ledger", "service": "ledger-api"},
        {"service": "search-worker"},
        {"environment": "Production-eu"},
    ],
)
def test_filters_of_the_address_apply(
    open_page: Open, filled: Path, view: str, filters: dict[str, str]
) -> None:
    """A page opened with filters in its address shows that selection."""
    app = open_page(filled, view, **filters)
    assert not app.exception
    for name, value in filters.items():
        shown = app.selectbox(key=name)
        assert shown.format_func(shown.value) == value


def test_lead_time_is_told_in_variants_and_by_environment(open_page: Open, filled: Path) -> None:
    """Variants stand beside the headline under their own names; environments stand apart."""
    app = open_page(filled, "lead_time.py")
    tables = [table.value for table in app.dataframe]
    variants = next(table for table in tables if "variant" in table)
    assert {"Lead time, p75", "Merged to live", "Changes by machines"} <= set(variants["variant"])
    environments = next(table for table in tables if "environment" in table)
    assert list(environments["environment"]) == ["production-eu"]


def test_a_definition_is_found_by_its_address_and_by_words(open_page: Open, filled: Path) -> None:
    """The one asked for stands first; a search leaves those that have the words."""
    app = open_page(filled, "definitions.py", definition="change_fail_rate")
    assert app.subheader[0].value == "Change fail rate"
    app.text_input(key="search").set_value("six STAGES").run()
    assert not app.exception
    assert [each.value for each in app.subheader] == ["Lead time by stage", "Rules for all"]


def test_a_service_without_deployments_says_what_to_connect(open_page: Open, filled: Path) -> None:
    """No data is never zero: the reason and the lines to add stand in for the numbers."""
    app = open_page(filled, "delivery.py", service="commerce-gateway")
    assert not app.exception
    assert "no deployments observed" in _html(app)
    assert any("[deployments]" in code.value for code in app.code)


@pytest.mark.parametrize("view", VIEWS)
def test_unknown_filters_are_ignored_and_named(open_page: Open, filled: Path, view: str) -> None:
    """A wrong value in the address changes nothing but is told."""
    app = open_page(filled, view, period="yesterday", team="<b>nobody</b>")
    assert not app.exception
    assert "period and team" in app.info[0].value
    assert "nobody" not in app.info[0].value
    assert app.selectbox(key="period").value == "91d"


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_build_says_what_to_connect(open_page: Open, empty: Path, view: str) -> None:
    """Without any data every page names the lines to add to the settings."""
    app = open_page(empty, view)
    assert not app.exception
    assert "to show yet" in _answer(app)
    assert any("[connections.github]" in code.value for code in app.code)


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_build_the_page_says_what_to_run(
    open_page: Open, tmp_path: Path, view: str
) -> None:
    """Before the first build there is a friendly page with the commands."""
    app = open_page(tmp_path, view)
    assert not app.exception
    assert _answer(app) == "Nothing is built yet"
    assert any("leadline build" in code.value for code in app.code)


def test_another_schema_version_needs_a_rebuild(open_page: Open, tmp_path: Path) -> None:
    """A build of another version is not misread."""
    write_empty_build(tmp_path, schema_version=SCHEMA_VERSION + 1)
    app = open_page(tmp_path)
    assert not app.exception
    assert _answer(app) == "Rebuild needed"


def test_a_new_build_is_shown_at_the_next_run(open_page: Open, tmp_path: Path) -> None:
    """The pointer is looked up at every run: publication needs no restart."""
    write_empty_build(tmp_path)
    app = open_page(tmp_path)
    assert "to show yet" in _answer(app)
    write_build(tmp_path, World(changes=600))
    app.run()
    assert not app.exception
    assert "live within" in _answer(app)


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_names_stay_text(open_page: Open, hostile: Path, view: str) -> None:
    """Markup, formulas and links in names and titles are shown letter by letter."""
    app = open_page(hostile, view)
    assert not app.exception
    assert "<img" not in _html(app)
    for element in [*app.markdown, *app.caption, *app.subheader]:
        assert "<img" not in element.value
        assert not re.search(r"(?<!\\)\$x", element.value)
        assert not re.search(r"\]\(javascript", element.value)
    for table in app.dataframe:
        links = table.value.get("url", table.value.get("source"))
        assert links is None or not any(str(link).startswith("javascript") for link in links)


def test_csv_is_guarded_and_parquet_keeps_types() -> None:
    """The rows behind a page leave it as inert CSV and as typed Parquet."""
    rows = pl.DataFrame({"title": ["=1+1", "fine"], "flags": [["@a", "b"], []], "n": [1, 2]})
    text = frame.to_csv(rows).decode()
    assert text.splitlines() == ["title,flags,n", "'=1+1,'@a; b,1", 'fine,"",2']
    assert pl.read_parquet(frame.to_parquet(rows)).schema == rows.schema


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_asks_no_query_per_row(
    open_page: Open, crowded: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    """Over 50,000 changes a page asks each of its queries a few times, never one for each row."""
    asked: Counter[str] = Counter()
    original = Queries.frame

    def counted(
        self: Queries, statement: str, parameters: dict[str, object] | None = None
    ) -> pl.DataFrame:
        asked[statement] += 1
        return original(self, statement, parameters)

    monkeypatch.setattr(Queries, "frame", counted)
    app = open_page(crowded, view, period="Last 365 days")
    asked.clear()
    app.run()
    assert not app.exception
    assert asked
    assert max(asked.values()) <= 6


def test_the_lines_to_add_are_valid_settings(tmp_path: Path) -> None:
    """What a page without data tells people to write is accepted as it stands."""
    text = "\n\n".join(frame.CONNECT.values())
    settings = parse(text.encode(), tmp_path / "leadline.toml")
    assert set(settings.connections) == {"github", "git", "files", "jira", "backstage"}
    assert settings.incidents.ticket_types
    assert settings.deployments.rules


def test_views_declare_what_navigation_needs(tmp_path: Path) -> None:
    """A page is added by adding a file; one that declares too little is named."""
    (tmp_path / "second.py").write_text('TITLE = "B"\nICON = ":x:"\nGROUP = "G"\nORDER = 2\n')
    (tmp_path / "first.py").write_text('TITLE = "A"\nICON = ":x:"\nGROUP = "G"\nORDER = 1\n')
    found = views_index.found(tmp_path)
    assert [(view.title, view.is_first) for view in found] == [("A", True), ("B", False)]
    broken = tmp_path / "more"
    broken.mkdir()
    (broken / "third.py").write_text('TITLE = "C"\n')
    with pytest.raises(ValueError, match=r"third\.py: a view declares ICON"):
        views_index.found(broken)
