"""``CustomWeightsModel``: a model with own weights on an endpoint of its own."""

from __future__ import annotations

from mg_provider.resources.constructors.custom_weights_model import CustomWeightsModelConstructor
from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelLifecycle
from mg_provider.resources.dynamic.host import DynamicProvider


class CustomWeightsModelProvider(DynamicProvider):
    """Serves ``CustomWeightsModel``. Its path is in the state of every stack and never changes."""

    lifecycle = CustomWeightsModelLifecycle


class CustomWeightsModel(CustomWeightsModelConstructor, module="mg", name="CustomWeightsModel"):
    """A model with your own weights, served on an endpoint of its own."""

    provider_type = CustomWeightsModelProvider
