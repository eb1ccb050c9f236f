"""What each page shows, and the records that give it: for `leadline doctor` and the documentation.

A need names the model in which records become what a page shows; which records those are is read
from the model's SELECTs. (All that a page's tables are made from, however far up, would be nearly
every record for every page.) The Verdict rests on the pages of the four thresholds, the
Walk-through on those of the measures; Data health and Definitions show whatever there is.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connectors.connector import Connector, Permission
from connectors.records import (
    RECORDS,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Record,
    Reference,
    Release,
    Ticket,
)
from pipelines.catalog import models
from pipelines.kind_streams import all_streams

_SCHEMA = "records."

DELIVERY = "Delivery"
LEAD_TIME = "Lead time"
FAILURES = "Failures & recovery"
REQUESTS = "Requests & deflection"
AUTOMATE = "What to automate next"
ONBOARDING = "Onboarding"
INTERACTIONS = "Team interactions"
SETUP = "Service set-up"
SHARED = "Shared infrastructure"
CONFIGURATION = "Configuration"


class Need(NamedTuple):
    """Something that pages show, and the model that first has it.

    `of`: of the records that the model reads, those that matter here; all where none is named.
    `is_missed`: whether a page without it is worth a warning; a refinement is not.
    """

    pages: tuple[str, ...]
    shows: str
    model: str
    of: tuple[type[Record], ...] = ()
    is_missed: bool = True

    @property
    def records(self) -> tuple[type[Record], ...]:
        """The records of which any gives it."""
        read = models()[self.model].depends_on
        found = tuple(r for r in RECORDS if f"{_SCHEMA}{r.table}" in read)
        return self.of or found


NEEDS = (
    Need(
        (DELIVERY, FAILURES),
        "deployments",
        "attempt",
        (DeploymentAttempt, Reference, Release, PipelineRun),
    ),
    Need(
        (DELIVERY, FAILURES),
        "how deployments ended",
        "attempt",
        (DeploymentStatus, PipelineRun, PipelineJob),
        is_missed=False,
    ),
    Need((DELIVERY, LEAD_TIME), "changes", "known_commit"),
    Need((DELIVERY, LEAD_TIME, FAILURES), "repositories", "repository", is_missed=False),
    Need((DELIVERY, LEAD_TIME), "services on some paths", "change_path", is_missed=False),
    Need((LEAD_TIME,), "the stages of a review", "merged_request"),
    Need((LEAD_TIME,), "the commits of a request", "listed_commit", is_missed=False),
    Need((LEAD_TIME,), "how long reviews wait and last", "known_change"),
    Need((DELIVERY,), "ticket flow", "ticket_fact", (Ticket,)),
    Need((DELIVERY,), "cycle time of tickets", "progress_interval"),
    Need((FAILURES,), "incidents", "incident"),
    Need((FAILURES,), "reverted changes", "revert", is_missed=False),
    Need((REQUESTS, AUTOMATE), "requests", "platform_request", (Ticket,)),
    Need((REQUESTS, AUTOMATE), "hours of requests", "ticket_handling"),
    Need((REQUESTS, AUTOMATE), "waits by a service desk's goals", "request_wait", is_missed=False),
    Need((REQUESTS, AUTOMATE), "what people did themselves", "self_service"),
    Need((ONBOARDING,), "who is new, and their first steps", "newcomer"),
    Need((INTERACTIONS,), "what teams do for and with each other", "team_interaction"),
    Need((REQUESTS, ONBOARDING, INTERACTIONS), "who is in which team", "membership"),
    Need((SETUP,), "new services", "setup_candidate"),
    Need((SETUP,), "who asked for them, and how", "setup_request"),
    Need((SETUP,), "the legs of a set-up", "setup_leg", is_missed=False),
    Need((SHARED,), "which infrastructure is worked on", "unit_use"),
    Need((SHARED, REQUESTS, ONBOARDING, INTERACTIONS), "who is one person", "account_person"),
    Need((CONFIGURATION,), "results of audits", "audit_observation"),
    Need((CONFIGURATION,), "which approaches repositories use", "practice_use"),
    Need((CONFIGURATION,), "which repositories were looked at", "standing_scan", is_missed=False),
)


def pages_fed(record_types: Iterable[type[Record]]) -> list[str]:
    """The pages that show what any of these records gives, in the order of the needs."""
    given = set(record_types)
    return list(
        dict.fromkeys(page for need in NEEDS if given & set(need.records) for page in need.pages)
    )


def fed_by_permission(connector: type[Connector]) -> Iterator[tuple[Permission, list[str]]]:
    """Each permission that a kind needs, with the pages that lack something without it."""
    streams = {stream.name: stream for stream in all_streams(connector)}
    for permission in connector.permissions:
        given = [r for name in permission.streams for r in streams[name].record_types]
        yield permission, pages_fed(given)
