"""What the organisation would write in `leadline.toml`: what no source says about itself."""

from typing import Any

from sandbox.generate_special_changes import ADOPTION_LABEL
from sandbox.generate_ticket_site import (
    INCIDENT_TYPE,
    OPERATIONS_KEY,
    PLATFORM_KEY,
    SERVICE_DESK_KEY,
)
from sandbox.ledger import CONFIG_PATH
from sandbox.organisation import Organisation

Tables = list[tuple[str, dict[str, Any]]]

# How the deployments of a service show, where it is not the deployments API.
RULES: dict[str, dict[str, str]] = {
    "runs": {"origin": "ci", "pattern": "^Deploy$"},
    "releases": {"origin": "release"},
    "tags": {"origin": "tag"},
    "merges": {"origin": "merge"},
}
# The same where Jenkins builds and deploys: a job a repository, and one for all services.
RULES_OF_JENKINS: dict[str, dict[str, str]] = {
    **RULES,
    "runs": {"origin": "ci", "pattern": "^deploy/"},
    "deployments": {
        "origin": "ci",
        "pattern": "^platform/deploy-service$",
        "service_parameter": "SERVICE",
        "environment_parameter": "ENVIRONMENT",
        "version_parameter": "VERSION",
    },
}
# What the tickets of the infrastructure team are.
REQUEST_CLASSES = {
    "Service request": "request",
    "Epic": "build",
    "Story": "build",
    "Maintenance": "incident",
}
GOALS = (
    {"metric": "deployment_frequency", "target": "2 per week"},
    {"metric": "change_lead_time", "target": "4 d"},
    {"metric": "change_fail_rate", "target": "15 %"},
    {"metric": "failed_deployment_recovery_time", "target": "6 h"},
)


def company_settings(organisation: Organisation) -> Tables:
    """Headings and values, in the order of the file."""
    repositories = organisation.repository_by_id
    teams = {team.id: team.name for team in organisation.teams}
    tables: Tables = [("[deployments]", {"config_paths": [CONFIG_PATH]})]
    rules = RULES_OF_JENKINS if organisation.profile.delivery == "beside" else RULES
    tables += [
        (
            "[[deployments.rules]]",
            {"repository": repositories[service.repository_id].name, **rules[service.origin]},
        )
        for service in organisation.services
        if service.origin in rules
    ]
    names = {
        service.incident_name: service.slug
        for service in organisation.services
        if service.incident_name != service.slug
    }
    tickets: dict[str, Any] = {"ticket_types": [INCIDENT_TYPE], "projects": [OPERATIONS_KEY]}
    if organisation.profile.has_pager:
        tickets = {}  # a ticket about an incident is not another incident
    tables.append(("[incidents]", {**tickets, "service_names": names}))
    tables.append(
        (
            "[[exclusions]]",
            {"reason": "the move to the shared pipeline", "label": ADOPTION_LABEL},
        )
    )
    tables += [("[[goals]]", dict(goal)) for goal in GOALS]
    tables += [
        (
            "[[services]]",
            {
                "name": service.slug,
                "repository": repositories[service.repository_id].name,
                "paths": list(service.paths),
                "team": teams[service.team_id],
            },
        )
        for service in organisation.services
        if service.paths
    ]
    tables += _platform(organisation)
    return tables


def _platform(organisation: Organisation) -> Tables:
    """What a profile's organisation says of its platform."""
    profile, platform = organisation.profile, organisation.platform
    tables: Tables = []
    if profile.work is not None and "team" not in profile.without:
        team = next(team for team in organisation.teams if team.is_infrastructure)
        tables.append(
            (
                "[requests]",
                {
                    "infrastructure_team": [team.name],
                    "projects": [SERVICE_DESK_KEY, PLATFORM_KEY],
                    "types": REQUEST_CLASSES,
                },
            )
        )
    if not profile.has_infrastructure_team:
        tables.append(("[requests]", {"infrastructure_team": "none"}))
        tables.append(("[setup]", {"setup_requests": "none"}))
    if "scan" in profile.without:
        tables.append(("[practices]", {"scan": False}))
    if "units" not in profile.without:
        names = {service.id: service.slug for service in organisation.services}
        tables += [
            (
                "[[shared_units]]",
                {
                    "name": unit.name,
                    "kind": unit.kind,
                    "services": [names[service_id] for service_id in unit.service_ids],
                },
            )
            for unit in platform.units
        ]
    tables += [
        (
            "[[launches]]",
            {
                "name": launch.name,
                "date": launch.on.isoformat(),
                "categories": list(launch.categories),
            },
        )
        for launch in platform.launches
    ]
    return tables
