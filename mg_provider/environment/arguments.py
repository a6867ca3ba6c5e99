"""What is wrong with the arguments of resources, as the resources themselves would say it: by YAML path, and once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from mg_provider.data import known_regions
from mg_provider.environment.entries import BatchConfig, EndpointConfig, ModelConfig, PrivateAccess, ServedConfig
from mg_provider.environment.environment import Address, Environment
from mg_provider.environment.sections import Mistake, Part, ResourceSection, known, one_of, readable
from mg_provider.preflight.machines.machine import choices, machine_doubt
from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.model.args import Args
from mg_provider.resources.model.unknown import UNKNOWN, Unknown
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.wire.vertex.machine import MachineSpec

# What stands for names that are known only once something is made.
_PROJECT = "my-project"
_REGION = "us-central1"
_PLACE = "projects/{project}/locations/{region}"
_INSIDE = re.compile(r"(?P<name>[a-z0-9-]+)(?P<rest>[\w.\[\]]*):? (?P<reason>.*)", re.DOTALL)


def unknown_keys(environment: Environment) -> Iterator[Mistake]:
    """Keys that nobody knows, and those that cannot be set in a stack, with what to write instead."""
    for path, section in sections(environment):
        for key in section.unknown():
            known_keys = [*type(section).model_fields, *section.takes()]
            if key in section.not_here:
                yield Mistake(f"{path}.{key}", f"cannot be set here: {section.not_here[key]}")
            elif key in section.args_type.model_fields:
                yield Mistake(f"{path}.{key}", "cannot be set: the provider makes it: remove the line")
            else:
                yield Mistake(f"{path}.{key}", unknown_key(key, known_keys))
        for key in section.secrets():
            yield from readable(_secret(f"{path}.{key}", section, key))


_TAKERS: Mapping[str, type[Part]] = {
    "the environment": Environment,
    "models": ModelConfig,
    "endpoints": EndpointConfig,
    "deployed_models": ServedConfig,
    "batch_jobs": BatchConfig,
    "private": PrivateAccess,
}


def unknown_key(key: str, known_keys: Collection[str]) -> str:
    """What to do about a key that a section does not take: what it was meant to be, or which section takes it."""
    takers = [name for name, part in _TAKERS.items() if key in (*part.model_fields, *part.takes())]
    listed = " or ".join(filter(None, (", ".join(takers[:-1]), *takers[-1:])))
    elsewhere = f"it belongs to {listed}" if takers else ""
    near = one_of(key, known_keys, elsewhere or "docs/stacks.md lists the keys")
    return f"is not a key that is known here: {near}{f' Else {elsewhere}' if elsewhere and elsewhere != near else ''}"


def sections(environment: Environment) -> Iterator[tuple[str, ResourceSection]]:
    """Each section that takes arguments of a resource, with its path."""
    for name, model in environment.known("models", {}).items():
        yield f"models.{name}", model
        overrides = model.known("overrides", {}).items()
        yield from ((f"models.{name}.overrides.{region}", one) for region, one in overrides)
        yield from _rules(f"models.{name}.private", model.known("private"))
    for name, endpoint in environment.known("endpoints", {}).items():
        yield f"endpoints.{name}", endpoint
        served = endpoint.known("deployed_models", {}).items()
        yield from ((f"endpoints.{name}.deployed_models.{key}", one) for key, one in served)
        yield from _rules(f"endpoints.{name}.private", endpoint.known("private"))
    yield from ((f"batch_jobs.{name}", job) for name, job in environment.known("batch_jobs", {}).items())


def _rules(path: str, private: PrivateAccess | None) -> Iterator[tuple[str, ResourceSection]]:
    if private is not None:
        yield path, private
        consumers = private.known("consumers", {}).items()
        yield from ((f"{path}.consumers.{name}", one) for name, one in consumers)


def _secret(path: str, section: ResourceSection, key: str) -> Iterator[Mistake]:
    """A secret names the config key that holds it."""
    value = section.argument(key)
    if value is None or (isinstance(value, Mapping) and list(value) == ["config"] and isinstance(value["config"], str)):
        return
    yield Mistake(
        path,
        "a secret is not written here: run `pulumi config set --secret NAME`, and write {config: NAME} here",
    )


def wrong_arguments(environment: Environment) -> Iterator[Mistake]:
    """What the resources would refuse. What is wrong in several regions is said once."""
    for name, model in environment.known("models", {}).items():
        yield from _in_regions(_model_problems(environment, name, model), model.known("overrides", {}))
    yield from _endpoints(environment)
    yield from _batches(environment)
    for address in environment.addresses():
        yield from _in_regions(_forwarding_rule(environment, address))


ByRegion = dict[str | Unknown, dict[str, str]]
"""What is wrong in each region: paths and reasons."""


def _in_regions(found: ByRegion, overrides: Collection[str] | None = None) -> Iterator[Mistake]:
    """Each path once. What is wrong in another way from region to region, or in some, is meant for one region alone.

    Args:
        found: What is wrong in each.
        overrides: The regions that have arguments of their own; None where there is no such section.
    """
    for path in dict.fromkeys(path for wrong in found.values() for path in wrong):
        reason = next(wrong[path] for wrong in found.values() if path in wrong)
        alike = {wrong.get(path) for region, wrong in found.items() if region not in (overrides or ())}
        right = [region for region, wrong in found.items() if path not in wrong and isinstance(region, str)]
        by_region = any(path.endswith(f".{region}") for region in found)
        if len(alike) > 1 and not by_region and (overrides is None or right):
            where = "write its name alone, of which each region has one" if overrides is None else ""
            reason = f"{reason.rpartition(': ')[0]}: {where or f'write it in overrides.{right[0]}'}"
        yield Mistake(path, reason)


def _model_problems(environment: Environment, name: str, model: ModelConfig) -> ByRegion:
    overrides = model.known("overrides", {})
    regions = known(lambda: environment.regions_of(name))
    found: ByRegion = {}
    # Where its regions are not known, those that it says something of are looked at.
    for region in [*overrides, UNKNOWN] if isinstance(regions, Unknown) or not regions else regions:
        override = overrides.get(region)
        given = _model_arguments(environment, name, region)
        given |= {key: UNKNOWN for key in model.secrets() if key in given}
        found[region] = {}
        for argument, rest, reason in _problems(CustomWeightsModelArgs, given, region):
            there = override is not None and argument in override.arguments
            place = f"models.{name}.overrides.{region}" if there else f"models.{name}"
            found[region].setdefault(_below(place, argument, rest), reason)
    return found


def _model_arguments(environment: Environment, name: str, region: str) -> dict[str, Any]:
    model = environment.models[name]
    override = model.known("overrides", {}).get(region)
    given: Any = known(lambda: environment.model_arguments(name, region))
    if isinstance(given, Unknown):
        # Something beside the model is wrong, on which it depends how it serves.
        own = environment.labelled({**model.arguments, **(override.arguments if override else {})})
        given = {"query_model_id": UNKNOWN, "parked": UNKNOWN, **own}
    return {**given, "private_service_connect_config": known(lambda: _private(environment, model))}


def _endpoints(environment: Environment) -> Iterator[Mistake]:
    for name, endpoint in environment.known("endpoints", {}).items():
        place, region = f"endpoints.{name}", endpoint.known("region", UNKNOWN)
        served = endpoint.known("deployed_models", {})
        deployed = {key: _deployed(environment, endpoint, one) for key, one in served.items()}
        given = {**environment.labelled(endpoint.arguments), "deployed_models": deployed or UNKNOWN}
        given["private_service_connect_config"] = known(partial(_private, environment, endpoint))
        for argument, rest, reason in _problems(DedicatedEndpointArgs, given, region):
            inside = _INSIDE.fullmatch(reason) if argument == "deployed_models" and not rest else None
            if inside and inside["name"] in served:
                rest, reason = f".{inside['name']}{inside['rest']}", inside["reason"]
            path = _below(place, argument, rest)
            lender = known(partial(_lender, environment, endpoint, rest)) if argument == "deployed_models" else ""
            yield Mistake(path if isinstance(lender, Unknown) else lender or path, reason)


def _deployed(environment: Environment, endpoint: EndpointConfig, served: ServedConfig) -> dict[str, Any]:
    lent = known(lambda: environment.lent(served, endpoint.region))
    lent = dict.fromkeys(served.lent(), UNKNOWN) if isinstance(lent, Unknown) else lent
    return {"model": f"{_parent(endpoint)}/models/model", **lent, **served.arguments}


def _lender(environment: Environment, endpoint: EndpointConfig, rest: str) -> str:
    """Where the model is said that lends an argument to a deployed one; empty where it is said there."""
    served, _, below = rest.removeprefix(".").partition(".")
    if served not in endpoint.deployed_models or not below:
        return ""
    one, argument = endpoint.deployed_models[served], re.split(r"[.\[]", below)[0]
    model = environment.models[one.model]
    if model.own_endpoint or argument in one.arguments or argument not in model.arguments_in(endpoint.region):
        return ""
    override = model.overrides.get(endpoint.region)
    there = override is not None and argument in override.arguments
    return f"models.{one.model}.overrides.{endpoint.region}.{below}" if there else f"models.{one.model}.{below}"


def _batches(environment: Environment) -> Iterator[Mistake]:
    for name, job in environment.known("batch_jobs", {}).items():
        given = environment.labelled(job.arguments)
        given["model"] = known(partial(_batch_model, job))
        given["endpoint"] = known(partial(_batch_endpoint, job))
        for argument, rest, reason in _problems(BatchJobArgs, given, job.known("region", UNKNOWN)):
            yield Mistake(_below(f"batch_jobs.{name}", argument, rest), reason)


def _batch_model(job: BatchConfig) -> str | None:
    return f"{_parent(job)}/models/model" if job.own_model else job.model or None


def _batch_endpoint(job: BatchConfig) -> str | None:
    return f"{_parent(job)}/endpoints/{job.own_endpoint}" if job.own_endpoint else job.endpoint or None


def _forwarding_rule(environment: Environment, address: Address) -> ByRegion:
    project = address.project if isinstance(address.project, str) else _PROJECT
    found: ByRegion = {}
    regions: Sequence[str | Unknown] = address.regions or [UNKNOWN]
    for region in regions:
        parent = _PLACE.format(project=project, region=_REGION if isinstance(region, Unknown) else region)
        elsewhere = {"network": "network", "subnetwork": "subnetwork"}
        own = environment.labelled(address.rule.arguments)
        given = {"endpoint": f"{parent}/endpoints/endpoint", **elsewhere, **own}
        given["address"] = address.rule.known("addresses", {}).get(region)
        found[region] = {}
        for argument, rest, reason in _problems(PscForwardingRuleArgs, given, region):
            place = f"{address.path}.addresses.{region}" if argument == "address" else ""
            found[region].setdefault(place or _below(address.path, argument, rest), reason)
    return found


def _parent(section: EndpointConfig | BatchConfig) -> str:
    """Where its models and endpoints are."""
    return _PLACE.format(project=_project(section), region=section.known("region", _REGION))


def _project(section: ResourceSection) -> str:
    project = known(lambda: section.argument("project"))
    return project if isinstance(project, str) else _PROJECT


def _private(environment: Environment, section: ModelConfig | EndpointConfig) -> dict[str, Any] | None:
    private = section.private
    if private is None:
        return None
    listed = [entry.removeprefix("projects/") for entry in environment.allowed(private)]
    return {"enable_private_service_connect": True, "project_allowlist": listed or [_PROJECT]}


def _problems(args_type: type[Args], given: Mapping[str, Any], region: str | Unknown) -> Iterator[tuple[str, str, str]]:
    """The argument, the path inside of it, and what is wrong."""
    # `region` is written and checked elsewhere; a project that the program does not name, the configuration has.
    _, found = args_type.decode({**given, "region": region if region in known_regions() else UNKNOWN})
    for problem in found:
        argument = re.split(r"[.\[]", problem.property)[0]
        yield argument, problem.property.removeprefix(argument), problem.reason


def _below(place: str, argument: str, rest: str) -> str:
    """The path of what is wrong, as a stack writes it."""
    return f"{place}.private" if argument == "private_service_connect_config" else f"{place}.{argument}{rest}"


def doubts(environment: Environment) -> list[Mistake]:
    """What is probably a mistake."""
    found = (
        (place, machine_doubt(machine))
        for path, section in sections(environment)
        for place, machine in _machines(f"{path}.machine_spec", section.argument("machine_spec"))
    )
    return [Mistake(f"{place}.machine_type", doubt) for place, doubt in found if doubt]


def _machines(place: str, given: Any) -> Iterable[tuple[str, MachineSpec]]:
    """Each choice with its path, as far as it can be doubted."""
    for index, spec in enumerate(choices(given)):
        machine = MachineSpec(machine_type=spec.get("machine_type"), accelerator_type=spec.get("accelerator_type"))
        yield f"{place}[{index}]" if isinstance(given, list) else place, machine
