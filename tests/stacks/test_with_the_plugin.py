"""The same stacks on Pulumi's own engine with pulumi-gcp's own plugin, where both are on PATH."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.stacks.folder import StackFolder, custom_endpoints, live, told_by
from tests.stacks.test_lives import Stack
from tests.support.google.google_apis import PERIMETER, serving
from tests.support.running.pulumi_environment import STREAMED, alone_in
from tests.support.samples.weights import call, make_bucket, put_weights

NEEDED = ("pulumi", "pulumi-resource-gcp")
MISSING = [command for command in NEEDED if shutil.which(command) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not on PATH, so the stacks ran on stand-ins: {', '.join(MISSING)}"),
    pytest.mark.timeout(300),
]


class PluginStack(StackFolder):
    """On `pulumi` with the gcp plugin that is on PATH."""

    no_change = ("same", "read", "discard")

    def __init__(self, folder, emulator, google, name):
        super().__init__(folder, sys.prefix, name)
        self.environment = {**os.environ, **alone_in(folder), **STREAMED}
        theirs = {"gcp:accessToken": "none", "gcp:computeCustomEndpoint": f"{emulator.url}/compute/v1/"}
        self.edit(lambda config: config.update({**custom_endpoints(emulator.url), **theirs, **google.config}))
        self.call("stack", "init", name)
        self.lives_on(emulator)

    def call(self, *arguments):
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def state(self):
        return (
            json.loads(self.call("stack", "export", "--stack", self.name).stdout)["deployment"].get("resources") or []
        )

    def command(self, operation):
        sure = [] if operation == "preview" else ["--yes", "--skip-preview"]
        done = self.call(operation, "--stack", self.name, "--json", *sure)
        changes, errors = told_by(line for line in done.stdout.splitlines() if line.startswith("{"))
        return done.returncode, changes, errors + done.stderr

    @property
    def outputs(self):
        return json.loads(self.call("stack", "output", "--json", "--stack", self.name).stdout)


@pytest.fixture
def google(emulator):
    with serving(my_project="123456789012", client_project="210987654321") as apis:
        yield apis


@pytest.fixture
def stack(tmp_path, emulator, google):
    emulator.set_speed(1_000_000)
    emulator.behave(strict_networks=True)
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama/v1", "my-weights")
    return lambda name: PluginStack(tmp_path, emulator, google, name)


@pytest.mark.parametrize("name", ["private-endpoint", "multi-region"])
def test_a_stack_lives_and_leaves_nothing(stack, emulator, google, name):
    one = stack(name)

    def check():
        assert one.addresses
        assert all(ip for _, ip in one.addresses.values())
        records = {key[1].rstrip("."): record["rrdatas"] for key, record in google.records.items()}
        assert records == {told["dns"]: [told["ip_address"]] for told in one.outputs["models"].values()}

    live(one, emulator, check)
    assert google.empty


def test_a_network_that_is_there_and_a_perimeter_are_asked_and_extended(stack, emulator, google):
    one = stack("private-endpoint")
    call(
        f"{emulator.url}/_mg/compute/subnetworks",
        {"project": "my-project", "region": "us-central1", "name": "clients-subnet", "network": "clients"},
    )
    there = {"network": "clients", "subnetworks": {"us-central1": "clients-subnet"}}
    perimeter = google.perimeters[PERIMETER]["status"]

    def use(config):
        environment = config["model-garden:environment"]
        environment["network"] = {"existing": there}
        environment["allowlist"] = {"projects": ["my-project", "client-project"], "perimeter": PERIMETER}

    one.edit(use)
    code, _, told = one.run("preview")
    assert code != 0
    assert "my-project (number 123456789012)" in told
    assert emulator.ledger()["empty"]
    perimeter["resources"] = ["projects/123456789012"]
    one.edit(lambda config: config["model-garden:environment"]["allowlist"].update(add_to_perimeter=["client-project"]))
    one.well("up")
    assert sorted(perimeter["resources"]) == ["projects/123456789012", "projects/210987654321"]
    assert one.well("preview") == {}
    one.well("destroy")
    assert perimeter["resources"] == ["projects/123456789012"]
    assert emulator.ledger()["empty"]


def without_defaults(value):
    """Inputs without the plugin's notes on which of them it has filled."""
    if isinstance(value, dict):
        return {key: without_defaults(entry) for key, entry in value.items() if key != "__defaults"}
    return [without_defaults(entry) for entry in value] if isinstance(value, list) else value


def within(part, whole):
    """Whether everything in one value is in the other, which may have more keys."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(within(value, whole.get(key)) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return all(map(within, part, whole))
    return part == whole


def test_the_rehearsals_stand_in_makes_of_the_program_what_the_plugin_makes(stack, tmp_path, emulator):
    one = stack("private-endpoint")
    one.well("up")
    exported = json.loads(one.call("stack", "export", "--stack", one.name).stdout)["deployment"]["resources"]
    one.well("destroy")
    (tmp_path / "rehearsed").mkdir()
    other = Stack(tmp_path / "rehearsed", sys.prefix, emulator, one.name)
    number = {"projects/my-project": {"number": "123456789012"}}
    other.edit(lambda config: config.update({"rehearsal:existing": json.dumps(number)}))
    other.well("up")
    theirs, ours = (
        {each["urn"]: each for each in resources if each["type"].startswith("gcp:")}
        for resources in (exported, other.resources)
    )
    other.well("destroy")
    assert len(theirs) == 5
    assert ours.keys() == theirs.keys()
    for urn, mine in ours.items():
        real = theirs[urn]
        assert mine["id"] == real["id"]
        assert mine["inputs"] == without_defaults(real["inputs"])
        assert sorted(mine.get("dependencies", [])) == sorted(real.get("dependencies", []))
        # Of the outputs it has the ones that programs use; the plugin writes these three in a form of its own.
        told = {key: value for key, value in mine["outputs"].items() if key not in ("bucket", "network", "etag")}
        assert {key: value for key, value in told.items() if not within(value, real["outputs"].get(key))} == {}
