"""What the life of a resource is, free of Pulumi: plan, create, read, update, delete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.api.errors import (
    ConnectionFailed,
    MgError,
    OperationCancelled,
    OperationLost,
    OperationTimeout,
    Unavailable,
)
from mg_provider.api.texts import shown
from mg_provider.api.waiting import Progress, Waiting
from mg_provider.clock import Clock
from mg_provider.data import is_region, table
from mg_provider.resources.model.args import Args, Problem, Rule, State
from mg_provider.resources.model.diff import Changes, compare
from mg_provider.resources.model.identity import OWNER_LABEL, RESOURCE_LABEL, is_ours, ownership_labels
from mg_provider.resources.model.marks import Computed, InPlace, Local, Replaces, unique
from mg_provider.resources.model.meaning import Inner
from mg_provider.rollout.place import UNGUARDED, Guard
from mg_provider.wire.form import Form

if TYPE_CHECKING:
    from mg_provider.api.clients import Clients
    from mg_provider.wire.vertex.operation import Operation


MOST_TIMEOUT: Final = 30 * 24 * 3600
"""Seconds. Queued capacity is waited for at most seven days, a batch job by default one."""


class Timeouts(BaseModel):
    """How long to wait for a call's work to end, in seconds."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    create: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="Seconds to wait for a creation.")
    update: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="Seconds to wait for a change.")
    delete: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="Seconds to wait for a deletion.")


def _region_problem(args: CloudArgs) -> str | None:
    if not args.region or is_region(args.region):
        return None
    as_of = table("regions")["as_of"]
    return f"{shown(args.region)} is not a region of Vertex AI (table of {as_of}): use for example us-central1"


def _timeouts_problem(args: CloudArgs) -> str | None:
    for name in Timeouts.model_fields:
        seconds = getattr(args.timeouts, name)
        if seconds is not None and seconds > MOST_TIMEOUT:
            return f"has {name} {seconds:g}: use at most {MOST_TIMEOUT} seconds, which is 30 days"
    return None


class CloudArgs(Args):
    """What every resource has: where it is, who owns it, how long to wait."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(("region",), _region_problem),
        Rule(("timeouts",), _timeouts_problem),
    )
    always_in_ids = frozenset({"project", "region"})

    project: Annotated[
        str,
        Replaces("a resource belongs to one project"),
        Computed(),
        Form(
            r"([a-z]([a-z0-9-]|[.:][a-z0-9]){4,61}[a-z0-9]|[0-9]{1,19})?",
            "a project id such as my-project: 6 to 63 of a-z, 0-9 and -, a letter first; or a project number",
        ),
    ] = Field(
        default="",
        description="Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT.",
    )
    region: Annotated[str, Replaces("a resource belongs to one region"), Computed()] = Field(
        default="", description="Region, for example us-central1. Default: `mg:region`, else `gcp:region`."
    )
    owner: Annotated[str, InPlace("labels"), Inner()] = Field(
        default="", description="organization/project/stack, set by the constructor; its hash is the label mg-owner."
    )
    resource: Annotated[str, InPlace("labels"), Inner()] = Field(
        default="", description="The resource's name in the program, set by the constructor; the label mg-resource."
    )
    program_path: Annotated[str, InPlace("labels"), Inner()] = Field(
        default="",
        description="The resource's place in the program, set by the provider: the types of its parents and its own, "
        "and its name. Its hash is part of the label mg-resource.",
    )
    timeouts: Annotated[Timeouts, Local("used by the next call")] = Field(
        default_factory=Timeouts, description="Seconds to wait: create, update, delete."
    )

    @property
    def ownership(self) -> dict[str, str]:
        """The labels that say which stack and which resource in it something belongs to."""
        return ownership_labels(self.owner, self.resource, self.program_path)

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether something with these labels is this resource's."""
        return is_ours(labels, self.owner, self.resource, self.program_path)


class CloudState(State):
    """What every resource remembers from one run to the next."""

    claim: Annotated[str, Inner()] = Field(default="", description="Marks the create that took hold of it.")


A = TypeVar("A", bound=CloudArgs)
S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Context:
    """What a lifecycle may use of the world.

    Attributes:
        clock: Time and chance.
        clients: The API clients.
        progress: Takes a line for the user at each change of phase.
        cancelled: Whether the user wants to stop.
        timeout: Seconds of the program's custom timeout; None if it set none.
        guard: Refuses to touch endpoints and Models of others.
        owner_is_certain: Whether no other person's stack can have this stack's labels.
    """

    clock: Clock
    clients: Clients
    progress: Callable[[str], None]
    cancelled: Callable[[], bool]
    timeout: float | None = None
    owner_is_certain: bool = True
    guard: Guard = UNGUARDED

    def take_up(self, what: str, made: str, args: CloudArgs) -> None:
        """Say that a creation goes on with something that exists and carries this resource's labels.

        On a self-managed backend every stack's organization is "organization", so that two people's stacks can have the
        same labels: there the user names the owner.

        Args:
            what: Kind and resource name.
            made: When, as Google says it.
            args: The resource's arguments.

        Raises:
            MgError: Nobody said whose stack this is, so what exists may be somebody else's.
        """
        if self.owner_is_certain:
            self.progress(f"taking up {what}, made {made or 'at an unknown time'} by {args.owner}")
            return
        file = f"Pulumi.{args.owner.rpartition('/')[2]}.yaml"
        raise MgError(
            f"{what} exists, made {made or 'at an unknown time'} by a stack that is also called {args.owner}; on a "
            "self-managed backend another person's stack can have that name, so it is left unchanged",
            resource=args.resource,
            exists=[what],
            hint=f"if an earlier run of yours made it, write `mg:owner: organization` below `config:` in {file}, and "
            "run the same command again; if not, write a name of your own there, such as your team's",
        )

    def limit(self, argument: float | None, default: float) -> float:
        """Seconds to wait: the resource's own argument, else the program's custom timeout, else the default."""
        return argument or self.timeout or default

    def wait(
        self, operation: Operation, limit: float, doing: str, sight: Callable[[int], str] = lambda polls: ""
    ) -> Operation:
        """Wait for an operation, telling its stages, or what ``sight`` sees where the operation shows none.

        Raises:
            OperationFailed: It ended badly.
            OperationTimeout: It runs for longer than ``limit`` seconds.
            OperationCancelled: The user stopped the run.
        """

        def tell(progress: Progress) -> None:
            stage = progress.silence or progress.stage or sight(progress.polls)
            self.progress(f"{doing}: {stage}" if stage else doing)

        return self.clients.operations.wait(operation, Waiting(limit, tell, self.cancelled))


@dataclass(frozen=True)
class Defaults:
    """What configuration says where arguments do not."""

    project: str | None = None
    region: str | None = None
    loopback_networks: bool = False
    """Whether Compute Engine is an emulator, whose subnetworks have loopback addresses."""


@dataclass(frozen=True)
class Reading(Generic[A, S]):
    """A resource as the cloud has it: the arguments that would give it, and the outputs."""

    args: A
    state: S


# A preview does not wait long for a cloud that does not answer.
LOOK_SECONDS = 10.0

# After one of these, what was asked for may exist, or come to exist, without our having seen it.
UNSETTLED = (ConnectionFailed, OperationCancelled, OperationLost, OperationTimeout, Unavailable)


class Incomplete(MgError):
    """Something exists, but the work on it failed. It stays in the stack's state.

    Attributes:
        id: The id of what exists.
        arguments: The arguments that it was made with.
        state: Its outputs as far as they are known.
    """

    def __init__(self, cause: MgError, id: str, args: CloudArgs, state: State) -> None:
        super().__init__(cause.summary, resource=cause.resource, hint=cause.advice, exists=cause.exists, log=cause.log)
        self.id = id
        self.arguments = args
        self.state = state


class Lifecycle(ABC, Generic[A, S]):
    """One resource's life. Arguments and states are models, never dicts; Pulumi is not known here.

    ``create`` can run twice: it looks for what an earlier run made, by id and ownership label, and goes on from
    there. ``read`` returns None only if the cloud says that the resource does not exist. ``delete`` takes what is
    gone already as done.
    """

    args_type: type[A]
    state_type: type[S]

    def check(self, given: Mapping[str, Any], old: A | None, defaults: Defaults) -> tuple[A, list[Problem]]:
        """Arguments, validated and completed, and what is wrong with them. Pure: no network, no clock."""
        asked, problems = self.args_type.decode(given)
        if problems:
            return asked, problems
        args = self.plan(asked, old, defaults)
        return args, self.problems(args, asked)

    def plan(self, args: A, old: A | None, defaults: Defaults) -> A:
        """Fill in what is deterministic, so that a preview knows it. Pure: no network, no clock."""
        for name in ("project", "region"):
            value = getattr(args, name) or getattr(defaults, name)
            if value:
                args = args.with_values(**{name: value})
        return self.name(args, old)

    @abstractmethod
    def name(self, args: A, old: A | None) -> A:
        """Fill in ids and resource names; ids of an existing resource stay unless a change replaces it."""

    def problems(self, args: A, asked: A) -> list[Problem]:
        """What is wrong with completed arguments; what configuration gave is held to the same rules. Pure.

        Args:
            args: The completed arguments.
            asked: What the program gave of them, of which nothing was wrong by itself.
        """
        missing = [
            Problem(name, f"is not known: set it on the resource, or `mg:{name}` in the stack's configuration")
            for name in ("project", "region")
            if not getattr(args, name)
        ]
        return missing or args.problems_beside(asked)

    def looks(self, args: A) -> bool:
        """Whether the user asked, by an argument, that the cloud is looked at before a creation."""
        return False

    def look(self, given: Mapping[str, Any], args: A, context: Context) -> tuple[A, list[Problem]]:
        """Look at what a creation would find there: tell what will change, complete the arguments, find problems.

        Called only where :meth:`looks` says so, in previews too.

        Args:
            given: The arguments as the program gave them.
            args: The same, completed.
            context: The world. What cannot be reached is reported, and is not a problem.
        """
        return args, []

    def delete_first(self, old: A, new: A) -> bool:
        """Whether a replacement has an id of what it replaces, as where the program sets it: both cannot exist."""
        beside = all(getattr(old, name) == getattr(new, name) for name in ("project", "region"))
        return beside and any(getattr(old, name) == getattr(new, name) for name in unique(self.args_type))

    def shown(self, args: A, state: S) -> None:
        """Take note of a record that the engine shows before it compares it with what the program wants. Pure."""

    def refuse(self, old: A, new: A, state: S) -> None:
        """Refuse a change that only the outputs tell to be impossible, in previews too. Pure.

        Raises:
            UserError: The change cannot be made.
        """

    def settled(self, args: A, state: S) -> bool:
        """Whether nothing is under way: otherwise ``update`` is called although no argument changed. Pure."""
        return True

    @abstractmethod
    def create(self, args: A, context: Context) -> tuple[str, S]:
        """Make it, or go on with what an earlier run began. Returns the id and the outputs."""

    @abstractmethod
    def read(self, id: str, args: A, state: S, context: Context) -> Reading[A, S] | None:
        """What the cloud has; None only on not-found."""

    @abstractmethod
    def update(self, id: str, old: A, state: S, new: A, changes: Changes, context: Context) -> S:
        """Make the changes in place. With no changes: finish what an earlier run left incomplete."""

    @abstractmethod
    def delete(self, id: str, args: A, state: S, context: Context) -> None:
        """Remove everything that belongs to it."""


def kept(old: CloudArgs | None, new: CloudArgs, field: str) -> str | None:
    """The id that the existing resource has, unless a change replaces the resource."""
    if old is None or compare(old, new).replaces:
        return None
    value = getattr(old, field)
    return value if isinstance(value, str) and value else None


class NotOurs(MgError):
    """Something belongs to somebody else, and was left unchanged."""


def not_ours(what: str, resource: str, instead: str, labels: Mapping[str, str] | None = None) -> NotOurs:
    """The error of finding something that another stack, another resource or somebody by hand made."""
    carried = ", ".join(f"{key}={labels[key]}" for key in (OWNER_LABEL, RESOURCE_LABEL) if labels and key in labels)
    whose = (
        f"carries the ownership labels of somebody else ({carried})"
        if carried
        else "does not carry this stack's ownership label"
    )
    return NotOurs(
        f"{what} exists and {whose}, so it is left unchanged",
        resource=resource,
        hint=f"{instead}, or remove it if nobody needs it",
    )
