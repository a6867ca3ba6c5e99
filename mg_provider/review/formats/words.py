"""What becomes of a deployment, in a few words, for every picture."""

from __future__ import annotations

from mg_provider.review.model import Deployed


def moved(before: int | None, after: int | None) -> str:
    """A share of the requests before and after: 10 → 50 %."""
    found = [value for value in (before, after) if value is not None]
    if len(found) == 2 and found[0] != found[1]:
        return f"{found[0]} → {found[1]} %"
    return f"{found[-1]} %" if found else ""


def serves(one: Deployed) -> list[str]:
    """What answers before and after."""
    if not one.serves or not one.serves_before or one.serves == one.serves_before:
        return list(filter(None, [one.serves or one.serves_before]))
    return [one.serves_before, f"→ {one.serves}"]


def machines(one: Deployed) -> list[str]:
    """Replicas and machine before and after; on one line where only one of both changes."""
    was, _, machine = one.before.partition(" x ")
    now, _, other = one.after.partition(" x ")
    if one.before == one.after or not one.before or not one.after:
        return [one.after or one.before]
    if machine == other:
        return [f"{was} → {now} x {machine}"]
    return [one.before, f"→ {one.after}"]
