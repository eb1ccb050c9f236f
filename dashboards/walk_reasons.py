"""Why a deployment did or did not ship a change, and what made it what it is, in plain words."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from dashboards import words
from dashboards.steps import Item

_NOT_LIVE: Final = {
    "failed_before_live": "failed before it was live: what it held ships with the next one",
    "cancelled": "was cancelled: what it held ships with the next one",
    "running": "has not ended yet",
}

ORIGINS: Final = {
    "deployments_api": "the forge's or a tool's deployments",
    "file": "a file of deployments",
    "ci": "a CI run or job by its name",
    "release": "published releases",
    "tag": "version-like tags",
    "merge": "merges to the default branch, as the settings ask for",
}

RELATIONS: Final = {
    "normal": "It stands on what was live when it started: an ordinary step forwards.",
    "roll_forward": "It stands on what was live when it started and had been live before: "
    "forwards again after a rollback.",
    "rollback": "Its commit had been live before and is behind what was live when it started: "
    "a rollback. It ships nothing.",
    "redeploy": "The same commit was still live when it started: a redeploy, which ships nothing "
    "and counts nowhere.",
    "sideways": "It neither contains what was live when it started nor had been live before: it "
    "goes sideways.",
    "older_version": "It is a release of an older version and does not contain what was live when "
    "it started: it goes beside that and takes nothing back.",
    "baseline": "It is the first deployment seen: what it holds was shipped before.",
    "unresolved": "Its commit is not in the repository's history, so what it holds is not known.",
    "config": "The same commit was live; only its configuration is new.",
    "not_live": "It never went live, so it is nothing to what was live.",
}

KINDS: Final = {
    "normal": "nothing makes it anything else",
    "hotfix": "its ref or release is named as a hotfix, or all that people changed in it is "
    "marked as one",
    "rollback": "it goes back to what had been live",
    "config": "it ships nothing but configuration",
    "redeploy": "it repeats what is live",
}


def candidate(change: dict[str, Any], deployment: dict[str, Any], zone: ZoneInfo) -> Item:
    """Return whether a deployment shipped a change, and if not, why it did not."""
    is_it = deployment["deployment_id"] == change["deployment_id"]
    why = _shipped(change) if is_it else _not_shipped(change, deployment)
    return Item(
        verdict="chosen" if is_it else "rejected",
        moment=words.moment(deployment["moment"], zone),
        what=f"{deployment['version'] or 'a deployment'} to {deployment['environment']}",
        why=why,
        url=deployment["url"],
        walk=("deployment", deployment["deployment_id"]),
    )


def _shipped(change: dict[str, Any]) -> str:
    if change["relation"] == "baseline":
        return "the first deployment seen: it contains the change, shipped before"
    return "the first live deployment that contains it: ships it"


def _not_shipped(change: dict[str, Any], deployment: dict[str, Any]) -> str:
    """Ancestry is not asked again: what was live earlier and known would have been the first."""
    live_at, merged_at = deployment["live_at"], change["merged_at"]
    if live_at is None:
        return _NOT_LIVE.get(deployment["outcome"], "never went live")
    is_later = change["live_at"] is not None and live_at > change["live_at"]
    reasons = (
        (deployment["environment_class"] != "production", "is no production environment"),
        (not deployment["is_resolved"], "its commit is not in the history: content unknown"),
        (is_later, "later: a change ships once"),
        (deployment["relation"] == "redeploy", "repeats what was live: ships nothing"),
        (deployment["relation"] == "rollback", "goes back to an earlier commit: ships nothing"),
        (live_at < merged_at, "live before the merge, and does not contain it"),
        (deployment["started_at"] < merged_at, "started before the merge: does not contain it"),
    )
    found = [reason for holds, reason in reasons if holds]
    return found[0] if found else "does not contain it: made from an earlier commit or a branch"
