"""The page at ``/``: what exists, the ledger, the last requests. One file, which asks ``/_mg/overview`` repeatedly.

It may show nothing but itself and call nothing but this emulator: its own script and style are known by their hashes,
so whatever a name contains, it stays text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.ledger import entries, ledger
from mg_provider.emulator.core.routing import Answer
from mg_provider.emulator.core.world import World

_SHOWN = 200


@cache
def _page() -> tuple[str, str]:
    """The page, and what a browser may do with it."""
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    script, style = (_hashed(text, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def _hashed(text: str, tag: str) -> str:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def page() -> Answer:
    """The page as an answer."""
    text, policy = _page()
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Answer(content=text.encode(), headers=headers, content_type="text/html; charset=utf-8")


@administers("GET", "/_mg/overview")
def _overview(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """What the page shows, without the bodies of requests; the newest of these first."""
    account = ledger(world)
    resources, data = entries(world)
    objects = Counter(entry.name.split("/")[2] for entry in data if entry.kind == "storage.Object")
    shown = [
        _shown(
            entry, {"objects": str(objects[entry.name.removeprefix("gs://")])} if entry.kind == "storage.Bucket" else {}
        )
        for entry in data
        if entry.kind != "storage.Object"
    ]
    requests = list(world.requests)
    return {
        "time": account["time"],
        "speed": world.clock.speed,
        "kept": str(world.journal.folder) if world.journal else None,
        "resources": [_shown(entry) for entry in resources],
        "data": shown,
        "operations": [
            {"kind": "operation", "name": each.name, "labels": {}, "details": {"stage": each.stage}}
            for each in world.operations.running()
        ],
        "gpus_in_use": account["gpus_in_use"],
        "gpu_seconds": account["gpu_seconds"],
        "faults": sum(fault["remaining"] > 0 for fault in world.faults.listed()),
        "received": len(requests),
        "requests": [
            {
                **{key: each[key] for key in ("time", "method", "path")},
                "rpc": each["rpc"] or "",
                "status": each["status"],
            }
            for each in reversed(requests[-_SHOWN:])
            if "status" in each
        ],
    }


def _shown(entry: Any, more: dict[str, str] | None = None) -> dict[str, Any]:
    return {"kind": entry.kind, "name": entry.name, "labels": entry.labels, "details": entry.details | (more or {})}
