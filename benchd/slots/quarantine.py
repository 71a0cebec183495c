"""A slot whose own task blew up: out of use until its handset is unplugged."""

from __future__ import annotations

from typing import cast

from anyio.streams.memory import MemoryObjectReceiveStream

from benchd.errors import LedgerFault
from benchd.words.port import Attached, Detached, PlugEvent


async def until_gone(
    events: MemoryObjectReceiveStream[PlugEvent], here: Attached
) -> Attached | None:
    """Return once what is here has left, with what has come in its place, if anything has."""
    while True:
        match await events.receive():
            case Detached():
                return None
            case Attached() as event if event.attachment != here.attachment:
                return event
            case Attached():
                pass


def let_ledger_faults_through(broken: Exception) -> None:
    """No ledger, no wipe: this one fault stops the daemon."""
    if isinstance(broken, LedgerFault):
        raise broken
    if isinstance(broken, BaseExceptionGroup):
        faults = cast("BaseExceptionGroup[BaseException]", broken).subgroup(LedgerFault)
        if faults is not None:
            raise faults
