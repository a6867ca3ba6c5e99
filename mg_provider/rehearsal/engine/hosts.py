"""Which provider serves which provider resource: a process, or a stand-in in this one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from mg_provider.rehearsal.engine.calls import ProviderCalls
from mg_provider.rehearsal.engine.stack_references import BUILTIN_PACKAGE, BuiltinProvider
from mg_provider.rehearsal.errors import WITH_PULUMI, RehearsalError, StepError
from mg_provider.rehearsal.google.stand_in import GOOGLE_PACKAGE, GoogleStandIn
from mg_provider.rehearsal.program.pickles import SERIALIZED, is_own_class
from mg_provider.rehearsal.program.project import (
    EMULATOR,
    Project,
    endpoints,
    refuse_remote_endpoints,
    require_endpoint,
    uses_cloud,
)
from mg_provider.rehearsal.program.providers import ProviderHost
from mg_provider.rehearsal.program.surroundings import Surroundings
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties, Secret, Unknown, contains, revealed
from mg_provider.rehearsal.state.urns import PACKAGE, is_default_provider, package_of, reference_of, urn_of_reference

REHEARSED = (PACKAGE, GOOGLE_PACKAGE, BUILTIN_PACKAGE)
ONLY_REHEARSED = f"use the packages {', '.join(REHEARSED)} only, or {WITH_PULUMI}"
"""The packages that a rehearsal can run."""

# What the engine itself adds to the inputs of a provider resource; no config.
ENGINE_INPUTS = ("version", "pluginDownloadURL", "__internal")

_FITTING, _FEW = 1024, 16


@dataclass(frozen=True)
class Provider:
    """A provider, and whether its config is fully known (in a preview it may not be)."""

    host: ProviderCalls
    known: bool


class Hosts:
    """The provider processes of a deployment, by provider reference.

    One process is started ahead, since nearly every deployment needs one and importing Pulumi takes half a second.

    Args:
        surroundings: whose resources the providers manage.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._providers: dict[str, Provider] = {}
        self._started: list[ProviderHost] = []
        self._spare: ProviderHost | None = None
        self._lock = threading.RLock()
        self._address = ""

    def prepare(self, engine_address: str) -> None:
        """Say where the engine listens, and start a process ahead."""
        with self._lock:
            self._address = engine_address
            self._spare = self._start()

    def load(self, urn: str, identifier: str, inputs: Properties) -> None:
        """Start and configure the process of a provider resource."""
        arguments = self._on_this_cloud(urn, config_of(inputs))
        known = not contains(arguments, Unknown)
        if known:
            text = {key: value for key, value in revealed(arguments).items() if isinstance(value, str)}
            try:
                refuse_remote_endpoints(text)
                require_endpoint(text)
            except RehearsalError as error:
                raise StepError(error.summary, hint=str(error.hint)) from error
        host = self._host(package_of(urn))
        if known:
            host.configure(arguments)
        with self._lock:
            self._providers[reference_of(urn, identifier)] = Provider(host, known)

    def _on_this_cloud(self, urn: str, arguments: Properties) -> Properties:
        """The config of a provider resource, with the emulator of this run.

        What a default provider has in the state is the stack's config of an earlier run, whose emulator may have had
        another port.
        """
        emulator = self._surroundings.project.config.get(EMULATOR)
        if emulator is None:
            return arguments
        if is_default_provider(urn):
            set_aside = endpoints(arguments)
            own = {key: self._surroundings.project.config[key] for key in endpoints(self._surroundings.project.config)}
            kept = {key: value for key, value in arguments.items() if key not in set_aside}
            return kept | (own if set_aside else {})
        return arguments | ({EMULATOR: emulator} if uses_cloud(arguments) and not endpoints(arguments) else {})

    def provider(self, reference: str) -> Provider:
        """The process for a provider reference; for one of the previous deployment, with the config it had then."""
        with self._lock:
            if reference not in self._providers:
                urn = urn_of_reference(reference)
                for state in self._surroundings.snapshot.base:
                    if state.urn == urn and reference_of(urn, state.id) == reference:
                        self.load(urn, state.id, state.inputs)
                        break
                else:
                    raise StepError(
                        f"the provider {reference} is neither in the program nor in the state",
                        hint="run `mg rehearse up` with the program that has it",
                    )
            return self._providers[reference]

    def stop(self) -> None:
        """End all processes."""
        for host in self._started:
            host.stop()

    def kill(self) -> None:
        """End all processes at once."""
        for host in self._started:
            host.kill()

    def _host(self, package: str) -> ProviderCalls:
        """The provider of a package. StepError for one that is not rehearsed."""
        if package == GOOGLE_PACKAGE:
            return GoogleStandIn(self._surroundings)
        if package == BUILTIN_PACKAGE:
            return BuiltinProvider(self._surroundings)
        if package != PACKAGE:
            raise StepError(f"the package {package} is not rehearsed", hint=ONLY_REHEARSED)
        with self._lock:
            host, self._spare = self._spare or self._start(), None
        return host

    def _start(self) -> ProviderHost:
        surroundings = self._surroundings
        expected = _serialized_providers(surroundings.snapshot.base)
        host = ProviderHost(surroundings.project, self._address, expected, surroundings.say)
        self._started.append(host)
        return host


def _serialized_providers(states: Iterable[ResourceState]) -> list[str]:
    """The providers of a state that are classes of this package, which alone are loaded before a call needs them."""
    found = (state.inputs.get(SERIALIZED) for state in states)
    short = dict.fromkeys(text for text in found if isinstance(text, str) and len(text) <= _FITTING)
    return [text for text in short if is_own_class(text)][:_FEW]


def config_of(inputs: Properties) -> Properties:
    """What of a provider resource's inputs is config for the provider."""
    return {key: value for key, value in inputs.items() if key not in ENGINE_INPUTS}


def default_inputs(project: Project, package: str) -> Properties:
    """The stack's config as a default provider gets it: all of it, or that of its own namespace."""
    config: Properties = {
        key: Secret(value) if key in project.secret_keys else value for key, value in sorted(project.config.items())
    }
    if package == PACKAGE:
        return config
    own = f"{package}:"
    return {key.removeprefix(own): value for key, value in config.items() if key.startswith(own)}
