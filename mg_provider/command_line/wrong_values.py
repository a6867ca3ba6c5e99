"""What is wrong with a value, in words of our own: a library's are for its programmers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_SHAPES: Final = {
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), "should be a mapping"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), "should be a list"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "string_type": "should be text",
    "finite_number": "should be a finite number",
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than": "should be more than {gt:.15g}",
    "greater_than_equal": "should be at least {ge:.15g}",
    "less_than": "should be less than {lt:.15g}",
    "less_than_equal": "should be at most {le:.15g}",
    "literal_error": "should be {expected}",
    "enum": "should be {expected}",
    "too_short": "should have at least {min_length} entries",
    "too_long": "should have at most {max_length} entries",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
}


def in_words(error: Mapping[str, Any]) -> str:
    """What one of pydantic's errors says, without the place and the value: it follows the name of what is wrong."""
    if form := _SHAPES.get(error["type"]):
        return form.format_map(error.get("ctx", {}))
    text = str(error["msg"])
    if error["type"] == "value_error":
        return text.removeprefix("Value error, ")
    # The rest begins with a word for any value, such as Input.
    return re.sub(r"^\w+ (?=(should|must) )", "", text).replace("a valid ", "a ")


def placed(error: Mapping[str, Any]) -> str:
    """The same, after the place in the document."""
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {in_words(error)}" if place else in_words(error)
