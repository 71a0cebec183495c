"""What a paper says, before it has a face: titles, lines and sentences in one language.

For a terminal it is plain text: the same words, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchd.domain.ids import Evidence
from benchd.domain.plain_text import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A label and what stands beside it; several values are a list."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines under a heading; `warns` marks what a reader may not pass over."""

    title: str
    lines: tuple[Line, ...]
    warns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One page in one language, the same for every face."""

    language: Language
    title: str
    named: str
    """What tells it from others of its title."""
    author: str
    """Whose it is."""
    verdict: str
    """What it comes to, for whoever reads no more; empty where it only lists."""
    head: tuple[Line, ...]
    sections: tuple[Section, ...]
    code: str
    """What the QR code on it says."""
    code_says: str
    """The same for whoever can't see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A certificate's statement that has verified, and the file that it stood in."""

    statement: Evidence
    envelope: bytes
    key_id: str
    """SHA-256 of the raw public key that it verified with, as hex."""
    where: str
    """Where strangers verify it: an address, or a command."""


def text_of(document: Document) -> str:
    """All of it as plain text; every value is bounded and on one line already."""
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    yield document.title
    if document.verdict:
        yield document.verdict
    for line in document.head:
        yield from _line(line)
    for section in document.sections:
        yield ""
        yield f"{'! ' if section.warns else ''}{section.title}"
        for line in section.lines:
            yield from _line(line)


def _line(line: Line) -> Iterator[str]:
    if line.label and len(line.values) == 1:
        yield f"  {line.label}: {line.values[0]}"
        return
    if line.label:
        yield f"  {line.label}:"
    yield from (f"  - {value}" for value in line.values)
