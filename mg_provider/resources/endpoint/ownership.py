"""Whose an endpoint and its Models are: proved by their labels, looked at right before each change of them.

An endpoint is ours by its labels, or by the claim that this stack's state alone knows. A Model is ours by its labels;
one that Model Garden's deploy made carries none until the deployment is settled, and is ours if its id is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mg_provider.resources.endpoint.calls import find_endpoint
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_LABEL, OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.lifecycle import Context, NotOurs, not_ours
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.endpoint.args import EndpointArgs


@dataclass
class Ownership:
    """What a run may touch.

    Attributes:
        args: What is wanted; the endpoint's id and the labels that it gets.
        old: What was wanted in the last run, whose labels may still be there.
        claim: The create that took hold of the endpoint, as the stack's state has it.
        in_state: Whether the resource is in the stack's state.
        ids_are_ours: Whether a Model with the id of ``args``, and no owner, can only be this resource's: the id follows
            from the stack's name, or the program names a Model that was kept.
        made: Whether Google has accepted a creation with these ids from this run.
    """

    args: EndpointArgs
    old: EndpointArgs
    claim: str
    in_state: bool
    ids_are_ours: bool = False
    made: bool = False

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether labels are this resource's, as they are or as they were before it was renamed."""
        return self.args.owns(labels) or self.old.owns(labels)

    def has(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint is this resource's."""
        labels = endpoint.labels or {}
        claimed = bool(self.claim) and labels.get(CLAIM_LABEL) == self.claim
        unowned = OWNER_LABEL not in labels
        return self.owns(labels) or (unowned and (claimed or self.made or self.args.adopting))

    def endpoint(self, endpoint: Endpoint) -> None:
        """Refuse to touch an endpoint that is not this resource's.

        Raises:
            MgError: It belongs to somebody else, or its labels were taken away.
        """
        if not self.has(endpoint):
            raise self._refusal(endpoint)

    def has_model(self, model: Model) -> bool:
        """Whether a Model is this resource's."""
        labels = model.labels or {}
        if OWNER_LABEL in labels:
            here = labels.get(ENDPOINT_LABEL, self.args.endpoint_id) in (self.args.endpoint_id, self.old.endpoint_id)
            return self.owns(labels) and here
        endpoints = {(entry.endpoint or "").rpartition("/")[2] for entry in model.deployed_models or []}
        here = not endpoints or self.args.endpoint_id in endpoints
        return here and (self.in_state or self.ids_are_ours or self.made or self.args.adopting)

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

    def _refusal(self, endpoint: Endpoint) -> NotOurs:
        args, labels = self.args, endpoint.labels or {}
        if self.in_state and not labels.get(OWNER_LABEL):
            return lost_labels(args, {**args.ownership, CLAIM_LABEL: self.claim})
        what = f"endpoint {args.endpoint}"
        if labels.get(OWNER_LABEL) == args.ownership[OWNER_LABEL]:
            return another_resource(what, args.resource, labels, "endpoint_id")
        return not_ours(what, args.resource, "set another endpoint_id, or adopt it", labels)


def ownership_of(endpoint: Endpoint) -> dict[str, str]:
    """The labels of an endpoint that say whose it is."""
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


def guarded(context: Context, args: EndpointArgs, old: EndpointArgs, claim: str) -> Context:
    """The context of a resource in the stack's state: from here on it refuses to touch what is not this resource's."""
    return replace(context, guard=Ownership(args, old, claim, in_state=True))


def guarded_creation(context: Context, args: EndpointArgs, claim: str, ids_are_ours: bool = False) -> Context:
    """The context of a creation, likewise; see :class:`Ownership`."""
    return replace(context, guard=Ownership(args, args, claim, in_state=False, ids_are_ours=ids_are_ours))


def another_resource(what: str, resource: str, labels: Mapping[str, str], id: str) -> NotOurs:
    """The error of something that another resource of this very stack has, as after a rename without an alias."""
    whose = f"{RESOURCE_LABEL}={labels.get(RESOURCE_LABEL, 'none')}"
    return NotOurs(
        f"{what} exists and belongs to another resource of this stack ({whose}), so it is left as it is",
        resource=resource,
        hint="if the resource was renamed or moved, say so with aliases=[pulumi.Alias(...)] in its options; if there "
        f"are two, give each its own {id}",
    )


def lost_labels(args: EndpointArgs, labels: Mapping[str, str]) -> NotOurs:
    """The error of an endpoint in the stack's state whose labels somebody took away, with the command that heals it."""
    told = ",".join(f"{key}={value}" for key, value in labels.items())
    return NotOurs(
        f"endpoint {args.endpoint} is in this stack's state, but somebody removed the labels that say so; it is left "
        "as it is, and what is deployed on it goes on running",
        resource=args.resource,
        exists=[args.endpoint],
        hint=f"put the labels back (gcloud ai endpoints update {args.endpoint_id} --project={args.project} "
        f"--region={args.region} --update-labels={told}), then run the same command again",
    )
