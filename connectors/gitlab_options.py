"""The settings of a GitLab connection."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from connectors.connector import ConnectionOptions
from connectors.practices.options import PracticeOptions
from connectors.secret import Secret

_Path = Annotated[str, StringConstraints(pattern=r"^[\w.-]+(/[\w.-]+)*$")]
_ProjectPath = Annotated[str, StringConstraints(pattern=r"^[\w.-]+(/[\w.-]+)+$")]


class GitlabOptions(ConnectionOptions):
    """What to read from gitlab.com or a GitLab of your own, and with which credential."""

    groups: tuple[_Path, ...] = Field(
        (), description="paths of groups; their subgroups are read as well"
    )
    projects: tuple[_ProjectPath, ...] = Field(
        (), description='paths of single projects, as "group/subgroup/project"'
    )
    membership: bool = Field(
        False, description="instead of both: all projects that the token's user is a member of"
    )
    token: Secret = Field(description="a personal, group or project access token, or one of OAuth")
    authentication: Literal["private-token", "bearer"] = Field(
        "private-token",
        description="the header that carries the token: bearer for OAuth and for proxies that "
        "take nothing else",
    )
    include: tuple[str, ...] = Field(
        ("*",), description="patterns of project names or paths to read, such as shop-*"
    )
    exclude: tuple[str, ...] = Field((), description="patterns of names or paths to leave out")
    paths: bool = Field(False, description="read which paths each commit touches (path rules)")
    pipelines: bool = Field(True, description="read pipelines")
    pipeline_jobs: bool = Field(
        False, description="read the jobs of each pipeline: one request a pipeline"
    )
    child_pipelines: bool = Field(
        False, description="read pipelines that pipelines of the same project start"
    )
    issues: bool = Field(True, description="read issues as tickets")
    issue_history: bool = Field(
        False,
        description="read closings, re-openings and labels of each issue: two requests an issue",
    )
    incidents: bool = Field(
        False, description="incidents are kept in this GitLab: read its issues of that type"
    )
    vulnerabilities: bool = Field(
        False, description="read vulnerabilities as findings of scanners: GitLab Ultimate alone"
    )
    practices: PracticeOptions = Field(
        PracticeOptions(), description="the practice inventory, where [practices] does not suit"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.membership == bool(self.groups or self.projects):
            raise ValueError(
                'a gitlab connection needs groups = ["group"] or projects = ["group/project"], or '
                "membership = true alone"
            )
        return self

    @property
    def root(self) -> str:
        """Where GitLab answers, without the path of its API."""
        return (self.base_url or "https://gitlab.com").rstrip("/").removesuffix("/api/v4")

    def takes(self, full_path: str) -> bool:
        """Whether the patterns let a project in; they match its name or its whole path."""
        names = (full_path.lower(), full_path.rpartition("/")[2].lower())
        return _matches(self.include, names) and not _matches(self.exclude, names)


def _matches(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in names)
