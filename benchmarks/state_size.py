"""How much of a stack's state a resource's provider takes."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi.dynamic.dynamic import serialize_provider

import mg_provider
from benchmarks.figure import Figure
from mg_provider.resources.dynamic.resource import DynamicResource

MOST_BYTES = 120


def measure() -> Iterator[Figure]:
    """Bytes of ``__provider`` for each resource."""
    for name in mg_provider.__all__:
        resource = getattr(mg_provider, name)
        if isinstance(resource, type) and issubclass(resource, DynamicResource):
            size = len(serialize_provider(resource.provider_type))
            yield Figure(f"state: __provider of {name}", size, "bytes", MOST_BYTES)
