"""The settings of the infrastructure team's time, as tables of the schema `input`."""

import polars as pl

from pipelines.inputs_frame import frame
from pipelines.settings import Settings

_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000


def request_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name; parameters are one row of `request_rule`."""
    text, texts = pl.String, pl.List(pl.String)
    told = settings.requests
    teams = () if told.has_no_team else told.infrastructure_team
    classes = [
        (level, name.casefold(), each)
        for level, names in (
            ("label", told.labels),
            ("type", told.types),
            ("parent", told.parents),
            ("project", told.project_classes),
        )
        for name, each in names.items()
    ]
    return {
        "infrastructure_team": frame(
            {"team_id": text, "name": text}, [(f"team:{n.lower()}", n) for n in teams]
        ),
        "ticket_class_rule": frame({"level": text, "name": text, "class": text}, classes),
        "ticket_effort": frame(
            {"type": text, "effort_us": pl.Int64},
            [(n.casefold(), round(h * _HOUR_US)) for n, h in told.effort_hours.items()],
        ),
        "request_rule": frame(
            {
                "has_no_team": pl.Boolean,
                "projects": texts,
                "components": texts,
                "own_reports": text,
                "in_progress_statuses": texts,
                "active_days": pl.Int64,
                "session_gap_us": pl.Int64,
                "session_start_us": pl.Int64,
                "first_response_pattern": text,
                "resolution_pattern": text,
                "text_probability": pl.Float64,
                "threshold": pl.Float64,
                "weeks": pl.Int64,
                "least_weeks": pl.Int64,
                "classified_share": pl.Float64,
                "tracked_share": pl.Float64,
                "straight_to_done_share": pl.Float64,
            },
            [
                (
                    told.has_no_team,
                    [name.casefold() for name in told.projects],
                    [name.casefold() for name in told.components],
                    told.own_reports,
                    [name.casefold() for name in told.in_progress_statuses],
                    told.active_days,
                    round(told.session_gap_hours * _HOUR_US),
                    round(told.session_start_minutes * _MINUTE_US),
                    told.first_response_pattern,
                    told.resolution_pattern,
                    told.text_probability,
                    told.threshold,
                    told.weeks,
                    told.least_weeks,
                    told.classified_share,
                    told.tracked_share,
                    told.straight_to_done_share,
                )
            ],
        ),
    }
