"""Texts of a form: a pattern never goes without what to write instead of a text that it does not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

WRONG_FORM = "form"
"""The type of the error of a text that does not fit; ``write`` in its context says what to write."""


@dataclass(frozen=True)
class Form:
    """The mark of a text that has a form.

    Attributes:
        pattern: A regular expression for the whole text.
        write: What to write: the form in words, or an example.
    """

    pattern: str
    write: str

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def _checked(self, text: str) -> str:
        if not self._compiled.fullmatch(text):
            raise PydanticCustomError(WRONG_FORM, "does not fit: write {write}", {"write": self.write})
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))
