"""The only HTTP on the provider's side: one transport, one poller, one error tree, a client for each service."""
