"""What serving containers write, kept as Cloud Logging keeps it. No HTTP here.

The lines are made up after those of vLLM's server, which Model Garden's containers run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from mg_provider.emulator.core.world import World

Json = dict[str, Any]
Key = tuple[str, str, str]

STARTING = (
    "INFO api_server.py: vLLM API server starting",
    "INFO config.py: Defaulting to use mp for distributed inference",
    "INFO model_runner.py: Starting to load model",
)
_MOST_KEPT = 2_000


class LogState:
    """All entries, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Json] = deque(maxlen=_MOST_KEPT)


def last_words(deployed: Json) -> list[str]:
    """What a container writes that does not come up on its machine."""
    machine = deployed.get("dedicatedResources", {}).get("machineSpec", {})
    return [
        "ERROR worker.py: Exception in worker VllmWorker while processing method load_model.",
        "Traceback (most recent call last):",
        f"torch.OutOfMemoryError: CUDA out of memory on {machine.get('machineType', 'the machine')}. "
        "Tried to allocate 448.00 MiB.",
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ]


def write_lines(world: World, key: Key, deployed: Json, at: float, severity: str, lines: Iterable[str]) -> None:
    """Add lines of one deployed model's container, a thousandth of a second apart."""
    project, location, endpoint_id = key
    entries = world.part(LogState).entries
    log = f"projects/{world.project_id(project)}/logs/aiplatform.googleapis.com%2Fprediction_container"
    for number, line in enumerate(lines):
        entries.append(
            {
                "insertId": world.new_hex(16),
                "logName": log,
                "resource": {
                    "type": "aiplatform.googleapis.com/Endpoint",
                    "labels": {
                        "resource_container": project,
                        "location": location,
                        "endpoint_id": endpoint_id,
                    },
                },
                "labels": {"deployed_model_id": str(deployed["id"])},
                "timestamp": world.timestamp(at + number / 1000),
                "receiveTimestamp": world.timestamp(at + number / 1000),
                "severity": severity,
                "textPayload": line,
            }
        )
