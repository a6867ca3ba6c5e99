"""Other ways to write where objects in Cloud Storage are, and the ``gs://`` URI that each stands for."""

from __future__ import annotations

import re
from urllib.parse import unquote

BUCKET = r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]"
"""A regular expression for the name of a bucket."""

_BUCKET = f"(?P<bucket>{BUCKET})"
_PATH = r"(?P<path>(?:[/;?#].*)?)"
# Other ways to write where objects are: links of the console, addresses of the two APIs, mounted paths, slips.
_SPELLINGS = tuple(
    re.compile(f"{before}{_BUCKET}{after}{_PATH}")
    for before, after in (
        (r"https?://console\.cloud\.google\.com/storage/browser/(?:_details/)?", ""),
        (r"https?://(?:www\.googleapis\.com|storage\.googleapis\.com)/storage/v1/b/", "(?:/o)?"),
        (r"https?://storage\.(?:cloud\.google|googleapis)\.com/", ""),
        (r"https?://", r"\.storage\.googleapis\.com"),
        (r"/gcs/", ""),
        (r"(?i:gs|gcs|gcsfs):/{0,3}", ""),
    )
)
# A pattern, or the files that one has: the folder is meant.
_PATTERN = re.compile(r"/?[^/]*[*?\[{][^/]*(?:/.*)?$")


def uri_hint(uri: str) -> str:
    """What to write instead of something that is not a Cloud Storage URI."""
    meant = meant_uri(uri)
    return f"did you mean {meant}?" if meant else "write gs://bucket/folder"


def meant_uri(uri: str) -> str | None:
    """The ``gs://`` URI that another spelling stands for: a web address, a mounted path, a pattern; or None."""
    match = next(filter(None, (form.fullmatch(uri.strip()) for form in _SPELLINGS)), None)
    if match is None:
        return None
    path = unquote(match["path"].partition("?")[0].partition(";")[0].partition("#")[0])
    path = _PATTERN.sub("", path).strip("/")
    meant = f"gs://{match['bucket']}/{path}".rstrip("/")
    return meant if meant != uri.rstrip("/") else None
