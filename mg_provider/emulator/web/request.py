"""One HTTP request, as it is read from a connection and as it is repeated from a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urlsplit

_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 256 * 1024
_LONGEST_LINE = 64 * 1024
_MOST_HEADERS = 100


class BadRequest(Exception):
    """What came is not HTTP, or not all of it came."""


@dataclass
class Request:
    """A request.

    Attributes:
        method: such as POST.
        target: path and query as they were sent.
        headers: by name in the canonical case, such as ``Content-Type``.
        media: the whole body, in memory or, when large, in a temporary file.
        address: the private address that it came in on; None for the main one.
        path: of the target, still percent-encoded.
        query: of the target.
        host: whom the client means, with the port where it says one.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    media: IO[bytes]
    address: str | None = None
    path: str = field(init=False)
    query: str = field(init=False)
    host: str = field(init=False)

    def __post_init__(self) -> None:
        """Take the target apart. ValueError if it is not one."""
        parts = urlsplit(self.target)
        self.path, self.query = parts.path, parts.query
        self.host = (parts.scheme and parts.netloc) or self.headers.get("Host", "127.0.0.1")

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def read_request(stream: IO[bytes], address: str | None, go_on: Callable[[], None]) -> tuple[Request, bool] | None:
    """The next request of a connection, and whether the client may send another one; None after the last one.

    Args:
        stream: what the client sends.
        address: the private address that it came in on; None for the main one.
        go_on: called where the client sends its body only when it is asked to.

    Raises:
        BadRequest: it is not HTTP, or not all of it came.
    """
    if not (first := stream.readline(_LONGEST_LINE)).strip():
        return None
    try:
        method, target, version = first.decode("latin-1").split()
        headers = _headers(stream)
        if headers.get("Expect", "").lower() == "100-continue":
            go_on()
        request = Request(method, target, headers, _media(stream, headers), address)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    kept = "close" if version == "HTTP/1.0" else "keep-alive"
    return request, headers.get("Connection", kept).lower() != "close"


def _line(stream: IO[bytes]) -> str:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BadRequest("a line is too long, or was cut off")
    return line.decode("latin-1").rstrip("\r\n")


def _headers(stream: IO[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, colon, value = line.partition(":")
        name, value = name.title(), value.strip()
        if not colon or name != name.strip() or len(headers) == _MOST_HEADERS:
            raise BadRequest(f"{name} is not a header")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _media(stream: IO[bytes], headers: Mapping[str, str]) -> IO[bytes]:
    length = int(headers.get("Content-Length", 0))
    if length < 0:
        raise BadRequest("the length is below 0")
    chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not chunked and length <= _IN_MEMORY:
        return BytesIO(_exactly(stream, length))
    with ExitStack() as if_cut_off:
        media = if_cut_off.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        if chunked:
            while size := int(_line(stream).partition(";")[0], 16):
                _copy(stream, media, size)
                _line(stream)
            while _line(stream):  # what follows the last chunk
                continue
        else:
            _copy(stream, media, length)
        if_cut_off.pop_all()
    media.seek(0)
    return media


def _copy(stream: IO[bytes], media: IO[bytes], size: int) -> None:
    for begin in range(0, size, _CHUNK):
        media.write(_exactly(stream, min(_CHUNK, size - begin)))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise BadRequest("the body was cut off")
    return content
