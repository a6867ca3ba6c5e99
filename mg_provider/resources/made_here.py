"""What a program says of one resource where another one gets that resource's output: known before anything is made."""

from __future__ import annotations

from typing import Any

import pulumi

from mg_provider.resources.dynamic_resource import DynamicResource


def argument_of_maker(output: pulumi.Input[Any], argument: str) -> pulumi.Output[Any]:
    """An argument of the resource in this program that an output comes from; None where no such one is known."""

    async def find() -> Any:
        if not isinstance(output, pulumi.Output):
            return None
        found = [each for each in await output.resources() if isinstance(each, DynamicResource)]
        # What is put together from several resources is none of theirs.
        return getattr(found[0], argument) if len(found) == 1 and found[0].takes(argument) else None

    return pulumi.Output.from_input(find())
