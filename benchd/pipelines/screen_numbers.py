"""The numbers that a person reads from the handset's own screen: checked before they are taken.

What looks like a misreading is asked for once more; given again, it is taken as it is, and what
comes of it is decided by the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchd.domain.errors import ScreenNumberNeeded, StageFailed
from benchd.domain.imei import has_misread_imei, imeis_in_text, is_imei, tac_of
from benchd.domain.job import Decision, Gate, Reason
from benchd.domain.people import Actor
from benchd.pipelines.stage_contract import JobContext, Vetting
from benchd.proof.binding import Known, screen_number
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.identity.sighting import model_key
from benchd.proof.record_subject import evidence_in

SHOWN: Final[Mapping[Gate, tuple[str, ...]]] = {
    Gate.IMEI: ("model", "serial"),
    Gate.SERIAL: ("model",),
}
"""What the question tells of the handset: never the number that is asked for."""
MOST_IMEIS: Final = 2
MOST_OF_TAC: Final = 20
"""Records that are looked into for whose type allocation code it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenNumbers:
    """What was read."""

    first: str
    """An IMEI, or the serial of a handset that has none."""
    second: str | None
    """The other IMEI of one with two SIMs."""
    decision: Decision

    @property
    def imeis(self) -> frozenset[str]:
        """The IMEIs among them."""
        return frozenset(each for each in (self.first, self.second) if each and is_imei(each))


class NumberVetting:
    """Looks at the numbers of one question's answers before one is taken."""

    def __init__(
        self,
        context: JobContext,
        gate: Gate,
        *,
        needed: bool = True,
        both: bool = False,
        also: Vetting | None = None,
    ) -> None:
        """`needed`: without a number none is taken; `both`: those of both SIMs are wanted."""
        self._context = context
        self._gate = gate
        self._needed = needed
        self._both = both
        self._also = also
        self._doubted: frozenset[str] | None = None
        """What was refused as a likely misreading: the same once more is taken."""

    async def __call__(self, by: Actor, note: str, approved: bool) -> None:  # noqa: FBT001
        """Raise ScreenNumberNeeded for an answer that has to be given otherwise."""
        if self._also is not None:
            await self._also(by, note, approved)
        if not approved or self._gate is not Gate.IMEI:
            return
        numbers = frozenset(imeis_in_text(note))
        if not numbers:
            if self._needed:
                raise ScreenNumberNeeded(
                    "the note has to hold the IMEI as the handset's own screen shows it (*#06#)"
                )
            return
        if has_misread_imei(note):
            raise ScreenNumberNeeded("one digit of a number is wrong, by its check digit")
        if len(numbers) > MOST_IMEIS:
            raise ScreenNumberNeeded("a handset has two IMEIs at most")
        if numbers != self._doubted and (doubt := await self._doubt(numbers)):
            self._doubted = numbers
            raise ScreenNumberNeeded(doubt)

    async def _doubt(self, numbers: frozenset[str]) -> str | None:
        known = Known.of(self._context.evidence)
        if known.imeis and known.imeis.isdisjoint(numbers):
            return (
                "this isn't the number that is on record of this handset: scan it once more from"
                " its own screen, of one with two SIMs the other bar code too"
            )
        strangers = numbers - known.imeis
        if known.all_known and strangers:
            return "another number than those that this handset has told: scan it once more"
        two_wanted = self._both and (known.sim_slots or 0) > 1
        if two_wanted and len(numbers | known.imeis) == 1:
            return "this handset takes two SIMs: scan both bar codes that its screen shows"
        for number in sorted(strangers):
            if await self._of_other_model(number):
                return (
                    "the first eight digits are those of another model: scan it once more from"
                    " this handset's own screen"
                )
        return None

    async def _of_other_model(self, number: str) -> bool:
        """Whether handsets of another model, and none of this one, told this allocation code."""
        facts = self._context.facts
        if facts is None:
            return False
        mine = model_key(facts.identity.manufacturer, facts.identity.model)
        told = await self._context.ledger.records_of_tac(tac_of(number), MOST_OF_TAC)
        seen = (evidence_in(record.entry) for record in told)
        models = {
            model_key(each.manufacturer, each.model)
            for each in seen
            if isinstance(each, InspectEvidence)
        }
        return bool(models) and mine not in models


async def numbers_on_screen(context: JobContext, *, both: bool = False) -> ScreenNumbers:
    """The numbers that a person reads there and types in; StageFailed where nobody can."""
    gate = Known.of(context.evidence).number_gate
    facts = context.handset_facts()
    shown = {name: facts[name] for name in SHOWN[gate]}
    vetting = NumberVetting(context, gate, both=both)
    decision = await context.approved(gate, Reason.HANDSET_NOT_BOUND, shown, vetting)
    return numbers_in_answer(gate, decision)


def numbers_in_answer(gate: Gate, decision: Decision) -> ScreenNumbers:
    """The numbers of an answer; raises StageFailed where there is none."""
    first = screen_number(gate, decision.note)
    if first is None:
        raise StageFailed(Reason.HANDSET_NOT_BOUND, f"{gate}: the answer is no such number")
    imeis = imeis_in_text(decision.note) if gate is Gate.IMEI else ()
    second = imeis[1] if len(imeis) == MOST_IMEIS else None
    return ScreenNumbers(first=first, second=second, decision=decision)
