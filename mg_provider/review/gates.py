"""Gates: what a pipeline refuses, from the command line and from review.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mg_provider.command_line.errors import Refusal, unread
from mg_provider.command_line.wrong_values import placed
from mg_provider.prices import HOURS_A_MONTH
from mg_provider.review.judging.findings import GATES
from mg_provider.review.model import GateResult, Reason, Review, Sum

FILE: Final = "review.toml"
_JUMPS: Final = ("increase", "decrease")
_NUMBERS: Final = ("budget", *_JUMPS, "gpus")
_CONDITIONS: Final = ("changes", "look", "stop")


class GatesError(Refusal):
    """A gate that does not exist, or a value that it does not take."""


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class Gates(BaseModel):
    """What is refused. The fields of review.toml, with - for _."""

    model_config = ConfigDict(extra="forbid", alias_generator=_dashed, populate_by_name=True)

    fail_on: list[str] = Field(default=[], description="Names of gates, and stop for a verdict of stop.")
    budget: float | None = Field(default=None, ge=0, description="Dollars a month, at the most replicas.")
    increase: str = Field(default="", description="How much a month's cost may rise: 20%, or dollars: 500.")
    decrease: str = Field(default="", description="How much of it may go: 20%, of the GPUs too, or dollars: 500.")
    gpus: int | None = Field(default=None, ge=0, description="Most GPUs at once, at the peak of the change.")
    only_if: list[str] = Field(default=[], description="The condition for printing a review.")
    look_fails: bool = Field(default=False, description="Exit code 4 unless the verdict is safe.")
    prices: str = Field(default="", description="A file of prices.")
    buckets: dict[str, str] = Field(default={}, description="Where buckets of weights are: location by name.")


def read_gates(
    file: Path | None,
    program: Path,
    *,
    fail_on: Sequence[str] = (),
    only_if: Sequence[str] = (),
    look_fails: bool = False,
) -> Gates:
    """The gates of a file, with those of the command line, which win.

    Raises:
        GatesError: A gate is not known, or has a wrong value, or the file cannot be read.
    """
    given = _file(file, program)
    asked = [entry.strip() for text in fail_on for entry in text.split(",") if entry.strip()]
    for entry in asked:
        name, equals, value = entry.partition("=")
        if name in _NUMBERS:
            if not equals:
                raise GatesError(f"--fail-on {name} needs a value", hint=f"write for example {_example(name)}")
            given[name] = value
        else:
            given["fail-on"] = [*given.get("fail-on", []), entry]
    conditions = [entry.strip() for text in only_if for entry in text.split(",") if entry.strip()]
    given["only-if"] = conditions or given.get("only-if", [])
    given["look-fails"] = look_fails or given.get("look-fails", False)
    try:
        gates = Gates.model_validate(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        raise GatesError(placed(wrong), hint=f"write for example {_example(where)}") from error
    return _checked(gates)


def _file(file: Path | None, program: Path) -> dict[str, Any]:
    path = file or program / FILE
    if file is None and not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GatesError(
            f"{path} cannot be read: {unread(error)}", hint="check its name, and that it is UTF-8 text"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise GatesError(f"{path} is not TOML: {error}", hint="correct it there") from error
    for name in _JUMPS:
        if isinstance(content.get(name), int | float):
            content[name] = str(content[name])
    return content


def _example(name: str) -> str:
    values = {"budget": "5000", **dict.fromkeys(_JUMPS, "20%"), "gpus": "64"}
    return f"{name}={values[name]}" if name in values else "fail-on = ['downtime']"


def _checked(gates: Gates) -> Gates:
    known = [*GATES, "stop"]
    for entry in gates.fail_on:
        if entry not in known:
            raise GatesError(
                f"{entry!r} is not a gate", hint=f"use {', '.join(known)}, budget=, increase=, decrease= or gpus="
            )
    for entry in gates.only_if:
        if entry not in (*GATES, *_CONDITIONS):
            raise GatesError(
                f"{entry!r} is not a condition of --only-if", hint=f"use {', '.join((*_CONDITIONS, *GATES))}"
            )
    for name in _JUMPS:
        value = getattr(gates, name)
        if value and not re.fullmatch(r"\d+(\.\d+)?%?", value):
            raise GatesError(f"{name} {value!r} is not valid", hint="write 20%, or dollars a month such as 500")
    return gates


def failed(review: Review, gates: Gates) -> list[GateResult]:
    """The gates that do not let it pass, each with why."""
    return [*_named(review, gates), *_budget(review, gates), *_jumps(review, gates), *_gpus(review, gates)]


def _named(review: Review, gates: Gates) -> Iterator[GateResult]:
    for gate in dict.fromkeys(gates.fail_on):
        for reason in review.reasons:
            if gate in (reason.gate, *reason.also) or (gate == "stop" and reason.severity == "stop"):
                yield GateResult(gate=gate, text=f"{_short(reason)}: {reason.text}")
                break


def _short(reason: Reason) -> str:
    more = f" and {len(reason.resources) - 3} more" if len(reason.resources) > 3 else ""
    return ", ".join(reason.resources[:3] or [reason.resource]) + more


def _budget(review: Review, gates: Gates) -> Iterator[GateResult]:
    if gates.budget is None:
        return
    most, asked = review.money.after.max, f"budget={gates.budget:g}"
    if _month(most) > gates.budget:
        yield GateResult(gate=asked, text=f"{most.text} a month at the most replicas is more")
    elif _is_partly_unknown(most):
        yield GateResult(gate=asked, text=_unchecked(review))


def _jumps(review: Review, gates: Gates) -> Iterator[GateResult]:
    for name in _JUMPS:
        if asked := getattr(gates, name):
            found = next(_jump(review, asked, 1 if name == "increase" else -1), None)
            yield from [GateResult(gate=f"{name}={asked}", text=found)] if found else []


def _jump(review: Review, asked: str, direction: int) -> Iterator[str]:
    """Why a change goes further than asked; a direction of -1 is down.

    What is unknown of the old machines alone only makes a rise smaller, and of the new ones alone a fall.
    """
    limit, money = float(asked.removesuffix("%")), review.money
    for title, change, before, after, percent in (
        ("most", money.difference.max, money.before.max, money.after.max, money.percent_max),
        ("fewest", money.difference.min, money.before.min, money.after.min, money.percent_min),
    ):
        moved, shown = (_month(after) - _month(before)) * direction, change.text
        if asked.endswith("%"):
            shown = f"{percent:+g} %" if percent is not None else f"from {before.text} to {after.text}"
            moved = percent * direction if percent is not None else _share(moved, before)
        may_be_less, may_be_more = map(_is_partly_unknown, (before, after)[::direction])
        if moved > limit and not may_be_less:
            yield f"{shown} a month at the {title} replicas is more"
        elif moved > limit or (may_be_more and _is_partly_unknown(change)):
            yield _unchecked(review)
    if direction < 0 and asked.endswith("%"):
        yield from _fewer_gpus(review, limit)


def _share(moved: float, before: Sum) -> float:
    """Percent of what was paid before."""
    if moved <= 0:
        return 0.0
    return 100 * moved / _month(before) if before.usd else float("inf")


def _unchecked(review: Review) -> str:
    """Why nobody can say what it costs."""
    if review.gpus.unknown and not review.money.unknown:
        return f"it cannot be checked: {review.gpus.unknown[0]}"
    unknown = ", ".join(review.money.unknown) or "a machine that Google chooses"
    return f"it cannot be checked without a price for {unknown}"


def _fewer_gpus(review: Review, limit: float) -> Iterator[str]:
    gpus = review.gpus
    for title, before, after in zip(("fewest", "most"), gpus.before, gpus.after, strict=True):
        if before and (before - after) / before * 100 > limit:
            yield f"from {before} to {after} GPUs at the {title} replicas is more"


def _gpus(review: Review, gates: Gates) -> Iterator[GateResult]:
    if gates.gpus is None:
        return
    if review.gpus.peak > gates.gpus:
        yield GateResult(gate=f"gpus={gates.gpus}", text=f"{review.gpus.peak} GPUs at the peak are more")
    elif review.gpus.unknown:
        text = f"it cannot be checked: {review.gpus.unknown[0]}"
        yield GateResult(gate=f"gpus={gates.gpus}", text=text)


def _month(amount: Sum) -> float:
    return (amount.usd or 0.0) * HOURS_A_MONTH


def _is_partly_unknown(amount: Sum) -> bool:
    return amount.usd is None or amount.at_least


def matters(review: Review, gates: Gates) -> bool:
    """Whether the review is to be printed: always, without --only-if."""
    if not gates.only_if or review.gates or review.errors:
        return True
    about = {gate for reason in review.reasons for gate in (reason.gate, *reason.also)}
    changes = any(operation != "same" for operation in review.counts)
    so = {"changes": changes, "look": review.verdict != "safe", "stop": review.verdict == "stop"}
    return any(so.get(entry, entry in about) for entry in gates.only_if)
