"""The arguments of ``DedicatedEndpoint`` and the rules between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from mg_provider.api.names import MODEL
from mg_provider.api.texts import cut, shown
from mg_provider.resources.dedicated_endpoint.held_state import HeldModel
from mg_provider.resources.endpoint.args import EndpointArgs, both_addresses, private
from mg_provider.resources.endpoint.machines import MACHINE_RULES
from mg_provider.resources.endpoint.rollout_args import RolloutArgument, RolloutStrategy, rollout_problem
from mg_provider.resources.endpoint.scale_to_zero import (
    ALONE,
    rollout_beside_zero,
    shared_domain_problem,
    strategy_problem,
)
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.marks import Computed, Derived, InPlace, Lines, Local, Replaces, Transient
from mg_provider.resources.model.meaning import Costs, Exposure, InNetwork, Plan, SafetyNet, Service, Traffic
from mg_provider.resources.model.names import PeeredNetworkName
from mg_provider.resources.model.nested_rules import key_problem
from mg_provider.resources.model.standing import Stands, Unseen, asked_for
from mg_provider.wire.base import nested
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.endpoint import Endpoint, GenAiAdvancedFeaturesConfig

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


def _names_problem(args: DedicatedEndpointArgs) -> str | None:
    for name, served in args.deployed_models.items():
        if not _NAME.fullmatch(name):
            return f"has the name {shown(name)}: use at most 32 of a-z, 0-9 and -, a letter first"
        if problem := MODEL.problem(served.model):
            return f"{name}: {problem}"
        for rule in MACHINE_RULES:
            reason = rule.test(served)
            if reason:
                return f"{name}.{rule.property} {reason}"
        if reason := rollout_problem(served.rollout):
            return f"{name}.rollout {reason}"
    return None


def _traffic_problem(args: DedicatedEndpointArgs) -> str | None:
    names, split = set(args.deployed_models), args.traffic_split
    if unknown := sorted(set(split) - names):
        known = cut(", ".join(sorted(names)), 120) or "none"
        return f"names {cut(', '.join(unknown))}, but deployed_models has {known}: use those"
    if any(not 0 <= percent <= 100 for percent in split.values()):
        return "has a value outside 0 to 100: give each name a percent"
    if split and sum(split.values()) != 100:
        return f"adds up to {sum(split.values())}: make it 100"
    if not split and len(names) > 1:
        return "is needed with several deployed_models: give each name its percent"
    return None


def _query_names_problem(args: DedicatedEndpointArgs) -> str | None:
    """Why a request that names a model would fail at some of them."""
    asked = [name for name, share in args.traffic_split.items() if share]
    return names_differ({name: args.query_model_ids[name] for name in asked if args.query_model_ids.get(name)})


def names_differ(answers: Mapping[str, str], otherwise: str = "") -> str | None:
    """Why a request that names a model would fail at some of those that share an endpoint's requests.

    Args:
        answers: What each deployed model answers to.
        otherwise: What else can be done about it.
    """
    if len(set(answers.values())) < 2:
        return None
    names = ", ".join(f"{name} answers to {known}" for name, known in sorted(answers.items()))
    return (
        f"shares requests between models of different names ({cut(names, 200)}), so that a request that names one of "
        f"them fails at the others: give these models the same query_model_id{otherwise}"
    )


def _address_problem(args: DedicatedEndpointArgs) -> str | None:
    config = args.private_service_connect_config
    if private(config) and args.dedicated_endpoint_enabled:
        return both_addresses(given=True)
    if private(config) and args.network:
        return "cannot go together with network and private_service_connect_config: remove one of them"
    return None


def _zero_problem(args: DedicatedEndpointArgs) -> str | None:
    """Why a model that scales to zero could not be served so."""
    idle = {name: served for name, served in args.deployed_models.items() if served.scale_to_zero_spec is not None}
    for name, served in sorted(idle.items()):
        if len(args.deployed_models) > 1:
            others = ", ".join(sorted(set(args.deployed_models) - {name}))
            return f"has {name}, which scales to zero, beside {others}, but {ALONE}: give {name} an endpoint of its own"
        own_address = args.dedicated_endpoint_enabled or private(args.private_service_connect_config) or args.network
        problem = strategy_problem(served.rollout or args.rollout, served)
        if problem := problem or (None if own_address else shared_domain_problem(served)):
            return f"has {name}, which scales to zero: it {problem}"
    return None


def left_behind(old: DedicatedEndpointArgs, new: DedicatedEndpointArgs) -> str | None:
    """Why an endpoint cannot move to another region or project: a Model that it serves is named where it was.

    Google's reference lets an endpoint serve a Model of another region, so that alone is not a mistake. With an
    endpoint that moves, it is far more often a name that was forgotten, and the endpoint that serves now would be
    replaced by one that was never tried. A project's id and number cannot be compared.
    """
    if not new.is_known("project", "region", "deployed_models"):
        return None
    for name, served in new.running.items():
        match = MODEL.match(served.model)
        for part in ("region", "project"):
            before, after = getattr(old, part), getattr(new, part)
            if match and before != after and match[part] == before and after.isdigit() == before.isdigit():
                return f"{name} is {cut(served.model, 120)}, and the endpoint moves from {cut(before)} to {cut(after)}"
    return None


class DedicatedEndpointArgs(EndpointArgs):
    """What a user says of an endpoint with models of its own."""

    dedicated_endpoint_enabled: Annotated[
        bool | None,
        Replaces("the public address changes"),
        Exposure("a public DNS name of its own"),
        Computed(),
        Stands("endpoint", "dedicated_endpoint_enabled"),
    ] = Field(
        default=None,
        description="Serve under the endpoint's own public DNS name. Default: yes, unless the endpoint is private. "
        "No source says that it can be changed on an endpoint.",
    )
    deployed_models: Annotated[dict[str, ServedModel], InPlace("endpoints.deployModel, undeployModel"), Lines()] = (
        Field(
            default={},
            description="The models that the endpoint serves, by a name of your choice. One that only gets another "
            "name is not deployed again.",
        )
    )
    rollout: RolloutArgument = Field(
        default=None,
        description="How the new deployment of a name takes the old one's place, or how a new name gets its traffic: "
        "strategy, steps, probes; a model's own rollout wins. Default: the share of a changed name shifts in steps of "
        "10, 50 and 100 %, with a chat of one token as the probe; a new name gets its traffic at once.",
    )
    parked: Annotated[bool, InPlace("endpoints.undeployModel, deployModel"), Costs("off")] = Field(
        default=False,
        description="Undeploy every model of deployed_models, so that no machine is paid for, and keep the endpoint "
        "with its id and address. Nothing answers meanwhile; without it they are deployed again.",
    )
    remove_unmanaged_deployed_models: Annotated[
        bool,
        InPlace("endpoints.undeployModel"),
        SafetyNet("what was deployed by hand stays", on=lambda removed: not removed),
        Unseen("a wish, kept nowhere: what it removes shows in deployed_models"),
    ] = Field(
        default=False,
        description="Undeploy what is on the endpoint and is not in deployed_models, such as models deployed by hand. "
        "Default: they are listed in unmanaged_deployed_models, and left alone.",
    )
    traffic_split: Annotated[dict[str, int], InPlace("endpoints.patch"), Traffic()] = Field(
        default={},
        description="Percent of the requests by name of a deployed model. Default: all to the only one. What was given "
        "by hand to another deployment is drift, and is taken back.",
    )
    query_model_ids: Annotated[dict[str, str], Local("used by the preview"), Transient()] = Field(
        default={},
        description="What chat requests name as `model` for each deployed model: a preview refuses a traffic_split "
        "between models of different names. Default: the query_model_id of the models in this program.",
    )
    deployment_plan: Annotated[dict[str, str], Derived(), Local("shown in previews"), Plan()] = Field(
        default={},
        description="What the last change did, by name of a deployed model: machines and GPUs, strategy, steps, "
        "probes, GPUs at the peak, order. A preview shows it beforehand.",
    )
    rollouts_held: Annotated[dict[str, HeldModel], Derived(), Local("shown in previews")] = Field(
        default={},
        description="The rollouts that are held by `rollout.hold`, by name: the percent of the name's share, and what "
        "served before.",
    )
    network: Annotated[
        PeeredNetworkName,
        Replaces("the network is fixed"),
        Exposure("the peered network", open=lambda network: not network),
        InNetwork(),
        Stands("endpoint", "network"),
    ] = Field(
        default="",
        description="Peered network, projects/{number}/global/networks/{name}; not with Private Service Connect.",
    )
    encryption_spec: Annotated[
        EncryptionSpec | None,
        Replaces("the key is fixed"),
        Exposure("the key that encrypts it"),
        Stands("endpoint", "encryption_spec"),
    ] = Field(default=None, description="Customer-managed key.")
    gen_ai_advanced_features_config: Annotated[
        GenAiAdvancedFeaturesConfig | None,
        Replaces("no source says that it can be changed"),
        Service("features for generative models"),
        Stands("endpoint", "gen_ai_advanced_features_config"),
    ] = Field(default=None, description="Features for generative models of Model Garden.")

    rules: ClassVar[tuple[Rule, ...]] = (
        *EndpointArgs.rules,
        Rule(("deployed_models",), _names_problem),
        Rule(("traffic_split",), _traffic_problem, keys_of=("deployed_models",)),
        Rule(("traffic_split", "query_model_ids"), _query_names_problem),
        Rule(("rollout",), lambda args: rollout_problem(args.rollout)),
        Rule(
            ("deployed_models", "rollout", "dedicated_endpoint_enabled", "private_service_connect_config"),
            _zero_problem,
        ),
        Rule(("encryption_spec", "region"), lambda args: key_problem(args.encryption_spec, args.region)),
        Rule(("dedicated_endpoint_enabled", "private_service_connect_config", "network"), _address_problem),
    )
    always_in_ids = EndpointArgs.always_in_ids | {
        *("dedicated_endpoint_enabled", "network", "encryption_spec", "gen_ai_advanced_features_config")
    }

    @property
    def running(self) -> dict[str, ServedModel]:
        """The models that are to be deployed now."""
        return {} if self.parked else self.deployed_models

    def rollout_of(self, name: str) -> RolloutStrategy:
        """How a new deployment takes the place of the one that has this name."""
        served = self.deployed_models[name]
        return rollout_beside_zero(served.rollout or self.rollout, served)

    @property
    def shares(self) -> dict[str, int]:
        """Percent of the traffic by name, of the models that are to be deployed now."""
        split = self.traffic_split or dict.fromkeys(self.running, 100)
        return {name: percent for name, percent in split.items() if percent and name in self.running}

    def split(self, ids: Mapping[str, str]) -> dict[str, int]:
        """Percent by deployment id, from the deployment of each name."""
        return {ids[name]: percent for name, percent in self.shares.items()}

    def wire(self, claim: str) -> Endpoint:
        """The request of ``endpoints.create``."""
        return Endpoint(**nested(asked_for(self, "endpoint") | {"labels": self.all_labels(claim)}))
