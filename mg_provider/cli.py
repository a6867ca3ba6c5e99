"""The `mg` command."""


def main() -> None:
    """Entry point."""
