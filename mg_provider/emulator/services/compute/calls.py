"""What the handlers of Compute Engine share: operations, request ids, labels, lists."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from mg_provider.emulator.core.routing import Answer, Call, Handler, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.names import LINK_BASE, RESOURCE_NAME, Reference, label_fingerprint
from mg_provider.emulator.services.compute.networks import Made, Networks
from mg_provider.emulator.services.compute.operations import OperationError, Place, RegionalOperation
from mg_provider.emulator.services.compute.state import Address, ComputeState, ForwardingRule, invalid_field

Json = dict[str, Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
NAME_RULE = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"
_PAGE_ITEMS = 500


def compute_state(world: World) -> ComputeState:
    """The addresses, rules and networks of this emulator, which shows them as its behaviours say now."""
    state = world.part(ComputeState)
    state.hides = world.behaviours["being_made"] == "hidden"
    return state


def networks_of(call: Call) -> Networks:
    """The networks of this emulator, as strict as its behaviours say now."""
    networks = compute_state(call.world).networks
    networks.strict = bool(call.world.behaviours["strict_networks"])
    return networks


def place_of(call: Call) -> Place:
    """Project number and region of a call; a global one has none."""
    return call.number, call.path.get("region", "")


def repeated_operation(call: Call) -> RegionalOperation | None:
    """The operation that the same ``requestId`` started before. ApiError when it is not a UUID, or all zeros."""
    request_id = call.query.get("requestId")
    if request_id is None:
        return None
    if not _UUID.fullmatch(request_id) or not request_id.strip("0-"):
        raise invalid_field("requestId", request_id, "Must be a valid UUID, and not all zeros.")
    return compute_state(call.world).operations.repeated(place_of(call), request_id)


def new_reference(call: Call, collection: str) -> Reference:
    """What an insert is to be called. ApiError for a bad name or one that is taken."""
    name = call.body.get("name", "")
    if not RESOURCE_NAME.fullmatch(name):
        raise invalid_field("resource.name", name, NAME_RULE)
    reference = Reference(call.project_id, call.region, collection, name)
    state = compute_state(call.world)
    taken: dict[tuple[str, str, str], Any] = state.addresses if collection == "addresses" else dict(state.rules)
    if (*place_of(call), name) in taken:
        raise errors.already_exists(f"The resource '{reference.path}' already exists")
    return reference


def changes(rpc: str) -> Callable[[Handler], Handler]:
    """Register a handler for a method that changes something: a repeat gets the operation that the first call began."""

    def register(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def once(call: Call) -> Answer:
            repeated = repeated_operation(call)
            return handler(call) if repeated is None else Answer(repeated.body(call.world.now()))

        return handles(rpc)(once)

    return register


def read_labels(labels: dict[str, str]) -> dict[str, str]:
    """Labels that keep Google's rules. ApiError otherwise."""
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            wanted = "Label keys and values have at most 63 of [a-z0-9_-], keys start with a letter."
            raise invalid_field("resource.labels", f"{key}={value}", wanted)
    return dict(labels)


def require_idle(resource: Address | ForwardingRule | Made) -> None:
    """ApiError while another operation on the resource is under way."""
    if resource.busy:
        message = f"The resource '{resource.reference.path}' is not ready"
        raise errors.ApiError("INVALID_ARGUMENT", message, reason="resourceNotReady")


def start_operation(
    call: Call,
    kind: str,
    resource: Address | ForwardingRule | Made,
    effect: Callable[[], None],
    undo: Callable[[], None] = lambda: None,
    *,
    at_once: bool = False,
) -> Answer:
    """Begin an operation on ``resource``, which is busy until it ends; the operation as an answer.

    One that is ``at_once`` is done in the first answer.
    """
    state, place = compute_state(call.world), place_of(call)
    operation = RegionalOperation(
        name=state.operations.next_name(place),
        kind=kind,
        target=resource.reference,
        target_id=resource.id,
        inserted=call.world.now(),
        client_operation_id=call.query.get("requestId"),
    )
    if (fault := call.operation_fault()) is not None:
        fault.met += 1
        operation.stalled = fault.stalls
        if not operation.stalled:
            error = fault.error(call.about)
            code = error.code if fault.fault == "operation_error" and not fault.reason else error.compute_code
            operation.error = OperationError(code, error.message, error.status, error.reason)
    if at_once and not operation.stalled:
        operation.seconds = 0.0
    resource.busy = True

    def finish(then: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            resource.busy = False
            then()

        return run

    state.operations.start(operation, place, call.world.timeline, finish(effect), finish(undo))
    return Answer(operation.body(call.world.now()))


def set_labels(call: Call, resource: Address | ForwardingRule) -> Answer:
    """Replace all labels; the fingerprint must be that of the present ones."""
    if call.body.get("labelFingerprint") != label_fingerprint(resource.labels):
        message = "Labels fingerprint either invalid or resource labels have changed"
        raise errors.ApiError("FAILED_PRECONDITION", message, status=412, reason="conditionNotMet")
    require_idle(resource)
    labels = read_labels(call.body.get("labels", {}))

    def apply() -> None:
        resource.labels = labels

    # The operation of a rule is done at once: recordings of Config Connector, 2026-08-22.
    return start_operation(call, "setLabels", resource, apply, at_once=isinstance(resource, ForwardingRule))


_FILTER = re.compile(r'\(?\s*(?P<field>[\w.-]+)\s*(?P<operator>=|!=|:|eq|ne)\s*"?(?P<value>[^")]*)"?\s*\)?')


def list_answer(call: Call, kind: str, bodies: Sequence[Json]) -> Answer:
    """A page of resources in the order of their names; ``filter`` knows one comparison, or several joined by AND."""
    wanted = [part for part in re.split(r"\s+AND\s+", call.query.get("filter", "")) if part]
    matches = [_FILTER.fullmatch(part.strip()) for part in wanted]
    if None in matches:
        raise invalid_field("filter", call.query["filter"], "Invalid list filter expression.")
    found = sorted(
        (body for body in bodies if all(_satisfies(body, match) for match in matches if match)),
        key=lambda body: str(body["name"]),
    )
    start = int(call.query.get("pageToken", 0) or 0)
    size = int(call.query.get("maxResults", _PAGE_ITEMS))
    collection = {"compute#addressList": "addresses", "compute#forwardingRuleList": "forwardingRules"}
    path = f"projects/{call.project_id}/regions/{call.region}/{collection.get(kind, 'operations')}"
    answer: Json = {"kind": kind, "id": path, "selfLink": LINK_BASE + path}
    if page := found[start : start + size]:
        answer["items"] = page
    if start + size < len(found):
        answer["nextPageToken"] = str(start + size)
    return Answer(answer)


def _satisfies(body: Json, match: re.Match[str]) -> bool:
    value: Any = body
    for part in match["field"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    actual, asked = "" if value is None else str(value), match["value"].strip()
    if match["operator"] == ":":
        return value is not None if asked == "*" else asked.lower() in actual.lower()
    return (actual == asked) == (match["operator"] in {"=", "eq"})
