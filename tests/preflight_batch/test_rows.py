"""What is right and wrong with a row of batch input, told by the quick way and by the one that explains."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mg_provider.preflight.batch.custom_ids import CustomIds
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.row_rules import read_row
from mg_provider.preflight.batch.text_check import TextCheck


def body(**more):
    return {"messages": [{"role": "user", "content": "Give me a recipe for banana bread"}], **more}


def chat(content, role="user", **more):
    return {"body": {"messages": [{"role": role, "content": content, **more}]}}


def check(*pieces, ids=None, limit=100, longest_line=10_000_000):
    report = InputReport(limit=limit)
    checked = TextCheck(report, ids, longest_line)
    checked.file("in.jsonl", pieces)
    checked.finish()
    return report


def found(report):
    return [(finding.line, finding.code) for finding in report.findings]


def lines(*rows):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


SOUND = [
    {"body": body()},
    {"body": body(max_tokens=1000, temperature=0, top_p=0.5, response_format={"type": "json_object"})},
    {"body": {"prompt": "Once upon a time", "max_tokens": 16}},
    {"body": {"prompt": ["one", "two"]}},
    chat([{"type": "text", "text": "hello"}]),
    chat("", role="system"),
    chat(None, role="assistant", tool_calls=[{"id": "1"}]),
    {"body": body(max_tokens=None, stream=False)},
    {"body": body(), "note": {"deep": [1, 2, {"x": None}]}, "price": 1.5},
    {"body": body(seed=10**30)},
]

WRONG = [
    ("no_body", {"messages": [{"role": "user", "content": "hello"}]}, "put the request inside"),
    ("no_body", {}, "there is no body"),
    ("body_not_an_object", {"body": "hello"}, "body is text"),
    ("body_not_an_object", {"body": None}, "body is null"),
    ("no_messages", {"body": {"input": "hello"}}, "neither messages nor prompt"),
    ("no_messages", {"body": {"messages": []}}, "empty"),
    ("no_messages", {"body": {"messages": "hello"}}, "body.messages is text"),
    ("messages_and_prompt", {"body": body(prompt="x")}, "keep one"),
    ("bad_prompt", {"body": {"prompt": ""}}, "not text, or is empty"),
    ("bad_message", {"body": {"messages": ["hello"]}}, r"body.messages[0] is text"),
    ("bad_role", chat("hello", role="robot"), '"robot"'),
    ("bad_role", {"body": {"messages": [{"content": "hello"}]}}, "missing"),
    ("bad_content", {"body": {"messages": [{"role": "user"}]}}, "content is null"),
    ("bad_content", chat(None), "content is null"),
    ("bad_content", chat(["hello"]), "has no type"),
    ("bad_content", chat([{"type": "text"}]), "has no text"),
    ("image", chat([{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {}}]), "content[1] is an image"),
    ("not_text", chat([{"type": "input_audio", "input_audio": {}}]), "input_audio"),
    ("reserved_key", {"body": body(), "response": None}, "'response' is reserved"),
    ("reserved_key", {"body": body(), "id": "7"}, "'id' is reserved"),
    ("bad_parameter", {"body": body(max_tokens=0)}, "max_tokens is 0"),
    ("bad_parameter", {"body": body(max_completion_tokens="10")}, "max_completion_tokens"),
    ("bad_parameter", {"body": body(temperature=-1)}, "temperature is -1"),
    ("stream", {"body": body(stream=True)}, "cannot be streamed"),
    ("not_an_object", [body()], "is a list"),
    ("not_an_object", "hello", "is text"),
]


@pytest.mark.parametrize("row", SOUND, ids=lambda row: json.dumps(row)[:50])
def test_a_sound_row_is_accepted(row):
    assert found(check(lines(row, {"body": body()}, row))) == []


@pytest.mark.parametrize(("code", "row", "text"), WRONG, ids=lambda value: value if isinstance(value, str) else None)
def test_a_wrong_row_is_named_with_its_line_and_reason(code, row, text):
    report = check(lines({"body": body()}, row, {"body": body()}))
    assert found(report) == [(2, code)]
    assert text in report.findings[0].message
    assert report.rows == 3


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        (b'{"body": {"messages": [}', "not_json", "column 24"),
        (b'{"body": NaN}', "not_json", "NaN"),
        (b"{} {}", "not_json", "Extra data"),
        (b'{"note": "\xff", "body": {"prompt": "x"}}', "not_utf8", "byte 11 (0xff)"),
        (b'{"body": {"prompt": "\xc3("}}', "not_utf8", "byte 22"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", "too deep"),
        (b"banana bread", "not_json", "column 1"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_line_that_cannot_be_read_is_named(line, code, text):
    report = check(lines({"body": body()}) + line + b"\n" + lines({"body": body()}))
    assert found(report) == [(2, code)]
    assert text in report.findings[0].message


def test_all_errors_are_told_up_to_the_limit_and_the_others_are_counted():
    report = check(lines(*[{"body": body()}, {"id": 1}] * 50), limit=10)
    assert [finding.line for finding in report.findings] == [2, 2, 4, 4, 6, 6, 8, 8, 10, 10]
    assert (report.errors, report.omitted) == (100, 90)
    assert report.counts == {"reserved_key": 50, "no_body": 50}


def test_fields_that_the_job_ignores_are_told_once():
    row = {"custom_id": "r", "method": "POST", "url": "/v1/chat/completions", "body": body(model="llama")}
    report = check(lines(*({**row, "custom_id": f"r{number}"} for number in range(50))))
    assert [(finding.severity, finding.line) for finding in report.findings] == [("warning", 1)] * 3
    words = {finding.message.split()[0] for finding in report.findings}
    assert words == {"method", "url", "body.model"}
    assert report.ok


def test_a_custom_id_that_comes_again_is_told_with_its_line():
    rows = [{"custom_id": f"r{number % 40}", "body": body()} for number in range(50)]
    [finding] = check(lines(*rows)).findings
    assert (finding.code, finding.line) == ("duplicate_custom_id", 41)
    parted = [lines(row) for row in rows]
    report = check(*parted)
    assert (report.findings[0].line, report.counts["duplicate_custom_id"]) == (41, 10)


def test_ids_beyond_the_first_million_are_compared_with_those():
    ids = CustomIds(most=10)
    rows = [{"custom_id": f"r{number}", "body": body()} for number in range(30)]
    report = check(lines(*rows[:10]), lines(*rows[10:]), lines(rows[3], rows[25]), ids=ids)
    assert report.counts["duplicate_custom_id"] == 1
    assert report.not_compared == 21


def test_a_custom_id_that_is_no_text_is_a_warning():
    report = check(lines({"custom_id": 7, "body": body()}))
    assert [(finding.severity, finding.code) for finding in report.findings] == [("warning", "custom_id_not_text")]


def test_ids_that_are_numbers_are_one_warning_however_many_they_are_and_never_hide_an_error():
    rows = [{"custom_id": number % 110, "body": body()} for number in range(120)]
    report = check(lines(*rows) + lines({"body": "hello"}), limit=5)
    assert found(report) == [
        (121, "body_not_an_object"),
        (111, "duplicate_custom_id"),
        (1, "custom_id_not_text"),
    ]
    assert "is a number in this row and 119 more" in report.findings[2].message
    assert report.counts["custom_id_not_text"] == 120


def test_errors_come_first_and_the_first_of_each_kind_is_kept():
    report = InputReport(limit=3)
    for number in range(5):
        report.add("warning", "odd", "it is odd", line=number)
    for number in range(5):
        report.add("error", "wrong", "it is wrong", line=number)
    report.add("error", "worse", "it is worse", line=99)
    assert found(report) == [(0, "wrong"), (1, "wrong"), (99, "worse")]
    assert (report.errors, report.warnings, report.omitted) == (6, 5, 8)


def test_a_repeated_custom_id_has_its_line_also_where_most_rows_have_none():
    named = {"custom_id": "z", "body": body()}
    report = check(lines(*[{"body": body()}] * 50, named, *[{"body": body()}] * 48, named))
    assert found(report) == [(100, "duplicate_custom_id")]


def test_empty_custom_ids_are_none():
    assert found(check(lines(*[{"custom_id": "", "body": body()}] * 3))) == []


def test_a_wrong_row_among_many_is_found_whatever_its_place():
    rows = [{"body": body()}] * 999
    for place in (0, 1, 500, 998):
        wrong = [*rows[:place], {"body": body(max_tokens=0)}, *rows[place:]]
        report = check(lines(*wrong) * 2)
        assert found(report) == [(place + 1, "bad_parameter"), (place + 1001, "bad_parameter")]
        assert report.rows == 2000


def test_an_empty_file_is_named():
    assert found(check()) == [(None, "empty")]
    assert found(check(b"\n  \n"))[0] == (None, "empty")


def test_a_byte_order_mark_is_named_and_the_rows_are_checked_all_the_same():
    report = check(b"\xef\xbb\xbf" + lines({"body": body()}, {"body": 1}))
    assert found(report) == [(1, "bom"), (2, "body_not_an_object")]


def test_utf_16_is_named():
    assert found(check(json.dumps({"body": body()}).encode("utf-16"))) == [(1, "not_utf8")]


@pytest.mark.parametrize(("start", "words"), [(b"PAR1", "mg batch prepare"), (b"PK\x03\x04", "ZIP archive")])
def test_a_file_of_another_kind_is_one_error_that_says_what_to_do(start, words):
    report = check(start + b"\n\0" * 50)
    assert found(report) == [(None, "not_lines")]
    assert words in report.findings[0].message


@pytest.mark.parametrize("cut", [1, 2, 100])
@pytest.mark.parametrize(
    ("rows", "command"),
    [({"body": body()}, "jq -c . FILE"), ([{"body": body()}, {"body": body()}], "jq -c '.[]' FILE")],
)
def test_rows_over_several_lines_say_first_how_to_write_each_on_one(rows, command, cut):
    text = json.dumps(rows, indent=1).encode()
    report = check(text[:cut], text[cut:])
    assert report.findings[0].line == 1
    assert f"write each row on one, as `{command}` does" in report.findings[0].message
    assert report.wrong_rows == report.rows == len(text.splitlines())


def test_an_array_on_one_line_is_told_the_command_that_makes_lines_of_it():
    [finding] = check(json.dumps([{"body": body()}]).encode()).findings
    assert finding.code == "not_an_object"
    assert "`jq -c '.[]' FILE`" in finding.message


def test_gzip_is_known_by_its_first_bytes():
    assert found(check(b"\x1f\x8b\x08" + b"\0" * 50)) == [(None, "gzip")]


def test_line_ends_of_windows_are_a_warning_and_the_rows_are_checked():
    text = lines({"body": body()}, {"body": 1}, {"body": body()}).replace(b"\n", b"\r\n")
    report = check(text)
    assert found(report) == [(2, "body_not_an_object"), (1, "crlf")]
    assert report.rows == 3


def test_blank_lines_are_told_once_and_do_not_shift_the_numbers():
    report = check(lines({"body": body()}) + b"\n\n" + lines({"body": 1}, {"body": body()}))
    assert found(report) == [(4, "body_not_an_object"), (2, "blank_line")]
    assert report.rows == 3


def test_a_row_over_two_lines_is_never_accepted():
    text = b'{"body": {"prompt": "x"}, "a": [1\n, 2]} {"body": {"prompt": "x"}}\n'
    good = lines({"body": {"prompt": "x"}})
    assert {line for line, code in found(check(good + text + good)) if code == "not_json"} == {2, 3}


def test_a_very_long_line_is_named_and_what_follows_is_checked():
    long = [b'{"body": {"prompt": "'] + [b"x" * 60_000] * 20 + [b'"}}\n']
    report = check(lines({"body": body()}), *long, lines({"body": 1}), longest_line=1_000_000)
    assert found(report) == [(2, "line_too_long"), (3, "body_not_an_object")]
    assert "1,200,024 bytes" in report.findings[0].message
    assert report.rows == 3


def test_a_long_line_at_the_end_without_a_line_feed_is_named():
    report = check(b'{"body": {"prompt": "' + b"x" * 2000, b"x" * 2000, longest_line=1_000)
    assert found(report) == [(1, "line_too_long")]


def test_pieces_may_end_anywhere():
    rows = [*SOUND, *(row for _, row, _ in WRONG), {"custom_id": "é😀", "body": body()}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    whole = check(text)
    for size in (1, 7, 100, 333):
        parts = [text[start : start + size] for start in range(0, len(text), size)]
        assert found(check(*parts)) == found(whole)


# The quick way accepts nothing that the other finds wrong

_scalars = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=6)
_values = some.recursive(
    _scalars, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner, max_size=3)
)
_contents = some.text(max_size=8) | some.lists(
    some.fixed_dictionaries({"type": some.sampled_from(["text", "image_url"]), "text": some.text(max_size=5)}),
    max_size=2,
)
_messages = some.fixed_dictionaries(
    {"role": some.sampled_from(["user", "system", "robot"]), "content": _contents | _values}
)
_bodies = some.fixed_dictionaries(
    {},
    optional={
        "messages": some.lists(_messages, max_size=2) | _values,
        "prompt": _values,
        "max_tokens": _scalars,
        "temperature": _scalars,
        "stream": _scalars,
        "model": _values,
        "top_p": _values,
    },
)
_rows = some.fixed_dictionaries(
    {"body": _bodies | _values},
    optional={name: _values for name in ("custom_id", "method", "url", "id", "response", "other")},
)
_texts = some.builds(
    lambda row, ascii, cut, put: (
        (text := json.dumps(row, ensure_ascii=ascii).encode(errors="surrogatepass"))[: len(text) * cut // 20]
        + put
        + text[len(text) * cut // 20 :]
    ),
    _rows,
    some.booleans(),
    some.integers(0, 20),
    some.sampled_from(
        [b"", b"", b"", b"\n", b"\r", b"\xff", b"\\", b"{", b"}", b"}\n{", b" ", b",", b"\\ud800", b"1e999"]
    ),
)


@settings(max_examples=400, deadline=None)
@given(some.lists(_texts, min_size=1, max_size=4))
def test_the_quick_way_and_the_explaining_way_agree(texts):
    text = b"\n".join(texts)
    errors = []
    for number, line in enumerate(text.split(b"\n"), 1):
        if line.strip(b" \t\r"):
            problems = read_row(line.strip(b" \t\r")).problems
            errors += [(number, problem.code) for problem in problems if problem.severity == "error"]
    report = check(text)
    told = [(finding.line, finding.code) for finding in report.findings if finding.severity == "error"]
    assert [entry for entry in told if entry[1] != "empty"] == errors
