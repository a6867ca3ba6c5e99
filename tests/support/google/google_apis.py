"""The APIs that pulumi-gcp calls for the stacks, beside Compute Engine: as far as their networks and permissions go.

Cloud DNS v1, Cloud Resource Manager v1, Cloud Billing v1, Access Context Manager v1, and the IAM policies of buckets.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PERIMETER = "accessPolicies/1/servicePerimeters/models"
# Of pulumi-gcp's settings, each with the path below which it expects the API.
SETTINGS = {
    "dns": "/dns/v1/",
    "resourceManager": "/v1/",
    "cloudResourceManager": "/v1/",
    "cloudBilling": "/v1/",
    "coreBilling": "/v1/",
    "accessContextManager": "/v1/",
    "storage": "/storage/v1/",
}
Answer = tuple[int, dict]


class GoogleApis:
    """What these APIs hold, and the requests that they got."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers
        self.zones: dict[str, dict] = {}
        self.records: dict[tuple[str, str, str], dict] = {}
        self.policies: dict[str, dict] = {}
        self.perimeters = {
            PERIMETER: {
                "name": PERIMETER,
                "title": "models",
                "perimeterType": "PERIMETER_TYPE_REGULAR",
                "etag": "1",
                "status": {"resources": [], "restrictedServices": ["aiplatform.googleapis.com"]},
            }
        }
        self.requests: list[str] = []
        self.url = ""

    @property
    def config(self) -> dict[str, str]:
        """The settings that send pulumi-gcp here."""
        return {f"gcp:{api}CustomEndpoint": self.url + path for api, path in SETTINGS.items()}

    @property
    def empty(self) -> bool:
        """Whether nothing is left of what a stack makes."""
        bound = any(policy.get("bindings") for policy in self.policies.values())
        inside = any(perimeter["status"]["resources"] for perimeter in self.perimeters.values())
        return not (self.zones or self.records or bound or inside)

    def answer(self, verb: str, url: str, body: dict) -> Answer:
        """The answer of whichever API the path belongs to."""
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        self.requests.append(f"{verb} {path}")
        for pattern, handler in self._routes():
            if match := re.fullmatch(pattern, path):
                return handler(verb, match, body, query)
        return 501, {"error": {"code": 501, "message": f"{verb} {path} is not played here"}}

    def _routes(self) -> list[tuple[str, Callable[[str, re.Match[str], dict, dict], Answer]]]:
        zones = "/dns/v1/projects/[^/]+/managedZones"
        return [
            (f"{zones}(?:/([^/]+))?", self._zone),
            (f"{zones}/([^/]+)/changes(?:/[^/]+)?", self._change),
            (f"{zones}/([^/]+)/rrsets", self._records),
            ("/v1/projects/([^/]+)/billingInfo", lambda *_: (200, {"billingEnabled": True})),
            ("/v1/projects/([^/:]+)", self._project),
            ("/storage/v1/b/([^/]+)/iam", self._policy),
            (f"/v1/({PERIMETER})", self._perimeter),
            ("/v1/operations/[^/]+", lambda *_: (200, {"name": "operations/1", "done": True, "response": {}})),
        ]

    def _zone(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        if verb == "POST":
            self.zones[body["name"]] = {**body, "id": "1", "creationTime": "2026-11-01T00:00:00Z"}
            return 200, self.zones[body["name"]]
        if match[1] not in self.zones:
            return _failed(404, "notFound", f"The 'parameters.managedZone' resource named '{match[1]}' does not exist.")
        if verb == "DELETE":
            if any(zone == match[1] for zone, *_ in self.records):
                return _failed(400, "containerNotEmpty", "The resource named 'managedZone' cannot be deleted")
            del self.zones[match[1]]
            return 200, {}
        return 200, self.zones[match[1]]

    def _change(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        for record in body.get("deletions") or []:
            self.records.pop((match[1], record["name"], record["type"]), None)
        for record in body.get("additions") or []:
            key = (match[1], record["name"], record["type"])
            if key in self.records:
                return _failed(409, "alreadyExists", f"The resource 'entity.change.additions[0]' named '{key}' exists")
            self.records[key] = record
        return 200, {**body, "id": "1", "status": "done"}

    def _records(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        wanted = {key: query[key][0] for key in ("name", "type") if key in query}
        inside = [record for (zone, *_), record in self.records.items() if zone == match[1]]
        return 200, {"rrsets": [each for each in inside if wanted.items() <= each.items()]}

    def _project(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        if match[1] not in self.numbers:
            return _failed(403, "forbidden", "The caller does not have permission")
        found = {"projectId": match[1], "name": match[1], "lifecycleState": "ACTIVE"}
        return 200, {**found, "projectNumber": self.numbers[match[1]]}

    def _policy(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        if verb == "PUT":
            self.policies[match[1]] = body
        return 200, self.policies.get(match[1], {"version": 1, "etag": "CAE=", "bindings": []})

    def _perimeter(self, verb: str, match: re.Match[str], body: dict, query: dict) -> Answer:
        perimeter = self.perimeters[match[1]]
        if verb == "GET":
            return 200, perimeter
        if body.get("etag") != perimeter["etag"]:
            return _failed(409, "aborted", "The etag does not match that of the perimeter")
        perimeter["etag"] = str(int(perimeter["etag"]) + 1)
        perimeter["status"]["resources"] = body.get("status", {}).get("resources", [])
        return 200, {"name": "operations/1", "done": True, "response": {}}


def _failed(code: int, reason: str, message: str) -> Answer:
    return code, {"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message}]}}


@contextmanager
def serving(**numbers: str) -> Iterator[GoogleApis]:
    """The APIs on a loopback port; ``numbers`` are the projects, with ``_`` for ``-``, and their numbers."""
    apis = GoogleApis({name.replace("_", "-"): number for name, number in numbers.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, answer = apis.answer(self.command, self.path, json.loads(body or b"{}"))
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        apis.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield apis
        finally:
            server.shutdown()
