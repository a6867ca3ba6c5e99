"""One module for each part: what it measures, and how."""
