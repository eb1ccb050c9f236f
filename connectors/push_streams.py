"""The streams of things that are sent as JSON, and the records they become."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from connectors.connector import Line, Parsed, PushedStream
from connectors.push_models import (
    Deployment,
    Incident,
    Pushed,
    SelfServiceAction,
    SetupEvent,
    Ticket,
)
from connectors.reading import Reader
from connectors.records import (
    Account,
    DeploymentAttempt,
    DeploymentStatus,
    Record,
    ScaffolderTask,
    TicketTransition,
)
from connectors.records import Incident as IncidentRecord
from connectors.records import SelfServiceAction as ActionRecord
from connectors.records import Ticket as TicketRecord

# What a set-up that no template makes looks like: see `setup.request_types` and `name_pattern`.
SETUP_REQUEST = "New service"


class JsonStream(PushedStream):
    """Things sent as JSON: one object, or a list of them."""

    model: ClassVar[type[Pushed]]

    def __init__(self) -> None:
        primary = self.record_types[0]
        self._one: Reader[Any] = Reader(self.model, None, primary)
        self._many: Reader[Any] = Reader(self.model, (), primary)

    @property
    def path(self) -> str:
        """Where they are sent to."""
        return f"/v1/{self.name.replace('_', '-')}"

    def parse(self, line: Line) -> Parsed:
        """The records of every thing on the page, and the accounts of who is named."""
        parsed = Parsed()
        reader = self._one if line.body.lstrip()[:1] == b"{" else self._many
        self.add(parsed, line.connection, reader.read(line, parsed))
        return parsed

    def add(self, parsed: Parsed, connection: str, items: Iterable[Any]) -> None:
        """Add the records of things that are read already."""
        for item in items:
            for record in self.records(Sender(connection, item, parsed), item):
                parsed.add(record)

    @abstractmethod
    def records(self, sender: "Sender", item: Any) -> Iterator[Record]:
        """The records of one thing."""


class Sender:
    """Ids and accounts of one thing that was sent."""

    def __init__(self, connection: str, item: Pushed, parsed: Parsed) -> None:
        self.connection = connection
        self.said_at = item.said_at()
        self.parsed = parsed
        self._named: set[str] = set()

    def id(self, kind: str, name: str) -> str:
        """The id of something of this sender."""
        return f"{self.connection}:{kind}:{name}"

    def account(self, actor: str | None) -> str | None:
        """The account of a login or e-mail address, which becomes a record too."""
        if actor is None:
            return None
        account_id = self.id("account", actor.lower())
        if account_id not in self._named:
            self._named.add(account_id)
            name = "email" if "@" in actor else "login"
            self.parsed.add(
                Account.model_validate(
                    {"account_id": account_id, name: actor, "source_updated_at": self.said_at}
                )
            )
        return account_id


class Deployments(JsonStream):
    """Deployments that were sent: one attempt for each repository or service they bring."""

    name = "deployments"
    model = Deployment
    record_types: ClassVar[tuple[type[Record], ...]] = (
        DeploymentAttempt,
        DeploymentStatus,
        Account,
    )

    def records(self, sender: Sender, item: Deployment) -> Iterator[Record]:
        """An attempt a part, with its states."""
        state = item.state or ("running" if item.finished_at is None else "succeeded")
        states = [("created", "queued", item.created_at)]
        if state != "queued":
            states.append(("started", "running", item.started_at or item.created_at))
        if item.finished_at is not None:
            states.append(("finished", state, item.finished_at))
        actor = sender.account(item.actor)
        for commit in item.commits:
            attempt_id = sender.id("deployment", f"{item.id}:{commit.part}")
            yield DeploymentAttempt(
                attempt_id=attempt_id,
                repository_key=commit.repository,
                service_hint=commit.service,
                environment=item.environment,
                sha=commit.sha,
                ref=commit.ref,
                release=commit.release,
                image=commit.image,
                target=item.target,
                created_at=item.created_at,
                actor=actor,
                url=item.url,
                source_updated_at=sender.said_at,
            )
            sender.parsed.whole(DeploymentStatus, attempt_id, sender.said_at)
            for status_id, reached, at in states:
                yield DeploymentStatus(
                    attempt_id=attempt_id,
                    status_id=status_id,
                    state=reached,
                    at=at,
                    source_updated_at=sender.said_at,
                )


class Incidents(JsonStream):
    """Incidents that were sent."""

    name = "incidents"
    model = Incident
    record_types: ClassVar[tuple[type[Record], ...]] = (IncidentRecord,)

    def records(self, sender: Sender, item: Incident) -> Iterator[Record]:
        """The incident."""
        yield IncidentRecord(
            incident_id=sender.id("incident", item.id),
            service_hint=item.service,
            title=item.title,
            severity=item.severity,
            status=item.status,
            created_at=item.created_at,
            started_at=item.started_at,
            acknowledged_at=item.acknowledged_at,
            resolved_at=item.resolved_at,
            references=item.references,
            url=item.url,
            source_updated_at=sender.said_at,
        )


class Tickets(JsonStream):
    """Tickets that were sent, with their changes where those were sent too."""

    name = "tickets"
    model = Ticket
    record_types: ClassVar[tuple[type[Record], ...]] = (TicketRecord, TicketTransition, Account)

    def records(self, sender: Sender, item: Ticket) -> Iterator[Record]:
        """The ticket, and the whole set of its changes."""
        ticket_id = sender.id("ticket", item.id)
        category = item.status_category or ("done" if item.resolved_at is not None else None)
        copied = item.model_dump(
            include={
                *("project", "title", "type", "request_type", "description", "status", "priority"),
                *("labels", "components", "parent_key", "created_at", "resolved_at"),
                *("resolution", "url"),
            }
        )
        yield TicketRecord(
            ticket_id=ticket_id,
            ticket_key=item.key,
            status_category=category,
            reporter=sender.account(item.reporter),
            assignee=sender.account(item.assignee),
            source_updated_at=sender.said_at,
            **copied,
        )
        if item.transitions is None:
            return
        sender.parsed.whole(TicketTransition, ticket_id, sender.said_at)
        for position, transition in enumerate(item.transitions):
            yield TicketTransition(
                ticket_id=ticket_id,
                transition_id=str(position),
                actor=sender.account(transition.actor),
                source_updated_at=sender.said_at,
                **transition.model_dump(exclude={"actor"}),
            )


class SelfServiceActions(JsonStream):
    """Self-service actions that were sent."""

    name = "self_service_actions"
    model = SelfServiceAction
    record_types: ClassVar[tuple[type[Record], ...]] = (ActionRecord, Account)

    def records(self, sender: Sender, item: SelfServiceAction) -> Iterator[Record]:
        """The action."""
        yield ActionRecord(
            action_id=sender.id("action", item.id),
            category=item.category,
            actor=sender.account(item.actor),
            started_at=item.started_at,
            completed_at=item.completed_at,
            outcome=item.outcome or ("succeeded" if item.completed_at is not None else None),
            source_updated_at=sender.said_at,
        )


class SetupEvents(JsonStream):
    """Set-ups of services that were sent: runs of a template, or requests to somebody."""

    name = "setup_events"
    model = SetupEvent
    record_types: ClassVar[tuple[type[Record], ...]] = (
        ScaffolderTask,
        TicketRecord,
        TicketTransition,
        Account,
    )

    def records(self, sender: Sender, item: SetupEvent) -> Iterator[Record]:
        """A run of a template, or a ticket with what became of it."""
        status = item.status or ("running" if item.completed_at is None else "succeeded")
        requester = sender.account(item.requester)
        if item.template is not None:
            yield ScaffolderTask(
                task_id=sender.id("setup", item.id),
                template=item.template,
                name=item.service,
                requester=requester,
                repository_key=item.repository,
                created_at=item.requested_at,
                completed_at=item.completed_at,
                status=status,
                url=item.url,
                source_updated_at=sender.said_at,
            )
            return
        yield from _request(sender, item, status, requester)


def _request(
    sender: Sender, item: SetupEvent, status: str, requester: str | None
) -> Iterator[Record]:
    """A set-up that people make: a ticket that asks for it."""
    ticket_id = sender.id("setup", item.id)
    is_over = item.completed_at is not None
    category = "done" if is_over else "in_progress" if item.approved_at is not None else "new"
    resolutions = {"succeeded": "Done", "failed": "Cancelled", "cancelled": "Cancelled"}
    yield TicketRecord(
        ticket_id=ticket_id,
        ticket_key=item.id,
        project="set-up",
        type=SETUP_REQUEST,
        request_type=SETUP_REQUEST,
        title=f"New service: {item.service}",
        status=status,
        status_category=category,
        reporter=requester,
        created_at=item.requested_at,
        resolved_at=item.completed_at,
        resolution=resolutions.get(status) if is_over else None,
        url=item.url,
        source_updated_at=sender.said_at,
    )
    sender.parsed.whole(TicketTransition, ticket_id, sender.said_at)
    for transition_id, to_category, at in (
        ("approved", "in_progress", item.approved_at),
        ("completed", "done", item.completed_at),
    ):
        if at is not None:
            yield TicketTransition(
                ticket_id=ticket_id,
                transition_id=transition_id,
                field="status",
                to_value=transition_id,
                to_category=to_category,
                at=at,
                source_updated_at=sender.said_at,
            )


def json_streams() -> tuple[JsonStream, ...]:
    """All of them."""
    return (Deployments(), Incidents(), Tickets(), SelfServiceActions(), SetupEvents())
