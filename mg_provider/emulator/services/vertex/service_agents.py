"""Vertex AI's service agent of a project: whether it is there, what it may read, what it may make.

The behaviours ``service_agents_ready_after``, ``service_agent_may_deploy``, ``unreadable_weights`` and
``unreadable_images`` say so; each refusal's words are those of its entry in ``named_errors``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mg_provider.emulator.core.operations import Stage
from mg_provider.emulator.core.routing import Call, gates
from mg_provider.emulator.google import named_errors

BARE_SECONDS = 5.0
"""After which ``:deploy`` ends where the agent may not make what it asks for (file 69887669157)."""

_LOCATIONS = "aiplatform.projects.locations."
_NEED_AGENTS = {
    _LOCATIONS + "deploy",
    _LOCATIONS + "models.upload",
    _LOCATIONS + "endpoints.deployModel",
    _LOCATIONS + "batchPredictionJobs.create",
}
_REPOSITORY = re.compile(r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<name>[^/]+)/.+")


class _Agents:
    """When each project's service agents were first needed."""

    def __init__(self) -> None:
        self.needed: dict[str, float] = {}


@gates(_LOCATIONS)
def need_agents(call: Call) -> None:
    """Refuse what needs service agents that are not there yet; the first such call has them made."""
    if call.rpc not in _NEED_AGENTS:
        return
    began = call.world.part(_Agents).needed.setdefault(call.number, call.world.now())
    if call.world.now() < began + call.world.behaviours["service_agents_ready_after"]:
        raise named_errors.service_agents_400(call.about)


@gates(_LOCATIONS)
def need_files(call: Call) -> None:
    """Refuse an upload of a Model whose weights or image the service agent may not read."""
    if call.rpc == _LOCATIONS + "models.upload":
        model = call.body.get("model", {})
        require_weights(call, model.get("artifactUri", ""))
        require_image(call, model.get("containerSpec", {}))


def require_weights(call: Call, uri: str) -> None:
    """ApiError where the service agent may not read a folder."""
    if uri and any(uri.startswith(prefix) for prefix in call.world.behaviours["unreadable_weights"]):
        raise named_errors.weights_not_readable_400(replace(call.about, subject=uri))


def require_image(call: Call, container: dict[str, Any]) -> None:
    """ApiError where the service agent may not read a container's image."""
    image = container.get("imageUri", "")
    if image and any(image.startswith(prefix) for prefix in call.world.behaviours["unreadable_images"]):
        found = _REPOSITORY.fullmatch(image)
        place = "projects/{project}/locations/{location}/repositories/{name}"
        where = place.format(**found.groupdict()) if found else ""
        raise named_errors.image_not_readable_400(replace(call.about, subject=where))


def refused_stages(call: Call) -> list[Stage]:
    """The stages of a ``:deploy`` whose agent may not make what it asks for; empty where it may."""
    if call.world.behaviours["service_agent_may_deploy"]:
        return []

    def end(at: float) -> None:
        raise named_errors.bare_internal(call.about)

    return [Stage("", BARE_SECONDS, end)]
