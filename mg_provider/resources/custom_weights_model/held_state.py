"""A rollout that is held, as arguments and state keep it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class HeldRollout(BaseModel):
    """A rollout that stopped where the program says."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    percent: int = Field(description="Percent of the traffic that the new deployment has.")
    before: dict[str, Any] = Field(
        description="The arguments of the deployment that has the rest, to go back to when they are written again."
    )
