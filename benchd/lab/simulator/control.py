"""The control socket: does to the rack's handsets what hands and bad luck would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final, Literal

import structlog
from anyio.abc import SocketStream
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.lab.simulator.addresses import adb_address, port_path
from benchd.lab.simulator.chips.chip_control import ChipRequest
from benchd.lab.simulator.chips.chip_control import obey as obey_for_chips
from benchd.lab.simulator.chips.shelf import ReaderShelf
from benchd.lab.simulator.hands import HandsetState, Screen
from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.lines.serving import serve_json_lines
from benchd.lab.simulator.plan import Wipe
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.virtual_handset import VirtualHandset

_log = structlog.get_logger()

LINE_MAXIMUM_BYTES: Final = 1 << 16

_Answer = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    do: Literal[
        "handsets",
        "plug",
        "unplug",
        "move",
        "set_adb",
        "allow",
        "reset_by_hand",
        "reboot",
        "hang",
        "resume",
        "set_faults",
        "set_tray",
        "sign_in",
        "residue",
        "screen",
        "shutdown",
    ]
    handset: str = ""
    slot: int = 0
    enabled: bool = False
    memory_card: bool = False
    sim: bool = False
    faults: StorageFaults = StorageFaults()


_REQUEST: Final = TypeAdapter[_Request | ChipRequest](_Request | ChipRequest)


class ControlService:
    """Obeys requests, one line each."""

    def __init__(
        self,
        handsets: Mapping[str, VirtualHandset],
        shelf: ReaderShelf,
        shut_down: Callable[[], None],
    ) -> None:
        self._handsets = handsets
        self._shelf = shelf
        self._shut_down = shut_down

    async def serve(self, stream: SocketStream) -> None:
        """One client, request by request, until it leaves."""
        await serve_json_lines(stream, self._answer, line_maximum_bytes=LINE_MAXIMUM_BYTES)

    async def _answer(self, line: bytes) -> _Answer:
        try:
            return await self._obey(_REQUEST.validate_json(line))
        except ValidationError as mistake:
            return {"refused": str(mistake)}
        except UsageRefused as refused:
            return {"refused": str(refused)}
        except RackBroken as broken:
            return {"broken": str(broken)}

    async def _obey(self, request: _Request | ChipRequest) -> _Answer:
        if isinstance(request, ChipRequest):
            return await obey_for_chips(self._shelf, request)
        match request.do:
            case "handsets":
                states = [asdict(await _state(handset)) for handset in self._handsets.values()]
                return {"handsets": states}
            case "shutdown":
                self._shut_down()
                return {}
            case "screen":
                shown = self._handset(request.handset).plan
                return asdict(Screen(imei=shown.imei, serial=shown.serial))
            case "plug" | "move":
                await self._put_in(self._handset(request.handset), request.slot, request.do)
                return {}
            case _:
                return await _obey(self._handset(request.handset), request)

    async def _put_in(self, handset: VirtualHandset, slot: int, do: str) -> None:
        if slot < 1:
            raise UsageRefused(f"no slot {slot}")
        for other in self._handsets.values():
            if other.slot == slot:
                raise UsageRefused(f"slot {slot} is taken by {other.plan.name}")
        if do == "move":
            await handset.unplug()
        await handset.plug(slot)

    def _handset(self, name: str) -> VirtualHandset:
        found = self._handsets.get(name)
        if found is None:
            raise UsageRefused(f"no handset {name} in this rack")
        return found


async def _obey(handset: VirtualHandset, request: _Request) -> _Answer:
    match request.do:
        case "unplug":
            await handset.unplug()
        case "set_adb":
            await handset.set_adb(enabled=request.enabled)
        case "allow":
            await handset.allow()
        case "reset_by_hand" | "reboot":
            by_hand = request.do == "reset_by_hand"
            await handset.restart(Wipe.BY_HAND if by_hand else Wipe.NONE)
        case "set_tray" | "sign_in":
            _change(handset, request)
        case "hang":
            await handset.hang()
        case "resume":
            await handset.resume()
        case "set_faults":
            await handset.flash.set_faults(request.faults)
        case "residue":
            return {"blocks": await handset.flash.residue_blocks()}
        case _:
            raise UsageRefused(f"{request.do} is nothing to do to a handset")
    return {}


def _change(handset: VirtualHandset, request: _Request) -> None:
    """What somebody puts into a handset while it lies there."""
    if request.do == "sign_in":
        handset.sign_in()
    else:
        handset.set_tray(memory_card=request.memory_card, sim=request.sim)


async def _state(handset: VirtualHandset) -> HandsetState:
    facts = await handset.flash.facts()
    slot = handset.slot
    return HandsetState(
        name=handset.plan.name,
        serial=handset.plan.serial,
        slot=slot,
        port_path=None if slot is None else port_path(slot),
        adb_address=None if slot is None else adb_address(slot),
        attachment=handset.attachment,
        adb_enabled=handset.adb_enabled,
        hung=handset.hung,
        restarting=handset.restarting,
        broken=handset.broken,
        android_id=handset.android.android_id,
        boot_count=handset.android.boot_count,
        account_count=len(handset.android.accounts) + len(handset.plan.maker_accounts),
        test_harness=handset.android.test_harness,
        reset_count=handset.reset_count,
        page=handset.android.page,
        **asdict(facts),
    )
