"""Reads stored evidence strictly: what is missing or of another type is a gap, never a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchd.errors import CertificateGap
from benchd.words.ids import Evidence, JsonValue


class EvidenceReader:
    """One mapping of evidence; every method raises CertificateGap naming the place and the key."""

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

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._data.get(key)
        if not isinstance(value, bool):
            raise self._gap(key, "true or false")
        return value

    def whole(self, key: str) -> int:
        """A whole number, zero or above."""
        value = self._data.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._gap(key, "a whole number")
        return value

    def number(self, key: str) -> float:
        """Any number."""
        value = self._data.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._gap(key, "a number")
        return float(value)

    def mapping(self, key: str) -> Evidence:
        """A mapping."""
        value = self._data.get(key)
        if not isinstance(value, Mapping):
            raise self._gap(key, "a mapping")
        return value

    def _sequence(self, key: str) -> Sequence[JsonValue]:
        value = self._data.get(key)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self._gap(key, "a list")
        return value

    def items(self, key: str) -> tuple[Evidence, ...]:
        """A list of mappings."""
        values = self._sequence(key)
        mappings = tuple(value for value in values if isinstance(value, Mapping))
        if len(mappings) != len(values):
            raise self._gap(key, "a list of mappings")
        return mappings

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self._sequence(key)
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values):
            raise self._gap(key, "a list of texts")
        return texts

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        values = self._sequence(key)
        numbers = tuple(v for v in values if isinstance(v, int) and not isinstance(v, bool))
        if len(numbers) != len(values):
            raise self._gap(key, "a list of whole numbers")
        return numbers
