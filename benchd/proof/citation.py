"""What may stand for a person's answer at a gate: what was attested of this very asset at intake.

Stages and proof go by the same rules. The proof applies them to records that it has read anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind, BoundBy, LotId, Tag
from benchd.domain.job import Gate
from benchd.proof.attestation import Attestation
from benchd.proof.evidence.intake_evidence import BoundRecord, CitedAttestation
from benchd.proof.floors import (
    MOST_DAYS_OF_CONSENT,
    MOST_DAYS_OF_JPKI,
    MOST_DAYS_OF_NETWORK,
)
from benchd.proof.intake_book import Asset, Bound, IntakeBook, LookUp
from benchd.proof.network import SALEABLE

DAY_S: Final = 86_400
ATTESTED_AS: Final[Mapping[Gate, AttestationKind]] = MappingProxyType(
    {Gate.CONSENT: AttestationKind.CONSENT, Gate.JPKI: AttestationKind.JPKI}
)
"""What has to have been attested for a gate; the network restriction comes from lists."""
REQUIRABLE: Final = (AttestationKind.IDENTITY, AttestationKind.ERASURE)
"""What a recipe may want to be attested: whoever knows it stood before the seller, so that nobody
at the rack is asked."""
LONGEST_LIMIT_S: Final[Mapping[Gate | AttestationKind, float]] = MappingProxyType(
    {
        Gate.CONSENT: MOST_DAYS_OF_CONSENT * DAY_S,
        Gate.JPKI: MOST_DAYS_OF_JPKI * DAY_S,
        Gate.NETWORK: MOST_DAYS_OF_NETWORK * DAY_S,
        AttestationKind.IDENTITY: MOST_DAYS_OF_CONSENT * DAY_S,
        AttestationKind.ERASURE: MOST_DAYS_OF_CONSENT * DAY_S,
    }
)
"""How old it may be, whatever a recipe allows."""


def attested_as(what: Gate | AttestationKind) -> AttestationKind | None:
    """What has to have been attested; None where attesting settles nothing."""
    if isinstance(what, Gate):
        return ATTESTED_AS.get(what)
    return what if what in REQUIRABLE else None


OTHER_MODEL: Final = "its model isn't that of the papers"
UNKNOWN_MODEL: Final = "its label was scanned before its model was known"
OTHER_IMEI: Final = "its IMEI is another"
OTHER_SERIAL: Final = "its serial is another"
_ANOTHER: Final = frozenset({OTHER_IMEI, OTHER_SERIAL})
OF_MODEL: Final = (OTHER_MODEL, UNKNOWN_MODEL)
"""With these a label may be bound if somebody insists; nothing is cited then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What is known of the handset in the slot."""

    imeis: frozenset[str] = field(repr=False)
    """Told by it, or read by a person on its own screen."""
    serial: str | None = field(repr=False)
    proven: frozenset[str] = field(default=frozenset(), repr=False)
    """Those of them that don't rest on one person's one look."""
    certified_at: int = 0
    """The record of this handset's last certificate by another job; 0 where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedWhen:
    """When something was cited."""

    at: datetime
    after: int
    """The newest record then: what came in later wasn't there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetInHand:
    """A handset that is taken for an asset, and why."""

    job: JobId
    told: BoundRecord
    numbers: Numbers

    @property
    def tag(self) -> Tag:
        """Of the asset."""
        return Tag(self.told.tag)


def doubts(book: IntakeBook, hand: AssetInHand) -> list[str]:
    """What keeps the handset from being taken for the asset; empty where nothing does."""
    asset = book.assets.get(hand.tag)
    if not book.in_doubt.isdisjoint({None, LotId(hand.told.lot)}):
        return ["a record of what came in can't be read: a newer release may have written it"]
    if asset is None or asset.lot != hand.told.lot or asset.lot not in book.lots:
        return ["there is no such asset in that lot"]
    if book.lots[asset.lot].sequence != hand.told.lot_sequence:
        return ["its lot was taken in by another record"]
    return list(_doubts(book, hand, asset))


def _doubts(book: IntakeBook, hand: AssetInHand, asset: Asset) -> Iterator[str]:
    told, numbers = hand.told, hand.numbers
    same_imei = asset.line.imei in numbers.imeis
    same_serial = asset.line.serial == numbers.serial
    if asset.tag in book.unerasable:
        yield "it is on record as not erasable"
    if asset.line.imei and numbers.imeis and not same_imei:
        yield OTHER_IMEI
    if asset.line.serial and numbers.serial and not same_serial and not same_imei:
        yield OTHER_SERIAL
    shown = {
        BoundBy.IMEI: asset.line.imei in numbers.proven,
        # Many have the same, and papers found by it bear nothing out.
        BoundBy.SERIAL: False,
        BoundBy.TAG: told.by is not None and told.by.person is not None,
        # A recheck cites nothing: whatever it has found stands in the drawn job.
        BoundBy.DRAWN: False,
    }
    if not shown[told.bound_by]:
        yield f"nothing shows that it is this asset by its {told.bound_by}"
    if told.bound_by is BoundBy.TAG and told.differs:
        yield OTHER_MODEL
    if told.bound_by is BoundBy.TAG and asset.line.model and told.model is None:
        yield UNKNOWN_MODEL
    if numbers.certified_at > told.lot_sequence:
        yield "its handset has a certificate since its lot came in: its papers are spent"
    newest = book.by_imei.get(asset.line.imei or "", asset)
    if newest.tag != asset.tag:
        yield f"it has come in again since, as {newest.tag}"
    if told.bound_by is not BoundBy.IMEI:
        yield from _seen_otherwise(book, hand)


def contradicts(book: IntakeBook, hand: AssetInHand) -> bool:
    """Whether the papers of the asset name another IMEI or serial than the handset has."""
    return not _ANOTHER.isdisjoint(doubts(book, hand))


def _seen_otherwise(book: IntakeBook, hand: AssetInHand) -> Iterator[str]:
    """Where a label or a serial that many have was on another handset before."""
    for other in book.bound.get(hand.tag, ()):
        if other.job != hand.job and _is_another(other, hand.numbers):
            yield f"in job {other.job} this asset was another handset"


def _is_another(bound: Bound, numbers: Numbers) -> bool:
    before = bound.told
    if before.imeis and numbers.imeis:
        return numbers.imeis.isdisjoint(before.imeis)
    return None not in (before.serial, numbers.serial) and before.serial != numbers.serial


def cite(
    book: IntakeBook,
    hand: AssetInHand,
    what: Gate | AttestationKind,
    *,
    when: CitedWhen,
    limit_s: float,
) -> CitedAttestation | None:
    """The newest attestation that settles this for this handset; None where there is none."""
    if doubts(book, hand):
        return None
    if what is Gate.NETWORK:
        newest = book.newest_look_up(hand.numbers.proven)
        found = [] if newest is None else [_of_look_up(newest, hand, limit_s)]
    else:
        kind = attested_as(what)
        stated = () if kind is None else book.attestations(kind, book.assets[hand.tag])
        found = [_of_attestation(each, hand, limit_s) for each in stated]
    return next((c for c in found if not cited_gaps(book, hand, what, c, when=when)), None)


def _of_attestation(stated: Attestation, hand: AssetInHand, limit_s: float) -> CitedAttestation:
    return CitedAttestation(
        sequence=stated.sequence,
        hash=stated.hash_hex,
        lot=stated.lot,
        tag=hand.tag,
        whole_lot=stated.tags is None,
        operator=stated.by.operator,
        at=stated.at,
        limit_s=limit_s,
    )


def _of_look_up(look_up: LookUp, hand: AssetInHand, limit_s: float) -> CitedAttestation:
    return CitedAttestation(
        sequence=look_up.sequence,
        hash=look_up.hash_hex,
        lot=hand.told.lot,
        tag=hand.tag,
        whole_lot=False,
        operator=look_up.by.operator,
        at=look_up.line.at,
        limit_s=limit_s,
        imei=look_up.line.imei,
        sign=look_up.line.sign,
        source=look_up.source,
    )


def cited_gaps(
    book: IntakeBook,
    hand: AssetInHand,
    what: Gate | AttestationKind,
    cited: CitedAttestation,
    *,
    when: CitedWhen,
) -> list[str]:
    """Why what was cited doesn't settle it; empty where the book says the very same."""
    gaps = [f"the asset is in doubt: {doubt}" for doubt in doubts(book, hand)]
    if gaps:
        return gaps
    kind = attested_as(what)
    if what is Gate.NETWORK:
        gaps += _of_network(book, hand, cited)
    elif kind is not None:
        gaps += _of_stated(book, hand, kind, cited, when.after)
    else:
        gaps.append("nothing that was attested can settle it")
    if cited.limit_s > LONGEST_LIMIT_S.get(what, 0):
        gaps.append("it was allowed to be older than any recipe may")
    if when.at - cited.at > timedelta(seconds=cited.limit_s):
        gaps.append("what was cited was too old")
    if cited.at > when.at:
        gaps.append("what was cited was attested later")
    return gaps


def _of_stated(
    book: IntakeBook,
    hand: AssetInHand,
    kind: AttestationKind,
    cited: CitedAttestation,
    after: int,
) -> Iterator[str]:
    stated = book.attested.get(cited.sequence)
    if stated is None:
        yield f"there is no attestation {cited.sequence} in its lot"
        return
    if cited != _of_attestation(stated, hand, cited.limit_s) or stated.lot != hand.told.lot:
        yield f"record {cited.sequence} doesn't say what was cited"
    elif not stated.by.is_shown:
        yield f"nobody showed who they were for record {cited.sequence}"
    elif not stated.covers(kind, hand.tag):
        yield f"record {cited.sequence} doesn't cover this asset, or was withdrawn"
    elif stated.tags is None and stated.had_exceptions(after) and not _known_by_imei(book, hand):
        # A label can be on another handset, and many have the same serial.
        yield "the lot has exceptions, and no IMEI says that it is none"


def _known_by_imei(book: IntakeBook, hand: AssetInHand) -> bool:
    return book.assets[hand.tag].line.imei in hand.numbers.proven


def _of_network(book: IntakeBook, hand: AssetInHand, cited: CitedAttestation) -> Iterator[str]:
    look_ups = book.looked_up.get(cited.imei or "", ())
    if cited.imei not in hand.numbers.proven:
        yield "another handset's network restriction was looked up"
    elif not any(
        each.by.is_shown and cited == _of_look_up(each, hand, cited.limit_s) for each in look_ups
    ):
        yield f"record {cited.sequence} doesn't say what was cited, or not by whom"
    elif cited.sequence < hand.told.lot_sequence:
        # The proof reads what came in with its lot and since.
        yield "it was looked up before the handset came in with this lot"
    newest = book.newest_look_up(hand.numbers.imeis)
    if cited.sign not in SALEABLE or newest is None or newest.line.sign not in SALEABLE:
        yield "the newest look-up forbids a sale"
