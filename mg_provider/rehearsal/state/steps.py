"""What a deployment does to one resource, and how the watchers of a deployment hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from mg_provider.rehearsal.state.differences import Difference, PropertyDiff
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.urns import is_default_provider

PHYSICAL: Final = frozenset(
    {"create-replacement", "delete-replaced", "read-replacement", "discard-replaced", "remove-pending-replace"}
)
"""The operations that are parts of a replacement; the replacement itself is counted once, as ``replace``."""


@dataclass
class Step:
    """One operation on one resource.

    Args:
        operation: ``same``, ``create``, ``update``, ``replace``, ``create-replacement``, ``delete-replaced``,
            ``delete``, ``read``, ``discard``, ``refresh``, ``remove-pending-replace``.
        old: the resource before; None when it is new.
        new: the resource after; None when it goes.
        keys: the properties that make it a replacement.
        diffs: the properties that changed; None where the provider did not say.
        detailed: how they changed; None where the provider did not say.
        result: of a refresh, what it turned out to be: ``same``, ``update`` or ``delete``.
    """

    operation: str
    old: ResourceState | None
    new: ResourceState | None
    keys: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    detailed: dict[str, PropertyDiff] | None = None
    result: str = ""

    @classmethod
    def of(cls, operation: str, old: ResourceState | None, new: ResourceState | None, difference: Difference) -> Step:
        """A step with the reasons that a difference gives."""
        return cls(operation, old, new, difference.replace_keys, difference.changed_keys, difference.detailed)

    @property
    def state(self) -> ResourceState:
        """The resource after, or before if it goes."""
        state = self.new or self.old
        if state is None:
            raise ValueError(f"a {self.operation} step without a resource")
        return state

    @property
    def urn(self) -> str:
        """Which resource."""
        return self.state.urn

    @property
    def logical(self) -> bool:
        """Whether it is a whole change in the user's terms, not a part of a replacement."""
        return self.operation not in PHYSICAL

    @property
    def internal(self) -> bool:
        """Whether it is the engine's own business."""
        return self.operation == "remove-pending-replace" or is_default_provider(self.urn)


@dataclass(frozen=True)
class Summary:
    """How a deployment ended.

    Args:
        ok: whether everything went as wanted.
        changes: how many resources by operation.
        seconds: how long it took.
        corrupt: whether it is unknown for some resource if it exists.
        outputs: the stack's outputs, secrets still marked.
        preview: whether nothing was done.
        interrupted: whether the user stopped it.
    """

    ok: bool
    changes: dict[str, int]
    seconds: float
    corrupt: bool
    outputs: dict[str, object]
    preview: bool
    interrupted: bool


class Reporter(Protocol):
    """Who watches a deployment. Calls come from many threads, one at a time."""

    def started(self, step: Step) -> None:
        """An operation starts."""

    def ended(self, step: Step) -> None:
        """An operation went well."""

    def failed(self, step: Step, message: str) -> None:
        """An operation failed; the error itself comes as a diagnostic."""

    def diagnostic(self, severity: str, message: str, urn: str) -> None:
        """Something to say: severity is ``debug``, ``info``, ``info#err``, ``warning`` or ``error``."""

    def summary(self, summary: Summary) -> None:
        """The deployment is over."""
