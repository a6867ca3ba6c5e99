"""The base of the classes that a program uses: typed keyword arguments in, outputs out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pulumi
from pulumi.dynamic import Resource, ResourceProvider
from pydantic import BaseModel

from mg_provider.preflight.empty_values import EMPTY, FILL_OR_REMOVE, empty_paths
from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.spelling import KnownArguments, refuse_misspelt_config, run_error
from mg_provider.resources.model.args import Args, State, declared_outputs, has
from mg_provider.resources.model.marks import Secret
from mg_provider.resources.model.unknown import mapped, plain
from mg_provider.spelling import did_you_mean


class DynamicResource(Resource, metaclass=KnownArguments):
    """The base of the resource classes.

    Its outputs are those that its constructor's class annotates and every argument, given or not.

    Args:
        name: The resource's name in the program.
        arguments: Every argument; None is what one has that the program did not pass.
        opts: Pulumi's options.
    """

    provider_type: ClassVar[type[DynamicProvider]]
    # The outputs that have a value although no program gave one.
    _filled: ClassVar[tuple[str, ...]]
    # The arguments and outputs that are secret.
    _secret: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # The SDK evaluates annotations for each resource that it registers; objects cost less than texts.
        cls.__annotations__ = inspect.get_annotations(cls, eval_str=True)
        if "provider_type" not in vars(cls):
            return
        args = cls._args_type()
        state: type[State] = cls.provider_type.lifecycle.state_type
        cls._filled = tuple(declared_outputs(args, state))
        secret = [key for key in args.model_fields if has(args, key, Secret)]
        cls._secret = (*secret, *(key for key, field in state.model_fields.items() if Secret() in field.metadata))

    def __init__(self, name: str, arguments: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        refuse_misspelt_config()
        passed = {key: value for key, value in arguments.items() if value is not None}
        passed = {**self._said_elsewhere(passed), **passed}
        if empty := next(empty_paths(passed), None):
            raise run_error(f"{type(self).__name__} {name}: {empty.removeprefix('.')} {EMPTY}", FILL_OR_REMOVE)
        given = {key: _input(value) for key, value in passed.items()}
        given |= {key: pulumi.Output.secret(given[key]) for key in self._secret if key in given}
        named = pulumi.Config("mg").get("owner")
        owner = f"{named or pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        secret = pulumi.ResourceOptions(additional_secret_outputs=list(self._secret))
        merged = pulumi.ResourceOptions.merge(secret, opts)
        super().__init__(
            cast(ResourceProvider, self.provider_type),
            name,
            {**dict.fromkeys(self._filled), **given, "owner": owner, "resource": name},
            merged,
        )

    @classmethod
    def _said_elsewhere(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the program says of arguments that it leaves out here, where it makes other resources of ours."""
        return {}

    @classmethod
    def takes(cls, argument: str) -> bool:
        """Whether it has an argument of that name."""
        return argument in cls._args_type().model_fields

    @classmethod
    def _args_type(cls) -> type[Args]:
        args_type: type[Args] = cls.provider_type.lifecycle.args_type
        return args_type

    if not TYPE_CHECKING:  # A type checker would take any name for an output.

        def __getattr__(self, name: str) -> pulumi.Output[None]:
            """An argument that was not given, as an output: the SDK's cost of one is paid by those who read it."""
            if name in self._args_type().model_fields:
                return pulumi.Output.from_input(None)
            missing = f"{type(self).__name__} has no {name}"
            # The SDK asks for names of its own, to see whether they are there; nobody reads what it gets.
            if not name.startswith("_"):
                missing += f": {did_you_mean(name, (*self._filled, *self._args_type().model_fields))}"
            raise AttributeError(missing, name=name, obj=self)


def _input(value: Any) -> Any:
    """What a program passed, with our models turned to plain values."""
    return mapped(value, lambda entry: plain(entry) if isinstance(entry, BaseModel) else entry)
