"""`mg help`: short texts on what people look for, taken from the documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from mg_provider.command_line.errors import Refusal
from mg_provider.data import table
from mg_provider.spelling import did_you_mean


def show(words: Sequence[str], command: Any, name: str) -> None:
    """Print the text of a topic, the help of a command, or without words the list of topics.

    Args:
        words: The topic, or the words that lead to a command.
        command: The command of click's that all others are below.
        name: The command's name.

    Raises:
        Refusal: There is neither such a topic nor such a command.
    """
    topics = table("help")
    if not words:
        typer.echo("\n".join(_listed(topics, name)))
    elif len(words) == 1 and words[0] in topics:
        typer.echo(f"{topics[words[0]]['title']}\n\n{topics[words[0]]['text']}")
    else:
        typer.echo(_help_of(words, command, name, topics))


def _listed(topics: dict[str, Any], name: str) -> list[str]:
    width = max(map(len, topics))
    lines = [f"  {topic:<{width}}  {entry['title']}" for topic, entry in topics.items()]
    return [f"{name} help TOPIC", "", *lines, "", f"`{name} COMMAND --help` lists the options of a command."]


def _help_of(words: Sequence[str], command: Any, name: str, topics: dict[str, Any]) -> str:
    context = command.context_class(command, info_name=name)
    for word in words:
        known = getattr(context.command, "commands", {})
        if word not in known:
            names = [*known, *(topics if context.parent is None else ())]
            hint = did_you_mean(word, names, f"`{name} help` lists the topics")
            raise Refusal(f"{word!r} is not a topic or a command", hint=hint)
        context = command.context_class(known[word], info_name=word, parent=context)
    return str(context.command.get_help(context))
