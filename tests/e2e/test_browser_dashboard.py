"""A real browser walks every page: light, dark and on a phone."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboards import serve, views_index
from tests.dashboards.fixture import World, write_build
from tests.dashboards.test_serve import dashboard

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1440, "height": 1000}, {"width": 420, "height": 900}
PATHS = [
    "" if view.is_first else view.path.stem
    for view in views_index.found(serve.APP.parent / "views")
]
# Opening a sub-page directly makes Streamlit itself look for two addresses below that page.
TOLERATED = re.compile(r"/[a-z_]+/_stcore/(health|host-config)$")

# Text that is cut off or sticks out of its box; what scrolls by design is left out.
OVERFLOWING = """() => {
  const main = document.querySelector('[data-testid="stMainBlockContainer"]');
  const wide = document.documentElement.scrollWidth > window.innerWidth + 1;
  const cut = [...main.querySelectorAll('.ll-answer, .ll-eyebrow, .ll-sure, .ll-card *, '
      + '.ll-title, .ll-sub, [data-testid="stCaptionContainer"] p')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
    .map(e => e.className + ': ' + e.textContent);
  const texts = [...main.querySelectorAll('[data-testid="stVegaLiteChart"]')].flatMap(chart => {
    const box = chart.getBoundingClientRect();
    return [...chart.querySelectorAll('svg text')].filter(text => {
      const own = text.getBoundingClientRect();
      return own.width > 0 && (own.right > box.right + 2 || own.left < box.left - 2);
    }).map(text => 'chart: ' + text.textContent);
  });
  return [...(wide ? ['the page is wider than the window'] : []), ...cut, ...texts];
}"""


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium under Playwright; without it these tests are skipped."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


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


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    scheme: str
    window: dict[str, int]


LIGHT, DARK, SMALL = (
    Look("light", "light", DESKTOP),
    Look("dark", "dark", DESKTOP),
    Look("phone", "light", PHONE),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("look", [LIGHT, DARK, SMALL], ids=lambda look: look.name)
def test_page_is_clean(browser: Any, server: Server, path: str, look: Look) -> None:
    """No console error, no dialog, no request off this machine, no text out of its box."""
    _walk(browser, server, path, look)


@pytest.mark.parametrize("path", PATHS)
def test_hostile_names_are_harmless(browser: Any, hostile_server: Server, path: str) -> None:
    """Names full of markup and links are text: no element, no request, no dialog of theirs."""
    _walk(browser, hostile_server, path, SMALL)


def _walk(browser: Any, server: Server, path: str, look: Look) -> None:
    context = browser.new_context(color_scheme=look.scheme, viewport=look.window)
    page = context.new_page()
    problems = _watch(page, server)
    page.goto(f"{server.url}/{path}")
    _settle(page)
    assert page.locator("h1").first.inner_text().strip()
    ground = page.evaluate(
        "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    )
    assert ground == ("rgb(15, 23, 30)" if look.scheme == "dark" else "rgb(251, 251, 249)")
    assert page.evaluate("() => document.fonts.check('16px \"Leadline Sans\"')")
    assert page.evaluate(OVERFLOWING) == []
    assert problems == []
    # Hostile names must not have become elements.
    assert page.locator('[data-testid="stMain"] img[src="x"]').count() == 0
    assert page.locator('a[href^="javascript"], a[href*="evil.example"]').count() == 0
    _keep(page, f"{path or 'verdict'}-{look.name}")
    context.close()


def test_keyboard_reaches_filters_and_address_keeps_them(browser: Any, server: Server) -> None:
    """A filter is chosen by keyboard alone, enters the address, and survives a page change."""
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{server.url}/delivery")
    _settle(page)
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
    _settle(page)
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
    _settle(page)
    table = page.locator('[data-testid="stDataFrame"] canvas').first
    box = table.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 55)
    page.get_by_text("first commit").first.wait_for()
    assert page.get_by_text("live after").first.is_visible()
    page.close()


def test_a_failure_leads_to_its_walk_through(browser: Any, server: Server) -> None:
    """From a failure's row to the steps of its deployment, with the filters kept in the address."""
    page = browser.new_page(viewport={"width": 1440, "height": 2400})
    problems = _watch(page, server)
    page.goto(f"{server.url}/failures?period=Last+365+days")
    _settle(page)
    box = page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 55)
    page.get_by_role("button", name="How this deployment is counted").click()
    page.wait_for_url(re.compile(r"walk_through\?.*deployment="))
    _settle(page)
    assert page.get_by_text("What was live when it started?").is_visible()
    assert "period=Last" in page.url
    page.get_by_role("link", name="its steps").first.click()
    _settle(page)
    assert page.locator(".ll-steps > li").count() >= 6
    assert problems == []
    page.close()


def _watch(page: Any, server: Server) -> list[str]:
    problems: list[str] = []

    def on_console(message: Any) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and not TOLERATED.search(address):
            problems.append(f"console: {message.text} {address}")

    def on_dialog(dialog: Any) -> None:
        problems.append("a dialog opened")
        dialog.dismiss()

    def on_request(request: Any) -> None:
        if not request.url.startswith((server.url, "data:", "blob:")):
            problems.append(f"request to {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"page: {error}"))
    page.on("dialog", on_dialog)
    page.on("request", on_request)
    return problems


def _settle(page: Any) -> None:
    """Wait until the footer is there, nothing runs and every chart is drawn."""
    page.get_by_text("times in").first.wait_for(timeout=40_000)
    page.wait_for_function(
        """() => !document.querySelector('[data-testid="stStatusWidget"]')
          && [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')]
            .every(chart => chart.querySelector('svg'))
          && !document.querySelector('[data-testid="stSkeleton"]')"""
    )


def _keep(page: Any, name: str) -> None:
    """Keep a picture of the whole page where LEADLINE_SCREENSHOTS says so."""
    folder = os.environ.get("LEADLINE_SCREENSHOTS")
    if folder is None:
        return
    height = page.evaluate(
        """() => document.querySelector('[data-testid="stMainBlockContainer"]').scrollHeight"""
    )
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    Path(folder).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=Path(folder) / f"{name}.png")
