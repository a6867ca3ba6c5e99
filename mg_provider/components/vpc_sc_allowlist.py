"""``VpcScAllowlist``: which projects may connect to private endpoints, held against the perimeter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.components.common import TYPE_PREFIX, child_options, google, project_number_of, refuse, refuse_empty
from mg_provider.resources.dynamic.spelling import KnownArguments

_PROJECT_ID = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_PERIMETER = re.compile(r"accessPolicies/\d+/servicePerimeters/[A-Za-z][A-Za-z0-9_]*")


class VpcScAllowlist(pulumi.ComponentResource, metaclass=KnownArguments):
    """One list of consumer projects for all endpoints, checked before anything is made.

    A service perimeter holds project numbers, an endpoint's allowlist wants bare project ids; this knows both.

    IAM: with ``perimeter``, ``accesscontextmanager.servicePerimeters.get`` and ``resourcemanager.projects.get``; with
    ``add_to_perimeter`` also ``accesscontextmanager.servicePerimeters.update``.

    Args:
        name: Name of the resource.
        projects: Consumer projects, by id or ``projects/{id}``.
        perimeter_projects: Ids of the projects that are in the perimeter. Checked at once, without the network.
        perimeter: ``accessPolicies/{policy}/servicePerimeters/{name}``, asked for its projects, in previews too.
        add_to_perimeter: Those of ``projects`` that this stack puts into ``perimeter``, and takes out when it goes.
        opts: Pulumi's options.

    Attributes:
        project_ids: Bare ids, each once, in the order given; plain values.
        project_allowlist: The same as output, which fails where a project is outside of ``perimeter``.

    Raises:
        RunError: the list is empty, a project id is not valid, or it is outside of the perimeter.
    """

    project_ids: list[str]
    project_allowlist: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        projects: Sequence[str],
        perimeter_projects: Sequence[str] | None = None,
        perimeter: str | None = None,
        add_to_perimeter: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "VpcScAllowlist", name, None, opts)
        lists = {"projects": projects, "perimeter_projects": perimeter_projects, "add_to_perimeter": add_to_perimeter}
        refuse_empty(f"VpcScAllowlist {name}", **lists)
        check_allowlist(projects, perimeter_projects, perimeter, add_to_perimeter)
        self.project_ids = project_ids(projects)
        adding = project_ids(add_to_perimeter) if add_to_perimeter else []
        self.project_allowlist = pulumi.Output.from_input(self.project_ids)
        if perimeter and perimeter_projects is None:
            self.project_allowlist = self._checked(name, perimeter, adding)
        for project in adding:
            self._add(name, perimeter or "", project)
        self.register_outputs({"project_allowlist": self.project_allowlist})

    def _checked(self, name: str, perimeter: str, adding: list[str]) -> pulumi.Output[Sequence[str]]:
        """The ids, once the perimeter has been asked whether it has their numbers."""
        perimeters = google("accesscontextmanager", "ServicePerimeter")
        found = perimeters.get(f"{name}-perimeter", perimeter, opts=pulumi.ResourceOptions(parent=self))
        asked = [project for project in self.project_ids if project not in adding]
        numbers = [project_number_of(self, project) for project in asked]

        def check(values: Sequence[Any]) -> Sequence[str]:
            status, *found_numbers = values
            inside = set(_resources(status))
            for project, number in zip(asked, found_numbers, strict=True):
                if f"projects/{number}" not in inside:
                    _outside(f"{project} (number {number})", perimeter)
            return self.project_ids

        return pulumi.Output.all(found.status, *numbers).apply(check)

    def _add(self, name: str, perimeter: str, project: str) -> None:
        google("accesscontextmanager", "ServicePerimeterResource")(
            f"{name}-{project}",
            perimeter_name=perimeter,
            resource=project_number_of(self, project).apply(lambda number: f"projects/{number}"),
            opts=child_options(self),
        )


def check_allowlist(
    projects: Sequence[str],
    perimeter_projects: Sequence[str] | None,
    perimeter: str | None,
    add_to_perimeter: Sequence[str],
) -> None:
    """Refuse an allowlist that is known not to work, without the network.

    Raises:
        RunError: with what is wrong.
    """
    listed, adding = project_ids(projects), project_ids(add_to_perimeter) if add_to_perimeter else []
    if adding and not perimeter:
        refuse("add_to_perimeter", "needs perimeter", "give accessPolicies/{policy}/servicePerimeters/{name}")
    if perimeter and not _PERIMETER.fullmatch(perimeter):
        refuse(
            f"perimeter {perimeter}",
            "is not a valid perimeter",
            "write accessPolicies/{policy}/servicePerimeters/{name}",
        )
    if strangers := [project for project in adding if project not in listed]:
        refuse(f"add_to_perimeter: {strangers[0]}", "is not one of projects", "add it there, or remove it here")
    inside = None if perimeter_projects is None else {*project_ids(perimeter_projects), *adding}
    for project in listed:
        if inside is not None and project not in inside:
            _outside(project, perimeter or "the perimeter")


def project_ids(projects: Sequence[str]) -> list[str]:
    """Bare project ids, each once, as the API wants them.

    Raises:
        RunError: the list is empty, or an entry is not a valid project id.
    """
    if not projects:
        refuse("allowlist", "is empty", "name the projects whose forwarding rules may connect")
    found: dict[str, None] = {}
    for entry in projects:
        bare = entry.removeprefix("projects/")
        if bare.isdigit():
            refuse(
                f"allowlist: {entry}",
                "is a project number",
                "write the project id: `gcloud projects describe NUMBER --format='value(projectId)'`",
            )
        if not _PROJECT_ID.fullmatch(bare):
            refuse(
                f"allowlist: {entry!r}", "is not a valid project id", "use 6 to 30 of a-z, 0-9 and -, a letter first"
            )
        found[bare] = None
    return list(found)


def _resources(status: Any) -> Sequence[str]:
    if status is None:
        return ()
    found = status.get("resources") if isinstance(status, Mapping) else status.resources
    return found or ()


def _outside(project: str, perimeter: str) -> None:
    refuse(
        f"allowlist: {project}",
        f"is outside of {perimeter}",
        "put the project into the perimeter (add_to_perimeter), or take it off the allowlist",
    )
