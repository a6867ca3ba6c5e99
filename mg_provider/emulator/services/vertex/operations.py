"""Operations below a location, an endpoint or a model: get, list, wait, cancel, delete."""

from __future__ import annotations

from mg_provider.emulator.core.operations import Operation
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.listing import page
from mg_provider.emulator.google.named_errors import About, not_cancellable_400

_PREFIX = "aiplatform.projects.locations."
_PARENTS = ("", "endpoints.", "models.")
_WAIT_STEP = 0.01
_LONGEST_WAIT = 5.0


def _rpcs(verb: str) -> list[str]:
    return [f"{_PREFIX}{parent}operations.{verb}" for parent in _PARENTS]


def _parent(call: Call) -> str:
    for collection in ("endpoints", "models"):
        if f"{collection}Id" in call.path:
            return f"{call.parent}/{collection}/{call.path[f'{collection}Id']}"
    return call.parent


def _operation(call: Call) -> Operation:
    return call.world.operations.get(f"{_parent(call)}/operations/{call.path['operationsId']}")


@handles(*_rpcs("get"))
def get_operation(call: Call) -> Answer:
    """The operation as it is now."""
    return call.operation_answer(_operation(call))


@handles(*_rpcs("list"))
def list_operations(call: Call) -> Answer:
    """Operations directly below the parent."""
    shown = [operation.resource(call.world.timestamp) for operation in call.world.operations.below(_parent(call))]
    return Answer(page("operations", shown, call.query))


@handles(*_rpcs("wait"))
def wait_operation(call: Call) -> Answer:
    """The operation once it is done, or when ``timeout`` or a few real seconds are over: best effort."""
    operation = _operation(call)
    asked = float(call.query.get("timeout", "30s").removesuffix("s"))
    deadline = call.world.now() + asked
    waited = 0.0
    while not operation.done and call.world.now() < deadline and waited < _LONGEST_WAIT:
        call.world.let_time_pass(_WAIT_STEP)
        waited += _WAIT_STEP
        call.world.settle()
    return call.operation_answer(operation)


@handles(*_rpcs("cancel"))
def cancel_operation(call: Call) -> Answer:
    """Ask it to stop; it ends with code 1."""
    operation = _operation(call)
    if call.world.behaviours["cancel_operation"] == "refused":
        raise not_cancellable_400(About(subject=operation.name))
    call.world.operations.cancel(operation)
    return Answer({})


@handles(*_rpcs("delete"))
def delete_operation(call: Call) -> Answer:
    """Forget the operation's record."""
    call.world.operations.forget(_operation(call))
    return Answer({})
