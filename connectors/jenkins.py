"""Jenkins: builds of all jobs, in folders and of branches, and the stages of pipelines."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Self

from pydantic import Field, model_validator

from connectors.answer import Answer
from connectors.auth import basic
from connectors.client import Client
from connectors.clock_skew import clock_skew
from connectors.connector import (
    ConnectionOptions,
    Connector,
    Finding,
    Permission,
    Pull,
    Scope,
    SourceError,
    Stream,
)
from connectors.failures import NotFoundError
from connectors.jenkins_builds import Builds, Wanted
from connectors.jenkins_jobs import Item, Jobs, body_of, items_of
from connectors.jenkins_users import Users
from connectors.jenkins_wire import ITEMS
from connectors.secret import Secret, SecretMissingError


class JenkinsOptions(ConnectionOptions):
    """Settings of a Jenkins connection."""

    user: str = Field(min_length=1, description="whose API token it is")
    token: Secret = Field(description="API token of the user")
    jobs: list[str] = Field(
        [], description="names of jobs with their folders, * matches anything; all if not given"
    )
    exclude: list[str] = Field([], description="jobs and folders to leave out, by the same names")
    stages: list[str] = Field(
        [], description="pipeline jobs whose stages are read, by the same names; a request a build"
    )
    concurrency: int = Field(
        3, ge=1, le=4, description="requests under way at once; the controller sets no limit itself"
    )

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.base_url is None:
            raise ValueError(
                "a jenkins connection needs base_url, the address of the controller, such as "
                '"https://ci.example.com" or "https://example.com/jenkins"'
            )
        return self


class Jenkins(Connector):
    """A Jenkins controller."""

    kind = "jenkins"
    title = "Jenkins"
    options_type = JenkinsOptions
    permissions = (
        Permission("Overall/Read", ("jobs", "builds", "users"), "Manage Jenkins, Security"),
        Permission("Job/Read", ("jobs", "builds"), "there, or on the folders that are to be read"),
    )

    def client(self) -> Client:
        """A client with user and API token; no crumb is needed for reading."""
        options: JenkinsOptions = self.options
        return Client.of(
            options,
            base_url=options.base_url or "",
            authenticate=partial(basic, options.user, options.token),
        )

    def streams(self) -> tuple[Stream, ...]:
        """The jobs, which say what was built since, their builds, and who started them."""
        options: JenkinsOptions = self.options
        wanted = Wanted(tuple(options.jobs), tuple(options.exclude), tuple(options.stages))
        return Jobs(options.exclude), Builds(wanted, options.start_date), Users()

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """One scope: the controller."""
        address = (self.options.base_url or "").rstrip("/") + "/"
        yield Scope("controller", {"address": address})

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Server, credential, visible jobs, stages, clock."""
        try:
            answer = pull.client.get("api/json", {"tree": ITEMS})
            yield _server(answer)
            yield _credential(body_of(pull.client.get("whoAmI/api/json").body, answer.url))
            items = list(items_of(body_of(answer.body, answer.url)))
            yield _visible(items)
            if self.options.stages:
                yield _stages(pull, items)
            yield Finding(
                "ok",
                "limit",
                f"Jenkins has none; at most {self.options.concurrency} requests at once are sent",
            )
            yield clock_skew(answer, pull.now())
        except (SourceError, SecretMissingError) as error:
            yield Finding("error", "jenkins", str(error))


def _server(answer: Answer) -> Finding:
    version = answer.headers.get("x-jenkins")
    if version is None:
        return Finding(
            "warning",
            "server",
            "the answer has no X-Jenkins header; check that base_url is the address of a Jenkins "
            "controller, unless a proxy takes headers away",
        )
    return Finding("ok", "server", f"Jenkins {version}")


def _credential(me: Mapping[str, object]) -> Finding:
    if me.get("anonymous") is True:
        return Finding(
            "error",
            "credential",
            "the controller takes us for anonymous; check user and token (a password is none)",
        )
    return Finding("ok", "credential", f"signed in as {me.get('name')}")


def _visible(items: list[Item]) -> Finding:
    jobs = sum(item.is_job for item in items)
    if not items:
        return Finding(
            "error",
            "jobs",
            "none visible; give the token's owner Overall/Read, and Job/Read where jobs are read",
        )
    return Finding("ok", "jobs", f"{jobs} visible, in {len(items) - jobs} folders")


def _stages(pull: Pull, items: list[Item]) -> Finding:
    """Whether the plugin that tells stages is there, by the last build of some pipeline."""
    for item in items:
        last = item.raw.get("lastBuild")
        if str(item.raw.get("_class") or "").endswith("WorkflowJob") and isinstance(last, dict):
            try:
                pull.client.get(f"{item.path}{last.get('number')}/wfapi/describe")
            except NotFoundError:
                return Finding(
                    "warning",
                    "stages",
                    "not told; install the plugin pipeline-rest-api (Pipeline: REST API), or set "
                    "stages = []",
                )
            return Finding("ok", "stages", "told")
    return Finding("ok", "stages", "no pipeline has a build yet")
