"""The configuration of a stack, typed: what one environment runs, and where.

It is the value of the config key ``model-garden:environment``. A mistake is told with the path of its YAML key.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

KEY = "model-garden:environment"


class ConfigError(Exception):
    """The configuration is wrong; each line names a YAML path and what to do."""


class Section(BaseModel):
    """A part of the configuration. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class PrivateAccess(Section):
    """Reach a model at a private address: Private Service Connect, with a forwarding rule in the same project."""

    allowlist: list[str] = Field(min_length=1)
    network: str
    subnetwork: str
    labels: dict[str, str] = {}


class Replicas(Section):
    """The machines that serve a model."""

    machine_spec: dict[str, Any] | None = None
    min_replica_count: int = 1
    max_replica_count: int | None = None


class ModelConfig(Replicas):
    """A model with weights of its own, in every region of the environment or in those named here."""

    gcs_uri: str
    regions: list[str] = []
    labels: dict[str, str] = {}
    private: PrivateAccess | None = None


class ServedConfig(Replicas):
    """A deployed model of an endpoint: one of ``models``, by name."""

    model: str


class EndpointConfig(Section):
    """A public endpoint that serves several of the models."""

    region: str
    deployed_models: dict[str, ServedConfig] = Field(min_length=1)
    traffic_split: dict[str, int] = {}
    labels: dict[str, str] = {}


class BatchConfig(Section):
    """A batch prediction run."""

    region: str
    model: str
    input_config: dict[str, Any]
    output_config: dict[str, Any]
    machine_spec: dict[str, Any] | None = None
    max_replica_count: int = 1
    spot: bool = False
    allow_partial: float = 0.0
    delete_output: bool = False
    wait: bool = True
    triggers: dict[str, str] = {}


class Environment(Section):
    """Everything that one stack runs."""

    regions: list[str] = Field(min_length=1)
    models: dict[str, ModelConfig] = {}
    endpoints: dict[str, EndpointConfig] = {}
    batch_jobs: dict[str, BatchConfig] = {}

    @model_validator(mode="after")
    def _endpoints_serve_known_models(self) -> Environment:
        for name, endpoint in self.endpoints.items():
            for served, config in endpoint.deployed_models.items():
                place = f"endpoints.{name}.deployed_models.{served}.model"
                if config.model not in self.models:
                    raise ValueError(f"{place}: {config.model!r} is not one of models: {', '.join(self.models)}")
                if endpoint.region not in self.regions_of(config.model):
                    raise ValueError(f"{place}: {config.model!r} is not in region {endpoint.region}")
        return self

    def regions_of(self, model: str) -> list[str]:
        """The regions that a model runs in."""
        return self.models[model].regions or self.regions


def read(value: Any) -> Environment:
    """The typed environment.

    Raises:
        ConfigError: Something in it is wrong.
    """
    try:
        return Environment.model_validate(value)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(dict(entry)) for entry in error.errors())) from error


def _line(error: dict[str, Any]) -> str:
    path = ".".join([KEY, *map(str, error["loc"])])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "is not a key that is known here: check its spelling"
    if error["type"] == "missing":
        message = "is required"
    return f"{path}: {message}"
