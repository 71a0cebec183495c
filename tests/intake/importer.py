"""A process that imports file after file until it is killed, and prints each that it was told of.

Arguments: the ledger. Every file has so many assets that it takes several records.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import anyio

from benchd.daemon.system_clock import SystemClock, SystemEntropy
from benchd.domain.intake import LotId
from benchd.intake import csv_import, intake_desk
from benchd.intake.intake_store import IntakeStore
from benchd.ledger import ledger_store, open_ledger
from tests.intake.lots import BY, LOT, lot_record
from tests.ledger.ledger_rack import RackKey

PARTS = 3
IN_A_PART = 20
"""Fewer than usual, so that fifty kills don't make a large ledger."""


async def main(path: Path) -> None:
    ledger_store.CHECKPOINT_PAGES, csv_import.ASSETS_IN_A_PART = 20, IN_A_PART
    async with open_ledger(path, head_key=RackKey()) as ledger:
        book = IntakeStore(ledger, SystemClock())
        await book.recall()
        intake = intake_desk.IntakeDesk(book, SystemEntropy())
        if LotId(LOT) not in intake.book.lots:
            await intake.add_lot(lot_record())
        for number in count(len(intake.book.assets)):
            lines = "".join(f"T{number}-{n}\n" for n in range(PARTS * IN_A_PART))
            done = await intake.import_assets(LOT, ("tag\n" + lines).encode(), by=BY, dry_run=False)
            print("whole", len(intake.book.assets) if done.taken else -1, flush=True)  # noqa: T201


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
