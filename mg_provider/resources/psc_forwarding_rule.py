"""``PscForwardingRule``: a private address in the user's network that leads to an endpoint's service attachment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import pulumi
from pydantic import Field

from mg_provider.api.errors import AlreadyExists, MgError, NotFound
from mg_provider.resources.dynamic_host import DynamicProvider, DynamicResource
from mg_provider.resources.fields import UNKNOWN, Changes, Computed, Derived, InPlace, Local, Replaces, Rule, State
from mg_provider.resources.identity import (
    CLAIM_LABEL,
    COMPUTE_NAME,
    Labels,
    derived_id,
    is_ours,
    ownership_labels,
    user_labels,
)
from mg_provider.resources.inputs import ServiceDirectoryRegistrationInput, TimeoutsInput
from mg_provider.resources.lifecycle import (
    UNSETTLED,
    CloudArgs,
    Context,
    Incomplete,
    Lifecycle,
    Reading,
    kept,
    not_ours,
)
from mg_provider.wire.compute import (
    Address,
    ComputeOperation,
    ForwardingRule,
    PscConnectionStatus,
    ServiceDirectoryRegistration,
    SetLabelsRequest,
)

CREATE_SECONDS = 900.0
DELETE_SECONDS = 600.0
ACCEPT_POLL_SECONDS = 3.0

_ATTACHMENT = re.compile(r"(?:https://[^/]+/compute/v1/)?projects/[^/]+/regions/([^/]+)/serviceAttachments/[^/]+")
_REMADE = "forwardingRules.delete and insert, behind the same address: seconds without connection"

# What the producer's answer means for the user.
_EXPLANATIONS = {
    PscConnectionStatus.PENDING: "the producer has not accepted the connection: add this rule's project id to "
    "project_allowlist of the endpoint's private_service_connect_config",
    PscConnectionStatus.REJECTED: "the producer refused the connection: this rule's project is not on the "
    "project_allowlist of the endpoint's private_service_connect_config",
    PscConnectionStatus.CLOSED: "the service attachment is gone: Vertex AI recycles it when every model has been "
    "undeployed; pass the endpoint's current service_attachment",
    PscConnectionStatus.NEEDS_ATTENTION: "the connection needs attention on the producer's side: look at the service "
    "attachment's connections",
}


def _attachment_problem(args: PscForwardingRuleArgs) -> str | None:
    match = _ATTACHMENT.fullmatch(args.service_attachment)
    if not match:
        return "is not a service attachment: pass projects/{project}/regions/{region}/serviceAttachments/{name}"
    if args.region and match[1] != args.region:
        return f"is in {match[1]}, but a forwarding rule reaches only attachments of its own region {args.region}"
    return None


def _registrations_problem(args: PscForwardingRuleArgs) -> str | None:
    if len(args.service_directory_registrations) <= 1:
        return None
    return "takes at most one entry: remove the others"


class PscForwardingRuleArgs(CloudArgs):
    """What a user says of a private address to a service attachment."""

    service_attachment: Annotated[str, InPlace(_REMADE)] = Field(
        description="Service attachment to reach: the `service_attachment` output of a model or endpoint."
    )
    network: Annotated[str, Replaces("an address belongs to one network")] = Field(
        pattern=r"^(https://[^/]+/compute/v1/)?(projects/[^/]+/global/networks/)?[a-z][a-z0-9-]{0,62}$",
        description="Network of the clients: name, or projects/{project}/global/networks/{name}.",
    )
    subnetwork: Annotated[str, Replaces("an address belongs to one subnetwork")] = Field(
        pattern=r"^(https://[^/]+/compute/v1/)?(projects/[^/]+/regions/[^/]+/subnetworks/)?[a-z][a-z0-9-]{0,62}$",
        description="Subnetwork that the address is taken from: name, or projects/{p}/regions/{r}/subnetworks/{name}.",
    )
    address: Annotated[str, Replaces("clients have the address in their configuration"), Computed()] = Field(
        default="",
        pattern=r"^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$",
        description="Internal IPv4 address to take. Default: a free one, which then stays.",
    )
    forwarding_rule_name: Annotated[str, Replaces("names are fixed"), Computed()] = Field(
        default="",
        pattern=f"^{COMPUTE_NAME.pattern}$",
        description="Name of rule and address: at most 63 of a-z, 0-9 and -, a letter first. "
        "Default: derived from stack and resource name.",
    )
    description: Annotated[str, InPlace(_REMADE)] = Field(default="", description="Free text on the forwarding rule.")
    labels: Annotated[Labels, InPlace("forwardingRules.setLabels, addresses.setLabels")] = Field(
        default={}, description="Labels of rule and address."
    )
    allow_psc_global_access: Annotated[bool, InPlace("forwardingRules.patch")] = Field(
        default=False, description="Let clients in other regions of the network connect."
    )
    no_automate_dns_zone: Annotated[bool, InPlace(_REMADE)] = Field(
        default=False, description="Make no DNS zone for the connection."
    )
    service_directory_registrations: Annotated[list[ServiceDirectoryRegistration], InPlace(_REMADE)] = Field(
        default=[], description="Service Directory entry of the rule; at most one."
    )
    forwarding_rule: Annotated[str, Derived(), Local("follows from name, project and region")] = Field(
        default="", description="projects/{project}/regions/{region}/forwardingRules/{name}."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        Rule(("service_attachment", "region"), _attachment_problem),
        Rule(("service_directory_registrations",), _registrations_problem),
    )

    def wire(self, labels: Mapping[str, str]) -> ForwardingRule:
        """The request of ``forwardingRules.insert``, for the reserved address of the same name."""
        return ForwardingRule(
            name=self.forwarding_rule_name,
            ip_address=f"projects/{self.project}/regions/{self.region}/addresses/{self.forwarding_rule_name}",
            network=_full(self.network, f"projects/{self.project}/global/networks"),
            target=self.service_attachment,
            description=self.description or None,
            allow_psc_global_access=self.allow_psc_global_access or None,
            no_automate_dns_zone=self.no_automate_dns_zone or None,
            service_directory_registrations=self.service_directory_registrations or None,
            labels=dict(labels),
        )

    def wire_address(self, labels: Mapping[str, str]) -> Address:
        """The request of ``addresses.insert``."""
        return Address(
            name=self.forwarding_rule_name,
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            subnetwork=_full(self.subnetwork, f"projects/{self.project}/regions/{self.region}/subnetworks"),
            address=self.address or None,
            labels=dict(labels),
        )


class PscForwardingRuleState(State):
    """What the cloud says of the rule."""

    ip_address: str = Field(default="", description="The private IP address that clients call.")
    psc_connection_id: str = Field(default="", description="Id of the connection at the producer.")
    psc_connection_status: str = Field(default="", description="ACCEPTED when the endpoint answers on the address.")
    claim: str = Field(default="", description="Marks the create that took hold of it.")


class PscForwardingRuleLifecycle(Lifecycle[PscForwardingRuleArgs, PscForwardingRuleState]):
    """Reserves an address, makes the rule behind it and waits until the producer accepts.

    IAM: ``compute.addresses.*``, ``compute.forwardingRules.*``, ``compute.regionOperations.get``,
    ``compute.subnetworks.use`` and ``compute.networks.use`` on the network's project.
    """

    args_type = PscForwardingRuleArgs
    state_type = PscForwardingRuleState
    ids = ("forwarding_rule_name",)

    def name(self, args: PscForwardingRuleArgs, old: PscForwardingRuleArgs | None) -> PscForwardingRuleArgs:
        """Name the rule after the resource; a kept resource keeps its name."""
        if not args.forwarding_rule_name:
            seeds = ("project", "region", "network", "subnetwork", "address", "owner", "resource")
            known = args.is_known(*seeds)
            fresh = (
                derived_id(args.owner, args.resource, *(str(getattr(args, seed)) for seed in seeds)) if known else ""
            )
            args = args.with_values(forwarding_rule_name=kept(old, args, "forwarding_rule_name") or fresh or UNKNOWN)
        if args.is_known("project", "region", "forwarding_rule_name"):
            full = f"projects/{args.project}/regions/{args.region}/forwardingRules/{args.forwarding_rule_name}"
            return args.with_values(forwarding_rule=full)
        return args.with_values(forwarding_rule=UNKNOWN)

    def create(self, args: PscForwardingRuleArgs, context: Context) -> tuple[str, PscForwardingRuleState]:
        """Reserve the address and make the rule, or take up those that an earlier run of ours made."""
        claim = context.clock.request_id()
        return args.forwarding_rule, self._converge(args, claim, context)

    def read(
        self, id: str, args: PscForwardingRuleArgs, state: PscForwardingRuleState, context: Context
    ) -> Reading[PscForwardingRuleArgs, PscForwardingRuleState] | None:
        """Rule and address as they are. A closed or missing rule shows as an empty ``service_attachment``."""
        rule, address = self._rule(args, context), self._address(args, context)
        if rule is None and address is None:
            return None
        if rule is None:
            observed = args.with_values(service_attachment="")
            return Reading(observed, state.model_copy(update={"psc_connection_status": "", "psc_connection_id": ""}))
        closed = rule.psc_connection_status == PscConnectionStatus.CLOSED
        observed = args.with_values(service_attachment="" if closed else _short(rule.target or "", args))
        if user_labels(rule.labels) != args.labels:
            observed = observed.with_values(labels=user_labels(rule.labels))
        if bool(rule.allow_psc_global_access) != args.allow_psc_global_access:
            observed = observed.with_values(allow_psc_global_access=bool(rule.allow_psc_global_access))
        return Reading(observed, self._state(rule, address))

    def update(
        self,
        id: str,
        old: PscForwardingRuleArgs,
        state: PscForwardingRuleState,
        new: PscForwardingRuleArgs,
        changes: Changes,
        context: Context,
    ) -> PscForwardingRuleState:
        """Change labels and global access in place; make the rule anew behind its address for the rest."""
        rule = self._rule(new, context)
        remade = ("service_attachment", "description", "no_automate_dns_zone", "service_directory_registrations")
        if rule is not None and (changes.touches(*remade) or rule.psc_connection_status == PscConnectionStatus.CLOSED):
            self._must_be_ours(rule.labels, old, f"forwarding rule {id}")
            context.progress("removing the rule; its address stays reserved")
            self._delete_rule(new, context)
        return self._converge(new, state.claim or context.clock.request_id(), context, labelled_by=old)

    def delete(self, id: str, args: PscForwardingRuleArgs, state: PscForwardingRuleState, context: Context) -> None:
        """Delete the rule, then give its address back."""
        rule, address = self._rule(args, context), self._address(args, context)
        for kind, found in (("forwarding rule", rule), ("address", address)):
            if found is None:
                continue
            self._must_be_ours(found.labels, args, f"{kind} {args.forwarding_rule_name}")
            if state.claim and (found.labels or {}).get(CLAIM_LABEL) != state.claim:
                context.progress(f"{kind} {args.forwarding_rule_name} was taken up by a newer create; left alone")
                return
        if rule is not None:
            self._delete_rule(args, context)
        if address is not None:
            self._delete_address(args, context)

    def _converge(
        self,
        args: PscForwardingRuleArgs,
        claim: str,
        context: Context,
        labelled_by: PscForwardingRuleArgs | None = None,
    ) -> PscForwardingRuleState:
        labels = {**args.labels, **ownership_labels(args.owner, args.resource), CLAIM_LABEL: claim}
        owner = labelled_by or args
        address = self._ensure_address(args, labels, owner, context)
        try:
            rule = self._ensure_rule(args, labels, owner, context)
            rule = self._accepted(args, rule, context)
        except MgError as error:
            try:
                found = self._rule(args, context)
            except MgError:
                found = None
            raise Incomplete(error, args.forwarding_rule, args, self._state(found, address)) from error
        return self._state(rule, address)

    def _ensure_address(
        self, args: PscForwardingRuleArgs, labels: dict[str, str], owner: PscForwardingRuleArgs, context: Context
    ) -> Address:
        compute = context.clients.compute
        address = self._address(args, context)
        if address is None:
            context.progress("reserving an address")
            request_id = context.clock.request_id()
            try:
                operation = compute.insert_address(args.project, args.region, args.wire_address(labels), request_id)
                self._wait(operation, args, context, CREATE_SECONDS)
            except AlreadyExists:
                context.progress("the address was reserved by an earlier call")
            except UNSETTLED as error:
                state = PscForwardingRuleState(claim=labels[CLAIM_LABEL])
                raise Incomplete(error, args.forwarding_rule, args, state) from error
            address = compute.get_address(args.project, args.region, args.forwarding_rule_name)
        self._must_be_ours(address.labels, owner, f"address {args.forwarding_rule_name}")
        if address.labels != labels:
            operation = compute.set_address_labels(
                args.project,
                args.region,
                args.forwarding_rule_name,
                SetLabelsRequest(labels=labels, label_fingerprint=address.label_fingerprint or ""),
                context.clock.request_id(),
            )
            self._wait(operation, args, context, CREATE_SECONDS)
        return address

    def _ensure_rule(
        self, args: PscForwardingRuleArgs, labels: dict[str, str], owner: PscForwardingRuleArgs, context: Context
    ) -> ForwardingRule:
        compute = context.clients.compute
        rule = self._rule(args, context)
        if rule is None:
            context.progress("making the forwarding rule")
            request_id = context.clock.request_id()
            try:
                operation = compute.insert_forwarding_rule(args.project, args.region, args.wire(labels), request_id)
                self._wait(operation, args, context, CREATE_SECONDS)
            except AlreadyExists:
                context.progress("the rule was made by an earlier call")
            return compute.get_forwarding_rule(args.project, args.region, args.forwarding_rule_name)
        self._must_be_ours(rule.labels, owner, f"forwarding rule {args.forwarding_rule_name}")
        if rule.labels != labels:
            operation = compute.set_forwarding_rule_labels(
                args.project,
                args.region,
                args.forwarding_rule_name,
                SetLabelsRequest(labels=labels, label_fingerprint=rule.label_fingerprint or ""),
                context.clock.request_id(),
            )
            self._wait(operation, args, context, CREATE_SECONDS)
        if bool(rule.allow_psc_global_access) != args.allow_psc_global_access:
            patch = ForwardingRule(
                name=rule.name, fingerprint=rule.fingerprint, allow_psc_global_access=args.allow_psc_global_access
            )
            operation = compute.patch_forwarding_rule(
                args.project, args.region, args.forwarding_rule_name, patch, context.clock.request_id()
            )
            self._wait(operation, args, context, CREATE_SECONDS)
        return compute.get_forwarding_rule(args.project, args.region, args.forwarding_rule_name)

    def _accepted(self, args: PscForwardingRuleArgs, rule: ForwardingRule, context: Context) -> ForwardingRule:
        """Wait for the producer. A rule that it does not accept leads nowhere, so that is a failure."""
        started = context.clock.monotonic()
        limit = context.limit(args.timeouts.create, CREATE_SECONDS)
        while rule.psc_connection_status != PscConnectionStatus.ACCEPTED:
            status = rule.psc_connection_status or PscConnectionStatus.STATUS_UNSPECIFIED
            waited = context.clock.monotonic() - started
            refused = status in (PscConnectionStatus.REJECTED, PscConnectionStatus.CLOSED)
            if refused or waited > limit or context.cancelled():
                known = PscConnectionStatus(status) if status in list(PscConnectionStatus) else None
                raise MgError(
                    f"the connection of {args.forwarding_rule_name} is {status} after {waited:.0f} s",
                    resource=args.resource,
                    hint=_EXPLANATIONS.get(known) if known else None,
                    exists=[args.forwarding_rule],
                )
            context.progress(f"waiting for the producer to accept: {status}")
            context.clock.sleep(min(ACCEPT_POLL_SECONDS, 0.1 + waited))
            rule = context.clients.compute.get_forwarding_rule(args.project, args.region, args.forwarding_rule_name)
        return rule

    def _delete_rule(self, args: PscForwardingRuleArgs, context: Context) -> None:
        try:
            operation = context.clients.compute.delete_forwarding_rule(
                args.project, args.region, args.forwarding_rule_name, context.clock.request_id()
            )
            self._wait(operation, args, context, DELETE_SECONDS)
        except NotFound:
            return

    def _delete_address(self, args: PscForwardingRuleArgs, context: Context) -> None:
        try:
            operation = context.clients.compute.delete_address(
                args.project, args.region, args.forwarding_rule_name, context.clock.request_id()
            )
            self._wait(operation, args, context, DELETE_SECONDS)
        except NotFound:
            return

    def _wait(self, operation: ComputeOperation, args: PscForwardingRuleArgs, context: Context, default: float) -> None:
        limit = context.limit(args.timeouts.create, default)
        context.clients.operations.wait_compute(
            args.project, args.region, operation, timeout=limit, cancelled=context.cancelled
        )

    def _rule(self, args: PscForwardingRuleArgs, context: Context) -> ForwardingRule | None:
        try:
            return context.clients.compute.get_forwarding_rule(args.project, args.region, args.forwarding_rule_name)
        except NotFound:
            return None

    def _address(self, args: PscForwardingRuleArgs, context: Context) -> Address | None:
        try:
            return context.clients.compute.get_address(args.project, args.region, args.forwarding_rule_name)
        except NotFound:
            return None

    def _must_be_ours(self, labels: Mapping[str, str] | None, args: PscForwardingRuleArgs, what: str) -> None:
        if not is_ours(labels, args.owner, args.resource):
            raise not_ours(what, args.resource, "set another forwarding_rule_name")

    def _state(self, rule: ForwardingRule | None, address: Address | None) -> PscForwardingRuleState:
        found = rule or ForwardingRule()
        labels = found.labels or (address.labels if address else None) or {}
        ip_address = found.ip_address or (address.address if address else "") or ""
        return PscForwardingRuleState(
            ip_address=ip_address,
            psc_connection_id=str(found.psc_connection_id or ""),
            psc_connection_status=str(found.psc_connection_status or ""),
            claim=labels.get(CLAIM_LABEL, ""),
        )


class PscForwardingRuleProvider(DynamicProvider):
    """Serves ``PscForwardingRule``. Its path is in the state of every stack and never changes."""

    lifecycle = PscForwardingRuleLifecycle


class PscForwardingRule(DynamicResource, module="mg", name="PscForwardingRule"):
    """A private address in your network that leads to an endpoint.

    Args:
        name: The resource's name in the program.
        service_attachment: Service attachment to reach; output of a model or endpoint with Private Service Connect.
        network: Network of the clients, by name or resource name.
        subnetwork: Subnetwork that the address is taken from, by name or resource name.
        address: Internal IPv4 address to take; default a free one, which then stays.
        forwarding_rule_name: Name of rule and address; default derived from stack and resource name.
        description: Free text on the rule.
        labels: Labels of rule and address.
        allow_psc_global_access: Let clients in other regions of the network connect.
        no_automate_dns_zone: Make no DNS zone for the connection.
        service_directory_registrations: Service Directory entry; at most one.
        project: Project id; default from configuration.
        region: Region of rule and service attachment; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = PscForwardingRuleProvider

    service_attachment: pulumi.Output[str]
    forwarding_rule: pulumi.Output[str]
    forwarding_rule_name: pulumi.Output[str]
    ip_address: pulumi.Output[str]
    psc_connection_id: pulumi.Output[str]
    psc_connection_status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        service_attachment: pulumi.Input[str],
        network: pulumi.Input[str],
        subnetwork: pulumi.Input[str],
        address: pulumi.Input[str] | None = None,
        forwarding_rule_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        allow_psc_global_access: pulumi.Input[bool] | None = None,
        no_automate_dns_zone: pulumi.Input[bool] | None = None,
        service_directory_registrations: pulumi.Input[Sequence[ServiceDirectoryRegistrationInput]] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)


def _full(name: str, parent: str) -> str:
    """A resource name from a name or a resource name."""
    return name if "/" in name else f"{parent}/{name}"


def _short(target: str, args: PscForwardingRuleArgs) -> str:
    """The target spelled as the user spelled it, if it is the same attachment."""
    same = target.split("/compute/v1/")[-1] == args.service_attachment.split("/compute/v1/")[-1]
    return args.service_attachment if same else target.split("/compute/v1/")[-1]
