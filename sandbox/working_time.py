"""The organisation's working time: which seconds of a year are worked, and arithmetic on them.

Simulations reckon in whole seconds since 1970. Working time is a line of its own: `worked` turns a
moment into seconds worked since the first day, `moment` turns it back. Weekends, public holidays
and nights have no length on that line.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

OPENING = time(9, 0)
WORKDAY_SECONDS = 9 * 3600
WORKING_HOURS = ("09:00", "18:00")
HOUR = 3600
DAY = 24 * HOUR


def as_datetime(seconds: int) -> datetime:
    """A moment as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def as_seconds(moment: datetime) -> int:
    """A moment as whole seconds since 1970."""
    return int(moment.timestamp())


class WorkCalendar:
    """Working hours (nine to six, Monday to Friday, less holidays) in one zone."""

    def __init__(self, *, zone: str, first: date, last: date, holidays: frozenset[date]) -> None:
        local = ZoneInfo(zone)
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        self._openings = [
            as_seconds(datetime.combine(day, OPENING, local))
            for day in days
            if day.weekday() < 5 and day not in holidays
        ]

    def worked(self, seconds: int) -> int:
        """Seconds worked from the first day until a moment."""
        index = bisect_right(self._openings, seconds) - 1
        if index < 0:
            return 0
        into_day = min(seconds - self._openings[index], WORKDAY_SECONDS - 1)
        return index * WORKDAY_SECONDS + into_day

    def moment(self, worked: int) -> int:
        """The moment at which so many seconds have been worked; beyond the last day, its end."""
        index, into_day = divmod(max(worked, 0), WORKDAY_SECONDS)
        if index >= len(self._openings):
            return self._openings[-1] + WORKDAY_SECONDS
        return self._openings[index] + into_day

    def later(self, seconds: int, work_hours: float) -> int:
        """The moment so many working hours after another, never before it."""
        reached = self.moment(self.worked(seconds) + round(work_hours * HOUR))
        return max(reached, seconds)

    def openings(self, start: int, end: int) -> list[int]:
        """Starts of the working days within [start, end)."""
        return [opening for opening in self._openings if start <= opening < end]


def spread(random: Random, median: float, sigma: float) -> float:
    """A duration drawn from a log-normal distribution with this median."""
    return median * random.lognormvariate(0.0, sigma)
