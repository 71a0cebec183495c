"""A chip that another rack has on record in another handset: hashed from docs/fleet.md alone."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from benchd.devices.felica.worker.chip_tasks import ChipTasks
from benchd.devices.felica.worker.wire import WorkerOrder
from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import SlotName
from benchd.proof.evidence.chip_evidence import (
    READER,
    ChipEvidence,
    SwitchEvidence,
    TieEvidence,
)
from benchd.proof.floors import LEAST_DRAWN_STEPS
from benchd.signing.fleet_chips import fleet_chip_of, read_fleet_secret
from tests.fleet.centre_rig import centre
from tests.fleet.handset_stories import ONE, THREE, TWO, RackStory, racks

SECRET, OTHER_SECRET = b"\7" * 32, b"\1" * 32
IDM = bytes.fromhex("0101060112345678")


def named(idm: bytes = IDM, secret: bytes = SECRET) -> str:
    name = hmac.new(secret, b"benchd fleet chip secret v1\n", sha256).hexdigest()[:8]
    chip = hmac.new(secret, b"benchd fleet chip v1\n" + idm, sha256).hexdigest()[:32]
    return f"{name}.{chip}"


CHIP = named()


def looks(
    rack: RackStory,
    job: str,
    *,
    shared: str | None = CHIP,
    tied: bool = False,
    idm: bytes = IDM,
    because: str | None = None,
) -> str:
    """The chip on its reader, by a hash of this rack's own, and by the shared one."""
    own = hmac.new(rack.name.encode(), idm, sha256).hexdigest()[:32]
    seen = ChipEvidence(source=READER, verdict=ChipVerdict.UNUSED, chip=own, fleet_chip=shared)
    if tied:
        off = SwitchEvidence(nfc_on=False, seen=ChipVerdict.SILENT, passes=2, power_cycled=True)
        on = replace(off, nfc_on=True, seen=ChipVerdict.UNUSED, chip=own)
        pattern = (*(step % 2 == 1 for step in range(LEAST_DRAWN_STEPS)), True)
        steps = tuple(on if step else off for step in pattern)
        tie = TieEvidence(found_on=True, pattern=pattern, steps=steps, put_back=True)
        seen = replace(seen, tied=True, tie=tie)
    outcome = "passed" if because is None else "failed"
    rack.stage(job, "felica_check", to_json(seen), outcome, because)
    return job


def sells(rack: RackStory, job: str) -> str:
    return rack.ends(job, "sellable", None, "passed")


@pytest.mark.asyncio
async def test_a_chip_of_another_racks_handset_holds_before_the_certificate(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = sells(first, looks(first, first.opens(ONE)))
        await first.sends(here)
        told = await second.asks(here, TWO, stage="certify", chip=CHIP)
        assert told.findings == [("chip_seen", "rack 1", job)]
        assert told.lease is None
        # Nothing is said where no chip was seen, or another.
        assert (await second.asks(here, TWO, stage="certify")).findings == []
        other = named(bytes(8))
        assert (await second.asks(here, TWO, stage="certify", chip=other)).findings == []


@pytest.mark.asyncio
async def test_the_same_handset_is_let_on_with_its_chip(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        sells(first, looks(first, first.opens(ONE)))
        await first.sends(here)
        told = await second.asks(here, ONE, stage="certify", chip=CHIP)
        assert told.findings == []
        assert told.lease is not None
        # Nor does it hold that its own rack has its chip in two: that rack's ledger decides.
        assert (await first.asks(here, TWO, stage="certify", chip=CHIP)).findings == []


@pytest.mark.asyncio
async def test_chips_under_two_secrets_are_not_compared(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        looks(first, first.opens(ONE), shared=None)
        looks(first, first.opens(THREE), shared=named(secret=OTHER_SECRET))
        await first.sends(here)
        assert (await second.asks(here, TWO, stage="certify", chip=CHIP)).findings == []


@pytest.mark.asyncio
async def test_what_has_tied_nothing_gives_way_to_a_tie(conninfo: str) -> None:
    """A card that lay on a reader once doesn't hold the handset whose chip it is."""
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = looks(first, first.opens(ONE))
        await first.sends(here)
        asked = {"stage": "certify", "chip": CHIP}
        assert (await second.asks(here, TWO, **asked)).findings == [("chip_seen", "rack 1", job)]
        assert (await second.asks(here, TWO, **asked, chip_tied=True)).findings == []
        tied = looks(first, first.opens(THREE), tied=True)
        await first.sends(here)
        told = await second.asks(here, TWO, **asked, chip_tied=True)
        assert told.findings == [("chip_seen", "rack 1", tied)]


@pytest.mark.asyncio
async def test_a_handset_that_was_held_for_a_chip_holds_not_the_one_it_is_of(
    conninfo: str,
) -> None:
    async with centre(conninfo) as here:
        first, second, third = await racks(here, 3)
        owner = sells(first, looks(first, first.opens(ONE)))
        other = second.ends(looks(second, second.opens(TWO)), "hold", "chip_seen_elsewhere")
        await first.sends(here)
        await second.sends(here)
        assert (await third.asks(here, ONE, stage="certify", chip=CHIP)).findings == []
        told = await third.asks(here, TWO, stage="certify", chip=CHIP)
        assert told.findings == [("chip_seen", "rack 1", owner)]
        assert other not in {job for _, _, job in told.findings}


@pytest.mark.asyncio
async def test_a_look_that_its_rack_refused_as_anothers_claims_no_chip(conninfo: str) -> None:
    """The chip of one handset on the reader of another, which that rack's own records told."""
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        owner = sells(first, looks(first, first.opens(ONE)))
        refused = looks(first, first.opens(TWO), because="felica_inconsistent")
        first.ends(refused, "hold", "felica_inconsistent")
        await first.sends(here)
        asked = {"stage": "certify", "chip": CHIP}
        told = await second.asks(here, ONE, **asked)
        assert told.findings == []
        assert told.lease is not None
        # Whose chip it is still claims it, before that handset and before any other.
        found = (await second.asks(here, TWO, **asked)).findings
        assert ("chip_seen", "rack 1", owner) in found
        assert (await second.asks(here, THREE, **asked)).findings == [
            ("chip_seen", "rack 1", owner)
        ]


@pytest.mark.asyncio
@pytest.mark.parametrize("passed_first", [True, False])
async def test_a_chip_that_has_passed_a_look_is_claimed_whatever_was_refused(
    conninfo: str, *, passed_first: bool
) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.opens(ONE)
        whys = (None, "felica_inconsistent")
        for why in whys if passed_first else reversed(whys):
            looks(first, job, because=why)
        looks(first, job, shared=named(bytes(8)), idm=bytes(8))
        await first.sends(here)
        told = await second.asks(here, TWO, stage="certify", chip=CHIP)
        assert told.findings == [("chip_seen", "rack 1", job)]


@pytest.mark.asyncio
@pytest.mark.parametrize("because", ["felica_residue", "felica_unreadable", "unplugged"])
async def test_a_look_that_was_refused_for_another_reason_claims_its_chip(
    conninfo: str, because: str
) -> None:
    """What its owner has left on a chip makes it no other handset's."""
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = looks(first, first.opens(ONE), because=because)
        first.ends(job, "hold", because)
        await first.sends(here)
        told = await second.asks(here, TWO, stage="certify", chip=CHIP)
        assert told.findings == [("chip_seen", "rack 1", job)]


@pytest.mark.asyncio
async def test_a_tied_chip_leads_to_a_doom_without_any_number(conninfo: str) -> None:
    async with centre(conninfo) as here:
        first, second = await racks(here, 2)
        job = first.ends(looks(first, first.opens(None), tied=True), "destroy", "storage_fault")
        await first.sends(here)
        told = await second.asks(here, ONE, stage="certify", chip=CHIP, chip_tied=True)
        assert ("doomed", "rack 1", job) in told.findings


@pytest.mark.asyncio
@pytest.mark.parametrize("shared", [None, CHIP], ids=["own secrets", "one secret"])
async def test_a_tie_on_another_rack_hides_no_hold(conninfo: str, shared: str | None) -> None:
    """Each rack's own hash of one chip is another one, and contradicts nothing."""
    async with centre(conninfo) as here:
        first, second, third = await racks(here, 3)
        job = second.ends(
            looks(second, second.opens(ONE), shared=shared, tied=True), "hold", "locked"
        )
        await second.sends(here)
        released = looks(first, first.opens(ONE), shared=shared, tied=True)
        first.settles(first.ends(released, "hold", "locked"), "held", "rerun_due")
        await first.sends(here)
        assert (await third.asks(here, ONE)).findings == [("held", "rack 2", job)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("chip", "tied"), [("c" * 32, False), ("", False), (7, False), (CHIP, "yes"), (None, False)]
)
async def test_what_is_no_hash_of_a_chip_is_refused(
    conninfo: str, chip: object, tied: object
) -> None:
    async with centre(conninfo) as here:
        [rack] = await racks(here, 1)
        question = rack.question(ONE, chip=chip, chip_tied=tied, tells_chip=True)
        assert (await here.post(rack.ledger.rack, "questions", question)).status_code == 422


def test_racks_with_one_secret_name_a_chip_alike_and_others_dont() -> None:
    assert fleet_chip_of(SECRET, IDM) == CHIP
    assert fleet_chip_of(OTHER_SECRET, IDM) == named(secret=OTHER_SECRET)
    assert named(secret=OTHER_SECRET)[:8] != CHIP[:8]
    order = WorkerOrder(slots={SlotName("A1"): "usb:1-4"}, salt=bytes(32), baselines=())
    without, with_it = ChipTasks(order), ChipTasks(replace(order, fleet_secret=SECRET))
    assert without._identify(IDM).fleet is None
    assert with_it._identify(IDM) == (without._identify(IDM).own, CHIP)


def test_a_secret_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET.hex()}\n")
    assert read_fleet_secret(file) == SECRET
    for told in ("", "00" * 31, "00" * 33, "zz" * 32, "päss"):
        file.write_text(told, encoding="utf-8")
        with pytest.raises(UsageRefused):
            read_fleet_secret(file)
