"""The emulated services; every module here is loaded when an emulator starts."""
