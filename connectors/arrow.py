"""The Arrow schema of every record type, and records as Arrow tables.

The schema is generated from the record model, so that rows validated one by one by pydantic and
rows read in bulk by Polars meet in the same columns: all of them, in the model's order, with
fixed types, times in microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
import pyarrow as pa

from connectors.records import Record, utc

INSTANT = pa.timestamp("us", "UTC")
# The microseconds of the first and the last second that Python has.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

_TYPES: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    datetime: INSTANT,
    list[str]: pa.list_(pa.field("item", pa.string(), nullable=False)),
}


@cache
def schema(record_type: type[Record]) -> pa.Schema:
    """The Arrow schema of a record type: the model's columns in order, and nothing else."""
    return pa.schema(
        [
            _column(record_type, name, field.annotation)
            for name, field in record_type.model_fields.items()
        ]
    )


def to_table(record_type: type[Record], records: Sequence[Record]) -> pa.Table:
    """Records of one type as a table with the type's schema, built column by column."""
    columns = schema(record_type)
    rows = [record.__dict__ for record in records]
    return pa.Table.from_arrays(
        [pa.array([row[column.name] for row in rows], type=column.type) for column in columns],
        schema=columns,
    )


def columns_table(record_type: type[Record], columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Columns that were checked already as a table with the type's schema."""
    fields = schema(record_type)
    return pa.Table.from_arrays(
        [_array(columns[field.name], field.type) for field in fields], schema=fields
    )


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    found = pa.array(values, type=kind)
    if kind == INSTANT and len(found):
        # Taken into UTC, the first and last hours of all become times that no reader can show.
        # Pages are many and small: Arrow's own minimum and cast cost more than making the column.
        instants = np.frombuffer(found.buffers()[1], np.int64, len(found))
        if instants.min() < _FIRST or instants.max() > _LAST:
            return pa.array([value and utc(value) for value in values], type=kind)
    return found


def _column(record_type: type[Record], name: str, annotation: object) -> pa.Field:
    bare, nullable = _bare(annotation)
    try:
        return pa.field(name, _TYPES[bare], nullable=nullable)
    except KeyError:
        raise TypeError(
            f"{record_type.__name__}.{name} is {annotation}; records hold str, int, bool, "
            "Instant and list[str] only"
        ) from None


def _bare(annotation: Any) -> tuple[object, bool]:
    """The annotation without `Annotated` and `None`, and whether it takes None."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        nullable = len(parts) < len(get_args(annotation))
        return (_bare(parts[0])[0] if len(parts) == 1 else annotation), nullable
    return annotation, False
