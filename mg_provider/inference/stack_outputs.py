"""An endpoint among the outputs of a stack: asked of the ``pulumi`` command, or read from a state file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.settings import NAMESPACES
from mg_provider.api.names import ENDPOINT_NAME
from mg_provider.api.redaction import excerpt
from mg_provider.data.engine_values import SECRET_SIGNATURE, SIGNATURE_KEY
from mg_provider.yaml_file import NotReadable, read_yaml

# How Pulumi marks a secret in a state file, and how its command shows one.
_MASK = "[secret]"
_ADDRESSES = ("address", "ip_address")
_DNS = ("dns", "dedicated_endpoint_dns")
# URLs and curl lines, which stacks export too, only hold one.
_NAME = re.compile(ENDPOINT_NAME)


@dataclass(frozen=True)
class StackEndpoint:
    """What a stack says of an endpoint.

    Attributes:
        endpoint: Resource name or id.
        dns: Its own public name, or empty.
        address: Its private address, or None.
        model_id: What chat requests name as ``model`` according to the stack, or empty.
        config: The stack's settings of this provider, by full config key; secret ones are left out.
    """

    endpoint: str
    dns: str = ""
    address: str | None = None
    model_id: str = ""
    config: Mapping[str, str] = field(default_factory=dict)


def read_stack(stack: str, output: str | None, program: Path, state: Path | None) -> StackEndpoint:
    """The endpoint that an output names.

    Args:
        stack: Name of the stack.
        output: Path to the output, such as ``endpoints.chat``; None where there is but one.
        program: Folder of Pulumi.yaml.
        state: State file; without it the ``pulumi`` command is asked, or what a rehearsal left is read.

    Raises:
        UserError: There is no such stack, output or endpoint in it.
        MgError: The command failed.
    """
    project = _yaml(program / "Pulumi.yaml")
    # A name may say organization and project as well; files are named after its last part.
    file_name = stack.rpartition("/")[2]
    rehearsed = program / ".mg" / "rehearsal" / str(project.get("name", "")) / f"{file_name}.json"
    outputs = _outputs(stack, program, state, rehearsed)
    value, name = (_find(outputs, output), output) if output else _only(outputs, stack)
    config = settings_in(program, file_name)
    if isinstance(value, str) and value and value != _MASK:
        return StackEndpoint(value, config=config)
    if not isinstance(value, Mapping) or not _text(value, ("endpoint", "endpoint_id")):
        raise UserError(
            f"{name} is neither the name of an endpoint nor an object with one",
            property="output",
            hint=f"name one of: {', '.join(found for found, _ in _endpoints(outputs)) or 'there is none'}",
        )
    return StackEndpoint(
        endpoint=_text(value, ("endpoint", "endpoint_id")),
        dns=_text(value, _DNS),
        address=_text(value, _ADDRESSES) or None,
        model_id=_text(value, ("model_id",)),
        config=config,
    )


def _outputs(stack: str, program: Path, state: Path | None, rehearsed: Path) -> dict[str, Any]:
    if state is not None:
        return _from_state(state)
    command = shutil.which("pulumi")
    if command:
        return _from_command(command, stack, program)
    if rehearsed.is_file():
        return _from_state(rehearsed)
    raise UserError(
        f"the outputs of stack {stack} cannot be read: there is no pulumi command on PATH",
        property="stack",
        hint="install pulumi, or name a state file: `pulumi stack export` and `mg rehearse` write one",
    )


def _from_command(command: str, stack: str, program: Path) -> dict[str, Any]:
    asked = ["stack", "output", "--json", "--stack", stack, "--cwd", str(program), "--non-interactive"]
    done = subprocess.run([command, *asked], capture_output=True, text=True, check=False)  # noqa: S603 - on PATH
    if done.returncode != 0:
        raise MgError(
            f"`pulumi stack output` failed: {excerpt(done.stderr.strip() or done.stdout.strip())}",
            resource=stack,
            hint="log in to the stack's backend, and check its name",
        )
    outputs: dict[str, Any] = json.loads(done.stdout or "{}")
    return outputs


def _from_state(file: Path) -> dict[str, Any]:
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        resources = state["deployment"].get("resources") or []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{file} is not a state file ({type(error).__name__})",
            property="state",
            hint="name what `pulumi stack export` or `mg rehearse` wrote",
        ) from error
    stacks = [each for each in resources if each["type"] == "pulumi:pulumi:Stack"]
    outputs: dict[str, Any] = _masked((stacks[0].get("outputs") if stacks else None) or {})
    return outputs


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return _MASK
        return {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _find(outputs: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a key may have dots of its own."""
    if path in outputs:
        return outputs[path]
    for key, value in outputs.items():
        if path.startswith(f"{key}.") and isinstance(value, Mapping):
            return _find(value, path.removeprefix(f"{key}."))
    raise UserError(
        f"there is no output {path}",
        property="output",
        hint=f"name one of: {', '.join(name for name, _ in _endpoints(outputs)) or ', '.join(outputs) or 'none'}",
    )


def _only(outputs: Mapping[str, Any], stack: str) -> tuple[Any, str]:
    found = list(_endpoints(outputs))
    if len(found) == 1:
        return found[0][1], found[0][0]
    names = ", ".join(name for name, _ in found)
    raise UserError(
        f"stack {stack} has {len(found) or 'no'} outputs with an endpoint",
        property="output",
        hint=f"name one of: {names}" if found else "export one: pulumi.export('chat', model.endpoint)",
    )


def _endpoints(outputs: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in outputs.items():
        if isinstance(value, Mapping) and _text(value, ("endpoint",)):
            yield f"{path}{key}", value
        elif isinstance(value, Mapping):
            yield from _endpoints(value, f"{path}{key}.")
        elif isinstance(value, str) and _NAME.fullmatch(value):
            yield f"{path}{key}", value


def _text(value: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if isinstance(text := value.get(name), str) and text and text != _MASK), "")


def settings_in(program: Path, stack: str) -> dict[str, str]:
    """The settings of this provider that are not secret: the project's, and over them the stack's.

    Args:
        program: The folder of Pulumi.yaml; without one there are no settings.
        stack: The stack's name.

    Raises:
        UserError: One of the files is not YAML.
    """
    project = _yaml(program / "Pulumi.yaml")
    folder = program / str(project.get("stackConfigDir") or "")
    own = _yaml(folder / f"Pulumi.{stack}.yaml").get("config")
    given = {
        key: value for each in (project.get("config"), own) if isinstance(each, dict) for key, value in each.items()
    }
    plain = {key: value.get("value") if isinstance(value, Mapping) else value for key, value in given.items()}
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in plain.items()
        if value is not None and key.partition(":")[0] in NAMESPACES
    }


def _yaml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return read_yaml(file)
    except NotReadable as error:
        raise UserError(error.summary, property="program", hint=str(error.hint)) from error
