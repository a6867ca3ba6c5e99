"""What Pulumi runs: the environment of this stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi

from mg_provider.components.common import default_project
from mg_provider.environment.arguments import doubts, sections
from mg_provider.environment.environment import Environment
from mg_provider.environment.program import Program, secret
from mg_provider.environment.reading import LEFT_EMPTY, QUICKSTART, SPACE, ConfigError, left_empty, quickstart, read
from mg_provider.yaml_file import read_yaml


def run() -> None:
    """Declare what the configuration of this stack names.

    Raises:
        RunError: the configuration is wrong.
    """
    try:
        Program(configured()).run()
    except ConfigError as error:
        raise pulumi.RunError(str(error)) from None


def configured() -> Environment:
    """The environment of this stack: under the project's own name, or under the one that the files here have.

    Raises:
        ConfigError: there is none, or something in it is wrong.
    """
    own = pulumi.get_project()
    space = next((space for space in (own, SPACE) if pulumi.Config(space).get("environment") is not None), own)
    key = f"{space}:environment"
    if pulumi.Config(space).get("environment") in LEFT_EMPTY:
        raise ConfigError(left_empty(key))
    value = pulumi.Config(space).get_object("environment") or quickstart(pulumi.Config().get, own)
    if value is None:
        raise ConfigError(f"{key}: is required, or all of {', '.join(QUICKSTART)}: set it as in stacks/config")
    environment = read(value, key, default_project() or "", _config_folder())
    if missing := list(_missing_secrets(environment, key)):
        raise ConfigError("\n".join(missing))
    for doubt in doubts(environment):
        pulumi.log.warn(f"{key}.{doubt.path}: {doubt.text}")
    return environment


def _missing_secrets(environment: Environment, key: str) -> Iterator[str]:
    for path, section in sections(environment):
        for argument in section.secrets():
            name = (section.argument(argument) or {}).get("config")
            if name and secret(name) is None:
                hint = f"run `pulumi config set --secret {name}`"
                yield f"{key}.{path}.{argument}: the config key {name} has no value: {hint}"


def _config_folder() -> Path:
    """The folder of the stack's config file."""
    root = Path(pulumi.get_root_directory())
    return root / str(read_yaml(root / "Pulumi.yaml").get("stackConfigDir") or "")
