"""The page of a certificate for the screen: the same words as on paper, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from benchd.papers.paper_content import Document, Line, Section
from benchd.papers.qr import qr_svg


def html_of(
    document: Document, links: Iterable[tuple[str, str]] = (), since: Sequence[str] = ()
) -> str:
    """A whole page; `links` are addresses and what they lead to. All words are escaped."""
    way = "".join(f'<a href="{_text(to)}">{_text(name)}</a> ' for to, name in links)
    sections = "".join(map(_section, document.sections))
    code = f'<div class="code" role="img" aria-label="{_text(document.code_says)}">'
    return (
        f'<!doctype html><html lang="{document.language}"><head><meta charset="utf-8">'
        f"<title>{_text(document.title)} {_text(document.named)}</title>"
        '<meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="/static/icons.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/paper.css"></head><body>'
        f"<nav>{way}</nav><main>{_since(since)}<header><div><h1>{_text(document.title)}</h1>"
        f"{_verdict(document.verdict)}{_lines(document.head)}</div>{code}{qr_svg(document.code)}</div></header>"
        f"{sections}</main></body></html>"
    )


def _since(since: Sequence[str]) -> str:
    """What isn't on the certificate, whoever reads no more than its verdict."""
    lines = "".join(f"<p>{_text(each)}</p>" for each in since)
    return f'<div class="since">{lines}</div>' if lines else ""


def _verdict(verdict: str) -> str:
    return f'<p class="verdict">{_text(verdict)}</p>' if verdict else ""


def _section(section: Section) -> str:
    kind = ' class="warns"' if section.warns else ""
    return f"<section{kind}><h2>{_text(section.title)}</h2>{_lines(section.lines)}</section>"


def _lines(lines: Iterable[Line]) -> str:
    return "".join(
        f"<dl><dt>{_text(line.label)}</dt><dd>{_values(line.values)}</dd></dl>"
        if line.label
        else f"<div>{_values(line.values)}</div>"
        for line in lines
    )


def _values(values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return _text(values[0])
    return "<ul>" + "".join(f"<li>{_text(value)}</li>" for value in values) + "</ul>"


def _text(text: str) -> str:
    return escape(text, quote=True)
