"""``RegionalFleet``: the same thing in several regions, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pulumi

from mg_provider.api.http import settings
from mg_provider.components.common import TYPE_PREFIX, refuse, refuse_empty
from mg_provider.data import is_region
from mg_provider.resources.dynamic.spelling import KnownArguments

Member = TypeVar("Member")

_DYNAMIC = "pulumi-python"
_KEYS = (*settings.KEYS, "hostThreads")


@dataclass(frozen=True)
class RegionalPlace:
    """One region of a fleet.

    Attributes:
        name: Name for what is made there: ``{fleet}-{region}``.
        region: The region.
        arguments: The fleet's arguments, those of this region over the others.
        opts: Options to pass on: the fleet as parent, and the region's own provider process if there is one.
    """

    name: str
    region: str
    arguments: Mapping[str, Any]
    opts: pulumi.ResourceOptions


class RegionalFleet(pulumi.ComponentResource, Generic[Member], metaclass=KnownArguments):
    """The same thing in every region that is named, with differences where they are named.

    No region waits for another one: a fleet takes as long as its slowest region.

    Args:
        name: Name of the resource.
        regions: Where.
        build: Makes what one region has; it gets the place, and what it returns is the region's member.
        arguments: What ``build`` finds in ``place.arguments``, in every region.
        overrides: Region to arguments that are different there; each takes the place of a whole argument.
        own_processes: Give each region a provider process of its own. By default one process serves all, at once.
        opts: Pulumi's options.

    Attributes:
        members: Region to what ``build`` returned.

    Raises:
        RunError: a region is unknown, comes twice, or has overrides without being in the fleet.
    """

    members: dict[str, Member]

    def __init__(
        self,
        name: str,
        *,
        regions: Sequence[str],
        build: Callable[[RegionalPlace], Member],
        arguments: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        own_processes: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "RegionalFleet", name, None, opts)
        refuse_empty(f"RegionalFleet {name}", arguments=arguments, overrides=overrides)
        different = overrides or {}
        _check_regions(name, regions, different)
        self.members = {}
        for region in regions:
            options = pulumi.ResourceOptions(parent=self)
            if own_processes:
                options.provider = pulumi.ProviderResource(
                    _DYNAMIC, f"{name}-{region}", configured(), pulumi.ResourceOptions(parent=self)
                )
            merged = {**(arguments or {}), **different.get(region, {})}
            self.members[region] = build(RegionalPlace(f"{name}-{region}", region, merged, options))
        self.register_outputs({"regions": list(regions)})


def configured() -> dict[str, Any]:
    """The stack's configuration as an explicit provider of dynamic resources gets it: by full key."""
    found = {f"{space}:{key}": pulumi.Config(space).get(key) for space in settings.NAMESPACES for key in _KEYS}
    return {key: value for key, value in found.items() if value is not None}


def _check_regions(name: str, regions: Sequence[str], overrides: Mapping[str, object]) -> None:
    what = f"RegionalFleet {name}"
    if not regions:
        refuse(what, "has no regions", "name at least one")
    for region in regions:
        if not is_region(region):
            refuse(f"{what}: {region}", "is not a region of Vertex AI", "write one like us-central1")
        if list(regions).count(region) > 1:
            refuse(f"{what}: {region}", "comes twice", "name it once")
    for region in overrides:
        if region not in regions:
            refuse(f"{what}: overrides: {region}", "is not in the fleet", "add it to regions, or remove it")
