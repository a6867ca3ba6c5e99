"""`mg import` says what it cannot import and why, and lists what is there; it never changes anything."""

import json

import pytest

from mg_provider.emulator.services.service_attachments import service_attachments
from mg_provider.emulator.services.vertex.state import vertex
from mg_provider.importing.command import Options, import_things, list_things
from mg_provider.importing.wanted import read_wanted
from tests.support.lives.endpoints import L4_AS_SHOWN, Hand
from tests.support.lives.imports import (
    PARENT,
    REGION,
    job_body,
    make_rule,
    private_endpoint,
    rule_to,
    run_import,
    settings,
)
from tests.support.samples.batch import put_questions
from tests.support.samples.weights import call, make_bucket, put_weights

QUICK = 1_000_000


@pytest.fixture
def hand(emulator):
    emulator.set_speed(QUICK)
    return Hand(emulator)


@pytest.fixture
def refused(emulator, tmp_path):
    """The error of importing these: nothing is written, and nothing was changed."""

    def run(*resources, code=2, **options):
        outcome = run_import(emulator, tmp_path, *resources, **options)
        assert (outcome.code, outcome.changes, outcome.program) == (code, [], "")
        assert not (tmp_path / "import.json").exists()
        assert outcome.said.startswith("error: ")
        assert code == 1 or "\ndo: " in outcome.said
        return outcome.said

    return run


OTHERS = {
    f"{PARENT}/customJobs/1": "is a custom training job, and BatchJob is a batch prediction run",
    f"{PARENT}/tuningJobs/1": "is a tuning job",
    f"{PARENT}/pipelineJobs/nightly": "is a pipeline run",
    f"{PARENT}/models/llama": "import the endpoint that serves it: its Model comes along",
    "publishers/google/models/gemma3@gemma-3-1b-it": "is a model of a publisher",
    f"{PARENT}/publishers/google/models/gemma3": "is a model of a publisher",
    f"{REGION}/addresses/way": "import the forwarding rule that uses it",
    "projects/my-project/global/forwardingRules/way": "is not a regional forwarding rule",
    "gs://bucket/folder": "is not the name of something to import",
    "": "is not the name of something to import",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_resource_here_is_refused_before_google_is_asked(emulator, refused, name):
    since = len(emulator.requests())
    assert OTHERS[name] in refused(name)
    assert len(emulator.requests()) == since


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (f"{PARENT}/endpoints/4711", "there is no endpoint 4711 in project my-project in us-central1"),
        (f"{REGION}/forwardingRules/way", "there is no forwarding rule way in project my-project in us-central1"),
        (f"{PARENT}/batchPredictionJobs/4711", "there is no batch prediction job 4711 in project my-project"),
        ("chat", "nothing in project my-project in us-central1 has the id or name 'chat'"),
        ("4711", "or give the --region that it is in"),
    ],
)
def test_what_is_not_there_is_said_with_where_it_was_looked_for(refused, name, says):
    assert says in refused(name)


def test_an_endpoint_of_another_region_is_found_by_its_whole_name_only(emulator, hand, refused, tmp_path):
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    id = name.rpartition("/")[2]
    elsewhere = {"mg:region": "europe-west4"}
    assert "in europe-west4" in refused(id, config=elsewhere)
    outcome = run_import(emulator, tmp_path, f"chat={name}", config=elsewhere)
    assert outcome.code == 0, outcome.said
    assert 'region="us-central1"' in outcome.program


@pytest.mark.parametrize(
    "form",
    [
        "{name}",
        "{id}",
        "by hand",
        "https://us-central1-aiplatform.googleapis.com/v1/{name}",
        "//aiplatform.googleapis.com/{name}",
        "projects/{number}/locations/us-central1/endpoints/{id}",
    ],
)
def test_an_endpoint_is_named_in_every_way_in_which_googles_tools_show_it(emulator, hand, tmp_path, form):
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    number = hand.endpoint(name)["name"].split("/")[1]
    outcome = run_import(emulator, tmp_path, form.format(name=name, id=name.rpartition("/")[2], number=number))
    assert outcome.code == 0, outcome.said
    (entry,) = outcome.resources
    assert (entry["name"], entry["id"]) == ("by-hand", name)


def test_a_name_that_several_have_is_refused_with_their_whole_names(hand, refused):
    names = [hand.make_endpoint(), hand.make_endpoint()]
    said = refused("by hand")
    assert all(name in said for name in names)


def test_an_endpoint_with_two_models_is_not_one_model_and_the_error_says_what_fits(hand, refused):
    endpoint, model = hand.make_endpoint(), hand.upload()
    first = hand.deploy(endpoint, model, {"0": 100})
    hand.deploy(endpoint, model, {"0": 0, first: 100})
    said = refused(endpoint, kind="CustomWeightsModel")
    assert "2 models are deployed on it, so CustomWeightsModel does not describe it" in said
    assert "DedicatedEndpoint" in said


def test_one_model_is_a_dedicated_endpoint_where_its_model_is_not_its_alone_or_has_a_secret(emulator, hand, tmp_path):
    def reason(*resources):
        outcome = run_import(emulator, tmp_path, *resources)
        assert outcome.code == 0, outcome.said
        assert {entry["type"].rpartition(":")[2] for entry in outcome.resources} == {"DedicatedEndpoint"}
        assert "hf_secret" not in outcome.program + json.dumps(outcome.resources)
        assert max(len(line) for line in outcome.said.splitlines() if "/" not in line) <= 80
        return outcome.flat

    model = hand.upload()
    one, two = hand.make_endpoint(), hand.make_endpoint(displayName="two")
    hand.deploy(one, model, {"0": 100})
    hand.deploy(two, model, {"0": 100})
    assert "its Model also serves on projects/" in reason(one)
    theirs = hand.upload("theirs")
    hand.patch(theirs, "labels", labels={"mg-owner": "abcdef"})
    five = hand.make_endpoint(displayName="five")
    hand.deploy(five, theirs, {"0": 100})
    assert "its Model belongs to another stack (mg-owner=abcdef)" in reason(five)
    assert "no models are deployed on it" in reason(hand.make_endpoint(displayName="empty"))
    spec = {"imageUri": "docker.pkg.dev/p/r/i", "env": [{"name": "HF_TOKEN", "value": "hf_secret"}]}
    body = {"displayName": "token", "artifactUri": "gs://weights-bucket/llama", "containerSpec": spec}
    hand._call(f"{PARENT}/models:upload", {"modelId": "token", "model": body})
    third = hand.make_endpoint(displayName="three")
    hand.deploy(third, f"{PARENT}/models/token", {"0": 100})
    assert "its Model's container has HF_TOKEN in its environment" in reason(third)
    hand._call(f"{PARENT}/models:upload", {"modelId": "bare", "model": {"displayName": "bare", "containerSpec": spec}})
    fourth = hand.make_endpoint(displayName="four")
    hand.deploy(fourth, f"{PARENT}/models/bare", {"0": 100})
    assert "nothing says which weights its Model was made from" in reason(fourth)


def test_an_endpoint_on_machines_of_googles_choice_is_refused(hand, refused):
    endpoint, model = hand.make_endpoint(), hand.upload()
    hand._call(
        f"{endpoint}:deployModel",
        {
            "deployedModel": {"model": model, "automaticResources": {"minReplicaCount": 1, "maxReplicaCount": 1}},
            "trafficSplit": {"0": 100},
        },
    )
    assert "on machines that Vertex AI chooses (automaticResources)" in refused(endpoint)


def test_a_stranger_s_labels_are_refused_with_the_owner(hand, refused):
    endpoint = hand.make_endpoint(labels={"mg-owner": "abcdef", "mg-resource": "chat-12345678"})
    said = refused(endpoint)
    assert "belongs to another stack (mg-owner=abcdef, mg-resource=chat-12345678)" in said
    assert "abcdef" in refused(endpoint, owner="acme/project/stack")


def test_an_allowlist_of_numbers_is_refused_with_what_the_resource_takes(emulator, hand, refused):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    endpoint = hand.make_endpoint(privateServiceConnectConfig=config)
    for each in vertex(emulator.world).endpoints.values():
        each.resource["privateServiceConnectConfig"]["projectAllowlist"] = ["123456789012"]
    said = refused(endpoint)
    assert "project_allowlist takes project ids, and '123456789012' is a project number: write its id" in said


def test_a_rule_to_something_else_than_an_endpoint_is_refused(emulator, hand, refused):
    number = hand.endpoint(hand.make_endpoint())["name"].split("/")[1]
    target = "projects/some-tp/regions/us-central1/serviceAttachments/a-database"
    service_attachments(emulator.world).put(target, "", [number])
    rule_to(emulator, target)
    said = refused(f"{REGION}/forwardingRules/way")
    assert f"leads to {target}, and not to the service attachment of an endpoint of Vertex AI" in said
    assert "pulumi-gcp" in said


def test_a_rule_that_is_closed_is_refused(emulator, hand, refused):
    emulator.behave(attachment_recycle_seconds=60)
    endpoint = private_endpoint(hand)
    make_rule(emulator, hand, endpoint)
    hand.undeploy(endpoint, hand.endpoint(endpoint)["deployedModels"][0]["id"])
    emulator.advance(7200)
    said = refused(f"{REGION}/forwardingRules/way")
    assert "reaches nothing: its connection is CLOSED" in said


def test_an_endpoint_on_which_a_model_is_being_deployed_is_refused_until_that_has_ended(emulator, hand, refused):
    endpoint, model = hand.make_endpoint(), hand.upload()
    emulator.set_speed(1)
    resources = {"machineSpec": L4_AS_SHOWN, "minReplicaCount": 1}
    body = {"deployedModel": {"model": model, "dedicatedResources": resources}, "trafficSplit": {"0": 100}}
    call(f"{emulator.url}/v1beta1/{endpoint}:deployModel", body)
    assert f"a model is being deployed on {endpoint} now" in refused(endpoint)


def test_an_endpoint_that_model_garden_has_just_made_is_refused_until_its_model_is_on_it(emulator, hand, refused):
    make_bucket(emulator)
    emulator.set_speed(1)
    body = {
        "customModel": {"gcsUri": put_weights(emulator)},
        "endpointConfig": {"endpointUserId": "by-hand"},
        "deployConfig": {"dedicatedResources": {"machineSpec": L4_AS_SHOWN, "minReplicaCount": 1}},
    }
    call(f"{emulator.url}/v1beta1/{PARENT}:deploy", body)
    emulator.advance(60)
    endpoint = f"{PARENT}/endpoints/by-hand"
    assert hand.endpoint(endpoint).get("deployedModels", []) == []
    assert f"a model is being deployed on {endpoint} now" in refused(endpoint)


def test_a_job_that_ended_badly_is_refused(emulator, hand, refused):
    make_bucket(emulator)
    put_questions(emulator)
    emulator.set_speed(1)
    job = call(f"{emulator.url}/v1/{PARENT}/batchPredictionJobs", job_body())["name"]
    call(f"{emulator.url}/v1/{job}:cancel", {})
    emulator.advance(600)
    assert "ended as JOB_STATE_" in refused(job)


def test_one_that_cannot_be_imported_keeps_the_others_from_being_written(hand, refused):
    endpoint = hand.make_endpoint()
    said = refused(endpoint, "nosuch", f"{PARENT}/endpoints/4711")
    assert said.count("error: ") == 2
    assert "\nexists: no file was written, and nothing was changed\ndo: " in said


def test_what_google_does_not_answer_is_no_word_on_whether_it_is_there(emulator, hand, refused):
    endpoint = hand.make_endpoint()
    emulator.fail(rpc="aiplatform.projects.locations.endpoints.get", fault="status", status=403, times=5)
    said = refused(endpoint, code=1)
    assert "there is no endpoint" not in said


def test_files_that_exist_and_names_that_are_taken_are_refused(emulator, hand, tmp_path):
    endpoint, other = hand.make_endpoint(), hand.make_endpoint(displayName="other")
    state = tmp_path / "state.json"
    urn = "urn:pulumi:dev::p::pulumi-python:dynamic/mg:DedicatedEndpoint::chat"
    resource = {"urn": urn, "type": "pulumi-python:dynamic/mg:DedicatedEndpoint", "id": other}
    state.write_text(json.dumps({"deployment": {"resources": [resource]}}))
    outcome = run_import(emulator, tmp_path, f"chat={endpoint}", state=str(state))
    assert "chat is the name of another resource" in outcome.said
    outcome = run_import(emulator, tmp_path, endpoint, other)
    assert [entry["name"] for entry in outcome.resources] == ["by-hand", "other"]
    said = []
    code = import_things([endpoint], Options(file=tmp_path / "import.json"), settings(emulator), complain=said.append)
    assert (code, "exists" in said[0]) == (2, True)


def test_the_list_has_what_is_there_and_not_in_the_stack_with_its_owner(emulator, hand, tmp_path):
    mine, free = hand.make_endpoint(), hand.make_endpoint(displayName="free")
    theirs = hand.make_endpoint(displayName="theirs", labels={"mg-owner": "abcdef"})
    make_bucket(emulator)
    put_questions(emulator)
    job = call(f"{emulator.url}/v1/{PARENT}/batchPredictionJobs", job_body())["name"]
    state = tmp_path / "state.json"
    resources = [
        {"urn": "urn:x::y::z::a", "type": "pulumi-python:dynamic/mg:DedicatedEndpoint", "id": mine},
        {"urn": "urn:x::y::z::b", "type": "pulumi:pulumi:Stack"},
    ]
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    lines = []
    since = len(emulator.requests())
    assert list_things(str(state), settings(emulator), write=lines.append) == 0
    assert {entry["method"] for entry in emulator.requests()[since:]} == {"GET"}
    text = "".join(lines)
    assert text.startswith("my-project in us-central1: 2 to import, 1 of other stacks\n")
    assert mine not in text
    assert all(each in text for each in (free, theirs, job.rpartition("/")[2]))
    assert "not to be imported: mg-owner=abcdef" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"mg:region": ""}, "region: is not known\ndo: give --region"),
        ({"mg:project": ""}, "project: is not known\ndo: give --project"),
        ({"mg:region": "uscentral1"}, "region: 'uscentral1' is not a region of Vertex AI"),
    ],
    ids=["no region", "no project", "no such region"],
)
def test_a_place_that_is_not_known_is_refused_before_google_is_asked(emulator, refused, monkeypatch, config, says):
    for name in ("GOOGLE_CLOUD_PROJECT", "GOOGLE_PROJECT", "CLOUDSDK_CORE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    said, since = [], len(emulator.requests())
    assert list_things("", {**settings(emulator), **config}, complain=said.append) == 2
    assert says in said[0]
    assert says in refused("chat", config=config)
    assert len(emulator.requests()) == since


@pytest.mark.parametrize("content", ["", "[]", '{"deployment": 1}', None], ids=["empty", "list", "no state", "no file"])
def test_what_is_not_a_state_is_refused(tmp_path, content):
    state, said = tmp_path / "state.json", []
    if content is not None:
        state.write_text(content)
    assert list_things(str(state), {"mg:project": "p", "mg:region": "us-central1"}, complain=said.append) == 2
    assert "--state: " in said[0]
    assert "\ndo: give what `pulumi stack export` prints" in said[0]


def test_a_name_for_the_program_stands_before_the_resource():
    assert read_wanted(f"chat={PARENT}/endpoints/4711").name == "chat"
    assert read_wanted("4711").name == ""
    # What is no name for a resource is part of what is asked for.
    assert read_wanted("a b=c").id == "a b=c"
