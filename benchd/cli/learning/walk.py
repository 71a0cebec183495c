"""Brings plug events, cards and the operator's keys together for one lesson."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import anyio

from benchd.cli.learning.lesson import CardsChanged, Heard, Known, Lesson, Typed
from benchd.cli.learning.new_plugs import NewPlugs
from benchd.cli.learning.terminal import Terminal
from benchd.cli.messages import error_of
from benchd.config import Settings
from benchd.config.slot_config_edit import SlotEntry
from benchd.devices.felica.readers.card_readers import CardReaders, CardsSeen
from benchd.domain.errors import BenchdError, UsageRefused
from benchd.domain.ids import SlotName
from benchd.domain.port import PlugEvent
from benchd.domain.ports import HotplugSource

YES: Final = frozenset({"y", "yes", "はい", "ｙ"})


class Walk:
    """One walk along the rack, while `begun`."""

    def __init__(self, *, settings: Settings, terminal: Terminal, return_s: float) -> None:
        """For `return_s` see NewPlugs."""
        self._settings = settings
        self._terminal = terminal
        # Without a bound: a person makes few events, and none may be lost. None is the last.
        self._tell, self._told = anyio.create_memory_object_stream[Heard | None](math.inf)
        self._plugs = NewPlugs(time.monotonic, return_s=return_s)
        self._cards = CardReaders(settings.felica.pcscd, lambda: self._heard(CardsChanged()))

    @asynccontextmanager
    async def begun(self, hotplug: HotplugSource) -> AsyncGenerator[None, None]:
        """Everything is watched inside, once every pcscd was asked."""
        failure: BenchdError | None = None
        async with (
            self._tell,
            self._told,
            hotplug.events() as events,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._follow, events)
            tasks.start_soon(self._cards.run)
            try:
                while self._cards.seen is None:
                    heard = await self._hear()
                    if not isinstance(heard, CardsChanged | Typed):
                        self._plugs.hear(heard)
                self._terminal.listen(
                    lambda line: self._heard(Typed(line)), lambda: self._heard(None)
                )
                yield
            except BenchdError as raised:
                # Told as it is, not inside the group's.
                failure = raised
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def lesson(self, slots: Sequence[SlotName]) -> dict[SlotName, SlotEntry]:
        """What is learned of these slots, in this order."""
        lesson = Lesson(
            known=_known(self._settings, slots),
            plugs=self._plugs,
            hear=self._hear,
            cards=self._laid,
            say=self._terminal.say,
        )
        return await lesson.learn(slots)

    async def confirmed(self, config: Path) -> bool:
        """Whether the operator says yes; anything else is a no."""
        self._terminal.say("learn.confirm", file=str(config))
        while True:
            heard = await self._hear()
            if isinstance(heard, Typed):
                return heard.line.strip().lower() in YES

    def _heard(self, heard: Heard | None) -> None:
        # The operator may type on after the end.
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._tell.send_nowait(heard)

    async def _hear(self) -> Heard:
        heard = await self._told.receive()
        if heard is None:
            raise error_of(UsageRefused, "say.nobody_answers")
        return heard

    async def _follow(self, events: AsyncIterator[PlugEvent]) -> None:
        async for event in events:
            self._heard(event)

    def _laid(self) -> tuple[CardsSeen, ...]:
        return self._cards.seen or ()


def _known(settings: Settings, learning: Sequence[SlotName]) -> Known:
    """What the configuration says of the slots that aren't learned now."""
    places, readers = settings.topology.places, settings.felica.readers
    return Known(
        ports={place.port_path: name for name, place in places.items() if name not in learning},
        readers={name: wish for name, wish in readers.items() if name not in learning},
    )
