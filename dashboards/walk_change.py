"""How one change is counted: every step from its commits to the deployment that shipped it."""

from typing import Any, Final

import polars as pl

from dashboards import walk_queries, words
from dashboards.facts import STAGES
from dashboards.frame import Page
from dashboards.stage_charts import STAGE_WORDS
from dashboards.steps import Bar, Item, Step
from dashboards.walk_reasons import candidate

_KINDS: Final = {
    "change_request": "A change request",
    "direct": "A commit that belongs to no change request",
    "merge": "A merge in a repository without change requests",
    "stacked": "A change request into a branch that is no release: folded into the one it is on",
    "promotion": "A change request that promotes a long-lived branch: it carries changes",
    "backport": "A copy of another request's commits: both ship once, together",
}
_RELATIONS: Final = {
    "not_live": "No production deployment contains it yet.",
    "baseline": "It was already in the first deployment seen, so when it went live is not known.",
    "interval_censored": "A deployment in between has a commit that is not in the history: it may "
    "have shipped this change, so its lead time is not known.",
}


def steps(page: Page, row: dict[str, Any]) -> list[Step]:
    """Return the steps of one change in one service."""
    queries = page.queries
    evidence = walk_queries.evidence(queries, row)
    commits = evidence.filter(pl.col("kind") == "commit")
    reviews = evidence.filter(pl.col("kind") == "review")
    found = [
        _what(page, row),
        _commits(page, row, commits),
        _start(page, row, commits),
        _reviews(page, row, reviews),
        _keys(page, row, walk_queries.keys(queries, row)),
        _deployments(page, row, walk_queries.around(queries, row)),
    ]
    if row["lead_time_us"] is not None:
        found.append(_stages(row))
    found.append(_counts(row, walk_queries.left_out_as(queries, row["change_id"])))
    if row["deployment_id"] is not None:
        found.append(_failed(page, walk_queries.signals(queries, row["deployment_id"])))
    return found


def _what(page: Page, row: dict[str, Any]) -> Step:
    merged = words.moment(row["merged_at"], page.build.zone)
    branches = f" from {row['head_branch']}" if row["head_branch"] else ""
    target = f" into {row['base_branch']}" if row["base_branch"] else ""
    text = f"{_KINDS.get(row['kind'], row['kind'])}, merged{branches}{target} on {merged}."
    if row["is_bot"]:
        text += " A machine opened it: it is reported apart."
    return Step(
        title="What is it?",
        text=f"{text} It belongs to the service {row['service_name']}.",
    )


def _commits(page: Page, row: dict[str, Any], commits: pl.DataFrame) -> Step:
    if commits.is_empty():
        sha = row["merge_sha"] or "unknown"
        return Step(title="Which commits does it have?", text=f"One: {sha[:10]}.")
    own = commits.filter("is_considered").height
    items = [
        Item(
            verdict="chosen" if commit["is_considered"] else "rejected",
            moment=_moment(page, commit["moment"]),
            what=f"{commit['item_id'][:10]} {commit['title'] or ''}",
            why=commit["note"],
        )
        for commit in commits.head(30).iter_rows(named=True)
    ]
    more = f" The first 30 of {commits.height} are shown." if commits.height > 30 else ""
    return Step(
        title="Which commits does it have?",
        text=f"{words.count(own, 'commit')} of its own; merges of other branches and what the "
        f"merge wrote are no start.{more}",
        items=items,
    )


def _start(page: Page, row: dict[str, Any], commits: pl.DataFrame) -> Step:
    """Say which moment was chosen as the start, and why that one."""
    at = row["start_at"]
    own = commits.filter(pl.col("is_considered")).sort("moment", nulls_last=True)
    first = None if own.is_empty() else own.row(0, named=True)
    if row["kind"] in {"direct", "merge"}:
        why = "the date it was authored, of several commits the earliest"
    elif row["is_without_commits"]:
        why = "no commits of it are known, so it starts when it was opened"
    elif row["is_start_from_committer"] and first is not None:
        authored = _moment(page, first["moment"])
        why = (
            f"its first commit was authored over 90 days before it was opened ({authored}): the "
            "date it was committed counts instead, and the change is flagged"
        )
    elif first is not None and first["moment"] == at:
        why = f"the earliest date among its commits, of {first['item_id'][:10]}"
    elif at == row["opened_at"]:
        why = "its commits were all written later (rebased): it starts when it was opened"
    else:
        why = "an earlier commit, of a request that was stacked on it"
    ready = row["ready_at"]
    text = f"{_moment(page, at)}: {why}."
    if row["opened_at"] is not None and row["kind"] not in {"direct", "merge"}:
        text += f" Opened {_moment(page, row['opened_at'])}"
        late = ready is not None and ready > row["opened_at"]
        text += (
            f", ready for review {_moment(page, ready)}: a draft until then, which is coding."
            if late
            else ", ready for review at once."
        )
    return Step(title="When does it start?", text=text)


def _reviews(page: Page, row: dict[str, Any], reviews: pl.DataFrame) -> Step:
    if row["kind"] in {"direct", "merge"}:
        return Step(title="Who reviewed it?", text="Nobody could: it was no change request.")
    items = [
        Item(
            verdict="chosen" if review["is_considered"] else "rejected",
            moment=_moment(page, review["moment"]),
            what=(review["state"] or "review").replace("_", " "),
            why=_review_words(row, review),
        )
        for review in reviews.head(30).iter_rows(named=True)
    ]
    if row["first_review_at"] is None:
        text = "Nobody else reviewed it before the merge: the wait counts as without review."
    else:
        text = f"First review by somebody else {_moment(page, row['first_review_at'])}; "
        text += (
            f"last approval up to the merge {_moment(page, row['approved_at'])}."
            if row["approved_at"] is not None
            else "no approval, so the review lasts until the merge."
        )
    return Step(title="Who reviewed it?", text=text, items=items)


def _review_words(row: dict[str, Any], review: dict[str, Any]) -> str:
    notes = [review["note"]]
    if review["is_considered"] and review["moment"] == row["first_review_at"]:
        notes.append("the first review")
    if review["is_considered"] and review["moment"] == row["approved_at"]:
        notes.append("the last approval")
    return ", ".join(notes)


def _keys(page: Page, row: dict[str, Any], keys: pl.DataFrame) -> Step:
    known = {key["sha"]: key for key in keys.iter_rows(named=True)}
    items = []
    names = {"merge_sha": "the merge or squash commit", "head_sha": "the last commit of its branch"}
    for column, name in names.items():
        sha = row[column]
        if sha is None or (column == "head_sha" and sha == row["merge_sha"]):
            continue
        key = known.pop(sha, None)
        items.append(_key(page, sha, name, key))
    items += [_key(page, sha, "of a back-port", key) for sha, key in known.items()]
    return Step(
        title="Which commits ship it?",
        text="It is live where a deployment contains any of these.",
        items=items,
    )


def _key(page: Page, sha: str, name: str, key: dict[str, Any] | None) -> Item:
    if key is None:
        why, moment = "not in the history: squashed or rebased away", ""
    elif key["deployment_id"] is None:
        why, moment = "in the history; no production deployment contains it yet", ""
    else:
        why = f"in the history; first live with {key['version']}"
        moment = _moment(page, key["live_at"])
    return Item(
        verdict="rejected" if key is None else "chosen",
        moment=moment,
        what=f"{sha[:10]}, {name}",
        why=why,
    )


def _deployments(page: Page, row: dict[str, Any], around: pl.DataFrame) -> Step:
    items = [candidate(row, each, page.build.zone) for each in around.iter_rows(named=True)]
    if row["relation"] in _RELATIONS:
        text = _RELATIONS[row["relation"]]
    else:
        text = (
            f"The first live deployment that contains it, live {_moment(page, row['live_at'])}, "
            f"{words.duration(_hours(row['live_at'], row['merged_at']))} after the merge."
            if row["live_at"] >= row["merged_at"]
            else f"It was live {_moment(page, row['live_at'])}, before the merge: the lead time "
            "ends there."
        )
    if row["rolled_back_at"] is not None:
        text += f" It was rolled back {_moment(page, row['rolled_back_at'])}"
        again = row["live_again_at"]
        text += (
            " and is not live again." if again is None else f", live again {_moment(page, again)}."
        )
        text += " A change ships once: its lead time stays."
    return Step(title="Which deployment shipped it?", text=text, items=items)


def _stages(row: dict[str, Any]) -> Step:
    total = row["lead_time_us"]
    bars, start = [], 0
    for stage in STAGES:
        length = row[f"{stage}_us"]
        if length is None:
            continue
        share = f"{length / total * 100:.0f} %" if total else ""
        bars.append(
            Bar(
                name=STAGE_WORDS[stage],
                start=start / total if total else 0,
                length=length / total if total else 0,
                value=words.short_duration(length / 3.6e9),
                note=share,
            )
        )
        start += length
    missing = [
        STAGE_WORDS[stage]
        for stage in STAGES
        if row[f"{stage}_us"] is None and stage != "unreviewed"
    ]
    without = f" It has no stage {words.listed(missing)}: these count 0." if missing else ""
    return Step(
        title="How long did it take?",
        text=f"{words.duration(total / 3.6e9)} from start to live; the stages add up to it."
        + without,
        bars=bars,
    )


def _counts(row: dict[str, Any], reasons: list[str]) -> Step:
    flags = [flag for flag in row["flags"] or [] if flag]
    noted = f" Flagged: {words.listed(flags)}." if flags else ""
    if row["lead_time_us"] is not None and not row["is_bot"] and not reasons:
        text = "Yes: in the lead time of the periods in which it went live."
    elif reasons:
        text = f"No: {words.listed(reasons)}."
    elif row["relation"] == "not_live":
        text = "Not in the lead time; it counts among what is merged and not yet live."
    else:
        text = "Not in the lead time."
    return Step(title="Does it count?", text=text + noted)


def _failed(page: Page, signals: pl.DataFrame) -> Step:
    if signals.is_empty():
        return Step(title="Did its deployment fail?", text="Nothing says so.")
    items = [
        Item(
            verdict="chosen" if signal["is_primary"] else "rejected",
            moment=_moment(page, signal["at"]),
            what=signal["evidence"],
            why=f"{signal['confidence']} confidence",
            url=signal["subject_url"],
            walk=("deployment", signal["deployment_id"]),
        )
        for signal in signals.iter_rows(named=True)
    ]
    counted = any(item.verdict == "chosen" for item in items)
    return Step(
        title="Did its deployment fail?",
        text="Yes." if counted else "There is a sign of it that does not count.",
        items=items,
    )


def _moment(page: Page, value: Any) -> str:
    return "at an unknown time" if value is None else words.moment(value, page.build.zone)


def _hours(end: Any, start: Any) -> float:
    return float((end - start).total_seconds()) / 3600
