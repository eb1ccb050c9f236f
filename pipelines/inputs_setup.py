"""The settings of service set-up, as tables of the schema `input`."""

import polars as pl

from pipelines.inputs_frame import frame, glob_pattern
from pipelines.settings import Settings


def setup_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name; what is looked up by name is in lower case."""
    text, texts = pl.String, pl.List(pl.String)
    setup = settings.setup
    opening, closing = settings.organisation.working_hours
    day = (closing.hour - opening.hour) * 3600 + (closing.minute - opening.minute) * 60
    return {
        "setup": frame(
            {
                "is_asked_for": pl.Boolean,
                "request_types": texts,
                "labels": texts,
                "projects": texts,
                "title_pattern": text,
                "name_pattern": text,
                "cancelled": texts,
                "library_types": texts,
                "service_types": texts,
                "day_us": pl.Int64,
            },
            [
                (
                    setup.setup_requests != "none",
                    _folded(setup.request_types),
                    _folded(setup.labels),
                    _folded(setup.projects),
                    setup.title_pattern,
                    setup.name_pattern,
                    _folded(setup.cancelled),
                    _folded(setup.library_types),
                    _folded(setup.service_types),
                    (day + closing.second - opening.second) * 1_000_000,
                )
            ],
        ),
        "setup_name": frame(
            {"rule": text, "pattern": text},
            [
                (rule, glob_pattern(name))
                for rule, names in (
                    ("template", setup.templates),
                    ("library", setup.libraries),
                    ("template test", setup.template_tests),
                    ("import", setup.imports),
                )
                for name in names
            ],
        ),
    }


def _folded(names: tuple[str, ...]) -> list[str]:
    return [name.casefold() for name in names]
