"""The producer's ends of Private Service Connect connections: which exist, for which endpoint, open to which projects.

Vertex AI registers them as endpoints come and go; Compute Engine asks whether a forwarding rule's target is there and
accepts the rule's project. Paths are ``projects/{tenant}/regions/{region}/serviceAttachments/{name}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import invalid_argument

_PATH = re.compile(r"projects/[^/]+/regions/[^/]+/serviceAttachments/[^/]+")


@dataclass
class ServiceAttachment:
    """One attachment: the endpoint's resource name and the numbers of the projects on its allowlist.

    ``generation`` distinguishes it from an earlier one of the same name, to which connections stay closed.
    """

    endpoint: str
    accepted: frozenset[str]
    generation: int


class ServiceAttachments:
    """All service attachments that exist, by path."""

    def __init__(self) -> None:
        self._attachments: dict[str, ServiceAttachment] = {}
        self._made = 0

    def put(self, path: str, endpoint: str, project_numbers: Iterable[str]) -> None:
        """Make an attachment or change whom it accepts."""
        generation = self.generation(path)
        if generation is None:
            self._made += 1
            generation = self._made
        self._attachments[path] = ServiceAttachment(endpoint, frozenset(project_numbers), generation)

    def remove(self, path: str) -> None:
        """Take an attachment away; rules that point at it are closed from then on."""
        self._attachments.pop(path, None)

    def endpoint(self, path: str) -> str | None:
        """The endpoint behind an attachment."""
        found = self._attachments.get(path)
        return found.endpoint if found else None

    def generation(self, path: str) -> int | None:
        """Which one of that name is there now; None if none is."""
        found = self._attachments.get(path)
        return found.generation if found else None

    def exists(self, path: str) -> bool:
        """Whether the attachment is there."""
        return path in self._attachments

    def accepts(self, path: str, project_number: str) -> bool:
        """Whether a consumer in this project may connect."""
        found = self._attachments.get(path)
        return found is not None and project_number in found.accepted


def service_attachments(world: World) -> ServiceAttachments:
    """The attachments of this emulator."""
    return world.part(ServiceAttachments)


@administers("POST", "/_mg/service-attachments")
def make_service_attachment(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """``{"name": "projects/…/regions/…/serviceAttachments/…", "projects": [...]}``: one of a producer elsewhere."""
    name, projects = body.get("name"), body.get("projects")
    if not isinstance(name, str) or not _PATH.fullmatch(name):
        raise invalid_argument(f"service attachment: {name!r} is not projects/…/regions/…/serviceAttachments/…")
    if not isinstance(projects, list) or not all(isinstance(project, str) for project in projects):
        raise invalid_argument(f"service attachment: projects is a list of project ids, not {projects!r}")
    service_attachments(world).put(name, "", [world.project_number(project) for project in projects])
    return {"name": name, "projects": projects}
