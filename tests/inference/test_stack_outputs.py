"""Clients from the outputs of a stack: from the pulumi command, from a state file, and what is wrong with them."""

import json
import os
import sys

import pytest

from mg_provider.api.errors import MgError, UserError
from mg_provider.inference import Client

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}
NAME = "projects/1/locations/us-central1/endpoints/chat"


@pytest.fixture(autouse=True)
def _nothing_on_path(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def program(tmp_path, settings):
    folder = tmp_path / "program"
    (folder / "config").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\nstackConfigDir: config\n")
    config = {**settings, "mg:accessKey": {"secure": "v1:xxx"}, "shop:size": 3}
    (folder / "config" / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))
    return folder


def state_file(folder, outputs):
    file = folder / ".mg" / "rehearsal" / "shop" / "dev.json"
    file.parent.mkdir(parents=True)
    stack = {"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack"}
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [{**stack, "outputs": outputs}]}}))
    return file


def pulumi(tmp_path, outputs, code=0):
    """A command that answers as ``pulumi stack output`` does, and notes how it was called."""
    script = tmp_path / "bin" / "pulumi"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'called')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        f"print({json.dumps(outputs)!r}) if {code} == 0 else print('error: no stack', file=sys.stderr)\n"
        f"sys.exit({code})\n"
    )
    script.chmod(0o755)


def test_a_rehearsed_stack_is_asked_at_its_public_name(cloud, program):
    endpoint = cloud.deployed()
    told = {"endpoint": endpoint["name"], "dns": endpoint["dedicatedEndpointDns"], "token": SECRET}
    state_file(program, {"endpoints": {"chat": told}, "count": 3})
    for output in (None, "endpoints.chat", "endpoints.chat.endpoint"):
        with Client.from_stack("dev", output, program=program) as client:
            assert "Why?" in client.chat("Why?").text


def test_urls_and_curl_lines_beside_an_endpoint_are_none(cloud, program):
    name = cloud.deployed()["name"]
    urls = {
        "base_url": f"https://x.test/v1beta1/{name}",
        "curl": f"curl https://x.test/v1beta1/{name}/chat/completions",
    }
    state_file(program, {**urls, "llama": name})
    with Client.from_stack("dev", program=program) as client:
        assert client.endpoint == name


def test_a_private_address_among_the_outputs_is_used_without_a_look_up(private, program, emulator):
    endpoint, address = private
    state = state_file(program, {"model": {"endpoint": endpoint["name"], "ip_address": address, "model_id": "llama"}})
    emulator.fail(rpc="endpoints.get", fault="status", status=403, times=99)
    with Client.from_stack("dev", "model", program=program, state=state) as client:
        assert "Why?" in client.chat("Why?").text
    assert emulator.faults()[0]["met"] > 0


@pytest.mark.parametrize("stack", ["dev", "acme/shop/dev"])
def test_the_pulumi_command_is_asked_without_its_secrets(cloud, program, tmp_path, stack):
    pulumi(tmp_path, {"chat": cloud.deployed()["name"], "token": "[secret]"})
    with Client.from_stack(stack, program=program) as client:
        assert "Why?" in client.chat("Why?").text
    called = (tmp_path / "called").read_text()
    assert called == f"stack output --json --stack {stack} --cwd {program} --non-interactive"


def test_a_failing_command_is_told_in_its_words(program, tmp_path):
    pulumi(tmp_path, {}, code=255)
    with pytest.raises(MgError, match="error: no stack"):
        Client.from_stack("dev", program=program)


@pytest.mark.parametrize(
    ("outputs", "output", "told"),
    [
        ({"a": NAME, "b": {"c": {"endpoint": NAME}}}, None, r"2 outputs with an endpoint[\s\S]*a, b\.c"),
        ({"a": 1}, None, "no outputs with an endpoint"),
        ({"a": NAME}, "b", r"no output b[\s\S]*: a"),
        ({"a": {"x": 1}, "b": NAME}, "a", r"neither the name of an endpoint[\s\S]*: b"),
        ({"a": SECRET}, "a", "neither the name"),
        ({"a": NAME}, "a.b", "no output"),
    ],
)
def test_an_output_that_is_none_names_those_that_are(program, outputs, output, told):
    state_file(program, outputs)
    with pytest.raises(UserError, match=told) as refused:
        Client.from_stack("dev", output, program=program)
    assert "hunter2" not in str(refused.value)


def test_without_command_and_state_it_says_what_is_needed(program):
    with pytest.raises(UserError, match="no pulumi command on PATH"):
        Client.from_stack("dev", program=program)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"deployment": null}'])
def test_a_file_that_is_no_state_is_told(program, tmp_path, content):
    file = tmp_path / "state.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match="is not a state file"):
        Client.from_stack("dev", program=program, state=file)


def test_a_config_file_that_is_no_yaml_is_told(program, tmp_path):
    (program / "Pulumi.yaml").write_text("{")
    with pytest.raises(UserError, match="is not YAML"):
        Client.from_stack("dev", program=program, state=os.devnull)
