"""What is wrong with the arguments of resources, as the resources themselves would say it: by YAML path, and once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mg_provider.environment.entries import PrivateAccess
from mg_provider.environment.environment import Address, Environment
from mg_provider.environment.sections import Mistake, ResourceSection, one_of
from mg_provider.preflight.machines.machine import machine_doubt
from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.model.args import Args
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.wire.vertex.machine import MachineSpec

# What stands for names that are known only once something is made.
_PROJECT = "my-project"
_PLACE = "projects/{project}/locations/{region}"
_INSIDE = re.compile(r"(?P<name>[a-z0-9-]+)(?P<rest>[\w.\[\]]*):? (?P<reason>.*)", re.DOTALL)


def unknown_keys(environment: Environment) -> Iterator[Mistake]:
    """Keys that nobody knows, and those that cannot be set in a stack, with what to write instead."""
    for path, section in sections(environment):
        for key in section.unknown():
            known = [*type(section).model_fields, *section.takes()]
            if key in section.not_here:
                yield Mistake(f"{path}.{key}", f"cannot be set here: {section.not_here[key]}")
            elif key in section.args_type.model_fields:
                yield Mistake(f"{path}.{key}", "cannot be set: the provider makes it: remove the line")
            else:
                near = one_of(key, known, "docs/stacks.md lists the keys")
                yield Mistake(f"{path}.{key}", f"is not a key that is known here: {near}")
        for key in section.secrets():
            yield from _secret(f"{path}.{key}", section.argument(key))


def sections(environment: Environment) -> Iterator[tuple[str, ResourceSection]]:
    """Each section that takes arguments of a resource, with its path."""
    for name, model in environment.models.items():
        yield f"models.{name}", model
        yield from ((f"models.{name}.overrides.{region}", one) for region, one in model.overrides.items())
        yield from _rules(f"models.{name}.private", model.private)
    for name, endpoint in environment.endpoints.items():
        yield f"endpoints.{name}", endpoint
        served = endpoint.deployed_models.items()
        yield from ((f"endpoints.{name}.deployed_models.{key}", one) for key, one in served)
        yield from _rules(f"endpoints.{name}.private", endpoint.private)
    yield from ((f"batch_jobs.{name}", job) for name, job in environment.batch_jobs.items())


def _rules(path: str, private: PrivateAccess | None) -> Iterator[tuple[str, ResourceSection]]:
    if private is not None:
        yield path, private
        yield from ((f"{path}.consumers.{name}", one) for name, one in private.consumers.items())


def _secret(path: str, value: Any) -> Iterator[Mistake]:
    """A secret names the config key that holds it."""
    if value is None or (isinstance(value, Mapping) and list(value) == ["config"] and isinstance(value["config"], str)):
        return
    yield Mistake(
        path,
        "a secret is not written here: run `pulumi config set --secret NAME`, and write {config: NAME} here",
    )


def wrong_arguments(environment: Environment) -> Iterator[Mistake]:
    """What the resources would refuse. What is the same in several regions is said once."""
    found: dict[Mistake, None] = {}
    for each in (_models, _endpoints, _batches, _forwarding_rules):
        found |= dict.fromkeys(each(environment))
    yield from found


def _models(environment: Environment) -> Iterator[Mistake]:
    for name, model in environment.models.items():
        for region in environment.regions_of(name):
            given = environment.model_arguments(name, region)
            if model.private is not None:
                given["private_service_connect_config"] = _connect(environment, model.private)
            given |= {key: UNKNOWN for key in model.secrets() if key in given}
            override = model.overrides.get(region)
            for argument, rest, reason in _problems(CustomWeightsModelArgs, given, region):
                there = override is not None and argument in override.arguments
                place = f"models.{name}.overrides.{region}" if there else f"models.{name}"
                yield Mistake(_below(place, argument, rest), reason)


def _endpoints(environment: Environment) -> Iterator[Mistake]:
    for name, endpoint in environment.endpoints.items():
        place, region, served = f"endpoints.{name}", endpoint.region, environment.served(name)
        parent = _PLACE.format(project=_project(endpoint), region=region)
        deployed = {key: {"model": f"{parent}/models/model", **arguments} for key, (_, arguments) in served.items()}
        given = {**environment.labelled(endpoint.arguments), "deployed_models": deployed}
        if endpoint.private is not None:
            given["private_service_connect_config"] = _connect(environment, endpoint.private)
        for argument, rest, reason in _problems(DedicatedEndpointArgs, given, region):
            inside = _INSIDE.fullmatch(reason) if argument == "deployed_models" and not rest else None
            if inside and inside["name"] in served:
                rest, reason = f".{inside['name']}{inside['rest']}", inside["reason"]
            if argument == "deployed_models":
                yield Mistake(_lender(environment, name, rest), reason)
            else:
                yield Mistake(_below(place, argument, rest), reason)


def _lender(environment: Environment, name: str, rest: str) -> str:
    """Where an argument of a deployed model is written: there, or in the model that lends it."""
    endpoint = environment.endpoints[name]
    served, _, below = rest.removeprefix(".").partition(".")
    path = f"endpoints.{name}.deployed_models{rest}"
    if served not in endpoint.deployed_models or not below:
        return path
    one, argument = endpoint.deployed_models[served], re.split(r"[.\[]", below)[0]
    model = environment.models[one.model]
    if model.own_endpoint or argument in one.arguments or argument not in model.arguments_in(endpoint.region):
        return path
    override = model.overrides.get(endpoint.region)
    there = override is not None and argument in override.arguments
    return f"models.{one.model}.overrides.{endpoint.region}.{below}" if there else f"models.{one.model}.{below}"


def _batches(environment: Environment) -> Iterator[Mistake]:
    for name, job in environment.batch_jobs.items():
        given = environment.labelled(job.arguments)
        parent = _PLACE.format(project=_project(job), region=job.region)
        given |= {"model": f"{parent}/models/model" if job.own_model else job.model} if job.model else {}
        own = f"{parent}/endpoints/{job.own_endpoint}"
        given |= {"endpoint": own if job.own_endpoint else job.endpoint} if job.endpoint else {}
        for argument, rest, reason in _problems(BatchJobArgs, given, job.region):
            yield Mistake(_below(f"batch_jobs.{name}", argument, rest), reason)


def _forwarding_rules(environment: Environment) -> Iterator[Mistake]:
    for address in environment.addresses():
        for region in address.regions:
            yield from _forwarding_rule(environment, address, region)


def _forwarding_rule(environment: Environment, address: Address, region: str) -> Iterator[Mistake]:
    project = address.project if isinstance(address.project, str) else _PROJECT
    parent = _PLACE.format(project=project, region=region)
    elsewhere = {"network": "network", "subnetwork": "subnetwork"}
    given = {"endpoint": f"{parent}/endpoints/endpoint", **elsewhere, **environment.labelled(address.rule.arguments)}
    if region in address.rule.addresses:
        given["address"] = address.rule.addresses[region]
    for argument, rest, reason in _problems(PscForwardingRuleArgs, given, region):
        if argument == "address":
            yield Mistake(f"{address.path}.addresses.{region}", reason)
        else:
            yield Mistake(_below(address.path, argument, rest), reason)


def _project(section: ResourceSection) -> str:
    project = section.argument("project")
    return project if isinstance(project, str) else _PROJECT


def _connect(environment: Environment, private: PrivateAccess) -> dict[str, Any]:
    listed = [entry.removeprefix("projects/") for entry in environment.allowed(private)]
    return {"enable_private_service_connect": True, "project_allowlist": listed or [_PROJECT]}


def _problems(args_type: type[Args], given: Mapping[str, Any], region: str) -> Iterator[tuple[str, str, str]]:
    """The argument, the path inside of it, and what is wrong."""
    # `region` is written elsewhere; a project that the program does not name is for the configuration to say.
    _, found = args_type.decode({**given, "region": region})
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
    choices = given if isinstance(given, list) else [given or {}]
    for index, spec in enumerate(choices):
        machine = MachineSpec(machine_type=spec.get("machine_type"), accelerator_type=spec.get("accelerator_type"))
        yield f"{place}[{index}]" if isinstance(given, list) else place, machine
