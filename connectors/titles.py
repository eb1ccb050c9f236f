"""What titles, branch names and subjects tell on every forge: ticket keys, merges."""

import re

# Jira-like keys; the models know which projects exist.
_TICKET_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-\d+\b")
_MERGE_SUBJECT = re.compile(r"Merge (branch|pull request|remote-tracking branch|tag|commit) ")


def ticket_keys(*texts: str | None) -> list[str]:
    """The ticket keys named in the texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        if text and "-" in text:
            found.update(dict.fromkeys(_TICKET_KEY.findall(text)))
    return list(found)


def is_merge_subject(subject: str | None) -> bool:
    """Whether a commit's first line is one that git or a forge writes for a merge.

    Asking GitHub for the parents of each commit would cost more than all else together.
    """
    return (
        subject is not None and subject.startswith("Merge ") and bool(_MERGE_SUBJECT.match(subject))
    )
