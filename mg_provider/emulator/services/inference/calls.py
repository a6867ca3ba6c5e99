"""Online inference: chat/completions, predict and their raw and streamed forms, answered by a parrot.

Answers name the deployed model, so that a test sees where traffic went. Shapes: the chat completions of vLLM 0.11, and
``aiplatform`` PredictResponse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mg_provider.emulator.core import clock
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import ApiError, invalid_argument, not_found
from mg_provider.emulator.services.inference.routing import Target, target_of
from mg_provider.emulator.services.vertex.state import Json
from mg_provider.emulator.services.vertex.weights import refuses_chat

_ENDPOINTS = "aiplatform.projects.locations.endpoints."
_STREAM = "text/event-stream"
# As vLLM answers, with transformers 4.44 and later.
_NO_TEMPLATE = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the "
    "tokenizer does not define one."
)


@handles(_ENDPOINTS + "chat.completions", private=True)
def chat_completions(call: Call) -> Answer:
    """The OpenAI form, at once or as server-sent events."""
    return _chat(call, target_of(call))


def _chat(call: Call, target: Target) -> Answer:
    _check_model(call, call.body.get("model"), target)
    messages = call.body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid_argument("messages must be a non-empty list.", ("messages", "Required field is not set."))
    if target.of_google and refuses_chat(call.world, target.source):
        raise invalid_argument(_NO_TEMPLATE)
    words = _words(call, target, _last_question(messages))
    limit = call.body.get("max_tokens") or call.body.get("max_completion_tokens") or len(words)
    said, reason = words[:limit], "length" if limit < len(words) else "stop"
    asked = sum(len(_text(message.get("content", "")).split()) for message in messages)
    usage = {"prompt_tokens": asked, "completion_tokens": len(said), "total_tokens": asked + len(said)}
    frame: Json = {"id": f"chatcmpl-{call.world.new_hex(24)}", "created": _unix(call), "model": target.query_id}
    if call.body.get("stream"):
        options = call.body.get("stream_options") or {}
        pieces = _chunks(frame, said, reason, usage if options.get("include_usage") else None)
        return Answer(stream=pieces, content_type=_STREAM)
    message = {"role": "assistant", "content": " ".join(said)}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return _json_answer({**frame, "object": "chat.completion", "choices": [choice], "usage": usage})


def _check_model(call: Call, asked: Any, target: Target) -> None:
    """A caller may leave ``model`` out; the server knows one name, which is that of its container (vLLM 0.11)."""
    if asked and asked != target.query_id:
        if call.world.behaviours["chat_model_name"] == "ignored":
            return
        raise not_found(f"The model `{asked}` does not exist.")


def _words(call: Call, target: Target, question: str) -> list[str]:
    mood = _mood(call, target)
    if mood == "500":
        raise ApiError("INTERNAL", f"The model server of DeployedModel {target.deployed['id']} failed.")
    if mood == "slow":
        call.world.let_time_pass(call.world.behaviours["slow_seconds"])
    heading = f"[emulated {target.query_id} on deployed model {target.deployed['id']}]"
    return (f"{heading} " + ("\ufffd \ufffd \ufffd" if mood == "wrong" else f"You asked: {question}")).split(" ")


def _mood(call: Call, target: Target) -> str:
    """How the test wants this model to behave."""
    bad: dict[str, str] = call.world.behaviours["bad_models"]
    keys = (target.deployed["id"], target.query_id, target.deployed["model"].rpartition("/")[2], target.source)
    return next((bad[key] for key in keys if key in bad), "")


def _last_question(messages: list[Any]) -> str:
    users = [message for message in messages if isinstance(message, dict) and message.get("role") == "user"]
    return _text(users[-1].get("content", "")) if users else ""


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


def _chunks(frame: Json, words: list[str], reason: str, usage: Json | None) -> Iterator[bytes]:
    frame = {**frame, "object": "chat.completion.chunk"}
    for index, word in enumerate(words):
        delta: Json = {"content": word if index == 0 else f" {word}"}
        if index == 0:
            delta["role"] = "assistant"
        yield _event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if usage:
        yield _event({**frame, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(body: Json) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _json_answer(body: Json) -> Answer:
    return Answer(body, content_type="application/json")


def _unix(call: Call) -> int:
    return int(clock.moment(call.world.now()).timestamp())


@handles(_ENDPOINTS + "predict", private=True)
def predict(call: Call) -> Answer:
    """Instances in, one prediction each."""
    target = target_of(call)
    instances = call.body.get("instances")
    if not isinstance(instances, list) or not instances:
        raise invalid_argument("instances must be a non-empty list.", ("instances", "Required field is not set."))
    return Answer(
        {
            "predictions": [_prediction(call, target, instance) for instance in instances],
            "deployedModelId": target.deployed["id"],
            "model": target.deployed["model"],
            "modelDisplayName": target.deployed.get("displayName", ""),
            "modelVersionId": target.deployed.get("modelVersionId", "1"),
        }
    )


def _prediction(call: Call, target: Target, instance: Any) -> str:
    question = instance.get("prompt", instance.get("text", "")) if isinstance(instance, dict) else instance
    return " ".join(_words(call, target, str(question)))


@handles(_ENDPOINTS + "rawPredict", _ENDPOINTS + "invoke.invoke", private=True)
def raw_predict(call: Call) -> Answer:
    """Whatever the container takes: chat, instances or a prompt."""
    target = target_of(call)
    if "messages" in call.body:
        return _chat(call, target)
    instances = call.body.get("instances", [call.body])
    return _json_answer({"predictions": [_prediction(call, target, instance) for instance in instances]})


@handles(_ENDPOINTS + "streamRawPredict", private=True)
def stream_raw_predict(call: Call) -> Answer:
    """Like rawPredict, in server-sent events."""
    target = target_of(call)
    if "messages" in call.body:
        call.body["stream"] = True
        return _chat(call, target)
    instances = call.body.get("instances", [call.body])
    words = [word for instance in instances for word in _prediction(call, target, instance).split(" ")]
    events = [_event({"text": word}) for word in words]
    return Answer(stream=iter([*events, b"data: [DONE]\n\n"]), content_type=_STREAM)


@handles(_ENDPOINTS + "serverStreamingPredict", private=True)
def server_streaming_predict(call: Call) -> Answer:
    """Tensors in, a JSON array of responses out, piece by piece."""
    target = target_of(call)
    question = " ".join(text for tensor in call.body.get("inputs", []) for text in tensor.get("stringVal", []))
    words = _words(call, target, question)
    pieces = [json.dumps({"outputs": [{"dtype": "STRING", "stringVal": [word]}]}).encode() for word in words]
    framed = [(b"[" if index == 0 else b",\n") + piece for index, piece in enumerate(pieces)]
    return Answer(stream=iter([*framed, b"]"]))
