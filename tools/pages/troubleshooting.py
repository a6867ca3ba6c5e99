"""The tables of docs/troubleshooting.md: the errors of the product, and messages of Google's with what to do."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import mg_provider
from mg_provider.api import policies
from mg_provider.api.errors import CloudError
from mg_provider.api.reading.error_reader import error_from_response
from mg_provider.command_line.errors import StatedError
from mg_provider.wire.status import Code
from tools.pages.reference import cell

PACKAGE: Final = Path(mg_provider.__file__).resolve().parent
# Not part of what users run: the emulator answers in Google's words, and the demo is a story.
_LEFT_OUT: Final = ("mg_provider.emulator", "mg_provider.demo", "mg_provider.cloud.toy_model", "mg_provider.templates")
_SHORTEST: Final = 12

# Where a text is raised, to the heading that it stands under; the first that fits.
_AREAS: Final = {
    "resources/batch_job": "Batch jobs",
    "inference/batch": "Batch jobs",
    "preflight/batch": "Batch jobs",
    "preflight/prepare": "Batch jobs",
    "api/batch": "Batch jobs",
    "preflight/machines": "Machines, quota and regions",
    "resources/endpoint/capacity": "Machines, quota and regions",
    "preflight": "Weights",
    "resources/weights": "Weights",
    "rollout": "Rollouts",
    "resources/psc_forwarding_rule": "Private addresses",
    "resources/custom_weights_model": "Models and endpoints",
    "resources/dedicated_endpoint": "Models and endpoints",
    "resources/endpoint": "Models and endpoints",
    "components": "Components",
    "inference": "Asking a model",
    "api/completion": "Asking a model",
    "api/prediction": "Asking a model",
    "api/http": "Connection, credentials and settings",
    "rehearsal": "Rehearsal",
    "cloud": "Rehearsal",
    "environment": "Stacks",
    "wire": "Arguments",
    "resources/model": "Arguments",
    "review": "Review",
    "importing": "Import",
    "": "Everything else",
}

# Where advice begins in a text that is one line, such as the reason of a wrong argument.
_MARKS: Final = (": ", "; ")
_DIFFERS: Final = "(the error names it)"
# Errors whose class says what to do.
_OWN_ADVICE: Final = ("ProviderBug", "EndpointNotAnswering", "ConfigError", "RolledBack")
_ADVICE_BEGINS: Final = (
    *("`", "add ", "allow ", "ask ", "call ", "change ", "check ", "choose ", "connect ", "correct ", "create "),
    *("declare ", "delete ", "did you ", "enable ", "fill ", "find ", "fix ", "free ", "give ", "grant ", "import "),
    *("install ", "keep ", "leave ", "look ", "make ", "move ", "name ", "park ", "pick ", "pin ", "put ", "raise "),
    *("read ", "reduce ", "register ", "remove ", "rename ", "repeat ", "replace ", "run ", "save ", "say ", "see "),
    *("set ", "shorten ", "spell ", "start ", "take ", "try ", "turn ", "undeploy ", "unset ", "upload ", "use "),
    *("wait ", "write "),
)

# Other ways in which the product says what is wrong, to where the text stands among the arguments of the call. The
# names of plain functions and ValueError mean that below these folders only.
_SAID: Final = {
    "StepError": 0,
    "NotReadable": 1,
    "EndpointNotAnswering": 1,
    "Problem": 1,
}
_SAID_BELOW: Final[dict[str, tuple[str | tuple[str, ...], int]]] = {
    "error": ("preflight/", 1),
    "warning": ("preflight/", 1),
    "Finding": ("preflight/", 2),
    "refuse": ("components/", 1),
    "ValueError": (("wire/", "resources/", "components/", "environment/", "review/gates"), 0),
}

# What Google answers, as public reports have it: a code, and the text.
MESSAGES: Final = (
    (Code.PERMISSION_DENIED, "Vertex AI API has not been used in project 123 before or it is disabled."),
    (Code.FAILED_PRECONDITION, "Service agents are being provisioned."),
    (
        Code.FAILED_PRECONDITION,
        "Vertex AI Service Agent service-123@gcp-sa-aiplatform.iam.gserviceaccount.com does not have permission to "
        "access Artifact Registry repository projects/my-project/locations/us/repositories/serving.",
    ),
    (
        Code.FAILED_PRECONDITION,
        "Service account `service-123@gcp-sa-aiplatform.iam.gserviceaccount.com` does not have "
        '`[storage.objects.get]` IAM permission(s) to the directory "gs://my-weights/llama".',
    ),
    (
        Code.PERMISSION_DENIED,
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc.",
    ),
    (Code.FAILED_PRECONDITION, "The model requires acceptance of its End User License Agreement (EULA)."),
    (Code.INVALID_ARGUMENT, "A Hugging Face access token is required for this gated model."),
    (
        Code.PERMISSION_DENIED,
        "Permission 'aiplatform.endpoints.create' denied on resource "
        "'//aiplatform.googleapis.com/projects/my-project/locations/us-central1' (or it may not exist).",
    ),
    (Code.UNAVAILABLE, "Machine type temporarily unavailable."),
    (
        Code.RESOURCE_EXHAUSTED,
        "The following quotas are exceeded: CustomModelServingL4GPUsPerProjectPerRegion.",
    ),
    (Code.UNAUTHENTICATED, "Request had invalid authentication credentials."),
    (Code.ABORTED, "Invalid fingerprint."),
    (Code.INTERNAL, "INTERNAL"),
    (Code.FAILED_PRECONDITION, "Model server exited unexpectedly. Please use recommended machine spec."),
    (Code.FAILED_PRECONDITION, "Model server never became ready."),
    (Code.FAILED_PRECONDITION, "Endpoint has deployed or being-deployed DeployedModel(s)."),
)
_STATUS: Final = {
    Code.PERMISSION_DENIED: 403,
    Code.UNAUTHENTICATED: 401,
    Code.ABORTED: 412,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}
# Where the error itself has no advice, because another part of the product gives it with more knowledge.
_ADVICE: Final = {
    "Model server exited": "read the container's last lines in the error: too little memory for the weights, or an "
    "argument of the container. Use a larger machine, or leave `machine_spec` out",
    "Model server never": "read the container's last lines in the error. For a large model allow more time: raise "
    "`container_spec.deployment_timeout`, or use weights in safetensors in a bucket of the region",
    "Endpoint has deployed": "undeploy what the error names: it is not of this stack. Then run `pulumi destroy` again",
}


class Text(NamedTuple):
    """A text of the product, as its source has it; what varies is an ellipsis."""

    path: str
    kind: str
    text: str
    advice: str


def errors() -> str:
    """Every kind of error, with what it means."""
    rows = ["| error | what it means |", "|---|---|"]
    rows += [f"| `{kind.__name__}` | {cell((kind.__doc__ or '').partition('Attributes:')[0])} |" for kind in kinds()]
    return "\n".join(rows)


def messages() -> str:
    """What Google answers, and what to do."""
    rows = ["| Google's message | error | what to do |", "|---|---|---|"]
    for code, text in MESSAGES:
        error = error_of(code, text)
        advice = error.hint or next(advice for begin, advice in _ADVICE.items() if text.startswith(begin))
        rows.append(f"| {cell(text)} | `{type(error).__name__}` | {cell(advice)} |")
    return "\n".join(rows)


def error_of(code: Code, text: str) -> CloudError:
    """The error that a message of Google's becomes."""
    status = _STATUS.get(code, 400)
    body = {"error": {"code": status, "message": text, "status": code.name}}
    return error_from_response(status, json.dumps(body).encode(), method="POST", url="https://host/v1/projects/p")


def constraints() -> str:
    """The organization policies that are known, and what to ask their owner for."""
    rows = ["| constraint | what it forbids | ask its administrator to |", "|---|---|---|"]
    rows += [
        f"| `constraints/{name}` | {cell(known.forbids)} | {cell(known.allow)} |" for name, known in _constraints()
    ]
    return "\n".join(rows)


def texts() -> str:
    """Every text of an error that the product raises by itself, by area."""
    found: dict[str, set[tuple[str, str]]] = {heading: set() for heading in _AREAS.values()}
    for text in raised():
        found[area(text.path)].add((text.text, text.advice))
    blocks = []
    for heading, rows in sorted(found.items(), key=lambda entry: (entry[0] == _AREAS[""], entry[0])):
        if rows:
            lines = [f"### {heading}", "", "| error | what to do |", "|---|---|"]
            lines += [f"| {cell(text)} | {cell(advice)} |" for text, advice in sorted(rows)]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


@functools.cache
def kinds() -> list[type[StatedError]]:
    """Every class of the error tree, a class before those below it."""
    for module in pkgutil.walk_packages(mg_provider.__path__, "mg_provider."):
        if not module.name.startswith(_LEFT_OUT):
            importlib.import_module(module.name)
    return list(_below(StatedError))


@functools.cache
def raised() -> list[Text]:
    """The texts that the sources raise, or make errors of."""
    return list(_raised())


def _raised() -> Iterator[Text]:
    positions = {kind.__name__: 0 for kind in kinds() if not issubclass(kind, CloudError)} | _SAID
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not f"mg_provider.{place.replace('/', '.')}".startswith(_LEFT_OUT):
            here = {name: index for name, (below, index) in _SAID_BELOW.items() if place.startswith(below)}
            yield from _in_file(place, path.read_text(encoding="utf-8"), positions | here)


def _in_file(place: str, source: str, positions: Mapping[str, int]) -> Iterator[Text]:
    """The texts of the calls in a file; by the name of a call, which of its arguments has the text."""
    if not any(f"{name}(" in source for name in positions):
        return  # To parse it would take long, and find nothing.
    tree = ast.parse(source)
    constants = dict(_constants(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            position = positions.get(node.func.id)
            if position is not None and len(node.args) > position:
                yield from _of_call(place, node.func.id, node, position, constants)


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The names that stand for a text of a file."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def area(path: str) -> str:
    """The heading that the texts of a file stand under."""
    return next(heading for prefix, heading in _AREAS.items() if path.startswith(prefix))


def _of_call(place: str, name: str, node: ast.Call, position: int, constants: Mapping[str, ast.expr]) -> Iterator[Text]:
    summary = _written(node.args[position])
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    argument = _written(node.args[0] if name == "Problem" else given.get("property"))
    advice = given.get("hint")
    if name == "refuse":
        summary, advice = f"{_written(node.args[0]) or '…'} {summary}", node.args[2]
    if len(summary.replace("…", "").strip()) < _SHORTEST:
        return
    if advice is not None:
        hint = _written(constants.get(advice.id) if isinstance(advice, ast.Name) else advice)
        hint = hint if hint.strip("… ") else _DIFFERS
    elif name in _OWN_ADVICE:
        hint = _DIFFERS
    else:
        summary, hint = divided(summary)
    yield Text(place, name, f"{argument}: {summary}" if argument else summary, hint)


def divided(text: str) -> tuple[str, str]:
    """A text that says what is wrong and what to do, in its two parts; the second is empty where it does not."""
    for mark in _MARKS:
        said, found, advice = text.rpartition(mark)
        if found and advice.startswith(_ADVICE_BEGINS):
            return said, advice
        if found and not advice.strip("… "):
            return said, _DIFFERS
    return text, ""


def _written(node: ast.expr | None) -> str:
    """A text as the source has it; empty where it is not written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_written(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _written(node.left) + _written(node.right)
    return ""


def _below(kind: type[StatedError]) -> Iterator[type[StatedError]]:
    for sub in sorted(kind.__subclasses__(), key=lambda sub: (sub.__module__, sub.__name__)):
        yield sub
        yield from _below(sub)


def _constraints() -> list[tuple[str, Any]]:
    return sorted(policies._CONSTRAINTS.items())
