"""Turns JSON answers into their wire shapes, and a listing into its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from mg_provider.api.errors import CloudError
from mg_provider.command_line.wrong_values import in_words
from mg_provider.wire.base import Page, WireModel

M = TypeVar("M", bound=WireModel)
P = TypeVar("P", bound=Page)


def parse(model: type[M], answer: Mapping[str, Any]) -> M:
    """The answer in its shape.

    Raises:
        CloudError: the answer is JSON, but not what Google documents; the first misfit is named, without its value.
    """
    try:
        return model.from_wire(answer)
    except ValidationError as error:
        misfit = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in misfit["loc"])
        raise CloudError(
            200,
            "UNKNOWN",
            f"the answer is not a valid {model.__name__}: {place}: {in_words(misfit)}",
            hint="check that proxies and the custom endpoint lead to Google, and report it if they do",
        ) from error


def pages(fetch: Callable[[str | None], P]) -> Iterator[P]:
    """The pages of a listing. ``fetch`` takes a page's token, None for the first one."""
    token: str | None = None
    while True:
        page = fetch(token)
        yield page
        token = page.next_page_token
        if not token:
            return
