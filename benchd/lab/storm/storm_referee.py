"""What a rack in a storm is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from benchd.lab.storm.client import Answer
from benchd.lab.storm.storm_folder import Member

PERSON_S: Final = 2.0
PROBE_S: Final = 1.0
SIGN_IN: Final = "sign in"


class Rule(StrEnum):
    """What must not be."""

    ENDED = "the daemon ended though nobody asked it to"
    KILLED = "a signal killed it"
    DIDNT_END = "it didn't end though it was told to"
    OTHERWISE = "a job ended otherwise than without the storm"
    STUCK = "a slot never came to rest"
    LOST = "what was acknowledged is lost"
    SLOW = "a signed-in person waited"
    REFUSED = "a person with badge and PIN was refused"
    PROBE = "the machine's own probe waited"
    RESET = "a refusal didn't arrive whole"
    LEFT = "something is left"
    WITHDRAWN = "something was destroyed by what was withdrawn"
    TWICE = "two were told yes where one can be right"
    UNNOTICED = "a clock that was set back isn't on record"
    HELPER = "a helper hung, and counted as up"
    BROKE = "a request raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that was broken."""

    rule: Rule
    detail: str
    at_s: float

    def __str__(self) -> str:
        return f"{self.at_s:.1f} s: {self.rule}: {self.detail}"


@dataclass(slots=True)
class Referee:
    """Hears everything."""

    now: Callable[[], float]
    faults: list[Fault] = field(default_factory=list[Fault])
    excused: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])
    """When nobody could have answered in time: the ledger was locked, no descriptor left."""
    asked: int = 0

    def broken(self, rule: Rule, detail: str) -> None:
        """Something wasn't as it has to be."""
        self.faults.append(Fault(rule=rule, detail=detail, at_s=self.now()))

    def excuse(self, until_s: float, *, only: str = "") -> None:
        """From now until then nobody could be faster, or nothing of this kind."""
        self.excused.append((self.now(), until_s, only))

    def person(self, who: Member, what: str, answer: Answer | None, took_s: float) -> None:
        """Somebody has asked for something."""
        self.asked += 1
        if self._excused(what, took_s):
            return
        if what == SIGN_IN:
            status = None if answer is None else answer.status
            if status == 429 and b"too many try at once" in (answer.body if answer else b""):
                return
            if status != 201:
                self.broken(Rule.REFUSED, f"{who.id}: {status} {answer and answer.body[:120]!r}")
        elif answer is None:
            self.broken(Rule.SLOW, f"{who.id} had no answer to {what} after {took_s:.1f} s")
        elif took_s > PERSON_S:
            self.broken(Rule.SLOW, f"{who.id} had {answer.status} to {what} after {took_s:.1f} s")
        elif answer.status >= 500 and answer.status != 503:
            self.broken(Rule.BROKE, f"{who.id} had {answer.status} to {what}")

    def probe(self, path: str, answer: Answer | None, took_s: float) -> None:
        """The machine has looked whether the daemon lives."""
        if self._excused(path, took_s):
            return
        if answer is None or answer.status != 200 or took_s > PROBE_S:
            status = "nothing" if answer is None else answer.status
            self.broken(Rule.PROBE, f"{path}: {status} after {took_s:.2f} s")

    def _excused(self, what: str, took_s: float) -> bool:
        now = self.now()
        return any(
            began <= now and now - took_s <= ended and what.endswith(only)
            for began, ended, only in self.excused
        )

    def rules(self) -> Iterable[Rule]:
        """Those that were broken."""
        return {fault.rule for fault in self.faults}
