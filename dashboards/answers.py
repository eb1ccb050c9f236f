"""The sentences on top of pages: the answer in words, and how sure it is."""

from datetime import date

import polars as pl

from dashboards import frame, stability, words
from dashboards.frame import Page
from dashboards.measures import (
    DEPLOYMENTS,
    FAIL_RATE,
    FAIL_RATE_AT_LEAST,
    LEAD_TIME,
    RECOVERY,
    Measure,
    measure,
)

_WATCHED = (DEPLOYMENTS, LEAD_TIME)


def delivery(page: Page, rows: pl.DataFrame) -> str:
    """Return how long changes take and how many deployments fail, in one sentence."""
    lead_time, deployments = measure(rows, LEAD_TIME, page), measure(rows, DEPLOYMENTS, page)
    if lead_time.quantity is None:
        counted = words.count(deployments.n, "deployment") if deployments.n else "No deployment"
        period = words.PERIODS[page.scope.period]
        return f"{counted} in {period}; how long changes take is not known"
    start = "Half" if page.scope.service_id is not None else "In the typical service half"
    answer = f"{start} of all changes are live within {lead_time.quantity}"
    if lead_time.comparison.long:
        answer += f", {lead_time.comparison.long}"
    failing = fail_rate(page, rows)
    return f"{answer}; {failing}" if failing else answer


def fail_rate(page: Page, rows: pl.DataFrame) -> str:
    """Return how many deployments fail, or nothing where that is not known."""
    rate, least = (measure(rows, kind, page) for kind in (FAIL_RATE, FAIL_RATE_AT_LEAST))
    if rate.value is not None:
        return f"{words.number(rate.value)} % of deployments fail"
    if least.value is not None:
        return f"at least {words.number(least.value)} % of deployments fail"
    return ""


def delivery_sure(page: Page, rows: pl.DataFrame) -> str:
    """Return the intervals and samples behind the sentence, or why there is none."""
    parts = []
    lead_time, deployments = measure(rows, LEAD_TIME, page), measure(rows, DEPLOYMENTS, page)
    if lead_time.quantity is not None:
        found = words.count(lead_time.n, "change")
        parts.append(f"95 % interval {lead_time.interval or 'unknown'} from {found}")
    else:
        parts.append(f"Lead time: {lead_time.reason}")
    parts.append(_deployments(page, deployments))
    rate = measure(rows, FAIL_RATE, page)
    if rate.value is not None:
        parts.append(f"fail rate {rate.interval or 'without an interval'}")
    else:
        parts.append(f"fail rate: {rate.reason}")
    return " · ".join(parts)


def failures(page: Page, rows: pl.DataFrame) -> str:
    """Return how many deployments fail and how long they take to mend, in one sentence."""
    failing = fail_rate(page, rows)
    recovery = measure(rows, RECOVERY, page)
    if not failing:
        return "How many deployments fail is not known"
    where = "" if page.scope.service_id is not None else "In the typical service "
    answer = f"{where}{failing}" if where else failing[0].upper() + failing[1:]
    if recovery.quantity is not None:
        return f"{answer}; half of the failures are mended within {recovery.quantity}"
    return answer


def failures_sure(page: Page, rows: pl.DataFrame, found: pl.DataFrame, young: int) -> str:
    """Return the interval, the samples, and what is too young to count."""
    rate, recovery = measure(rows, FAIL_RATE, page), measure(rows, RECOVERY, page)
    parts = [
        f"95 % interval {rate.interval or 'unknown'} from {words.count(rate.n, 'deployment')}"
        if rate.value is not None
        else rate.reason,
        f"recovery {recovery.interval or 'without an interval'} from "
        f"{words.count(recovery.n, 'failure')}"
        if recovery.value is not None
        else f"recovery: {recovery.reason}",
    ]
    is_open = found.filter(pl.col("is_open")).height
    if is_open:
        parts.append(f"{words.count(is_open, 'failure')} not over")
    if young:
        parts.append(f"{words.count(young, 'deployment')} too young to count")
    return " · ".join(parts)


def _deployments(page: Page, value: Measure) -> str:
    if value.quantity is None:
        return f"deployments: {value.reason}"
    where = "" if page.scope.service_id is not None else " in the typical service"
    interval = value.interval or "interval unknown"
    return f"{words.count(value.n, 'deployment')}, {value.quantity}{where} ({interval})"


def signal_card(limits: pl.DataFrame) -> None:
    """Show which of the last weeks stand out of their natural limits, metric by metric."""
    box = frame.card(
        "Does anything stand out?",
        "Weeks of the last eight outside the limits that the series' own noise draws (marked ◇ "
        "in the charts). A stable series shows some by chance: one alone is no news.",
    )
    if limits.is_empty():
        box.info("Too few weeks so far: natural limits need at least 12 of them.")
        return
    lines = []
    for kind in _WATCHED:
        own = stability.of(limits, kind)
        if own.is_empty():
            few = "··· not enough data: fewer than 12 weeks with a value"
            lines.append(f"<li><b>{words.html_text(kind.label)}</b> {few}</li>")
            continue
        found = stability.signals(own)
        told = "; ".join(_weeks(signal, weeks) for signal, weeks in found.items()) or "nothing"
        sign = "◇" if found else "✓"
        told = words.html_text(told)
        lines.append(
            f"<li>{sign} <b>{words.html_text(kind.label)}</b> {told}"
            f'<div class="ll-detail">{words.html_text(stability.by_chance(own))}</div></li>'
        )
    box.html(f'<ul class="ll-signals">{"".join(lines)}</ul>')


def _weeks(signal: str, weeks: list[date]) -> str:
    """Return a signal with the weeks that show it: '3 weeks above the limits, 5 Oct to 16 Nov'."""
    first, last = f"{weeks[0]:%-d %b}", f"{weeks[-1]:%-d %b}"
    if len(weeks) == 1:
        return f"{signal}, week of {first}"
    return f"{signal} in {len(weeks)} weeks, {first} to {last}"
