"""What isn't the daemon's or a handset's doing: a command typed wrongly, a file out of reach."""

from __future__ import annotations

import errno
from typing import Final

import typer

from benchd.cli.messages import Fact, catalogue, language, say
from benchd.cli.translated_help import misuse_in_japanese
from benchd.daemon.exit_codes import complain, exit_code_of
from benchd.domain.plain_text import printable
from benchd.texts.catalogue import Texts
from benchd.texts.failures import detail_texts

LONGEST_TOLD: Final = 1000


class Misuse(typer.BadParameter):
    """Raised with words of the catalogue, which need nothing around them."""


def mistake(key: str, **facts: Fact) -> Misuse:
    """A mistake in the command's words, told in the reader's language."""
    return Misuse(say(key, **facts))


def tell_misuse(error: typer.TyperException) -> None:
    """Say on standard error what is wrong with a command, and how to see how it's used."""
    if isinstance(error, Misuse):
        complain(error.message)
        return
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "") or "benchd"
    if type(error).__name__ == "NoArgsIsHelpError":
        # The help stands there already.
        return
    usage, reason = say("say.usage", name=command), error.format_message()
    if language() == "ja":
        complain("\n".join(filter(None, (usage, misuse_in_japanese(reason)))))
    else:
        complain(f"{printable(reason, LONGEST_TOLD)}\n{usage}")


def tell_of_file(error: OSError) -> int:
    """Say on standard error which file or disk has failed; returns the exit code."""
    told = say("say.file_trouble", path=str(error.filename or "-"), detail=why(error))
    complain(told, error)
    return exit_code_of(error)


def why(error: OSError | ValueError) -> Texts:
    """Why a file can't be used."""
    code = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    said = str(getattr(error, "strerror", None) or error)
    return catalogue().file_trouble(code) or detail_texts(said, catalogue())
