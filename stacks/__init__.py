"""The program that `pulumi up` runs, and its configuration for each environment."""
