"""What a person is told of an error, in their language."""

from __future__ import annotations

import re
from typing import Final

from benchd.errors import BenchdError
from benchd.texts.catalogue import Catalogue, Language, Refusal, Texts
from benchd.texts.command_words import Failure

_SAID_ANYWHERE: Final = frozenset(Refusal) - {
    Refusal.NOT_FOUND,
    Refusal.INVALID_REQUEST,
    Refusal.NOT_SIGNED_IN,
    Refusal.LEDGER_FAULT,
    Refusal.SIGN_IN_NEEDED,
    Refusal.INTERNAL_ERROR,
    Refusal.UNREACHABLE,
}
"""The words of the others are about the question on a page, or about its sign-in."""
_WORD_BEGINS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def failure_text(error: BenchdError, catalogue: Catalogue, language: Language) -> str:
    """The error as this person reads it.

    Messages are English, for logs too. In Japanese the error's own words, else those of its kind
    with the message below them, which names the technical detail.
    """
    message = str(error)
    if language == "en":
        return message
    if error.japanese is not None:
        return error.japanese
    said = _said_of(error, catalogue).ja
    return f"{said}\n{message}" if message else said


def _said_of(error: BenchdError, catalogue: Catalogue) -> Texts:
    if error.refusal in _SAID_ANYWHERE:
        return catalogue.refusal(Refusal(error.refusal))
    for name in map(_name, type(error).__mro__):
        if name in list(Failure):
            return catalogue.failure(Failure(name))
        if name in _SAID_ANYWHERE:
            return catalogue.refusal(Refusal(name))
    return catalogue.failure(Failure.BENCHD_ERROR)


def _name(kind: type) -> str:
    return _WORD_BEGINS.sub("_", kind.__name__).lower()
