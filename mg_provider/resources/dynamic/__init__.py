"""All that knows Pulumi's protocol of dynamic providers."""
