"""Request fields that the discovery document has, and no published proto or client (google-cloud-aiplatform 2.7.0).

Whether they do anything, no source shows. The behaviour ``fields_of_no_client`` says whether they are kept.
"""

from __future__ import annotations

from typing import Any

_AI = "aiplatform.projects.locations."
_LOGGING = (("predictRequestResponseLoggingConfig", "errorSamplingRate"),)
# method -> paths in its body
FIELDS_OF_NO_CLIENT: dict[str, tuple[tuple[str, str], ...]] = {
    f"{_AI}deploy": (("endpointConfig", "labels"), ("deployConfig", "serviceAccount")),
    f"{_AI}endpoints.create": _LOGGING,
    f"{_AI}endpoints.patch": _LOGGING,
}


def drop_unpublished(rpc: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body without them."""
    for parent, field in FIELDS_OF_NO_CLIENT.get(rpc, ()):
        inner = body.get(parent)
        if isinstance(inner, dict) and field in inner:
            body = {**body, parent: {name: value for name, value in inner.items() if name != field}}
    return body
