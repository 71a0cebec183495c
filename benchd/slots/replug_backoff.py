"""The back-off of a port whose plug comes and goes, as with a worn cable: when a job may begin."""

from __future__ import annotations

from collections import deque
from typing import Final

from benchd.domain.port import Attached

WITHIN_S: Final = 900.0
FREE_PLUGS: Final = 6
"""So many within that time cost nothing: a plug is up to three enumerations, some plug again."""
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 120.0
_MOST_DOUBLINGS: Final = 5


class ReplugBackoff:
    """A port whose plug comes and goes: how long it has to be quiet before a handset begins.

    Counts the enumerations that belong to no job's planned absence.
    """

    def __init__(self) -> None:
        self._last: Attached | None = None
        self._at_s: deque[float] = deque(maxlen=FREE_PLUGS + _MOST_DOUBLINGS + 1)

    def note(self, attached: Attached) -> None:
        """One more; the same told twice is one, and another handset begins anew."""
        last, self._last = self._last, attached
        if last is not None and last.attachment == attached.attachment:
            return
        told = {each.usb_serial for each in (last, attached) if each is not None}
        if len(told - {None, ""}) > 1:
            self._at_s.clear()
        self._at_s.append(attached.at_s)

    @property
    def pause_s(self) -> float:
        """For how long the port has to be quiet from its newest plug on; 0 where it may begin."""
        newest = self._at_s[-1] if self._at_s else 0.0
        recent = sum(newest - at_s <= WITHIN_S for at_s in self._at_s)
        if recent <= FREE_PLUGS:
            return 0.0
        doublings = min(recent - FREE_PLUGS - 1, _MOST_DOUBLINGS)
        return min(FIRST_PAUSE_S * 2.0**doublings, LONGEST_PAUSE_S)
