"""How commands speak: sentences of the catalogue, in the language of whoever typed them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeVar

import typer

from benchd.daemon.exit_codes import complain
from benchd.domain.errors import BenchdError, DependencyMissing
from benchd.domain.plain_text import Language, printable
from benchd.texts.catalogue import Catalogue, Texts
from benchd.texts.failures import detail_texts
from benchd.texts.locale_language import language_of
from benchd.texts.templates import LONGEST_SAID

Error = TypeVar("Error", bound=BenchdError)
Fact = str | Texts


@cache
def catalogue() -> Catalogue:
    """All texts, read once."""
    return Catalogue.load(checked=False)


def language() -> Language:
    """What LC_ALL, LC_MESSAGES or LANG asks for."""
    return language_of(os.environ)


def both(key: str, **facts: Fact) -> Texts:
    """A sentence in both languages."""
    ja = {name: fact.ja if isinstance(fact, Texts) else fact for name, fact in facts.items()}
    en = {name: fact.en if isinstance(fact, Texts) else fact for name, fact in facts.items()}
    return Texts(ja=catalogue().text(key, ja).ja, en=catalogue().text(key, en).en)


def say(key: str, **facts: Fact) -> str:
    """A sentence in the reader's language."""
    return both(key, **facts).to(language())


def tell(key: str, **facts: Fact) -> None:
    """Print a sentence."""
    typer.echo(say(key, **facts))


def error_of(kind: type[Error], key: str, **facts: Fact) -> Error:
    """An error that is told in the reader's language; its message is the English one."""
    texts = both(key, **facts)
    error = kind(texts.en)
    error.japanese = texts.ja
    return error


def detail_of(error: Exception) -> Texts:
    """What an error says, to stand below a sentence: in Japanese, or called technical."""
    return detail_texts(str(error), catalogue())


def failed(key: str, **facts: Fact) -> typer.Exit:
    """Say on standard error what is wrong; to be raised, it ends the command with 1."""
    complain(say(key, **facts))
    return typer.Exit(1)


def missing(what: Texts, cure: Texts) -> DependencyMissing:
    """What isn't there, and below it what to do, in the reader's language."""
    error = DependencyMissing(what.en, cure=cure.en)
    error.japanese = f"{what.ja}\n{cure.ja}"
    return error


def named(section: str, value: object) -> str:
    """A code in words; in English, which scripts read, it stays as it is."""
    code = printable(str(value), LONGEST_SAID)
    return catalogue().named(section, code).ja if language() == "ja" else code


def tell_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Cells with tabs between them; on a terminal under their headings."""
    if sys.stdout.isatty():
        typer.echo("\t".join(named("field", column) for column in columns))
    for row in rows:
        typer.echo("\t".join(printable(cell, LONGEST_SAID) for cell in row).rstrip())
