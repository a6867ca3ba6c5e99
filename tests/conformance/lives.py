"""Lives of resources: small programs, edits and operations, and what both engines must make of them."""

from __future__ import annotations

from tests.conformance.engines import World
from tests.conformance.registry import scenario

ROOT = "toys-test"


@scenario
def create_then_nothing_to_do(world: World) -> None:
    world.program("Thing('a', size=1)\n")
    assert world.up().operations() == [f"create {ROOT}", "create a"]
    assert world.up().operations() == []
    assert world.journal() == ["create a"]


@scenario
def update_in_place_shows_the_property(world: World) -> None:
    world.program("Thing('a', size=1, tags={'x': 1, 'y.z': [1, 2]}, gone=1)\n")
    world.up()
    world.program("Thing('a', size=2, tags={'x': 2, 'y.z': [1, 3, 4], 'n': None}, added='yes')\n")
    outcome = world.up()
    assert outcome.step("update", "a")["detailed"] == {
        "size": "update",
        "tags.x": "update",
        'tags["y.z"][1]': "update",
        'tags["y.z"][2]': "add",
        "gone": "delete",
        "added": "add",
    }
    assert world.things()["a"]["size"] == 2


@scenario
def update_told_without_detail(world: World) -> None:
    world.program("Thing('a', size=1, mode='loud')\n")
    world.up()
    world.program("Thing('a', size=2, mode='loud')\n")
    assert world.up().step("update", "a")["detailed"] is None


@scenario
def replace_creates_first(world: World) -> None:
    world.program("Thing('a', zone='x')\n")
    world.up()
    world.program("Thing('a', zone='y')\n")
    assert world.do("preview").operations() == ["create-replacement a", "delete-replaced a"]
    outcome = world.up()
    assert outcome.operations() == ["create-replacement a", "delete-replaced a"]
    assert outcome.step("replace", "a")["keys"] == ["zone"]
    assert world.journal() == ["create a", "create a", "delete a"]
    assert world.count() == 1


@scenario
def replace_deletes_first_when_the_provider_says_so(world: World) -> None:
    world.program("Thing('a', slot='x')\n")
    world.up()
    world.program("Thing('a', slot='y')\n")
    assert world.up().operations() == ["delete-replaced a", "create-replacement a"]
    assert world.journal() == ["create a", "delete a", "create a"]


@scenario
def the_program_may_ask_to_delete_first(world: World) -> None:
    world.program("Thing('a', zone='x')\n")
    world.up()
    world.program("Thing('a', zone='y', opts=opts(delete_before_replace=True))\n")
    assert world.up().operations() == ["delete-replaced a", "create-replacement a"]


@scenario
def delete_first_takes_dependents_along(world: World) -> None:
    text = (
        "a = Thing('a', slot='{}')\nb = Thing('b', zone=a.address)\nc = Thing('c', size=1, opts=opts(depends_on=[b]))\n"
    )
    world.program(text.format("x") + "d = Thing('d', note=a.key)\n")
    world.up()
    world.journal()
    world.program(text.format("y") + "d = Thing('d', note=a.key)\n")
    outcome = world.up()
    assert world.journal()[:2] == ["delete b", "delete a"]
    assert "create-replacement b" in outcome.operations()
    assert "update d" not in outcome.operations()
    assert world.count() == 4


@scenario
def create_order_follows_dependencies_and_destroy_reverses_it(world: World) -> None:
    world.program(
        "a = Thing('a')\nb = Thing('b', note=a.address)\nc = Thing('c', note=b.address)\n"
        "d = Thing('d', opts=opts(depends_on=[c]))\n"
    )
    world.up()
    assert world.journal() == ["create a", "create b", "create c", "create d"]
    outcome = world.do("destroy")
    assert outcome.ok
    assert world.journal() == ["delete d", "delete c", "delete b", "delete a"]
    assert outcome.resources == []


@scenario
def preview_knows_checked_inputs_and_leaves_the_rest_unknown(world: World) -> None:
    world.program(
        "a = Thing('a', size=1)\nb = Thing('b', note=a.key, tier_of_a=a.tier if hasattr(a, 'tier') else 'x')\n"
        "pulumi.export('size', a.size)\npulumi.export('key', a.key)\n"
    )
    outcome = world.do("preview")
    assert outcome.ok
    assert outcome.operations() == [f"create {ROOT}", "create a", "create b"]
    assert world.journal() == []
    world.up()
    world.program(
        "a = Thing('a', size=2)\nb = Thing('b', note=a.key)\nc = Thing('c', zone=b.id)\npulumi.export('key', a.key)\n"
    )
    outcome = world.do("preview")
    assert outcome.step("update", "b")["detailed"]["note"] == "update"
    assert world.things()["a"]["size"] == 1


@scenario
def secrets_stay_secret(world: World) -> None:
    world.program(
        "s = pulumi.Output.secret\n"
        "a = Thing('a', token=s('hunter2'), nested={'in': s('hunter3'), 'out': 1}, items=['x', s('hunter4')])\n"
        "b = Thing('b', note=a.token if hasattr(a, 'token') else '', opts=opts(additional_secret_outputs=['key']))\n"
        "pulumi.export('plain', a.address)\npulumi.export('key', b.key)\npulumi.export('given', s({'deep': ['x']}))\n"
    )
    outcome = world.up()
    assert outcome.resource("a")["outputs"]["token"] == {"secret": "hunter2"}
    assert outcome.resource("b")["outputs"]["key"] == {"secret": "key-0"} or outcome.resource("b")["outputs"]["key"]
    assert outcome.outputs["plain"] == "a.toy"
    assert outcome.outputs["key"]["secret"]
    assert world.things()["a"]["token"] == "hunter2"
    assert world.up().operations() == []


@scenario
def a_value_that_becomes_secret_is_no_change_in_the_cloud(world: World) -> None:
    world.program("Thing('a', token='x')\n")
    world.up()
    world.program("Thing('a', token=pulumi.Output.secret('x'))\n")
    outcome = world.up()
    assert outcome.operations() == []
    assert outcome.resource("a")["inputs"]["token"] == {"secret": "x"}


@scenario
def refresh_finds_drift_and_up_heals_it(world: World) -> None:
    world.program("Thing('a', size=1)\nThing('b', size=1)\n")
    world.up()
    assert world.do("refresh").step("refresh-same", "a")
    world.edit("a", size=5)
    outcome = world.do("refresh")
    assert outcome.step("refresh-update", "a")["detailed"] == {"size": "update"}
    assert outcome.resource("a")["inputs"]["size"] == 5
    assert world.up().operations() == ["update a"]
    assert world.things()["a"]["size"] == 1


@scenario
def refresh_forgets_what_is_gone_and_up_makes_it_again(world: World) -> None:
    world.program("a = Thing('a')\nThing('b', note=a.address, opts=opts(depends_on=[a]))\n")
    world.up()
    world.vanish("a")
    outcome = world.do("refresh")
    assert "a" not in outcome.names()
    assert outcome.resource("b")["dependencies"] == []
    assert world.up().operations() == ["create a"]


@scenario
def a_failed_read_removes_nothing(world: World) -> None:
    world.program("Thing('a')\n")
    world.up()
    world.fail(read__a="error")
    outcome = world.do("refresh")
    assert not outcome.ok
    assert "a" in outcome.names()


@scenario
def failure_half_way_and_again(world: World) -> None:
    world.program("a = Thing('a')\nb = Thing('b', note=a.address)\nc = Thing('c', note=b.address)\n")
    world.fail(create__b="error")
    outcome = world.do("up")
    assert not outcome.ok
    assert "no room for b" in outcome.errors[0]
    assert world.journal() == ["create a", "create b"]
    assert "b" not in outcome.names()
    world.fail()
    assert world.up().operations() == ["create b", "create c"]
    assert world.count() == 3


@scenario
def a_created_but_unready_resource_is_kept_and_continued(world: World) -> None:
    world.program("a = Thing('a', size=1, token=pulumi.Output.secret('x'))\n")
    world.fail(create__a="partial")
    outcome = world.do("up")
    assert not outcome.ok
    assert outcome.resource("a")["initErrors"] == ["cold"]
    world.fail()
    assert world.up().operations() == ["update a"]
    assert world.count() == 1
    assert "initErrors" not in world.up().resource("a")


@scenario
def an_update_half_way_is_tried_again(world: World) -> None:
    world.program("Thing('a', size=1)\n")
    world.up()
    world.program("Thing('a', size=2)\n")
    world.fail(update__a="partial")
    outcome = world.do("up")
    assert outcome.resource("a")["inputs"]["size"] == 1
    assert outcome.resource("a")["initErrors"] == ["half"]
    world.fail()
    assert world.up().operations() == ["update a"]


@scenario
def a_failed_update_changes_nothing(world: World) -> None:
    world.program("Thing('a', size=1)\n")
    world.up()
    world.program("Thing('a', size=2)\n")
    world.fail(update__a="error")
    outcome = world.do("up")
    assert not outcome.ok
    assert outcome.resource("a")["inputs"]["size"] == 1


@scenario
def a_failed_replacement_keeps_the_old(world: World) -> None:
    world.program("Thing('a', zone='x')\n")
    world.up()
    world.program("Thing('a', zone='y')\n")
    world.fail(create__a="error")
    assert not world.do("up").ok
    assert world.things()["a"]["zone"] == "x"
    world.fail(delete__a="error")
    outcome = world.do("up")
    assert not outcome.ok
    assert outcome.names().count("a") == 2
    world.fail()
    assert world.up().operations() == ["delete-replaced a"]
    assert world.things()["a"]["zone"] == "y"


@scenario
def deleted_first_and_not_created_is_remembered(world: World) -> None:
    world.program("Thing('a', slot='x')\n")
    world.up()
    world.program("Thing('a', slot='y')\n")
    world.fail(create__a="error")
    outcome = world.do("up")
    assert not outcome.ok
    assert outcome.resource("a")["pendingReplacement"]
    assert world.do("preview").step("replace", "a")
    world.fail()
    assert "create-replacement a" in world.up().operations()
    assert world.count() == 1


@scenario
def a_failed_delete_is_tried_again(world: World) -> None:
    world.program("a = Thing('a')\nThing('b', note=a.address)\n")
    world.up()
    world.fail(delete__b="error")
    outcome = world.do("destroy")
    assert not outcome.ok
    assert world.count() == 2
    assert "a" in outcome.names()
    world.fail()
    assert world.do("destroy").resources == []


@scenario
def a_resource_that_the_program_drops_is_deleted_after_the_rest(world: World) -> None:
    world.program("a = Thing('a')\nb = Thing('b', note=a.address)\n")
    world.up()
    world.journal()
    world.program("Thing('c')\n")
    assert world.up().operations() == ["create c", "delete b", "delete a"]
    assert world.journal() == ["create c", "delete b", "delete a"]
