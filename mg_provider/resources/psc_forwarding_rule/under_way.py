"""Changes of a rule and its address that still run in the cloud, also those of an earlier run or of somebody else.

What is being made may not be seen yet: only its operation says that it will be there.
"""

from __future__ import annotations

from mg_provider.api.errors import OperationFailed, OperationLost, PermissionDenied
from mg_provider.api.waiting import Waiting
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.names import last, region_of, short
from mg_provider.wire.compute import ComputeOperation


def under_way(args: PscForwardingRuleArgs, context: Context) -> list[ComputeOperation]:
    """The operations on rule and address that have not ended.

    A caller who may not list operations gets a note, and goes on without.
    """
    try:
        running = list(context.clients.compute.list_operations(args.project, args.region, 'status != "DONE"'))
    except PermissionDenied:
        context.progress(
            "note: whether an earlier change still runs cannot be seen: grant compute.regionOperations.list"
        )
        return []
    return [operation for operation in running if not operation.done and _is_about(operation, args)]


def wait_for_others(args: PscForwardingRuleArgs, limit: float, context: Context) -> None:
    """Wait until nothing changes rule and address any more, however it ends.

    Raises:
        OperationTimeout: It runs for longer than ``limit`` seconds.
        OperationCancelled: The user stopped the run.
    """
    for operation in under_way(args, context):
        context.progress(f"waiting for an earlier change to end: {operation.operation_type} {operation.name}")
        try:
            context.clients.operations.wait_compute(
                args.project, args.region, operation, Waiting(limit, cancelled=context.cancelled)
            )
        except (OperationFailed, OperationLost) as error:
            context.progress(f"the earlier change failed: {error.summary}")


def _is_about(operation: ComputeOperation, args: PscForwardingRuleArgs) -> bool:
    target = short(operation.target_link or "")
    collection = target.rpartition("/")[0].rpartition("/")[2]
    names = {"forwardingRules": args.forwarding_rule_name, "addresses": last(args.address_path)}
    return region_of(target) == args.region and names.get(collection) == last(target)
