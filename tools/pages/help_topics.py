"""Make the texts of `mg help TOPIC` from the documents, as plain text for a terminal of 80 columns."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WIDTH: Final = 78
_FENCE: Final = "```"


class Part(NamedTuple):
    """Some blocks of a page: below a heading, or before the first one; ``blocks`` is a slice of them."""

    page: str
    heading: str = ""
    blocks: slice = slice(None)


# Topic to its title, and where its text comes from; the first page is the one to read on.
TOPICS: Final[dict[str, tuple[str, tuple[Part, ...]]]] = {
    "start": (
        "From nothing to a rehearsed project",
        (
            Part("start.md", "2. Write a project", slice(1)),
            Part("start.md", "3. Rehearse it", slice(1)),
            Part("emulator.md", "Do I have to start it?", slice(1, 2)),
            Part("start.md", "4. Review a change", slice(2)),
        ),
    ),
    "rehearse": (
        "Run a program without a cloud",
        (Part("emulator.md", "", slice(1)), Part("emulator.md", "Do I have to start it?")),
    ),
    "review": (
        "Review a change before it is made",
        (Part("review.md", "", slice(2)), Part("review.md", "", slice(-1, None))),
    ),
    "import": (
        "Bring what is there into a stack",
        (Part("import.md", "", slice(2)), Part("import.md", "1. Read what is there", slice(1))),
    ),
    "config": ("Keys of a stack's configuration", (Part("configuration.md", "", slice(None)),)),
    "credentials": (
        "Who the calls are made as",
        (
            Part("configuration.md", "Which credentials are used?"),
            Part("security.md", "Which credentials does it use?"),
        ),
    ),
    "ownership": (
        "Whose a resource is, and how to take one over",
        (Part("how-it-works.md", "How does a stack know what it owns?"),),
    ),
    "private": (
        "Public and private endpoints",
        (
            Part("security.md", "Who can reach an endpoint?"),
            Part("private-path.md", "Which resource is in which project?", slice(-1, None)),
        ),
    ),
    "rollouts": (
        "New weights behind the same address",
        (Part("operating.md", "What does a rollout do, step by step?"),),
    ),
    "batch": ("Batches every night", (Part("nightly-batch.md", "What does the program look like?", slice(1, None)),)),
    "cost": (
        "What costs money, and how to see it before",
        (Part("cost.md", "What costs money?"), Part("cost.md", "What do I see before I pay?", slice(2))),
    ),
    "environment": ("Options as environment variables", (Part("commands.md", "Environment variables"),)),
    "errors": ("Exit codes, and the form of errors", (Part("commands.md", "Exit codes and errors"),)),
    "completion": ("Completion in bash, zsh and fish", (Part("commands.md", "Completion"),)),
}


def outputs() -> dict[str, str]:
    """Path below the root to content."""
    topics = {name: {"title": title, "text": _text(name, parts)} for name, (title, parts) in TOPICS.items()}
    return {"mg_provider/data/help.json": json.dumps(topics, indent=1, ensure_ascii=False) + "\n"}


def _text(name: str, parts: tuple[Part, ...]) -> str:
    shown = [plain(block) for part in parts for block in blocks(name, part)]
    page = parts[0].page
    title = (ROOT / "docs" / page).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    more = f'More: "{title}", docs/{page}, on the site {page.removesuffix(".md")}.html'
    return "\n\n".join((*filter(None, shown), _filled(more)))


def blocks(topic: str, part: Part) -> list[str]:
    """The blocks of Markdown that a part names.

    Raises:
        LookupError: The page has no such heading, or nothing below it.
    """
    text = (ROOT / "docs" / part.page).read_text(encoding="utf-8")
    text = re.sub(r"<!--.*?-->\n?", "", text)
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for block in _blocks(text):
        if heading := re.fullmatch(r"#{2,} (.*)", block):
            current = heading[1]
            sections[current] = []
        elif not block.startswith(("# ", "![")):
            sections[current].append(block)
    found = sections.get(part.heading, [])[part.blocks]
    if not found:
        raise LookupError(
            f"mg help {topic} shows {part.heading!r} of docs/{part.page}, which is not there: see {__file__}"
        )
    return found


def _blocks(text: str) -> Iterator[str]:
    """What empty lines divide; a fenced block is one."""
    lines: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        is_fence = line.startswith(_FENCE)
        if (not line.strip() or (is_fence and not fenced)) and not fenced and lines:
            yield "\n".join(lines)
            lines = []
        if line.strip() or fenced:
            lines.append(line)
        fenced = fenced != is_fence


def plain(block: str) -> str:
    """A block as plain text."""
    if block.startswith(_FENCE):
        kind, *body = block.splitlines()
        return "" if "mermaid" in kind else textwrap.indent("\n".join(body[:-1]), "    ")
    if block.startswith("|"):
        return "\n".join(_rows(block))
    if re.match(r"([*-]|\d+\.) ", block):
        entries = re.split(r"\n(?=(?:[*-]|\d+\.) )", block)
        return "\n".join(_filled(entry, indent=len(entry.partition(" ")[0]) + 1) for entry in entries)
    return _filled(block)


def _rows(table: str) -> Iterator[str]:
    """A text for each row of a table: the first cell, then the others, with their headings if they are several."""
    headings, _, *rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    for first, *others in rows:
        named = [f"{head}: {cell}" for head, cell in zip(headings[1:], others, strict=True) if cell]
        rest = "; ".join(named) if len(others) > 1 else others[0]
        yield _filled(f"  {first}: {rest}" if len(others) == 1 else f"  {first}; {rest}", indent=4)


def _filled(text: str, indent: int = 0) -> str:
    text = re.sub(r"\[([^\]]*)\]\((\w[\w-]*\.md)[^)]*\)", r"\1 (docs/\2)", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\*\*(.*?)\*\*", r"\1", text).replace("\\", "")
    start = re.match(r" *", text)
    lead = start[0] if start else ""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
