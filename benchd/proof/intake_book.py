"""Folds the ledger's records of intake into lots, assets and what is attested of them.

The live book and the proof's own are made by the same fold; the proof reads the records afresh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from benchd.proof.attestation import Attestation, SentIn
from benchd.proof.evidence.forms import from_json
from benchd.proof.evidence.intake import (
    AssetLine,
    AssetsRecord,
    AttestedRecord,
    BoundRecord,
    LotRecord,
    NetworkLine,
    NetworkRecord,
    UnerasableRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.network import RESTRICTED
from benchd.words.ids import Evidence, JobId
from benchd.words.intake import AttestationKind, LotId, Tag
from benchd.words.record import EntryKind, StoredEntry

T = TypeVar("T", AssetsRecord, NetworkRecord)


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
    tags: list[Tag] = field(default_factory=list[Tag])
    attestations: list[Attestation] = field(default_factory=list[Attestation])
    sent_in: SentIn = field(default_factory=SentIn)
    """What of it other systems have put in."""


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
            case EntryKind.NETWORK_LISTED:
                yield record
            case EntryKind.ASSET_BOUND | EntryKind.ASSET_UNERASABLE:
                if data.get("tag") == tag:
                    yield record
            case EntryKind.ASSETS_ADDED:
                yield _narrowed(record, tag, imeis)
            case _:
                if data.get("lot") == lot:
                    yield record


def asset_lines(record: StoredEntry) -> Iterator[Evidence]:
    """The assets that a record of `assets_added` names, in its own words; none of any other."""
    lines = record.entry.data.get("assets")
    for line in lines if isinstance(lines, Sequence) and not isinstance(lines, str) else ():
        if isinstance(line, Mapping):
            yield line


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
        """Follow one record; CertificateGap if it isn't of its form, and then nothing changes."""
        data, place = record.entry.data, str(record.entry.kind)
        match record.entry.kind:
            case EntryKind.LOT_ADDED:
                self._lot_added(record, from_json(LotRecord, data, place))
            case EntryKind.ASSETS_ADDED:
                self._assets_added(record, from_json(AssetsRecord, data, place))
            case EntryKind.ATTESTED:
                self._attested(record, from_json(AttestedRecord, data, place))
            case EntryKind.ATTESTATION_WITHDRAWN:
                self._withdrawn(from_json(WithdrawnRecord, data, place))
            case EntryKind.NETWORK_LISTED:
                self._network_listed(record, from_json(NetworkRecord, data, place))
            case EntryKind.ASSET_BOUND:
                self._asset_bound(record, from_json(BoundRecord, data, place))
            case EntryKind.ASSET_UNERASABLE:
                told = from_json(UnerasableRecord, data, place)
                self.unerasable[Tag(told.tag)] = told
                if record.entry.job is not None:
                    self.cases[Tag(told.tag)] = record.entry.job
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
            kinds, excepted = frozenset(told.attests), frozenset(told.excepted)
            self._keep(lot, record, told.by, kinds, None, excepted)

    def _assets_added(self, record: StoredEntry, told: AssetsRecord) -> None:
        lot = self.lots.get(LotId(told.lot))
        for _, part in self._assets.complete(record, told):
            for line in part.assets:
                asset = Asset(LotId(told.lot), line)
                self.assets[asset.tag] = asset
                if lot is not None:
                    lot.tags.append(asset.tag)
                    if part.by.is_system:
                        lot.sent_in.add(asset.tag, record.sequence, record.entry.at)
                if line.imei is not None:
                    self.by_imei[line.imei] = asset
                if line.serial is not None:
                    self.by_serial.setdefault(line.serial, []).append(asset)

    def _attested(self, record: StoredEntry, told: AttestedRecord) -> None:
        lot = self.lots.get(LotId(told.lot))
        if lot is not None:
            tags = None if told.tags is None else frozenset(told.tags)
            self._keep(lot, record, told.by, frozenset(told.kinds), tags, frozenset(told.excepted))

    def _keep(
        self,
        lot: Lot,
        record: StoredEntry,
        by: Who,
        kinds: frozenset[AttestationKind],
        tags: frozenset[str] | None,
        excepted: frozenset[str],
    ) -> None:
        attestation = Attestation(
            sequence=record.sequence,
            hash_hex=record.hash_hex,
            at=record.entry.at,
            by=by,
            lot=LotId(lot.told.lot),
            kinds=kinds,
            tags=tags,
            excepted=excepted,
            sent_in=lot.sent_in,
        )
        lot.attestations.append(attestation)
        self.attested[record.sequence] = attestation

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

    def _asset_bound(self, record: StoredEntry, told: BoundRecord) -> None:
        if record.entry.job is None:
            return
        bound = Bound(job=record.entry.job, sequence=record.sequence, told=told)
        self.bound.setdefault(Tag(told.tag), []).append(bound)
        self.of_job[bound.job] = bound


def _newest(look_up: LookUp) -> tuple[datetime, bool]:
    return look_up.line.at, look_up.line.sign == RESTRICTED
