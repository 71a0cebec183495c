"""The sentences of a certificate in both languages, each known by its form.

The English is what was signed and stays as it is, but for codes, which stand in words; the Japanese
says the same with the same numbers. Bytes stand in units for people: rounded up where they tell
how much may be left, down where they tell how much was shown. The certificate's file has them to
the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from benchd.domain.data_files import Table, Words, read_knowledge
from benchd.domain.plain_text import Language, printable, size, size_at_most
from benchd.texts.catalogue import Catalogue, skips
from benchd.texts.templates import PLACEHOLDER, Texts

LONGEST_SENTENCE: Final = 500
LONGEST_CHAIN: Final = 2000
"""Characters of several sentences in one line."""
_FILLED: Final = re.compile(r"\{([a-z_]+)(?::[^{}]*)?\}")
_CODES: Final = {"because", "claim", "cipher"}
_BYTES: Final = "bytes"
"""How the name of a number of bytes ends."""
_SHOWN: Final = "resumed_bytes"
"""The one that speaks for the erasure."""
_SEPARATOR: Final = ", "


class _Sentence(Table):
    says: Words
    ja: Words
    en: Words | None = None
    """In words, where what was signed is a code, or counts bytes."""


class _Table(Table):
    sentence: tuple[_Sentence, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Form:
    ja: str
    en: str | None
    pattern: re.Pattern[str]


class Sentences:
    """All sentences that are known by their form."""

    def __init__(self, catalogue: Catalogue, table: _Table) -> None:
        """ValueError where a translation names what the signed English doesn't have."""
        because = {each: catalogue.because(each) for each in skips()}
        self._named: Mapping[str, Texts] = {**because, **catalogue.section("clear_claim")}
        self._forms = [_form_of(each) for each in table.sentence]

    @classmethod
    def load(cls, catalogue: Catalogue) -> Sentences:
        """Those that come with benchd."""
        return cls(catalogue, read_knowledge("benchd.texts", "certificate_ja.toml", _Table))

    def said(self, told: str) -> tuple[Texts, ...]:
        """Each sentence of a signed line in both languages.

        A line of which any part isn't known stands as it was signed, in one piece.
        """
        found = tuple(self._chain(told)) if len(told) <= LONGEST_CHAIN else ()
        if found and None not in found:
            return tuple(each for each in found if each is not None)
        shown = printable(told, LONGEST_SENTENCE)
        return (Texts(ja=shown, en=shown),)

    def _chain(self, told: str) -> Iterator[Texts | None]:
        place = 0
        while place <= len(told):
            texts, end = self._one(told, place)
            yield texts
            if texts is None or end == len(told):
                return
            place = end + len(_SEPARATOR)

    def _one(self, told: str, place: int) -> tuple[Texts | None, int]:
        for form in self._forms:
            found = form.pattern.match(told, place)
            if found is not None:
                ja = self._filled(form.ja, found, "ja")
                en = found[0] if form.en is None else self._filled(form.en, found, "en")
                texts = Texts(
                    ja=printable(ja, LONGEST_SENTENCE), en=printable(en, LONGEST_SENTENCE)
                )
                return texts, found.end()
        return None, place

    def _filled(self, form: str, found: re.Match[str], language: Language) -> str:
        facts = {
            name: self._in_words(name, told, language) for name, told in found.groupdict().items()
        }
        return PLACEHOLDER.sub(lambda at: facts[at[1]], form)

    def _in_words(self, name: str, told: str, language: Language) -> str:
        if name.endswith(_BYTES):
            return size(int(told)) if name == _SHOWN else size_at_most(int(told))
        return self._named[told].to(language) if told in self._named else told


def _form_of(sentence: _Sentence) -> _Form:
    names = _FILLED.findall(sentence.says)
    for words in (sentence.ja, sentence.en):
        named: set[str] = set(names if words is None else PLACEHOLDER.findall(words))
        if strange := named ^ set(names):
            message = f"{sentence.says!r} and its words differ in {', '.join(sorted(strange))}"
            raise ValueError(message)
    parts = _FILLED.split(sentence.says)
    pattern = "".join(
        f"(?P<{part}>{_value_of(part)})" if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )
    # It ends where the line does, or where another sentence begins.
    return _Form(sentence.ja, sentence.en, re.compile(rf"{pattern}(?=\Z|, )"))


def _value_of(name: str) -> str:
    if name.endswith(_BYTES):
        return r"[0-9]{1,30}"
    return r"[A-Za-z0-9_+./-]{1,60}" if name in _CODES else r"[0-9][0-9.]{0,30}%?"
