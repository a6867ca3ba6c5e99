"""The rollout of a name that is held, as arguments and state keep it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.resources.endpoint.served_model import ServedModel


class HeldModel(BaseModel):
    """The rollout of a name that stopped where the program says."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    percent: int = Field(description="Percent of the name's share of the traffic that the new deployment has.")
    before: ServedModel = Field(description="What has the rest, to go back to when it is written again.")
