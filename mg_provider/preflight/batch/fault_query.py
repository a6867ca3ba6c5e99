"""GoogleSQL that finds what `row_rules.py` finds, where the rows are: one fault of each row, and each kind counted.

The order of the tests is that of `row_rules.py`, so that a row's fault is the first that is reported there.
"""

# ruff: noqa: S608 - nothing of a user's goes into the SQL but the name of a table, which has been read as such

from __future__ import annotations

from functools import reduce

from mg_provider.preflight.batch.row_rules import DEEPEST, IMAGES, ROLES

SAMPLES = 5
"""Rows that are shown of each kind of fault."""
LINE = "line"
FILES = "lines"

_SHOWN = 120
_MESSAGES = "UNNEST(JSON_QUERY_ARRAY(body, '$.messages')) AS message"
_PARTS = f"{_MESSAGES}, UNNEST(JSON_QUERY_ARRAY(message, '$.content')) AS part"
_KIND = "JSON_VALUE(part, '$.type')"


def _texts(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _type(path: str, of: str = "body") -> str:
    return f"IFNULL(JSON_TYPE(JSON_QUERY({of}, '$.{path}')), 'none')"


def _any(source: str, condition: str) -> str:
    return f"EXISTS(SELECT 1 FROM {source} WHERE {condition})"


def _not_a_number_from(path: str, least: int) -> str:
    value = f"SAFE_CAST(JSON_VALUE(body, '$.{path}') AS FLOAT64)"
    # A number that no FLOAT64 can hold is null or infinite there.
    wrong = f"{_type(path)} != 'number' OR IFNULL({value} < {least} OR IS_INF({value}), TRUE)"
    return f"({_type(path)} NOT IN ('none', 'null') AND ({wrong}))"


def _not_a_count(path: str) -> str:
    value = f"SAFE_CAST(JSON_VALUE(body, '$.{path}') AS FLOAT64)"
    return f"{_not_a_number_from(path, 1)} OR ({_type(path)} = 'number' AND {value} != FLOOR({value}))"


def _some(path: str) -> str:
    count = f"ARRAY_LENGTH(JSON_QUERY_ARRAY(message, '$.{path}'))"
    return f"{_type(path, 'message')} = 'object' OR ({_type(path, 'message')} = 'array' AND {count} > 0)"


_CALLS = (
    f"IFNULL(JSON_VALUE(message, '$.role'), '') = 'assistant' AND ({_some('tool_calls')} OR {_some('function_call')})"
)
_CONTENT = _type("content", "message")
_PROMPTS = "UNNEST(JSON_QUERY_ARRAY(body, '$.prompt')) AS given"
_BODY_FAULTS = {
    "body IS NULL": "no_body",
    "JSON_TYPE(body) != 'object'": "body_not_an_object",
    f"{_type('messages')} != 'none' AND {_type('prompt')} != 'none'": "messages_and_prompt",
    f"{_type('messages')} = 'none' AND {_type('prompt')} = 'none'": "no_messages",
    f"{_type('prompt')} NOT IN ('none', 'string', 'array') OR JSON_VALUE(body, '$.prompt') = ''": "bad_prompt",
    f"{_type('prompt')} = 'array' AND ARRAY_LENGTH(JSON_QUERY_ARRAY(body, '$.prompt')) = 0": "bad_prompt",
    _any(_PROMPTS, "JSON_TYPE(given) != 'string' OR JSON_VALUE(given) = ''"): "bad_prompt",
    f"{_type('messages')} NOT IN ('none', 'array')": "no_messages",
    f"{_type('messages')} = 'array' AND ARRAY_LENGTH(JSON_QUERY_ARRAY(body, '$.messages')) = 0": "no_messages",
    _any(_MESSAGES, "JSON_TYPE(message) != 'object'"): "bad_message",
    _any(_MESSAGES, f"IFNULL(JSON_VALUE(message, '$.role'), '') NOT IN ({_texts(ROLES)})"): "bad_role",
    _any(_PARTS, f"{_KIND} IN ({_texts(IMAGES)})"): "image",
    _any(_PARTS, f"{_type('type', 'part')} = 'string' AND {_KIND} != 'text'"): "not_text",
    _any(_PARTS, f"{_type('type', 'part')} != 'string' OR {_type('text', 'part')} != 'string'"): "bad_content",
    _any(
        _MESSAGES,
        f"{_CONTENT} NOT IN ('string', 'array') AND NOT ({_CONTENT} IN ('none', 'null') AND {_CALLS})",
    ): "bad_content",
    " OR ".join(
        [_not_a_count("max_tokens"), _not_a_count("max_completion_tokens"), _not_a_number_from("temperature", 0)]
    ): "bad_parameter",
    f"{_type('stream')} NOT IN ('none', 'null') AND NOT ({_type('stream')} = 'boolean' AND "
    "JSON_VALUE(body, '$.stream') = 'false')": "stream",
}
# Whole characters, and backslashes that are escaped, are taken out first.
_HALF_CHARACTER = (
    f"REGEXP_CONTAINS(REGEXP_REPLACE({LINE}, "
    r"r'\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}', '_'), r'\\u[dD][89a-fA-F][0-9a-fA-F]{2}')"
)
# Without its texts, and four times without the innermost brackets, a row that is not deep has none left.
_BRACKETS = reduce(
    lambda rest, _: rf"REGEXP_REPLACE({rest}, r'[\[{{][^\[\]{{}}]*[\]}}]', '')",
    range(4),
    rf"""REGEXP_REPLACE({LINE}, r'"(?:\\.|[^"\\])*"?', '')""",
)
_LINE_FAULTS = {
    f"STRPOS({LINE}, '\\uFFFD') > 0": "not_utf8",
    _HALF_CHARACTER: "half_character",
    f"record IS NULL AND LENGTH(REGEXP_REPLACE({_BRACKETS}, r'[^\\[{{]', '')) > {DEEPEST - 4}": "too_deep",
    "record IS NULL": "not_json",
    "JSON_TYPE(record) != 'object'": "not_an_object",
    "JSON_QUERY(record, '$.response') IS NOT NULL OR JSON_QUERY(record, '$.id') IS NOT NULL": "reserved_key",
}


def table_query(table: str) -> str:
    """Of a table ``project.dataset.table`` with the columns custom_id and body (JSON)."""
    return _query(
        f"SELECT CAST(NULL AS STRING) AS place, custom_id, body, TO_JSON_STRING(body) AS shown, "
        f"CAST(NULL AS STRING) AS fault FROM `{table}`"
    )


def lines_query() -> str:
    """Of the external table ``lines`` with the column ``line``; blank lines are not rows."""
    return _query(
        f"SELECT place, JSON_VALUE(record, '$.custom_id') AS custom_id, JSON_QUERY(record, '$.body') AS body, "
        f"{LINE} AS shown, {_case(_LINE_FAULTS)} AS fault "
        f"FROM (SELECT _FILE_NAME AS place, {LINE}, SAFE.PARSE_JSON({LINE}, wide_number_mode => 'round') AS record "
        f"FROM {FILES} WHERE TRIM({LINE}) != '')"
    )


def _case(faults: dict[str, str], otherwise: str = "NULL") -> str:
    tests = " ".join(f"WHEN {condition} THEN '{code}'" for condition, code in faults.items())
    return f"CASE {tests} ELSE {otherwise} END"


def _query(rows: str) -> str:
    """One row for each kind of fault, one without for the sound rows, and one for custom_ids that come again."""
    return (
        f"WITH given AS ({rows}), "
        f"judged AS (SELECT place, custom_id, SUBSTR(shown, 1, {_SHOWN}) AS shown, "
        f"CASE WHEN fault IS NOT NULL THEN fault ELSE {_case(_BODY_FAULTS)} END AS fault FROM given) "
        f"SELECT fault, COUNT(*) AS number, ARRAY_AGG(STRUCT(place, custom_id, shown) LIMIT {SAMPLES}) AS samples "
        f"FROM judged GROUP BY fault "
        f"UNION ALL "
        f"SELECT 'duplicate_custom_id' AS fault, SUM(times - 1) AS number, "
        f"ARRAY_AGG(STRUCT(place, custom_id, '' AS shown) LIMIT {SAMPLES}) AS samples "
        f"FROM (SELECT MIN(place) AS place, custom_id, COUNT(*) AS times FROM given WHERE IFNULL(custom_id, '') != '' "
        f"GROUP BY custom_id HAVING COUNT(*) > 1)"
    )
