"""Which serialized providers may be loaded. A pickle is a program, and a state file may be anybody's.

Most providers are the name of a class, which nothing but that class can come of. One that a program defines in its own
``__main__`` is code; it is loaded only if a program has registered it on this machine, in this run or before.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pickletools
import re
from pathlib import Path
from typing import Any, Final

from mg_provider.rehearsal.errors import StepError
from mg_provider.rehearsal.state.properties import revealed

SERIALIZED: Final = "__provider"
"""The property that holds the serialized provider."""

# What `pickle` writes for a class by its name; for an instance without attributes, which runs no code of its class but
# ``__new__``, two more.
_NAMING: Final = frozenset(
    ["PROTO", "FRAME", "SHORT_BINUNICODE", "BINUNICODE", "MEMOIZE", "BINPUT", "STACK_GLOBAL", "STOP"]
)
_OF_AN_INSTANCE: Final = frozenset(["EMPTY_TUPLE", "NEWOBJ"])
_OWN: Final = re.compile(r"mg_provider(\.\w+)+")
_CLASS: Final = re.compile(r"[A-Za-z_]\w*")


def is_own_class(text: str) -> bool:
    """Whether a serialized provider is the name of a class of this package, and nothing else."""
    named = _named(text, _NAMING)
    return named is not None and bool(_OWN.fullmatch(named[0]))


def vouch(properties: dict[str, Any]) -> None:
    """Remember the provider of a resource that a program registers, if it is code."""
    text = revealed(properties.get(SERIALIZED))
    if isinstance(text, str) and not _is_a_class(text):
        mark = _mark(text)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def refuse_unknown_code(properties: dict[str, Any], resource: str) -> None:
    """Refuse a provider that is code which no program has registered here.

    Raises:
        StepError: it is.
    """
    text = revealed(properties.get(SERIALIZED))
    if isinstance(text, str) and not _is_a_class(text) and not _mark(text).exists():
        raise StepError(
            f"the state holds the provider of {resource} as code that no program has registered on this machine, so it "
            "is not run",
            hint="run `mg rehearse preview` with the program that made it first, if you trust that program",
        )


def _is_a_class(text: str) -> bool:
    return _named(text, _NAMING | _OF_AN_INSTANCE) is not None


def _named(text: str, operations: frozenset[str]) -> tuple[str, str] | None:
    """Module and class that a pickle names if it does nothing else, instantiate it perhaps; None if it does."""
    try:
        found = [(code.name, value) for code, value, _ in pickletools.genops(base64.b64decode(text, validate=True))]
    except (ValueError, IndexError, UnicodeError):
        return None
    words = [str(value) for name, value in found if name in ("SHORT_BINUNICODE", "BINUNICODE")]
    names = [name for name, _ in found]
    once = all(names.count(name) <= 1 for name in ("STACK_GLOBAL", "NEWOBJ", "EMPTY_TUPLE"))
    if not once or "STACK_GLOBAL" not in names or len(words) != 2 or not operations.issuperset(names):
        return None
    module, name = words
    return (module, name) if _CLASS.fullmatch(name) else None


def _mark(text: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "mg-provider" / "providers" / hashlib.sha256(text.encode()).hexdigest()
