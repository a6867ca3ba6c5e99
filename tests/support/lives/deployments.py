"""The same arguments deployed in every way there is, and what then stands on the endpoint."""

import contextlib

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.model.standing import standing
from tests.support.lives.endpoints import Hand
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.samples import CUSTOM_WEIGHTS_MODEL, L4
from tests.support.samples.weights import put_weights

# What a deployment is called, and what the cloud adds while it runs.
_OWN = ("id", "model", "createTime", "status", "modelVersionId", "privateEndpoints", "rolloutOptions")


def settled(emulator, life):
    """What the one deployment of an endpoint is, without what each deployment has for itself."""
    (deployed,) = Hand(emulator).endpoint(life.id)["deployedModels"]
    return {name: value for name, value in deployed.items() if name not in _OWN}


def groups(args_type):
    """Sample values of everything that stands in a deployment, in as few sets as go together."""
    sets = []
    for name in standing(args_type, "deployment"):
        sample = CUSTOM_WEIGHTS_MODEL.samples[name]
        for value in (sample.value, sample.other):
            given = {**sample.needs, name: value}
            fitting = next((some for some in sets if _go_together(some, given)), None)
            if fitting is None:
                sets.append({"machine_spec": L4, **given})
            else:
                fitting.update(given)
    return sets


def _go_together(some, given):
    if any(name in some and some[name] != value for name, value in given.items()):
        return False
    return not CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments(**{**some, **given}))[1]


def ways(emulator, host, given):
    """What each way of deploying gives for the same arguments, by the name of the way."""
    emulator.behave(fast_tryout="shown")
    if "scale_to_zero_spec" in given:
        # So slow that a deployment that a probe woke is still up when the next probe comes.
        emulator.set_speed(2_000.0)
    weights, other = put_weights(emulator, "weights"), put_weights(emulator, "other")
    wanted = {"gcs_uri": weights, "retain_model": True, "model_id": "kept", **given}
    life = Life(host, CustomWeightsModelProvider, name="llama")
    life.up(wanted)
    yield "creation", settled(emulator, life)
    life.up({**wanted, "parked": True})
    life.up(wanted)
    yield "resume after parking", settled(emulator, life)
    life.destroy()
    life.up(wanted)
    yield "a kept Model", settled(emulator, life)
    life.up({**wanted, "gcs_uri": other, "model_id": "other"})
    yield "rollout", settled(emulator, life)
    emulator.fail(rpc="aiplatform.projects.locations.endpoints.deployModel", fault="operation_error", code="INTERNAL")
    with contextlib.suppress(HostError):
        life.up({**wanted, "model_id": "third", "rollout": {"strategy": "recreate"}})
    yield "taken back", settled(emulator, life)
    life.destroy()
    endpoint = Life(host, DedicatedEndpointProvider, name="chat")
    served = {name: value for name, value in given.items() if name in ServedModel.model_fields}
    model = "projects/my-project/locations/us-central1/models/other"
    endpoint.up({"dedicated_endpoint_enabled": True, "deployed_models": {"llama": {"model": model, **served}}})
    yield "DedicatedEndpoint", settled(emulator, endpoint)
