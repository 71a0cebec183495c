"""Which reader belongs to which slot, and how the configuration calls one. No I/O.

The configuration names a reader by the USB port that it sits in (`usb:1-4.2.3`), or by its
PC/SC name without the two numbers that pcscd appends. With them, only the second one counts,
which tells the slots of one reader apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.devices.felica.readers.reader_models import slot_number, stable_name
from benchd.domain.ids import SlotName

USB: Final = "usb:"
_CONTACTLESS: Final = re.compile(r"\bPICC\b|contactless", re.IGNORECASE)
WALL: Final = (
    "it is plugged in, but pcscd doesn't list it: pcscd before 2.5.1 stops at 16 readers (a reader"
    " with two interfaces counts twice); install pcsc-lite 2.5.1 and libccid 1.8.2 or later, or"
    " run a second pcscd and name both in [felica] pcscd"
)
_ANY: Final = SlotName("any")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSeen:
    """A reader that pcscd lists."""

    name: str
    usb_port: str | None = None
    """The USB port that it sits in, `1-4.2.3`; None where that can't be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What became of one slot's wish for a reader."""

    reader: str | None
    """Its PC/SC name now; None where there isn't exactly one that fits."""
    cause: str = ""
    """Why there is none, in English."""


def assign(
    wanted: Mapping[SlotName, str],
    seen: Collection[ReaderSeen],
    plugged: Collection[str] = (),
) -> dict[SlotName, Assigned]:
    """The reader of each slot; `plugged` are the USB ports in which Linux itself sees one."""
    chosen = {slot: _choose(wish, seen, plugged) for slot, wish in wanted.items()}
    taken = Counter(assigned.reader for assigned in chosen.values())
    # A chip that lies in another slot must never answer for this one.
    shared = Assigned(reader=None, cause="another slot's entry means the same reader")
    return {
        slot: shared if assigned.reader is not None and taken[assigned.reader] > 1 else assigned
        for slot, assigned in chosen.items()
    }


def _choose(wish: str, seen: Collection[ReaderSeen], plugged: Collection[str]) -> Assigned:
    if wish.startswith(USB):
        port = wish.removeprefix(USB)
        fitting = [reader.name for reader in seen if reader.usb_port == port]
        if not fitting:
            return Assigned(reader=None, cause=WALL if port in plugged else "it isn't plugged in")
        # Contact and SAM interfaces of a reader are listed beside the contactless one, in any
        # order; on a wrong one every chip would be silent.
        contactless = [name for name in fitting if _CONTACTLESS.search(name)]
        return _only(contactless if len(fitting) > 1 else fitting, "are in that port")
    # The number of the reader itself follows the order of enumeration: after a restart it may be
    # another reader's, and another slot's chip would answer.
    name, slot = stable_name(wish), slot_number(wish)
    fitting = [
        reader.name
        for reader in seen
        if stable_name(reader.name) == name and slot in {None, slot_number(reader.name)}
    ]
    if not fitting:
        unlisted = len(plugged) > len(seen)
        cause = "pcscd lists no reader of that name" + (f"; if {WALL}" if unlisted else "")
        return Assigned(reader=None, cause=cause)
    return _only(fitting, "have that name; name the USB port instead")


def _only(names: list[str], otherwise: str) -> Assigned:
    if len(names) == 1:
        return Assigned(reader=names[0])
    return Assigned(reader=None, cause=f"{len(names)} contactless readers {otherwise}")


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
