"""What people do at intake: each is checked against the book, then one record of the ledger."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

import anyio

from benchd.domain.errors import HandsetAtWork, IntakeRefused, ModelDiffers, NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.imei import is_imei
from benchd.domain.intake import (
    AttestationKind,
    BoundBy,
    LotId,
    Mistake,
    Tag,
    TimeDoubt,
    Unerasable,
)
from benchd.domain.job import Disposition, StageName
from benchd.domain.job_ids import new_job_id
from benchd.domain.models.model_papers import fits_papers
from benchd.domain.person_names import operator_name
from benchd.domain.ports import Entropy
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.intake.csv_assets import check_tag, clashes
from benchd.intake.csv_format import HoldsBadge, nobodys
from benchd.intake.csv_import import Imported, Importer
from benchd.intake.intake_store import IntakeStore
from benchd.intake.required_attestations import Required
from benchd.intake.running_handsets import AT_WORK, Views, found_at_work
from benchd.proof.attestation import named_list
from benchd.proof.citation import OF_MODEL, UNKNOWN_MODEL, AssetInHand, Numbers, doubts
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import (
    AssessedRecord,
    AssetLine,
    AttestedRecord,
    BoundRecord,
    ChipHeldToReader,
    LotRecord,
    StruckRecord,
    TimeConfirmedRecord,
    UnerasableRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.intake_book import Assessed, Asset, IntakeBook, Lot
from benchd.proof.time_basis import CONFIRMED_WITHIN, STEP

LONGEST_TEXT: Final = 200
_WITHOUT_ADB: Final = frozenset(
    {StageName.LOOK, StageName.FELICA_RECHECK, StageName.FIND_DRAWN, StageName.RECHECK}
)
"""Where a handset may tell no model, and papers that name one are no reason to wait for it."""
SHORTEST_TO_FIND: Final = 4
"""Letters of a part of a number, as where handsets are looked for; a whole tag may be shorter."""
FOUND_AT_ONCE: Final = 2000


class IntakeDesk:
    """Takes lots, assets and attestations in. Whatever it refuses has changed nothing."""

    def __init__(
        self,
        store: IntakeStore,
        entropy: Entropy,
        views: Views = dict,
        required: Required | None = None,
    ) -> None:
        """`views` tells what the slots do; without it the rack has none."""
        self._store = store
        self._entropy = entropy
        self._views = views
        self.required = required or Required()
        """What has to be attested of what is to be destroyed; a reload changes it."""
        self._importer = Importer(store, entropy, views)

    @property
    def book(self) -> IntakeBook:
        """All that came in."""
        return self._store.book

    def revalidate_by(self, ask_again: Callable[[Who], None]) -> None:
        """Ask this once the turn of a sender has come: a token may have been revoked meanwhile."""
        self._store.ask_again = ask_again

    def lot(self, lot: str) -> Lot:
        """A lot by its name; raises NotFound."""
        found = self.book.lots.get(LotId(lot))
        if found is None:
            raise NotFound(f"there is no lot {lot[:LONGEST_TEXT]}")
        return found

    def asset(self, tag: str) -> Asset:
        """An asset by its tag; raises NotFound."""
        found = self.book.assets.get(Tag(tag))
        if found is None:
            raise NotFound(f"there is no asset {tag[:LONGEST_TEXT]}: import its lot first")
        return found

    async def find(self, text: str, most: int) -> list[Asset]:
        """Those with this in their tag, IMEI or serial, the newest first; a whole tag leads."""
        asked = unicodedata.normalize("NFKC", text).strip().casefold()
        whole = self.book.assets.get(Tag(text.strip()))
        found = [] if whole is None else [whole]
        for place, tag in enumerate(list(self.book.assets)[::-1]):
            if len(found) >= most or len(asked) < SHORTEST_TO_FIND:
                break
            if place % FOUND_AT_ONCE == 0:
                # The slots go on meanwhile, however much has come in.
                await anyio.lowlevel.checkpoint()
            asset = self.book.assets[tag]
            if asset is not whole and any(asked in each.casefold() for each in _numbers(asset)):
                found.append(asset)
        return found

    async def add_lot(self, told: LotRecord) -> Lot:
        """Take in a lot; raises IntakeRefused for a name that is taken or can't be one."""
        told = _named(told)
        # A name is part of an address, where a slash and these two would be something else.
        if check_tag(told.lot) is not None or "/" in told.lot or told.lot in (".", ".."):
            raise IntakeRefused(
                "a lot's name has 1 to 64 printable characters without spaces and slashes"
            )
        if told.by.is_system and told.attests:
            raise IntakeRefused(
                "a token attests nothing: leave `attests` out, and let a person attest the lot"
            )
        _bounded(consignor=told.consignor, paper=told.paper, identity_check=told.identity_check)
        if AttestationKind.IDENTITY in told.attests and not told.identity_check:
            raise IntakeRefused("say how the identity was checked, for example: 運転免許証")
        async with self._store.writing() as writer:
            self._store.ask_again(told.by)
            if LotId(told.lot) in writer.book.lots:
                raise IntakeRefused(
                    f"there is a lot {told.lot} already: give this one another name"
                )
            await writer.keep(EntryKind.LOT_ADDED, told)
        return self.lot(told.lot)

    async def add_asset(self, lot: str, asset: AssetLine, *, by: Who, again: bool = False) -> Asset:
        """Take in one asset of a lot; raises NotFound, IntakeRefused and HandsetAtWork."""
        self.lot(lot)
        if (wrong := check_tag(asset.tag)) is not None:
            raise IntakeRefused(f"{wrong}: a tag has 1 to 64 printable characters without spaces")
        if asset.imei is not None and not is_imei(asset.imei):
            raise IntakeRefused("an IMEI has 15 digits with the right check digit")
        for text in (asset.serial, asset.model, asset.colour, asset.grade):
            _bounded(asset=text or "")
        async with self._store.writing() as writer:
            self._store.ask_again(by)
            for _, code, other in clashes([asset], writer.book, again=again):
                if code is Mistake.TAG_TAKEN:
                    raise IntakeRefused(f"lot {other} has tag {asset.tag} already: use another one")
                raise IntakeRefused(
                    f"this IMEI is that of {other} already: if the same handset has come in again,"
                    " import it as one that has (`again`)"
                )
            for _, slot in found_at_work([asset], writer.book, self._views()):
                raise HandsetAtWork(
                    f"the handset with this IMEI lies in slot {slot}, and its job runs: take it in"
                    " again after that"
                )
            await self._importer.keep_assets(writer, lot, [asset], by=_signed(by), again=again)
        return self.asset(asset.tag)

    async def strike(self, told: StruckRecord, *, is_graded: bool = False) -> None:
        """Strike the line of an asset that was entered by mistake; the record keeps both.

        Raises NotFound, and IntakeRefused once anything has been done on it: that stands.
        """
        asset = self.asset(told.tag)
        _bounded(note=told.note)
        if not told.note.strip():
            raise IntakeRefused("say what was wrong with the line")
        async with self._store.writing() as writer:
            tag, book = asset.tag, writer.book
            if self.asset(tag) is not asset or asset.lot != told.lot:
                raise IntakeRefused(f"{tag} isn't of lot {told.lot}")
            if self._store.tags_being_bound[tag]:
                raise IntakeRefused(f"a handset is just being taken for {tag}: look at it again")
            if bound := book.bound.get(tag):
                raise IntakeRefused(
                    f"the line of {tag} stays as it is: job {bound[-1].job} goes by it. Take the"
                    " handset in once more under another tag, by a list of those that have come in"
                    " again; plug it in anew, and scan that tag"
                )
            if tag in book.unerasable:
                raise IntakeRefused(
                    f"the line of {tag} stays as it is: its handset waits to be crushed. Record on"
                    " the page of disposal what becomes of it"
                )
            if is_graded or not book.is_untouched(tag):
                raise IntakeRefused(
                    f"the line of {tag} stays as it is: what somebody has seen of its handset is on"
                    " record. Take the handset in once more under another tag"
                )
            self._store.tags_being_struck.add(tag)
            try:
                await writer.keep(EntryKind.ASSET_STRUCK, _named(told))
            finally:
                self._store.tags_being_struck.discard(tag)

    async def import_assets(
        self,
        lot: str,
        data: bytes,
        *,
        by: Who,
        dry_run: bool,
        again: bool = False,
        holds_badge: HoldsBadge = nobodys,
    ) -> Imported:
        """Take in a file whole or not at all; raises NotFound for a lot that isn't there."""
        self.lot(lot)
        return await self._importer.assets(
            lot, data, by=_signed(by), dry_run=dry_run, again=again, holds_badge=holds_badge
        )

    async def import_network(
        self,
        data: bytes,
        *,
        source: str,
        by: Who,
        dry_run: bool,
        holds_badge: HoldsBadge = nobodys,
    ) -> Imported:
        """Take in a list of look-ups whole or not at all."""
        _bounded(source=source)
        if not source.strip():
            raise IntakeRefused("say where the list is from, for example the carrier's page")
        return await self._importer.network(
            data, source=source, by=_signed(by), dry_run=dry_run, holds_badge=holds_badge
        )

    async def attest(self, told: AttestedRecord, *, seen: int | None = None) -> int:
        """Put on record what somebody states; returns its number.

        `seen` is how many assets were in the lot as they looked at it. Raises NotFound for a lot
        or a tag that isn't there, IntakeRefused for a tag of another, and for a whole lot that
        has become another since.
        """
        lot = self.lot(told.lot)
        _bounded(note=told.note)
        self._of_lot(lot, (*(told.tags or ()), *told.excepted))
        if AttestationKind.IDENTITY in told.kinds and not (told.note or lot.told.identity_check):
            raise IntakeRefused("say in the note how the identity was checked")
        async with self._store.writing() as writer:
            if told.tags is None:
                # Not before: whoever was in front may have put something into the lot.
                writer.book.check_seen(lot, seen)
                told = replace(told, named=named_list(lot.tags))
            return await writer.keep(EntryKind.ATTESTED, _named(told))

    async def withdraw(self, told: WithdrawnRecord) -> None:
        """What was attested counts no more; raises NotFound where it never was."""
        attestation = self.book.attested.get(told.attestation)
        if attestation is None or attestation.lot != told.lot:
            raise NotFound(f"lot {told.lot} has no attestation {told.attestation}")
        _bounded(note=told.note)
        self._of_lot(self.lot(told.lot), told.tags)
        async with self._store.writing() as writer:
            await writer.keep(EntryKind.ATTESTATION_WITHDRAWN, _named(told))

    async def bind(
        self,
        view: SlotView,
        tag: str,
        *,
        by: Who,
        despite_model: bool = False,
        seen: str | None = None,
        dry_run: bool = False,
    ) -> BoundRecord:
        """The handset in a slot is the asset whose tag somebody has scanned there.

        Raises NotFound for an asset that isn't there, IntakeRefused for a slot without a running
        job and for a handset that can't be this asset, and ModelDiffers where only its model says
        so. `seen` is the job that somebody has looked at there: another handset isn't bound. With
        `dry_run` it only says so before: nothing is kept.
        """
        asset = self.asset(tag)
        if view.job is None or view.state not in AT_WORK:
            raise IntakeRefused(f"slot {view.slot} has no running job: plug the handset in first")
        if seen not in (None, view.job):
            raise IntakeRefused(f"another handset lies in slot {view.slot} now: look at it first")
        async with self._store.binding(view.job, view.slot) as keep:
            told, doubted = self._as_bound(view, asset, view.job, by)
            if doubted and not (despite_model and set(doubted) <= set(OF_MODEL)):
                if set(doubted) <= set(OF_MODEL):
                    raise ModelDiffers(_isnt(view.slot, tag, doubted))
                raise IntakeRefused(_isnt(view.slot, tag, doubted))
            if (before := self.book.of_job.get(view.job)) is not None:
                return before.told
            if not dry_run:
                await keep(told)
                # Somebody may have struck its line just before.
                self.asset(tag)
            return told

    def _as_bound(
        self, view: SlotView, asset: Asset, job: JobId, by: Who
    ) -> tuple[BoundRecord, list[str]]:
        """The record of it, and what speaks against it; IntakeRefused where another tag counts."""
        tag, before, identity = asset.tag, self.book.of_job.get(job), view.identity
        if before is not None and before.told.tag != tag:
            raise IntakeRefused(
                f"the job in slot {view.slot} goes by tag {before.told.tag}: if that is wrong,"
                " take the handset out and plug it in again"
            )
        if (other := self._slot_of(asset, job)) is not None:
            raise IntakeRefused(
                f"tag {tag} is that of the handset in slot {other}: scan the label of this one"
            )
        names = (identity.model if identity else None, view.model_name)
        fits = fits_papers(asset.line.model, names) if identity else True
        told = BoundRecord(
            lot=asset.lot,
            lot_sequence=self.book.lots[asset.lot].sequence,
            tag=asset.tag,
            bound_by=BoundBy.TAG,
            imeis=identity.imeis if identity else (),
            serial=identity.serial if identity else None,
            model=identity.model if identity else None,
            differs="" if fits else f"{asset.line.model} / {identity.model if identity else ''}",
            by=_signed(by),
        )
        numbers = Numbers(imeis=frozenset(told.imeis), serial=told.serial)
        doubted = doubts(self.book, AssetInHand(job=job, told=told, numbers=numbers))
        if view.stage in _WITHOUT_ADB:
            doubted = [doubt for doubt in doubted if doubt != UNKNOWN_MODEL]
        return told, doubted

    def _slot_of(self, asset: Asset, job: JobId) -> SlotName | None:
        """The slot in which another job runs that goes by this tag."""
        jobs = {bound.job for bound in self.book.bound.get(asset.tag, ())} - {job}
        at_work = (view for view in self._views().values() if view.state in AT_WORK)
        return next((view.slot for view in at_work if view.job in jobs), None)

    async def confirm_time(self, seen_at: datetime, *, by: Who) -> int:
        """The rack's time is that of another clock; counts until the machine is started anew.

        Returns the number of the record. Raises IntakeRefused where it isn't, and where the ledger
        knows of a later time.
        """
        time, now = self._store.time, self._store.clock.now()
        if abs(now - seen_at) > CONFIRMED_WITHIN:
            raise IntakeRefused(
                f"the rack's clock says {_local(now)} and not {_local(seen_at)}: set it right first"
                " (timedatectl set-time), then confirm it"
            )
        if now + STEP < time.newest:
            raise IntakeRefused(
                f"the rack's clock says {_local(now)}, but its ledger has a record of"
                f" {_local(time.newest)}: until then everything is asked"
            )
        async with self._store.writing() as writer:
            told = TimeConfirmedRecord(seen_at=seen_at, boot=time.boot, by=_signed(by))
            return await writer.keep(EntryKind.TIME_CONFIRMED, told)

    def time_basis(self) -> TimeBasis | TimeDoubt:
        """By which time something with an age may be cited now, or why nothing may."""
        return self._store.time_basis()

    async def unerasable(
        self,
        tag: str,
        reason: Unerasable,
        *,
        note: str,
        by: Who,
        imei: str | None = None,
        chip: ChipHeldToReader | None = None,
    ) -> JobId:
        """An asset that can't be plugged in is to be crushed, with the reason on record.

        Returns the number under which that stays open until somebody says that it was done. Raises
        IntakeRefused where what has to be attested before isn't.
        """
        asset, by = self.asset(tag), _signed(by)
        _bounded(note=note)
        case = new_job_id(self._store.clock.now(), self._entropy)
        async with self._store.writing() as writer:
            # Not before: whoever was in front may have said the same, or withdrawn something.
            self.asset(tag)
            if asset.tag in writer.book.unerasable:
                raise IntakeRefused(f"{tag} is on record as not erasable already")
            required = self.required.cited(
                asset, chip, by=by, case=case, book=writer.book, time=self.time_basis()
            )
            told = UnerasableRecord(
                lot=asset.lot,
                tag=asset.tag,
                reason=reason,
                disposition=Disposition.DESTROY,
                note=note,
                by=by,
                imei=imei,
                chip=chip,
                required=required,
            )
            await writer.keep(EntryKind.ASSET_UNERASABLE, told, job=case)
        return case

    async def assess(self, told: AssessedRecord) -> Assessed:
        """Put on record what was seen of an asset without adb."""
        _bounded(note=told.note)
        told = replace(told, by=_signed(told.by))
        case = new_job_id(self._store.clock.now(), self._entropy)
        async with self._store.writing() as writer:
            self.asset(told.tag)
            if told.tag in writer.book.unerasable:
                raise IntakeRefused(f"{told.tag} is on record as not erasable already")
            await writer.keep(EntryKind.ASSET_ASSESSED, told, job=case)
            return writer.book.assessed[Tag(told.tag)]

    def _of_lot(self, lot: Lot, tags: Collection[str]) -> None:
        for tag in tags:
            if self.asset(tag).lot != lot.told.lot:
                raise IntakeRefused(f"{tag} isn't of lot {lot.told.lot}")


def _numbers(asset: Asset) -> tuple[str, ...]:
    return asset.tag, asset.line.imei or "", asset.line.serial or ""


def _isnt(slot: SlotName, tag: str, doubted: Sequence[str]) -> str:
    return (
        f"the handset in slot {slot} isn't {tag}: {'; '.join(doubted)}. Scan its label again, and"
        " look whether it lies in this slot"
    )


Signed = TypeVar("Signed", LotRecord, AttestedRecord, WithdrawnRecord, StruckRecord)


def _named(told: Signed) -> Signed:
    """The same with the person's name in its normal form; raises NameRefused."""
    return replace(told, by=_signed(told.by))


def _signed(by: Who) -> Who:
    return replace(by, operator=operator_name(by.operator))


def _bounded(**texts: str) -> None:
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT or not (text.isprintable()):
            raise IntakeRefused(f"{name} has at most {LONGEST_TEXT} printable characters")


def _local(at: datetime) -> str:
    """As the clock on the wall says it, which whoever reads it compares it with."""
    return at.astimezone().isoformat(sep=" ", timespec="seconds")
