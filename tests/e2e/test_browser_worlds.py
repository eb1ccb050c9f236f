"""The verdict's page of every made-up organisation, as its leader sees it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards import words
from pipelines import threshold_words, verdict_words
from pipelines.files import DataFolder
from pipelines.thresholds import TITLES
from sandbox.profile import Expected
from tests.dashboards.test_serve import dashboard
from tests.e2e.browsing import DARK, LIGHT, SMALL, Look, Server, opened, settle
from tests.e2e.world_builds import PROFILES, Worlds

pytestmark = pytest.mark.browser

# Every text of a page, also of charts, tables and labels; settings to copy and icons are no words.
TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [...document.querySelectorAll('[aria-label], [alt], [title]')].flatMap(
    e => ['aria-label', 'alt', 'title'].map(name => e.getAttribute(name)));
  const left_out = 'script, style, noscript, code, pre, [data-testid="stIconMaterial"]';
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(left_out)) {
      texts.push(walker.currentNode.textContent);
    }
  }
  return [...new Set(texts.filter(text => text && text.trim()))];
}"""

# Tables are pictures; their cells come as text a moment later.
TABLES_ARE_DRAWN = """() => [...document.querySelectorAll('[data-testid="stDataFrame"]')]
  .every(table => table.querySelector('canvas table'))"""

# What a program calls things, and how it prints what it has no words for.
RAW = {
    "a name with underscores": r"[A-Za-z0-9]+_[A-Za-z0-9_]+",
    "an identifier of a record": r"\b[\w.-]+:[a-z_]+:\S+",
    "a UUID or hash": r"\b[0-9a-f]{8}-[0-9a-f]{4}\b|\b(?=[a-f]*\d)[0-9a-f]{12,}\b",
    "a date for machines": r"\b\d{4}-\d{2}-\d{2}",
    "no value": r"\b(None(?! of\b)|nan|NaN|NaT|null|undefined|inf|Infinity)\b",
    "a value of a program": r"\b(True|False|true|false)\b|[{}\[\]]",
    "a number nobody rounded": r"\d\.\d{4,}",
}

NUMBER = r"\d[\d,]*(\.\d)?"
RANGE = rf"{NUMBER}(–{NUMBER})?"
VALUES = {
    "setup_time": rf"{NUMBER} % of set-ups over a day",
    "shared_infrastructure": rf"(1 engineer|{NUMBER} engineers)",
    "configuration": rf"(1 audit with a finding|{NUMBER} audits with a finding)",
    "requests": rf"{NUMBER} % of hours for requests",
}
INTERVALS = {
    "setup_time": rf"{RANGE} %, n = {NUMBER} set-ups?",
    "shared_infrastructure": rf"{RANGE} engineers?, n = {NUMBER} engineers?",
    "configuration": rf"none: a count, n = {NUMBER} audits?",
    "requests": rf"{RANGE} %, n = {NUMBER} weeks?",
}


@pytest.fixture(scope="module")
def worlds(quick_folder: Path) -> Worlds:
    """Takes them, or makes them, each once."""
    return Worlds(quick_folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which one world after the other is published."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(browser: Any, data: Path) -> Iterator[Server]:
    """One dashboard for all of them: it shows what is published when a page is opened."""
    assert browser  # without one nothing need be built
    with dashboard(data) as port:
        yield Server(f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module", params=PROFILES)
def world(request: pytest.FixtureRequest, server: Server, worlds: Worlds, data: Path) -> str:
    """The name of a world that is published."""
    assert server
    published = DataFolder(worlds.published(PROFILES[request.param])).builds
    builds = DataFolder(data).builds
    builds.unlink(missing_ok=True)
    builds.symlink_to(published)
    return str(request.param)


@pytest.mark.parametrize("look", [LIGHT, DARK, SMALL], ids=lambda look: look.name)
def test_the_verdict_is_the_worlds_own(
    browser: Any, server: Server, world: str, look: Look
) -> None:
    """The known answer and states in plain words, every value with its unit, nothing raw or cut."""
    expected = PROFILES[world].expected
    assert expected is not None
    with opened(browser, server, "", look, name=f"verdict-{world}") as page:
        assert texts(page, "h1") == [answer(expected)]
        cards = page.locator(".ll-threshold")
        assert texts(cards, ".ll-title") == list(TITLES.values())
        for place, threshold in enumerate(TITLES):
            check_card(cards.nth(place), threshold, getattr(expected, threshold))
        for each in page.locator('[data-testid="stExpander"] summary').all():
            each.click()
        settle(page)
        page.wait_for_function(TABLES_ARE_DRAWN)
        assert raw(page) == []


def answer(expected: Expected) -> str:
    """The sentence that the product has for an answer and its states."""
    rows = {
        threshold: {
            "state": getattr(expected, threshold),
            "standing": None,
            "direction": None,
            "missing": [],
            "threshold_value": None,
        }
        for threshold in TITLES
    }
    return verdict_words.sentence(expected.answer, rows)


def check_card(card: Any, threshold: str, state: str) -> None:
    """The state in words with its sign, and a value with its unit, its limit and its interval."""
    (told,) = texts(card, ".ll-state")
    assert told.startswith(threshold_words.signed(state)), told
    if texts(card, ".ll-none"):
        is_by_scan = threshold == "configuration" and state != "insufficient"
        assert texts(card, ".ll-none") == ["no audit" if is_by_scan else "no value"]
        assert is_by_scan or state in {"insufficient", "not applicable"}
        assert texts(card, ".ll-value") == []
        return
    (value,) = texts(card, ".ll-value")
    assert re.fullmatch(VALUES[threshold], value), value
    sure = dict(zip(texts(card, "dt"), texts(card, "dd"), strict=True))
    interval = sure["bounds" if threshold == "shared_infrastructure" else "95 % interval"]
    assert re.fullmatch(INTERVALS[threshold], interval), interval


def texts(place: Any, selector: str) -> list[str]:
    """What is written in some elements, without line breaks and what prevents them."""
    found = place.locator(selector).all_inner_texts()
    return [" ".join(text.replace(words.JOINER, "").split()) for text in found]


def raw(page: Any) -> list[str]:
    """What is on a page that is not for people."""
    return [
        f"{what}: {text}"
        for text in page.evaluate(TEXTS)
        for what, pattern in RAW.items()
        if re.search(pattern, text)
    ]
