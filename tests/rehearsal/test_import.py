"""`mg rehearse import` takes what `pulumi import --file` takes: resources with inputs and outputs."""

import json

import pytest

from mg_provider.rehearsal.command import rehearse
from mg_provider.rehearsal.import_command import import_file
from tests.support.running.forks import project_file

TYPE = "pulumi-python:dynamic/mg:DedicatedEndpoint"
ID = "projects/p/locations/us-central1/endpoints/chat"
CONFIG = {"mg:emulator": "http://127.0.0.1:1", "mg:project": "p"}


def entry(**more):
    inputs = {"endpoint_id": "chat", "__provider": "gASV"}
    return {"type": TYPE, "name": "chat", "id": ID, "inputs": inputs, "outputs": {**inputs, "operation": ""}, **more}


@pytest.fixture
def take(tmp_path):
    """Import these entries: the exit code and what was said."""
    (tmp_path / "Pulumi.yaml").write_text(project_file("p"))
    (tmp_path / "__main__.py").write_text("")

    def run(*entries, content=None):
        file, said = tmp_path / "import.json", []
        file.write_text(json.dumps({"resources": entries}) if content is None else content)
        options = {"config": CONFIG, "write": said.append, "complain": said.append}
        return import_file(file, "dev", tmp_path, tmp_path / "state.json", **options), "".join(said)

    return run


def resources(tmp_path):
    return json.loads((tmp_path / "state.json").read_text())["deployment"]["resources"]


def test_what_is_imported_stands_in_the_state_with_its_provider_and_a_second_import_is_refused(take, tmp_path):
    assert take(entry()) == (0, " = DedicatedEndpoint chat: imported\ndone: 1 imported\n")
    root, provider, chat = resources(tmp_path)
    assert root["type"] == "pulumi:pulumi:Stack"
    assert provider["inputs"] == CONFIG
    assert (chat["id"], chat["parent"]) == (ID, root["urn"])
    assert chat["provider"] == f"{provider['urn']}::{provider['id']}"
    before = (tmp_path / "state.json").read_text()
    assert take(entry()) == (2, "error: chat is in the stack's state already\ndo: take it out of the import file\n")
    assert (tmp_path / "state.json").read_text() == before
    assert take(entry(name="other"))[0] == 0
    assert [each["urn"].rpartition("::")[2] for each in resources(tmp_path)] == ["p-dev", "default", "chat", "other"]
    # The state is one that the engine works on.
    lines = []
    state = tmp_path / "state.json"
    assert rehearse("preview", "dev", tmp_path, state, as_json=True, config=CONFIG, write=lines.append) == 0
    assert json.loads("".join(lines))["changeSummary"]["delete"] == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"content": "no json"}, "cannot be read as an import file"),
        ({"content": "[]"}, "is not an import file: it has no list of resources"),
        ({"entries": [entry(id="")]}, "chat has no id"),
        ({"entries": [entry(type="gcp:compute/address:Address")]}, "only dynamic resources are imported offline"),
        ({"entries": [entry(outputs={})]}, "lacks inputs or outputs with its provider"),
        ({"entries": [entry(parent="way")]}, "has a parent"),
        ({"entries": [entry(), entry()]}, "is in the stack's state already"),
    ],
)
def test_what_is_not_an_import_file_is_refused_and_nothing_is_written(take, tmp_path, given, says):
    code, said = take(*given.pop("entries", ()), **given)
    assert (code, says in said) == (2, True), said
    assert not (tmp_path / "state.json").exists()
