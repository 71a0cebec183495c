"""Folds the ledger's records of intake into lots, assets and what is attested of them.

The live book and the proof's own are made by the same fold; the proof reads the records afresh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind, LotId, Tag
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.attestation import Attestation, CameIn, asset_lines
from benchd.proof.evidence.intake_evidence import (
    AssessedRecord,
    AssetLine,
    AssetsRecord,
    AttestedRecord,
    BoundRecord,
    LotRecord,
    NamedList,
    NetworkLine,
    NetworkRecord,
    StruckRecord,
    TimeConfirmedRecord,
    UnerasableRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.network import RESTRICTED
from benchd.proof.time_basis import TimeConfirmed

T = TypeVar("T", AssetsRecord, NetworkRecord)
R = TypeVar("R")


def read_record(kind: type[R], record: StoredEntry) -> R:
    """What a record of intake says; raises CertificateGap where it isn't of its form."""
    entry = record.entry
    return from_json(kind, entry.data, entry.kind)


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset with its lot."""

    lot: LotId
    line: AssetLine

    @property
    def tag(self) -> Tag:
        """Its label."""
        return Tag(self.line.tag)


@dataclass(slots=True)
class Lot:
    """A lot and all that is in it."""

    told: LotRecord
    sequence: int
    came_in: CameIn = field(default_factory=CameIn)
    attestations: list[Attestation] = field(default_factory=list[Attestation])

    @property
    def tags(self) -> Sequence[Tag]:
        """Of its assets, in the order in which they came in."""
        return self.came_in.tags

    def awaits_list_of(self, by: Who) -> Attestation | None:
        """What was attested with the lot itself, if an import of this person now is its list.

        The first one is, by whoever has taken the lot in: one act in two steps.
        """
        first = next(iter(self.attestations), None)
        if first is None or first.sequence != self.sequence or self.came_in.ever:
            return None
        return first if first.by.is_shown and by.is_shown and by.person == first.by.person else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """The network restriction of one IMEI, and where it's on record."""

    line: NetworkLine
    source: str
    by: Who
    sequence: int
    hash_hex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Which handset an asset was in one job."""

    job: JobId
    sequence: int
    told: BoundRecord

    @property
    def tag(self) -> Tag:
        """Of the asset."""
        return Tag(self.told.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What was seen of an asset without adb, and when."""

    at: datetime
    told: AssessedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A line that was entered by mistake, and when it was struck."""

    at: datetime
    line: AssetLine
    told: StruckRecord


@dataclass(slots=True)
class _Batches(Generic[T]):
    """Parts of imports that aren't complete yet; one that a crash cut short never is."""

    parts: dict[str, list[tuple[StoredEntry, T]]] = field(
        default_factory=dict[str, "list[tuple[StoredEntry, T]]"]
    )

    def complete(self, record: StoredEntry, part: T) -> list[tuple[StoredEntry, T]]:
        """All parts once the last is there, else none."""
        found = self.parts.setdefault(part.batch, [])
        found.append((record, part))
        told = [each.part for _, each in found]
        if told != list(range(1, part.parts + 1)):
            return []
        return self.parts.pop(part.batch)


def about(
    records: Iterable[StoredEntry], lot: LotId, tag: Tag, imeis: Collection[str]
) -> Iterator[StoredEntry]:
    """What bears on one asset: a proof of it needn't read through all others.

    A handset of these numbers may have come in again since, in whichever lot.
    """
    for record in records:
        data = record.entry.data
        match record.entry.kind:
            case EntryKind.NETWORK_LISTED | EntryKind.TIME_CONFIRMED | EntryKind.ASSET_STRUCK:
                yield record
            case EntryKind.ASSET_BOUND | EntryKind.ASSET_UNERASABLE | EntryKind.ASSET_ASSESSED:
                if data.get("tag") == tag:
                    yield record
            case EntryKind.ASSETS_ADDED:
                yield _narrowed(record, tag, imeis)
            case _:
                if data.get("lot") == lot:
                    yield record


def _narrowed(record: StoredEntry, tag: Tag, imeis: Collection[str]) -> StoredEntry:
    """A part of an import with nothing but this handset in it, or else one that it isn't."""
    lines = record.entry.data.get("assets")
    if not isinstance(lines, Sequence) or isinstance(lines, str):
        return record
    mine = [
        line for line in asset_lines(record) if line.get("tag") == tag or line.get("imei") in imeis
    ]
    data = {**record.entry.data, "assets": mine or lines[:1]}
    return replace(record, entry=replace(record.entry, data=data))


class IntakeBook:
    """All that came in. `take` follows the ledger record by record; nothing else changes it."""

    def __init__(self) -> None:
        self.lots: dict[LotId, Lot] = {}
        self.assets: dict[Tag, Asset] = {}
        self.by_imei: dict[str, Asset] = {}
        self.by_serial: dict[str, list[Asset]] = {}
        self.attested: dict[int, Attestation] = {}
        self.looked_up: dict[str, list[LookUp]] = {}
        self.bound: dict[Tag, list[Bound]] = {}
        self.of_job: dict[JobId, Bound] = {}
        self.unerasable: dict[Tag, UnerasableRecord] = {}
        self.cases: dict[Tag, JobId] = {}
        """Under which number it stays open what becomes of those."""
        self.assessed: dict[Tag, Assessed] = {}
        """The last look at each of those that was assessed without adb."""
        self.struck: dict[LotId, list[Struck]] = {}
        """Lines that were entered by mistake, by the lot that they were in."""
        self.held_to_reader: dict[str, set[Tag]] = {}
        """Which assets a chip was seen with that people held to a reader."""
        self.time_confirmed: dict[int, TimeConfirmed] = {}
        self.in_doubt: set[LotId | None] = set()
        """Lots of which a record can't be read, as one of a newer release; None: any lot may be."""
        self._assets = _Batches[AssetsRecord]()
        self._look_ups = _Batches[NetworkRecord]()

    @classmethod
    def of(cls, records: Iterable[StoredEntry]) -> IntakeBook:
        """The book that these records make; CertificateGap for one that isn't of its form."""
        book = cls()
        for record in records:
            book.take(record)
        return book

    def take(self, record: StoredEntry) -> None:
        """Follow one record; CertificateGap if it isn't of its form: its lot is in doubt then."""
        try:
            self._take(record)
        except CertificateGap:
            # One that only confirms the time allows something, and so is none to go by.
            if record.entry.kind is not EntryKind.TIME_CONFIRMED:
                lot = record.entry.data.get("lot")
                self.in_doubt.add(LotId(lot) if isinstance(lot, str) else None)
            raise

    def _take(self, record: StoredEntry) -> None:
        match record.entry.kind:
            case EntryKind.LOT_ADDED:
                self._lot_added(record, read_record(LotRecord, record))
            case EntryKind.ASSETS_ADDED:
                self._assets_added(record, read_record(AssetsRecord, record))
            case EntryKind.ASSET_STRUCK:
                self._asset_struck(record, read_record(StruckRecord, record))
            case EntryKind.ATTESTED:
                self._attested(record, read_record(AttestedRecord, record))
            case EntryKind.ATTESTATION_WITHDRAWN:
                self._withdrawn(read_record(WithdrawnRecord, record))
            case EntryKind.NETWORK_LISTED:
                self._network_listed(record, read_record(NetworkRecord, record))
            case EntryKind.ASSET_BOUND:
                self._asset_bound(record, read_record(BoundRecord, record))
            case EntryKind.ASSET_UNERASABLE | EntryKind.ASSET_ASSESSED:
                self._in_hand(record)
            case EntryKind.TIME_CONFIRMED:
                self.time_confirmed[record.sequence] = TimeConfirmed(
                    sequence=record.sequence,
                    at=record.entry.at,
                    told=read_record(TimeConfirmedRecord, record),
                )
            case _:
                pass

    def attestations(self, kind: AttestationKind, asset: Asset) -> Iterator[Attestation]:
        """All that state this of it and still do, the newest first."""
        lot = self.lots.get(asset.lot)
        for attestation in reversed(lot.attestations if lot else []):
            if attestation.covers(kind, asset.tag):
                yield attestation

    def newest_look_up(self, imeis: Iterable[str]) -> LookUp | None:
        """The newest of these numbers; of two at one time the one that forbids more.

        What restricts one number stands until a newer look-up of that very number.
        """
        listed = (self.looked_up.get(imei, ()) for imei in imeis)
        found = [max(of_one, key=_newest) for of_one in listed if of_one]
        restricting = [each for each in found if each.line.sign == RESTRICTED]
        return max(restricting or found, key=_newest, default=None)

    @property
    def unfinished(self) -> Mapping[str, int]:
        """Imports that a crash cut short, with how many parts of them there are."""
        both = (self._assets.parts, self._look_ups.parts)
        return {batch: len(parts) for each in both for batch, parts in each.items()}

    def _lot_added(self, record: StoredEntry, told: LotRecord) -> None:
        lot = self.lots[LotId(told.lot)] = Lot(told=told, sequence=record.sequence)
        if told.attests:
            self._keep(record, told, lot, told.attests)

    def _assets_added(self, record: StoredEntry, told: AssetsRecord) -> None:
        lot = self.lots.get(LotId(told.lot))
        parts = self._assets.complete(record, told)
        if lot is not None and parts and (attested := lot.awaits_list_of(told.by)) is not None:
            attested.upto, attested.named = record.sequence, told.named
        for _, part in parts:
            for line in part.assets:
                asset = Asset(LotId(told.lot), line)
                self.assets[asset.tag] = asset
                if lot is not None:
                    lot.came_in.add(asset.tag, record.sequence)
                if line.imei is not None:
                    self.by_imei[line.imei] = asset
                if line.serial is not None:
                    self.by_serial.setdefault(line.serial, []).append(asset)

    def is_untouched(self, tag: Tag) -> bool:
        """Whether nothing but its line is on record of an asset, so that this can be struck."""
        return not (self.bound.get(tag) or tag in self.unerasable or tag in self.assessed)

    def is_struck(self, tag: Tag) -> bool:
        """Whether there was such an asset, and its line was struck since."""
        lines = (one for of_lot in self.struck.values() for one in of_lot)
        return tag not in self.assets and any(one.line.tag == tag for one in lines)

    def _asset_struck(self, record: StoredEntry, told: StruckRecord) -> None:
        """The asset is none any more; an earlier one with its IMEI counts again."""
        asset = self.assets.get(Tag(told.tag))
        if asset is None or asset.lot != told.lot or not self.is_untouched(asset.tag):
            return
        del self.assets[asset.tag]
        if asset.lot in self.lots:
            self.lots[asset.lot].came_in.strike(asset.tag)
        imei, serial = asset.line.imei, asset.line.serial
        if imei is not None and self.by_imei.get(imei) is asset:
            del self.by_imei[imei]
            before = [one for one in self.assets.values() if one.line.imei == imei]
            if before:
                self.by_imei[imei] = before[-1]
        if serial is not None:
            self.by_serial[serial].remove(asset)
        struck = Struck(at=record.entry.at, line=asset.line, told=told)
        self.struck.setdefault(asset.lot, []).append(struck)

    def _attested(self, record: StoredEntry, told: AttestedRecord) -> None:
        lot = self.lots.get(LotId(told.lot))
        if lot is None:
            return
        self._keep(record, told, lot, told.kinds, told.tags, told.named)

    def _keep(
        self,
        record: StoredEntry,
        told: LotRecord | AttestedRecord,
        lot: Lot,
        kinds: Iterable[AttestationKind],
        tags: Iterable[str] | None = None,
        named: NamedList | None = None,
    ) -> None:
        """An attestation of a lot, or of some of its assets, by the record that states it."""
        attestation = Attestation(
            sequence=record.sequence,
            hash_hex=record.hash_hex,
            at=record.entry.at,
            by=told.by,
            lot=LotId(told.lot),
            kinds=frozenset(kinds),
            tags=None if tags is None else frozenset(tags),
            excepted=frozenset(told.excepted),
            upto=record.sequence,
            named=named,
            came_in=lot.came_in,
        )
        lot.attestations.append(attestation)
        self.attested[attestation.sequence] = attestation

    def _withdrawn(self, told: WithdrawnRecord) -> None:
        attestation = self.attested.get(told.attestation)
        if attestation is not None:
            attestation.withdrawn.append(told)

    def _network_listed(self, record: StoredEntry, told: NetworkRecord) -> None:
        for kept, part in self._look_ups.complete(record, told):
            for line in part.results:
                look_up = LookUp(
                    line=line,
                    source=part.source,
                    by=part.by,
                    sequence=kept.sequence,
                    hash_hex=kept.hash_hex,
                )
                self.looked_up.setdefault(line.imei, []).append(look_up)

    def _in_hand(self, record: StoredEntry) -> None:
        """What people have said of an asset that nobody has plugged in."""
        told: UnerasableRecord | AssessedRecord
        if record.entry.kind is EntryKind.ASSET_UNERASABLE:
            told = read_record(UnerasableRecord, record)
            self.unerasable[Tag(told.tag)] = told
            if record.entry.job is not None:
                self.cases[Tag(told.tag)] = record.entry.job
        else:
            told = read_record(AssessedRecord, record)
            self.assessed[Tag(told.tag)] = Assessed(at=record.entry.at, told=told)
        self._held_to_reader(told)

    def _held_to_reader(self, told: UnerasableRecord | AssessedRecord) -> None:
        if told.chip is not None and told.chip.chip is not None:
            self.held_to_reader.setdefault(told.chip.chip, set()).add(Tag(told.tag))

    def _asset_bound(self, record: StoredEntry, told: BoundRecord) -> None:
        if record.entry.job is None:
            return
        bound = Bound(job=record.entry.job, sequence=record.sequence, told=told)
        self.bound.setdefault(Tag(told.tag), []).append(bound)
        self.of_job[bound.job] = bound


def _newest(look_up: LookUp) -> tuple[datetime, bool]:
    return look_up.line.at, look_up.line.sign == RESTRICTED
