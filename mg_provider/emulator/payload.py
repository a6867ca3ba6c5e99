"""JSON that was received: standard JSON only, as Google's parsers take it."""

from __future__ import annotations

import json
import math
from typing import Any


def read_json(content: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, nested too deeply, or a number in it is not finite.
    """
    try:
        return json.loads(content, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not a number in JSON")
