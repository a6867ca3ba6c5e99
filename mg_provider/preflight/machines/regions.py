"""Which regions have a machine for a model, and quota for it, as Model Garden says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mg_provider.api.clients import Clients
from mg_provider.api.errors import UserError
from mg_provider.data import known_regions
from mg_provider.preflight.machines.recommend import HAS_QUOTA, NO_QUOTA, has_machine
from mg_provider.wire.vertex.deploy import RecommendSpecRequest
from mg_provider.wire.vertex.machine import MachineSpec


@dataclass(frozen=True)
class Wanted:
    """A model that is to run in each region.

    Attributes:
        gcs_uri: Folder with its weights.
        machines: The machines that it may run on; none for any that Model Garden recommends.
    """

    gcs_uri: str
    machines: tuple[MachineSpec, ...] = ()


def quota_states(wanted: Wanted, project: str, clients: Clients, candidates: Sequence[str] = ()) -> dict[str, str]:
    """Quota state by region, of the regions that have the machine.

    Calls ``projects.locations:recommendSpec`` (v1beta1) with both checks. Its answers have a region in every entry, but
    no source says for which regions one call answers: a region that no answer has named yet is asked itself.
    Permission: aiplatform.locations.get; the Vertex AI service agent reads the folder.

    Args:
        wanted: The model.
        project: Project id.
        clients: API clients.
        candidates: Where to look; every region where that is empty.

    Raises:
        MgError: Model Garden does not answer, or there are no credentials.
    """
    states: dict[str, str] = {}
    for region in candidates or sorted(known_regions()):
        if region not in states:
            for name, state in _ask(wanted, f"projects/{project}/locations/{region}", clients):
                better = state == HAS_QUOTA or states.get(name, NO_QUOTA) == NO_QUOTA
                states[name] = state if better else states[name]
    return states


def _ask(wanted: Wanted, parent: str, clients: Clients) -> Iterator[tuple[str, str]]:
    request = RecommendSpecRequest(gcs_uri=wanted.gcs_uri, check_machine_availability=True, check_user_quota=True)
    for option in clients.vertex.recommend_spec(parent, request).recommendations or []:
        if option.region and any(has_machine(option, machine) for machine in wanted.machines or (None,)):
            yield option.region, option.user_quota_state or ""


def choose_regions(
    count: int, candidates: Sequence[str], states: Sequence[dict[str, str]], kept: Sequence[str] = ()
) -> list[str]:
    """The regions to take: the kept ones, then those where every model has machine and quota, then unknown quota.

    Args:
        count: How many.
        candidates: Where to look, the best first; every region where that is empty.
        states: Quota state by region, for each model.
        kept: Regions chosen before, which stay: endpoints may run there, on the very quota that is used up.

    Raises:
        UserError: fewer than ``count`` of them work.
    """
    looked_at = list(dict.fromkeys(candidates)) or sorted(known_regions())
    stay = [region for region in kept if region in looked_at]
    ranks = {region: _rank(region, states) for region in looked_at if region not in stay}
    works = stay + sorted((region for region in ranks if ranks[region] < _NO_QUOTA), key=lambda region: ranks[region])
    if len(works) < count:
        why = ", ".join(f"{region} ({_WHY[ranks[region]]})" for region in looked_at if region not in works)
        raise UserError(
            f"{count} regions are asked for, and {len(works)} have machine and quota: {', '.join(works) or 'none'}",
            property="count",
            hint=f"ask for fewer, for other regions, or for quota; not taken: {why}" if candidates else "ask for fewer",
        )
    return works[:count]


_NO_QUOTA = 2
_WHY = ("has quota", "quota is not known", "no quota", "no such machine")


def _rank(region: str, states: Sequence[dict[str, str]]) -> int:
    """The worst of all models: 0 has quota, 1 unknown, 2 has none, 3 no machine."""
    ranks = {HAS_QUOTA: 0, NO_QUOTA: _NO_QUOTA}
    return max((ranks.get(each[region], 1) if region in each else len(_WHY) - 1 for each in states), default=0)
