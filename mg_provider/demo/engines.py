"""The two engines that the demo can run on: Pulumi's own, and the rehearsal engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import yaml

from mg_provider.demo.narrator import NotAsClaimedError

STACK = "demo"
_TYPE_PREFIX = "pulumi-python:dynamic/mg:"
Say = Callable[[str], None]


class Workspace:
    """A folder with a copy of the program, so that the demo writes nothing into the clone.

    Args:
        folder: Where to work.
        source: The folder of Pulumi.yaml and stacks/.
    """

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self._config_file = folder / "stacks" / "config" / f"Pulumi.{STACK}.yaml"
        shutil.copytree(source / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
        project = yaml.safe_load((source / "Pulumi.yaml").read_text(encoding="utf-8"))
        # The program runs in the environment that runs the demo.
        project["runtime"]["options"] = {"virtualenv": sys.prefix}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")

    @property
    def config(self) -> dict[str, Any]:
        """The stack's configuration."""
        return cast("dict[str, Any]", yaml.safe_load(self._config_file.read_text(encoding="utf-8"))["config"])

    @config.setter
    def config(self, values: dict[str, Any]) -> None:
        self._config_file.write_text(yaml.safe_dump({"config": values}, sort_keys=False), encoding="utf-8")


class Engine(ABC):
    """Runs the program of a workspace."""

    name: str

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @abstractmethod
    def up(self, say: Say) -> None:
        """Change the stack to match the program."""

    def failing_up(self, say: Say) -> str:
        """Run an ``up`` that is to fail; returns what it said.

        Raises:
            NotAsClaimedError: It went well.
        """
        said: list[str] = []

        def heard(text: str) -> None:
            said.append(text)
            say(text)

        try:
            self.up(heard)
        except NotAsClaimedError as failure:
            return "\n".join((*said, str(failure)))
        raise NotAsClaimedError("up was expected to fail, and succeeded")

    @abstractmethod
    def preview(self) -> dict[str, Any]:
        """What ``up`` would do, as the digest of ``pulumi preview --json``."""

    @abstractmethod
    def destroy(self, say: Say) -> None:
        """Delete everything."""

    @abstractmethod
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""

    @abstractmethod
    def commands(self) -> list[str]:
        """Shell lines with which a user goes on working on the stack."""


class RehearsalEngine(Engine):
    """The engine that comes with this project: the real SDK and the real provider host, offline."""

    name = "the rehearsal engine that comes with mg; no pulumi command is needed"

    @property
    def state_file(self) -> Path:
        """Where the stack's state is."""
        return self.workspace.folder / "state.json"

    def up(self, say: Say) -> None:
        """Change the stack to match the program."""
        self._run("up", _story_only(say))

    def preview(self) -> dict[str, Any]:
        """What ``up`` would do."""
        pieces: list[str] = []
        self._run("preview", pieces.append, as_json=True)
        return cast("dict[str, Any]", json.loads("".join(pieces)))

    def destroy(self, say: Say) -> None:
        """Delete everything."""
        self._run("destroy", _story_only(say))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, from its state."""
        state = json.loads(self.state_file.read_text(encoding="utf-8"))
        resources = state["deployment"]["resources"]
        stack = next(resource for resource in resources if resource["type"] == "pulumi:pulumi:Stack")
        return cast("dict[str, Any]", stack["outputs"])

    def commands(self) -> list[str]:
        """The commands of ``mg rehearse``."""
        options = f"--stack {STACK} --state {self.state_file} {self.workspace.folder}"
        return [f"mg rehearse {operation} {options}" for operation in ("preview", "refresh", "up", "destroy")]

    def _run(self, operation: str, say: Say, *, as_json: bool = False) -> None:
        from mg_provider.rehearsal.command import rehearse

        code = rehearse(cast(Any, operation), STACK, self.workspace.folder, self.state_file, as_json=as_json, write=say)
        if code != 0:
            raise NotAsClaimedError(f"{operation} ended with exit code {code}")


def _story_only(say: Say) -> Say:
    """The story shows the outputs itself, and what the provider process says about itself belongs in a log."""
    ended = False

    def write(text: str) -> None:
        nonlocal ended
        ended = ended or text.startswith("outputs:")
        if not ended and not text.lstrip().startswith(("mg: ", "cloud: ")):
            say(text)

    return write


class PulumiEngine(Engine):
    """The ``pulumi`` command, with a backend and a home in the workspace's folder: no account is needed."""

    name = "the pulumi command on PATH, with a backend in a temporary folder"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        (workspace.folder / "backend").mkdir()
        self._environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{workspace.folder / 'backend'}",
            "PULUMI_HOME": str(workspace.folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Pulumi's own default is four for each processor, and deployments wait more than they compute.
            "PULUMI_PARALLEL": "128",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self._call("stack", "init", STACK)

    def up(self, say: Say) -> None:
        """Change the stack to match the program."""
        self._watch(say, "up", "--yes", "--skip-preview", "--suppress-outputs")

    def preview(self) -> dict[str, Any]:
        """What ``up`` would do."""
        return cast("dict[str, Any]", json.loads(self._call("preview", "--json", "--stack", STACK)))

    def destroy(self, say: Say) -> None:
        """Delete everything."""
        self._watch(say, "destroy", "--yes", "--skip-preview", "--suppress-outputs")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return cast("dict[str, Any]", json.loads(self._call("stack", "output", "--json", "--stack", STACK)))

    def commands(self) -> list[str]:
        """The commands of ``pulumi``, after the environment that they need."""
        names = ("PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE")
        environment = "export " + " ".join(f"{name}='{self._environment[name]}'" for name in names)
        options = f"--stack {STACK} --cwd {self.workspace.folder}"
        return [
            environment,
            *(f"pulumi {operation} {options}" for operation in ("preview", "refresh", "up", "destroy")),
        ]

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - the command that the user has on PATH
            [_pulumi(), *arguments, "--non-interactive"],
            cwd=self.workspace.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotAsClaimedError(
                f"pulumi {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def _watch(self, say: Say, *arguments: str) -> None:
        """Run a command and pass on its lines about resources."""
        command = [_pulumi(), *arguments, "--stack", STACK, "--non-interactive", "--color", "never"]
        lines: list[str] = []
        with subprocess.Popen(  # noqa: S603 - the command that the user has on PATH
            command,
            cwd=self.workspace.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                if shown := _text_of(line):
                    say(shown)
        if process.returncode != 0:
            raise NotAsClaimedError(f"pulumi {arguments[0]} failed:\n{''.join(lines[-40:])}")


def _text_of(line: str) -> str | None:
    """What a line of pulumi's output says of our resources, in short; None if it says nothing of them."""
    if "pulumi:pulumi:Stack" in line:
        _, found, progress = line.rstrip().partition(" mg ")
        return f"    mg {progress}" if found else None
    return line.replace(_TYPE_PREFIX, "") if _TYPE_PREFIX in line else None


def _pulumi() -> str:
    path = shutil.which("pulumi")
    if path is None:
        raise NotAsClaimedError("there is no pulumi command on PATH; `--engine rehearsal` needs none")
    return path


def choose(name: str | None, workspace: Workspace) -> Engine:
    """The engine of this name; without one, Pulumi's own where it is on PATH."""
    if name is None:
        name = "pulumi" if shutil.which("pulumi") else "rehearsal"
    return PulumiEngine(workspace) if name == "pulumi" else RehearsalEngine(workspace)
