"""Every stream that a kind of connection can have, without a connection."""

from functools import cache
from typing import Any

from connectors.connector import Connector, Stream, kinds
from connectors.records import Record
from connectors.secret import Secret
from pipelines.settings_messages import model_of


def all_streams(connector: type[Connector]) -> tuple[Stream, ...]:
    """All that options switch on; no secret is looked for."""
    given: dict[str, Any] = {}
    for name, field in connector.options_type.model_fields.items():
        if field.annotation is bool:
            given[name] = True
        elif model_of(field.annotation) is Secret:
            given[name] = Secret(env="TOKEN")
    return connector(connector.kind, connector.options_type.model_construct(**given)).streams()


def givers(*record_types: type[Record]) -> list[str]:
    """The kinds whose streams give any of these records."""
    return [kind for kind, given in _given().items() if given & set(record_types)]


def _given() -> dict[str, set[type[Record]]]:
    return {kind: _records_of(connector) for kind, connector in kinds().items()}


@cache
def _records_of(connector: type[Connector]) -> set[type[Record]]:
    return {r for stream in all_streams(connector) for r in stream.record_types}
