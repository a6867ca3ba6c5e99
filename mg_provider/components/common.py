"""What the components share: pulumi-gcp where it is installed, the configured project, errors in words."""

from __future__ import annotations

import importlib
import os
import re
import warnings
from typing import Any, Final, NoReturn

import pulumi

from mg_provider.api.http.settings import NAMESPACES, PROJECT, PROJECT_VARIABLE
from mg_provider.preflight.empty_values import EMPTY, FILL_OR_REMOVE, empty_paths
from mg_provider.resources.dynamic.spelling import run_error

TYPE_PREFIX: Final = "mg:components:"
_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DNS_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
"""A DNS name without the dot at its end."""


def google(module: str, name: str) -> Any:
    """A class or function of pulumi-gcp, imported when it is first needed: that takes seconds.

    Raises:
        RunError: pulumi-gcp is not installed.
    """
    try:
        with warnings.catch_warnings():
            # pulumi-gcp warns of its own old classes whenever it is imported.
            warnings.simplefilter("ignore", DeprecationWarning)
            # It also puts off its imports until an attribute is asked for.
            return getattr(importlib.import_module(f"pulumi_gcp.{module}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pulumi_gcp":
            raise
        refuse("pulumi-gcp", "is not installed", "install mg-provider[gcp], or pass a network that is there already")


def configured_project(given: str | None) -> str:
    """The project id: the given one, else that of ``mg:project``, ``gcp:project`` or GOOGLE_CLOUD_PROJECT.

    Raises:
        RunError: there is none.
    """
    project = given or default_project()
    if not project:
        refuse("project", "is not known", "pass project, or `pulumi config set mg:project my-project`")
    return project


def default_project() -> str | None:
    """The project of resources that name none, as far as configuration and environment tell."""
    configured = (pulumi.Config(space).get(PROJECT) for space in NAMESPACES)
    return next((value for value in configured if value), None) or os.environ.get(PROJECT_VARIABLE)


def project_number_of(parent: pulumi.Resource, project: str) -> pulumi.Output[str]:
    """The number of a project, looked up in previews too. IAM: ``resourcemanager.projects.get``."""
    options = pulumi.InvokeOptions(parent=parent)
    found = google("organizations", "get_project_output")(project_id=project, opts=options)
    number: pulumi.Output[str] = found.number
    return number


def refuse(what: str, problem: str, remedy: str) -> NoReturn:
    """End the program with an error in words, before anything is made.

    Raises:
        RunError: always.
    """
    raise run_error(f"{what} {problem}", remedy)


def refuse_empty(what: str, **given: Any) -> None:
    """End the program where a value inside one of the arguments is None.

    Raises:
        RunError: with the first of them.
    """
    if empty := next(empty_paths({key: value for key, value in given.items() if value is not None}), None):
        raise run_error(f"{what}: {empty.removeprefix('.')} {EMPTY}", FILL_OR_REMOVE)


def child_options(
    parent: pulumi.Resource, *, beside: pulumi.Resource | None = None, **more: Any
) -> pulumi.ResourceOptions:
    """Options of a part of a component; one that stood in the program by itself before is taken over, not replaced.

    Args:
        parent: The component.
        beside: What the component itself is a part of; a part of it that stood there is taken over as well.
        more: Other options.
    """
    places = [pulumi.ROOT_STACK_RESOURCE, *([beside] if beside is not None else [])]
    return pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(parent=place) for place in places], **more)
