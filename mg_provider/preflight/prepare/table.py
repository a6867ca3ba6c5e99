"""Makes a table of batch input of a query's rows, in BigQuery: CREATE TABLE AS SELECT, whole or not at all."""

# ruff: noqa: S608 - the query is the user's own, the rest is quoted here

from __future__ import annotations

import json
import re

from mg_provider.api.bigquery.client import split_table_uri
from mg_provider.api.bigquery.queries import Query
from mg_provider.api.clients import Clients
from mg_provider.api.errors import AlreadyExists, UserError
from mg_provider.clock import Clock
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.query_check import QueryCheck
from mg_provider.preflight.prepare.row import METHOD, URL, Shape

_COLUMN = re.compile(r"[A-Za-z_]\w*")
_TABLE = re.compile(r"[\w.:-]+")


def prepare_table(source: str, output: str, shape: Shape, clients: Clients, clock: Clock) -> InputReport:
    """Make a table and check it. A row without a prompt or id stops it before anything is made.

    Permissions: bigquery.jobs.create; bigquery.tables.getData on what is read; bigquery.tables.create on the dataset.

    Args:
        source: A query, or ``bq://project.dataset.table``.
        output: ``bq://project.dataset.table``, which does not exist yet.
        shape: What the rows have in common.
        clients: API clients.
        clock: Makes the job's id.

    Raises:
        UserError: an argument is wrong, or the table exists.
        CloudError: BigQuery refused the query, for the reason that the error has.
    """
    place = split_table_uri(output)
    name = output.removeprefix("bq://")
    if not place.table_id or not _TABLE.fullmatch(name):
        raise UserError(f"{output} is not a table", property="output", hint="write bq://project.dataset.table")
    payer = clients.settings.project or place.project_id or ""
    sql = f"CREATE TABLE `{name}` AS {prepared(source, shape)}"
    query = Query(clients.bigquery, payer, sql, f"mg_batch_prepare_{clock.request_id()}")
    report = InputReport()
    try:
        report.bytes += query.bytes_to_process()
    except AlreadyExists as problem:
        raise UserError(f"{output} is there already", property="output", hint="name another table") from problem
    list(query.rows())
    QueryCheck(clients, report, None, clock).table(output)
    return report


def prepared(source: str, shape: Shape) -> str:
    """The SELECT that makes rows of input of a query or table.

    Raises:
        UserError: a column's name is not valid.
    """
    given = f"SELECT * FROM `{_table(source)}`" if source.startswith("bq://") else _query_of(source)
    prompt, named = _column(shape.prompt_column), shape.id_column
    messages = [_message("user", _some(prompt, shape.prompt_column))]
    if shape.system:
        messages.insert(0, _message("system", _text(shape.system)))
    fields = [f"[{', '.join(messages)}] AS messages"]
    fields += [f"{value} AS {name}" for name, value in shape.parameters().items()]
    identity = _some(_column(named), named) if named else "GENERATE_UUID()"
    return (
        f"SELECT {identity} AS custom_id, {_text(METHOD)} AS method, {_text(URL)} AS url, "
        f"PARSE_JSON(TO_JSON_STRING(STRUCT({', '.join(fields)}))) AS body FROM (\n{given}\n)"
    )


# Texts, which may hold anything, and comments; what is matched first is passed over as a whole.
_PIECES = re.compile(
    r"""(?P<text>\'\'\'.*?\'\'\'|\"\"\".*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`)"""
    r"|(?P<comment>--[^\n]*|\#[^\n]*|/\*.*?\*/)|(?P<space>[\s;]+)|(?P<other>.)",
    re.DOTALL,
)


def _query_of(source: str) -> str:
    """A query without the semicolons and comments at its end."""
    ends = [piece.end() for piece in _PIECES.finditer(source) if piece["text"] or piece["other"]]
    return source[: ends[-1]].strip() if ends else ""


def _table(uri: str) -> str:
    name = uri.removeprefix("bq://")
    if not split_table_uri(uri).table_id or not _TABLE.fullmatch(name):
        raise UserError(f"{uri} is not a table", property="source", hint="write bq://project.dataset.table")
    return name


def _some(column: str, name: str) -> str:
    """The column as text; a row without it ends the query."""
    missing = _text(f"a row has no {name}, or it is empty")
    return f"IFNULL(NULLIF(CAST({column} AS STRING), ''), ERROR({missing}))"


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise UserError(f"{name!r} is not a valid column name", property="column", hint="write letters, digits and _")
    return f"`{name}`"


def _message(role: str, content: str) -> str:
    return f"STRUCT({_text(role)} AS role, {content} AS content)"


def _text(text: str) -> str:
    """A literal of GoogleSQL, which has the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)
