"""Generators of committed files; none of this ships."""
