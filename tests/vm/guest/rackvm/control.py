"""What can be done to the handsets: one request, one deed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

import anyio
import structlog
from anyio.abc import SocketStream, TaskGroup
from pydantic import TypeAdapter

from benchd.domain.errors import BenchdError, UsageRefused
from benchd.lab.simulator.chips.chip import VirtualChip
from benchd.lab.simulator.chips.chip_control import ChipRequest, obey
from benchd.lab.simulator.lines.serving import serve_json_lines
from benchd.lab.simulator.plan import Wipe

from .fill import fill_without_benchd
from .handset import Handset, Shared
from .kinds import KINDS, kind
from .plan import HANDSET_JSON, SLOTS, Chip, Mode
from .together import Together

_log = structlog.get_logger()

LINE_MAXIMUM_BYTES: Final = 1 << 20
LOOK_EVERY_S: Final = 0.5
STUMBLES_EVERY_S: Final = 1.0
CHIP_REQUEST: Final = TypeAdapter(ChipRequest)
CHIP_DEEDS: Final = (
    *("chips", "take_chip_away", "lay_chip_back", "swap_chip", "silence_chip", "clear_chip"),
    "set_reader_faults",
)

Request = Mapping[str, Any]


class RackControl:
    """Obeys requests: one JSON object in, one out."""

    def __init__(self, shared: Shared, alive: TaskGroup) -> None:
        self._shared = shared
        self._alive = alive
        self._handsets: dict[str, Handset] = {}
        self._made = 0
        self._deeds: Mapping[str, Callable[[Request], Awaitable[object]]] = {
            "make": self._make,
            "kinds": self._kinds,
            "list": self._list,
            "plug": self._plug_all,
            "unplug": lambda asked: self._each(asked, lambda handset, _: handset.unplug()),
            "replug": lambda asked: self._each(asked, self._replug),
            "reset": lambda asked: self._each(asked, lambda handset, _: handset.reset_by_hand()),
            "reboot": lambda asked: self._each(
                asked, lambda handset, _: handset.restart(Wipe.NONE)
            ),
            "adb": lambda asked: self._each(asked, self._adb),
            "mode": lambda asked: self._each(asked, self._mode),
            "chip": lambda asked: self._each(asked, self._chip),
            "allow": lambda asked: self._each(asked, self._allow),
            "swap": self._swap,
            "storm": self._storm,
            "residue": self._residue,
            "fill": self._fill,
            **dict.fromkeys(CHIP_DEEDS, self._for_chips),
            "remove": self._remove,
        }

    async def serve(self, stream: SocketStream) -> None:
        """One client, request by request."""
        await serve_json_lines(stream, self._answer, line_maximum_bytes=LINE_MAXIMUM_BYTES)

    async def _answer(self, line: bytes) -> object:
        try:
            asked = json.loads(line)
            deed = self._deeds.get(str(asked["do"]))
            if deed is None:
                raise UsageRefused(f"no such deed; there are {', '.join(self._deeds)}")
            return {"done": await deed(asked)}
        except (BenchdError, OSError, KeyError, ValueError) as error:
            return {"refused": f"{type(error).__name__}: {error}"}

    async def _make(self, asked: Request) -> object:
        given = asked["handsets"]
        made = [
            HANDSET_JSON.validate_python(one["plan"])
            if "plan" in one
            else kind(one["kind"], name=one["name"], number=self._made + index)
            for index, one in enumerate(given)
        ]
        self._made += len(made)
        for one in made:
            if one.name in self._handsets:
                raise UsageRefused(f"{one.name} is there already")
            self._shared.shelf.add(
                one.name, VirtualChip(one.android.chip_as_read, one.android.imei)
            )
            self._handsets[one.name] = Handset(one, self._shared, self._alive)
        await _together([self._handsets[one.name].make for one in made])
        return [one.name for one in made]

    async def _kinds(self, asked: Request) -> object:
        return list(KINDS)

    async def _list(self, asked: Request) -> object:
        return [asdict(handset.state()) for handset in self._handsets.values()]

    async def _each(
        self, asked: Request, do: Callable[[Handset, Request], Awaitable[None]]
    ) -> object:
        """To every handset that is named, all at once."""
        chosen = [self._handset(name) for name in asked["handsets"]]
        await _together([_bound(do, handset, asked) for handset in chosen])
        return len(chosen)

    async def _plug_all(self, asked: Request) -> object:
        together = Together(asked["handsets"])

        async def plug(handset: Handset, asked: Request) -> None:
            try:
                await self._plug(handset, int(asked["slots"][handset.given.name]), together)
            finally:
                together.arrive(handset.given.name)

        return await self._each(asked, plug)

    async def _plug(self, handset: Handset, slot: int, together: Together) -> None:
        if not 1 <= slot <= SLOTS:
            raise UsageRefused(f"there are the slots 1 to {SLOTS}")
        for other in self._handsets.values():
            if other is not handset and other.slot == slot:
                raise UsageRefused(f"slot {slot} is taken by {other.given.name}")
        await handset.plug(slot, together)

    async def _replug(self, handset: Handset, asked: Request) -> None:
        slot = handset.slot
        if slot is None:
            raise UsageRefused(f"{handset.given.name} isn't plugged in")
        await handset.unplug()
        await anyio.sleep(float(asked.get("after_s", 0)))
        await handset.plug(slot, Together((handset.given.name,)))

    async def _adb(self, handset: Handset, asked: Request) -> None:
        await handset.set_adb(enabled=bool(asked["enabled"]))

    async def _mode(self, handset: Handset, asked: Request) -> None:
        await handset.set_mode(Mode(asked["mode"]))

    async def _chip(self, handset: Handset, asked: Request) -> None:
        await handset.chip.become(as_chip(asked["chip"]))

    async def _allow(self, handset: Handset, asked: Request) -> None:
        await handset.allow(str(asked["key"]))

    async def _swap(self, asked: Request) -> object:
        """Pull two cables, then put each into the other's slot."""
        one, other = (self._handset(name) for name in asked["handsets"])
        slots = other.slot, one.slot
        await _together([one.unplug, other.unplug])
        names = one.given.name, other.given.name
        await self._plug_all({"handsets": names, "slots": dict(zip(names, slots, strict=True))})
        return 2

    async def _storm(self, asked: Request) -> object:
        """Every port lost and found again, once a second, as often as asked; seconds of each."""
        lasted_s: list[float] = []
        for _ in range(int(asked["rounds"])):
            hit = [handset for handset in self._handsets.values() if handset.usb.enumerated]
            began_s = anyio.current_time()
            await _together([handset.blink for handset in hit])
            lasted_s.append(round(anyio.current_time() - began_s, 2))
            # A port that is lost again before the host has seen what is there tells nobody.
            await _together([handset.usb.until_seen for handset in hit])
            await anyio.sleep_until(began_s + STUMBLES_EVERY_S)
        return lasted_s

    async def keep_cables_in(self) -> None:
        """For as long as the rack lives."""
        while True:
            await anyio.sleep(LOOK_EVERY_S)
            for handset in list(self._handsets.values()):
                self._alive.start_soon(handset.stay_in)

    async def _for_chips(self, asked: Request) -> object:
        return await obey(self._shared.shelf, CHIP_REQUEST.validate_python(asked))

    async def _residue(self, asked: Request) -> object:
        return list(await self._handset(asked["handset"]).chip.markers_left())

    async def _fill(self, asked: Request) -> object:
        data = self._handset(asked["handset"]).chip.data
        return await fill_without_benchd(data, pulled_at=asked.get("pulled_at"))

    async def _remove(self, asked: Request) -> object:
        names = asked["handsets"] or list(self._handsets)
        await _together([self._handset(name).destroy for name in names])
        for name in names:
            self._shared.shelf.forget(name)
            del self._handsets[name]
            shutil.rmtree(self._shared.chips / name, ignore_errors=True)
            shutil.rmtree(self._shared.states / name, ignore_errors=True)
        return len(names)

    def _handset(self, name: str) -> Handset:
        found = self._handsets.get(name)
        if found is None:
            raise UsageRefused(f"no handset {name} here")
        return found


def _bound(
    do: Callable[[Handset, Request], Awaitable[None]], handset: Handset, asked: Request
) -> Callable[[], Awaitable[None]]:
    return lambda: do(handset, asked)


async def _together(deeds: list[Callable[[], Awaitable[None]]]) -> None:
    """All at once; the first that is refused is told, after all have ended."""
    refused: list[Exception] = []

    async def do(deed: Callable[[], Awaitable[None]]) -> None:
        try:
            await deed()
        except (BenchdError, OSError) as error:
            _log.exception("refused")
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for deed in deeds:
            tasks.start_soon(do, deed)
    if refused:
        raise UsageRefused("; ".join(f"{type(error).__name__}: {error}" for error in refused))


def as_chip(word: str) -> Chip:
    """The chip's behaviour by its name; raises UsageRefused."""
    try:
        return Chip(word)
    except ValueError:
        raise UsageRefused(f"no such chip: {word}; there are {', '.join(Chip)}") from None
