"""Taking over an endpoint that was made elsewhere: what can be, what will change on it, and from when on it is ours.

Ownership moves with the labels, and labels are written in ``up`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from mg_provider.api.errors import MgError, NotFound
from mg_provider.resources.endpoint.args import EndpointArgs, moves_address
from mg_provider.resources.endpoint.settings import endpoint_patch, endpoint_update
from mg_provider.resources.model.args import Problem, State
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_ID, OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.lifecycle import LOOK_SECONDS, Context, Defaults, Lifecycle
from mg_provider.resources.model.standing import standing
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.base import without_outputs
from mg_provider.wire.vertex.endpoint import Endpoint

A = TypeVar("A", bound=EndpointArgs)
S = TypeVar("S", bound=State)


class EndpointLifecycle(Lifecycle[A, S], Generic[A, S]):
    """What both endpoint resources have in common before anything is made."""

    def check(self, given: Mapping[str, Any], old: A | None, defaults: Defaults) -> tuple[A, list[Problem]]:
        """As for every resource; and an id that only Vertex AI may choose cannot be that of a new endpoint."""
        args, problems = super().check(given, old, defaults)
        id, adopted = given.get("endpoint_id"), args.adopt
        if problems or not isinstance(id, str) or (old is not None and old.endpoint_id == id):
            return args, problems
        if adopted and isinstance(adopted, str) and adopted.rpartition("/")[2] != id:
            reason = f"names endpoint {adopted.rpartition('/')[2]}, and endpoint_id is {id}: remove one of them"
            return args, [Problem("adopt", reason)]
        if not adopted and not ENDPOINT_ID.fullmatch(id):
            description = self.args_type.model_fields["endpoint_id"].description
            return args, [Problem("endpoint_id", f"{id!r} does not fit: {description}")]
        return args, []

    def looks(self, args: A) -> bool:
        """With ``adopt``, at the endpoint that is taken over."""
        return args.is_known("adopt", "project", "region", "endpoint_id", "resource") and args.adopting

    def look(self, given: Mapping[str, Any], args: A, context: Context) -> tuple[A, list[Problem]]:
        """Look at the endpoint that is taken over, and tell line by line what will change on it."""
        try:
            endpoint = context.clients.vertex.get_endpoint(args.endpoint, retry_budget=LOOK_SECONDS)
            if problem := stranger(args, endpoint):
                return args, [problem]
            args = self.completed(given, args, endpoint, context)
            problems = list(self.fixed(args, endpoint))
            changes = [] if problems else self.changes(args, endpoint, context)
        except NotFound:
            reason = f"there is no endpoint {args.endpoint}: correct the name, or remove adopt to have one made"
            return args, [Problem("adopt", reason)]
        except MgError as error:
            context.progress(f"adopting {args.endpoint}: could not check what would change on it: {error.summary}")
            return args, []
        if not problems:
            context.progress(f"adopting {args.endpoint}: {'what will change:' if changes else 'nothing will change'}")
            for line in changes:
                context.progress(f"  {line}")
        return args, problems

    def completed(self, given: Mapping[str, Any], args: A, endpoint: Endpoint, context: Context) -> A:
        """The arguments, where the program leaves a choice, as the endpoint has them."""
        return args

    def fixed(self, args: A, endpoint: Endpoint) -> Iterator[Problem]:
        """What is asked for and differs from what the endpoint has, and can never be changed on it."""
        if moves_address(args.private_service_connect_config, without_outputs(endpoint.private_service_connect_config)):
            yield fixed_problem("private_service_connect_config", endpoint.private_service_connect_config)

    def changes(self, args: A, endpoint: Endpoint, context: Context) -> list[str]:
        """What taking over changes, a line each."""
        return list(setting_changes(args, endpoint))

    def may_take(self, args: A, owner: A, claim: str, endpoint: Endpoint, context: Context) -> None:
        """Refuse to touch an endpoint that is not this resource's, unless the program asks for it by name.

        Args:
            args: What is asked for.
            owner: What was wanted in the last run; ``args`` itself in a creation.
            claim: The create that holds the endpoint, as far as this run knows.
            endpoint: As it was found.
            context: Of the call.

        Raises:
            MgError: It belongs to somebody else, or cannot become what is asked for.
        """
        labels = endpoint.labels or {}
        if args.owns(labels) or owner.owns(labels) or not args.adopting:
            context.guard.endpoint(endpoint)
            if owner is args and labels.get(CLAIM_LABEL) != claim:
                context.take_up(f"endpoint {args.endpoint}", endpoint.create_time or "", args)
            return
        for problem in [stranger(args, endpoint), *self.fixed(args, endpoint)]:
            if problem is not None:
                raise MgError(f"{args.endpoint}: {problem.property} {problem.reason}", resource=args.resource)


def stranger(args: EndpointArgs, endpoint: Endpoint) -> Problem | None:
    """Why an endpoint cannot be taken over: it is another one, or another stack's."""
    labels = endpoint.labels or {}
    if labels.get(OWNER_LABEL) and not args.owns(labels):
        return Problem(
            "adopt",
            f"{args.endpoint} carries the label {OWNER_LABEL}={labels[OWNER_LABEL]}, so another stack or resource has "
            "it: remove it there first, with the endpoint kept, or remove adopt",
        )
    project, actual = args.adopt.split("/")[1], (endpoint.name or "").split("/")[1:2]
    if project.isdigit() and actual and actual[0].isdigit() and project != actual[0]:
        return Problem("adopt", f"names project {project}, but {args.project} is {actual[0]}: make them the same")
    return None


def fixed_problem(name: str, actual: object) -> Problem:
    """Something of the endpoint that must be written as it is."""
    shown = json.dumps(plain(without_outputs(actual)), default=repr)
    return Problem(name, f"is fixed on an endpoint, and the adopted one has {shown}: write the same, or remove adopt")


def setting_changes(args: EndpointArgs, endpoint: Endpoint) -> Iterator[str]:
    """What would change among names, labels, description, logging and allowlist."""
    _, mask = endpoint_patch(args, args, "", endpoint)
    names = {path: name for name, path in standing(EndpointArgs, "endpoint").items()}
    for path in mask:
        field = path.partition(".")[0]
        name = names[field]
        wanted, actual = getattr(args, name), getattr(endpoint, field)
        if name == "labels":
            changed = {key: value for key, value in args.labels.items() if (actual or {}).get(key) != value}
            own = ", ".join((CLAIM_LABEL, OWNER_LABEL, RESOURCE_LABEL))
            yield f"labels: {_shown(changed)} and this stack's {own}" if changed else f"labels: this stack's {own}"
        else:
            yield f"{name}: {_shown(actual)} -> {_shown(wanted)}"
    for path, wanted in endpoint_update(args, args, endpoint).items():
        yield f"{names[path]}: {_shown(getattr(endpoint, path))} -> {_shown(wanted)}"


def _shown(value: object) -> str:
    return json.dumps(plain(without_outputs(value)), default=repr) if value else "none"
