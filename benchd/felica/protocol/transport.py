"""What a scan needs of a contactless reader."""

from __future__ import annotations

from typing import Protocol


class ChipTransport(Protocol):
    """One reader with at most one chip in its field; called from the reader's own thread.

    Both methods raise ReaderGone while the reader or its pcscd is away and ReaderFault when
    the reader failed or hung: the reader's failures are never silence.
    """

    def exchange(self, frame: bytes, timeout_s: float) -> bytes | None:
        """Send one frame from its length byte on; the answer from its length byte on.

        None when no chip answered in time. Polling goes through here like any other frame.
        """
        ...

    def power_cycle(self) -> None:
        """Switch the field off until every chip in it has lost its power, then on again."""
        ...
