"""Parts of the page of requests: cards, what tickets are, corrections, the text model."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, request_charts, request_queries, session, words
from dashboards.cards import Aside, Card
from dashboards.request_charts import NAMES
from dashboards.tables import filled, mapped, show_table
from dashboards.words import Quantity
from pipelines import decisions
from pipelines.landing import LandingError
from pipelines.threshold_words import signed

SMALLEST_TEAM: Final = 3
_KEPT: Final = "requests_kept"
_CLASSES: Final = {
    "request": "Request",
    "build": "Building",
    "incident": "Incident",
    "overhead": "Overhead",
    decisions.WITHDRAWN: "Take back",
}
_METHODS: Final = {
    "correction": "corrected",
    "label": "label",
    "type": "type",
    "epic": "epic",
    "project": "project",
    "reporter": "reporter's team",
    "text": "words",
    "none": "nothing",
}
_KIND_NAMES: Final = {
    "unclassified": "Unclassified",
    "words": "By their words",
    "rules": "By rules",
    "corrected": "Corrected",
}


def shown_hours(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the weeks whose hours may be shown: of one or two people they tell of a person."""
    return hours.filter(pl.col("people") >= SMALLEST_TEAM)


def cards(measure: dict[str, Any], hours: pl.DataFrame, window: pl.DataFrame) -> list[Card]:
    """Return the share with its interval, hours by class, and coverage."""
    value, low, high = measure["value"], measure["ci_low"], measure["ci_high"]
    interval = None
    if low is not None and high is not None:
        interval = f"{low * 100:.0f}–{high * 100:.0f} %"
    share = Card(
        label="Requests, of requests and building",
        value=None if value is None else Quantity(f"{value * 100:.0f}", "%"),
        detail=" · ".join(
            part for part in (interval, words.count(measure["n"], "week")) if part is not None
        ),
        reason=measure["reason"],
        history=[None if each is None else each * 100 for each in hours["share"].to_list()],
        history_words=f"Weekly share of requests over {words.count(hours.height, 'week')}",
    )
    parts = [_hours_card(name, hours, window) for name in ("request", "build", "incident")]
    return [share, *parts, _coverage_card(measure)]


def _hours_card(name: str, hours: pl.DataFrame, window: pl.DataFrame) -> Card:
    label = {
        "request": "Hours on requests",
        "build": "Hours on building",
        "incident": "Hours on incidents",
    }[name]
    mean = window[name].mean() if window.height else None
    known = isinstance(mean, int | float)
    return Card(
        label=label,
        value=Quantity(words.number(float(mean)), "a week") if known else None,  # type: ignore[arg-type]
        detail=f"mean of {words.count(window.height, 'week')}",
        reason="no hours that can be shown",
        history=hours[name].to_list(),
        history_words=f"{label}, {words.count(hours.height, 'week')}",
    )


def _coverage_card(measure: dict[str, Any]) -> Card:
    coverage = measure["coverage"]
    return Card(
        label="Coverage",
        value=None if coverage is None else Quantity(f"{coverage * 100:.0f}", "%"),
        detail=measure["coverage_text"] or "",
        reason="no hours are known",
    )


def asides(flow: pl.DataFrame, spread: dict[bool, dict[str, Any]], has_team: bool) -> list[Aside]:
    """Return demand, backlog, and how requests spread over people."""
    found = []
    recent = flow.tail(13)
    engineers = recent["engineers"].drop_nulls()
    if engineers.len():
        rate = float(recent["requests"].sum()) / float(engineers.sum())
        found.append(
            Aside(
                "Requests per engineer and week",
                words.number(rate),
                f"{words.count(recent.height, 'week')}, {int(recent['requests'].sum()):,} requests",
            )
        )
    if flow.height:
        last = flow.row(-1, named=True)
        age = last["median_age_h"]
        detail = "" if age is None else f"median age {words.duration(age)}"
        found.append(Aside("Open requests", f"{last['open_requests']:,}", detail))
    people = {False: "Interrupt load of the others", True: "Spread over the team's people"}
    for is_team, label in people.items():
        if is_team and not has_team:
            continue
        found.append(_spread(label, spread.get(is_team)))
    return found


def goal_aside(found: dict[str, Any] | None) -> list[Aside]:
    """Return how many goals of the service desk were missed; nothing where it sets none."""
    if found is None:
        return []
    detail = f"{int(found['missed']):,} of {int(found['goals']):,} in 91 days"
    if found["response_hours"] is not None:
        detail += f", first response after {words.duration(found['response_hours'])} (median)"
    return [Aside("Goals missed", words.percent(found["missed"], found["goals"]), detail)]


def _spread(label: str, row: dict[str, Any] | None) -> Aside:
    if row is None:
        return Aside(label, "···", "no hours of theirs are known")
    if row["median"] is None:
        return Aside(
            label, "···", f"{words.count(row['people'], 'person', 'people')}, 5 are needed"
        )
    low, high = row["quarter"] * 100, row["three_quarters"] * 100
    detail = f"middle half {low:.0f}–{high:.0f} %, {row['people']} people"
    return Aside(label, f"{row['median'] * 100:.0f} % of their hours", detail)


def class_table(found: pl.DataFrame) -> None:
    """Show how many tickets each class has, how long they took, and what said so."""
    box = frame.card(
        "What are the tickets, and what says so?",
        "A correction holds first, then label, type, epic, project, the reporter's team, and last "
        "the words.",
    )
    rows = []
    for name in request_queries.CLASSES:
        part = found.filter(pl.col("class") == name)
        if part.is_empty():
            continue
        said = [
            f"{_METHODS[method]} {count:,}"
            for method, count in part.select("method", "tickets").iter_rows()
            if method != "none"
        ]
        rows.append(
            {
                "class": NAMES[name],
                "tickets": int(part["tickets"].sum()),
                "hours": float(part["hours"].sum() or 0),
                "said": ", ".join(said) or "nothing says so",
            }
        )
    box.dataframe(
        pl.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={
            "tickets": st.column_config.NumberColumn("tickets", format="localized"),
            "hours": st.column_config.NumberColumn("hours", format="%.0f"),
            "said": st.column_config.TextColumn("what says so", width="large"),
        },
        alt="Classes with their tickets, hours and what says so.",
    )


def type_table(found: pl.DataFrame) -> None:
    """Show which requests come again and again."""
    box = frame.card(
        "What is asked for again and again?",
        "Requests of the last 91 days by type, most frequent first; hours by the source taken.",
    )
    if found.is_empty():
        box.info("No type of request came twice.")
        return
    show_table(
        box,
        found.with_columns(mapped(found["type"], words.one_line)),
        order=filled(found),
        columns={
            "type": st.column_config.TextColumn("type", width="medium"),
            "requests": st.column_config.NumberColumn("requests", format="localized"),
            "teams": st.column_config.NumberColumn("teams that ask"),
            "mean_hours": st.column_config.NumberColumn("hours each", format="%.1f"),
            "response_hours": st.column_config.NumberColumn(
                "first response after hours", format="%.1f"
            ),
            "missed": st.column_config.NumberColumn("goals missed", format="%.0f %%"),
            "open": st.column_config.NumberColumn("still open", format="localized"),
        },
        alt=f"{words.count(found.height, 'type')} of requests that came more than once.",
    )


def variant_table(found: pl.DataFrame) -> None:
    """Show what other ways to measure say."""
    box = frame.card(
        "Would another way to measure say the same?",
        "Each with the same demands on weeks and coverage.",
    )
    if found.is_empty():
        box.info("There is no other way to measure it with what is connected.")
        return
    shares = [
        None if value is None else f"{value * 100:.0f} % ({low * 100:.0f}–{high * 100:.0f})"
        for value, low, high in found.select("value", "ci_low", "ci_high").iter_rows()
    ]
    box.dataframe(
        found.select(
            variant="variant",
            share=pl.Series(shares, dtype=pl.String),
            state=mapped(found["state"], signed),
            weeks="n",
        ),
        hide_index=True,
        height="content",
        column_config={
            "variant": st.column_config.TextColumn("measured by", width=255),
            "share": st.column_config.TextColumn("share", width=100),
            "weeks": st.column_config.NumberColumn("weeks", width=60),
        },
        placeholder="–",
        alt=f"{words.count(found.height, 'other way')} to measure the share of requests.",
    )


def model_card(model: dict[str, Any] | None, bins: pl.DataFrame) -> None:
    """Show whether tickets are read by their words, and how good that is."""
    title = "How well are tickets read by their words?"
    if model is None or (not model["is_used"] and model["accuracy"] is None):
        reason = "nothing to learn from" if model is None else model["reason"]
        box = frame.card(title, "Only tickets that no rule can class are read.")
        box.info(words.plain(f"No model: {reason}."))
        return
    answered = model["answered_accuracy"]
    told = (
        f"On {words.count(model['tickets'], 'ticket')} it was not trained on, it was right in "
        f"{model['accuracy'] * 100:.0f} % (always saying the most frequent class: "
        f"{model['majority_share'] * 100:.0f} %). "
    )
    if answered is not None:
        told += (
            f"It answers {model['answered_share'] * 100:.0f} % of them, and is right in "
            f"{answered * 100:.0f} % of those. "
        )
    told += (
        f"Brier score {model['brier']:.2f}, mean gap between stated and real frequency "
        f"{model['calibration_error'] * 100:.0f} points."
    )
    box = frame.card(title, told)
    if not model["is_used"]:
        box.warning(words.plain(f"It is not used: {model['reason']}."))
    box.altair_chart(
        request_charts.calibration(bins),
        height=210,
        alt=f"Stated against real frequency in {words.count(bins.height, 'bin')}.",
    )
    box.caption(
        words.plain(
            f"It read {model['read']:,} of {model['unread']:,} tickets without a rule. Held-out "
            "tickets have a rule; those without one may read differently."
        )
    )


def corrections(page: frame.Page) -> None:
    """Show tickets by what says their class, with a form to correct it."""
    box = frame.card(
        "Which tickets should be looked at?",
        "Those with most hours first. Select some, say what they are: it counts from the next "
        "build on, for these tickets and for what the words of others are learned from.",
    )
    with box:
        kind = st.segmented_control(
            "What says their class",
            list(_KIND_NAMES),
            default="unclassified",
            required=True,
            format_func=lambda name: _KIND_NAMES[name],
            label_visibility="collapsed",
            key="tickets",
            bind="query-params",
        )
        found = request_queries.tickets(page.queries, kind or "unclassified")
        told = st.session_state.pop(_KEPT, None)
        if told:
            st.success(words.plain(told), icon=":material/check:")
        _pending(page)
        if found.is_empty():
            st.info("No ticket of this kind.")
            return
        chosen = _ticket_table(page, found, with_class=kind != "unclassified")
        _form(found, chosen)


def _ticket_table(page: frame.Page, found: pl.DataFrame, *, with_class: bool) -> list[int]:
    rows = found.select(
        ticket="ticket_key",
        title=mapped(found["title"], words.one_line),
        type=mapped(found["type"], words.one_line),
        is_now=pl.col("class").replace_strict(NAMES, default=None),
        says=mapped(found["rule"], words.one_line),
        sure=pl.col("probability") * 100,
        team=mapped(found["team_name"], words.one_line),
        created=pl.col("created_at").dt.convert_time_zone(page.build.zone.key),
        hours="hours",
        url=mapped(found["url"], words.safe_link),
    )
    event = show_table(
        st,
        rows,
        order=[name for name in filled(rows) if with_class or name != "is_now"],
        columns={
            "title": st.column_config.TextColumn("title", width="large"),
            "is_now": "class",
            "says": st.column_config.TextColumn("what says so", width="medium"),
            "sure": st.column_config.NumberColumn("sure", format="%d %%"),
            "team": "asked by",
            "created": st.column_config.DatetimeColumn("created", format="D MMM YYYY"),
            "hours": st.column_config.NumberColumn("hours", format="%.1f"),
            "url": st.column_config.LinkColumn("source", display_text="open"),
        },
        on_select="rerun",
        selection_mode="multi-row",
        key="ticket_table",
        alt=f"{words.count(rows.height, 'ticket')}, those with most hours first.",
    )
    return [position for position in event.selection.rows if position < found.height]


def _form(found: pl.DataFrame, chosen: list[int]) -> None:
    with (
        st.form("correction", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        value = st.selectbox(
            f"{words.count(len(chosen), 'selected ticket')} {'is' if len(chosen) == 1 else 'are'}",
            list(_CLASSES),
            format_func=lambda name: _CLASSES[name],
            width=220,
        )
        author = st.text_input("Your name", max_chars=200, width=220, key="author")
        is_sent = st.form_submit_button("Keep", type="primary", icon=":material/check:")
    if not is_sent:
        return
    if not chosen:
        st.warning("Select the tickets in the table first.")
        return
    if not author.strip():
        st.warning("Write your name: a correction is kept with its author and time.")
        return
    choices = [
        decisions.Choice("ticket_class", found["ticket_id"][position], value) for position in chosen
    ]
    try:
        decisions.record(session.data_folder(), choices, author=author.strip(), now=frame.now())
    except (decisions.DecisionError, LandingError, OSError) as error:
        st.error(words.plain(error))
        return
    st.session_state[_KEPT] = (
        f"Kept: {words.count(len(choices), 'ticket')}. It counts from the next build on "
        "(leadline build)."
    )
    st.rerun()


def _pending(page: frame.Page) -> None:
    """Say how many corrections wait for the next build."""
    kept = decisions.in_force(decisions.history(session.data_folder()), "ticket_class")
    waiting = [each for each in kept.values() if each.at > page.build.built_at]
    if waiting:
        count = words.count(len(waiting), "correction")
        st.caption(f"{count} kept since this build: counted from the next one on.")
