"""Outputs, components, providers, aliases and resource options: what both engines must make of them."""

from __future__ import annotations

from tests.conformance.engines import World
from tests.conformance.registry import scenario

ROOT = "toys-test"


@scenario
def stack_outputs_of_every_kind(world: World) -> None:
    world.program(
        "a = Thing('a', size=1)\n"
        "pulumi.export('number', 1.5)\npulumi.export('truth', True)\npulumi.export('nothing', None)\n"
        "pulumi.export('list', [1, a.address, {'deep': a.size}])\npulumi.export('zero', 0)\npulumi.export('text', '')\n"
    )
    assert world.up().outputs["list"] == [1, "a.toy", {"deep": 1}]
    world.program("a = Thing('a', size=1)\npulumi.export('number', 2)\n")
    assert world.up().outputs == {"number": 2}


@scenario
def components_hold_their_children(world: World) -> None:
    world.program(
        "g = Group('g')\nh = Group('h', opts=opts(parent=g))\na = Thing('a', opts=opts(parent=h))\n"
        "h.register_outputs({'address': a.address})\ng.register_outputs({})\n"
        "Thing('b', opts=opts(depends_on=[g]))\n"
    )
    outcome = world.up()
    assert "toy:index:Group$toy:index:Group$pulumi-python:dynamic/toy:Thing::a" in outcome.resource("a")["urn"]
    assert outcome.resource("h")["outputs"] == {"address": "a.toy"}
    assert world.up().operations() == []
    world.journal()
    world.do("destroy")
    assert world.journal() == ["delete b", "delete a"]


@scenario
def explicit_providers_are_processes_of_their_own(world: World) -> None:
    text = (
        "p = pulumi.ProviderResource('pulumi-python', 'p', {{'toy:owner': '{}'}})\n"
        "a = ConfiguredThing('a', opts=opts(provider=p))\nb = ConfiguredThing('b')\n"
        "pulumi.export('owners', [a.owner, b.owner])\n"
        "pulumi.export('apart', pulumi.Output.all(a.pid, b.pid).apply(lambda pids: pids[0] != pids[1]))\n"
    )
    world.config(toy__owner="carol")
    world.program(text.format("alice"))
    outcome = world.up()
    assert outcome.outputs == {"owners": ["alice", "carol"], "apart": True}
    world.program(text.format("bob"))
    outcome = world.up()
    assert outcome.operations() == ["update p"]
    assert world.do("destroy").resources == []


@scenario
def a_provider_may_be_inherited_and_configured_by_another_resource(world: World) -> None:
    world.program(
        "t = Thing('t')\np = pulumi.ProviderResource('pulumi-python', 'p', {'toy:owner': t.address})\n"
        "g = Group('g', opts=opts(providers=[p]))\na = ConfiguredThing('a', opts=opts(parent=g))\n"
        "pulumi.export('owner', a.owner)\n"
    )
    assert world.do("preview").ok
    assert world.up().outputs["owner"] == "t.toy"


@scenario
def renamed_with_an_alias(world: World) -> None:
    world.program("a = Thing('a', size=1)\nThing('x', note=a.address)\n")
    world.up()
    world.program(
        "a = Thing('b', label='a', size=1, opts=opts(aliases=[pulumi.Alias(name='a')]))\nThing('x', note=a.address)\n"
    )
    outcome = world.up()
    assert outcome.operations() == []
    assert outcome.resource("x")["dependencies"][0].endswith("::b")
    assert "a" not in outcome.names()
    assert world.journal().count("create a") == 1


@scenario
def moved_into_a_component_by_aliases(world: World) -> None:
    world.program("Thing('a', size=1)\ng = Group('g')\nThing('g-child', opts=opts(parent=g))\n")
    world.up()
    world.program(
        "k = Group('k', 'toy:index:Crowd', opts=opts(aliases=[pulumi.Alias(name='g', type_='toy:index:Group')]))\n"
        "Thing('a', size=2, opts=opts(parent=k, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]))\n"
        "Thing('k-child', label='g-child', opts=opts(parent=k))\n"
    )
    outcome = world.up()
    assert outcome.operations() == ["update a"]
    assert outcome.resource("a")["urn"].split("::")[2] == "toy:index:Crowd$pulumi-python:dynamic/toy:Thing"
    assert world.count() == 2


@scenario
def ignored_changes_change_nothing(world: World) -> None:
    world.program("Thing('a', size=1, tags={'x': 1, 'y': 1}, zone='p')\n")
    world.up()
    world.program("Thing('a', size=2, tags={'x': 2, 'y': 2}, zone='q', opts=opts(ignore_changes=['tags.x', 'zone']))\n")
    outcome = world.up()
    assert outcome.step("update", "a")["detailed"] == {"size": "update", "tags.y": "update"}
    assert world.things()["a"]["tags"] == {"x": 1, "y": 2}
    assert world.things()["a"]["zone"] == "p"


@scenario
def protected_resources_stay(world: World) -> None:
    world.program("Thing('a', zone='x', opts=opts(protect=True))\n")
    world.up()
    assert not world.do("destroy").ok
    world.program("Thing('a', zone='y', opts=opts(protect=True))\n")
    assert not world.do("up").ok
    world.program("")
    assert not world.do("up").ok
    assert world.count() == 1
    world.program("Thing('a', zone='x')\n")
    world.up()
    assert world.do("destroy").ok
    assert world.count() == 0


@scenario
def retained_resources_leave_the_state_only(world: World) -> None:
    world.program("Thing('a', opts=opts(retain_on_delete=True))\n")
    world.up()
    world.program("")
    assert world.up().operations() == ["delete a"]
    assert world.count() == 1


@scenario
def deleted_with_another(world: World) -> None:
    world.program("a = Thing('a')\nThing('b', opts=opts(deleted_with=a))\n")
    world.up()
    world.journal()
    world.do("destroy")
    assert world.journal() == ["delete a"]


@scenario
def replace_on_changes_named_by_the_program(world: World) -> None:
    world.program("Thing('a', size=1, tags={'x': 1})\n")
    world.up()
    world.program("Thing('a', size=1, tags={'x': 2}, opts=opts(replace_on_changes=['tags.x']))\n")
    outcome = world.up()
    assert outcome.step("replace", "a")["detailed"] == {"tags.x": "update-replace"}


@scenario
def numbers_truth_and_nothing(world: World) -> None:
    world.program("Thing('a', size=1, ratio=0.5, on=True, off=False, none=None, deep={'n': None, 'z': 0}, empty=[])\n")
    outcome = world.up()
    assert outcome.resource("a")["inputs"]["ratio"] == 0.5
    assert "none" not in outcome.resource("a")["inputs"]
    assert world.up().operations() == []
    world.program("Thing('a', size=1.0, ratio=0.5, on=1, off=False, deep={'z': 0}, empty=[])\n")
    world.do("up")


@scenario
def failed_checks_name_every_property(world: World) -> None:
    world.program("Thing('a', size=-1, limit=-2)\n")
    for operation in ("preview", "up"):
        outcome = world.do(operation)
        assert not outcome.ok
        text = "\n".join(outcome.errors)
        assert "size" in text
        assert "limit" in text
    assert world.count() == 0


@scenario
def a_program_error_is_told_and_deletes_nothing(world: World) -> None:
    world.program("Thing('a')\npulumi.export('x', 1)\n")
    world.up()
    world.program("def broken():\n    raise ValueError('a wrong turn')\nbroken()\n")
    outcome = world.do("up")
    assert not outcome.ok
    assert "a wrong turn" in "\n".join(outcome.errors)
    assert "broken()" in "\n".join(outcome.errors)
    assert world.count() == 1
    assert "a" in outcome.names()


@scenario
def config_reaches_program_and_provider(world: World) -> None:
    world.config(toys__color="red", toy__owner="carol")
    world.program("a = ConfiguredThing('a', color=pulumi.Config().require('color'))\npulumi.export('owner', a.owner)\n")
    outcome = world.up()
    assert outcome.outputs["owner"] == "carol"
    assert world.things()["a"]["color"] == "red"
    world.config(toys__color="blue", toy__owner="dave")
    assert world.up().operations() == ["update a"]
    assert world.up().outputs["owner"] == "dave"


@scenario
def a_target_that_is_not_there_is_an_error(world: World) -> None:
    world.program("Thing('a', size=1)\nThing('b', size=1)\n")
    world.up()
    world.program("Thing('a', size=2)\nThing('b', size=2)\n")
    urn = "urn:pulumi:test::toys::pulumi-python:dynamic/toy:Thing::"
    outcome = world.do("up", targets=(f"{urn}a", f"{urn}nosuch"))
    assert not outcome.ok
    assert "nosuch' " in " ".join(outcome.errors)
    # The program says late which resources there are: what was found has changed by then.
    assert [thing["size"] for thing in world.things().values()] == [2, 1]
    # The state says it at once, so nothing is begun.
    assert not world.run("refresh", (f"{urn}nosuch",)).ok
    assert not world.run("destroy", (f"{urn}a", f"{urn}nosuch")).ok
    assert sorted(world.things()) == ["a", "b"]


@scenario
def only_the_targets_change(world: World) -> None:
    world.program("Thing('a', size=1)\nThing('b', size=1)\n")
    world.up()
    world.program("Thing('a', size=2)\nThing('b', size=2)\nThing('c')\n")
    assert world.up(targets=("a",)).operations() == ["update a"]
    assert world.things()["b"]["size"] == 1
    assert world.do("destroy", targets=("a",)).ok
    assert list(world.things()) == ["b"]


@scenario
def looking_at_what_others_manage(world: World) -> None:
    (world.cloud / "known-1.json").write_text('{"label": "known", "size": 7}', encoding="utf-8")
    world.program("a = Thing('a', opts=opts(id='known-1'))\nThing('b', note=a.key)\npulumi.export('size', a.size)\n")
    outcome = world.up()
    assert outcome.operations() == [f"create {ROOT}", "read a", "create b"]
    assert outcome.outputs["size"] == 7
    assert outcome.resource("a")["external"]
    assert world.do("destroy").ok
    assert world.count() == 1


@scenario
def type_changes_with_an_alias(world: World) -> None:
    world.program("Thing('a', size=1)\n")
    world.up()
    world.program(
        "ConfiguredThing('a', size=1, opts=opts(aliases=[pulumi.Alias(type_='pulumi-python:dynamic/toy:Thing')]))\n"
    )
    outcome = world.up()
    assert outcome.resource("a")["type"].endswith(":ConfiguredThing")
    assert world.count() == 1
