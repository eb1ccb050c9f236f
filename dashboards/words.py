"""Plain words for numbers, times and names: the only place that turns data into text for people."""

import re
from calendar import month_name
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

JOINER: Final = "\N{WORD JOINER}"
NO_BREAK: Final = "\N{NO-BREAK SPACE}"

Outcome = Literal["better", "worse", "unclear", "unknown"]

PERIODS: Final = {"28d": "28 days", "91d": "91 days", "182d": "182 days", "365d": "365 days"}

# What people say for a unit of the published tables: after one, and after several.
_UNITS: Final = {
    "h": ("hour", "hours"),
    "working h": ("working hour", "working hours"),
    "per week": ("a week", "a week"),
    "days per week": ("day a week", "days a week"),
    "%": ("%", "%"),
    "changes": ("change", "changes"),
    "tickets": ("ticket", "tickets"),
}

# Bare addresses become links in Markdown even when every sign is escaped: an invisible joiner
# after the part that is recognised keeps them text.
_AUTOLINK: Final = re.compile(r"(https?:|ftp:|www(?=\.)|(?=@))", re.IGNORECASE)
_MARKDOWN: Final = re.compile(r"([!-/:-@\[-`{-~])")
_MONTHS: Final = "|".join(month_name[1:])
_TOGETHER: Final = re.compile(rf"\d+ (?:{_MONTHS}) \d+|\d %|\bn = \d")
_RANGE: Final = re.compile(r"(?<=\d)–(?=\d)")
_SETTING: Final = re.compile(
    r"\[[a-z_]+\]|\b[a-z]+(?:_[a-z]+)+\b(?: = &quot;\w+&quot;)?|\b[a-z]+\.(?:toml|files|controls)\b"
)
_FORMULA: Final = re.compile(r"^\s*[=+\-@\t\r\n|%]")


@dataclass(frozen=True)
class Quantity:
    """A number as text and the unit that follows it."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}".strip()


@dataclass(frozen=True)
class Comparison:
    """How a value stands to the equal period before: in words, and whether that is good."""

    outcome: Outcome
    short: str
    long: str


def plain(text: object) -> str:
    """Return text that Markdown shows letter by letter: no markup, HTML, formula or link."""
    joined = _AUTOLINK.sub(lambda match: match.group(1) + JOINER, one_line(text))
    return _MARKDOWN.sub(r"\\\1", joined)


def html_text(text: object) -> str:
    """Return text that HTML shows letter by letter, lines broken where they may be."""
    return unbroken(escape(one_line(text), quote=True))


def html_with_settings(text: object) -> str:
    """Return text for HTML in which names of settings are set as what is to be typed."""
    return _SETTING.sub(r"<code>\g<0></code>", html_text(text))


def unbroken(text: str) -> str:
    """Return text in which no line ends within a date, a range, a per cent or 'n = 9'."""
    together = _TOGETHER.sub(lambda match: match.group().replace(" ", NO_BREAK), text)
    return _RANGE.sub(f"–{JOINER}", together)


def one_line(text: object) -> str:
    """Return text without line breaks and control characters, which have no place in a label."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split(" "))


def safe_link(url: str | None) -> str | None:
    """Return a web address that may become a link, or None for everything else."""
    if not url or any(not sign.isprintable() or sign in " \"'<>\\^`{|}" for sign in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def guard_formula(text: str | None) -> str | None:
    """Return a CSV cell that no spreadsheet runs as a formula."""
    return f"'{text}" if text and _FORMULA.match(text) else text


def number(value: float, digits: int = 3) -> str:
    """Return a number with about three significant digits, grouped by thousands."""
    size = abs(value)
    decimals = 0 if size >= 10 ** (digits - 1) else 1
    if 0 < size < 1:
        decimals = 2
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: '1 service', '1,204 changes'."""
    noun = singular if value == 1 else plural or f"{singular}s"
    return f"{value:,.0f} {noun}"


def percent(part: float, whole: float) -> str:
    """Return a share in per cent; a small share is never rounded to nothing."""
    share = part / whole * 100
    if 0 < share < 0.1:
        return f"under 0.1{NO_BREAK}%"
    return f"{share:.1f}".removesuffix(".0") + f"{NO_BREAK}%"


def duration(hours: float) -> Quantity:
    """Return a duration in the unit a person would say: minutes, hours, days."""
    if hours < 2:
        return _counted(f"{hours * 60:.0f}", "minute")
    if hours < 48:
        return _counted(_rounded(hours), "hour")
    return _counted(_rounded(hours / 24), "day")


def short_duration(hours: float) -> str:
    """Return a duration for tight places: '35 min', '4.1 h', '3 d'."""
    quantity = duration(hours)
    unit = {"minute": "min", "hour": "h", "day": "d"}[quantity.unit.removesuffix("s")]
    return f"{quantity.number}{NO_BREAK}{unit}"


def column_unit(hours: list[float | None]) -> tuple[float, str]:
    """Return by what to divide a column of hours, and the unit it then has."""
    known = sorted(value for value in hours if value is not None)
    return (24.0, "days") if known and known[len(known) // 2] >= 48 else (1.0, "hours")


def quantity(value: float, unit: str) -> Quantity:
    """Return a value of the published tables with the unit a person would say."""
    if unit == "h":
        return duration(value)
    text = number(value)
    singular, plural = _UNITS.get(unit, (unit, unit))
    return Quantity(text, singular if text == "1" else plural)


def short_quantity(value: float, unit: str) -> str:
    """Return a value for tight places; counts and rates without their unit."""
    if unit == "%":
        return f"{number(value)}{NO_BREAK}%"
    return short_duration(value) if unit == "h" else number(value)


def interval(low: float | None, high: float | None, unit: str) -> str | None:
    """Return a 95 % interval, open-ended where the sample is too small for an end."""
    if low is None and high is None:
        return None
    if low is None and high is not None:
        return f"at most {short_quantity(high, unit)}"
    if high is None and low is not None:
        return f"at least {short_quantity(low, unit)}"
    assert low is not None  # noqa: S101  # both ends are there: tells the type checker
    assert high is not None  # noqa: S101
    first, second = short_quantity(low, unit), short_quantity(high, unit)
    if unit in {"h", "%"} and first.split(NO_BREAK)[1] == second.split(NO_BREAK)[1]:
        first = first.split(NO_BREAK)[0]
    return second if first == second else f"{first}–{second}"


def comparison(
    *,
    value: float | None,
    previous: float | None,
    low: float | None,
    high: float | None,
    unit: str,
    good: Literal["more", "less", "neither"],
    period: str,
) -> Comparison:
    """Compare a value with the equal period before; a change inside the interval is no news."""
    if value is None:
        return Comparison("unknown", "no value to compare", "")
    before = f"the {PERIODS.get(period, period)} before"
    if previous is None:
        return Comparison("unknown", "nothing to compare with before", f"{before} have no value")
    was = short_quantity(previous, unit)
    if low is None and high is None and value != previous:
        moved = _relative(value, previous, unit)
        return Comparison(
            "unclear",
            f"{'↑' if value > previous else '↓'} from {was}, unsure",
            f"{moved} than in {before} (certainty unknown)",
        )
    inside = (low is None or low <= previous) and (high is None or previous <= high)
    if inside or value == previous:
        return Comparison(
            "unclear", f"no clear change from {was}", f"no clear change from {before}"
        )
    rises = value > previous
    arrow = "↑" if rises else "↓"
    moved = _relative(value, previous, unit)
    outcome: Outcome = (
        "unclear" if good == "neither" else "better" if rises == (good == "more") else "worse"
    )
    judged = "" if good == "neither" else f", {outcome}"
    return Comparison(outcome, f"{arrow} from {was}{judged}", f"{moved} than in {before}")


def _relative(value: float, previous: float, unit: str) -> str:
    less, more = ("faster", "slower") if unit == "h" else ("less often", "more often")
    if unit not in {"h", "per week", "days per week"}:
        less, more = ("lower", "higher") if unit == "%" else ("fewer", "more")
    word = more if value > previous else less
    if unit == "%":
        return f"{number(abs(value - previous))} points {word}"
    if previous <= 0:
        return word
    share = abs(value / previous - 1)
    return f"{share * 100:.0f} % {word}" if share < 1 else f"{value / previous:.1f} times as much"


def day(value: date) -> str:
    """Return a date in words: 'Sunday 15 November 2026'."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def moment(value: datetime, zone: ZoneInfo) -> str:
    """Return a time in the organisation's zone: '15 Nov 2026, 06:00'."""
    local = value.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def ago(value: datetime, now: datetime) -> str:
    """Return how long ago something was: '2 hours ago'."""
    hours = (now - value).total_seconds() / 3600
    return "just now" if hours < 1 / 60 else f"{duration(hours)} ago"


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence: 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _rounded(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:,.0f}"


def _counted(text: str, noun: str) -> Quantity:
    return Quantity(text, noun if text == "1" else f"{noun}s")
