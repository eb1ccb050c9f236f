"""Pages: every query of one page, against a build of 1,000,000 changes."""

import gc
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import streamlit
from streamlit.testing.v1 import AppTest

from benchmarks import organisation
from benchmarks.organisation import Size
from benchmarks.result import Result, on_cores
from dashboards import frame, views_index
from dashboards.queries import Queries
from pipelines.reader import connect

RUNS = 40
SIZE = Size(changes=1_000_000, deployments=250_000, repositories=2_000)
APP = Path(frame.__file__).parent / "app.py"
Asked = list[tuple[str, dict[str, Any] | None]]


def run(scale: float = 1.0) -> Iterator[Result]:
    """Each page is opened once to hear what it asks; then that is asked 40 times: 95th percentile.

    Over the longest period and the whole organisation, which is the most there is to read.
    """
    on_cores(2)
    with tempfile.TemporaryDirectory() as folder:
        made = organisation.make(Path(folder), SIZE.scaled(scale))
        path = made.build().path
        for view in views_index.found(APP.parent / "views"):
            asked = _asked_by(view.path.name, made.data.path)
            with connect(path) as connection:
                queries = Queries(connection)
                times = sorted(_milliseconds(queries, asked) for _ in range(RUNS))
            at_95 = times[round(0.95 * RUNS) - 1]
            what = f"all {len(asked)} queries of the page {view.title}, p95"
            yield Result(what, at_95, "ms", 150)


def _milliseconds(queries: Queries, asked: Asked) -> float:
    started = time.perf_counter()
    for statement, parameters in asked:
        queries.frame(statement, parameters)
    return (time.perf_counter() - started) * 1000


def _asked_by(view: str, data: Path) -> Asked:
    """The statements a page sends when Streamlit runs it."""
    with _listening() as asked, _data_folder(data):
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.query_params["period"] = "Last 365 days"
        if not view.startswith("delivery"):
            app.switch_page(f"views/{view}")
        app.run()
        # The page's connection would keep the build open.
        streamlit.cache_resource.clear()
        gc.collect()
    if app.exception:
        raise RuntimeError(f"{view}: {app.exception[0].message}")
    return asked


@contextmanager
def _listening() -> Iterator[Asked]:
    asked: Asked = []
    answer = Queries.frame

    def heard(
        queries: Queries, statement: str, parameters: dict[str, Any] | None = None
    ) -> pl.DataFrame:
        asked.append((statement, parameters))
        return answer(queries, statement, parameters)

    Queries.frame = heard  # type: ignore[assignment,method-assign]
    try:
        yield asked
    finally:
        Queries.frame = answer  # type: ignore[method-assign]


@contextmanager
def _data_folder(data: Path) -> Iterator[None]:
    before = os.environ.get("LEADLINE_DATA")
    os.environ["LEADLINE_DATA"] = str(data)
    try:
        yield
    finally:
        if before is None:
            del os.environ["LEADLINE_DATA"]
        else:
            os.environ["LEADLINE_DATA"] = before
