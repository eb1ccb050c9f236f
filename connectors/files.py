"""Tables in files: CSV and Parquet, as the settings declare them.

A file is read whole whenever its bytes or its declaration changed, and not at all otherwise. Its
bytes are kept as they are, in pieces cut between rows; each piece carries the declaration and
the header, so that it can be parsed alone.
"""

import json
from collections.abc import Iterable, Iterator
from typing import ClassVar

from connectors import files_sarif
from connectors.connector import (
    Connector,
    Finding,
    Line,
    Page,
    Parsed,
    Pull,
    Reject,
    Scope,
    SourceError,
    State,
    Stream,
)
from connectors.files_disk import fingerprint, pieces, read_header
from connectors.files_options import FilesOptions, TableOptions
from connectors.files_reading import read_csv, read_parquet, without_lines
from connectors.files_records import add_rows
from connectors.files_sarif import Sarif
from connectors.records import (
    Account,
    Audit,
    AuditResult,
    CatalogEntity,
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    SelfServiceAction,
    Team,
    TeamMember,
    Ticket,
)


class TableStream(Stream):
    """The tables whose rows are of one kind."""

    record: ClassVar[str]

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The file in pieces, or nothing where neither it nor its declaration changed."""
        table = TableOptions.model_validate_json(scope.attributes["table"])
        requested_at = pull.now()
        header = read_header(table)
        marker = fingerprint(table)
        if marker == state.marker:
            return
        for piece in pieces(table, marker):
            yield Page(
                url=scope.id if piece.first_line == 1 else f"{scope.id}#line={piece.first_line}",
                requested_at=requested_at,
                body=piece.body,
                state=State(marker=marker) if piece.is_last else None,
                items=max(0, piece.breaks - 1),
                attributes={
                    "table": scope.attributes["table"],
                    "header": json.dumps(header.names, ensure_ascii=False),
                    "header_lines": str(header.lines if piece.first_line == 1 else 0),
                    "first_line": str(piece.first_line),
                },
            )

    def parse(self, line: Line) -> Parsed:
        """The records and rejects of one piece."""
        table = TableOptions.model_validate_json(line.attributes["table"])
        header: list[str] = json.loads(line.attributes["header"])
        parsed = Parsed()
        if table.is_parquet:
            rows = read_parquet(line.body, list(table.columns.values()))
            add_rows(parsed, rows, table, line.connection)
            return parsed
        header_lines = int(line.attributes["header_lines"])
        try:
            text = line.body.decode(table.encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{line.url}: the kept piece is not {table.encoding} ({error.reason} at byte "
                f"{error.start})"
            ) from error
        rows = read_csv(
            without_lines(text, header_lines) if header_lines else text,
            len(header),
            table.delimiter,
            int(line.attributes["first_line"]) + header_lines,
        )
        rows.frame = rows.frame.select(
            *(
                rows.frame[str(header.index(name))].alias(str(position))
                for position, name in enumerate(table.columns.values())
            ),
            rows.frame.columns[-1],
        )
        add_rows(parsed, rows, table, line.connection)
        return parsed


class Deployments(TableStream):
    """Deployments, one a row."""

    name = "deployments"
    record = "deployment"
    record_types = (DeploymentAttempt, DeploymentStatus)


class Incidents(TableStream):
    """Incidents, one a row."""

    name = "incidents"
    record = "incident"
    record_types = (Incident,)


class Tickets(TableStream):
    """Tickets, one a row."""

    name = "tickets"
    record = "ticket"
    record_types = (Ticket,)


class Teams(TableStream):
    """Teams, one row a team or one row a member."""

    name = "teams"
    record = "team"
    record_types = (Team, TeamMember, Account)


class People(TableStream):
    """Accounts of people, one a row."""

    name = "people"
    record = "person"
    record_types = (Account,)


class Services(TableStream):
    """Services, one a row."""

    name = "services"
    record = "service"
    record_types = (CatalogEntity,)


class AuditResults(TableStream):
    """What audits observed, one control at one team or resource a row."""

    name = "audit_results"
    record = "audit_result"
    record_types = (AuditResult, Audit)


class SelfServiceActions(TableStream):
    """What people did without asking another team, one action a row."""

    name = "self_service_actions"
    record = "self_service_action"
    record_types = (SelfServiceAction,)


class Files(Connector):
    """CSV, Parquet and SARIF files."""

    kind = "files"
    title = "CSV, Parquet and SARIF files"
    options_type = FilesOptions

    def streams(self) -> tuple[Stream, ...]:
        """One stream a kind of row."""
        return (
            *(Deployments(), Incidents(), Tickets(), Teams(), People(), Services()),
            *(AuditResults(), SelfServiceActions(), Sarif()),
        )

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """One scope a table."""
        for table in self.options.tables:
            if isinstance(stream, Sarif) and table.record == stream.record:
                yield from files_sarif.scopes(table)
            elif isinstance(stream, TableStream) and table.record == stream.record:
                yield Scope(table.path.as_posix(), {"table": table.model_dump_json()})

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Read every table once and say how much of it is of use."""
        for stream in self.streams():
            for scope in self.scopes(stream):
                yield self._read_once(stream, scope, pull)

    def _read_once(self, stream: Stream, scope: Scope, pull: Pull) -> Finding:
        rows, ambiguous = 0, 0
        rejects: list[Reject] = []
        try:
            for page in stream.pages(pull, scope, State()):
                parsed = stream.parse(page.line(self.name, scope))
                rows += parsed.seen[stream.record_types[0].table]
                rejects += parsed.rejects
                ambiguous += sum(parsed.mended.values())
        except SourceError as error:
            return Finding("error", scope.id, str(error))
        said = f"{rows} rows of {stream.name}"
        if ambiguous:
            said += f", {ambiguous} times in an hour that happens twice: the earlier is taken"
        if rejects:
            said += (
                f", {len(rejects)} rejected, the first at {rejects[0].path}: {rejects[0].problem}"
            )
        return Finding("warning" if rejects or ambiguous else "ok", scope.id, said)
