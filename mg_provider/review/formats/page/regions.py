"""The fleet, a picture for each region: endpoints, what answers on them with which share, and the ways to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from mg_provider.review.formats.page.drawing import WIDTH, Drawing, letters, width_of
from mg_provider.review.formats.page.element import Child, Markup, el
from mg_provider.review.formats.words import machines, moved, serves
from mg_provider.review.model import Deployed, Fleet, Link, MachineCount, Node

_MOST_NODES: Final = 12
_MOST_DEPLOYED: Final = 8
_MOST_LINKS: Final = 6
_LEFT: Final = 22.0
_INSIDE: Final = _LEFT + 12
_RIGHT: Final = WIDTH - 13.0
_STATES: Final = {"same": "", "new": "new", "changed": "changed", "replaced": "replaced", "gone": "deleted"}
_IMPORTANCE: Final = ("gone", "replaced", "new", "changed", "same")


def regions(fleet: Fleet, counts: Sequence[MachineCount]) -> Iterator[Drawing]:
    """A picture for each region; those in which something changes come first."""
    nodes = {region: list(found) for region, found in groupby(fleet.nodes, lambda node: node.region)}
    links = {region: list(found) for region, found in groupby(fleet.links, lambda link: link.region)}

    def order(region: str) -> tuple[bool, str]:
        return all(node.state == "same" for node in nodes.get(region, ())), region

    for region in sorted({*nodes, *links}, key=order):
        here = [count for count in counts if count.region == region]
        yield _region(region, nodes.get(region, []), links.get(region, []), here)


def _region(region: str, nodes: list[Node], links: list[Link], counts: list[MachineCount]) -> Drawing:
    ordered = sorted(nodes, key=lambda node: (_IMPORTANCE.index(node.state), node.resource))
    parts: list[Child] = []
    y, public = 42.0, []
    for node in ordered[:_MOST_NODES]:
        to_it = [link for link in links if link.leads_to == node.resource]
        box, height = _box(node, to_it, y)
        parts.append(box)
        if node.access == "public":
            public.append((y + 15, node))
        y += height + 12
    shown = {node.resource for node in ordered[:_MOST_NODES]}
    loose = [link for link in links if link.leads_to not in shown]
    if len(ordered) > _MOST_NODES:
        parts.append(letters(f"and {len(ordered) - _MOST_NODES} more endpoints", _LEFT, y + 8, 280, "soft"))
        y += 22
    for link in loose[:_MOST_LINKS]:
        parts.append(_link(link, y, f"{link.resource} → {link.leads_to}"))
        y += 20
    if len(loose) > _MOST_LINKS:
        parts.append(letters(f"and {len(loose) - _MOST_LINKS} more connections", _LEFT, y + 8, 280, "soft"))
        y += 22
    head = [letters(region or "a region that is not known", 0, 14, 190, "region"), _gpus(counts)]
    words = "; ".join(_words(node, links) for node in ordered[:_MOST_NODES]) or "only private connections"
    return Drawing(region or "unknown region", words, y + 2, [head, _internet(public), parts])


def _gpus(counts: list[MachineCount]) -> Child:
    before, after = sum(count.before[1] for count in counts), sum(count.after[1] for count in counts)
    if not before and not after:
        return None
    text = f"{before} → {after} GPUs" if before != after else f"{after} GPU{'s' if after > 1 else ''}"
    return letters(text, WIDTH, 14, 150, "strong", end=True)


def _internet(public: list[tuple[float, Node]]) -> Child:
    """The way in from the internet: one line down the left, an arrow into each endpoint that it reaches."""
    if not public:
        return None
    drawn: list[Child] = [letters("internet", 0, 32, 80, "soft"), el("line", x1=5, y1=37, x2=5, y2=public[-1][0])]
    for y, node in public:
        opened = node.access_before == "private" or node.state == "new"
        arrow = f"M5 {y:g}H{_LEFT - 6:g}M{_LEFT - 10:g} {y - 4:g}L{_LEFT - 3:g} {y:g}L{_LEFT - 10:g} {y + 4:g}"
        drawn.append(el("path", d=arrow, class_="opened" if opened else None))
    return el("g", drawn, class_="way")


def _box(node: Node, links: list[Link], top: float) -> tuple[Markup, float]:
    inside: list[Child] = []
    state = "parked" if node.parked else _STATES[node.state]
    room = _RIGHT - _INSIDE - (width_of(state) + 10 if state else 0)
    inside.append(letters(node.resource, _INSIDE, top + 19, room, "gone name" if node.state == "gone" else "name"))
    inside.append(letters(state, _RIGHT, top + 19, 90, "state", end=True) if state else None)
    inside.append(letters(_access(node), _INSIDE, top + 34, _RIGHT - _INSIDE, _tone(node)))
    y = top + 34
    split = [one for one in node.deployed if one.share_before is not None or one.share_after is not None]
    if len(split) > 1:
        inside.append(_traffic(split, y + 8))
        y += 18
    for index, one in enumerate(node.deployed[:_MOST_DEPLOYED]):
        lines, height = _deployed(one, index, y, len(split) > 1)
        inside.append(lines)
        y += height
    if len(node.deployed) > _MOST_DEPLOYED:
        more = f"and {len(node.deployed) - _MOST_DEPLOYED} more"
        inside.append(letters(more, _INSIDE, y + 15, 200, "soft"))
        y += 15
    bottom = y + 11
    for link in links[:_MOST_LINKS]:
        inside.append(_link(link, bottom, link.resource))
        bottom += 20
    if len(links) > _MOST_LINKS:
        inside.append(letters(f"and {len(links) - _MOST_LINKS} more connections", _INSIDE, bottom + 14, 250, "soft"))
        bottom += 20
    height = y + 11 - top
    frame = el("rect", x=_LEFT, y=top, width=WIDTH - _LEFT - 1, height=height, rx=3, class_=f"box {node.state}")
    return el("g", frame, inside), bottom - top


def _access(node: Node) -> str:
    words = {"public": "public, from the internet", "private": "private", "unknown": "reached by: not known"}
    text = words.get(node.access, "")
    if node.network and node.access == "private":
        text = f"private, from network {node.network}"
    changed = node.access_before and node.access_before != node.access
    return f"{text}; was {node.access_before}" if changed else text


def _tone(node: Node) -> str:
    opened = node.access == "public" and node.state != "gone" and node.access_before != "public"
    return "opened" if opened else "soft"


def _traffic(split: list[Deployed], y: float) -> Markup:
    """One bar of all the requests, as they are shared afterwards."""
    whole = sum(_share(one) for one in split) or 1
    x, room = _INSIDE, _RIGHT - _INSIDE
    parts: list[Child] = []
    for index, one in enumerate(split):
        width = room * _share(one) / whole
        if width > 1:
            parts.append(el("rect", x=x, y=y, width=max(width - 1.5, 1), height=8, class_=f"part p{index % 4}"))
        x += width
    return el("g", parts)


def _share(one: Deployed) -> int:
    found = one.share_before if one.share_after is None else one.share_after
    return max(found or 0, 0)


def _deployed(one: Deployed, index: int, y: float, is_split: bool) -> tuple[Markup, float]:
    parts: list[Child] = []
    x = _INSIDE
    if one.name:
        if is_split:
            parts.append(el("rect", x=x, y=y + 8, width=8, height=8, class_=f"part p{index % 4}"))
            x += 14
        share = moved(one.share_before, one.share_after)
        parts.append(letters(one.name, x, y + 16, _RIGHT - x - width_of(share) - 10, "name"))
        parts.append(letters(share, _RIGHT, y + 16, 150, "strong", end=True))
        y, height = y + 15, 15.0
    else:
        height = 0.0
    for line in (*serves(one), *machines(one)):
        parts.append(letters(line, x, y + 16, _RIGHT - x, "soft"))
        y, height = y + 15, height + 15
    return el("g", parts), height


def _link(link: Link, top: float, text: str) -> Markup:
    """A private connection: a dashed line from the endpoint to what stands for it in the network."""
    x = _INSIDE + 4
    state = _STATES[link.state]
    label = f"{text}, network {link.network}" if link.network else text
    label = f"{label} ({state})" if state else label
    shape = el("path", d=f"M{x:g} {top:g}v10h12", class_="private")
    end = el("rect", x=x + 12, y=top + 6, width=8, height=8, rx=4, class_=f"end {link.state}")
    kind = "gone name" if link.state == "gone" else "name"
    return el("g", shape, end, letters(label, x + 26, top + 14, _RIGHT - x - 26, kind))


def _words(node: Node, links: list[Link]) -> str:
    """An endpoint for those who do not see it."""
    texts = [node.resource, _STATES[node.state] or "unchanged", _access(node)]
    for one in node.deployed[:_MOST_DEPLOYED]:
        share = moved(one.share_before, one.share_after)
        texts.append(" ".join(filter(None, (one.name, share, *serves(one), *machines(one)))))
    to_it = [link for link in links if link.leads_to == node.resource][:_MOST_LINKS]
    via = [f"{link.resource} in network {link.network}" if link.network else link.resource for link in to_it]
    if via:
        texts.append(f"private connection {', '.join(via)}")
    return ", ".join(filter(None, texts))
