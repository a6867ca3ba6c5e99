"""Every argument whose value stands in the cloud is imported with the value that the cloud has."""

import pytest

from mg_provider.importing import endpoints, jobs
from mg_provider.importing.arguments import labels_of
from mg_provider.importing.endpoints import ServedEndpoint
from mg_provider.importing.finding import Found, Location
from mg_provider.resources.batch_job.outcome import BatchJobState, is_settled, observed_job
from mg_provider.resources.endpoint.capacity import choices_of
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.model.standing import asked_for, standing
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.base import nested
from mg_provider.wire.vertex.endpoint import Endpoint, PrivateServiceConnectConfig
from mg_provider.wire.vertex.model import Model
from tests.support.samples.samples import BATCH_JOB, CUSTOM_WEIGHTS_MODEL, DEDICATED_ENDPOINT, MODEL

PLACE = Location("my-project", "us-central1", "1")
ENDPOINT = "projects/1/locations/us-central1/endpoints/4711"
# Google sets these by itself, so that a program that writes them would take over what it never chose.
GOOGLES = ("system_labels", "enable_container_logging")


def values(kind, *things):
    """The arguments that stand in these things, each with its two samples."""
    names = [name for thing in things for name in standing(kind.args_type, thing)]
    return [
        pytest.param(name, getattr(kind.samples[name], which), id=f"{name} {which}")
        for name in names
        for which in ("value", "other")
    ]


def written(args, name):
    """The value as a program writes it; a default is not written, nor is a maximum that is the minimum."""
    value = plain(getattr(args, name))
    if name == "machine_spec" and isinstance(value, list):
        return value[0]
    if name == "max_replica_count" and value == max(getattr(args, "min_replica_count", 1), 1):
        return None
    return None if value == plain(type(args).model_fields[name].default) or value is False else value


def given_for(kind, name, value):
    args, problems = kind.check(kind.arguments(name, value))
    assert problems == {}
    return args


@pytest.mark.parametrize(("name", "value"), values(CUSTOM_WEIGHTS_MODEL, "endpoint", "deployment", "model"))
def test_a_served_model_is_described_as_it_was_asked_for(name, value):
    args = given_for(CUSTOM_WEIGHTS_MODEL, name, value)
    settings = nested(asked_for(args, "endpoint"))
    endpoint = Endpoint(
        **{**settings, "name": ENDPOINT, "dedicated_endpoint_enabled": not args.private_service_connect_config},
        deployed_models=[args.deployed(id="1", model=MODEL)],
    )
    model = Model(**nested(asked_for(args, "model")), name=MODEL)
    serving = ServedEndpoint(endpoint, PLACE, {MODEL: model})
    draft = endpoints.draft_of(serving, Found(endpoint, PLACE, ""), "CustomWeightsModel")
    assert draft.given.get(name) == (None if name in GOOGLES else written(args, name))


@pytest.mark.parametrize(("name", "value"), values(DEDICATED_ENDPOINT, "endpoint"))
def test_the_settings_of_an_endpoint_are_described_as_they_were_asked_for(name, value):
    args = given_for(DEDICATED_ENDPOINT, name, value)
    endpoint = Endpoint(**{**nested(asked_for(args, "endpoint")), "name": ENDPOINT})
    draft = endpoints.draft_of(ServedEndpoint(endpoint, PLACE), Found(endpoint, PLACE, ""), None)
    # A public name of its own is what an endpoint has by default.
    default = name == "dedicated_endpoint_enabled" and value
    expected = plain(getattr(args, name)) if name == "dedicated_endpoint_enabled" else written(args, name)
    assert draft.given.get(name) == (None if default else expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [each for each in values(CUSTOM_WEIGHTS_MODEL, "deployment") if each.values[0] in ServedModel.model_fields],
)
def test_a_deployment_among_several_is_described_as_it_was_asked_for(name, value):
    needs = CUSTOM_WEIGHTS_MODEL.samples[name].needs
    served = ServedModel.model_validate({"model": MODEL, **needs, name: value})
    endpoint = Endpoint(name=ENDPOINT, deployed_models=[served.wire("1", "a"), served.wire("2", "b")])
    draft = endpoints.draft_of(ServedEndpoint(endpoint, PLACE), Found(endpoint, PLACE, ""), None)
    assert sorted(draft.given["deployed_models"]) == ["a", "b"]
    described = ServedModel.model_validate(draft.given["deployed_models"]["b"])
    assert described.wire("2", "b").dedicated_resources == served.wire("2", "b").dedicated_resources
    assert draft.given["deployed_models"]["a"].get(name, ServedModel.model_fields[name].default) in (
        written(served, name) or ServedModel.model_fields[name].default,
        plain(getattr(served, name)),
    )


@pytest.mark.parametrize(("name", "value"), values(BATCH_JOB, "job"))
def test_a_job_is_described_as_it_was_asked_for(name, value):
    args = given_for(BATCH_JOB, name, value)
    if name in ("starting_replica_count", "max_replica_count", "spot", "flex_start"):
        args = args.with_values(machine_spec=_l4())
    job = args.wire(next(iter(choices_of(args.machine_spec)), None)).model_copy(
        update={"name": "projects/1/locations/us-central1/batchPredictionJobs/1"}
    )
    job = job.model_copy(update={"labels": {key: each for key, each in job.labels.items() if "mg-" not in key}})
    draft = jobs.draft_of(Found(job, PLACE, ""), None)
    expected = written(args, name)
    if name in ("model", "endpoint"):
        expected = PLACE.own(expected)
    assert draft.given.get(name) == expected


@pytest.mark.parametrize(
    ("state", "counts", "allowed", "says"),
    [
        ("JOB_STATE_SUCCEEDED", None, None, "labels are fixed"),
        ("JOB_STATE_SUCCEEDED", {"successfulCount": 3}, None, "labels are fixed"),
        (
            "JOB_STATE_SUCCEEDED",
            {"successfulCount": 3, "failedCount": 1},
            0.25,
            "25.0% of its rows failed: allow_partial",
        ),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", {"failedCount": 2}, 1, "100.0% of its rows failed"),
        # As `up` takes it, where the service gives no counts.
        ("JOB_STATE_PARTIALLY_SUCCEEDED", None, 1, "Google does not say how many of its rows failed: allow_partial"),
    ],
)
def test_what_up_would_report_of_a_job_is_accepted_by_its_import(state, counts, allowed, says):
    args, _ = BATCH_JOB.check(BATCH_JOB.arguments("machine_spec"))
    job = args.wire(None).model_copy(update={"name": f"{PLACE.parent}/batchPredictionJobs/1", "labels": {}})
    job = type(job).from_wire({**job.to_wire(), "state": state, "completionStats": counts})
    draft = jobs.draft_of(Found(job, PLACE, ""), None)
    assert draft.given.get("allow_partial") == allowed
    assert says in draft.notes[-1]
    accepting, _ = BATCH_JOB.check({**BATCH_JOB.arguments("machine_spec"), "allow_partial": allowed or 0})
    assert is_settled(accepting, observed_job(job, BatchJobState(), None))


def _l4():
    args, _ = BATCH_JOB.check(BATCH_JOB.arguments("machine_spec"))
    return args.machine_spec


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"artifact_uri": "gs://weights/llama/"}, {"gcs_uri": "gs://weights/llama"}),
        (
            {
                "artifact_uri": "gs://vertex-model-garden-restricted-us/gemma3/gemma-3-1b-it",
                "base_model_source": {
                    "model_garden_source": {
                        "public_model_name": "publishers/google/models/gemma3",
                        "version_id": "gemma-3-1b-it",
                    }
                },
            },
            {"publisher_model_name": "publishers/google/models/gemma3@gemma-3-1b-it"},
        ),
        (
            {
                "base_model_source": {
                    "model_garden_source": {"public_model_name": "publishers/hf-qwen/models/qwen2.5-7b@001"}
                }
            },
            {"hugging_face_model_id": "qwen/qwen2.5-7b"},
        ),
    ],
    ids=["a folder", "Model Garden", "Hugging Face"],
)
def test_where_the_weights_come_from_is_told_by_the_model(source, expected):
    args, _ = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments())
    deployed = args.deployed(id="1", model=MODEL)
    endpoint = Endpoint(name=ENDPOINT, dedicated_endpoint_enabled=True, deployed_models=[deployed])
    serving = ServedEndpoint(endpoint, PLACE, {MODEL: Model(name=MODEL, **source)})
    draft = endpoints.draft_of(serving, Found(endpoint, PLACE, ""), None)
    assert draft.given == expected


@pytest.mark.parametrize(
    ("version", "newest", "expected"),
    [("1", "1", MODEL), ("2", "3", f"{MODEL}@2"), ("1", "2", f"{MODEL}@1"), (None, None, MODEL)],
)
def test_a_version_is_named_where_the_model_has_several(version, newest, expected):
    served = ServedModel(model=MODEL).wire("1", "a").model_copy(update={"model_version_id": version})
    endpoint = Endpoint(name=ENDPOINT, network="projects/1/global/networks/n", deployed_models=[served])
    models = {MODEL: Model(name=MODEL, version_id=newest)} if newest else {}
    draft = endpoints.draft_of(ServedEndpoint(endpoint, PLACE, models), Found(endpoint, PLACE, ""), None)
    assert draft.given["deployed_models"]["a"]["model"] == expected.replace("projects/1/", "projects/my-project/")


def test_a_private_way_that_is_turned_off_is_no_private_way():
    off = PrivateServiceConnectConfig(enable_private_service_connect=False)
    endpoint = Endpoint(name=ENDPOINT, dedicated_endpoint_enabled=True, private_service_connect_config=off)
    draft = endpoints.draft_of(ServedEndpoint(endpoint, PLACE), Found(endpoint, PLACE, ""), None)
    assert draft.given == {}


def test_labels_of_this_provider_and_of_google_are_not_a_programs():
    given = {"team": "a", "mg-owner": "x", "mg-claim": "y", "goog-managed": "z", "goog_x": "", "google-y": ""}
    assert labels_of(given) == {"team": "a"}
