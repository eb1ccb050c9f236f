"""The models and the published build: one asset a table, one step on one connection."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from connectors.records import RECORDS as RECORD_TYPES
from pipelines import operations
from pipelines.assets.automation import POOL, records_loaded
from pipelines.assets.keys import LOADED, PUBLISHED, RECORDS, model_key
from pipelines.assets.progress import Report
from pipelines.build_steps import AuditResult
from pipelines.catalog import Model, models
from pipelines.settings import Settings
from pipelines.warehouse import AuditError, BuildResult

CHECK = "assertions"

Result = dg.MaterializeResult[None] | dg.AssetCheckResult


def build_assets(settings: Settings, report: Report) -> dg.AssetsDefinition:
    """Every model and `published`; a selection of them starts from a copy of the current build.

    One step instead of one a table: opening, attaching and bookkeeping cost more than the models.
    A broken assertion is a failed blocking check, and nothing is published.
    """
    found = models()
    names = {model_key(model.room, name): name for name, model in found.items()}

    @dg.multi_asset(
        name="build_models",
        specs=[*(_spec(model, found) for model in found.values()), _published(found)],
        check_specs=[_check_spec(model) for model in found.values()],
        can_subset=True,
        pool=POOL,
    )
    def build_models(context: dg.AssetExecutionContext) -> Iterator[Result]:
        selected = {names[key] for key in context.selected_asset_keys if key in names}
        is_whole = PUBLISHED in context.selected_asset_keys and selected == set(found)
        try:
            result = operations.build(
                settings,
                selection=None if is_whole else frozenset(selected),
                progress=lambda name, done, total: report("build", name, done, total),
            )
        except AuditError as error:
            context.log.error(str(error))
            yield from _tables(context, error.result, found, selected)
            raise dg.Failure(str(error), allow_retries=False) from error
        yield from _tables(context, result, found, selected)
        yield from _publication(context, result)

    return build_models


def _spec(model: Model, found: dict[str, Model]) -> dg.AssetSpec:
    return dg.AssetSpec(
        model_key(model.room, model.name),
        description=model.description,
        group_name=model.room,
        kinds={"duckdb"},
        deps=_dependencies(model, found),
        metadata={"key": ", ".join(model.key)},
        skippable=True,
        automation_condition=records_loaded(),
    )


def _dependencies(model: Model, found: dict[str, Model]) -> list[dg.AssetKey]:
    """The tables a model reads; whatever reads only settings or the log depends on the loading."""
    tables = {record_type.table for record_type in RECORD_TYPES}
    keys = []
    for name in model.depends_on:
        schema, _, table = name.rpartition(".")
        if name in found:
            keys.append(model_key(found[name].room, name))
        elif schema == RECORDS and table in tables:
            keys.append(dg.AssetKey([RECORDS, table]))
        elif LOADED not in keys:
            keys.append(LOADED)
    return keys or [LOADED]


def _published(found: dict[str, Model]) -> dg.AssetSpec:
    return dg.AssetSpec(
        PUBLISHED,
        description="One row per build: the file that pages, reports and queries read.",
        group_name="published",
        kinds={"duckdb"},
        deps=[model_key(model.room, name) for name, model in found.items()] or [LOADED],
        skippable=True,
        freshness_policy=dg.FreshnessPolicy.time_window(
            warn_window=timedelta(hours=26), fail_window=timedelta(hours=50)
        ),
        automation_condition=records_loaded(),
    )


def _check_spec(model: Model) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CHECK,
        asset=model_key(model.room, model.name),
        blocking=True,
        description="; ".join(assertion.name for assertion in model.assertions),
    )


def _tables(
    context: dg.AssetExecutionContext,
    result: BuildResult,
    found: dict[str, Model],
    selected: set[str],
) -> Iterator[Result]:
    checks = {key.asset_key for key in context.selected_asset_check_keys}
    for name, table in result.tables.items():
        key = model_key(found[name].room, name)
        if name in selected:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "dagster/row_count": table.rows,
                    "dagster/column_schema": dg.TableSchema(
                        columns=[dg.TableColumn(c, kind) for c, kind in table.columns.items()]
                    ),
                    "seconds": round(table.seconds, 4),
                },
            )
        if key in checks:
            yield _check_result(key, table.audits)


def _check_result(key: dg.AssetKey, audits: list[AuditResult]) -> dg.AssetCheckResult:
    lines = [
        f"- {audit.name}: {'holds' if audit.passed else f'broken by {audit.failures} rows'}"
        + "".join(f"\n  - `{row}`" for row in audit.sample)
        for audit in audits
    ]
    return dg.AssetCheckResult(
        passed=all(audit.passed for audit in audits),
        asset_key=key,
        check_name=CHECK,
        metadata={"assertions": dg.MetadataValue.md("\n".join(lines))},
    )


def _publication(
    context: dg.AssetExecutionContext, result: BuildResult
) -> Iterator[dg.MaterializeResult[None]]:
    """A selection publishes too, so the event is kept even where `published` was not selected."""
    metadata: dict[str, str | int | float | dg.MetadataValue[Any]] = {
        "build": result.build_id,
        "file": dg.MetadataValue.path(str(result.path)),
        "tables": len(result.tables),
        "seconds": round(result.seconds, 3),
    }
    if PUBLISHED in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=PUBLISHED, metadata=metadata)
    else:
        context.log_event(dg.AssetMaterialization(PUBLISHED, metadata=metadata))
