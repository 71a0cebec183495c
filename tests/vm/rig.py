"""The rack in the virtual machine as tests see it: hands in the guest, operators at its API."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import httpx2

from benchd.certificate import verify_certificate
from benchd.domain.ids import JsonValue
from benchd.lab.demo.demo_operators import Operators, RackWatch, SlotObject, ended
from benchd.lab.simulator.hands import Screen
from tests.vm.guest.rackvm.command import SOCKET as RACK_SOCKET
from tests.vm.guest.rackvm.kinds import kind
from tests.vm.guest.rackvm.plan import HANDSET_JSON, STATES_JSON, State, UsbHandset
from tests.vm.machine import Completed, Machine

API_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 1.0
"""Each look costs the guest, which has no KVM, a tenth of a second."""
ADB_KEY: Final = "/var/lib/benchd-adb/.android/adbkey.pub"
UP_WITHIN_S: Final = 180.0
SEEN_WITHIN_S: Final = 120.0

Reset = Callable[[str], Awaitable[None]]
"""What a hand does to the handset in the slot of that name."""


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
    imei: str | None
    statement: Mapping[str, Any] | None
    told: Mapping[str, JsonValue]

    def proven(self) -> Mapping[str, Any]:
        """What its certificate says; raises AssertionError unless it has passed with one."""
        assert self.outcome == "passed", self
        assert self.statement is not None
        return self.statement["predicate"]

    def must_not_pass(self, disposition: str, reason: str) -> None:
        """It has failed for this reason, goes there, and has no certificate."""
        end = (self.outcome, self.disposition, self.reason)
        assert end == ("failed", disposition, reason), self
        assert self.statement is None


class _Hands:
    """What operators do to the handset in a slot."""

    def __init__(self, rig: Rig, reset: Reset) -> None:
        self._bench = rig
        self._reset = reset

    async def reset_by_hand(self, slot: str) -> None:
        """Reset it from its settings."""
        await self._reset(slot)

    async def enable_adb(self, slot: str) -> None:
        """Switch USB debugging on."""
        await self._bench.enable_adb(slot)

    async def allow_adb(self, slot: str) -> None:
        """Tap Allow."""
        await self._bench.allow_adb(slot)

    async def screen(self, slot: str) -> Screen:
        """Type *#06# and read what its own screen shows."""
        state = (await self._bench.states())[self._bench.handset_in[slot]]
        return Screen(imei=state.imei, serial=state.serial)


@dataclass(kw_only=True)
class Rig:
    """One test's rack: starts with empty ports and no handset."""

    machine: Machine
    numbers: Iterator[int]
    """None is given twice: every test's handsets are in one ledger, which knows them again."""
    handset_in: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = RackWatch(
            lambda: httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{self.machine.dashboard_port}",
                timeout=API_WITHIN_S,
                # A connection that the guest has closed meanwhile looks open from here.
                limits=httpx2.Limits(max_keepalive_connections=0),
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

    async def rack(self, do: str, *, within_s: float = 300.0, **request: object) -> Any:  # noqa: ANN401 - JSON
        """Have hands do something to handsets."""
        line = json.dumps({"do": do, **request})
        answered = await anyio.to_thread.run_sync(
            lambda: self.machine.say_to(RACK_SOCKET, line, within_s=within_s),
            abandon_on_cancel=True,
        )
        answer = json.loads(answered)
        assert "done" in answer, f"rack: {answer}"
        return answer["done"]

    async def note(self, figure: str) -> None:
        """Leave a figure in the story."""
        await self.shell(f"echo {shlex.quote(figure)} >>/results/figures.txt")

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

    async def swap(self, one: str, other: str) -> None:
        """Pull two cables and put each into the other's slot."""
        await self.rack("swap", handsets=[one, other])
        of = {handset: slot for slot, handset in self.handset_in.items()}
        self.handset_in |= {of[one]: other, of[other]: one}

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

    async def allow_adb(self, slot: str) -> None:
        """Tap Allow on a handset's screen: it trusts benchd's key from now on."""
        key = await self.shell(f"cat {ADB_KEY}")
        await self.rack("allow", handsets=[self.handset_in[slot]], key=key)

    @asynccontextmanager
    async def operating(self, reset: Reset | None = None) -> AsyncGenerator[None, None]:
        """Two people work at the dashboard who say yes to everything.

        `reset` stands in for what they do when they are to reset the handset in a slot.
        """
        hands = _Hands(self, reset or self.reset_by_hand)
        operators = Operators(watch=self.watch, hands=hands, answers={}, look_every_s=LOOK_EVERY_S)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(operators.work)
            yield
            tasks.cancel_scope.cancel()

    async def until_serving(self) -> None:
        """Wait until the daemon answers."""
        with anyio.fail_after(UP_WITHIN_S):
            await self.watch.until_there()

    async def start_service(self) -> None:
        """As an admin does; returns when it has said READY=1 and serves."""
        await self.shell("systemctl start benchd", within_s=300)
        await self.until_serving()

    async def fill_table(self, kinds: Mapping[str, str]) -> dict[str, int]:
        """Make handsets, by name and kind; the first slots, one for each."""
        await self.make(*(self.kind(word, name=name) for name, word in kinds.items()))
        return {name: number for number, name in enumerate(kinds, start=1)}

    def kind(self, word: str, *, name: str) -> UsbHandset:
        """A handset of this kind, with numbers that none has had before."""
        return kind(word, name=name, number=next(self.numbers))

    async def until_state(self, slot: str, state: str) -> None:
        """Look until a slot is in this state."""
        await self._until_seen(slot, lambda seen: seen.get("state") == state)

    async def until_problem(self, slot: str, problem: str) -> None:
        """Look until a slot shows this problem."""
        await self._until_seen(slot, lambda seen: _code(seen.get("problem")) == problem)

    async def _until_seen(self, slot: str, fits: Callable[[Mapping[str, Any]], bool]) -> None:
        with anyio.fail_after(SEEN_WITHIN_S):
            while True:
                await self.watch.look()
                if fits(self.watch.slots.get(slot, {})):
                    return
                await anyio.sleep(LOOK_EVERY_S)

    async def run_to_the_end(
        self, slots: Mapping[str, int], *, within_s: float = 600.0
    ) -> dict[str, End]:
        """Plug handsets in and have operators see their jobs through; by handset."""
        async with self.operating():
            await self.plug(slots)
            return await self.ends(slots, within_s=within_s)

    async def ends(self, slots: Mapping[str, int], *, within_s: float = 600.0) -> dict[str, End]:
        """Wait, while operators work, how the jobs in these slots end; by handset."""
        names = {handset: slot_name(number) for handset, number in slots.items()}
        with anyio.fail_after(within_s):
            while not all(
                slot in self.watch.slots and ended(self.watch.slots[slot])
                for slot in names.values()
            ):
                await self.watch.next_look()
        return {handset: await self.end_of(slot) for handset, slot in names.items()}

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
        identity = handset if isinstance(handset, Mapping) else {}
        statement = None
        if told.get("certificate"):
            answer = await self.watch.http.get(f"/api/v1/jobs/{job}/certificate.json")
            answer.raise_for_status()
            key = await self.shell("cat /etc/benchd/certificate_key.pem.pub")
            statement = verify_certificate(answer.content, key.encode())
        return End(
            job=job,
            outcome=str(told["outcome"]),
            disposition=_text(told["disposition"]),
            reason=_text(told["reason"]),
            serial=_text(identity.get("serial")),
            imei=_text(identity.get("imei")),
            statement=statement,
            told=told,
        )

    async def aclose(self) -> None:
        """Clear the table for the next test."""
        await self.watch.aclose()
        with suppress(AssertionError):
            await self.rack("remove", handsets=[])


def _code(problem: object) -> object:
    return problem["code"] if isinstance(problem, Mapping) else None


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
