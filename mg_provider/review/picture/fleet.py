"""The fleet: what answers in which region, with what share of the requests, and how it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Content, InNetwork, Leads
from mg_provider.review.judging.exposure import is_public
from mg_provider.review.judging.gone import own_names
from mg_provider.review.judging.rest import marked_machines
from mg_provider.review.judging.traffic import shares
from mg_provider.review.machines.deployments import Replicas, Turn, is_off
from mg_provider.review.model import Access, Deployed, Fleet, Link, Node, State
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.kinds import parts
from mg_provider.review.reading.values import is_unknown, name, show

_ACCESS: Mapping[bool | None, Access] = {True: "public", False: "private", None: "unknown"}


def fleet(subjects: Sequence[Subject], turns: Mapping[int, Sequence[Turn]]) -> Fleet:
    """What serves, before and after.

    Args:
        subjects: The resources of ours.
        turns: The deployments of each, by the id of the object.
    """
    called: dict[str, str] = {}
    served: dict[str, str] = {}
    nodes: list[Node] = []
    links: list[Link] = []
    for subject in subjects:
        if subject.kind.runs or not marked_machines(subject):
            continue
        for own in (*own_names(subject, subject.old), *own_names(subject, subject.new)):
            called[own] = subject.label
        for values in (subject.old, subject.new):
            served |= dict.fromkeys(own_names(subject, values), _content(subject.kind.args, values))
    for subject in subjects:
        if not subject.kind.runs and marked_machines(subject):
            nodes += _nodes(subject, turns[id(subject)], served)
        links += _links(subject, called)
    return Fleet(
        nodes=sorted(nodes, key=lambda node: (node.region, node.resource, node.state)),
        links=sorted(links, key=lambda link: (link.region, link.resource)),
    )


def _state(subject: Subject) -> State:
    if subject.op in ("same", "read", "refresh"):
        return "same"
    if subject.goes:
        return "gone"
    if subject.op == "create" or subject.step.old is None:
        return "new"
    return "replaced" if subject.is_replaced else "changed"


def _nodes(subject: Subject, turns: Sequence[Turn], served: Mapping[str, str]) -> Iterator[Node]:
    state, was = _state(subject), subject.old.get("region")
    moves = state == "replaced" and isinstance(was, str) and name(was) != subject.region
    if moves:
        yield _node(subject, turns, "gone", name(was), served)
    yield _node(subject, turns, "new" if moves else state, subject.region, served)


def _node(subject: Subject, turns: Sequence[Turn], state: State, region: str, served: Mapping[str, str]) -> Node:
    before = "" if state == "new" else _ACCESS[is_public(subject, subject.old)]
    after = "" if state == "gone" else _ACCESS[is_public(subject, subject.new)]
    was, now = shares(subject, subject.old), shares(subject, subject.new)
    return Node(
        resource=subject.label,
        kind=subject.kind.name,
        region=region,
        state=state,
        access_before=before,
        access=after or before,
        network=_network(subject, subject.old if state == "gone" else subject.new),
        parked=state != "gone" and is_off(subject)[1],
        deployed=[
            Deployed(
                name=name(turn.name) if turn.name else "",
                before="" if state == "new" else _words(turn.before),
                after="" if state == "gone" else _words(turn.after),
                serves_before="" if state == "new" else _serves(subject, turn, subject.old, served),
                serves=_serves(subject, turn, subject.old if state == "gone" else subject.new, served),
                share_before=_share(turn, was) if turn.before and state != "new" else None,
                share_after=_share(turn, now) if turn.after and state != "gone" else None,
            )
            for turn in turns
        ],
    )


def _words(deployment: Replicas | None) -> str:
    return deployment.text() if deployment is not None else ""


def _content(model: type[BaseModel], values: Mapping[str, Any]) -> str:
    """What answers: weights or a Model before the container that serves them."""
    found = [values[field] for field, _ in marked(model, Content) if values.get(field)]
    texts = [value for value in found if isinstance(value, str)]
    images = [value.get("image_uri") for value in found if isinstance(value, Mapping)]
    first = next(iter([*texts, *images]), "")
    return show(first) if first else ""


def _serves(subject: Subject, turn: Turn, values: Mapping[str, Any], served: Mapping[str, str]) -> str:
    """What answers on a deployment; of a Model that the preview makes, its weights."""
    if not turn.name:
        return _content(subject.kind.args, values)
    for field, inner in parts(subject.kind.args):
        found = values.get(field)
        entry = found.get(turn.name) if isinstance(found, Mapping) else None
        if isinstance(entry, Mapping):
            texts = _content(inner, entry)
            return served.get(texts) or (texts.rpartition("/")[2] if texts.startswith("projects/") else texts)
    return ""


def _network(subject: Subject, values: Mapping[str, Any]) -> str:
    found = [values.get(field) for field, _ in marked(subject.kind.args, InNetwork)]
    return next((name(value.rpartition("/")[2]) for value in found if isinstance(value, str) and value), "")


def _share(turn: Turn, split: Mapping[str, int]) -> int | None:
    return split.get(turn.name, 0) if turn.name else None


def _links(subject: Subject, called: Mapping[str, str]) -> Iterator[Link]:
    values = subject.old if subject.goes else subject.new
    for field, _ in marked(subject.kind.args, Leads):
        target = values.get(field)
        if is_unknown(target):
            leads_to = "known after up"
        elif isinstance(target, str) and "/" in target:
            leads_to = called.get(target) or name(target.rpartition("/")[2])
        else:
            continue
        yield Link(
            resource=subject.label,
            region=subject.region,
            state=_state(subject),
            leads_to=leads_to,
            network=_network(subject, values),
        )
