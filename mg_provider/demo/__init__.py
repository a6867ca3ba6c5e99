"""`mg demo`: custom weights from a bucket to an answered request, on one machine."""
