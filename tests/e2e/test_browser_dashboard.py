"""A real browser walks every page: light, dark and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards import serve, views_index
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_serve import dashboard
from tests.e2e.browsing import DARK, DESKTOP, LIGHT, SMALL, Look, Server, opened, settle, watch

pytestmark = pytest.mark.browser

PATHS = [
    "" if view.is_first else view.path.stem
    for view in views_index.found(serve.APP.parent / "views")
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dashboard over a build with ordinary names."""
    yield from _served(tmp_path_factory.mktemp("plain"), World(changes=3000))


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dashboard over a build with hostile names."""
    yield from _served(tmp_path_factory.mktemp("hostile"), World(changes=3000, hostile=True))


def _served(data: Path, world: World) -> Iterator[Server]:
    write_build(data, world)
    with dashboard(data) as port:
        yield Server(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("look", [LIGHT, DARK, SMALL], ids=lambda look: look.name)
def test_page_is_clean(browser: Any, server: Server, path: str, look: Look) -> None:
    """No console error, no dialog, no request off this machine, no text out of its box."""
    with opened(browser, server, path, look, name=path or "verdict"):
        pass


@pytest.mark.parametrize("path", PATHS)
def test_hostile_names_are_harmless(browser: Any, hostile_server: Server, path: str) -> None:
    """Names full of markup and links are text: no element, no request, no dialog of theirs."""
    name = f"hostile-{path or 'verdict'}"
    with opened(browser, hostile_server, path, SMALL, name=name) as page:
        assert page.locator('[data-testid="stMain"] img[src="x"]').count() == 0
        assert page.locator('a[href^="javascript"], a[href*="evil.example"]').count() == 0


def test_keyboard_reaches_filters_and_address_keeps_them(browser: Any, server: Server) -> None:
    """A filter is chosen by keyboard alone, enters the address, and survives a page change."""
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{server.url}/delivery")
    settle(page)
    page.get_by_label("Period").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"period=Last"))
    chosen = re.search(r"period=[^&]+", page.url)
    assert chosen is not None
    page.get_by_role("link", name="Lead time").click()
    page.wait_for_url(re.compile("lead_time"))
    assert chosen.group() in page.url
    page.close()


def test_definition_and_download_are_one_click_away(browser: Any, server: Server) -> None:
    """The footer opens words and SQL, and gives the rows as CSV."""
    page = browser.new_page(viewport=DESKTOP, accept_downloads=True)
    page.goto(f"{server.url}/delivery")
    settle(page)
    page.get_by_role("button", name="Definition · SQL").click()
    page.get_by_text("SELECT").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("metric,variant,")
    page.close()


def test_a_selected_change_shows_its_way(browser: Any, server: Server) -> None:
    """Selecting a row of the drill-down opens the change with its moments."""
    page = browser.new_page(viewport={"width": 1440, "height": 1900})
    page.goto(f"{server.url}/lead_time")
    settle(page)
    table = page.locator('[data-testid="stDataFrame"] canvas').first
    box = table.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 55)
    page.get_by_text("first commit").first.wait_for()
    assert page.get_by_text("live after").first.is_visible()
    page.close()


def test_a_failure_leads_to_its_walk_through(browser: Any, server: Server) -> None:
    """From a failure's row to the steps of its deployment, with the filters kept in the address."""
    page = browser.new_page(viewport={"width": 1440, "height": 2400})
    problems = watch(page, server)
    page.goto(f"{server.url}/failures?period=Last+365+days")
    settle(page)
    box = page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 55)
    page.get_by_role("button", name="How this deployment is counted").click()
    page.wait_for_url(re.compile(r"walk_through\?.*deployment="))
    settle(page)
    assert page.get_by_text("What was live when it started?").is_visible()
    assert "period=Last" in page.url
    page.get_by_role("link", name="its steps").first.click()
    settle(page)
    assert page.locator(".ll-steps > li").count() >= 6
    assert problems == []
    page.close()
