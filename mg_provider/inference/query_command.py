"""`mg query`: ask a model and print what it says; `mg certificate`: what certificate a server shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mg_provider.api.errors import MgError, UserError, end_with
from mg_provider.api.http.tls import fetch_certificate
from mg_provider.clock import Clock, SystemClock
from mg_provider.command_line.exits import FAILED, FINE, USAGE
from mg_provider.inference.chat import ChatAnswer, ChatStream
from mg_provider.inference.client import Client
from mg_provider.inference.diagnosis import EndpointNotAnswering

LONGEST_WAIT = 1800.0
"""Seconds for which a replica that wakes is waited for."""

_STDIN = "-"
_CUT = "length"
_PAUSE = 10.0
_WAKING = ("waking", "no replica")

Write = Callable[[str], object]


@dataclass(frozen=True)
class Query:
    """What to ask, and whom.

    Attributes:
        question: The words; ``-`` reads them from standard input.
        endpoint: Id or resource name; None with ``stack``.
        stack: Stack whose output names the endpoint.
        output: Path to that output.
        program: Folder of Pulumi.yaml.
        state: State file of the stack.
        stream: Print the words as they are made.
        as_json: Print the whole answer as JSON.
        wait: Ask again while a replica wakes from zero.
        system: Instructions before the question.
        request: Further fields of the request, such as ``max_tokens``; those that are None are left out.
        client: Options of :class:`mg_provider.inference.Client`; those that are None are left out.
        config: Settings by full config key.
    """

    question: str
    endpoint: str | None = None
    stack: str | None = None
    output: str | None = None
    program: Path = Path()
    state: Path | None = None
    stream: bool = False
    as_json: bool = False
    wait: bool = False
    system: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)

    def make_client(self) -> Client:
        """The client that it is asked with.

        Raises:
            UserError: It is not clear which endpoint is meant.
        """
        options = _given(self.client)
        if self.wait:
            # The wait below asks again, and says why.
            options.setdefault("retry_budget", 0.0)
        if self.stack is None:
            return Client(self.endpoint or "", config=self.config, **options)
        return Client.from_stack(
            self.stack, self.output, program=self.program, state=self.state, config=self.config, **options
        )


def ask(query: Query, write: Write | None = None, complain: Write | None = None, clock: Clock | None = None) -> int:
    """Ask, and print the answer.

    Args:
        query: What to ask, and whom.
        write: Takes the answer; by default it is printed at once.
        complain: Takes what went wrong; by default it goes to stderr.
        clock: Measures how long a replica is waited for.

    Returns:
        0 if there is an answer, 1 if not, or if it has no words, 2 if an argument is wrong.
    """
    write, complain = write or _print, complain or sys.stderr.write
    question = sys.stdin.read() if query.question == _STDIN else query.question
    try:
        if not question.strip():
            raise UserError("is empty", property="question", hint="write what to ask, or `-` to read it from stdin")
        with query.make_client() as client:
            return _patiently(query, client, question, write, complain, clock or SystemClock())
    except MgError as problem:
        return end_with(problem, complain)


def _patiently(query: Query, client: Client, question: str, write: Write, complain: Write, clock: Clock) -> int:
    """Tell the answer; where the endpoint has no replica yet, and the user wants that, ask until it has."""
    began = clock.monotonic()
    while True:
        try:
            return _tell(query, client, question, write, complain)
        except EndpointNotAnswering as problem:
            waited = clock.monotonic() - began
            if not query.wait or problem.reason not in _WAKING or waited > LONGEST_WAIT:
                raise
            complain(f"waiting for a replica of {client.endpoint} to wake, for {waited:,.0f} s so far\n")
            clock.sleep(_PAUSE)


def _tell(query: Query, client: Client, question: str, write: Write, complain: Write) -> int:
    options = _given(query.request)
    answer: ChatAnswer | ChatStream
    if query.stream:
        answer = _stream(client.stream_chat(question, system=query.system, **options), write)
    else:
        answer = whole = client.chat(question, system=query.system, **options)
        if query.as_json:
            write(f"{json.dumps(whole.response, ensure_ascii=False, indent=2)}\n")
            return FINE
        write(f"{whole.text}\n")
    if answer.no_words:
        complain(f"the answer has no words: {answer.no_words}\n")
        return FAILED
    if answer.finish_reason == _CUT:
        complain("the answer is cut: it reached max_tokens (finish_reason length); raise --max-tokens\n")
    return FINE


def _stream(stream: ChatStream, write: Write) -> ChatStream:
    try:
        for piece in stream:
            write(piece)
    finally:
        if stream.begun:
            write("\n")
    return stream


def show_certificate(host: str, port: int, write: Write | None = None, complain: Write | None = None) -> int:
    """Print the certificate that a server shows, ready for ``--ca-file``; its fingerprint goes to stderr.

    Args:
        host: Address or name, with or without a port; or a URL with it.
        port: The port, where ``host`` has none.
        write: Takes the certificate; by default stdout.
        complain: Takes everything else; by default stderr.

    Returns:
        0 if there is one, 1 if not, 2 if the address is not valid.
    """
    write, complain = write or _print, complain or sys.stderr.write
    try:
        shown = fetch_certificate(*_place(host, port))
    except MgError as problem:
        complain(f"error: {problem}\n")
        return USAGE if isinstance(problem, UserError) else FAILED
    write(shown.pem)
    complain(f"sha256 fingerprint: {shown.fingerprint}\n")
    complain("this fingerprint is not verified yet: compare it from a second network before you pin it\n")
    return FINE


def _place(host: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(host if "://" in host else f"//{host}")
        own = parts.port
    except ValueError as error:
        raise UserError(f"{host!r} is not an address ({error})", property="host", hint="write 10.0.0.5:443") from error
    return parts.hostname or host, own or port


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
