"""The settings of a GitHub connection."""

from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from connectors.connector import ConnectionOptions
from connectors.practices.options import PracticeOptions
from connectors.secret import Secret

_FullName = Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]


class GithubApp(BaseModel):
    """A GitHub App installed in the organisation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="the App's id or client id", coerce_numbers_to_str=True)
    installation: int = Field(description="the number of its installation in the organisation")
    private_key: Secret = Field(description="the App's private key, as a PEM file")


class GithubOptions(ConnectionOptions):
    """What to read from GitHub or GitHub Enterprise Server, and with which credential."""

    organisation: str | None = Field(None, description="login of the organisation")
    repositories: tuple[_FullName, ...] = Field(
        (), description='only these, as "owner/name"; all of the organisation when left out'
    )
    token: Secret | None = Field(None, description="a personal access token")
    app: GithubApp | None = Field(None, description="a GitHub App instead of a token")
    include: tuple[str, ...] = Field(
        ("*",), description="patterns of repository names to read, such as shop-*"
    )
    exclude: tuple[str, ...] = Field((), description="patterns of repository names to leave out")
    workflow_runs: bool = Field(True, description="read the runs of GitHub Actions")
    workflow_jobs: bool = Field(False, description="read the jobs of each run: one request a run")
    paths: bool = Field(False, description="read which paths each commit touches (path rules)")
    issues: bool = Field(True, description="read issues as tickets")
    code_scanning: bool = Field(True, description="read the alerts of code scanning as findings")
    practices: PracticeOptions = Field(
        PracticeOptions(), description="the practice inventory, where [practices] does not suit"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.organisation is None and not self.repositories:
            raise ValueError(
                'a github connection needs organisation = "login" or repositories = ["owner/name"]'
            )
        if (self.token is None) == (self.app is None):
            raise ValueError(
                'a github connection needs exactly one of token = { env = "NAME" } and '
                "app = { id, installation, private_key }"
            )
        return self

    def takes(self, full_name: str) -> bool:
        """Whether the patterns let a repository in; they match its name or its full name."""
        names = (full_name.lower(), full_name.rpartition("/")[2].lower())
        return _matches(self.include, names) and not _matches(self.exclude, names)


def _matches(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in names)
