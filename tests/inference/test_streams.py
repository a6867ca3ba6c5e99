"""What a stream is when it ends: an answer with its reason, or an error; and answers that have no words."""

import json

import pytest

from mg_provider.api.completion_stream import StreamFailed
from mg_provider.api.errors import MgError
from mg_provider.inference import Client
from tests.api.server import Reply, Server
from tests.emulator.client import LOCATION

STREAM = {"Content-Type": "text/event-stream"}


def event(text=None, finish=None, **delta):
    told = {"content": text} if text is not None else delta
    chunk = {"choices": [{"index": 0, "delta": told, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk)}\n\n"


def whole(**message):
    return {"object": "chat.completion", "choices": [{"message": message, "finish_reason": "stop"}]}


@pytest.fixture
def answering(settings):
    """A client of a server that answers this."""
    held = []

    def make(body):
        content = body.encode() if isinstance(body, str) else body
        server = Server(Reply(200, content, STREAM if isinstance(body, str) else {})).__enter__()
        client = Client(f"{LOCATION}/endpoints/e", address=server.url, model="m", retry_budget=0, config=settings)
        held.append((server, client))
        return client

    yield make
    for server, client in held:
        client.close()
        server.__exit__(None, None, None)


ENDS = {
    "with its reason and its mark": (event("Hi") + event("", "stop") + "data: [DONE]\n\n", "Hi", "stop"),
    "with its reason alone": (event("Hi") + event(finish="length"), "Hi", "length"),
    "with its mark alone": (event("Hi") + "data: [DONE]\n\n", "Hi", None),
    "with a comment and names between": (": ping\n\nevent: x\nid: 1\n" + event("Hi", "stop"), "Hi", "stop"),
    "as a whole answer": (json.dumps(whole(role="assistant", content="Hi")), "Hi", "stop"),
    "as a whole answer over lines": (json.dumps(whole(content="Hi"), indent=2), "Hi", "stop"),
    "as the predictions of a container": (json.dumps({"predictions": whole(content="Hi")}), "Hi", "stop"),
    "with chunks that say nothing": ('data: {"choices": [null]}\n\n' + event("Hi", "stop"), "Hi", "stop"),
}


@pytest.mark.parametrize(("body", "words", "finish"), ENDS.values(), ids=list(ENDS))
def test_a_stream_that_ends_as_it_should_tells_why(answering, body, words, finish):
    stream = answering(body).stream_chat("Hi?")
    assert "".join(stream) == words
    assert stream.finish_reason == finish
    assert stream.no_words is None


BROKEN = {
    "without its end": (
        event("Look ") + event("at "),
        r"broke off after 2 pieces, at the words 'Look at ': it ended without",
    ),
    "before its first word": ("", r"broke off before its first word"),
    "with only a role": (event(role="assistant"), r"broke off before its first word"),
    "with an error": (event("Look ") + 'event: error\ndata: {"error": {"message": "engine died"}}\n\n', "engine died"),
    "with a flat error": (event("Look ") + 'data: {"object": "error", "message": "engine died"}\n\n', "engine died"),
    "with an error in its place": (json.dumps({"error": {"message": "overloaded", "code": 503}}), "overloaded"),
    "with a text in its place": ("<html>busy</html>", "not a stream: it begins with '<html>busy"),
    "with no choices in its place": (json.dumps({"choices": []}), "the response has no choices"),
}


@pytest.mark.parametrize(("body", "told"), BROKEN.values(), ids=list(BROKEN))
def test_a_stream_that_breaks_off_is_an_error_that_says_so(answering, body, told):
    stream = answering(body).stream_chat("Hi?")
    with pytest.raises(StreamFailed, match=told):
        list(stream)


def test_a_connection_that_breaks_says_how_far_the_answer_had_come(settings):
    text = (event("Look ") + event("at ") + " " * 4000).encode()
    with Server(Reply(200, text, STREAM, broken=True)) as server:
        options = {"address": server.url, "model": "m", "retry_budget": 0, "config": settings}
        told = r"broke off after 2 pieces, at the words 'Look at ': the connection broke"
        with Client(f"{LOCATION}/endpoints/e", **options) as client, pytest.raises(StreamFailed, match=told):
            list(client.stream_chat("Hi?"))


def test_the_usage_of_a_stream_reaches_the_caller(answering):
    usage = 'data: {"choices": [], "usage": {"completion_tokens": 1}}\n\ndata: [DONE]\n\n'
    stream = answering(event("Hi", "stop") + usage).chat("Hi?", stream=True)
    assert list(stream) == ["Hi"]
    assert stream.usage == {"completion_tokens": 1}


NO_ANSWERS = {
    "a message that is null": (
        {"choices": [{"message": None, "finish_reason": "stop"}]},
        "the message of the first is null",
    ),
    "a choice that is null": ({"choices": [None]}, "the first is null"),
    "choices that are null": ({"choices": None}, "they are null"),
    "an error": ({"error": {"message": "model overloaded", "code": 503}}, "model overloaded"),
    "a flat error": ({"object": "error", "message": "too long"}, "too long"),
}


@pytest.mark.parametrize(("body", "told"), NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_what_is_no_answer_is_told_in_a_sentence(answering, body, told):
    with pytest.raises(MgError, match="is not a chat completion") as failure:
        answering(body).chat("Hi?")
    assert told in str(failure.value)


def test_an_answer_within_predictions_is_one(answering):
    assert answering({"predictions": whole(content="Hi")}).chat("Hi?").text == "Hi"


def test_an_answer_of_reasoning_alone_says_why_there_are_no_words(answering):
    only = {"choices": [{"message": {"content": None, "reasoning_content": "Well"}, "finish_reason": "length"}]}
    answer = answering(only).chat("Hi?")
    assert (answer.text, answer.finish_reason) == ("", "length")
    assert "max_tokens ended it" in answer.no_words
    stream = answering(event(reasoning_content="Well") + event(finish="length")).stream_chat("Hi?")
    assert list(stream) == []
    assert "max_tokens ended it" in stream.no_words
