"""A process that appends until it is killed, and prints each sequence number that it was told.

Arguments: the ledger, the number of entries, the size limit for files in bytes (0: none).
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import anyio
from ledger_rack import RackKey, make_entry

from benchd.domain.errors import LedgerFault
from benchd.ledger import ledger_store, open_ledger


async def main(path: Path, count: int, file_limit_bytes: int) -> None:
    if not file_limit_bytes:
        # Checkpoints come often, so that many kills fall into one.
        ledger_store.CHECKPOINT_PAGES = 20
    async with open_ledger(path, head_key=RackKey()) as ledger:
        if file_limit_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit_bytes, resource.RLIM_INFINITY))
        for number in range(count):
            try:
                receipt = await ledger.append(make_entry(number))
            except LedgerFault as fault:
                print("fault:", fault, flush=True)  # noqa: T201 - the parent reads it
                if file_limit_bytes:
                    limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            else:
                print(receipt.sequence, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
