"""Quantiles of 5,000,000 changes that share 1,000,000 deployments, with their intervals."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from benchmarks.result import Result, best_of, on_cores
from pipelines.estimates import quantile_intervals

CHANGES = 5_000_000
SERVICES = 5_000


def run(scale: float = 1.0) -> Iterator[Result]:
    """Median, p75 and p90 of each of 5,000 services, clustered; best of three."""
    on_cores(2)
    count, services = round(CHANGES * scale), max(1, round(SERVICES * scale))
    random = np.random.default_rng(7)
    cluster = random.integers(0, count // 5, count)
    values = pl.DataFrame(
        {"cell": cluster % services, "cluster": cluster, "x": random.exponential(1e11, count)}
    )
    seconds, found = best_of(3, lambda: quantile_intervals(values, (0.5, 0.75, 0.9)))
    if found["value"].null_count():
        raise RuntimeError("every service has enough changes for a value")
    yield Result(f"clustered intervals over {count:,} changes", seconds, "s", 6)
