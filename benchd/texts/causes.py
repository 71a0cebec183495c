"""Why exactly: what the daemon says of one case in English, told to operators in their language.

What is on record and in logs stays as it is. A sentence is known by its form alone, so that old
records are told too; what has no known form is technical, and the page calls it that.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final

from pydantic import Field

from benchd.domain.data_files import Table, Words, read_knowledge
from benchd.domain.plain_text import printable
from benchd.texts.catalogue import Catalogue, skips
from benchd.texts.templates import PLACEHOLDER, Texts

LONGEST_CAUSE: Final = 500
"""Characters of a sentence; what is longer was written by nobody who is told here."""
_LONGEST_FACT: Final = 200
_NUMBERS: Final = frozenset(
    {
        *("seconds", "number", "share", "count", "percent", "minimum", "code", "bad", "proven"),
        *("ordered", "vouched", "capacity", "left", "nominal", "size", "most", "free", "shown"),
        *("told", "found"),
    }
)
_NUMBER: Final = r"-?\d[\d.]*%?"
_NESTED: Final = frozenset({"said", "cause", "rest"})
"""Facts that are sentences themselves; one that isn't known makes the whole unknown."""
_FILE: Final = "file"
_PERHAPS_MORE: Final = "more"
"""The one fact that may be empty."""
_SEPARATORS: Final = ("; ", ", ")
_SET: Final = {
    "True": Texts(ja="あり", en="set"),
    "False": Texts(ja="なし", en="not set"),
    "None": Texts(ja="不明", en="unknown"),
}
_UNKNOWN_KIND: Final = Texts(ja="種類不明", en="unknown kind")


class _Cause(Table):
    says: Words
    ja: Words
    en: Words | None = None
    """Where it isn't `says` itself."""


class _Table(Table):
    cause: tuple[_Cause, ...] = Field(min_length=1)


@dataclass(frozen=True)
class _Form:
    cause: _Cause
    head: str
    """Its first words, up to the first fact."""
    source: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a sentence begins like it: all at once take a tenth of a second."""
        return re.compile(self.source, re.DOTALL)

    def found_in(self, told: str) -> re.Match[str] | None:
        """The sentence's facts, if it has this form."""
        return self.pattern.fullmatch(told) if told.startswith(self.head) else None


class Causes:
    """All sentences that are known by their form."""

    def __init__(self, catalogue: Catalogue, table: _Table) -> None:
        """ValueError where a sentence is told with a fact that it doesn't have."""
        self._named: Mapping[str, Mapping[str, Texts]] = {
            "gate": catalogue.section("gate"),
            "attestation": catalogue.section("attestation"),
            "stage": catalogue.section("stage"),
            "verdict": catalogue.section("chip"),
            "kind": {**catalogue.section("user_kind"), "unknown": _UNKNOWN_KIND},
            "because": {because: catalogue.because(because) for because in skips()},
            "disposal_state": catalogue.section("disposal_state"),
            "set": _SET,
            "trouble": {
                os.strerror(getattr(errno, code)): texts
                for code, texts in catalogue.section("file_trouble").items()
            },
        }
        self._forms = [self._form(cause) for cause in table.cause]

    @classmethod
    def load(cls, catalogue: Catalogue) -> Causes:
        """Those that come with benchd."""
        return _known_in(catalogue)

    def said(self, told: str) -> Texts | None:
        """The sentence, or each of several, in both languages; None where any isn't known."""
        if not told or len(told) > LONGEST_CAUSE:
            return None
        if (whole := self._one(told)) is not None:
            return whole
        for separator in _SEPARATORS:
            parts = told.split(separator)
            found = [text for part in parts if (text := self._one(part)) is not None]
            if 1 < len(parts) == len(found):
                return Texts(
                    ja="。".join(text.ja for text in found),
                    en=separator.join(text.en for text in found),
                )
        return None

    def _one(self, told: str) -> Texts | None:
        for form in self._forms:
            if (found := form.found_in(told)) is None:
                continue
            facts = self._facts(form.cause, found.groupdict())
            if facts is None:
                return None
            english = form.cause.en
            return Texts(
                ja=_filled(form.cause.ja, facts, lambda fact: fact.ja),
                en=_filled(english, facts, lambda fact: fact.en)
                if english
                else printable(told, LONGEST_CAUSE),
            )
        return None

    def _facts(self, cause: _Cause, found: Mapping[str, str]) -> Mapping[str, Texts] | None:
        facts: dict[str, Texts] = {}
        for name in PLACEHOLDER.findall(cause.ja):
            value = found[name]
            told = self._named.get(name, {}).get(value)
            if told is None and name in _NESTED and (told := self.said(value)) is None:
                return None
            facts[name] = told or _as_it_is(value)
        return facts

    def _form(self, cause: _Cause) -> _Form:
        says = PLACEHOLDER.findall(cause.says)
        for text in (cause.ja, cause.en or ""):
            if strange := set(PLACEHOLDER.findall(text)) - set(says):
                message = f"{cause.says!r} has no {', '.join(sorted(strange))}"
                raise ValueError(message)
        parts = PLACEHOLDER.split(cause.says)
        source = "".join(
            f"(?P<{part}>{self._form_of(part)})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        )
        return _Form(cause, parts[0], source)

    def _form_of(self, name: str) -> str:
        if name in self._named:
            return "|".join(map(re.escape, self._named[name]))
        if name == _FILE:
            # One with a space in it is called technical: sentences begin with words, too.
            return r"\S+"
        if name == _PERHAPS_MORE:
            return ".*?"
        return _NUMBER if name in _NUMBERS else ".+?"


@cache
def _known() -> _Table:
    return read_knowledge("benchd.texts", "causes.toml", _Table)


@lru_cache(maxsize=1)
def _known_in(catalogue: Catalogue) -> Causes:
    return Causes(catalogue, _known())


def _as_it_is(value: str) -> Texts:
    shown = printable(value, _LONGEST_FACT)
    return Texts(ja=shown, en=shown)


def _filled(template: str, facts: Mapping[str, Texts], to: Callable[[Texts], str]) -> str:
    return PLACEHOLDER.sub(lambda found: to(facts[found[1]]), template)
