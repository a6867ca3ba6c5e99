"""The outputs that a resource class annotates."""

import inspect
import typing

import pulumi


def outputs(resource):
    """Each output's name and type, as a type checker sees it."""
    hints = {name: hint for cls in resource.__mro__[:2] for name, hint in inspect.get_annotations(cls).items()}
    return {name: hint for name, hint in hints.items() if typing.get_origin(hint) is pulumi.Output}
