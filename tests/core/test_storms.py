"""Random storms of all that can happen: what passed was erased, by the rules, and slots live on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio
import pytest

from benchd.domain.chip import BaselineKind, ChipScan, ChipVerdict
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import HandsetGone, TransientFault
from benchd.domain.job import Disposition, Gate, Outcome
from benchd.domain.port import PlugEvent
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState

from .fake_chips import CHIP, OTHER_CHIP, FakeChip, FakeChipAccess, scan_of
from .world import MIB, MTP_ONLY, Phone, Port, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SEEDS = range(24)
BLOWS = 30


def new_phone(chance: random.Random) -> Phone:
    phone = Phone(
        serial=chance.choice(["0123456789ABCDEF", "R5CT10ABCDE"]),
        imei=None,
        used_bytes=chance.choice([2, 30]) * MIB,
        reset_lies=chance.random() < 0.1,
        bad_bytes=4096 if chance.random() < 0.1 else 0,
    )
    if chance.random() < 0.3:
        call = chance.choice(["fill_step", "check", "sample", "reset_facts", "identity"])

        async def stumble(_phone: Phone) -> None:
            if chance.random() < 0.3:
                raise chance.choice([HandsetGone, TransientFault])("a stumble")

        phone.faults[call] = stumble
    return phone


async def strike(world: World, port: Port, chance: random.Random) -> None:
    """One blow against one port or the whole rack."""
    match chance.randrange(6):
        case 0 if port.attached:
            port.unplug()
        case 1 if not port.attached:
            port.plug(new_phone(chance), chance.choice([port.interfaces, MTP_ONLY]))
        case 2 if port.attached and port.phone:
            phone = port.phone
            port.unplug()
            port.plug(phone)
        case 3:
            world.access.server_up = False
            world.access.poke()
            await anyio.sleep(chance.uniform(0, 20))
            world.access.server_up = True
            world.access.poke()
        case 4 if port.attached and port.phone:
            # A swap that the port tells as one new enumeration, without a departure.
            port.plug(new_phone(chance))
        case _:
            pass


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_storm(seed: int) -> None:
    chance = random.Random(seed)
    world = World(4)
    told: list[PlugEvent] = []
    ports: Sequence[Port] = list(world.ports.values())
    async with world.running():
        world.listeners.append(told.append)
        for port in ports:
            port.plug(new_phone(chance))
        for _ in range(BLOWS):
            await anyio.sleep(chance.choice([0.0, 0.01, 1.0, 10.0, 60.0]))
            await strike(world, chance.choice(ports), chance)
        # The storm is over: every slot takes a new handset to a good end.
        for port in ports:
            while port.attached or world.view(port.slot).state is SlotState.REPLUGGING:
                if port.attached:
                    port.unplug()
                await anyio.sleep(5000)
        for port in ports:
            port.plug(Phone(serial="LAST"))
        for port in ports:
            await world.until(
                lambda port=port: (
                    (identity := world.view(port.slot).identity) is not None
                    and identity.serial == "LAST"
                    and world.view(port.slot).state is SlotState.FINISHED
                )
            )
            assert world.view(port.slot).outcome is Outcome.PASSED
    check_ledger(world)


def check_ledger(world: World) -> None:
    """Every job has one end; every pass has its certificate; none is sellable but by passing."""
    opened = [s.entry.job for s in world.ledger.of(EntryKind.JOB_OPENED)]
    ends = world.ledger.of(EntryKind.JOB_ENDED)
    assert sorted(map(str, opened)) == sorted(str(s.entry.job) for s in ends)
    for stored in ends:
        passed = stored.entry.data["outcome"] == Outcome.PASSED
        assert (stored.entry.data["certificate"] is not None) is passed
        assert (stored.entry.data["disposition"] == "sellable") is passed
        if passed:
            assert stored.entry.job in world.passed_for_real


# Chips, benches, providers and people at random: what passes is what the rules let pass.


ROUNDS = 60
FELICA_GATES = (Gate.FELICA_NO_CHIP, Gate.FELICA_RETIRED, Gate.FELICA_CLEAR, Gate.FELICA_ATTEST)
VERDICTS = list(ChipVerdict)
WEIGHTS = [6 if v in (ChipVerdict.UNUSED, ChipVerdict.SILENT) else 1 for v in VERDICTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that decides about one chip."""

    check: ChipScan
    recheck: ChipScan
    claim: ClearOutcome
    answers: dict[Gate, bool]
    capable: bool | None

    @classmethod
    def drawn(cls, rng: random.Random) -> Case:
        return cls(
            check=_scan(rng),
            recheck=_scan(rng),
            claim=rng.choice(list(ClearOutcome)),
            answers={gate: rng.random() < 0.7 for gate in FELICA_GATES},
            capable=rng.choice([True, False, False, None]),
        )

    def may_pass(self) -> bool:
        """The rules, told anew and without a look at the stages."""
        first, last = self.check, self.recheck
        if first.verdict is ChipVerdict.SILENT:
            told = self.capable is False and self.answers[Gate.FELICA_NO_CHIP]
            return told and last.verdict is ChipVerdict.SILENT
        if first.verdict is ChipVerdict.IN_USE and not self._claimed():
            return False
        if first.verdict not in (ChipVerdict.UNUSED, ChipVerdict.IN_USE):
            return False
        if last.verdict is not ChipVerdict.UNUSED or last.chip != first.chip:
            return False
        if last.baseline_kind is BaselineKind.OBSERVED:
            return True
        return self.answers[Gate.FELICA_ATTEST]

    def _claimed(self) -> bool:
        if self.claim is ClearOutcome.NEEDS_OPERATOR:
            return self.answers[Gate.FELICA_CLEAR]
        return self.claim in (ClearOutcome.DONE, ClearOutcome.ALREADY_INITIAL)


def _scan(rng: random.Random) -> ChipScan:
    scan = scan_of(rng.choices(VERDICTS, WEIGHTS)[0])
    if scan.verdict is ChipVerdict.SILENT:
        return scan
    return replace(
        scan,
        chip=rng.choices([CHIP, OTHER_CHIP], [9, 1])[0],
        baseline_kind=rng.choice([*BaselineKind, None]),
    )


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3))]
)
async def test_what_passes_is_what_the_rules_let_pass(seed: int) -> None:
    rng = random.Random(seed)
    passed = 0
    for _ in range(ROUNDS):
        case = Case.drawn(rng)
        chip = FakeChip(once=[case.check], looks=case.recheck, after_clear=None)
        chip.claims = [case.claim] * 5
        world = World(chips=FakeChipAccess({"A1": chip}), answers=case.answers)
        view = await world.end_of(Phone(felica_capable=case.capable))
        sellable = view.disposition is Disposition.SELLABLE
        assert sellable is case.may_pass(), case
        assert bool(world.issuer.kept) is sellable
        assert (ended(world)[0]["certificate"] is not None) is sellable
        assert len(world.ledger.of(EntryKind.JOB_ENDED)) == 1
        passed += sellable
    # A storm in which nothing passes, or everything, shows nothing.
    assert 5 <= passed <= ROUNDS - 5
