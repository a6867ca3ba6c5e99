"""Every stack lives: up, nothing to do, nothing found out, a change, and nothing left."""

import json
import re
from collections import Counter
from urllib.error import HTTPError

import pytest
import yaml

from mg_provider.rehearsal.command import rehearse
from tests.conformance.engines import differences
from tests.stacks import printed
from tests.stacks.folder import StackFolder, custom_endpoints, live, told_by
from tests.support.running.forks import shared
from tests.support.samples.batch import objects
from tests.support.samples.weights import call, make_bucket, put, put_weights

STACKS = ["demo", "public-endpoint", "private-endpoint", "multi-region", "nightly-batch"]


@pytest.fixture
def virtualenv():
    return str(shared() / "google")


class Stack(StackFolder):
    """On the rehearsal engine."""

    def __init__(self, folder, virtualenv, emulator, name):
        super().__init__(folder, virtualenv, name)
        self.state_file = folder / "state.json"
        self.endpoints = custom_endpoints(emulator.url)
        self.secrets = {}
        self.lives_on(emulator)

    def rehearse(self, operation, **options):
        lines = []
        options |= {"as_json": True, "config": self.endpoints, "secrets": self.secrets, "write": lines.append}
        return rehearse(operation, self.name, self.folder, self.state_file, **options), lines

    def command(self, operation):
        code, lines = self.rehearse(operation, events=True)
        return code, *told_by(lines)

    def digest(self, operation):
        """What a preview tells programs."""
        code, lines = self.rehearse(operation)
        assert code == 0, lines
        return json.loads("".join(lines))

    def state(self):
        return self.resources if self.state_file.exists() else []

    @property
    def resources(self):
        return json.loads(self.state_file.read_text())["deployment"]["resources"]

    @property
    def outputs(self):
        return next(each["outputs"] for each in self.resources if each["type"] == "pulumi:pulumi:Stack")


@pytest.fixture
def stack(tmp_path, virtualenv, emulator):
    emulator.set_speed(1_000_000)
    emulator.behave(strict_networks=True)
    for bucket, location in (("demo-weights", "US"), ("demo-weights-eu", "EU")):
        make_bucket(emulator, bucket, location)
        put_weights(emulator, "llama-toy/v1", bucket)
    for bucket, location in (("my-weights", "US"), ("my-weights-eu", "EU"), ("my-weights-asia", "ASIA")):
        make_bucket(emulator, bucket, location)
        put_weights(emulator, "llama/v1", bucket)
    put_weights(emulator, "llama/v2", "my-weights")
    rows = json.dumps({"body": {"messages": [{"role": "user", "content": "Hello"}]}})
    for bucket in ("my-weights", "demo-weights"):
        put(emulator, "questions/one.jsonl", rows.encode(), bucket)
    # The demo's network is there already.
    for region in ("us-central1", "europe-west4"):
        there = {"project": "my-project", "region": region, "name": "clients-subnet", "network": "clients"}
        call(f"{emulator.url}/_mg/compute/subnetworks", there)
    return lambda name, folder="one": Stack(tmp_path / folder, virtualenv, emulator, name)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_lives_and_leaves_nothing(stack, emulator, name):
    one = stack(name)

    def check():
        for name, (line, address) in printed.lines(one.outputs).items():
            answers = [printed.asked(emulator, line, address) for _ in range(50)]
            assert all("Hello" in answer["choices"][0]["message"]["content"] for answer in answers), name
        # Each deployment that costs something is printed, and each printed line is one that answers.
        behind = [told for told in one.outputs["models"].values() if "only_behind" in told]
        models, endpoints = one.outputs["models"], one.outputs["endpoints"]
        assert len(printed.lines(one.outputs)) == len(models) - len(behind) + len(endpoints)

    live(one, emulator, check)


def test_the_config_that_comes_along_fits_a_project_of_any_name(stack):
    one = stack("public-endpoint")
    project = one.folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("name: model-garden", "name: shop"))
    assert set(one.well("preview")) == {"create"}
    # The project's own name goes first.
    one.edit(lambda config: config.update({"shop:environment": {"regions": ["mars"]}}))
    assert "shop:environment.regions: mars is not a region" in one.run("preview")[2]
    one.edit(lambda config: config.update({"shop:environment": None}))
    assert "shop:environment: is left empty: write a value, or remove the line" in one.run("preview")[2]
    one.file.write_text(yaml.safe_dump({"config": {"shop:region": "us-central1"}}))
    assert "shop:gcsUri: is required, beside region, machineType" in one.run("preview")[2]


def test_models_behind_one_endpoint_share_its_name_and_the_traffic_and_are_paid_for_once(stack, emulator):
    one = stack("public-endpoint")
    states = [step["newState"] for step in one.digest("preview")["steps"] if "CustomWeightsModel" in step["urn"]]
    for name, state in zip(("candidate", "stable"), sorted(states, key=lambda state: state["urn"]), strict=True):
        inputs = state["inputs"]
        assert (inputs["parked"], inputs["query_model_id"]) == (True, "chat")
        assert inputs["description"] == f"Serves nothing itself: {name} is only behind chat."
        assert inputs["deployment_plan"].startswith("parked: no machine runs")
    one.well("up")
    counts = emulator.ledger()["counts"]
    assert (counts["aiplatform.DeployedModel"], counts["aiplatform.Model"]) == (2, 2)
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 2}
    ((line, _),) = printed.lines(one.outputs).values()
    answers = [printed.asked(emulator, line)["choices"][0]["message"]["content"] for _ in range(100)]
    by_deployment = Counter(answer.partition("deployed model ")[2].partition("]")[0] for answer in answers)
    assert sorted(by_deployment.values()) == [10, 90]
    assert one.outputs["endpoints"]["chat"]["model_id"] == "chat"
    assert one.outputs["models"]["stable-us-central1"] == {
        "model": one.outputs["models"]["stable-us-central1"]["model"],
        "model_id": "chat",
        "only_behind": ["chat"],
    }
    with pytest.raises(HTTPError):
        printed.asked(emulator, line.replace('"chat"', '"stable"'))
    one.well("destroy")
    assert emulator.ledger()["empty"]


def test_a_model_that_had_an_endpoint_of_its_own_goes_behind_another_one_and_back(stack, emulator):
    one = stack("public-endpoint")

    def own(value):
        def change(config):
            environment = config["model-garden:environment"]
            environment["models"]["stable"]["own_endpoint"] = value
            environment["models"].pop("candidate", None)
            environment["models"]["stable"]["query_model_id"] = "chat"
            environment["endpoints"]["chat"].update(deployed_models={"stable": {"model": "stable"}})
            environment["endpoints"]["chat"].pop("traffic_split", None)
            environment["endpoints"]["chat"]["deployed_models"]["stable"]["machine_spec"] = dict(
                environment["models"]["stable"]["machine_spec"]
            )

        one.edit(change)

    own(True)
    one.well("up")
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 2}
    own(False)
    assert one.well("up") == {"update": 1}
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 1}
    assert one.well("preview") == {}
    own(True)
    assert one.well("up") == {"update": 1}
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 2}
    for line, address in printed.lines(one.outputs).values():
        printed.asked(emulator, line, address)
    one.well("destroy")
    assert emulator.ledger()["empty"]


def test_weights_buckets_with_the_projects_number_need_no_look_up(stack):
    one = stack("private-endpoint")
    one.edit(lambda config: config["model-garden:environment"].update(project_number=42))
    (member,) = [step["newState"] for step in one.digest("preview")["steps"] if "BucketIAMMember" in step["urn"]]
    assert member["inputs"]["member"] == "serviceAccount:service-42@gcp-sa-aiplatform.iam.gserviceaccount.com"


def test_a_private_stack_tells_what_other_teams_need(stack):
    one = stack("private-endpoint")
    one.well("up")
    told = one.outputs["models"]["llama-us-central1"]
    assert told["connection"] == "ACCEPTED"
    assert told["ip_address"].startswith("10.20.0.")
    assert told["url"] == "http://llama.us-central1.models.internal"
    assert "/serviceAttachments/" in told["service_attachment"]
    assert one.outputs["network"]["network"] == "projects/my-project/global/networks/models"
    one.well("destroy")


def test_a_previewed_address_is_the_one_that_stays_whatever_happens_to_its_rule(stack, emulator):
    one = stack("private-endpoint")
    one.edit(lambda config: private_of(config).update(addresses={"us-central1": "10.20.0.9"}))
    steps = one.digest("preview")["steps"]
    record = next(step["newState"] for step in steps if "RecordSet" in step["urn"])
    rule = next(step["newState"] for step in steps if "PscForwardingRule" in step["urn"])
    assert record["inputs"]["rrdatas"] == [rule["inputs"]["ip_address"]] == ["10.20.0.9"]
    one.well("up")
    call(f"{emulator.url}/compute/v1/{rule['inputs']['forwarding_rule']}", method="DELETE")
    emulator.advance(60)
    assert one.well("refresh") == {"update": 1}
    # The record is no part of it: its address is known to stay.
    assert one.well("preview") == {"update": 1}
    assert one.well("up") == {"update": 1}
    told = one.outputs["models"]["llama-us-central1"]
    assert (told["ip_address"], told["connection"]) == ("10.20.0.9", "ACCEPTED")
    one.well("destroy")


def private_of(config):
    return config["model-garden:environment"]["models"]["llama"]["private"]


def test_a_parked_model_keeps_its_address_and_is_connected_in_the_run_that_resumes_it(stack, emulator):
    one = stack("private-endpoint")
    one.well("up")
    before = one.outputs["models"]["llama-us-central1"]

    def park(value):
        one.edit(lambda config: config["model-garden:environment"]["models"]["llama"].update(parked=value))
        assert one.well("up") == {"update": 2}
        assert one.well("preview") == {}
        return one.outputs["models"]["llama-us-central1"]

    parked = park(True)
    assert (parked["ip_address"], parked["endpoint"]) == (before["ip_address"], before["endpoint"])
    emulator.advance(7200)
    resumed = park(False)
    assert (resumed["ip_address"], resumed["connection"]) == (before["ip_address"], "ACCEPTED")
    assert resumed["service_attachment"] != before["service_attachment"]
    one.well("destroy")


IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{8,}|20\d\d-[^\"]*Z")


BEFORE = """
import pulumi
from mg_provider import CustomWeightsModel, PscForwardingRule

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
connect = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}
for region, bucket in {"us-central1": "demo-weights", "europe-west4": "demo-weights-eu"}.items():
    model = CustomWeightsModel(
        f"llama-{region}", region=region, gcs_uri=f"gs://{bucket}/llama-toy/v1", machine_spec=L4,
        min_replica_count=1, max_replica_count=2, labels={"team": "search"}, private_service_connect_config=connect,
    )
    PscForwardingRule(
        f"llama-{region}", region=region, endpoint=model.endpoint, network="clients", subnetwork="clients-subnet"
    )
"""


def test_a_rule_that_the_endpoint_would_not_let_in_is_refused_before_a_gpu_is_paid_for(stack, emulator):
    one = stack("demo")
    one.edit(lambda config: private_of(config).update(allowlist=["client-project"]))
    code, _, errors = one.run("up")
    assert code == 1
    assert "environment.models.llama.private.allowlist: lacks my-project, in which the forwarding rules" in errors
    # Parts that stand by themselves, wired by their outputs.
    (one.folder / "stacks" / "__main__.py").write_text(BEFORE.replace('"my-project", ', ""))
    code, _, errors = one.run("preview")
    assert code == 1
    assert "my-project is not on the endpoint's project_allowlist, which has client-project" in errors
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("own_processes", [False, True])
def test_parts_that_stood_by_themselves_are_taken_over_by_the_components(stack, emulator, own_processes):
    one = stack("demo")
    program = one.folder / "stacks" / "__main__.py"
    now = program.read_text()
    program.write_text(BEFORE)
    one.well("up")
    ledger = emulator.ledger()["counts"]
    program.write_text(now)

    def reduce(config):
        environment = config["model-garden:environment"]
        llama = environment["models"]["llama"] | {"own_processes": own_processes}
        environment.update(models={"llama": llama}, endpoints={}, batch_jobs={})

    one.edit(reduce)
    made = {"create": 3 + 2 * own_processes, "update": 4}
    assert one.well("up") == made, "a fleet, two components, the fleet's processes; labels that tell of the new place"
    assert emulator.ledger()["counts"] == ledger
    assert one.well("preview") == {}
    one.well("destroy")
    assert emulator.ledger()["empty"]


def normal(resources, project):
    """A state without what must differ between projects: their names, and ids made from them."""
    return json.loads(IDS.sub("ID", json.dumps(resources, sort_keys=True).replace(project, "PROJECT")))


def test_the_same_config_in_a_second_project_differs_in_nothing_but_names_and_ids(stack, emulator):
    states = []
    for project in ("my-project", "your-project"):
        one = stack("private-endpoint", project)
        one.edit(lambda config, project=project: config.update({"gcp:project": project}))
        one.edit(lambda config, project=project: allow(config["model-garden:environment"]["allowlist"], project))
        one.well("up")
        states.append(normal(one.resources, project))
        one.well("destroy")
    first, second = ({each["urn"]: each for each in state} for state in states)
    assert differences(first, second) == []


def allow(allowlist, project):
    allowlist["projects"] = allowlist["perimeter_projects"] = [project, "client-project"]


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (
            lambda env: env["network"]["create"].update(ranges={"us-east1": "10.0.0.0/24"}),
            "no subnetwork in us-central1",
        ),
        (
            lambda env: env.update(network={"existing": {"network": "none", "subnetworks": {"us-central1": "none"}}}),
            "networks/none",
        ),
        (lambda env: env.update(network={"stack": {"stack": "organization/net/prod"}}), "has not been rehearsed"),
    ],
    ids=["no subnetwork", "no network", "no stack"],
)
def test_a_network_that_is_not_there_is_told_in_the_preview_and_nothing_is_made(stack, emulator, mistake, told):
    one = stack("private-endpoint")
    one.edit(lambda config: mistake(config["model-garden:environment"]))
    code, _, errors = one.run("preview")
    assert code == 1
    assert told in errors
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"subnetwork": "nowhere"}, "subnetworks/nowhere does not exist"),
        ({"network": "nowhere"}, "is in network projects/my-project/global/networks/clients, not in"),
        ({"addresses": {"us-central1": "10.9.9.9"}}, "10.9.9.9 is outside projects/my-project/regions/us-central1/"),
        ({"addresses": {"us-central1": "nobodys"}}, "addresses/nobodys does not exist"),
    ],
    ids=["no subnetwork", "another network", "outside", "not reserved"],
)
def test_a_place_that_cannot_be_had_is_told_in_the_preview_before_anything_is_deployed(stack, emulator, mistake, told):
    one = stack("demo")
    one.edit(lambda config: private_of(config).update(mistake))
    code, _, errors = one.run("preview")
    assert code == 1
    assert told in errors
    assert emulator.ledger()["empty"]
    one.edit(lambda config: private_of(config).update(look_up=False))
    assert set(one.well("preview")) == {"create"}


@pytest.mark.parametrize("look_up", [None, True, False])
def test_an_existing_network_is_asked_for_the_address_too_unless_it_is_not_to_be_looked_at(stack, emulator, look_up):
    there = {"network": "clients", "subnetworks": {"us-central1": "clients-subnet"}}

    def use(config):
        config["model-garden:environment"]["network"] = {
            "existing": there | ({} if look_up is None else {"look_up": look_up})
        }
        private_of(config).update(addresses={"us-central1": "10.9.9.9"})

    one = stack("private-endpoint")
    one.edit(use)
    code, _, errors = one.run("preview")
    assert (code, "10.9.9.9 is outside" in errors) == ((0, False) if look_up is False else (1, True))
    assert emulator.ledger()["empty"]


def test_a_model_takes_choices_of_machines_spot_and_how_it_rolls_out(stack, emulator):
    one = stack("public-endpoint")
    choices = [
        {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
        {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1},
    ]
    emulator.behave(stockouts=["us-central1/g2-standard-12"])

    def take(config):
        environment = config["model-garden:environment"]
        name = next(iter(environment["models"]))
        model = {"gcs_uri": "gs://my-weights/llama/v1", "regions": ["us-central1"], "machine_spec": choices}
        model |= {"spot": True, "rollout": {"strategy": "recreate"}, "preflight": False}
        environment.update(models={name: model}, endpoints={})

    one.edit(take)
    one.well("up")
    (model,) = [each for each in one.resources if each["type"].endswith("CustomWeightsModel")]
    assert model["outputs"]["machine_type"] == "a2-highgpu-1g"
    assert (model["inputs"]["spot"], model["inputs"]["rollout"]) == (True, {"strategy": "recreate"})
    one.well("destroy")


def test_a_batch_says_whether_its_input_is_checked_how_much_may_fail_and_that_its_output_goes(stack, emulator):
    one = stack("nightly-batch")
    put(emulator, "questions/two.jsonl", b'{"body": "no object"}\n', "my-weights")
    code, _, errors = one.run("up")
    assert code == 1
    assert "two.jsonl" in errors

    def risk_it(config):
        job = config["model-garden:environment"]["batch_jobs"]["nightly"]
        job.update(preflight=False, allow_partial=1, delete_output=True, labels={"team": "search"})

    one.edit(risk_it)
    one.well("up")
    assert one.outputs["batch_jobs"]["nightly"]["output"].startswith("gs://my-weights/answers")
    assert any(name.startswith("answers/") for name in objects(emulator, "my-weights"))
    one.well("destroy")
    assert emulator.ledger()["empty"]
    assert not any(name.startswith("answers/") for name in objects(emulator, "my-weights"))
