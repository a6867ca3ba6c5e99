"""What the rehearsal engine promises beyond doing what `pulumi` does."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mg_provider.command_line.exits import USAGE
from mg_provider.rehearsal.command import rehearse
from tests.conformance.engines import STACK, RehearsalWorld
from tests.rehearsal.apart import await_call, run_apart


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_run_whose_output_nobody_reads_any_more_goes_on_to_its_end(
    world: RehearsalWorld, options: tuple[str, ...]
) -> None:
    world.program("Thing('b', opts=opts(depends_on=[Thing('a')]))\n")
    with run_apart(world, *options) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 0
    made = json.loads(world.state_file.read_text(encoding="utf-8"))["deployment"]["resources"]
    assert {resource["urn"].rpartition("::")[2] for resource in made} >= {"a", "b"}


GADGETS = """
import os
from pathlib import Path
from pulumi.dynamic import Resource
from toycloud import ThingProvider
print("a module that talks")
os.write(1, b"and one that writes\\n")
cloud = Path(os.environ["TOY_CLOUD"])
if (cloud / "broken").exists():
    raise RuntimeError("a module that cannot be loaded")
with (cloud / "loaded").open("a") as loaded:
    loaded.write(f"{os.getpid()}\\n")
class GadgetProvider(ThingProvider):
    pass
class Gadget(Resource, module="toy", name="Gadget"):
    def __init__(self, name):
        super().__init__(GadgetProvider(), name, {"label": name})
"""


def test_a_provider_of_the_state_is_loaded_by_the_call_that_needs_it(world: RehearsalWorld) -> None:
    loaded = world.cloud / "loaded"
    (world.folder / "gadgets.py").write_text(GADGETS, encoding="utf-8")
    world.program("from gadgets import Gadget\nGadget('a')\nThing('b')\n")
    world.up()
    loaded.unlink()
    # Nothing of it is called here: its resource is not among the targets, and the program does not name it. Only
    # classes of this package are loaded ahead.
    world.program("Thing('b', size=2)\n")
    assert world.up(targets=("b",)).operations() == ["update b"]
    assert not loaded.exists()
    # One that cannot be loaded harms nobody but who needs it.
    (world.cloud / "broken").touch()
    world.program("Thing('b', size=3)\n")
    assert world.up(targets=("b",)).operations() == ["update b"]
    outcome = world.do("destroy", targets=("a",))
    assert not outcome.ok
    assert "a module that cannot be loaded" in outcome.errors[0]


def test_a_program_ends_as_any_process_does(plain_world: RehearsalWorld, tmp_path: Path) -> None:
    world = plain_world
    ended = tmp_path / "ended"
    world.program(
        "import atexit, threading\n"
        f"note = lambda text: open({str(ended)!r}, 'a').write(text)\n"
        "atexit.register(note, 'the exit function ran;')\n"
        "def late():\n"
        "    threading.main_thread().join()\n"
        "    note('the thread ended;')\n"
        "threading.Thread(target=late).start()\n"
    )
    assert world.up().ok
    assert ended.read_text(encoding="utf-8") == "the thread ended;the exit function ran;"


def test_as_many_operations_at_once_as_the_graph_allows(world: RehearsalWorld) -> None:
    # Each host serves four calls at a time, so three hosts serve twelve; every create waits for the other eleven.
    world.program(
        "ps = [pulumi.ProviderResource('pulumi-python', f'p{i}', {'n': str(i)}) for i in range(3)]\n"
        "for i in range(12):\n    Thing(f't{i}', crowd=12, opts=opts(provider=ps[i % 3]))\n"
    )
    world.up()
    assert world.count() == 12
    assert world.do("destroy").ok
    assert world.count() == 0


def test_changes_that_were_not_expected_are_a_failure(
    world: RehearsalWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.program("Thing('a')\n")
    assert world.rehearse("preview", expect_no_changes=True)[0] == 1
    said = capsys.readouterr().err
    assert said.startswith("error: no changes were expected in test, and there are 2\ndo: look at the changes above")
    assert world.rehearse("up")[0] == 0
    assert world.rehearse("preview", expect_no_changes=True)[0] == 0


def test_the_state_file_is_for_its_owner_only(world: RehearsalWorld) -> None:
    world.program("Thing('a', token=pulumi.Output.secret('hunter2'))\n")
    world.up()
    assert stat.S_IMODE(world.state_file.stat().st_mode) == 0o600


def test_a_second_run_at_the_same_time_is_refused(world: RehearsalWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.program("Thing('a')\n")
    world.fail(create__a="hang")
    with run_apart(world) as process:
        await_call(world, "create a", process)
        code = rehearse("up", STACK, world.folder, world.state_file)
        process.kill()
        process.wait()
    assert code == USAGE
    assert "another rehearsal runs" in capsys.readouterr().err


def test_the_preview_digest_has_the_shape_of_pulumis(world: RehearsalWorld) -> None:
    world.program("a = Thing('a', size=1, zone='x', token=pulumi.Output.secret('hunter2'))\n")
    world.up()
    world.program("a = Thing('a', size=2, zone='y', token=pulumi.Output.secret('hunter3'))\nThing('b', note=a.key)\n")
    lines: list[str] = []
    assert rehearse("preview", STACK, world.folder, world.state_file, as_json=True, write=lines.append) == 0
    text = "\n".join(lines)
    digest = json.loads(text)
    assert "hunter" not in text
    steps = {step["urn"].rsplit("::", 1)[-1]: step for step in digest["steps"]}
    assert steps["a"]["op"] == "replace"
    assert steps["a"]["replaceReasons"] == ["zone"]
    assert steps["a"]["detailedDiff"]["size"] == {"kind": "update", "inputDiff": True}
    assert steps["a"]["oldState"]["inputs"]["token"] == "[secret]"
    assert steps["b"]["newState"]["inputs"]["note"] == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert digest["changeSummary"] == {"create": 1, "replace": 1, "same": 1}
    assert isinstance(digest["duration"], int)
    world.program("a = Thing('a', size=1, zone='x', token=pulumi.Output.secret('hunter2'))\n")
    stays = {step["urn"].rsplit("::", 1)[-1]: step for step in world.digest(show_sames=True)["steps"]}["a"]
    assert (stays["op"], stays["newState"]["inputs"]["size"], stays["newState"]["inputs"]["token"]) == (
        "same",
        1,
        "[secret]",
    )


def test_people_see_a_line_for_each_change_and_the_outputs_without_secrets(world: RehearsalWorld) -> None:
    world.program(
        "a = Thing('a', size=1)\npulumi.export('key', pulumi.Output.secret(a.key))\n"
        "pulumi.export('address', a.address)\n"
    )
    parts: list[str] = []
    assert rehearse("up", STACK, world.folder, world.state_file, write=parts.append) == 0
    text = "".join(parts)
    assert "+ Thing a: created" in text
    assert "key: [secret]" in text
    assert "address: a.toy" in text


def test_people_see_what_changes_inside_a_value(world: RehearsalWorld) -> None:
    thing = "Thing('a', size={0}, note={{'labels': {{'team': '{0}'}}, 'ids': ['x', 'y'][:{0}]}})\n"
    world.program(thing.format(2))
    world.up()
    world.program(thing.format(1))
    parts: list[str] = []
    assert rehearse("preview", STACK, world.folder, world.state_file, write=parts.append) == 0
    lines = "".join(parts).splitlines()
    first = lines.index(" ~ Thing a: to update")
    assert lines[first + 1 : first + 4] == [
        '     - note.ids[1]: "y"',
        '     ~ note.labels.team: "2" => "1"',
        "     ~ size: 2 => 1",
    ]


def test_debug_messages_of_a_program_are_not_shown(world: RehearsalWorld) -> None:
    world.program("pulumi.log.debug('a detail', stream_id=1)\npulumi.log.info('a note')\nThing('a')\n")
    told: list[str] = []
    assert rehearse("preview", STACK, world.folder, world.state_file, write=told.append) == 0
    assert any("a note" in line for line in told)
    assert not any("a detail" in line for line in told)


def test_an_error_is_told_once_with_the_name_and_the_reason_first(world: RehearsalWorld) -> None:
    world.program("Thing('a')\n")
    world.fail(create__a="error")
    parts: list[str] = []
    assert rehearse("up", STACK, world.folder, world.state_file, write=parts.append) == 1
    text = "".join(parts)
    assert text.count("error:") == 1
    assert "error: a: no room for a\n" in text


def test_an_error_that_names_its_resource_itself_does_not_name_it_twice(world: RehearsalWorld) -> None:
    world.program("pulumi.log.error('a: too small', Thing('a'))\n")
    parts: list[str] = []
    assert rehearse("preview", STACK, world.folder, world.state_file, write=parts.append) == 1
    assert "error: a: too small\n" in "".join(parts)


def test_functions_of_other_packages_are_refused_by_name(world: RehearsalWorld) -> None:
    world.program("pulumi.runtime.invoke('gcp:compute/getZones:getZones', {})\n")
    outcome = world.do("up")
    assert not outcome.ok
    assert "gcp:compute/getZones:getZones is not rehearsed" in "\n".join(outcome.errors)


def test_resources_of_other_packages_are_refused_by_name(world: RehearsalWorld) -> None:
    world.program("pulumi.CustomResource('gcp:storage/bucket:Bucket', 'b', {})\n")
    outcome = world.do("up")
    assert not outcome.ok
    assert "gcp:storage/bucket:Bucket" in outcome.errors[0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"mg:vertexAiCustomEndpoint": "https://europe-west4-aiplatform.googleapis.com"}, "not on this machine"),
        ({"toys:webhook": "https://example.com/hook"}, "not on this machine"),
        ({"mg:project": "my-project"}, "no custom endpoint"),
    ],
)
def test_addresses_off_this_machine_are_refused(
    world: RehearsalWorld, capsys: pytest.CaptureFixture[str], config: dict[str, str], words: str
) -> None:
    assert rehearse("up", STACK, world.folder, world.state_file, config=config) == USAGE
    assert words in capsys.readouterr().err
    assert world.journal() == []


def test_an_explicit_provider_may_not_leave_this_machine_either(world: RehearsalWorld) -> None:
    world.program(
        "p = pulumi.ProviderResource('pulumi-python', 'p', {'mg:vertexAiCustomEndpoint': 'https://example.com'})\n"
        "Thing('a', opts=opts(provider=p))\n"
    )
    outcome = world.do("up")
    assert not outcome.ok
    assert "not on this machine" in outcome.errors[0]


def test_encrypted_config_is_refused_in_words(world: RehearsalWorld, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / f"Pulumi.{STACK}.yaml").write_text("config:\n  toys:token:\n    secure: v1:abc\n", encoding="utf-8")
    assert rehearse("up", STACK, world.folder, world.state_file) == USAGE
    assert "toys:token is encrypted" in capsys.readouterr().err


def test_secret_config_is_masked_and_reaches_the_program(world: RehearsalWorld) -> None:
    world.program("Thing('a', token=pulumi.Config().require_secret('token'))\n")
    lines: list[str] = []
    code = rehearse(
        "up",
        STACK,
        world.folder,
        world.state_file,
        as_json=True,
        secrets={"toys:token": "hunter2"},
        write=lines.append,
    )
    assert code == 0
    assert "hunter2" not in "".join(lines)
    assert world.things()["a"]["token"] == "hunter2"


def test_the_children_know_that_it_is_a_rehearsal(world: RehearsalWorld) -> None:
    world.program("import os\npulumi.export('mark', os.environ['MG_REHEARSAL'])\n")
    assert world.up().outputs["mark"] == "1"


def test_importing_the_command_does_not_import_pulumi() -> None:
    code = "import sys, mg_provider.rehearsal.command; sys.exit('pulumi' in sys.modules or 'grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
