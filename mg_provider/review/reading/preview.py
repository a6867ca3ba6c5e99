"""The JSON of `pulumi preview --json`, read into steps; whatever else it is, is said in a sentence."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from typing import Any, Final

from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import PREVIEW_FAILED
from mg_provider.review.reading.values import decode, entries, name

_REPLACEMENTS: Final = (
    "create-replacement",
    "delete-replaced",
    "discard-replaced",
    "read-replacement",
    "import-replacement",
)
_UNSEEN: Final = ("read", "discard", "remove-pending-replace", *_REPLACEMENTS)
_TRACEBACK: Final = "Traceback (most recent call last):"
# The engine shows the whole value, secrets and all, and only then what is wrong with it.
_VALUE: Final = re.compile(r"(: property \S+) value .* has a problem: ")
_COMPONENTS: Final = ("pulumi:pulumi:Stack", "pulumi:providers:")


_MAKE: Final = "make it with `pulumi preview --json`"
_CORRECT: Final = "fix what it says, then review again"


class PreviewError(Refusal):
    """A text that is not a preview."""

    exit_code = PREVIEW_FAILED


@dataclass(frozen=True)
class Side:
    """A resource before or after."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    protect: bool = False
    retain: bool = False
    leftover: bool = False
    goes_first: bool = False
    """Whether it is deleted before the one that takes its place is made."""


@dataclass(frozen=True)
class Step:
    """What happens to one resource."""

    op: str
    urn: str
    type: str
    name: str
    stack: str
    old: Side | None
    new: Side | None
    paths: tuple[str, ...] = ()
    """What the engine says that differs: it sees hidden values."""
    replaces: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """The project of its stack."""
        return self.urn.split("::")[1] if self.urn.count("::") > 1 else ""

    @property
    def place(self) -> str:
        """Its URN without its name: stack, project, types of its parents and its own."""
        return self.urn.rpartition("::")[0]

    @property
    def is_leftover(self) -> bool:
        """Whether it only deletes what an earlier replacement left."""
        return self.op == "delete" and self.old is not None and self.old.leftover

    @property
    def is_read(self) -> bool:
        """Whether what is after was read in the cloud: of dynamic resources, no plan has outputs of its own."""
        dynamic = self.type.startswith("pulumi-python:dynamic/")
        return dynamic and self.new is not None and bool({*self.new.outputs} - {*self.new.inputs})

    @property
    def side(self) -> Side:
        """The resource after, or of one that goes before."""
        return self.new or self.old or Side()


@dataclass(frozen=True)
class Preview:
    """One preview."""

    stacks: tuple[str, ...]
    steps: tuple[Step, ...]
    drifted: tuple[Step, ...]
    errors: tuple[str, ...]
    unchanged: int
    whole: bool
    """Whether it has unchanged resources as well."""
    roots: tuple[str, ...] = ()
    """The URNs of its stacks themselves: what a preview without changes has."""


def with_distinct_names(previews: list[Preview]) -> list[Preview]:
    """Previews whose stacks have their project in the name, where there are several projects.

    Raises:
        PreviewError: A stack or a resource is in two of them, so that its cost would count twice.
    """
    found = Counter(
        urn for preview in previews for urn in {*preview.roots, *(step.urn for step in preview.steps)} if urn
    )
    if twice := sorted(name(_stack(urn)) for urn, count in found.items() if count > 1):
        raise PreviewError(f"stack {twice[0]} is in two of the previews", hint="give the preview of each stack once")
    steps = [step for preview in previews for step in (*preview.steps, *preview.drifted)]
    if len({step.project for step in steps} - {""}) < 2:
        return previews
    return [_with_project(preview) for preview in previews]


def _with_project(preview: Preview) -> Preview:
    def named(step: Step) -> Step:
        return replace(step, stack=f"{name(step.project)}/{step.stack}") if step.project else step

    steps, drifted = tuple(map(named, preview.steps)), tuple(map(named, preview.drifted))
    stacks = {step.stack for step in (*steps, *drifted)} or {*preview.stacks}
    return replace(preview, steps=steps, drifted=drifted, stacks=tuple(sorted(stacks)))


def read_preview(text: str, source: str = "the preview") -> Preview:
    """Read the text of `pulumi preview --json`.

    Args:
        text: The document.
        source: What to call it in an error, such as the file's name.

    Raises:
        PreviewError: It is something else.
    """
    source = name(source)
    content = _content(text.removeprefix("\ufeff").strip(), source)
    steps = content.get("steps") or []
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise PreviewError(f"{source} has steps that are not a list of objects, so it is not a preview", hint=_MAKE)
    if missing := _missing(content, steps):
        raise PreviewError(f"{source} {missing}, so it is not a whole preview", hint="make the preview again")
    try:
        return _preview(content, [step for step in map(_step, steps) if step is not None])
    except RecursionError as error:
        raise PreviewError(f"{source} is nested too deeply to be a preview", hint=_MAKE) from error


def _content(text: str, source: str) -> dict[str, Any]:
    if not text:
        raise PreviewError(f"{source} is empty: the preview wrote nothing", hint="see what it wrote to stderr")
    if text[0] not in "{[":
        first = name(text.splitlines()[0])
        if text.lower().startswith("error"):
            raise PreviewError(f"{source} is an error of the preview, not its JSON: {first}", hint=_CORRECT)
        raise PreviewError(f"{source} is not JSON: it begins with {first!r}", hint=_MAKE)
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise PreviewError(f"{source} is nested too deeply to be a preview", hint=_MAKE) from error
    except ValueError as error:
        raise _broken(text, source, error) from error
    if not isinstance(content, dict):
        raise PreviewError(f"{source} is a list, not an object", hint=_MAKE)
    if "steps" not in content and "changeSummary" not in content and "diagnostics" not in content:
        raise PreviewError(f"{source} has no steps, so it is not a preview", hint=_MAKE)
    return content


def _missing(content: Mapping[str, Any], steps: list[dict[str, Any]]) -> str:
    """What its summary counts and its steps do not have; of resources that stay the same the engine shows no steps."""
    if any(_errors(content)):
        return ""
    summary = content.get("changeSummary")
    if not isinstance(summary, dict):
        return "has neither steps nor a summary of them" if content.get("steps") is None else ""
    shown = Counter(str(step.get("op")) for step in steps)
    counted = {op: count for op, count in summary.items() if op != "same" and isinstance(count, int)}
    more = [f"{name(count)} {name(op)} (steps: {shown[op]})" for op, count in counted.items() if count > shown[op]]
    return f"lacks steps that its summary counts: {', '.join(more)}" if more else ""


def _broken(text: str, source: str, error: ValueError) -> PreviewError:
    if '"sequence"' in text.splitlines()[0]:
        return PreviewError(
            f"{source} holds engine events, one on each line",
            hint="unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW, and make the preview again",
        )
    at = getattr(error, "pos", 0)
    if at >= len(text) - 1 or "Unterminated" in str(error):
        return PreviewError(
            f"{source} ends in the middle, after {len(text):,} characters", hint="make the preview again"
        )
    place = f"line {getattr(error, 'lineno', 0)}, column {getattr(error, 'colno', 0)}"
    return PreviewError(f"{source} is not JSON: {place}", hint=_MAKE)


def _step(entry: Mapping[str, Any]) -> Step | None:
    urn, op = str(entry.get("urn") or ""), str(entry.get("op") or "")
    old, new = _side(entry.get("oldState")), _side(entry.get("newState"))
    head, _, last = urn.rpartition("::")
    type = head.rpartition("::")[2].rpartition("$")[2]
    state = entry.get("newState") or entry.get("oldState") or {}
    if isinstance(state, dict) and isinstance(state.get("type"), str):
        type = state["type"]
    component = isinstance(state, dict) and state.get("custom") is False
    if type.startswith(_COMPONENTS) or component:
        return None
    detailed = entry.get("detailedDiff")
    return Step(
        op=op,
        urn=urn,
        type=name(type),
        name=name(last or urn or "a resource without a name"),
        stack=name(_stack(urn)),
        old=old,
        new=new,
        paths=tuple(sorted(map(str, detailed if isinstance(detailed, dict) else entries(entry.get("diffReasons"))))),
        replaces=tuple(sorted(map(str, entries(entry.get("replaceReasons"))))),
    )


def _side(state: Any) -> Side | None:
    if not isinstance(state, dict):
        return None
    inputs, outputs = decode(state.get("inputs")), decode(state.get("outputs"))
    return Side(
        inputs=_plain(inputs),
        outputs=_plain(outputs),
        id=str(state.get("id") or ""),
        protect=state.get("protect") is True,
        retain=state.get("retainOnDelete") is True,
        leftover=state.get("delete") is True,
        goes_first=state.get("pendingReplacement") is True,
    )


def _plain(values: Any) -> dict[str, Any]:
    """Arguments and outputs, without what the engine keeps among them."""
    return {key: value for key, value in values.items() if not key.startswith("__")} if isinstance(values, dict) else {}


def _preview(content: Mapping[str, Any], steps: list[Step]) -> Preview:
    by_urn: dict[str, list[Step]] = {}
    for step in steps:
        by_urn.setdefault(step.urn, []).append(step)
    found: dict[str, Step] = {}
    drifted: list[Step] = []
    for urn, group in by_urn.items():
        seen, planned = _apart(group)
        drifted += seen
        if planned is not None:
            found[urn] = planned
    summary = content.get("changeSummary")
    same = summary.get("same", 0) if isinstance(summary, dict) else 0
    entries_of = content.get("steps") or ()
    roots = tuple(sorted({str(entry.get("urn")) for entry in entries_of if ":Stack::" in str(entry.get("urn"))}))
    errors = tuple(_errors(content))
    # The engine counts stacks and components as resources.
    shown = sum(entry.get("op") == "same" for entry in entries_of)
    same = same if isinstance(decode(same), int) else 0
    return Preview(
        stacks=tuple(sorted(_stacks(content))),
        steps=tuple(found[urn] for urn in sorted(found)),
        drifted=tuple(sorted(drifted, key=lambda step: step.urn)),
        errors=errors,
        unchanged=max(same - len(roots), 0),
        whole=shown >= same and not errors,
        roots=roots,
    )


def _apart(group: list[Step]) -> tuple[list[Step], Step | None]:
    """What a refresh saw of one resource, and what is planned for it.

    A preview with --refresh shows a refresh as the update or deletion that it found, before what is planned.
    """
    seen = [step for step in group if step.op == "refresh"]
    rest = [step for step in group if step.op not in (*_UNSEEN, "refresh") and not step.is_leftover]
    while len(rest) > 1 and rest[0].op in ("update", "delete"):
        seen.append(rest.pop(0))
    if rest and rest[0].op == "update" and rest[0].is_read:
        seen.append(rest.pop(0))
    replacements = [step for step in group if step.op in _REPLACEMENTS]
    planned = rest[-1] if rest else replace(replacements[0], op="replace") if replacements else None
    return [_refreshed(step, planned) for step in seen], planned


def _refreshed(step: Step, planned: Step | None) -> Step:
    """What a refresh saw. It is shown as it was before; what it found is where the plan begins."""
    if step.op != "refresh" or step.old is None or planned is None:
        return step
    return replace(step, new=planned.old)


def _stacks(content: Mapping[str, Any]) -> set[str]:
    urns = (str(entry.get("urn") or "") for entry in content.get("steps") or () if isinstance(entry, dict))
    return {name(_stack(urn)) for urn in urns if urn.startswith("urn:pulumi:")}


def _stack(urn: str) -> str:
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def _errors(content: Mapping[str, Any]) -> Iterator[str]:
    for entry in entries(content.get("diagnostics")):
        if isinstance(entry, dict) and entry.get("severity") == "error":
            yield _error(str(entry.get("message") or "an error without a text"))


def _without_frames(message: str) -> str:
    """Of a traceback only what it ends with."""
    if _TRACEBACK not in message:
        return message
    before, _, rest = message.rpartition(_TRACEBACK)
    deeper = " " * (len(before) - len(before.rstrip(" ")) + 1)
    said = dropwhile(lambda line: line.startswith(deeper) or not line.strip(), rest.splitlines()[1:])
    return "\n".join([message.partition(_TRACEBACK)[0], *said])


def _error(message: str) -> str:
    """An error on one line, cut where it is long."""
    words = _VALUE.sub(r"\1: ", " ".join(_without_frames(message).split()).removeprefix("error: "))
    return name(words) if len(words) <= 80 else f"{words[:400]}" if words.isprintable() else name(words)
