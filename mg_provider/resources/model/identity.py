"""Names that stay, and proof of ownership.

An id is derived from the stack, the resource's name and whatever makes a replacement, so that a create that was
interrupted finds what it made. A label with a hash of the stack says whose a cloud resource is.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from mg_provider.api.texts import shown
from mg_provider.rollout.journal import DEPLOYMENT_LABEL, MODEL_LABEL
from mg_provider.wire.form import Form

OWNER_LABEL = "mg-owner"
RESOURCE_LABEL = "mg-resource"
# One value for each create that took hold of the resource: what an older create made must not be deleted
# on behalf of a replaced resource after a newer create has adopted it.
CLAIM_LABEL = "mg-claim"
# On a Model: the endpoint that it was made for. A resource that is being replaced has two endpoints at a time, and each
# deletes its own Models.
ENDPOINT_LABEL = "mg-endpoint"
OWN_LABELS = frozenset({OWNER_LABEL, RESOURCE_LABEL, CLAIM_LABEL, ENDPOINT_LABEL, DEPLOYMENT_LABEL, MODEL_LABEL})

_LABEL_KEY = re.compile(r"[^\W\d_][\w-]{0,62}")
# Google keeps 64; three say whose a resource is, two describe a rollout under way.
_MOST_LABELS = 59
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")


def _labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > _MOST_LABELS:
        raise ValueError(f"has {len(labels)} labels: keep at most {_MOST_LABELS}, as the provider adds its own")
    for key, value in labels.items():
        if key in OWN_LABELS:
            raise ValueError(f"{key} is set by this provider: remove it")
        if not _LABEL_KEY.fullmatch(key) or key != key.lower():
            form = "use 1 to 63 lower-case letters, digits, _ and -, a letter first"
            raise ValueError(f"{shown(key)} is not a valid label key: {form}")
        if not _LABEL_VALUE.fullmatch(value) or value != value.lower():
            form = "use at most 63 lower-case letters, digits, _ and -"
            raise ValueError(f"{shown(value)} is not a valid value for label {key}: {form}")
    return labels


Labels = Annotated[dict[str, str], AfterValidator(_labels)]
"""Labels that Google accepts, without the ones that say whose a resource is."""

ENDPOINT_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
COMPUTE_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

# The ids that an argument may have: an adopted endpoint or Model has one of Vertex AI's own choice.
ENDPOINT_ID_FORM = Form(
    rf"{ENDPOINT_ID.pattern}|[1-9][0-9]{{9,18}}", "at most 63 of a-z, 0-9 and -, a letter first; or at most 9 digits"
)
MODEL_ID_FORM = Form(rf"{MODEL_ID.pattern}|[0-9]{{1,19}}", "at most 63 of a-z, 0-9, _ and -, a letter first")
COMPUTE_NAME_FORM = Form(COMPUTE_NAME.pattern, "at most 63 of a-z, 0-9 and -, a letter first")


def ownership_labels(owner: str, resource: str, path: str = "") -> dict[str, str]:
    """The labels that say which stack and which resource in it something belongs to.

    Args:
        owner: The stack.
        resource: The resource's name.
        path: Its place in the program, which two resources of one name differ in. Empty for what was made before
            this was written down: its label is the name alone.
    """
    label = f"{_slug(resource, 54, '-_')}-{_hash(path)[:8]}" if path else _slug(resource, 63, "-_")
    return {OWNER_LABEL: _hash(owner)[:20], RESOURCE_LABEL: label}


def is_ours(labels: Mapping[str, str] | None, owner: str, resource: str, path: str = "") -> bool:
    """Whether something with these labels belongs to this resource of this stack."""
    expected = ownership_labels(owner, resource, path)
    return all((labels or {}).get(key) == value for key, value in expected.items())


def parent_seeds(path: str) -> list[str]:
    """What of a place in the program makes another id: the types of the parents; nothing without any."""
    parents = path.partition("::")[0].rpartition("$")[0]
    return [parents] if parents else []


def user_labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    """The labels without those that say who owns it."""
    return {key: value for key, value in (labels or {}).items() if key not in OWN_LABELS}


def derived_id(owner: str, resource: str, *seeds: str) -> str:
    """An id that reads like the resource's name and is the same each time for the same seeds.

    It satisfies the rules of endpoint ids, model ids and Compute names alike: at most 63 of ``[a-z0-9-]``, a letter
    first, a letter or digit last.
    """
    digest = _hash("\n".join((owner, resource, *seeds)))[:8]
    return f"{_slug(resource, 54, '-')}-{digest}"


def marked_request_id(random_id: str, ownership: Mapping[str, str]) -> str:
    """A UUID that marks one intended call, and of whom: Compute Engine keeps it on the operation that it began."""
    digits = list(_mark(ownership) + uuid.UUID(random_id).hex[16:])
    # The version that says that the rest is random.
    digits.insert(12, "4")
    return str(uuid.UUID("".join(digits)))


def has_mark(request_id: str | None, ownership: Mapping[str, str]) -> bool:
    """Whether a call was marked as this resource's."""
    digits = (request_id or "").replace("-", "").lower()
    return len(digits) == 32 and digits[:12] + digits[13:16] == _mark(ownership)


def _mark(ownership: Mapping[str, str]) -> str:
    return _hash("\n".join((ownership[OWNER_LABEL], ownership[RESOURCE_LABEL])))[:15]


def content_hash(*parts: str) -> str:
    """A text that is the same for the same parts, and fits a label."""
    return _hash("\n".join(parts))[:20]


def _slug(text: str, limit: int, also: str) -> str:
    slug = re.sub(f"[^a-z0-9{re.escape(also)}]+", "-", text.lower())
    slug = re.sub(r"^[^a-z]+", "", slug) or "resource"
    return slug[:limit].rstrip("-_")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
