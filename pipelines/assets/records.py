"""The records: one asset per record type, merged from landing in one step."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from connectors.arrow import schema
from connectors.records import RECORDS as RECORD_TYPES
from connectors.records import Record
from pipelines import duck, operations
from pipelines.assets.automation import POOL, something_landed
from pipelines.assets.keys import LOADED, RECORDS, record_key, stream_key
from pipelines.assets.progress import Report
from pipelines.files import DataFolder
from pipelines.settings import Settings


def record_assets(settings: Settings, report: Report) -> dg.AssetsDefinition:
    """Every record type, and the log of what was loaded; they are always loaded together."""
    condition = something_landed(settings.organisation.zone)

    @dg.multi_asset(
        name="load_records",
        specs=[
            *(_spec(settings, record_type, condition) for record_type in RECORD_TYPES),
            dg.AssetSpec(
                LOADED,
                description="One row per batch that was merged into the records, with what was "
                "counted, rejected and held back while it was read.",
                group_name=RECORDS,
                kinds={"duckdb"},
                deps=_all_streams(settings),
                automation_condition=condition,
            ),
        ],
        pool=POOL,
    )
    def load_records(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None]]:
        result = operations.load_records(
            settings, progress=lambda done, total: report("load", "batches", done, total)
        )
        context.log.info(f"{result.batches} batches were new")
        for held in result.held:
            context.log.warning(f"deletions wait for confirmation: {held}")
        counts = _row_counts(settings)
        for record_type in RECORD_TYPES:
            table = record_type.table
            yield dg.MaterializeResult(
                asset_key=record_key(record_type),
                metadata={
                    "dagster/row_count": counts[table],
                    "merged": result.rows[table],
                    "rejected": result.rejected[table],
                    "deleted": result.deleted[table],
                },
            )
        yield dg.MaterializeResult(
            asset_key=LOADED,
            metadata={
                "dagster/row_count": counts["loaded_batch"],
                "new batches": result.batches,
                "rejects": counts["reject"],
            },
        )

    return load_records


def _spec(
    settings: Settings, record_type: type[Record], condition: dg.AutomationCondition[Any]
) -> dg.AssetSpec:
    words = (record_type.__doc__ or "").strip()
    return dg.AssetSpec(
        record_key(record_type),
        description=f"One row per {' and '.join(record_type.key)}: {words[0].lower()}{words[1:]}",
        group_name=RECORDS,
        kinds={"duckdb"},
        deps=[
            stream_key(name, stream.name)
            for name, connection in settings.connections.items()
            for stream in connection.connector().streams()
            if record_type in stream.record_types
        ],
        metadata={"dagster/column_schema": _columns(schema(record_type))},
        automation_condition=condition,
    )


def _all_streams(settings: Settings) -> list[dg.AssetKey]:
    return [
        stream_key(name, stream.name)
        for name, connection in settings.connections.items()
        for stream in connection.connector().streams()
    ]


def _columns(columns: pa.Schema) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type),
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in columns
        ]
    )


def _row_counts(settings: Settings) -> dict[str, int]:
    """Rows of every table of the records, read in one short visit."""
    folder = DataFolder(settings.data)
    tables = [*(record_type.table for record_type in RECORD_TYPES), "loaded_batch", "reject"]
    counted = " union all ".join(f"select '{t}', count(*) from \"{t}\"" for t in tables)
    with (
        folder.writing("counting records"),
        duck.connect(folder.records, temporary=folder.temporary) as connection,
    ):
        return dict(connection.execute(counted).fetchall())
