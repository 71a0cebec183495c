"""Files of assets and of look-ups, taken in whole or not at all.

A file is read before its turn: whoever withdraws a consent waits for no other system's thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread

from benchd.domain.intake import LotId
from benchd.domain.ports import Entropy
from benchd.domain.record import EntryKind
from benchd.intake.csv_assets import (
    AssetsFile,
    against,
    read_assets,
    without_those_at_work,
)
from benchd.intake.csv_format import FileMistake, HoldsBadge, nobodys
from benchd.intake.csv_network_checks import NetworkFile, read_network
from benchd.intake.intake_store import IntakeStore, Writer
from benchd.intake.running_handsets import Views, found_at_work
from benchd.proof.attestation import named_list
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord, NetworkRecord, Who
from benchd.proof.intake_book import Lot

ASSETS_IN_A_PART: Final = 500
LOOK_UPS_IN_A_PART: Final = 2000
"""A record of the ledger holds 1 MiB."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file: nothing of it counts where it has a mistake."""

    rows: int
    taken: bool
    mistakes: tuple[FileMistake, ...]
    late: int = 0
    """How many came in after their lot was attested as a whole, which doesn't cover them."""


class Importer:
    """Reads files beside the loop, one at a time."""

    def __init__(self, store: IntakeStore, entropy: Entropy, views: Views) -> None:
        self._store = store
        self._entropy = entropy
        self._views = views
        self._reading = CapacityLimiter(1)
        # Of its own: who has the turn mustn't wait for a file that is only being read.
        self._comparing = CapacityLimiter(1)

    async def assets(
        self,
        lot: str,
        data: bytes,
        *,
        by: Who,
        dry_run: bool,
        again: bool,
        holds_badge: HoldsBadge = nobodys,
    ) -> Imported:
        """Take in a file of assets of a lot that is there."""
        read = partial(read_assets, data, holds_badge)
        file: AssetsFile = await to_thread.run_sync(read, limiter=self._reading)
        if dry_run or file.mistakes:
            # Nothing is kept, so nothing has to stand still for it.
            file = await self._against(file, again=again)
        if dry_run or file.mistakes:
            return Imported(rows=len(file.assets), taken=False, mistakes=file.mistakes)
        late = 0
        async with self._store.writing() as writer:
            file = await self._against(file, again=again)
            self._store.ask_again(by)
            if not file.mistakes:
                await self.keep_assets(writer, lot, file.assets, by=by, again=again)
                late = _late(writer.book.lots.get(LotId(lot)), len(file.assets))
        taken = not file.mistakes
        return Imported(rows=len(file.assets), taken=taken, mistakes=file.mistakes, late=late)

    async def network(
        self,
        data: bytes,
        *,
        source: str,
        by: Who,
        dry_run: bool,
        holds_badge: HoldsBadge = nobodys,
    ) -> Imported:
        """Take in a list of look-ups."""
        # A line struck before its turn comes leaves a look-up that is nobody's, and still true.
        read = partial(read_network, data, self._store.book, self._store.clock.now(), holds_badge)
        file: NetworkFile = await to_thread.run_sync(read, limiter=self._reading)
        take = not (dry_run or file.mistakes)
        if take:
            async with self._store.writing() as writer:
                parts, batch = _parts(file.results, LOOK_UPS_IN_A_PART), self._batch()
                records = [
                    NetworkRecord(
                        batch=batch,
                        part=number,
                        parts=len(parts),
                        source=source,
                        results=tuple(part),
                        by=by,
                    )
                    for number, part in enumerate(parts, start=1)
                ]
                await writer.keep_all(EntryKind.NETWORK_LISTED, records)
        return Imported(rows=len(file.results), taken=take, mistakes=file.mistakes)

    async def keep_assets(
        self, writer: Writer, lot: str, assets: Sequence[AssetLine], *, by: Who, again: bool
    ) -> None:
        """Put on record what clashes with nothing."""
        parts, batch = _parts(assets, ASSETS_IN_A_PART), self._batch()
        told = writer.book.lots.get(LotId(lot))
        is_list = told is not None and told.awaits_list_of(by) is not None
        records = [
            AssetsRecord(
                lot=lot,
                batch=batch,
                part=number,
                parts=len(parts),
                again=again,
                assets=tuple(part),
                by=by,
                named=named_list(line.tag for line in assets) if is_list else None,
            )
            for number, part in enumerate(parts, start=1)
        ]
        await writer.keep_all(EntryKind.ASSETS_ADDED, records)

    async def _against(self, file: AssetsFile, *, again: bool) -> AssetsFile:
        book = self._store.book
        compare = partial(against, file, book, again=again)
        compared = await to_thread.run_sync(compare, limiter=self._comparing)
        # On the loop and last: what the slots do changes while a thread compares.
        return without_those_at_work(
            compared, lambda assets: found_at_work(assets, book, self._views())
        )

    def _batch(self) -> str:
        return self._entropy.token(8).hex()


def _late(lot: Lot | None, rows: int) -> int:
    """How many of the newest so many assets no attestation of the whole lot covers."""
    whole = [each.late for each in lot.attestations if each.tags is None] if lot else []
    return min(rows, *whole) if whole else 0


def _parts(lines: Sequence[T], size: int) -> list[Sequence[T]]:
    return [lines[start : start + size] for start in range(0, len(lines), size)]
