"""The classes that programs use say what the arguments and outputs are, and cannot drift from them."""

import inspect
import json
import re
import subprocess
import sys
import typing

import pulumi
import pytest

from mg_provider.resources import inputs as nested
from mg_provider.resources.model.args import declared_outputs, has
from mg_provider.resources.model.marks import Derived, Secret
from tests.support.samples.outputs import outputs
from tests.support.samples.samples import ALL, CUSTOM_WEIGHTS_MODEL, DEFAULTS, OWNER, label

each_resource = pytest.mark.parametrize("kind", ALL, ids=label)
TYPES = {kind.name: f"pulumi-python:dynamic/mg:{kind.name}" for kind in ALL}
# What secrets look like on the wire: https://www.pulumi.com/docs/iac/concepts/secrets/
SECRET = "4dabf18193072939515e22adb298388d"


def parameters(kind):
    signature = inspect.signature(kind.resource.__init__)
    return {name: entry for name, entry in signature.parameters.items() if name not in ("self", "name", "opts")}


def documented(kind):
    """The names in the Args section of the docstring."""
    section = inspect.getdoc(kind.resource.__init__).split("Args:\n")[1]
    return re.findall(r"^    (\w+): \S", section, re.MULTILINE)


@pytest.fixture(scope="module")
def constructed():
    command = [sys.executable, "-m", "tests.support.samples.constructed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def registered(constructed):
    return constructed["registered"]


@each_resource
def test_a_constructor_takes_every_argument_and_nothing_else(kind):
    assert set(parameters(kind)) == set(kind.settable())
    assert all(entry.kind is inspect.Parameter.KEYWORD_ONLY for entry in parameters(kind).values())
    names = list(inspect.signature(kind.resource.__init__).parameters)
    assert names[:2] == ["self", "name"]
    assert names[-1] == "opts"


@each_resource
def test_what_must_be_given_has_no_default_and_the_rest_is_none(kind):
    for name, entry in parameters(kind).items():
        required = kind.args_type.model_fields[name].is_required()
        assert entry.default is (inspect.Parameter.empty if required else None), name


@each_resource
def test_every_argument_may_be_an_output_of_another_resource(kind):
    for name, entry in parameters(kind).items():
        assert entry.annotation.startswith("Input["), name


@each_resource
def test_annotations_name_things_that_exist(kind):
    # Pulumi's own annotations refer to names of its modules.
    known = {**vars(pulumi), **vars(nested), "T": str}
    hints = typing.get_type_hints(kind.resource.__init__, localns=known)
    assert set(hints) >= set(parameters(kind))


@each_resource
def test_the_docstring_names_every_argument(kind):
    assert sorted(documented(kind)) == sorted(["name", "opts", *parameters(kind)])


@each_resource
def test_outputs_are_annotated_and_exist(kind):
    hints = outputs(kind.resource)
    assert set(hints) == set(declared_outputs(kind.args_type, kind.lifecycle.state_type))
    for name, hint in hints.items():
        assert typing.get_origin(hint) is pulumi.Output, name


@each_resource
def test_every_output_is_described(kind):
    for name, field in kind.lifecycle.state_type.model_fields.items():
        assert field.description, name


@each_resource
def test_every_argument_is_an_output_given_or_not(constructed, kind):
    readable = set(constructed["readable"][TYPES[kind.name]])
    assert readable == set(kind.args_type.model_fields) | set(outputs(kind.resource))


@each_resource
def test_what_the_plan_fills_in_is_an_output_with_that_value(kind):
    given = {**kind.least, "owner": OWNER, "resource": "my-resource"}
    planned, problems = kind.lifecycle().check(given, None, DEFAULTS)
    assert not problems
    assert set(planned.encode()) - set(given) <= set(kind.resource._filled)


@each_resource
def test_what_a_program_says_is_what_is_registered(registered, kind):
    said = registered[TYPES[kind.name]]["inputs"]
    assert said["owner"] == "acme/shop/dev"
    assert said["resource"] == f"my-{kind.name.lower()}"
    assert isinstance(said["__provider"], str)
    for name, sample in kind.samples.items():
        if not sample.needs:
            assert said[name] == sample.value, name
    derived = {name for name in kind.args_type.model_fields if has(kind.args_type, name, Derived)}
    assert not derived & set(said)


def test_a_token_is_registered_as_a_secret_and_its_output_is_one(registered):
    said = registered[TYPES["CustomWeightsModel"]]
    assert SECRET in said["inputs"]["hugging_face_access_token"]
    assert "hugging_face_access_token" in said["secret_outputs"]
    tokens = {kind.name: [name for name in kind.settable() if has(kind.args_type, name, Secret)] for kind in ALL}
    assert tokens.pop(CUSTOM_WEIGHTS_MODEL.name) == ["hugging_face_access_token"]
    assert not any(tokens.values())


def test_type_tokens_are_frozen(registered):
    assert set(TYPES.values()) == {type for type in registered if type != "pulumi:pulumi:Stack"}
