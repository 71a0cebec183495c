"""What the commands' help says, and what is wrong with a command typed wrongly, in Japanese.

English stands beside the code; its Japanese is known by it, as a cause's is, and stands in
texts/help_texts.toml.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from typer import Context
from typer.core import TyperCommand, TyperGroup

from benchd.cli.messages import language
from benchd.texts.templates import LONGEST_SAID, PLACEHOLDER, fill

if TYPE_CHECKING:
    from rich.text import Text

_HELP: Final = "--help"
_USAGE: Final = ("Usage:", "[OPTIONS]", "COMMAND [ARGS]...")
"""What stands in a line of usage beside names."""
_HEADINGS: Final = (
    *("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE"),
    *("DEFAULT_STRING", "REQUIRED_LONG_STRING"),
)
"""What typer's own pages of help are headed and marked with."""
_MAKES_TEXT: Final = "_make_rich_text"

Command = TyperCommand | TyperGroup


@cache
def _tables() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The Japanese of help, and that of what is wrong, each by its English."""
    from benchd.domain.data_files import Table, Words, read_knowledge

    class HelpTexts(Table):
        help: Mapping[Words, Words]
        misuse: Mapping[Words, Words]

    read = read_knowledge("benchd.texts", "help_texts.toml", HelpTexts)
    return read.help, read.misuse


def japanese_by_english() -> Mapping[str, str]:
    """The Japanese of each text of help, by its English."""
    return _tables()[0]


class TranslatedGroup(TyperGroup):
    """All commands, whose help speaks the language of whoever asks for it."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, *more: object, **named: object
    ) -> object:
        """Run what was typed, as typer does."""
        typed = list(sys.argv[1:] if args is None else args)
        if language() != "ja" or not _shows_help(self, typed):
            return super().main(typed, *more, **named)  # type: ignore[arg-type]
        _speak(self)
        with _headings():
            return super().main(typed, *more, **named)  # type: ignore[arg-type]


def commands_of(command: Command) -> Iterator[Command]:
    """The command, and all that are below it."""
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from commands_of(each)


def misuse_in_japanese(said: str) -> str:
    """What typer says of a command typed wrongly, with its cure; empty where it isn't known."""
    for says, ja in _tables()[1].items():
        if (found := _form(says).fullmatch(said)) is not None:
            return fill(ja, found.groupdict(), LONGEST_SAID)
    return ""


@cache
def _form(says: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(says)
    return re.compile(
        "".join(
            f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
        ),
        re.DOTALL,
    )


def _shows_help(root: Command, typed: Sequence[str]) -> bool:
    """Whether help is asked for, or shown because the words end before a command."""
    command = root
    for word in typed:
        if word == _HELP:
            return True
        command = getattr(command, "commands", {}).get(word, command)
    return hasattr(command, "commands")


def _speak(root: Command) -> None:
    ja = japanese_by_english()
    for command in commands_of(root):
        command.help = ja.get(command.help or "", command.help)
        command.short_help = ja.get(command.short_help or "", command.short_help)
        command.get_usage = partial(_usage, command.get_usage)  # type: ignore[method-assign]
        asks = command.get_help_option(Context(command))
        for each in (*command.params, *([asks] if asks is not None else [])):
            said: object = getattr(each, "help", None)
            if isinstance(said, str) and said in ja:
                setattr(each, "help", ja[said])  # noqa: B010 - not every parameter has one


def _usage(plain: Callable[[Context], str], context: Context) -> str:
    line = plain(context)
    for part in _USAGE:
        line = line.replace(part, japanese_by_english()[part], 1)
    return line


@contextmanager
def _headings() -> Generator[None]:
    """Typer's own words in Japanese meanwhile."""
    from typer import rich_utils

    plain = {name: getattr(rich_utils, name) for name in (*_HEADINGS, _MAKES_TEXT)}
    for name in _HEADINGS:
        setattr(rich_utils, name, japanese_by_english()[plain[name]])
    setattr(rich_utils, _MAKES_TEXT, partial(_folded, plain[_MAKES_TEXT]))
    try:
        yield
    finally:
        for name, former in plain.items():
            setattr(rich_utils, name, former)


def _folded(plain: Callable[..., Text], *args: object, **named: object) -> Text:
    """Text that goes on in the next line: Japanese has no spaces to be broken at."""
    text = plain(*args, **named)
    text.overflow = "fold"
    return text
