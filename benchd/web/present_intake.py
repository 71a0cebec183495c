"""What the routes of lots and assets show: the book of intake as JSON objects."""

from __future__ import annotations

from typing import Final

from benchd.intake.desk import IntakeDesk
from benchd.intake.importing import Imported
from benchd.proof.attestation import Attestation
from benchd.proof.intake_book import Asset, Lot
from benchd.texts.catalogue import Catalogue, printable
from benchd.web.intake_objects import (
    AssetObject,
    AttestationObject,
    ImportObject,
    LotObject,
    MistakeObject,
    WithdrawalObject,
)

MOST_LATE: Final = 20
"""Tags of what came later, at each attestation: a system can put in as much as it likes."""


def imported(done: Imported, catalogue: Catalogue) -> ImportObject:
    """What became of a file."""
    return ImportObject(
        taken=done.taken,
        rows=done.rows,
        late=done.late,
        mistakes=[
            MistakeObject(
                line=each.line,
                column=printable(each.column),
                code=each.code,
                ja=(said := catalogue.mistake(each.code, each.facts)).ja,
                en=said.en,
            )
            for each in done.mistakes
        ],
    )


def lot_shown(lot: Lot) -> dict[str, object]:
    """One lot in short."""
    told = lot.told
    return {
        "lot": told.lot,
        "consignor": told.consignor,
        "kind": told.kind,
        "paper": told.paper,
        "taken_in_at": told.taken_in_at.isoformat(),
        "assets": len(lot.tags),
    }


def whole_lot(desk: IntakeDesk, lot: Lot) -> LotObject:
    """One lot with what is attested of it."""
    book = desk.book
    return LotObject.model_validate(
        {
            **lot_shown(lot),
            "identity_check": lot.told.identity_check,
            "operator": lot.told.by.operator,
            "in_jobs": sum(tag in book.bound for tag in lot.tags),
            "unerasable": sum(tag in book.unerasable for tag in lot.tags),
            "attestations": [_attestation(each) for each in lot.attestations],
        }
    )


def asset_shown(desk: IntakeDesk, asset: Asset) -> AssetObject:
    """One asset, and what has become of it."""
    line, dead = asset.line, desk.book.unerasable.get(asset.tag)
    return AssetObject(
        tag=line.tag,
        lot=asset.lot,
        imei=line.imei,
        serial=line.serial,
        model=line.model,
        colour=line.colour,
        grade=line.grade,
        jobs=[bound.job for bound in desk.book.bound.get(asset.tag, ())],
        unerasable=dead.reason if dead else None,
        disposition=dead.disposition if dead else None,
        case=desk.book.cases.get(asset.tag),
    )


def _attestation(told: Attestation) -> AttestationObject:
    of_whole = told.tags is None
    return AttestationObject(
        sequence=told.sequence,
        kinds=sorted(told.kinds),
        tags=None if told.tags is None else sorted(told.tags),
        excepted=sorted(told.excepted),
        assets=told.assets,
        late=told.late if of_whole else 0,
        late_tags=list(told.first_late(MOST_LATE)) if of_whole else [],
        withdrawn=bool(told.withdrawn),
        withdrawals=[
            WithdrawalObject(
                kinds=list(gone.kinds),
                tags=list(gone.tags),
                note=gone.note,
                operator=gone.by.operator,
            )
            for gone in told.withdrawn
        ],
        operator=told.by.operator,
        at=told.at.isoformat(),
    )
