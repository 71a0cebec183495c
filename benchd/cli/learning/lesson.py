"""Goes from slot to slot with whoever stands before the rack. No I/O: it hears and says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchd.cli.learning.new_plugs import NewPlugs, Plugged
from benchd.config.slot_config_edit import SlotEntry
from benchd.devices.felica.readers.card_readers import CardSeen, CardsSeen
from benchd.devices.felica.readers.reader_assignment import ReaderAt, meant_by, wish_for
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.port import PlugEvent


@dataclass(frozen=True, slots=True)
class Typed:
    """The operator typed something and pressed Enter."""

    line: str


@dataclass(frozen=True, slots=True)
class CardsChanged:
    """A card or a reader came or went."""


Heard = Typed | CardsChanged | PlugEvent


class Say(Protocol):
    """Tells the operator something, in their language."""

    def __call__(self, key: str, **facts: str) -> None:
        """`facts` fill the placeholders."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the configuration says of the slots that aren't learned now."""

    ports: Mapping[PortPath, SlotName]
    readers: Mapping[SlotName, str]


class Lesson:
    """One walk along the rack."""

    def __init__(
        self,
        *,
        known: Known,
        plugs: NewPlugs,
        hear: Callable[[], Awaitable[Heard]],
        cards: Callable[[], Sequence[CardsSeen]],
        say: Say,
    ) -> None:
        """`hear` waits for what happens next, `cards` is what each pcscd has now."""
        self._ports = dict(known.ports)
        self._wishes = dict(known.readers)
        self._plugs = plugs
        self._hear_next = hear
        self._cards = cards
        self._say = say
        self._early: Plugged | None = None
        """What was plugged in while a reader was being tested: the next slot's."""

    async def learn(self, slots: Sequence[SlotName]) -> dict[SlotName, SlotEntry]:
        """What was learned of each slot, in order; a slot that was skipped whole isn't in it."""
        self._say("learn.begin")
        while not isinstance(await self._hear(), Typed):
            pass
        for port in sorted(self._plugs.present):
            self._say("learn.still_there", port=port)
        if not any(seen.readers for seen in self._cards()):
            troubles = [seen.trouble for seen in self._cards() if seen.trouble]
            detail = "; ".join(dict.fromkeys(troubles)) or "pcscd has none"
            self._say("learn.no_readers", detail=detail)
        learned: dict[SlotName, SlotEntry] = {}
        for slot in slots:
            entry = await self._slot(slot)
            if entry.keys():
                learned[slot] = entry
            else:
                self._say("learn.skipped", slot=slot)
        return learned

    async def _slot(self, slot: SlotName) -> SlotEntry:
        # A handset lies down on its reader in the moment in which it is plugged in.
        before = self._laid()
        port = await self._port(slot)
        if port is not None:
            self._ports[port] = slot
        reader = await self._reader(slot, before) if self._readers() else None
        if reader is not None:
            self._wishes[slot] = reader
        return SlotEntry(port=port, reader=reader)

    async def _port(self, slot: SlotName) -> PortPath | None:
        """The port that something was plugged into; None where the operator skips it."""
        self._say("learn.plug", slot=slot)
        while True:
            plugged, self._early = self._early, None
            if plugged is None:
                heard = await self._hear_next()
                if isinstance(heard, Typed):
                    return None
                plugged = None if isinstance(heard, CardsChanged) else self._plugs.hear(heard)
            if plugged is None:
                continue
            port, owner = plugged.port_path, self._ports.get(plugged.port_path)
            if owner is not None:
                if not plugged.too_soon:
                    self._say("learn.port_taken", port=port, owner=owner, slot=slot)
            elif plugged.too_soon:
                self._say("learn.too_soon", port=port)
            else:
                self._say("learn.port_found", slot=slot, port=port)
                return port

    async def _reader(self, slot: SlotName, before: frozenset[ReaderAt]) -> str | None:
        """The entry for the reader that something was laid on; None where there is none."""
        self._say("learn.lay", slot=slot)
        complained: frozenset[ReaderAt] = frozenset()
        while True:
            laid = self._laid()
            # What was taken off in between may be laid there again.
            before &= laid
            fresh = laid - before
            if fresh != complained:
                complained = fresh
                if len(fresh) > 1:
                    self._say("learn.several_readers", slot=slot)
                elif fresh and (wish := self._taken(slot, *fresh)) is not None:
                    if await self._hears_slot(slot, wish, *fresh):
                        return wish
                    complained = before = self._laid()
                    continue
            if isinstance(await self._hear(), Typed):
                return None

    async def _hears_slot(self, slot: SlotName, wish: str, found: ReaderAt) -> bool:
        """Whether it isn't another reader that falls silent with the handset on the slot's cable.

        Whoever laid a card there, or has no handset with NFC, goes on without the test: by Enter,
        or by plugging in at the next slot.
        """
        self._say("learn.test_reader", slot=slot)
        laid = self._laid()
        while self._early is None and not isinstance(heard := await self._hear_next(), Typed):
            if not isinstance(heard, CardsChanged):
                self._early = self._plugs.hear(heard)
                continue
            silent = laid - self._laid()
            if found in silent:
                self._say("learn.reader_tested", slot=slot, reader=wish)
                return True
            if silent:
                self._say("learn.reader_exchanged", slot=slot, reader=wish)
                return False
            laid = self._laid()
        return True

    def _taken(self, slot: SlotName, reader: ReaderAt) -> str | None:
        """The entry for a reader, if it is this slot's to have; says so, or why not."""
        readers = self._readers()
        for owner, wish in self._wishes.items():
            if owner != slot and meant_by(wish, readers) == reader:
                self._say("learn.reader_taken", reader=wish, owner=owner, slot=slot)
                return None
        wish = wish_for(reader, readers)
        if wish is None:
            self._say("learn.reader_nameless", reader=reader.name)
            return None
        self._say("learn.reader_found", slot=slot, reader=wish)
        return wish

    def _readers(self) -> Sequence[Sequence[CardSeen]]:
        """What each pcscd lists; empty where none lists any."""
        listed = [seen.readers for seen in self._cards()]
        return listed if any(listed) else []

    def _laid(self) -> frozenset[ReaderAt]:
        return frozenset(
            ReaderAt(place, reader.name)
            for place, seen in enumerate(self._cards())
            for reader in seen.readers
            if reader.card
        )

    async def _hear(self) -> Typed | CardsChanged | None:
        """The next thing that isn't a plug event; those are only kept in mind."""
        heard = await self._hear_next()
        if isinstance(heard, Typed | CardsChanged):
            return heard
        self._plugs.hear(heard)
        return None
