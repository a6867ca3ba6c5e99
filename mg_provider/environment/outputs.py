"""What a stack says to other teams about what it runs."""

from __future__ import annotations

from typing import Any

import pulumi

from mg_provider import CustomWeightsModel
from mg_provider.components.private_address import PrivateAddress
from mg_provider.components.private_component import PrivateComponent


def chat_line(
    host: pulumi.Input[str], endpoint: pulumi.Input[str], model: pulumi.Input[str] | None
) -> pulumi.Output[str]:
    """A curl line that asks the endpoint a question; without a model where only its container knows what it is called.

    A model server then answers with the model that it has.
    """
    return pulumi.Output.format(
        'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" -H "Content-Type: application/json" '
        '{0}/v1beta1/{1}/chat/completions -d \'{{{2}"messages": '
        '[{{"role": "user", "content": "Hello"}}]}}\'',
        host,
        endpoint,
        "" if model is None else pulumi.Output.format('"model": "{0}", ', model),
    )


def model_outputs(model: CustomWeightsModel) -> dict[str, Any]:
    """What every model that clients can ask has."""
    return {
        "endpoint": model.endpoint,
        "endpoint_id": model.endpoint_id,
        "model": model.model,
        "model_id": model.query_model_id,
    }


def private_outputs(private: PrivateComponent, asked: pulumi.Input[str] | None) -> dict[str, Any]:
    """How a private endpoint is reached.

    Args:
        private: The component.
        asked: What chat requests call the model; None where only its container knows.
    """
    reached = {
        "service_attachment": private.service_attachment,
        "ip_address": private.ip_address,
        "dns": private.dns_name,
        "connection": private.psc_connection_status,
        "url": private.url,
        "base_url": private.base_url,
        "curl": chat_line(private.url, private.endpoint, asked),
    }
    found = {name: _consumer(one, private.endpoint, asked) for name, one in private.consumers.items()}
    return {**reached, "consumers": found} if found else reached


def _consumer(address: PrivateAddress, endpoint: pulumi.Output[str], asked: pulumi.Input[str] | None) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "ip_address": address.forwarding_rule.ip_address,
        "dns": address.dns_name,
        "connection": address.forwarding_rule.psc_connection_status,
        "url": address.url,
        "base_url": address.base_url,
        "curl": chat_line(address.url, endpoint, asked),
    }
