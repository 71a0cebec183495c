"""What a person is told of an error, in their language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from benchd.domain.errors import BenchdError, ConfigInvalid, ConfigIssue
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue, Texts

if TYPE_CHECKING:
    from benchd.texts.causes import Causes

_SAID_ON_PAGES: Final = frozenset(
    {
        *("not_found", "invalid_request", "not_signed_in", "ledger_fault", "sign_in_needed"),
        *("internal_error", "unreachable"),
    }
)
"""Refusals whose words are about the question on a page, or about its sign-in."""
_WORD_BEGINS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def failure_text(error: BenchdError, catalogue: Catalogue, language: Language) -> str:
    """The error as this person reads it, and what to do.

    Messages are English, for logs too; what to do with one of its kind stands below it, unless it
    says so itself. In Japanese the error's own words, else those of its kind with each line of the
    message below them: in Japanese where its form is known, else called technical.
    """
    message = str(error)
    if language == "en":
        return message if _has_cure(error) else f"{message}\n{_said_of(error, catalogue).en}"
    if error.japanese is not None:
        return error.japanese
    said = _said_of(error, catalogue).ja
    if isinstance(error, ConfigInvalid) and error.issues:
        told = _mistakes(error.issues, _causes(catalogue))
    else:
        told = detail_texts(message, catalogue).ja
    return f"{said}\n{told}" if told else said


def detail_texts(message: str, catalogue: Catalogue) -> Texts:
    """What stands below a sentence of the catalogue, line by line, for people of both languages."""
    causes, technical = _causes(catalogue), catalogue.text("page.technical").ja
    told = ((line, causes.said(line)) for line in message.splitlines())
    lines = (f"{technical}: {line}" if known is None else known.ja for line, known in told)
    return Texts(ja="\n".join(lines), en=message)


def _causes(catalogue: Catalogue) -> Causes:
    from benchd.texts.causes import Causes

    return Causes.load(catalogue)


def _has_cure(error: BenchdError) -> bool:
    """Whether its own words say what to do, as those of the catalogue do."""
    own = error.japanese is not None or isinstance(error, ConfigInvalid)
    return own or bool(getattr(error, "cure", ""))


def _mistakes(issues: Iterable[ConfigIssue], causes: Causes) -> str:
    """Each mistake behind its place, which is where to look, whatever the words are."""
    lines: list[str] = []
    for issue in issues:
        known = causes.said(issue.message)
        lines.append(str(issue if known is None else replace(issue, message=known.ja)))
    return "\n".join(lines)


def _said_of(error: BenchdError, catalogue: Catalogue) -> Texts:
    failures = catalogue.section("failure")
    refusals = {
        code: failures.get(code, texts)
        for code, texts in catalogue.section("refusal").items()
        if code not in _SAID_ON_PAGES
    }
    if error.refusal in refusals:
        return refusals[error.refusal]
    told = {**refusals, **failures}
    for name in map(_name, type(error).__mro__):
        if (said := told.get(name)) is not None:
            return said
    return failures["benchd_error"]


def _name(kind: type) -> str:
    return _WORD_BEGINS.sub("_", kind.__name__).lower()
