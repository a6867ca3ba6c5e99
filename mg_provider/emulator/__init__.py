"""An emulator of the Google Cloud APIs that this project uses; it shares no code with the provider.

How a service plugs in: ``routing.py``. What is emulated and what is not: ``COVERAGE.md``.
"""

from mg_provider.emulator.emulator import Emulator

__all__ = ["Emulator"]
