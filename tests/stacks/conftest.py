"""What these tests start asks this machine only."""

from tests.support.google.canary import canary_proxy, only_this_machine

__all__ = ["canary_proxy", "only_this_machine"]
