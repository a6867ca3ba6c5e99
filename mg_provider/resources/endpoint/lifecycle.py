"""What both endpoint resources have in common: taken over, changed and taken down alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from mg_provider.api.errors import MgError, NotFound
from mg_provider.resources.endpoint.adoption import fixed_problem, setting_changes, stranger
from mg_provider.resources.endpoint.args import EndpointArgs, EndpointState, moves_address
from mg_provider.resources.endpoint.ownership import may_take_down
from mg_provider.resources.model.args import Problem
from mg_provider.resources.model.diff import Changes
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_ID, ENDPOINT_ID_FORM
from mg_provider.resources.model.lifecycle import LOOK_SECONDS, Context, Defaults, Lifecycle
from mg_provider.wire.base import without_outputs
from mg_provider.wire.vertex.endpoint import Endpoint

A = TypeVar("A", bound=EndpointArgs)
S = TypeVar("S", bound=EndpointState)


class EndpointLifecycle(Lifecycle[A, S], Generic[A, S]):
    """The life of an endpoint, as far as both endpoint resources have the same."""

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
            return args, [Problem("endpoint_id", f"{id!r} does not fit: write {ENDPOINT_ID_FORM.write}")]
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

    def update(self, id: str, old: A, state: S, new: A, changes: Changes, context: Context) -> S:
        """Bring the endpoint to what the arguments ask for, as :meth:`converge` does, as its owner."""
        state = state.model_copy(update={"claim": state.claim or context.clock.request_id()})
        return self.converge(new, old, state, self.guarded(context, new, old, state))

    def delete(self, id: str, args: A, state: S, context: Context) -> None:
        """Take the endpoint and everything on it down, unless a newer create has taken it up."""
        context = self.guarded(context, args, args, state)
        if may_take_down(args, state.claim, context):
            self.remove(args, state, context)

    @abstractmethod
    def guarded(self, context: Context, args: A, old: A, state: S) -> Context:
        """The context of an endpoint in the stack's state: it refuses to touch what is not this resource's."""

    @abstractmethod
    def converge(self, args: A, old: A, state: S, context: Context) -> S:
        """Bring the cloud to what the arguments ask for from wherever an earlier run left it.

        Args:
            args: What is asked for.
            old: What was wanted in the last run; ``args`` itself in a creation.
            state: The outputs of the last run.
            context: Of the call, guarded.
        """

    @abstractmethod
    def remove(self, args: A, state: S, context: Context) -> None:
        """Undeploy and delete what is this resource's; gone already is fine."""

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
                reason, _, hint = problem.reason.rpartition(": ")
                raise MgError(f"{args.endpoint}: {problem.property} {reason}", resource=args.resource, hint=hint)
