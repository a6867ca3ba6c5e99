"""The arguments that a model with an endpoint of its own and an endpoint with models of its own have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from mg_provider.api.names import NETWORK
from mg_provider.api.texts import shown
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_ID_FORM, Labels
from mg_provider.resources.model.lifecycle import CloudArgs, CloudState, kept
from mg_provider.resources.model.marks import Computed, Derived, InPlace, Lines, Local, Replaces, SetLike, Unique
from mg_provider.resources.model.meaning import Exposure, HeldByClients, Inner, Service
from mg_provider.resources.model.names import EndpointName
from mg_provider.resources.model.nested_rules import connection_problem, logging_problem
from mg_provider.resources.model.seeds import fresh_id
from mg_provider.resources.model.standing import Stands
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, contains_unknown, plain
from mg_provider.wire.vertex.endpoint import (
    ClientConnectionConfig,
    PredictRequestResponseLoggingConfig,
    PrivateServiceConnectConfig,
    PscAutomationConfig,
)

PATCH, UPDATE = "endpoints.patch", "endpoints.update"
_PROJECT_ID = re.compile(r"[a-z](?:[a-z0-9-]|[.:][a-z0-9]){0,61}")
# The fields of private_service_connect_config that make another address; the first one turns the rest on.
_ADDRESS = ("enable_private_service_connect", "enable_secure_private_service_connect", "psc_automation_configs")


def _address(config: PrivateServiceConnectConfig | None) -> dict[str, Any]:
    """What of a configuration, which may be known in part only, makes another address."""
    values = {} if config is None or isinstance(config, Unknown) else plain(config)
    chosen = {name: values.get(name) for name in _ADDRESS} if values.get(_ADDRESS[0]) else {}
    return {name: value for name, value in chosen.items() if value}


def private(config: PrivateServiceConnectConfig | None) -> bool:
    """Whether the endpoint is reached through Private Service Connect only."""
    return bool(_address(config))


def is_known_private(config: PrivateServiceConnectConfig | None) -> bool:
    """Whether it is known if, and how, the endpoint is private; its allowlist need not be."""
    return not isinstance(config, Unknown) and not contains_unknown(_address(config))


def moves_address(old: PrivateServiceConnectConfig | None, new: PrivateServiceConnectConfig | None) -> bool:
    """Whether a change of the configuration gives the endpoint another address."""
    return _address(old) != _address(new)


def allowlist_problem(config: PrivateServiceConnectConfig | None) -> str | None:
    """Why an allowlist would not work, with what to do.

    Vertex AI answers a wrong entry with a bare INTERNAL error after minutes.
    """
    if config is None:
        return None
    entries = config.project_allowlist or []
    if entries and not config.enable_private_service_connect:
        return "has a project_allowlist but enable_private_service_connect is not true: set it"
    if config.enable_private_service_connect and not entries and not config.psc_automation_configs:
        return (
            "has an empty project_allowlist: name the projects whose networks may connect, the endpoint's own included"
        )
    for entry in entries:
        if entry.startswith("projects/"):
            bare = shown(entry.removeprefix("projects/"))
            return f"project_allowlist takes bare project ids: write {bare}, not {shown(entry)}"
        if entry.isdigit():
            return f"project_allowlist takes project ids, and {shown(entry)} is a project number: write its id"
        if not _PROJECT_ID.fullmatch(entry):
            return f"{shown(entry)} is not a valid project id: use lower-case letters, digits and -, a letter first"
    return next(
        filter(None, (_automation_problem(each, entries) for each in config.psc_automation_configs or ())), None
    )


def _automation_problem(config: PscAutomationConfig, allowed: Collection[str]) -> str | None:
    """Why Vertex AI could not make a rule in a network by itself."""
    project, network = config.project_id or "", config.network or ""
    if not _PROJECT_ID.fullmatch(project):
        return f"psc_automation_configs has the project_id {shown(project)}: write the id of the network's project"
    if project not in allowed:
        return f"psc_automation_configs makes a rule in {shown(project)}, which project_allowlist lacks: add it"
    if problem := NETWORK.problem(network):
        return f"psc_automation_configs: {problem}"
    return None


def _exposure_problem(args: EndpointArgs) -> str | None:
    return allowlist_problem(args.private_service_connect_config)


def _adoption_problem(args: EndpointArgs) -> str | None:
    if not args.adopt:
        return None
    _, project, _, region, *_ = args.adopt.split("/")
    if args.region and region != args.region:
        return f"names an endpoint in {region}, but the resource is in {args.region}: make them the same"
    if args.project and project != args.project and not project.isdigit() and not args.project.isdigit():
        return f"names an endpoint of {project}, but the resource is in {args.project}: make them the same"
    return None


def both_addresses(given: bool) -> str:
    """What to do where an argument asks for a public address beside a private one."""
    return (
        f"is {given}, which asks for a public DNS name, but private_service_connect_config asks for a private address: "
        "remove one of them"
    )


class EndpointArgs(CloudArgs):
    """What a user says of an endpoint: id, address, labels, how requests are treated."""

    endpoint_id: Annotated[
        str,
        Replaces("the id is part of the address"),
        Computed(),
        HeldByClients("endpoint id"),
        Unique(),
        ENDPOINT_ID_FORM,
    ] = Field(
        default="",
        description="Endpoint id: at most 63 of a-z, 0-9 and -, a letter first; or at most 9 digits. "
        "Default: derived from stack and resource name.",
    )
    endpoint_display_name: Annotated[str, InPlace(PATCH), Computed(), Stands("endpoint", "display_name")] = Field(
        default="", max_length=128, description="Name of the endpoint for people. Default: the resource's name."
    )
    description: Annotated[str, InPlace(PATCH), Lines(), Stands("endpoint", "description", always=True)] = Field(
        default="", description="Free text on the endpoint."
    )
    labels: Annotated[Labels, InPlace(PATCH), Stands("endpoint", "labels", always=True)] = Field(
        default={}, description="Labels of the endpoint."
    )
    private_service_connect_config: Annotated[
        PrivateServiceConnectConfig | None,
        InPlace(PATCH, moves_address, "a public address and a private one are different endpoints"),
        Exposure("who may connect", open=lambda config: not private(config)),
        SetLike(within=("project_allowlist",)),
        Stands("endpoint", "private_service_connect_config"),
    ] = Field(
        default=None,
        description="Serve through Private Service Connect, for the projects on project_allowlist. The list changes in "
        "place, which no document of Google's promises: if it is refused, nothing is changed and the error says so. "
        "Everything else about it replaces the endpoint, psc_automation_configs included.",
    )
    predict_request_response_logging_config: Annotated[
        PredictRequestResponseLoggingConfig | None,
        InPlace(PATCH),
        Exposure("prompts and answers are logged", widens=lambda _, config: bool(config)),
        Stands("endpoint", "predict_request_response_logging_config", always=True),
    ] = Field(default=None, description="Log requests and answers to BigQuery.")
    client_connection_config: Annotated[
        ClientConnectionConfig | None,
        InPlace(UPDATE),
        Service("how long a caller may wait"),
        Stands("endpoint", "client_connection_config"),
    ] = Field(default=None, description="How long a caller may wait for an answer.")
    adopt: Annotated[EndpointName, Local("read when the resource is made")] = Field(
        default="",
        description="Take over this endpoint, made elsewhere, instead of making one: "
        "projects/{project}/locations/{region}/endpoints/{id}. The preview shows what will change on it.",
    )
    endpoint: Annotated[str, Derived(), Local("follows from the ids")] = Field(
        default="", description="projects/{project}/locations/{region}/endpoints/{endpoint_id}."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        Rule(("private_service_connect_config",), _exposure_problem),
        Rule(
            ("predict_request_response_logging_config",),
            lambda args: logging_problem(args.predict_request_response_logging_config),
        ),
        Rule(("client_connection_config",), lambda args: connection_problem(args.client_connection_config)),
        Rule(("adopt", "project", "region"), _adoption_problem),
    )

    @property
    def adopting(self) -> bool:
        """Whether the endpoint is one that was made elsewhere."""
        return bool(self.adopt) and self.adopt.rpartition("/")[2] == self.endpoint_id

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return f"projects/{self.project}/locations/{self.region}"

    def all_labels(self, claim: str) -> dict[str, str]:
        """The endpoint's labels with those that say who owns it."""
        return {**self.labels, **self.ownership, CLAIM_LABEL: claim}


class EndpointState(CloudState):
    """What the cloud says of an endpoint."""

    dedicated_endpoint_dns: Annotated[str, HeldByClients("DNS name")] = Field(
        default="", description="The endpoint's own public DNS name, without scheme."
    )
    service_attachment: Annotated[str, HeldByClients("service attachment")] = Field(
        default="", description="Service attachment, for a PscForwardingRule."
    )
    unmanaged_deployed_models: list[str] = Field(
        default=[], description="Deployment ids on the endpoint that this resource did not make."
    )
    operation: Annotated[str, Inner()] = Field(
        default="", description="The creation that was still running when waiting for it ended."
    )
    ownership: Annotated[dict[str, str] | None, Inner()] = Field(
        default=None, description="The labels that say who owns the endpoint, as the cloud has them."
    )
    unlabelled: Annotated[str, Inner()] = Field(
        default="",
        description="While no label says who owns the endpoint: `asked` once it was asked for, `accepted` once Google "
        "took the call, `imported` and when it was made until the first `up` after an import.",
    )


E = TypeVar("E", bound=EndpointArgs)


def name_endpoint(args: E, old: E | None) -> E:
    """Fill in endpoint id, display name and resource name; an endpoint that is not replaced keeps its id.

    Args:
        args: The arguments of this run.
        old: Those of the last run.
    """
    if not args.endpoint_id:
        fresh = UNKNOWN if isinstance(args.adopt, Unknown) else args.adopt.rpartition("/")[2]
        args = args.with_values(endpoint_id=kept(old, args, "endpoint_id") or fresh or derived_endpoint_id(args))
    if not args.endpoint_display_name:
        args = args.with_values(endpoint_display_name=args.resource)
    known = args.is_known("project", "region", "endpoint_id")
    return args.with_values(endpoint=f"{args.parent}/endpoints/{args.endpoint_id}" if known else UNKNOWN)


def derived_endpoint_id(args: EndpointArgs) -> str | Unknown:
    """The id of an endpoint that nobody named: it follows from the stack, the resource and what makes its address."""
    config = args.private_service_connect_config
    address = json.dumps(_address(config), sort_keys=True) if is_known_private(config) else UNKNOWN
    return fresh_id(args, "endpoint_id", more=address) or UNKNOWN
