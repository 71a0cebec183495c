"""The FeliCa stages on a fake chips: every verdict of it, and none of the bad ones passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.chip import BaselineKind, ChipOwners, ChipScan, ChipVerdict
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.slot_states import SlotState

from .fake_chips import (
    CHECK,
    CHIP,
    CLEAR,
    IN_USE,
    OTHER_CHIP,
    RECHECK,
    SILENT,
    UNUSED,
    FakeChip,
    scan_of,
    world_with,
)
from .world import Phone, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_an_unused_chip_needs_no_person_and_no_clear() -> None:
    world, chips = world_with(FakeChip())
    await world.sells()
    assert chips.scans == [("A1", 1, False), ("A1", 2, True), ("A1", 1, True)]
    assert chips.orders == []
    assert not [gate for gate in world.asked() if str(gate).startswith("felica")]
    [check], [clear], [recheck] = (world.attempts(stage) for stage in (CHECK, CLEAR, RECHECK))
    assert (check["evidence"]["source"], check["evidence"]["verdict"]) == ("reader", "unused")
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "chip_unused")
    assert recheck["evidence"]["chip"] == CHIP
    assert (recheck["evidence"]["passes"], recheck["evidence"]["power_cycled"]) == (2, True)


async def test_a_chip_in_use_is_cleared_by_the_provider_with_the_consent_named() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE))
    view = await world.sells()
    [order] = chips.orders
    assert (order.job, order.slot, order.consent) == (view.job, "A1", "Sato")
    assert order.identity == Phone().identity()
    [clear] = world.attempts(CLEAR)
    assert (clear["evidence"]["claim"], clear["evidence"]["report"]) == ("done", "R-1")
    assert Gate.FELICA_CLEAR not in world.asked()


ENDS = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.UNREADABLE: Reason.FELICA_UNREADABLE,
    # No scan can know these two by itself, so one that says so is not believed.
    ChipVerdict.RETIRED: Reason.FELICA_UNREADABLE,
    ChipVerdict.NO_CHIP: Reason.FELICA_UNREADABLE,
}


@pytest.mark.parametrize("verdict", ENDS)
async def test_a_check_that_is_no_answer_ends_the_job_with_its_scan_on_record(
    verdict: ChipVerdict,
) -> None:
    chip = FakeChip(looks=scan_of(verdict))
    world, _ = world_with(chip, {Gate.FELICA_RETIRED: False})
    phone = Phone()
    view = await world.refuses(phone, ENDS[verdict])
    assert view.disposition is Disposition.HOLD
    [check] = world.attempts(CHECK)
    assert (check["outcome"], check["evidence"]["verdict"]) == (Outcome.FAILED, verdict)
    assert check["evidence"]["polled"] == ["FFFF", "FE00", "0003"]
    assert phone.calls["fill"] == 0
    assert not world.certified()


@pytest.mark.parametrize("verdict", [*ENDS, ChipVerdict.IN_USE])
async def test_a_recheck_that_is_no_answer_ends_the_job_with_its_scan_on_record(
    verdict: ChipVerdict,
) -> None:
    chip = FakeChip(once=[UNUSED, scan_of(verdict)])
    world, _ = world_with(chip)
    view = await world.end_of()
    reason = {**ENDS, ChipVerdict.IN_USE: Reason.FELICA_RESIDUE}[verdict]
    assert (view.outcome, view.reason) == (Outcome.FAILED, reason)
    [recheck] = world.attempts(RECHECK)
    assert (recheck["outcome"], recheck["evidence"]["verdict"]) == (Outcome.FAILED, verdict)
    assert not world.certified()


async def test_a_provider_that_lies_is_found_out_and_what_is_left_is_named() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE, after_clear=None))
    view = await world.end_of()
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.FELICA_RESIDUE)
    assert len(chips.orders) == 2
    assert "Suica" in str(ended(world)[0]["detail"])
    assert view.owners == ChipOwners(ja="Suica", en="Suica")
    [recheck] = world.attempts(RECHECK)
    [system] = recheck["evidence"]["systems"]
    assert (system["code"], system["residue"]) == ("0003", ["090F"])
    assert not world.certified()


@pytest.mark.parametrize(
    "second",
    [
        replace(UNUSED, chip=OTHER_CHIP),
        replace(IN_USE, chip=OTHER_CHIP),
        replace(UNUSED, chip=OTHER_CHIP, baseline_kind=BaselineKind.INFERRED),
    ],
)
async def test_a_chip_that_was_swapped_is_not_the_one_that_was_checked(second: ChipScan) -> None:
    world, _ = world_with(FakeChip(once=[IN_USE], looks=second, after_clear=None))
    view = await world.end_of()
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)
    assert Gate.FELICA_ATTEST not in world.asked()
    assert not world.certified()


@pytest.mark.parametrize("changes", [{"chip": None}, {"baseline": None}, {"baseline": ""}])
async def test_unused_without_a_chip_or_a_baseline_is_no_verdict(
    changes: dict[str, object],
) -> None:
    world, _ = world_with(FakeChip(once=[UNUSED], looks=scan_of(ChipVerdict.UNUSED, **changes)))
    await world.refuses(Phone(), Reason.FELICA_UNREADABLE)


async def test_a_bench_that_looked_too_little_gets_no_certificate() -> None:
    world, _ = world_with(FakeChip(disobeys=True))
    await world.refuses(Phone(), Reason.PROOF_INCOMPLETE)
    assert "too few times" in str(ended(world)[0]["detail"])
    assert not world.certified()


@pytest.mark.parametrize("kind", [*BaselineKind, None])
@pytest.mark.parametrize("seen", [True, False])
async def test_only_on_a_baseline_that_nobody_saw_a_person_attests(
    kind: BaselineKind | None, seen: bool
) -> None:
    world, _ = world_with(
        FakeChip(looks=replace(UNUSED, baseline_kind=kind)), {Gate.FELICA_ATTEST: seen}
    )
    view = await world.end_of()
    needs_person = kind is not BaselineKind.OBSERVED
    assert (Gate.FELICA_ATTEST in world.asked()) is needs_person
    if needs_person and not seen:
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_NOT_ATTESTED)
        [recheck] = world.attempts(RECHECK)
        assert recheck["evidence"]["verdict"] == "unused"
    else:
        assert view.disposition is Disposition.SELLABLE
    assert world.certified() is (seen or not needs_person)


async def test_no_chip_needs_the_handset_and_a_person_beside_the_silence() -> None:
    world, chips = world_with(FakeChip(looks=SILENT))
    await world.sells(Phone(felica_capable=False))
    [check], [clear], [recheck] = (world.attempts(stage) for stage in (CHECK, CLEAR, RECHECK))
    assert (check["evidence"]["verdict"], check["evidence"]["over_the_air"]) == (
        "no_chip",
        "silent",
    )
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["answer"]["operator"] == "Sato"
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "no_chip")
    assert recheck["evidence"]["verdict"] == "no_chip"
    assert chips.orders == []


async def test_a_person_who_knows_of_a_chip_makes_silence_a_hold() -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_NO_CHIP: False})
    view = await world.end_of(Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert not world.certified()


@pytest.mark.parametrize("capable", [True, None])
@pytest.mark.parametrize("retired", [True, False])
async def test_silence_of_a_handset_that_may_have_a_chip_never_passes(
    capable: bool | None, retired: bool
) -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: retired})
    view = await world.end_of(Phone(felica_capable=capable))
    assert (view.disposition, view.reason) == (
        (Disposition.DESTROY, Reason.FELICA_RETIRED)
        if retired
        else (Disposition.HOLD, Reason.FELICA_SILENT)
    )
    assert Gate.FELICA_NO_CHIP not in world.asked()
    assert not world.certified()


@pytest.mark.parametrize("verdict", [v for v in ChipVerdict if v is not ChipVerdict.SILENT])
async def test_no_chip_that_answers_at_the_recheck_after_all_never_passes(
    verdict: ChipVerdict,
) -> None:
    world, _ = world_with(FakeChip(once=[SILENT], looks=scan_of(verdict)))
    await world.refuses(Phone(felica_capable=False), Reason.FELICA_INCONSISTENT)


async def test_a_chip_that_falls_silent_after_its_clear_is_held() -> None:
    world, _ = world_with(FakeChip(looks=IN_USE, after_clear=SILENT))
    view = await world.end_of(Phone(felica_capable=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    assert not world.certified()


@pytest.mark.parametrize(
    ("phone", "causes", "detail"),
    [
        (Phone(nfc_on=False), ["nfc_off"], "NFC is off on this handset"),
        (
            Phone(screen_on=False, unlocked=False),
            ["screen_off", "screen_locked"],
            "its screen is off, its screen is locked",
        ),
        (Phone(), ["unknown"], "the handset doesn't say why"),
        (Phone(nfc_on=None, screen_on=None, unlocked=None), ["unknown"], "doesn't say why"),
    ],
)
async def test_the_handset_is_asked_why_its_chip_is_silent_and_that_clears_nothing(
    phone: Phone, causes: list[str], detail: str
) -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: False})
    view = await world.end_of(phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    [check] = world.attempts(CHECK)
    assert check["evidence"]["verdict"] == "silent"
    assert check["evidence"]["handset_says"]["silence_causes"] == causes
    assert check["evidence"]["handset_says"]["nfc_on"] is phone.nfc_on
    assert detail in check["detail"]
    [question] = world.questions(Gate.FELICA_RETIRED)
    assert question["facts"]["causes"] == ",".join(causes)
    assert not world.certified()


async def test_a_chip_that_fell_silent_for_the_recheck_has_its_handset_asked() -> None:
    world, _ = world_with(FakeChip(once=[UNUSED], looks=SILENT))
    view = await world.end_of(Phone(nfc_on=False))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_SILENT)
    [recheck] = world.attempts(RECHECK)
    assert recheck["evidence"]["handset_says"]["silence_causes"] == ["nfc_off"]
    assert not world.certified()


async def test_a_handset_that_answers_over_the_air_is_not_asked_why_it_is_silent() -> None:
    world, _ = world_with(FakeChip())
    await world.end_of(Phone())
    for stage in (CHECK, RECHECK):
        [attempt] = world.attempts(stage)
        assert attempt["evidence"]["handset_says"] is None


async def test_whose_services_are_left_is_shown_again_after_a_restart() -> None:
    chip = FakeChip(looks=IN_USE, after_clear=None)
    world, chips = world_with(chip)
    view = await world.end_of()
    assert (view.reason, view.owners) == (Reason.FELICA_RESIDUE, ChipOwners(ja="Suica", en="Suica"))
    second = World(ledger=world.ledger, chips=chips)
    old, new = world.ports["A1"], second.ports["A1"]
    new.phone, new.interfaces = old.phone, old.interfaces
    new.enumeration, new.attached = old.enumeration, old.attached
    async with second.running():
        again = await second.until_state(SlotState.FINISHED)
    assert (again.job, again.reason, again.owners) == (view.job, view.reason, view.owners)
    assert len(ended(world)) == 1
