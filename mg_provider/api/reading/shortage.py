"""What Google says where machines or quota are short: another machine or region may do, the same call will not.

Texts as public logs and Google's own clients have them: of Vertex AI's operations and jobs, and of Compute Engine.
"""

from __future__ import annotations

import re

_STOCK_OUT = re.compile(
    r"machine type temporarily unavailable|stock-?out|RESOURCE_POOL_EXHAUSTED|enough resources available"
    r"|does not have enough resources|resources? (are|is) insufficient|insufficient (capacity|resources)"
    r"|out of capacity",
    re.IGNORECASE,
)
# "The following quotas are exceeded: NAME", "NAME 8: The following quotas are exceeded: NAME", "Quota 'NAME' exceeded".
_QUOTA = re.compile(r"quotas? ('\S+' )?(are |is |has been )?exceeded|exceeded.{0,40}quota", re.IGNORECASE)


def says_stock_out(message: str) -> bool:
    """Whether a text says that a region has no machine of the kind at the moment."""
    return _STOCK_OUT.search(message) is not None


def says_quota_exceeded(message: str) -> bool:
    """Whether a text says that a project may not have more of something."""
    return _QUOTA.search(message) is not None
