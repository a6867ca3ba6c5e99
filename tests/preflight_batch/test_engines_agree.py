"""One table of rows, and what both engines say of each: this machine, and BigQuery where the rows are."""

import json

import pytest

from tests.preflight_batch.test_rows import SOUND, WRONG, body, chat

DEEP = b"[" * 100_000 + b"]" * 100_000


def line(row):
    return json.dumps(row).encode()


def with_body(text):
    return b'{"custom_id": "a", "body": {' + text + b"}}"


def nested(levels):
    return b"[" * levels + b"]" * levels


PROMPT = b'"prompt": "x"'
NUMBERS = (b"max_tokens", b"max_completion_tokens", b"temperature")
CASES = [
    *((line(row), None) for row in SOUND),
    *((line(row), code) for code, row, _ in WRONG),
    (with_body(PROMPT + b', "max_tokens": 1000.0'), None),
    (with_body(PROMPT + b', "max_tokens": 1e3'), None),
    (with_body(PROMPT + b', "max_tokens": 1.5'), "bad_parameter"),
    (with_body(PROMPT + b', "max_tokens": true'), "bad_parameter"),
    *((with_body(PROMPT + b', "%b": 1e400' % name), "bad_parameter") for name in NUMBERS),
    *((with_body(PROMPT + b', "%b": -1e400' % name), "bad_parameter") for name in NUMBERS),
    (with_body(PROMPT + b', "temperature": 1e300'), None),
    (with_body(PROMPT + b', "max_tokens": "10"'), "bad_parameter"),
    (with_body(PROMPT + b', "max_completion_tokens": 0.5'), "bad_parameter"),
    (with_body(PROMPT + b', "temperature": null'), None),
    (with_body(PROMPT + b', "temperature": false'), "bad_parameter"),
    (with_body(PROMPT + b', "temperature": "0"'), "bad_parameter"),
    (with_body(PROMPT + b', "stream": null'), None),
    (with_body(PROMPT + b', "stream": 0'), "stream"),
    (with_body(PROMPT + b', "stream": "false"'), "stream"),
    (with_body(b'"prompt": []'), "bad_prompt"),
    (with_body(b'"prompt": ["a", ""]'), "bad_prompt"),
    (with_body(b'"prompt": ["a", 1]'), "bad_prompt"),
    (with_body(b'"prompt": null'), "bad_prompt"),
    (with_body(b'"prompt": 7'), "bad_prompt"),
    (with_body(b'"prompt": {"text": "x"}'), "bad_prompt"),
    (with_body(b'"messages": null'), "no_messages"),
    (with_body(b'"messages": {}'), "no_messages"),
    (with_body(b'"messages": null, "prompt": "x"'), "messages_and_prompt"),
    (with_body(b'"messages": [null]'), "bad_message"),
    (with_body(b'"messages": [{"role": 1, "content": "x"}]'), "bad_role"),
    (with_body(b'"messages": [{"role": null, "content": "x"}]'), "bad_role"),
    (with_body(b'"messages": [{"role": "user", "content": 7}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "user", "content": {}}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "user", "content": []}]'), None),
    (with_body(b'"messages": [{"role": "user", "content": [null]}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "user", "content": [{"type": 1}]}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "user", "content": [{"type": "text", "text": null}]}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "assistant", "content": null, "tool_calls": []}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "assistant", "content": null, "tool_calls": null}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "assistant", "content": null, "function_call": {"name": "f"}}]'), None),
    (with_body(b'"messages": [{"role": "assistant", "content": 7, "tool_calls": [{"id": "1"}]}]'), "bad_content"),
    (with_body(b'"messages": [{"role": "function", "name": "f", "content": "x"}]'), None),
    (b'{"custom_id": 7, "body": {"prompt": "x"}}', None),
    (b'{"custom_id": {"a": 1}, "body": {"prompt": "x"}}', None),
    (b'{"custom_id": "", "body": {"prompt": "x"}}', None),
    (b'{"body": {"prompt": "x"}, "response": null}', "reserved_key"),
    (b'{"body": {"prompt": "x"}, "id": null}', "reserved_key"),
    (b'{"body": [{"prompt": "x"}]}', "body_not_an_object"),
    (with_body(rb'"prompt": "nice \ud83d"'), "half_character"),
    (with_body(rb'"prompt": "nice \ude00"'), "half_character"),
    (with_body(rb'"prompt": "\ud83d\ud83d\ude00"'), "half_character"),
    (with_body(rb'"prompt": "\uD83D\u0041"'), "half_character"),
    (with_body(rb'"prompt": "x", "note": "\ud83d"'), "half_character"),
    (with_body(rb'"prompt": "x", "\ud83d": 1'), "half_character"),
    (rb'{"custom_id": "\ud83d", "body": {"prompt": "x"}}', "half_character"),
    (with_body(rb'"prompt": "\ud83d\ude00"'), None),
    (with_body(rb'"prompt": "\\ud83d"'), None),
    (with_body(rb'"prompt": "\\\ud83d"'), "half_character"),
    (with_body(PROMPT + b', "note": ' + DEEP), "too_deep"),
    # The row, its body, and so many lists.
    (with_body(PROMPT + b', "note": ' + nested(498)), None),
    (with_body(PROMPT + b', "note": ' + nested(499)), "too_deep"),
    (with_body(PROMPT + b', "note": ' + nested(600)), "too_deep"),
    (with_body(PROMPT + b', "note": ' + nested(990)), "too_deep"),
    (with_body(PROMPT + b', "note": [' + b", ".join([nested(300)] * 3) + b"]"), None),
    (with_body(b'"prompt": "' + b"[{" * 600 + b'"'), None),
    (with_body(b'"prompt": "' + b"[{" * 600), "not_json"),
    (with_body(b'"messages": [' + b'{"role": "user", "content": ["x"]}, ' * 600), "not_json"),
    (b'{"note": ' + DEEP + b', "body": {"prompt": "x"}}', "too_deep"),
    (DEEP, "too_deep"),
    (b"[]", "not_an_object"),
    (b"null", "not_an_object"),
    (b'{"body": {"prompt": "x"}} {}', "not_json"),
    (b'{"body": {"prompt": NaN}}', "not_json"),
    (b'{"body": {"prompt": "x"}', "not_json"),
    (b'{"note": "\xff", "body": {"prompt": "x"}}', "not_utf8"),
]
WARNINGS = {"ignored_field", "custom_id_not_text", "duplicate_custom_id"}


@pytest.mark.parametrize("code", [None, *sorted({code for _, code in CASES if code})])
def test_both_engines_say_the_same_of_each_row(batch, code):
    texts = [text for text, expected in CASES if expected == code]
    batch.put_bytes("in/a.jsonl", b"\n".join([line(chat("before")), *texts, line({"body": body()})]))
    wrong = len(texts) if code else 0
    here, there = batch.check("in/a.jsonl"), batch.check("in/a.jsonl", engine="bigquery")
    assert {number for number, text in enumerate(texts, 2) if code and number not in first_codes(here, code)} == set()
    assert {name: number for name, number in there.counts.items() if name not in WARNINGS} == (
        {code: wrong} if code else {}
    )
    for report in (here, there):
        assert (report.rows, report.wrong_rows) == (len(texts) + 2, wrong)


def first_codes(report, code):
    """The lines of which this is the first fault."""
    first = {}
    for each in report.findings:
        if each.code not in WARNINGS:
            first.setdefault(each.line, each.code)
    return {number for number, told in first.items() if told == code}


def test_what_a_row_is_refused_for_is_told_with_its_line(batch):
    batch.put_bytes("in/a.jsonl", line(chat("fine")) + b"\n" + with_body(rb'"prompt": "nice \ud83d"') + b"\n" + DEEP)
    half, deep = batch.check("in/a.jsonl").findings
    assert (half.line, deep.line) == (2, 3)
    assert r"half of a character, \ud83d at column 45" in half.message
    assert "too deep" in deep.message
