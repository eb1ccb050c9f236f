"""Argo CD: what it has synced to which cluster, and what failed."""

from collections.abc import Iterable, Iterator
from functools import partial
from json import dumps
from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.argocd_diagnosis import diagnose
from connectors.argocd_streams import Applications
from connectors.auth import bearer
from connectors.client import Client
from connectors.connector import (
    ConnectionOptions,
    Connector,
    Finding,
    Permission,
    Pull,
    Scope,
    Stream,
)
from connectors.secret import Secret

Part = Literal["cluster", "namespace", "project", "name"]


class ArgocdOptions(ConnectionOptions):
    """Which applications to read, with which credential, and what tells their environment."""

    token: Secret = Field(description="a token of a local account or of a project's role")
    projects: tuple[str, ...] = Field(
        (), description="only applications of these projects; all the token may see when left out"
    )
    selector: str | None = Field(
        None, description="only applications with these labels, such as team=shop"
    )
    app_namespaces: tuple[str, ...] = Field(
        (), description="only applications kept in these namespaces of Argo CD's own cluster"
    )
    service_labels: tuple[str, ...] = Field(
        ("app.kubernetes.io/name",),
        description="labels of an application that name its service; else its own name does",
    )
    environment_labels: tuple[str, ...] = Field(
        ("environment", "env"), description="labels of an application that name its environment"
    )
    environment_from: tuple[Part, ...] = Field(
        ("cluster", "namespace"),
        description="what makes up an environment's name where no label does: cluster, "
        "namespace, project, name",
    )
    clusters: dict[str, str] = Field(
        {}, description="addresses or names of clusters = the names to show and compare"
    )

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.base_url is None:
            raise ValueError(
                'an argocd connection needs base_url, such as "https://argocd.example.com"'
            )
        return self


class Argocd(Connector):
    """An Argo CD server."""

    kind = "argocd"
    title = "Argo CD"
    options_type = ArgocdOptions
    permissions = (
        Permission(
            "applications, get",
            ("applications",),
            "p, role:leadline, applications, get, */*, allow in policy.csv; or a role of each "
            "project, whose token sees that project alone",
        ),
    )

    def client(self) -> Client:
        """A client with the token as Bearer."""
        options: ArgocdOptions = self.options
        return Client.of(
            options,
            base_url=self._address(),
            authenticate=partial(bearer, options.token),
        )

    def streams(self) -> tuple[Stream, ...]:
        """One stream."""
        return (Applications(),)

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002
        """A scope a project and namespace, so that one that is refused does not stop the others."""
        options: ArgocdOptions = self.options
        shared = {
            "address": self._address(),
            "selector": options.selector or "",
            "service_labels": dumps(options.service_labels),
            "environment_labels": dumps(options.environment_labels),
            "environment_from": dumps(options.environment_from),
            "clusters": dumps({key.rstrip("/"): name for key, name in options.clusters.items()}),
        }
        for namespace in options.app_namespaces or ("",):
            for project in options.projects or ("",):
                yield Scope(
                    f"{namespace or '*'}/{project or '*'}",
                    {**shared, "namespace": namespace, "project": project},
                )

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Credential, what is visible of each project, what Argo CD forgets, clock."""
        return diagnose(pull, self.options.token, self.scopes(self.streams()[0]))

    def _address(self) -> str:
        return (self.options.base_url or "").rstrip("/").removesuffix("/api/v1")
