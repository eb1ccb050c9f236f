"""The ticket system's users, projects, statuses and types."""

from sandbox.names import GROUPS, REQUEST_TYPES
from sandbox.numbers import Numbers, opaque_id
from sandbox.plan import Simulation
from sandbox.ticketing import (
    RequestType,
    TicketProject,
    TicketStatus,
    TicketType,
    TicketUser,
)

SERVICE_DESK_KEY = "INF"
OPERATIONS_KEY = "OPS"
INCIDENT_TYPE = "Incident"

STATUSES = (
    TicketStatus("10000", "To Do", "new"),
    TicketStatus("3", "In Progress", "indeterminate"),
    TicketStatus("10001", "In Review", "indeterminate"),
    TicketStatus("10003", "Blocked", "indeterminate"),
    TicketStatus("10002", "Done", "done"),
)
LOCALISED_STATUSES = (
    TicketStatus("10100", "Te doen", "new"),
    TicketStatus("10101", "Bezig", "indeterminate"),
    TicketStatus("10102", "Ter beoordeling", "indeterminate"),
    TicketStatus("10103", "Geblokkeerd", "indeterminate"),
    TicketStatus("10104", "Gereed ✓", "done"),
)
TYPES = (
    TicketType("10004", "Story", is_subtask=False),
    TicketType("10005", "Task", is_subtask=False),
    TicketType("10006", "Bug", is_subtask=False),
)
LOCALISED_TYPES = (
    TicketType("10104", "Verhaal", is_subtask=False),
    TicketType("10105", "Taak", is_subtask=False),
    TicketType("10106", "Bug", is_subtask=False),
)
DESK_TYPES = (TicketType("10011", "Service request", is_subtask=False),)
PLATFORM_KEY = "PLT"
PLATFORM_TYPES = (
    TicketType("10031", "Epic", is_subtask=False),
    TicketType("10032", "Story", is_subtask=False),
    TicketType("10033", "Maintenance", is_subtask=False),
)
OPERATIONS_TYPES = (
    TicketType("10021", INCIDENT_TYPE, is_subtask=False),
    TicketType("10022", "Task", is_subtask=False),
)


def make_projects(simulation: Simulation) -> tuple[TicketProject, ...]:
    """One project a group of teams, and last the request desk of the infrastructure team.

    Where the days of that team are planned, a project for what it builds stands before the desk.
    """
    numbers = simulation.numbers
    leads = {member.team_index: member for member in reversed(simulation.members)}
    projects = []
    for index, (_, _, name) in enumerate(simulation.groups):
        teams = [i for i, team in enumerate(simulation.teams) if team.group_index == index]
        is_localised = index == 1
        projects.append(
            TicketProject(
                id=numbers.take("project"),
                key=GROUPS[index][2],
                name=name,
                kind="software",
                lead_user_id=leads[teams[0]].user_id,
                team_ids=tuple(simulation.teams[i].id for i in teams),
                statuses=LOCALISED_STATUSES if is_localised else STATUSES,
                ticket_types=LOCALISED_TYPES if is_localised else TYPES,
                request_types=(),
            )
        )
    last = len(simulation.teams) - 1
    if simulation.profile.work is not None:
        projects.append(
            TicketProject(
                id=numbers.take("project"),
                key=PLATFORM_KEY,
                name="Platform",
                kind="software",
                lead_user_id=leads[last].user_id,
                team_ids=(simulation.teams[last].id,),
                statuses=STATUSES,
                ticket_types=PLATFORM_TYPES,
                request_types=(),
            )
        )
    if simulation.profile.has_infrastructure_team:
        projects.append(_desk(simulation, numbers, leads[last].user_id, last))
    return tuple(projects)


def make_operations(simulation: Simulation) -> TicketProject:
    """The project that incidents are reported to, of whatever service."""
    last = len(simulation.teams) - 1
    return TicketProject(
        id=simulation.numbers.take("project"),
        key=OPERATIONS_KEY,
        name="Operations",
        kind="software",
        lead_user_id=next(m.user_id for m in simulation.members if m.team_index == last),
        team_ids=(),
        statuses=STATUSES,
        ticket_types=OPERATIONS_TYPES,
        request_types=(),
    )


def make_users(simulation: Simulation) -> tuple[TicketUser, ...]:
    """Everyone, the long gone included, and the automation."""
    people = tuple(
        TicketUser(
            id=member.user_id,
            display_name=member.name,
            email=None
            if member.person_id % 10 == 3 and not simulation.profile.is_linked
            else _work_address(member.emails),
            zone=member.zone.key,
            is_active=member.left > simulation.end,
            kind="atlassian",
        )
        for member in simulation.members
    )
    robot = TicketUser(
        id=f"557058:{opaque_id('automation')}",
        display_name="Automation for Jira",
        email=None,
        zone="Etc/GMT",
        is_active=True,
        kind="app",
    )
    return (*people, robot)


def _desk(simulation: Simulation, numbers: Numbers, lead: str, team_index: int) -> TicketProject:
    is_localised = len(simulation.groups) == 1  # a small organisation has one all the same
    return TicketProject(
        id=numbers.take("project"),
        key=SERVICE_DESK_KEY,
        name="Infrastructure requests",
        kind="service_desk",
        lead_user_id=lead,
        team_ids=(simulation.teams[team_index].id,),
        statuses=LOCALISED_STATUSES if is_localised else STATUSES,
        ticket_types=DESK_TYPES,
        request_types=tuple(
            RequestType(str(index + 21), name, DESK_TYPES[0].id)
            for index, name in enumerate(REQUEST_TYPES)
        ),
    )


def _work_address(emails: tuple[str, ...]) -> str:
    return next(email for email in emails if not email.endswith("noreply.github.com"))
