"""What `mg import` makes, and a life that begins with it."""

import json
from dataclasses import dataclass

import mg_provider
from mg_provider.importing.command import Options, import_things
from tests.stacks.folder import custom_endpoints
from tests.support.lives.endpoints import L4
from tests.support.lives.life import Life
from tests.support.samples import batch
from tests.support.samples.weights import call

PARENT = "projects/my-project/locations/us-central1"
REGION = "projects/my-project/regions/us-central1"


@dataclass
class Outcome:
    """What one command did: its exit code, the program, the import file, what it said, and what it asked for."""

    code: int
    program: str
    resources: list
    said: str
    requests: list

    @property
    def changes(self):
        """The requests that were not reads."""
        return [entry for entry in self.requests if entry["method"] != "GET"]

    @property
    def flat(self):
        """What it said, on one line."""
        return " ".join(self.said.split())

    def resource(self, name):
        return next(entry for entry in self.resources if entry["name"] == name)


def settings(emulator, **more):
    return {**custom_endpoints(emulator.url), "mg:project": "my-project", "mg:region": "us-central1", **more}


def run_import(emulator, folder, *resources, config=None, **options):
    """`mg import` of these, into a folder."""
    file, program, said = folder / "import.json", [], []
    since = len(emulator.requests())
    code = import_things(
        resources,
        Options(file=file, overwrite=True, **options),
        {**settings(emulator), **(config or {})},
        write=program.append,
        complain=said.append,
    )
    made = json.loads(file.read_text())["resources"] if code == 0 else []
    return Outcome(code, "".join(program), made, "".join(said), emulator.requests()[since:])


def arguments(outcome):
    """What the program gives each resource, by its name: the program is run, with classes that only note it."""
    given = {}

    class Noted:
        def __init__(self, name, **values):
            given[name] = values
            self.endpoint = outcome.resource(name)["outputs"].get("endpoint")

    body = "\n".join(line for line in outcome.program.splitlines() if not line.startswith("from mg_provider import"))
    exec(body, {kind: Noted for kind in mg_provider.__all__})
    return given


def life_of(host, outcome, provider_type, name):
    """A life that begins with a resource that was imported, and what its program says."""
    entry = outcome.resource(name)
    life = Life(host, provider_type, name=name)
    life.id = entry["id"]
    life.inputs = {key: value for key, value in entry["inputs"].items() if key != "__provider"}
    life.outputs = {key: value for key, value in entry["outputs"].items() if key != "__provider"}
    return life, arguments(outcome)[name]


def private_endpoint(hand):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    endpoint = hand.make_endpoint(privateServiceConnectConfig=config)
    hand.deploy(endpoint, hand.upload(), {"0": 100})
    return endpoint


def make_rule(emulator, hand, endpoint, address="way"):
    """A rule to an endpoint's service attachment."""
    rule_to(emulator, hand.endpoint(endpoint)["deployedModels"][0]["privateEndpoints"]["serviceAttachment"], address)


def rule_to(emulator, target, address="way"):
    """As gcloud makes it: an address, then a rule to the service attachment."""
    compute = f"{emulator.url}/compute/v1/{REGION}"
    subnetwork = f"{REGION}/subnetworks/default"
    call(f"{compute}/addresses", {"name": address, "addressType": "INTERNAL", "subnetwork": subnetwork})
    emulator.advance(60)
    body = {
        "name": "way",
        "IPAddress": f"{REGION}/addresses/{address}",
        "network": "projects/my-project/global/networks/default",
        "target": target,
    }
    call(f"{compute}/forwardingRules", body)
    emulator.advance(60)


def job_body():
    """A job over the questions in the bucket, as the API takes it."""
    given = batch.arguments()
    spec = {"machineType": L4["machine_type"], "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
    return {
        "displayName": "by hand",
        "model": given["model"],
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": given["input_config"]["gcs_source"]},
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": given["output_config"]["gcs_destination"]["output_uri_prefix"]},
        },
        "dedicatedResources": {"machineSpec": spec, "startingReplicaCount": 1},
    }
