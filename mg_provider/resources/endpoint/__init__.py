"""What the resources with an endpoint share."""
