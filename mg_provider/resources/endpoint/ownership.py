"""Whose an endpoint and its Models are: proved by their labels, looked at right before each change of them.

An endpoint is ours by its labels, or by the claim that this stack's state alone knows. What Model Garden's deploy
makes may carry no labels until we have put them on: then an endpoint is ours if Google took our call with its id, if
the user imported it, or if its id is the derived one and nothing but a Model of ours is on it; and a Model is ours if
its id is, or if it was made in one go with such an endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mg_provider.resources.endpoint.calls import find_endpoint
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_LABEL, OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.lifecycle import Context, NotOurs, not_ours
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.endpoint.args import EndpointArgs

_IMPORTED = "imported "
"""How the outputs of an endpoint say that it was imported, until the next `up` puts the labels on, and which one."""

_MODEL_GARDEN = "MODEL_GARDEN"
# Model Garden's deploy makes the endpoint seconds after the Model.
_TOGETHER = timedelta(minutes=10)


@dataclass
class Ownership:
    """What a run may touch.

    Attributes:
        args: What is asked for; the endpoint's id and the labels that it gets.
        old: What was wanted in the last run, whose labels may still be there.
        claim: The create that took hold of the endpoint, as the stack's state has it.
        in_state: Whether the resource is in the stack's state.
        ids_are_ours: Whether a Model with the id of ``args``, and no owner, can only be this resource's: the id follows
            from the stack's name, or the program names a Model that was kept.
        made: Whether Google has accepted a creation with these ids from this run, or from the last one.
        unproved: Whether no run has seen labels of ours on the endpoint, so that it may carry none yet.
        derived: Ids that nobody but this resource gives a Model; empty where the program chose the endpoint's id.
        named: The ids of Models that the program names.
        imported: When the endpoint was made that the user has imported; empty for one that carries labels, or was not.
    """

    args: EndpointArgs
    old: EndpointArgs
    claim: str
    in_state: bool
    ids_are_ours: bool = False
    made: bool = False
    unproved: bool = False
    derived: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    imported: str = ""
    _endpoint_made: str | None = field(default=None, init=False)

    @property
    def unlabelled(self) -> str:
        """How sure it is that an endpoint without labels is ours: ``imported …``, ``accepted``, ``asked``, or empty."""
        if self.imported:
            return as_imported(self.imported)
        return "accepted" if self.made else "asked" if self.unproved else ""

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether labels are this resource's, as they are or as they were before it was renamed."""
        return self.args.owns(labels) or self.old.owns(labels)

    def has(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint is this resource's."""
        labels = endpoint.labels or {}
        claimed = bool(self.claim) and labels.get(CLAIM_LABEL) == self.claim
        unowned = OWNER_LABEL not in labels
        known = claimed or self.made or self.args.adopting or (self.unproved and self._fits(endpoint))
        known = known or bool(self.imported and endpoint.create_time == self.imported)
        return self.owns(labels) or (unowned and known)

    def _fits(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint without labels has the derived id, and nothing on it but a Model of ours."""
        served = {(entry.model or "").rpartition("/")[2].partition("@")[0] for entry in endpoint.deployed_models or []}
        return bool(self.derived) and served <= {*self.derived, *self.named}

    def endpoint(self, endpoint: Endpoint) -> None:
        """Refuse to touch an endpoint that is not this resource's.

        Raises:
            MgError: It belongs to somebody else, or its labels were taken away.
        """
        if not self.has(endpoint):
            raise self._refusal(endpoint)
        self._endpoint_made = endpoint.create_time

    def has_model(self, model: Model) -> bool:
        """Whether a Model is this resource's."""
        labels = model.labels or {}
        if OWNER_LABEL in labels:
            here = labels.get(ENDPOINT_LABEL, self.args.endpoint_id) in (self.args.endpoint_id, self.old.endpoint_id)
            return self.owns(labels) and here
        endpoints = {(entry.endpoint or "").rpartition("/")[2] for entry in model.deployed_models or []}
        here = not endpoints or self.args.endpoint_id in endpoints
        known = self.in_state or self.ids_are_ours or self.made or self.args.adopting
        return here and (known or self.proves_model(model))

    def proves_model(self, model: Model) -> bool:
        """Whether a Model is this resource's although no state and no argument names it."""
        if OWNER_LABEL in (model.labels or {}):
            return self.has_model(model)
        derived = (model.name or "").rpartition("/")[2] in self.derived
        return derived or self._made_together(model)

    def _made_together(self, model: Model) -> bool:
        """Whether a Model was made by the call of Model Garden's deploy that made the endpoint, and serves only there.

        That call makes both, the Model first, and takes neither where there is one already.
        """
        source = model.model_source_info.source_type if model.model_source_info else None
        endpoints = {(entry.endpoint or "").rpartition("/")[2] for entry in model.deployed_models or []}
        if source != _MODEL_GARDEN or endpoints != {self.args.endpoint_id}:
            return False
        if not model.create_time or not self._endpoint_made:
            return False
        between = datetime.fromisoformat(self._endpoint_made) - datetime.fromisoformat(model.create_time)
        return timedelta(0) <= between <= _TOGETHER

    def model(self, model: Model) -> None:
        """Refuse to touch a Model that is not this resource's.

        Raises:
            MgError: It belongs to somebody else.
        """
        labels = model.labels or {}
        if not self.has_model(model) and labels.get(OWNER_LABEL) == self.args.ownership[OWNER_LABEL]:
            raise another_resource(f"Model {model.name}", self.args.resource, labels, "model_id")
        if not self.has_model(model):
            raise not_ours(f"Model {model.name}", self.args.resource, "set another model_id", model.labels)

    def took_ids(self) -> None:
        """Note that Google has accepted a creation with the resource's ids: what has them now is its own."""
        self.made = True

    def took_model(self) -> None:
        """Note that a Model with the resource's id, and without an owner, is taken up."""
        self.ids_are_ours = True

    def nothing_there(self) -> None:
        """Note that the endpoint is not there: what comes to be carries no labels at first."""
        self.unproved = True

    def _refusal(self, endpoint: Endpoint) -> NotOurs:
        args, labels = self.args, endpoint.labels or {}
        if not labels.get(OWNER_LABEL):
            if self.imported:
                return _another_one(args)
            if self.in_state and not self.unproved:
                return lost_labels(args, {**args.ownership, CLAIM_LABEL: self.claim})
            return unlabelled(args, endpoint)
        what = f"endpoint {args.endpoint}"
        if labels.get(OWNER_LABEL) == args.ownership[OWNER_LABEL]:
            return another_resource(what, args.resource, labels, "endpoint_id")
        return not_ours(what, args.resource, "set another endpoint_id, or adopt it", labels)


def as_imported(made: str) -> str:
    """What the outputs say of an endpoint without labels that was imported, by when it was made."""
    return f"{_IMPORTED}{made}"


def imported_as(unlabelled: str) -> str:
    """When the endpoint was made that was imported, from what the outputs say; empty for one that was not."""
    return unlabelled.removeprefix(_IMPORTED) if unlabelled.startswith(_IMPORTED) else ""


def _another_one(args: EndpointArgs) -> NotOurs:
    return NotOurs(
        f"endpoint {args.endpoint} is not the one that was imported: that one was deleted, and somebody made another "
        "one with its id since then; it is left unchanged",
        resource=args.resource,
        exists=[args.endpoint],
        hint="remove the resource from the state with `pulumi state delete`; import the endpoint again if it is yours",
    )


def ownership_of(endpoint: Endpoint) -> dict[str, str]:
    """The labels of an endpoint that say who owns it."""
    labels = endpoint.labels or {}
    return {key: labels[key] for key in (OWNER_LABEL, RESOURCE_LABEL) if key in labels}


def lacks_ownership(args: EndpointArgs, seen: Mapping[str, str] | None) -> bool:
    """Whether the labels that were seen last, if any were looked at, are not those of the resource."""
    return seen is not None and dict(seen) != args.ownership


def may_take_down(args: EndpointArgs, claim: str, context: Context) -> bool:
    """Whether a deletion has something to do: no newer create has taken up the endpoint.

    Raises:
        NotOurs: The endpoint is somebody else's.
    """
    endpoint = find_endpoint(args, context)
    if endpoint is None:
        return True
    context.guard.endpoint(endpoint)
    if claim and (endpoint.labels or {}).get(CLAIM_LABEL, claim) != claim:
        context.progress("a newer create has taken up the endpoint; left alone")
        return False
    return True


def guarded(context: Context, args: EndpointArgs, old: EndpointArgs, claim: str, **more: Any) -> Context:
    """The context of a resource in the stack's state: from here on it refuses to touch what is not this resource's."""
    return replace(context, guard=Ownership(args, old, claim, in_state=True, **more))


def guarded_creation(context: Context, args: EndpointArgs, claim: str, **more: Any) -> Context:
    """The context of a creation, likewise; see :class:`Ownership`."""
    return replace(context, guard=Ownership(args, args, claim, in_state=False, unproved=True, **more))


def another_resource(what: str, resource: str, labels: Mapping[str, str], id: str) -> NotOurs:
    """The error of something that another resource of this very stack has, as after a rename without an alias."""
    whose = f"{RESOURCE_LABEL}={labels.get(RESOURCE_LABEL, 'none')}"
    return NotOurs(
        f"{what} exists and belongs to another resource of this stack ({whose}), so it is left unchanged",
        resource=resource,
        hint="if the resource was renamed or moved, say so with aliases=[pulumi.Alias(...)] in its options; if there "
        f"are two, give each its own {id}",
    )


def unlabelled(args: EndpointArgs, endpoint: Endpoint) -> NotOurs:
    """The error of an endpoint without labels that may be what an interrupted run of ours made, or anybody else's."""
    entries = [f"{args.endpoint}: deployment {entry.id} of {entry.model}" for entry in endpoint.deployed_models or []]
    return NotOurs(
        f"endpoint {args.endpoint} exists and does not carry this stack's ownership label, so it is left unchanged, "
        "and what is deployed on it goes on running",
        resource=args.resource,
        exists=[args.endpoint, *entries],
        hint=f"if an interrupted run of this stack made it, put the labels on ({_label_command(args, args.ownership)}) "
        "and run the same command again; if not, set another endpoint_id, or adopt it",
    )


def _label_command(args: EndpointArgs, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f"{key}={value}" for key, value in labels.items())
    return (
        f"gcloud ai endpoints update {args.endpoint_id} --project={args.project} --region={args.region} "
        f"--update-labels={pairs}"
    )


def lost_labels(args: EndpointArgs, labels: Mapping[str, str]) -> NotOurs:
    """The error of an endpoint in the stack's state whose labels somebody took away, with the command that heals it."""
    return NotOurs(
        f"endpoint {args.endpoint} is in this stack's state, but somebody removed the labels that say so; it is left "
        "unchanged, and what is deployed on it goes on running",
        resource=args.resource,
        exists=[args.endpoint],
        hint=f"put the labels back ({_label_command(args, labels)}), then run the same command again",
    )
