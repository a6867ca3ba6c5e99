"""Query parameters: ``@name`` and ``?`` in a statement, with the values that the request gives.

Source: "Running parameterized queries" of the BigQuery documentation, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

Json = Mapping[str, Any]


class ParameterRefusedError(ValueError):
    """A parameter has no value, or one that is not understood here."""


def bind(tree: exp.Expr, parameters: Sequence[Json]) -> exp.Expr:
    """The statement with values in the place of its parameters.

    Raises:
        ParameterRefusedError: A parameter has no value, or its type is STRUCT.
    """
    from sqlglot import exp

    named = {str(each["name"]).lower(): each for each in parameters if each.get("name")}
    unnamed = [each for each in parameters if not each.get("name")]
    places = iter(unnamed)

    def value(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Parameter):
            given = named.get(node.name.lower())
            if given is None:
                raise ParameterRefusedError(f"Query parameter '{node.name}' not found")
            return _value(given["parameterType"], given.get("parameterValue", {}))
        if isinstance(node, exp.Placeholder):
            given = next(places, None)
            if given is None:
                raise ParameterRefusedError(f"Query parameter number {len(unnamed) + 1} is not defined")
            return _value(given["parameterType"], given.get("parameterValue", {}))
        return node

    return tree.transform(value)


def _value(kind: Json, value: Json) -> exp.Expr:
    from sqlglot import exp

    if kind["type"] == "ARRAY":
        return exp.Array(expressions=[_value(kind["arrayType"], each) for each in value.get("arrayValues", [])])
    if kind["type"] == "STRUCT":
        raise ParameterRefusedError("This emulator takes no query parameter of type STRUCT")
    given = value.get("value")
    literal = exp.Null() if given is None else exp.Literal.string(str(given))
    return exp.cast(literal, exp.DataType.build(kind["type"], dialect="bigquery"))
