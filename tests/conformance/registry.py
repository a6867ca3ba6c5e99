"""The scenarios that both engines play."""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.engines import World

SCENARIOS: list[Callable[[World], None]] = []


def scenario(function: Callable[[World], None]) -> Callable[[World], None]:
    SCENARIOS.append(function)
    return function
