"""Accepts sound rows quickly. It never says why it does not accept: `row_rules.py` does.

Whatever is accepted here has no error there; the opposite need not hold. Sources: "Get batch predictions from a
self-deployed Model Garden model" (read 2026-11) and OpenAI's chat completions and completions requests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

IGNORED = ("method", "url", "model")
"""Fields that a job does not look at; ``model`` is the one in the body."""

# No value fits, so a row that has the field is not accepted here.
_Nothing = Annotated[int, Meta(ge=1, le=0)]
_Role = Literal["system", "developer", "user", "assistant", "tool"]
_Count = Annotated[int, Meta(ge=1)]
_Text = Annotated[str, Meta(min_length=1)]


class _Part(Struct, gc=False):
    type: Literal["text"]
    text: str


class _Message(Struct, gc=False):
    role: _Role
    content: str | list[_Part]


Lines = Callable[[memoryview], list[Any]]
"""Rows of whole lines; their ``custom_id`` is text or None."""


@cache
def lines_decoder(kind: Literal["chat", "prompt"], told: frozenset[str]) -> Lines:
    """A decoder of whole lines. It raises msgspec.MsgspecError or RecursionError at a row that it does not accept.

    Args:
        kind: What the bodies are: requests with ``messages``, or with ``prompt``.
        told: Of the fields that a job ignores, those that are no news; rows with others are not accepted.
    """
    return msgspec.json.Decoder(_row(kind, told)).decode_lines


def _row(kind: str, told: frozenset[str]) -> type[Struct]:
    news = [name for name in IGNORED if name not in told]
    asked: list[tuple[str, Any]] = [
        ("messages", Annotated[tuple[_Message, ...], Meta(min_length=1)]),
        ("prompt", _Text),
    ]
    wanted, unwanted = asked if kind == "chat" else reversed(asked)
    body = msgspec.defstruct(
        "Body",
        [
            wanted,
            (unwanted[0], _Nothing, 0),
            ("stream", _Nothing, 0),
            ("max_tokens", _Count, 1),
            ("max_completion_tokens", _Count, 1),
            ("temperature", Annotated[float, Meta(ge=0)], 0.0),
            *((name, _Nothing, 0) for name in news if name == "model"),
        ],
        gc=False,
    )
    return msgspec.defstruct(
        "Row",
        [
            ("body", body),
            ("custom_id", str | None, None),
            *((name, _Nothing, 0) for name in ("id", "response")),
            *((name, _Nothing, 0) for name in news if name != "model"),
        ],
        gc=False,
    )
