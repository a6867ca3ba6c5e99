"""The input of a batch prediction job, checked before it is paid for."""
