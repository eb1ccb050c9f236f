"""A small hand-made ticket site with every oddity the Jira server must serve."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from sandbox.faults import Faults, Rule
from sandbox.jira import JiraSettings, Site, jira_app
from sandbox.organisation import Organisation
from sandbox.request_log import RequestLog
from sandbox.serving import Server
from sandbox.ticketing import (
    History,
    HistoryItem,
    RequestType,
    Ticket,
    TicketProject,
    TicketSite,
    TicketStatus,
    TicketType,
    TicketUser,
    Worklog,
)
from sandbox.world import World

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TICKETS = 60
LONG_HISTORY = 90  # histories of the first ticket, more than Cloud embeds

OPEN = TicketStatus("10001", "待办", "new")
DOING = TicketStatus("10002", "Done soon", "indeterminate")  # a name that misleads
CLOSED = TicketStatus("10003", "已完成", "done")


def ticket_site() -> TicketSite:
    """Two projects; one ticket moved between them, one with a very long history."""
    statuses = (OPEN, DOING, CLOSED)
    kinds = (TicketType("1", "故事", False), TicketType("2", "Request", False))
    projects = (
        TicketProject(501, "EE", "Edge", "software", "u0", (), statuses, kinds, ()),
        TicketProject(
            502,
            "OPS",
            "Operations",
            "service_desk",
            "u0",
            (),
            statuses,
            kinds,
            (RequestType("77", "New database", "2"),),
        ),
    )
    users = tuple(
        TicketUser(
            id=f"u{number}",
            display_name=f"Person {number}",
            email=f"person{number}@x.test" if number % 2 else None,
            zone="Europe/Berlin",
            is_active=number != 3,
            kind="app" if number == 4 else "atlassian",
        )
        for number in range(5)
    )
    tickets = tuple(_ticket(number) for number in range(TICKETS))
    return TicketSite("cloud-1", "Tideworks", users, projects, tickets)


def _ticket(number: int) -> Ticket:
    created = START + number * DAY / 4
    histories = _histories(number, created)
    worklogs = (
        (
            Worklog(
                id=9000 + number,
                author_user_id="u1",
                started_at=created,
                duration_seconds=1800,
                comment="looked\ninto it",
                created_at=created + DAY,
                updated_at=created + DAY,
            ),
        )
        if number % 3 == 0
        else ()
    )
    times = [created, *(history.at for history in histories), *(w.updated_at for w in worklogs)]
    is_done = number % 2 == 0
    is_request = number % 5 == 0
    return Ticket(
        id=20000 + number,
        key=f"{'OPS' if is_request else 'EE'}-{number + 1}",
        project_id=502 if is_request else 501,
        former_keys=("EE-901",) if number == 5 else (),
        ticket_type_id="2" if is_request else "1",
        request_type_id="77" if is_request else None,
        summary=f"四个排序图 {number}",
        description="First line\nsecond line" if number % 2 else "",
        status_id=CLOSED.id if is_done else DOING.id,
        priority="High",
        reporter_user_id="u1",
        assignee_user_id="u2",
        labels=("frontEnd", "Saas") if number % 4 == 0 else (),
        components=("api",) if number % 4 == 1 else (),
        parent_key="EE-2" if number == 3 else None,
        duplicate_of="EE-2" if number == 7 else None,
        created_at=created,
        updated_at=max(times),
        resolved_at=histories[-1].at if is_done else None,
        resolution="Done" if is_done else None,
        histories=histories,
        worklogs=worklogs,
    )


def _histories(number: int, created: datetime) -> tuple[History, ...]:
    """Taken, begun, described (of no interest), moved (one), closed (every other one)."""
    steps: list[tuple[HistoryItem, ...]] = [
        (
            HistoryItem("assignee", None, None, "u2", "Person 2"),
            HistoryItem("status", OPEN.id, OPEN.name, DOING.id, DOING.name),
        ),
        (HistoryItem("description", None, None, None, "text"),),
    ]
    if number == 5:
        steps.append(
            (
                HistoryItem("project", None, "Edge", None, "Operations"),
                HistoryItem("Key", None, "EE-901", None, "OPS-6"),
            )
        )
    if number == 0:
        steps += [
            (HistoryItem("priority", None, "High", None, "Low"),),
            (HistoryItem("priority", None, "Low", None, "High"),),
        ] * ((LONG_HISTORY - 4) // 2 + 1)
        steps = steps[: LONG_HISTORY - 1]
    if number % 2 == 0:
        steps.append(
            (
                HistoryItem("status", DOING.id, DOING.name, CLOSED.id, CLOSED.name),
                HistoryItem("resolution", None, None, "1", "Done"),
            )
        )
    return tuple(
        History(
            id=100_000 + number * 200 + position,
            author_user_id=None if number == 7 else "u2",
            at=created + (position + 1) * timedelta(hours=5),
            items=items,
        )
        for position, items in enumerate(steps)
    )


def organisation(site: TicketSite) -> Organisation:
    """An organisation that has tickets and nothing else."""
    return Organisation(
        id=900,
        login="tideworks",
        name="Tideworks",
        seed=1,
        zone="Europe/Berlin",
        holidays=(),
        started_at=START,
        end=END,
        pipeline_launched_at=START,
        accounts=(),
        people=(),
        teams=(),
        services=(),
        repositories=(),
        ticket_site=site,
        deployment_outcomes=(),
        change_outcomes=(),
        incident_outcomes=(),
        reverts=(),
    )


@dataclass
class Jira:
    """The served Jira: its address, a client with the right credential, and its knobs."""

    url: str
    client: httpx.Client
    app: Starlette
    faults: Faults
    closing: ExitStack  # what is to be closed with the server

    @property
    def site(self) -> Site:
        """What is served."""
        site: Site = self.app.state.site
        return site

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        log: RequestLog = self.app.state.requests
        return log

    def get(self, path: str, **params: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = self.client.get(path, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        """The body of a POST that must succeed."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def served(
    settings: JiraSettings | None = None,
    *rules: Rule,
    site: TicketSite | None = None,
    visible_until: datetime | None = None,
) -> Iterator[Jira]:
    """Serve the site on loopback."""
    settings = settings or JiraSettings()
    world = World(organisation(site or ticket_site()), visible_until)
    app = jira_app(world, settings)
    faults = Faults(app, rules, advance=world.advance, now=settings.now)
    pair = base64.b64encode(f"{settings.email}:{settings.token}".encode()).decode()
    credential = f"Basic {pair}" if settings.is_cloud else f"Bearer {settings.token}"
    with (
        Server(faults) as server,
        httpx.Client(
            base_url=server.url + settings.context_path,
            headers={"authorization": credential},
            trust_env=False,
        ) as client,
        ExitStack() as closing,
    ):
        yield Jira(server.url + settings.context_path, client, app, faults, closing)


def data_center(**changed: Any) -> JiraSettings:
    """Settings of a Data Center below a context path."""
    settings = JiraSettings(deployment="data_center", context_path="/jira", zone="Asia/Kolkata")
    return replace(settings, **changed)
