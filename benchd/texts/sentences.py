"""The sentences of a certificate in Japanese, each known by its form.

The English is what was signed and stays as it is; the Japanese says the same with the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from benchd.knowledge import Table, Words, read_knowledge
from benchd.texts.catalogue import Catalogue
from benchd.texts.shown_words import Because
from benchd.texts.templates import PLACEHOLDER, Texts, printable

LONGEST_SENTENCE: Final = 500
LONGEST_CHAIN: Final = 2000
"""Characters of several sentences in one line."""
_FILLED: Final = re.compile(r"\{([a-z_]+)(?::[^{}]*)?\}")
_CODES: Final = {"because", "claim", "cipher"}
_SEPARATOR: Final = ", "
_CLAIMS: Final = {"done": "完了", "already_initial": "初期状態"}


class _Sentence(Table):
    says: Words
    ja: Words


class _Table(Table):
    sentence: tuple[_Sentence, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Form:
    ja: str
    pattern: re.Pattern[str]


class Sentences:
    """All sentences that are known by their form."""

    def __init__(self, catalogue: Catalogue, table: _Table) -> None:
        """ValueError where the Japanese names what the English doesn't have."""
        because = {each.value: catalogue.because(each).ja for each in Because}
        self._named: Mapping[str, str] = {**because, **_CLAIMS}
        self._forms = [_form_of(each) for each in table.sentence]

    @classmethod
    def load(cls, catalogue: Catalogue) -> Sentences:
        """Those that come with benchd."""
        return cls(catalogue, read_knowledge("benchd.texts", "sentences.toml", _Table))

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
                facts = {name: self._named.get(v, v) for name, v in found.groupdict().items()}
                ja = PLACEHOLDER.sub(lambda at, told=facts: told[at[1]], form.ja)
                en = printable(found[0], LONGEST_SENTENCE)
                return Texts(ja=printable(ja, LONGEST_SENTENCE), en=en), found.end()
        return None, place


def _form_of(sentence: _Sentence) -> _Form:
    names = _FILLED.findall(sentence.says)
    if strange := set(PLACEHOLDER.findall(sentence.ja)) ^ set(names):
        message = f"{sentence.says!r} and its Japanese differ in {', '.join(sorted(strange))}"
        raise ValueError(message)
    parts = _FILLED.split(sentence.says)
    pattern = "".join(
        f"(?P<{part}>{_value_of(part)})" if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )
    # It ends where the line does, or where another sentence begins.
    return _Form(sentence.ja, re.compile(rf"{pattern}(?=\Z|, )"))


def _value_of(name: str) -> str:
    return r"[A-Za-z0-9_+./-]{1,60}" if name in _CODES else r"[0-9][0-9.]{0,30}%?"
