"""What an environment has several of by name: models, endpoints, batch jobs, and the private addresses of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pydantic import Field, field_validator

from mg_provider.components.vpc_sc_allowlist import project_ids
from mg_provider.environment.sections import ResourceSection, in_one_line
from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs

_BY_PRIVATE = "write `private: {}`, which also makes the forwarding rule"
_BY_REGIONS = "write `regions`, which makes one in each"


class RuleSection(ResourceSection):
    """A forwarding rule in each region."""

    args_type = PscForwardingRuleArgs
    not_here: ClassVar[Mapping[str, str]] = {
        "endpoint": "the rule leads to its model or endpoint",
        "service_attachment": "the rule leads to its model or endpoint",
        "region": "the rule is where its model or endpoint is",
        "address": "write `addresses`, by region",
        "triggers": "the stack sets it where a model is parked",
        "endpoint_allowlist": "it follows from the allowlist",
        "endpoint_is_private": "an endpoint with `private` is",
    }

    addresses: dict[str, str] = Field(
        default={}, description="IPv4 address, or name of a reserved one, by region. Default: a free one, which stays."
    )
    dns_record: str | None = Field(
        default=None, description="Name of the record, before `.REGION.DNS_NAME`. Default: follows from the names."
    )

    @property
    def own_network(self) -> bool:
        """Whether it names a network, beside that of the environment."""
        return self.argument("network") is not None


class Consumer(RuleSection):
    """One more forwarding rule to the same endpoint, in a consumer's project."""


class PrivateAccess(RuleSection):
    """Reach a model at a private address. What is not said here is that of the environment."""

    connection_not_here: ClassVar[Mapping[str, str]] = {
        "enable_private_service_connect": "`private` turns it on",
        "project_allowlist": "write `allowlist`",
        "psc_automation_configs": "the stack makes the rules itself: write `consumers`",
    }

    allowlist: list[str] = Field(
        default=[], description="Projects that may connect, instead of those of the environment's allowlist."
    )
    enable_secure_private_service_connect: bool | None = Field(
        default=None, description="Demand IAM authorization on the private connection as well."
    )
    consumers: dict[str, Consumer] = Field(
        default={},
        description="More forwarding rules to the same endpoint, by a name of your choice: one in each consumer "
        "project. It takes the keys of `private`, without `allowlist` and `consumers`.",
    )

    @field_validator("allowlist")
    @classmethod
    def _names_projects(cls, projects: list[str]) -> list[str]:
        try:
            return project_ids(projects) if projects else []
        except pulumi.RunError as error:
            raise ValueError(in_one_line(error).removeprefix("allowlist: ")) from error


class Override(ResourceSection):
    """What is different in one region."""

    args_type = CustomWeightsModelArgs
    not_here: ClassVar[Mapping[str, str]] = {
        "region": _BY_REGIONS,
        "private_service_connect_config": _BY_PRIVATE,
    }


class ModelConfig(Override):
    """A model, in every region of the environment or in those named here."""

    regions: list[str] = Field(default=[], description="Its regions. Default: those of the environment.")
    overrides: dict[str, Override] = Field(
        default={}, description="Arguments that are different in a region, by region. Each replaces a whole argument."
    )
    private: PrivateAccess | None = Field(
        default=None, description="Serve at a private address. `private: {}` takes all from the environment."
    )
    own_endpoint: bool = Field(
        default=True, description="With false, entries of `endpoints` or `batch_jobs` use the model, and nothing else."
    )
    own_processes: bool = Field(default=False, description="Run each region in a provider process of its own.")

    def arguments_in(self, region: str) -> dict[str, Any]:
        """The arguments of the resource in a region."""
        return {**self.arguments, **(self.overrides[region].arguments if region in self.overrides else {})}


class ServedConfig(ResourceSection):
    """A deployed model of an endpoint: one of ``models``, by name."""

    args_type = ServedModel

    model: str = Field(description="One of `models`, by name.")

    @classmethod
    def lent(cls) -> set[str]:
        """The arguments that a model without an endpoint of its own lends to the endpoint that serves it."""
        return {*cls.takes()} & {*ModelConfig.takes()}


class EndpointConfig(ResourceSection):
    """An endpoint that serves several of the models."""

    args_type = DedicatedEndpointArgs
    not_here: ClassVar[Mapping[str, str]] = {
        "private_service_connect_config": _BY_PRIVATE,
        "query_model_ids": "it follows from the models",
    }

    region: str = Field(description="Its region.")
    deployed_models: dict[str, ServedConfig] = Field(
        min_length=1, description="The models that it serves, by a name of your choice."
    )
    private: PrivateAccess | None = Field(
        default=None, description="Serve at a private address. `private: {}` takes all from the environment."
    )

    @property
    def split(self) -> dict[str, int]:
        """Percent of the requests by name."""
        split = self.argument("traffic_split", {})
        return split if isinstance(split, dict) else {}


class BatchConfig(ResourceSection):
    """A batch prediction run: arguments of BatchJob, whose defaults hold."""

    args_type = BatchJobArgs

    region: str = Field(description="Its region.")
    model: str | None = Field(
        default=None,
        description="One of `models`, by name, in the same region. Or publishers/{publisher}/models/{model}@{version}, "
        "or a Model's resource name.",
    )
    endpoint: str | None = Field(
        default=None, description="One of `endpoints`, by name; or an endpoint's resource name."
    )

    @property
    def own_model(self) -> str | None:
        """The entry of ``models`` that it runs on."""
        return None if self.model is None or "/" in self.model else self.model

    @property
    def own_endpoint(self) -> str | None:
        """The entry of ``endpoints`` that it runs on."""
        return None if self.endpoint is None or "/" in self.endpoint else self.endpoint
