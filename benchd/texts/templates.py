"""A text in both languages, and what is filled into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from benchd.domain.plain_text import LONGEST_VALUE, Language, printable

LONGEST_MENU = 200
"""Of a way through menus, which is of the catalogue of models."""
MENUS = ("reset", "debugging", "felica_erase")
"""Facts that are such ways: where most handsets have what a person looks for, or this model."""
LONGEST_SAID = 1000
"""Of one value in a sentence of a command: paths aren't cut, nor a list of jobs."""
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
"""What stands in a text for a fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """One text in both languages."""

    ja: str
    en: str

    def to(self, language: Language) -> str:
        """The text in this language."""
        return self.ja if language == "ja" else self.en


def followed(said: Texts, then: Texts) -> Texts:
    """What is so, and what to do about it."""
    return Texts(ja=f"{said.ja}。{then.ja}", en=f"{said.en}: {then.en}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance(Texts):
    """What is the matter, and what to do about it."""

    what_to_do: Texts


def fill(template: str, facts: Mapping[str, str], longest_value: int = LONGEST_VALUE) -> str:
    """The template with its placeholders filled in once; a value that is missing reads `?`.

    Values are never read as templates, and placeholders have no formats or attributes.
    """

    def value(found: re.Match[str]) -> str:
        longest = LONGEST_MENU if found[1] in MENUS else longest_value
        return printable(facts.get(found[1], ""), longest) or "?"

    return PLACEHOLDER.sub(value, template)
