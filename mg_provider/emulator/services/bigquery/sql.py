"""GoogleSQL as the emulated BigQuery understands it: parsed by sqlglot, put into DuckDB's words.

What sqlglot does not put over rightly is done here: JSON functions, SAFE.PARSE_JSON, and LIMIT inside of ARRAY_AGG.
Source: "JSON functions" of the GoogleSQL reference, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mg_provider.emulator.services.bigquery.parameters import ParameterRefusedError, bind

if TYPE_CHECKING:
    from sqlglot import exp

MACROS = (
    # What the engine takes for JSON and BigQuery does not: constants that are not JSON, and more than 500 levels.
    """CREATE MACRO mg_json_text(given) AS CASE
        WHEN (regexp_matches(given, 'NaN|Infinity') OR length(given) - length(translate(given, '[{', '')) > 500)
        AND NOT mg_is_json(given) THEN 'not JSON' ELSE given END""",
    "CREATE MACRO mg_json_type(j) AS CASE WHEN j IS NULL THEN NULL ELSE CASE json_type(j) WHEN 'OBJECT' THEN 'object' "
    "WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' "
    "ELSE 'number' END END",
    "CREATE MACRO mg_json_array(j, p) AS CASE json_type(j, p) WHEN 'ARRAY' THEN json_extract(j, p || '[*]') END",
    "CREATE MACRO mg_json_value(j, p) AS CASE WHEN json_type(j, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL "
    "ELSE json_extract_string(j, p) END",
)
"""GoogleSQL's JSON functions in DuckDB: names of types are lower case, what does not fit is NULL."""


class StatementRefusedError(ValueError):
    """The text is not a statement that is understood here."""


@dataclass(frozen=True)
class Reference:
    """A table that a statement names; a temporary external table has no project and dataset."""

    project: str
    dataset: str
    table: str


@dataclass(frozen=True)
class Statement:
    """A query, or a CREATE TABLE AS with its target.

    Attributes:
        sql: The query in DuckDB's words, over tables that are named as in ``tables``.
        tables: What stands for each table that the query reads.
        target: The table to be made, if it is CREATE TABLE AS.
        replace: Whether the target may exist already.
    """

    sql: str
    tables: dict[Reference, str]
    target: Reference | None = None
    replace: bool = False


def parse_statement(
    text: str,
    project: str,
    default_dataset: str | None,
    temporary: frozenset[str],
    parameters: Sequence[Mapping[str, Any]] = (),
) -> Statement:
    """Read one statement.

    Args:
        text: GoogleSQL.
        project: Of tables that are named without one.
        default_dataset: Likewise.
        temporary: Names of temporary external tables.
        parameters: ``queryParameters`` of the request.

    Raises:
        StatementRefusedError: It is not a single query or CREATE TABLE AS, or a table has no dataset, or a parameter no
            value.
    """
    import sqlglot
    from sqlglot import exp

    try:
        trees = [each for each in sqlglot.parse(text, read="bigquery") if each is not None]
    except sqlglot.errors.SqlglotError as error:
        raise StatementRefusedError(f"Syntax error: {str(error).splitlines()[0]}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query | exp.Create):
        raise StatementRefusedError("This emulator runs one query, or one CREATE TABLE AS SELECT, at a time")
    try:
        tree: exp.Expr = bind(trees[0], parameters)
    except ParameterRefusedError as error:
        raise StatementRefusedError(str(error)) from error
    names = _Names(project, default_dataset, temporary)
    target, replace = None, False
    if isinstance(tree, exp.Create):
        if tree.args.get("kind") != "TABLE" or not isinstance(tree.expression, exp.Query):
            raise StatementRefusedError("Of CREATE, this emulator runs CREATE TABLE AS SELECT")
        target, replace = names.read(tree.this), bool(tree.args.get("replace"))
        tree = tree.expression
    if isinstance(tree, exp.Select):
        _name_columns(tree)
    tables = _stand_ins(tree, names)
    return Statement(tree.transform(_rewrite).sql(dialect="duckdb"), tables, target, replace)


@dataclass(frozen=True)
class _Names:
    project: str
    dataset: str | None
    temporary: frozenset[str]

    def read(self, table: exp.Expr) -> Reference:
        """The whole name of a table: ``p.d.t`` may stand in one pair of backquotes, or in several."""
        parts = ".".join(part.name for part in getattr(table, "parts", [table])).replace(":", ".").split(".")
        if len(parts) == 1 and parts[0] in self.temporary:
            return Reference("", "", parts[0])
        if len(parts) == 1 and self.dataset:
            parts.insert(0, self.dataset)
        if len(parts) == 2:
            parts.insert(0, self.project)
        if len(parts) != 3 or not all(parts):
            name = ".".join(parts)
            raise StatementRefusedError(f'Table "{name}" must be qualified with a dataset (e.g. dataset.table).')
        return Reference(*parts)


def _name_columns(tree: exp.Select) -> None:
    """A column that has no name is called ``f0_``, the next one ``f1_``."""
    from sqlglot import exp

    nameless = [each for each in tree.selects if not each.alias_or_name and not each.is_star]
    for number, each in enumerate(nameless):
        each.replace(exp.alias_(each.copy(), f"f{number}_"))


def _stand_ins(tree: exp.Expr, names: _Names) -> dict[Reference, str]:
    """Put a plain name for each table; what is defined by WITH is not a table."""
    from sqlglot import exp

    defined = {each.alias for each in tree.find_all(exp.CTE)}
    found: dict[Reference, str] = {}
    for table in list(tree.find_all(exp.Table)):
        if not table.db and table.name in defined:
            continue
        reference = names.read(table)
        name = found.setdefault(reference, f"mg_table_{len(found)}")
        alias = table.alias or reference.table
        table.replace(exp.to_table(name, alias=exp.to_identifier(alias, quoted=True)))
    return found


def _rewrite(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    if isinstance(node, exp.SafeFunc) and isinstance(node.this, exp.ParseJSON):
        return exp.TryCast(this=_strict_text(node.this.this.transform(_rewrite)), to=exp.DataType.build("json"))
    if isinstance(node, exp.ParseJSON):
        return exp.Cast(this=_strict_text(node.this), to=exp.DataType.build("json"))
    if isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Limit):
        cut = node.this
        return exp.func("list_slice", exp.ArrayAgg(this=cut.this), exp.Literal.number(1), cut.expression)
    if isinstance(node, exp.JSONType):
        return exp.func("mg_json_type", node.this)
    if isinstance(node, exp.JSONExtractArray):
        return exp.func("mg_json_array", node.this, _path(node))
    if isinstance(node, exp.JSONValue | exp.JSONExtractScalar):
        return exp.func("mg_json_value", node.this, _path(node))
    return node


def _strict_text(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    return exp.func("mg_json_text", node)


def _path(node: exp.Expr) -> exp.Expr:
    """A JSON path as text; without one, the whole."""
    from sqlglot import exp

    path = node.args.get("expression") or node.args.get("path")
    if path is None:
        return exp.Literal.string("$")
    return path if isinstance(path, exp.Literal) else exp.Literal.string(path.sql(dialect="bigquery").strip("'"))
