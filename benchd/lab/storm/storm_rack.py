"""The rack in a storm: `run_daemon` as it is shipped, over handsets and sockets in memory."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final, cast
from unittest.mock import patch

import anyio
from anyio.abc import TaskGroup, TaskStatus

import benchd.daemon.composition
import benchd.daemon.services
from benchd.config import Settings
from benchd.daemon.composition import run_daemon
from benchd.daemon.services import RunningRack
from benchd.domain.ids import SlotName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.topology import SlotPlace, Timing, Topology
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.bay_ports import BayAccess, BayHotplug
from benchd.lab.adversity.chips import SimulatedChips
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.drawn_handset import Server as AdbServer
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.recipes import recipe_of
from benchd.lab.adversity.schedule import BayPlan
from benchd.lab.adversity.truth import make_truth
from benchd.lab.storm.machine import Machine
from benchd.lab.storm.sockets import VirtualListener
from benchd.lab.storm.storm_folder import House

HTTP: Final = ("127.0.0.1", 8420)


class StormRack:
    """One rack and its daemon."""

    def __init__(
        self, plans: tuple[BayPlan, ...], machine: Machine, house: House, group: TaskGroup
    ) -> None:
        self.bays = {
            SlotName(plan.slot): _bay(plan, number) for number, plan in enumerate(plans, start=1)
        }
        self.machine = machine
        self.adb = AdbServer()
        self.points = Points((), lambda _blow: None)
        self.hands = Hands(group, self.points)
        self.served: RunningRack | None = None
        self.tcp = VirtualListener(socket.AF_INET, HTTP)
        self.unix = VirtualListener(socket.AF_UNIX, "/run/benchd/benchd.sock")
        self.ended = anyio.Event()
        self.failed: BaseException | None = None
        self.reread: Callable[[], Settings] = lambda: self.settings
        self.up = anyio.Event()
        self.settings = replace(
            house.settings,
            topology=Topology(
                {
                    slot: SlotPlace(name=slot, port_path=bay.port_path, recipe=slot)
                    for slot, bay in self.bays.items()
                }
            ),
            recipes={slot: recipe_of(bay.plan) for slot, bay in self.bays.items()},
            recipe_descriptions={},
            models=ModelCatalogue(),
            timing=Timing(debounce_s=2.0),
        )

    async def run(self) -> None:
        """The daemon's life, from its start to its end."""
        scope = anyio.CancelScope()
        # A signal that nobody hears: what runs gets no further.
        self.machine.loop.on_kill = scope.cancel
        try:
            with self._in_place(), scope:
                await run_daemon(
                    self.settings,
                    BayHotplug(self.bays),
                    usb=False,
                    listener=self.tcp,  # type: ignore[arg-type]
                    reread=lambda: self.reread(),  # noqa: PLW0108 - it's another later
                    was_synchronised=lambda: True,
                    hear=self.machine.loop.hear,
                )
        except BaseExceptionGroup as group:
            self.failed = _first(group)
        except Exception as error:  # noqa: BLE001 - that it ended so is judged
            self.failed = error
        finally:
            self.ended.set()

    @contextmanager
    def _in_place(self) -> Generator[None]:
        services = benchd.daemon.services.services

        @asynccontextmanager
        async def told(*args: Any, **names: Any) -> AsyncGenerator[object]:  # noqa: ANN401
            self.served = args[1]
            async with services(*args, **names) as access:
                self.up.set()
                yield access

        def chips(*_: object) -> SimulatedChips:
            return SimulatedChips(self.bays, self.points)

        def access(**_: object) -> BayAccess:
            return BayAccess(self.bays, self.adb, self.points, self.hands)

        def unix(_path: object) -> AbstractContextManager[VirtualListener]:
            return _open(self.unix)

        with (
            patch.object(benchd.daemon.composition, "services", told),
            patch.object(benchd.daemon.composition, "chip_access", chips),
            patch.object(benchd.daemon.services, "AdbAccess", access),
            patch.object(benchd.daemon.services, "_adb_server", _adb_is_up),
            patch.object(benchd.daemon.services, "unix_listener", unix),
        ):
            yield


def _adb_is_up(*_: object, **__: object) -> _AdbIsUp:
    return _AdbIsUp()


class _AdbIsUp:
    up = True
    generation = 1

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        task_status.started()


@contextmanager
def _open(listener: VirtualListener) -> Generator[VirtualListener]:
    try:
        yield listener
    finally:
        listener.close()


def _bay(plan: BayPlan, number: int) -> Bay:
    own = make_truth(plan.handset, name=f"own of {plan.slot}", like=plan.slot)
    visitor = make_truth(plan.visitor, name=f"visitor of {plan.slot}", like=plan.slot)
    return Bay(plan, number, own, visitor)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    if isinstance(inner, BaseExceptionGroup):
        return _first(cast("BaseExceptionGroup[BaseException]", inner))
    return inner
