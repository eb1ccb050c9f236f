"""What is pulled from PagerDuty: users, teams with their members, incidents."""

from collections.abc import Iterator

from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.pagerduty_incidents import Pass
from connectors.pagerduty_pages import answers
from connectors.pagerduty_records import add_incident, add_members, add_team, add_user, logs
from connectors.pagerduty_wire import (
    ChangeWire,
    EntryWire,
    IncidentWire,
    MemberWire,
    RelatedWire,
    TeamWire,
    UserWire,
)
from connectors.reading import Reader
from connectors.records import Account, Incident, Team, TeamMember

_DONE = State(marker="read")


class Listed(Stream):
    """A list of the account by full passes: its items have no time of change."""

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """All of them, the last page with the state that says so; nothing in other passes."""
        if state.marker is not None:
            return
        for answer, items, has_more in answers(pull.client, self.name, self.name, {}):
            yield Page(
                url=answer.url,
                requested_at=answer.requested_at,
                body=answer.body,
                state=None if has_more else _DONE,
                items=len(items),
            )


class Users(Listed):
    """Users."""

    name = "users"
    record_types = (Account,)

    _users = Reader(UserWire, ("users",), Account)

    def parse(self, line: Line) -> Parsed:
        """Accounts."""
        parsed = Parsed()
        for wire in self._users.read(line, parsed):
            add_user(parsed, line, wire)
        return parsed


class Teams(Listed):
    """Teams."""

    name = "teams"
    record_types = (Team,)

    _teams = Reader(TeamWire, ("teams",), Team)

    def parse(self, line: Line) -> Parsed:
        """Teams."""
        parsed = Parsed()
        for wire in self._teams.read(line, parsed):
            add_team(parsed, line, wire)
        return parsed


class Members(Stream):
    """Members of each team with their roles, by full passes."""

    name = "members"
    record_types = (TeamMember,)
    parent = "teams"

    _members = Reader(MemberWire, ("members",), TeamMember)

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterator[Scope]:  # noqa: ARG002
        """A scope a team."""
        for team in parsed.records.get(Team, []):
            if isinstance(team, Team):
                yield Scope(team.team_id.rpartition(":")[2])

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The whole set, however many pages it takes."""
        if state.marker is not None:
            return
        first = None
        path = f"teams/{scope.id}/members"
        for answer, items, has_more in answers(pull.client, path, "members", {}):
            first = first or answer.requested_at
            yield Page(
                url=answer.url,
                requested_at=answer.requested_at,
                body=answer.body,
                state=None if has_more else _DONE,
                items=len(items),
                set_at=first,
                attributes={"team": scope.id},
            )

    def parse(self, line: Line) -> Parsed:
        """Members."""
        parsed = Parsed()
        add_members(parsed, line, self._members.read(line, parsed))
        return parsed


class Incidents(Stream):
    """Incidents with when they were acknowledged, resolved, merged and opened again."""

    name = "incidents"
    record_types = (Incident,)
    # What the account's plan no longer keeps stays here; what changes shows in the log.
    forgets = True
    daily_full_pass = False

    _incidents = Reader(IncidentWire, ("incidents",), Incident)
    _entries = Reader(EntryWire, ("log_entries",), Incident)
    _related = Reader(RelatedWire, ("related",), Incident)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """Those that changed, each with its whole log."""
        return Pass(pull, scope, state).pages()

    def parse(self, line: Line) -> Parsed:
        """Incidents."""
        parsed = Parsed()
        incidents = self._incidents.read(line, parsed)
        entries = logs(self._entries.read(line, parsed))
        related: dict[str, list[ChangeWire]] = {
            each.incident: each.change_events for each in self._related.read(line, parsed)
        }
        for wire in incidents:
            add_incident(parsed, line, wire, entries.get(wire.id, []), related.get(wire.id, []))
        return parsed
