"""Taking over an endpoint that was made elsewhere: what can be, what will change on it, and from when on it is ours.

Ownership moves with the labels, and labels are written in ``up`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from mg_provider.resources.endpoint.args import EndpointArgs
from mg_provider.resources.endpoint.settings import endpoint_patch, endpoint_update
from mg_provider.resources.model.args import Problem
from mg_provider.resources.model.identity import CLAIM_LABEL, OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.standing import standing
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.base import value_at, without_outputs
from mg_provider.wire.vertex.endpoint import Endpoint


def stranger(args: EndpointArgs, endpoint: Endpoint) -> Problem | None:
    """Why an endpoint cannot be taken over: it is another one, or another stack's."""
    labels = endpoint.labels or {}
    if labels.get(OWNER_LABEL) and not args.owns(labels):
        return Problem(
            "adopt",
            f"{args.endpoint} carries the label {OWNER_LABEL}={labels[OWNER_LABEL]}, so another stack or resource has "
            "it: remove it there first, with the endpoint kept, or remove adopt",
        )
    project, actual = args.adopt.split("/")[1], (endpoint.name or "").split("/")[1:2]
    if project.isdigit() and actual and actual[0].isdigit() and project != actual[0]:
        return Problem("adopt", f"names project {project}, but {args.project} is {actual[0]}: make them the same")
    return None


def fixed_problem(name: str, actual: object) -> Problem:
    """Something of the endpoint that must be written as it is."""
    shown = json.dumps(plain(without_outputs(actual)), default=repr)
    return Problem(name, f"is fixed on an endpoint, and the adopted one has {shown}: write the same, or remove adopt")


def setting_changes(args: EndpointArgs, endpoint: Endpoint) -> Iterator[str]:
    """What would change among names, labels, description, logging and allowlist."""
    _, mask = endpoint_patch(args, args, "", endpoint)
    names = {path: name for name, path in standing(type(args), "endpoint").items()}
    for changed_path in mask:
        # Of a private connection the allowlist alone is changed.
        path = changed_path if changed_path in names else changed_path.partition(".")[0]
        name = names[path]
        wanted, actual = getattr(args, name), value_at(endpoint, path)
        if name == "labels":
            changed = {key: value for key, value in args.labels.items() if (actual or {}).get(key) != value}
            own = ", ".join((CLAIM_LABEL, OWNER_LABEL, RESOURCE_LABEL))
            yield f"labels: {_shown(changed)} and this stack's {own}" if changed else f"labels: this stack's {own}"
        else:
            yield f"{name}: {_shown(actual)} -> {_shown(wanted)}"
    for path, wanted in endpoint_update(args, args, endpoint).items():
        yield f"{names[path]}: {_shown(value_at(endpoint, path))} -> {_shown(wanted)}"


def _shown(value: object) -> str:
    return json.dumps(plain(without_outputs(value)), default=repr) if value else "none"
