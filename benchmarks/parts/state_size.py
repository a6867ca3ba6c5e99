"""How much of a stack's state a resource's provider takes."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi.dynamic.dynamic import serialize_provider

import mg_provider
from benchmarks.figure import Figure, Run
from mg_provider.resources.dynamic.resource import DynamicResource

MOST_BYTES = 120


def measure(run: Run) -> Iterator[Figure]:
    """How many bytes of a stack's state a resource's provider takes."""
    run.say("serializing each provider")
    for name in mg_provider.__all__:
        resource = getattr(mg_provider, name)
        if isinstance(resource, type) and issubclass(resource, DynamicResource):
            size = len(serialize_provider(resource.provider_type))
            yield Figure(f"state: __provider of {name}", size, "bytes", MOST_BYTES)
