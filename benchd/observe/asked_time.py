"""How much of an attempt's time somebody had a question to answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchd.words.job import Gate


@dataclass(slots=True)
class AskedTime:
    """The open questions of one job; two at once take their time only once.

    A question that the handset itself has answered has no record of that, and so counts until its
    attempt ends.
    """

    _since: dict[Gate, float] = field(default_factory=dict[Gate, float])
    _began: float = 0.0
    _total_s: float = 0.0

    def begin(self, gate: Gate, now: float) -> None:
        """A question is asked."""
        if not self._since:
            self._began = now
        self._since[gate] = now

    def end(self, gate: Gate, now: float) -> float | None:
        """It is answered, after so many seconds; None for one that nobody knows of."""
        since = self._since.pop(gate, None)
        if since is None:
            return None
        if not self._since:
            self._total_s += now - self._began
        return now - since

    def settle(self, now: float) -> float:
        """The attempt ends: the seconds in which anything was open, from the start again."""
        if self._since:
            self._total_s += now - self._began
            self._since.clear()
        total, self._total_s = self._total_s, 0.0
        return total
