"""Faults that a test declares by RPC, and the account of which were met."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mg_provider.emulator.google import discovery
from mg_provider.emulator.google.errors import CODES, ApiError, code_of_http, invalid_argument, no_page
from mg_provider.emulator.google.named_errors import NAMED, About

# fault -> what happens
KINDS = {
    "status": "the call is refused with `status`, `code`, `message`, `retry_after`, `reason`, `details`, `headers`; or "
    "with `body`, whatever it is",
    "proxy_404": "a proxy answers 404 with a page of its own, and the call goes nowhere",
    "page_404": "Google's front end knows no such path, and answers 404 with its page",
    "empty_404": "404 without a body",
    "project_404": "Google knows no such project",
    "method_404": "Google knows no such method",
    "other_404": "Google says that something else does not exist",
    "lose_answer": "the handler runs, then the connection closes without an answer",
    "drop_request": "the connection closes before the handler runs",
    "broken_body": "the handler runs, and the connection closes after half of the answer",
    "operation_error": "the operation ends with `code` and `message` after `at_stage`",
    "stall": "the operation stays in `at_stage` for ever",
    "delay": "the answer comes `seconds` real seconds late",
}
_REFUSALS = frozenset(["status", *(kind for kind in KINDS if kind.endswith("_404"))])
_PLACES = ("", "call", "operation")

_PROXY_PAGE = (
    "<html>\n<head><title>404 Not Found</title></head>\n<body>\n<center><h1>404 Not Found</h1></center>\n"
    "<hr><center>proxy</center>\n</body>\n</html>\n"
)
_PAGE_HEADERS = {"Content-Type": "text/html", "Via": "1.1 proxy"}

_ENDPOINTS = "aiplatform.projects.locations.endpoints."
ALIASES = {
    "inference.chat": _ENDPOINTS + "chat.completions",
    "inference.predict": _ENDPOINTS + "predict",
    "inference.rawPredict": _ENDPOINTS + "rawPredict",
    "inference.streamRawPredict": _ENDPOINTS + "streamRawPredict",
}


@dataclass
class Fault:
    """One declared fault.

    Attributes:
        rpc: discovery method id, its end (``endpoints.deployModel``), or an alias such as ``inference.chat``.
        fault: one of :data:`KINDS`, or a name in :data:`mg_provider.emulator.google.named_errors.NAMED`.
        times: how many calls it hits.
        after: how many matching calls it lets pass first.
        match: text that the path or the body must contain.
        status: HTTP status of a ``status`` fault.
        code: google.rpc.Code name; for ``status`` by default that of the HTTP status.
        retry_after: seconds for a ``Retry-After`` header.
        reason: reason in the older shape; by default that of the code.
        details: ``google.rpc`` messages, each with ``@type``.
        headers: more response headers, such as ``Server``.
        body: the whole body as text instead of an error of Google's; the empty text for none.
        at_stage: name of an operation's stage; by default the last.
        ends_after: emulated seconds after its start at which the operation ends so, whatever its stage.
        seconds: real seconds of a ``delay``.
        place: where a named error is met: ``call`` or ``operation``; by default where Google says it.
        subject: what a named error speaks of instead of the usual: a quota, constraint, machine type, permission.
        seen: matching calls so far.
        met: calls that it hit.
    """

    rpc: str
    fault: str
    times: int = 1
    after: int = 0
    match: str = ""
    status: int = 503
    code: str = ""
    message: str = "A fault that the test declared."
    retry_after: float | None = None
    reason: str = ""
    details: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    at_stage: str = ""
    ends_after: float | None = None
    seconds: float = 0.0
    place: str = ""
    subject: str = ""
    seen: int = field(default=0)
    met: int = field(default=0)

    @property
    def remaining(self) -> int:
        """How many more calls it will hit."""
        return self.times - self.met

    @property
    def refuses(self) -> bool:
        """Whether it answers the call in the handler's place."""
        return self.fault in _REFUSALS or (self.fault in NAMED and self._named_place() == "call")

    @property
    def stalls(self) -> bool:
        """Whether the operation that the call starts never ends."""
        return self.fault == "stall"

    @property
    def fails_operation(self) -> bool:
        """Whether the operation that the call starts ends with its error."""
        return self.fault == "operation_error" or (self.fault in NAMED and self._named_place() == "operation")

    @property
    def fails_after(self) -> float | None:
        """Emulated seconds after which the operation ends so; None for at the end of a stage."""
        usual = NAMED[self.fault].ends_after if self.fault in NAMED else None
        return self.ends_after if self.ends_after is not None else usual

    def _named_place(self) -> str:
        return self.place or NAMED[self.fault].usual

    def error(self, about: About) -> ApiError:
        """The error of a refusal or of an operation."""
        again = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        if self.fault in NAMED:
            named = NAMED[self.fault].make(replace(about, subject=self.subject))
            named.headers = {**again, **self.headers}
            return named
        default = "INTERNAL" if self.fails_operation else code_of_http(self.status)
        return ApiError(
            self.code or default,
            self.message,
            status=None if self.fails_operation else self.status,
            details=self.details,
            reason=self.reason or None,
            headers={**again, **self.headers},
            raw=self.body,
        )

    def refusal(self, path: str, about: About) -> ApiError:
        """The answer of a fault that refuses the call to ``path``."""
        match self.fault:
            case "proxy_404":
                return ApiError("NOT_FOUND", "a proxy's page", headers=_PAGE_HEADERS, raw=_PROXY_PAGE)
            case "page_404":
                return no_page(path)
            case "empty_404":
                return ApiError("NOT_FOUND", "nothing", raw="")
            case "project_404":
                return ApiError("NOT_FOUND", f"Project '{about.project}' not found.")
            case "method_404":
                return ApiError("NOT_FOUND", "Method not found.")
            case "other_404":
                other = f"projects/{about.project}/locations/us-central1/metadataStores/default"
                return ApiError("NOT_FOUND", f"The resource '{other}' was not found")
        return self.error(about)


class Faults:
    """All declared faults."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, **declared: Any) -> Fault:
        """Declare one.

        Raises:
            ApiError: for an unknown RPC, kind or attribute, so that no fault waits for something that never comes.
        """
        unknown = set(declared) - (set(Fault.__dataclass_fields__) - {"seen", "met"})
        if unknown or "rpc" not in declared or declared.get("fault") not in {*KINDS, *NAMED}:
            raise invalid_argument(
                f"a fault needs rpc and fault{_meant(declared.get('fault'), [*KINDS, *NAMED])}; "
                f"unknown: {sorted(unknown)}; fault is one of {', '.join([*KINDS, *NAMED])}"
            )
        if declared.get("place", "") not in _PLACES or (declared.get("place") and declared["fault"] not in NAMED):
            raise invalid_argument("place is call or operation, of a named error")
        declared["rpc"] = ALIASES.get(declared["rpc"], declared["rpc"])
        if not any(_same(declared["rpc"], rpc) for rpc in discovery.all_rpcs()):
            known = dict.fromkeys(".".join(rpc.split(".")[-2:]) for rpc in discovery.all_rpcs())
            raise invalid_argument(f"no emulated method is called {declared['rpc']}{_meant(declared['rpc'], known)}")
        if declared.get("code", "") not in ("", *CODES):
            raise invalid_argument(f"code is the name of a google.rpc.Code: {', '.join(CODES)}")
        fault = Fault(**declared)
        self._faults.append(fault)
        return fault

    @property
    def any(self) -> bool:
        """Whether one is declared."""
        return bool(self._faults)

    def active(self, rpc: str, text: str) -> list[Fault]:
        """Faults that hit this call of ``rpc``; a call that is let pass is counted as seen."""
        hits = []
        for fault in self._faults:
            if _same(fault.rpc, rpc) and fault.match in text:
                fault.seen += 1
                if fault.seen > fault.after and fault.remaining > 0:
                    hits.append(fault)
        return hits

    def listed(self) -> list[dict[str, Any]]:
        """Each fault with how often it was met and how often it will still be."""
        return [{**asdict(fault), "remaining": fault.remaining} for fault in self._faults]


def _meant(written: Any, known: Iterable[str]) -> str:
    """The nearest of the known names, as a question."""
    near = difflib.get_close_matches(str(written), known, 1)
    return f" (did you mean {near[0]}?)" if near and near[0] != written else ""


def _same(declared: str, rpc: str) -> bool:
    return rpc == declared or rpc.endswith("." + declared)
