"""The chips of the crowd: what a reader worker would say of them. FAKE, and named so.

The daemon starts its worker as always; in its place comes `fake_worker`, a pipe to here.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchd.devices.felica.protocol.codes import ordered, system_text
from benchd.devices.felica.verdict.baselines import Baseline, load_baselines
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.devices.felica.worker.wire import (
    Message,
    WorkerOrder,
    decode,
    encode,
    failure_message,
    order_of,
    scan_message,
)
from benchd.domain.chip import ChipScan, ChipSystem, ChipVerdict
from benchd.domain.errors import ReaderGone
from benchd.domain.ids import SlotName
from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.crowd_pace import Drawn

READER: Final = "FAKE reader of the crowd"
_POLLED: Final = ("FFFF", "FE00", "0003", "FE0F", "8008")
_IC_TYPE: Final = 0x18
_POWER_CYCLE_S: Final = 0.05
"""What switching a field off and on takes at least, beside the look."""


def reader_name(number: int) -> str:
    """What the configuration calls the reader of a slot."""
    return f"{READER} {number}"


class ChipDesk:
    """Answers one reader worker's lines after another."""

    def __init__(self, handsets: Mapping[int, CrowdHandset], drawn: Drawn) -> None:
        self._handsets = handsets
        self._drawn = drawn
        self._numbers: dict[SlotName, int] = {}
        self._baseline: Baseline | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One life of a worker: its order, then its requests."""
        try:
            order = order_of(decode(await reader.readline()))
            self._take(order)
            writer.write(encode({"slots": dict.fromkeys(order.slots)}))
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(decode(line), writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    def _take(self, order: WorkerOrder) -> None:
        self._numbers = {slot: int(name.removeprefix(READER)) for slot, name in order.slots.items()}
        known = load_baselines(shipped_catalogue(), [Path(file) for file in order.baselines])
        self._baseline = next(iter(known.of(_IC_TYPE)), None)

    async def _answer(self, asked: Message, writer: asyncio.StreamWriter) -> None:
        number = int(str(asked["id"]))
        match asked["do"]:
            case "scan":
                passes = int(str(asked["passes"]))
                power_cycle = asked["power_cycle"] is True
                pass_s = self._drawn.pace.chip_pass_s
                if pass_s:
                    seconds = pass_s * passes + (_POWER_CYCLE_S if power_cycle else 0)
                    await asyncio.sleep(self._drawn.around(seconds))
                slot = SlotName(str(asked["slot"]))
                answer = scan_message(number, self._scan(slot, passes, power_cycle=power_cycle))
            case "field_off":
                answer = {"id": number, "done": True}
            case "give_up":
                return
            case _:
                answer = failure_message(number, ReaderGone("the crowd has no such chip"))
        writer.write(encode(answer))

    def _scan(self, slot: SlotName, passes: int, *, power_cycle: bool) -> ChipScan:
        handset = self._handsets[self._numbers[slot]]
        baseline = self._baseline
        if not handset.attached or not handset.android.nfc_on or baseline is None:
            return ChipScan(
                verdict=ChipVerdict.SILENT,
                detail="nothing answers",
                polled=_POLLED,
                passes=passes,
                power_cycled=power_cycle,
                reader=READER,
            )
        return ChipScan(
            verdict=ChipVerdict.UNUSED,
            detail=f"nothing beyond baseline {baseline.label}",
            chip=hashlib.sha256(handset.plan.imei.encode()).hexdigest()[:32],
            ic_type=_IC_TYPE,
            systems=tuple(
                ChipSystem(
                    code=system_text(system),
                    nodes=tuple(node.text for node in ordered(nodes)),
                    residue=(),
                )
                for system, nodes in baseline.systems.items()
            ),
            polled=_POLLED,
            passes=passes,
            power_cycled=power_cycle,
            baseline=baseline.label,
            baseline_kind=baseline.kind,
            baseline_sha256=baseline.sha256,
            reader=READER,
        )
