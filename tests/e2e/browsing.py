"""A real browser on pages of the dashboard: how they are looked at, and what is wrong with them."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


@contextmanager
def started_browser() -> Iterator[Any]:
    """Debian's Chromium under Playwright; without it tests are skipped."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@contextmanager
def opened(browser: Any, server: Server, path: str, look: Look, *, name: str) -> Iterator[Any]:
    """A clean page: right colours and font, nothing cut, nothing foreign, from opening to closing.

    A picture of it is kept under `name` as it stands at first.
    """
    context = browser.new_context(color_scheme=look.scheme, viewport=look.window)
    page = context.new_page()
    problems = watch(page, server)
    page.goto(f"{server.url}/{path}")
    settle(page)
    assert page.locator("h1").first.inner_text().strip()
    ground = page.evaluate(
        "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    )
    assert ground == ("rgb(15, 23, 30)" if look.scheme == "dark" else "rgb(251, 251, 249)")
    assert page.evaluate("() => document.fonts.check('16px \"Leadline Sans\"')")
    cut = page.evaluate(OVERFLOWING)
    assert not cut, cut
    _keep(page, f"{name}-{look.name}")
    yield page
    assert not problems, problems
    context.close()


def watch(page: Any, server: Server) -> list[str]:
    """What goes wrong on a page from now on: errors, dialogs, requests off this machine."""
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


def settle(page: Any) -> None:
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
