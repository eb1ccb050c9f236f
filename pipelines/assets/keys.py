"""How the assets are named and grouped."""

from collections.abc import Iterable

import dagster as dg

from connectors.records import Record

RECORDS = "records"
PUBLISHED = dg.AssetKey(["published"])
# What the loading itself keeps beside the records: which batches, with counts and rejects.
LOADED = dg.AssetKey([RECORDS, "loaded_batch"])


def stream_key(connection: str, stream: str) -> dg.AssetKey:
    """What a connection keeps of a stream."""
    return dg.AssetKey(["landing", connection, stream])


def record_key(record_type: type[Record]) -> dg.AssetKey:
    """The table of a record type."""
    return dg.AssetKey([RECORDS, record_type.table])


def model_key(room: str, name: str) -> dg.AssetKey:
    """A table of the build."""
    return dg.AssetKey([room, name])


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """Names of connections as Dagster takes them for groups and jobs: no hyphens, none twice."""
    found: dict[str, str] = {}
    for name in names:
        identifier = name.replace("-", "_")
        while identifier in found.values():
            identifier += "_"
        found[name] = identifier
    return found
