"""What a rollout is about to make, written on the endpoint before it is made.

A run that is killed leaves no word in the stack's state. These labels name the deployment and the Model that were under
way, so that the next run finds them, whichever way it goes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mg_provider.rollout.merging import merged
from mg_provider.rollout.place import Place
from mg_provider.wire.vertex.endpoint import Endpoint

DEPLOYMENT_LABEL = "mg-rollout"
MODEL_LABEL = "mg-rollout-model"


@dataclass(frozen=True)
class Journal:
    """A rollout under way: the ids of the deployment and of the Model that it makes. Both empty: there is none.

    ``replicas``: how many served when it began.
    """

    deployment: str = ""
    model_id: str = ""
    replicas: int = 0


def journal_of(endpoint: Endpoint | None) -> Journal:
    """What the endpoint's labels say about a rollout."""
    labels = (endpoint.labels if endpoint else None) or {}
    deployment, _, replicas = labels.get(DEPLOYMENT_LABEL, "").partition("_")
    return Journal(deployment, labels.get(MODEL_LABEL, ""), int(replicas) if replicas.isdigit() else 0)


def write_journal(place: Place, journal: Journal) -> None:
    """Put a rollout on the endpoint's labels, or with an empty one take it off. Other labels stay as they are.

    Where no number of replicas is given, the one that is there stays.

    Permission: aiplatform.endpoints.update.

    Raises:
        MgError: Somebody else keeps changing the endpoint.
    """
    merged(lambda: _write(place, journal), "the labels", place.endpoint, place.resource)


def _write(place: Place, journal: Journal) -> None:
    endpoint = place.world.clients.vertex.get_endpoint(place.endpoint)
    there = journal_of(endpoint)
    if journal.deployment and not journal.replicas:
        journal = replace(journal, replicas=there.replicas)
    if there == journal:
        return
    place.guard.endpoint(endpoint)
    deployment = f"{journal.deployment}_{journal.replicas}" if journal.replicas else journal.deployment
    marks = {DEPLOYMENT_LABEL: deployment, MODEL_LABEL: journal.model_id}
    labels = {**(endpoint.labels or {}), **marks}
    body = Endpoint(
        etag=endpoint.etag, labels={key: value for key, value in labels.items() if value or key not in marks}
    )
    place.world.clients.vertex.patch_endpoint(place.endpoint, body, ["labels"])
