"""The topology as a Mermaid chart, which GitHub and GitLab draw: who reaches which endpoint, and what answers there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mg_provider.review.formats.words import machines, moved
from mg_provider.review.model import Fleet, Node

_MOST_NODES: Final = 24
_MOST_DEPLOYED: Final = 6
_MOST_LINKS: Final = 6
_MOST_LETTERS: Final = 80
_PLAIN: Final = frozenset(" -_.,:/→")
_STATES: Final = {"same": "", "new": "new", "changed": "changed", "replaced": "replaced", "gone": "deleted"}


def topology(fleet: Fleet) -> str:
    """A flow chart of what changes and of what leads to it; empty where a picture says no more than a line."""
    shown = [node for node in fleet.nodes if node.state != "same"][:_MOST_NODES]
    links = [link for link in fleet.links if link.leads_to in {node.resource for node in shown}]
    if len(shown) < 2 and not links and not any(len(node.deployed) > 1 for node in shown):
        return ""
    lines = ["flowchart LR"]
    if any(node.access == "public" for node in shown):
        lines.append('  internet(["the internet"])')
    for number, region in enumerate(sorted({node.region for node in shown})):
        lines.append(f"  subgraph r{number}[{_text(region or 'unknown region')}]")
        here = [(index, node) for index, node in enumerate(shown) if node.region == region]
        for index, node in here:
            lines += [f"    {line}" for line in _boxes(index, node)]
        lines.append("  end")
        for index, node in here:
            if node.access == "public":
                opened = node.access_before == "private" or node.state == "new"
                lines.append(
                    f"  internet ==>|{_text('from now on')}| n{index}" if opened else f"  internet --> n{index}"
                )
            to_it = [link for link in links if link.leads_to == node.resource and link.region == region]
            for at, link in enumerate(to_it[:_MOST_LINKS]):
                lines.append(f"  p{index}x{at}([{_text(link.resource)}]) -.->|{_text('private')}| n{index}")
    lines.append("  classDef gone stroke-dasharray: 5 5")
    if gone := [f"n{index}" for index, node in enumerate(shown) if node.state == "gone"]:
        lines.append(f"  class {','.join(gone)} gone")
    return "\n".join(lines)


def _boxes(index: int, node: Node) -> Iterator[str]:
    state = "parked" if node.parked else _STATES[node.state]
    if len(node.deployed) < 2:
        texts = [": ".join((node.resource, state)), *(" ".join(machines(one)) for one in node.deployed)]
        yield f"n{index}[{_text(', '.join(filter(None, texts)))}]"
        return
    yield f"n{index}[{_text(f'{node.resource}: {state}')}]"
    for at, one in enumerate(node.deployed[:_MOST_DEPLOYED]):
        share = moved(one.share_before, one.share_after) or "deployed"
        label = f"{one.name}, {' '.join(machines(one))}"
        yield f"n{index} -->|{_text(share)}| d{index}x{at}[{_text(label)}]"


def _text(text: str) -> str:
    """A label. Whatever could be markup, or end it, is written as a number."""
    short = text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"
    return '"' + "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in short) + '"'
