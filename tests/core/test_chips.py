"""The FeliCa stages on fake chips: every verdict of theirs, and none of the bad ones passes."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest

from benchd.domain.chip import BaselineKind, ChipOwners, ChipScan, ChipVerdict
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.slot_states import SlotState

from .catalogues import catalogue, model
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
    FakeChipAccess,
    scan_of,
    world_with,
)
from .world import Phone, World, ended, second_world

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SUICA = ChipOwners(ja="Suica", en="Suica")


def not_capable() -> Phone:
    return Phone(felica_capable=False)


async def test_an_unused_chip_needs_no_person_and_no_clear() -> None:
    world, chips = world_with(FakeChip())
    await world.sells()
    assert chips.scans == [("A1", 1, False), ("A1", 2, True), ("A1", 1, True)]
    assert chips.orders == []
    assert not [gate for gate in world.asked() if gate.startswith("felica")]
    [check], [clear], [recheck] = (world.attempts(stage) for stage in (CHECK, CLEAR, RECHECK))
    assert (check["evidence"]["source"], check["evidence"]["verdict"]) == ("reader", "unused")
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "chip_unused")
    assert recheck["evidence"]["chip"] == CHIP
    assert (recheck["evidence"]["passes"], recheck["evidence"]["power_cycled"]) == (2, True)
    # Who answers over the air isn't asked why it is silent.
    assert check["evidence"]["handset_says"] is recheck["evidence"]["handset_says"] is None


async def test_a_chip_in_use_is_cleared_by_the_provider_with_the_consent_named() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE), slots=3)
    view = await world.sells()
    [order] = chips.orders
    assert (order.job, order.slot, order.consent) == (view.job, "A1", "Sato")
    assert order.identity == Phone().identity()
    [clear] = world.attempts(CLEAR)
    assert (clear["evidence"]["claim"], clear["evidence"]["report"]) == ("done", "R-1")
    assert Gate.FELICA_CLEAR not in world.asked()
    # No other slot is touched.
    assert world.view("A2").state is SlotState.EMPTY
    assert {slot for slot, _, _ in chips.scans} == {"A1"}
    assert [end["disposition"] for end in ended(world)] == [Disposition.SELLABLE]


ENDS = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.UNREADABLE: Reason.FELICA_UNREADABLE,
    # No scan can know these two by itself, so one that says so is not believed.
    ChipVerdict.RETIRED: Reason.FELICA_UNREADABLE,
    ChipVerdict.NO_CHIP: Reason.FELICA_UNREADABLE,
}


@pytest.mark.parametrize(
    ("stage", "verdict"),
    [*product([CHECK, RECHECK], ENDS), (RECHECK, ChipVerdict.IN_USE)],
)
async def test_a_scan_that_is_no_answer_ends_the_job_and_stands_on_record(
    stage: StageName, verdict: ChipVerdict
) -> None:
    if stage is RECHECK:
        # It would be unused at another look.
        world, _ = world_with(FakeChip(once=[UNUSED, scan_of(verdict)]))
    else:
        chip = FakeChip(looks=scan_of(verdict))
        world, _ = world_with(chip, {Gate.FELICA_RETIRED: False})
    phone = Phone()
    view = await world.refuses(phone, {**ENDS, ChipVerdict.IN_USE: Reason.FELICA_RESIDUE}[verdict])
    [attempt] = world.attempts(stage)
    assert (attempt["outcome"], attempt["evidence"]["verdict"]) == (Outcome.FAILED, verdict)
    if stage is CHECK:
        assert view.disposition is Disposition.HOLD
        assert attempt["evidence"]["polled"] == ["FFFF", "FE00", "0003"]
        assert phone.calls["fill"] == 0


async def test_a_provider_that_lies_is_found_out_and_what_is_left_is_named() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE, after_clear=None))
    view = await world.refuses(Phone(), Reason.FELICA_RESIDUE)
    assert view.disposition is Disposition.DESTROY
    assert len(chips.orders) == 2
    assert "Suica" in str(ended(world)[0]["detail"])
    assert view.owners == SUICA
    [recheck] = world.attempts(RECHECK)
    [system] = recheck["evidence"]["systems"]
    assert (system["code"], system["residue"]) == ("0003", ["090F"])
    # Shown again after a restart.
    second = second_world(world, world.ledger)
    async with second.running():
        again = await second.finished()
    assert (again.job, again.reason, again.owners) == (view.job, view.reason, SUICA)
    assert len(ended(world)) == 1


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
    view = await world.refuses(Phone(), Reason.FELICA_INCONSISTENT)
    assert view.disposition is Disposition.HOLD
    assert Gate.FELICA_ATTEST not in world.asked()


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


@pytest.mark.parametrize("kind", [*BaselineKind, None])
@pytest.mark.parametrize("seen", [True, False])
async def test_only_on_a_baseline_that_nobody_saw_a_person_attests(
    kind: BaselineKind | None, seen: bool
) -> None:
    world, _ = world_with(
        FakeChip(looks=replace(UNUSED, baseline_kind=kind)), {Gate.FELICA_ATTEST: seen}
    )
    needs_person = kind is not BaselineKind.OBSERVED
    if needs_person and not seen:
        view = await world.refuses(Phone(), Reason.FELICA_NOT_ATTESTED)
        assert view.disposition is Disposition.HOLD
        [recheck] = world.attempts(RECHECK)
        assert recheck["evidence"]["verdict"] == "unused"
    else:
        await world.sells()
    assert (Gate.FELICA_ATTEST in world.asked()) is needs_person


# Silence


async def test_no_chip_needs_the_handset_and_a_person_beside_the_silence() -> None:
    world, chips = world_with(FakeChip(looks=SILENT))
    await world.sells(not_capable())
    [check], [clear], [recheck] = (world.attempts(stage) for stage in (CHECK, CLEAR, RECHECK))
    said = check["evidence"]
    assert (said["verdict"], said["over_the_air"]) == ("no_chip", "silent")
    assert (said["felica_capable"], said["answer"]["operator"]) == (False, "Sato")
    assert (clear["outcome"], clear["because"]) == (Outcome.SKIPPED, "no_chip")
    assert recheck["evidence"]["verdict"] == "no_chip"
    assert chips.orders == []


@pytest.mark.parametrize("capable", [True, None])
@pytest.mark.parametrize("retired", [True, False])
async def test_silence_of_a_handset_that_may_have_a_chip_never_passes(
    capable: bool | None, retired: bool
) -> None:
    world, _ = world_with(FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: retired})
    reason = Reason.FELICA_RETIRED if retired else Reason.FELICA_SILENT
    view = await world.refuses(Phone(felica_capable=capable), reason)
    assert view.disposition is (Disposition.DESTROY if retired else Disposition.HOLD)
    assert Gate.FELICA_NO_CHIP not in world.asked()


@pytest.mark.parametrize("verdict", [v for v in ChipVerdict if v is not ChipVerdict.SILENT])
async def test_no_chip_that_answers_at_the_recheck_after_all_never_passes(
    verdict: ChipVerdict,
) -> None:
    world, _ = world_with(FakeChip(once=[SILENT], looks=scan_of(verdict)))
    await world.refuses(not_capable(), Reason.FELICA_INCONSISTENT)


HELD_SILENT: dict[str, tuple[FakeChip, bool]] = {
    "a person knows of a chip": (FakeChip(looks=SILENT), False),
    "it falls silent after its clear": (FakeChip(looks=IN_USE, after_clear=SILENT), True),
}


@pytest.mark.parametrize("case", HELD_SILENT)
async def test_silence_that_somebody_or_a_look_speaks_against_is_held(case: str) -> None:
    chip, no_chip = HELD_SILENT[case]
    world, _ = world_with(replace(chip), {Gate.FELICA_NO_CHIP: no_chip})
    view = await world.refuses(not_capable(), Reason.FELICA_SILENT)
    assert view.disposition is Disposition.HOLD


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
    view = await world.refuses(phone, Reason.FELICA_SILENT)
    assert view.disposition is Disposition.HOLD
    [check] = world.attempts(CHECK)
    assert check["evidence"]["verdict"] == "silent"
    assert check["evidence"]["handset_says"]["silence_causes"] == causes
    assert check["evidence"]["handset_says"]["nfc_on"] is phone.nfc_on
    assert detail in check["detail"]
    [question] = world.questions(Gate.FELICA_RETIRED)
    assert question["facts"]["causes"] == ",".join(causes)


async def test_a_chip_that_fell_silent_for_the_recheck_has_its_handset_asked() -> None:
    world, _ = world_with(FakeChip(once=[UNUSED], looks=SILENT))
    view = await world.refuses(Phone(nfc_on=False), Reason.FELICA_SILENT)
    assert view.disposition is Disposition.HOLD
    [recheck] = world.attempts(RECHECK)
    assert recheck["evidence"]["handset_says"]["silence_causes"] == ["nfc_off"]


# What the catalogue of models says can hold a handset, and never let one pass.

DIGEST = "7" * 64
SAYS = {True: "has", False: "has_none", None: "unknown"}


def knowing(felica: bool | None) -> ModelCatalogue:
    return catalogue(model(Phone().identity().model, felica=felica), sha256=DIGEST)


@pytest.mark.parametrize("retired", [True, False])
async def test_a_model_that_has_a_chip_is_never_taken_for_one_without(retired: bool) -> None:
    world, _ = world_with(
        FakeChip(looks=SILENT), {Gate.FELICA_RETIRED: retired}, models=knowing(True)
    )
    reason = Reason.FELICA_RETIRED if retired else Reason.FELICA_SILENT
    view = await world.refuses(not_capable(), reason)
    assert view.disposition is (Disposition.DESTROY if retired else Disposition.HOLD)
    assert Gate.FELICA_NO_CHIP not in world.asked()
    [check] = world.attempts(CHECK)
    if not retired:
        assert "the catalogue of models says that it has a FeliCa chip" in check["detail"]
        assert check["evidence"]["verdict"] == "silent"
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["catalogue"] == {"felica": "has", "sha256": DIGEST}
    [question] = world.questions(Gate.FELICA_RETIRED)
    assert question["facts"]["model_felica"] == "has"


@pytest.mark.parametrize("felica", [False, None, "of another model"])
async def test_an_entry_that_fits_supports_what_three_others_say(
    felica: bool | str | None,
) -> None:
    if isinstance(felica, str):
        models, said = catalogue(model("SO-01X", felica=True), sha256=DIGEST), "unknown"
    else:
        models, said = knowing(felica), SAYS[felica]
    world, _ = world_with(FakeChip(looks=SILENT), models=models)
    await world.sells(not_capable())
    [check] = world.attempts(CHECK)
    assert check["evidence"]["felica_capable"] is False
    assert check["evidence"]["catalogue"] == {"felica": said, "sha256": DIGEST}
    [question] = world.questions(Gate.FELICA_NO_CHIP)
    assert question["facts"]["model_felica"] == said


@pytest.mark.parametrize("capable", [True, None, False])
async def test_an_entry_without_a_chip_proves_nothing_by_itself(capable: bool | None) -> None:
    """It needs the handset's word, and the person's as well."""
    answers = {Gate.FELICA_RETIRED: False, Gate.FELICA_NO_CHIP: False}
    world, _ = world_with(FakeChip(looks=SILENT), answers, models=knowing(False))
    view = await world.refuses(Phone(felica_capable=capable), Reason.FELICA_SILENT)
    assert view.disposition is Disposition.HOLD
    assert (Gate.FELICA_NO_CHIP in world.asked()) is (capable is False)


@pytest.mark.parametrize("felica", SAYS)
@pytest.mark.parametrize("capable", [True, False, None])
async def test_no_entry_makes_a_chip_in_use_that_answers_an_empty_one(
    felica: bool | None, capable: bool | None
) -> None:
    world, _ = world_with(FakeChip(looks=IN_USE, after_clear=None), models=knowing(felica))
    await world.refuses(Phone(felica_capable=capable), Reason.FELICA_RESIDUE)


async def test_no_catalogue_sells_what_none_at_all_would_have_held() -> None:
    """Each silence of a chip in use, each word of handset and people, each entry: drawn looks."""
    rng = random.Random(16)
    looks = (SILENT, SILENT, IN_USE, UNUSED, scan_of(IN_USE.verdict, chip=OTHER_CHIP))
    sold = 0
    for capable, no_chip in product([True, False, None], [True, False]):
        for _ in range(4):
            first, last = rng.choice(looks), rng.choice(looks)
            answers = {Gate.FELICA_NO_CHIP: no_chip, Gate.FELICA_RETIRED: False}
            catalogues = {"nothing": None} | {SAYS[felica]: knowing(felica) for felica in SAYS}
            ends: dict[str, bool] = {}
            for said, models in catalogues.items():
                chip = FakeChip(once=[first], looks=last, after_clear=None)
                world = World(chips=FakeChipAccess({"A1": chip}), answers=answers, models=models)
                await world.end_of(Phone(felica_capable=capable))
                ends[said] = world.certified()
            assert all(ends["nothing"] or not passed for passed in ends.values())
            if first.verdict is SILENT.verdict:
                assert not ends["has"]
                assert not any(ends.values()) or capable is False
            sold += ends["nothing"]
    assert sold
