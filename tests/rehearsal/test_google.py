"""The stand-ins of a rehearsal: pulumi-gcp's resources and functions, and references to other stacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mg_provider.command_line.exits import USAGE
from mg_provider.emulator import Emulator
from mg_provider.rehearsal.command import rehearse
from tests.conformance.engines import STACK, RehearsalWorld

NETWORK = (
    "def res(token, label, opts=None, **props):\n"
    "    return pulumi.CustomResource(token, label, {'selfLink': None, **props}, opts)\n"
    "network = res('gcp:compute/network:Network', 'net', name='prod', autoCreateSubnetworks=False)\n"
)
SUBNETWORK = (
    "subnetwork = res('gcp:compute/subnetwork:Subnetwork', 'sub', name='psc', region='us-central1',\n"
    "    network=network.id, ipCidrRange='10.7.0.0/28')\n"
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, virtualenv: str, emulator: Emulator) -> RehearsalWorld:
    world = RehearsalWorld(tmp_path / "world", virtualenv)
    for key, value in world.environment.items():
        monkeypatch.setenv(key, value)
    world.config(gcp__project="my-project", gcp__computeCustomEndpoint=f"{emulator.url}/compute/v1/")
    return world


def test_a_network_is_made_in_the_emulator_kept_and_deleted_in_order(world: RehearsalWorld, emulator: Emulator) -> None:
    emulator.behave(strict_networks=True)
    world.program(NETWORK + SUBNETWORK + "pulumi.export('link', network.selfLink)\n")
    outcome = world.up()
    assert outcome.outputs["link"].endswith("/compute/v1/projects/my-project/global/networks/prod")
    assert outcome.resource("sub")["inputs"]["network"] == "projects/my-project/global/networks/prod"
    assert emulator.ledger()["counts"] == {"compute.Network": 1, "compute.Subnetwork": 1}
    assert world.do("preview").operations() == []
    assert [step["result"] for step in world.do("refresh").steps if "result" in step and step["result"] != "same"] == []
    assert world.do("destroy").ok
    assert emulator.ledger()["empty"]


def test_what_cannot_be_changed_is_replaced_and_frees_its_name_first(world: RehearsalWorld) -> None:
    world.program(NETWORK + SUBNETWORK)
    world.up()
    world.program(NETWORK + SUBNETWORK.replace("10.7", "10.8"))
    assert world.up().operations() == ["delete-replaced sub", "create-replacement sub"]
    world.program(NETWORK + SUBNETWORK.replace("10.7.0.0/28'", "10.8.0.0/28', privateIpGoogleAccess=True"))
    assert world.up().operations() == ["update sub"]


def test_a_network_deleted_by_somebody_else_is_found_out_by_refresh(world: RehearsalWorld, emulator: Emulator) -> None:
    world.program(NETWORK)
    world.up()
    emulator.reset()
    emulator.behave(strict_networks=True)
    assert "net" not in world.do("refresh").names()


def test_an_unknown_network_is_unknown_in_a_preview_and_no_error(world: RehearsalWorld) -> None:
    world.program(NETWORK + SUBNETWORK)
    assert world.do("preview").operations()[-2:] == ["create net", "create sub"]


def test_a_name_that_is_taken_is_refused_as_the_cloud_does(world: RehearsalWorld) -> None:
    record = "res('gcp:dns/recordSet:RecordSet', '{0}', name='a.x.', managedZone='z', type='A', rrdatas=['{1}'])\n"
    world.program(NETWORK + record.format("one", "10.0.0.1") + record.format("two", "10.0.0.2"))
    outcome = world.do("up")
    assert not outcome.ok
    assert "already exists" in outcome.errors[0]


def test_a_missing_argument_is_told_by_its_name(world: RehearsalWorld) -> None:
    world.program(NETWORK + "res('gcp:dns/managedZone:ManagedZone', 'zone', name='z')\n")
    assert "dnsName" in "".join(world.do("preview").errors)


def test_functions_look_into_the_emulator_and_into_the_config(world: RehearsalWorld, emulator: Emulator) -> None:
    emulator.behave(strict_networks=True)
    ask = "pulumi.runtime.invoke('gcp:{0}', {1}).value"
    project = ask.format("organizations/getProject:getProject", {"projectId": "other"})
    world.program(f"pulumi.export('number', {project}['number'])\n")
    assert world.up().outputs["number"].isdigit()
    network = {"name": "missing", "project": "my-project"}
    world.program(ask.format("compute/getNetwork:getNetwork", network) + "\n")
    assert "projects/my-project/global/networks/missing not found" in " ".join(world.do("preview").errors)


def test_an_explicit_provider_has_a_config_of_its_own(world: RehearsalWorld) -> None:
    world.program(
        "other = pulumi.ProviderResource('gcp', 'other', {'project': 'other-project'})\n"
        + NETWORK.replace("autoCreate", "opts=opts(provider=other), autoCreate")
    )
    outcome = world.up()
    assert outcome.resource("net")["outputs"]["selfLink"].endswith("projects/other-project/global/networks/prod")
    assert world.do("destroy").ok


def test_an_explicit_provider_may_not_leave_this_machine(world: RehearsalWorld) -> None:
    world.program(
        "other = pulumi.ProviderResource('gcp', 'other', {'computeCustomEndpoint': 'https://compute.example/'})\n"
    )
    assert "not on this machine" in world.do("up").errors[0]


def test_another_package_or_an_unplayed_type_is_refused_by_name(world: RehearsalWorld) -> None:
    world.program("pulumi.CustomResource('aws:s3/bucket:Bucket', 'b', {})\n")
    assert "aws:s3/bucket:Bucket is not rehearsed" in world.do("up").errors[0]
    world.program("pulumi.CustomResource('gcp:pubsub/topic:Topic', 't', {})\n")
    assert "gcp:pubsub/topic:Topic, which is not rehearsed" in world.do("up").errors[0]


def test_a_stack_reads_the_outputs_of_another_one_with_its_secrets(world: RehearsalWorld) -> None:
    world.program("pulumi.export('network', 'prod')\npulumi.export('token', pulumi.Output.secret('hunter2'))\n")
    base = world.folder / "base.json"
    assert rehearse("up", "base", world.folder, base, config={"gcp:computeCustomEndpoint": "http://127.0.0.1:1"}) == 0
    reference = "other = pulumi.StackReference('organization/toys/{0}')\n"
    world.program(
        reference.format("base")
        + "pulumi.export('got', other.get_output('network'))\npulumi.export('secret', other.get_output('token'))\n"
    )
    outcome = world.up()
    assert outcome.outputs["got"] == "prod"
    assert outcome.outputs["secret"] == {"secret": "hunter2"}
    assert world.do("preview").operations() == ["read organization/toys/base"]
    assert world.do("refresh").ok
    assert world.do("destroy").ok
    world.program(reference.format("missing"))
    assert "has not been rehearsed" in world.do("up").errors[0]


def test_a_remote_compute_endpoint_is_refused_before_anything_runs(
    world: RehearsalWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"gcp:computeCustomEndpoint": "https://compute.googleapis.com/compute/v1/"}
    assert rehearse("up", STACK, world.folder, world.state_file, config=config) == USAGE
    assert "not on this machine" in capsys.readouterr().err
