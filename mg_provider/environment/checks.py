"""What the parts of an environment say of each other, where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from mg_provider.components.common import DNS_NAME
from mg_provider.components.psc_network import address_problem
from mg_provider.components.vpc_sc_allowlist import project_ids
from mg_provider.data import known_regions
from mg_provider.environment.entries import BatchConfig, EndpointConfig, ModelConfig, ServedConfig
from mg_provider.environment.environment import Address, AutoRegions, Environment
from mg_provider.environment.sections import Mistake, Part, one_of, readable
from mg_provider.resources.dedicated_endpoint.args import names_differ
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.resources.psc_forwarding_rule.rules import not_allowed

Place = EndpointConfig | BatchConfig


def names(environment: Environment) -> Iterator[Mistake]:
    """Regions that do not exist, and entries that name entries which do not exist: the rest relies on them."""
    yield from _alone(environment)
    yield from readable(_pinned(environment))
    for place, part, key in _regions(environment):
        yield from readable(_places(place, part, key))
    for name, endpoint in environment.known("endpoints", {}).items():
        for served, config in endpoint.known("deployed_models", {}).items():
            yield from readable(
                _used(environment, f"endpoints.{name}.deployed_models.{served}.model", config, endpoint)
            )
    for name, job in environment.known("batch_jobs", {}).items():
        yield from readable(_used(environment, f"batch_jobs.{name}.model", job, job))
        yield from readable(_asked(environment, name, job))


def fit(environment: Environment) -> Iterator[Mistake]:
    """What does not fit together."""
    for name, model in environment.known("models", {}).items():
        for check in (_overrides, _parked, _behind, _uncached):
            yield from readable(check(environment, name, model))
    for name, endpoint in environment.known("endpoints", {}).items():
        yield from readable(_query_names(environment, name, endpoint))
    yield from _private(environment)
    if environment.known("vpc_sc"):
        yield from _perimeter(environment)


def not_let_in(environment: Environment, project: str) -> Iterator[Mistake]:
    """Lists of clients without a project that forwarding rules are made in; ``project`` is that of most."""
    found = (
        mistake for address in environment.addresses() for mistake in readable(_lacks(environment, address, project))
    )
    yield from dict.fromkeys(found)


def _lacks(environment: Environment, address: Address, project: str) -> Iterator[Mistake]:
    own = address.project or project
    place = f"{address.path.partition('.private')[0]}.private.allowlist"
    place = place if address.access.allowlist else "allowlist.projects"
    listed = environment.allowed(address.access)
    if listed and not_allowed(own, project_ids(listed)):
        text = f"lacks {own}, in which the forwarding rules are made, so that no client gets in: add it"
        yield Mistake(place, text)


def _alone(environment: Environment) -> Iterator[Mistake]:
    """What the keys of a section say of each other."""
    network, allowlist = environment.known("network"), environment.known("allowlist")
    parts = {"network": network, "allowlist": allowlist}
    if network is not None:
        parts |= {f"network.{key}": network.known(key) for key in ("create", "existing")}
    for place, part in parts.items():
        if part is not None:
            yield from (Mistake(place, text) for text in readable(part.problems()))


def _used(environment: Environment, place: str, user: ServedConfig | BatchConfig, at: Place) -> Iterator[Mistake]:
    model = user.own_model if isinstance(user, BatchConfig) else user.model
    if model is None:
        return
    if model not in environment.models:
        yield Mistake(place, f"{model!r} is not one of models: {one_of(model, environment.models)}")
    elif at.region in known_regions() and at.region not in environment.regions_of(model):
        yield Mistake(place, f"{model!r} is not in region {at.region}")


def _asked(environment: Environment, name: str, job: BatchConfig) -> Iterator[Mistake]:
    if job.own_endpoint is not None and job.own_endpoint not in environment.endpoints:
        near = one_of(job.own_endpoint, environment.endpoints)
        yield Mistake(f"batch_jobs.{name}.endpoint", f"{job.own_endpoint!r} is not one of endpoints: {near}")


def _pinned(environment: Environment) -> Iterator[Mistake]:
    regions = environment.regions
    if not regions:
        yield Mistake("regions", "is empty: name at least one")
    if isinstance(regions, AutoRegions) and len(regions.pinned) != regions.auto.count:
        yield Mistake(
            "regions.auto",
            f"{regions.auto.count} regions are asked for, and {len(regions.pinned)} pinned: run "
            "`mg regions --stack STACK --write`, and commit what it writes",
        )


def _regions(environment: Environment) -> Iterator[tuple[str, Part, str]]:
    """Each place that names regions."""
    yield "regions", environment, "all_regions"
    for name, model in environment.known("models", {}).items():
        yield f"models.{name}.regions", model, "regions"
    for name, endpoint in environment.known("endpoints", {}).items():
        yield f"endpoints.{name}.region", endpoint, "region"
    for name, job in environment.known("batch_jobs", {}).items():
        yield f"batch_jobs.{name}.region", job, "region"


def _places(place: str, part: Part, key: str) -> Iterator[Mistake]:
    given = getattr(part, key)
    named = [given] if isinstance(given, str) else given
    for region in dict.fromkeys(named):
        if region not in known_regions():
            near = one_of(region, known_regions(), "write one like us-central1")
            yield Mistake(place, f"{region} is not a region of Vertex AI: {near}")
        elif named.count(region) > 1:
            yield Mistake(place, f"{region} comes twice: name it once")


def _overrides(environment: Environment, name: str, model: ModelConfig) -> Iterator[Mistake]:
    for region in model.overrides:
        if region not in environment.regions_of(name):
            yield Mistake(f"models.{name}.overrides.{region}", f"the model is not in region {region}")


def _query_names(environment: Environment, name: str, endpoint: EndpointConfig) -> Iterator[Mistake]:
    """A request that names a model must be answered by whichever the traffic picks."""
    asked = [one for one in endpoint.deployed_models if endpoint.split.get(one, 0)]
    models = {one: endpoint.deployed_models[one].model for one in asked}
    answers = {one: known for one, at in models.items() if (known := environment.known_name(at, endpoint.region))}
    if problem := names_differ(answers, ", or own_endpoint: false"):
        yield Mistake(f"endpoints.{name}.traffic_split", problem)


def _parked(environment: Environment, name: str, model: ModelConfig) -> Iterator[Mistake]:
    """Both without an endpoint of its own and parked."""
    if model.own_endpoint:
        return
    place = f"models.{name}"
    parked = {place: model, **{f"{place}.overrides.{region}": one for region, one in model.overrides.items()}}
    if at := next((path for path, one in parked.items() if one.argument("parked")), None):
        yield Mistake(f"{at}.parked", "own_endpoint is false, so park the endpoints that serve it instead")


def _behind(environment: Environment, name: str, model: ModelConfig) -> Iterator[Mistake]:
    """A model without an endpoint of its own is used by something else, wherever it is."""
    if model.own_endpoint:
        return
    place = f"models.{name}"
    if model.private is not None:
        yield Mistake(
            f"{place}.private", "has no endpoint to make private, as own_endpoint is false: remove one of them"
        )
    regions = environment.regions_of(name)
    used = {at for at in regions if environment.endpoints_of(name, at) or environment.batches_of(name, at)}
    if not used or used != set(regions):
        unused = next((f" in {region}" for region in regions if region not in used), "")
        yield Mistake(
            f"{place}.own_endpoint",
            f"is false, and no endpoint serves the model{unused}: name it in deployed_models of one, or as the "
            "model of a batch job, or remove the line",
        )


def _private(environment: Environment) -> Iterator[Mistake]:
    addresses = list(environment.addresses())
    for address in addresses:
        for check in (_network, _addresses):
            yield from readable(check(environment, address))
    for one, other in combinations(addresses, 2):
        yield from readable(_taken_twice(one, other))


def _taken_twice(one: Address, other: Address) -> Iterator[Mistake]:
    for region in one.regions:
        if region not in other.regions:
            continue
        shared = not one.own_network and not other.own_network
        if shared and one.record == other.record:
            yield Mistake(f"{other.path}.dns_record", f"{one.record} is that of {_owner(one)} too")
        taken = one.rule.addresses.get(region)
        if taken is not None and taken == other.rule.addresses.get(region) and _same_place(one, other):
            yield Mistake(
                f"{one.path}.addresses.{region}",
                f"{taken} is that of {_owner(other)} too: give each one of its own",
            )


def _owner(address: Address) -> str:
    return address.path.removesuffix(".private")


def _same_place(one: Address, other: Address) -> bool:
    """Whether two addresses are taken from one network, as far as is known."""
    return bool(one.rule.argument("network") == other.rule.argument("network"))


def _network(environment: Environment, address: Address) -> Iterator[Mistake]:
    rule, place = address.rule, address.path
    if rule.own_network != (rule.argument("subnetwork") is not None):
        yield Mistake(place, "network and subnetwork go together: give both, or none")
        return
    network = environment.network
    if not address.own_network and network is None:
        yield Mistake(place, "there is no network: give network and subnetwork here, or environment.network")
        return
    if place.endswith(".private") and not environment.allowed(address.access):
        yield Mistake(f"{place}.allowlist", "nobody may connect: name projects here, or in environment.allowlist")
    for region in address.regions:
        if not address.own_network and network is not None and network.lacks(region):
            yield Mistake(place, f"the network has no subnetwork in {region}: add one")
        record = environment.record(address, region)
        if record is None and rule.dns_record:
            yield Mistake(f"{place}.dns_record", "needs a network of the environment that has a zone, or remove it")
            return
        if record is not None and not DNS_NAME.fullmatch(record):
            yield Mistake(
                f"{place}.dns_record", f"{address.record} is not a valid DNS name: give one of a-z, 0-9 and -"
            )
            return


def _addresses(environment: Environment, address: Address) -> Iterator[Mistake]:
    known = environment.network is not None and not address.own_network
    for region, given in address.rule.addresses.items():
        place = f"{address.path}.addresses.{region}"
        ip_range = environment.network.range_in(region) if known and environment.network else None
        if address.regions and region not in address.regions:
            yield Mistake(place, f"the {address.path.partition('s.')[0]} is not in region {region}")
        elif problem := address_problem(given, ip_range):
            yield Mistake(place, f"{given} {problem}")


def _perimeter(environment: Environment) -> Iterator[Mistake]:
    """Inside a perimeter nothing is public, and nothing comes from the internet."""
    yield from readable(_held_against(environment))
    for name, endpoint in environment.known("endpoints", {}).items():
        if endpoint.known("private", UNKNOWN) is None:
            yield Mistake(f"endpoints.{name}", "is public, which vpc_sc forbids: add `private: {}`")
    for name, model in environment.known("models", {}).items():
        if model.known("own_endpoint") and model.known("private", UNKNOWN) is None:
            yield Mistake(
                f"models.{name}.private", "is missing, and vpc_sc forbids public endpoints: add `private: {}`"
            )
    for address in environment.addresses():
        if address.rule is address.access and address.access.known("allowlist"):
            yield Mistake(f"{address.path}.allowlist", "with vpc_sc there is one list: environment.allowlist")


def _held_against(environment: Environment) -> Iterator[Mistake]:
    allowlist = environment.allowlist
    if allowlist is None or (allowlist.perimeter is None and allowlist.perimeter_projects is None):
        yield Mistake("allowlist", "vpc_sc needs one, with perimeter or perimeter_projects to check it against")


def _uncached(environment: Environment, name: str, model: ModelConfig) -> Iterator[Mistake]:
    """Weights that come from the internet into a perimeter."""
    if not environment.vpc_sc:
        return
    cached = model.argument("hugging_face_cache_enabled")
    if model.argument("hugging_face_model_id") and not cached:
        yield Mistake(
            f"models.{name}.hugging_face_cache_enabled",
            "Hugging Face cannot be reached from inside: set it to true, or take weights from a bucket",
        )
