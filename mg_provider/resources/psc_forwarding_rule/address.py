"""The internal address behind a rule: reserved for it, or one that somebody reserved and the program names."""

from __future__ import annotations

import ipaddress

from mg_provider.api.errors import InvalidArgument, MgError, NotFound, OperationTimeout, PermissionDenied, UserError
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule.args import Held, PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.changes import Labelling, RegionalChanges
from mg_provider.resources.psc_forwarding_rule.names import last, project_of, region_of, same_project, short
from mg_provider.resources.psc_forwarding_rule.ownership import Ownership
from mg_provider.wire.compute import ForwardingRule

_POLL_SECONDS = 2.0


def check_subnetwork(args: PscForwardingRuleArgs, context: Context, *, retry_budget: float | None = None) -> None:
    """Refuse a subnetwork that cannot give the address, before anything is made.

    A caller who may use it but not look at it is not stopped: Compute Engine checks again.

    Raises:
        UserError: It does not exist, is in another network, is for something else, or does not hold ``address``.
    """
    path = args.subnetwork_path
    limit = {} if retry_budget is None else {"retry_budget": retry_budget}
    try:
        found = context.clients.compute.get_subnetwork(project_of(path), args.region, last(path), **limit)
    except NotFound as error:
        raise UserError(
            f"{path} does not exist",
            property="subnetwork",
            hint="name it as projects/{host project}/regions/{region}/subnetworks/{name} if it is in a Shared VPC, "
            f"or see `gcloud compute networks subnets list --project {project_of(path)} --regions {args.region}`",
        ) from error
    except PermissionDenied:
        context.progress(f"{path} may not be read by the caller; going on without this check")
        return
    network = short(found.network or "")
    apart = network and (
        last(network) != last(args.network_path) or not same_project(project_of(network), args.network_project)
    )
    if apart:
        raise UserError(
            f"{path} is in network {network}, not in {args.network_path}",
            property="subnetwork",
            hint="name a subnetwork of the network, or that network",
        )
    if found.purpose not in (None, "", "PRIVATE"):
        raise UserError(
            f"{path} has the purpose {found.purpose}, and gives no addresses to rules",
            property="subnetwork",
            hint="name a subnetwork with the purpose PRIVATE",
        )
    if args.address and not args.names_address and found.ip_cidr_range:
        _must_hold(args, ipaddress.ip_network(found.ip_cidr_range))


def _must_hold(args: PscForwardingRuleArgs, ip_range: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    ip = ipaddress.ip_address(args.address)
    if ip not in ip_range:
        raise UserError(
            f"{ip} is outside {args.subnetwork_path}, which is {ip_range}",
            property="address",
            hint=f"take one between {ip_range[2]} and {ip_range[-3]}, or leave it out for a free one",
        )
    if ip in (ip_range[0], ip_range[1], ip_range[-2], ip_range[-1]):
        raise UserError(
            f"{ip} is one of the four addresses of {ip_range} that Google keeps",
            property="address",
            hint=f"take one between {ip_range[2]} and {ip_range[-3]}, or leave it out for a free one",
        )


def find_address(args: PscForwardingRuleArgs, context: Context) -> Held | None:
    """The rule's address as it is; None only if there is none."""
    compute, path = context.clients.compute, args.address_path
    try:
        address = compute.addresses.get(project_of(path), args.region, last(path))
        return Held(address, path, own=not args.names_address)
    except NotFound:
        if args.names_address or not args.address:
            return None
    taken = next(compute.addresses.list(args.project, args.region, f'address = "{args.address}"'), None)
    if taken is None:
        return None
    path = f"projects/{args.project}/regions/{args.region}/addresses/{taken.name}"
    return Held(taken, path, own=False)


def find_usable(
    args: PscForwardingRuleArgs, ownership: Ownership, rule: ForwardingRule | None, context: Context
) -> Held | None:
    """The address, if it is there already; None if it is to be reserved.

    Args:
        args: What the program says.
        ownership: What may be touched.
        rule: The rule as it is.
        context: The world.

    Raises:
        MgError: It cannot be the rule's, or one that is named does not exist.
    """
    held = find_address(args, context)
    if held is not None:
        _must_be_usable(held, args, ownership, rule)
    elif args.names_address:
        raise UserError(
            f"{args.address_path} does not exist", property="address", hint="reserve it first, or leave address out"
        )
    return held


def _must_be_usable(held: Held, args: PscForwardingRuleArgs, ownership: Ownership, rule: ForwardingRule | None) -> None:
    """Refuse an address that is somebody else's, used by another rule, or not what the program asks for.

    Raises:
        MgError: It cannot be the rule's, with the reason and what to do.
    """
    address, path = held.address, held.path
    ownership.require_address(held, rule)
    others = [short(user) for user in address.users or [] if not _is_this_rule(short(user), args)]
    if others:
        same = not held.own and ownership.owns(address.labels)
        raise UserError(
            f"{address.address} ({path}) is in use by {', '.join(others)}",
            property="address",
            hint="leave address out: it is the one that this resource has, and it stays"
            if same
            else "take another address, leave it out for a free one, or remove that user",
        )
    if held.own and args.address and address.address != args.address:
        raise MgError(
            f"{path} is reserved already, and is {address.address}, not {args.address}",
            resource=args.resource,
            hint="set another forwarding_rule_name, or that address",
        )
    if (address.address_type or "INTERNAL") != "INTERNAL" or (address.purpose or "GCE_ENDPOINT") != "GCE_ENDPOINT":
        raise UserError(
            f"{path} is {address.address_type} with purpose {address.purpose}, and cannot lead to an endpoint",
            property="address",
            hint="name an INTERNAL address with purpose GCE_ENDPOINT",
        )
    actual = short(address.subnetwork or "")
    if actual and not _same_subnetwork(actual, args.subnetwork_path):
        raise UserError(
            f"{path} is in {actual}, not in {args.subnetwork_path}",
            property="address",
            hint="name an address of the subnetwork, or that subnetwork",
        )


def _is_this_rule(user: str, args: PscForwardingRuleArgs) -> bool:
    place = (last(user), region_of(user)) == (args.forwarding_rule_name, args.region)
    return place and same_project(project_of(user), args.project)


def _same_subnetwork(one: str, other: str) -> bool:
    place = (last(one), region_of(one)) == (last(other), region_of(other))
    return place and same_project(project_of(one), project_of(other))


def ensure_address(
    args: PscForwardingRuleArgs,
    rule: ForwardingRule | None,
    labels: Labelling,
    changes: RegionalChanges,
    context: Context,
) -> Held:
    """Reserve the address, or take the one that is there.

    Args:
        args: What the program says.
        rule: The rule as it is.
        labels: Its labels.
        changes: Makes the changes.
        context: The world.
    """
    held = find_usable(args, changes.ownership, rule, context)
    if held is None:
        _reserve(args, labels, changes, context)
        held = find_usable(args, changes.ownership, rule, context)
        if held is None:
            raise MgError(f"{args.address_path} was reserved and is gone", hint="run the same command again")
    held = _reserved(held, changes.limit, context)
    if held.own:
        changes.relabel(
            held.address,
            labels,
            context.clients.compute.addresses,
            (args.project, args.region, last(held.path)),
            lambda: guard_address(args, rule, changes.ownership, context),
        )
        held = find_address(args, context) or held
    return held


def guard_address(
    args: PscForwardingRuleArgs, rule: ForwardingRule | None, ownership: Ownership, context: Context
) -> None:
    """Refuse to touch the address as it is now, unless it was reserved for the rule.

    Raises:
        MgError: It is somebody else's.
    """
    if (held := find_address(args, context)) is not None:
        ownership.require_address(held, rule)


def _reserve(args: PscForwardingRuleArgs, labels: Labelling, changes: RegionalChanges, context: Context) -> None:
    context.progress("reserving an address")
    request = args.wire_address(labels.wanted)
    try:
        changes.create(
            lambda request_id: context.clients.compute.addresses.insert(args.project, args.region, request, request_id)
        )
    except InvalidArgument as error:
        if "in-use" in error.message or "already in use" in error.message:
            error.hint = f"take another address: something in a project of network {args.network_path} has this one"
        raise


def _reserved(held: Held, limit: float, context: Context) -> Held:
    """The address once it has its IP: an earlier run, or somebody else, may be reserving it."""
    started = context.clock.monotonic()
    while held.address.status == "RESERVING":
        waited = context.clock.monotonic() - started
        if waited > limit or context.cancelled():
            raise OperationTimeout(f"reserving {held.path}", waited=waited, stage="RESERVING")
        context.progress("waiting for the reservation to end")
        context.clock.sleep(min(_POLL_SECONDS, 0.1 + waited))
        address = context.clients.compute.addresses.get(project_of(held.path), region_of(held.path), last(held.path))
        held = Held(address, held.path, held.own)
    return held
