"""A review as one HTML file, and its pictures."""

from mg_provider.review.formats.page.document import page

__all__ = ["page"]
