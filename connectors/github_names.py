"""Names that GraphQL and REST payloads of GitHub share: ids and states."""

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


def ticket_key(full_name: str, number: int) -> str:
    """An issue as people write it: `owner/name#12`."""
    return f"{full_name}#{number}"
