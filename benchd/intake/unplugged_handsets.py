"""Handsets that nobody plugs in: what a person says of one by its label, and a reader of its chip.

Each is one record, or refused: nothing is open in between, so that a daemon which ends in the
middle has said nothing (docs/adr/0071).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import anyio

from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.errors import (
    CertificateGap,
    HandsetAtWork,
    IntakeRefused,
    NotFound,
    ReaderFault,
    ReaderGone,
)
from benchd.domain.ids import JobId, SlotName
from benchd.domain.imei import is_imei
from benchd.domain.intake import Seen, Tag, Unerasable
from benchd.domain.job import Finding
from benchd.domain.ports import ChipAccess, Ledger
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.running_handsets import AT_WORK, Views
from benchd.proof.evidence.intake_evidence import AssessedRecord, ChipHeldToReader, Who
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import Sighting, sightings_in
from benchd.proof.intake_book import Assessed, Asset

READER_COMES_WITHIN_S: Final = 8.0
"""Right after the daemon's start, or after a replug, a reader is up within seconds; a look takes
some more, and a client waits 15 s for its answer."""
_NOBODYS: Final = JobId("")
"""The job of a look that is of none."""
_SEEN_AS: Final[Mapping[Seen, tuple[Finding, ...]]] = MappingProxyType(
    {
        Seen.WELCOME: (),
        Seen.OWNER_ASKED: (Finding.LOCK_OR_ACCOUNT,),
        Seen.LOCK_SCREEN: (Finding.NOT_RESET, Finding.LOCK_OR_ACCOUNT),
        Seen.HOME_SCREEN: (Finding.NOT_RESET,),
        Seen.NO_PICTURE: (Finding.UNSEEN,),
    }
)


def findings_of(seen: Seen, chip: ChipHeldToReader | None) -> tuple[Finding, ...]:
    """What the seller has to hear of a handset that was looked at without adb.

    What nobody could see is among it: an unread chip, a certificate, whether it can be overwritten.
    """
    found = list(_SEEN_AS[seen])
    if chip is not None and chip.verdict is ChipVerdict.IN_USE:
        found.append(Finding.CHIP_IN_USE)
    elif (
        chip is None
        or chip.verdict is not ChipVerdict.UNUSED
        or chip.baseline_kind is BaselineKind.INFERRED
    ):
        found.append(Finding.CHIP_UNKNOWN)
    return (*found, Finding.JPKI, Finding.OVERWRITE_UNKNOWN)


class HandDesk:
    """Takes handsets in hand by their label. Whatever it refuses has changed nothing."""

    def __init__(
        self, intake: IntakeDesk, *, chips: ChipAccess, ledger: Ledger, views: Views
    ) -> None:
        """`views` tells what the slots do: a handset in one lies on its reader."""
        self._intake = intake
        self._chips = chips
        self._ledger = ledger
        self._views = views

    async def destroy(
        self,
        tag: str,
        reason: Unerasable,
        *,
        slot: str | None,
        imei: str | None,
        note: str,
        by: Who,
    ) -> JobId:
        """One that can't be plugged in, or never is, goes to be crushed; returns its number.

        Raises NotFound, and IntakeRefused with cause and cure.
        """
        _, chip = await self._looked_at(tag, slot, imei)
        return await self._intake.unerasable(tag, reason, note=note, by=by, imei=imei, chip=chip)

    async def assess(
        self, tag: str, seen: Seen, *, slot: str | None, imei: str | None, note: str, by: Who
    ) -> Assessed:
        """What somebody sees of a handset that tells nothing over adb, and a reader of its chip.

        Raises NotFound, and IntakeRefused with cause and cure.
        """
        asset, chip = await self._looked_at(tag, slot, imei)
        return await self._intake.assess(
            AssessedRecord(
                lot=asset.lot,
                tag=asset.tag,
                seen=seen,
                findings=findings_of(seen, chip),
                note=note,
                by=by,
                imei=imei,
                chip=chip,
            )
        )

    async def _looked_at(
        self, tag: str, slot: str | None, imei: str | None
    ) -> tuple[Asset, ChipHeldToReader | None]:
        """The asset of a label that isn't on record as dead, and its chip as a reader sees it."""
        asset = self._by_label(tag, imei)
        if asset.tag in self._intake.book.unerasable:
            raise IntakeRefused(f"{tag} is on record as not erasable already")
        chip = None if slot is None else await self._held_to_reader(slot, asset)
        # While the reader looked it may have been plugged in elsewhere.
        self._by_label(tag, imei)
        return asset, chip

    def _by_label(self, tag: str, imei: str | None) -> Asset:
        """The asset of a label, where nothing speaks against its being this handset."""
        asset, book = self._intake.asset(tag), self._intake.book
        if imei is not None and not is_imei(imei):
            raise IntakeRefused("an IMEI has 15 digits with the right check digit")
        named = asset.line.imei
        if imei is not None and named is not None and imei != named:
            raise IntakeRefused(
                f"the handset's IMEI isn't that of {tag}: scan the label of this handset again"
            )
        other = book.by_imei.get(imei or named or "", asset)
        if other.tag != asset.tag:
            raise IntakeRefused(
                f"this IMEI is that of {other.tag}: scan the label of this handset again"
            )
        for slot, view in self._views().items():
            if view.job is None or view.state not in AT_WORK:
                continue
            bound = book.of_job.get(view.job)
            told = set(view.identity.imeis if view.identity else ())
            if (bound is not None and bound.tag == asset.tag) or told & {imei, named}:
                raise HandsetAtWork(
                    f"{tag} lies in slot {slot}, and its job runs: it has adb. Let the job end, or"
                    " take the handset out first"
                )
        return asset

    async def _held_to_reader(self, name: str, asset: Asset) -> ChipHeldToReader:
        """What the slot's reader says, with nothing else on it."""
        slot = SlotName(name)
        self._refuse_occupied(slot)
        if self._chips.reader(slot) is None:
            raise IntakeRefused(
                f"slot {slot} has no reader: name a slot with one, or none at all, and the record"
                " says that nobody has looked at the chip"
            )
        try:
            with anyio.move_on_after(READER_COMES_WITHIN_S):
                await self._chips.until_there(slot)
            scan = await self._chips.scan(slot, passes=1, power_cycle=False)
        except (ReaderGone, ReaderFault) as fault:
            raise IntakeRefused(
                f"the reader of slot {slot} doesn't answer: try again, name another slot, or none"
            ) from fault
        self._refuse_occupied(slot)
        chip = ChipHeldToReader.of(slot, scan)
        if chip.chip is not None:
            await self._refuse_anothers(slot, chip.chip, asset)
        return chip

    def _refuse_occupied(self, slot: SlotName) -> None:
        view = self._views().get(slot)
        if view is None:
            raise NotFound(f"there is no slot {slot}")
        if view.state is not SlotState.EMPTY:
            raise IntakeRefused(
                f"there is a handset in slot {slot}, and its reader would hear that one: use the"
                " reader of an empty slot"
            )

    async def _refuse_anothers(self, slot: SlotName, chip: str, asset: Asset) -> None:
        """A label on the wrong handset would have the other one's record say that it is gone."""
        me = Sighting(job=_NOBODYS, sequence=0)
        me.chips.add(chip)
        try:
            jobs = sightings_in(await records_of_handset(self._ledger, me))
        except CertificateGap as gap:
            raise IntakeRefused("the records of this chip can't be read") from gap
        for other in self._others_with(chip, asset, jobs):
            raise IntakeRefused(
                f"the chip on the reader of slot {slot} was seen in {other}: scan the label of this"
                " handset again, and look whether another lies on the reader"
            )

    def _others_with(self, chip: str, asset: Asset, jobs: Sequence[Sighting]) -> Iterator[str]:
        """Other handsets that this chip was seen in: by their label, else by their job."""
        book, imei = self._intake.book, asset.line.imei
        for tag in sorted(book.held_to_reader.get(chip, ())):
            if self._differ(tag, asset):
                yield tag
        for job in jobs:
            bound = book.of_job.get(job.job)
            if bound is not None and self._differ(bound.tag, asset):
                yield bound.tag
            elif bound is None and imei is not None and job.imeis and imei not in job.imeis:
                yield job.job

    def _differ(self, tag: Tag, asset: Asset) -> bool:
        """Whether a label is another handset's; one that came in again has two."""
        other = self._intake.book.assets.get(tag)
        imei = None if other is None else other.line.imei
        return tag != asset.tag and (imei is None or imei != asset.line.imei)
