"""The two kinds of section: one with keys of its own alone, and one that takes the arguments of a resource as well.

A mistake in a part of a section does not hide those in others: what is wrong is withheld, and a check that needs it is
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from mg_provider.resources.model.args import settable
from mg_provider.resources.model.marks import Secret
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, contains_unknown
from mg_provider.spelling import did_you_mean, nearest

T = TypeVar("T")


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


class Withheld(Exception):
    """A check needs what is wrong itself, or was left empty."""


def readable(found: Iterator[T]) -> Iterator[T]:
    """What a check finds before it comes to something that is withheld."""
    try:
        yield from found
    except Withheld:
        return


def known(read: Callable[[], T]) -> T | Unknown:
    """What is read, or an unknown where a part of it is withheld."""
    try:
        return read()
    except Withheld:
        return UNKNOWN


class Part(BaseModel):
    """A part of the configuration. To read a key of it that is withheld raises ``Withheld``."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise Withheld(name)
            return super().__getattr__(name)

    @classmethod
    def takes(cls) -> tuple[str, ...]:
        """The keys beside its own ones."""
        return ()

    @classmethod
    def nothing(cls) -> Part:
        """One of which all is withheld."""
        part = cls.model_construct()
        for name in (*cls.model_fields, *cls.takes()):
            part.withhold(name)
        return part

    def withhold(self, name: str) -> None:
        """Let nothing rely on a key that is wrong; a misspelt one stands for what it was probably meant to be."""
        keys = (*type(self).model_fields, *self.takes())
        meant = name if name in keys else nearest(name, [key for key in keys if key not in self.model_fields_set])
        if meant in type(self).model_fields:
            self.__dict__.pop(meant, None)
        elif meant is not None and self.model_extra is not None:
            self.model_extra[meant] = UNKNOWN

    def known(self, name: str, otherwise: Any = None) -> Any:
        """What a key says, or something else where it is withheld."""
        return self.__dict__.get(name, otherwise)

    def problems(self) -> Iterator[str]:
        """What its keys say of each other, where that cannot be."""
        yield from ()


class Section(Part):
    """A part of the configuration. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ResourceSection(Part):
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
        value = (self.model_extra or {}).get(name, default)
        if contains_unknown(value):
            raise Withheld(name)
        return value

    def unknown(self) -> Iterator[str]:
        """The keys that nobody knows here."""
        takes = self.takes()
        yield from (key for key in self.model_extra or {} if key not in takes)
