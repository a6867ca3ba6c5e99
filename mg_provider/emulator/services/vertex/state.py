"""Endpoints and models as Vertex AI keeps them. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.core.ledger import Entry, counts_resources
from mg_provider.emulator.core.routing import Call
from mg_provider.emulator.core.timeline import Event
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import aborted, already_exists, invalid_argument, not_found
from mg_provider.emulator.services.service_attachments import service_attachments
from mg_provider.emulator.services.vertex.rules import check_automation

Json = dict[str, Any]
Key = tuple[str, str, str]

# The proto says up to 9 digits; the tests of Terraform's provider, which run on Google, make endpoints of 10.
_ENDPOINT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,9}|0")
_MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
_ALLOWED_PROJECT = re.compile(r"[a-z][a-z0-9.:-]*")


@dataclass
class Endpoint:
    """An endpoint: what the API shows, in v1beta1's fields, and what it does not show.

    Attributes:
        key: project number, location, id.
        resource: as v1beta1 shows it.
        attachment: path of its service attachment while it has one.
        query_ids: deployed model id to the ``model`` that chat/completions takes for it.
        served: answers so far by deployed model id.
        claims: GPUs that running operations and deployments may grow to, by deployed model id.
    """

    key: Key
    resource: Json
    attachment: str | None = None
    recycling: Event | None = None
    query_ids: dict[str, str] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    changes: int = 0

    @property
    def name(self) -> str:
        """The resource name, with the project's number."""
        return str(self.resource["name"])

    @property
    def deployed(self) -> list[Json]:
        """Its deployed models."""
        models: list[Json] = self.resource.setdefault("deployedModels", [])
        return models

    @property
    def private(self) -> Json | None:
        """Its Private Service Connect configuration, if it has that on."""
        config: Json = self.resource.get("privateServiceConnectConfig", {})
        return config if config.get("enablePrivateServiceConnect") else None

    def find_deployed(self, deployed_id: str) -> Json:
        """The deployed model with this id. ApiError NOT_FOUND when there is none."""
        for deployed in self.deployed:
            if deployed["id"] == deployed_id:
                return deployed
        raise not_found(f"DeployedModel {deployed_id} is not found on Endpoint {self.name}.")

    def shown(self) -> Json:
        """As the API shows it: empty lists and maps are left out."""
        return {key: value for key, value in self.resource.items() if value not in ([], {}, "", None)}


@dataclass
class Model:
    """A Model of the registry with its one version, as v1beta1 shows it.

    Attributes:
        version_labels: the version's, which are merged with the Model's when it is shown.
        in_use_until: for what is slow to be released.
    """

    key: Key
    resource: Json
    version_labels: dict[str, str] = field(default_factory=dict)
    query_id: str = ""
    in_use_until: float = 0.0

    @property
    def name(self) -> str:
        """The resource name, with the project's number."""
        return str(self.resource["name"])

    def shown(self) -> Json:
        """As the API shows it, with the labels of Model and version."""
        labels = {**self.resource.get("labels", {}), **self.version_labels}
        return {**self.resource, "labels": labels} if labels else self.resource


@dataclass(frozen=True)
class Claim:
    """GPUs that one deployment may grow to, which is what quota counts."""

    project: str
    region: str
    accelerator: str
    gpus: int


class VertexState:
    """Everything of Vertex AI but its operations."""

    def __init__(self) -> None:
        self.endpoints: dict[Key, Endpoint] = {}
        self.models: dict[Key, Model] = {}
        self.taken_endpoint_ids: set[Key] = set()
        self.taken_model_ids: set[Key] = set()
        self.claims: dict[str, Claim] = {}
        self.busy: dict[Key, list[str]] = {}
        self.accepted_eulas: set[tuple[str, str]] = set()

    def endpoint(self, key: Key) -> Endpoint:
        """The endpoint. ApiError NOT_FOUND when there is none."""
        if key not in self.endpoints:
            raise not_found(f'endpoint "projects/{key[0]}/locations/{key[1]}/endpoints/{key[2]}" not found')
        return self.endpoints[key]

    def model(self, key: Key) -> Model:
        """The model; a version or alias after ``@`` must be the one there is. ApiError NOT_FOUND otherwise."""
        project, region, identifier = key
        bare, _, version = identifier.partition("@")
        found = self.models.get((project, region, bare))
        if found is None or version not in {"", "1", "default"}:
            raise not_found("The Model does not exist.")
        return found

    def claim_endpoint_id(self, key: Key) -> None:
        """Take an endpoint id. ApiError INVALID_ARGUMENT or ALREADY_EXISTS."""
        _claim("Endpoint", key, _ENDPOINT_ID, self.endpoints, self.taken_endpoint_ids)

    def claim_model_id(self, key: Key) -> None:
        """Take a model id. ApiError INVALID_ARGUMENT or ALREADY_EXISTS."""
        _claim("Model", key, _MODEL_ID, self.models, self.taken_model_ids)


def _claim(kind: str, key: Key, form: re.Pattern[str], present: Container[Key], taken: set[Key]) -> None:
    project, region, identifier = key
    low = kind.lower()
    if not form.fullmatch(identifier):
        raise invalid_argument(f"Invalid {low} id {identifier}.", (f"{low}_id", identifier))
    if key in present or key in taken:
        raise already_exists(f"{kind} projects/{project}/locations/{region}/{low}s/{identifier} already exists.")
    taken.add(key)


def vertex(world: World) -> VertexState:
    """The state of this emulator's Vertex AI."""
    return world.part(VertexState)


def endpoint_of(call: Call) -> Endpoint:
    """The endpoint that the path names. ApiError NOT_FOUND."""
    return vertex(call.world).endpoint((call.number, call.region, call.path["endpointsId"]))


def base_model_name(model: Model) -> str:
    """The Model Garden entry that a Model was made from, if any."""
    source = model.resource.get("baseModelSource", {}).get("modelGardenSource", {})
    return str(source.get("publicModelName", ""))


Watcher = Callable[[World, Endpoint, float], None]
_WATCHERS: list[Watcher] = []


def on_touch(watcher: Watcher) -> Watcher:
    """Register a function that is called after each change of an endpoint, and of what is deployed on it."""
    _WATCHERS.append(watcher)
    return watcher


def touch(world: World, changed: Endpoint | Model, at: float) -> None:
    """Give a resource a new etag and update time."""
    changed.resource["updateTime"] = world.timestamp(at)
    changed.resource["etag"] = "AMEw9yO" + world.new_hex(56)
    if isinstance(changed, Endpoint):
        for watcher in _WATCHERS:
            watcher(world, changed, at)


def check_etag(changed: Endpoint | Model, etag: str | None) -> None:
    """ApiError ABORTED when ``etag`` is given and stale; without one the update is blind."""
    if etag and etag != changed.resource["etag"]:
        raise aborted(f"The etag of {changed.name} does not match: it was changed in the meantime.")


def check_private_config(config: Json | None) -> None:
    """ApiError INVALID_ARGUMENT for a Private Service Connect configuration that endpoints do not take."""
    if config is None:
        return
    path = "private_service_connect_config"
    if not config.get("enablePrivateServiceConnect") and len(config) > 0:
        text = "enable_private_service_connect must be true."
        raise invalid_argument(text, (f"{path}.enable_private_service_connect", text))
    for entry in bad_allowlist_entries(config):
        text = f"Invalid project id {entry!r} in project_allowlist."
        raise invalid_argument(text, (f"{path}.project_allowlist", text))
    check_automation(config)


def bad_allowlist_entries(config: Json) -> list[str]:
    """Allowlist entries that are not bare project ids."""
    return [entry for entry in config.get("projectAllowlist", []) if not _ALLOWED_PROJECT.fullmatch(entry)]


def publish_attachment(world: World, endpoint: Endpoint) -> None:
    """Tell Compute Engine of the endpoint's attachment and whom it accepts."""
    if endpoint.attachment and endpoint.private is not None:
        allowed = endpoint.private.get("projectAllowlist", [])
        numbers = [world.project_number(project) for project in allowed]
        service_attachments(world).put(endpoint.attachment, endpoint.name, numbers)


def withdraw_attachment(world: World, endpoint: Endpoint) -> None:
    """The endpoint gives its attachment up; connections to it are closed."""
    if endpoint.attachment:
        service_attachments(world).remove(endpoint.attachment)
        endpoint.attachment = None


def check_traffic_split(split: dict[str, int], known: Iterable[str]) -> None:
    """ApiError INVALID_ARGUMENT unless the split is empty, or names known deployed models and adds up to 100."""
    unknown = set(split) - set(known)
    if unknown:
        text = f"Invalid traffic_split: DeployedModel {sorted(unknown)[0]} is not on the Endpoint."
        raise invalid_argument(text, ("traffic_split", text))
    if split and (sum(split.values()) != 100 or min(split.values()) < 0):
        text = f"Invalid traffic_split: the percentages must add up to 100, not {sum(split.values())}."
        raise invalid_argument(text, ("traffic_split", text))


@counts_resources
def _resources(world: World) -> Iterable[Entry]:
    state = vertex(world)
    for kind, records in (("aiplatform.Endpoint", state.endpoints), ("aiplatform.Model", state.models)):
        for record in records.values():
            shown = record.shown()
            details = _details(record)
            yield Entry(kind, shown["name"], shown["createTime"], dict(shown.get("labels", {})), details)
    for endpoint in state.endpoints.values():
        for deployed in endpoint.deployed:
            name = f"{endpoint.name}/deployedModels/{deployed['id']}"
            details = _deployment_details(deployed)
            yield Entry("aiplatform.DeployedModel", name, deployed["createTime"], details=details)


def _details(record: Endpoint | Model) -> dict[str, str]:
    resource = record.resource
    if isinstance(record, Model):
        return {"weights": str(resource.get("artifactUri", ""))}
    dns = "private" if record.private else resource.get("dedicatedEndpointDns", "")
    split = [f"{share} % to {key}" for key, share in resource.get("trafficSplit", {}).items() if share]
    return {"address": str(dns), "traffic": ", ".join(split)}


def _deployment_details(deployed: Json) -> dict[str, str]:
    resources = deployed.get("dedicatedResources", {})
    spec = resources.get("machineSpec", {})
    gpus = f", {spec.get('acceleratorCount', 1)} {spec['acceleratorType']}" if "acceleratorType" in spec else ""
    fewest, most = resources.get("minReplicaCount", 1), resources.get("maxReplicaCount", 1)
    serving = deployed.get("status", {}).get("availableReplicaCount", 0)
    return {
        "machine": f"{spec.get('machineType', '')}{gpus}",
        "replicas": f"{serving} serve, of {fewest} to {most}",
        "model": str(deployed.get("model", "")),
    }
