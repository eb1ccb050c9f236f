"""The clock of a server against this machine's: what `leadline doctor` says of it."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.answer import Answer
from connectors.connector import Finding

_TOLERATED_SKEW = timedelta(minutes=1)


def clock_skew(answer: Answer, now: datetime) -> Finding:
    """The server's clock against ours, by the second that the Date header has."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return Finding("warning", "clock", "the server does not say what time it has")
    skew = abs(now - theirs)
    if skew > _TOLERATED_SKEW:
        return Finding(
            "warning",
            "clock",
            f"the server's clock and this machine's differ by {skew.total_seconds():.0f} s; "
            "set this machine's clock by NTP",
        )
    return Finding("ok", "clock", "agrees with the server's")
