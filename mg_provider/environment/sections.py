"""The two kinds of section: one with keys of its own alone, and one that takes the arguments of a resource as well."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from mg_provider.resources.model.args import settable
from mg_provider.resources.model.marks import Secret
from mg_provider.spelling import did_you_mean


@dataclass(frozen=True)
class Mistake:
    """Something wrong: the path of its YAML key below ``environment``, and what to do."""

    path: str
    text: str


def in_one_line(error: Exception) -> str:
    """What a component refuses, as the text of a mistake."""
    return str(error).replace("\ndo: ", ": ")


def one_of(name: str, known: Collection[str], otherwise: str = "") -> str:
    """What a name was probably meant to be; else what there is."""
    return did_you_mean(
        name, known, otherwise or (f"there is {', '.join(sorted(known))}" if known else "there is none")
    )


class Section(BaseModel):
    """A part of the configuration. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ResourceSection(BaseModel):
    """A part of the configuration that takes whatever a resource takes, beside keys of its own.

    Attributes:
        args_type: The arguments of the resource.
        not_here: Those that cannot be set here, each with the reason and what to write instead.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    args_type: ClassVar[type[BaseModel]]
    not_here: ClassVar[Mapping[str, str]] = {}

    @classmethod
    @cache
    def takes(cls) -> tuple[str, ...]:
        """The arguments of the resource that can be set here."""
        own = {*cls.model_fields, *cls.not_here}
        return tuple(name for name in settable(cls.args_type) if name not in own)

    @classmethod
    def secrets(cls) -> tuple[str, ...]:
        """Those of them that are secret."""
        return tuple(name for name in cls.takes() if Secret() in cls.args_type.model_fields[name].metadata)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the resource that are set here, as they stand there."""
        takes = self.takes()
        return {name: value for name, value in (self.model_extra or {}).items() if name in takes}

    def argument(self, name: str, default: Any = None) -> Any:
        """One of them."""
        return (self.model_extra or {}).get(name, default)

    def unknown(self) -> Iterator[str]:
        """The keys that nobody knows here."""
        takes = self.takes()
        yield from (key for key in self.model_extra or {} if key not in takes)
