"""Which asset the handset is, and what was gone by instead of asking: never which person's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchd.certificate.people_section import DecisionSection
from benchd.domain.evidence_values import Moment, Positive, Said, Sha256
from benchd.domain.intake import AttestationKind, BoundBy, LotId, LotKind, NotNeeded
from benchd.domain.job import Gate
from benchd.proof.citation import REQUIRABLE
from benchd.proof.erasure import HandsetErasure
from benchd.proof.network import SALEABLE

WAIVED_BY_INTAKE = (Gate.CONSENT, Gate.JPKI, Gate.NETWORK)
"""Each of them was answered in the job, or stands in this section."""
FROM_FIRMS = frozenset(
    {
        LotKind.COLLECTION,
        LotKind.CORPORATE_RETURN,
        LotKind.AUCTION,
        LotKind.LEASE_RETURN,
        LotKind.BROKER,
    }
)
"""Their consignor is named. The others may come from a person, as a dealer may be one who trades
alone, and whoever buys the handset isn't to learn from whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationSection:
    """A record of intake that a gate went by, with the hash that it had."""

    gate: Gate
    sequence: Positive
    hash: Sha256
    whole_lot: bool
    operator: Said
    at: Moment
    sign: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredSection:
    """What the recipe wanted to be attested at intake, by the record that attests it."""

    kind: AttestationKind
    sequence: Positive
    hash: Sha256
    whole_lot: bool
    operator: Said
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNeededSection:
    """A gate at which nobody had to be asked, and why."""

    gate: Gate
    because: NotNeeded


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSection:
    """Lot and tag; null where the handset came in with none, or it's in doubt."""

    lot: str | None
    lot_kind: LotKind | None
    tag: str | None
    consignor: str | None
    """The firm that it came from; null where that may be a person."""
    bound_by: Literal[BoundBy.IMEI, BoundBy.SERIAL, BoundBy.TAG] | None
    """Of the drawn job where it was rechecked."""
    identity_checked: bool | None
    """Whether the seller's identity was checked when the lot was taken in."""
    attestations: tuple[AttestationSection, ...]
    not_needed: tuple[NotNeededSection, ...]
    required: tuple[RequiredSection, ...]

    @classmethod
    def of(cls, erasure: HandsetErasure) -> IntakeSection:
        """From the job's binding and what the proof has compared with the records of intake."""
        case = erasure.intake
        told = case.asset.told if case.asset else None
        lot = case.book.lots[LotId(told.lot)].told if told else None
        settled = case.settled.values()
        return cls(
            lot=told.lot if told else None,
            lot_kind=lot.kind if lot else None,
            tag=told.tag if told else None,
            consignor=lot.consignor if lot and lot.kind in FROM_FIRMS else None,
            bound_by=told.bound_by if told else None,  # pyright: ignore[reportArgumentType] - checked when signed
            identity_checked=bool(lot.identity_check) if lot else None,
            attestations=tuple(
                AttestationSection(
                    gate=each.gate,
                    sequence=each.cited.sequence,
                    hash=each.cited.hash,
                    whole_lot=each.cited.whole_lot,
                    operator=each.cited.operator,
                    at=each.cited.at,
                    sign=each.cited.sign,
                    source=each.cited.source,
                )
                for each in settled
                if each.cited is not None
            ),
            not_needed=tuple(
                NotNeededSection(gate=each.gate, because=each.not_needed)
                for each in settled
                if each.not_needed is not None
            ),
            required=tuple(
                RequiredSection(
                    kind=each.kind,
                    sequence=each.cited.sequence,
                    hash=each.cited.hash,
                    whole_lot=each.cited.whole_lot,
                    operator=each.cited.operator,
                    at=each.cited.at,
                )
                for each in case.evidence.gates.required
            ),
        )


def gaps_of_intake(
    section: IntakeSection, decisions: Sequence[DecisionSection], issued_at: Moment
) -> Iterator[str]:
    """Whether each gate was answered, or says by what it was settled."""
    told = (section.lot, section.lot_kind, section.tag, section.bound_by, section.identity_checked)
    if any(each is None for each in told) and any(each is not None for each in told):
        yield "intake names an asset only in part"
    if (section.consignor is not None) is not (section.lot_kind in FROM_FIRMS):
        yield "intake names a consignor that may be a person, or doesn't name a firm"
    if (section.attestations or section.required) and section.lot is None:
        yield "something was attested of a handset that is no asset"
    approved = {decision.gate for decision in decisions if decision.approved}
    cited = {each.gate for each in section.attestations}
    spared = {each.gate for each in section.not_needed}
    for gate in WAIVED_BY_INTAKE:
        if gate not in approved | cited | spared:
            yield f"{gate} was neither answered, nor attested, nor needless"
    if not (cited | spared) <= set(WAIVED_BY_INTAKE) or Gate.NETWORK in spared:
        yield "intake settles what only the job can"
    yield from _gaps_of_required(section.required, issued_at)
    for each in section.attestations:
        if each.at > issued_at:
            yield f"it was issued before {each.gate} was attested"
        if (each.sign in SALEABLE) is not (each.gate is Gate.NETWORK):
            yield f"{each.gate} was attested as what it isn't"


def _gaps_of_required(required: Sequence[RequiredSection], issued_at: Moment) -> Iterator[str]:
    kinds = [each.kind for each in required]
    if len(set(kinds)) != len(kinds) or not set(kinds) <= set(REQUIRABLE):
        yield "intake requires what no recipe can"
    for each in required:
        if each.at > issued_at:
            yield f"it was issued before {each.kind} was attested"
