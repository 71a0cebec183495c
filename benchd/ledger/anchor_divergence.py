"""What an anchor has told against the ledger: it stays on record until a restore answers it.

A start with that anchor refuses the ledger. One at which the anchor can't be reached must not
forget what it said.
"""

from __future__ import annotations

from typing import Final

from benchd.domain.record import EntryKind
from benchd.ledger.ledger_access import SqliteLedger

DIVERGED: Final = "outrun"
"""The field of a `ledger_checked` record that holds it, and of each such record after it."""


async def divergence_of(ledger: SqliteLedger) -> str | None:
    """What the newest check has on record of an anchor that knows more; None if nothing stands."""
    check = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
    told = check.entry.data.get(DIVERGED) if check else None
    if check is None or not isinstance(told, str):
        return None
    restored = await ledger.newest_of(EntryKind.LEDGER_RESTORED)
    return None if restored is not None and restored.sequence > check.sequence else told
