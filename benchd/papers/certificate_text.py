"""The page of a certificate for a terminal: the same words, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from benchd.papers.model import Document, Line


def text_of(document: Document) -> str:
    """All of it as plain text; every value is bounded and on one line already."""
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    yield document.title
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
