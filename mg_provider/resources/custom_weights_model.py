"""``CustomWeightsModel``: weights from a bucket, served on an endpoint of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pulumi
from pydantic import Field

from mg_provider.api.errors import Aborted, MgError
from mg_provider.resources.adoption import EndpointLifecycle
from mg_provider.resources.custom_weights_deployment import (
    Deployment,
    ids_of,
    leave_machine,
    machine_of,
    observed,
    own,
    stop_deploying,
    take_down,
)
from mg_provider.resources.dynamic_host import DynamicProvider, DynamicResource
from mg_provider.resources.endpoint_args import EndpointArgs, name_endpoint, private
from mg_provider.resources.endpoint_settings import MOST_MERGES, Refused, settle_endpoint, too_busy
from mg_provider.resources.fields import (
    UNKNOWN,
    Changes,
    Computed,
    Derived,
    InPlace,
    Local,
    Problem,
    Replaces,
    Rule,
    State,
)
from mg_provider.resources.identity import CLAIM_LABEL, MODEL_ID
from mg_provider.resources.inputs import (
    AutoscalingMetricSpecInput,
    ClientConnectionConfigInput,
    ContainerSpecInput,
    FlexStartInput,
    MachineSpecInput,
    PredictRequestResponseLoggingConfigInput,
    PrivateServiceConnectConfigInput,
    ScaleToZeroSpecInput,
    TimeoutsInput,
)
from mg_provider.resources.lifecycle import UNSETTLED, Context, Defaults, Incomplete, Reading, kept
from mg_provider.resources.machines import MACHINE_RULES, Machines, with_most_replicas
from mg_provider.resources.model_source import SOURCE_RULES, SOURCES, ModelSource
from mg_provider.resources.nested_rules import container_problem
from mg_provider.resources.serving import (
    find_endpoint,
    foreign_claim,
    must_be_ours,
    mutate,
)
from mg_provider.resources.weights_adoption import (
    adoption_problems,
    endpoint_for_kept_model,
    model_changes,
    refuse_new_deployment,
    with_model_of,
)
from mg_provider.wire.container import ContainerSpec
from mg_provider.wire.deployed_model import DeployedModel
from mg_provider.wire.endpoint import Endpoint
from mg_provider.wire.machine import (
    MachineSpec,
)
from mg_provider.wire.model import Model

if TYPE_CHECKING:
    from mg_provider.wire.deploy import DeployRequest

# What makes another endpoint, beside project and region.
_SEEDS = (
    *SOURCES,
    "model_id",
    "container_spec",
    "machine_spec",
    "spot",
    "flex_start",
    "service_account",
    "fast_tryout_enabled",
    "dedicated_endpoint_disabled",
)
_NEW_DEPLOYMENT = "a running deployment cannot be changed in this"


def _address_problem(args: CustomWeightsModelArgs) -> str | None:
    config = args.private_service_connect_config
    asked = "dedicated_endpoint_disabled" in args.model_fields_set and not args.dedicated_endpoint_disabled
    if private(config) and asked:
        return (
            "is False, which asks for a public DNS name, but private_service_connect_config asks for a private "
            "address: remove one of them"
        )
    return None


class CustomWeightsModelArgs(EndpointArgs, ModelSource, Machines):
    """What a user says of a served model."""

    model_id: Annotated[str, Replaces("ids are fixed"), Computed()] = Field(
        default="",
        # Numbers are Vertex AI's own choice: only an adopted Model has one.
        pattern=f"^({MODEL_ID.pattern}|[0-9]{{1,19}})$",
        description="Id of the uploaded Model: at most 63 of a-z, 0-9, _ and -, a letter first. "
        "Default: the endpoint's id.",
    )
    model_display_name: Annotated[str, InPlace("models.patch"), Computed()] = Field(
        default="", max_length=128, description="Name of the Model for people. Default: the resource's name."
    )
    container_spec: Annotated[ContainerSpec | None, Replaces(_NEW_DEPLOYMENT)] = Field(
        default=None, description="The serving container. Default: Google's for the model."
    )
    enable_container_logging: Annotated[bool | None, InPlace("endpoints.mutateDeployedModel"), Computed()] = Field(
        default=None, description="Send the container's output to Cloud Logging. Default: as Model Garden deploys it."
    )
    system_labels: Annotated[dict[str, str], Local("read when deploying")] = Field(
        default={}, description="Labels of Model Garden deployments that Google manages."
    )
    retain_model: Annotated[bool, Local("read when the resource is removed")] = Field(
        default=False,
        description="Keep the uploaded Model in the registry when the resource is removed, or a deployment fails. A "
        "resource with the same model_id deploys it again.",
    )
    dedicated_endpoint_disabled: Annotated[bool, Replaces("the public address changes")] = Field(
        default=False, description="Serve under the region's shared DNS name instead of the endpoint's own one."
    )
    model: Annotated[str, Derived(), Local("follows from the ids")] = Field(
        default="", description="projects/{project}/locations/{region}/models/{model_id}."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *EndpointArgs.rules,
        *SOURCE_RULES,
        *MACHINE_RULES,
        Rule(("container_spec",), lambda args: container_problem(args.container_spec)),
        Rule(("dedicated_endpoint_disabled", "private_service_connect_config"), _address_problem),
    )

    def wire(self, claim: str) -> DeployRequest:
        """The request of ``projects.locations:deploy``."""
        # Programs that only register resources never load it.
        from mg_provider.wire.deploy import CustomModel, DeployConfig, DeployRequest, EndpointConfig, ModelConfig

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
            deploy_config=DeployConfig(
                dedicated_resources=self.resources() if self._asks_for_resources() else None,
                fast_tryout_enabled=self.fast_tryout_enabled or None,
                service_account=self.service_account or None,
                system_labels=self.system_labels or None,
            ),
        )

    def _asks_for_resources(self) -> bool:
        """Without a machine spec Google's default deployment applies, unless counts were given."""
        names = ("autoscaling_metric_specs", "spot", "flex_start")
        counts = (self.min_replica_count, self.max_replica_count or 1)
        return self.machine_spec is not None or counts != (1, 1) or any(getattr(self, name) for name in names)


class CustomWeightsModelState(State):
    """What the cloud says of a served model."""

    deployed_model_id: str = Field(default="", description="Id of the deployment on the endpoint.")
    dedicated_endpoint_dns: str = Field(default="", description="The endpoint's own public DNS name, without scheme.")
    service_attachment: str = Field(default="", description="Service attachment, for a PscForwardingRule.")
    available_replica_count: int = Field(
        default=0, description="Replicas that served when it was last deployed or changed."
    )
    machine_type: str = Field(default="", description="Machine type that the deployment runs on.")
    unmanaged_deployed_models: list[str] = Field(
        default=[], description="Deployment ids on the endpoint that this resource did not make."
    )
    machine_spec_taken: MachineSpec | None = Field(
        default=None,
        description="Machine of the deployment: which of the choices was to be had, or which one was recommended.",
    )
    operation: str = Field(default="", description="The deployment that was still running when waiting for it ended.")
    claim: str = Field(default="", description="Marks the create that took hold of it.")


class CustomWeightsModelLifecycle(EndpointLifecycle[CustomWeightsModelArgs, CustomWeightsModelState]):
    """Deploys weights with one call, which makes Model, Endpoint and deployment, and takes all three down again.

    IAM: ``aiplatform.endpoints.*``, ``aiplatform.models.*`` (create, get, update, delete, deploy, undeploy) and
    ``aiplatform.operations.*`` on the project; Vertex AI's service agent reads the bucket with
    ``storage.objects.get`` and ``storage.objects.list``.
    """

    args_type = CustomWeightsModelArgs
    state_type = CustomWeightsModelState
    ids = ("endpoint_id", "model_id")

    def name(self, args: CustomWeightsModelArgs, old: CustomWeightsModelArgs | None) -> CustomWeightsModelArgs:
        """Name endpoint and Model after the resource; what is not replaced keeps its ids."""
        args = with_most_replicas(args)
        derived = not args.model_id
        before = kept(old, args, "model_id")
        args = name_endpoint(args, old, _SEEDS)
        if derived:
            fresh = args.endpoint_id if args.is_known("endpoint_id") else UNKNOWN
            if isinstance(fresh, str) and fresh[:1].isdigit():
                fresh = f"model-{fresh}"
            args = args.with_values(model_id=before or fresh)
        if not args.model_display_name:
            args = args.with_values(model_display_name=args.resource)
        known = args.is_known("project", "region", "model_id")
        return args.with_values(model=f"{args.parent}/models/{args.model_id}" if known else UNKNOWN)

    def check(
        self, given: Mapping[str, Any], old: CustomWeightsModelArgs | None, defaults: Defaults
    ) -> tuple[CustomWeightsModelArgs, list[Problem]]:
        """As for every endpoint; and an id that only Vertex AI may choose is no id for a new Model."""
        args, problems = super().check(given, old, defaults)
        id = given.get("model_id")
        fresh = not args.adopt and (old is None or old.model_id != id)
        if not problems and fresh and isinstance(id, str) and not MODEL_ID.fullmatch(id):
            description = self.args_type.model_fields["model_id"].description
            problems = [Problem("model_id", f"{id!r} does not fit: {description}")]
        return args, problems

    def completed(
        self, given: Mapping[str, Any], args: CustomWeightsModelArgs, endpoint: Endpoint, context: Context
    ) -> CustomWeightsModelArgs:
        """The Model of an adopted endpoint is the one that it serves, unless the program says."""
        return args if given.get("model_id") else with_model_of(args, endpoint, context)

    def fixed(self, args: CustomWeightsModelArgs, endpoint: Endpoint) -> Iterator[Problem]:
        """What is wanted otherwise than the endpoint has it."""
        yield from super().fixed(args, endpoint)
        yield from adoption_problems(args, endpoint)

    def changes(self, args: CustomWeightsModelArgs, endpoint: Endpoint, context: Context) -> list[str]:
        """What taking over changes, a line each."""
        return [*super().changes(args, endpoint, context), *model_changes(args, endpoint)]

    def create(self, args: CustomWeightsModelArgs, context: Context) -> tuple[str, CustomWeightsModelState]:
        """Deploy, or go on with the deployment that an interrupted run of ours began."""
        state = CustomWeightsModelState(claim=context.clock.request_id())
        return args.endpoint, self._converge(args, args, state, context, fresh=True)

    def read(
        self, id: str, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
    ) -> Reading[CustomWeightsModelArgs, CustomWeightsModelState] | None:
        """The endpoint as it is. A missing deployment shows as zero replicas."""
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            return None
        seen = self._state(endpoint, args, state)
        if seen.deployed_model_id == state.deployed_model_id:
            # Autoscaling changes it all the time: as an output that followed, every refresh would show a change.
            seen.available_replica_count = state.available_replica_count
        return Reading(observed(args, endpoint), seen)

    def update(
        self,
        id: str,
        old: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        new: CustomWeightsModelArgs,
        changes: Changes,
        context: Context,
    ) -> CustomWeightsModelState:
        """Change replicas, autoscaling, labels, names and settings on the running endpoint."""
        claim = state.claim or context.clock.request_id()
        if changes.touches("machine_spec"):
            leave_machine(new, old, context)
        return self._converge(new, old, state.model_copy(update={"claim": claim}), context)

    def delete(self, id: str, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> None:
        """Undeploy, delete the endpoint, delete the Model. What is gone already is fine."""
        endpoint = find_endpoint(args, context)
        if endpoint is not None:
            must_be_ours(endpoint, args)
            if foreign_claim(endpoint, state.claim):
                context.progress("a newer create has taken up the endpoint; left alone")
                return
        stop_deploying(args, state, context)
        take_down(args, context)

    def _converge(
        self,
        args: CustomWeightsModelArgs,
        owner: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        context: Context,
        *,
        fresh: bool = False,
    ) -> CustomWeightsModelState:
        """Bring the cloud to what is wanted from wherever an earlier run left it."""
        endpoint = find_endpoint(args, context)
        if endpoint is not None:
            self.may_take(args, owner, endpoint)
        elif args.retain_model:
            try:
                endpoint = endpoint_for_kept_model(args, state.claim, context)
            except UNSETTLED as error:
                raise self._incomplete(error, args, state, context) from error
        if endpoint is None or not own(endpoint, args):
            refuse_new_deployment(args, endpoint, context)

            def keep(error: MgError, seen: CustomWeightsModelState) -> Incomplete:
                return self._incomplete(error, args, seen, context)

            Deployment(args, state, context, keep, fresh).run()
        try:
            endpoint = settle_endpoint(args, owner, state.claim, context)
            deployed = own(endpoint, args)
            if deployed is not None:
                mutate(args, deployed, args.resources(), args.enable_container_logging, context)
            self._settle_model(args, context)
            return self._state(find_endpoint(args, context) or endpoint, args, state)
        except MgError as error:
            if isinstance(error, Refused) and owner is not args:
                raise
            # A label that is not wanted any more may still be there: kept in the arguments, the next run removes it.
            told = args.with_values(labels={**owner.labels, **args.labels})
            raise self._incomplete(error, told, state, context) from error

    def _settle_model(self, args: CustomWeightsModelArgs, context: Context) -> None:
        for _ in range(MOST_MERGES):
            model = context.clients.vertex.get_model(args.model)
            if model.display_name == args.model_display_name:
                return
            changed = Model(display_name=args.model_display_name, etag=model.etag)
            try:
                context.clients.vertex.patch_model(args.model, changed, ["display_name"])
            except Aborted:
                continue
            return
        raise too_busy(args, "name of the Model")

    def _incomplete(
        self, error: MgError, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
    ) -> Incomplete:
        try:
            endpoint = find_endpoint(args, context)
        except MgError:
            endpoint = None
        error.exists = error.exists or [args.endpoint]
        known = state if endpoint is None else self._state(endpoint, args, state)
        return Incomplete(error, args.endpoint, args, known.model_copy(update={"operation": state.operation}))

    def _state(
        self, endpoint: Endpoint, args: CustomWeightsModelArgs, before: CustomWeightsModelState
    ) -> CustomWeightsModelState:
        deployed = own(endpoint, args) or DeployedModel()
        machine = machine_of(deployed)
        attachment = deployed.private_endpoints.service_attachment if deployed.private_endpoints else None
        return CustomWeightsModelState(
            deployed_model_id=deployed.id or "",
            dedicated_endpoint_dns=(endpoint.dedicated_endpoint_dns or "").removeprefix("https://"),
            service_attachment=attachment or "",
            available_replica_count=(deployed.status.available_replica_count if deployed.status else 0) or 0,
            machine_type=(machine.machine_type if machine else "") or "",
            machine_spec_taken=machine or before.machine_spec_taken,
            unmanaged_deployed_models=sorted(
                entry.id
                for entry in endpoint.deployed_models or []
                if entry.id and entry.id not in ids_of(endpoint, args)
            ),
            claim=(endpoint.labels or {}).get(CLAIM_LABEL, ""),
        )


class CustomWeightsModelProvider(DynamicProvider):
    """Serves ``CustomWeightsModel``. Its path is in the state of every stack and never changes."""

    lifecycle = CustomWeightsModelLifecycle


class CustomWeightsModel(DynamicResource, module="mg", name="CustomWeightsModel"):
    """A model with your own weights, served on an endpoint of its own.

    Every argument is named as Vertex AI names it; what a change to it does is on ``CustomWeightsModelArgs``.

    Args:
        name: The resource's name in the program.
        gcs_uri: gs:// folder with weights, config.json and tokenizer in Hugging Face format.
        preflight: Check the folder before anything is asked for; default yes.
        allow_quantized: Deploy quantized weights although they are not listed as supported.
        publisher_model_name: Model of Model Garden instead.
        hugging_face_model_id: Model of Hugging Face instead.
        hugging_face_access_token: Read token for a gated Hugging Face model; kept secret.
        hugging_face_cache_enabled: Use Google's cached copy of the Hugging Face model.
        accept_eula: Accept the model's End User License Agreement.
        model_id: Id of the uploaded Model; default the endpoint's.
        model_display_name: Name of the Model for people; default the resource's name.
        container_spec: The serving container; default Google's for the model.
        machine_spec: Machine of one replica, or a list of choices; default the one recommended for the weights.
        min_replica_count: Replicas that always run; default 1.
        max_replica_count: Most replicas under load; default the minimum.
        required_replica_count: Replicas that must be up for the deployment to count as a success.
        initial_replica_count: Replicas started when scaling up from zero.
        autoscaling_metric_specs: Metrics that drive the number of replicas.
        scale_to_zero_spec: Let the deployment go down to no replica when idle.
        spot: Use Spot VMs.
        flex_start: Queue for capacity instead of failing at once.
        service_account: Service account that the container runs as.
        fast_tryout_enabled: Deploy quickly on shared capacity, for trying a model out.
        enable_container_logging: Send the container's output to Cloud Logging; default as Model Garden deploys it.
        system_labels: Labels of Model Garden deployments that Google manages.
        endpoint_id: Endpoint id; default derived from stack and resource name.
        endpoint_display_name: Name of the endpoint for people; default the resource's name.
        description: Free text on the endpoint.
        labels: Labels of the endpoint.
        retain_model: Keep the uploaded Model in the registry when the resource is removed.
        dedicated_endpoint_disabled: Serve under the region's shared DNS name.
        private_service_connect_config: Serve through Private Service Connect only.
        predict_request_response_logging_config: Log requests and answers to BigQuery.
        client_connection_config: How long a caller may wait for an answer.
        adopt: Take over this endpoint, made elsewhere, by resource name.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = CustomWeightsModelProvider

    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    model: pulumi.Output[str]
    model_id: pulumi.Output[str]
    deployed_model_id: pulumi.Output[str]
    dedicated_endpoint_dns: pulumi.Output[str]
    service_attachment: pulumi.Output[str]
    available_replica_count: pulumi.Output[int]
    unmanaged_deployed_models: pulumi.Output[list[str]]
    machine_type: pulumi.Output[str]
    machine_spec_taken: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self,
        name: str,
        *,
        gcs_uri: pulumi.Input[str] | None = None,
        preflight: pulumi.Input[bool] | None = None,
        allow_quantized: pulumi.Input[bool] | None = None,
        publisher_model_name: pulumi.Input[str] | None = None,
        hugging_face_model_id: pulumi.Input[str] | None = None,
        hugging_face_access_token: pulumi.Input[str] | None = None,
        hugging_face_cache_enabled: pulumi.Input[bool] | None = None,
        accept_eula: pulumi.Input[bool] | None = None,
        model_id: pulumi.Input[str] | None = None,
        model_display_name: pulumi.Input[str] | None = None,
        container_spec: pulumi.Input[ContainerSpecInput] | None = None,
        machine_spec: pulumi.Input[MachineSpecInput | Sequence[pulumi.Input[MachineSpecInput]]] | None = None,
        min_replica_count: pulumi.Input[int] | None = None,
        max_replica_count: pulumi.Input[int] | None = None,
        required_replica_count: pulumi.Input[int] | None = None,
        initial_replica_count: pulumi.Input[int] | None = None,
        autoscaling_metric_specs: pulumi.Input[Sequence[pulumi.Input[AutoscalingMetricSpecInput]]] | None = None,
        scale_to_zero_spec: pulumi.Input[ScaleToZeroSpecInput] | None = None,
        spot: pulumi.Input[bool] | None = None,
        flex_start: pulumi.Input[FlexStartInput] | None = None,
        service_account: pulumi.Input[str] | None = None,
        fast_tryout_enabled: pulumi.Input[bool] | None = None,
        enable_container_logging: pulumi.Input[bool] | None = None,
        system_labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        endpoint_id: pulumi.Input[str] | None = None,
        endpoint_display_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        retain_model: pulumi.Input[bool] | None = None,
        dedicated_endpoint_disabled: pulumi.Input[bool] | None = None,
        private_service_connect_config: pulumi.Input[PrivateServiceConnectConfigInput] | None = None,
        predict_request_response_logging_config: pulumi.Input[PredictRequestResponseLoggingConfigInput] | None = None,
        client_connection_config: pulumi.Input[ClientConnectionConfigInput] | None = None,
        adopt: pulumi.Input[str] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)
