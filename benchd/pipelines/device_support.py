"""What a rack needs to work with a kind of device, and the kinds that it knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchd.domain.ids import DeviceKind
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.port import Attached, Liveness
from benchd.domain.ports import Device, DeviceAccess
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.erasure import DeviceProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSupport:
    """One kind of device as slots work with it."""

    profile: DeviceProfile
    access: DeviceAccess[Device]
    problem_of: Mapping[Liveness, ProblemCode]
    """What the wall says of one that can't be worked with; nothing of a READY one."""
    problem_of_port: Callable[[Attached, ModelCatalogue, JobContext | None], ProblemView | None]
    """What USB alone tells is wrong with one, before its access is asked."""
    check_return: Callable[[JobContext, Device, Attached], Awaitable[None]]
    """Raises StageFailed for another device than the one that had left, in the middle of its job;
    what the device itself raises has it opened again."""

    @property
    def kind(self) -> DeviceKind:
        """The kind's name."""
        return self.profile.kind


def device_kinds(*supported: DeviceSupport) -> Mapping[DeviceKind, DeviceSupport]:
    """The kinds that a rack knows; ValueError for two of one name."""
    kinds = {support.kind: support for support in supported}
    if len(kinds) != len(supported):
        message = "two kinds of device have one name"
        raise ValueError(message)
    return MappingProxyType(kinds)
