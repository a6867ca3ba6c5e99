"""Turns a JSON answer into its wire shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from mg_provider.api.errors import CloudError
from mg_provider.wire.base import WireModel

M = TypeVar("M", bound=WireModel)


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
            f"the answer is no {model.__name__}: {place}: {misfit['msg']}",
            hint="check that proxies and the custom endpoint lead to Google, and report it if they do",
        ) from error
