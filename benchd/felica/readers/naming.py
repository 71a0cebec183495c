"""How the configuration calls a reader that lies before somebody: what `assign` reads. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchd.felica.readers.assignment import USB, ReaderSeen, assign
from benchd.felica.readers.models import stable_name
from benchd.words.ids import SlotName

_ANY: Final = SlotName("any")


@dataclass(frozen=True, slots=True, order=True)
class ReaderAt:
    """One reader of a rack: the place of its pcscd among all, and its PC/SC name there now."""

    pcscd: int
    name: str


def meant_by(wish: str, listed: Sequence[Sequence[ReaderSeen]]) -> ReaderAt | None:
    """The reader that an entry of the configuration means; `listed` is what each pcscd lists."""
    chosen = [assign({_ANY: wish}, seen)[_ANY].reader for seen in listed]
    found = [ReaderAt(place, name) for place, name in enumerate(chosen) if name is not None]
    return found[0] if len(found) == 1 else None


def wish_for(reader: ReaderAt, listed: Sequence[Sequence[ReaderSeen]]) -> str | None:
    """The entry that means this reader and no other, its USB port before its name.

    None where two readers have one name and their USB ports can't be found out.
    """
    for seen in listed[reader.pcscd]:
        if seen.name != reader.name:
            continue
        port = [] if seen.usb_port is None else [USB + seen.usb_port]
        for wish in (*port, stable_name(seen.name), seen.name):
            if meant_by(wish, listed) == reader:
                return wish
    return None
