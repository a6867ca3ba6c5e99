"""What all wire shapes share: spelling, strictness, and how they are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from mg_provider.wire.form import Form

Duration = Annotated[str, Form(r"[0-9]+(\.[0-9]{1,9})?s", "seconds and the letter s, such as 900s")]
"""A protobuf duration in JSON: seconds and the letter s, such as ``900s``."""

Int64 = Annotated[int, PlainSerializer(str, return_type=str)]
"""A 64-bit integer: Google's JSON carries it as a string, and takes a number as well."""


def output(description: str | None = None) -> Any:
    """A field that only Google fills. A user who sets one is mistaken."""
    return Field(default=None, description=description, json_schema_extra={"readOnly": True})


class WireModel(BaseModel):
    """A message of a Google API.

    Built by us or from a user's nested argument, an unknown field is an error, because it is a typing mistake. Read
    from Google's answer, an unknown field is ignored, because Google adds fields without notice.
    """

    says_something_empty: ClassVar[bool] = False
    """Whether a message of this kind says something by being there, as one that switches something on."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", defer_build=True)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read Google's JSON; unknown fields are ignored at every depth.

        Raises:
            pydantic.ValidationError: a known field has a shape that it cannot have.
        """
        return cls.model_validate(data, extra="ignore")

    def to_wire(self) -> dict[str, Any]:
        """Google's JSON: camelCase; absent fields are left out, and so are messages that say nothing."""
        return _filled(self, self.model_dump(mode="json", by_alias=True, exclude_none=True))

    @classmethod
    def output_only(cls) -> frozenset[str]:
        """The names of the fields that only Google fills."""
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("readOnly")
        )


class Page(WireModel):
    """A part of a listing."""

    next_page_token: str | None = None


def _filled(message: WireModel, written: dict[str, Any]) -> dict[str, Any]:
    """A message as it is written, without the messages in it that say nothing. An empty map clears a map, and stays."""
    for name, field in type(message).model_fields.items():
        value, key = getattr(message, name), field.alias or name
        if isinstance(value, list):
            for entry, inner in zip(value, written.get(key, ()), strict=False):
                if isinstance(entry, WireModel):
                    _filled(entry, inner)
        elif isinstance(value, WireModel) and not (_filled(value, written[key]) or value.says_something_empty):
            del written[key]
    return written


def same(wanted: object, actual: object) -> bool:
    """Whether the cloud has what is asked for. What it adds by itself, and the order of a list, do not count."""
    if isinstance(wanted, WireModel) and isinstance(actual, WireModel):
        return all(same(getattr(wanted, name), getattr(actual, name)) for name in wanted.model_fields_set)
    if isinstance(wanted, list) and isinstance(actual, list):
        return len(wanted) == len(actual) and all(any(same(entry, other) for other in actual) for entry in wanted)
    return (wanted or None) == (actual or None)


def without_outputs(value: Any) -> Any:
    """A value as a user would write it: without what only Google fills, at every depth, and what is not there."""
    if isinstance(value, WireModel):
        given_names = value.model_fields_set - value.output_only()
        given = {
            name: without_outputs(getattr(value, name)) for name in given_names if getattr(value, name) is not None
        }
        return type(value).model_construct(_fields_set=set(given), **given)
    return [without_outputs(entry) for entry in value] if isinstance(value, list) else value


def value_at(thing: BaseModel | None, path: str) -> Any:
    """What a thing has under a path; None where it has nothing there."""
    return reduce(lambda value, name: getattr(value, name, None), path.split("."), thing)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as objects within objects; absent ones make none."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        if value is None:
            continue
        *parents, last = path.split(".")
        inner = result
        for name in parents:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return result
