"""The settings of what is measured, as tables of the schema `input`."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from pipelines.inputs_frame import frame, glob_pattern, handle
from pipelines.settings import Settings

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


def measure_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name; parameters are one row of `measure`, durations microseconds."""
    text, texts = pl.String, pl.List(pl.String)
    failures, rework = settings.failures, settings.rework
    return {
        "measure": frame(
            {
                "hotfix_pattern": text,
                "config_paths": texts,
                "maturity_us": pl.Int64,
                "incident_window_us": pl.Int64,
                "revert_us": pl.Int64,
                "hotfix_us": pl.Int64,
                "has_team_links": pl.Boolean,
                "fix_ticket_types": texts,
                "fix_labels": texts,
                "fix_branch_pattern": text,
                "planned_labels": texts,
                "planned_branch_pattern": text,
                "report_year": pl.Int64,
            },
            [
                (
                    settings.deployments.hotfix_pattern,
                    list(settings.deployments.config_paths),
                    round(failures.maturity_days * _DAY_US),
                    round(failures.incident_window_hours * _HOUR_US),
                    round(failures.revert_days * _DAY_US),
                    round(failures.hotfix_hours * _HOUR_US),
                    failures.team_links,
                    _folded(rework.ticket_types),
                    _folded(rework.labels),
                    rework.branch_pattern,
                    _folded(rework.planned_labels),
                    rework.planned_branch_pattern,
                    settings.references.report,
                )
            ],
        ),
        "incident_ticket": frame(
            {"types": texts, "labels": texts, "projects": texts},
            [
                (
                    _folded(settings.incidents.ticket_types),
                    _folded(settings.incidents.ticket_labels),
                    _folded(settings.incidents.projects),
                )
            ],
        ),
        "incident_service": frame(
            {"hint": text, "service": text},
            [(h.casefold(), s.casefold()) for h, s in settings.incidents.service_names.items()],
        ),
        "image": frame(
            {"ordinal": pl.Int64, "image": text, "repository": text},
            [
                (i, glob_pattern(rule.image), glob_pattern(rule.repository))
                for i, rule in enumerate(settings.deployments.images)
            ],
        ),
        "exclusion": _exclusions(settings),
        "goal": frame(
            {
                "ordinal": pl.Int64,
                "metric": text,
                "team": text,
                "target": pl.Float64,
                "unit": text,
                "target_text": text,
            },
            [
                (i, g.metric, g.team, g.parsed().value, g.parsed().unit, g.target)
                for i, g in enumerate(settings.goals)
            ],
        ),
    }


def _exclusions(settings: Settings) -> pl.DataFrame:
    columns = ("reason", "author", "label", "title", "path", "repository")
    schema: dict[str, Any] = {"ordinal": pl.Int64, **dict.fromkeys(columns, pl.String)}
    rows = [
        (
            i,
            each.reason,
            handle(each.author) if each.author else None,
            each.label.casefold() if each.label else None,
            each.title,
            each.path,
            glob_pattern(each.repository) if each.repository else None,
        )
        for i, each in enumerate(settings.exclusions)
    ]
    return frame(schema, rows)


def _folded(names: Iterable[str]) -> list[str]:
    return [name.casefold() for name in names]
