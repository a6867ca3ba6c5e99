"""`mg import`: what it reads, and what it writes. Nothing in the cloud is changed."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.exits import FAILED, FINE, USAGE
from mg_provider.command_line.lines import columns_of, fit
from mg_provider.importing import endpoints, jobs, rules
from mg_provider.importing.endpoints import Kind
from mg_provider.importing.finding import Found, Location, find, require_place
from mg_provider.importing.imported import Draft, Imported, settle
from mg_provider.importing.listing import lines, missing
from mg_provider.importing.program import import_file, program_text
from mg_provider.importing.stack_state import names_in_state
from mg_provider.importing.wanted import Wanted, read_wanted
from mg_provider.resources.model.lifecycle import Context
from mg_provider.wire.compute import ForwardingRule
from mg_provider.wire.vertex.endpoint import Endpoint

Write = Callable[[str], object]
_WIDTH = 80


@dataclass(frozen=True)
class Options:
    """How things are imported, and where what is written goes.

    Attributes:
        kind: The resource that endpoints are to be; None for the one that fits.
        owner: organization/project/stack whose labels they may carry, as after a lost state.
        file: The import file.
        output: The program's file; None for standard output.
        overwrite: Whether files that exist are replaced.
        state: A stack's state, whose names are taken; empty for none.
    """

    kind: Kind | None = None
    owner: str = ""
    file: Path = Path("import.json")
    output: Path | None = None
    overwrite: bool = False
    state: str = ""


def import_things(
    resources: Sequence[str],
    options: Options,
    config: Mapping[str, str],
    *,
    write: Write | None = None,
    complain: Write | None = None,
) -> int:
    """Read what was made elsewhere, and write the import file and the program.

    Args:
        resources: Resource names, ids or names for people, each perhaps as NAME=RESOURCE.
        options: How, and where to.
        config: Settings by full config key.
        write: Takes the program; by default it is printed.
        complain: Takes what is said about it; by default it goes to stderr.

    Returns:
        0 if all are there, 1 if one cannot be imported and nothing was written, 2 if an argument is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        wanted = [read_wanted(text) for text in resources]
        _refuse_files(options)
        taken = names_in_state(options.state)[1] if options.state else set()
        with _connected(config, complain) as (context, place):
            imported, failures = _all(wanted, place, options, taken, context)
    except MgError as error:
        return end_with(error, complain)
    for failure in failures:
        if len(wanted) > 1:
            failure.exists.append("no file was written, and nothing was changed")
        complain(f"error: {failure}\n")
    if failures:
        return USAGE if all(isinstance(failure, UserError) for failure in failures) else FAILED
    _write(options.file, import_file(imported))
    if options.output:
        _write(options.output, program_text(imported))
    else:
        write(program_text(imported))
    for line in _report(imported, options):
        complain(f"{line}\n")
    return FINE


def list_things(
    state: str, config: Mapping[str, str], *, write: Write | None = None, complain: Write | None = None
) -> int:
    """List what is there and is not in the stack.

    Returns:
        0, or 1 if Google could not be asked, 2 if an argument is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        known = names_in_state(state)[0] if state else set()
        with _connected(config, complain) as (context, place):
            require_place(place)
            columns = columns_of(sys.stdout) if write == sys.stdout.write else None
            for line in lines(missing(place, known, context), place, state):
                write(fit(f"{line}\n", columns))
    except MgError as error:
        return end_with(error, complain)
    return FINE


class _connected:
    """The clients for a command, closed at its end."""

    def __init__(self, config: Mapping[str, str], complain: Write) -> None:
        self._clock = SystemClock()
        self._settings = Settings.from_config(config.get, os.environ)
        self._complain = complain

    def __enter__(self) -> tuple[Context, Location]:
        self._clients = Clients.from_settings(self._settings, self._clock)
        context = Context(
            clock=self._clock,
            clients=self._clients,
            progress=self._say,
            cancelled=lambda: False,
        )
        return context, Location(self._settings.project or "", self._settings.region or "")

    def _say(self, text: str) -> None:
        self._complain(f"{text}\n")

    def __exit__(self, *_: object) -> None:
        self._clients.close()


def _all(
    wanted: Sequence[Wanted], place: Location, options: Options, taken: set[str], context: Context
) -> tuple[list[Imported], list[MgError]]:
    """Each of what is asked for, and what kept others from being imported."""
    imported: list[Imported] = []
    failures: list[MgError] = []
    for each in wanted:
        try:
            found = find(each, place, context)
            if any(other.found.path == found.path for other in imported):
                continue
            used = {*taken, *(other.name for other in imported)}
            name = _name(found, used)
            imported.append(settle(_draft(found, options.kind, context), found, name, options.owner, context))
        except MgError as error:
            failures.append(error)
    return imported, failures


def _draft(found: Found, kind: Kind | None, context: Context) -> Draft:
    if isinstance(found.thing, Endpoint):
        return endpoints.draft_of(endpoints.look(found, context), found, kind)
    if isinstance(found.thing, ForwardingRule):
        return rules.draft_of(found, context)
    return jobs.draft_of(found, context)


def _name(found: Found, used: set[str]) -> str:
    """The resource's name in the program.

    Raises:
        UserError: The user chose one that is taken.
    """
    if found.name:
        if found.name in used:
            raise UserError(f"{found.name} is the name of another resource", hint="give each a name of its own")
        return found.name
    shown = "" if isinstance(found.thing, ForwardingRule) else found.thing.display_name or ""
    base = re.sub(r"[^a-z0-9]+", "-", shown.lower()).strip("-")[:50].rstrip("-")
    base = base if base[:1].isalpha() else found.id if found.id[:1].isalpha() else f"imported-{found.id}"
    return next(name for name in (base, f"{base}-{found.id}"[:100]) if name not in used)


def _refuse_files(options: Options) -> None:
    for path in (options.file, options.output):
        if path is not None and path.exists() and not options.overwrite:
            raise UserError(f"{path} exists", hint="give another name, or --overwrite")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", hint="choose another place") from error


def _report(imported: Sequence[Imported], options: Options) -> Iterator[str]:
    """What was written, and what comes next."""
    yield f"{options.file}: {len(imported)} to import. Nothing in the cloud was changed."
    for each in imported:
        yield f"  {each.name}: {each.kind} of"
        yield f"      {each.found.path}"
        for note in each.notes:
            yield from _wrapped(note, "      ")
    yield "next:"
    program = f"use {options.output}" if options.output else "put the program text into your program"
    yield f"  1. {program}"
    yield f"  2. pulumi import --file {options.file} --protect=false --generate-code=false"
    yield f"     offline: mg rehearse import --file {options.file}"
    moving = [each.name for each in imported if not each.owned and each.kind != "BatchJob"]
    if moving:
        text = f"preview: it shows `+ owner` on {', '.join(moving)}, as the next `up` puts this stack's labels on; "
        yield from _wrapped(f"3. {text}nothing else changes", "  ", "     ")
    else:
        yield "  3. preview: it has nothing to do"


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )
