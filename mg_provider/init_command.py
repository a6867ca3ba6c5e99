"""`mg init`: a small project of one's own, from the same templates that `pulumi new` takes."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

import yaml

from mg_provider.clock import SystemClock
from mg_provider.command_line.called import mg_command
from mg_provider.command_line.errors import Refusal
from mg_provider.spelling import did_you_mean
from mg_provider.version import __version__
from mg_provider.yaml_file import read_yaml

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
Template = Literal["private", "public", "batch", "fleet"]
STACK: Final = "dev"
ENVIRONMENT: Final = ".venv"
# Where `requirements.txt` of each template looks for the wheel.
WHEELS: Final = "wheels"

Write = Callable[[str], object]


@dataclass(frozen=True)
class NewProject:
    """The files of a project, before any is written.

    Args:
        template: Which of the templates.
        folder: Where the project goes.
        config: Values for the keys that the template asks for, by its keys; the others get their defaults, and
            ``mg:owner`` one that no other project has.
    """

    template: Template
    folder: Path
    config: Mapping[str, str]

    @property
    def name(self) -> str:
        """The project's name: the folder's, as far as Pulumi takes it."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.folder.resolve().name).strip("-.") or "models"

    @property
    def source(self) -> Path:
        """The folder of the template."""
        return TEMPLATES / self.template

    @property
    def keys(self) -> dict[str, Any]:
        """The keys that the template asks for, each with its description and default."""
        asked: dict[str, Any] = read_yaml(self.source / "Pulumi.yaml")["template"]["config"]
        return asked

    @cached_property
    def description(self) -> str:
        """What the template says that it has."""
        return str(read_yaml(self.source / "Pulumi.yaml")["template"]["description"])

    def files(self) -> dict[str, bytes]:
        """Path below the folder to content."""
        found = {}
        for path in sorted(self.source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                text = path.read_text(encoding="utf-8")
                text = text.replace("${PROJECT}", self.name).replace("${DESCRIPTION}", self.description)
                found[path.relative_to(self.source).as_posix()] = text
        # What only `pulumi new` reads.
        found["Pulumi.yaml"] = found["Pulumi.yaml"].partition("template:")[0]
        found[f"Pulumi.{STACK}.yaml"] = self._stack()
        contents = {name: text.encode() for name, text in found.items()}
        source = installed_from()
        if source and source.is_file():
            contents[f"{WHEELS}/{source.name}"] = source.read_bytes()
        return contents

    @cached_property
    def _owner(self) -> str:
        """What ``mg:owner`` is where nobody says it: that of no other project."""
        return f"{self.name}-{SystemClock().request_id()[:8]}"

    def _stack(self) -> str:
        values = {
            key if ":" in key else f"{self.name}:{key}": self.config.get(key, asked.get("default", self._owner))
            for key, asked in self.keys.items()
        }
        return yaml.safe_dump({"config": values}, sort_keys=False)


def installed_from() -> Path | None:
    """The wheel or the clone that this package was installed from; None if it came from a package index.

    An installer records it (PEP 610). The wheel may be gone since.
    """
    try:
        recorded = distribution("mg-provider").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    address = urlsplit(json.loads(recorded)["url"] if recorded else "")
    return Path(unquote(address.path)) if address.scheme == "file" else None


def run(
    template: Template,
    folder: Path,
    *,
    config: Mapping[str, str] | None = None,
    write: Write | None = None,
) -> None:
    """Write a project. A file that is there already is never changed: then nothing is written.

    Args:
        template: Which of the templates.
        folder: Where the project goes; it is made if it does not exist.
        config: Values for the keys that the template asks for.
        write: Takes what to do next; by default it is printed.

    Raises:
        Refusal: files are in the way or cannot be written, or the template does not know a key.
    """
    write = write or sys.stdout.write
    project = NewProject(template, folder, config or {})
    unknown = sorted(set(project.config) - set(project.keys))
    if unknown:
        raise Refusal(f"the template {template} has no key {unknown[0]}", hint=did_you_mean(unknown[0], project.keys))
    files = project.files()
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise Refusal(
            f"{folder} already has {', '.join(there)}; nothing was written",
            hint=f"give another directory, as in `mg init {shlex.quote(_free(folder))}`, or move these files away",
        )
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        has_environment = _link_environment(folder)
    except OSError as error:
        place = error.filename or folder
        raise Refusal(f"{place} cannot be written: {error.strerror}", hint="give another directory") from error
    write(_next(project, list(files), has_environment))


def _free(folder: Path) -> str:
    """A directory that does not exist yet, named after one that does."""
    begin = str(folder) if folder.name else "my-model"
    return next(name for number in itertools.count(2) if not Path(name := f"{begin}-{number}").exists())


def _link_environment(folder: Path) -> bool:
    """Let the project run in the environment that mg runs in, unless it has one. True if it has one now."""
    place = folder / ENVIRONMENT
    if place.exists():
        return True
    if sys.prefix == sys.base_prefix:
        return False
    place.symlink_to(sys.prefix, target_is_directory=True)
    return True


def _next(project: NewProject, files: list[str], has_environment: bool) -> str:
    folder = project.folder
    lines = [f"{project.name}: {project.description}", "", *(f"  {name}" for name in files)]
    if (folder / ENVIRONMENT).is_symlink():
        lines.append(f"  {ENVIRONMENT}, a link to the environment that mg runs in")
    steps = [] if folder.resolve() == Path().resolve() else [f"cd {shlex.quote(str(folder))}"]
    wheel = _bring_wheel() if not any(name.startswith(f"{WHEELS}/") for name in files) else []
    if not has_environment:
        steps += [*wheel, f"python3 -m venv {ENVIRONMENT}", f"{ENVIRONMENT}/bin/pip install -r requirements.txt"]
    mg = mg_command(ENVIRONMENT)
    steps += [f"{mg} rehearse up", f"{mg} review --engine rehearsal --stack {STACK}"]
    lines += ["", "Try it on this machine, without a cloud account:", "", *(f"  {step}" for step in steps)]
    if wheel and has_environment:
        lines += ["", "Give the project the wheel, which its pipelines install:", "", *(f"  {step}" for step in wheel)]
    lines += [
        "",
        f"Then set your project in Pulumi.{STACK}.yaml, and run it on Google Cloud:",
        "",
        f"  pulumi stack init {STACK}",
        "  pulumi up",
    ]
    return "\n".join((*lines, ""))


def _bring_wheel() -> list[str]:
    """The commands that put the wheel into the project; none if a package index has it."""
    source = installed_from()
    if source is None:
        return []
    if source.is_dir():
        made = source / "dist" / f"mg_provider-{__version__}-py3-none-any.whl"
        return [f"make -C {shlex.quote(str(source))} build", f"mkdir {WHEELS} && cp {shlex.quote(str(made))} {WHEELS}/"]
    return [f"mkdir {WHEELS} && cp {shlex.quote(source.name)} {WHEELS}/    # from where your copy is"]
