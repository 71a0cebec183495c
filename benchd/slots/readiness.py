"""What a device in its slot is waited for before its job: a quiet port, and a way to it."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import structlog

from benchd.domain.errors import AccessLost, HandsetGone, UnsupportedHandset
from benchd.domain.ids import DeviceKind
from benchd.domain.port import Attached, Liveness
from benchd.domain.ports import Device
from benchd.domain.slot import ProblemView
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.recipe import Recipe
from benchd.slots.presence import Presence
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.slot_state_machine import SlotStateMachine

_log = structlog.get_logger()


class Readiness:
    """Shows what is still missing, for as long as it takes."""

    def __init__(
        self, presence: Presence, parts: RackParts, machine: SlotStateMachine, occupancy: int
    ) -> None:
        self._presence = presence
        self._parts = parts
        self._machine = machine
        self._occupancy = occupancy

    async def quiet_port(self) -> Attached:
        """What is on the port, once that has stayed so for a while."""
        while self._presence.attached is None:
            await self._presence.changed()
        self._machine.debouncing(self._occupancy)
        attached = self._presence.attached
        await anyio.sleep(self._parts.timing.debounce_s)
        return attached

    async def device(self, attached: Attached, support: DeviceSupport) -> Device:
        """What is on the port, opened; StageFailed for what can't be worked with."""
        problem = support.problem_of_port(attached, self._parts.models, None)
        if problem is not None:
            self._machine.waiting(problem)
            await anyio.sleep_forever()
        while True:
            async with support.access.liveness(attached.address) as states:
                async for liveness in states:
                    if liveness is Liveness.READY:
                        break
                    self._machine.waiting(ProblemView(code=support.problem_of[liveness]))
            try:
                return await support.access.open(attached.address)
            except (HandsetGone, AccessLost) as fault:
                _log.info("handset_not_open_yet", detail=str(fault))


def support_for(
    attached: Attached, recipe: Recipe, kinds: Mapping[DeviceKind, DeviceSupport]
) -> DeviceSupport:
    """How to work with what is on the port; UnsupportedHandset for what the slot can't erase."""
    support = kinds.get(attached.kind)
    if support is None:
        raise UnsupportedHandset(f"this rack knows no kind of device {attached.kind}")
    if recipe.kind != attached.kind:
        raise UnsupportedHandset(
            f"the slot's recipe {recipe.name} is for {recipe.kind}, and this is {attached.kind}"
        )
    return support
