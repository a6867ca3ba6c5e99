"""Whether a 404 says that what a call asked for does not exist.

A proxy, a wrong custom endpoint, a project or a method that is not there answer 404 as well. Only Google's own word
that this resource does not exist means that it is gone: an error of status NOT_FOUND, or of reason ``notFound`` from
Compute Engine, Cloud Storage and BigQuery, that names what the call is about, or what contains it, short of the
project. What a call is about, its path and body say.

What is compared is collection and id: Google answers with the project's number where the call had its id. The texts:

- ``endpoint "projects/1/…/endpoints/e" not found``, ``Endpoint `projects/1/…` not found.`` (k8s-config-connector's
  recorded calls of 2026-08; googleapis/python-genai issue 1706), ``The BatchPredictionJob does not exist.``;
- ``The resource 'projects/p/regions/r/addresses/a' was not found`` of Compute Engine;
- ``The specified bucket does not exist.``, ``The specified key does not exist.``, ``No such object: bucket/name``,
  the last as bare text where an object's content was asked for;
- ``Not found: Table project:dataset.table`` of BigQuery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

Named = tuple[str, str]
"""Collection and id, such as ``("endpoints", "llama")``."""

# What a resource is in, but no resource that a call could find gone.
_PLACES = frozenset({"projects", "locations", "regions", "zones"})
_BEGINNINGS = frozenset({"projects", "publishers", "b"})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
# These speak of the project, of rights or of the API, whatever else they name.
_OF_SOMETHING_ELSE = re.compile(
    r"(?<![\w-])project(?![\w:-])|may not exist|does not have access|method not found|requested url|has not been used",
    re.IGNORECASE,
)
_KIND_ALONE = re.compile(r"the (?:specified )?(\w+) does not exist\.?", re.IGNORECASE)
_OF_BIGQUERY = re.compile(r"Not found: (Dataset|Job|Model|Routine|Table) (\S+)")
_OF_STORAGE = re.compile(r"No such object: (?P<object>.+)")
_STORAGE_KINDS = {"b": ("bucket",), "o": ("key", "object")}


@dataclass(frozen=True)
class Asked:
    """What a call is about.

    Attributes:
        path: What its URL names, outermost first.
        body: What its body names.
        texts: The texts in its body, such as a query.
    """

    path: tuple[Named, ...]
    body: frozenset[Named] = frozenset()
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: str, body: Mapping[str, Any] | None) -> Asked:
        """What a call to ``url`` with the JSON body ``body`` is about."""
        leaves = list(_leaves(body or {}))
        named = {pair for key, text in leaves for pair in (_last(text), _by_key(key, text)) if pair}
        parts = [unquote(part) for part in urlsplit(url).path.split("/")]
        return cls(tuple(_pairs(parts)), frozenset(named), tuple(text for _, text in leaves))

    def has(self, name: Named) -> bool:
        """Whether it is about ``name``, or about a version of it."""
        collection, id = name
        return any(
            asked_collection == collection and (asked == id or asked.startswith(f"{id}@"))
            for asked_collection, asked in (*self.path, *self.body)
        )


def says_gone(asked: Asked, message: str, details: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the text, or the details, of a NOT_FOUND of Google's say that what was asked for does not exist."""
    if _OF_SOMETHING_ELSE.search(_QUOTED.sub(" ", message)):
        return False
    for detail in details:
        if str(detail.get("@type", "")).endswith("google.rpc.ResourceInfo"):
            gone = _last(str(detail.get("resourceName", "")))
            return gone is not None and asked.has(gone)
    if found := _OF_BIGQUERY.match(message):
        return _is_in_bigquery(asked, found[1], found[2])
    if found := _OF_STORAGE.fullmatch(message):
        return names_object(asked, message)
    words = [word.strip("'\"`()[],;:.") for word in message.split()]
    paths = [word for word in words if "/" in word and "://" not in word]
    if paths:
        gone = _last(paths[0])
        return gone is not None and asked.has(gone)
    return _names_kind(asked, message) or _names_id(asked, message)


def names_object(asked: Asked, text: str) -> bool:
    """Whether a text is Cloud Storage's word that the object which was asked for does not exist."""
    found, path = _OF_STORAGE.fullmatch(text.strip()), dict(asked.path)
    return found is not None and "o" in path and found["object"] == f"{path.get('b')}/{path['o']}"


def _is_in_bigquery(asked: Asked, kind: str, name: str) -> bool:
    """Whether a name as BigQuery writes it, ``project:dataset.table``, is of what was asked for."""
    dataset, _, rest = name.rstrip(".,;").rpartition(":")[2].partition(".")
    if kind == "Job":
        job = rest or dataset
        return asked.has(("jobs", job)) or asked.has(("queries", job))
    if kind == "Dataset":
        return asked.has(("datasets", dataset)) or _in_a_text(asked, dataset)
    named = asked.has(("datasets", dataset)) and asked.has((f"{kind.lower()}s", rest))
    return named or _in_a_text(asked, f"{dataset}.{rest}")


def _in_a_text(asked: Asked, name: str) -> bool:
    whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(whole.search(text.replace("`", "")) for text in asked.texts)


def _names_kind(asked: Asked, message: str) -> bool:
    """Whether a text names only the kind of what was asked for."""
    kind_alone = _KIND_ALONE.fullmatch(message.strip())
    return kind_alone is not None and any(kind_alone[1].lower() in _kinds(collection) for collection, _ in asked.path)


def _names_id(asked: Asked, message: str) -> bool:
    """Whether a text names kind and id of what was asked for."""
    return any(
        re.search(rf"\b{kind}\W{{1,3}}{re.escape(id)}(?![\w/-])", message, re.IGNORECASE)
        for collection, id in (*asked.path, *asked.body)
        if id
        for kind in _kinds(collection)
    )


def _kinds(collection: str) -> tuple[str, ...]:
    return _STORAGE_KINDS.get(collection) or (collection.removesuffix("s").lower(),)


def _pairs(parts: Sequence[str]) -> Iterator[Named]:
    """Collections and ids in a path, without the places and without what stands before them."""
    at = next((index for index, part in enumerate(parts) if part in _BEGINNINGS), len(parts))
    while at + 1 < len(parts):
        if parts[at] == "global":
            at += 1
            continue
        collection, id = parts[at], parts[at + 1]
        if collection not in _PLACES:
            # Vertex AI's methods of its own stand behind a colon.
            yield collection, id if collection == "o" else id.partition(":")[0]
        at += 2


def _last(text: str) -> Named | None:
    """The innermost resource that a name or URL is of."""
    parts = text.split("/")
    if len(parts) == 2 and all(parts) and parts[0] not in _PLACES:
        return parts[0], parts[1]
    return next(reversed(list(_pairs(parts))), None) if len(parts) > 2 else None


def _by_key(key: str, text: str) -> Named | None:
    """A resource that a body names by its id alone, as in ``deployedModelId``; ``model`` as model servers have it."""
    if key == "model":
        return "models", text
    return (f"{key.removesuffix('Id')}s", text) if key.endswith("Id") and key != "projectId" else None


def _leaves(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a body, each with its key; the key of an ``id`` is that of the object that has it."""
    if isinstance(data, str):
        yield key, data
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from _leaves(value, f"{key}Id" if name == "id" and key else str(name))
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, key)
