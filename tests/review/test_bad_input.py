"""What is not a preview, or holds nonsense: a sentence or a correct review, never a traceback, never an injection."""

import json
import re
from pathlib import Path

import pytest

from mg_provider import review
from mg_provider.review import PreviewError, command
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.page import page
from mg_provider.review.formats.text import text
from tests.review.build import model, preview, step, update

PREVIEWS = Path(__file__).parent / "previews"
WHOLE = preview(step("update", "CustomWeightsModel", "llama", model(), model(gcs_uri="gs://w/v2")))
EVENTS = '{"sequence":0,"timestamp":1}\n{"sequence":1,"timestamp":1}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (WHOLE[: len(WHOLE) // 2], "ends in the middle"),
        ("steps:\n- op: update\n", "is not JSON: it begins with 'steps:'"),
        ("error: no stack named 'prod' found\n", "is an error of the preview, not its JSON: error: no stack named"),
        (EVENTS, "unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW"),
        ("[]", "is a list"),
        ('{"a": 1}', "has no steps"),
        ('{"steps": {"a": 1}}', "steps that are not a list of objects"),
        ('{"steps": [1]}', "steps that are not a list of objects"),
        ("[" * 100_000, "nested too deeply"),
        ('{"steps": null}', "has neither steps nor a summary"),
        ('{"steps": null, "changeSummary": {"delete": 1, "same": 5}}', "its summary counts: 1 delete (steps: 0)"),
        ("<html>", "is not JSON"),
        ("{'steps': []}", "is not JSON: line 1, column 2"),
    ],
    ids=range(15),
)
def test_what_is_not_a_preview_gets_a_sentence(content, said):
    with pytest.raises(PreviewError) as raised:
        review.of(content)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 400


ODD = [
    {"op": "update"},
    {"op": 7, "urn": 8, "oldState": [], "newState": "x", "detailedDiff": [1]},
    {"op": "create", "urn": "urn:pulumi:dev::a::x::y", "newState": {"inputs": [1, 2]}},
    {"op": "fly", "urn": "urn:pulumi:dev::a::pulumi-python:dynamic/mg:CustomWeightsModel::z", "newState": {}},
]


@pytest.mark.parametrize("entry", ODD, ids=range(len(ODD)))
def test_odd_steps_are_reviewed_as_far_as_they_go(entry):
    found = review.of(json.dumps({"steps": [entry], "changeSummary": None, "diagnostics": [{"message": 1}]}))
    assert text(found)
    assert markdown(found)
    assert page(found)


NONSENSE = [
    None,
    True,
    7,
    1.5,
    "text",
    [],
    [1],
    {},
    {"a": {"b": [None]}},
    [{"machine_type": 7}],
    "[secret]",
    "x" * 10**7,
]


@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("op", ["update", "replace", "create", "delete"])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("CustomWeightsModel", ("machine_spec", "min_replica_count", "rollout", "private_service_connect_config")),
        ("CustomWeightsModel", ("container_spec", "region", "parked", "labels", "project")),
        ("DedicatedEndpoint", ("deployed_models", "traffic_split", "network", "rollout")),
        ("PscForwardingRule", ("endpoint", "address", "service_directory_registrations")),
        ("BatchJob", ("input_config", "output_config", "machine_spec", "max_replica_count", "triggers")),
    ],
)
def test_nonsense_in_any_argument_is_no_traceback(kind, fields, op, value):
    old, new = model(), {**model(), **dict.fromkeys(fields, value)}
    sides = {"create": (None, new), "delete": (new, None)}.get(op, (old, new))
    found = review.of(preview(step(op, kind, "llama", *sides, outputs={"ip_address": value, "machine_types": value})))
    assert len(found.model_dump_json()) < 60_000
    assert text(found)
    assert len(page(found)) < 60_000


EVIL = "<script>alert(1)</script>`|](javascript:x)\u202e\x1b[31m\n# big @everyone"


def test_names_cannot_break_out_of_a_review():
    old, new = model(EVIL), {**model(EVIL), "labels": {EVIL: EVIL}, "gcs_uri": f"gs://w/{EVIL}", EVIL: 1}
    found = review.of(preview(step("update", "CustomWeightsModel", EVIL, old, new)))
    for told in (text(found), found.model_dump_json(), markdown(found), page(found)):
        assert "\x1b" not in told
        assert "\u202e" not in told
    told = markdown(found)
    assert "<script" not in told
    assert "\n# big" not in told
    assert not re.search(r"(?<!\\)\]\(", told)


def test_one_stack_is_not_counted_twice(tmp_path, capsys):
    (tmp_path / "preview.json").write_text(WHOLE)
    assert command.run([str(tmp_path / "preview.json")] * 2, program=tmp_path) == 3
    told = capsys.readouterr().err
    assert told == "error: stack dev is in two of the previews\ndo: give the preview of each stack once\n"
    assert text(review.of([json.dumps({"steps": [{"op": "update"}]})] * 2))


@pytest.mark.parametrize("path", sorted(PREVIEWS.glob("*.json")), ids=lambda path: path.name)
def test_a_preview_that_lost_steps_is_refused(path):
    """Whatever the engine counted as a change, no review says that nothing changes without it."""
    content = json.loads(path.read_text())
    review.of(content)
    changes = {entry["op"] for entry in content["steps"]} - {"same"}
    without = [[entry for entry in content["steps"] if entry["op"] != op] for op in sorted(changes)]
    still = [{**entry, "op": "same"} for entry in content["steps"]]
    for steps in (*without, [], None, still) if changes else ():
        with pytest.raises(PreviewError, match="lacks steps that its summary counts"):
            review.of({**content, "steps": steps})
    with pytest.raises(PreviewError, match="is in two of the previews"):
        review.of([content, content])


def test_unchanged_resources_are_shown_where_the_steps_have_all_that_the_summary_counts():
    """Stacks and components are counted as well."""
    root = step("same", "pulumi:pulumi:Stack", "acme-dev", {}, {})
    component = step("same", "mg:components:RegionalFleet", "fleet", {}, {})
    component["newState"]["custom"] = False
    steps = (root, component, step("update", "CustomWeightsModel", "llama", model(), model(labels={"a": "b"})))
    assert review.of(preview(*steps, same=2)).money.whole
    assert not review.of(preview(*steps, same=3)).money.whole


def test_an_error_of_the_preview_is_the_reason():
    found = review.of(preview(diagnostics=[{"severity": "error", "message": "boom\n\x1b[31mand more"}]))
    assert found.verdict == "stop"
    assert found.errors == ["boom \\x1b[31mand more"]


FRAMES = """Program failed with an unhandled exception:
{indent}Traceback (most recent call last):
{indent}  File "/ci/build/7/__main__.py", line 3, in <module>
{indent}    raise ValueError("boom")
{indent}ValueError: boom
{indent}do: fix it
"""


@pytest.mark.parametrize("indent", ["", "    "])
def test_of_a_traceback_the_end_is_told(indent):
    message = FRAMES.format(indent=indent)
    found = review.of(preview(diagnostics=[{"severity": "error", "message": message}]))
    assert found.errors == ["Program failed with an unhandled exception: ValueError: boom do: fix it"]
    assert not found.money.whole


def test_an_error_about_a_value_says_what_is_wrong_and_never_the_value():
    kind, value = "pulumi-python:dynamic/mg:DedicatedEndpoint", "{map[token:{hush-hush}]} " * 40
    message = (
        f"error: {kind} resource 'chat': property deployed_models value {value} has a problem: has no model: add one"
    )
    (found,) = review.of(preview(diagnostics=[{"severity": "error", "message": message}])).errors
    assert found == f"{kind} resource 'chat': property deployed_models: has no model: add one"


def test_a_deep_value_is_no_traceback():
    deep: object = 1
    for _ in range(200):
        deep = {"a": deep}
    assert update("CustomWeightsModel", model(), model(container_spec=deep)).verdict == "look"
