"""The commented example of `leadline.toml`, made from the settings themselves.

`leadline init` writes it and `leadline.example.toml` is it; run as a module, it prints it. Lines
that start with `#` and a key are settings: their default, or an example where there is none.
"""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.connector import ConnectionOptions, Connector, kinds
from connectors.secret import Secret
from pipelines.settings import Settings
from pipelines.settings_messages import model_of

_WIDTH = 98
_FIRST_KINDS = ("github", "gitlab", "jira", "backstage", "git", "files")
_HEAD = """\
# Leadline's settings. Everything here is optional; a line that starts with # and a key shows the
# default (or an example, where there is none): remove the # and change it.
# Secrets never stand here: write { env = "NAME" } or { file = "path" }. Relative paths count from
# this file. `leadline doctor` checks what you wrote.
"""
_CONNECTIONS = """\
# The sources. [connections.NAME] is a connection of the kind NAME; for several of one kind, choose
# names and say the kind: [connections.berlin] with kind = "jira".
"""
_INTRODUCTIONS = {
    "organisation": "Who is measured, and the calendar the organisation lives by.",
    "deployments": "What counts as a deployment to production.",
    "deployments.rules": "Where the deployments of some repositories come from; the first that "
    "matches holds.",
    "deployments.images": "Which repository an image is built from, where its name does not tell.",
    "incidents": "Which tickets are incidents, beside those of incident sources.",
    "failures": "When a deployment counts as failed.",
    "rework": "Which deployments are unplanned work.",
    "exclusions": "Changes that no number counts; every condition that is given must hold.",
    "goals": "A target for one metric, of one team or of every team.",
    "references": "What values are held against, beside the service's own past.",
    "setup": "How new services come to be: which tickets ask for one, and what is none.",
    "launches": "What should take requests away; write it down before looking at its effect.",
    "self_service": "What people do for themselves, and which requests that stands for.",
    "practices": "Which files of repositories are read for the approaches they show.",
    "practices.rules": "More rules, beside those that come with Leadline.",
    "configuration": "When audits show inconsistent configurations across teams.",
    "configuration.controls": "What audits and scans look at, beside the categories of practices.",
    "configuration.values": "Words of auditors that mean one and the same.",
    "standards": "What the organisation has declared to be the approach of a category.",
    "exceptions": "Deviations that were allowed: these teams are not compared for this control.",
    "requests": "The infrastructure team, its tickets, and how the time spent on requests is "
    "measured.",
    "services": "Services, where they are not simply the repositories.",
    "teams": "Teams, beside those the sources know.",
    "shared_units": "What several teams run on, where no catalog, deployment or runner tells.",
    "shared_infrastructure": "When so many engineers share infrastructure that the threshold is "
    "crossed.",
    "people": "Accounts that belong to one person; this wins over every guess.",
    "bots": "Accounts that are machines.",
    "operation": "Schedules, limits, retention.",
}
# What stands in the example where the default says nothing.
_EXAMPLES: dict[str, Any] = {
    "organisation.holidays": "DE-BE",
    "organisation.extra_holidays": [date(2026, 12, 24)],
    "deployments.rules.repository": "shop-*",
    "deployments.rules.origin": "ci",
    "deployments.rules.pattern": "^deploy-production$",
    "deployments.rules.job_pattern": "^deploy$",
    "deployments.rules.environment_parameter": "ENVIRONMENT",
    "deployments.rules.environment_pattern": "(?i)^deploy to ([a-z]+)$",
    "deployments.rules.service_parameter": "SERVICE",
    "deployments.rules.service_pattern": "^deploy/([^/]+)$",
    "deployments.rules.version_parameter": "VERSION",
    "deployments.config_paths": ["config/"],
    "deployments.images.image": "registry.example.com/acme/shop",
    "deployments.images.repository": "shop",
    "incidents.ticket_types": ["Incident"],
    "incidents.ticket_labels": ["outage"],
    "incidents.projects": ["OPS"],
    "incidents.service_names": {"Payments API": "payments"},
    "exclusions.reason": "generated code",
    "exclusions.author": "release-robot",
    "exclusions.label": "no-metrics",
    "exclusions.title": "^Bump version",
    "exclusions.path": "generated/",
    "exclusions.repository": "shop-*",
    "goals.metric": "change_lead_time",
    "goals.target": "2 d",
    "goals.team": "Payments",
    "setup.projects": ["PLAT"],
    "setup.title_pattern": "(?i)^new service",
    "setup.imports": ["legacy-*"],
    "launches.name": "Self-service databases",
    "launches.date": date(2026, 9, 14),
    "launches.categories": ["New database"],
    "launches.teams": ["Payments"],
    "launches.comparison": ["Firewall change"],
    "self_service.categories": {"create-database": "New database"},
    "practices.exclude": ["legacy/**"],
    "practices.folder": "practices",
    "practices.rules.category": "secrets_management",
    "practices.rules.approach": "house_vault",
    "practices.rules.title": "our vault",
    "practices.rules.paths": ["**/*.yaml"],
    "practices.rules.not_paths": ["legacy/**"],
    "practices.rules.pattern": r"^\s*vault\.acme\.example/role:",
    "practices.rules.packages": {"npm": ["@acme/vault"]},
    "practices.rules.yes": ["k8s/app.yaml:   vault.acme.example/role: shop"],
    "practices.rules.no": ["k8s/app.yaml:   app: shop"],
    "configuration.controls.name": "Secret storage",
    "configuration.controls.category": "secrets_management",
    "configuration.controls.rules": ["checkov:CKV_K8S_35"],
    "configuration.controls.aliases": ["SEC-4"],
    "configuration.controls.critical": True,
    "configuration.values.value": "vault",
    "configuration.values.observed": ["HashiCorp Vault", "Vault Enterprise"],
    "standards.category": "secrets_management",
    "standards.approaches": ["vault", "external_secrets"],
    "exceptions.control": "secrets_management",
    "exceptions.teams": ["Data*"],
    "exceptions.until": date(2026, 12, 31),
    "exceptions.reason": "moves with the new warehouse",
    "requests.infrastructure_team": ["Platform"],
    "requests.projects": ["INFRA"],
    "requests.components": ["infrastructure"],
    "requests.parents": {"INFRA-12": "build"},
    "requests.project_classes": {"HELP": "request"},
    "requests.own_reports": "build",
    "requests.in_progress_statuses": ["In progress", "In review"],
    "requests.effort_hours": {"Access request": 0.5},
    "services.name": "checkout",
    "services.repository": "shop",
    "services.paths": ["services/checkout/"],
    "services.team": "Payments",
    "teams.name": "Payments",
    "teams.parent": "Commerce",
    "teams.repositories": ["shop", "payments-*"],
    "teams.people": ["octocat", "ada@example.com"],
    "shared_units.name": "prod-eu",
    "shared_units.kind": "cluster",
    "shared_units.services": ["checkout", "payments-*"],
    "people.name": "Ada Example",
    "people.accounts": ["octocat", "ada@example.com"],
    "operation.memory_limit_gb": 4.0,
    "base_url": "https://forge.example.com/api/v3",
    "ca_file": "company-ca.pem",
    "proxy": "http://proxy.example.com:3128",
    "start_date": date(2025, 1, 1),
    "github.organisation": "your-organisation",
    "github.repositories": ["your-organisation/shop"],
    "github.token": {"env": "GITHUB_TOKEN"},
    "github.app": {
        "id": "12345",
        "installation": 678910,
        "private_key": {"file": "app.pem"},
    },
    "github.exclude": ["sandbox-*"],
    "github.practices": {"scan": False},
    "git.practices": {"scan": False},
    "gitlab.groups": ["your-group"],
    "gitlab.projects": ["your-group/tools/shop"],
    "gitlab.token": {"env": "GITLAB_TOKEN"},
    "gitlab.exclude": ["sandbox-*"],
    "gitlab.practices": {"scan": False},
    "jira.base_url": "https://your-site.atlassian.net",
    "jira.email": "you@example.com",
    "jira.token": {"env": "JIRA_TOKEN"},
    "jira.projects": ["SHOP", "PLAT"],
    "argocd.base_url": "https://argocd.example.com",
    "argocd.projects": ["shop"],
    "argocd.selector": "team=shop",
    "argocd.app_namespaces": ["argocd"],
    "argocd.clusters": {"https://10.20.0.1": "eu-production"},
    "pagerduty.base_url": "https://api.eu.pagerduty.com",
    "pagerduty.team_ids": ["PABC123"],
    "backstage.base_url": "https://portal.example.com",
    "jenkins.base_url": "https://ci.example.com",
    "jenkins.user": "leadline",
    "jenkins.jobs": ["acme/*"],
    "jenkins.exclude": ["acme/legacy"],
    "jenkins.stages": ["deploy/*"],
    "backstage.token": {"env": "BACKSTAGE_TOKEN"},
    "backstage.github_host": "github.example.com",
    "backstage.portal_url": "https://portal.example.com",
    "git.repositories": ["../shop", "https://git.example.com/team/payments.git"],
    "git.names": {"../shop": "Shop"},
    "git.token": {"env": "GIT_TOKEN"},
    "push.webhooks.vendor": "github",
    "push.webhooks.connection": "github",
    "push.webhooks.secret": {"env": "GITHUB_WEBHOOK_SECRET"},
    "push.webhooks.former_secret": {"env": "FORMER_WEBHOOK_SECRET"},
    "files.tables.path": "deployments.csv",
    "files.tables.record": "deployment",
    "files.tables.columns": {
        "service_hint": "service",
        "environment": "environment",
        "sha": "commit",
        "created_at": "started",
        "finished_at": "finished",
        "state": "result",
    },
    "files.tables.values": {"target": "production"},
    "files.tables.key": ["service_hint", "created_at"],
    "files.tables.zone": "Europe/Berlin",
    "files.tables.time_format": "%d.%m.%Y %H:%M",
}
# Settings that stand in for others of the same table; the words say for which.
ALTERNATIVES = {
    "github.repositories": "instead of the whole organisation",
    "github.app": "instead of token",
}


def text() -> str:
    """The whole example."""
    parts: list[str] = [_HEAD]
    for name, field in Settings.model_fields.items():
        if name == "connections":
            parts += [_CONNECTIONS, *_connections()]
        elif isinstance(model := model_of(field.annotation), type) and issubclass(model, BaseModel):
            parts += _tables(name, model, is_array=not isinstance(field.default, BaseModel))
        else:
            parts.append("\n".join(_line(name, name, field)) + "\n")
    return "\n".join(parts)


def _tables(path: str, model: type[BaseModel], *, is_array: bool) -> Iterator[str]:
    """A section, then the arrays of tables within it."""
    lines = _comment(_INTRODUCTIONS.get(path, ""))
    lines.append(f"#[[{path}]]" if is_array else f"[{path}]")
    arrays = []
    for name, field in model.model_fields.items():
        inner = _array_of(field)
        if inner is not None:
            arrays.append((f"{path}.{name}", inner))
        else:
            lines += _line(path, name, field)
    yield "\n".join(lines) + "\n"
    for inner_path, inner in arrays:
        yield from _tables(inner_path, inner, is_array=True)


def _connections() -> Iterator[str]:
    found = kinds()
    ordered = [kind for kind in _FIRST_KINDS if kind in found]
    ordered += [kind for kind in found if kind not in ordered]
    for number, kind in enumerate(ordered):
        yield from _connection(found[kind], with_common=number == 0)


def _connection(connector: type[Connector], *, with_common: bool) -> Iterator[str]:
    kind, options = connector.kind, connector.options_type
    common = set(ConnectionOptions.model_fields)
    lines = [f"# {connector.title}.", f"#[connections.{kind}]"]
    arrays = []
    for name, field in options.model_fields.items():
        inner = _array_of(field)
        if inner is not None:
            arrays.append((f"{kind}.{name}", inner))
        elif name not in common or f"{kind}.{name}" in _EXAMPLES:
            lines += _line(kind, name, field)
    if with_common:
        lines.append("# Every connection also takes these:")
        lines += ["# cron of its pulls, where operation.sync_schedule does not suit", "#schedule ="]
        lines[-1] += ' "30 * * * *"'
        for name, field in ConnectionOptions.model_fields.items():
            if f"{kind}.{name}" not in _EXAMPLES:
                lines += _line(kind, name, field, common=True)
    yield "\n".join(lines) + "\n"
    for path, inner in arrays:
        rows = [f"#[[connections.{path}]]"]
        for name, field in inner.model_fields.items():
            rows += _line(path, name, field)
        yield "\n".join(rows) + "\n"


def _array_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of an array of tables; None for what is written on one line."""
    model = model_of(field.annotation)
    is_model = isinstance(model, type) and issubclass(model, BaseModel) and model is not Secret
    if not is_model or model is field.annotation or isinstance(field.default, BaseModel):
        return None
    return model if "None" not in str(field.annotation) else None


def _line(path: str, name: str, field: FieldInfo, *, common: bool = False) -> list[str]:
    """The description as a comment, then the setting."""
    key = f"{path}.{name}"
    told = field.description or ""
    if key in ALTERNATIVES:
        told += f" ({ALTERNATIVES[key]})"
    value = _EXAMPLES.get(name if common else key, _EXAMPLES.get(key))
    if value is None:
        value = _default(key, field)
    written = toml(value)
    if len(written) > _WIDTH and isinstance(value, list | tuple):
        parts = textwrap.wrap(written[1:-1], _WIDTH, initial_indent="#  ", subsequent_indent="#  ")
        return [*_comment(told), f"#{name} = [", *parts, "#]"]
    return [*_comment(told), f"#{name} = {written}"]


def _default(key: str, field: FieldInfo) -> Any:
    if model_of(field.annotation) is Secret:
        return {"env": key.replace(".", "_").upper()}
    if not field.is_required() and field.default is not None:
        return field.default
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) is Literal:
            return get_args(part)[0]
    return (field.examples or ["…"])[0]


def _comment(told: str) -> list[str]:
    return textwrap.wrap(told, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, int | date):
        return str(value)
    return f"{value:g}" if isinstance(value, float) else _text(value)


def _text(value: Any) -> str:
    written = f"{value:%H:%M}" if isinstance(value, time) else str(value)
    is_literal = "\\" in written and "'" not in written
    return f"'{written}'" if is_literal else json.dumps(written, ensure_ascii=False)


def _key(key: object) -> str:
    written = str(key)
    is_bare = written.replace("_", "").replace("-", "").isalnum() and written.isascii()
    return written if is_bare else json.dumps(written)


if __name__ == "__main__":
    sys.stdout.write(text())
