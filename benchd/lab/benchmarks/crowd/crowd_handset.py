"""One handset of the crowd: what it is, what it holds, and who is connected to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from benchd.lab.benchmarks.crowd.floods import Flood
from benchd.lab.benchmarks.crowd.storage import Storage
from benchd.lab.simulator.addresses import adb_address
from benchd.lab.simulator.android import AndroidState, after_reset, as_it_came_in
from benchd.lab.simulator.answers import answers
from benchd.lab.simulator.plan import HandsetPlan

_ALL: Final = "all"


@dataclass(slots=True, kw_only=True)
class Moments:
    """When things happened to it, by the machine's wall clock, in s; 0 before they have."""

    attached: float = 0.0
    """When its port told of it for the first time,"""
    ready: float = 0.0
    """when adb listed it as a device,"""
    first_byte: float = 0.0
    """when its fill program was told to write."""


@dataclass(eq=False, slots=True, kw_only=True)
class CrowdHandset:
    """One of them, in the slot of its number."""

    number: int
    plan: HandsetPlan
    android: AndroidState
    storage: Storage = field(default_factory=Storage)
    moments: Moments = field(default_factory=Moments)
    adb_enabled: bool = True
    attached: bool = False
    transport_id: int | None = None
    """None while the adb server doesn't list it."""
    online: bool = False
    filling: bool = False
    """Whether its fill program is writing right now."""
    flood: Flood | None = None
    scripts: int = 0
    """How many it has answered."""
    shells: int = 0
    """How many were opened on it with exit codes, as the daemon does."""
    connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _answers: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])

    @classmethod
    def of(cls, plan: HandsetPlan, number: int) -> CrowdHandset:
        """As it comes in."""
        return cls(number=number, plan=plan, android=as_it_came_in(plan))

    @property
    def address(self) -> str:
        """How adb names it."""
        return adb_address(self.number)

    def listed(self, *, long: bool) -> str:
        """Its line in the adb server's list, in either form; it has a transport."""
        state = "device" if self.online else "offline"
        if not long:
            return f"{self.address}\t{state}\n"
        model = self.plan.model
        about = (
            f" product:{model.product} model:{model.model.replace('-', '_')} device:{model.device}"
        )
        return (
            f"{self.address:<22} {state}{about if self.online else ''}"
            f" transport_id:{self.transport_id}\n"
        )

    def answer(self, command: str) -> tuple[str, int] | None:
        """Text and exit status of one of Android's tools; None for one that it doesn't know."""
        if not self._answers:
            found = answers(self.plan, self.android)
            self._answers = {
                tool if asked == _ALL else f"{tool} {asked}": (answer.text, answer.status)
                for (tool, asked), answer in found.items()
            }
        # A vendor's service by its instance, as the tool's answers are named.
        return self._answers.get(command.removesuffix("/default"))

    def change(self, **changed: bool | int) -> None:
        """Let its system remember something else."""
        self.android = replace(self.android, **changed)  # pyright: ignore[reportArgumentType]
        self._answers = {}

    def reset(self, *, test_harness: bool) -> None:
        """Become a fresh handset; adb stays on after Test Harness Mode alone."""
        self.android = after_reset(test_harness=test_harness)
        self._answers = {}
        self.storage.reset()
        self.adb_enabled = test_harness

    def cut(self) -> None:
        """End all that runs over its cable."""
        for writer in tuple(self.connections):
            writer.transport.abort()

    def note_first_byte(self) -> None:
        """Remember when its storage was first written to."""
        self.moments.first_byte = self.moments.first_byte or time.time()

    def told(self) -> Mapping[str, float | int]:
        """Its moments, for who measures."""
        moments = self.moments
        return {
            "number": self.number,
            "attached": moments.attached,
            "ready": moments.ready,
            "first_byte": moments.first_byte,
            "filling": self.filling,
            "shells": self.shells,
        }
