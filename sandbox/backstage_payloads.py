"""The made-up portal in Backstage's shapes: entities with relations, runs, their events."""

from datetime import datetime
from typing import Any

from sandbox.numbers import opaque_id
from sandbox.platform import CatalogEntity, TemplateRun
from sandbox.staff import Team
from sandbox.world import World

_ACTIONS = {
    "fetch": "fetch:template",
    "publish": "publish:github",
    "register": "catalog:register",
}


class BackstagePayloads:
    """What the portal answers at the world's moment."""

    def __init__(self, world: World, forge_url: str) -> None:
        self._world = world
        self._organisation = world.organisation
        self._forge = forge_url.rstrip("/")
        self._platform = world.organisation.platform

    def entities(self) -> list[dict[str, Any]]:
        """Every entity, by uid; services appear with their repository."""
        moment = self._world.visible_until
        shown = [
            self._entity(entity)
            for entity in self._platform.entities
            if entity.repository_id is None
            or self._organisation.repository_by_id[entity.repository_id].created_at <= moment
        ]
        shown += self._users()
        return sorted(shown, key=lambda one: one["metadata"]["uid"])

    def tasks(self, *, is_descending: bool = True) -> list[dict[str, Any]]:
        """Runs of templates by the time they were made."""
        return [self._task(run) for run in self._runs(is_descending=is_descending)]

    def events(self, task_id: str) -> list[dict[str, Any]]:
        """What happened in a run up to now."""
        run = next(run for run in self._runs() if run.id == task_id)
        moment = self._world.visible_until
        told: list[tuple[datetime, str, dict[str, Any]]] = [
            (run.created_at, "log", {"message": f"Starting up task with {len(run.steps)} steps"})
        ]
        for step in run.steps:
            told.append(
                (
                    step.started_at,
                    "log",
                    {
                        "message": f"Beginning step {step.name}",
                        "stepId": step.id,
                        "status": "processing",
                    },
                )
            )
            told.append(
                (
                    step.ended_at,
                    "log",
                    {
                        "message": f"Finished step {step.name}",
                        "stepId": step.id,
                        "status": "completed",
                    },
                )
            )
        told.append((run.completed_at, "completion", self._completion(run)))
        first = int(opaque_id("events", run.id, length=6), 16) % 1_000_000
        return [
            {
                "id": first + number,
                "isTaskRecoverable": False,
                "taskId": run.id,
                "body": body,
                "type": kind,
                "createdAt": _stamp(at),
            }
            for number, (at, kind, body) in enumerate(told)
            if at <= moment
        ]

    def _runs(self, *, is_descending: bool = True) -> list[TemplateRun]:
        moment = self._world.visible_until
        runs = [run for run in self._platform.runs if run.created_at <= moment]
        return sorted(runs, key=lambda run: (run.created_at, run.id), reverse=is_descending)

    def _completion(self, run: TemplateRun) -> dict[str, Any]:
        # The server calls a cancelled run failed.
        status = "completed" if run.status == "completed" else "failed"
        body: dict[str, Any] = {"message": f"Run completed with status: {status}"}
        if run.status == "completed":
            full_name = self._organisation.repository_by_id[run.repository_id].full_name
            body["output"] = {
                "remoteUrl": f"{self._forge}/{full_name}",
                "entityRef": f"component:default/{run.service_name}",
            }
        else:
            body["error"] = {"name": "Error", "message": "the step has failed"}
        return body

    def _task(self, run: TemplateRun) -> dict[str, Any]:
        moment = self._world.visible_until
        repository = self._organisation.repository_by_id[run.repository_id]
        host = self._forge.partition("://")[2]
        user = f"user:default/{run.requester_login}".lower()
        is_over = run.completed_at <= moment
        status = "completed" if run.status == "completed" else "failed"
        reference = f"template:default/{run.template}"
        return {
            "id": run.id,
            "spec": {
                "apiVersion": "scaffolder.backstage.io/v1beta3",
                "steps": [
                    {
                        "id": step.id,
                        "name": step.name,
                        "action": _ACTIONS.get(step.id, "debug:log"),
                        "input": {},
                    }
                    for step in run.steps
                ],
                "output": {"remoteUrl": "${{ steps.publish.output.remoteUrl }}"},
                "parameters": {
                    "name": run.service_name,
                    "repoUrl": f"{host}?owner={repository.owner}&repo={repository.name}",
                },
                "user": {"ref": user},
                "templateInfo": {"entityRef": reference, "baseUrl": f"{self._forge}/templates"},
            },
            "status": status if is_over else "processing",
            "createdAt": _stamp(run.created_at),
            "lastHeartbeatAt": _stamp(min(run.completed_at, moment)),
            "createdBy": user,
        }

    def _entity(self, entity: CatalogEntity) -> dict[str, Any]:
        annotations = {"backstage.io/managed-by-location": f"url:{self._forge}/catalog.yaml"}
        if entity.repository_id is not None:
            repository = self._organisation.repository_by_id[entity.repository_id]
            annotations["github.com/project-slug"] = repository.full_name
            annotations["backstage.io/source-location"] = (
                f"url:{self._forge}/{repository.full_name}/tree/{repository.default_branch}/"
            )
        spec: dict[str, Any] = {
            "type": entity.type,
            "lifecycle": entity.lifecycle,
            "owner": entity.owner,
            "system": entity.system,
            "dependsOn": list(entity.depends_on) or None,
        }
        relations = [{"type": "dependsOn", "targetRef": ref} for ref in entity.depends_on]
        if entity.owner is not None:
            relations.append({"type": "ownedBy", "targetRef": entity.owner})
        if entity.kind == "Group":
            spec |= {"children": []}
            team = next(one for one in self._organisation.teams if one.slug == entity.name)
            relations += [
                {"type": "hasMember", "targetRef": _user(login)} for login in self._logins(team)
            ]
        is_template = entity.kind == "Template"
        return {
            "apiVersion": (
                "scaffolder.backstage.io/v1beta3" if is_template else "backstage.io/v1alpha1"
            ),
            "kind": entity.kind,
            "metadata": _metadata(entity.reference, entity.name, annotations)
            | {"title": entity.title},
            "spec": {name: value for name, value in spec.items() if value is not None},
            "relations": relations,
        }

    def _users(self) -> list[dict[str, Any]]:
        """The people who are there now and have an account, with the groups they are in."""
        moment = self._world.visible_until
        groups: dict[str, list[str]] = {}
        for team in self._organisation.teams:
            for login in self._logins(team):
                groups.setdefault(login, []).append(f"group:default/{team.slug}")
        users = []
        for person in self._organisation.people:
            is_gone = person.left_at is not None and person.left_at <= moment
            if person.account_id is None or person.joined_at > moment or is_gone:
                continue
            login = self._organisation.account_by_id[person.account_id].login
            users.append(
                {
                    "apiVersion": "backstage.io/v1alpha1",
                    "kind": "User",
                    "metadata": _metadata(_user(login), login, {}),
                    "spec": {
                        "profile": {"displayName": person.name, "email": person.emails[0]},
                        "memberOf": [],
                    },
                    "relations": [
                        {"type": "memberOf", "targetRef": group} for group in groups.get(login, [])
                    ],
                }
            )
        return users

    def _logins(self, team: Team) -> list[str]:
        accounts = self._organisation.account_by_id
        return sorted(
            accounts[number].login
            for number in (*team.member_account_ids, *team.maintainer_account_ids)
        )


def _metadata(reference: str, name: str, annotations: dict[str, str]) -> dict[str, Any]:
    digits = opaque_id("entity", reference, length=32)
    return {
        "namespace": "default",
        "name": name,
        "uid": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
        "etag": opaque_id("etag", reference, length=40),
        "annotations": annotations,
    }


def _user(login: str) -> str:
    return f"user:default/{login}".lower()


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
