"""The rack in the virtual machine as tests see it: hands in the guest, operators at its API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2

from benchd.certificate import verify_certificate
from benchd.demo.operators import Operators, RackWatch, SlotObject, ended
from benchd.model import Evidence, Gate, JsonValue
from tests.vm.guest.rackvm.plan import HANDSET_JSON, STATES_JSON, State, UsbHandset
from tests.vm.machine import Completed, Machine

API_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 1.0
"""Each look costs the guest, which has no KVM, a tenth of a second."""
UP_WITHIN_S: Final = 180.0


def slot_name(number: int) -> str:
    """As in the guest's configuration."""
    return f"S{number:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job ended, as the API tells it; the certificate was verified on this machine."""

    job: str
    outcome: str
    disposition: str | None
    reason: str | None
    serial: str | None
    statement: Evidence | None
    told: Mapping[str, JsonValue]


@dataclass(kw_only=True)
class Bench:
    """One test's rack: starts with empty ports and no handset."""

    machine: Machine
    answers: dict[str, dict[Gate, bool]] = field(default_factory=dict)
    handset_in: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = RackWatch(
            Path(),
            httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{self.machine.dashboard_port}", timeout=API_WITHIN_S
            ),
        )

    async def guest(self, *argv: str, within_s: float = 120.0) -> Completed:
        """Run a command in the guest."""
        return await anyio.to_thread.run_sync(
            lambda: self.machine.run(*argv, within_s=within_s), abandon_on_cancel=True
        )

    async def shell(self, script: str, *, within_s: float = 120.0) -> str:
        """Run a shell script in the guest that must succeed."""
        return await anyio.to_thread.run_sync(
            lambda: self.machine.shell(script, within_s=within_s), abandon_on_cancel=True
        )

    async def rack(self, do: str, *, within_s: float = 300.0, **request: object) -> Any:
        """Have hands do something to handsets."""
        text = json.dumps({"do": do, **request})
        done = await anyio.to_thread.run_sync(
            lambda: self.machine.run("rack", "ask", text=text, within_s=within_s),
            abandon_on_cancel=True,
        )
        return json.loads(done.required())

    async def make(self, *handsets: UsbHandset) -> None:
        """Put new handsets on the table."""
        plans = [{"plan": HANDSET_JSON.dump_python(one, mode="json")} for one in handsets]
        await self.rack("make", handsets=plans)

    async def plug(self, slots: Mapping[str, int]) -> None:
        """Put cables in, all at once; by handset, slots counted from 1."""
        await self.rack("plug", handsets=list(slots), slots=dict(slots))
        for handset, number in slots.items():
            self.handset_in[slot_name(number)] = handset

    async def unplug(self, *handsets: str) -> None:
        """Pull cables, all at once."""
        await self.rack("unplug", handsets=list(handsets))
        for slot, handset in list(self.handset_in.items()):
            if handset in handsets:
                del self.handset_in[slot]

    async def states(self) -> dict[str, State]:
        """The truth about every handset."""
        found = STATES_JSON.validate_python(tuple(await self.rack("list")))
        return {state.name: state for state in found}

    async def residue(self, handset: str) -> Sequence[int]:
        """Where on its raw chip the last owner's markers still are."""
        return await self.rack("residue", handset=handset)

    async def reset_by_hand(self, slot: str) -> None:
        """For the operators."""
        await self.rack("reset", handsets=[self.handset_in[slot]])

    async def enable_adb(self, slot: str) -> None:
        """For the operators."""
        await self.rack("adb", handsets=[self.handset_in[slot]], enabled=True)

    def operators(self) -> Operators:
        """Two people who say yes to everything that `answers` doesn't deny."""
        return Operators(
            watch=self.watch, hands=self, answers=self.answers, look_every_s=LOOK_EVERY_S
        )

    async def until_serving(self) -> None:
        """Wait until the daemon answers."""
        with anyio.fail_after(UP_WITHIN_S):
            await self.watch.until_there()

    async def until_ended(self, slots: Sequence[str], *, within_s: float) -> None:
        """Wait, while operators work, until each of these slots has ended its job."""
        with anyio.fail_after(within_s):
            while not all(
                slot in self.watch.slots and ended(self.watch.slots[slot]) for slot in slots
            ):
                await self.watch.next_look()

    async def until_slot(self, slot: str, *stages: str, within_s: float = 300.0) -> SlotObject:
        """Wait, while operators work, until a slot is in one of these stages."""
        with anyio.fail_after(within_s):
            while True:
                seen = self.watch.slots.get(slot)
                if seen is not None and seen["stage"] in stages:
                    return seen
                await self.watch.next_look()

    async def end_of(self, slot: str) -> End:
        """How the job in a slot ended; an invalid certificate is an error."""
        seen = self.watch.slots[slot]
        assert seen["job"], seen
        job = str(seen["job"])
        told = await self.watch.job(job)
        handset = told.get("handset")
        serial = handset.get("serial") if isinstance(handset, Mapping) else None
        statement = None
        if told.get("certificate"):
            statement = verify_certificate(await self.certificate(job), await self._public_key())
        return End(
            job=job,
            outcome=str(told["outcome"]),
            disposition=None if told["disposition"] is None else str(told["disposition"]),
            reason=None if told["reason"] is None else str(told["reason"]),
            serial=None if serial is None else str(serial),
            statement=statement,
            told=told,
        )

    async def certificate(self, job: str) -> bytes:
        """A job's certificate, byte for byte."""
        answer = await self.watch.http.get(f"/api/v1/jobs/{job}/certificate.json")
        answer.raise_for_status()
        return answer.content

    async def aclose(self) -> None:
        """Clear the table for the next test."""
        await self.watch.aclose()
        with suppress(AssertionError):
            await self.rack("remove", handsets=[])

    async def _public_key(self) -> bytes:
        return (await self.shell("cat /etc/benchd/certificate_key.pem.pub")).encode()
