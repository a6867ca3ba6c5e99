"""Stand-ins for resources of the pulumi-gcp plugin."""
