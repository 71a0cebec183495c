"""What other systems ask for is shown at the slot as soon as it is on record."""

from __future__ import annotations

from benchd.hooks.replies import direction_in
from benchd.slots.board import RackBoard
from benchd.words.record import Entry, EntryKind


class Directing:
    """A subscriber of the ledger, after whom the board asks what counts."""

    def __init__(self, board: RackBoard) -> None:
        self._board = board

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(entry.data)
            if told is not None:
                self._board.directed_anew(told.job)

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: no slot shows it yet."""
        del entry
