"""`mg models`: which models run on machines of one's own; `mg models show`: the resource that runs one."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, NotFound, UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.exits import FAILED, FINE, USAGE
from mg_provider.command_line.lines import columns_of, fit
from mg_provider.inference.models.catalogue import Catalogue, ListedModel, Machine, find_machines, read_catalogue
from mg_provider.inference.models.resource_block import batch_block, deployment_block, import_lines
from mg_provider.prices import money, standard_prices

PRICED = "us-central1"
"""Where prices are of, unless the configuration names a region."""
_NEAR = 5
# Columns of a terminal from which on a model and its machines fit in one line.
_WIDE = 160

Write = Callable[[str], object]


def list_models(
    search: str | None = None,
    *,
    deployable: bool = False,
    batch: bool = False,
    as_json: bool = False,
    config: Mapping[str, str] | None = None,
    write: Write | None = None,
    complain: Write | None = None,
) -> int:
    """Print the models that fit, and who says so.

    Args:
        search: Words in the name.
        deployable: Only those that an endpoint can serve as they are.
        batch: Only those that batch prediction is documented for.
        as_json: Print one JSON object.
        config: Settings by full config key.
        write: Takes the list; by default it is printed.
        complain: Takes what is said about it; by default it goes to stderr.

    Returns:
        0 if there is one, 1 if nothing fits, 2 if a setting is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        found = _catalogue(config or {}).only(search, deployable=deployable, batch=batch)
    except UserError as problem:
        complain(f"error: {problem}\n")
        return USAGE
    region = (config or {}).get("mg:region") or PRICED
    if as_json:
        write(f"{json.dumps(found.to_json(region), indent=2)}\n")
    else:
        columns = columns_of(sys.stdout) if write == sys.stdout.write else None
        for line in _lines(found, region, columns):
            write(fit(f"{line}\n", columns))
        complain(f"{found.origin}\nprices: an hour of one machine in {region}, {standard_prices().as_of}\n")
    if not found.models:
        complain("no model fits\ndo: try fewer words, or leave the options out\n")
    return FINE if found.models else FAILED


def show_model(
    name: str,
    *,
    batch: bool = False,
    config: Mapping[str, str] | None = None,
    write: Write | None = None,
    complain: Write | None = None,
) -> int:
    """Print the resources that run a model, as Python to paste.

    Args:
        name: Resource name, ``meta/llama3_1@llama-3.1-8b-instruct``, a version such as ``llama-3.1-8b-instruct``, or a
            base for weights of one's own such as ``Llama-3.1-8B``.
        batch: Only the batch prediction run.
        config: Settings by full config key.
        write: Takes the Python; by default it is printed.
        complain: Takes what is said about it; by default it goes to stderr.

    Returns:
        0 if there is such a model, 2 if not or if a setting is wrong, 1 if Google could not be asked.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        found = _catalogue(config or {})
        model = _find(name, found, config or {})
    except MgError as problem:
        return end_with(problem, complain)
    if batch and not model.batch:
        undocumented = f"batch prediction is not documented for {model.name}"
        return end_with(UserError(undocumented, hint="choose one that `mg models --batch` lists"), complain)
    for line in _program(model, batch_only=batch):
        write(f"{line}\n")
    for line in _remarks(model, found):
        complain(f"{line}\n")
    return FINE


def _catalogue(config: Mapping[str, str]) -> Catalogue:
    clients = _clients(config)
    try:
        return read_catalogue(clients)
    finally:
        clients.close()


def _clients(config: Mapping[str, str]) -> Clients:
    return Clients.from_settings(Settings.from_config(config.get, os.environ), SystemClock())


def _find(name: str, found: Catalogue, config: Mapping[str, str]) -> ListedModel:
    """The one model of that name; one that is not listed is asked for by its resource name."""
    wanted = name.lower().removeprefix("publishers/").replace("/models/", "/")
    exact = [model for model in found.models if model.name == name]
    named = exact or [model for model in found.models if wanted in _names(model)]
    if len(named) == 1:
        return named[0]
    if not named and found.asked and "/" in wanted:
        return _unlisted(wanted, name, config)
    if named:
        meant = ", ".join(model.name for model in named)
        raise UserError(f"{name!r} names several models", hint=f"name one of: {meant}")
    known = {each: model.name for model in found.models for each in _names(model)}
    near = dict.fromkeys(known[each] for each in difflib.get_close_matches(wanted, known, n=_NEAR, cutoff=0.5))
    hint = f"did you mean {' or '.join(near)}?" if near else "look for it with `mg models --search`"
    raise UserError(f"no model is called {name!r}", hint=hint)


def _unlisted(wanted: str, name: str, config: Mapping[str, str]) -> ListedModel:
    publisher, _, model = wanted.partition("/")
    resource = f"publishers/{publisher}/models/{model}"
    clients = _clients(config)
    try:
        machines = find_machines(resource, clients)
    except NotFound as error:
        raise UserError(f"Model Garden has no model {name!r}", hint="look for it with `mg models --search`") from error
    finally:
        clients.close()
    if not machines:
        raise UserError(f"{resource} has no configuration to deploy it with", hint="choose one that `mg models` lists")
    return ListedModel(resource, deployable=True, machines=machines)


def _names(model: ListedModel) -> list[str]:
    """What a user may call it: with or without the publisher, with or without the version, or the version alone."""
    full = model.name.lower().removeprefix("publishers/").replace("/models/", "/")
    within = full.rpartition("/")[2]
    return [full, full.partition("@")[0], within, within.partition("@")[0], full.rpartition("@")[2]]


def _program(model: ListedModel, *, batch_only: bool) -> Iterator[str]:
    only_batch = batch_only or not (model.deployable or model.own_weights)
    yield from import_lines(
        replace(model, deployable=False, own_weights=False) if only_batch else model, batch=model.batch
    )
    if not only_batch:
        yield from ("", *deployment_block(model))
    if model.batch:
        yield from ("", *batch_block(model))


def _remarks(model: ListedModel, found: Catalogue) -> Iterator[str]:
    yield found.origin
    if model.own_weights:
        yield "put weights fine-tuned from it into the bucket; `mg preflight` checks them and recommends a machine"
    elif not model.machines:
        yield "no machine is known for it here: without machine_spec Google's own choice applies"
    elif others := model.machines[1:]:
        yield f"other machines that Google has a configuration for: {', '.join(map(str, others))}"


def _price(machine: Machine, region: str) -> str:
    price = machine.hour(region)
    return money(price.usd) if price else "price unknown"


def _lines(found: Catalogue, region: str, columns: int | None) -> Iterator[str]:
    """A line for each model, or two where a terminal is too narrow for one."""
    width = max((len(model.name) for model in found.models), default=0)
    for model in found.models:
        uses = [("deploy", model.deployable), ("batch", model.batch), ("own weights", model.own_weights)]
        used = ", ".join(use for use, is_so in uses if is_so)
        machines = ", ".join(
            f"{machine}{'' if machine.verified else '?'} {_price(machine, region)}" for machine in model.machines
        )
        if columns is not None and columns < _WIDE:
            yield from (model.name, f"    {used}{': ' if machines else ''}{machines}")
        else:
            yield f"{model.name:<{width}}  {used:<13}  {machines}".rstrip()
