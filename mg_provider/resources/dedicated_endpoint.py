"""``DedicatedEndpoint``: an endpoint, all of its deployed models by name, and the traffic between them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, TypedDict

import pulumi
from pydantic import Field

from mg_provider.api.errors import AlreadyExists, MgError
from mg_provider.resources.dynamic_host import DynamicProvider, DynamicResource
from mg_provider.resources.endpoint_args import EndpointArgs, is_known_private, name_endpoint, private
from mg_provider.resources.endpoint_settings import observe, observed_endpoint, settle_endpoint
from mg_provider.resources.fields import UNKNOWN, Changes, Computed, InPlace, Replaces, Rule, State, plain
from mg_provider.resources.identity import CLAIM_LABEL
from mg_provider.resources.inputs import (
    AutoscalingMetricSpecInput,
    ClientConnectionConfigInput,
    EncryptionSpecInput,
    FlexStartInput,
    GenAiAdvancedFeaturesConfigInput,
    MachineSpecInput,
    PredictRequestResponseLoggingConfigInput,
    PrivateServiceConnectConfigInput,
    ScaleToZeroSpecInput,
    TimeoutsInput,
)
from mg_provider.resources.lifecycle import UNSETTLED, Context, Incomplete, Lifecycle, Reading
from mg_provider.resources.machines import MACHINE_RULES, Machines
from mg_provider.resources.nested_rules import key_problem
from mg_provider.resources.serving import (
    CREATE_SECONDS,
    delete_endpoint,
    find_endpoint,
    foreign_claim,
    must_be_ours,
    mutate,
    running_operation,
    settle_traffic,
    undeploy,
)
from mg_provider.wire.base import same
from mg_provider.wire.deployed_model import DeployedModel, FasterDeploymentConfig
from mg_provider.wire.encryption import EncryptionSpec
from mg_provider.wire.endpoint import Endpoint, GenAiAdvancedFeaturesConfig
from mg_provider.wire.machine import DedicatedResources

if TYPE_CHECKING:
    from mg_provider.wire.operation import Operation

_SEEDS = ("dedicated_endpoint_enabled", "network", "encryption_spec", "gen_ai_advanced_features_config")
_MODEL = re.compile(r"projects/[^/]+/locations/[^/]+/models/[^/@]+(@[^/]+)?")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


class ServedModel(Machines):
    """One deployed model of the endpoint."""

    model: str = Field(
        description="Model resource name; the `model` output of a CustomWeightsModel, @version if wanted."
    )
    enable_container_logging: bool = Field(default=True, description="Send the container's output to Cloud Logging.")

    def deployment_id(self, endpoint_id: str, name: str) -> str:
        """An id of ten digits, the same each time for what cannot change while it runs.

        A service-made id could not be found again when the answer of a call is lost.
        """
        fixed = (self.model, self.machine_spec, self.spot, self.flex_start, self.service_account)
        content = json.dumps(
            [endpoint_id, name, *(plain(value) for value in (*fixed, self.fast_tryout_enabled))], sort_keys=True
        )
        number = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big")
        return str(10**9 + number % (9 * 10**9))

    def wire(self, id: str, name: str) -> DeployedModel:
        """The deployment as ``endpoints.deployModel`` takes it."""
        return DeployedModel(
            id=id,
            model=self.model,
            display_name=name,
            dedicated_resources=self.resources(),
            service_account=self.service_account or None,
            enable_container_logging=self.enable_container_logging,
            faster_deployment_config=FasterDeploymentConfig(fast_tryout_enabled=True)
            if self.fast_tryout_enabled
            else None,
        )


def _names_problem(args: DedicatedEndpointArgs) -> str | None:
    for name, served in args.deployed_models.items():
        if not _NAME.fullmatch(name):
            return f"has the name {name!r}: use at most 32 of a-z, 0-9 and -, a letter first"
        if not _MODEL.fullmatch(served.model):
            return (
                f"{name}: {served.model!r} is no model: write projects/{{project}}/locations/{{region}}/models/{{id}}"
            )
        for rule in MACHINE_RULES:
            reason = rule.test(served)
            if reason:
                return f"{name}.{rule.property} {reason}"
    return None


def _traffic_problem(args: DedicatedEndpointArgs) -> str | None:
    names, split = set(args.deployed_models), args.traffic_split
    if unknown := sorted(set(split) - names):
        return f"names {', '.join(unknown)}, but deployed_models has {', '.join(sorted(names)) or 'none'}"
    if any(not 0 <= percent <= 100 for percent in split.values()):
        return "has a value outside 0 to 100: give each name a percent"
    if split and sum(split.values()) != 100:
        return f"adds up to {sum(split.values())}: make it 100"
    if not split and len(names) > 1:
        return "is needed with several deployed_models: give each name its percent"
    return None


def _address_problem(args: DedicatedEndpointArgs) -> str | None:
    config = args.private_service_connect_config
    if private(config) and args.dedicated_endpoint_enabled:
        return (
            "is True, which asks for a public DNS name, but private_service_connect_config asks for a private "
            "address: remove one of them"
        )
    if private(config) and args.network:
        return "cannot go together with network and private_service_connect_config: remove one of them"
    return None


class DedicatedEndpointArgs(EndpointArgs):
    """What a user says of an endpoint with models of its own."""

    dedicated_endpoint_enabled: Annotated[bool | None, Replaces("the public address changes"), Computed()] = Field(
        default=None,
        description="Serve under the endpoint's own public DNS name. Default: yes, unless the endpoint is private.",
    )
    deployed_models: Annotated[dict[str, ServedModel], InPlace("endpoints.deployModel, undeployModel")] = Field(
        default={}, description="The models that the endpoint serves, by a name of your choice."
    )
    traffic_split: Annotated[dict[str, int], InPlace("endpoints.patch")] = Field(
        default={}, description="Percent of the requests by name of a deployed model. Default: all to the only one."
    )
    network: Annotated[str, Replaces("the network is fixed")] = Field(
        default="",
        pattern=r"^projects/[0-9]+/global/networks/[a-z][a-z0-9-]{0,62}$",
        description="Peered network, projects/{number}/global/networks/{name}; not with Private Service Connect.",
    )
    encryption_spec: Annotated[EncryptionSpec | None, Replaces("the key is fixed")] = Field(
        default=None, description="Customer-managed key."
    )
    gen_ai_advanced_features_config: Annotated[
        GenAiAdvancedFeaturesConfig | None, Replaces("no source says that it can be changed")
    ] = Field(default=None, description="Features for generative models of Model Garden.")

    rules: ClassVar[tuple[Rule, ...]] = (
        *EndpointArgs.rules,
        Rule(("deployed_models",), _names_problem),
        Rule(("traffic_split", "deployed_models"), _traffic_problem),
        Rule(("encryption_spec", "region"), lambda args: key_problem(args.encryption_spec, args.region)),
        Rule(("dedicated_endpoint_enabled", "private_service_connect_config", "network"), _address_problem),
    )

    def ids(self) -> dict[str, str]:
        """The deployment id of each named model."""
        return {name: served.deployment_id(self.endpoint_id, name) for name, served in self.deployed_models.items()}

    def split(self) -> dict[str, int]:
        """Percent by deployment id."""
        ids = self.ids()
        split = self.traffic_split or dict.fromkeys(ids, 100)
        return {ids[name]: percent for name, percent in split.items() if percent}

    def wire(self, claim: str) -> Endpoint:
        """The request of ``endpoints.create``."""
        return Endpoint(
            display_name=self.endpoint_display_name,
            description=self.description or None,
            labels=self.all_labels(claim),
            dedicated_endpoint_enabled=self.dedicated_endpoint_enabled,
            private_service_connect_config=self.private_service_connect_config,
            network=self.network or None,
            encryption_spec=self.encryption_spec,
            predict_request_response_logging_config=self.predict_request_response_logging_config,
            client_connection_config=self.client_connection_config,
            gen_ai_advanced_features_config=self.gen_ai_advanced_features_config,
        )


class DedicatedEndpointState(State):
    """What the cloud says of the endpoint."""

    deployed_model_ids: dict[str, str] = Field(default={}, description="Deployment id by name.")
    unmanaged_deployed_models: list[str] = Field(
        default=[], description="Deployment ids on the endpoint that this resource did not make."
    )
    dedicated_endpoint_dns: str = Field(default="", description="The endpoint's own public DNS name, without scheme.")
    service_attachment: str = Field(default="", description="Service attachment, for a PscForwardingRule.")
    claim: str = Field(default="", description="Marks the create that took hold of it.")


class DedicatedEndpointLifecycle(Lifecycle[DedicatedEndpointArgs, DedicatedEndpointState]):
    """Makes the endpoint, then deploys, shifts traffic and undeploys until it serves what is wanted.

    IAM: ``aiplatform.endpoints.*`` (create, get, update, deploy, undeploy, delete), ``aiplatform.models.get`` and
    ``aiplatform.models.deploy``.
    """

    args_type = DedicatedEndpointArgs
    state_type = DedicatedEndpointState
    ids = ("endpoint_id",)

    def name(self, args: DedicatedEndpointArgs, old: DedicatedEndpointArgs | None) -> DedicatedEndpointArgs:
        """Name the endpoint after the resource; one that is not replaced keeps its id."""
        if args.dedicated_endpoint_enabled is None:
            public = not private(args.private_service_connect_config) and not args.network
            known = is_known_private(args.private_service_connect_config) and args.is_known("network")
            args = args.with_values(dedicated_endpoint_enabled=public if known else UNKNOWN)
        return name_endpoint(args, old, _SEEDS)

    def create(self, args: DedicatedEndpointArgs, context: Context) -> tuple[str, DedicatedEndpointState]:
        """Make the endpoint and deploy onto it, or go on where an interrupted run of ours stopped."""
        return args.endpoint, self._converge(args, args, context.clock.request_id(), {}, context)

    def read(
        self, id: str, args: DedicatedEndpointArgs, state: DedicatedEndpointState, context: Context
    ) -> Reading[DedicatedEndpointArgs, DedicatedEndpointState] | None:
        """The endpoint as it is. A missing deployment is missing from ``deployed_models``."""
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            return None
        return Reading(_observed(args, endpoint), self._state(endpoint, args, state.deployed_model_ids))

    def update(
        self,
        id: str,
        old: DedicatedEndpointArgs,
        state: DedicatedEndpointState,
        new: DedicatedEndpointArgs,
        changes: Changes,
        context: Context,
    ) -> DedicatedEndpointState:
        """Deploy what is new, shift the traffic, then undeploy what is no longer wanted."""
        claim = state.claim or context.clock.request_id()
        return self._converge(new, old, claim, {**state.deployed_model_ids, **_swapped(old)}, context)

    def delete(self, id: str, args: DedicatedEndpointArgs, state: DedicatedEndpointState, context: Context) -> None:
        """Undeploy every model of ours, then delete the endpoint. What is gone already is fine."""
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            return
        must_be_ours(endpoint, args)
        if foreign_claim(endpoint, state.claim):
            context.progress("a newer create has taken up the endpoint; left alone")
            return
        self._settle_operations(args, context)
        ours = {*state.deployed_model_ids.values(), *args.ids().values()}
        undeploy(args, sorted(ours), context)
        delete_endpoint(args, context)

    def _converge(
        self,
        args: DedicatedEndpointArgs,
        owner: DedicatedEndpointArgs,
        claim: str,
        before: Mapping[str, str],
        context: Context,
    ) -> DedicatedEndpointState:
        """Bring the cloud to what is wanted from wherever an earlier run left it."""
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            self._make(args, claim, context)
        else:
            must_be_ours(endpoint, owner)
        try:
            self._settle_operations(args, context)
            settle_endpoint(args, owner, claim, context)
            self._deploy_missing(args, context)
            endpoint = settle_traffic(args, args.split(), context)
            wanted = set(args.ids().values())
            undeploy(args, sorted(set(before.values()) - wanted), context)
            return self._state(find_endpoint(args, context) or endpoint, args, {})
        except MgError as error:
            try:
                found = find_endpoint(args, context)
            except MgError:
                found = None
            error.exists = error.exists or [args.endpoint]
            state = self._state(found or Endpoint(labels={CLAIM_LABEL: claim}), args, before)
            raise Incomplete(error, args.endpoint, args, state) from error

    def _make(self, args: DedicatedEndpointArgs, claim: str, context: Context) -> None:
        context.progress("making the endpoint")
        try:
            operation = context.clients.vertex.create_endpoint(args.parent, args.endpoint_id, args.wire(claim))
            context.wait(operation, context.limit(args.timeouts.create, CREATE_SECONDS), "making the endpoint")
        except (AlreadyExists, *UNSETTLED) as error:
            try:
                endpoint = find_endpoint(args, context)
            except MgError:
                endpoint = None
            if endpoint is None and isinstance(error, UNSETTLED):
                raise Incomplete(error, args.endpoint, args, DedicatedEndpointState(claim=claim)) from error
            if endpoint is None:
                raise
            must_be_ours(endpoint, args)

    def _settle_operations(self, args: DedicatedEndpointArgs, context: Context) -> None:
        """Let a deployment that an interrupted run started come to its end, well or badly."""

        def deploys(operation: Operation) -> bool:
            return "DeployModelOperationMetadata" in str((operation.metadata or {}).get("@type"))

        while (operation := running_operation(args.endpoint, deploys, context)) is not None:
            context.progress("going on with the deployment that is running")
            try:
                context.wait(operation, context.limit(args.timeouts.create, CREATE_SECONDS), "deploying")
            except MgError as error:
                context.progress(f"it did not end well: {error.summary}")
                if context.cancelled() or not getattr(error, "reason", None):
                    raise

    def _deploy_missing(self, args: DedicatedEndpointArgs, context: Context) -> None:
        """Deploy what is not there, each without traffic unless it is the first; adjust the replicas of what is."""
        limit = context.limit(args.timeouts.create, CREATE_SECONDS)
        for name, id in args.ids().items():
            endpoint = context.clients.vertex.get_endpoint(args.endpoint)
            present = {entry.id: entry for entry in endpoint.deployed_models or []}
            served = args.deployed_models[name]
            if id in present:
                mutate(args, present[id], served.resources(), served.enable_container_logging, context)
                continue
            context.progress(f"deploying {name}")
            split = {"0": 0, **endpoint.traffic_split} if endpoint.traffic_split else {"0": 100}
            operation = context.clients.vertex.deploy_model(args.endpoint, served.wire(id, name), split)
            context.wait(operation, limit, f"deploying {name}")

    def _state(
        self, endpoint: Endpoint, args: DedicatedEndpointArgs, before: Mapping[str, str]
    ) -> DedicatedEndpointState:
        ids = {**before, **args.ids()}
        deployed = endpoint.deployed_models or []
        attachments = [
            entry.private_endpoints.service_attachment
            for entry in deployed
            if entry.private_endpoints and entry.private_endpoints.service_attachment
        ]
        return DedicatedEndpointState(
            deployed_model_ids=ids,
            unmanaged_deployed_models=sorted(
                entry.id for entry in deployed if entry.id and entry.id not in ids.values()
            ),
            dedicated_endpoint_dns=(endpoint.dedicated_endpoint_dns or "").removeprefix("https://"),
            service_attachment=attachments[0] if attachments else "",
            claim=(endpoint.labels or {}).get(CLAIM_LABEL, ""),
        )


def _swapped(old: DedicatedEndpointArgs) -> dict[str, str]:
    """The deployments of the last run under keys that cannot hide this run's."""
    return {f"{name} before": id for name, id in old.ids().items()}


def _observed(args: DedicatedEndpointArgs, endpoint: Endpoint) -> DedicatedEndpointArgs:
    """The arguments that would give what is there. What nobody set and Google chose is no drift."""
    present = {entry.id: entry for entry in endpoint.deployed_models or []}
    names = {id: name for name, id in args.ids().items()}
    served: dict[str, ServedModel] = {}
    for id, name in names.items():
        if id in present:
            served[name] = _served(args.deployed_models[name], present[id].dedicated_resources)
    split = {names.get(id, id): percent for id, percent in (endpoint.traffic_split or {}).items() if percent}
    wanted = args.traffic_split or dict.fromkeys(args.deployed_models, 100)
    observed = observe(args, observed_endpoint(args, endpoint))
    if served != args.deployed_models:
        observed = observed.with_values(deployed_models=served)
    if split != {name: percent for name, percent in wanted.items() if percent}:
        observed = observed.with_values(traffic_split=split)
    return observed


def _served(wanted: ServedModel, actual: DedicatedResources | None) -> ServedModel:
    resources = actual or DedicatedResources()
    seen = {
        "min_replica_count": resources.min_replica_count or 0,
        "max_replica_count": resources.max_replica_count,
        "required_replica_count": resources.required_replica_count,
        "autoscaling_metric_specs": resources.autoscaling_metric_specs or [],
        "scale_to_zero_spec": resources.scale_to_zero_spec,
    }
    told = wanted.model_fields_set | {"min_replica_count"}
    drift = {name: value for name, value in seen.items() if name in told and not same(getattr(wanted, name), value)}
    return wanted.model_copy(update=drift)


class DedicatedEndpointProvider(DynamicProvider):
    """Serves ``DedicatedEndpoint``. Its path is in the state of every stack and never changes."""

    lifecycle = DedicatedEndpointLifecycle


class ServedModelInput(TypedDict, total=False):
    """One deployed model of the endpoint."""

    model: pulumi.Input[str]
    machine_spec: pulumi.Input[MachineSpecInput]
    min_replica_count: pulumi.Input[int]
    max_replica_count: pulumi.Input[int]
    required_replica_count: pulumi.Input[int]
    initial_replica_count: pulumi.Input[int]
    autoscaling_metric_specs: pulumi.Input[list[AutoscalingMetricSpecInput]]
    scale_to_zero_spec: pulumi.Input[ScaleToZeroSpecInput]
    spot: pulumi.Input[bool]
    flex_start: pulumi.Input[FlexStartInput]
    service_account: pulumi.Input[str]
    fast_tryout_enabled: pulumi.Input[bool]
    enable_container_logging: pulumi.Input[bool]


class DedicatedEndpoint(DynamicResource, module="mg", name="DedicatedEndpoint"):
    """An endpoint with models of its own, by name, and the traffic between them.

    Args:
        name: The resource's name in the program.
        deployed_models: The models that the endpoint serves, by a name of your choice.
        traffic_split: Percent of the requests by that name; default all to the only one.
        dedicated_endpoint_enabled: Serve under the endpoint's own public DNS name; default yes, unless it is private.
        private_service_connect_config: Serve through Private Service Connect only.
        network: Peered network, by project number.
        encryption_spec: Customer-managed key.
        gen_ai_advanced_features_config: Features for generative models of Model Garden.
        endpoint_id: Endpoint id; default derived from stack and resource name.
        endpoint_display_name: Name of the endpoint for people; default the resource's name.
        description: Free text on the endpoint.
        labels: Labels of the endpoint.
        predict_request_response_logging_config: Log requests and answers to BigQuery.
        client_connection_config: How long a caller may wait for an answer.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = DedicatedEndpointProvider

    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    deployed_model_ids: pulumi.Output[Mapping[str, str]]
    unmanaged_deployed_models: pulumi.Output[list[str]]
    dedicated_endpoint_dns: pulumi.Output[str]
    service_attachment: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        deployed_models: pulumi.Input[Mapping[str, pulumi.Input[ServedModelInput]]] | None = None,
        traffic_split: pulumi.Input[Mapping[str, pulumi.Input[int]]] | None = None,
        dedicated_endpoint_enabled: pulumi.Input[bool] | None = None,
        private_service_connect_config: pulumi.Input[PrivateServiceConnectConfigInput] | None = None,
        network: pulumi.Input[str] | None = None,
        encryption_spec: pulumi.Input[EncryptionSpecInput] | None = None,
        gen_ai_advanced_features_config: pulumi.Input[GenAiAdvancedFeaturesConfigInput] | None = None,
        endpoint_id: pulumi.Input[str] | None = None,
        endpoint_display_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        predict_request_response_logging_config: pulumi.Input[PredictRequestResponseLoggingConfigInput] | None = None,
        client_connection_config: pulumi.Input[ClientConnectionConfigInput] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)
