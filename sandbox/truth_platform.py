"""The truth about the four thresholds and the launches, by the definitions, from facts alone.

Each number is as of a moment: only what happened before it counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sandbox.organisation import Organisation
from sandbox.platform import Launch, SetupOutcome
from sandbox.working_time import WORKDAY_SECONDS, WorkCalendar, as_seconds

COHORT = timedelta(days=180)
ACTIVE = timedelta(days=90)
YEAR = timedelta(days=365)
ADOPTION = timedelta(weeks=3)  # in which a launch becomes known


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: float
    whole: float

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class PlatformTruth:
    """What a right reading of the four thresholds finds."""

    organisation: Organisation

    def setups(self, at: datetime) -> Share:
        """Set-ups over one working day, of those asked for in the last 180 days and decided."""
        spans = [
            span
            for setup in self.organisation.platform.setups
            if at - COHORT < setup.requested_at <= at
            for span in self._decided(setup, at)
        ]
        return Share(sum(span > WORKDAY_SECONDS for span in spans), len(spans))

    def engineers(self, at: datetime) -> int:
        """People who merged, had merged, or deployed to production in the last 90 days."""
        return len({person for person, moment in self._acts if at - ACTIVE < moment <= at})

    def audits_with_a_finding(self, at: datetime) -> int:
        """Audits of the last year that saw teams differ in one control."""
        platform = self.organisation.platform
        found = 0
        for audit in platform.audits:
            observed: dict[str, set[str]] = {}
            for result in platform.audit_results:
                if result.audit_id == audit.id:
                    observed.setdefault(result.control, set()).add(result.observed)
            is_inconsistent = any(len(values) > 1 for values in observed.values())
            found += is_inconsistent and at - YEAR < audit.performed_at <= at
        return found

    def requests(self, at: datetime, weeks: int = 13) -> Share:
        """Seconds on requests in those on requests and building, in the ISO weeks before `at`."""
        zone = ZoneInfo(self.organisation.zone)
        today = at.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        last = datetime.combine(monday, time(), zone)
        first = datetime.combine(monday - timedelta(weeks=weeks), time(), zone)
        request = build = 0
        for span in self.organisation.platform.work:
            if first <= span.started_at < last:
                request += span.seconds * (span.work_class == "request")
                build += span.seconds * (span.work_class == "build")
        return Share(request, request + build)

    def taken_away(self, launch: Launch) -> Share:
        """Requests that people met themselves once it was known, of all there would have been."""
        since = launch.on + ADOPTION
        platform, site = self.organisation.platform, self.organisation.ticket_site
        names = {kind.id: kind.name for project in site.projects for kind in project.request_types}
        asked = sum(
            names.get(ticket.request_type_id or "") in launch.categories
            and ticket.created_at.date() >= since
            for ticket in site.tickets
        )
        met = sum(
            action.is_instead and action.launch == launch.name and action.started_at.date() >= since
            for action in platform.actions
        )
        return Share(met, asked + met)

    def _decided(self, setup: SetupOutcome, at: datetime) -> Iterator[int]:
        """Working seconds a set-up took, or has taken so far where that is over a day."""
        ready = setup.ready_at
        is_open = ready is None or ready > at
        last = at if ready is None or is_open else ready
        span = self._worked(last) - self._worked(setup.requested_at)
        if not is_open or span > WORKDAY_SECONDS:
            yield span

    def _worked(self, moment: datetime) -> int:
        return self._calendar.worked(as_seconds(moment))

    @cached_property
    def _calendar(self) -> WorkCalendar:
        organisation = self.organisation
        first: date = organisation.started_at.date() - timedelta(days=30)
        last: date = organisation.end.date() + timedelta(days=30)
        return WorkCalendar(
            zone=organisation.zone,
            first=first,
            last=last,
            holidays=frozenset(organisation.holidays),
        )

    @cached_property
    def _acts(self) -> list[tuple[int, datetime]]:
        """Account and moment of all that makes somebody count, on a unit of several teams."""
        organisation = self.organisation
        people = {person.account_id for person in organisation.people} - {None}
        largest = max(organisation.platform.units, key=lambda unit: len(unit.service_ids))
        services = [organisation.service_by_id[one] for one in largest.service_ids]
        if len({service.team_id for service in services}) < 2:
            return []
        owned = {
            outcome.change_key
            for outcome in organisation.change_outcomes
            if outcome.service_id in largest.service_ids
        }
        acts: list[tuple[int | None, datetime | None]] = []
        for repository_id in {service.repository_id for service in services}:
            repository = organisation.repository_by_id[repository_id]
            for request in repository.change_requests:
                if f"request:{request.id}" not in owned:
                    continue
                acts.append((request.author_account_id, request.merged_at))
                acts.append((request.merged_by_account_id, request.merged_at))
            acts += [
                (deployment.creator_account_id, deployment.created_at)
                for deployment in repository.deployments
                if deployment.environment_class == "production"
            ]
        return [
            (account, moment)
            for account, moment in acts
            if account is not None and account in people and moment is not None
        ]
