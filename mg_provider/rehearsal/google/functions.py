"""The functions of pulumi-gcp that a rehearsal plays: look-ups of what a stack did not make."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mg_provider.rehearsal.errors import StepError
from mg_provider.rehearsal.google.compute import EmulatedCompute
from mg_provider.rehearsal.google.kinds import LINK
from mg_provider.rehearsal.state.properties import Properties


@dataclass(frozen=True)
class Lookup:
    """Where a function looks.

    Args:
        project: the provider's project.
        region: the provider's region.
        compute: the emulated Compute Engine; None where none is configured, and every network is taken to exist.
        existing: what the rehearsal's config says exists, by id.
    """

    project: str
    region: str
    compute: EmulatedCompute | None
    existing: dict[str, Properties]


def project_number(project: str) -> str:
    """A project's number, the same for one id in every rehearsal."""
    digest = int.from_bytes(hashlib.sha256(project.encode()).digest()[:8], "big")
    return project if project.isdigit() else str(10**11 + digest % (8 * 10**11))


def _get_project(look: Lookup, arguments: Properties) -> Properties:
    project = str(arguments.get("projectId") or look.project)
    known = look.existing.get(f"projects/{project}", {})
    number = str(known.get("number") or project_number(project))
    return {"id": f"projects/{project}", "projectId": project, "name": project, "number": number, "labels": {}, **known}


def _get_client_config(look: Lookup, arguments: Properties) -> Properties:
    return {"id": "config", "project": look.project, "region": look.region, "zone": "", "accessToken": ""}


def _get_network(look: Lookup, arguments: Properties) -> Properties:
    project = str(arguments.get("project") or look.project)
    return _compute(look, f"projects/{project}/global/networks/{arguments['name']}", project)


def _get_subnetwork(look: Lookup, arguments: Properties) -> Properties:
    project, region = str(arguments.get("project") or look.project), str(arguments.get("region") or look.region)
    found = _compute(look, f"projects/{project}/regions/{region}/subnetworks/{arguments['name']}", project)
    return {"region": region, **found}


def _compute(look: Lookup, path: str, project: str) -> Properties:
    name = path.rpartition("/")[2]
    answer: dict[str, Any] | None = {} if look.compute is None else look.compute.get(path)
    if answer is None:
        raise StepError(f"{path} not found", hint="put it into the emulator, as `subnetworks` of its seed")
    plain = {key: value for key, value in answer.items() if key in ("ipCidrRange", "gatewayAddress", "network")}
    return {"id": path, "selfLink": LINK + path, "name": name, "project": project, **plain}


def _get_managed_zone(look: Lookup, arguments: Properties) -> Properties:
    project = str(arguments.get("project") or look.project)
    path = f"projects/{project}/managedZones/{arguments['name']}"
    if path not in look.existing:
        raise StepError(
            f"{path} not found", hint="describe it in the config key rehearsal:existing, if another stack has it"
        )
    return {"id": path, "name": arguments["name"], "project": project, **look.existing[path]}


FUNCTIONS: Final[dict[str, Callable[[Lookup, Properties], Properties]]] = {
    "gcp:compute/getNetwork:getNetwork": _get_network,
    "gcp:compute/getSubnetwork:getSubnetwork": _get_subnetwork,
    "gcp:dns/getManagedZone:getManagedZone": _get_managed_zone,
    "gcp:organizations/getClientConfig:getClientConfig": _get_client_config,
    "gcp:organizations/getProject:getProject": _get_project,
}
