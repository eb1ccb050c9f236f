"""The settings of launches and self-service, as tables of the schema `input`."""

import polars as pl

from pipelines.inputs_frame import frame
from pipelines.settings import Settings

_HOUR_US = 3_600_000_000


def launch_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name; categories and teams in lower case, as they are looked up."""
    text, texts = pl.String, pl.List(pl.String)
    told = settings.self_service
    return {
        "launch": frame(
            {
                "ordinal": pl.Int64,
                "launch": text,
                "launched_on": pl.Date,
                "categories": texts,
                "teams": texts,
                "team_ids": texts,
                "comparison": texts,
            },
            [
                (
                    ordinal,
                    each.name,
                    each.date,
                    list(each.categories),
                    list(each.teams),
                    [f"team:{name.lower()}" for name in each.teams],
                    list(each.comparison),
                )
                for ordinal, each in enumerate(settings.launches)
            ],
        ),
        "self_service_category": frame(
            {"action": text, "category": text},
            [(action.casefold(), name) for action, name in told.categories.items()],
        ),
        "self_service_rule": frame(
            {"ticket_us": pl.Int64, "adoption_weeks": pl.Int64},
            [(round(told.ticket_hours * _HOUR_US), told.adoption_weeks)],
        ),
    }
