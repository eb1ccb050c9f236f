"""The sentence and the cards of the page on service set-up."""

from zoneinfo import ZoneInfo

from dashboards import words
from dashboards.cards import Card
from dashboards.setup import Setup


def answer(found: Setup) -> str:
    """The page's answer in one sentence."""
    latest = found.latest
    if not latest["n"]:
        return (
            f"0 set-ups could be judged in the {latest['window_days']} days before the latest "
            "evaluation"
        )
    over = round(latest["value"] * latest["n"])
    told = f"{over} of {words.count(latest['n'], 'new service')} took more than one working day"
    median = found.value("set_up_working_time", "median", "all")["value"]
    if median is None:
        return f"{told} to get ready"
    return f"Half of new services take {found.length(median)} to get ready; {told}"


def standing(found: Setup, zone: ZoneInfo) -> str:
    """The state in the verdict, and since when it holds."""
    since = found.standing["since"] if found.standing else None
    return (
        found.state if since is None else f"{found.state} since {words.day(since.astimezone(zone))}"
    )


def row(found: Setup) -> list[Card]:
    """Share, medians of all, of the golden path and of hand-made services, tickets."""
    return [
        _share(found),
        _length(found, "Until ready, half of all", "all"),
        _length(found, "Golden path, half of them", "golden path"),
        _length(found, "Hand-made, half of them", "hand-made"),
        _tickets(found),
    ]


def _share(found: Setup) -> Card:
    latest = found.latest
    value = latest["value"]
    label = "Took more than one working day"
    if value is None:
        return Card(label=label, value=None, detail="", reason=latest["reason"])
    interval = words.interval(100 * latest["ci_low"], 100 * latest["ci_high"], "%")
    return Card(
        label=label,
        value=words.quantity(100 * value, "%"),
        detail=f"95 %: {interval} · n = {latest['n']} · {found.state}",
        history=found.measures["value"].to_list(),
        history_words="The share at each evaluation, every fourth week.",
    )


def _length(found: Setup, label: str, group: str) -> Card:
    """The median working time of a group until ready."""
    median = found.value("set_up_working_time", "median", group)
    if median["value"] is None:
        return Card(label=label, value=None, detail="", reason=str(median["reason"]))
    low, high = (
        None if median[end] is None else found.short(median[end]) for end in ("ci_low", "ci_high")
    )
    interval = f"{low}–{high}" if low and high else f"at least {low}" if low else f"at most {high}"
    p85 = found.value("set_up_working_time", "p85", group)["value"]
    more = "" if p85 is None else f" · 85 % within {found.short(p85)}"
    return Card(
        label=label,
        value=found.length(median["value"]),
        detail=f"95 %: {interval} · n = {median['n']}{more}",
    )


def _tickets(found: Setup) -> Card:
    tickets = found.value("tickets_per_set_up", "mean", "hand-made")
    label = "Tickets per hand-made service"
    if tickets["value"] is None:
        return Card(label=label, value=None, detail="", reason=str(tickets["reason"]))
    hours = found.value("infrastructure_hours_per_set_up", "mean", "hand-made")["value"]
    logged = "nobody logs time on them" if hours is None else f"{words.number(hours)} h logged each"
    return Card(
        label=label,
        value=words.quantity(tickets["value"], "tickets"),
        detail=f"mean of {tickets['n']} · {logged}",
    )
