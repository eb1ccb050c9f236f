"""Every benchmark runs on a tiny world, so that none of them rots."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import names
from benchmarks.result import Result

SCALES = {
    "bench_argocd": 0.02,
    "bench_build": 0.002,
    "bench_deflection": 0.02,
    "bench_git": 0.005,
    "bench_gitlab": 0.04,
    "bench_gitlab_work": 0.1,
    "bench_incidents": 0.01,
    "bench_intervals": 0.01,
    "bench_lineage": 0.01,
    "bench_load": 0.001,
    "bench_pages": 0.001,
    "bench_pagerduty": 0.05,
    "bench_parse": 0.01,
    "bench_power_cut": 0.01,
    "bench_push": 0.02,
    "bench_quantiles": 0.01,
    "bench_rate_limit": 0.02,
    "bench_requests": 0.04,
    "bench_requests_jenkins": 0.1,
    "bench_requests_share": 0.03,
    "bench_ticket_text": 0.02,
    "bench_start": 0.01,
    "bench_trending": 0.01,
}
# Counts of requests hold on any machine and at any size that has enough to page through.
ALWAYS_KEPT = ("API requests", "git requests")


@pytest.fixture(autouse=True)
def _cores_and_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Benchmarks pin their process to cores; nothing they write may land here."""
    monkeypatch.chdir(tmp_path)
    cores = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, cores)
    assert list(tmp_path.iterdir()) == []


def test_every_benchmark_has_a_tiny_size() -> None:
    """A new benchmark is run here too."""
    assert sorted(SCALES) == names()


@pytest.mark.parametrize("name", SCALES)
def test_benchmark_measures_something(name: str) -> None:
    """Every figure is a number with words and a unit; requests stay within their limits."""
    results: list[Result] = list(importlib.import_module(f"benchmarks.{name}").run(SCALES[name]))
    assert results
    assert all(result.what and result.unit for result in results)
    assert any(result.value > 0 for result in results)
    for result in results:
        if result.what.endswith(ALWAYS_KEPT):
            assert result.is_kept, result.text()


def test_limits_are_ceilings_or_floors() -> None:
    """A time is kept below its limit, a rate above it, a share within two; or there is none."""
    assert Result("time", 2, "s", 3).is_kept
    assert not Result("time", 4, "s", 3).is_kept
    assert Result("rate", 4, "/s", least=3).is_kept
    assert not Result("rate", 2, "/s", least=3).is_kept
    assert Result("share", 3, "%", most=4, least=3).is_kept
    assert not Result("share", 2.9, "%", most=4, least=3).is_kept
    assert not Result("share", 4.1, "%", most=4, least=3).is_kept
    assert Result("anything", 1e9, "s").is_kept
    assert Result("rate", 1234.5, "/s", least=0).limit_text() == "≥ 0 /s"
    assert Result("time", 2, "s", 3).limit_text() == "≤ 3 s"
    assert Result("share", 2, "%", most=98.5, least=92).limit_text() == "92 – 98.5 %"
