"""A small offline deployment engine: it plays Pulumi's engine for an unmodified Pulumi Python program.

The program runs with the real Python SDK and the providers run in the real ``pulumi.dynamic`` host; only the
engine between them is ours. It talks to loopback addresses only. Its state file is Pulumi's own deployment format,
so that ``pulumi stack import`` takes over where a rehearsal ended.

Semantics follow ``pkg/resource/deploy`` of pulumi/pulumi (read at 1b59498, 2026-11); ``tests/conformance`` holds
both engines against each other. Not played: transforms, resource hooks, parameterised packages, plugins other than
``pulumi-python``, assets and archives, ``import``, policy packs, update plans.
"""
