"""How a page speaks: signed sentences, its own words and people, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.job import Gate
from benchd.domain.plain_text import Language
from benchd.papers.glyphs import settable
from benchd.papers.paper_content import Line, Section
from benchd.papers.statement_paths import StatementPaths
from benchd.texts.catalogue import Catalogue
from benchd.texts.templates import Texts
from benchd.texts.translated_sentences import LONGEST_SENTENCE, Sentences

LONGEST_VALUE: Final = 80
"""Of what a handset or a person has said: a page has no room for more."""


def bounded(told: str) -> str:
    """What a stranger said, as far as a page shows it."""
    return settable(told, LONGEST_VALUE)


class PageWords:
    """Lines and sections in one language."""

    def __init__(self, language: Language, catalogue: Catalogue, sentences: Sentences) -> None:
        """Both catalogues are read already."""
        self.language: Language = language
        self._catalogue = catalogue
        self._sentences = sentences

    def person(self, told: StatementPaths) -> str:
        """Who answered, and when."""
        return self.word("paper.person", name=_name_of(told), at=told.day_and_time("at"))

    def answered(self, decisions: Sequence[StatementPaths]) -> Line:
        """What one person was asked, how they showed who they are, and when they did it last."""
        last = decisions[-1]
        shown = last.text("shown_by")
        how = f"{self._to(self._catalogue.named('shown_by', shown))}, " if shown else ""
        told = f"{self.gates(decisions)} ({how}{last.day_and_time('at')})"
        if self.language == "ja":
            told = told.replace(" (", "（").replace(", ", "、").replace(")", "）")
        return Line(label=bounded(_name_of(last)), values=(settable(told, LONGEST_SENTENCE),))

    def gates(self, decisions: Iterable[StatementPaths]) -> str:
        """What somebody was asked, each once."""
        names = dict.fromkeys(decision.text("gate") for decision in decisions)
        known = [self._to(self._catalogue.gate(Gate(name))) for name in names if name in list(Gate)]
        between = "、" if self.language == "ja" else ", "
        return between.join(known) or self.word("paper.none")

    def verdict(self, told: str) -> str:
        """What a chip was found to be, whoever found it."""
        known = told in list(ChipVerdict)
        return self.word(f"paper.chip_is_{told}") if known else bounded(told)

    def sentence(self, told: str) -> list[str]:
        """A signed line, sentence by sentence."""
        return [self._to(each) for each in self._sentences.said(told)] if told else []

    def said(self, label: str, told: Iterable[str], *, shown: bool = True) -> Line:
        """A line of what was signed."""
        said = [each for text in told for each in self.sentence(text)]
        return self.line(label, *said, shown=shown)

    def section(self, title: str, *lines: Line, warns: bool = False) -> Section:
        """A section under its heading."""
        return Section(title=self.word(title), lines=lines, warns=warns)

    def line(self, label: str, *values: str, shown: bool = True) -> Line:
        """A line of what the page says."""
        told = tuple(settable(value, LONGEST_SENTENCE) for value in values)
        return Line(label=self.word(label) if shown else "", values=told)

    def word(self, key: str, **facts: str) -> str:
        """A text of the page; what strangers said is bounded."""
        told = {name: bounded(fact) for name, fact in facts.items()}
        return self._to(self._catalogue.text(key, told))

    def _to(self, texts: Texts) -> str:
        return texts.to(self.language)


def _name_of(told: StatementPaths) -> str:
    name, person = told.text("operator"), told.text("person")
    return f"{name} / {person}" if person else name
