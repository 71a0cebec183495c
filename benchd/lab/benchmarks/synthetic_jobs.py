"""Jobs that never were: numbers in the form of real ones, the same in every run, nobody's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.ids import Evidence, JobId, JsonValue, SlotName
from benchd.domain.intake import BoundBy, LotKind, Unerasable
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.lab.usual_handset import JUST_RESET, USUAL
from benchd.ledger.records.record_effect import digest_of
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.proof.evidence.intake_evidence import BoundRecord, LotRecord, UnerasableRecord, Who

HANDSETS_PER_TAC: Final = 200_000
TACS: Final = (35693803, 35209900, 49015420, 35391805, 86012304)
HANDSETS: Final = HANDSETS_PER_TAC * len(TACS)
"""With these; each million after them has other ones."""
AGAIN_EVERY: Final = 20
"""Each twentieth job is of a handset that was here before."""
ENDS: Final = (
    *[(Outcome.PASSED, Disposition.SELLABLE, None)] * 7,
    (Outcome.FAILED, Disposition.HOLD, Reason.LOCKED),
    (Outcome.FAILED, Disposition.DESTROY, Reason.FELICA_RESIDUE),
    (Outcome.ABORTED, Disposition.HOLD, Reason.UNPLUGGED),
)
LOT_OF: Final = 500
"""So many handsets came in together,"""
CONSIGNORS: Final = 40
"""from so many consignors,"""
DEAD_EVERY: Final = 200
"""and each so many jobs there is a handset that can't be plugged in."""
_BY: Final = Who(operator="nobody")


class Named:
    """What a job and its handset are called."""

    @staticmethod
    def handset(number: int) -> int:
        """Which handset it is; some come again."""
        return number // 2 if number % AGAIN_EVERY == AGAIN_EVERY - 1 else number

    @staticmethod
    def imei(number: int) -> str:
        """An IMEI with its check digit."""
        which = Named.handset(number)
        tac = TACS[which % len(TACS)] + which // HANDSETS
        digits = f"{tac}{which * 7919 % 1_000_000:06d}"
        return digits + _check_digit(digits)

    @staticmethod
    def serial(number: int) -> str:
        """Eleven letters and digits, as makers print them."""
        return "R5C" + _hash(f"serial {Named.handset(number)}")[:8].upper()

    @staticmethod
    def job(number: int) -> JobId:
        """In the form of the rack's own."""
        month, day = number // 90_000 % 12 + 1, number // 3000 % 28 + 1
        return JobId(f"2026{month:02d}{day:02d}-{_hash(f'job {number}')[:10]}")


class TakenIn:
    """What is on record of a job's handset before it's plugged in."""

    @staticmethod
    def lot(number: int) -> str:
        """The lot of a job's handset."""
        return f"L-{number // LOT_OF:05d}"

    @staticmethod
    def tag(number: int) -> str:
        """Its label."""
        return f"T-{number:08d}"

    @staticmethod
    def records(number: int, at: datetime) -> Iterator[Entry]:
        """A lot with its first handset, and now and then a dead one; mostly nothing."""
        lot = TakenIn.lot(number)
        if number % LOT_OF == 0:
            told = LotRecord(
                lot=lot,
                consignor=f"Consignor {number // LOT_OF % CONSIGNORS}",
                kind=LotKind.CORPORATE_RETURN,
                paper="",
                taken_in_at=at,
                identity_check="",
                attests=(),
                excepted=(),
                by=_BY,
            )
            yield Entry(kind=EntryKind.LOT_ADDED, at=at, data=to_json(told))
        if number % DEAD_EVERY == 0:
            dead = UnerasableRecord(
                lot=lot,
                tag=f"D-{number:08d}",
                reason=Unerasable.NO_POWER,
                disposition=Disposition.DESTROY,
                note="",
                by=_BY,
            )
            case = JobId(f"{at:%Y%m%d}-{_hash(dead.tag)[:10]}")
            yield Entry(kind=EntryKind.ASSET_UNERASABLE, at=at, job=case, data=to_json(dead))


class Certified:
    """How a job ends."""

    @staticmethod
    def envelope(number: int) -> str:
        """What stands where a certificate would."""
        return f'{{"payload":"{number}"}}'

    @staticmethod
    def certificate(number: int) -> str:
        """The number of its certificate."""
        return digest_of(Certified.envelope(number))


def job_records(number: int, at: datetime) -> Iterator[Entry]:
    """Those records of a job that tell something of its handset, from its opening to its end."""
    outcome, disposition, reason = ENDS[number % len(ENDS)]
    yield _entry(
        number,
        at,
        EntryKind.JOB_OPENED,
        {"recipe": "overwrite", "recipe_sha256": "0" * 64, "usb_serial": Named.serial(number)},
    )
    yield _stage(number, at, StageName.INSPECT, inspection(number))
    bound = {"lot": TakenIn.lot(number), "tag": TakenIn.tag(number), "imeis": [Named.imei(number)]}
    yield _entry(number, at, EntryKind.ASSET_BOUND, {**_bound(), **bound})
    verdict = ChipVerdict.IN_USE if number % 9 == 0 else ChipVerdict.UNUSED
    yield _stage(number, at, StageName.FELICA_CHECK, _chip(verdict))
    yield _stage(number, at, StageName.INITIALISE, _initialise(), skipped=bool(number % 3))
    yield _entry(
        number,
        at,
        EntryKind.JOB_ENDED,
        {
            "outcome": outcome,
            "disposition": disposition,
            "reason": reason,
            "detail": "",
            "certificate": None if reason else Certified.envelope(number),
        },
    )


def noise_records(number: int, at: datetime, count: int) -> Iterator[Entry]:
    """The records of a job that tell nothing which is looked for, of a usual size."""
    for step in range(count):
        data: Evidence = {"stage": "overwrite", "attempt": step, "destructive": True}
        if step % 2:
            data = {
                **data,
                "outcome": "passed",
                "because": None,
                "form": FORM,
                "evidence": _filled(),
            }
        kind = EntryKind.STAGE_ENDED if step % 2 else EntryKind.STAGE_STARTED
        yield _entry(number, at + timedelta(seconds=step), kind, data)


def inspection(number: int) -> Evidence:
    """Of a handset with a model, a serial and an IMEI."""
    return {
        **_inspected(),
        "serial": Named.serial(number),
        "model": f"SC-{number % 40 + 50}A",
        "imei": Named.imei(number),
        "account_count": int(number % 11 == 0),
    }


@cache
def _inspected() -> Evidence:
    return to_json(replace(USUAL, manufacturer="samsung", build="TP1A", jpki_capable=True))


@cache
def _bound() -> Evidence:
    told = BoundRecord(
        lot="L",
        lot_sequence=1,
        tag="T",
        bound_by=BoundBy.IMEI,
        imeis=(),
        serial=None,
        model=None,
        differs="",
        by=None,
    )
    return to_json(told)


@cache
def _chip(verdict: ChipVerdict) -> Evidence:
    return to_json(ChipEvidence(source="reader", verdict=verdict, chip="0" * 32))


@cache
def _initialise() -> Evidence:
    return to_json(InitialiseEvidence(before=JUST_RESET, fresh_used_bytes=1 << 30))


def _filled() -> JsonValue:
    return {"files": [f"fill-{number:06d}.dat" for number in range(40)]}


def _stage(
    number: int, at: datetime, stage: StageName, evidence: Evidence, *, skipped: bool = False
) -> Entry:
    data: Evidence = {
        "stage": stage,
        "outcome": Outcome.SKIPPED if skipped else Outcome.PASSED,
        "because": "arrived_reset" if skipped else None,
        "form": FORM,
        "came_back": None,
        "evidence": evidence,
    }
    return _entry(number, at, EntryKind.STAGE_ENDED, data)


def _entry(number: int, at: datetime, kind: EntryKind, data: Evidence) -> Entry:
    slot = SlotName(f"A{number % 28 + 1}")
    return Entry(
        kind=kind, at=at, slot=slot, occupancy=number // 28 + 1, job=Named.job(number), data=data
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_digit(digits: str) -> str:
    doubled = [
        int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))
    ]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
