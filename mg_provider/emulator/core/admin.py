"""Routes of the emulator's own, below ``/_mg/``: any part of it may add one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import not_found

AdminHandler = Callable[[World, dict[str, Any]], dict[str, Any]]
_HANDLERS: dict[tuple[str, str], AdminHandler] = {}


def administers(verb: str, path: str) -> Callable[[AdminHandler], AdminHandler]:
    """Register a function of the world and the JSON body as the handler of an admin route."""

    def register(handler: AdminHandler) -> AdminHandler:
        _HANDLERS[verb, path] = handler
        return handler

    return register


def answer(world: World, verb: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Run an admin route.

    Raises:
        ApiError: NOT_FOUND for an unknown one.
    """
    handler = _HANDLERS.get((verb, path))
    if handler is None:
        known = ", ".join(sorted(f"{known_verb} {known_path}" for known_verb, known_path in _HANDLERS))
        raise not_found(f"no admin route {verb} {path}; there are {known}")
    return handler(world, body)
