"""Why git failed: a class for each reason, read from git's own English words."""

import re

from connectors.connector import SourceError
from connectors.failures import (
    ElsewhereError,
    NotFoundError,
    TrustError,
    UnauthorisedError,
    UnreachableError,
)

_REASONS: tuple[tuple[str, type[SourceError], str], ...] = (
    (
        (
            r"Authentication failed|could not read (Username|Password)|Permission denied \(|"
            r"Invalid username|returned error: 40[13]"
        ),
        UnauthorisedError,
        "give a token that may read it, or check that the token has not expired",
    ),
    (
        (
            r"[Rr]epository .*not found|returned error: 404|does not exist|"
            r"does not appear to be a git repository"
        ),
        NotFoundError,
        "check the address, and that the credential may see it",
    ),
    (
        r"returned error: 30\d|redirect",
        ElsewhereError,
        "it has moved (or the address lacks its final .git): put the new address into the settings",
    ),
    (r"SSL|certificate", TrustError, "give the certificates to trust as ca_file"),
    (
        r"Host key verification failed",
        TrustError,
        "add the host's key to known_hosts once, by hand",
    ),
    (
        (
            r"Could not resolve|[Ff]ailed to connect|Connection (refused|reset|timed out)|"
            r"No route to host|Operation too slow|[Ee]mpty reply|early EOF|hung up"
        ),
        UnreachableError,
        "check the network, the proxy and that the host answers; it is tried again next time",
    ),
)


class GitError(SourceError):
    """Git refused or failed for a reason that has no class of its own."""


def failure(words: str, status: int, subject: str, secret: str | None) -> SourceError:
    """The error for a git that ended badly; `words` is what it wrote, `secret` is cut from it."""
    if secret:
        words = words.replace(secret, "***")
    words = re.sub(r"(?<=://)[^/\s]*@", "", words)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"fatal|error|remote:|ERROR", line)] or lines
    said = " ".join(telling[-3:])[:400] or f"it ended with status {status}"
    for pattern, reason, remedy in _REASONS:
        if re.search(pattern, words):
            return reason(f"git could not read {subject}: {said}. To mend it: {remedy}")
    return GitError(f"git could not read {subject}: {said}")
