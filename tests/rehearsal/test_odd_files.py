"""Files and names that are odd end in a sentence, before anything is done, and never in an internal error."""

from __future__ import annotations

import base64
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mg_provider.command_line.exits import USAGE
from mg_provider.rehearsal.command import rehearse
from mg_provider.rehearsal.program.pickles import is_own_class
from tests.conformance.engines import STACK, RehearsalWorld

PROJECT = "name: shop\nruntime: python\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 12)
)
YAML: dict[str, bytes | str] = {
    "not UTF-8": b"name: \xff\xfe\n",
    "UTF-16": "name: shop\n".encode("utf-16"),
    "zero bytes": b"name: a\0b\n",
    "broken": "name: [\n",
    "tab": "name:\n\t- x\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a list": "[a, b]\n",
    "a text": "hello\n",
    "a number": "7\n",
    "key twice": "name: shop\nname: shop\n",
    "config key twice": f"{PROJECT}config:\n  mg:project: a\n  mg:project: b\n",
    "cycle in a list": f"{PROJECT}config:\n  a: &a [*a]\n",
    "cycle in a mapping": f"{PROJECT}config: &a\n  a: *a\n",
    "billion laughs": f"{PROJECT}config:\n" + "".join(f"  {line}\n" for line in BOMB.splitlines()),
    "billion merges": f"{PROJECT}config:\n  a: &a {{x: 1}}\n  b: {{<<: [*a, *a]}}\n",
    "not a number": f"{PROJECT}config:\n  a: .nan\n",
    "infinite": f"{PROJECT}config:\n  a: [-.inf]\n",
    "overflow": f"{PROJECT}config:\n  a: 1.0e+999\n",
    "huge integer": f"{PROJECT}config:\n  a: {'9' * 5000}\n",
    "huge hexadecimal": f"{PROJECT}config:\n  a: 0x{'f' * 5000}\n",
    "binary": f"{PROJECT}config:\n  a: !!binary aGVsbG8=\n",
    "a set": f"{PROJECT}config:\n  a: !!set {{x, y}}\n",
    "an object": f"{PROJECT}config:\n  a: !!python/object/apply:os.system [true]\n",
    "a number as key": f"{PROJECT}config:\n  1: x\n",
    "a list as key": f"{PROJECT}config:\n  ? [a]\n  : x\n",
    "null as key": f"{PROJECT}config:\n  ~: x\n",
    "too deep": f"{PROJECT}config:\n  a: {'[' * 200_000}{']' * 200_000}\n",
    "too long": f"{PROJECT}config:\n  a: {'x' * 2_000_000}\n",
    "config that no environment holds": f"{PROJECT}config:\n  a: {'x' * 200_000}\n",
    "config is a list": f"{PROJECT}config: [a]\n",
    "config is a text": f"{PROJECT}config: x\n",
}
PROJECTS: dict[str, str] = {
    "no name": "runtime: python\n",
    "name is a list": "name: [a]\nruntime: python\n",
    "name is a number": "name: 7\nruntime: python\n",
    "name leads out": "name: ../../x\nruntime: python\n",
    "name is two dots": "name: ..\nruntime: python\n",
    "no runtime": "name: shop\n",
    "runtime is a list": "name: shop\nruntime: [python]\n",
    "runtime is a number": "name: shop\nruntime: 3\n",
    "runtime without a name": "name: shop\nruntime: {}\n",
    "options is a text": "name: shop\nruntime: {name: python, options: x}\n",
    "virtualenv is a list": "name: shop\nruntime: {name: python, options: {virtualenv: [x]}}\n",
    "main is a list": f"{PROJECT}main: [x]\n",
    "main is a mapping": f"{PROJECT}main: {{a: b}}\n",
    "stackConfigDir is a list": f"{PROJECT}stackConfigDir: [x]\n",
}


def refused(capsys: pytest.CaptureFixture[str], folder: Path, stack: str = "dev", state: Path | None = None) -> str:
    """What is said where a rehearsal does not begin."""
    assert rehearse("preview", stack, folder, state) == USAGE
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert len(told) < 1000
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("content", [*YAML.values(), *PROJECTS.values()], ids=[*YAML, *PROJECTS])
def test_a_project_file_that_is_odd_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | str
) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(capsys, tmp_path)
    assert not (tmp_path / ".mg").exists()


@pytest.mark.parametrize("content", YAML.values(), ids=YAML)
def test_a_config_file_that_is_odd_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    if content == "name: shop\nname: shop\n" or b"Pulumi.dev.yaml" in refused(capsys, tmp_path).encode():
        return
    assert content == YAML["config that no environment holds"]


def test_dates_and_texts_of_config_stay_what_they_are(world: RehearsalWorld) -> None:
    (world.folder / f"Pulumi.{STACK}.yaml").write_text("config:\n  a: 2026-11-28\n  b: [2026-11-28, 1.5]\n")
    world.program(
        "config = pulumi.Config()\npulumi.export('a', config.get('a'))\npulumi.export('b', config.get('b'))\n"
    )
    assert world.up().outputs == {"a": "2026-11-28", "b": '["2026-11-28",1.5]'}


@pytest.mark.parametrize(
    "stack",
    ["../../x", "..", ".", "", "a/b", "/etc/x", "a\\b", "a\0b", "a b", "x" * 200, "dev\n", "organization/p/dev"],
)
def test_a_stack_whose_name_leads_out_of_the_folder_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stack: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(PROJECT)
    assert "is not the name of a stack" in refused(capsys, folder, stack)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["Pulumi.yaml"]


def test_a_stack_reference_reads_no_file_outside_of_the_states_folder(world: RehearsalWorld) -> None:
    for name in ("../../x", "..", "a/b/c/d", "../shop/dev", "a//b"):
        world.program(f"pulumi.StackReference({name!r})\n")
        outcome = world.do("up")
        assert not outcome.ok
        assert "is not the name of a stack" in outcome.errors[0]


def urn(name: str) -> str:
    return f"urn:pulumi:dev::shop::pulumi-python:dynamic/toy:Thing::{name}"


def state(change: Callable[[dict[str, Any]], object]) -> str:
    thing = {"urn": urn("a"), "type": "pulumi-python:dynamic/toy:Thing", "custom": True, "id": "a", "inputs": {"x": 1}}
    document = {"version": 3, "deployment": {"resources": [thing], "pending_operations": []}}
    change(document)
    return json.dumps(document)


def resource(**changes: Any) -> str:
    return state(lambda document: document["deployment"]["resources"][0].update(changes))


STATES: dict[str, bytes | str] = {
    "empty": "",
    "not UTF-8": b'{"version": 3, "deployment": {"resources": ["\xff\xfe"]}}',
    "a list": "[]",
    "null": "null",
    "a number": "3",
    "a text": '"x"',
    "no deployment": '{"version": 3}',
    "deployment is null": '{"version": 3, "deployment": null}',
    "deployment is a list": '{"version": 3, "deployment": []}',
    "no version": '{"deployment": {}}',
    "version is a list": '{"version": [3], "deployment": {}}',
    "version 2": '{"version": 2, "deployment": {}}',
    "key twice": '{"version": 3, "deployment": {}, "deployment": {}}',
    "resources is a text": '{"version": 3, "deployment": {"resources": "x"}}',
    "resources is a mapping": '{"version": 3, "deployment": {"resources": {"a": 1}}}',
    "resources of texts": '{"version": 3, "deployment": {"resources": ["x"]}}',
    "pending operations of texts": '{"version": 3, "deployment": {"pending_operations": ["x"]}}',
    "pending operation without a resource": '{"version": 3, "deployment": {"pending_operations": [{"type": "x"}]}}',
    "NaN": resource(inputs={"x": float("nan")}),
    "infinite": resource(outputs={"x": [float("-inf")]}),
    "overflow": resource().replace('"x": 1', '"x": 1e999'),
    "huge integer": resource().replace('"x": 1', f'"x": {"9" * 5000}'),
    "large integer": resource(inputs={"x": 10**400}),
    "too deep": '{"version": 3, "deployment": ' + "[" * 100_000,
    "deep properties": resource().replace('"x": 1', f'"x": {"[" * 400}{"]" * 400}'),
    "secret that is no JSON": resource(
        inputs={"x": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "{"}}
    ),
    "secret that is a number": resource(
        inputs={"x": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": 7}}
    ),
    "secret that is encrypted": resource(
        inputs={"x": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}}
    ),
    "urn is no URN": resource(urn="x"),
    "urn that ends early": resource(urn="urn:pulumi:dev::shop"),
    "provider is no reference": resource(provider="x"),
    "dependency is no URN": resource(dependencies=["x"]),
    "aliases of numbers": resource(aliases=[1]),
    "timeouts of texts": resource(customTimeouts={"create": "soon"}),
    "timeouts that are endless": resource(customTimeouts={"create": 1e300}),
    "dependencies of properties in a text": resource(propertyDependencies={"x": "y"}),
}
WRONG: dict[str, list[Any]] = {
    **{key: [None, 1, [], {}, True] for key in ("urn", "type")},
    **{key: [1, ["x"], {"a": 1}, True] for key in ("id", "parent", "provider", "created", "modified", "deletedWith")},
    **{key: [None, 1, "yes", [], {}] for key in ("custom",)},
    **{key: [1, "yes", [1], {}] for key in ("delete", "protect", "external", "pendingReplacement", "retainOnDelete")},
    **{key: [1, "x", ["x"], True] for key in ("inputs", "outputs", "propertyDependencies", "customTimeouts")},
    **{key: [1, "x", {"a": 1}, [1], [["x"]]] for key in ("dependencies", "aliases", "initErrors", "ignoreChanges")},
    **{key: [1, "x", {"a": 1}, [1], [["x"]]] for key in ("additionalSecretOutputs", "replaceOnChanges")},
}
STATES |= {
    f"{key} is {json.dumps(value)}": resource(**{key: value}) for key, values in WRONG.items() for value in values
}


@pytest.mark.parametrize("content", STATES.values(), ids=STATES)
def test_a_state_file_that_is_odd_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    file = tmp_path / "state.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for operation in ("preview", "refresh", "destroy"):
        assert rehearse(operation, "dev", tmp_path, file) == USAGE
    told = capsys.readouterr().err
    assert told.count("error: ") == 3
    assert str(file) in told or "encrypted secret" in told
    assert file.read_bytes() == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("place", ["folder", "below a file"])
def test_a_place_that_cannot_hold_a_state_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "folder").mkdir()
    refused(capsys, tmp_path, "dev", tmp_path / ("folder" if place == "folder" else "Pulumi.yaml/x.json"))


class Malicious:
    """Its pickle makes a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self._path), "w")


def test_a_malicious_provider_in_a_state_is_never_loaded(world: RehearsalWorld, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    world.program("Thing('a')\nThing('b')\n")
    world.up()
    document = json.loads(world.state_file.read_text(encoding="utf-8"))
    malicious = base64.b64encode(pickle.dumps(Malicious(proof), 4)).decode()
    for entry in document["deployment"]["resources"]:
        for properties in (entry.get("inputs", {}), entry.get("outputs", {})):
            if "__provider" in properties:
                properties["__provider"] = malicious
    world.state_file.write_text(json.dumps(document), encoding="utf-8")
    for operation in ("refresh", "destroy"):
        outcome = world.do(operation)
        assert not outcome.ok
        assert "code that no program has registered on this machine" in outcome.errors[0]
    # The program tells its own provider, which serves what is there.
    world.program("Thing('a', size=2)\nThing('b', size=2)\n")
    assert world.up().ok
    assert world.do("destroy").ok
    assert world.count() == 0
    assert not proof.exists()


def test_code_that_a_program_registered_here_goes_on_to_serve_its_resources(world: RehearsalWorld) -> None:
    world.program(
        "from pulumi.dynamic import CreateResult, Resource, ResourceProvider\n"
        "class Own(ResourceProvider):\n"
        "    def create(self, props):\n"
        "        return CreateResult('own', props)\n"
        "Resource.__init__(object.__new__(type('R', (Resource,), {})), Own(), 'r', {'x': 1})\n"
    )
    assert world.up().ok
    assert world.do("destroy").ok


@pytest.mark.parametrize(
    ("loaded", "own"),
    [
        (b"\x80\x04\x8c\x20mg_provider.resources.batch_job\x8c\x10BatchJobProvider\x93.", None),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", False),
        (b"\x80\x04\x8c\x0bmg_provider\x8c\x01x\x93.", False),
        (b"\x80\x04\x8c\x0fmg_provider.cli\x8c\x07os.path\x93.", False),
        (b"cos\nsystem\n(S'true'\ntR.", False),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", False),
        (b"", False),
        (b"\x80", False),
    ],
)
def test_only_the_name_of_a_class_of_this_package_is_loaded_ahead(loaded: bytes, own: bool | None) -> None:
    if own is None:
        from mg_provider.resources.batch_job import BatchJobProvider

        loaded, own = pickle.dumps(BatchJobProvider, 4), True
    assert is_own_class(base64.b64encode(loaded).decode()) is own
    assert is_own_class("no base64!") is False


def test_the_environment_of_a_rehearsal_leads_straight_to_this_machine(
    world: RehearsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "internal.test")
    world.program("import os\npulumi.export('straight', os.environ['no_proxy'])\n")
    assert world.up().outputs == {"straight": "internal.test,127.0.0.1,localhost,::1"}
    assert os.environ["no_proxy"] == "internal.test"
