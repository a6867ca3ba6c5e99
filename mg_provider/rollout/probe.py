"""Real requests that a new deployment must answer well before it gets more traffic."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mg_provider.api.completions import words_of
from mg_provider.api.errors import MgError, UserError
from mg_provider.rollout.capacity import available, scales_to_zero

if TYPE_CHECKING:
    from mg_provider.api.prediction import Attempt, PredictionClient
    from mg_provider.clock import Clock
    from mg_provider.rollout.place import Place

CERTAINTY = 0.99
"""How sure a step must be that the new deployment was met by a request."""

WAKING_POLL_SECONDS = 10.0
"""Longest pause between two requests to a deployment that wakes from zero."""

AWAKE_SECONDS = 60.0
"""How long a deployment with replicas may go on refusing what it is asked as if it still woke."""

_SHOWN = 200


@dataclass(frozen=True)
class RolloutProbe:
    """What is asked, and what is a good answer.

    Attributes:
        method: ``chat/completions``, or ``predict``.
        body: The request.
        expected_status: HTTP status of a good answer.
        max_latency: Seconds that an answer may take; None for any.
        expected_text: Text that a good answer holds; empty for any.
        requests: Fewest requests a step.
        timeout: Seconds after which an answer is given up.
    """

    method: Literal["chat/completions", "predict"]
    body: Mapping[str, Any]
    expected_status: int = 200
    max_latency: float | None = None
    expected_text: str = ""
    requests: int = 1
    timeout: float = 60.0


class ProbeFailed(MgError):
    """An answer was not good."""


def requests_at(percent: int) -> int:
    """How many requests meet a deployment with this share of the traffic at least once, with 99 % probability."""
    if percent >= 100:
        return 1
    return math.ceil(math.log(1 - CERTAINTY) / math.log(1 - percent / 100))


class Prober:
    """Asks an endpoint, at each step of a rollout, until the new deployment was met.

    Args:
        probe: What to ask.
        client: Asks, at the endpoint's own address.
        clock: For latencies.
    """

    def __init__(self, probe: RolloutProbe, client: PredictionClient, clock: Clock) -> None:
        self._probe = probe
        self._client = client
        self._clock = clock

    def check(self, place: Place, deployed_id: str, percent: int) -> None:
        """Send requests while ``deployed_id`` has ``percent`` of the traffic.

        Answers of predict name their deployment: those of another one do not count, and once enough came from the new
        one no more are sent. Answers of chat do not, so every answer counts.

        Raises:
            ProbeFailed: An answer was not good.
        """
        most = max(requests_at(percent), self._probe.requests)
        place.world.progress(f"probing at {percent} % with up to {most} requests")
        met = 0
        for number in range(1, most + 1):
            if place.world.cancelled():
                raise MgError("stopped while probing the new deployment", hint="run `pulumi up` again to go on")
            attempt = self._attempt(place, deployed_id)
            answered_by = str((attempt.answer or {}).get("deployedModelId", ""))
            if answered_by and answered_by != deployed_id:
                continue
            problem = problem_of(self._probe, attempt)
            if problem is not None:
                raise ProbeFailed(
                    f"probe {number} of {most} at {percent} % of the traffic failed: {problem}",
                    hint="see whether the new weights answer the probe, or change `rollout.probe`",
                )
            met += bool(answered_by)
            if met >= self._probe.requests:
                return

    def _attempt(self, place: Place, deployed_id: str) -> Attempt:
        """Ask; again while the deployment wakes: what one at zero is asked is answered 429 and dropped."""
        began, pause, awake_since = self._clock.monotonic(), 1.0, None
        while True:
            attempt = self._client.attempt(self._probe.method, self._probe.body, self._clock)
            now = self._clock.monotonic()
            if attempt.status != 429 or now - began > place.change_seconds or place.world.cancelled():
                return attempt
            deployed = place.deployments().get(deployed_id)
            if not scales_to_zero(deployed):
                return attempt
            # It may have woken between the answer and this look, and a moment passes until it answers.
            awake_since = (awake_since or now) if available(deployed) else None
            if awake_since is not None and now - awake_since > AWAKE_SECONDS:
                return attempt
            place.world.progress(f"waiting for {deployed_id} to wake: it had scaled to zero")
            self._clock.sleep(pause)
            pause = min(2 * pause, WAKING_POLL_SECONDS)


def problem_of(probe: RolloutProbe, attempt: Attempt) -> str | None:
    """What is not good about an answer."""
    took = f"after {attempt.seconds:.1f} s"
    if isinstance(attempt.error, UserError) or (attempt.status == 0 and attempt.error is not None):
        return f"no answer {took} ({attempt.error.summary})"
    if attempt.status != probe.expected_status:
        message = getattr(attempt.error, "message", "")
        return f"status {attempt.status} instead of {probe.expected_status} {took}{f' ({message})' if message else ''}"
    if probe.max_latency is not None and attempt.seconds > probe.max_latency:
        return f"status {attempt.status} {took}, slower than max_latency {probe.max_latency:g} s"
    text = answer_text(attempt.answer or {})
    if probe.expected_text and probe.expected_text not in text:
        return f"status {attempt.status} {took}, without the expected text {probe.expected_text!r}: {text[:_SHOWN]!r}"
    return None


def answer_text(answer: Mapping[str, Any]) -> str:
    """What the model said: the message of a chat, the predictions of predict."""
    if "choices" in answer:
        return words_of(answer) or ""
    return json.dumps(answer.get("predictions", answer), ensure_ascii=False)
