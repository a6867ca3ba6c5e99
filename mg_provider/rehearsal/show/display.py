"""Reports for people: one line when an operation ends; a terminal also shows what is running."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape

from mg_provider.clock import Clock
from mg_provider.command_line.lines import fit
from mg_provider.rehearsal.show.changes import change_lines
from mg_provider.rehearsal.state.properties import Value, masked
from mg_provider.rehearsal.state.steps import Step, Summary
from mg_provider.rehearsal.state.urns import ROOT_TYPE, name_of, type_of

_SIGNS: Final = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    "read": ">",
    "refresh": "~",
    "same": " ",
}
_COLOURS: Final = {"+": "green", "++": "green", "~": "yellow", "-": "red", "--": "red", "+-": "magenta"}
_PAST: Final = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "create-replacement": "created as replacement",
    "delete-replaced": "deleted, since it was replaced",
    "read": "read",
    "read-replacement": "read instead",
    "refresh": "refreshed",
    "same": "unchanged",
}
_NOTED: Final = {"update": "changed in the cloud", "delete": "gone from the cloud", "same": "as the state has it"}
_INDENT: Final = "     "
_EXCEPTION: Final = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?([A-Z]\w*): ", re.MULTILINE)


class Display:
    """Prints what happens to a deployment.

    Args:
        console: where to print; colours only on a terminal.
        clock: for how long an operation took.
        preview: whether nothing is done.
    """

    def __init__(self, console: Console, clock: Clock, *, preview: bool = False) -> None:
        self._console = console
        self._preview = preview
        self._clock = clock
        self._begun: dict[tuple[str, str], float] = {}
        self._status = console.status("", spinner="dots") if console.is_terminal else None

    def started(self, step: Step) -> None:
        """Remember when it began; a terminal shows what is running."""
        if not step.internal and step.operation not in ("same", "replace"):
            self._begun[step.operation, step.urn] = self._clock.monotonic()
            self._show_running()

    def _show_running(self) -> None:
        if not self._status:
            return
        running = [f"{operation} {name_of(urn)}" for operation, urn in self._begun]
        self._status.update(escape(", ".join(running)))
        # A run that is refused has no summary; the terminal's cursor must not stay hidden then.
        self._status.start() if running else self._status.stop()

    def ended(self, step: Step) -> None:
        """One line for each change."""
        operation = step.result or step.operation
        begun = self._begun.pop((step.operation, step.urn), self._clock.monotonic())
        self._show_running()
        if step.internal or step.operation == "same" or (step.operation == "refresh" and operation == "same"):
            return
        if self._preview and not step.logical:
            return
        seconds = self._clock.monotonic() - begun
        words = _NOTED[operation] if step.operation == "refresh" else _count_word(operation, self._preview)
        self._line(step, words, f" ({seconds:.0f} s)" if seconds >= 1 else "")

    def failed(self, step: Step, message: str) -> None:
        """One line; the error follows as a diagnostic."""
        self._begun.pop((step.operation, step.urn), None)
        self._line(step, f"{step.operation} failed", "")

    def _line(self, step: Step, words: str, end: str) -> None:
        sign = _SIGNS.get(step.result or step.operation, " ")
        colour = _COLOURS.get(sign, "default")
        because = f" [replaces: {', '.join(step.keys)}]" if step.keys and step.operation == "replace" else ""
        label = f"{_short_type(step.urn)} {name_of(step.urn)}"
        lines = (f"[{colour}]{sign:>2}[/] {escape(f'{label}: {words}{end}{because}')}", *_changed(step))
        self._console.print("\n".join(lines), highlight=False, soft_wrap=True)

    def diagnostic(self, severity: str, message: str, urn: str) -> None:
        """What the program, a provider or the engine has to say."""
        if severity == "debug":
            return
        text = headline(message) if severity == "error" else message
        about = f"{name_of(urn)}: " if urn and type_of(urn) != ROOT_TYPE else ""
        if text.startswith(about):
            about = ""
        prefix = {"error": "[red]error:[/] ", "warning": "[yellow]warning:[/] "}.get(severity, "   ")
        self._console.print(prefix + escape(self._fit(about + text)), highlight=False, soft_wrap=True)

    def _fit(self, text: str) -> str:
        """Prose with lines that fit below each other, where a terminal shows it."""
        return fit(f"   {text}", self._console.width if self._console.is_terminal else None)[3:]

    def summary(self, summary: Summary) -> None:
        """The counts and, if something was done, the stack's outputs."""
        if self._status:
            self._status.stop()
        counted = [f"{count} {_count_word(name, summary.preview)}" for name, count in summary.changes.items()]
        state = "done" if summary.ok else "interrupted" if summary.interrupted else "failed"
        what = ", ".join(counted) or "nothing to do"
        self._console.print(f"{state} in {summary.seconds:.0f} s: {what}", highlight=False)
        if summary.outputs and not summary.preview:
            self._console.print("outputs:", highlight=False)
            for line in _entries(dict(sorted(summary.outputs.items())), "  "):
                self._console.print(escape(line), highlight=False, soft_wrap=True)


def headline(message: str) -> str:
    """An error text with what matters first: a provider's traceback begins with how it got there."""
    if not message.lstrip().startswith("Traceback"):
        return message
    # What was raised follows the last frame; its own text may have several lines.
    raised = _EXCEPTION.search(message, message.rfind('\n  File "') + 1)
    return f"{message[raised.end() :].strip()}\n{message.rstrip()}" if raised else message


def _changed(step: Step) -> Iterator[str]:
    for line in change_lines(step, _INDENT):
        colour = _COLOURS.get(line.removeprefix(_INDENT)[:1], "default")
        yield f"[{colour}]{escape(line)}[/]"


def _short_type(urn: str) -> str:
    return type_of(urn).rsplit(":", 1)[-1]


def _count_word(operation: str, preview: bool) -> str:
    if operation == "same":
        return "unchanged"
    return f"to {operation}" if preview else _PAST.get(operation, operation)


def _entries(value: Value, indent: str) -> Iterator[str]:
    """The entries of a mapping or a list, each on a line of its own, whatever is in them below."""
    shown = masked(value)
    labels = [f"{key}:" for key in shown] if isinstance(shown, dict) else ["-"] * len(shown)
    for label, entry in zip(labels, shown.values() if isinstance(shown, dict) else shown, strict=True):
        if isinstance(entry, dict | list) and entry:
            yield f"{indent}{label}"
            yield from _entries(entry, f"{indent}  ")
        else:
            yield f"{indent}{label} {entry if isinstance(entry, str) else json.dumps(entry)}"
