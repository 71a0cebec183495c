"""What a handset in its slot is waited for before its job: a quiet port, and adb."""

from __future__ import annotations

import anyio
import structlog

from benchd.errors import AdbServerLost, HandsetGone
from benchd.ports import Handset
from benchd.slots.face import Face
from benchd.slots.parts import RackParts
from benchd.slots.presence import Presence
from benchd.slots.trouble import PROBLEM_OF, problem_of_port, shown_trouble
from benchd.words.port import Attached, Liveness
from benchd.words.slot import ProblemCode, ProblemView

_log = structlog.get_logger()


class Readiness:
    """Shows what is still missing, for as long as it takes."""

    def __init__(self, presence: Presence, parts: RackParts, face: Face, occupancy: int) -> None:
        self._presence = presence
        self._parts = parts
        self._face = face
        self._occupancy = occupancy

    async def quiet_port(self) -> Attached:
        """What is on the port, once that has stayed so for a while."""
        while self._presence.attached is None:
            await self._presence.changed()
        self._face.settling(self._occupancy)
        attached = self._presence.attached
        await anyio.sleep(self._parts.timing.settle_s)
        return attached

    async def handset(self, attached: Attached) -> Handset:
        """The handset over adb; StageFailed for one that can't be worked with."""
        trouble = problem_of_port(attached)
        if trouble is not None:
            self._face.waiting(shown_trouble(trouble, attached, self._parts.models))
            await anyio.sleep_forever()
        while True:
            async with self._parts.access.liveness(attached.address) as states:
                async for liveness in states:
                    if liveness is Liveness.READY:
                        break
                    self._wait_for(PROBLEM_OF[liveness])
            try:
                return await self._parts.access.open(attached.address)
            except (HandsetGone, AdbServerLost) as fault:
                _log.info("handset_not_open_yet", detail=str(fault))

    def _wait_for(self, code: ProblemCode) -> None:
        self._face.waiting(ProblemView(code=code))
