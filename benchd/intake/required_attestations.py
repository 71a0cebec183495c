"""What has to have been attested of an asset before it may go to be destroyed without a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import IntakeRefused
from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind, BoundBy, TimeDoubt
from benchd.domain.job import Gate
from benchd.proof.citation import AssetInHand, CitedWhen, Numbers, cite
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import (
    BoundRecord,
    ChipHeldToReader,
    RequiredAttestation,
    Who,
)
from benchd.proof.intake_book import Asset, IntakeBook

_ATTESTED_OF: Final[Mapping[AttestationKind, Gate | AttestationKind]] = MappingProxyType(
    {AttestationKind.CONSENT: Gate.CONSENT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """By kind how old it may be, in seconds."""

    always: Mapping[AttestationKind, float] = field(
        default_factory=dict[AttestationKind, float], hash=False
    )
    of_chip_in_use: float | None = None
    """Of the owner's consent to lose what the chip holds, where a reader has seen it in use."""

    def cited(
        self,
        asset: Asset,
        chip: ChipHeldToReader | None,
        *,
        by: Who,
        case: JobId,
        book: IntakeBook,
        time: TimeBasis | TimeDoubt,
    ) -> tuple[RequiredAttestation, ...]:
        """The record of intake for each; IntakeRefused with cause and cure where one is missing."""
        wanted = dict(self.always)
        in_use = chip is not None and chip.verdict is ChipVerdict.IN_USE
        if in_use and self.of_chip_in_use is not None:
            wanted[AttestationKind.CONSENT] = self.of_chip_in_use
        if not wanted:
            return ()
        if isinstance(time, TimeDoubt):
            raise IntakeRefused(
                "it can't be said now how old what was attested is: have an administrator confirm"
                " the rack's time (`benchd time show` says how), then enter it again"
            )
        hand = _in_hand(asset, by, case, book)
        when = CitedWhen(at=time.at, after=time.after)
        found: list[RequiredAttestation] = []
        for attestation, limit_s in wanted.items():
            what = _ATTESTED_OF.get(attestation, attestation)
            cited = cite(book, hand, what, when=when, limit_s=limit_s)
            if cited is None:
                raise IntakeRefused(
                    f"{attestation} isn't attested of {asset.tag}, or too long ago: attest it for"
                    f" this tag in lot {asset.lot}, then enter it again; without it, return the"
                    " handset"
                )
            found.append(RequiredAttestation(kind=attestation, cited=cited, time=time))
        return tuple(found)


def _in_hand(asset: Asset, by: Who, case: JobId, book: IntakeBook) -> AssetInHand:
    """By its label alone, as a person has it before them: no number of it is known."""
    told = BoundRecord(
        lot=asset.lot,
        lot_sequence=book.lots[asset.lot].sequence,
        tag=asset.tag,
        bound_by=BoundBy.TAG,
        imeis=(),
        serial=None,
        model=asset.line.model,
        differs="",
        by=by,
    )
    return AssetInHand(job=case, told=told, numbers=Numbers(imeis=frozenset(), serial=None))
