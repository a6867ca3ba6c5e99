"""Everything that is emulated: time, state, faults. One lock guards all of it."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from mg_provider.emulator.core import clock
from mg_provider.emulator.core.faults import Faults
from mg_provider.emulator.core.journal import Journal
from mg_provider.emulator.core.listeners import Listeners
from mg_provider.emulator.core.meter import GpuMeter
from mg_provider.emulator.core.operations import Operations
from mg_provider.emulator.core.switches import check_switch
from mg_provider.emulator.core.timeline import Timeline
from mg_provider.emulator.google.errors import invalid_argument

Part = TypeVar("Part")

# How the emulator decides where no source says what Google does, and what a test may switch.
BEHAVIOURS: dict[str, Any] = {
    "allowlist_patch": "allow",  # or "refuse": is privateServiceConnectConfig patchable?
    "attachment_recycle_seconds": 3600.0,  # after the last undeploy the service attachment is given up
    "model_release_seconds": 0.0,  # how long after undeployModel a Model still counts as in use
    "bad_models": {},  # model id or gs:// URI -> "500" | "wrong" | "slow"
    "slow_seconds": 3.0,  # real seconds that a slow model takes
    "strict_networks": False,  # only networks that were made, by a call or through the admin route, exist
    "unlisted_project": "PENDING",  # or "REJECTED", "NEEDS_ATTENTION": the connection of a project not on the allowlist
    # or "asked": does a rule register itself in goog-psc-default although nobody asked for it? Three real rules did
    # (files 35100132970 and 55125628639, Google's page on Cloud SQL)
    "service_directory": "always",
    # or "keep": is a Service Directory namespace of one's own taken on a rule to a published service? One report says
    # that it is refused (terraform-provider-google issue 17965)
    "own_service_directory": "refuse",
    # or "kept": the description of such a rule. Config Connector's recordings of 2023 and 2026 disagree
    "psc_description": "dropped",
    "psc_automated_dns": "hidden",  # or "shown": noAutomateDnsZone, which no real output of such a rule has
    # emulated seconds for which a new rule is PENDING although its project is allowed (file 69597818239)
    "psc_pending_seconds": 10.0,
    "being_made": "shown",  # or "hidden": are an address and a rule there for callers while they are being made?
    "patch_global_access": "allow",  # or "refuse": does forwardingRules.patch change allowPscGlobalAccess?
    # or "kept": what becomes of request fields that no published client has
    "fields_of_no_client": "dropped",
    "fast_tryout": "hidden",  # or "shown": whether an endpoint shows that Model Garden's deploy was asked for it
    "stockouts": [],  # "region/machine-type" without machines
    "rolled_out_deployment": "undeployed",  # or "kept", without traffic: what a rolling deployment replaced
    "load": {},  # endpoint id -> replicas that its requests need: deployments scale between their least and most
    "recommended_regions": [],  # regions beside the one asked that recommendSpec names, where machines are there
    "container_lines": [],  # what the container of a deployment that fails writes beside the usual
    # or "refuse": is a Model of another location than the endpoint's deployed? PROTO of DeployedModel.model: it may be.
    "model_of_another_location": "allow",
    # calls of each group to Compute Engine that a project has in a minute and region; 0 for any number
    "compute_calls_per_minute": 1500,
    "compute_concurrent_operations": 0,  # that a project has in a region; 0 for any number, as no source gives one
    "conflicting_operations": "refuse",  # or "allow": a second mutating call while one runs on the endpoint
    # emulated seconds from a project's first call that needs its service agents until they are there: one to five
    # minutes in a new project (files 30980704582, 60339819545)
    "service_agents_ready_after": 0.0,
    "service_agent_may_deploy": True,  # or False: without roles/aiplatform.user, `:deploy` ends with a bare INTERNAL
    "unreadable_weights": [],  # beginnings of gs:// URIs that the service agent may not read
    "unreadable_images": [],  # beginnings of image names that it may not read
    "connection_policy": "present",  # or "missing": PSC automation fails, as without a service connection policy
    "batch_detours": [],  # states that a job passes while it runs: JOB_STATE_PAUSED, JOB_STATE_UPDATING
    "batch_delete_refusal": "only a job that has finished can be deleted.",  # the words are of no source
    # or "expired": its time is over when half of the rows are answered; or "never_ready": its model does not come up
    "batch_end": "",
    "batch_listed_after": 0.0,  # emulated seconds from a job's creation until a list shows it
    "batch_completion_stats": "live",  # or "unknown_total", or "at_end": what a running job shows
    "missing_object": "key",  # or "named": which of its two texts Cloud Storage has for an object that is not there
    # or "as_answers": a row that fails has the envelope of its call as response, and the service counts it as answered
    "batch_errors": "apart",
    "batch_output_order": "scattered",  # or "input": the order of the answers
    "labels_at_most": 64,  # how many labels a resource of Vertex AI takes; no source says at which number it refuses
    "dedicated_endpoint_patch": "refuse",  # or "allow": does endpoints.patch change dedicatedEndpointEnabled?
    "dedicated_dns_after": 30.0,  # emulated seconds until an endpoint shows its dedicated DNS name
    "client_connection_update": "allow",  # or "refuse": does endpoints.update change clientConnectionConfig?
    "chat_model_name": "checked",  # or "ignored": does chat/completions answer a request that names another model?
    "upload_labels": "version",  # or "model": whose the labels of an upload are, so whether a patch removes them
    "quota_counts": "most",  # or "current": do deployments claim the GPUs of their most replicas, or of those there?
    "failed_deploy_endpoint": "kept",  # or "removed": the endpoint that a failed :deploy had made
    "failed_deploy_holds_seconds": 0.0,  # how long the GPUs of a failed deployment still count against quota
    "cancel_operation": "ends",  # or "refused": what cancelling an operation of Vertex AI does
    "operations_kept_seconds": 0.0,  # after their end operations are forgotten; 0 keeps them
    "weights_of_another_region": "refuse",  # or "allow": weights in a bucket of another region than the Model
    "publisher_env": "dropped",  # or "kept": what becomes of modelConfig.containerSpec.env for a publisher model
    "replicas_short": {},  # endpoint id -> replicas of a deployment that never come up
    # Emulated seconds instead of the usual, by deployment stage, or one of CREATE_ENDPOINT, UPDATE_ENDPOINT,
    # DELETE_ENDPOINT, UPLOAD_MODEL, DELETE_MODEL, MUTATE_DEPLOYED_MODEL, UNDEPLOY_MODEL
    "durations": {},
}
_REQUESTS_KEPT = 20_000


Watcher = Callable[["World"], None]
_WATCHERS: list[Watcher] = []


def watches_behaviours(watcher: Watcher) -> Watcher:
    """Register a function that is called after behaviours were switched."""
    _WATCHERS.append(watcher)
    return watcher


@lru_cache(maxsize=1024)
def _number_of(project: str) -> str:
    return str(100_000_000_000 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % 800_000_000_000)


class World:
    """The state behind one emulator.

    Attributes:
        lock: held while a request is handled.
        identity: what no other emulator has; it stays where the world is kept, and after a reset.
        timeline: what will happen.
        operations: Vertex AI's long-running operations.
        faults: declared by the test.
        meter: GPU-seconds.
        listeners: private addresses that answer.
        behaviours: see :data:`BEHAVIOURS`.
        quota: ``"project/region/accelerator"`` to GPUs; what is not there is unlimited.
        requests: what was received, oldest first.
        journal: what is written down of the calls, where this world is kept; None where it is not.
        watchers: called with each request, with its ``rpc``, before it is answered, by the thread that answers it.
    """

    def __init__(self, speed: float, quota: dict[str, int], listeners: Listeners) -> None:
        self.lock = threading.RLock()
        self.identity = clock.new_identity()
        self.clock = clock.EmulatorClock(speed)
        self.listeners = listeners
        self._initial_speed = speed
        self._initial_quota = dict(quota)
        self.journal: Journal | None = None
        # An id never comes twice, not even in another life: a provider's process may remember it.
        self._numbers = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything; time starts again."""
        self.listeners.close_all()
        self.clock.restart(self._initial_speed)
        self.timeline = Timeline()
        self.operations = Operations(self)
        self.faults = Faults()
        self.meter = GpuMeter()
        self.behaviours: dict[str, Any] = {**BEHAVIOURS}
        self.quota: dict[str, int] = dict(self._initial_quota)
        self.requests: deque[dict[str, Any]] = deque(maxlen=_REQUESTS_KEPT)
        self.watchers: list[Callable[[dict[str, Any]], None]] = []
        self._parts: dict[type[Any], Any] = {}
        self._project_ids: dict[str, str] = {}
        if self.journal:
            self.journal.forget()

    def part(self, kind: type[Part]) -> Part:
        """A service's own state: one ``kind()`` for each life of the emulator."""
        if kind not in self._parts:
            self._parts[kind] = kind()
        found: Part = self._parts[kind]
        return found

    def now(self) -> float:
        """Emulated seconds since the start."""
        return self.clock.seconds()

    def settle(self) -> None:
        """Let everything happen that is due."""
        self.timeline.settle(self.now())

    def let_time_pass(self, seconds: float) -> None:
        """Let real time pass in the middle of a call, while others are answered; none does where a call is repeated."""
        if self.journal and self.journal.repeating:
            return
        self.lock.release()
        try:
            self.clock.flow()
            clock.pause(seconds)
        finally:
            self.lock.acquire()

    @property
    def marks(self) -> tuple[int, int, int]:
        """Something that differs after all that changes this world without being asked to."""
        return self._numbers, self.timeline.happened, len(self._project_ids)

    def count_from(self, numbers: int) -> None:
        """Go on as if so many numbers had been given out, as when a call is repeated."""
        self._numbers = numbers

    def timestamp(self, seconds: float | None = None) -> str:
        """A moment, by default now, as the APIs write it."""
        return clock.timestamp(self.now() if seconds is None else seconds)

    def new_number(self) -> str:
        """A 19-digit id that never comes twice."""
        self._numbers += 1
        return str(4026753529406673472 + self._numbers * 7)

    def new_hex(self, length: int = 32) -> str:
        """Hexadecimal digits that look random, never come twice, and are the same in each run."""
        return hashlib.sha256(self.new_number().encode()).hexdigest()[:length]

    def new_uuid(self) -> str:
        """A UUID that looks random, never comes twice, and is the same in each run."""
        return str(uuid.UUID(hex=self.new_hex()))

    def project_number(self, project: str) -> str:
        """The number of a project; digits stay as they are, an id gets the same number in every run."""
        if project.isdigit():
            return project
        number = _number_of(project)
        self._project_ids[number] = project
        return number

    def project_id(self, number: str) -> str:
        """The id of a project whose number was handed out; otherwise the number."""
        return self._project_ids.get(number, number)

    def behave(self, changes: dict[str, Any]) -> None:
        """Switch behaviours.

        Raises:
            ApiError: INVALID_ARGUMENT for one that does not exist, or a value that it cannot have.
        """
        unknown = set(changes) - set(BEHAVIOURS)
        if unknown:
            raise invalid_argument(f"no such behaviour: {sorted(unknown)}; known: {sorted(BEHAVIOURS)}")
        for name, value in changes.items():
            check_switch(name, BEHAVIOURS[name], value)
        self.behaviours.update(changes)
        for watcher in _WATCHERS:
            watcher(self)

    def duration(self, stage: str, usual: float) -> float:
        """Emulated seconds of a stage: what the test set, or the usual."""
        return float(self.behaviours["durations"].get(stage, usual))
