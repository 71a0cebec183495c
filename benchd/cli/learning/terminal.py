"""What the operator of a walk along the rack reads and types."""

from __future__ import annotations

import asyncio
import difflib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue
from benchd.texts.locale_language import language_of

READ_BYTES: Final = 4096
LONGEST_LINE: Final = 400
CONTEXT_LINES: Final = 2


class Terminal:
    """Says what is in the catalogue, in the language of whoever sits there."""

    def __init__(self, answers: int, out: TextIO) -> None:
        """`answers` is the file descriptor of what is typed."""
        self._answers = answers
        self._out = out
        self._catalogue = Catalogue.load()
        self._language: Language = language_of(os.environ)

    def say(self, key: str, **facts: str) -> None:
        """One line."""
        self._print(self._catalogue.text(key, facts).to(self._language))

    def show_difference(self, before: str, after: str, file: str) -> None:
        """What would be another, as `diff -u` shows it."""
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), file, file, n=CONTEXT_LINES, lineterm=""
        )
        for line in lines:
            shown = line[:LONGEST_LINE]
            self._print("".join(c if c.isprintable() else "?" for c in shown.replace("\t", " ")))

    def listen(self, typed: Callable[[str], None], ended: Callable[[], None]) -> None:
        """Call `typed` on the present loop for each line from now on, `ended` after the last."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            rest = b""
            # Not by sys.stdin: its lock, held by a thread that waits, would spoil the exit.
            with suppress(OSError, RuntimeError):
                while data := os.read(self._answers, READ_BYTES):
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        loop.call_soon_threadsafe(typed, line.decode("utf-8", "replace"))
                loop.call_soon_threadsafe(ended)

        threading.Thread(target=read, name="operator", daemon=True).start()

    def _print(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
