"""Model Garden's catalogue: publisher models, their licence, and recommended machines for custom weights.

The catalogue is a small part of the real one: models that the product documents on batch prediction and open models
name, read 2026-11. Their machine shapes are examples, not Google's.
"""

from __future__ import annotations

import re

from mg_provider.emulator.core.machines import complete_spec
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import invalid_argument, not_found, permission_denied
from mg_provider.emulator.google.listing import page
from mg_provider.emulator.services.batch.models import SUPPORTED
from mg_provider.emulator.services.vertex.serving import quota_limit
from mg_provider.emulator.services.vertex.state import Json, vertex
from mg_provider.emulator.services.vertex.weights import Weights, container_spec, read_weights

# publisher/model -> versions; the first is the default. Models without versions are run by Google.
CATALOGUE: dict[str, tuple[str, ...]] = {
    **SUPPORTED,
    "google/gemma3": ("gemma-3-1b-it", "gemma-3-4b-it", "gemma-3-12b-it", "gemma-3-27b-it"),
    "openai/gpt-oss": ("gpt-oss-20b", "gpt-oss-120b"),
    "qwen/qwen3": ("qwen3-4b", "qwen3-8b", "qwen3-32b"),
}
# Models of Hugging Face whose deployment Google verified; an example. Lists of Model Garden leave them out.
_HUGGING_FACE: dict[str, tuple[str, ...]] = {"hf-qwen/qwen3-4b": ("001",)}
_LICENSED = ("meta/", "google/gemma")
_NAME = re.compile(r"publishers/(?P<publisher>[^/]+)/models/(?P<model>[^/@]+)(?:@(?P<version>[^/]+))?")
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)b")
_SEARCH = re.compile(r'(?:model_user_id|display_name)=~"(?P<pattern>[^"]*)"')
_PLAIN_TERMS = re.compile(r"is_hf_wildcard\((true|false)\)|labels\.[\w.-]+=\w+")

# machine type -> GPU memory in GB; source: each accelerator's data sheet
_MACHINES = {
    "g2-standard-12": 24,
    "g2-standard-24": 48,
    "g2-standard-48": 96,
    "g2-standard-96": 192,
    "a3-highgpu-8g": 640,
    "a3-ultragpu-8g": 1128,
}
_HEADROOM = 1.2  # weights leave room for the key-value cache


def check_publisher_model(call: Call, name: str, *, accepted: bool) -> None:
    """Whether a publisher model can be deployed by this project.

    Raises:
        ApiError: NOT_FOUND; INVALID_ARGUMENT when it cannot be deployed; PERMISSION_DENIED without its licence.
    """
    family, versions = _entry(name)
    if not versions:
        raise invalid_argument(f"No deploy config found for model {name}.", ("publisher_model_name", name))
    known = vertex(call.world).accepted_eulas
    if accepted:
        known.add((call.number, _licence_key(name)))
    if family.startswith(_LICENSED) and (call.number, _licence_key(name)) not in known:
        raise permission_denied(
            f"The EULA of {name} is not accepted by project {call.project}: set model_config.accept_eula.",
            "MODEL_EULA_NOT_ACCEPTED",
        )


def query_model_id(name: str) -> str:
    """What chat/completions takes as ``model`` for a publisher model."""
    match = _NAME.fullmatch(name)
    if match is None:
        return name
    publisher = match["publisher"]
    if publisher.startswith("hf-"):
        return f"{publisher.removeprefix('hf-')}/{match['model']}"
    return f"{publisher}/{match['version'] or match['model']}"


def _entry(name: str) -> tuple[str, tuple[str, ...]]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid_argument(f"Invalid resource name {name!r} for a publisher model.", ("publisher_model", name))
    family = f"{match['publisher']}/{match['model'].lower()}"
    versions = CATALOGUE.get(family, _HUGGING_FACE.get(family))
    if versions is None or (match["version"] and versions and match["version"].lower() not in versions):
        raise not_found(f"Publisher Model `{name}` is not found.")
    return family, versions


def _licence_key(name: str) -> str:
    return name.partition("@")[0].lower()


@handles("aiplatform.projects.modelGardenEula.check")
def check_eula(call: Call) -> Answer:
    """Whether the project accepted the model's licence."""
    return _eula(call)


@handles("aiplatform.projects.modelGardenEula.accept")
def accept_eula(call: Call) -> Answer:
    """Accept the model's licence for the project."""
    name = call.body.get("publisherModel", "")
    _entry(name)
    vertex(call.world).accepted_eulas.add((call.number, _licence_key(name)))
    return _eula(call)


def _eula(call: Call) -> Answer:
    name = call.body.get("publisherModel", "")
    family, _ = _entry(name)
    accepted = (call.number, _licence_key(name)) in vertex(call.world).accepted_eulas
    acked = accepted or not family.startswith(_LICENSED)
    return Answer({"projectNumber": call.number, "publisherModel": name, "publisherModelEulaAcked": acked})


@handles("aiplatform.publishers.models.get")
def get_publisher_model(call: Call) -> Answer:
    """A publisher model, or one version of it, with how it can be deployed."""
    publisher = call.path["publishersId"]
    if call.query.get("isHuggingFaceModel") and not publisher.startswith("hf-"):
        # google-cloud-aiplatform and gcloud ask by the name that the model has at Hugging Face.
        publisher = f"hf-{publisher}"
    name = f"publishers/{publisher}/models/{call.path['modelsId']}"
    family, versions = _entry(name)
    version = name.partition("@")[2].lower() or (versions[0] if versions else "default")
    return Answer(call.view("PublisherModel", _publisher_model(family, version, basic=_is_basic(call))))


def _is_basic(call: Call) -> bool:
    """Whether supportedActions are left out. Google's own clients read them in the default view."""
    return bool(call.query.get("view") == "PUBLISHER_MODEL_VIEW_BASIC")


@handles("aiplatform.publishers.models.list")
def list_publisher_models(call: Call) -> Answer:
    """The catalogue, or what the filter's regular expressions find in it."""
    text = call.query.get("filter", "")
    patterns = [re.compile(match["pattern"]) for match in _SEARCH.finditer(text)]
    rest = re.sub(r"[()\s]|AND|OR", "", _PLAIN_TERMS.sub("", _SEARCH.sub("", text)))
    if rest:
        raise invalid_argument(f"Invalid filter: {text}", ("filter", text))
    shown = []
    # Hugging Face's models, which is_hf_wildcard(true) asks for, are not in the catalogue.
    native = {} if "is_hf_wildcard(true)" in text else CATALOGUE
    for family, versions in native.items():
        asked = call.path["publishersId"] in {"*", family.partition("/")[0]}
        found = not patterns or any(pattern.search(family) for pattern in patterns)
        listed = versions if call.query.get("listAllVersions") else versions[:1]
        if asked and found:
            shown += [_publisher_model(family, each, basic=_is_basic(call)) for each in listed or ("default",)]
    return Answer(page("publisherModels", shown, call.query))


def _publisher_model(family: str, version: str, *, basic: bool) -> Json:
    publisher, _, model = family.partition("/")
    body: Json = {
        "name": f"publishers/{publisher}/models/{model}",
        "versionId": version,
        "openSourceCategory": "THIRD_PARTY_OWNED_OSS",
        "launchStage": "GA",
        "versionState": "VERSION_STATE_STABLE",
    }
    if not basic and (CATALOGUE.get(family) or family in _HUGGING_FACE):
        billions = _BILLIONS.search(version)
        machines = _fitting(2 * float(billions.group(1)) if billions else 14.0)[:2]
        configs = [_deploy_config(family, version, machine, verified=machine == machines[0]) for machine in machines]
        body["supportedActions"] = {"multiDeployVertex": {"multiDeployVertex": configs}}
    return body


def _deploy_config(family: str, version: str, machine: str, *, verified: bool) -> Json:
    """A way to deploy a model; the smallest machine that holds it is the one that was verified."""
    config: Json = {
        "title": "Deploy",
        "deployTaskName": f"vLLM {machine}",
        "modelDisplayName": version,
        "containerSpec": container_spec(
            {}, query_model_id(f"publishers/{family.replace('/', '/models/')}@{version}"), ""
        ),
        "dedicatedResources": {"machineSpec": complete_spec({"machineType": machine}), "minReplicaCount": 1},
        "artifactUri": f"gs://vertex-model-garden-restricted-us/{family}/{version}",
    }
    if verified:
        config["deployMetadata"] = {"labels": {"VERIFIED_DEPLOYMENT_CONFIG": "VERIFIED_DEPLOYMENT_SUCCEED"}}
    return config


def _fitting(gigabytes: float) -> list[str]:
    fitting = [machine for machine, memory in _MACHINES.items() if memory >= gigabytes * _HEADROOM]
    return fitting or [list(_MACHINES)[-1]]


@handles("aiplatform.projects.locations.recommendSpec")
def recommend_spec(call: Call) -> Answer:
    """Machines that hold the weights; with availability or quota asked for, per region."""
    uri = call.body.get("gcsUri", "")
    weights = read_weights(call.world, uri)
    weights.check()
    specs = [_spec(machine, weights) for machine in _fitting(weights.gibibytes)[:3]]
    if not (call.body.get("checkMachineAvailability") or call.body.get("checkUserQuota")):
        return Answer({"baseModel": weights.base_model, "specs": specs})
    recommendations = []
    for region in (call.region, *call.world.behaviours["recommended_regions"]):
        for spec in specs:
            if f"{region}/{spec['machineSpec']['machineType']}" not in call.world.behaviours["stockouts"]:
                recommendation: Json = {"region": region, "spec": spec}
                if call.body.get("checkUserQuota"):
                    recommendation["userQuotaState"] = _quota_state(call, region, spec["machineSpec"])
                recommendations.append(recommendation)
    return Answer({"baseModel": weights.base_model, "recommendations": recommendations})


def _spec(machine: str, weights: Weights) -> Json:
    return {
        "machineSpec": complete_spec({"machineType": machine}),
        "containerSpec": container_spec({}, weights.base_model, weights.uri),
    }


def _quota_state(call: Call, region: str, machine: Json) -> str:
    limit = quota_limit(call.world, call.number, region, machine["acceleratorType"])
    enough = limit is None or limit >= machine["acceleratorCount"]
    return "QUOTA_STATE_USER_HAS_QUOTA" if enough else "QUOTA_STATE_NO_USER_QUOTA"
