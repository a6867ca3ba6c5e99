"""`mg init`: a small project of one's own, from the same templates that `pulumi new` takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from mg_provider.command_line.called import mg_command
from mg_provider.command_line.exits import FAILED, FINE, USAGE
from mg_provider.yaml_file import read_yaml

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
Template = Literal["private", "public", "batch", "fleet"]
STACK: Final = "dev"
ENVIRONMENT: Final = ".venv"


Write = Callable[[str], object]


@dataclass(frozen=True)
class NewProject:
    """The files of a project, before any is written.

    Args:
        template: Which of the templates.
        folder: Where the project goes.
        config: Values for the keys that the template asks for, by its keys; the others get their defaults.
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

    def files(self) -> dict[str, str]:
        """Path below the folder to content."""
        description = read_yaml(self.source / "Pulumi.yaml")["template"]["description"]
        found = {}
        for path in sorted(self.source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                text = path.read_text(encoding="utf-8")
                text = text.replace("${PROJECT}", self.name).replace("${DESCRIPTION}", description)
                found[path.relative_to(self.source).as_posix()] = text
        # What only `pulumi new` reads.
        found["Pulumi.yaml"] = found["Pulumi.yaml"].partition("template:")[0]
        found[f"Pulumi.{STACK}.yaml"] = self._stack()
        return found

    def _stack(self) -> str:
        values = {
            key if ":" in key else f"{self.name}:{key}": self.config.get(key, asked["default"])
            for key, asked in self.keys.items()
        }
        return yaml.safe_dump({"config": values}, sort_keys=False)


def run(
    template: Template,
    folder: Path,
    *,
    config: Mapping[str, str] | None = None,
    write: Write | None = None,
    complain: Write | None = None,
) -> int:
    """Write a project. A file that is there already is never changed: then nothing is written.

    Args:
        template: Which of the templates.
        folder: Where the project goes; it is made if it does not exist.
        config: Values for the keys that the template asks for.
        write: Takes what to do next; by default it is printed.
        complain: Takes what is wrong; by default it goes to stderr.

    Returns:
        0; 1 if files are in the way or cannot be written, 2 if the template does not know a key.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    project = NewProject(template, folder, config or {})
    unknown = sorted(set(project.config) - set(project.keys))
    if unknown:
        complain(f"error: the template {template} has no key {unknown[0]}\ndo: use one of {', '.join(project.keys)}\n")
        return USAGE
    files = project.files()
    there = [name for name in files if (folder / name).exists()]
    if there:
        complain(
            f"error: {folder} already has {', '.join(there)}; nothing was written\n"
            "do: give another directory, as in `mg init my-model`, or move these files away\n"
        )
        return FAILED
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        linked = _link_environment(folder)
    except OSError as error:
        complain(f"error: {error.filename or folder} cannot be written: {error.strerror}\ndo: give another directory\n")
        return FAILED
    write(_next(project, linked))
    return FINE


def _link_environment(folder: Path) -> bool:
    """Let the project run in the environment that mg runs in, unless it has one. True if it has one now."""
    place = folder / ENVIRONMENT
    if place.exists():
        return True
    if sys.prefix == sys.base_prefix:
        return False
    place.symlink_to(sys.prefix, target_is_directory=True)
    return True


def _next(project: NewProject, has_environment: bool) -> str:
    folder = project.folder
    inside = folder.resolve() == Path().resolve()
    lines = [f"{project.name}: {read_yaml(project.source / 'Pulumi.yaml')['template']['description']}", ""]
    lines += [f"  {name}" for name in project.files()]
    if (folder / ENVIRONMENT).is_symlink():
        lines.append(f"  {ENVIRONMENT}, a link to the environment that mg runs in")
    steps = [] if inside else [f"cd {folder}"]
    if not has_environment:
        steps += [f"python3 -m venv {ENVIRONMENT}", f"{ENVIRONMENT}/bin/pip install -r requirements.txt"]
    mg = mg_command(ENVIRONMENT)
    steps += [f"{mg} rehearse up", f"{mg} review --engine rehearsal --stack {STACK}"]
    lines += ["", "Try it on this machine, without a cloud account:", "", *(f"  {step}" for step in steps)]
    lines += [
        "",
        f"Then set your project in Pulumi.{STACK}.yaml, and run it on Google Cloud:",
        "",
        f"  pulumi stack init {STACK}",
        "  pulumi up",
    ]
    return "\n".join((*lines, ""))
