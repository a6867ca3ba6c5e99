"""What a preview says of a rollout, and how it will be probed."""
