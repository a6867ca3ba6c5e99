"""A model that turns public or private, comes to have another name, or becomes one of a fleet: one replacement or none.

After each step there is in the cloud exactly what the program says; what was replaced is gone, what replaced it is not.
"""

import shutil
from dataclasses import dataclass

import pytest

from tests.stacks.test_lives import Stack, virtualenv  # noqa: F401 - a fixture
from tests.stacks.test_with_the_plugin import PluginStack
from tests.support.samples.weights import call, make_bucket, put_weights

PULUMI = pytest.param(
    "pulumi", marks=pytest.mark.skipif(not shutil.which("pulumi"), reason="pulumi is not on PATH: rehearsed alone")
)
ENGINES = ["rehearsal", PULUMI]
MODEL = {
    "gcs_uri": "gs://demo-weights/llama-toy/v1",
    "machine_spec": {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
}
PRIVATE = {"allowlist": ["my-project"], "network": "clients", "subnetwork": "clients-subnet"}
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Plain:
    """Of Google's other APIs nothing is used here but the project."""

    config: dict


@pytest.fixture
def engine(request):
    return getattr(request, "param", "rehearsal")


@pytest.fixture
def stack(engine, tmp_path, emulator, virtualenv):  # noqa: F811
    emulator.set_speed(1_000_000)
    make_bucket(emulator, "demo-weights", "US")
    for version in ("v1", "v2"):
        put_weights(emulator, f"llama-toy/{version}", "demo-weights")
    for region in ("us-central1", "us-east4"):
        there = {"project": "my-project", "region": region, "name": "clients-subnet", "network": "clients"}
        call(f"{emulator.url}/_mg/compute/subnetworks", there)
    if engine == "pulumi":
        return PluginStack(tmp_path, emulator, Plain({"gcp:project": "my-project"}), "demo")
    return Stack(tmp_path, virtualenv, emulator, "demo")


def models(stack, **models):
    def change(config):
        environment = config["model-garden:environment"]
        environment.update(models=models, endpoints={}, batch_jobs={}, regions=["us-central1"])

    stack.edit(change)


def exists(emulator):
    """How many there are of each kind."""
    return {kind.rpartition(".")[2]: count for kind, count in emulator.ledger()["counts"].items() if count}


def wanted(*, running, private=0, endpoints=1):
    served = {"Endpoint": endpoints, "Model": endpoints, "DeployedModel": endpoints if running else 0}
    rules = {"Address": private, "ForwardingRule": private if running else 0}
    return {kind: count for kind, count in {**served, **rules}.items() if count}


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.parametrize("parked", [False, True], ids=["running", "parked"])
def test_a_model_turns_public_and_private_again_by_one_replacement_each(stack, emulator, parked):
    state = {"parked": True} if parked else {}
    ways = [{"private": PRIVATE}, {}, {"private": PRIVATE}]
    for step, way in enumerate(ways):
        models(stack, llama={**MODEL, **state, **way})
        told = stack.well("preview")
        assert told.get("replace", 0) == (1 if step else 0)
        done = stack.well("up")
        assert done.get("replace", 0) == (1 if step else 0)
        assert exists(emulator) == wanted(running=not parked, private=len(way))
        assert stack.well("preview") == {}
    assert stack.well("refresh") == {}
    stack.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("parked", [False, True], ids=["running", "parked"])
def test_a_fleet_grows_and_shrinks_without_touching_the_region_that_stays(stack, emulator, parked):
    state = {"parked": True} if parked else {}
    both = ["us-central1", "us-east4"]
    before = None
    for regions in (both[:1], both, both[:1]):
        models(stack, llama={**MODEL, **state, "regions": regions, "private": PRIVATE})
        done = stack.well("up")
        assert "replace" not in done
        assert "update" not in done
        count = len(regions)
        assert exists(emulator) == wanted(running=not parked, private=count, endpoints=count)
        stays = stack.addresses["llama-us-central1"]
        assert stays == (before or stays)
        before = stays
    stack.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


PROGRAM = """
import pulumi
from mg_provider import CustomWeightsModel
from mg_provider.components import PrivateModelEndpoint, RegionalFleet

ROOT = pulumi.ROOT_STACK_RESOURCE
MODEL = {"gcs_uri": "gs://demo-weights/llama-toy/VERSION", "parked": PARKED, "machine_spec": {
    "machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}}
PLACE = {"region": "us-central1", "network": "clients", "subnetwork": "clients-subnet", "allowlist": ["my-project"]}


def private(name, opts=None):
    return PrivateModelEndpoint(name, model=MODEL, opts=opts, **PLACE)


def public(name, opts=None):
    return CustomWeightsModel(name, region="us-central1", opts=opts, **MODEL)


def called_before(name, **more):
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name, **more)])


def fleet(build, before):
    def member(place):
        return build(place.name, pulumi.ResourceOptions.merge(place.opts, called_before(before, parent=ROOT)))

    return RegionalFleet("fleet", regions=["us-central1"], build=member)


"""
STEPS = {
    "public, renamed": ['public("llama")', 'public("chat", called_before("llama"))'],
    "private, renamed": ['private("llama")', 'private("chat", called_before("llama"))'],
    "public, of a fleet": ['public("llama")', 'fleet(public, "llama")'],
    "private, of a fleet": ['private("llama")', 'fleet(private, "llama")'],
}


CASES = [(way, parked, "rehearsal") for way in STEPS for parked in (False, True)]
CASES.append(pytest.param("private, of a fleet", False, "pulumi", marks=PULUMI.marks))


@pytest.mark.parametrize(("way", "parked", "engine"), CASES, indirect=["engine"])
def test_what_is_renamed_or_becomes_one_of_a_fleet_stays_as_it_is(stack, emulator, way, parked):
    def write(step, version="v1"):
        text = PROGRAM.replace("VERSION", version).replace("PARKED", str(parked)) + step
        (stack.folder / "stacks" / "__main__.py").write_text(text + "\n")

    there = wanted(running=not parked, private=1 if way.startswith("private") else 0)
    first, second = STEPS[way]
    write(first)
    stack.well("up")
    ids = sorted(each["name"] for each in emulator.ledger()["resources"])
    write(second)
    done = stack.well("up")
    assert "replace" not in done
    assert exists(emulator) == there
    assert sorted(each["name"] for each in emulator.ledger()["resources"]) == ids
    assert stack.well("preview") == {}
    # Other weights after the move: what was made under the earlier name is still known to be its own.
    write(second, "v2")
    assert "replace" not in stack.well("up")
    assert exists(emulator) == there
    stack.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
