"""Results of batch jobs."""
