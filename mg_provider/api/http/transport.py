"""Sends one call and returns what came back, or an error that says what is known.

A call is repeated only where a repeat cannot do harm: a method that is idempotent by HTTP (GET, HEAD, PUT, PATCH,
DELETE; a delete that is repeated may find nothing any more), a POST that the service recognises as a repeat
(``repeatable``), a call that was refused because calls come too fast, whatever its status, and a call that never left
this machine.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode, urlsplit

from mg_provider.api.errors import (
    CertificateNotTrusted,
    CloudError,
    ConnectionFailed,
    NothingListens,
    QuotaExceeded,
    RateLimited,
)
from mg_provider.api.http.credentials import TokenNotFetched
from mg_provider.api.http.hosts import takes_token
from mg_provider.api.http.rate_limit import RateLimits
from mg_provider.api.http.sessions import AuthorizedHttpSession, HttpSession
from mg_provider.api.http.settings import Settings
from mg_provider.api.reading.error_reader import error_from_response
from mg_provider.clock import Clock
from mg_provider.loopback import is_loopback
from mg_provider.version import __version__

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from mg_provider.api.http.tls import ServerTrust

USER_AGENT = f"mg-provider/{__version__} pulumi-dynamic"
"""What Google's logs show these calls as."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection."""

READ_TIMEOUT = 60.0
"""Seconds to wait for the next bytes of an answer; recommendSpec takes the longest."""

RETRY_BUDGET = 120.0
"""Seconds after which a failing call is given up, repeats and the waits between them included."""

LOCAL_BUDGET = 15.0
"""Seconds after which a call is given up where nothing listens at an address of this machine."""

RATE_BUDGET = 900.0
"""Seconds for which a call is repeated that is refused because calls come too fast. Compute Engine counts by minute,
and many resources may wait for the same one."""

_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same call may fare better."""


# As bytes: of a text, other characters than these would end a line too.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PIECE = 512

_log = logging.getLogger("mg_provider.api")


@dataclass(frozen=True)
class Call:
    """One intended call.

    Attributes:
        method: HTTP method.
        url: Whole URL, without a query.
        query: Query parameters; those that are None are left out.
        body: JSON body.
        content: Body as bytes, instead of ``body``.
        file: File whose content is the body, instead; it is sent as it is read.
        headers: Further headers.
        repeatable: Whether the service recognises a repeat of this POST, or a repeat changes nothing.
        retry_budget: Seconds for repeats; 0 for none.
        rate_budget: Seconds for repeats where calls come too fast, unless ``retry_budget`` is less than usual.
        read_timeout: Seconds to wait for the next bytes of the answer.
        repeat_timeouts: Whether to ask again where no byte came within ``read_timeout``.
        transient: HTTP statuses that are worth a repeat.
        trust: What the server is recognised by, where no public authority vouches for it.
        named: Whether the user named the host, so that it gets a token although it is not Google's.
    """

    method: str
    url: str
    query: Mapping[str, str | int | bool | None] | None = None
    body: Mapping[str, Any] | None = None
    content: bytes | None = None
    file: Path | None = None
    headers: Mapping[str, str] | None = None
    repeatable: bool = False
    retry_budget: float = RETRY_BUDGET
    rate_budget: float = RATE_BUDGET
    read_timeout: float = READ_TIMEOUT
    repeat_timeouts: bool = True
    transient: frozenset[int] = TRANSIENT
    trust: ServerTrust | None = None
    named: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice does no harm."""
        return self.repeatable or self.method in _IDEMPOTENT

    def patience(self, error: CloudError | ConnectionFailed) -> float:
        """Seconds for repeats after an error; one who does not want to wait for long waits for no rate either."""
        if isinstance(error, NothingListens):
            return min(self.retry_budget, LOCAL_BUDGET)
        usual = self.retry_budget >= RETRY_BUDGET
        return (
            max(self.retry_budget, self.rate_budget) if usual and isinstance(error, RateLimited) else self.retry_budget
        )

    @property
    def parameters(self) -> dict[str, str]:
        """The query as it is sent."""
        given = {name: value for name, value in (self.query or {}).items() if value is not None}
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


@dataclass(frozen=True)
class Answer:
    """What came back: status below 300, headers, whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport:
    """All HTTP of the process. Threads share it, its connections and its rate limits.

    Args:
        settings: Credentials and quota project.
        clock: Measures time and waits between repeats.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[tuple[bool, ServerTrust | None], HttpSession] = {}
        self._lock = threading.Lock()
        self._limits = RateLimits(clock)

    def json(self, call: Call) -> dict[str, Any]:
        """Send a call whose answer is a JSON object; an empty answer is an empty object.

        Raises:
            CloudError: Google answered with an error, or with something that is not JSON.
            ConnectionFailed: no whole answer came.
        """
        answer = self.send(call)
        if not answer.content.strip():
            return {}
        try:
            data = json.loads(answer.content)
        except ValueError as error:
            raise self._not_json(call, answer) from error
        if not isinstance(data, dict):
            raise self._not_json(call, answer)
        return data

    def send(self, call: Call) -> Answer:
        """Send a call, repeat it where that is safe and may help, and answer the last answer.

        Raises:
            CloudError: Google answered with an error.
            ConnectionFailed: no whole answer came.
            UserError: there are no credentials, or the host is not one that may be called.
        """
        response = self._persist(call, stream=False)
        return Answer(response.status, response.headers, response.data)

    def lines(self, call: Call) -> Iterator[str]:
        """Send a call and answer its lines as they come.

        It is repeated as in :meth:`send` until an answer begins, and not after that: part of it may have been used.

        Raises:
            CloudError: Google answered with an error.
            ConnectionFailed: no whole answer came.
        """
        from urllib3.exceptions import HTTPError

        with self._persist(call, stream=True) as response:
            try:
                begun = b""
                for piece in response.stream(_PIECE):
                    *whole, begun = _LINE_END.split(begun + piece)
                    yield from (line.decode("utf-8", "replace") for line in whole)
                if begun:
                    yield begun.decode("utf-8", "replace")
            except HTTPError as error:
                raise self._no_answer(call, error, sent=True).error from error

    def pause(self, attempt: int) -> None:
        """Wait before another attempt at what came too fast, the longer the more there were."""
        self._clock.sleep(self._clock.jitter(min(_LONGEST_DELAY, _FIRST_DELAY * 2**attempt)))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _persist(self, call: Call, *, stream: bool) -> BaseHTTPResponse:
        """Send a call until it is answered well, or another attempt is of no use."""
        began = self._clock.monotonic()
        delay = _FIRST_DELAY
        while True:
            outcome = self._once(call, stream=stream)
            if not isinstance(outcome, _Failure):
                return outcome
            wait = outcome.after if outcome.after is not None else self._clock.jitter(delay)
            if not outcome.may_repeat or self._clock.monotonic() + wait - began > call.patience(outcome.error):
                raise outcome.error
            _log.debug("%s %s: %s; again in %.1f s", call.method, call.url, type(outcome.error).__name__, wait)
            self._clock.sleep(wait)
            delay = min(_LONGEST_DELAY, delay * 2)

    def _once(self, call: Call, *, stream: bool) -> BaseHTTPResponse | _Failure:
        from urllib3.exceptions import HTTPError

        if not is_loopback(call.url):
            self._limits.of(urlsplit(call.url).hostname or "").wait()
        try:
            response = self._request(call, stream=stream)
            content = b"" if stream and response.status < 300 else response.data
        except TokenNotFetched as error:
            return self._no_answer(call, error, sent=False)
        except ValueError as error:  # HTTP or JSON cannot say it, such as NaN, or a header with a line break.
            failed = ConnectionFailed(_problem(error), method=call.method, url=call.url, sent=False)
            return _Failure(failed, may_repeat=False, after=None)
        except HTTPError as error:
            return self._no_answer(call, error, sent=not _never_sent(error))
        if response.status < 300:
            return response
        return self._refused(call, response.status, response.headers, content)

    def _request(self, call: Call, *, stream: bool) -> BaseHTTPResponse:
        headers = {**self._headers(), **(call.headers or {})}
        if call.file is not None:
            # Each attempt reads it from its beginning.
            with call.file.open("rb") as file:
                headers["Content-Length"] = str(os.fstat(file.fileno()).st_size)
                return self._ask(call, headers, file, stream)
        if call.body is None:
            return self._ask(call, headers, call.content, stream)
        headers["Content-Type"] = "application/json"
        return self._ask(call, headers, json.dumps(call.body, allow_nan=False).encode(), stream)

    def _ask(
        self, call: Call, headers: Mapping[str, str], content: bytes | BinaryIO | None, stream: bool
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout

        # A redirect would take the token to another host, and turn a POST into a GET: a session follows none.
        return self._session(call).request(
            call.method,
            f"{call.url}?{urlencode(parameters)}" if (parameters := call.parameters) else call.url,
            headers=headers,
            body=content,
            timeout=Timeout(connect=CONNECT_TIMEOUT, read=call.read_timeout),
            stream=stream,
        )

    def _refused(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> _Failure:
        error = error_from_response(status, content, method=call.method, url=call.url, body=call.body, headers=headers)
        # Where calls come too fast, the service refused to begin, so even a POST may be sent again. With 400, BigQuery
        # says it of a job that has begun and ended so: asking again about that job does not help.
        too_fast = isinstance(error, RateLimited) and 429 in call.transient and status != 400
        transient = status in call.transient and not isinstance(error, QuotaExceeded)
        may_repeat = too_fast or (transient and call.may_repeat)
        return _Failure(error, may_repeat, self._retry_after(headers.get("Retry-After")))

    def _no_answer(self, call: Call, error: Exception, *, sent: bool) -> _Failure:
        from urllib3.exceptions import ReadTimeoutError

        failed: ConnectionFailed
        untrusted = isinstance(_innermost(error), ssl.SSLCertVerificationError)
        if untrusted:
            failed = CertificateNotTrusted(_problem(error), method=call.method, url=call.url)
        elif not sent and is_loopback(call.url):
            failed = NothingListens(_problem(error), method=call.method, url=call.url)
        else:
            failed = ConnectionFailed(_problem(error), method=call.method, url=call.url, sent=sent)
        failed.__cause__ = error
        useless = untrusted or (isinstance(error, ReadTimeoutError) and not call.repeat_timeouts)
        return _Failure(failed, (call.may_repeat or not sent) and not useless, None)

    def _retry_after(self, header: str | None) -> float | None:
        """Seconds that the service asks to wait: it says so in seconds or as an HTTP date."""
        if not header:
            return None
        if header.strip().isdigit():
            return float(header)
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._clock.now()).total_seconds())

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
        if self._settings.quota_project:
            headers["x-goog-user-project"] = self._settings.quota_project
        return headers

    def _session(self, call: Call) -> HttpSession:
        anonymous = not takes_token(call.url, self._settings, named=call.named)
        kind = anonymous, call.trust
        with self._lock:
            if kind not in self._sessions:
                made = HttpSession(call.trust) if anonymous else AuthorizedHttpSession(self._settings, call.trust)
                self._sessions[kind] = made
            return self._sessions[kind]

    def _not_json(self, call: Call, answer: Answer) -> CloudError:
        return CloudError(
            answer.status,
            "UNKNOWN",
            f"the answer is not a JSON object but begins with {answer.content[:40]!r}",
            method=call.method,
            url=call.url,
            hint="check that proxies and the custom endpoint lead to Google",
        )


@dataclass(frozen=True)
class _Failure:
    """One attempt that did not end well: the error, whether another may follow, and after how many seconds."""

    error: CloudError | ConnectionFailed
    may_repeat: bool
    after: float | None


def _never_sent(error: Exception) -> bool:
    """Whether the connection failed before any byte of the request could leave."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    return isinstance(error, NewConnectionError | ConnectTimeoutError)


def _problem(error: Exception) -> str:
    """The innermost reason, without the layers of objects that urllib3 puts around it."""
    return f"{type(error).__name__}: {_innermost(error)}"


def _innermost(error: Exception) -> object:
    reason: object = error
    while isinstance(reason, Exception) and (inner := getattr(reason, "reason", None) or (reason.args or [None])[0]):
        if not isinstance(inner, Exception):
            break
        reason = inner
    return reason
