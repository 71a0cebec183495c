"""The fake sticks of a rack, and the way to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from benchd.domain.errors import HandsetGone, StageFailed
from benchd.domain.ids import DeviceAddress
from benchd.domain.job import Reason
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.port import Attached, Liveness
from benchd.domain.ports import Device
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.stage_contract import JobContext

from .profile import STICK_PROFILE


@dataclass(slots=True)
class Stick:
    """A fake stick: what is on it, and where it keeps what it was given to forget."""

    content: bytearray = field(default_factory=lambda: bytearray(b"somebody's letters"))
    worn_at: int | None = None
    plugged: bool = True


class OpenStick:
    """Implements `benchd.domain.ports.Device`."""

    def __init__(self, stick: Stick) -> None:
        self._stick = stick

    async def write(self, value: int) -> int:
        """Write all of it, and return how much that is."""
        await anyio.sleep(1)
        content = self._there().content
        for place in range(len(content)):
            if place != self._stick.worn_at:
                content[place] = value
        return len(content)

    async def read(self) -> bytes:
        """All that is on it."""
        await anyio.sleep(1)
        return bytes(self._there().content)

    def _there(self) -> Stick:
        if not self._stick.plugged:
            raise HandsetGone("the stick was pulled out")
        return self._stick

    async def leave_dossier(self, name: str, why: str) -> str | None:
        """Sticks leave none."""
        del name, why

    async def aclose(self) -> None:
        """Nothing is held."""


class StickAccess:
    """Implements `benchd.domain.ports.DeviceAccess`."""

    def __init__(self) -> None:
        self.sticks: dict[DeviceAddress, Stick] = {}

    @asynccontextmanager
    async def liveness(
        self, address: DeviceAddress
    ) -> AsyncGenerator[AsyncIterator[Liveness], None]:
        async def states() -> AsyncIterator[Liveness]:
            yield Liveness.READY if self.sticks[address].plugged else Liveness.ABSENT
            await anyio.sleep_forever()

        yield states()

    async def open(self, address: DeviceAddress) -> OpenStick:
        return OpenStick(self.sticks[address])


def stick_support(access: StickAccess) -> DeviceSupport:
    """Sticks, reached by this access."""
    return DeviceSupport(
        profile=STICK_PROFILE,
        access=access,
        problem_of={Liveness.ABSENT: ProblemCode.OFFLINE},
        problem_of_port=_problem_of_port,
        check_return=_check_return,
    )


def _problem_of_port(
    attached: Attached, models: ModelCatalogue, context: JobContext | None
) -> ProblemView | None:
    del attached, models, context


async def _check_return(context: JobContext, device: Device, attached: Attached) -> None:
    """A stick never leaves in the middle of its job."""
    del context, device, attached
    raise StageFailed(Reason.HANDSET_CHANGED, "nothing tells one stick from another")
