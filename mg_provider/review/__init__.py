"""Review of a deployment's preview: what it does to money, capacity, exposure and availability, and the verdict.

``review.of(preview)`` returns a typed :class:`Review`, of which every format is written.
"""

from mg_provider.review.judge import of
from mg_provider.review.model import Reason, Review
from mg_provider.review.reading.preview import PreviewError, read_preview

__all__ = ["PreviewError", "Reason", "Review", "of", "read_preview"]
