"""The thing in the cloud that a user asks to import. Only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from mg_provider.api.errors import MgError, NotFound, UserError
from mg_provider.api.texts import shown
from mg_provider.data import known_regions
from mg_provider.importing.wanted import Wanted
from mg_provider.resources.model.identity import COMPUTE_NAME, ENDPOINT_ID
from mg_provider.resources.model.lifecycle import Context
from mg_provider.wire.compute import ForwardingRule
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.endpoint import Endpoint

T = TypeVar("T")
Thing = Endpoint | ForwardingRule | BatchPredictionJob


@dataclass(frozen=True)
class Location:
    """Where things are looked for: a project by its id, where that is known, and a region."""

    project: str
    region: str

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return f"projects/{self.project}/locations/{self.region}"

    def own(self, name: str) -> str:
        """A resource name below the place with the project as the place has it: Google answers with its number."""
        parts = name.split("/")
        same = len(parts) > 3 and parts[0] == "projects" and parts[1] in (self.project, self.number)
        return "/".join(["projects", self.project, *parts[2:]]) if same else name

    number: str = ""
    """The project's number, once an answer has named it."""


@dataclass(frozen=True)
class Found:
    """A thing, where it is, and what it is called in the program."""

    thing: Thing
    place: Location
    name: str

    @property
    def id(self) -> str:
        """The last part of its resource name."""
        return (self.thing.name or "").rpartition("/")[2]

    @property
    def path(self) -> str:
        """Its resource name, with the project as the user names it."""
        if isinstance(self.thing, ForwardingRule):
            return f"projects/{self.place.project}/regions/{self.place.region}/forwardingRules/{self.id}"
        kind = "endpoints" if isinstance(self.thing, Endpoint) else "batchPredictionJobs"
        return f"{self.place.parent}/{kind}/{self.id}"


def find(wanted: Wanted, place: Location, context: Context) -> Found:
    """The thing that is asked for.

    Args:
        wanted: What the user wrote.
        place: Where to look for what has no resource name.
        context: The world.

    Raises:
        UserError: It is not there, or several have that name.
    """
    for at in _places(wanted, place):
        found = list(_named(wanted, at, context) if wanted.sort else _called(wanted.id, at, context))
        if len(found) > 1:
            names = ", ".join(Found(each, at, "").path for each in found)
            raise UserError(f"{shown(wanted.text)} names several things", hint=f"write the whole name of one: {names}")
        number = _number(found[0]) if found else ""
        if found and (not wanted.project.isdigit() or number in ("", wanted.project)):
            return Found(found[0], Location(at.project, at.region, number), wanted.name)
    raise _missing(wanted, at)


def require_place(place: Location, otherwise: str = "") -> None:
    """Refuse a place that is not known, or not a region of Vertex AI.

    Raises:
        UserError: It is not.
    """
    for name in ("region", "project"):
        if not getattr(place, name):
            raise UserError("is not known", property=name, hint=f"give --{name}{otherwise and f',{otherwise}'}")
    if place.region not in known_regions():
        reason = f"{shown(place.region)} is not a region of Vertex AI"
        raise UserError(reason, property="region", hint="write one such as us-central1")


def _places(wanted: Wanted, place: Location) -> list[Location]:
    """Where the thing may be: a project's number in its name may be that of the configured project.

    Raises:
        UserError: Neither a name nor an option says it.
    """
    project, region = wanted.project or place.project, wanted.region or place.region
    require_place(Location(project, region), " or write the whole resource name")
    by_id = project.isdigit() and place.project and not place.project.isdigit()
    return [*([Location(place.project, region)] if by_id else []), Location(project, region)]


def _number(thing: Thing) -> str:
    """The number of the project that a thing is in, where its name says so."""
    parts = (thing.name or "").split("/")
    return parts[1] if len(parts) > 1 and parts[1].isdigit() else ""


def _named(wanted: Wanted, place: Location, context: Context) -> Iterator[Thing]:
    vertex, compute = context.clients.vertex, context.clients.compute
    if wanted.sort == "endpoint":
        yield from _there(lambda: vertex.get_endpoint(f"{place.parent}/endpoints/{wanted.id}"))
    elif wanted.sort == "job":
        yield from _there(lambda: vertex.get_batch_prediction_job(f"{place.parent}/batchPredictionJobs/{wanted.id}"))
    else:
        yield from _there(lambda: compute.forwarding_rules.get(place.project, place.region, wanted.id))


def _called(name: str, place: Location, context: Context) -> Iterator[Thing]:
    """What has this id or, where nothing has it, this name for people."""
    vertex, compute = context.clients.vertex, context.clients.compute
    found: list[Thing] = []
    if ENDPOINT_ID.fullmatch(name) or name.isdigit():
        found += _there(lambda: vertex.get_endpoint(f"{place.parent}/endpoints/{name}"))
    if name.isdigit():
        found += _there(lambda: vertex.get_batch_prediction_job(f"{place.parent}/batchPredictionJobs/{name}"))
    if COMPUTE_NAME.fullmatch(name):
        found += _there(lambda: compute.forwarding_rules.get(place.project, place.region, name))
    if not found and '"' not in name:
        asked = f"display_name={json.dumps(name, ensure_ascii=False)}"
        found += vertex.list_endpoints(place.parent, asked)
        found += vertex.list_batch_prediction_jobs(place.parent, asked)
    yield from found


def _there(read: Callable[[], T]) -> list[T]:
    try:
        return [read()]
    except NotFound:
        return []


def _missing(wanted: Wanted, place: Location) -> MgError:
    where = f"project {place.project} in {place.region}"
    if wanted.sort:
        what = {"endpoint": "endpoint", "rule": "forwarding rule", "job": "batch prediction job"}[wanted.sort]
        return UserError(
            f"there is no {what} {wanted.id} in {where}",
            hint="correct the name; `mg import --all --region REGION` lists what is there",
        )
    return UserError(
        f"nothing in {where} has the id or name {shown(wanted.text)}: no endpoint, no forwarding rule, no batch "
        "prediction job",
        hint="correct it, or give the --region that it is in; `mg import --all` lists what is there",
    )
