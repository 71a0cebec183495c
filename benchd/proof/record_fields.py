"""Reads the few plain fields of a record: one that is missing or of another type is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import Evidence

Word = TypeVar("Word", bound=str)


class RecordReader:
    """One record's data; every method raises CertificateGap naming the place and the key."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: Evidence, place: str) -> None:
        self._data = data
        self._place = place

    def _gap(self, key: str, wanted: str) -> CertificateGap:
        return CertificateGap((f"{self._place}: {key} is missing or not {wanted}",))

    def text(self, key: str) -> str:
        """A string, which may be empty."""
        value = self._data.get(key)
        if not isinstance(value, str):
            raise self._gap(key, "text")
        return value

    def optional_text(self, key: str) -> str | None:
        """A string or nothing."""
        return None if self._data.get(key) is None else self.text(key)

    def word(self, key: str, words: type[Word]) -> Word:
        """One of these words; a newer release may have written another."""
        text = self.text(key)
        try:
            return words(text)
        except ValueError:
            raise self._gap(key, f"a {words.__name__} that this release knows") from None

    def optional_word(self, key: str, words: type[Word]) -> Word | None:
        """The same or nothing."""
        return None if self._data.get(key) is None else self.word(key, words)

    def optional_whole(self, key: str) -> int | None:
        """A whole number above zero, or nothing."""
        value = self._data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._gap(key, "a whole number")
        return value

    def form(self) -> int:
        """Of an attempt's evidence; what has no number is of the first form, which had none."""
        return self.optional_whole("form") or 1

    def optional_mapping(self, key: str) -> Evidence | None:
        """A mapping or nothing."""
        return None if self._data.get(key) is None else self.mapping(key)

    def mapping(self, key: str) -> Evidence:
        """A mapping."""
        value = self._data.get(key)
        if not isinstance(value, Mapping):
            raise self._gap(key, "a mapping")
        return value
