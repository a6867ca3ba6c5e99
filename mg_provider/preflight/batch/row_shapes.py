"""Accepts sound rows quickly. It never says why it does not accept: `row_rules.py` does.

Whatever is accepted here has no error there; the opposite need not hold. Sources: "Get batch predictions from a
self-deployed Model Garden model" (read 2026-11) and OpenAI's chat completions and completions requests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

IGNORED = ("method", "url", "model")
"""Fields that a job does not look at; ``model`` is the one in the body."""

Kind = Literal["chat", "prompt", "any"]
"""What bodies are: requests with ``messages``, or with ``prompt``; or both kinds, and rarer spellings of fields."""

# No value fits, so a row that has the field is not accepted here.
_Nothing = Annotated[int, Meta(ge=1, le=0)]
_Role = Literal["system", "developer", "user", "assistant", "tool"]
_Count = Annotated[float, Meta(ge=1, multiple_of=1)] | None
_Text = Annotated[str, Meta(min_length=1)]


class _Part(Struct, gc=False):
    type: Literal["text"]
    text: str


class _Message(Struct, gc=False):
    role: _Role
    content: str | list[_Part]


_Messages = Annotated[tuple[_Message, ...], Meta(min_length=1)]
Lines = Callable[[memoryview], list[Any]]
"""Rows of whole lines; their ``custom_id`` is text, a number or None."""


@cache
def lines_decoder(kind: Kind, quiet: frozenset[str]) -> Lines:
    """A decoder of whole lines. It raises msgspec.MsgspecError or RecursionError at a row that it does not accept.

    Args:
        kind: What the bodies are.
        quiet: Of the fields that a job ignores, those that are not worth a word; rows with others are not accepted.
    """
    return msgspec.json.Decoder(_row(kind, quiet)).decode_lines


def _row(kind: Kind, quiet: frozenset[str]) -> type[Struct]:
    news = [name for name in IGNORED if name not in quiet]
    return msgspec.defstruct(
        "Row",
        [
            ("body", _body(kind, [name for name in news if name == "model"])),
            ("custom_id", str | int | None, None),
            *((name, _Nothing, 0) for name in ("id", "response")),
            *((name, _Nothing, 0) for name in news if name != "model"),
        ],
        gc=False,
    )


def _body(kind: Kind, news: list[str]) -> type[Struct]:
    asked: dict[Kind, list[Any]] = {
        "chat": [("messages", _Messages), ("prompt", _Nothing, 0), ("stream", None, None)],
        "prompt": [("prompt", _Text), ("messages", _Nothing, 0), ("stream", None, None)],
        "any": [("messages", _Messages | UnsetType, UNSET), ("prompt", _Text | UnsetType, UNSET)],
    }
    if kind == "any":
        asked["any"].append(("stream", bool | None, None))
    return msgspec.defstruct(
        "Body",
        [
            *asked[kind],
            ("max_tokens", _Count, None),
            ("max_completion_tokens", _Count, None),
            ("temperature", Annotated[float, Meta(ge=0)] | None, None),
            *((name, _Nothing, 0) for name in news),
        ],
        namespace={"__post_init__": _refuse_other} if kind == "any" else {},
        gc=False,
    )


def _refuse_other(body: Any) -> None:
    """Accept messages or a prompt, not both and not neither, and no stream."""
    if (body.messages is UNSET) is (body.prompt is UNSET) or body.stream:
        raise ValueError
