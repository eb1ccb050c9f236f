"""People who started builds, with the addresses that tell who they are elsewhere."""

from collections.abc import Iterator
from urllib.parse import quote

from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.failures import ForbiddenError, NotFoundError
from connectors.jenkins_wire import Text
from connectors.reading import CamelWire, Reader, Wire
from connectors.records import Account, PipelineRun, Record


class PropertyWire(Wire):
    """Anything a plugin hangs on a user; the mailer an address."""

    address: Text = None


class UserWire(CamelWire):
    """A user."""

    id: str
    full_name: Text = None
    property: list[PropertyWire | None] | None = None


class Users(Stream):
    """Users who started a build, each asked for once."""

    name = "users"
    record_types = (Account,)
    parent = "builds"
    # Whoever leaves is removed there; what they started stays.
    forgets = True
    daily_full_pass = False

    _users = Reader(UserWire, None, Account)

    def scopes_of(self, record: Record) -> Scope | None:
        """Who started a build."""
        actor = record.actor if isinstance(record, PipelineRun) else None
        return None if actor is None else Scope(actor.partition(":account:")[2])

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """One page, once; nothing of a user who is gone, or whom nobody may see."""
        if state.marker is not None:
            return
        asked = {"tree": "id,fullName,property[address]"}
        try:
            answer = pull.client.get(f"user/{quote(scope.id, safe='')}/api/json", asked)
        except (NotFoundError, ForbiddenError):
            return
        yield Page(answer.url, answer.requested_at, answer.body, State(marker="read"), 1)

    def parse(self, line: Line) -> Parsed:
        """An account under the name that causes of builds give."""
        parsed = Parsed()
        for wire in self._users.read(line, parsed):
            addresses = [each.address for each in wire.property or [] if each and each.address]
            parsed.add(
                Account(
                    account_id=f"{line.connection}:account:{line.scope}",
                    login=line.scope,
                    name=wire.full_name or None,
                    email=addresses[0] if addresses else None,
                )
            )
        return parsed
