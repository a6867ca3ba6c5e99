"""What the cloud says of an endpoint with models of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mg_provider.resources.dedicated_endpoint.psc_automation import PscAutomation
from mg_provider.resources.endpoint.args import EndpointState
from mg_provider.resources.model.meaning import Answers, Costs


class DedicatedEndpointState(EndpointState):
    """What the cloud says of the endpoint."""

    deployed_model_ids: Annotated[dict[str, str], Answers()] = Field(default={}, description="Deployment id by name.")
    machine_types: Annotated[dict[str, str], Costs("machine")] = Field(
        default={}, description="Machine type by name: of several choices the one that was available."
    )
    leftover_deployed_models: list[str] = Field(
        default=[], description="Deployment ids that an interrupted change left, for the next run to undeploy."
    )
    held_deployed_model_ids: dict[str, str] = Field(
        default={}, description="While a rollout is held: id of the deployment that has the rest of a name's traffic."
    )
    replicas_when_parked: dict[str, int] = Field(
        default={}, description="Replicas that served when it was parked, by name: as many start when it resumes."
    )
    psc_automation: list[PscAutomation] = Field(
        default=[], description="What became of each of psc_automation_configs: state, address, rule, error."
    )

    @property
    def known(self) -> set[str]:
        """Every deployment id that is this resource's."""
        named = (*self.deployed_model_ids.values(), *self.held_deployed_model_ids.values())
        return {*named, *self.leftover_deployed_models}
