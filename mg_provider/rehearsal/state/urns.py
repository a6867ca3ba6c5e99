"""Pulumi's names for resources and providers: URNs and provider references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROOT_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"
DEFAULT_PROVIDER: Final = "default"
"""The name of a provider that the engine makes by itself."""
PACKAGE: Final = "pulumi-python"
"""The package of dynamic resources written in Python."""


@dataclass(frozen=True)
class Urn:
    """``urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME``, taken apart."""

    stack: str
    project: str
    qualified_type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Take a URN apart."""
        prefix, project, qualified_type, name = text.split("::", 3)
        return cls(prefix.removeprefix("urn:pulumi:"), project, qualified_type, name)

    @property
    def type(self) -> str:
        """The type without those of the parents."""
        return self.qualified_type.rsplit("$", 1)[-1]

    def __str__(self) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{self.qualified_type}::{self.name}"


def make_urn(stack: str, project: str, parent: str, type_token: str, name: str) -> str:
    """The URN of a resource; its parents' types are part of it, except the stack's."""
    qualified_type = type_token
    if parent and type_token != ROOT_TYPE:
        parent_type = Urn.parse(parent).qualified_type
        if parent_type != ROOT_TYPE:
            qualified_type = f"{parent_type}${type_token}"
    return str(Urn(stack, project, qualified_type, name))


def name_of(urn: str) -> str:
    """The name a resource has in the program."""
    return Urn.parse(urn).name


def type_of(urn: str) -> str:
    """The type of a resource."""
    return Urn.parse(urn).type


def is_provider_type(type_token: str) -> bool:
    """Whether it is a provider that is meant, not a resource."""
    return type_token.startswith(PROVIDER_PREFIX)


def package_of(urn: str) -> str:
    """The package that a provider resource provides."""
    return type_of(urn).removeprefix(PROVIDER_PREFIX)


def is_default_provider(urn: str) -> bool:
    """Whether it is a provider that the engine made, not the program."""
    return is_provider_type(type_of(urn)) and name_of(urn).startswith("default")


def reference_of(urn: str, identifier: str) -> str:
    """A provider reference: the provider's URN and id."""
    return f"{urn}::{identifier}"


def urn_of_reference(reference: str) -> str:
    """The URN in a provider reference."""
    return reference.rsplit("::", 1)[0]
