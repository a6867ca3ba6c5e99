"""What a user says of a model with weights of its own, and what the cloud says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.resources.endpoint.args import EndpointArgs, EndpointState, both_addresses, private
from mg_provider.resources.endpoint.machines import MACHINE_RULES, MUTATE, Machines
from mg_provider.resources.endpoint.rollout_args import RolloutArgument, RolloutStrategy, rollout_problem
from mg_provider.resources.endpoint.scale_to_zero import rollout_beside_zero, shared_domain_problem, strategy_problem
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.identity import MODEL_ID_FORM
from mg_provider.resources.model.marks import (
    Computed,
    Derived,
    InPlace,
    Lines,
    Local,
    NotInDeploy,
    OnlyInDeploy,
    Replaces,
    RollsOut,
    Unique,
    marked,
)
from mg_provider.resources.model.meaning import (
    Answers,
    Content,
    Costs,
    Exposure,
    HeldByClients,
    Plan,
    SafetyNet,
)
from mg_provider.resources.model.nested_rules import container_problem
from mg_provider.resources.model.standing import Stands, Unseen
from mg_provider.resources.weights.source import FIXED_MODEL, SOURCE_RULES, SOURCES, ModelSource
from mg_provider.rollout.query_id import QUERY_ID, container_query_id
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.wire.vertex.deploy import DeployConfig, DeployRequest

PATCH_MODEL = "models.patch"


def _address_problem(args: CustomWeightsModelArgs) -> str | None:
    config = args.private_service_connect_config
    asked = "dedicated_endpoint_disabled" in args.model_fields_set and not args.dedicated_endpoint_disabled
    if private(config) and asked:
        return both_addresses(given=False)
    return None


def _shared_problem(args: CustomWeightsModelArgs) -> str | None:
    shared = args.dedicated_endpoint_disabled and not private(args.private_service_connect_config)
    return shared_domain_problem(args) if shared else None


_ONLY_IN_DEPLOY = tuple(name for name, _ in marked(ModelSource, OnlyInDeploy))
_UPLOADED = (
    "query_model_id",
    "container_model_id",
    "container_spec",
    "machine_spec",
    "hugging_face_access_token",
    *_ONLY_IN_DEPLOY,
)
"""The arguments that decide whether a Model can be uploaded under a name; what is wrong is reported for the first."""

_QUERY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}")


def _name_problem(args: CustomWeightsModelArgs) -> str | None:
    """Why a model cannot be called so."""
    own, name = container_query_id(args.container_spec), args.query_model_id
    if own and name and own != name:
        return f"is {name!r}, but container_spec has {own!r} in its environment variable {QUERY_ID}: remove one of them"
    if args.container_model_id and not _QUERY_NAME.fullmatch(args.container_model_id):
        return f"{args.container_model_id!r} does not fit: use at most 128 letters, digits and . _ / : @ -"
    return None


def _upload_problem(args: CustomWeightsModelArgs) -> str | None:
    """Why a Model with a name of the program's choice cannot be uploaded."""
    return reason_against_upload(args) if args.uploads_named else None


def _needs_upload(name: str) -> Rule:
    """The rule of an argument that Model Garden's deploy does not take, so that the Model is uploaded for it."""
    return Rule((name, *_UPLOADED), lambda args: reason_against_upload(args) if getattr(args, name) else None)


def reason_against_upload(args: CustomWeightsModelArgs) -> str | None:
    """Why the Model cannot be uploaded and deployed by calls of its own, where Model Garden's deploy could make it."""
    if args.hugging_face_access_token and args.container_spec is None:
        return (
            "needs an uploaded Model, which would show hugging_face_access_token to its readers: copy the weights to a "
            "bucket and use gcs_uri, or give container_spec"
        )
    if lost := [name for name in _ONLY_IN_DEPLOY if getattr(args, name)]:
        return f"needs an uploaded Model, which takes no {lost[0]}: remove one of them"
    if args.machine_spec is None and not args.parked and not (args.gcs_uri and args.preflight):
        return "needs machine_spec beside it: the Model is uploaded, and nothing recommends a machine for it"
    return None


class HeldRollout(BaseModel):
    """A rollout that stopped where the program says."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    percent: int = Field(description="Percent of the traffic that the new deployment has.")
    before: dict[str, Any] = Field(
        description="The arguments of the deployment that has the rest, to go back to when they are written again."
    )


class CustomWeightsModelArgs(EndpointArgs, ModelSource, Machines):
    """What a user says of a served model."""

    model_id: Annotated[
        str,
        RollsOut("another Model"),
        Computed(),
        Unseen("an id cannot be changed", sent=True),
        Unique(),
        MODEL_ID_FORM,
    ] = Field(
        default="",
        description="Id of the uploaded Model: at most 63 of a-z, 0-9, _ and -, a letter first. "
        "Default: the endpoint's id; for other weights or another container, one that follows from them.",
    )
    model_display_name: Annotated[str, InPlace(PATCH_MODEL), Computed(), Stands("model", "display_name")] = Field(
        default="", max_length=128, description="Name of the Model for people. Default: the resource's name."
    )
    container_spec: Annotated[
        ContainerSpec | None,
        RollsOut("another Model, deployed beside the old one", another_model=True),
        Content("container"),
        Lines(),
        Stands("model", "container_spec"),
        Unseen(FIXED_MODEL, sent=True, kept=True),
    ] = Field(default=None, description="The serving container. Default: Google's for the model.")
    enable_container_logging: Annotated[
        bool | None, InPlace(MUTATE), Computed(), Stands("deployment", "enable_container_logging")
    ] = Field(
        default=None, description="Send the container's output to Cloud Logging. Default: as Model Garden deploys it."
    )
    system_labels: Annotated[
        dict[str, str],
        Local("read when deploying"),
        Stands("deployment", "system_labels"),
        Unseen("Google manages them, and may add to them and change them", sent=True, kept=True),
    ] = Field(default={}, description="Labels of Model Garden deployments that Google manages.")
    retain_model: Annotated[
        bool, Local("read when the resource is removed"), SafetyNet("the Model is kept", on=bool)
    ] = Field(
        default=False,
        description="Keep the uploaded Model in the registry when the resource is removed, or a deployment fails. A "
        "resource with the same model_id deploys it again.",
    )
    dedicated_endpoint_disabled: Annotated[
        bool, Replaces("the public address changes"), Exposure("the region's shared DNS name")
    ] = Field(default=False, description="Serve under the region's shared DNS name instead of the endpoint's own one.")
    rollout: RolloutArgument = Field(
        default=None,
        description="How a new deployment takes the old one's place: strategy, steps, probes. "
        "Default: traffic shifts in steps of 10, 50 and 100 %, with a chat of one token as the probe.",
    )
    parked: Annotated[bool, InPlace("endpoints.undeployModel, endpoints.deployModel"), Costs("off")] = Field(
        default=False,
        description="Serve nothing and pay for no machine: the Model is undeployed. Endpoint, id, address and Model "
        "stay, and the same Model is deployed again when this is False again.",
    )
    deployment_plan: Annotated[str, Derived(), Local("shown in previews"), Plan()] = Field(
        default="",
        description="What the last change of the deployment did: strategy, steps, probes, GPUs at the peak, or what "
        "parking saves. A preview shows it beforehand.",
    )
    rollout_held: Annotated[HeldRollout | None, Derived(), Local("shown in previews")] = Field(
        default=None,
        description="A rollout that is held by `rollout.hold`: the percent, and what served before. Absent otherwise.",
    )
    model: Annotated[str, Derived(), Local("follows from the ids")] = Field(
        default="", description="projects/{project}/locations/{region}/models/{model_id}."
    )
    query_model_id: Annotated[
        str,
        RollsOut("another Model, deployed beside the old one", another_model=True, by="container_model_id"),
        HeldByClients("the name that requests give as model"),
        Computed(),
        Unseen("it is one of the container's environment variables, and a Model cannot be changed in them"),
    ] = Field(
        default="",
        description="What chat requests name as `model`; the container has it in its environment variable MODEL_ID. "
        "Default: the id of the endpoint's first Model, or what container_spec says; new weights are served under the "
        "same name. Models behind one DedicatedEndpoint share one name.",
    )
    container_model_id: Annotated[str, Derived(), Local("follows from query_model_id")] = Field(
        default="", description="The MODEL_ID that is set because the program chose query_model_id; empty otherwise."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *EndpointArgs.rules,
        *SOURCE_RULES,
        *MACHINE_RULES,
        Rule(("rollout",), lambda args: rollout_problem(args.rollout)),
        Rule(("rollout", "scale_to_zero_spec"), lambda args: strategy_problem(args.rollout, args)),
        Rule(("scale_to_zero_spec", "dedicated_endpoint_disabled", "private_service_connect_config"), _shared_problem),
        Rule(("container_spec",), lambda args: container_problem(args.container_spec)),
        Rule(("dedicated_endpoint_disabled", "private_service_connect_config"), _address_problem),
        Rule(("query_model_id", "container_model_id", "container_spec"), _name_problem),
        Rule(_UPLOADED, _upload_problem),
    )
    always_in_ids = EndpointArgs.always_in_ids | {"dedicated_endpoint_disabled", *SOURCES, "container_spec"}

    @property
    def rollout_or_default(self) -> RolloutStrategy:
        """How a new deployment takes the old one's place."""
        return rollout_beside_zero(self.rollout, self)

    @property
    def allowlist(self) -> tuple[str, ...]:
        """The projects that may connect to the endpoint; empty where it is not private."""
        config = self.private_service_connect_config
        return tuple(config.project_allowlist or ()) if config else ()

    @property
    def uploads_named(self) -> bool:
        """Whether the Model is uploaded, under a name of the program's choice: Model Garden's deploy chooses one."""
        return bool(self.container_model_id)

    @property
    def uploads(self) -> bool:
        """Whether Model and deployment are made by calls of their own, where they can: each of these is in clients.

        What is asked for may be what Model Garden's deploy does not do.
        """
        asked = any(getattr(self, name) for name, _ in marked(type(self), NotInDeploy))
        return self.uploads_named or (asked and reason_against_upload(self) is None)

    def wire(self, claim: str) -> DeployRequest:
        """The request of ``projects.locations:deploy``."""
        # Programs that only register resources never load it.
        from mg_provider.wire.vertex.deploy import CustomModel, DeployRequest, EndpointConfig, ModelConfig

        return DeployRequest(
            custom_model=CustomModel(gcs_uri=self.gcs_uri) if self.gcs_uri else None,
            publisher_model_name=self.publisher_model_name or None,
            hugging_face_model_id=self.hugging_face_model_id or None,
            model_configuration=ModelConfig(
                accept_eula=self.accept_eula or None,
                model_display_name=self.model_display_name,
                model_user_id=self.model_id,
                container_spec=self.container_spec,
                hugging_face_access_token=self.hugging_face_access_token or None,
                hugging_face_cache_enabled=self.hugging_face_cache_enabled or None,
            ),
            endpoint_config=EndpointConfig(
                endpoint_display_name=self.endpoint_display_name,
                endpoint_user_id=self.endpoint_id,
                dedicated_endpoint_disabled=self.dedicated_endpoint_disabled or None,
                labels=self.all_labels(claim),
                private_service_connect_config=self.private_service_connect_config,
            ),
            deploy_config=self._deploy_config(),
        )

    def _deploy_config(self) -> DeployConfig:
        """What Model Garden's deploy takes of the deployment; where nothing is asked for, its own machines apply."""
        from mg_provider.wire.vertex.deploy import DeployConfig

        deployed = self.deployed()
        quick, machines = deployed.faster_deployment_config, deployed.dedicated_resources
        return DeployConfig(
            dedicated_resources=None if machines == Machines().resources() else machines,
            fast_tryout_enabled=quick.fast_tryout_enabled if quick else None,
            service_account=deployed.service_account,
            system_labels=deployed.system_labels,
        )


CustomWeightsModelArgs.rules += tuple(
    _needs_upload(name) for name, mark in marked(CustomWeightsModelArgs, NotInDeploy) if mark.needed
)


class CustomWeightsModelState(EndpointState):
    """What the cloud says of a served model."""

    deployed_model_id: Annotated[str, Answers()] = Field(
        default="", description="Id of the deployment on the endpoint."
    )
    available_replica_count: int = Field(
        default=0, description="Replicas that served when it was last deployed or changed."
    )
    traffic_percent: int = Field(default=100, description="Percent of the endpoint's requests that it gets.")
    rollout_under_way: str = Field(
        default="", description="Id of a deployment that an interrupted rollout was making, for the next run to settle."
    )
    machine_type: str = Field(default="", description="Machine type that the deployment runs on.")
    held_deployed_model_id: str = Field(
        default="", description="While a rollout is held: id of the deployment that has the rest of the traffic."
    )
    replicas_when_parked: int = Field(
        default=0, description="Replicas that served when it was parked: as many start when it resumes."
    )
    container_logging: bool = Field(
        default=True, description="Whether the container's output goes to Cloud Logging; when parked, whether it did."
    )
    surplus_deployed_models: list[str] = Field(
        default=[],
        description="Deployment ids of this resource's Model beside the one that serves, for the next run to undeploy.",
    )
    machine_spec_taken: Annotated[MachineSpec | None, Costs("machine")] = Field(
        default=None,
        description="Machine of the deployment: which of the choices was available, or which one was recommended.",
    )
