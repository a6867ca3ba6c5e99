"""What the engine asks of a provider, whichever way that provider runs."""

from __future__ import annotations

from typing import Protocol

from mg_provider.rehearsal.state.differences import Difference
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties


class ProviderCalls(Protocol):
    """A provider: the process of dynamic resources, or a stand-in for another package's plugin.

    Each call raises StepError where the provider refuses.
    """

    knows_outputs_of_updates: bool
    """Whether a preview of an update may keep the outputs that the resource has."""

    def configure(self, arguments: Properties) -> None:
        """Take the provider's config."""

    def check(self, urn: str, old: Properties, new: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """The checked inputs, and (property, reason) for each failure."""

    def diff(self, old: ResourceState, new: Properties, ignore_changes: list[str]) -> Difference:
        """The way from a state to new inputs."""

    def create(self, urn: str, inputs: Properties, timeout: float) -> tuple[str, Properties]:
        """Create a resource: its id and outputs."""

    def update(self, old: ResourceState, new: ResourceState) -> Properties:
        """Update a resource in place: its new outputs."""

    def read(self, state: ResourceState, properties: Properties) -> tuple[str, Properties, Properties | None]:
        """Read a resource: its id (empty when it is gone), outputs, and inputs if the provider returns them."""

    def delete(self, state: ResourceState, timeout: float) -> None:
        """Delete a resource."""

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function of the package."""

    def stop(self) -> None:
        """End what runs."""

    def kill(self) -> None:
        """End what runs at once."""
