"""What a resource in a state says that exists in the cloud, whichever engine or test keeps the state."""

from dataclasses import dataclass, field

from mg_provider.resources.model.identity import OWNER_LABEL, RESOURCE_LABEL, ownership_labels

TOKEN = "pulumi-python:dynamic/mg:"
ENDPOINTS = ("CustomWeightsModel", "DedicatedEndpoint")


def place(name):
    """A resource name without its project, which is an id or a number."""
    project, _, rest = name.removeprefix("projects/").partition("/")
    return rest if project else name


def owner_label(owner):
    return ownership_labels(owner, "any")[OWNER_LABEL]


def slug(resource):
    """How the label of a resource of this name begins."""
    return ownership_labels("any", resource)[RESOURCE_LABEL][:40]


@dataclass(frozen=True)
class Machine:
    """What one deployment is said to run on; what is None is not said."""

    machine_type: str | None
    accelerator_count: int | None
    least: int
    most: int


@dataclass
class Said:
    """One resource's word.

    Attributes:
        names: Everything that exists for it, without projects.
        machines: What it runs, by name; None where the state does not say on what.
        unfinished: Whether the state says that something on its endpoint is still under way.
        run: The run of a batch job, which the job has as a label.
        retained: What stays when the resource is removed.
        address: What clients have: endpoint id, public name, private IP, by what it is.
    """

    kind: str
    owner: str
    resource: str
    names: set[str] = field(default_factory=set)
    machines: dict[str, Machine | None] = field(default_factory=dict)
    unfinished: bool = False
    endpoint: str = ""
    run: str = ""
    address: dict[str, str] = field(default_factory=dict)
    retained: set[str] = field(default_factory=set)


def ours(documents):
    """Kind, inputs and outputs of each of our resources among those of a deployment."""
    for each in documents:
        if each["type"].startswith(TOKEN):
            inputs = each.get("inputs", {})
            yield each["type"].removeprefix(TOKEN), inputs, each.get("outputs") or inputs


def said(kind, inputs, outputs):
    """The word of a resource of ``kind`` (``CustomWeightsModel``) with these inputs and outputs in a state."""
    values = {**inputs, **outputs}
    told = Said(kind, owner_label(values.get("owner", "")), values.get("resource", ""))
    if kind in ENDPOINTS:
        _endpoint(told, values)
        (_model if kind == "CustomWeightsModel" else _models)(told, inputs, values)
    elif kind == "BatchJob":
        told.run = values.get("run", "")
        job = place(values.get("batch_prediction_job", ""))
        told.names = {job, *map(place, values.get("passed_over", []))} - {""}
        told.machines = dict.fromkeys({job} - {""})
    elif kind == "PscForwardingRule":
        told.names = {place(values.get(name, "")) for name in ("forwarding_rule", "reserved_address")} - {""}
        told.address = {"ip_address": values.get("ip_address", "")}
    return told


def _endpoint(told, values):
    told.endpoint = place(values.get("endpoint", ""))
    told.names = {told.endpoint} - {""}
    told.address = {name: values.get(name, "") for name in ("endpoint_id", "dedicated_endpoint_dns")}
    told.unfinished = bool(values.get("operation"))
    lists = ("unmanaged_deployed_models", "leftover_deployed_models", "surplus_deployed_models")
    unmanaged = [id for name in lists for id in values.get(name, [])]
    under_way = [values["rollout_under_way"]] if values.get("rollout_under_way") else []
    told.machines = {_deployed(told, id): None for id in [*unmanaged, *under_way]}


def _deployed(told, id):
    return f"{told.endpoint}/deployedModels/{id}"


def _model(told, inputs, values):
    model = place(values.get("model", ""))
    told.names |= {model} - {""}
    if values.get("retain_model"):
        told.retained = {model}
    if values.get("held_deployed_model_id"):
        before = values["rollout_held"]["before"]
        told.names.add(place(before["model"]))
        told.machines[_deployed(told, values["held_deployed_model_id"])] = _machine(before, None, None)
    if values.get("deployed_model_id") and not values.get("parked"):
        machine = _machine(inputs, values.get("machine_spec_taken"), values.get("machine_type"))
        told.machines[_deployed(told, values["deployed_model_id"])] = machine


def _models(told, inputs, values):
    types = values.get("machine_types", {})
    for name, id in values.get("deployed_model_ids", {}).items():
        wanted = (inputs.get("deployed_models") or {}).get(name)
        machine = _machine(wanted, None, types.get(name)) if wanted else None
        told.machines[_deployed(told, id)] = machine
    for name, id in values.get("held_deployed_model_ids", {}).items():
        before = (values.get("rollouts_held") or {}).get(name, {}).get("before")
        told.machines[_deployed(told, id)] = _machine(before, None, None) if before else None


def _machine(wanted, taken, machine_type):
    spec = taken or wanted.get("machine_spec")
    count = spec.get("accelerator_count") if isinstance(spec, dict) else None
    least = 0 if wanted.get("scale_to_zero_spec") else int(wanted.get("min_replica_count") or 1)
    first = int(wanted.get("initial_replica_count") or 1)
    most = max(int(wanted.get("max_replica_count") or 1), least, first)
    return Machine(machine_type or None, None if count is None else int(count), least, most)
