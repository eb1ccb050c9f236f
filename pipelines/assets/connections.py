"""What is received: one asset per connection and stream, pulled together, one step a connection."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from connectors.connector import PushedStream, Stream
from pipelines import operations
from pipelines.assets.automation import longest_gap, never_synced
from pipelines.assets.keys import stream_key
from pipelines.assets.progress import Report
from pipelines.settings import Connection, Settings

CHECK = "every_scope_answered"


def connection_assets(
    settings: Settings, connection: Connection, identifier: str, report: Report
) -> dg.AssetsDefinition:
    """The streams of a connection: synced by one pull, one after the other, in one process.

    A stream's data version is its newest batch that holds items, so a pull that brought nothing
    is fresh, and yet nothing that is downstream has a reason to run. Of what is sent here nothing
    is pulled: the step tells what came since the last one.
    """
    connector = connection.connector()
    streams = connector.streams()
    freshness = _freshness(connection.schedule or settings.operation.sync_schedule)

    @dg.multi_asset(
        name=f"pull_{identifier}",
        specs=[
            _spec(connection, connector.title, stream, identifier, freshness) for stream in streams
        ],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=stream_key(connection.name, stream.name),
                description="No scope of the stream failed in its last pull.",
            )
            for stream in streams
        ],
    )
    def pull_streams(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None]]:
        items: Counter[str] = Counter()

        def progress(name: str, stream: str, count: int) -> None:
            items[stream] += count
            report("sync", f"{name}.{stream}", items[stream], None)

        result = operations.sync(settings, [connection.name], progress=progress)[0]
        for error in result.errors:
            context.log.warning(error)
        with operations.opened(settings) as (_, landing):
            rows = [row for row in landing.status() if row["connection"] == connection.name]
        if rows and all(row["failing"] == row["scopes"] for row in rows):
            raise dg.Failure(f"connection {connection.name}: {rows[0]['last_error']}")
        status = {str(row["stream"]): row for row in rows}
        for stream in streams:
            yield _result(connection.name, stream.name, items, status.get(stream.name, {}))

    return pull_streams


def _spec(
    connection: Connection,
    title: str,
    stream: Stream,
    identifier: str,
    freshness: dg.FreshnessPolicy,
) -> dg.AssetSpec:
    tables = ", ".join(record_type.table for record_type in stream.record_types) or "nothing"
    is_pushed = isinstance(stream, PushedStream)
    what = "what was sent here as" if is_pushed else f"pages of {title}'s"
    return dg.AssetSpec(
        stream_key(connection.name, stream.name),
        description=f"One row per batch of {what} {stream.name}, as received. "
        f"They are read into: {tables}.",
        group_name=identifier,
        kinds={connection.kind, "sqlite"},
        deps=[stream_key(connection.name, stream.parent)] if stream.parent is not None else [],
        freshness_policy=freshness,
        automation_condition=never_synced(),
    )


def _result(
    connection: str, stream: str, items: Counter[str], status: dict[str, object]
) -> dg.MaterializeResult[None]:
    failing, scopes = int(str(status.get("failing", 0))), int(str(status.get("scopes", 0)))
    return dg.MaterializeResult(
        asset_key=stream_key(connection, stream),
        data_version=dg.DataVersion(str(status.get("newest_batch") or 0)),
        metadata={
            "dagster/row_count": int(str(status.get("items", 0))),
            "new items": items[stream],
            "scopes": scopes,
            "requests": int(str(status.get("requests", 0))),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=failing == 0,
                severity=dg.AssetCheckSeverity.WARN,
                asset_key=stream_key(connection, stream),
                check_name=CHECK,
                metadata={"failing": failing, "scopes": scopes}
                | ({"last error": str(status["last_error"])} if failing else {}),
            )
        ],
    )


def _freshness(cron: str) -> dg.FreshnessPolicy:
    """A missed pull is worth a look, several in a row are a fault; pulls may take hours."""
    gap = longest_gap(cron)
    return dg.FreshnessPolicy.time_window(
        warn_window=gap + timedelta(hours=2), fail_window=2 * gap + timedelta(hours=4)
    )
