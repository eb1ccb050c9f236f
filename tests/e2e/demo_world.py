"""A small organisation pulled, loaded and built for real, once for all tests that compare truth."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines import operations
from pipelines.example_settings import toml
from pipelines.reader import connect, current_build
from pipelines.settings import Settings, parse
from sandbox.company_settings import company_settings
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.server import Sandbox

END = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Built:
    """Settings whose data are built, or will be."""

    settings: Settings

    def ask(self, query: str) -> pl.DataFrame:
        """A query over the published build."""
        path = current_build(self.settings.data)
        assert path is not None
        with connect(path) as connection:
            found: pl.DataFrame = connection.sql(query).pl()
        return found


@dataclass(frozen=True, kw_only=True)
class DemoWorld(Built):
    """A sandbox that still serves, and the settings that read it."""

    sandbox: Sandbox

    @property
    def organisation(self) -> Organisation:
        """What is served."""
        return self.sandbox.organisation

    def sync(self) -> None:
        """Pull everything; a scope that fails is an error here."""
        for result in operations.sync(self.settings):
            assert result.errors == []

    def build(self) -> None:
        """Load and build."""
        operations.load_records(self.settings)
        operations.build(self.settings)

    def records(self, query: str) -> pl.DataFrame:
        """A query over the records."""
        with duckdb.connect(str(self.settings.data / "records.duckdb"), read_only=True) as records:
            records.execute("set timezone = 'UTC'")
            found: pl.DataFrame = records.sql(query).pl()
        return found


def settings_for(sandbox: Sandbox, data: Path) -> Settings:
    """The settings of `settings_text`, read."""
    return parse(settings_text(sandbox, data).encode(), data / "leadline.toml")


def settings_text(sandbox: Sandbox, data: Path) -> str:
    """Settings that read a sandbox as a company would: GitHub, Jira, and what neither says."""
    addresses = sandbox.addresses()
    os.environ["SANDBOX_GITHUB_TOKEN"] = addresses["github_token"]
    os.environ["SANDBOX_JIRA_TOKEN"] = addresses["jira_token"]
    lines = []
    for title, values in company_settings(sandbox.organisation):
        lines += ["", title, *(f"{key} = {toml(value)}" for key, value in values.items())]
    company = "\n".join(lines)
    return f"""
data = "{data}"

[connections.github]
base_url = "{addresses["github_url"]}"
organisation = "{addresses["organisation"]}"
token = {{ env = "SANDBOX_GITHUB_TOKEN" }}
paths = true

[connections.jira]
base_url = "{addresses["jira_url"]}"
email = "{addresses["jira_email"]}"
token = {{ env = "SANDBOX_JIRA_TOKEN" }}
{company}
"""


@contextmanager
def demo_world(
    folder: Path, *, engineers: int = 12, months: int = 6, services: int | None = None
) -> Iterator[DemoWorld]:
    """Serve a small organisation with settings that read it; nothing is pulled yet."""
    organisation = build_organisation(
        engineers=engineers, months=months, services=services, end=END
    )
    with Sandbox(organisation, folder / "git") as sandbox:
        yield DemoWorld(sandbox=sandbox, settings=settings_for(sandbox, folder / "data"))
