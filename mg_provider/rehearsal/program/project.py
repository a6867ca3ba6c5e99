"""A Pulumi project as far as a rehearsal needs it: Pulumi.yaml, the stack's config, the program."""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from mg_provider.rehearsal.errors import RehearsalError

_URL: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_NETWORK_SCHEMES: Final = ("http", "https", "grpc", "grpcs", "ws", "wss")
_ENDPOINT_NAMESPACES: Final = ("mg", "gcp")


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
    """

    name: str
    stack: str
    root: Path
    program: Path
    python: str
    config: dict[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    organization: str = "organization"

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
    directory: Path, stack: str, config: dict[str, str] | None = None, secrets: dict[str, str] | None = None
) -> Project:
    """Read the project in a folder, with the config of one stack.

    Args:
        directory: the folder of Pulumi.yaml.
        stack: the stack's name.
        config: values that win over those of the stack's file, by full key.
        secrets: the same, for values that are secret; given in clear.

    Raises:
        RehearsalError: something is missing or cannot be rehearsed.
    """
    root = directory.resolve()
    document = _read_yaml(root / "Pulumi.yaml")
    given = document.get("runtime")
    runtime: dict[str, Any] = given if isinstance(given, dict) else {"name": given}
    if runtime.get("name") != "python":
        raise RehearsalError(f"{root / 'Pulumi.yaml'}: runtime is {given}; only python programs can be rehearsed")
    name = str(document["name"])
    program = (root / document["main"]).resolve() if document.get("main") else root
    if not program.exists():
        raise RehearsalError(f"{root / 'Pulumi.yaml'}: main is {document['main']}, which does not exist")
    values = _stack_config(root, document, name, stack) | (config or {}) | (secrets or {})
    refuse_remote_endpoints(values)
    return Project(
        name, stack, root, program, _python(root, runtime.get("options") or {}), values, frozenset(secrets or {})
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise RehearsalError(f"{path} does not exist; run this in the folder of a Pulumi project")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise RehearsalError(f"{path} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise RehearsalError(f"{path} holds no mapping")
    return document


def _stack_config(root: Path, document: dict[str, Any], name: str, stack: str) -> dict[str, str]:
    """The config of a stack; defaults of Pulumi.yaml fill what the stack leaves open."""
    folder = root / (document.get("stackConfigDir") or document.get("config_dir") or "")
    path = folder / f"Pulumi.{stack}.yaml"
    values: dict[str, str] = {}
    for key, value in (document.get("config") or {}).items():
        default = value.get("value", value.get("default")) if isinstance(value, dict) else value
        if default is not None:
            values[_full_key(key, name)] = _text(default)
    for key, value in ((_read_yaml(path).get("config") if path.exists() else None) or {}).items():
        full = _full_key(key, name)
        if isinstance(value, dict) and "secure" in value:
            raise RehearsalError(
                f"{path}: {key} is encrypted, and a rehearsal has no key. Give the rehearsal a stack of its own, with "
                "a harmless value in clear"
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
    virtualenv = options.get("virtualenv")
    if virtualenv:
        candidate = root / virtualenv / "bin" / "python"
        if not candidate.exists():
            raise RehearsalError(f"Pulumi.yaml names the virtualenv {virtualenv}, but {candidate} does not exist")
        return str(candidate)
    return sys.executable


def refuse_remote_endpoints(config: dict[str, str]) -> None:
    """A rehearsal talks to this machine only: every address in the config must be a loopback one."""
    endpoints = []
    for key, value in config.items():
        namespace, _, name = key.partition(":")
        is_endpoint = name.endswith("CustomEndpoint")
        if is_endpoint and namespace in _ENDPOINT_NAMESPACES:
            endpoints.append(key)
        is_network = bool(_URL.match(value)) and urlsplit(value).scheme.lower() in _NETWORK_SCHEMES
        if (is_endpoint or is_network) and not is_loopback(value):
            raise RehearsalError(
                f"config {key} is {value}, which is not on this machine; a rehearsal talks to loopback addresses only"
            )
    uses_cloud = any(key.partition(":")[0] in _ENDPOINT_NAMESPACES for key in config)
    if uses_cloud and not endpoints:
        raise RehearsalError(
            "the stack configures Google Cloud (mg: or gcp:) but no custom endpoint, so it would reach the real one. "
            "Start `mg emulator` and set mg:vertexAiCustomEndpoint and the other custom endpoints to its address"
        )


def is_loopback(address: str) -> bool:
    """Whether an URL or ``host:port`` lies on this machine."""
    try:
        host = urlsplit(address if _URL.match(address) else f"//{address}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
