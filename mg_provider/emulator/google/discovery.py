"""Google's condensed discovery documents: which method a path belongs to, and the schemas of its bodies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Schema = dict[str, Any]
FOLDER = Path(__file__).parents[1] / "schemas"
DOCUMENTS = (
    "aiplatform.v1beta1",
    "aiplatform.v1",
    "compute.v1",
    "storage.v1",
    "bigquery.v2",
    "logging.v2",
    "monitoring.v3",
    "cloudquotas.v1",
    "cloudbilling.v1",
)

# These are HTTP bodies of any shape, whatever their schema says.
_FREE_BODIES = ("GoogleApiHttpBody", "RawPredictRequest", "InvokeRequest")

# What Google's own clients send and its documents lack: google-cloud-bigquery with Client.get_job, gcloud with lists.
_PARTIAL: dict[str, Schema] = {"returnPartialSuccess": {"type": "boolean"}}
_UNDOCUMENTED: dict[str, dict[str, Schema]] = {
    "bigquery.jobs.get": {"projection": {"type": "string"}},
    **{f"compute.addresses.{verb}": _PARTIAL for verb in ("list", "aggregatedList")},
    **{f"compute.forwardingRules.{verb}": _PARTIAL for verb in ("list", "aggregatedList")},
}


@dataclass(frozen=True)
class Method:
    """One RPC of one version of one API.

    Attributes:
        rpc: the discovery method id, such as ``compute.addresses.insert``.
        document: where it is from, such as ``compute.v1``.
        verb: the HTTP verb.
        path: the path template.
        request: name of the request's schema, if it has a body.
        response: name of the response's schema.
        bound: fields of the request that the path has; a body may have them too, and the path wins.
    """

    rpc: str
    document: str
    verb: str
    path: str
    request: str | None
    response: str | None
    bound: tuple[str, ...] = ()

    @property
    def legacy(self) -> bool:
        """Whether its errors have the older shape."""
        return self.document.startswith(("compute", "storage", "bigquery"))

    @property
    def version(self) -> str:
        """``v1``, ``v1beta1`` or ``v2``."""
        return self.document.partition(".")[2]

    @property
    def free_request(self) -> bool:
        """Whether the body is whatever the model's container takes."""
        return bool(self.request and self.request.endswith(_FREE_BODIES))

    @property
    def free_response(self) -> bool:
        """Whether the answer is whatever the model's container gives."""
        return bool(self.response and self.response.endswith(_FREE_BODIES))


@dataclass(frozen=True)
class Match:
    """A request's method and the values in its path, decoded."""

    method: Method
    path: dict[str, str]
    upload: bool


class Document:
    """One condensed discovery document."""

    def __init__(self, name: str) -> None:
        content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.name = name
        self.schemas: dict[str, Schema] = content["schemas"]
        self.methods: dict[str, Schema] = content["methods"]
        # Storage addresses a resumable upload by ``upload_id``, which is in its guide and not in its document.
        self.standard_parameters: frozenset[str] = frozenset([*content["standardParameters"], "upload_id"])

    def method(self, rpc: str) -> Method:
        """The method with the discovery id ``rpc``."""
        entry = self.methods[rpc]
        bound = tuple(entry.get("boundFields", ()))
        return Method(rpc, self.name, entry["verb"], entry["path"], entry["request"], entry["response"], bound)

    def parameters(self, rpc: str) -> dict[str, Schema]:
        """The query parameters of ``rpc``."""
        parameters: dict[str, Schema] = self.methods[rpc]["parameters"]
        return {**parameters, **_UNDOCUMENTED.get(rpc, {})}

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, or the one it refers to."""
        return self.schemas[schema["$ref"]] if "$ref" in schema else schema


@cache
def document(name: str) -> Document:
    """The condensed document ``name``, read once."""
    return Document(name)


@cache
def _routes() -> dict[str, list[tuple[re.Pattern[str], Method, bool]]]:
    routes: dict[str, list[tuple[re.Pattern[str], Method, bool]]] = {}
    for name in DOCUMENTS:
        source = document(name)
        for rpc, entry in source.methods.items():
            method = source.method(rpc)
            templates = [(entry["path"], False)]
            if name == "aiplatform.v1beta1":  # the console's own spelling, which product documents quote
                templates.append((entry["path"].replace("/v1beta1/", "/ui/", 1), False))
            if "downloadPath" in entry:
                templates.append((entry["downloadPath"], False))
            if entry["uploadPath"]:
                templates += [(entry["uploadPath"], True), ("/resumable" + entry["uploadPath"], True)]
            for template, upload in templates:
                for verb in (entry["verb"], "PUT") if upload else (entry["verb"],):  # a session's chunks are PUT
                    routes.setdefault(verb, []).append((_pattern(template), method, upload))
    return routes


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    pattern = "".join(
        re.escape(part) if index % 2 == 0 else _group(part, parts[index - 1]) for index, part in enumerate(parts)
    )
    return re.compile(pattern)


def _group(name: str, before: str) -> str:
    if name == "invokeId":
        return f"(?P<{name}>.+)"
    # Vertex separates a custom verb by a colon; object and table names elsewhere may contain one.
    return f"(?P<{name}>[^/]+?)" if before.endswith("/b/") or name in {"object", "invokeId"} else f"(?P<{name}>[^/:]+)"


@lru_cache(maxsize=4096)
def find(verb: str, raw_path: str) -> Match | None:
    """The method that answers ``verb raw_path``; ``raw_path`` is still percent-encoded."""
    for pattern, method, upload in _routes().get(verb, []):
        matched = pattern.fullmatch(raw_path)
        if matched:
            return Match(method, {key: unquote(value) for key, value in matched.groupdict().items()}, upload)
    return None


def all_rpcs() -> frozenset[str]:
    """Every method id that the condensed documents know."""
    return frozenset(rpc for name in DOCUMENTS for rpc in document(name).methods)
