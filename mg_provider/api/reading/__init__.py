"""What the answers of Google mean: errors, limits, policies, and what to do about them."""
