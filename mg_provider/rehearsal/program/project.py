"""A Pulumi project as far as a rehearsal needs it: Pulumi.yaml, the stack's config, the program."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from mg_provider.command_line.stacks import refuse_unknown_stack
from mg_provider.loopback import is_loopback
from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.yaml_file import read_yaml

T = TypeVar("T")

EMULATOR: Final = "mg:emulator"
"""Config key: the address of an emulator, which stands for every endpoint that is not set."""

OWNER: Final = "mg:owner"
"""Config key: whose stack it is, where organizations have no names."""

OPTION: Final = "--emulator"
"""The option that gives that address instead."""

_URL: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_NETWORK_SCHEMES: Final = ("http", "https", "grpc", "grpcs", "ws", "wss")
_ENDPOINT_NAMESPACES: Final = ("mg", "gcp")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_KINDS: Final[dict[type, str]] = {str: "a text", dict: "a mapping"}
# It travels in one environment variable, which the kernel lets have 131,072 bytes.
_LONGEST_CONFIG: Final = 50_000
_PATIENCE: Final = 5.0


@dataclass(frozen=True)
class Project:
    """One stack of one project.

    Args:
        name: the project's name.
        stack: the stack's name.
        root: the folder of Pulumi.yaml.
        program: the folder or file to run.
        python: the interpreter for the program and its providers.
        config: config values by full key (``namespace:key``); objects as JSON text.
        secret_keys: which of them are secret.
        organization: the organization the stack is said to be in, as with Pulumi's file backend.
        emulator_from: what says where its emulator is: a config key, an option or an environment variable.
    """

    name: str
    stack: str
    root: Path
    program: Path
    python: str
    config: dict[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    organization: str = "organization"
    emulator_from: str = EMULATOR

    @property
    def working_directory(self) -> Path:
        """Where the program and its providers run."""
        return self.program if self.program.is_dir() else self.program.parent

    @property
    def default_state_file(self) -> Path:
        """Where the state is unless the user says otherwise."""
        return self.root / ".mg" / "rehearsal" / self.name / f"{self.stack}.json"

    @property
    def root_urn(self) -> str:
        """The URN of the stack itself."""
        return f"urn:pulumi:{self.stack}::{self.name}::pulumi:pulumi:Stack::{self.name}-{self.stack}"


def load_project(
    directory: Path,
    stack: str,
    config: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    emulator: str | None = None,
    emulator_from: str = OPTION,
) -> Project:
    """Read the project in a folder, with the config of one stack.

    Args:
        directory: the folder of Pulumi.yaml.
        stack: the stack's name.
        config: values that win over those of the stack's file, by full key.
        secrets: the same, for values that are secret; given in clear.
        emulator: address of an emulator, instead of whatever endpoints the config has.
        emulator_from: what gave that address.

    Raises:
        RehearsalError: something is missing or cannot be rehearsed.
    """
    root = directory.resolve()
    path = root / "Pulumi.yaml"
    document = _read_yaml(path)
    given = document.get("runtime")
    runtime: dict[str, Any] = given if isinstance(given, dict) else {"name": given}
    if runtime.get("name") != "python":
        raise RehearsalError(
            f"{path}: runtime is {given!r:.80}, and only python programs can be rehearsed",
            hint="write `runtime: python`, or run this program with `pulumi` itself",
        )
    name = _plain_name(document.get("name"), f"{path}: name", "a project")
    stack = _plain_name(stack, "--stack", "a stack")
    main = _entry(document, path, "main", str)
    program = (root / main).resolve() if main else root
    if not program.exists():
        raise RehearsalError(f"{path}: main is {main}, which does not exist", hint="name the program's file or folder")
    over = (config or {}) | (secrets or {})
    values = _stack_config(root, document, name, stack, needed=not over) | over
    if emulator:
        set_aside = endpoints(values)
        values = {key: value for key, value in values.items() if key not in set_aside} | {EMULATOR: emulator}
    if sum(len(key) + len(value) for key, value in values.items()) > _LONGEST_CONFIG:
        raise RehearsalError(
            f"the config of {stack} has more than {_LONGEST_CONFIG:,} characters",
            hint="move what is long into a file that the program reads",
        )
    source = emulator_from if emulator else EMULATOR
    refuse_remote_endpoints(values, source)
    options = _entry(runtime, path, "options", dict) or {}
    secret = frozenset(secrets or {})
    return Project(name, stack, root, program, _python(root, options), values, secret, emulator_from=source)


def _plain_name(name: object, place: str, what: str) -> str:
    """A name that is part of a path and of a URN."""
    if isinstance(name, str) and _NAME.fullmatch(name) and name.strip("."):
        return name
    raise RehearsalError(
        f"{place} is {name!r:.80}, which is not the name of {what}",
        hint="write letters, digits, hyphens, underscores and periods, at most 100",
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise RehearsalError(
            f"{path} does not exist", hint="run this in the folder of a Pulumi project, or make one with `mg init`"
        )
    return read_yaml(path)


def _entry(document: dict[str, Any], path: Path, key: str, kind: type[T]) -> T | None:
    """An entry of a YAML file that must be of a kind, if it is there."""
    value = document.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise RehearsalError(f"{path}: {key} is {value!r:.80}, which is not {_KINDS[kind]}", hint=f"write {_KINDS[kind]}")


def _stack_config(root: Path, document: dict[str, Any], name: str, stack: str, *, needed: bool) -> dict[str, str]:
    """The config of a stack; defaults of Pulumi.yaml fill what the stack leaves open."""
    project = root / "Pulumi.yaml"
    folder = _entry(document, project, "stackConfigDir", str) or _entry(document, project, "config_dir", str) or ""
    path = root / folder / f"Pulumi.{stack}.yaml"
    values: dict[str, str] = {}
    for key, value in (_entry(document, project, "config", dict) or {}).items():
        default = value.get("value", value.get("default")) if isinstance(value, dict) else value
        if default is not None:
            values[_full_key(key, name)] = _text(default)
    if needed:
        refuse_unknown_stack(path, stack)
    stacks = _entry(_read_yaml(path), path, "config", dict) if path.exists() else None
    for key, value in (stacks or {}).items():
        full = _full_key(key, name)
        if isinstance(value, dict) and "secure" in value:
            raise RehearsalError(
                f"{path}: {key} is encrypted, and a rehearsal has no key",
                hint="give the rehearsal a stack of its own, with a harmless value in clear",
            )
        values[full] = _text(value)
    return values


def _full_key(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def _python(root: Path, options: dict[str, Any]) -> str:
    virtualenv = _entry(options, root / "Pulumi.yaml", "virtualenv", str)
    if virtualenv:
        candidate = root / virtualenv / "bin" / "python"
        if not candidate.exists():
            raise RehearsalError(
                f"Pulumi.yaml names the virtualenv {virtualenv}, but {candidate} does not exist",
                hint=f"make it with `python3 -m venv {virtualenv}` and install requirements.txt into it",
            )
        return str(candidate)
    return sys.executable


def refuse_remote_endpoints(config: dict[str, str], emulator_from: str = EMULATOR) -> None:
    """A rehearsal talks to this machine only: every address in the config must be a loopback one."""
    for key, value in config.items():
        is_endpoint = key.endswith("CustomEndpoint") or key == EMULATOR
        is_network = bool(_URL.match(value)) and value.partition("://")[0].lower() in _NETWORK_SCHEMES
        if (is_endpoint or is_network) and not is_loopback(value):
            raise RehearsalError(
                f"{emulator_from if key == EMULATOR else key} is {value}, which is not on this machine",
                hint="write an address of this machine, such as http://127.0.0.1:8085: a rehearsal talks to no other",
            )


def uses_cloud(config: Mapping[str, object]) -> bool:
    """Whether a config has anything to say of Google Cloud."""
    return any(key.partition(":")[0] in _ENDPOINT_NAMESPACES for key in config)


def endpoints(config: Mapping[str, object]) -> list[str]:
    """The keys that say where the cloud of a config is; none where it would be the real one."""
    named = (key for key in config if key.endswith("CustomEndpoint") and key.partition(":")[0] in _ENDPOINT_NAMESPACES)
    return [*([EMULATOR] if EMULATOR in config else []), *named]


def require_endpoint(config: dict[str, str]) -> None:
    """Refuse a config that leads to the real cloud."""
    if uses_cloud(config) and not endpoints(config):
        raise RehearsalError(
            "the stack configures Google Cloud (mg: or gcp:) but no custom endpoint, so it would reach the real one",
            hint=f"start `mg emulator` and set {EMULATOR} to its address",
        )


def require_answer(project: Project) -> None:
    """Refuse to begin on an emulator that does not run: each call would wait for it, and then fail."""
    url = project.config.get(EMULATOR)
    if url is None:
        return
    try:
        place = urlsplit(url)
        socket.create_connection((place.hostname or "", place.port or 80), _PATIENCE).close()
    except (OSError, ValueError) as error:
        raise RehearsalError(
            f"no emulator answers at {url} ({project.emulator_from})",
            hint="start one there with `mg emulator`, or leave the address out: the stack then has one of its own",
        ) from error
