"""The four thresholds: their names, and the shapes in which each hands over what it measured.

One table of each shape a threshold, united in `threshold_measure`, `threshold_variant` and
`threshold_week`; states over time, forecasts and the verdict are made of these alone.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

SETUP_TIME = "setup_time"
SHARED_INFRASTRUCTURE = "shared_infrastructure"
CONFIGURATION = "configuration"
REQUESTS = "requests"

# In the order in which people read them.
TITLES = {
    SETUP_TIME: "New service set-up",
    SHARED_INFRASTRUCTURE: "Shared infrastructure",
    CONFIGURATION: "Configuration across teams",
    REQUESTS: "Requests against building",
}

# What it means that one is crossed, within a sentence; `{limit}` is its threshold value.
CROSSINGS = {
    SETUP_TIME: "setting up a new service takes more than a day",
    SHARED_INFRASTRUCTURE: "{limit:.0f} or more engineers share infrastructure",
    CONFIGURATION: "audits find configurations that differ between teams",
    REQUESTS: "the infrastructure team spends more time on requests than on building",
}

# What each needs to be judged at all, where nothing has measured it.
NEEDS = {
    SETUP_TIME: "repositories, deployments, and the tickets or portal where new services are "
    "asked for",
    SHARED_INFRASTRUCTURE: "changes, deployments, and which cluster, account or runners each "
    "service uses",
    CONFIGURATION: "an audit register or the results of scanners, and teams with repositories",
    REQUESTS: "the tickets of the infrastructure team, and which team it is",
}

# What a measure can say of one moment; `trending` only where an audit's finding was fixed.
MEASURED_STATES = ("crossed", "clear", "not applicable", "insufficient", "trending")

_INSTANT = pl.Datetime("us", "UTC")

MEASURE: Mapping[str, Any] = {
    "threshold": pl.String,
    "evaluated_at": _INSTANT,
    "value": pl.Float64,  # a share, engineers, or audits with a finding: see `unit`
    "unit": pl.String,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "threshold_value": pl.Float64,
    "n": pl.Int64,
    "measured_state": pl.String,  # before hysteresis, hold and forecast
    "direction": pl.String,  # above or below: where the estimate stands when too close to call
    "reason": pl.String,  # one plain sentence with the figures
    "missing": pl.List(pl.String),  # what to connect, in plain words; empty where nothing is
    "evidence": pl.String,  # what shows that it is not applicable, or the fallback that was used
    "coverage": pl.Float64,  # 0-1, the smallest of the coverages
    "coverage_text": pl.String,
    "parameters": pl.String,  # JSON
}

VARIANT: Mapping[str, Any] = {
    "threshold": pl.String,
    "evaluated_at": _INSTANT,
    "variant": pl.String,  # how the alternative definition is called
    "value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "n": pl.Int64,
    "state": pl.String,  # under that definition
}

WEEK: Mapping[str, Any] = {
    "threshold": pl.String,
    "week": pl.Date,  # Monday
    "value": pl.Float64,
    "n": pl.Int64,
    "joins": pl.Int64,  # engineers that came and went, where engineers are counted
    "leaves": pl.Int64,
}
