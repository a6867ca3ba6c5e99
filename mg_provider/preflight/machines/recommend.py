"""What Model Garden itself recommends for a folder of weights: machine, container, quota, regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError, ConnectionFailed, RateLimited, Unavailable
from mg_provider.api.http.transport import RETRY_BUDGET
from mg_provider.preflight.findings import Finding, WeightsReport, note, warning
from mg_provider.preflight.machines.fit import share_of_memory
from mg_provider.preflight.machines.machine import accelerators, described
from mg_provider.preflight.machines.memory import accelerator_gigabytes
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.deploy import (
    MachineAndModelContainerSpec,
    Recommendation,
    RecommendSpecRequest,
    RecommendSpecResponse,
)
from mg_provider.wire.vertex.machine import MachineSpec

HAS_QUOTA = "QUOTA_STATE_USER_HAS_QUOTA"
NO_QUOTA = "QUOTA_STATE_NO_USER_QUOTA"
UNKNOWN_QUOTA = "QUOTA_STATE_UNSPECIFIED"
# Where the machine is given, a recommendation is advice, and not worth waiting long for.
ADVICE_SECONDS = 3.0
_LONG = RETRY_BUDGET - ADVICE_SECONDS
# Weights that take less of the chosen machine's memory than this leave no doubt that it is large enough.
_ROOMY = 0.5


@dataclass(frozen=True)
class Advice:
    """What is recommended.

    Attributes:
        machine_spec: Machine for the region: the chosen one, or else the recommended one; None if there is neither.
        container_spec: Container that goes with the recommended machine.
        base_model: What Model Garden takes the weights for.
        quota_state: Best quota state of the recommended machines by region, as recommendSpec names it.
        regions_that_work: Regions where a recommended machine is available and quota is not known to be short.
        findings: Warnings; a recommendation is never an error.
    """

    machine_spec: MachineSpec | None = None
    container_spec: ContainerSpec | None = None
    base_model: str | None = None
    quota_state: dict[str, str] = field(default_factory=dict)
    regions_that_work: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def recommend(
    gcs_uri: str,
    parent: str,
    region: str,
    clients: Clients,
    chosen: MachineSpec | None,
    others: Sequence[MachineSpec] = (),
    weights: WeightsReport | None = None,
    say: Callable[[str], object] | None = None,
) -> Advice:
    """Ask ``projects.locations:recommendSpec`` (v1beta1) and hold the chosen machine against the answer.

    Permissions: aiplatform.locations.get; storage.objects.list and get on the folder for the Vertex AI service agent.

    Args:
        gcs_uri: ``gs://bucket/folder``.
        parent: ``projects/{project}/locations/{region}``.
        region: Where the model will be deployed.
        clients: API clients.
        chosen: The machine that the user gave, or the first of several, or None.
        others: The other machines that the user gave, each to be held against the answer as well.
        weights: What a check of the folder found.
        say: Takes a sentence about a wait.

    Returns:
        Advice. Where Google gives none, it is empty but for the chosen machine and a warning.

    Raises:
        UserError: there are no credentials.
    """
    request = RecommendSpecRequest(gcs_uri=gcs_uri, check_machine_availability=True, check_user_quota=True)
    try:
        answer = _ask(parent, request, clients, chosen, say or _silent)
    except (CloudError, ConnectionFailed) as problem:
        message = f"Model Garden recommends no machine: {problem.summary}; the deployment may still work"
        return Advice(machine_spec=chosen, findings=[warning("no_recommendation", message, gcs_uri)])
    advice = _advice(answer, region, chosen)
    options = _options(answer, region)
    machines = [machine for machine in (chosen, *others) if machine is not None]
    advice.findings.extend(finding for machine in machines for finding in _smaller(machine, options, weights))
    return advice


def _ask(
    parent: str,
    request: RecommendSpecRequest,
    clients: Clients,
    chosen: MachineSpec | None,
    say: Callable[[str], object],
) -> RecommendSpecResponse:
    """Ask; where nobody chose a machine, ask again for as long as any call is repeated, and say so."""
    try:
        return clients.vertex.recommend_spec(parent, request, retry_budget=ADVICE_SECONDS)
    except (Unavailable, RateLimited, ConnectionFailed) as problem:
        if chosen is not None:
            raise
        say(f"Model Garden does not recommend a machine yet ({problem.summary}); asking again for up to {_LONG:.0f} s")
        return clients.vertex.recommend_spec(parent, request, retry_budget=_LONG)


def _silent(_: str) -> None:
    """Say nothing."""


def _advice(answer: RecommendSpecResponse, region: str, chosen: MachineSpec | None) -> Advice:
    options = _options(answer, region)
    here = [option for option in options if option.region == region and option.spec and option.spec.machine_spec]
    best = _best(here, chosen)
    recommended = best.machine_spec if best else None
    states = _states(options)
    works = sorted(name for name, state in states.items() if state != NO_QUOTA)
    findings = [*_unavailable(region, here, works), *_quota(region, here, chosen, works)]
    return Advice(
        machine_spec=chosen or recommended,
        container_spec=best.container_spec if best else None,
        base_model=answer.base_model,
        quota_state=states,
        regions_that_work=works,
        findings=findings,
    )


def _options(answer: RecommendSpecResponse, region: str) -> list[Recommendation]:
    """All recommendations; without any check Google answers bare specs, which are those of the region asked."""
    bare = [Recommendation(region=region, spec=spec) for spec in answer.specs or []]
    return answer.recommendations or bare


def _best(here: list[Recommendation], chosen: MachineSpec | None) -> MachineAndModelContainerSpec | None:
    """The recommendation of the chosen machine, or else the first with quota, or else the first."""
    same = [option for option in here if chosen and _same(option, chosen)]
    quota = [option for option in here if option.user_quota_state != NO_QUOTA]
    return next((option.spec for option in [*same, *quota, *here]), None)


def _same(option: Recommendation, chosen: MachineSpec) -> bool:
    machine = option.spec.machine_spec if option.spec else None
    return (
        machine is not None
        and machine.machine_type == chosen.machine_type
        and accelerators(machine) == accelerators(chosen)
    )


def has_machine(option: Recommendation, chosen: MachineSpec | None) -> bool:
    """Whether a recommendation is for the chosen machine; without one, whether it names any."""
    return _same(option, chosen) if chosen else option.spec is not None


def _states(options: Iterable[Recommendation]) -> dict[str, str]:
    """The best quota state by region."""
    order = (NO_QUOTA, UNKNOWN_QUOTA, HAS_QUOTA)
    states: dict[str, str] = {}
    for option in options:
        state = option.user_quota_state if option.user_quota_state in order else UNKNOWN_QUOTA
        if option.region:
            states[option.region] = max(states.get(option.region, NO_QUOTA), state, key=order.index)
    return states


def _unavailable(region: str, here: list[Recommendation], works: list[str]) -> list[Finding]:
    if here:
        return []
    where = f"use {' or '.join(works)}, where one is" if works else "try again later, or ask Google for capacity"
    return [warning("machine_unavailable", f"no recommended machine is available in {region}: {where}")]


def _quota(region: str, here: list[Recommendation], chosen: MachineSpec | None, works: list[str]) -> list[Finding]:
    """Whether quota is short for the chosen machine, or, where there is none, for all recommended ones."""
    same = [option for option in here if chosen and _same(option, chosen)]
    relevant = same if chosen else here
    if not relevant or any(option.user_quota_state != NO_QUOTA for option in relevant):
        return []
    kinds = sorted({described(option.spec.machine_spec) for option in relevant if option.spec})
    others = [name for name in works if name != region]
    elsewhere = f", or deploy in {', '.join(others)}" if others else ""
    message = f"quota in {region} is too small for {' or '.join(kinds)}: ask for more custom model serving quota"
    return [warning("no_quota", f"{message}{elsewhere}")]


def _smaller(chosen: MachineSpec, options: list[Recommendation], weights: WeightsReport | None) -> list[Finding]:
    """A note if even the smallest recommended machine has more memory, and the weights do not fit easily."""
    machines = [option.spec.machine_spec for option in options if option.spec and option.spec.machine_spec]
    sized = [(gigabytes, machine) for machine in machines if (gigabytes := accelerator_gigabytes(machine))]
    have = accelerator_gigabytes(chosen)
    if have is None or not sized:
        return []
    need, smallest = min(sized, key=lambda pair: pair[0])
    share = share_of_memory(weights, chosen) if weights else None
    if have >= need or (share is not None and share <= _ROOMY):
        return []
    taken = f", of which the weights take {100 * share:.0f} %" if share else ""
    message = (
        f"{described(chosen)} is smaller than recommended: it has {have} GB of accelerator memory{taken}, the smallest "
        f"machine recommended for these weights is {described(smallest)} with {need} GB"
    )
    return [note("machine_too_small", message)]
