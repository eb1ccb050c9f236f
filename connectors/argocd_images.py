"""Which images an application runs, and what a sync of it is a deployment of."""

import re
from collections import defaultdict

from connectors.argocd_wire import ApplicationWire, SourceWire

_APPLICATIONS = {"Application", "ApplicationSet"}
_WORKLOADS = {
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "ReplicaSet",
    "Rollout",
    "Service",
    "StatefulSet",
}


def is_parent(application: ApplicationWire) -> bool:
    """Whether it deploys applications and nothing that runs by itself: an app of apps."""
    kinds = {resource.kind for resource in application.status.resources or []}
    return bool(kinds & _APPLICATIONS) and not kinds & _WORKLOADS


def running_images(application: ApplicationWire, hint: str) -> list[str]:
    """The images of the newest sync that succeeded, the one called like the service first.

    None while pods of an earlier sync may still run: the list is that of all pods. An image with
    several tags (pods of finished jobs stay listed) is given without one.
    """
    status = application.status
    is_settled = status.health is not None and status.health.status == "Healthy"
    under_way = status.operation_state
    if not is_settled or (under_way is not None and under_way.finished_at is None):
        return []
    by_name: dict[str, set[str]] = defaultdict(set)
    for image in (status.summary.images if status.summary else None) or []:
        by_name[image_name(image)].add(image)
    found = [min(images) if len(images) == 1 else name for name, images in by_name.items()]
    return sorted(found, key=lambda image: (-_likeness(image, hint), image))


def set_images(sources: list[SourceWire]) -> list[str]:
    """Images that the application itself sets in its sources, as image updaters write them."""
    return [
        image.rpartition("=")[2]
        for source in sources
        if source.kustomize is not None
        for image in source.kustomize.images or []
        if image.rpartition("=")[2]
    ]


def set_tag(sources: list[SourceWire]) -> str | None:
    """The tag of the one image that the application sets as a value of a Helm chart."""
    tags = {
        parameter.value
        for source in sources
        if source.helm is not None
        for parameter in source.helm.parameters or []
        if parameter.value and (parameter.name or "").rpartition("image.")[2] == "tag"
    }
    return tags.pop() if len(tags) == 1 else None


def image_name(image: str) -> str:
    """An image without its tag and digest; a port is no tag."""
    return re.sub(r":[^/:]*$", "", image.partition("@")[0])


def image_segment(image: str) -> str:
    """The last part of an image's name."""
    return image_name(image).rpartition("/")[2].lower()


def _likeness(image: str, hint: str) -> int:
    segment = image_segment(image)
    if segment == hint.lower():
        return len(segment) + 1
    return len(segment) if segment in hint.lower() else 0
