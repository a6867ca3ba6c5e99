"""What the documents say about a resource, from the marks and descriptions of its arguments and outputs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.model.args import Args, declared_outputs, mark_of
from mg_provider.resources.model.marks import InPlace, Local, Mark, Replaces, RollsOut, Secret, marked
from mg_provider.resources.model.meaning import Content, Leads
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.resources.weights.source import SOURCES
from tools.code.resource_types import RESOURCES, arguments_of, lifecycle_of, resource
from tools.code.type_texts import as_prose, given_by_users, models_inside, notes

PAGES = {
    "CustomWeightsModel": "docs/custom-weights-model.md",
    "DedicatedEndpoint": "docs/dedicated-endpoint.md",
    "PscForwardingRule": "docs/psc-forwarding-rule.md",
    "BatchJob": "docs/batch-job.md",
}


def resources() -> str:
    """Each resource in a line, with its page."""
    rows = ["| resource | what it is |", "|---|---|"]
    rows += [f"| [`{name}`]({PAGES[name]}) | {_first_sentence(resource(name))} |" for name in RESOURCES]
    return "\n".join(rows)


# What a reader looks for first: arguments of which one is needed, then those that most programs set.
ONE_OF: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "CustomWeightsModel": ("Give one of them:", SOURCES),
    "DedicatedEndpoint": ("None is required: an endpoint can be empty.", ()),
    "PscForwardingRule": (
        "Give `endpoint`, or `service_attachment` of an endpoint that somebody else has, and where the address is:",
        tuple(name for name, _ in marked(PscForwardingRuleArgs, Leads)),
    ),
    "BatchJob": (
        "Give a model in one of the three ways, and where the rows come from and go to:",
        tuple(name for name, _ in marked(BatchJobArgs, Content)),
    ),
}
PLACE = ("project", "region")
COMMON: Mapping[str, tuple[str, ...]] = {
    "CustomWeightsModel": (
        *PLACE,
        "machine_spec",
        "min_replica_count",
        "max_replica_count",
        "autoscaling_metric_specs",
        "spot",
        "private_service_connect_config",
        "rollout",
        "parked",
        "labels",
    ),
    "DedicatedEndpoint": (
        *PLACE,
        "deployed_models",
        "traffic_split",
        "private_service_connect_config",
        "rollout",
        "parked",
        "labels",
    ),
    "PscForwardingRule": (*PLACE, "address", "triggers", "allow_psc_global_access", "look_up", "labels"),
    "BatchJob": (
        *PLACE,
        "machine_spec",
        "starting_replica_count",
        "spot",
        "triggers",
        "wait",
        "allow_partial",
        "labels",
    ),
}


def inputs(name: str) -> str:
    """The arguments of a resource, in three parts: type, what a change does, what it is."""
    words, one_of = ONE_OF[name]
    fields = lifecycle_of(name).args_type.model_fields
    needed = (*one_of, *(argument for argument in arguments_of(name) if fields[argument].is_required()))
    common = COMMON[name]
    rest = [argument for argument in arguments_of(name) if argument not in (*needed, *common)]
    parts = [("Required", words, needed), ("Common", "", common), ("The rest", "", rest)]
    return "\n\n".join(_part(name, *part) for part in parts)


def _part(name: str, heading: str, words: str, arguments: Iterable[str]) -> str:
    args_type = lifecycle_of(name).args_type
    rows = [
        f"| `{argument}`<br>{as_prose(args_type.model_fields[argument].annotation)} | {_change(args_type, argument)} "
        f"| {cell(notes(args_type, argument))} |"
        for argument in arguments
    ]
    table = "\n".join(("| argument | a change | what it is |", "|---|---|---|", *rows)) if rows else ""
    return "\n\n".join(filter(None, (f"### {heading}", words, table)))


def nested(name: str) -> str:
    """The objects inside the arguments of a resource, field by field."""
    found: dict[str, type[BaseModel]] = {}
    models_inside(lifecycle_of(name).args_type, found)
    blocks = []
    for title, model in sorted(found.items()):
        rows = [f"**{title}**: {_first_sentence(model)}", "", "| field | what it is |", "|---|---|"]
        for field_name in given_by_users(model):
            field = model.model_fields[field_name]
            rows.append(f"| `{field_name}`<br>{as_prose(field.annotation)} | {cell(field.description or '')} |")
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def outputs(name: str) -> str:
    """The outputs of a resource: known in a preview or not, secret or not."""
    lifecycle = lifecycle_of(name)
    planned, seen = lifecycle.args_type.model_fields, lifecycle.state_type.model_fields
    rows = ["| output | known in the preview of a creation | what it is |", "|---|---|---|"]
    for output, field in declared_outputs(lifecycle.args_type, lifecycle.state_type).items():
        known = "no" if output not in planned else "if the program gives it" if output in seen else "yes"
        secret = " Secret." if any(isinstance(mark, Secret) for mark in field.metadata) else ""
        rows.append(f"| `{output}` | {known} | {cell(field.description or '')}{secret} |")
    return "\n".join(rows)


def permissions() -> str:
    """The IAM permissions that each resource needs."""
    rows = ["| resource | permissions |", "|---|---|"]
    rows += [f"| `{name}` | {permissions_of(name)} |" for name in RESOURCES]
    return "\n".join(rows)


def permissions_of(name: str) -> str:
    """The IAM permissions that a resource needs, from its lifecycle's docstring.

    Raises:
        ValueError: The docstring does not say it.
    """
    text = inspect.getdoc(lifecycle_of(name)) or ""
    _, marker, rest = text.partition("IAM: ")
    if not marker:
        raise ValueError(f"{name} does not say which IAM permissions it needs")
    return " ".join(rest.partition("\n\n")[0].split()).replace("``", "`")


def _first_sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _change(args_type: type[Args], name: str) -> str:
    mark = mark_of(args_type, name)
    if isinstance(mark, InPlace) and mark.replaces_if is not None:
        return f"in place; may replace: {mark.because}"
    return f"{_KINDS[type(mark)]}: {mark.reason}"


_KINDS: Mapping[type[Mark], str] = {
    InPlace: "in place",
    Replaces: "**replaces**",
    RollsOut: "rolls out",
    Local: "nothing in the cloud",
}


def cell(text: str) -> str:
    """A text as it is written into a cell of a table."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")
