"""Dossiers as the running daemon serves them: those it keeps, and one of a handset in a slot."""

from __future__ import annotations

from typing import Final

from benchd.devices.android.dossier.dossier_store import DossierShelf
from benchd.devices.android.handset_access import AdbAccess
from benchd.domain.dossier import Dossier, KeptDossier
from benchd.domain.errors import NotFound, SlotBusy
from benchd.domain.ids import ANDROID, DeviceAddress, SlotName
from benchd.domain.slot_states import SlotState
from benchd.slots.board import RackBoard
from benchd.slots.supervisor import Supervisor

_SETTLED: Final = (SlotState.FINISHED, SlotState.QUARANTINED)


class RackDossiers:
    """Implements `benchd.web.service.DossierService`."""

    def __init__(self, shelf: DossierShelf, board: RackBoard) -> None:
        self.shelf = shelf
        self._board = board
        self._rack: tuple[Supervisor, AdbAccess] | None = None

    def serve(self, supervisor: Supervisor, access: AdbAccess) -> None:
        """The slots are there: they can be asked from now on."""
        self._rack = supervisor, access

    async def kept(self) -> tuple[KeptDossier, ...]:
        """What failed inspections have left, the newest first."""
        return await self.shelf.kept()

    async def record(self, slot: SlotName) -> Dossier:
        """Ask the handset in this slot everything.

        Raises NotFound where there is none, SlotBusy while a job works with it.
        """
        access, address = self._place(slot)
        recording = await access.ask_everything(address)
        return await self.shelf.prepare(recording)

    def _place(self, slot: SlotName) -> tuple[AdbAccess, DeviceAddress]:
        view = self._board.views().get(slot)
        if view is None or self._rack is None:
            raise NotFound(f"there is no slot {slot}")
        supervisor, access = self._rack
        attached = supervisor.attached(slot)
        if attached is None or attached.kind != ANDROID:
            raise NotFound(f"there is no handset in slot {slot}")
        if view.job is not None and view.state not in _SETTLED:
            raise SlotBusy(
                f"job {view.job} works with the handset in slot {slot}: wait for its end"
            )
        return access, attached.address
