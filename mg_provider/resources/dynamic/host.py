"""The one place that knows Pulumi's dynamic protocol and its quirks.

``DynamicProvider`` turns the protocol's dicts into a lifecycle's models and back. Numbers arrive as floats, ``None``
vanishes, unknown values arrive as objects, ``diff`` does not get the old inputs, and a failed create is forgotten
unless the host is asked to keep it: all of that is settled here.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from mg_provider.api.errors import MgError, ProviderBug, UserError
from mg_provider.api.http.settings import HOST_THREADS, Settings
from mg_provider.api.redaction import redact
from mg_provider.clock import Clock, SystemClock
from mg_provider.loopback import is_loopback
from mg_provider.preflight.empty_values import LEFT_EMPTY, empty_paths
from mg_provider.resources.dynamic import engine_link, internals
from mg_provider.resources.model.args import Args, Problem, State
from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.lifecycle import CloudArgs, Context, Defaults, Incomplete, Lifecycle
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, mapped

if TYPE_CHECKING:
    from mg_provider.api.clients import Clients

HOST_THREADS_KEY = f"mg:{HOST_THREADS}"
DEFAULT_HOST_THREADS = 128
# A line for each change of phase, and while a phase lasts at most one in this time.
PROGRESS_SECONDS = 30.0
# What every stack on a self-managed backend has as its organization, whoever made it.
SELF_MANAGED = "organization/"

R = TypeVar("R")


class _Process:
    """What the calls of one host process share: the clock, the configuration, the pooled connections."""

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self._lock = threading.Lock()
        self._clients: Clients | None = None
        self._settings: Settings | None = None
        self._config: Callable[[str], str | None] = lambda key: None
        self._watched = False

    def configure(self, config: Callable[[str], str | None]) -> None:
        """Take the stack's configuration; the host calls this once for each kind of resource."""
        with self._lock:
            self._config = config
            self._settings = None
            self._clients = None
            if not self._watched:
                engine_link.end_with_the_engine()
                self._watched = True
        internals.find_server()
        threads = _host_threads(config(HOST_THREADS_KEY))
        if threads > 0 and (reached := internals.widen(threads)) is not None and reached != _reached.count:
            _reached.count = reached
            engine_link.log_debug(f"mg: this provider process serves up to {reached} calls at once")

    def settings(self) -> Settings:
        """The configuration as typed settings.

        Raises:
            UserError: A value is not usable.
        """
        with self._lock:
            if self._settings is None:
                self._settings = Settings.from_config(self._config, os.environ)
            return self._settings

    def clients(self) -> Clients:
        """The API clients, made when first needed: programs that only register resources never load them."""
        from mg_provider.api.clients import Clients

        settings = self.settings()
        with self._lock:
            if self._clients is None:
                self._clients = Clients.from_settings(settings, self.clock)
            return self._clients


def _host_threads(value: str | None) -> int:
    try:
        threads = DEFAULT_HOST_THREADS if value is None else int(float(value))
    except (ValueError, OverflowError):
        threads = -1
    if threads < 0:
        raise UserError(
            f"{value!r} is not a number of calls",
            property=HOST_THREADS_KEY,
            hint=f"write how many calls to serve at once, 0 for Pulumi's own limit; default {DEFAULT_HOST_THREADS}",
        )
    return threads


class _Reached:
    count = 0


_reached = _Reached()
_process = _Process()


def say(line: str) -> None:
    """One line of progress, which may quote Google. The engine shows what a provider writes to stderr."""
    sys.stderr.write(redact(line) + "\n")
    sys.stderr.flush()


class _Progress:
    """Says each change of phase at once and repeats a lasting one now and then."""

    def __init__(self, label: str, clock: Clock) -> None:
        self._label, self._clock = label, clock
        self._phase: str | None = None
        self._started = clock.monotonic()
        self._said = 0.0

    def __call__(self, phase: str) -> None:
        now = self._clock.monotonic()
        if phase == self._phase and now - self._said < PROGRESS_SECONDS:
            return
        self._phase, self._said = phase, now
        age = int(now - self._started)
        since = f" ({age // 60}m{age % 60:02d}s)" if age else ""
        say(f"mg {self._label}: {phase}{since}")


class DynamicProvider(ResourceProvider):
    """Serves one kind of resource to the engine.

    The class itself is what Pulumi serializes, so that a stack's state holds its dotted path and nothing else: hence
    class methods where the protocol has methods.
    """

    serialize_as_secret_always = False
    lifecycle: ClassVar[type[Lifecycle[Any, Any]]]

    @classmethod
    def configure(cls, req: ConfigureRequest) -> None:
        """Take the stack's configuration."""

        def get(key: str) -> str | None:
            value = req.config.get(key)
            return None if value is None else str(value)

        cls._outermost("configure", {}, lambda: _process.configure(get))

    @classmethod
    def check(cls, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the arguments and fill in what is deterministic, so that previews know it. No network."""
        return cls._outermost("check", news, lambda: cls._check(_olds, news))

    @classmethod
    def diff(cls, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What a change would do, by the marks on the arguments. No network."""
        return cls._outermost("diff", _news, lambda: cls._diff(_olds, _news))

    @classmethod
    def create(cls, props: dict[str, Any]) -> CreateResult:
        """Make the resource, or go on with what an earlier run began."""
        return cls._outermost("create", props, lambda: cls._create(props))

    @classmethod
    def read(cls, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the cloud has; an empty answer only on not-found."""
        return cls._outermost("read", props, lambda: cls._read(id_, props))

    @classmethod
    def update(cls, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make the changes on the running resource."""
        return cls._outermost("update", _news, lambda: cls._update(_id, _olds, _news))

    @classmethod
    def delete(cls, _id: str, _props: dict[str, Any]) -> None:
        """Remove the resource; gone already is fine."""
        cls._outermost("delete", _props, lambda: cls._delete(_id, _props))

    @classmethod
    def _check(cls, olds: Mapping[str, Any], news: dict[str, Any]) -> CheckResult:
        lifecycle = cls.lifecycle()
        old = cls._args(olds) if without_provider(olds) else None
        settings = _process.settings()
        given = from_engine(news)
        if empty := left_empty(news):
            return CheckResult(news, [CheckFailure(problem.property, problem.reason) for problem in empty])
        if path := _program_path(old):
            given["program_path"] = path
        emulated = is_loopback(settings.compute_custom_endpoint or "")
        args, problems = lifecycle.check(given, old, Defaults(settings.project, settings.region, emulated))
        if not problems and old is None and lifecycle.looks(args):
            args, problems = cls._look(given, args)
        if problems:
            return CheckResult(news, [CheckFailure(problem.property, problem.reason) for problem in problems])
        return CheckResult(to_engine(args.encode()), [])

    @classmethod
    def _look(cls, given: Mapping[str, Any], args: Any) -> tuple[Any, list[Problem]]:
        try:
            context = cls._context(args)
        except MgError as error:
            say(f"mg {cls._label(args)}: could not check what the creation would take over: {error.summary}")
            return args, []
        return cls.lifecycle().look(given, args, context)

    @classmethod
    def _diff(cls, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        lifecycle = cls.lifecycle()
        (old, state), new = cls._kept(olds), cls._args(news)
        lifecycle.shown(old, state)
        lifecycle.refuse(old, new, state)
        changes = compare(old, new)
        if not changes:
            return DiffResult(changes=not lifecycle.settled(new, state))
        # "Unknown" lets the engine compare the inputs and show the reviewer which property changes from what to what.
        return DiffResult(
            changes=None,
            replaces=sorted(changes.replaces),
            delete_before_replace=bool(changes.replaces) and lifecycle.delete_first(old, new),
        )

    @classmethod
    def _create(cls, props: Mapping[str, Any]) -> CreateResult:
        args = cls._args(props)
        id_, state = cls.lifecycle().create(args, cls._context(args))
        return CreateResult(id_, outputs(args, state))

    @classmethod
    def _read(cls, id_: str, props: Mapping[str, Any]) -> ReadResult:
        args, state = cls._kept(props)
        reading = cls.lifecycle().read(id_, args, state, cls._context(args))
        if reading is None:
            return ReadResult(None, {})
        return ReadResult(id_, outputs(reading.args, reading.state), to_engine(reading.args.encode()))

    @classmethod
    def _update(cls, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        (old, state), new = cls._kept(olds), cls._args(news)
        updated = cls.lifecycle().update(id_, old, state, new, compare(old, new), cls._context(new))
        return UpdateResult(outputs(new, updated))

    @classmethod
    def _delete(cls, id_: str, props: Mapping[str, Any]) -> None:
        args, state = cls._kept(props)
        cls.lifecycle().delete(id_, args, state, cls._context(args))

    @classmethod
    def _args(cls, props: Mapping[str, Any]) -> Any:
        return cls.lifecycle.args_type.recall(from_engine(props))

    @classmethod
    def _kept(cls, props: Mapping[str, Any]) -> tuple[Any, Any]:
        """Arguments and outputs, of which a stack's state has one mapping."""
        kept = from_engine(props)
        return cls.lifecycle.args_type.recall(kept), cls.lifecycle.state_type.decode(kept)

    @classmethod
    def _label(cls, args: CloudArgs) -> str:
        return f"{cls.__name__.removesuffix('Provider')} {args.resource}"

    @classmethod
    def _context(cls, args: CloudArgs) -> Context:
        call = internals.current_call()
        return Context(
            clock=_process.clock,
            clients=_process.clients(),
            progress=_Progress(cls._label(args), _process.clock),
            cancelled=internals.is_stopping,
            timeout=call.timeout if call else None,
            owner_is_certain=_process.settings().owner is not None or not args.owner.startswith(SELF_MANAGED),
        )

    @classmethod
    def _outermost(cls, method: str, props: Mapping[str, Any], work: Callable[[], R]) -> R:
        """Run a call; what goes wrong in it reaches the user as words."""
        try:
            return work()
        except MgError as error:
            error.resource = error.resource or str(props.get("resource") or "")
            cls._fail(error, kept=error if isinstance(error, Incomplete) else None)
        except Exception as error:  # noqa: BLE001 - the outermost frame: a bug of ours must name itself
            name = cls.__name__.removesuffix("Provider")
            bug = ProviderBug(redact(f"{name}.{method} failed: {type(error).__name__}: {error}"))
            cls._fail(bug, details=redact(traceback.format_exc()))

    @classmethod
    def _fail(cls, error: MgError, *, kept: Incomplete | None = None, details: str = "") -> NoReturn:
        text = "\n".join(part for part in (str(error), details) if part)
        call = internals.current_call()
        if call is None:
            raise error
        if kept is not None:
            properties = {
                **outputs(kept.arguments, kept.state),
                "__provider": serialized(cls),
            }
            call.keep_in_state(kept.id, properties, str(error))
        call.say_only(text)
        raise error


def _program_path(old: CloudArgs | None) -> str:
    """The resource's place in the program, from its URN; empty for one that exists and never wrote it down."""
    call = internals.current_call()
    known = old is None or bool(old.program_path)
    return call.program_path if call is not None and known else ""


def without_provider(props: Mapping[str, Any]) -> dict[str, Any]:
    """The properties without the serialized provider."""
    return {key: value for key, value in props.items() if key != "__provider"}


def left_empty(news: Mapping[str, Any]) -> list[Problem]:
    """The values inside arguments that are null; an argument that is null as a whole is one that was not given."""
    given = {key: value for key, value in without_provider(news).items() if value is not None}
    return [Problem(path.removeprefix("."), LEFT_EMPTY) for path in empty_paths(given)]


def from_engine(props: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as the engine sends them to plain Python: whole numbers as int, unknowns as ours."""
    return {key: _from_engine(value) for key, value in without_provider(props).items() if value is not None}


def _from_engine(value: Any) -> Any:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _from_engine(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_from_engine(entry) for entry in value]
    return value


def to_engine(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain Python to properties for the engine."""
    return {key: mapped(value, _to_engine) for key, value in values.items()}


def _to_engine(value: Any) -> Any:
    return pulumi.output.Unknown() if isinstance(value, Unknown) else value  # type: ignore[no-untyped-call]


def outputs(args: Args, state: State) -> dict[str, Any]:
    """What the stack's state holds of a resource: its arguments and what the cloud said."""
    return to_engine({**args.encode(), **state.encode()})


def serialized(provider: type[DynamicProvider]) -> str:
    """The provider as a stack's state has it, under ``__provider``: its dotted path and nothing else."""
    text: str = pulumi.dynamic.dynamic.serialize_provider(provider)
    return text
