"""Compute Engine v1: addresses and forwarding rules, and what is looked up around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from mg_provider.api.http.answers import P, pages, parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import RETRY_BUDGET, Call, Transport
from mg_provider.api.names import segment
from mg_provider.wire.base import WireModel
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

R = TypeVar("R", bound=WireModel)


class _Calls:
    """Sends calls of Compute Engine."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        self._base = f"{settings.compute_custom_endpoint or settings.service('compute')}/compute/v1"

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


class _Regional(_Calls, Generic[R]):
    """The resources of one kind that a region has.

    Changes take a ``request_id``, made once for each intended change (``clock.request_id()``): Compute recognises a
    repeat by it, so such calls are repeated on failure.
    """

    kind: str
    shape: type[R]

    def insert(self, project: str, region: str, resource: R, request_id: str) -> ComputeOperation:
        """``POST projects/{project}/regions/{region}/{kind}``: make one.

        Raises:
            AlreadyExists: the name is taken.
        """
        return self._change("POST", _regional(project, region, self.kind), request_id, resource.to_wire())

    def get(self, project: str, region: str, name: str) -> R:
        """``GET …/{kind}/{name}``.

        Raises:
            NotFound: there is none with this name.
        """
        return parse(self.shape, self._json("GET", _regional(project, region, self.kind, name)))

    def delete(self, project: str, region: str, name: str, request_id: str) -> ComputeOperation:
        """``DELETE …/{kind}/{name}``.

        Raises:
            NotFound: there is none with this name.
            FailedPrecondition: something still uses it.
        """
        return self._change("DELETE", _regional(project, region, self.kind, name), request_id)

    def set_labels(
        self, project: str, region: str, name: str, request: SetLabelsRequest, request_id: str
    ) -> ComputeOperation:
        """``POST …/{kind}/{name}/setLabels``.

        Raises:
            Aborted: the label fingerprint is stale.
        """
        place = _regional(project, region, self.kind, name, "setLabels")
        return self._change("POST", place, request_id, request.to_wire())


class Addresses(_Regional[Address]):
    """Reserved addresses.

    Permissions: compute.addresses.createInternal, deleteInternal, get, list and setLabels; compute.subnetworks.use.
    """

    kind = "addresses"
    shape = Address

    def list(self, project: str, region: str, filter: str | None = None) -> Iterator[Address]:
        """``GET …/addresses``. Permission: compute.addresses.list."""
        for page in self._pages(AddressList, _regional(project, region, self.kind), filter):
            yield from page.items


class ForwardingRules(_Regional[ForwardingRule]):
    """Forwarding rules.

    Permissions: compute.forwardingRules.create and pscCreate, delete and pscDelete, get, list, setLabels and
    pscSetLabels, update and pscUpdate; compute.addresses.use, compute.subnetworks.use.
    """

    kind = "forwardingRules"
    shape = ForwardingRule

    def list(self, project: str, region: str, filter: str | None = None) -> Iterator[ForwardingRule]:
        """``GET …/forwardingRules``. Permission: compute.forwardingRules.list."""
        for page in self._pages(ForwardingRuleList, _regional(project, region, self.kind), filter):
            yield from page.items

    def patch(self, project: str, region: str, name: str, rule: ForwardingRule, request_id: str) -> ComputeOperation:
        """``PATCH …/forwardingRules/{name}``: allow_psc_global_access, with the current fingerprint.

        Google's reference names network_tier alone as changeable; gcloud changes this field so (gcloud 528.0.0).

        Raises:
            Aborted: the fingerprint is stale.
        """
        return self._change("PATCH", _regional(project, region, self.kind, name), request_id, rule.to_wire())


class ComputeClient(_Calls):
    """Calls of Compute Engine.

    Every method may raise any :class:`~mg_provider.api.errors.CloudError`, and
    :class:`~mg_provider.api.errors.ConnectionFailed`.

    Attributes:
        addresses: Calls for reserved addresses.
        forwarding_rules: Calls for forwarding rules.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        super().__init__(transport, settings)
        self.addresses = Addresses(transport, settings)
        self.forwarding_rules = ForwardingRules(transport, settings)

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


def _regional(project: str, region: str, *parts: str) -> str:
    return "/".join(["projects", segment(project), "regions", segment(region), *(segment(part) for part in parts)])
