"""What the commands print for people: one file for each view of what the daemon's API tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from rich.console import Console, RenderableType

from benchd.domain.ids import JsonValue
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue
from benchd.texts.locale_language import language_of

View = Callable[[Mapping[str, JsonValue], Catalogue, Language], RenderableType]


def print_view(view: View, told: Mapping[str, JsonValue]) -> None:
    """Print what was told on the terminal, in the language of whoever sits there."""
    never_fail_on_a_letter()
    Console().print(view(told, Catalogue.load(checked=False), language_of(os.environ)))


def never_fail_on_a_letter() -> None:
    """A name that an old locale can't write must not hide the rest of the rack."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if callable(reconfigure):
        reconfigure(errors="replace")
