"""The settings of shared infrastructure, as tables of the schema `input`."""

import polars as pl

from pipelines.inputs_frame import frame, glob_pattern
from pipelines.settings import Settings


def shared_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name."""
    limits = settings.shared_infrastructure
    return {
        "shared_unit": frame(
            {"name": pl.String, "kind": pl.String, "service": pl.String},
            [
                (unit.name, unit.kind, glob_pattern(service))
                for unit in settings.shared_units
                for service in unit.services
            ],
        ),
        "shared_infrastructure": frame(
            {
                "engineers": pl.Int64,
                "teams": pl.Int64,
                "least_mapped": pl.Float64,
                "most_unresolved": pl.Float64,
            },
            [(limits.engineers, limits.teams, limits.least_mapped, limits.most_unresolved)],
        ),
    }
