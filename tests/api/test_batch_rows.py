"""What counts as the answer of a row: a choice that can be used, or a prediction; else the words of the failure."""

import json

import pytest

from mg_provider.api.batch.rows import all_answered, read_line
from mg_provider.api.completions import why_no_words, words_of

CHAT = {"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
TOO_LONG = "This model's maximum context length is 4096 tokens."
VLLM_ERROR = {"object": "error", "message": TOO_LONG, "type": "BadRequestError", "param": None, "code": 400}

ANSWERS = {
    "a chat completion": ({"response": CHAT}, CHAT),
    "in an envelope": ({"response": {"status_code": 200, "request_id": "r", "body": CHAT}, "error": None}, CHAT),
    "as text of a table": ({"response": json.dumps(CHAT)}, CHAT),
    "beside errors that are the text of nothing": ({"response": CHAT, "error": "null", "errors": " [] "}, CHAT),
    "beside an error that is none": ({"response": CHAT, "error": {}, "errors": {"code": 0, "message": ""}}, CHAT),
    "beside a good status": ({"response": CHAT, "status": ""}, CHAT),
    "a text": ({"response": "Hi"}, "Hi"),
    "a prediction": ({"prediction": [0.5]}, [0.5]),
    "a prediction that is a number": ({"prediction": 0}, 0),
    "a completion": ({"response": {"choices": [{"text": ""}]}}, {"choices": [{"text": ""}]}),
    "another model's": ({"response": {"candidates": [{"content": "Hi"}]}}, {"candidates": [{"content": "Hi"}]}),
}

FAILURES = {
    "an error in words": ({"error": "out of memory"}, "out of memory"),
    "an error that is an object": ({"error": {"code": 3, "message": "no body"}}, "no body"),
    "errors of a table": ({"errors": {"code": 3, "message": "no body"}}, "no body"),
    "a list of errors": ({"errors": [{"message": "no body"}]}, "no body"),
    "an error without words": ({"error": {"code": 13}}, "code 13"),
    "a flat error": ({"response": VLLM_ERROR}, TOO_LONG),
    "a flat error without an object": ({"response": {"message": TOO_LONG, "code": 400}}, TOO_LONG),
    "FastAPI's": ({"response": {"detail": [{"loc": ["body"], "msg": "field required"}]}}, "field required"),
    "an error inside": ({"response": {"error": {"message": TOO_LONG}}}, TOO_LONG),
    "an envelope": (
        {"response": {"status_code": 400, "body": {"error": {"message": TOO_LONG}}}},
        f"{TOO_LONG} (status 400)",
    ),
    "an envelope with a flat error": (
        {"response": {"status_code": 400, "body": VLLM_ERROR}},
        f"{TOO_LONG} (status 400)",
    ),
    "an envelope without a body": ({"response": {"status_code": 503, "body": None}}, "the call ended with status 503"),
    "an envelope that says 200 of an error": ({"response": {"status_code": 200, "body": VLLM_ERROR}}, TOO_LONG),
    "no choices but an error": ({"response": {"choices": None, "error": {"message": "engine died"}}}, "engine died"),
    "no choices but a message": ({"response": {"choices": None, "message": "engine died"}}, "engine died"),
    "choices that are null": ({"response": {"choices": None}}, "the response has no choices: they are null"),
    "an empty list of choices": ({"response": {"choices": []}}, "the response has no choices: they are an empty list"),
    "a choice that is null": (
        {"response": {"choices": [None]}},
        "the response has no usable choice: the first is null",
    ),
    "a message that is null": (
        {"response": {"choices": [{"message": None, "finish_reason": "abort"}]}},
        "the response has no usable choice: the message of the first is null, finish_reason abort",
    ),
    "an empty response with a status": (
        {"response": {}, "status": 'Bad Request: {"error": {"code": 400, "message": "too long"}}'},
        "Bad Request: too long",
    ),
    "an empty response": ({"response": {}}, "the response is empty"),
    "an empty text with a status": ({"response": "", "status": "Internal error"}, "Internal error"),
    "a completion without choices": (
        {"response": {"object": "chat.completion", "id": "x"}},
        "the response has no choices",
    ),
    "an error as text of a table": ({"response": json.dumps({"error": {"message": "no body"}})}, "no body"),
    "a prediction that is an error": ({"prediction": {"error": "no memory"}}, "no memory"),
    "only a status": ({"status": "Deadline exceeded"}, "Deadline exceeded"),
    "nothing": ({}, "the output has neither an answer nor an error for it"),
}


@pytest.mark.parametrize(("line", "answer"), ANSWERS.values(), ids=list(ANSWERS))
def test_an_answer_is_read_without_its_envelope(line, answer):
    read = read_line(json.dumps({"custom_id": "a", **line}).encode())
    assert (read.failure, read.answer) == (None, answer)


@pytest.mark.parametrize(("line", "words"), FAILURES.values(), ids=list(FAILURES))
def test_what_is_no_answer_is_a_failure_with_the_best_words(line, words):
    text = json.dumps({"custom_id": "a", **line}).encode()
    assert (read_line(text).answer, read_line(text).failure) == (None, words)
    assert all_answered(text) is None


def test_lines_beyond_doubt_are_counted_and_no_others():
    line = json.dumps({"custom_id": "a", "response": CHAT, "error": None}).encode() + b"\n"
    assert all_answered(line * 3) == 3
    assert all_answered(line + b'{"response": {"choices": [{"message": {"content": ""}}]}}') is None


NO_WORDS = [
    ({"content": None, "reasoning_content": "Well"}, "length", "only reasoned: max_tokens ended it"),
    ({"content": "", "reasoning": "Well"}, "stop", "only reasoned and gave no answer"),
    ({"content": None, "tool_calls": [{"function": {"name": "weather"}}]}, "tool_calls", "asks for tools .* .weather"),
    ({"content": None, "refusal": "I cannot."}, "stop", "refused: I cannot."),
    ({"content": ""}, "length", "raise max_tokens"),
    ({"content": ""}, "content_filter", "a filter"),
    ({"content": ""}, "stop", "said nothing"),
]


@pytest.mark.parametrize(("message", "finish", "told"), NO_WORDS)
def test_an_answer_without_words_says_why(message, finish, told):
    import re

    response = {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}]}
    assert read_line(json.dumps({"response": response}).encode()).failure is None
    assert not words_of(response)
    assert re.search(told, why_no_words(response))


def test_an_answer_with_words_needs_no_reason():
    assert why_no_words(CHAT) is None
    assert why_no_words({"prediction": 1}) is None
