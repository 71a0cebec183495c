"""Strings from a handset made fit to be kept and shown."""

from __future__ import annotations

from typing import Final

LONGEST_TEXT: Final = 128


def lines_of(text: str) -> list[str]:
    """The lines of a tool's answer; only a line feed ends one, with or without CR before it."""
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text on one line, without control characters, and no longer than this."""
    kept = "".join(
        character if character.isprintable() else " " for character in text[: 4 * longest]
    )
    return " ".join(kept.split())[:longest]
