"""Open models with their own weights on Vertex AI Model Garden, as infrastructure as code on Pulumi."""
