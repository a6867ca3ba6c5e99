"""What is there in a region, and not in a stack."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mg_provider.importing.finding import Found, Location, Thing
from mg_provider.importing.stack_state import without_project
from mg_provider.resources.model.identity import OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule.names import last, short
from mg_provider.wire.compute import ForwardingRule
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.endpoint import Endpoint


@dataclass(frozen=True)
class Listed:
    """A thing, with what a user should know before importing it.

    Attributes:
        path: Its resource name.
        what: What it is, in a few words.
        owner: The labels of the stack that has it; empty if none has.
    """

    path: str
    what: str
    owner: str


def missing(place: Location, known: Collection[str], context: Context) -> list[Listed]:
    """The endpoints, rules and jobs of a region that are not among what is known."""
    clients = context.clients
    rules = clients.compute.forwarding_rules.list(place.project, place.region)
    things: list[Thing] = [
        *clients.vertex.list_endpoints(place.parent),
        *(rule for rule in rules if "/serviceAttachments/" in (rule.target or "")),
        *clients.vertex.list_batch_prediction_jobs(place.parent),
    ]
    listed = [Listed(Found(each, place, "").path, _words(each), _owner(each)) for each in things]
    return [each for each in listed if without_project(each.path) not in known]


def _words(thing: Thing) -> str:
    if isinstance(thing, Endpoint):
        count = len(thing.deployed_models or [])
        return f"{thing.display_name}: {count or 'no'} model{'' if count == 1 else 's'} deployed"
    if isinstance(thing, ForwardingRule):
        return f"{thing.ip_address or 'no address'} to {last(short(thing.target or ''))}"
    return f"{thing.display_name}: {str(thing.state or '').removeprefix('JOB_STATE_')}"


def _owner(thing: Endpoint | ForwardingRule | BatchPredictionJob) -> str:
    labels = thing.labels or {}
    return ", ".join(f"{key}={labels[key]}" for key in (OWNER_LABEL, RESOURCE_LABEL) if key in labels)


def lines(listed: list[Listed], place: Location, state: str) -> Iterator[str]:
    """The list, for people."""
    free, owned = [each for each in listed if not each.owner], [each for each in listed if each.owner]
    where = f"{place.project} in {place.region}"
    yield f"{where}: {len(free)} to import" + (f", {len(owned)} of other stacks" if owned else "")
    for each in free:
        yield f"  {each.path}"
        yield f"      {each.what}"
    for each in owned:
        yield f"  {each.path}"
        yield f"      {each.what}; not to be imported: {each.owner}"
    if not state:
        yield "no --state was given, so what this stack has is in the list too, with its owner"
