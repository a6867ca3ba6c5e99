"""What an OpenAI completion says: its words, why it has none, or that it is an error in the place of one.

Sources: OpenAI's reference of chat completions, completions and batches; errors as vLLM 0.11, SGLang and FastAPI write
them; ``google.rpc.Status``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_OTHER_ANSWERS = (
    "candidates",
    "predictions",
    "prediction",
    "data",
    "embedding",
    "embeddings",
    "output",
    "outputs",
    "output_text",
    "generated_text",
    "text",
    "content",
)
"""Fields that hold the answer of a model that is not asked in OpenAI's form."""

_WORDS = ("message", "detail", "error_description", "error_message", "msg", "reason", "title")
_NESTED = ("error", "errors", "body", "detail", "message")
_REASONING = ("reasoning_content", "reasoning", "thinking")
_DEEPEST = 5


def problem_of_completion(response: Any) -> str | None:
    """Why this is not an answer, in the best words there are; None if it is one."""
    if isinstance(response, Mapping):
        return _problem_of_object(response)
    if response is None or (isinstance(response, str | list) and not response):
        return "the response is empty"
    return None


def _problem_of_object(response: Mapping[str, Any]) -> str | None:
    if not response:
        return "the response is empty"
    if is_error(response.get("error")):
        return error_words(response["error"])
    if "choices" in response:
        return _problem_of_choices(response["choices"], response)
    if response.get("object") != "error" and any(response.get(name) for name in _OTHER_ANSWERS):
        return None
    words = error_words(response)
    return words if words else "the response has no choices"


def _problem_of_choices(choices: Any, response: Mapping[str, Any]) -> str | None:
    if isinstance(choices, list) and any(_is_usable(choice) for choice in choices):
        return None
    words = error_words({name: value for name, value in response.items() if name in ("message", "detail", "errors")})
    if words:
        return words
    if not isinstance(choices, list) or not choices:
        return f"the response has no choices: they are {'an empty list' if choices == [] else json.dumps(choices)[:80]}"
    first = choices[0]
    if not isinstance(first, Mapping):
        return f"the response has no usable choice: the first is {json.dumps(first)[:80]}"
    if is_error(first.get("error")):
        return error_words(first["error"])
    shown = json.dumps(first.get("message"))[:80]
    finish = f", finish_reason {first['finish_reason']}" if isinstance(first.get("finish_reason"), str) else ""
    return f"the response has no usable choice: the message of the first is {shown}{finish}"


def _is_usable(choice: Any) -> bool:
    if not isinstance(choice, Mapping):
        return False
    message = choice.get("message")
    return (isinstance(message, Mapping) and bool(message)) or isinstance(choice.get("text"), str)


def unwrapped(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """A completion that came as the ``predictions`` of a container, as that."""
    inner = response.get("predictions")
    return inner if "choices" not in response and isinstance(inner, Mapping) else response


def first_choice(response: Any) -> Mapping[str, Any]:
    """The first choice that can be used; empty without one."""
    choices = response.get("choices") if isinstance(response, Mapping) else None
    return next((each for each in choices if _is_usable(each)), {}) if isinstance(choices, list) else {}


def words_of(response: Any) -> str | None:
    """The words of a completion; None where it has none."""
    choice = first_choice(response)
    message = choice.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "".join(part for part in parts if isinstance(part, str)) or None
    if isinstance(content, str) and content:
        return content
    text = choice.get("text")
    return text if isinstance(text, str) else content if isinstance(content, str) else None


def why_no_words(response: Any) -> str | None:
    """Why a completion has no words, and what to do; None if it has some, or is not a completion."""
    choice = first_choice(response)
    if not choice or words_of(response):
        return None
    message = choice.get("message") if isinstance(choice.get("message"), Mapping) else {}
    assert isinstance(message, Mapping)
    finish = choice.get("finish_reason")
    if any(message.get(name) for name in _REASONING):
        if finish == "length":
            return (
                "the model only reasoned: max_tokens ended it before its answer began (finish_reason length); raise "
                "max_tokens, or turn reasoning off"
            )
        return f"the model only reasoned and gave no answer (finish_reason {finish}); ask again, or turn reasoning off"
    if message.get("tool_calls") or message.get("function_call"):
        return f"the model asks for tools instead of answering ({_tools(message)}); the whole answer has its calls"
    if message.get("refusal"):
        return f"the model refused: {message['refusal']}"
    if finish == "content_filter":
        return "a filter removed the answer (finish_reason content_filter)"
    if finish == "length":
        return "max_tokens ended the answer before its first word (finish_reason length): raise max_tokens"
    return f"the model said nothing (finish_reason {finish})"


def _tools(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls")
    calls = calls if isinstance(calls, list) else [{"function": message.get("function_call")}]
    functions = [call.get("function") for call in calls if isinstance(call, Mapping)]
    names = [str(each.get("name")) for each in functions if isinstance(each, Mapping) and each.get("name")]
    return ", ".join(names[:3]) or "unnamed"


def is_error(error: Any) -> bool:
    """Whether a field ``error`` says that something went wrong: an empty one, and code 0, do not."""
    if isinstance(error, Mapping):
        return bool(error) and not (error.get("code") in (0, "0") and not error.get("message"))
    # A column of text holds the JSON of nothing.
    return bool(error) and not (isinstance(error, str) and error.strip() in ("", "null", "{}", "[]"))


def error_words(error: Any, deep: int = 0) -> str:
    """The best words of an error, in whatever form; empty if there are none."""
    if isinstance(error, str):
        return _inner_words(error, deep)
    if isinstance(error, list):
        return next((words for each in error if (words := error_words(each, deep + 1))), "")
    if not isinstance(error, Mapping) or deep > _DEEPEST:
        return "" if error is None or error is False else json.dumps(error)
    for name in _WORDS:
        if isinstance(value := error.get(name), str) and value.strip():
            return _inner_words(value, deep)
    for name in _NESTED:
        if (value := error.get(name)) and (words := error_words(value, deep + 1)):
            return words
    named = [f"{name} {error[name]}" for name in ("status_code", "code", "status", "type") if error.get(name)]
    return ", ".join(named)


def _inner_words(text: str, deep: int) -> str:
    """A text, or the words of the JSON that it ends with: ``Bad Request: {"error": {"message": …}}``."""
    start = text.find("{")
    if start < 0 or deep > _DEEPEST:
        return text.strip()
    try:
        inner = json.loads(text[start:])
    except (ValueError, RecursionError):
        return text.strip()
    words = error_words(inner, deep + 1)
    return f"{text[:start].strip()} {words}".strip() if words else text.strip()
