"""``rolloutOptions`` of deployModel: which deployed model is replaced, and by how many replicas at a time.

Source: schema RolloutOptions of aiplatform v1beta1, revision 20261106. What it means that fields are left out, and what
becomes of the replaced deployed model, no source says.
"""

from __future__ import annotations

from mg_provider.emulator.google.errors import invalid_argument
from mg_provider.emulator.services.vertex.state import Endpoint, Json

_PAIRS = (("maxSurgeReplicas", "maxSurgePercentage"), ("maxUnavailableReplicas", "maxUnavailablePercentage"))


def check_rollout_options(endpoint: Endpoint, deployed: Json) -> None:
    """ApiError INVALID_ARGUMENT for options that contradict themselves or name what is not on the endpoint."""
    options: Json = deployed.get("rolloutOptions", {})
    if not options:
        return
    previous = options.get("previousDeployedModel", "")
    if previous not in {each["id"] for each in endpoint.deployed}:
        text = f"previous_deployed_model {previous!r} is not on the Endpoint."
        raise invalid_argument(text, ("deployed_model.rollout_options.previous_deployed_model", text))
    for replicas, percentage in _PAIRS:
        if replicas in options and percentage in options:
            text = f"{replicas} and {percentage} cannot both be set."
            raise invalid_argument(text, ("deployed_model.rollout_options", text))
    given = [name for pair in _PAIRS for name in pair if name in options]
    if given and not any(options[name] > 0 for name in given):
        text = "Without surge and without unavailable replicas nothing can be replaced."
        raise invalid_argument(text, ("deployed_model.rollout_options", text))
