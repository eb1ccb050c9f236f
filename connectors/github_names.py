"""Names that GraphQL and REST payloads of GitHub share: ids, states, ticket keys."""

import re

# Jira-like keys; the models know which projects exist.
_TICKET_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-\d+\b")
_MERGE_SUBJECT = re.compile(r"Merge (branch|pull request|remote-tracking branch|tag|commit) ")

REVIEW_STATES = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}
# `inactive` is what GitHub sets on older deployments by itself; it is no failure.
DEPLOYMENT_STATES = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "ERROR": "failed",
    "INACTIVE": "inactive",
    "IN_PROGRESS": "running",
    "QUEUED": "queued",
    "PENDING": "queued",
    "WAITING": "queued",
}
_RUN_CONCLUSIONS = {
    "success": "succeeded",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "action_required": "queued",
    "cancelled": "cancelled",
    "stale": "cancelled",
    "skipped": "skipped",
    "neutral": "succeeded",
}


def run_status(status: str | None, conclusion: str | None) -> str:
    """The state of a run or job in the words of the product."""
    if conclusion:
        return _RUN_CONCLUSIONS.get(conclusion.lower(), "failed")
    return "running" if (status or "").lower() == "in_progress" else "queued"


def account_id(connection: str, login: str, kind: str | None) -> str:
    """The id of an account: its login in lower case, which every API of GitHub gives.

    GraphQL leaves out the `[bot]` that REST puts behind the login of an application.
    """
    name = login.lower()
    if kind == "Bot" and not name.endswith("[bot]"):
        name += "[bot]"
    return f"{connection}:account:{name}"


def ticket_keys(*texts: str | None) -> list[str]:
    """The ticket keys named in the texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        if text and "-" in text:
            found.update(dict.fromkeys(_TICKET_KEY.findall(text)))
    return list(found)


def is_merge_subject(subject: str | None) -> bool:
    """Whether a commit's first line is one that git or GitHub writes for a merge.

    Asking GraphQL for the parents of each commit would cost more than all else together.
    """
    return (
        subject is not None and subject.startswith("Merge ") and bool(_MERGE_SUBJECT.match(subject))
    )


def ticket_key(full_name: str, number: int) -> str:
    """An issue as people write it: `owner/name#12`."""
    return f"{full_name}#{number}"
