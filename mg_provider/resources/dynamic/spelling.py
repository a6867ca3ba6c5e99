"""A misspelt argument or config key is answered with the right one, before anything is registered."""

from __future__ import annotations

import functools
import inspect
import json
import os
from typing import Any, NoReturn

import pulumi
from pulumi.runtime import config

from mg_provider.api.http.settings import misspelt_keys
from mg_provider.command_line.errors import Refusal
from mg_provider.spelling import did_you_mean

_OWN = "mg"


class KnownArguments(type):
    """The metaclass of what programs construct: it refuses an argument that the constructor does not have."""

    def __call__(cls, *arguments: Any, **given: Any) -> Any:
        """Construct it.

        Raises:
            RunError: the constructor has no argument of a name that was given.
        """
        code = cls.__init__.__code__  # type: ignore[misc]
        if not code.co_flags & inspect.CO_VARKEYWORDS:
            known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
            if wrong := next((key for key in given if key not in known), None):
                _refuse(cls.__name__, str(given.get("name", next(iter(arguments), ""))), wrong, known)
        return super().__call__(*arguments, **given)

    @property
    def __signature__(cls) -> inspect.Signature:
        """What editors and ``help`` show: the constructor's own arguments."""
        own = inspect.signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])


def run_error(summary: str, hint: str) -> pulumi.RunError:
    """What ends a program without a traceback: what is wrong, and what to do."""
    return pulumi.RunError(str(Refusal(summary, hint=hint)))


def _refuse(kind: str, name: str, wrong: str, known: tuple[str, ...]) -> NoReturn:
    raise run_error(f"{kind} {name}: {wrong} is not an argument", did_you_mean(wrong, known))


def refuse_misspelt_config() -> None:
    """Refuse a config key that is almost one of the provider's.

    Raises:
        RunError: with the key, and the right one.
    """
    # The keys of a project that is itself named mg are its own.
    if pulumi.get_project() == _OWN:
        return
    for wrong, right in _misspelt(tuple(config.CONFIG.get()), os.environ.get("PULUMI_CONFIG", "{}")):
        raise run_error(f"config key {wrong} does not exist", f"did you mean {right}?")


@functools.lru_cache(maxsize=8)
def _misspelt(keys: tuple[str, ...], environment: str) -> list[tuple[str, str]]:
    return misspelt_keys((*keys, *json.loads(environment)))
