"""Whether weights can chat, wherever the template is."""

import pytest

from tests.preflight.conftest import POINTER

TEMPLATE = "{{ messages }}"


def test_weights_without_a_chat_template_are_a_warning_that_names_the_consequence(weights):
    weights.put("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    report = weights.check()
    [finding] = report.findings
    assert (finding.severity, finding.code) == ("warning", "no_chat_template")
    assert "status 400" in finding.message
    assert report.chat_template is False


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer_config.json", {"chat_template": TEMPLATE}),
        ("tokenizer_config.json", {"chat_template": [{"name": "default", "template": TEMPLATE}]}),
        ("chat_template.jinja", TEMPLATE.encode()),
        ("chat_template.json", {"chat_template": TEMPLATE}),
        ("additional_chat_templates/tool_use.jinja", TEMPLATE.encode()),
    ],
)
def test_a_template_is_found_wherever_it_may_be(weights, name, content):
    weights.put("tokenizer_config.json", {})
    weights.put(name, content)
    assert weights.check().chat_template is True
    assert weights.codes() == []


@pytest.mark.parametrize("content", [b"", b"{}", b'{"chat_template": ""}'])
def test_an_empty_template_is_none(weights, content):
    weights.put("tokenizer_config.json", {"chat_template": None})
    weights.put("chat_template.json", content or b"{}")
    assert weights.codes() == ["no_chat_template"]


@pytest.mark.parametrize("names", [["tokenizer.model"], ["tekken.json"], ["vocab.json", "merges.txt"]])
def test_other_forms_of_a_tokenizer_will_do(weights, names):
    weights.delete("tokenizer.json")
    for name in names:
        weights.put(name, b"x")
    assert weights.codes() == []


@pytest.mark.parametrize("content", [POINTER, b"<!DOCTYPE html><html></html>", b" \n", b""])
def test_what_stands_in_for_a_template_is_none(weights, content):
    weights.put("tokenizer_config.json", {})
    weights.put("chat_template.jinja", content)
    report = weights.check()
    assert report.chat_template is False
    assert "no_chat_template" in [finding.code for finding in report.findings]
    blank = not content.strip() and content != b""
    assert report.ok is blank
