"""How one deployment is counted: its attempts, kind, what it shipped, and whether it failed."""

from typing import Any, Final

import polars as pl

from dashboards import walk_queries, words
from dashboards.frame import Page
from dashboards.steps import Item, Step, Verdict
from dashboards.walk_reasons import KINDS, ORIGINS, RELATIONS

_OUTCOMES: Final = {
    "succeeded": "It went live.",
    "failed_after_live": "It went live, and then its status became failed.",
    "failed_before_live": "It failed before it was live.",
    "cancelled": "It was cancelled before it was live.",
    "running": "It has not ended yet.",
}
_METHODS: Final = {
    "incident_reference": "it names this deployment",
    "incident_time": "it began soon after, and no later deployment was live then",
    "incident_team": "it names only the team",
}


def steps(page: Page, row: dict[str, Any]) -> list[Step]:
    """Return the steps of one deployment."""
    queries = page.queries
    related = [row["live_deployment_id"], row["failed_deployment_id"]]
    others = walk_queries.named(
        queries, [each for each in [*related, *(row["undone_deployment_ids"] or [])] if each]
    )
    found = [
        _attempts(page, row, walk_queries.attempts(queries, row)),
        _environment(row),
        _before(page, row, others),
        _kind(page, row, others),
        _shipped(row, walk_queries.shipped(queries, row["deployment_id"]), page),
        _counts(row, walk_queries.left_out_as(queries, row["deployment_id"])),
    ]
    if row["live_at"] is None:
        return found
    signals = walk_queries.signals(queries, row["deployment_id"])
    incidents = walk_queries.incidents_near(queries, row)
    failure = walk_queries.failure(queries, row["deployment_id"])
    found += [_signals(page, row, signals), _incidents(page, row, incidents)]
    if failure is not None:
        ended = failure["recovery_deployment_id"]
        mended = walk_queries.named(queries, [ended] if ended else [])
        found.append(_recovery(page, failure, mended.get(ended)))
    found.append(_rework(row))
    return found


def _attempts(page: Page, row: dict[str, Any], attempts: pl.DataFrame) -> Step:
    items = [
        Item(
            verdict="chosen" if attempt["live_at"] is not None else "rejected",
            moment=_moment(page, attempt["started_at"]),
            what=f"attempt {number + 1}",
            why=_ended(page, attempt),
            url=attempt["url"],
        )
        for number, attempt in enumerate(attempts.iter_rows(named=True))
    ]
    folded = (
        f" Its {row['attempts']} attempts of the same commit, with no other in between and no gap "
        "over 60 minutes, are one deployment."
        if row["attempts"] > 1
        else ""
    )
    rule = "named by a rule in the settings" if row["is_ruled"] else "chosen from what is there"
    pattern = f", pattern {row['origin_pattern']}" if row["origin_pattern"] else ""
    return Step(
        title="Where is it known from?",
        text=f"From {ORIGINS.get(row['origin'], row['origin'])} ({rule}{pattern}); one origin a "
        f"repository, never two at once. {_OUTCOMES.get(row['outcome'], '')}{folded}",
        items=items,
    )


def _ended(page: Page, attempt: dict[str, Any]) -> str:
    parts = [
        f"{name} {_moment(page, attempt[column])}"
        for column, name in (
            ("live_at", "first success"),
            ("failed_at", "failed"),
            ("cancelled_at", "cancelled"),
        )
        if attempt[column] is not None
    ]
    return ", ".join(parts) or "no end known"


def _environment(row: dict[str, Any]) -> Step:
    name = row["environment"] or "without a name"
    if row["environment_class"] == "production":
        text = f"{name}: its name has a whole word for production, so it counts as production."
    else:
        text = (
            f"{name}: no whole word of its name stands for production, so it is listed and counts "
            "nowhere. Name it under deployments.production if it is production."
        )
    return Step(title="Which environment is it?", text=text)


def _before(page: Page, row: dict[str, Any], others: dict[str, dict[str, Any]]) -> Step:
    before = others.get(row["live_deployment_id"] or "")
    if before is None:
        text = "Nothing was live there, as far as is known."
        return Step(title="What was live when it started?", text=text)
    return Step(
        title="What was live when it started?",
        text=f"It started {_moment(page, row['started_at'])}; of the deployments live by then, the "
        "one that had started last was live.",
        items=[_other(page, before, "chosen", "was live")],
    )


def _kind(page: Page, row: dict[str, Any], others: dict[str, dict[str, Any]]) -> Step:
    text = RELATIONS.get(row["relation"], f"Relation: {row['relation']}.")
    if row["relation"] == "sideways" and row["dropped"]:
        text += f" It drops {words.count(row['dropped'], 'live commit')}."
    text += f" Its kind is {row['kind']}: {KINDS.get(row['kind'], 'by its lineage')}."
    failed = others.get(row["failed_deployment_id"] or "")
    items = [] if failed is None else [_other(page, failed, "chosen", "failed: it was rolled back")]
    items += [
        _other(page, others[each], "seen", "undone with it; failed only by a sign of its own")
        for each in row["undone_deployment_ids"] or []
        if each in others
    ]
    return Step(title="What is it to that?", text=text, items=items)


def _shipped(row: dict[str, Any], shipped: pl.DataFrame, page: Page) -> Step:
    count = walk_queries.commits(page.queries, row)
    if row["live_at"] is None:
        text = "Nothing: it never went live. What it held ships with the next one that does."
    elif row["is_baseline"]:
        text = "Nothing that counts: all it holds was there before. Its changes have no lead time."
    else:
        text = f"{words.count(count, 'commit')} that no earlier live deployment here contained."
    return Step(
        title="What did it ship?",
        text=text,
        items=[
            Item(
                verdict="chosen" if change["lead_time_h"] is not None else "seen",
                moment=_lead_time(change),
                what=f"{'#' + str(change['number']) if change['number'] else ''} "
                f"{change['title'] or ''}".strip(),
                why=("by a machine" if change["is_bot"] else change["kind"].replace("_", " ")),
                url=change["url"],
                walk=("change", change["change_id"]),
            )
            for change in shipped.iter_rows(named=True)
        ],
    )


def _lead_time(change: dict[str, Any]) -> str:
    if change["lead_time_h"] is None:
        return str(change["relation"]).replace("_", " ")
    return f"after {words.short_duration(change['lead_time_h'])}"


def _counts(row: dict[str, Any], reasons: list[str]) -> Step:
    if row["is_counted"]:
        text = "Yes: in deployment frequency, fail rate and rework."
        if row["is_immature"]:
            text = "In deployment frequency and rework; too young yet for the fail rate."
    else:
        text = f"No: {row['reason'] or 'it never went live'}."
    others = [reason for reason in reasons if reason != row["reason"]]
    noted = f" Noted: {words.listed(others)}." if others else ""
    return Step(title="Does it count?", text=text + noted)


def _signals(page: Page, row: dict[str, Any], signals: pl.DataFrame) -> Step:
    items = [
        Item(
            verdict="chosen" if signal["is_primary"] else "rejected",
            moment=_moment(page, signal["at"]),
            what=signal["evidence"],
            why=f"{signal['confidence']} confidence"
            + ("" if signal["is_primary"] else "; does not count: links by chance are too likely"),
            url=signal["subject_url"],
            walk=("deployment", signal["mending_deployment_id"])
            if signal["mending_deployment_id"]
            else None,
        )
        for signal in signals.iter_rows(named=True)
    ]
    if items:
        text = "Yes." if row["is_failed"] else "There are signs, and none of them counts."
    else:
        text = (
            "Nothing says so. Looked for: a rollback of it, a revert of what it shipped, a hotfix "
            "soon after, an incident that names it or began soon after, a failed status."
        )
    return Step(title="Did it fail?", text=text, items=items)


def _incidents(page: Page, row: dict[str, Any], incidents: pl.DataFrame) -> Step:
    items = []
    for incident in incidents.iter_rows(named=True):
        is_linked = incident["deployment_id"] == row["deployment_id"]
        if is_linked:
            why = f"linked: {_METHODS.get(incident['link_method'], 'to this deployment')}"
        elif incident["deployment_id"] is not None:
            why = f"linked to {incident['version']}: an incident links once"
        else:
            why = incident["reason"] or "linked to no deployment"
        items.append(
            Item(
                verdict="chosen" if is_linked else "rejected",
                moment=_moment(page, incident["started_at"]),
                what=incident["title"] or incident["incident_id"],
                why=why,
                url=incident["url"],
                walk=None
                if is_linked or incident["deployment_id"] is None
                else ("deployment", incident["deployment_id"]),
            )
        )
    text = (
        "Those of the service that began up to three days after it was live, and those naming it."
        if items
        else "No incident of the service began around it, and none names it."
    )
    return Step(title="Which incidents were considered?", text=text, items=items)


def _recovery(page: Page, failure: dict[str, Any], ended: dict[str, Any] | None) -> Step:
    begun = _moment(page, failure["failed_at"])
    if failure["is_open"]:
        text = f"Not yet: it began {begun} and is not over. It counts as not yet over."
        return Step(title="When were users served again?", text=text)
    hours = words.duration(failure["recovery_us"] / 3.6e9)
    text = (
        f"After {hours}: from {begun} to {_moment(page, failure['recovered_at'])}, by "
        f"{failure['recovered_by'].replace('incident resolved', 'the resolve of its incident')}."
    )
    items = [] if ended is None else [_other(page, ended, "chosen", "mended it")]
    return Step(title="When were users served again?", text=text, items=items)


def _rework(row: dict[str, Any]) -> Step:
    state = row["rework_state"]
    if state is None:
        return Step(title="Was it unplanned work?", text="Not judged: it does not count.")
    said = {"rework": "Yes", "planned": "No", "unknown": "Not known"}[state]
    return Step(title="Was it unplanned work?", text=f"{said}: {row['rework_reason']}.")


def _other(page: Page, other: dict[str, Any], verdict: Verdict, why: str) -> Item:
    return Item(
        verdict=verdict,
        moment=_moment(page, other["live_at"] or other["started_at"]),
        what=other["version"] or "a deployment",
        why=why,
        url=other["url"],
        walk=("deployment", other["deployment_id"]),
    )


def _moment(page: Page, value: Any) -> str:
    return "at an unknown time" if value is None else words.moment(value, page.build.zone)
