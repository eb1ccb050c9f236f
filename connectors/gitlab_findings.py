"""Vulnerabilities of GitLab (Ultimate alone) as what the scanners of a project say now.

A vulnerability outlives the place it was found at. All of a project's are kept at once, as one
scan, whenever any of them changed; GitLab lists them by GraphQL, without an order by update.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from connectors.connector import Line, Page, Parsed, Pull, Scope, State
from connectors.gitlab_graphql import Asker, UnknownFieldError
from connectors.gitlab_lists import ProjectChild
from connectors.graphql import Told
from connectors.reading import CamelWire, Reader, dig, moment_of
from connectors.records import Record, ScanFinding
from connectors.snapshots import state_on_last

_AT_ONCE = 100
_LARGEST_LINE = 2**31

VULNERABILITIES = """
query($path: ID!, $first: Int!, $after: String) {
  project(fullPath: $path) {
    vulnerabilities(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id title state severity updatedAt
        primaryIdentifier { externalId name }
        scanner { externalId name }
        location {
          ... on VulnerabilityLocationSast { file startLine }
          ... on VulnerabilityLocationSecretDetection { file startLine }
          ... on VulnerabilityLocationDependencyScanning { file }
        }
      }
    }
  }
}
"""


class NamedWire(CamelWire):
    """A rule or a scanner."""

    external_id: str | None = None
    name: str | None = None


class LocationWire(CamelWire):
    """Where in the project; images and addresses are nowhere in it."""

    file: str | None = None
    start_line: str | int | None = None


class VulnerabilityWire(CamelWire):
    """A vulnerability of the default branch."""

    id: str
    state: str
    title: str | None = None
    severity: str | None = None
    updated_at: datetime | None = None
    primary_identifier: NamedWire | None = None
    scanner: NamedWire | None = None
    location: LocationWire | None = None


_VULNERABILITIES: Reader[VulnerabilityWire] = Reader(
    VulnerabilityWire, ("data", "project", "vulnerabilities", "nodes"), ScanFinding
)


class VulnerabilitiesStream(ProjectChild):
    """Vulnerabilities: all of a project's whenever one of them changed."""

    name = "vulnerabilities"
    record_types: ClassVar[tuple[type[Record], ...]] = (ScanFinding,)
    # Like a file of the newest scan: what an earlier scan said stays as history.
    forgets: ClassVar[bool] = True
    daily_full_pass: ClassVar[bool] = False
    feature = "security_and_compliance_access_level"

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The whole list, where it is not what it was."""
        try:
            pages = list(_listed(pull, scope))
        except UnknownFieldError:
            # GitLab's free edition does not know them; `leadline doctor` tells of it.
            return
        digest = hashlib.sha256(b"".join(page.body for page, _ in pages)).hexdigest()[:16]
        moments = [at for _, times in pages for at in times]
        if digest == state.marker or not moments:
            return
        attributes = {"seen_at": max(moments).isoformat()}
        kept = (replace(page, attributes=attributes) for page, _ in pages)
        yield from state_on_last(kept, lambda: State(marker=digest))

    def parse(self, line: Line) -> Parsed:
        """The vulnerabilities of a page; the scan they are of is named by its newest change."""
        parsed = Parsed()
        for position, wire in enumerate(_VULNERABILITIES.read(line, parsed)):
            tool = _name(wire.scanner)
            rule = _id(wire.primary_identifier) or wire.title
            if not tool or not rule:
                missing = "names no scanner" if rule else "names no rule"
                parsed.reject(ScanFinding, f"$[{position}]", missing, wire)
                continue
            parsed.add(_finding(line, wire, tool, rule))
        return parsed


def _finding(line: Line, wire: VulnerabilityWire, tool: str, rule: str) -> ScanFinding:
    state = wire.state.upper()
    is_there = state != "RESOLVED"
    place = wire.location if is_there else None
    at = line.attributes["seen_at"]
    return ScanFinding(
        scan_id=f"{line.connection}:scan:{line.scope}:{tool}:{at}",
        repository_key=line.attributes["repository_key"],
        tool=tool,
        rule=rule,
        # What is resolved is nowhere any more: it must not stand where something else is open.
        path=(place.file or "") if place is not None else "",
        at_line=_line(place),
        severity=wire.severity.lower() if wire.severity else None,
        is_pass=False if is_there else None,
        is_suppressed=state == "DISMISSED",
        message=(wire.title or "")[:200] or None,
        seen_at=datetime.fromisoformat(at),
        # Of two at one place the open one counts: a row without a time of its own is newest.
        source_updated_at=None if state in {"DETECTED", "CONFIRMED"} else wire.updated_at,
    )


def _listed(pull: Pull, scope: Scope) -> Iterator[tuple[Page, list[datetime]]]:
    """The pages of the list, each with the times of update on it."""
    asker = Asker(pull.client, _AT_ONCE)
    path = scope.attributes["full_path"]
    after: str | None = None
    while True:
        told: Told = asker.ask_sized(VULNERABILITIES, {"path": path, "after": after})
        listed = dig(told.data, "project", "vulnerabilities")
        nodes = dig(listed, "nodes")
        if not isinstance(nodes, list):
            return
        times = [at for node in nodes if (at := moment_of(dig(node, "updatedAt"))) is not None]
        url = f"{asker.url}#vulnerabilities:{scope.id}:after={after or ''}"
        yield told.page(url, items=len(nodes)), times
        place = dig(listed, "pageInfo") or {}
        if not place.get("hasNextPage"):
            return
        after = place.get("endCursor")


def _name(wire: NamedWire | None) -> str | None:
    return (wire.name or wire.external_id) if wire is not None else None


def _id(wire: NamedWire | None) -> str | None:
    return (wire.external_id or wire.name) if wire is not None else None


def _line(place: LocationWire | None) -> int:
    text = str(place.start_line) if place is not None else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
    return number if number < _LARGEST_LINE else 0
