"""The page on import and migration: its program is what `mg import` writes, and its tables know pulumi-gcp's fields."""

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documents.markdown import code_blocks, read
from tests.support.lives.endpoints import L4_AS_SHOWN, Hand
from tests.support.lives.imports import PARENT, REGION, rule_to, run_import
from tests.support.samples.weights import call
from tools.pages.migration import AI_ENDPOINT, FORWARDING_RULE, GARDEN

PAGE = "docs/import.md"


def made(emulator):
    """What the page imports: a private model with its address, both made by hand."""
    hand = Hand(emulator)
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    body = {"displayName": "Llama", "privateServiceConnectConfig": config, "labels": {"team": "search"}}
    call(f"{emulator.url}/v1beta1/{PARENT}/endpoints?endpointId=llama-prod", body)
    emulator.advance(600)
    endpoint = f"{PARENT}/endpoints/llama-prod"
    resources = {"machineSpec": L4_AS_SHOWN, "minReplicaCount": 1, "maxReplicaCount": 2}
    hand.deploy(endpoint, hand.upload("llama-3-1"), {"0": 100}, dedicatedResources=resources)
    attachment = hand.endpoint(endpoint)["deployedModels"][0]["privateEndpoints"]["serviceAttachment"]
    rule_to(emulator, attachment)
    return endpoint, f"{REGION}/forwardingRules/way"


def test_the_program_on_the_page_is_what_the_command_on_the_page_writes(emulator, tmp_path):
    emulator.set_speed(1_000_000)
    endpoint, rule = made(emulator)
    (command,) = (
        line for line in code_blocks(read(PAGE), "sh")[0].replace("\\\n", " ").splitlines() if "import" in line
    )
    words = command.split()
    assert words[:2] == ["mg", "import"]
    assert words[2:4] == [f"llama={endpoint}", f"llama-address={rule}"]
    outcome = run_import(emulator, tmp_path, *words[2:4])
    assert outcome.code == 0, outcome.said
    assert code_blocks(read(PAGE), "python") == [outcome.program]
    assert all(line in read(PAGE) for line in outcome.said.splitlines()[1:5])


@cache
def classes(file):
    path = Path(find_spec("pulumi_gcp").submodule_search_locations[0]) / file
    return [each for each in ast.parse(path.read_text()).body if isinstance(each, ast.ClassDef)]


def fields(file, name):
    """The arguments of one of pulumi-gcp's classes, from its source: to import the package takes seconds."""
    found = next(each for each in classes(file) if each.name == f"{name}Args")
    return {each.name for each in found.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")}


def with_messages(path, name, into=()):
    """The fields of a message, with those of the messages in it that the table takes apart."""
    for field in fields("vertex/_inputs.py" if into else path, name):
        inner = ".".join((*into, field))
        if inner in ("deploy_config", "endpoint_config", "model_config", "deploy_config.dedicated_resources"):
            yield from with_messages(path, name + field.title().replace("_", ""), (*into, field))
        else:
            yield inner


@pytest.mark.parametrize(
    ("path", "name", "rows"),
    [
        ("vertex/ai_endpoint_with_model_garden_deployment.py", "AiEndpointWithModelGardenDeployment", GARDEN),
        ("vertex/ai_endpoint.py", "AiEndpoint", AI_ENDPOINT),
        ("compute/forwarding_rule.py", "ForwardingRule", FORWARDING_RULE),
    ],
    ids=["Model Garden deployment", "endpoint", "forwarding rule"],
)
def test_the_table_of_each_resource_of_pulumi_gcp_has_all_of_its_fields(path, name, rows):
    assert sorted(with_messages(path, name)) == sorted(rows)


def test_every_command_on_the_page_exists():
    from typer.main import get_command

    from mg_provider.cli import app

    known = get_command(app)
    for words in re.findall(r"^mg ([a-z]+(?: [a-z]+)?)", "\n".join(code_blocks(read(PAGE), "sh")), re.MULTILINE):
        command = known
        for word in words.split():
            if not hasattr(command, "commands"):
                break
            command = command.commands[word]
