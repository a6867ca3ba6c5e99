"""Compute Engine v1: addresses and forwarding rules, and what is looked up around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.http.answers import P, pages, parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import RETRY_BUDGET, Call, Transport
from mg_provider.api.names import segment
from mg_provider.wire.compute import (
    Address,
    AddressList,
    ComputeOperation,
    ComputeOperationList,
    ForwardingRule,
    ForwardingRuleList,
    MachineType,
    Network,
    SetLabelsRequest,
    Subnetwork,
)


class ComputeClient:
    """Calls of Compute Engine.

    Changes take a ``request_id``, made once for each intended change (``clock.request_id()``): Compute recognises a
    repeat by it, so such calls are repeated on failure. Every method may raise any
    :class:`~mg_provider.api.errors.CloudError`, and :class:`~mg_provider.api.errors.ConnectionFailed`.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        self._base = f"{settings.compute_custom_endpoint or settings.service('compute')}/compute/v1"

    # Addresses

    def insert_address(self, project: str, region: str, address: Address, request_id: str) -> ComputeOperation:
        """``POST projects/{project}/regions/{region}/addresses``: reserve an address.

        Permissions: compute.addresses.createInternal, compute.subnetworks.use.

        Raises:
            AlreadyExists: the name is taken.
        """
        return self._change("POST", _regional(project, region, "addresses"), request_id, address.to_wire())

    def get_address(self, project: str, region: str, name: str) -> Address:
        """``GET …/addresses/{name}``. Permission: compute.addresses.get.

        Raises:
            NotFound: there is no such address.
        """
        return parse(Address, self._json("GET", _regional(project, region, "addresses", name)))

    def list_addresses(self, project: str, region: str, filter: str | None = None) -> Iterator[Address]:
        """``GET …/addresses``. Permission: compute.addresses.list."""
        for page in self._pages(AddressList, _regional(project, region, "addresses"), filter):
            yield from page.items

    def delete_address(self, project: str, region: str, name: str, request_id: str) -> ComputeOperation:
        """``DELETE …/addresses/{name}``: release it. Permission: compute.addresses.deleteInternal.

        Raises:
            NotFound: there is no such address.
            FailedPrecondition: a forwarding rule still uses it.
        """
        return self._change("DELETE", _regional(project, region, "addresses", name), request_id)

    def set_address_labels(
        self, project: str, region: str, name: str, request: SetLabelsRequest, request_id: str
    ) -> ComputeOperation:
        """``POST …/addresses/{name}/setLabels``. Permission: compute.addresses.setLabels.

        Raises:
            Aborted: the label fingerprint is stale.
        """
        place = _regional(project, region, "addresses", name, "setLabels")
        return self._change("POST", place, request_id, request.to_wire())

    # Forwarding rules

    def insert_forwarding_rule(
        self, project: str, region: str, rule: ForwardingRule, request_id: str
    ) -> ComputeOperation:
        """``POST projects/{project}/regions/{region}/forwardingRules``.

        Permissions: compute.forwardingRules.create and pscCreate, compute.addresses.use, compute.subnetworks.use.

        Raises:
            AlreadyExists: the name is taken.
        """
        return self._change("POST", _regional(project, region, "forwardingRules"), request_id, rule.to_wire())

    def get_forwarding_rule(self, project: str, region: str, name: str) -> ForwardingRule:
        """``GET …/forwardingRules/{name}``. Permission: compute.forwardingRules.get.

        Raises:
            NotFound: there is no such rule.
        """
        return parse(ForwardingRule, self._json("GET", _regional(project, region, "forwardingRules", name)))

    def list_forwarding_rules(self, project: str, region: str, filter: str | None = None) -> Iterator[ForwardingRule]:
        """``GET …/forwardingRules``. Permission: compute.forwardingRules.list."""
        for page in self._pages(ForwardingRuleList, _regional(project, region, "forwardingRules"), filter):
            yield from page.items

    def delete_forwarding_rule(self, project: str, region: str, name: str, request_id: str) -> ComputeOperation:
        """``DELETE …/forwardingRules/{name}``. Permissions: compute.forwardingRules.delete and pscDelete.

        Raises:
            NotFound: there is no such rule.
        """
        return self._change("DELETE", _regional(project, region, "forwardingRules", name), request_id)

    def set_forwarding_rule_labels(
        self, project: str, region: str, name: str, request: SetLabelsRequest, request_id: str
    ) -> ComputeOperation:
        """``POST …/forwardingRules/{name}/setLabels``. Permissions: compute.forwardingRules.setLabels, pscSetLabels.

        Raises:
            Aborted: the label fingerprint is stale.
        """
        place = _regional(project, region, "forwardingRules", name, "setLabels")
        return self._change("POST", place, request_id, request.to_wire())

    def patch_forwarding_rule(
        self, project: str, region: str, name: str, rule: ForwardingRule, request_id: str
    ) -> ComputeOperation:
        """``PATCH …/forwardingRules/{name}``: allow_psc_global_access, with the current fingerprint.

        Google's reference names network_tier alone as changeable; gcloud changes this field so (gcloud 528.0.0).
        Permissions: compute.forwardingRules.update and pscUpdate.

        Raises:
            Aborted: the fingerprint is stale.
        """
        place = _regional(project, region, "forwardingRules", name)
        return self._change("PATCH", place, request_id, rule.to_wire())

    # Looked up

    def get_network(self, project: str, name: str) -> Network:
        """``GET projects/{project}/global/networks/{name}``. Permission: compute.networks.get.

        Raises:
            NotFound: there is no such network.
        """
        return parse(Network, self._json("GET", f"projects/{segment(project)}/global/networks/{segment(name)}"))

    def get_subnetwork(self, project: str, region: str, name: str, *, retry_budget: float = RETRY_BUDGET) -> Subnetwork:
        """``GET …/subnetworks/{name}``. Permission: compute.subnetworks.get.

        Raises:
            NotFound: there is no such subnetwork.
        """
        place = _regional(project, region, "subnetworks", name)
        return parse(Subnetwork, self._json("GET", place, retry_budget=retry_budget))

    def get_machine_type(self, project: str, zone: str, name: str) -> MachineType:
        """``GET projects/{project}/zones/{zone}/machineTypes/{name}``. Permission: compute.machineTypes.get.

        Raises:
            NotFound: the zone has no such machine type.
        """
        place = f"projects/{segment(project)}/zones/{segment(zone)}/machineTypes/{segment(name)}"
        return parse(MachineType, self._json("GET", place))

    def get_operation(
        self, project: str, region: str, name: str, *, retry_budget: float = RETRY_BUDGET
    ) -> ComputeOperation:
        """``GET projects/{project}/regions/{region}/operations/{name}``. Permission: compute.regionOperations.get."""
        place = _regional(project, region, "operations", name)
        return parse(ComputeOperation, self._json("GET", place, retry_budget=retry_budget))

    def list_operations(self, project: str, region: str, filter: str | None = None) -> Iterator[ComputeOperation]:
        """``GET …/operations``. Permission: compute.regionOperations.list."""
        for page in self._pages(ComputeOperationList, _regional(project, region, "operations"), filter):
            yield from page.items

    def _change(
        self, method: str, place: str, request_id: str, body: Mapping[str, Any] | None = None
    ) -> ComputeOperation:
        call = Call(method, f"{self._base}/{place}", query={"requestId": request_id}, body=body, repeatable=True)
        return parse(ComputeOperation, self._transport.json(call))

    def _pages(self, page_type: type[P], place: str, filter: str | None) -> Iterator[P]:
        query = {"filter": filter, "maxResults": 500}
        return pages(lambda token: parse(page_type, self._json("GET", place, query | {"pageToken": token})))

    def _json(
        self,
        method: str,
        place: str,
        query: Mapping[str, str | int | bool | None] | None = None,
        retry_budget: float = RETRY_BUDGET,
    ) -> dict[str, Any]:
        return self._transport.json(Call(method, f"{self._base}/{place}", query=query, retry_budget=retry_budget))


def _regional(project: str, region: str, *parts: str) -> str:
    return "/".join(["projects", segment(project), "regions", segment(region), *(segment(part) for part in parts)])
