"""Pulumi components for platform repositories: private endpoints, networks, allowlists, the same in every region.

Those that make resources of pulumi-gcp need the extra ``mg-provider[gcp]``; they say so where it is missing.
"""

from __future__ import annotations

from mg_provider.components.fleet import RegionalFleet, RegionalPlace
from mg_provider.components.permissions import PscAutomationPolicy, ServiceAgentAccess, WeightsBucketAccess
from mg_provider.components.private_endpoint import PrivateEndpoint
from mg_provider.components.private_model_endpoint import PrivateModelEndpoint
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist

__all__ = [
    "PrivateEndpoint",
    "PrivateModelEndpoint",
    "PscAutomationPolicy",
    "PscNetwork",
    "RegionalFleet",
    "RegionalPlace",
    "ServiceAgentAccess",
    "VpcScAllowlist",
    "WeightsBucketAccess",
]
