"""Each field of our requests that no published client has is known, has a fallback, and is dropped by the emulator."""

import json
import subprocess
import typing

import pytest

from mg_provider.emulator.google.unpublished import FIELDS_OF_NO_CLIENT
from mg_provider.wire.base import WireModel
from mg_provider.wire.vertex import batch, deploy, deployed_model, endpoint, machine, model
from tests.wire.schema_names import AI, SCHEMAS

# What we do where Google drops the field, by its schema.
FALLBACKS = {
    "DeployRequestEndpointConfig.labels": "endpoints.patch while the deployment runs: EarlyLabels",
    "DeployRequestDeployConfig.serviceAccount": "models.upload, endpoints.deployModel: CustomWeightsModelArgs.uploads",
    "PredictRequestResponseLoggingConfig.errorSamplingRate": "an error that says so: settle_endpoint",
}
# Our wire models have them, and no request of ours does.
NEVER_SENT = {
    "DeployRequestCustomModel.modelId": "deprecated for modelUserId",
    "DeployedModelRef.checkpointId": "in answers only",
}
# Every request of ours to Vertex AI that has a body of its own.
REQUESTS = (
    deploy.DeployRequest,
    deploy.RecommendSpecRequest,
    endpoint.Endpoint,
    model.Model,
    deployed_model.DeployedModel,
    batch.BatchPredictionJob,
)
PROGRAM = """
import json
from google.cloud import aiplatform_v1beta1
from google.cloud.aiplatform_v1beta1 import types
import proto

found = {}

def note(message):
    name = message.DESCRIPTOR.full_name.removeprefix("google.cloud.aiplatform.v1beta1.").replace(".", "")
    if name not in found:
        found[name] = sorted(field.json_name for field in message.DESCRIPTOR.fields)

def walk(descriptor):
    name = descriptor.full_name.removeprefix("google.cloud.aiplatform.v1beta1.").replace(".", "")
    if name in found or not descriptor.full_name.startswith("google.cloud.aiplatform"):
        return
    found[name] = sorted(field.json_name for field in descriptor.fields)
    for field in descriptor.fields:
        if field.message_type is not None:
            walk(field.message_type)
    for nested in descriptor.nested_types:
        walk(nested)

for value in vars(types).values():
    if isinstance(value, type) and issubclass(value, proto.Message):
        walk(value.pb().DESCRIPTOR)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def published(clients_python):
    """The fields of each message that google-cloud-aiplatform has, by the name of its schema."""
    done = subprocess.run([clients_python, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def sent():
    """The wire models that a request may hold, wherever in it."""
    found, open_ends = set(), list(REQUESTS)
    while open_ends:
        kind = open_ends.pop()
        if kind not in found and kind in SCHEMAS and SCHEMAS[kind].startswith(AI):
            found.add(kind)
            open_ends += [inner for field in kind.model_fields.values() for inner in models_in(field.annotation)]
    return found


def models_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return [annotation]
    return [found for inner in typing.get_args(annotation) for found in models_in(inner)]


def test_each_field_that_no_published_client_has_is_known_and_has_a_fallback(published):
    missing = {
        f"{schema}.{field.alias or name}"
        for kind in sent()
        for schema in [SCHEMAS[kind].removeprefix(AI)]
        for name, field in kind.model_fields.items()
        if (field.alias or name) not in published.get(schema, ())
    }
    assert missing == {*FALLBACKS, *NEVER_SENT}


def test_the_emulator_drops_each_of_them_unless_a_test_says_otherwise(emulator):
    prefix = {"deploy": "DeployRequest"}
    named = {
        f"{prefix.get(rpc.rpartition('.')[2], '')}{parent[0].upper()}{parent[1:]}.{field}"
        for rpc, paths in FIELDS_OF_NO_CLIENT.items()
        for parent, field in paths
    }
    assert named == set(FALLBACKS)
    assert emulator.world.behaviours["fields_of_no_client"] == "dropped"


def test_a_machine_is_among_what_is_looked_at():
    assert {machine.MachineSpec, machine.ScaleToZeroSpec} <= sent()
